//! What a text says once one layer of disguise is taken off everything in it.
//!
//! Not here: what is looked for (`pattern`, `ledger`), how often a layer is taken off (`mod`).
//!
//! Always: one pass, linear in the text; a byte of the decoded text knows the bytes of the source
//! that it comes from; text in which nothing is encoded gives no view and costs one look at each
//! byte.

use std::ops::Range;

use super::fold::{Folded, fold, is_alike};

/// How something was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decoder {
    Escape,
    Percent,
    Entity,
    Base64,
    Hex,
    Fold,
}

impl Decoder {
    pub const fn as_str(self) -> &'static str {
        match self {
            Decoder::Escape => "escape",
            Decoder::Percent => "percent",
            Decoder::Entity => "html",
            Decoder::Base64 => "base64",
            Decoder::Hex => "hex",
            Decoder::Fold => "fold",
        }
    }
}

/// A decoded stretch.
#[derive(Debug)]
struct Unit {
    /// In the view.
    start: usize,
    end: usize,
    source: Range<usize>,
    decoder: Decoder,
}

/// A text with its encoded stretches decoded.
#[derive(Debug, Default)]
pub struct View {
    pub text: String,
    units: Vec<Unit>,
}

impl View {
    /// One layer off; nothing if nothing is encoded.
    pub fn of(text: &str) -> Option<View> {
        let mut view = View::default();
        let (mut at, mut copied) = (0, 0);
        while let Some(start) = text.as_bytes()[at..].iter().position(|byte| CLASS[usize::from(*byte)] != 0) {
            let start = at + start;
            let (unit, next) = unit(text, start);
            if let Some((end, written, decoder)) = unit {
                view.text.push_str(&text[copied..start]);
                let from = view.text.len();
                view.text.push_str(&written);
                view.units.push(Unit { start: from, end: view.text.len(), source: start..end, decoder });
                copied = end;
            }
            at = next;
        }
        if view.units.is_empty() {
            return None;
        }
        view.text.push_str(&text[copied..]);
        Some(view)
    }

    /// Where a stretch of the view lies in the source, and how it was written; no decoder means that
    /// it was plain. Decoded stretches count whole.
    pub fn source(&self, place: Range<usize>, decoders: &mut Vec<Decoder>) -> Range<usize> {
        let first = self.units.partition_point(|unit| unit.end <= place.start && unit.start < place.start);
        let touched = self.units[first..].iter().take_while(|unit| unit.start < place.end.max(place.start + 1));
        let start = self.place(place.start, false);
        let mut end = self.place(place.end, true).max(start);
        for unit in touched {
            end = end.max(unit.source.end);
            if !decoders.contains(&unit.decoder) {
                decoders.push(unit.decoder);
            }
        }
        start..end
    }

    /// A byte's place in the source: of a decoded one the beginning of its stretch, or the end.
    fn place(&self, byte: usize, end: bool) -> usize {
        let before = self.units.partition_point(|unit| if end { unit.start < byte } else { unit.start <= byte });
        match before.checked_sub(1).map(|last| &self.units[last]) {
            None => byte,
            Some(unit) if byte < unit.end || (byte == unit.end && end) => {
                if end {
                    unit.source.end
                } else {
                    unit.source.start
                }
            }
            Some(unit) => unit.source.end + (byte - unit.end),
        }
    }

    /// Whether a stretch holds or touches something that was decoded: else the text itself shows it.
    pub fn is_new(&self, place: &Range<usize>) -> bool {
        let first = self.units.partition_point(|unit| unit.end < place.start);
        self.units.get(first).is_some_and(|unit| unit.start <= place.end)
    }
}

const LETTER: u8 = 1;
const MARK: u8 = 2;
const OTHER: u8 = 3;

/// Where a unit may begin: letters and digits (runs of base64 and hex), marks, other scripts.
const CLASS: [u8; 256] = {
    let (mut class, mut byte) = ([0; 256], 0);
    while byte < 256 {
        class[byte] = match byte as u8 {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'/' | b'_' | b'-' => LETTER,
            b'\\' | b'%' | b'&' => MARK,
            0x80.. => OTHER,
            _ => 0,
        };
        byte += 1;
    }
    class
};

type Found = Option<(usize, String, Decoder)>;

