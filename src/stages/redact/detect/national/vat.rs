//! VAT numbers of the European Union and the United Kingdom, which are those of people where
//! people trade under their own name.
//!
//! Not here: the engine (`super`).
//!
//! Always: a number with its country's letters passes that country's check.

use super::check::{
    decimal, is_digits, is_letters, luhn, mixed, mod_10, mod_11, mod_11_10, mod_11_or_zero, value, weighted,
};
use super::{Kind, Row, Rule};

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule {
            id: "vat.eu",
            version: 1,
            kind: Kind::VatId,
            country: "",
            score: 0.9,
            check: "letters, length and check digits of the country",
            context: &[
                "vat*",
                "ust id*",
                "ustid*",
                "umsatzsteuer*",
                "tva",
                "iva",
                "btw*",
                "moms*",
                "uid",
                "nip",
                "partita iva",
                "p iva",
                "piva",
                "dic",
                "nif",
                "cif",
                "alv*",
                "cvr",
                "mwst",
            ],
            source: "European Commission, VIES: structure of VAT numbers",
            finds: &[
                "VAT ‹DE136695976›",
                "‹ATU13585627›",
                "P.IVA ‹IT00743110157›",
                "TVA ‹FR40303265045›",
                "CIF ‹ESA13585625›",
                "‹NL004495445B01›",
                "‹NL002455799B11›",
                "‹BE0403019261›",
                "‹PL8567346215›",
                "‹PT501964843›",
                "‹DK13585628›",
                "‹FI20774740›",
                "‹SE123456789701›",
                "VAT ‹IE6433435F›",
                "‹LU15027442›",
                "‹EL094259216›",
                "‹CZ25123891›",
                "‹SK2022749619›",
                "‹SI50223054›",
                "‹HU12892312›",
                "‹HR33392005961›",
                "VAT no. ‹GB 980 7806 84›",
                "‹EE100931558›",
                "‹LT119511515›",
                "‹LV40003521600›",
                "‹MT11679112›",
                "‹RO18547290›",
                "‹CHE-123.456.788› MWST",
                "USt-IdNr. ‹DE 136695976›",
            ],
            passes: &[
                "DE136695977",
                "ATU13585628",
                "IT00743110158",
                "FR41303265045",
                "NL004495446B01",
                "BE0403019262",
                "PL8567346216",
                "XX136695976",
                "SE12345678",
                "DE1366959760",
                "PO13585628",
                "de136695976 lower case",
            ],
        },
        forms: &[
            "aadddddddd",
            "aaddddddddd",
            "aadddddddddd",
            "aaddddddddddd",
            "aadddddddddddd",
            "aaadddddddd",
            "aaddddddddda",
            "aanddddddddddd",
            "aadddddddddndd",
            "aaddddddda",
            "aadddddddaa",
            "?aa ddddddddd",
            "?aa dddddddd",
            "?aa dddddddddd",
            "?aa ddddddddddd",
            "?aa ddd ddd ddd",
            "?aa ddd dddd dd",
            "?aa dddd ddd ddd",
            "?aaa dddddddd",
            "aaa-ddd.ddd.ddd",
            "?aa dd ddd ddd ddd",
            "?aa dd ddddddddd",
            "?aa adddddddd",
            "aaaddddddddd",
        ],
        valid: vat,
    },
    Row {
        rule: Rule {
            id: "vat.it_bare",
            version: 1,
            kind: Kind::VatId,
            country: "IT",
            score: 0.8,
            check: "Luhn; tax office of the province",
            context: &["partita iva", "p iva", "piva", "part iva"],
            source: "Agenzia delle Entrate, partita IVA",
            finds: &["P. IVA ‹00743110157›", "\"partita_iva\": \"‹00743110157›\""],
            passes: &["P. IVA 00743110158", "00743110157"],
        },
        forms: &["!ddddddddddd"],
        valid: partita_iva,
    },
    Row {
        rule: Rule {
            id: "vat.pl_bare",
            version: 1,
            kind: Kind::VatId,
            country: "PL",
            score: 0.8,
            check: "modulus 11, weights 6 5 7 2 3 4 5 6 7",
            context: &["nip"],
            source: "Ministry of Finance (PL), NIP",
            finds: &["NIP ‹856-734-62-15›", "NIP: ‹8567346215›"],
            passes: &["NIP 856-734-62-16", "8567346215"],
        },
        forms: &["!dddddddddd", "!ddd-ddd-dd-dd", "!ddd-dd-dd-ddd"],
        valid: |number| weighted(number, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == value(number[9]) && mixed(number),
    },
];

