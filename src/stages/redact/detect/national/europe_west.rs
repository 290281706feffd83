//! Numbers of Germany, Austria, Switzerland, the Netherlands, Belgium, France and Ireland.
//!
//! Not here: the engine (`super`); VAT numbers (`vat`).
//!
//! Always: see `super`.

use super::check::{
    decimal, icao_731, is_ddmmyy, is_digits, is_letters, is_month_day, mixed, mod_10, mod_11_10, value, weighted,
    weighted_digit_sums,
};
use super::{Kind, Row, Rule};

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule {
            id: "de.tax_id",
            version: 1,
            kind: Kind::DeTaxId,
            country: "DE",
            score: 0.85,
            check: "ISO 7064 MOD 11,10; one of the first ten digits two or three times",
            context: &[
                "steuer id*",
                "steueridentifikationsnummer",
                "steuerliche identifikationsnummer",
                "steuernummer",
                "steuer identifikationsnummer",
                "steuerid*",
                "identifikationsnummer",
                "idnr",
                "tin",
                "tax id*",
            ],
            source: "BZSt, identification number (section 139b AO)",
            finds: &[
                "Steuer-ID: ‹86095742719›",
                "Meine steuerliche Identifikationsnummer lautet ‹47 036 892 816›.",
                "{\"steuerId\": \"‹36574261809›\"}",
            ],
            passes: &["Steuer-ID: 86095742710", "86095742719", "Steuer-ID: 12345678903", "Tel. 0860 95742719"],
        },
        forms: &["?ddddddddddd", "?dd ddd ddd ddd", "?dd/ddd/ddd/ddd", "?ddd dddd dddd"],
        valid: steuer_id,
    },
    Row {
        rule: Rule {
            id: "de.social_security",
            version: 1,
            kind: Kind::DeSocialSecurity,
            country: "DE",
            score: 0.9,
            check: "area, day of birth, modulus 10 over digit sums",
            context: &[
                "rentenversicherung*",
                "sozialversicherung*",
                "versicherungsnummer",
                "rvnr",
                "svnr",
                "sv nummer",
            ],
            source: "VKVV section 2; DRV",
            finds: &["‹65170839J003›", "SV-Nummer ‹15 070649 C 103›"],
            passes: &["65170839J004", "65171339J003", "x65170839J003", "00170839J003", "0165170839J003"],
        },
        forms: &["ddddddddaddd", "dd dddddd a ddd", "?dd dddddd a dd d", "?dd dd dd dd a ddd"],
        valid: rvnr,
    },
    Row {
        rule: Rule {
            id: "de.health_insurance",
            version: 1,
            kind: Kind::DeHealthInsurance,
            country: "DE",
            score: 0.85,
            check: "modulus 10 over digit sums",
            context: &[
                "krankenversicherung*",
                "krankenversicherten*",
                "versichertennummer",
                "versicherten nr",
                "kvnr",
                "versichertenkarte",
                "krankenkasse*",
                "health insurance*",
                "egk",
            ],
            source: "GKV-Spitzenverband, Krankenversichertennummer (section 290 SGB V)",
            finds: &["KVNR ‹A123456780›", "Krankenversichertennummer: ‹a123456780›"],
            passes: &["KVNR A123456781", "A123456780", "article A123456780"],
        },
        forms: &["!addddddddd", "!a ddddddddd", "!addd ddd ddd"],
        valid: kvnr,
    },
    Row {
        rule: Rule {
            id: "de.id_card",
            version: 1,
            kind: Kind::DeIdCard,
            country: "DE",
            score: 0.85,
            check: "ICAO 9303 check digit; characters of the serial number",
            context: &["personalausweis*", "ausweisnummer", "ausweis nr", "ausweis*", "id card", "identity card"],
            source: "BSI TR-03127; ICAO 9303",
            finds: &["Personalausweisnummer: ‹L01X00T471›", "Ausweis-Nr. ‹T220001293›", "Ausweis ‹L01X00T47›"],
            passes: &["Ausweis L01X00T472", "L01X00T471", "Ausweis A01X00T471", "Ausweis T22000129D"],
        },
        forms: &["!annnnnnnnd", "!annnnnnnn"],
        valid: id_card,
    },
    Row {
        rule: Rule {
            id: "at.social_security",
            version: 1,
            kind: Kind::AtSocialSecurity,
            country: "AT",
            score: 0.85,
            check: "day of birth; modulus 11 in the fourth digit",
            context: &["sozialversicherung*", "versicherungsnummer", "sv nummer", "svnr", "sv nr", "vsnr", "e card"],
            source: "Dachverband der Sozialversicherungstraeger, Versicherungsnummer",
            finds: &["SVNR ‹1237 010180›", "Sozialversicherungsnummer: ‹1237010180›", "SV-Nr. ‹1237-010180›"],
            passes: &["SVNR 1238 010180", "SVNR 1237 011380", "1237 010180", "SVNR 1237 010181"],
        },
        forms: &["?dddd_dddddd", "?dddddddddd", "?dddd dd dd dd", "?dddd/dddddd"],
        valid: |number| {
            // Months 13 to 15 stand for unknown days.
            let born = is_ddmmyy(&number[4..]) || (13..=15).contains(&decimal(&number[6..8]));
            let sum = weighted(number, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]);
            number[0] != b'0' && born && sum % 11 == value(number[3])
        },
    },
    Row {
        rule: Rule {
            id: "ch.ahv",
            version: 1,
            kind: Kind::ChAhv,
            country: "CH",
            score: 0.95,
            check: "begins with 756; EAN-13",
            context: &["ahv*", "avs", "navs*", "oasi", "sozialversicherung*", "numero avs"],
            source: "ZAS, AHV number (NAVS13)",
            finds: &["AHV ‹756.1234.5678.97›", "‹7569217076985›", "no AVS ‹756 1234 5678 97›"],
            passes: &["756.1234.5678.98", "755.1234.5678.97", "7561234567898", "1.756.1234.5678.97"],
        },
        forms: &["ddd_dddd_dddd_dd", "ddddddddddddd"],
        valid: |number| number.starts_with(b"756") && mod_10(number, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]),
    },
    Row {
        rule: Rule {
            id: "nl.bsn",
            version: 1,
            kind: Kind::NlBsn,
            country: "NL",
            score: 0.85,
            check: "eleven test",
            context: &[
                "bsn",
                "burgerservicenummer",
                "burger service nummer",
                "sofinummer",
                "sofi nummer",
                "citizen service number",
            ],
            source: "RvIG, Logisch Ontwerp BSN",
            finds: &["BSN: ‹111222333›", "burgerservicenummer ‹123456782›", "bsn ‹1234.56.782›"],
            passes: &["BSN: 111222334", "111222333", "BSN: 000000000", "invoice 123456782"],
        },
        forms: &["!ddddddddd", "!ddd_ddd_ddd", "!dddd.dd.ddd", "!dddd dd ddd"],
        valid: |number| {
            // The last digit counts minus one.
            let sum = weighted(number, &[9, 8, 7, 6, 5, 4, 3, 2, 10]);
            sum.is_multiple_of(11) && mixed(number)
        },
    },
    Row {
        rule: Rule {
            id: "be.national_number",
            version: 1,
            kind: Kind::BeNationalNumber,
            country: "BE",
            score: 0.92,
            check: "day of birth; 97 minus the rest modulo 97, with 2 before it from 2000 on",
            context: &[
                "rijksregister*",
                "registre national",
                "numero national",
                "nationaal nummer",
                "nationalregister*",
                "rrn",
                "niss",
                "insz",
                "numero de registre national",
                "national register*",
                "bis nummer",
            ],
            source: "Royal decree of 3 April 1984; RRN instructions",
            finds: &["‹85.07.30-033.28›", "rijksregisternummer ‹85073003328›", "NISS: ‹17 07 30 033 84›"],
            passes: &["85.07.30-033.29", "85.13.30-033.28", "85073003328", "rijksregisternummer 85073003329"],
        },
        forms: &[
            "dd.dd.dd-ddd.dd",
            "dd.dd.dd-ddd-dd",
            "?ddddddddddd",
            "?dd_dd_dd_ddd_dd",
            "?dddddd-ddd-dd",
            "?dddddd ddd dd",
        ],
        valid: rijksregister,
    },
    Row {
        rule: Rule {
            id: "fr.nir",
            version: 1,
            kind: Kind::FrNir,
            country: "FR",
            score: 0.95,
            check: "sex, month, department; key 97 minus the rest modulo 97, Corsica as 19 and 18",
            context: &[
                "securite sociale",
                "nir",
                "numero de secu",
                "num secu",
                "carte vitale",
                "insee",
                "secu",
                "no ss",
                "social security",
            ],
            source: "INSEE, definition of the NIR; decree 82-103",
            finds: &[
                "‹2 55 08 14 168 025 38›",
                "numéro de sécurité sociale : ‹255081416802538›",
                "‹253072B07300470›",
                "née, NIR ‹2 53 07 2B 073 004 70›",
                "sécu ‹2 55 08 14 168 025›",
            ],
            passes: &[
                "2 55 08 14 168 025 39",
                "255081416802539",
                "253072A07300470",
                "955081416802538",
                "255131416802538",
                "2 55 08 14 168 025",
            ],
        },
        forms: &[
            "d dd dd dn ddd ddd dd",
            "d-dd-dd-dn-ddd-ddd-dd",
            "d.dd.dd.dn.ddd.ddd.dd",
            "d dd dd dn ddd ddd-dd",
            "d dd dd dn dddddd dd",
            "ddddddndddddddd",
            "ddddddndddddd dd",
            "ddddddndddddd-dd",
            "!d dd dd dn ddd ddd",
            "!ddddddndddddd",
        ],
        valid: nir,
    },
    Row {
        rule: Rule {
            id: "ie.pps",
            version: 1,
            kind: Kind::IePps,
            country: "IE",
            score: 0.85,
            check: "modulus 23 gives the letter",
            context: &["pps*", "personal public service*", "uimhir psp", "rsi"],
            source: "Department of Social Protection, PPS number check character",
            finds: &["PPS number ‹1234567T›", "PPSN: ‹1234567FA›", "pps ‹1234567TW›"],
            passes: &["PPS number 1234567A", "1234567T", "PPS 1234567FB", "PPSN 1234568T"],
        },
        forms: &["!ddddddda", "!dddddddaa", "!ddddddd a", "!ddddddd aa", "!ddddddd-a"],
        valid: |number| {
            let second = number.get(8).filter(|letter| **letter != b'W').map_or(0, |letter| value(*letter) - 9);
            let sum = weighted(number, &[8, 7, 6, 5, 4, 3, 2]) + 9 * second;
            number[7] == b"WABCDEFGHIJKLMNOPQRSTUV"[sum as usize % 23]
        },
    },
];

