//! Vehicles and travel documents that check themselves: VINs and machine-readable zones.
//!
//! Not here: passports and plates, which need a label (`labelled`).
//!
//! Always: a VIN without a label passes its check digit; a zone passes at least two of its own.

use super::edge::{glued_after, glued_before};
use super::numbers::Run;
use super::{Kind, Rule, Span};

pub(super) static RULES: [&Rule; 2] = [&VIN, &MRZ];

const VIN: Rule = Rule {
    id: "vin.check_digit",
    version: 1,
    kind: Kind::Vin,
    country: "",
    score: 0.85,
    check: "seventeen characters without I, O and Q, check digit at the ninth, four digits at the end",
    context: &[],
    source: "ISO 3779, 49 CFR 565",
    finds: &["my car is ‹1HGCM82633A004352›.", "‹1M8GDM9AXKP042788›"],
    passes: &["1HGCM82634A004352", "1HGCM82633A00435", "11111111111111111", "1hgcm82633a004352"],
};

const MRZ: Rule = Rule {
    id: "mrz.icao",
    kind: Kind::Mrz,
    score: 0.98,
    check: "lines of 30, 36 or 44 characters, check digits 7, 3, 1 of number, birth and expiry",
    source: "ICAO Doc 9303",
    finds: &[
        "‹P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10›",
        "‹I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<›",
    ],
    passes: &[
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C37UTO7408122F1204159ZE184226B<<<<<10",
        "std::cout << a << b;",
    ],
    ..VIN
};

const VIN_LEN: usize = 17;

/// Seventeen characters of a VIN's alphabet at `start`, letters and digits both.
pub(super) fn vin_shape(text: &str, start: usize) -> Option<usize> {
    let row = text.as_bytes().get(start..start + VIN_LEN)?;
    let fits = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase() && !matches!(byte, b'I' | b'O' | b'Q');
    let mixed = row.iter().any(u8::is_ascii_digit) && row.iter().any(u8::is_ascii_uppercase);
    (mixed && row.iter().all(fits)).then_some(start + VIN_LEN)
}

/// Reports the VIN that holds the first run of a cluster.
pub(super) fn vin(text: &str, run: Run, out: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    // A letter or the other run of a row stands right beside it.
    let beside = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_uppercase);
    if !beside(run.end) && !beside(run.start.wrapping_sub(1)) {
        return;
    }
    let head = bytes[..run.start].iter().rev().take(VIN_LEN).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let start = run.start - head;
    if glued_before(text, start) {
        return;
    }
    let Some(end) = vin_shape(text, start) else { return };
    let serial = bytes[end - 4..end].iter().all(u8::is_ascii_digit);
    let letters = bytes[start..end].iter().filter(|byte| byte.is_ascii_uppercase()).count();
    if serial && letters >= 2 && !glued_after(text, end) && vin_check(&bytes[start..end]) {
        out.push(VIN.at(start, end));
    }
}

fn vin_check(vin: &[u8]) -> bool {
    const WEIGHTS: [u32; VIN_LEN] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'H' => u32::from(byte - b'A') + 1,
        b'J'..=b'R' => u32::from(byte - b'J') + 1,
        _ => u32::from(byte.wrapping_sub(b'S')) + 2,
    };
    let rest = vin.iter().zip(WEIGHTS).map(|(byte, weight)| value(*byte) * weight).sum::<u32>() % 11;
    let check = if rest == 10 { b'X' } else { b'0' + rest as u8 };
    vin[8] == check
}

/// Reports machine-readable zones; each holds `<<`.
pub(super) fn zones(text: &str, out: &mut Vec<Span>) {
    let mut free_from = 0;
    for at in memchr::memchr_iter(b'<', text.as_bytes()) {
        if at < free_from || text.as_bytes().get(at + 1) != Some(&b'<') {
            continue;
        }
        let start = at - text.as_bytes()[free_from..at].iter().rev().take(44).take_while(|byte| zoned(**byte)).count();
        let found = zone(text, start);
        free_from = found.unwrap_or(start + row(text, start).max(1)).max(at + 2);
        if let Some(end) = found {
            out.push(MRZ.at(start, end));
        }
    }
}

fn zoned(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<'
}

fn row(text: &str, at: usize) -> usize {
    text.as_bytes()[at.min(text.len())..].iter().take(46).take_while(|byte| zoned(**byte)).count()
}

/// Where the next line begins, if a line ends at `at`; one blank line may stand between.
fn line_end(text: &str, at: usize) -> Option<usize> {
    let end = |at: usize| {
        ["\r\n", "\n", "\\n", "\\\\n", " "].iter().find(|end| text[at..].starts_with(**end)).map(|end| at + end.len())
    };
    end(at).map(|at| end(at).unwrap_or(at))
}

/// The end of the zone that begins at `start`.
fn zone(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let len = row(text, start);
    if !matches!(len, 30 | 36 | 44) || !matches!(bytes[start], b'P' | b'I' | b'A' | b'C' | b'V') {
        return None;
    }
    let second = line_end(text, start + len).filter(|at| row(text, *at) == len)?;
    let (first, line) = (&bytes[start..start + len], &bytes[second..second + len]);
    if len > 30 {
        let sound = checked(line, 0, 9) && checked(line, 13, 19) && checked(line, 21, 27);
        return sound.then_some(second + len);
    }
    let third = line_end(text, second + len).filter(|at| row(text, *at) == len)?;
    (checked(first, 5, 14) && checked(line, 0, 6) && checked(line, 8, 14)).then_some(third + len)
}

/// The check digit behind `line[from..to]`.
fn checked(line: &[u8], from: usize, to: usize) -> bool {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        _ => 0,
    };
    let sum: u32 =
        line[from..to].iter().zip([7, 3, 1].iter().cycle()).map(|(byte, weight)| value(*byte) * weight).sum();
    line[to] == b'0' + (sum % 10) as u8
}
