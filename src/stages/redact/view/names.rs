//! Names of places, groups and firms that a line end or the end of a message cuts in two.
//!
//! Not here: names of people (`detect::names` reads over line ends, `turns` over messages), values
//! that have a form or stand behind a label (`joined`).
//!
//! Always: a word is put together only if its second half is no word by itself, two words only if
//! the second says that they are a firm, and the first says nothing.

use super::super::detect::Span;
use super::super::detect::names::{FIRM_RULE, is_small_word, is_word};
use super::super::kind::Kind;
use super::Search;
use super::edges::{AFTER_BYTES, BEFORE_BYTES};
use super::joined::Crossing;

/// Cheap: a word with a capital ends before the cut, and another begins behind it.
pub(in super::super) fn may_join(before: &str, after: &str) -> bool {
    let last = last_word(before).as_bytes();
    last.len() > 1 && last[0].is_ascii_uppercase() && after.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// The name across a cut, without the spaces around it.
pub(super) fn join(before: &str, after: &str, search: Search) -> Option<Crossing> {
    let before = &before[before.ceil_char_boundary(before.len().saturating_sub(BEFORE_BYTES))..];
    let after = &after[..after.floor_char_boundary(AFTER_BYTES)];
    let (last, first) = (last_word(before), first_word(after));
    let halves = first.starts_with(|c: char| c.is_ascii_lowercase());
    if halves && is_small_word(first) {
        return None;
    }
    let joiner = if halves { "" } else { " " };
    let (joined, cut) = (format!("{before}{joiner}{after}"), before.len() + joiner.len());
    let mut found = Vec::new();
    (search.names)(&joined, &mut found);
    let word = || is_word(&joined[before.len() - last.len()..cut + first.len()]);
    let is_one = |span: &Span| match span.kind {
        Kind::Nrp | Kind::Place => halves && word(),
        Kind::Organization => {
            !halves && !is_word(last) && span.rule == FIRM_RULE && span.end_byte as usize == cut + first.len()
        }
        _ => false,
    };
    let crosses = |span: &Span| (span.start_byte as usize) < before.len() && span.end_byte as usize > cut;
    let span = found.into_iter().find(|span| crosses(span) && is_one(span))?;
    let (start, end) = (span.start_byte as usize, span.end_byte as usize);
    let value = joined[start..end].to_owned();
    Some(Crossing { before_bytes: before.len() - start, after_bytes: end - cut, span, value })
}

fn last_word(text: &str) -> &str {
    &text[text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len()..]
}

fn first_word(text: &str) -> &str {
    &text[..text.len() - text.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len()]
}

#[cfg(test)]
mod tests {
    use super::super::super::detect::tests::detector;
    use super::*;

    #[test]
    fn names_that_are_cut_are_put_together() {
        for (text, names) in [
            ("She is Peru\nvian by birth.", &["Peru\nvian"][..]),
            ("We flew from Chi\r\n  cago to the coast.", &["Chi\r\n  cago"]),
            ("She works at Kestdan \nSystems in town.", &["Kestdan \nSystems"]),
            ("We went to Reading\nand to the sea", &["Reading"]),
            ("The list:\nPeru\nvase\nLima", &["Peru", "Lima"]),
            ("Argentina\nCapital and rivers", &["Argentina"]),
            ("I like Read\ning books", &[]),
            ("Wo\nrd, Peru\n", &["Peru"]),
        ] {
            let mut spans = Vec::new();
            detector().find(text, &mut spans);
            let raw = |span: &Span| &text[span.start_byte as usize..span.end_byte as usize];
            assert_eq!(spans.iter().map(raw).collect::<Vec<_>>(), names, "{text}");
        }
    }
}
