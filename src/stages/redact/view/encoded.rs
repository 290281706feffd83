//! Runs of base64 and hexadecimal that hold text.
//!
//! Not here: single escaped characters (`escaped`).
//!
//! Always: only runs of at least [`RUN_MIN_BYTES`] whose beginning decodes to text are decoded;
//! everything else (words, paths, hashes, keys, pictures) costs a look at its first bytes.

use std::ops::Range;

use super::super::detect::next_digit;
use super::super::glance::{DIGIT, EQUALS, Glance};
use super::Told;
use super::map::Units;
use crate::eight;

/// Eleven bytes, an SSN, take so many characters of base64 with their padding.
const RUN_MIN_BYTES: usize = 15;

/// `/`, `-` and `_` are letters of base64 and part words, too: where else a run may begin.
const BEGINNINGS_MAX: usize = 6;

/// No row of base64 holds so many digits and signs by chance.
const SURE_BYTES: usize = 8;

/// Two digits of base64 take so many.
const SHORT_MIN_BYTES: usize = 3;

const NO_DIGIT: u8 = 64;

/// Values of the standard and of the URL-safe alphabet.
static SIX_BITS: [u8; 256] = {
    let (letters, mut table, mut at) =
        (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", [NO_DIGIT; 256], 0);
    while at < letters.len() {
        table[letters[at] as usize] = at as u8;
        at += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

fn is_base64(byte: u8) -> bool {
    SIX_BITS[usize::from(byte)] != NO_DIGIT
}

pub(super) fn collect(text: &str, units: &mut Units) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(row) = next_row(bytes, at) {
        at = row.end;
        // Of a JWT with odd dots or digits the whole is looked for, folded.
        let odd_jwt = bytes[row.clone()].starts_with(b"eyJ") && bytes.get(row.end).is_some_and(|byte| !byte.is_ascii());
        if row.len() < RUN_MIN_BYTES || odd_jwt {
            continue;
        }
        let mut beginnings = 0;
        for start in row.clone() {
            let begins = start == row.start
                || !bytes[start - 1].is_ascii_alphanumeric()
                || (start == row.start + 2 && bytes[row.start..].starts_with(b"0x"));
            if !begins || row.end - start < RUN_MIN_BYTES || beginnings == BEGINNINGS_MAX {
                continue;
            }
            beginnings += 1;
            if let Some((end, decoded)) = hexadecimal(bytes, start..row.end).or_else(|| base64(bytes, start..row.end)) {
                units.add(start..end, &decoded, true);
                at = end.max(row.end);
                break;
            }
            if beginnings == BEGINNINGS_MAX {
                break;
            }
        }
    }
}

/// Adds the shorter rows that hold what the words around them announce: `pin: MTUyOA==`.
pub(super) fn announced(text: &str, glance: Glance, told: Told, units: &mut Units) {
    let bytes = text.as_bytes();
    let mut row = |place: usize| {
        let start =
            place - bytes[..place].iter().rev().take(RUN_MIN_BYTES).take_while(|byte| is_base64(**byte)).count();
        let end = place + bytes[place..].iter().take(RUN_MIN_BYTES).take_while(|byte| is_base64(**byte)).count();
        let padding = bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
        if !(SHORT_MIN_BYTES..RUN_MIN_BYTES).contains(&(end - start)) || !stands_apart(text, start..end) {
            return end;
        }
        let (row, place) = (&bytes[start..end], start..end + padding);
        let base64 = quads(row, padding);
        let sure = base64.as_ref().is_some_and(|value| value.len() >= SURE_BYTES);
        let value = base64.or_else(|| pairs(row)).filter(|_| sure || told(text, place.clone()));
        if let Some(value) = value.or_else(|| word(row)) {
            units.add(place, &value, true);
        }
        end
    };
    // Most of them hold a digit, or end with `=`.
    let mut at = 0;
    while glance.has(DIGIT)
        && let Some(digit) = next_digit(bytes, at)
    {
        at = row(digit);
    }
    // Digits begin so.
    for place in memchr::memchr3_iter(b'M', b'N', b'O', bytes) {
        if bytes.get(place + 1).is_some_and(|byte| b"CDSTijyz".contains(byte)) {
            row(place);
        }
    }
    // Where no digit begins three bytes, capitals stand behind small letters.
    let (mut at, mut done) = (0, 0);
    while let Some(hump) = eight::next_hump(bytes, at) {
        at = hump + 1;
        if hump >= done {
            done = row(hump);
        }
    }
    if glance.has(EQUALS) {
        memchr::memchr_iter(b'=', bytes).for_each(|place| _ = row(place));
    }
}

/// Other letters and digits beside it: no row of base64, but a value in disguise.
fn stands_apart(text: &str, row: Range<usize>) -> bool {
    const SIGNS: [char; 8] = ['：', '＝', '，', '、', '。', '；', '（', '）'];
    let sign = |c: Option<char>| c.is_none_or(|c| c.is_ascii() || SIGNS.contains(&c));
    sign(text[..row.start].chars().next_back()) && sign(text[row.end..].chars().next())
}

/// What values of a few characters are written with.
fn is_value(decoded: &[u8]) -> bool {
    decoded.iter().all(|byte| byte.is_ascii_alphanumeric() || b" -./()".contains(byte))
        && decoded.iter().any(u8::is_ascii_digit)
}

/// Hexadecimal of digits and signs.
fn pairs(row: &[u8]) -> Option<String> {
    const TWO_DIGITS_BYTES: usize = 4;
    // Most numbers end here.
    if row.len() < TWO_DIGITS_BYTES || !matches!(row[0], b'2' | b'3') {
        return None;
    }
    let decoded = bytes_of_pairs(row)?;
    let digits = decoded.iter().all(|byte| byte.is_ascii_digit() || b" -./".contains(byte));
    (digits && is_value(&decoded)).then(|| String::from_utf8(decoded).ok()).flatten()
}

fn bytes_of_pairs(row: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let (pairs, rest) = row.as_chunks::<2>();
    let decoded: Option<Vec<u8>> = pairs.iter().map(|[a, b]| Some(digit(*a)? << 4 | digit(*b)?)).collect();
    decoded.filter(|_| rest.is_empty())
}

/// A word with a capital, which no row is by chance.
fn word(row: &[u8]) -> Option<String> {
    const LETTERS_MIN: usize = 4;
    // How the first capital is written; four letters take six characters.
    if row.len() < 6 || !matches!(row[0], b'Q'..=b'W' | b'4' | b'5') {
        return None;
    }
    let base64 = || {
        let mut decoder = Decoder::default();
        decoder.feed(row);
        decoder.decoded
    };
    let decoded = bytes_of_pairs(row).unwrap_or_else(base64);
    let (first, rest) = decoded.split_first()?;
    let title = first.is_ascii_uppercase() && rest.iter().all(u8::is_ascii_lowercase);
    (title && rest.len() + 1 >= LETTERS_MIN).then(|| String::from_utf8(decoded).ok()).flatten()
}

/// Base64 in whole blocks of four, or what is left of one.
fn quads(row: &[u8], padding: usize) -> Option<String> {
    let whole = (row.len() + padding) % 4;
    if (whole != 0 && (padding > 0 || whole == 1)) || !row.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut decoder = Decoder::default();
    decoder.feed(row);
    is_value(&decoder.decoded).then(|| String::from_utf8(decoder.decoded).ok()).flatten()
}

/// The next row of base64 characters that holds a whole block of eight and more: every row of 15 does.
fn next_row(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    const BLOCK: usize = 8;
    let mut at = from;
    loop {
        at = next_dense(bytes, at)?;
        let block = &bytes[at..at + BLOCK];
        match block.iter().rposition(|byte| !is_base64(*byte)) {
            Some(place) => at += place + 1,
            None => break,
        }
    }
    let start = from + bytes[from..at].iter().rposition(|byte| !is_base64(*byte)).map_or(0, |place| place + 1);
    let end = at + bytes[at..].iter().take_while(|byte| is_base64(**byte)).count();
    Some(start..end)
}

/// Where eight ASCII bytes begin that may be of a row of at least 15. Steps by blocks, so it may
/// find them a few bytes into the row; four more bytes then stand on one side or the other.
fn next_dense(bytes: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The classical test for a byte below `+`, and one for a byte above 0x7f.
    let odd = |block: u64| (block.wrapping_sub(ONES * 0x2b) & !block | block) & (ONES << 7);
    let four = |start: usize| {
        let four = bytes.get(start..).and_then(|rest| rest.first_chunk()).map(|four| u32::from_le_bytes(*four));
        four.is_some_and(|four| odd(u64::from(four) | u64::from(four) << 32) == 0)
    };
    let mut at = from;
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        if odd(u64::from_le_bytes(*block)) == 0 && (four(at + 8) || at >= from + 4 && four(at - 4)) {
            return Some(at);
        }
        at += 8;
    }
    None
}

/// Text, or what is left of it: at most one byte in eight may be something else, none if it is short.
fn readable(decoded: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(decoded).into_owned();
    let odd = text.chars().filter(|c| !readable_char(*c)).count();
    (odd * 8 <= text.len() && (odd == 0 || text.len() >= 64)).then_some(text)
}

fn readable_char(c: char) -> bool {
    c != char::REPLACEMENT_CHARACTER && (!c.is_control() || matches!(c, '\t' | '\n' | '\r'))
}

/// The beginning of a run is text. The last character may be cut.
fn begins_readable(decoded: &[u8]) -> bool {
    let text = match std::str::from_utf8(decoded) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&decoded[..error.valid_up_to()]).unwrap_or(""),
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(readable_char)
}

