//! What stands beside a candidate: letters glued to it, words that tell what it is.
//!
//! Not here: any rule about one kind.
//!
//! Always: cost is bounded by the window asked for, whatever the text.

/// The last character before `at`, if any.
pub(super) fn before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back()
}

pub(super) fn after(text: &str, at: usize) -> Option<char> {
    text[at..].chars().next()
}

/// Scripts written without spaces, or with particles glued on: `010-1234-5678입니다`.
pub(super) fn is_cjk(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

fn is_word(c: char) -> bool {
    // The table says so of spaces, dashes and marks, too, but slowly.
    let sign = matches!(c, '\u{2000}'..='\u{206f}');
    c == '_' || (!sign && c.is_alphanumeric() && !is_cjk(c))
}

/// A word runs into the candidate from the left. The letter of a JSON escape (`\n2025550173` in
/// JSON that stands as text) is not a word.
pub(super) fn glued_before(text: &str, at: usize) -> bool {
    before(text, at).is_some_and(is_word) && !escape_before(text, at)
}

pub(super) fn glued_after(text: &str, at: usize) -> bool {
    after(text, at).is_some_and(is_word)
}

/// The byte before `at` is the letter of `\n`, `\t` or `\r`.
pub(super) fn escape_before(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    at >= 2 && bytes[at - 2] == b'\\' && matches!(bytes[at - 1], b'n' | b't' | b'r')
}

/// One of `words` (lower case) begins a word within `window_bytes` before `at`.
pub(super) fn said_before(text: &str, at: usize, window_bytes: usize, words: &[&str]) -> bool {
    said_last(text, at, window_bytes, words).is_some()
}

/// Where the last of these words begins.
pub(super) fn said_last(text: &str, at: usize, window_bytes: usize, words: &[&str]) -> Option<usize> {
    let bytes = &text.as_bytes()[..at];
    (at.saturating_sub(window_bytes)..at).rev().find(|&place| {
        // Words are compared only where a word begins: a table of numbers costs next to nothing.
        let letter = bytes[place].is_ascii_alphabetic() || !bytes[place].is_ascii();
        letter
            && !(place > 0 && bytes[place - 1].is_ascii_alphabetic())
            && !(bytes[place].is_ascii() && latin_before(text, place))
            && words.iter().any(|word| {
                let first = word.as_bytes().first().is_some_and(|first| first.eq_ignore_ascii_case(&bytes[place]));
                first
                    && bytes[place..].get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
            })
    })
}

/// An accented Latin letter stands before: "tel" does not begin a word in "hôtel", but it does
/// behind Han or Hangul.
fn latin_before(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_some_and(|c| matches!(c, '\u{c0}'..='\u{24f}'))
}

/// Enough different bytes to be a random value and not a placeholder (`xxxxxxxx`, `000…0`).
pub(super) fn varied(value: &[u8], at_least: u32) -> bool {
    let mut seen = [0u64; 4];
    for byte in value {
        seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }
    seen.iter().map(|word| word.count_ones()).sum::<u32>() >= at_least
}
