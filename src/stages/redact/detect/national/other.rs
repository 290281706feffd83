//! Numbers of South Africa, Nigeria, Turkey and Israel; driving licences of the rest of the world.
//!
//! Not here: the engine (`super`).
//!
//! Always: see `super`.

use super::check::{is_yymmdd, luhn, mixed, value};
use super::{Kind, Row, Rule};

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule {
            id: "za.id",
            version: 1,
            kind: Kind::ZaId,
            country: "ZA",
            score: 0.88,
            check: "day of birth; citizen, resident or refugee; Luhn",
            context: &[
                "south african id*",
                "rsa id*",
                "sa id*",
                "id number",
                "id no",
                "identity number",
                "id nommer",
                "said",
            ],
            source: "Department of Home Affairs; Identification Act 68 of 1997",
            finds: &["ID number: ‹8001015009087›", "SA ID ‹800101 5009 08 7›", "identity number ‹7503305044089›"],
            passes: &["ID number: 8001015009088", "8001015009087", "1712050000000", "ID number: 8013015009087"],
        },
        forms: &["?ddddddddddddd", "?dddddd dddd ddd", "?dddddd dddd dd d", "?dddddd dddd d d d"],
        valid: |number| is_yymmdd(number) && matches!(number[10], b'0'..=b'2') && mixed(&number[6..]) && luhn(number),
    },
    Row {
        rule: Rule {
            id: "ng.nin",
            version: 1,
            kind: Kind::NgNin,
            country: "NG",
            score: 0.8,
            check: "label; eleven digits (no checksum is published)",
            context: &["nin", "nimc", "nin number", "nin no"],
            source: "NIMC Act 2007",
            finds: &["NIN: ‹12345678901›", "my NIN is ‹1234 567 8901›"],
            passes: &["12345678901", "NIN: 11111111111", "nine 12345678901", "NIN 08031234567"],
        },
        forms: &["!ddddddddddd", "!dddd ddd dddd"],
        // A mobile number begins with 0.
        valid: |number| number[0] != b'0' && mixed(number),
    },
    Row {
        rule: Rule {
            id: "tr.tckn",
            version: 1,
            kind: Kind::TrTckn,
            country: "TR",
            score: 0.88,
            check: "two check digits over odd and even places",
            context: &["tckn", "tc kimlik*", "kimlik no*", "kimlik numarasi", "tc no", "t c kimlik*", "vatandaslik no"],
            source: "NVI, T.C. kimlik numarasi",
            finds: &["TC Kimlik No: ‹10000000146›", "T.C. kimlik numarası ‹17291716060›", "\"tckn\": ‹17291716060›"],
            passes: &["TCKN 10000000147", "10000000146", "TCKN 00000000146"],
        },
        forms: &["?ddddddddddd", "?ddd ddd ddd dd"],
        valid: |number| {
            let sum = |from: usize| number[from..9].iter().step_by(2).map(|digit| value(*digit)).sum::<u32>();
            let all: u32 = number[..10].iter().map(|digit| value(*digit)).sum();
            // 9 is -1: no subtraction below zero.
            number[0] != b'0'
                && (sum(0) * 7 + sum(1) * 9) % 10 == value(number[9])
                && all % 10 == value(number[10])
                && mixed(&number[..9])
        },
    },
    Row {
        rule: Rule {
            id: "il.id",
            version: 1,
            kind: Kind::IlId,
            country: "IL",
            score: 0.85,
            check: "Luhn over nine digits",
            context: &["teudat zehut", "israeli id*", "תעודת זהות", "מספר זהות", "תז", "mispar zehut", "ת ז"],
            source: "Population Registry (IL)",
            finds: &["teudat zehut ‹123456782›", "ת.ז. ‹123456782›", "תעודת זהות: ‹039337423›"],
            passes: &["teudat zehut 123456783", "123456782"],
        },
        forms: &["!ddddddddd", "!dddddddd-d"],
        valid: |number| mixed(number) && luhn(number),
    },
    Row {
        rule: Rule {
            id: "driver_license.labelled",
            version: 1,
            kind: Kind::DriverLicense,
            country: "",
            score: 0.8,
            check: "label; at least four digits",
            context: &[
                "fuhrerschein*",
                "permis de conduire",
                "patente di guida",
                "patente",
                "carnet de conducir",
                "permiso de conducir",
                "licencia de conducir",
                "licencia de conduccion",
                "rijbewijs*",
                "carta de conducao",
                "cnh",
                "korkort*",
                "prawo jazdy",
                "prawa jazdy",
                "driving licence*",
                "driving permit*",
                "運転免許",
                "驾驶证",
                "운전면허*",
                "ajokortti*",
            ],
            source: "Directive 2006/126/EC; national formats",
            finds: &[
                "Führerscheinnummer: ‹B072RRE2I55›",
                "permis de conduire n° ‹123456789012›",
                "patente di guida ‹U1A234567B›",
                "CNH ‹12345678900›",
            ],
            passes: &[
                "B072RRE2I55",
                "Führerschein seit 2019",
                "rijbewijs B sinds 12-05-2010",
                "permis de conduire depuis 10 ans",
            ],
        },
        forms: &[
            "!nnnnnnnn",
            "!nnnnnnnnn",
            "!nnnnnnnnnn",
            "!nnnnnnnnnnn",
            "!nnnnnnnnnnnn",
            "!nnnnnnnnnnnnn",
            "!nn-nn-nnnnnn-nn",
            "!ddddd/dd/dddd",
            "!nnnnnnnnnnnnnnnn",
        ],
        valid: |number| number.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4 && mixed(number),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_off_is_refused() {
        use super::super::tests::refuses_single_changes;
        refuses_single_changes(ROWS[0].valid, &["8001015009087", "7503305044089"]);
        refuses_single_changes(ROWS[2].valid, &["10000000146", "17291716060"]);
        refuses_single_changes(ROWS[3].valid, &["123456782"]);
    }
}
