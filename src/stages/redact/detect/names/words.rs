//! Cuts a text into words and signs, with what can be seen of each at a glance: its shape, a hash
//! of its lower-case spelling, what the lexicon knows of it.
//!
//! Not here: what a word means in its place (`features`, `crf`).
//!
//! Always: words lie inside the text on character boundaries, in order; one pass, cost linear in
//! the bytes; the same cut at training and at use, as both call this.

use super::lexicon::{Entry, Lexicon};
use crate::eight;
use crate::stages::redact::detect::edge::is_cjk;
use crate::stages::redact::pseudonym;

/// How a word or sign looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Shape {
    /// The end of a line, or of the text; rows of them count as one.
    Line,
    Lower,
    Title,
    /// Two capitals or more and nothing else.
    Upper,
    /// One capital, its stop taken along: `J.`
    Initial,
    /// Begins with a capital and holds another: `McDonald`, `GitHub`.
    Camel,
    /// A word with digits, underscores, or an inner capital: rather an identifier than a word.
    Code,
    Number,
    /// `.`, `!`, `?`, `:`
    Stop,
    Sign,
    /// A handle, an e-mail address, a URL: taken whole, never a name.
    Opaque,
    /// Letters without case.
    Caseless,
}

#[derive(Clone, Copy, Debug)]
pub struct Word {
    pub start: u32,
    pub end: u32,
    pub hash: u64,
    pub entry: Entry,
    pub shape: Shape,
}

impl Word {
    /// Stands before the first and after the last word.
    pub const EDGE: Word = Word { start: 0, end: 0, hash: 1, entry: Entry::NONE, shape: Shape::Line };

    /// A list may have it.
    fn is_listed(&self) -> bool {
        matches!(self.shape, Shape::Lower | Shape::Title | Shape::Upper | Shape::Camel)
    }

    /// A full stop right behind that word.
    pub fn is_dot_behind(&self, before: &Word) -> bool {
        self.hash == sign_hash(b'.') && self.start == before.end
    }

    pub fn is_capital(&self) -> bool {
        matches!(self.shape, Shape::Title | Shape::Upper | Shape::Initial | Shape::Camel)
    }
}

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
const LOWER_CASE: u64 = 0x2020_2020_2020_2020;

/// A hash of the lower-case spelling. The bit that parts `A` from `a` parts `É` from `é` in UTF-8
/// too; other letters keep their case, so that `Č` and `č` are two words, which costs little.
pub fn hash(text: &[u8], start: usize, end: usize) -> u64 {
    let (mut hash, mut at) = (0u64, start);
    while at < end {
        let left = end - at;
        let chunk = eight::first(&text[at..]);
        let mask = if left >= 8 { u64::MAX } else { (1 << (8 * left)) - 1 };
        hash = mixed(hash, (chunk | LOWER_CASE) & mask);
        at += 8;
    }
    hash
}

#[inline]
fn mixed(hash: u64, letters: u64) -> u64 {
    let hash = (hash.rotate_left(29) ^ letters).wrapping_mul(MULTIPLIER);
    hash ^ hash >> 32
}

/// How many of eight bytes are small letters, before the first that is none. The first byte lies lowest.
#[inline]
fn small_letters(eight: u64) -> usize {
    (!eight::small_letters(eight) & eight::HIGH).trailing_zeros() as usize / 8
}

/// The hash of a word given as such.
pub fn hash_of(word: &str) -> u64 {
    hash(word.as_bytes(), 0, word.len())
}

/// The hash of a sign.
pub fn sign_hash(sign: u8) -> u64 {
    u64::from(sign).wrapping_mul(MULTIPLIER)
}

/// Words whose stop belongs to them.
const ABBREVIATED: [&[u8]; 18] = [
    b"Jr", b"Sr", b"Mr", b"Mrs", b"Ms", b"Dr", b"Prof", b"St", b"Gen", b"Col", b"Lt", b"Sgt", b"Capt", b"Rev", b"Hon",
    b"Sen", b"Gov", b"Sra",
];

/// What a byte may be, before it is looked at closely.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Lower,
    Upper,
    Digit,
    Underscore,
    Space,
    Line,
    Sign,
    High,
}

const CLASSES: [Class; 256] = {
    let (mut classes, mut byte) = ([Class::Sign; 256], 0);
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            b'_' => Class::Underscore,
            b'\n' | b'\r' => Class::Line,
            0..=b' ' => Class::Space,
            0x80.. => Class::High,
            _ => Class::Sign,
        };
        byte += 1;
    }
    classes
};

impl Class {
    #[inline]
    pub(super) fn of(byte: u8) -> Class {
        CLASSES[usize::from(byte)]
    }
}

/// The words of a text, one after the other.
pub struct Words<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    lexicon: &'a Lexicon,
}

