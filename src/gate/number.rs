//! Values that are made of digits: cards, phone numbers, addresses of machines, numbers of states.
//!
//! Not here: their checksums (`check`), letters and secrets (`pattern`).
//!
//! Always: digits glued to letters, or to more digits by a dot or a hyphen, are part of something
//! else; each cluster of digits is looked at once.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use regex::Regex;

use super::check;
use super::pattern::Hit;
use crate::stages::redact::Kind;

/// A shape, and what makes sure of it.
struct Form {
    shape: Regex,
    kind: Kind,
    name: &'static str,
    holds: fn(&str) -> bool,
}

pub struct Numbers {
    forms: Vec<Form>,
    /// As `forms`, to see at once which can be there.
    any: regex::RegexSet,
}

fn always(_: &str) -> bool {
    true
}

type Row = (Kind, &'static str, &'static str, fn(&str) -> bool);

const FORMS: &[Row] = &[
    (Kind::Ssn, "us.ssn", r"\d{3}-\d{2}-\d{4}", ssn),
    (Kind::UsItin, "us.itin", r"9\d{2}-(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])-\d{4}", always),
    (Kind::BrCpf, "br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}", check::cpf),
    (Kind::BrCnpj, "br.cnpj", r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}", check::cnpj),
    (Kind::ItFiscalCode, "it.fiscal_code", r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", check::codice_fiscale),
    (Kind::CnResidentId, "cn.resident_id", r"[1-8]\d{16}[\dXx]", check::resident),
    (Kind::MxCurp, "mx.curp", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d", check::curp),
    (Kind::InGstin, "in.gstin", r"[0-3]\d[A-Z]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9]", check::gstin),
    (Kind::ChAhv, "ch.ahv", r"756\.\d{4}\.\d{4}\.\d{2}", check::ean13),
    (Kind::FiHetu, "fi.hetu", r"\d{6}[-+A]\d{3}[0-9A-FHJ-NPR-Y]", check::hetu),
    (Kind::ClRut, "cl.rut", r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", check::rut),
    (Kind::ArCuit, "ar.cuit", r"(?:2[03467]|3[034])-\d{8}-\d", check::cuit),
    (Kind::BeNationalNumber, "be.national", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", check::rijksregister),
    (Kind::FrNir, "fr.nir", r"[12] \d{2} \d{2} \d[\dAB] \d{3} \d{3} \d{2}", check::nir),
    (Kind::EsNie, "es.nie", r"[XYZ]-?\d{7}-?[A-Z]", check::nie),
    (Kind::SePersonnummer, "se.personnummer", r"(?:19|20)\d{6}-\d{4}", check::personnummer),
    (Kind::KrRrn, "kr.rrn", r"\d{6}-[1-8]\d{6}", check::rrn),
    (Kind::CzBirthNumber, "cz.birth_number", r"\d{6}/\d{4}", check::rodne_cislo),
    (Kind::ThNationalId, "th.national_id", r"\d-\d{4}-\d{5}-\d{2}-\d", check::thai),
    (Kind::SgNric, "sg.nric", r"[STFG]\d{7}[A-Z]", check::nric),
    (Kind::HkId, "hk.id", r"[A-Z]\d{6}\([\dA]\)", check::hkid),
    (Kind::UkNino, "uk.nino", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]", nino),
    (Kind::Phone, "phone.e164", r"\+[1-9]\d{0,2}[ .-]?\(?\d{1,4}\)?(?:[ .-]?\d{2,4}){2,4}", e164),
    (Kind::Phone, "phone.us", r"(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-.])[2-9]\d{2}[-.]\d{4}", always),
    (Kind::Phone, "phone.gb", r"0(?:20 [378]\d{3} \d{4}|1\d{3} \d{6}|7\d{3} \d{6})", always),
    (Kind::Phone, "phone.fr", r"0[1-7](?:[ .]\d{2}){4}", always),
    (
        Kind::Card,
        "card",
        r"\d{13,19}|\d{4}(?: \d{4}){3}|\d{4}(?:-\d{4}){3}|3\d{3} \d{6} \d{4,5}|3\d{3}-\d{6}-\d{4,5}",
        card,
    ),
];

impl Numbers {
    pub fn new(regions: &[String]) -> Result<Numbers, String> {
        let here = |name: &str| match name {
            "phone.us" => regions.iter().any(|region| matches!(region.as_str(), "US" | "CA")),
            "phone.gb" => regions.iter().any(|region| region == "GB"),
            "phone.fr" => regions.iter().any(|region| region == "FR"),
            _ => true,
        };
        let rows: Vec<&Row> = FORMS.iter().filter(|(_, name, ..)| here(name)).collect();
        let any = regex::RegexSet::new(rows.iter().map(|(_, _, shape, _)| shape)).map_err(|err| err.to_string())?;
        let form = |(kind, name, shape, holds): &&Row| {
            let shape = Regex::new(shape).map_err(|err| err.to_string())?;
            Ok::<_, String>(Form { shape, kind: *kind, name, holds: *holds })
        };
        Ok(Numbers { forms: rows.iter().map(form).collect::<Result<_, _>>()?, any })
    }

    pub fn find(&self, text: &str, add: &mut dyn FnMut(Hit)) {
        clusters(text, |place, digits| {
            let raw = &text[place.clone()];
            if digits >= 4 {
                machine(text, &place, add);
            }
            iban(text, place.start, add);
            if digits < 6 {
                return;
            }
            for at in self.any.matches(raw) {
                let form = &self.forms[at];
                let mut from = 0;
                while let Some(hit) = form.shape.find_at(raw, from) {
                    let good = shortened(form, hit.as_str())
                        .map(|len| place.start + hit.start()..place.start + hit.start() + len);
                    let good = good.filter(|whole| stands_alone(text, whole, form.kind));
                    // What is refused may hide one that begins a little later.
                    from = good.as_ref().map_or(hit.start() + 1, |whole| whole.end - place.start);
                    if let Some(place) = good {
                        add(Hit { place, kind: form.kind, name: form.name });
                    }
                }
            }
        });
    }
}

/// The length of what holds: of an international number as many groups as make one.
fn shortened(form: &Form, raw: &str) -> Option<usize> {
    let mut len = raw.len();
    while !(form.holds)(&raw[..len]) {
        let last = raw[..len].rfind([' ', '-', '.']).filter(|_| form.name == "phone.e164")?;
        len = last;
    }
    Some(len)
}

/// Rows of digits with what stands between and around them: `GB82`, `+1 (202) 555-0173`, `10.0.0.1`.
pub fn clusters(text: &str, mut each: impl FnMut(Range<usize>, usize)) {
    const GAP_MAX: usize = 2;
    const LETTERS_MAX: usize = 24;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) {
        let digit = at + digit;
        let letters = bytes[at..digit].iter().rev().take(LETTERS_MAX).take_while(|byte| byte.is_ascii_alphanumeric());
        let mut start = digit - letters.count();
        // `+44`, `(202)`, and the colons of an address.
        let marks = bytes[at..start].iter().rev().take(2).take_while(|byte| matches!(byte, b'+' | b'(' | b':'));
        start -= marks.count();
        let (mut end, mut digits) = (digit, 0);
        loop {
            let run = bytes[end..].iter().take_while(|byte| byte.is_ascii_alphanumeric());
            let (len, some) =
                run.fold((0, 0), |(len, some), byte| (len + 1, some + usize::from(byte.is_ascii_digit())));
            (end, digits) = (end + len, digits + some);
            let gap = bytes[end..].iter().take(GAP_MAX + 1).take_while(|byte| b" .-/():+".contains(byte)).count();
            let next = bytes.get(end + gap);
            let goes_on = gap <= GAP_MAX
                && next.is_some_and(u8::is_ascii_alphanumeric)
                && (bytes[end + gap..]
                    .iter()
                    .take(6)
                    .take_while(|byte| byte.is_ascii_alphanumeric())
                    .any(u8::is_ascii_digit)
                    || bytes[end] == b':');
            if gap == 0 || !goes_on {
                // `A123456(3)`
                let closed = matches!(bytes[end..], [b'(', letter, b')', ..] if letter.is_ascii_alphanumeric());
                end += if closed { 3 } else { usize::from(bytes.get(end) == Some(&b')')) };
                break;
            }
            end += gap;
        }
        each(start..end, digits);
        at = end;
    }
}

/// Nothing is glued to it that would make it a part of something longer.
fn stands_alone(text: &str, place: &Range<usize>, kind: Kind) -> bool {
    let glue = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let (mut before, mut after) = (text[..place.start].chars().rev(), text[place.end..].chars());
    let (left, further) = (before.next(), before.next());
    let (right, beyond) = (after.next(), after.next());
    let joint = |c: Option<char>, beside: Option<char>| {
        matches!(c, Some('.' | '-' | '/' | '+' | ',' | '=')) && beside.is_some_and(|c| c.is_ascii_alphanumeric())
    };
    let escaped = matches!(left, Some('n' | 't' | 'r')) && further == Some('\\');
    // What is written in groups may stand in a row of groups.
    let grouped = matches!(kind, Kind::Card | Kind::Phone) && text[place.clone()].contains(' ');
    let row =
        |c: Option<char>, beside: Option<char>| grouped && c == Some(' ') && beside.is_some_and(|c| c.is_ascii_digit());
    let apart = |c: Option<char>, beside: Option<char>| !joint(c, beside) && !row(c, beside);
    (!glue(left) || escaped)
        && !glue(right)
        && apart(left, further)
        && apart(right, beyond)
        && !matches!(left, Some('#' | '$' | '€' | '£' | '+' | '('))
}

fn ssn(raw: &str) -> bool {
    let (area, group, serial) = (&raw[..3], &raw[4..6], &raw[7..]);
    area != "000" && area != "666" && area < "900" && group != "00" && serial != "0000"
}

fn nino(raw: &str) -> bool {
    !["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"].contains(&&raw[..2])
}

/// A scheme issues these first digits in this length.
fn card(raw: &str) -> bool {
    let digits = check::packed(raw);
    let head = |len: usize| digits.iter().take(len).fold(0, |all, digit| all * 10 + u32::from(digit - b'0'));
    let known = match digits.len() {
        15 => matches!(head(2), 34 | 37),
        14 => head(2) == 36 || matches!(head(3), 300..=305),
        13 => digits[0] == b'4',
        16 => {
            digits[0] == b'4'
                || matches!(head(2), 51..=55 | 65 | 36 | 62)
                || matches!(head(4), 2221..=2720 | 3528..=3589 | 6011)
        }
        19 => digits[0] == b'4' || head(2) == 62,
        _ => false,
    };
    known && digits.iter().any(|digit| *digit != digits[digits.len() - 1]) && check::luhn(raw)
}

/// Countries whose numbers have a length of their own; of the others any is taken.
fn e164(raw: &str) -> bool {
    let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
    let lengths = match digits.as_bytes() {
        [b'1', area, ..] if *area >= b'2' => 11..=11,
        [b'1', ..] => return false,
        [b'3', b'3', ..] => 11..=11,
        [b'4', b'4', ..] => 11..=12,
        [b'7', ..] => 11..=11,
        [b'8', b'6', ..] => 12..=13,
        [b'2' | b'3' | b'4' | b'5' | b'6' | b'8' | b'9', ..] => 10..=13,
        _ => return false,
    };
    lengths.contains(&digits.len())
}

/// Up to 34 letters and digits, in fours or in one.
fn iban(text: &str, start: usize, add: &mut dyn FnMut(Hit)) {
    let bytes = &text.as_bytes()[start..];
    let two = |at: usize, is: fn(&u8) -> bool| bytes.get(at..at + 2).is_some_and(|two| two.iter().all(is));
    if !two(0, u8::is_ascii_alphabetic) || !two(2, u8::is_ascii_digit) || bytes.len() < 15 {
        return;
    }
    let (mut packed, mut end) = (0, 0);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            byte if byte.is_ascii_alphanumeric() => packed += 1,
            b' ' | b'-' if packed % 4 == 0 && bytes[at - 1].is_ascii_alphanumeric() => continue,
            _ => break,
        }
        if packed > 34 {
            return;
        }
        let ends = !bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric);
        if packed >= 15 && ends && check::iban(&text[start..=start + at]) {
            end = at + 1;
        }
    }
    let place = start..start + end;
    if end > 0 && stands_alone(text, &place, Kind::Iban) {
        add(Hit { place, kind: Kind::Iban, name: "iban" });
    }
}

