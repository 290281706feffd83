//! Names that were found in one message, wherever they stand in the conversation: in the others, and
//! parts of them in the same.
//!
//! Not here: finding names (`detect::names`), the whole name in the same text (`text`).
//!
//! Always: only names that the model is sure of, and that are no common words as well; as words of
//! their own, outside of tokens and of what was found before; one pass over each text for every few
//! names, or for all of many.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::detect::{Span, names, outside_tokens};
use super::kind::{Group, Kind};
use super::text::{Hit, is_word};

/// A false name does harm once, and not all over the conversation. Chosen by feel.
const SURE: f32 = 0.8;

/// So many names are quicker to look for one by one than to build a search for.
const FEW: usize = 12;

/// Adds to what was found in each text, sorted, what was found in the others.
pub(super) fn share(texts: &[&str], found: &mut [Vec<Hit>], keeps: impl Fn(&Span) -> bool) {
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    for (text, hits) in texts.iter().zip(found.iter()) {
        let sure = |hit: &&Hit| hit.span.kind.group() == Group::Name && hit.span.score >= SURE && !keeps(&hit.span);
        for hit in hits.iter().filter(sure) {
            let name = hit.raw(text);
            // The same name in the same text is found there (`text`).
            if texts.len() > 1 && names::tells_apart(name) {
                names.entry(name).or_insert(hit.span);
            }
            // "Haverkamp" of Karen Haverkamp.
            let whole = hit.span.kind == Kind::Person && name.contains(' ');
            for part in name.split_whitespace().filter(|part| whole && names::stands_alone(part)) {
                names.entry(part).or_insert(hit.span);
            }
        }
    }
    if names.is_empty() {
        return;
    }
    let names: Vec<(&str, Span)> = names.into_iter().collect();
    let search = Search::new(&names);
    for (text, hits) in texts.iter().zip(found) {
        let mut spans = Vec::new();
        let grounds = LazyCell::new(|| names::Grounds::of(text));
        search.each(text, |start, end, span| {
            let (start_byte, end_byte) = (start as u32, end as u32);
            let at = hits.partition_point(|other| other.span.end_byte <= start_byte);
            let free = hits.get(at).is_none_or(|other| other.span.start_byte >= end_byte);
            if free && is_word(text, start, end) && (is_full(&text[start..end], span.kind) || !grounds.is_code(start)) {
                spans.push(Span { start_byte, end_byte, rule: "repeat", ..*span });
            }
        });
        add(text, hits, spans);
    }
}

/// Somebody's whole name is one in code, too.
pub(super) fn is_full(name: &str, kind: Kind) -> bool {
    kind == Kind::Person && name.contains(' ')
}

/// Of mentions that overlap the longer stays.
fn add(text: &str, hits: &mut Vec<Hit>, mut spans: Vec<Span>) {
    spans.sort_by_key(|span| (span.start_byte, std::cmp::Reverse(span.end_byte)));
    let mut end = 0;
    spans.retain(|span| {
        let free = span.start_byte >= end;
        end = end.max(span.end_byte);
        free
    });
    outside_tokens(text, &mut spans);
    if !spans.is_empty() {
        hits.extend(spans.into_iter().map(Hit::of));
        hits.sort_by_key(|hit| hit.span.start_byte);
    }
}

/// A letter or digit: no name begins behind it.
const INSIDE: u8 = 1 << 1;
/// Some name begins with it.
const BEGINS: u8 = 1;

const IN_WORD: [u8; 256] = {
    let (mut table, mut byte) = ([0; 256], 0);
    while byte < 256 {
        table[byte] = if (byte as u8).is_ascii_alphanumeric() { INSIDE } else { 0 };
        byte += 1;
    }
    table
};

/// Looks for names: those of several words whatever their case ("MARY POPPINS"), but "rose" may be no
/// Rose.
enum Search<'a> {
    /// And what is to know of each byte. What is made for one conversation has to be quick to make.
    Few(&'a [(&'a str, Span)], Box<[u8; 256]>),
    Many(AhoCorasick, &'a [(&'a str, Span)]),
}

impl<'a> Search<'a> {
    fn new(names: &'a [(&'a str, Span)]) -> Search<'a> {
        if names.len() > FEW {
            let mut search = AhoCorasick::builder();
            search.ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest);
            // Made for one conversation: what is quickest to make, not to search with.
            search.kind(Some(AhoCorasickKind::NoncontiguousNFA));
            if let Ok(search) = search.build(names.iter().map(|(name, _)| name)) {
                return Search::Many(search, names);
            }
        }
        let mut table = Box::new(IN_WORD);
        for first in names.iter().filter_map(|(name, _)| name.bytes().next()) {
            table[usize::from(first.to_ascii_uppercase())] |= BEGINS;
            table[usize::from(first.to_ascii_lowercase())] |= BEGINS;
        }
        Search::Few(names, table)
    }

    /// Hands over where a name begins and ends, in no order.
    fn each(&self, text: &str, mut found: impl FnMut(usize, usize, &Span)) {
        match self {
            Search::Few(names, table) => {
                let (bytes, mut before) = (text.as_bytes(), 0);
                for (start, byte) in bytes.iter().enumerate() {
                    let now = table[usize::from(*byte)];
                    if now & BEGINS != 0 && before & INSIDE == 0 {
                        for (name, span) in names.iter().filter(|(name, _)| stands_at(name, &bytes[start..])) {
                            found(start, start + name.len(), span);
                        }
                    }
                    before = now;
                }
            }
            Search::Many(search, names) => {
                for hit in search.find_iter(text) {
                    let (name, span) = &names[hit.pattern().as_usize()];
                    if stands_at(name, &text.as_bytes()[hit.start()..]) {
                        found(hit.start(), hit.end(), span);
                    }
                }
            }
        }
    }
}

/// A name as it is written, or one of several words in whatever case.
fn stands_at(name: &str, text: &[u8]) -> bool {
    let part = text.get(..name.len());
    let same =
        |part: &[u8]| part == name.as_bytes() || name.contains(' ') && part.eq_ignore_ascii_case(name.as_bytes());
    part.is_some_and(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways of searching, the one for a few names and the one for many.
    #[test]
    fn names_of_several_words_are_found_in_any_case() {
        let span = Span { start_byte: 0, end_byte: 1, kind: Kind::Person, rule: "x", rule_version: 1, score: 1.0 };
        let known = ["Mary Poppins", "Rose", "Élise Bo"];
        let padded = (0..FEW).map(|n| format!("Zz{n}"));
        let many: Vec<String> = known.iter().map(|name| (*name).to_owned()).chain(padded).collect();
        for (text, places) in [
            ("MARY POPPINS and mary poppins, Mary Poppins", vec![0, 17, 31]),
            ("a rose, Rose. Roses", vec![8]),
            ("Mary poppins", vec![0]),
            ("Élise Bo", vec![0]),
            ("Mary Poppin", vec![]),
        ] {
            for names in [&many[..known.len()], &many] {
                let names: Vec<(&str, Span)> = names.iter().map(|name| (name.as_str(), span)).collect();
                let mut found = Vec::new();
                Search::new(&names).each(text, |start, end, _| {
                    if is_word(text, start, end) {
                        found.push(start);
                    }
                });
                found.sort_unstable();
                assert_eq!(found, places, "{text} {}", names.len());
            }
        }
    }
}