/// Spaces, dashes and quotes; the table of letters says so, too, but slowly.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{2000}'..='\u{206f}')
}

/// What was seen while walking over a word.
#[derive(Default)]
struct Seen {
    first_upper: bool,
    uppers: u32,
    lowers: u32,
    digits: u32,
    caseless: u32,
    underscore: bool,
}

impl<'a> Words<'a> {
    pub fn new(text: &'a str, lexicon: &'a Lexicon) -> Words<'a> {
        Words { text, bytes: text.as_bytes(), at: 0, lexicon }
    }

    /// Puts words in `out` until it holds `enough` or the text ends; false when it has ended.
    pub fn read(&mut self, out: &mut Vec<Word>, enough: usize) -> bool {
        let known = out.len();
        let more = self.cut(out, enough);
        self.look_up(&mut out[known..]);
        more
    }

    /// Memory is asked for many words before any is looked at, so that one waits while another comes.
    fn look_up(&self, words: &mut [Word]) {
        for words in words.chunks_mut(32) {
            let touched = words.iter().fold(0, |all, word| all ^ self.lexicon.touch(word.hash));
            std::hint::black_box(touched);
            for word in words.iter_mut().filter(|word| word.is_listed()) {
                word.entry = self.lexicon.entry(word.hash);
            }
        }
    }

    /// As [`Words::read`], with nothing known of the words.
    fn cut(&mut self, out: &mut Vec<Word>, enough: usize) -> bool {
        while out.len() < enough {
            let Some(byte) = self.bytes.get(self.at) else { return false };
            match CLASSES[usize::from(*byte)] {
                Class::Space => self.at += 1,
                Class::Line => self.line(out),
                Class::Sign => self.sign(*byte, out),
                Class::High => self.high(out),
                _ => self.word(out),
            }
        }
        true
    }

    fn line(&mut self, out: &mut Vec<Word>) {
        let start = self.at;
        self.at += 1;
        match out.last_mut() {
            Some(last) if last.shape == Shape::Line => last.end = self.at as u32,
            _ => out.push(Word { start: start as u32, end: self.at as u32, ..Word::EDGE }),
        }
    }

    fn sign(&mut self, byte: u8, out: &mut Vec<Word>) {
        let start = self.at;
        let next = self.bytes.get(start + 1).copied().unwrap_or(b' ');
        match byte {
            b'@' if next.is_ascii_alphanumeric() || next == b'_' => return self.opaque(out, start),
            b'\'' if next.is_ascii_alphabetic() && self.clitic(start + 1) => {
                let len = self.bytes[start + 1..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
                return self.push(out, start, start + 1 + len, 0, Shape::Lower);
            }
            // What stands in place of a value, whole: a sign like its first.
            b'[' if let Some((_, end)) = pseudonym::token_at(self.text, start) => self.at = end - 1,
            // The letter of an escape in JSON that stands as text: `\nJane`.
            b'\\' if matches!(next, b'n' | b'r' | b't') => {
                self.at += 2;
                if out.last().is_none_or(|last| last.shape != Shape::Line) {
                    out.push(Word { start: start as u32, end: self.at as u32, ..Word::EDGE });
                }
                return;
            }
            _ => {}
        }
        let shape = if matches!(byte, b'.' | b'!' | b'?' | b':') { Shape::Stop } else { Shape::Sign };
        self.at += 1;
        let hash = sign_hash(byte);
        out.push(Word { start: start as u32, end: self.at as u32, hash, entry: Entry::NONE, shape });
    }

    /// `'s`, `'ll` and the like, as opposed to a quoted word.
    fn clitic(&self, at: usize) -> bool {
        let rest = &self.bytes[at..];
        let len = rest.iter().take(3).take_while(|byte| byte.is_ascii_alphabetic()).count();
        match len {
            1 => matches!(rest[0] | 0x20, b's' | b'm' | b't' | b'd'),
            2 => matches!([rest[0] | 0x20, rest[1] | 0x20], [b'l', b'l'] | [b'r', b'e'] | [b'v', b'e']),
            _ => false,
        }
    }

    fn high(&mut self, out: &mut Vec<Word>) {
        let start = self.at;
        let Some(c) = self.text[start..].chars().next() else { return };
        if !is_mark(c) && c.is_alphabetic() && !is_cjk(c) {
            return self.word(out);
        }
        self.at += c.len_utf8();
        let hidden = c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}' | '\u{fe0f}');
        if !hidden {
            let hash = u64::from(u32::from(c)).wrapping_mul(MULTIPLIER);
            let (shape, entry) = (if is_cjk(c) { Shape::Caseless } else { Shape::Sign }, Entry::NONE);
            out.push(Word { start: start as u32, end: self.at as u32, hash, entry, shape });
        }
    }

    fn word(&mut self, out: &mut Vec<Word>) {
        let start = self.at;
        if let Some((end, shape, hash)) = self.plain(start) {
            self.at = end;
            return out.push(Word { start: start as u32, end: end as u32, hash, entry: Entry::NONE, shape });
        }
        match self.any(start) {
            Some((end, stop, shape)) => self.push(out, start, end, stop, shape),
            None => self.opaque(out, start),
        }
    }

    /// Where the word at `start` ends, how many bytes of a stop belong to it, and its shape; nothing
    /// for an address or a URL.
    fn any(&self, start: usize) -> Option<(usize, usize, Shape)> {
        let mut seen = Seen::default();
        let end = self.walk(start, &mut seen);
        let bytes = self.bytes;
        let next = bytes.get(end).copied().unwrap_or(b' ');
        let after = bytes.get(end + 1).copied().unwrap_or(b' ');
        if (next == b'@' && after.is_ascii_alphanumeric())
            || (next == b':' && after == b'/')
            || begins_url(bytes, start)
        {
            return None;
        }
        let shape = match seen {
            Seen { underscore: true, .. } => Shape::Code,
            Seen { digits: 1.., uppers: 0, lowers: 0, caseless: 0, .. } => Shape::Number,
            Seen { digits: 1.., .. } => Shape::Code,
            Seen { uppers: 0, lowers: 0, .. } => Shape::Caseless,
            Seen { uppers: 0, .. } => Shape::Lower,
            Seen { first_upper: false, .. } => Shape::Code,
            Seen { uppers: 1, lowers: 0, .. } => Shape::Initial,
            Seen { lowers: 0, .. } => Shape::Upper,
            Seen { uppers: 1, .. } => Shape::Title,
            // `Jean-Pierre` and `O'Brien` are written like two words.
            _ if bytes[start..end].iter().any(|byte| matches!(byte, b'-' | b'\'')) => Shape::Title,
            _ => Shape::Camel,
        };
        let short = shape == Shape::Title && end - start < 5 && ABBREVIATED.contains(&&bytes[start..end]);
        let stop = usize::from(next == b'.' && (short || shape == Shape::Initial));
        Some((end, stop, shape))
    }

    /// Most words: ASCII letters of which at most the first is a capital, with nothing behind that
    /// could belong to them. The same as [`Words::any`] says, only sooner.
    #[inline]
    fn plain(&self, start: usize) -> Option<(usize, Shape, u64)> {
        let rest = &self.bytes[start..];
        // Most are shorter than eight letters, and one look at as many bytes says all of them.
        let first = rest.first_chunk().map(|eight| u64::from_le_bytes(*eight));
        let short = first.map(|eight| (eight, small_letters(eight | 0x20))).filter(|(_, len)| *len < 8);
        let (len, next, hash) = match short {
            Some((eight, len)) => {
                (len, (eight >> (8 * len)) as u8, mixed(0, (eight | LOWER_CASE) & !(u64::MAX << (8 * len))))
            }
            None => {
                let small = rest[1..].iter().position(|byte| !byte.is_ascii_lowercase());
                let len = small.map_or(rest.len(), |small| 1 + small);
                (len, rest.get(len).copied().unwrap_or(b' '), hash(self.bytes, start, start + len))
            }
        };
        let end = start + len;
        let ends = matches!(next, b' ' | b',' | b'?' | b'!' | b'\n' | b';' | b')' | b'"');
        let stops = next == b'.' && self.bytes[start] >= b'a' && self.bytes[start] != b'w';
        let shape = match CLASSES[usize::from(self.bytes[start])] {
            Class::Lower => Shape::Lower,
            Class::Upper if end - start > 1 => Shape::Title,
            _ => return None,
        };
        (ends || stops).then_some((end, shape, hash))
    }

    /// The byte after the word that begins at `at`.
    fn walk(&self, mut at: usize, seen: &mut Seen) -> usize {
        let begin = at;
        while let Some(byte) = self.bytes.get(at) {
            match CLASSES[usize::from(*byte)] {
                Class::Lower => seen.lowers += 1,
                Class::Upper => {
                    seen.uppers += 1;
                    seen.first_upper |= at == begin;
                }
                Class::Digit => seen.digits += 1,
                Class::Underscore => seen.underscore = true,
                Class::High => {
                    let Some(c) = self.text[at..].chars().next() else { return at };
                    if c == '\u{2019}' && at > begin && self.joins(at + 3) {
                        at += 3;
                        continue;
                    }
                    if is_mark(c) || !c.is_alphanumeric() && !matches!(c, '\u{300}'..='\u{36f}') || is_cjk(c) {
                        return at;
                    }
                    match (c.is_uppercase(), c.is_lowercase()) {
                        (true, _) => {
                            seen.uppers += 1;
                            seen.first_upper |= at == begin;
                        }
                        (_, true) => seen.lowers += 1,
                        _ => seen.caseless += 1,
                    }
                    at += c.len_utf8() - 1;
                }
                Class::Sign if matches!(byte, b'\'' | b'-') && at > begin && self.joins(at + 1) => {}
                _ => return at,
            }
            at += 1;
        }
        at
    }

    /// What stands at `at`, behind an apostrophe or hyphen inside a word, goes on with the word.
    fn joins(&self, at: usize) -> bool {
        let letter = self.bytes.get(at).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte >= 0xc3 && *byte < 0xe0);
        // The `s` of a genitive stands alone.
        let alone = !self.bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric);
        letter && !(alone && self.bytes[at].eq_ignore_ascii_case(&b's'))
    }

    fn opaque(&mut self, out: &mut Vec<Word>, start: usize) {
        let rest = &self.bytes[start..];
        let stops = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'<' | b'>' | b'\\' | b')' | b',');
        // Handles end where their letters end; addresses and URLs at a space.
        let len = match rest[0] {
            b'@' => 1 + rest[1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count(),
            _ => rest.iter().position(stops).unwrap_or(rest.len()),
        };
        self.at = start + len;
        out.push(Word { start: start as u32, end: self.at as u32, hash: 2, entry: Entry::NONE, shape: Shape::Opaque });
    }

    fn push(&mut self, out: &mut Vec<Word>, start: usize, letters: usize, stop: usize, shape: Shape) {
        let end = letters + stop;
        self.at = end;
        let hash = match shape {
            Shape::Number => 3 + (end - start).min(8) as u64,
            _ => hash(self.bytes, start, letters),
        };
        out.push(Word { start: start as u32, end: end as u32, hash, entry: Entry::NONE, shape });
    }
}

