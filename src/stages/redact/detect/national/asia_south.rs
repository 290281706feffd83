//! Numbers of India, Singapore, Malaysia, Indonesia, the Philippines and Thailand.
//!
//! Not here: the engine (`super`).
//!
//! Always: see `super`.

use super::check::{
    decimal, is_digits, is_letters, is_month_day, is_yymmdd, luhn, luhn_36, mixed, value, verhoeff, weighted,
};
use super::{Kind, Row, Rule};

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule {
            id: "in.aadhaar",
            version: 1,
            kind: Kind::InAadhaar,
            country: "IN",
            score: 0.88,
            check: "first digit 2 to 9; Verhoeff",
            context: &["aadhaar*", "aadhar*", "adhar*", "uidai", "uid", "आधार"],
            source: "UIDAI, Aadhaar numbering scheme",
            finds: &["Aadhaar: ‹2341 2341 2346›", "aadhaar_number=‹234123412346›", "आधार संख्या ‹2341-2341-2346›"],
            passes: &["Aadhaar: 2341 2341 2347", "2341 2341 2346", "Aadhaar 1341 2341 2346", "2019 2020 2021"],
        },
        forms: &["?dddd_dddd_dddd", "?dddddddddddd"],
        valid: |number| number[0] > b'1' && mixed(number) && verhoeff(number),
    },
    Row {
        rule: Rule {
            id: "in.pan",
            version: 1,
            kind: Kind::InPan,
            country: "IN",
            score: 0.88,
            check: "fourth letter is a kind of holder; number not 0000",
            context: &["pan", "permanent account*", "income tax*"],
            source: "Income Tax Department, structure of PAN",
            finds: &["‹ACUPA7085R›", "PAN card ‹abcpv1234d›"],
            passes: &["ABCDE1234F", "ACUPA0000R", "acupa7085r", "XACUPA7085R", "ACUPA7085RX", "ACUPA-7085-R"],
        },
        forms: &["aaaaadddda"],
        valid: |number| b"ABCFGHJLPT".contains(&number[3]) && &number[5..9] != b"0000",
    },
    Row {
        rule: Rule {
            id: "in.gstin",
            version: 1,
            kind: Kind::InGstin,
            country: "IN",
            score: 0.95,
            check: "state; PAN inside; Luhn's sum over base 36",
            context: &["gstin", "gst*"],
            source: "GSTN, format of GSTIN",
            finds: &["GSTIN ‹27AAPFU0939F1ZV›", "(‹27AAPFU0939F1ZV›)"],
            passes: &["27AAPFU0939F1ZO", "47AAPFU0939F1ZV", "27AAPFU0938F1ZV"],
        },
        forms: &["ddaaaaaddddanan", "ddaaaaaddddanad"],
        valid: |number| matches!(decimal(&number[..2]), 1..=38 | 97 | 99) && luhn_36(number),
    },
    Row {
        rule: Rule {
            id: "in.voter",
            version: 1,
            kind: Kind::InVoter,
            country: "IN",
            score: 0.85,
            check: "three letters; Luhn over the digits",
            context: &["voter*", "epic", "election*", "elector*"],
            source: "Election Commission of India, EPIC number",
            finds: &["Voter ID ‹WKH1186253›", "EPIC no. ‹WKH1186253›"],
            passes: &["Voter ID WKH1186254", "WKH1186253", "epicentre WKH1186253"],
        },
        forms: &["!aaaddddddd"],
        valid: |number| luhn(&number[3..]) && mixed(&number[3..]),
    },
    Row {
        rule: Rule {
            id: "sg.nric",
            version: 1,
            kind: Kind::SgNric,
            country: "SG",
            score: 0.92,
            check: "series S T F G M; weights 2765432 give the letter of the series",
            context: &["nric", "fin", "ic", "identity card"],
            source: "ICA; National Registration Regulations",
            finds: &["‹S1234567D›", "FIN ‹G1234567X›", "nric ‹t1234567j›", "‹M1234567K›"],
            passes: &["S1234567E", "A1234567D", "S1234567", "s1234567d", "XS1234567D"],
        },
        forms: &["addddddda"],
        valid: nric,
    },
    Row {
        rule: Rule {
            id: "sg.uen",
            version: 1,
            kind: Kind::SgUen,
            country: "SG",
            score: 0.85,
            check: "year and kind of entity; weights give the letter",
            context: &["uen", "unique entity*", "acra", "company registration"],
            source: "ACRA, Unique Entity Number",
            finds: &["UEN ‹197401143C›", "‹S16FC0121D›", "UEN: ‹00192200M›", "uen ‹T01FC6132D›"],
            passes: &["UEN 197401143D", "S16FC0121E", "00192200M", "197401143C", "S16XX0121D"],
        },
        forms: &["!dddddddda", "!ddddddddda", "addaadddda", "addanddddd"],
        valid: uen,
    },
    Row {
        rule: Rule {
            id: "my.nric",
            version: 1,
            kind: Kind::MyNric,
            country: "MY",
            score: 0.88,
            check: "day of birth; place of birth that has a code",
            context: &["nric", "mykad", "my kad", "ic", "ic no", "kad pengenalan", "no kp", "no ic", "mypr"],
            source: "JPN, National Registration Regulations 1990; codes of states and countries",
            finds: &["‹770305-02-1234›", "MyKad: ‹770305021234›", "IC ‹770305 02 1234›"],
            passes: &["771305-02-1234", "770305-17-1234", "770305021234", "770305-02-12345", "770332-02-1234"],
        },
        forms: &["dddddd-dd-dddd", "!dddddd dd dddd", "!dddddddddddd"],
        valid: |number| {
            let place = decimal(&number[6..8]);
            let unused = matches!(place, 0 | 17..=20 | 69 | 70 | 73 | 80 | 81 | 94..=97);
            is_yymmdd(number) && !unused && &number[8..] != b"0000"
        },
    },
    Row {
        rule: Rule {
            id: "id.nik",
            version: 1,
            kind: Kind::IdNik,
            country: "ID",
            score: 0.85,
            check: "province; day of birth, 40 more for women; serial not 0000",
            context: &["nik", "ktp*", "nomor induk*", "e ktp", "ektp", "no ktp"],
            source: "Law 23/2006 and Government regulation 37/2007 (ID)",
            finds: &["NIK: ‹3171011708450001›", "no. KTP ‹3578024107900002›"],
            passes: &["NIK: 3171011713450001", "3171011708450001", "NIK 0971011708450001", "NIK: 3171011708450000"],
        },
        forms: &["!dddddddddddddddd", "!dddddd_dddddd_dddd", "!dddd_dddd_dddd_dddd"],
        valid: |number| {
            let day = decimal(&number[6..8]);
            let born = is_month_day(decimal(&number[8..10]), if day > 40 { day - 40 } else { day });
            (11..=97).contains(&decimal(&number[..2])) && &number[2..4] != b"00" && born && &number[12..] != b"0000"
        },
    },
    Row {
        rule: Rule {
            id: "ph.tin",
            version: 1,
            kind: Kind::PhTin,
            country: "PH",
            score: 0.75,
            check: "label; nine digits and a branch",
            context: &["tin", "tin no", "tin number", "taxpayer identification*", "bir"],
            source: "BIR revenue memorandum circular, TIN structure",
            finds: &["TIN: ‹123-456-789-000›", "my TIN is ‹123-456-789›", "BIR TIN ‹123456789000›"],
            passes: &["123-456-789-000", "TIN: 000-000-000-000", "tin can 12-345-6789"],
        },
        forms: &["!ddd-ddd-ddd-ddd", "!ddd-ddd-ddd-ddddd", "!ddd-ddd-ddd", "!dddddddddddd", "!ddd ddd ddd ddd"],
        valid: |number| mixed(&number[..9]),
    },
    Row {
        rule: Rule {
            id: "th.national_id",
            version: 1,
            kind: Kind::ThNationalId,
            country: "TH",
            score: 0.9,
            check: "first digit not 0 or 9; modulus 11, weights 13 to 2",
            context: &["thai id*", "thai national*", "เลขประจำตัวประชาชน", "บัตรประชาชน", "เลขบัตรประชาชน", "ประชาชน"],
            source: "DOPA; Civil Registration Act",
            finds: &["‹1-2345-67890-12-1›", "เลขบัตรประชาชน ‹1234567890121›", "Thai ID ‹1 2345 67890 12 1›"],
            passes: &["1-2345-67890-12-2", "1234567890121", "0-2345-67890-12-1"],
        },
        forms: &["d-dddd-ddddd-dd-d", "?ddddddddddddd", "?d dddd ddddd dd d"],
        valid: |number| {
            let sum = weighted(number, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
            !matches!(number[0], b'0' | b'9') && mixed(number) && (11 - sum % 11) % 10 == value(number[12])
        },
    },
];

