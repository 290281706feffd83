//! Numbers of the United States (SSN: `finance`; passport: `travel`).
//!
//! Not here: the engine (`super`).
//!
//! Always: see `super`.

use super::check::{decimal, is_digits, is_letters, luhn, mixed, value};
use super::{Kind, Row, Rule};

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule {
            id: "us.itin",
            version: 1,
            kind: Kind::UsItin,
            country: "US",
            score: 0.9,
            check: "begins with 9; group 50-65, 70-88, 90-92 or 94-99",
            context: &["itin", "taxpayer*", "tax id*", "individual taxpayer*"],
            source: "IRS Publication 1915",
            finds: &["my ITIN is ‹912-70-1234›", "\"itin\": \"‹912901234›\"", "ITIN ‹999 88 1234›"],
            passes: &["912-69-1234", "912-89-1234", "912-93-1234", "812-70-1234", "order 912701234", "912-70-12345"],
        },
        forms: &["ddd-dd-dddd", "?ddd dd dddd", "!ddddddddd"],
        valid: itin,
    },
    Row {
        rule: Rule {
            id: "us.npi",
            version: 1,
            kind: Kind::UsNpi,
            country: "US",
            score: 0.85,
            check: "first digit 1 or 2; Luhn with 80840 before it",
            context: &["npi", "national provider*", "provider id*", "provider number"],
            source: "45 CFR 162.406, CMS NPI check digit",
            finds: &["NPI: ‹1234567893›", "national provider identifier ‹1245319599›"],
            passes: &["NPI: 1234567892", "NPI: 3234567893", "1234567893", "call 1234567893 now"],
        },
        forms: &["!dddddddddd"],
        valid: npi,
    },
    Row {
        rule: Rule {
            id: "us.dea",
            version: 1,
            kind: Kind::UsDea,
            country: "US",
            score: 0.85,
            check: "kind of registrant; sum of odd places and twice the even ones ends in the last digit",
            context: &["dea", "drug enforcement*", "prescriber*"],
            source: "21 CFR 1301.13; DEA Diversion Control",
            finds: &["DEA number ‹AB1234563›", "\"dea_no\":\"‹BB1388568›\""],
            passes: &["DEA number AB1234564", "DEA number IB1234563", "AB1234563", "dear AB1234563"],
        },
        forms: &["!aaddddddd", "!adddddddd", "!aa-ddddddd"],
        valid: dea,
    },
    Row {
        rule: Rule {
            id: "us.mbi",
            version: 1,
            kind: Kind::UsMbi,
            country: "US",
            score: 0.9,
            check: "letter or digit as its place asks for; none of S L O I B Z",
            context: &["mbi", "medicare*", "beneficiary*"],
            source: "CMS, Understanding the MBI format",
            finds: &["‹1EG4-TE5-MK73›", "Medicare: ‹1EG4TE5MK73›", "(MBI) ‹1eg4-te5-mk72›"],
            passes: &["1EG4TE5MK73", "0EG4-TE5-MK73", "1SG4-TE5-MK73", "1EG4-TE5-MKA3", "1EG4-TE5-MK73-00"],
        },
        forms: &["nnnn-nnn-nnnn", "!nnnnnnnnnnn", "!nnnn nnn nnnn"],
        valid: mbi,
    },
    Row {
        rule: Rule {
            id: "us.driver_license",
            version: 1,
            kind: Kind::UsDriverLicense,
            country: "US",
            score: 0.8,
            check: "label; a shape that a state issues",
            context: &[
                "driver license*",
                "drivers license*",
                "driver licence*",
                "drivers licence*",
                "driving license*",
                "operator license*",
                "operators license*",
                "driverslicense*",
                "driverlicense*",
                "license no",
                "license number",
                "dl",
                "dln",
                "dl no",
                "cdl",
                "dmv",
            ],
            source: "AAMVA DL/ID card design standard; state formats",
            finds: &[
                "my driver's license is ‹D1234567›",
                "Florida driver license ‹F255-921-50-094-0›",
                "DL# ‹123456789›",
                "drivers_license: ‹D12345678901234›",
                "New Jersey driver's license ‹D1234 56789 01234›",
            ],
            passes: &[
                "D1234567",
                "driver version 12345678",
                "driver's license since 2019",
                "his license plate ABC 123",
            ],
        },
        forms: &[
            "!ddddddd",
            "!dddddddd",
            "!ddddddddd",
            "!dddddddddd",
            "!dddddddddddd",
            "!adddddd",
            "!addddddd",
            "!adddddddd",
            "!addddddddd",
            "!addddddddddd",
            "!adddddddddddd",
            "!addddddddddddd",
            "!adddddddddddddd",
            "!aaddddddd",
            "!aadddddd",
            "!aaadddddd",
            "!ddaaadddd",
            "!aaaaaaadddaa",
            "!aaaaaaddnnnn",
            "!addd-dddd-dddd",
            "!addd-dddd-dddd-dd",
            "!addd-ddd-dd-ddd-d",
            "!addd ddd ddd ddd",
            "!a-ddd-ddd-ddd-ddd",
            "!adddd ddddd ddddd",
            "!adddd-ddddd-ddddd",
            "!ddd-dd-dddd",
            "!ddd ddd ddd",
            "!dd-ddd-dddd",
            "!dd-dd-dddd",
            "!add-dd-dddd",
        ],
        valid: licence,
    },
];

fn itin(number: &[u8]) -> bool {
    let group = decimal(&number[3..5]);
    number[0] == b'9' && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99) && &number[5..] != b"0000"
}

fn npi(number: &[u8]) -> bool {
    matches!(number[0], b'1' | b'2') && luhn(&[b"80840", number].concat())
}

fn dea(number: &[u8]) -> bool {
    let digit = |place: usize| value(number[place]);
    let registrant = b"ABCDEFGHJKLMPRSTUX".contains(&number[0]) && (is_letters(&number[1..2]) || number[1] == b'9');
    let sum = digit(2) + digit(4) + digit(6) + 2 * (digit(3) + digit(5) + digit(7));
    registrant && is_digits(&number[2..]) && sum % 10 == digit(8) && mixed(&number[2..])
}

fn mbi(number: &[u8]) -> bool {
    // Characters 1 to 11: digit, letter, either, digit and so on.
    let fits = |(byte, class): (&u8, &u8)| match class {
        b'd' => byte.is_ascii_digit(),
        b'a' => byte.is_ascii_uppercase() && !b"SLOIBZ".contains(byte),
        _ => !b"SLOIBZ".contains(byte),
    };
    number[0] != b'0' && number.iter().zip(b"dandandaadd").all(fits)
}

fn licence(number: &[u8]) -> bool {
    mixed(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_off_is_refused() {
        super::super::tests::refuses_single_changes(npi, &["1234567893", "1245319599"]);
        // Doubled places do not see a change by 5.
        assert!(dea(b"AB1234563") && dea(b"BB1388568") && !dea(b"AB1234564") && !dea(b"AB1334563"));
    }
}