/// Addresses on networks, and of network cards.
fn machine(text: &str, place: &Range<usize>, add: &mut dyn FnMut(Hit)) {
    let raw = &text[place.clone()];
    let mut offset = 0;
    for part in raw.split([' ', '(', ')', '/']) {
        let at = place.start + offset;
        offset += part.len() + 1;
        let bytes = part.as_bytes();
        let count = |byte: u8| bytes.iter().filter(|one| **one == byte).count();
        if count(b'.') == 3 {
            let part = part.split(':').next().unwrap_or(part);
            let address = part.parse::<Ipv4Addr>().ok().filter(|address| is_public(*address));
            let whole = at..at + part.len();
            if address.is_some() && alone_on_net(text, &whole) && !says_version(text, at) {
                add(Hit { place: whole, kind: Kind::Ip, name: "ip.v4" });
            }
        } else if count(b':') >= 2 {
            let whole = at..at + part.len();
            if is_mac(part) && alone_on_net(text, &whole) {
                add(Hit { place: whole, kind: Kind::Mac, name: "mac" });
            } else if part.len() >= 8
                && part.parse::<Ipv6Addr>().is_ok_and(|v6| v6.segments()[0] >> 13 == 1)
                && alone_on_net(text, &whole)
            {
                add(Hit { place: whole, kind: Kind::Ip, name: "ip.v6" });
            }
        } else if count(b'-') == 5 && is_mac(part) {
            let whole = at..at + part.len();
            if alone_on_net(text, &whole) {
                add(Hit { place: whole, kind: Kind::Mac, name: "mac" });
            }
        }
    }
}

