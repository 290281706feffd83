//! Which signs occur in a text, seen in one pass over its bytes: most searches need not begin.
//!
//! Not here: where they stand (whoever needs one looks for it).
//!
//! Always: a glance says no only of what does not occur; one look into a small table a byte. Tokens
//! count as words: nothing is found in one.

use std::ops::Range;

use super::pseudonym;

/// The shortest row of letters and digits that is a key without a name of its own.
const ROW_BYTES: usize = 15;

/// Signs, a bit each. Letters, spaces, commas and apostrophes have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Glance(u32);

pub(super) const DIGIT: u32 = 1;
/// Not ASCII.
pub(super) const HIGH: u32 = 1 << 1;
pub(super) const LINE: u32 = 1 << 2;
pub(super) const DOT: u32 = 1 << 3;
/// `?` and `!`.
pub(super) const CALL: u32 = 1 << 4;
pub(super) const AT: u32 = 1 << 5;
pub(super) const COLON: u32 = 1 << 6;
pub(super) const EQUALS: u32 = 1 << 7;
pub(super) const HYPHEN: u32 = 1 << 8;
pub(super) const SLASH: u32 = 1 << 9;
pub(super) const DOLLAR: u32 = 1 << 10;
pub(super) const LESS: u32 = 1 << 11;
/// `%`, `&` and `\`.
pub(super) const ESCAPE: u32 = 1 << 12;
/// `"` and the backtick.
pub(super) const QUOTE: u32 = 1 << 13;
/// `(` and `)`.
pub(super) const ROUND: u32 = 1 << 14;
/// `[`, with which what `pseudonym` wrote begins.
pub(super) const BRACKET: u32 = 1 << 15;
pub(super) const OTHER: u32 = 1 << 16;

const SIGNS: [u32; 256] = {
    let (mut signs, mut byte) = ([OTHER; 256], 0);
    while byte < 256 {
        signs[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b' ' | b',' | b'\'' => 0,
            b'0'..=b'9' => DIGIT,
            0x80.. => HIGH,
            b'\n' => LINE,
            b'.' => DOT,
            b'?' | b'!' => CALL,
            b'@' => AT,
            b':' => COLON,
            b'=' => EQUALS,
            b'-' => HYPHEN,
            b'/' => SLASH,
            b'$' => DOLLAR,
            b'<' => LESS,
            b'%' | b'&' | b'\\' => ESCAPE,
            b'"' | b'`' => QUOTE,
            b'(' | b')' => ROUND,
            b'[' => BRACKET,
            _ => OTHER,
        };
        byte += 1;
    }
    signs
};

impl Glance {
    pub(super) fn of(text: &str) -> Glance {
        let all = Glance::of_bytes(text.as_bytes());
        if !all.has(BRACKET) {
            return all;
        }
        let (mut outside, mut from) = (0, 0);
        for (_, start, end) in pseudonym::tokens(text) {
            outside |= Glance::of_bytes(&text.as_bytes()[from..start]).0;
            from = end;
        }
        Glance(outside | Glance::of_bytes(&text.as_bytes()[from..]).0)
    }

    /// The same where tokens are signs like others.
    pub(super) fn of_bytes(bytes: &[u8]) -> Glance {
        let of = |byte: u8| SIGNS[usize::from(byte)];
        let (eights, rest) = bytes.as_chunks::<8>();
        // Two rows of additions that need not wait for each other.
        let both = eights.iter().fold((0, 0), |(even, odd), [a, b, c, d, e, f, g, h]| {
            (even | of(*a) | of(*c) | of(*e) | of(*g), odd | of(*b) | of(*d) | of(*f) | of(*h))
        });
        Glance(rest.iter().fold(both.0 | both.1, |all, byte| all | of(*byte)))
    }

    /// Plain words: letters, spaces and the signs that end phrases, and no word as long as a key. Most
    /// sentences of a chat are, and hold no number, no address and no secret; a name or a user name
    /// they may hold. `text` is the one that was glanced at.
    pub(super) fn is_quiet(self, text: &str) -> bool {
        let bytes = text.as_bytes();
        // `horse-battery!staple` is loud.
        let ends = |at: usize| !bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic);
        self.has_only(LINE | DOT | CALL)
            && (!self.has(DOT | CALL) || memchr::memchr3_iter(b'.', b'?', b'!', bytes).all(ends))
            && !holds_row(bytes)
    }

    /// One of these signs occurs.
    pub(super) fn has(self, signs: u32) -> bool {
        self.0 & signs != 0
    }

    /// No sign occurs but these.
    pub(super) fn has_only(self, signs: u32) -> bool {
        self.0 & !signs == 0
    }
}

/// A word as long as the shortest keys: of 16 letters and digits by chance, 6 of 100 hold no digit.
fn holds_row(bytes: &[u8]) -> bool {
    long_rows(bytes, |byte| byte.is_ascii_alphabetic()).next().is_some()
}

/// The rows of at least [`ROW_BYTES`] that hold such bytes only.
pub(super) fn long_rows(bytes: &[u8], in_row: impl Fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> {
    let (mut at, mut free) = (ROW_BYTES - 1, 0);
    std::iter::from_fn(move || {
        // A row that long has a byte at every such place.
        while at < bytes.len() {
            if !in_row(bytes[at]) {
                at += ROW_BYTES;
                continue;
            }
            let start = at - bytes[free..at].iter().rev().take_while(|byte| in_row(**byte)).count();
            let end = at + bytes[at..].iter().take_while(|byte| in_row(**byte)).count();
            (free, at) = (end, end + ROW_BYTES);
            if end - start >= ROW_BYTES {
                return Some(start..end);
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_seen_in_every_place() {
        for len in 0..40 {
            for at in 0..len {
                let mut text = "x".repeat(len);
                assert!(Glance::of(&text).has_only(0));
                text.replace_range(at..=at, "7");
                assert_eq!(Glance::of(&text), Glance(DIGIT));
            }
        }
        assert_eq!(Glance::of("mail [EMAIL:k7f3a9q2] or [CARD] [x"), Glance(BRACKET));
        assert_eq!(Glance::of("It's é, a@b.c\n"), Glance(HIGH | AT | DOT | LINE));
    }

    #[test]
    fn quiet_texts() {
        for (text, quiet) in [
            ("", true),
            ("I'd like that, please! Is it far?\nNo.", true),
            ("at 5", false),
            ("a@b", false),
            ("the password is sun!flower", false),
            ("it is correct-horse", false),
            ("caf\u{e9}", false),
            ("wait...", true),
            ("example.com", false),
            ("send Bearer qXzRtYwPlMqXzRt with it", false),
            ("send Bearer qXzRtYwPlMqXzR with it", true),
            ("mail [EMAIL:k7f3a9q2] with Bearer qXzRtYwPlMqXzRtYwPlM", false),
        ] {
            let padded = format!("{}{text}", "a ".repeat(50));
            for text in [text, &padded, &format!("{text} {padded}")] {
                assert_eq!(Glance::of(text).is_quiet(text), quiet, "{text}");
            }
        }
    }
}
