//! Characters that look like ASCII, or like nothing: full-width and mathematical letters, digits
//! of all scripts, Cyrillic and Greek look-alikes, odd spaces, hyphens and dots, zero width.
//!
//! Not here: escapes (`escaped`).
//!
//! Always: ASCII is stepped over a block at a time; a character folds to at most three; words that
//! are wholly in another script stay as they are.

use std::borrow::Cow;

use super::map::Units;

/// The zeros of the decimal digits (Unicode's Nd) outside ASCII, but for those that NFKC knows.
const ZEROS: [u32; 58] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
    0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
    0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450,
    0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50,
    0x1e140, 0x1e2f0, 0x1e950,
];

/// Letters that cannot be told from an ASCII letter in most typefaces: in each pair of strings the
/// character at one place looks like the one at the same place of the other.
const LOOK_ALIKES: [(&str, &str); 4] = [
    ("аеорсухіјѕһԁԛԝѵӏкмАВЕКМНОРСТУХІЈЅѴԚԜҮԌ", "aeopcyxijshdqwvlkmABEKMHOPCTYXIJSVQWYG"),
    ("αοεινκρυχγΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aoeivkpuxyABEZHIKMNOPTYX"),
    ("օսհցոզՕՍ", "ouhgnqOU"),
    ("ıɑɡƖǀ", "iagIl"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Folded {
    Keep,
    /// Shows nothing.
    Drop,
    /// A letter or digit in another dress, or `@`.
    Letter([u8; 3]),
    /// A space, hyphen or dot in another dress.
    Mark(u8),
    /// Only among ASCII letters is it a disguise.
    LookAlike(u8),
}

/// Every character of at most two bytes of UTF-8, where most prose that is not Han or Hangul is.
static SHORT: [u8; SHORT_END as usize] = {
    let mut table = [KEEP; SHORT_END as usize];
    let (mut at, mut line) = (0, 0);
    while at < ZEROS.len() && ZEROS[at] + 9 < SHORT_END {
        let mut digit = 0;
        while digit < 10 {
            table[ZEROS[at] as usize + digit] = b'0' + digit as u8;
            digit += 1;
        }
        at += 1;
    }
    while line < LOOK_ALIKES.len() {
        let (others, ascii) = (LOOK_ALIKES[line].0.as_bytes(), LOOK_ALIKES[line].1.as_bytes());
        let mut place = 0;
        while place < ascii.len() {
            let code = (others[2 * place] as usize & 0x1f) << 6 | (others[2 * place + 1] as usize & 0x3f);
            table[code] = LOOK_ALIKE | ascii[place];
            place += 1;
        }
        line += 1;
    }
    // What is neither: soft hyphens, no-break spaces, letters of NFKC.
    let others = [0xa0, 0xaa, 0xad, 0xb2, 0xb3, 0xb9, 0xba, 0x34f, 0x61c];
    let mut place = 0;
    while place < others.len() {
        table[others[place]] = OTHER;
        place += 1;
    }
    table
};

const SHORT_END: u32 = 0x800;
const KEEP: u8 = 0;
const OTHER: u8 = 1;
const LOOK_ALIKE: u8 = 0x80;

fn fold(c: char) -> Folded {
    let code = u32::from(c);
    match SHORT.get(code as usize).copied() {
        Some(KEEP) => Folded::Keep,
        Some(OTHER) | None => fold_other(c),
        Some(known) if known & LOOK_ALIKE != 0 => Folded::LookAlike(known & !LOOK_ALIKE),
        Some(digit) => Folded::Letter([digit, 0, 0]),
    }
}

fn fold_other(c: char) -> Folded {
    let code = u32::from(c);
    match code {
        // Kana, Han, Hangul: most of what is not ASCII in prose that has many such characters.
        0x3040..=0x324f | 0x3400..=0xa4cf | 0xac00..=0xd7a3 => Folded::Keep,
        0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f => Folded::Drop,
        0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f | 0xfeff | 0xe0000..=0xe01ef => {
            Folded::Drop
        }
        0xa0 | 0x1680 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => Folded::Mark(b' '),
        0x2010..=0x2013 | 0x2043 | 0x2212 | 0xfe58 | 0xfe63 | 0xff0d => Folded::Mark(b'-'),
        0x2024 | 0xfe52 | 0xff0e | 0xff61 | 0x3002 => Folded::Mark(b'.'),
        0x2044 | 0x2215 => Folded::Mark(b'/'),
        // Full width.
        0xff01..=0xff5e => dressed((code - 0xff01 + 0x21) as u8),
        _ => digit(code).map_or_else(|| compatible(c), |digit| Folded::Letter([digit, 0, 0])),
    }
}

fn dressed(ascii: u8) -> Folded {
    let letter = ascii.is_ascii_alphanumeric() || ascii == b'@';
    if letter { Folded::Letter([ascii, 0, 0]) } else { Folded::Mark(ascii) }
}

fn digit(code: u32) -> Option<u8> {
    let zero = ZEROS[..ZEROS.partition_point(|zero| *zero <= code)].last()?;
    u8::try_from(code - zero).ok().filter(|value| *value < 10).map(|value| b'0' + value)
}

/// Unicode's own folding (NFKC), where it gives one to three ASCII characters.
fn compatible(c: char) -> Folded {
    let known = matches!(u32::from(c), 0xaa..=0xba | 0x2b0..=0x2b8 | 0x2e1..=0x2e3 | 0x1d2c..=0x1d65
        | 0x2070..=0x209c | 0x2100..=0x217f | 0x2460..=0x24ea | 0x2c7c..=0x2c7d | 0xfb00..=0xfb06 | 0xfe4d..=0xfe6b
        | 0x1d400..=0x1d7ff | 0x1f100..=0x1f16c | 0x1fbf0..=0x1fbf9);
    if !known {
        return Folded::Keep;
    }
    let (mut ascii, mut len, mut fits) = ([0; 3], 0, true);
    unicode_normalization::char::decompose_compatible(c, |part| {
        fits &= part.is_ascii() && len < ascii.len();
        if fits {
            ascii[len] = part as u8;
            len += 1;
        }
    });
    match ascii {
        _ if !fits => Folded::Keep,
        [one, 0, 0] => dressed(one),
        _ => Folded::Letter(ascii),
    }
}

fn non_ascii_from(bytes: &[u8], from: usize) -> Option<usize> {
    const STEP: usize = 64;
    let mut at = from;
    while bytes.get(at..at + STEP).is_some_and(<[u8]>::is_ascii) {
        at += STEP;
    }
    bytes.get(at..)?.iter().position(|byte| !byte.is_ascii()).map(|place| at + place)
}

pub(super) fn collect(text: &str, units: &mut Units) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut word = Word::default();
    while let Some(start) = non_ascii_from(bytes, at) {
        let Some(c) = text[start..].chars().next() else { return };
        at = start + c.len_utf8();
        let (before, after) = (start.checked_sub(1).map(|before| bytes[before]), bytes.get(at).copied());
        let beside = |fits: fn(&u8) -> bool| (before.is_some_and(|byte| fits(&byte)), after.is_some_and(|b| fits(&b)));
        match fold(c) {
            Folded::Keep => {}
            Folded::Drop => {
                let (left, right) = beside(u8::is_ascii_graphic);
                let (any_left, any_right) = beside(|byte| *byte > b' ');
                units.add(start..at, "", (left && any_right) || (any_left && right));
            }
            Folded::Letter(ascii) => {
                let len = ascii.iter().position(|byte| *byte == 0).unwrap_or(ascii.len());
                units.add(start..at, std::str::from_utf8(&ascii[..len]).unwrap_or(""), true);
            }
            Folded::Mark(mark) => {
                // In print a dash or an odd space stands between words; in a value, between
                // letters or digits.
                let (left, right) = beside(u8::is_ascii_alphanumeric);
                units.add_char(start..at, char::from(mark), left && right);
            }
            Folded::LookAlike(ascii) => {
                if word.is_mixed(bytes, start) {
                    units.add_char(start..at, char::from(ascii), true);
                }
            }
        }
    }
}

/// The word that was looked at last.
#[derive(Default)]
struct Word {
    end: usize,
    mixed: bool,
}

impl Word {
    /// The word around `at` holds ASCII letters or digits, too.
    fn is_mixed(&mut self, bytes: &[u8], at: usize) -> bool {
        const WORD_MAX_BYTES: usize = 64;
        if at < self.end {
            return self.mixed;
        }
        let latin = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'@';
        let inside = |byte: &&u8| **byte > b' ' && !b"\",;<>()".contains(*byte);
        let before = bytes[..at].iter().rev().take(WORD_MAX_BYTES).take_while(inside);
        let after = bytes[at..].iter().take(WORD_MAX_BYTES).take_while(inside);
        self.end = at + after.clone().count();
        self.mixed = before.chain(after).any(latin);
        self.mixed
    }
}

/// A value with everything folded that can be: equal for all disguises of this file.
pub(in super::super) fn value(raw: &str) -> Cow<'_, str> {
    if raw.is_ascii() {
        return Cow::Borrowed(raw);
    }
    let mut folded = String::with_capacity(raw.len());
    for c in raw.chars() {
        match if c.is_ascii() { Folded::Keep } else { fold(c) } {
            Folded::Keep => folded.push(c),
            Folded::Drop => {}
            Folded::Letter(ascii) => folded.extend(ascii.iter().filter(|byte| **byte != 0).map(|b| char::from(*b))),
            Folded::Mark(ascii) | Folded::LookAlike(ascii) => folded.push(char::from(ascii)),
        }
    }
    Cow::Owned(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_step() {
        for (others, ascii) in LOOK_ALIKES {
            assert_eq!(others.chars().count(), ascii.len());
            assert!(others.chars().all(|c| matches!(fold(c), Folded::LookAlike(_))), "{others}");
        }
        assert!(ZEROS.is_sorted());
        assert!(ZEROS.iter().all(|zero| char::from_u32(*zero).unwrap().is_numeric()));
    }

    #[test]
    fn values_are_folded() {
        for (raw, plain) in [
            ("ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ", "jane@example.com"),
            ("𝐣𝕒𝓷𝖊@𝚎𝗑𝑎𝔪ple․com", "jane@example.com"),
            ("j\u{200b}ane\u{ad}@exam\u{2060}ple.com", "jane@example.com"),
            ("jаnе@ехаmple.соm", "jane@example.com"),
            ("١٢٣-४५-៦៧៨៩", "123-45-6789"),
            ("①②③‑45‑𝟼𝟽𝟾𝟿", "123-45-6789"),
            ("ﬁ㊙é", "fi㊙é"),
        ] {
            assert_eq!(value(raw), plain);
        }
    }

    /// Prose of other scripts holds nothing that would have to be looked at twice.
    #[test]
    fn prose_is_not_disguised() {
        for text in [
            "Привет, как дела? Я живу в Москве — «дом» 5.",
            "안녕하세요. 저는 서울에 살아요!",
            "你好，我住在北京。今天很好（真的）！",
            "Καλημέρα σας, τι κάνετε;",
            "naïve café – it’s “nice” …",
            "👩\u{200d}👩\u{200d}👧 ☺\u{fe0f}",
            "می\u{200c}خواهم",
        ] {
            let mut units = Units::default();
            collect(text, &mut units);
            assert!(units.view(text).is_none(), "{text}");
        }
    }
}