fn nric(number: &[u8]) -> bool {
    let sum = weighted(&number[1..], &[2, 7, 6, 5, 4, 3, 2]) as usize;
    let letter = match number[0] {
        b'S' => b"JZIHGFEDCBA"[sum % 11],
        b'T' => b"JZIHGFEDCBA"[(sum + 4) % 11],
        b'F' => b"XWUTRQPNMLK"[sum % 11],
        b'G' => b"XWUTRQPNMLK"[(sum + 4) % 11],
        b'M' => b"XWUTRQPNJLK"[(sum + 3) % 11],
        _ => return false,
    };
    letter == number[8]
}

fn uen(number: &[u8]) -> bool {
    let Some((last, rest)) = number.split_last() else { return false };
    match (rest.len(), is_digits(rest)) {
        // Businesses.
        (8, true) => *last == b"XMKECAWLJDB"[weighted(rest, &[10, 4, 9, 3, 8, 2, 7, 1]) as usize % 11],
        // Local companies: the year first.
        (9, true) => {
            (1800..2100).contains(&decimal(&rest[..4]))
                && *last == b"ZKCMDNERGWH"[weighted(rest, &[10, 8, 6, 4, 9, 7, 5, 3, 1]) as usize % 11]
        }
        (9, false) => entity(rest, *last),
        _ => false,
    }
}

