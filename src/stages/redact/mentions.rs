//! Names that were found in one message, wherever they stand in the others of its conversation.
//!
//! Not here: finding names (`detect::names`), the same text (`text`).
//!
//! Always: only names that the model is sure of, and that are no common words as well; as words of
//! their own, outside of tokens and of what was found before; one pass over each text.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};

use super::detect::{Span, names, outside_tokens};
use super::kind::{Group, Kind};
use super::text::{Hit, is_word};

/// A false name does harm once, and not all over the conversation. Chosen by feel.
const SURE: f32 = 0.8;

/// Adds to what was found in each text, sorted, what was found in the others.
pub(super) fn share(texts: &[&str], found: &mut [Vec<Hit>], keeps: impl Fn(&Span) -> bool) {
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    for (text, hits) in texts.iter().zip(found.iter()) {
        let sure = |hit: &&Hit| hit.span.kind.group() == Group::Name && hit.span.score >= SURE && !keeps(&hit.span);
        for hit in hits.iter().filter(sure) {
            let name = hit.raw(text);
            if names::tells_apart(name) {
                names.entry(name).or_insert(hit.span);
            }
            // "Haverkamp" of Karen Haverkamp.
            for part in
                name.split_whitespace().filter(|part| hit.span.kind == Kind::Person && names::stands_alone(part))
            {
                names.entry(part).or_insert(hit.span);
            }
        }
    }
    if names.is_empty() || texts.len() < 2 {
        return;
    }
    let all: Vec<(&str, Span)> = names.into_iter().collect();
    let mut search = AhoCorasick::builder();
    search.ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest);
    let Ok(search) = search.build(all.iter().map(|(name, _)| name)) else { return };
    for (text, hits) in texts.iter().zip(found) {
        let mut spans = Vec::new();
        for hit in search.find_iter(text) {
            let (name, span) = &all[hit.pattern().as_usize()];
            // "MARY POPPINS" is Mary Poppins; "rose" may be none.
            let same = name.contains(' ') || text[hit.range()] == **name;
            let (start_byte, end_byte) = (hit.start() as u32, hit.end() as u32);
            let at = hits.partition_point(|other| other.span.end_byte <= start_byte);
            let free = hits.get(at).is_none_or(|other| other.span.start_byte >= end_byte);
            if same && free && is_word(text, hit.start(), hit.end()) {
                spans.push(Span { start_byte, end_byte, rule: "repeat", ..*span });
            }
        }
        outside_tokens(text, &mut spans);
        if !spans.is_empty() {
            hits.extend(spans.into_iter().map(Hit::of));
            hits.sort_by_key(|hit| hit.span.start_byte);
        }
    }
}
