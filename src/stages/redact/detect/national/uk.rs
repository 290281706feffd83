//! Numbers of the United Kingdom.
//!
//! Not here: the engine (`super`); passports.
//!
//! Always: see `super`.

use super::check::{decimal, is_letters, is_month_day, mixed, mod_11, value, weighted};
use super::{Kind, Row, Rule};

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule {
            id: "uk.nhs",
            version: 1,
            kind: Kind::UkNhs,
            country: "GB",
            score: 0.85,
            check: "modulus 11, weights 10 to 2",
            context: &["nhs*", "national health*", "health and care number", "chi"],
            source: "NHS Data Dictionary, NHS number",
            finds: &["NHS number ‹943 476 5919›", "\"nhs_number\": \"‹9434765919›\"", "nhs no: ‹943-476-5919›"],
            passes: &["NHS number 943 476 5918", "943 476 5919", "9434765919", "NHS hotline 020 7946 0018"],
        },
        forms: &["!ddd_ddd_dddd", "!dddddddddd"],
        valid: |number| mixed(number) && mod_11(number, &[10, 9, 8, 7, 6, 5, 4, 3, 2]),
    },
    Row {
        rule: Rule {
            id: "uk.nino",
            version: 1,
            kind: Kind::UkNino,
            country: "GB",
            score: 0.9,
            check: "prefix that is allocated; suffix A to D",
            context: &["nino", "ni", "ni number", "ni no", "national insurance*"],
            source: "HMRC NIM39110",
            finds: &["‹AB123456C›", "NI number ‹ab 12 34 56 c›", "insured as ‹JG 10 37 59 A›.", "NINO: ‹QQ123456›"],
            passes: &[
                "DA123456C",
                "AO123456C",
                "BG123456C",
                "ZZ123456A",
                "AB123456E",
                "AB1234567C",
                "sku-AB123456C",
                "QQ123456C",
                "ab 12 34 56 c",
                "call AB123456",
            ],
        },
        forms: &[
            "aadddddda",
            "aa dddddd a",
            "aa dd dd dd a",
            "aa-dd-dd-dd-a",
            "aa.dd.dd.dd.a",
            "!aadddddd",
            "!aa dd dd dd",
        ],
        valid: nino,
    },
    Row {
        rule: Rule {
            id: "uk.utr",
            version: 1,
            kind: Kind::UkUtr,
            country: "GB",
            score: 0.85,
            check: "modulus 11 over the last nine digits gives the first",
            context: &["utr", "unique taxpayer*", "self assessment", "hmrc"],
            source: "HMRC, modulus 11 check of references",
            finds: &["UTR ‹1955839661›", "unique taxpayer reference: ‹19558 39661›"],
            passes: &["UTR 2955839661", "1955839661", "UTR 1955839662"],
        },
        forms: &["!dddddddddd", "!ddddd ddddd", "!ddd ddd dddd"],
        valid: |number| {
            let sum = weighted(&number[1..], &[6, 7, 8, 9, 10, 5, 4, 3, 2]);
            number[0] == b"21987654321"[sum as usize % 11] && mixed(number)
        },
    },
    Row {
        rule: Rule {
            id: "uk.driver_license",
            version: 1,
            kind: Kind::UkDriverLicense,
            country: "GB",
            score: 0.92,
            check: "surname filled up with 9; a day of birth; initials",
            context: &[
                "driving licence*",
                "driver licence*",
                "drivers licence*",
                "dvla",
                "licence number",
                "driver number",
            ],
            source: "DVLA INF45P, driver number",
            finds: &["licence ‹MORGA657054SM9IJ›", "DVLA no ‹FOX99857123A99AB›", "driver number: ‹MORGA 657054 SM9IJ›"],
            passes: &["MORGA674054SM9IJ", "MORGA657394SM9IJ", "M9RGA657054SM9IJ", "MORGA657054SM9IJK"],
        },
        forms: &["nnnnnddddddnnnnn", "nnnnn dddddd nnnnn", "nnnnn-dddddd-nnnnn"],
        valid: driver,
    },
];

/// HMRC allocates no prefix with D F I Q U V, no second O, and not these pairs. QQ stands in
/// forms and examples: it is taken for one only without its suffix, i.e. with a label.
fn nino(number: &[u8]) -> bool {
    let pair = &number[..2];
    let allocated = !pair.iter().any(|letter| b"DFIQUV".contains(letter))
        && pair[1] != b'O'
        && ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].iter().any(|not| *not == pair);
    match number.get(8) {
        Some(suffix) => allocated && (b'A'..=b'D').contains(suffix),
        None => allocated || pair == b"QQ",
    }
}

fn driver(number: &[u8]) -> bool {
    let surname = number[..5].iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let filled = surname > 0 && number[surname..5].iter().all(|byte| *byte == b'9');
    // Women: 50 more in the month.
    let month = decimal(&number[6..8]) % 50;
    let initials = number[11].is_ascii_uppercase() && (number[12].is_ascii_uppercase() || number[12] == b'9');
    let born = decimal(&number[6..8]) < 63 && is_month_day(month, decimal(&number[8..10]));
    filled && born && initials && value(number[13]) < 10 && is_letters(&number[14..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_off_is_refused() {
        super::super::tests::refuses_single_changes(ROWS[0].valid, &["9434765919", "4505577104"]);
    }
}