fn hexadecimal(bytes: &[u8], row: Range<usize>) -> Option<(usize, String)> {
    const JUDGED_BYTES: usize = 12;
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let pair = |two: &[u8]| Some(digit(two[0])? << 4 | digit(two[1])?);
    let mut decoded: Vec<u8> = Vec::new();
    let mut end = row.start;
    for two in bytes[row.clone()].chunks_exact(2) {
        let Some(byte) = pair(two) else { break };
        decoded.push(byte);
        end += 2;
        if decoded.len() == JUDGED_BYTES && !begins_readable(&decoded) {
            return None;
        }
    }
    // One that stops in the middle of a word is a word.
    let whole = end == row.end || !bytes[end].is_ascii_alphanumeric();
    (whole && decoded.len() * 2 >= RUN_MIN_BYTES).then(|| readable(&decoded))?.map(|text| (end, text))
}

/// Decodes the run that begins with `row`, over line ends as long as what follows is text, too.
fn base64(bytes: &[u8], row: Range<usize>) -> Option<(usize, String)> {
    const JUDGED_CHARS: usize = 20;
    let mut judged = Decoder::default();
    judged.feed(&bytes[row.start..row.end.min(row.start + JUDGED_CHARS)]);
    if !begins_readable(&judged.decoded) {
        return None;
    }
    let mut decoder = Decoder::default();
    decoder.feed(&bytes[row.clone()]);
    let mut end = row.end;
    while let Some(next) = continued(bytes, end) {
        let (known, bits, chars) = (decoder.decoded.len(), decoder.bits, decoder.chars);
        decoder.feed(&bytes[next.clone()]);
        if !begins_readable(&decoder.decoded[known..]) {
            decoder.decoded.truncate(known);
            (decoder.bits, decoder.chars) = (bits, chars);
            break;
        }
        end = next.end;
    }
    end += bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
    readable(&decoder.decoded).map(|text| (end, text))
}