fn steuer_id(number: &[u8]) -> bool {
    let count = |digit: u8| number[..10].iter().filter(|byte| **byte == digit).count();
    let most = (b'0'..=b'9').map(count).max().unwrap_or(0);
    let repeated = (b'0'..=b'9').filter(|digit| count(*digit) > 1).count();
    number[0] != b'0' && (2..=3).contains(&most) && repeated == 1 && mod_11_10(number)
}

/// The letter stands for its place in the alphabet, two digits.
fn with_letter_number(head: &[u8], letter: u8, tail: &[u8]) -> Vec<u8> {
    let place = (value(letter) - 9) as u8;
    [head, &[b'0' + place / 10, b'0' + place % 10], tail].concat()
}

fn rvnr(number: &[u8]) -> bool {
    let digits = with_letter_number(&number[..8], number[8], &number[9..11]);
    // 50 more in the day: the numbers of a day had run out.
    let born = is_month_day(decimal(&number[4..6]), decimal(&number[2..4]) % 50);
    let sum = weighted_digit_sums(&digits, &[2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]);
    (2..=89).contains(&decimal(&number[..2])) && born && sum % 10 == value(number[11])
}

fn kvnr(number: &[u8]) -> bool {
    let digits = with_letter_number(&[], number[0], &number[1..9]);
    mixed(&number[1..]) && weighted_digit_sums(&digits, &[1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10 == value(number[9])
}

/// With the check digit, or the nine characters alone.
fn id_card(number: &[u8]) -> bool {
    let serial = &number[..9];
    let letters = serial.iter().filter(|byte| byte.is_ascii_uppercase());
    b"LMNPRTVWXY".contains(&serial[0])
        && letters.clone().all(|letter| b"CFGHJKLMNPRTVWXYZ".contains(letter))
        && letters.count() < 7
        && (number.len() == 9 || icao_731(number))
}

fn rijksregister(number: &[u8]) -> bool {
    let (head, check) = (decimal(&number[..9]), decimal(&number[9..]));
    // 20 or 40 more in the month: bis numbers; 00: day or month unknown.
    let (month, day) = (decimal(&number[2..4]) % 20, decimal(&number[4..6]));
    let born = is_month_day(month, day) || (month <= 12 && day == 0);
    born && decimal(&number[2..4]) < 60 && [head, 2_000_000_000 + head].iter().any(|head| 97 - head % 97 == check)
}

fn nir(number: &[u8]) -> bool {
    let corsica = match number[6] {
        b'A' => 19,
        b'B' => 18,
        _ => 0,
    };
    let department = if corsica > 0 { 20 } else { decimal(&number[5..7]) };
    let plain = if corsica > 0 {
        number[5] == b'2' && is_digits(&number[..5]) && is_digits(&number[7..])
    } else {
        is_digits(number) && !is_letters(&number[6..7])
    };
    // 20 to 42 and 50 to 99: the month was not known.
    let month = matches!(decimal(&number[3..5]), 1..=12 | 20..=42 | 50..=99);
    if !plain || !matches!(number[0], b'1'..=b'4' | b'7' | b'8') || !month || department == 0 {
        return false;
    }
    let place = if corsica > 0 { corsica } else { department };
    let head = (decimal(&number[..5]) * 100 + place) * 1_000_000 + decimal(&number[7..13]);
    number.len() == 13 || 97 - head % 97 == decimal(&number[13..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_off_is_refused() {
        use super::super::tests::refuses_single_changes;
        let row = |id: &str| ROWS.iter().find(|row| row.rule.id == id).unwrap().valid;
        refuses_single_changes(row("de.tax_id"), &["86095742719", "47036892816", "36574261809"]);
        refuses_single_changes(row("de.id_card"), &["L01X00T471", "T220001293"]);
        refuses_single_changes(row("ch.ahv"), &["7569217076985", "7561234567897"]);
        refuses_single_changes(row("nl.bsn"), &["111222333", "123456782"]);
        refuses_single_changes(row("be.national_number"), &["85073003328", "17073003384", "93051822361"]);
        refuses_single_changes(row("fr.nir"), &["255081416802538", "295109912611193", "253072B07300470"]);
        refuses_single_changes(row("ie.pps"), &["1234567T", "1234567FA", "6433435F"]);
        refuses_single_changes(row("at.social_security"), &["1237010180"]);
    }
}