fn alone_on_net(text: &str, place: &Range<usize>) -> bool {
    let glue = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let (mut before, mut after) = (text[..place.start].chars().rev(), text[place.end..].chars());
    let (left, right) = (before.next(), after.next());
    let dotted = right == Some('.') && after.next().is_some_and(char::is_alphanumeric);
    !glue(left) && !glue(right) && !dotted && !matches!(left, Some('.' | ':')) && right != Some(':') || {
        // A port.
        right == Some(':')
            && !glue(left)
            && !matches!(left, Some('.' | ':'))
            && text[place.end + 1..].starts_with(|c: char| c.is_ascii_digit())
            && !text[place.clone()].contains(':')
    }
}

fn is_public(address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets();
    let nowhere = matches!((a, b), (0 | 10 | 127, _) | (169, 254) | (172, 16..=31) | (192, 168) | (100, 64..=127));
    !nowhere && a < 224 && (a, b, c, d) != (1, 2, 3, 4)
}

fn says_version(text: &str, at: usize) -> bool {
    const REACH: usize = 16;
    let from = text.floor_char_boundary(at.saturating_sub(REACH));
    let before = text[from..at].to_ascii_lowercase();
    ["version", "ver", "release", "build", "firmware", "v.", "section", "chapter"]
        .iter()
        .any(|word| before.contains(word))
}