/// Other entities: century, year, kind, number; characters count by their place in this alphabet.
fn entity(rest: &[u8], last: u8) -> bool {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWX0123456789";
    const KINDS: [&[u8; 2]; 25] = [
        b"LP", b"LL", b"FC", b"PF", b"RF", b"MQ", b"MM", b"NB", b"CC", b"CS", b"MB", b"FM", b"GS", b"DP", b"CP", b"NR",
        b"CM", b"CD", b"MD", b"HS", b"VH", b"CH", b"MH", b"CL", b"XL",
    ];
    let place = |byte: &u8| ALPHABET.iter().position(|known| known == byte);
    let kind = KINDS.iter().any(|kind| *kind == &rest[3..5]);
    let century = matches!(rest[0], b'R' | b'S' | b'T') && is_digits(&rest[1..3]) && is_digits(&rest[5..9]);
    let sum: Option<usize> =
        rest.iter().zip([4, 3, 5, 3, 10, 2, 2, 5, 7]).map(|(byte, weight)| Some(place(byte)? * weight)).sum();
    // The sum may be less than 5: 6 is 11 - 5.
    kind && century && is_letters(&[last]) && sum.is_some_and(|sum| ALPHABET[(sum + 6) % 11] == last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_off_is_refused() {
        use super::super::tests::refuses_single_changes;
        refuses_single_changes(ROWS[0].valid, &["234123412346"]);
        refuses_single_changes(ROWS[2].valid, &["27AAPFU0939F1ZV"]);
        refuses_single_changes(ROWS[3].valid, &["WKH1186253"]);
        refuses_single_changes(nric, &["S1234567D", "T1234567J", "F1234567N", "G1234567X", "M1234567K", "S0000001I"]);
        refuses_single_changes(uen, &["00192200M", "197401143C"]);
    }
}
