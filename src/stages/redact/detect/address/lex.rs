//! Reads the words, numbers and breaks of a text one by one, forward and backward.
//!
//! Not here: what they mean together (`street`, `tail`).
//!
//! Always: a token is at most `TOKEN_MAX_BYTES` long, so reading a few costs a bounded time.

use super::words::{Class, Words};

const TOKEN_MAX_BYTES: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `12`, `5B`, `28-30`, `123-01`, `3/45`.
    Number,
    /// `5th`.
    Ordinal,
    Word,
    /// Letters and digits: `D134`, `SW1A`.
    Mixed,
    Comma,
    /// A line end with what decorates the next line (`> `, `??? `).
    Break,
    Hash,
    /// A full stop, a bracket, the end of the text: nothing an address runs across.
    Other,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) shape: Shape,
    pub(super) class: Class,
    /// Begins with an upper-case letter.
    pub(super) capital: bool,
}

impl Token {
    pub(super) fn is(&self, class: Class) -> bool {
        self.class.is(class)
    }

    pub(super) fn raw<'a>(&self, text: &'a str) -> &'a str {
        &text[self.start..self.end]
    }

    /// A word that may stand in a name: no function word, and capital or a link.
    pub(super) fn is_name(&self) -> bool {
        let link = self.is(Class::LINK);
        let word = self.shape == Shape::Word && (link || self.capital && !self.is(Class::STOP));
        word || self.shape == Shape::Ordinal
    }
}

/// The token at `at`, after spaces.
pub(super) fn next(text: &str, words: &Words, at: usize) -> Token {
    let bytes = text.as_bytes();
    let start = at + bytes[at..].iter().take(8).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let token = |len: usize, shape: Shape| Token { start, end: start + len, shape, class: Class::NONE, capital: false };
    match bytes.get(start) {
        Some(b',') => token(1, Shape::Comma),
        Some(b'#') => token(1, Shape::Hash),
        Some(b'\n' | b'\r') => token(line_break(&bytes[start..]), Shape::Break),
        // A line end in JSON that stands as text.
        Some(b'\\') if matches!(bytes.get(start + 1), Some(b'n' | b'r')) => {
            token(line_break(&bytes[start..]), Shape::Break)
        }
        Some(byte) if byte.is_ascii_digit() => number(text, start),
        Some(byte) if byte.is_ascii_alphabetic() || *byte >= 0x80 => word(text, words, start),
        _ => token(0, Shape::Other),
    }
}

/// How long a line end is with one empty line and the marks of quoted lines after it.
fn line_break(rest: &[u8]) -> usize {
    let (mut at, mut lines) = (0, 0);
    while at < TOKEN_MAX_BYTES {
        match rest.get(at) {
            Some(b'\n') if lines < 2 => lines += 1,
            Some(b'\\') if matches!(rest.get(at + 1), Some(b'n' | b'r')) && lines < 2 => {
                lines += usize::from(rest[at + 1] == b'n');
                at += 1;
            }
            Some(b'\r' | b' ' | b'\t' | b'>' | b'?' | b'|' | b'*') => {}
            _ => break,
        }
        at += 1;
    }
    at
}

fn number(text: &str, start: usize) -> Token {
    let bytes = text.as_bytes();
    let digits = |at: usize| bytes[at..].iter().take(12).take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = start + digits(start);
    if matches!(bytes.get(end), Some(b'-' | b'/')) && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end += 1 + digits(end + 1);
    }
    let letters = bytes[end..].iter().take(6).take_while(|byte| byte.is_ascii_alphanumeric() || **byte >= 0x80).count();
    let suffix = &bytes[end..end + letters];
    let is = |words: &[&str]| words.iter().any(|word| suffix.eq_ignore_ascii_case(word.as_bytes()));
    let shape = match suffix {
        [] | [b'A'..=b'Z' | b'a'..=b'z'] => Shape::Number,
        _ if is(&["bis", "ter"]) => Shape::Number,
        _ if is(&["st", "nd", "rd", "th"]) => Shape::Ordinal,
        _ => Shape::Mixed,
    };
    // Decimals, times and dates are no house numbers.
    let next = end + letters;
    let tied = matches!(bytes.get(next), Some(b'.' | b',' | b':' | b'/' | b'-'))
        && bytes.get(next + 1).is_some_and(u8::is_ascii_digit)
        || matches!(bytes.get(next), Some(b'%' | b'$' | b'_' | b'@'))
        || suffix.iter().any(|byte| !byte.is_ascii());
    let shape = if tied { Shape::Other } else { shape };
    // Not the bytes of a character that was cut.
    let end = if suffix.is_ascii() { next } else { end };
    Token { start, end, shape, class: Class::NONE, capital: false }
}

fn word(text: &str, words: &Words, start: usize) -> Token {
    let bytes = &text.as_bytes()[start..];
    // Most words: plain letters with a space or a comma behind.
    let plain = bytes.iter().take(TOKEN_MAX_BYTES).take_while(|byte| byte.is_ascii_alphabetic()).count();
    if plain > 1 && matches!(bytes.get(plain), None | Some(b' ' | b',' | b'\n')) {
        let class = words.class(&text[start..start + plain]);
        let capital = bytes[0].is_ascii_uppercase();
        return Token { start, end: start + plain, shape: Shape::Word, class, capital };
    }
    any_word(text, words, start)
}

