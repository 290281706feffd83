//! Where texts may be cut, and where words end.
//!
//! Always: places lie on character boundaries; the work is linear.

use std::ops::Range;

/// The length of the first piece of a text, at most `most` bytes (4 or more): to the end of a line,
/// else of a word, else of a character.
pub fn piece(text: &str, most: usize) -> usize {
    if text.len() <= most {
        return text.len();
    }
    let end = text.floor_char_boundary(most);
    let space = |is: fn(char) -> bool| {
        let last = text[..end].char_indices().rev().find(|(_, c)| is(*c));
        last.map(|(at, c)| at + c.len_utf8())
    };
    space(|c| c == '\n').or_else(|| space(char::is_whitespace)).unwrap_or(end)
}

/// The words that a place lies in, without space and signs around them; `least` is where it may
/// begin. Nothing is left of a place that holds no letter or digit.
pub fn whole(text: &str, place: Range<usize>, least: usize) -> Option<Range<usize>> {
    // Tokens of bytes may begin and end within a character.
    let mut start = text.floor_char_boundary(place.start).max(least);
    let mut end = (place.end <= text.len()).then(|| text.ceil_char_boundary(place.end))?;
    let inside = text.get(start..end)?;
    start += inside.len() - inside.trim_start_matches(is_around).len();
    end -= inside.len() - inside.trim_end_matches(is_around).len();
    if start >= end || !text[start..end].contains(char::is_alphanumeric) {
        return None;
    }
    if text[start..].starts_with(is_of_word) {
        let before = text[least..start].chars().rev().take_while(|c| is_of_word(*c));
        start -= before.map(char::len_utf8).sum::<usize>();
    }
    if text[..end].ends_with(is_of_word) {
        end += text[end..].chars().take_while(|c| is_of_word(*c)).map(char::len_utf8).sum::<usize>();
    }
    Some(start..end)
}

/// What may stand around a value and is no part of one.
fn is_around(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '"' | '\'' | '“' | '”' | '‘' | '’' | '«' | '»' | '<' | '>' | ',' | ';' | ':')
}

/// Letters and digits of scripts that put spaces between words. In Thai, Khmer, Chinese and
/// Japanese a word ends where the model says; in Korean particles are glued to a name.
fn is_of_word(c: char) -> bool {
    let unspaced = matches!(
        c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
    );
    c.is_alphanumeric() && !unspaced
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pieces_end_where_lines_or_words_do() {
        for (text, most, expected) in [
            ("short", 10, 5),
            ("one\ntwo three", 10, 4),
            ("one two three", 10, 8),
            ("éééééééé", 5, 4),
            ("abcdefgh", 4, 4),
        ] {
            assert_eq!(piece(text, most), expected, "{text}");
        }
    }

    #[test]
    fn a_place_takes_its_words_whole() {
        for (text, part, expected) in [
            ("say Karen now", "are", Some("Karen")),
            ("say «Karen», now", " «Karen»,", Some("Karen")),
            ("(202) 555-0173", "202) 555-01", Some("202) 555-0173")),
            ("jane@corp.example", "jane@corp.ex", Some("jane@corp.example")),
            ("田中さんは", "田中", Some("田中")),
            ("김민수입니다", "김민수", Some("김민수")),
            ("a - b", " - ", None),
        ] {
            let at = text.find(part).unwrap();
            assert_eq!(whole(text, at..at + part.len(), 0).map(|place| &text[place]), expected, "{text}");
        }
        assert_eq!(whole("KarenMiller", 6..8, 5), Some(5..11));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn places_are_those_of_characters(text in "\\PC{0,12}", from in 0..40usize, bytes in 1..9usize, least in 0..3usize) {
            let least = (0..=least.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let place = from.min(text.len())..(from + bytes).min(text.len());
            if let Some(place) = whole(&text, place, least) {
                prop_assert!(place.start >= least && text.get(place).is_some_and(|value| !value.is_empty()));
            }
        }

        #[test]
        fn pieces_are_the_text(text in "[a é\n日🙂]{0,60}", most in 4..20usize) {
            let mut from = 0;
            while from < text.len() {
                let bytes = piece(&text[from..], most);
                prop_assert!(bytes > 0 && bytes <= most);
                from += bytes;
            }
        }
    }
}
