//! Numbers of Australia.
//!
//! Not here: the engine (`super`).
//!
//! Always: see `super`.

use super::check::{mixed, mod_10, value, weighted};
use super::{Kind, Row, Rule};

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule {
            id: "au.tfn",
            version: 1,
            kind: Kind::AuTfn,
            country: "AU",
            score: 0.85,
            check: "weights 1 4 3 7 5 8 6 9 10, divisible by 11",
            context: &["tfn", "tax file*"],
            source: "ATO, TFN algorithm",
            finds: &["TFN ‹123 456 782›", "tax file number: ‹876543210›", "tfn=‹123-456-782›"],
            passes: &["TFN 123 456 783", "123 456 782", "tfn 000000000"],
        },
        forms: &["!ddd_ddd_ddd", "!ddddddddd"],
        valid: |number| mixed(number) && weighted(number, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11),
    },
    Row {
        rule: Rule {
            id: "au.abn",
            version: 1,
            kind: Kind::AuAbn,
            country: "AU",
            score: 0.88,
            check: "one less in the first digit; weights 10 1 3 to 19, divisible by 89",
            context: &["abn", "australian business*", "business number"],
            source: "Australian Business Register, format of the ABN",
            finds: &["ABN ‹51 824 753 556›", "abn: ‹83914571673›"],
            passes: &["ABN 51 824 753 557", "51 824 753 556", "ABN 01 824 753 556"],
        },
        forms: &["!dd ddd ddd ddd", "!ddddddddddd", "!dd-ddd-ddd-ddd"],
        valid: |number| {
            let sum = weighted(number, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
            number[0] != b'0' && (sum - 10).is_multiple_of(89)
        },
    },
    Row {
        rule: Rule {
            id: "au.acn",
            version: 1,
            kind: Kind::AuAcn,
            country: "AU",
            score: 0.85,
            check: "modulus 10, weights 8 to 1",
            context: &["acn", "australian company*", "company number"],
            source: "ASIC, ACN check digit",
            finds: &["ACN ‹004 085 616›", "acn: ‹000000019›"],
            passes: &["ACN 004 085 617", "004 085 616"],
        },
        forms: &["!ddd_ddd_ddd", "!ddddddddd"],
        valid: |number| mixed(number) && mod_10(number, &[8, 7, 6, 5, 4, 3, 2, 1]),
    },
    Row {
        rule: Rule {
            id: "au.medicare",
            version: 1,
            kind: Kind::AuMedicare,
            country: "AU",
            score: 0.85,
            check: "first digit 2 to 6; modulus 10 in the ninth digit; issue not 0",
            context: &["medicare*"],
            source: "Services Australia, Medicare card number",
            finds: &["Medicare ‹2123 45670 1›", "medicare card no: ‹2123456701›", "Medicare ‹2123 45670 1/1›"],
            passes: &["Medicare 2123 45671 1", "2123 45670 1", "Medicare 7123 45670 1", "Medicare 2123 45670 0"],
        },
        forms: &["!dddd_ddddd_d", "!dddddddddd", "!dddd ddddd d/d", "!dddd ddddd d d", "!ddddddddddd"],
        valid: |number| {
            let check = weighted(&number[..8], &[1, 3, 7, 9, 1, 3, 7, 9]) % 10;
            matches!(number[0], b'2'..=b'6') && number[9] != b'0' && check == value(number[8])
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_off_is_refused() {
        use super::super::tests::refuses_single_changes;
        refuses_single_changes(ROWS[0].valid, &["123456782", "876543210"]);
        refuses_single_changes(ROWS[1].valid, &["51824753556", "83914571673"]);
        assert!((ROWS[2].valid)(b"004085616") && !(ROWS[2].valid)(b"004085617"));
        assert!((ROWS[3].valid)(b"2123456701") && !(ROWS[3].valid)(b"2123456711"));
        // The rest itself is the digit: 128 gives 8, not 2.
        assert!((ROWS[3].valid)(b"2950123481") && !(ROWS[3].valid)(b"2950123421"));
    }
}