fn is_mac(part: &str) -> bool {
    let bytes = part.as_bytes();
    let pair = |pair: &[u8]| pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
    let split = |mark: u8| bytes.len() == 17 && bytes.split(|byte| *byte == mark).all(pair) && bytes[2] == mark;
    (split(b':') || split(b'-'))
        && !matches!(&part[..8].to_ascii_lowercase()[..], "00:00:00" | "ff:ff:ff" | "00-00-00" | "ff-ff-ff")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, &'static str)> {
        let numbers = Numbers::new(&["US", "GB", "FR"].map(str::to_owned)).unwrap();
        let mut hits = Vec::new();
        numbers.find(text, &mut |hit| hits.push((text[hit.place].to_owned(), hit.name)));
        hits
    }

    #[test]
    fn values_are_found() {
        for (text, value, name) in [
            ("card 4539 5787 6362 1486.", "4539 5787 6362 1486", "card"),
            ("4539578763621486", "4539578763621486", "card"),
            ("amex 3782 822463 10005", "3782 822463 10005", "card"),
            ("ssn 123-45-6789,", "123-45-6789", "us.ssn"),
            ("(202) 456-1414", "(202) 456-1414", "phone.us"),
            ("call 202-456-1414 now", "202-456-1414", "phone.us"),
            ("+44 20 7183 8750", "+44 20 7183 8750", "phone.e164"),
            ("+12024561414", "+12024561414", "phone.e164"),
            ("020 7183 8750", "020 7183 8750", "phone.gb"),
            ("06 12 34 56 78", "06 12 34 56 78", "phone.fr"),
            ("iban GB82 WEST 1234 5698 7654 32 ok", "GB82 WEST 1234 5698 7654 32", "iban"),
            ("DE89370400440532013000", "DE89370400440532013000", "iban"),
            ("from 81.2.69.142 to", "81.2.69.142", "ip.v4"),
            ("http://81.2.69.142:8080/x", "81.2.69.142", "ip.v4"),
            ("at 2a00:1450:4001:831::200e", "2a00:1450:4001:831::200e", "ip.v6"),
            ("mac 3c:22:fb:4a:9d:01", "3c:22:fb:4a:9d:01", "mac"),
            ("CPF 111.444.777-35", "111.444.777-35", "br.cpf"),
            ("RSSMRA85T10A562S", "RSSMRA85T10A562S", "it.fiscal_code"),
            ("G123456(A)", "G123456(A)", "hk.id"),
            ("2 55 08 14 168 025 38", "2 55 08 14 168 025 38", "fr.nir"),
            ("12.345.678-5", "12.345.678-5", "cl.rut"),
            ("X1234567L", "X1234567L", "es.nie"),
        ] {
            assert_eq!(found(text), [(value.to_owned(), name)], "{text}");
        }
    }

    #[test]
    fn look_alikes_are_left() {
        for text in [
            "2024-05-01 12:30:00.123456",
            "1719830400000",
            "version 1.2.3.4, build 81.2.69.142",
            "127.0.0.1 192.168.1.20 10.1.2.3",
            "550e8400-e29b-41d4-a716-446655440000",
            "0.4539578763621486",
            "4539578763621487",
            "d41d8cd98f00b204e9800998ecf8427e",
            "a4539578763621486b",
            "ISBN 978-3-16-148410-0",
            "1 2 3 4 5 6 7 8 9 10 11 12",
            "12:34:56:78:9a:bc:de:f0",
            "[image image/png 2025550173B blake3_0123456789abcdef]",
            "123-456-789 and 1-2-3",
            "[PHONE:20255501] 2400-2499",
            "+1234567 + 12345678",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