fn vat(number: &[u8]) -> bool {
    let (country, rest) = number.split_at(2);
    if !is_letters(country) {
        return false;
    }
    let digits = |len: usize| rest.len() == len && is_digits(rest) && mixed(rest);
    match country {
        b"DE" => digits(9) && mod_11_10(rest),
        b"AT" => rest[0] == b'U' && rest.len() == 9 && is_digits(&rest[1..]) && austrian(&rest[1..]),
        b"IT" => digits(11) && partita_iva(rest),
        b"FR" => digits(11) && luhn(&rest[2..]) && (12 + 3 * (decimal(&rest[2..]) % 97)) % 97 == decimal(&rest[..2]),
        b"ES" => spanish(rest),
        b"NL" => dutch(number),
        b"BE" => digits(10) && matches!(rest[0], b'0' | b'1') && 97 - decimal(&rest[..8]) % 97 == decimal(&rest[8..]),
        b"PL" => digits(10) && weighted(rest, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == value(rest[9]),
        b"PT" => digits(9) && mod_11_or_zero(rest, &[9, 8, 7, 6, 5, 4, 3, 2]),
        b"DK" => digits(8) && weighted(rest, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11),
        b"FI" => digits(8) && mod_11(rest, &[7, 9, 10, 5, 8, 4, 2]),
        b"SE" => digits(12) && luhn(&rest[..10]) && rest[10..] != *b"00",
        b"IE" => irish(rest),
        b"LU" => digits(8) && decimal(&rest[..6]) % 89 == decimal(&rest[6..]),
        b"EL" | b"GR" => digits(9) && weighted(rest, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == value(rest[8]),
        b"CZ" => digits(8) && czech(rest),
        b"SK" => digits(10) && decimal(rest).is_multiple_of(11),
        b"SI" => digits(8) && mod_11_or_zero(rest, &[8, 7, 6, 5, 4, 3, 2]),
        b"HU" => digits(8) && mod_10(rest, &[9, 7, 3, 1, 9, 7, 3]),
        b"HR" => digits(11) && mod_11_10(rest),
        b"EE" => digits(9) && mod_10(rest, &[3, 7, 1, 3, 7, 1, 3, 7]),
        b"LT" => digits(9) && lithuanian(rest),
        b"LV" => digits(11) && latvian(rest),
        b"MT" => digits(8) && weighted(&rest[..6], &[3, 4, 6, 7, 8, 9]) % 37 + decimal(&rest[6..]) as u32 == 37,
        b"RO" => is_digits(rest) && (8..=10).contains(&rest.len()) && romanian(rest),
        b"GB" | b"XI" => digits(9) && british(rest),
        b"CH" => {
            rest.len() == 10
                && rest[0] == b'E'
                && is_digits(&rest[1..])
                && mod_11(&rest[1..], &[5, 4, 3, 2, 7, 6, 5, 4])
        }
        _ => false,
    }
}

fn partita_iva(number: &[u8]) -> bool {
    let office = decimal(&number[7..10]);
    luhn(number) && mixed(number) && matches!(office, 1..=100 | 120 | 121 | 888 | 999)
}

fn austrian(number: &[u8]) -> bool {
    let sum: u32 = number[..7]
        .iter()
        .enumerate()
        .map(|(place, digit)| value(*digit) * (1 + place as u32 % 2))
        .map(|product| product / 10 + product % 10)
        .sum();
    (96 - sum) % 10 == value(number[7])
}

/// A person's NIF or NIE, or a company's letter and digits.
fn spanish(rest: &[u8]) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    if rest.len() != 9 || !is_digits(&rest[1..8]) {
        return false;
    }
    let series = match rest[0] {
        digit @ b'0'..=b'9' => u64::from(digit - b'0'),
        b'X' => 0,
        b'Y' => 1,
        b'Z' => 2,
        letter => return b"ABCDEFGHJNPQRSUVW".contains(&letter) && spanish_company(rest),
    };
    rest[8] == LETTERS[((series * 10_000_000 + decimal(&rest[1..8])) % 23) as usize]
}

fn spanish_company(rest: &[u8]) -> bool {
    let sum: u32 = rest[1..8]
        .iter()
        .enumerate()
        .map(|(place, digit)| value(*digit) * (2 - place as u32 % 2))
        .map(|product| product / 10 + product % 10)
        .sum();
    let check = (10 - sum % 10) % 10;
    value(rest[8]) == check && rest[8].is_ascii_digit() || rest[8] == b"JABCDEFGHI"[check as usize]
}

/// Nine digits, B, two digits: the old ones pass the eleven test, those of people modulus 97 over
/// the whole with letters as two digits.
fn dutch(number: &[u8]) -> bool {
    let rest = &number[2..];
    if rest.len() != 12 || rest[9] != b'B' || !is_digits(&rest[..9]) || !is_digits(&rest[10..]) {
        return false;
    }
    let eleven = weighted(&rest[..9], &[9, 8, 7, 6, 5, 4, 3, 2, 10]).is_multiple_of(11);
    let whole =
        number.iter().fold(0, |all, byte| (all * if byte.is_ascii_digit() { 10 } else { 100 } + value(*byte)) % 97);
    (eleven || whole == 1) && mixed(&rest[..9]) && &rest[10..] != b"00"
}

fn irish(rest: &[u8]) -> bool {
    let shaped = matches!(rest.len(), 8 | 9) && is_digits(&rest[..7]) && is_letters(&rest[7..]);
    let second = rest.get(8).filter(|letter| **letter != b'W').map_or(0, |letter| value(*letter).saturating_sub(9));
    let sum = weighted(rest, &[8, 7, 6, 5, 4, 3, 2]) + 9 * second;
    shaped && rest[7] == b"WABCDEFGHIJKLMNOPQRSTUV"[sum as usize % 23]
}

fn czech(rest: &[u8]) -> bool {
    let check = (11 - weighted(&rest[..7], &[8, 7, 6, 5, 4, 3, 2]) % 11) % 10;
    rest[0] != b'9' && check == value(rest[7])
}

fn lithuanian(rest: &[u8]) -> bool {
    let first = weighted(&rest[..8], &[1, 2, 3, 4, 5, 6, 7, 8]) % 11;
    let second = weighted(&rest[..8], &[3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    rest[7] == b'1' && (if first == 10 { second % 10 } else { first }) == value(rest[8])
}

/// Companies; people have their personal code, which has no check since 2017.
fn latvian(rest: &[u8]) -> bool {
    value(rest[0]) > 3 && mixed(rest) && weighted(rest, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3
}

fn romanian(rest: &[u8]) -> bool {
    let weights = &[7, 5, 3, 2, 1, 7, 5, 3, 2][10 - rest.len()..];
    weighted(rest, weights) * 10 % 11 % 10 == value(rest[rest.len() - 1])
}

fn british(rest: &[u8]) -> bool {
    let sum = weighted(&rest[..7], &[8, 7, 6, 5, 4, 3, 2]) + decimal(&rest[7..]) as u32;
    sum.is_multiple_of(97) || (sum + 55).is_multiple_of(97)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_off_is_refused() {
        use super::super::tests::refuses_single_changes;
        refuses_single_changes(
            vat,
            &[
                "DE136695976",
                "ATU13585627",
                "FR40303265045",
                "ESB58378431",
                "BE0403019261",
                "PL8567346215",
                "DK13585628",
                "FI20774740",
                "IE6433435F",
                "LU15027442",
                "SK2022749619",
                "HU12892312",
                "HR33392005961",
                "EE100931558",
            ],
        );
    }
}