fn begins_url(bytes: &[u8], start: usize) -> bool {
    bytes[start] | 0x20 == b'w' && bytes.get(start..start + 4).is_some_and(|four| four.eq_ignore_ascii_case(b"www."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<(&str, Shape)> {
        let (lexicon, mut words) = (Lexicon::default(), Vec::new());
        assert!(!Words::new(text, &lexicon).read(&mut words, usize::MAX));
        words.iter().map(|word| (&text[word.start as usize..word.end as usize], word.shape)).collect()
    }

    #[test]
    fn words_are_cut_and_shaped() {
        use Shape::*;
        let cases: [(&str, &[(&str, Shape)]); 9] = [
            (
                "Jean-Pierre O'Brien's cat.",
                &[("Jean-Pierre", Title), ("O'Brien", Title), ("'s", Lower), ("cat", Lower), (".", Stop)],
            ),
            ("J. R. McDonald", &[("J.", Initial), ("R.", Initial), ("McDonald", Camel)]),
            ("I don't", &[("I", Initial), ("don't", Lower)]),
            (
                "@jane jane@example.com https://x.y/Jane",
                &[("@jane", Opaque), ("jane@example.com", Opaque), ("https://x.y/Jane", Opaque)],
            ),
            ("get_name v2 42 iPhone", &[("get_name", Code), ("v2", Code), ("42", Number), ("iPhone", Code)]),
            (
                "a\n\n\nÉlodie\\nŠárka",
                &[("a", Lower), ("\n\n\n", Line), ("Élodie", Title), ("\\n", Line), ("Šárka", Title)],
            ),
            ("NASA 'quoted' d’Arc", &[("NASA", Upper), ("'", Sign), ("quoted", Lower), ("'", Sign), ("d’Arc", Code)]),
            ("山田Jane", &[("山", Caseless), ("田", Caseless), ("Jane", Title)]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(cut(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_says_what_the_long_one_does(text in "[a-cwA-CÉß0.,:;@'\\-_/ \n\"?)]{0,24}") {
            let lexicon = Lexicon::default();
            let words = Words::new(&text, &lexicon);
            for start in (0..text.len()).filter(|at| text.as_bytes()[*at].is_ascii_alphabetic()) {
                let Some((end, shape, short)) = words.plain(start) else { continue };
                prop_assert_eq!(Some((end, 0, shape)), words.any(start), "{:?} {}", text, start);
                prop_assert_eq!(short, hash(text.as_bytes(), start, end));
            }
        }
    }

    #[test]
    fn the_hash_knows_no_case_and_no_neighbours() {
        assert_eq!(hash_of("Élodie"), hash_of("élodie"));
        assert_eq!(hash_of("MARGARET-ANNE"), hash_of("margaret-anne"));
        assert_eq!(hash(b"xx jane yy zz aa", 3, 7), hash_of("jane"));
        assert_ne!(hash_of("jane"), hash_of("jan"));
    }
}
