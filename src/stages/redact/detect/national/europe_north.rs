//! Numbers of Finland, Sweden, Denmark and Norway.
//!
//! Not here: the engine (`super`); VAT numbers (`vat`).
//!
//! Always: see `super`.

use super::check::{decimal, is_ddmmyy, is_digits, is_month_day, is_yyyymmdd, luhn, weighted};
use super::{Kind, Row, Rule};

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule {
            id: "fi.hetu",
            version: 1,
            kind: Kind::FiHetu,
            country: "FI",
            score: 0.95,
            check: "day of birth, sign of the century, modulus 31 gives the last character",
            context: &["henkilotunnus*", "hetu", "personbeteckning", "sotu"],
            source: "DVV, personal identity code; decree 690/2022 for the new signs",
            finds: &["‹131052-308T›", "hetu ‹131052A308T›", "‹131052Y308T›", "‹131052+308T›", "HETU: ‹131052a308t›"],
            passes: &["131052-308U", "131352-308T", "131052-001T", "131052G308T", "a131052-308T", "2131052-308T"],
        },
        forms: &["dddddd-dddn", "ddddddadddn", "dddddd+dddn"],
        valid: hetu,
    },
    Row {
        rule: Rule {
            id: "se.personnummer",
            version: 1,
            kind: Kind::SePersonnummer,
            country: "SE",
            score: 0.85,
            check: "day of birth (60 more for coordination numbers); Luhn",
            context: &["personnummer", "person nr", "personnr", "samordningsnummer", "pnr", "personal identity number"],
            source: "Skatteverket SKV 704",
            finds: &[
                "‹19811228-9874›",
                "personnummer ‹811228-9874›",
                "personnr: ‹8112289874›",
                "Personnummer ‹198112289874›",
                "personnummer ‹811228+9874›",
            ],
            passes: &[
                "811228-9874",
                "personnummer 811228-9875",
                "19811228-9873",
                "personnummer 811328-9874",
                "198112289874",
            ],
        },
        forms: &["dddddddd-dddd", "?dddddd-dddd", "?dddddd+dddd", "?dddddddddddd", "?dddddddddd", "?dddddd dddd"],
        valid: personnummer,
    },
    Row {
        rule: Rule {
            id: "dk.cpr",
            version: 1,
            kind: Kind::DkCpr,
            country: "DK",
            score: 0.8,
            check: "day of birth; no checksum since 2007",
            context: &["cpr", "cprnummer", "personnummer", "cprnr", "personnr"],
            source: "CPR-kontoret, Personnummeret i CPR",
            finds: &["CPR: ‹211062-5629›", "cpr-nummer ‹2110625629›", "cpr ‹010107-1234›"],
            passes: &["211062-5629", "CPR: 211362-5629", "CPR: 321062-5629", "cprintf(2110625629"],
        },
        forms: &["!dddddd-dddd", "!dddddddddd", "!dddddd dddd"],
        valid: |number| is_ddmmyy(number) && &number[6..] != b"0000",
    },
    Row {
        rule: Rule {
            id: "no.fodselsnummer",
            version: 1,
            kind: Kind::NoFodselsnummer,
            country: "NO",
            score: 0.9,
            check: "day of birth (40 more for D numbers and H numbers); two check digits modulo 11",
            context: &[
                "fodselsnummer",
                "foedselsnummer",
                "fodselsnr",
                "fnr",
                "personnummer",
                "d nummer",
                "dnr",
                "national identity*",
            ],
            source: "Skatteetaten; forskrift om folkeregistrering section 2-2",
            finds: &["fødselsnummer ‹15108695088›", "fnr: ‹010107 50160›"],
            passes: &["fødselsnummer 15108695089", "15108695088", "fnr 15138695088"],
        },
        forms: &["?ddddddddddd", "?dddddd ddddd", "?dd dd dd ddddd", "?dddddd-ddddd"],
        valid: fodselsnummer,
    },
];

fn hetu(number: &[u8]) -> bool {
    // Packed forms keep the letter of the century, the others lose their sign with the separators.
    let (date, rest) = number.split_at(6);
    let rest = match rest {
        [century, rest @ ..] if rest.len() == 4 => {
            if !b"ABCDEFUVWXY".contains(century) {
                return false;
            }
            rest
        }
        rest => rest,
    };
    let all = decimal(date) * 1000 + decimal(&rest[..3]);
    is_ddmmyy(date) && decimal(&rest[..3]) > 1 && rest[3] == b"0123456789ABCDEFHJKLMNPRSTUVWXY"[(all % 31) as usize]
}

fn personnummer(number: &[u8]) -> bool {
    let short = &number[number.len() - 10..];
    let (month, day) = (decimal(&short[2..4]), decimal(&short[4..6]));
    let day_plain = if day > 60 { day - 60 } else { day };
    let century = number.len() == 10 || matches!(decimal(&number[..4]), 1890..=2099);
    is_digits(number)
        && century
        && is_month_day(month, day_plain)
        && &short[6..] != b"0000"
        && (number.len() == 10 || day > 60 || is_yyyymmdd(number) || number.starts_with(b"18"))
        && luhn(short)
}

fn fodselsnummer(number: &[u8]) -> bool {
    let (day, month) = (decimal(&number[..2]), decimal(&number[2..4]));
    // Test numbers of the tax office have 80 more in the month, H numbers 40.
    let born = is_month_day(month % 40, if day > 40 { day - 40 } else { day });
    born && weighted(number, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_off_is_refused() {
        use super::super::tests::refuses_single_changes;
        refuses_single_changes(hetu, &["131052308T", "131052A308T"]);
        refuses_single_changes(personnummer, &["8112289874", "8803200016"]);
        refuses_single_changes(fodselsnummer, &["15108695088", "01010750160"]);
    }
}