fn any_word(text: &str, words: &Words, start: usize) -> Token {
    let rest = &text[start..];
    let (mut end, mut mixed) = (0, false);
    for (at, c) in rest.char_indices() {
        let next = rest[at + c.len_utf8()..].chars().next();
        let letter_next = next.is_some_and(char::is_alphabetic);
        let inside = match c {
            _ if c.is_alphabetic() => true,
            '0'..='9' => {
                mixed = true;
                true
            }
            '\u{300}'..='\u{36f}' => true,
            '\'' | '’' => at > 0 && letter_next,
            // `los-gatos`, `A-1`.
            '-' => at > 0 && (letter_next || at == 1 && next.is_some_and(|c| c.is_ascii_digit())),
            // `P.O.`, `N.E.`.
            '.' => end == at && letter_next && rest[..at].chars().rev().take_while(|c| *c != '.').count() == 1,
            _ => false,
        };
        if !inside || at > TOKEN_MAX_BYTES {
            break;
        }
        end = at + c.len_utf8();
    }
    let raw = &rest[..end];
    let class = if mixed { Class::NONE } else { words.class(raw) };
    let single = raw.chars().count() == 1 || raw.contains('.');
    if end > 0 && (class.is(Class::SHORT) || single) && rest[end..].starts_with('.') {
        end += 1;
    }
    let shape = match (end, mixed) {
        (0, _) => Shape::Other,
        (_, true) => Shape::Mixed,
        (_, false) => Shape::Word,
    };
    // Scripts without capitals count as capital.
    let capital = rest.chars().next().is_some_and(|c| !c.is_lowercase());
    Token { start, end: start + end, shape, class, capital }
}

/// How long the word or number at the end is.
fn word_len(head: &str) -> usize {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’' | '-' | '.' | '\u{300}'..='\u{36f}');
    let last = |len: &mut usize, c: char| {
        *len += c.len_utf8();
        (word(c) && *len <= TOKEN_MAX_BYTES).then_some(c.len_utf8())
    };
    head.chars().rev().scan(0, last).sum()
}

/// The same of most words, sooner; nothing where a letter beyond ASCII is met.
fn ascii_word_len(head: &[u8]) -> Option<usize> {
    let word = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'\'' | b'-' | b'.');
    let len = head.iter().rev().take(TOKEN_MAX_BYTES).take_while(word).count();
    let before = head.len().checked_sub(len + 1).map_or(b' ', |before| head[before]);
    (before.is_ascii() || len == TOKEN_MAX_BYTES).then_some(len)
}

/// The word or number that ends right before `at`, across one space (or a comma and a space).
pub(super) fn previous(text: &str, words: &Words, at: usize) -> Option<Token> {
    let head = &text[..at];
    let head = head.strip_suffix(' ').unwrap_or(head);
    let head = head.strip_suffix(',').unwrap_or(head);
    let len = ascii_word_len(head.as_bytes()).unwrap_or_else(|| word_len(head));
    let start = head.len() - len;
    let token = next(text, words, start);
    // The same token from both sides; else it is two things.
    (len > 0 && token.start == start && token.end == head.len()).then_some(token)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shapes(text: &str) -> Vec<(&str, Shape)> {
        let words = Words::new();
        let (mut at, mut found) = (0, Vec::new());
        loop {
            let token = next(text, &words, at);
            found.push((token.raw(text), token.shape));
            at = token.end;
            if token.shape == Shape::Other || at == text.len() {
                return found;
            }
        }
    }

    #[test]
    fn tokens() {
        use Shape::*;
        for (text, expected) in [
            ("12 Main St. #5", &[("12", Number), ("Main", Word), ("St.", Word), ("#", Hash), ("5", Number)][..]),
            ("5B 28bis 5th", &[("5B", Number), ("28bis", Number), ("5th", Ordinal)]),
            ("28-30 D134, x", &[("28-30", Number), ("D134", Mixed), (",", Comma), ("x", Word)]),
            ("P.O. Box\n> 7", &[("P.O.", Word), ("Box", Word), ("\n> ", Break), ("7", Number)]),
            ("l'Ouchy los-gatos.", &[("l'Ouchy", Word), ("los-gatos", Word), ("", Other)]),
            ("3.5", &[("3", Other)]),
            ("12:30", &[("12", Other)]),
            ("5é", &[("5", Other)]),
        ] {
            assert_eq!(shapes(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_says_what_the_long_one_does(head in "[a-cÉ’.' 0-9-]{0,50}") {
            let short = ascii_word_len(head.as_bytes());
            prop_assert!(short.is_none_or(|len| len == word_len(&head)), "{head:?}");
        }
    }

    #[test]
    fn words_before() {
        let words = Words::new();
        for (text, expected) in [
            ("Villacher Strasse ", Some("Strasse")),
            ("Apt. ", Some("Apt.")),
            ("ul. ", Some("ul.")),
            ("end. ", None),
            ("Calle Mayor, ", Some("Mayor")),
            ("(", None),
            ("", None),
        ] {
            assert_eq!(previous(text, &words, text.len()).map(|token| token.raw(text)), expected, "{text}");
        }
    }
}
