//! A search for some words over a whole text: vectorised where the processor can.
//!
//! Not here: which words, and what follows them.
//!
//! Always: the same hits either way, leftmost, the earlier in the table first.

use aho_corasick::packed::{self, Config, Searcher};
use aho_corasick::{AhoCorasick, MatchKind};

pub(super) enum Words {
    Packed(Searcher),
    Automaton(Box<AhoCorasick>),
}

impl Words {
    /// Up to 32 words share the fastest search; more than 64 have none.
    pub(super) fn new(words: &[&str]) -> Option<Words> {
        let packed = Config::new().match_kind(packed::MatchKind::LeftmostFirst).builder().extend(words).build();
        let automaton = || AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words).ok();
        packed.map(Words::Packed).or_else(|| automaton().map(|search| Words::Automaton(Box::new(search))))
    }

    /// Calls with the number of the word, its start and its end.
    pub(super) fn each(&self, text: &str, mut hit: impl FnMut(usize, usize, usize)) {
        let mut call = |at: aho_corasick::Match| hit(at.pattern().as_usize(), at.start(), at.end());
        match self {
            Words::Packed(search) => search.find_iter(text).for_each(&mut call),
            Words::Automaton(search) => search.find_iter(text).for_each(&mut call),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_find_the_same() {
        let words = ["pass", "password", "key", "://"];
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words).unwrap();
        let text = "a password, keys, passkey://x".repeat(20);
        let hits = |search: &Words| {
            let mut hits = Vec::new();
            search.each(&text, |word, start, end| hits.push((word, start, end)));
            hits
        };
        let plain = hits(&Words::Automaton(Box::new(automaton)));
        assert_eq!(hits(&Words::new(&words).unwrap()), plain);
        assert_eq!(plain.len(), 100);
    }
}