/// The unit that begins at `start`, and where to look on.
fn unit(text: &str, start: usize) -> (Found, usize) {
    let bytes = text.as_bytes();
    let found = match bytes[start] {
        b'\\' => escape(text, start).map(|(end, c)| (end, c.map(String::from).unwrap_or_default(), Decoder::Escape)),
        b'%' => percent(bytes, start),
        b'&' => entity(text, start).map(|(end, c)| (end, c.to_string(), Decoder::Entity)),
        0x80.. => {
            let c = text[start..].chars().next().unwrap_or_default();
            let end = start + c.len_utf8();
            let folded = fold(c).filter(|_| !is_alike(c) || beside_latin(text, start, end));
            let written = folded.map(|folded| match folded {
                Folded::Gone => String::new(),
                Folded::Ascii(c) => c.to_string(),
            });
            return (written.map(|written| (end, written, Decoder::Fold)), end);
        }
        _ => return run(bytes, start),
    };
    let next = found.as_ref().map_or(start + 1, |(end, ..)| *end);
    (found, next)
}

/// A run of letters of base64 or hex.
fn run(bytes: &[u8], start: usize) -> (Found, usize) {
    const BASE64_MIN: usize = 12;
    let end = start + bytes[start..].iter().take_while(|byte| CLASS[usize::from(**byte)] == LETTER).count();
    if end - start < BASE64_MIN {
        return (None, end);
    }
    let run = &bytes[start..end];
    if let Some(written) = hex(run) {
        return (Some((end, written, Decoder::Hex)), end);
    }
    let padded = end + bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
    match base64(run) {
        Some(written) => (Some((padded, written, Decoder::Base64)), padded),
        None => (None, end),
    }
}

/// Text reads as text; whatever else decodes to does not.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let plain = |c: char| (c.is_ascii() && !c.is_ascii_control()) || matches!(c, '\n' | '\r' | '\t');
    let (all, good) =
        text.chars().fold((0, 0), |(all, good), c| (all + 1, good + usize::from(plain(c) || c.is_alphanumeric())));
    (all >= 6 && good == all).then_some(text)
}

fn hex(run: &[u8]) -> Option<String> {
    let digits = run.strip_prefix(b"0x").unwrap_or(run);
    if digits.len() < 12 || digits.len() % 2 == 1 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let value = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
    readable(digits.chunks(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect())
}

fn base64(run: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(run.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0u32, 0);
    for byte in run {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            let byte = (bits >> held) as u8;
            // English words in a row are base64, too: they end here, at their first odd byte.
            if byte < 0x80 && byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t') {
                return None;
            }
            out.push(byte);
        }
    }
    readable(out)
}

/// `\u0040`, `\n`, `\"`, and the backslash that Markdown puts before marks.
fn escape(text: &str, start: usize) -> Option<(usize, Option<char>)> {
    let bytes = text.as_bytes();
    let plain = |c| Some((start + 2, Some(c)));
    match bytes.get(start + 1)? {
        b'n' | b'r' | b't' => plain(' '),
        b'b' | b'f' => plain(' '),
        b'u' | b'U' => {
            let unit = |at: usize| {
                let digits = text.get(at..at + 4)?;
                digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
            };
            let first = unit(start + 2)?;
            if (0xd800..0xdc00).contains(&first) && bytes.get(start + 6) == Some(&b'\\') {
                let second = unit(start + 8).filter(|second| (0xdc00..0xe000).contains(second))?;
                return char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
                    .map(|c| (start + 12, Some(c)));
            }
            char::from_u32(first).map(|c| (start + 6, Some(c)))
        }
        b'x' => {
            let digits = text.get(start + 2..start + 4)?;
            let byte = u8::from_str_radix(digits, 16).ok().filter(u8::is_ascii)?;
            Some((start + 4, Some(char::from(byte))))
        }
        mark if mark.is_ascii_punctuation() => plain(char::from(*mark)),
        _ => None,
    }
}

/// As many `%40` as stand in a row.
fn percent(bytes: &[u8], start: usize) -> Found {
    let (mut out, mut at) = (Vec::new(), start);
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    while let (Some(b'%'), Some(high), Some(low)) = (bytes.get(at), digit(at + 1), digit(at + 2)) {
        out.push((high << 4 | low) as u8);
        at += 3;
    }
    // `100%20` of a text is no encoding, but reads as one; it does no harm.
    let text = String::from_utf8(out).ok()?;
    (at > start).then_some((at, text, Decoder::Percent))
}

const ENTITIES: [(&str, char); 19] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("commat", '@'),
    ("period", '.'),
    ("lowbar", '_'),
    ("hyphen", '-'),
    ("dash", '-'),
    ("plus", '+'),
    ("num", '#'),
    ("colon", ':'),
    ("sol", '/'),
    ("lpar", '('),
    ("rpar", ')'),
    ("equals", '='),
    ("percnt", '%'),
];