/// The row on the next line, or in the next word if that is long.
fn continued(bytes: &[u8], end: usize) -> Option<Range<usize>> {
    const WORD_MIN_BYTES: usize = 12;
    let breaks = [(&b"\r\n"[..], 4), (b"\n", 4), (b"\\r\\n", 4), (b"\\n", 4), (b" ", WORD_MIN_BYTES)];
    let (gap, least) = breaks.iter().find(|(gap, _)| bytes[end..].starts_with(gap))?;
    let start = end + gap.len();
    let len = bytes[start..].iter().take_while(|byte| is_base64(**byte)).count();
    let padded = bytes.get(start + len) == Some(&b'=');
    (len >= *least || (padded && (2..4).contains(&len))).then(|| start..start + len)
}

#[derive(Default)]
struct Decoder {
    decoded: Vec<u8>,
    bits: u32,
    chars: usize,
}

impl Decoder {
    fn feed(&mut self, chars: &[u8]) {
        for c in chars {
            self.bits = self.bits << 6 | u32::from(SIX_BITS[usize::from(*c)] & 63);
            self.chars += 1;
            // After 2, 3 and 4 characters of four a byte is whole.
            let left = match self.chars % 4 {
                1 => continue,
                2 => 4,
                3 => 2,
                _ => 0,
            };
            self.decoded.push((self.bits >> left) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Option<String> {
        let mut units = Units::default();
        collect(text, &mut units);
        units.view(text).map(|view| view.text)
    }

    #[test]
    fn text_is_decoded() {
        for (text, plain) in [
            ("ssn MTIzLTQ1LTY3ODk= ok", "ssn 123-45-6789 ok"),
            ("MTIzLTQ1LTY3ODk", "123-45-6789"),
            ("x=amFuZUBleGFtcGxlLmNvbQ==&y", "x=jane@example.com&y"),
            ("/api/t/amFuZUBleGFtcGxlLmNvbQ", "/api/t/jane@example.com"),
            ("aGVsbG8gamFuZUBleGFtcGxl\nLmNvbSBieWU=\nThanks a lot", "hello jane@example.com bye\nThanks a lot"),
            ("6a616e65406578616d706c652e636f6d", "jane@example.com"),
            ("0x6A616E65406578616D706C652E636F6D,", "0xjane@example.com,"),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(plain), "{text}");
        }
    }

    #[test]
    fn short_rows_are_decoded_where_words_announce_them() {
        let told = |text: &str, row: Range<usize>| {
            text[..row.start].ends_with("pin: ") || row.len() == 4 && text[row.end..].starts_with(" years old")
        };
        for (text, plain) in [
            ("pin: MTUyOA== ok", Some("pin: 1528 ok")),
            ("pin: OTI0", Some("pin: 924")),
            ("pin: NTQwOTk=.", Some("pin: 54099.")),
            ("pin: 36333937", Some("pin: 6397")),
            ("pin: 30372f3235", Some("pin: 07/25")),
            ("pin: 41424344", None),
            ("pin: 1528", None),
            ("pin: aGVsbG8=", None),
            ("gate MTUyOA==", None),
            ("gate MTIz", None),
            ("gate MTk1MS0wNi0wMw==", Some("gate 1951-06-03")),
            ("She is Q2F0aG9saWM= by birth", Some("She is Catholic by birth")),
            ("from 426f73746f6e to", Some("from Boston to")),
            ("from Congress to McDonalds", None),
            ("pin: MTIz", Some("pin: 123")),
            ("pin: WDEwMjMy", Some("pin: X10232")),
            ("pin: QzMwWDgx", Some("pin: C30X81")),
            ("I am 3231 years old", Some("I am 21 years old")),
            ("I am MjE= years old", Some("I am 21 years old")),
            ("I am 2024 years old", None),
            ("pin: HORM٩MDFRNL٠", None),
        ] {
            let mut units = Units::default();
            announced(text, Glance::of(text), &told, &mut units);
            assert_eq!(units.view(text).map(|view| view.text).as_deref(), plain, "{text}");
        }
    }

    #[test]
    fn what_is_no_text_stays() {
        for text in [
            "internationalization of antidisestablishmentarianism",
            "/usr/local/share/applications/thing getElementsByClassName",
            "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "550e8400-e29b-41d4-a716-446655440000",
            "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
            "1234567890123456 2025550173202555",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "----------------------- ___________________ ////////////////////",
        ] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    #[test]
    fn rows_are_found_in_every_place() {
        for before in 0..20 {
            let text = format!("{}MTIzLTQ1LTY3ODk {}", " ".repeat(before), " ".repeat(20 - before));
            assert_eq!(decoded(&text).map(|view| view.trim().to_owned()).as_deref(), Some("123-45-6789"), "{before}");
        }
    }
}
