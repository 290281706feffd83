//! Numbers of Spain, Italy, Portugal and Greece.
//!
//! Not here: the engine (`super`); VAT numbers (`vat`).
//!
//! Always: see `super`.

use super::check::{decimal, is_ddmmyy, is_digits, is_letters, luhn, mixed, mod_11_or_zero, value};
use super::{Kind, Row, Rule};

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule {
            id: "es.nif",
            version: 1,
            kind: Kind::EsNif,
            country: "ES",
            score: 0.8,
            check: "modulus 23 gives the letter",
            context: &["dni", "nif", "documento nacional*", "identificacion fiscal", "documento de identidad", "d n i"],
            source: "Real Decreto 338/1990; Interior ministry, NIF letter",
            finds: &["DNI ‹12345678Z›", "‹12345678-Z›", "con DNI ‹12.345.678-Z›", "\"nif\": \"‹12345678z›\""],
            passes: &["12345678A", "DNI 12345679Z", "x12345678Z", "12345678Z9", "12345678z"],
        },
        forms: &["dddddddda", "dddddddd-a", "dd.ddd.ddd-a", "dd.ddd.ddd a", "?dddddddd a", "?dd.ddd.ddda"],
        valid: |number| is_digits(&number[..8]) && mixed(&number[..8]) && letter_23(decimal(&number[..8])) == number[8],
    },
    Row {
        rule: Rule {
            id: "es.nie",
            version: 1,
            kind: Kind::EsNie,
            country: "ES",
            score: 0.88,
            check: "X, Y or Z as 0, 1, 2; modulus 23 gives the letter",
            context: &["nie", "extranjero*", "nif"],
            source: "Orden INT/2058/2008",
            finds: &["NIE ‹X1234567L›", "‹Y-1234567-X›", "‹Z1234567R›"],
            passes: &["X1234567M", "W1234567L", "X1234568L", "x1234567l"],
        },
        forms: &["addddddda", "a-ddddddd-a", "?a ddddddd a", "?addddddd-a", "?addddddd a", "a-ddddddda"],
        valid: |number| {
            let series = match number[0] {
                b'X' => 0,
                b'Y' => 1,
                b'Z' => 2,
                _ => return false,
            };
            letter_23(series * 10_000_000 + decimal(&number[1..8])) == number[8]
        },
    },
    Row {
        rule: Rule {
            id: "it.fiscal_code",
            version: 1,
            kind: Kind::ItFiscalCode,
            country: "IT",
            score: 0.96,
            check: "day of birth; sum over odd and even places gives the last letter",
            context: &["codice fiscale", "cod fiscale", "cod fisc", "cf", "tessera sanitaria", "fiscal code"],
            source: "Decreto ministeriale of 23 December 1976",
            finds: &[
                "‹RSSMRA85T10A562S›",
                "C.F.: ‹MRTMTT25D09F205Z›",
                "codice fiscale ‹rccmnl83s18d969h›",
                "CF ‹RCC MNL 83S18 D969H›",
            ],
            passes: &["RSSMRA85T10A562T", "RSSMRA85T11A562S", "RSSMRA85Z10A562S", "XRSSMRA85T10A562S"],
        },
        forms: &["aaaaaannannannna", "aaa aaa nnann annna", "aaa-aaa-nnann-annna", "aaa aaa nnann annn a"],
        valid: codice_fiscale,
    },
    Row {
        rule: Rule {
            id: "pt.nif",
            version: 1,
            kind: Kind::PtNif,
            country: "PT",
            score: 0.85,
            check: "first digits of a kind of taxpayer; modulus 11, weights 9 to 2",
            context: &["nif", "nipc", "contribuinte", "identificacao fiscal", "numero fiscal", "no contribuinte"],
            source: "Decreto-Lei 14/2013; Portaria of the NIF",
            finds: &["NIF: ‹123456789›", "nº de contribuinte ‹501 964 843›"],
            passes: &["NIF: 123456780", "123456789", "NIF 401964843"],
        },
        forms: &["!ddddddddd", "!ddd_ddd_ddd"],
        valid: |number| !matches!(number[0], b'0' | b'4') && mod_11_or_zero(number, &[9, 8, 7, 6, 5, 4, 3, 2]),
    },
    Row {
        rule: Rule {
            id: "gr.amka",
            version: 1,
            kind: Kind::GrAmka,
            country: "GR",
            score: 0.85,
            check: "day of birth; Luhn",
            context: &["amka", "αμκα", "α.μ.κ.α", "social security"],
            source: "IDIKA, AMKA",
            finds: &["AMKA ‹01013099997›", "ΑΜΚΑ: ‹01013099997›"],
            passes: &["AMKA 01013099998", "01013099997", "AMKA 01133099997"],
        },
        forms: &["?ddddddddddd", "?dddddd ddddd", "?dddddd-ddddd"],
        valid: |number| is_ddmmyy(number) && luhn(number),
    },
];

fn letter_23(number: u64) -> u8 {
    b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize]
}

/// Digits may be written as letters where two people would share a code.
fn codice_fiscale(number: &[u8]) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    const AS_LETTER: &[u8] = b"LMNPQRSTUV";
    let digit = |place: usize| match number[place] {
        digit @ b'0'..=b'9' => Some(u32::from(digit - b'0')),
        letter => AS_LETTER.iter().position(|known| *known == letter).map(|value| value as u32),
    };
    let digits = [6, 7, 9, 10, 12, 13, 14].into_iter().all(|place| digit(place).is_some());
    let day = digit(9).zip(digit(10)).map_or(0, |(tens, ones)| tens * 10 + ones);
    // Women: 40 more.
    let born = b"ABCDEHLMPRST".contains(&number[8]) && matches!(day, 1..=31 | 41..=71);
    let sum: u32 = number[..15]
        .iter()
        .enumerate()
        .map(|(place, byte)| {
            let place_value = if byte.is_ascii_digit() { value(*byte) } else { value(*byte) - 10 };
            if place % 2 == 0 { ODD[place_value as usize % 26] } else { place_value }
        })
        .sum();
    digits && born && is_letters(&number[..6]) && sum % 26 + 10 == value(number[15])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_off_is_refused() {
        use super::super::tests::refuses_single_changes;
        let row = |id: &str| ROWS.iter().find(|row| row.rule.id == id).unwrap().valid;
        refuses_single_changes(row("es.nif"), &["12345678Z", "00000023T"]);
        refuses_single_changes(row("es.nie"), &["X1234567L", "Y1234567X", "Z1234567R"]);
        refuses_single_changes(row("it.fiscal_code"), &["RSSMRA85T10A562S", "MRTMTT25D09F205Z", "RCCMNL83S18D969H"]);
        refuses_single_changes(row("gr.amka"), &["01013099997"]);
        // Remainders 10 and 11 share the digit 0, so a number that ends otherwise is safe.
        refuses_single_changes(row("pt.nif"), &["123456789", "501964843"]);
    }
}