fn entity(text: &str, start: usize) -> Option<(usize, char)> {
    const LONGEST: usize = 10;
    let bytes = &text.as_bytes()[start + 1..];
    let len = bytes.iter().take(LONGEST).position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'#')?;
    let name = text.get(start + 1..start + 1 + len)?;
    let end = start + 1 + len + usize::from(bytes.get(len) == Some(&b';'));
    let c = match name.strip_prefix('#') {
        Some(number) => {
            let hex = number.strip_prefix(['x', 'X']);
            let code = hex.map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())?;
            char::from_u32(code)?
        }
        None => ENTITIES.iter().find(|(known, _)| *known == name).filter(|_| bytes.get(len) == Some(&b';'))?.1,
    };
    Some((end, c))
}

/// A Latin letter or a digit stands in the same word: a whole word of Cyrillic is one.
fn beside_latin(text: &str, start: usize, end: usize) -> bool {
    const REACH: usize = 24;
    let word = |byte: &&u8| !byte.is_ascii_whitespace();
    let bytes = text.as_bytes();
    let before = bytes[..start].iter().rev().take(REACH).take_while(word);
    let after = bytes[end..].iter().take(REACH).take_while(word);
    before.chain(after).any(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stages::redact::Disguise;

    fn once(text: &str) -> String {
        View::of(text).map_or_else(|| text.to_owned(), |view| view.text)
    }

    #[test]
    fn one_layer_comes_off() {
        for (text, plain) in [
            (r"jane\u0040corp.com", "jane@corp.com"),
            (r"\ud83d\ude00 \x40 \_a\_ C:\dir", "😀 @ _a_ C:\\dir"),
            ("jane%40corp.com and 5%", "jane@corp.com and 5%"),
            ("jane&#64;corp&#x2e;com &commat; AT&T", "jane@corp.com @ AT&T"),
            ("amFuZUBjb3JwLmNvbQ== x", "jane@corp.com x"),
            ("6a616e6540636f72702e636f6d", "jane@corp.com"),
            ("ｊａｎｅ＠ｃｏｒｐ．ｃｏｍ", "jane@corp.com"),
            ("ja\u{200b}ne@corp.com", "jane@corp.com"),
            ("٢٠٢-٥٥٥", "202-555"),
            ("jаne@corp.com", "jane@corp.com"),
            ("Привет, ара", "Привет, ара"),
            ("international conversations", "international conversations"),
            ("d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e"),
            ("plain text, 100 % of it", "plain text, 100 % of it"),
        ] {
            assert_eq!(once(text), plain);
        }
    }

    #[test]
    fn places_lead_back() {
        let text = "to jane%40corp.com or \u{ff4a}o";
        let view = View::of(text).unwrap();
        let at = view.text.find("jane@corp.com").unwrap();
        let mut decoders = Vec::new();
        let place = view.source(at..at + 13, &mut decoders);
        assert_eq!((&text[place], &decoders[..]), ("jane%40corp.com", &[Decoder::Percent][..]));
        let at = view.text.find("jo").unwrap();
        let place = view.source(at..at + 2, &mut decoders);
        assert_eq!((&text[place], decoders.len()), ("\u{ff4a}o", 2));
        assert!(view.is_new(&(at..at + 2)) && !view.is_new(&(0..2)));
    }

    #[test]
    fn what_redaction_sees_through_is_seen_through() {
        for disguise in Disguise::ALL {
            let (written, more) = disguise.write("jane.roe77@corp-mail.org");
            if matches!(disguise, Disguise::AtDot | Disguise::Wrapped) || more.is_some() {
                continue;
            }
            let (once, twice) = (once(&written), once(&once(&written)));
            assert!(
                once.contains("jane.roe77@corp-mail.org") || twice.contains("jane.roe77@corp-mail.org"),
                "{disguise:?} {once}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_has_places(text in "(\\PC|[%\\\\&#;]|%[0-9a-f]{2}|\\\\u[0-9a-fd]{4}|[a-zA-Z0-9+/]{12,20}=?|&#[0-9]{1,6};){0,24}", a in 0..99usize, b in 0..99usize) {
            let Some(view) = View::of(&text) else { return Ok(()) };
            let len = view.text.len();
            let (a, b) = (a * len / 99, b * len / 99);
            let place = view.source(a.min(b)..a.max(b), &mut Vec::new());
            prop_assert!(place.start <= place.end && place.end <= text.len());
        }
    }
}
