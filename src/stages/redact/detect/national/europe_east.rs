//! Numbers of Poland, Czechia, Slovakia and Romania.
//!
//! Not here: the engine (`super`); VAT numbers (`vat`).
//!
//! Always: see `super`.

use super::check::{decimal, is_month_day, is_yymmdd, mod_10, value, weighted};
use super::{Kind, Row, Rule};

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule {
            id: "pl.pesel",
            version: 1,
            kind: Kind::PlPesel,
            country: "PL",
            score: 0.85,
            check: "day of birth, century in the month; modulus 10, weights 1 3 7 9",
            context: &["pesel*", "numer ewidencyjny"],
            source: "Act of 24 September 2010 on population registration, article 15",
            finds: &["PESEL: ‹44051401359›", "\"pesel\":\"‹02070803628›\"", "national id ‹44051401458›"],
            passes: &["PESEL: 44051401358", "44051401359", "PESEL 44551401359"],
        },
        forms: &["?ddddddddddd", "?dddddd ddddd"],
        valid: |number| {
            let month = decimal(&number[2..4]);
            month / 20 <= 4
                && is_month_day(month % 20, decimal(&number[4..6]))
                && mod_10(number, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3])
        },
    },
    Row {
        rule: Rule {
            id: "cz.birth_number",
            version: 1,
            kind: Kind::CzBirthNumber,
            country: "CZ",
            score: 0.88,
            check: "day of birth, 50 more for women; divisible by 11 since 1954",
            context: &["rodne cislo", "rodneho cisla", "rod cislo", "rc", "r c", "birth number"],
            source: "Act 133/2000 Coll. (CZ), Act 301/1995 Z.z. (SK)",
            finds: &["‹710319/2745›", "rodné číslo ‹7801233540›", "rodné číslo ‹451231/123›"],
            passes: &["710319/2746", "711319/2745", "7801233540", "2024/710319/2745", "451231/123"],
        },
        forms: &["dddddd/dddd", "?dddddddddd", "!dddddd/ddd", "?dddddd dddd"],
        valid: |number| {
            let month = match decimal(&number[2..4]) {
                // 20 more where the numbers of a day had run out (since 2004).
                month @ 71..=82 => month - 70,
                month @ 51..=62 => month - 50,
                month @ 21..=32 => month - 20,
                month => month,
            };
            let born = is_month_day(month, decimal(&number[4..6]));
            // Up to 1985 a rest of 10 was written as 0.
            let tenth = number.len() == 10 && {
                let rest = decimal(&number[..9]) % 11;
                decimal(number).is_multiple_of(11) || (rest == 10 && number[9] == b'0' && decimal(&number[..2]) < 86)
            };
            born && (tenth || (number.len() == 9 && decimal(&number[..2]) < 54 && &number[6..] != b"000"))
        },
    },
    Row {
        rule: Rule {
            id: "ro.cnp",
            version: 1,
            kind: Kind::RoCnp,
            country: "RO",
            score: 0.88,
            check: "sex, day of birth, county; modulus 11, weights 279146358279",
            context: &["cnp", "cod numeric personal", "codul numeric*"],
            source: "Law 105/1996; Government ordinance 97/2005",
            finds: &["CNP ‹1630615123457›", "cod numeric personal: ‹1800101221144›"],
            passes: &["CNP 1630615123458", "1630615123457", "1719830400000", "CNP 1631315123457"],
        },
        forms: &["?ddddddddddddd", "?d dddddd dddddd", "?d dd dd dd dd dddd"],
        valid: |number| {
            let county = decimal(&number[7..9]);
            let rest = weighted(number, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
            number[0] != b'0'
                && is_yymmdd(&number[1..])
                && matches!(county, 1..=48 | 51 | 52 | 70)
                && value(number[12]) == if rest == 10 { 1 } else { rest }
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_off_is_refused() {
        use super::super::tests::refuses_single_changes;
        refuses_single_changes(ROWS[0].valid, &["44051401359", "44051401458", "02070803628"]);
        refuses_single_changes(ROWS[1].valid, &["7103192745"]);
        refuses_single_changes(ROWS[2].valid, &["1630615123457"]);
    }
}
