//! Near copies: one inner word of one long user message replaced, and the proof that the two
//! sides stay alike.
//!
//! Always: nothing but that one word differs, it is no number, and both sides are long enough for
//! the Jaccard index of their word 3-grams to be at least `MIN_JACCARD`, or the corpus fails.

use std::collections::HashSet;

use crate::chance::Chance;
use crate::chat::Chat;
use crate::words::Vocabulary;

pub const MIN_JACCARD: f64 = 0.85;
pub const MIN_SIDE_WORDS: usize = 60;

/// Lower-case runs of alphanumeric characters.
pub fn tokens(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

pub fn jaccard(a: &[String], b: &[String]) -> f64 {
    let (a, b): (HashSet<&[String]>, HashSet<&[String]>) = (a.windows(3).collect(), b.windows(3).collect());
    let shared = a.intersection(&b).count();
    shared as f64 / (a.len() + b.len() - shared).max(1) as f64
}

pub fn side(chat: &Chat, assistant: bool) -> Vec<String> {
    chat.turns.iter().flat_map(|turn| tokens(if assistant { &turn.answer } else { &turn.user })).collect()
}

pub fn replace_one_word(chat: &mut Chat, chance: Chance, words: &Vocabulary) -> Result<(), String> {
    let before = side(chat, false);
    let Some(longest) = chat.turns.iter_mut().map(|turn| &mut turn.user).max_by_key(|user| user.len()) else {
        return Err("a near copy of an empty conversation".into());
    };
    let spans = plain_words(longest);
    if spans.len() < 8 {
        return Err("a near copy of a message with too few words".into());
    }
    let (start, end) = chance.choose(0, &spans[3..spans.len() - 3]);
    let old = &longest[start..end];
    let new = (1u64..)
        .map(|n| chance.pick(n, &words.adjectives))
        .find(|word| !word.eq_ignore_ascii_case(old))
        .ok_or("no other word")?;
    longest.replace_range(start..end, new);
    check(&before, &side(chat, false), side(chat, true).len())
}

fn check(before: &[String], after: &[String], answer_words: usize) -> Result<(), String> {
    let likeness = jaccard(before, after);
    let long = before.len() >= MIN_SIDE_WORDS && answer_words >= MIN_SIDE_WORDS;
    match long && likeness >= MIN_JACCARD && before != after {
        true => Ok(()),
        false => Err(format!("a near copy with a Jaccard index of {likeness} on {} words", before.len())),
    }
}

/// Byte spans of words of ASCII letters only.
fn plain_words(text: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut start = 0;
    for piece in text.split(|c: char| !c.is_alphanumeric()) {
        if piece.len() >= 3 && piece.bytes().all(|b| b.is_ascii_alphabetic()) {
            spans.push((start, start + piece.len()));
        }
        // What divides words in these texts may be longer than a byte.
        let end = start + piece.len();
        start = end + text[end..].chars().next().map_or(0, char::len_utf8);
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_whole_words() {
        let text = "Größe ist gut。Then go, fast-moving x9z";
        let words: Vec<&str> = plain_words(text).into_iter().map(|(a, b)| &text[a..b]).collect();
        assert_eq!(words, ["ist", "gut", "Then", "fast", "moving"]);
    }

    #[test]
    fn jaccard_of_known_texts() {
        let (a, b) = (tokens("A b c, d"), tokens("a B c e"));
        assert_eq!(jaccard(&a, &a), 1.0);
        assert!((jaccard(&a, &b) - 1.0 / 3.0).abs() < 1e-9);
    }
}
