//! Values that one message begins and the next one ends: which texts follow one another, and the
//! parts of such values in each.
//!
//! Not here: how a value across a cut is told (`view::joined`).
//!
//! Always: a text is tried with the one before it, and with the last one by the same speaker;
//! of a document only what looks like the messages of a conversation is tried.

use std::collections::{BTreeMap, HashMap};

use super::detect::{Span, may_go_on, names};
use super::json::{Document, Item, Step};
use super::kind::Kind;
use super::text::{self, Redactor};
use super::view::{Edges, Hit};

/// What holds the text of a message, in the formats of `ingest`.
const CONTENTS: [&str; 8] = ["content", "text", "value", "utterance", "message", "body", "parts", "transcript"];

/// What lists of bare texts are called if they are messages.
const LISTS: [&str; 8] =
    ["messages", "turns", "conversation", "conversations", "dialog", "dialogue", "history", "utterances"];

const SPEAKERS: [&str; 6] = ["role", "from", "speaker", "author", "sender", "name"];

/// The parts in each text, which follow one another, of values that are split over two of them.
/// With each text who says it.
pub(super) fn parts<S: Copy + Ord>(redactor: &Redactor, texts: &[(&str, S)]) -> Vec<Vec<Hit>> {
    let mut parts: Vec<Vec<Hit>> = texts.iter().map(|_| Vec::new()).collect();
    let mut last: Option<(usize, Edges)> = None;
    let mut last_of: BTreeMap<S, (usize, Edges)> = BTreeMap::new();
    for (i, (text, speaker)) in texts.iter().enumerate() {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            continue;
        }
        let edges = Edges::of(trimmed);
        let of_speaker = last_of.insert(*speaker, (i, edges));
        let of_speaker = of_speaker.filter(|(before, _)| last.is_none_or(|(last, _)| *before != last));
        let befores = [last, of_speaker].into_iter().flatten();
        for (before, edges_before) in befores {
            let trimmed_before = texts[before].0.trim();
            let may_meet = edges_before.may_meet(edges)
                || may_go_on(trimmed_before, trimmed)
                || redactor.may_cut_name(trimmed_before, trimmed);
            if may_meet && let Some((left, right)) = redactor.across(texts[before].0, text) {
                parts[before].push(left);
                parts[i].push(right);
                break;
            }
        }
        last = Some((i, edges));
    }
    parts
}

/// Adds the rest of a name in the message right behind the one that ends with its beginning, if one
/// says both: "my name is Karen", "Haverkamp".
pub(super) fn names<S: Copy + Eq>(texts: &[(&str, S)], found: &mut [Vec<text::Hit>]) {
    for at in 1..texts.len().min(found.len()) {
        let ((before, first), (after, second)) = (texts[at - 1], texts[at]);
        let Some(name) = found[at - 1].last().filter(|_| first == second).map(|hit| hit.span) else { continue };
        let start = after.len() - after.trim_start().len();
        if name.kind != Kind::Person || name.end_byte as usize != before.trim_end().len() {
            continue;
        }
        let Some(len) = names::rest_of_name(before, name.start_byte as usize, &after[start..]) else { continue };
        let span = Span { start_byte: start as u32, end_byte: (start + len) as u32, ..name };
        if found[at].first().is_none_or(|hit| hit.span.start_byte >= span.end_byte) {
            found[at].insert(0, text::Hit::of(span));
        }
    }
}

/// What [`parts`] says, for the items of a document.
pub(super) fn across(redactor: &Redactor, document: &Document) -> Vec<Vec<Hit>> {
    let mut parts: Vec<Vec<Hit>> = document.items.iter().map(|_| Vec::new()).collect();
    let mut speakers: HashMap<u32, &str> = HashMap::new();
    let mut rows: HashMap<(u32, u64), Vec<(usize, u32)>> = HashMap::new();
    let mut order = Vec::new();
    for (i, item) in document.items.iter().enumerate().filter(|(_, item)| item.is_text) {
        let Some(place) = place(document, item) else { continue };
        if place.depth == 1 && SPEAKERS.contains(&document.label(item.node)) {
            speakers.entry(place.element).or_insert(&item.text);
        }
        if place.is_content {
            let row = rows.entry((place.list, place.path)).or_default();
            if row.is_empty() {
                order.push((place.list, place.path));
            }
            row.push((i, place.element));
        }
    }
    for row in order.iter().filter_map(|key| rows.get(key)).filter(|row| row.len() > 1) {
        let said = |(item, element): &(usize, u32)| {
            (document.items[*item].text.as_ref(), speakers.get(element).copied().unwrap_or_default())
        };
        let texts: Vec<(&str, &str)> = row.iter().map(said).collect();
        for ((item, _), hits) in row.iter().zip(self::parts(redactor, &texts)) {
            parts[*item].extend(hits);
        }
    }
    parts
}

/// Where a text lies in the list of its conversation.
struct Place {
    list: u32,
    element: u32,
    /// Hash of the keys between the element and the text.
    path: u64,
    /// Keys between them.
    depth: usize,
    is_content: bool,
}

/// By the outermost list; a list of all records is none.
fn place(document: &Document, item: &Item) -> Option<Place> {
    let (mut at, mut keys, mut outer) = (item.node, Vec::new(), None);
    while let Some(node) = at {
        let one = document.node(node);
        match &one.step {
            Step::Key(key) => keys.push(key.as_ref()),
            Step::Index(_) => outer = one.above.map(|list| (list, node, keys.len())).or(outer),
        }
        at = one.above;
    }
    let (list, element, depth) = outer?;
    let hash = |path: u64, key: &&str| {
        key.bytes().fold(path ^ 0xff, |path, byte| (path ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let named = if depth == 0 { &LISTS } else { &CONTENTS };
    Some(Place {
        list,
        element,
        path: keys[..depth].iter().fold(0xcbf2_9ce4_8422_2325, hash),
        depth,
        is_content: named.contains(&document.label(item.node)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::pseudonym::mask_tokens;
    use super::super::text::tests::redactor;

    #[test]
    fn values_go_over_the_messages_of_a_document() {
        for (json, out) in [
            (
                r#"{"messages":[{"role":"user","content":"ssn 123-45-"},{"role":"assistant","content":"and?"},{"role":"user","content":"6789 ok"}]}"#,
                &["[SSN]", "and?", "[SSN] ok"][..],
            ),
            (
                r#"[{"turns":[{"speaker":"A","parts":[{"text":"I am jane@exam"}]},{"speaker":"A","parts":[{"text":"ple.com"}]}]}]"#,
                &["[EMAIL]\"}]},{\"speaker\":\"A\""],
            ),
            (r#"{"turns":["card: 4111 1111","1111 1111."]}"#, &["[\"card: [CARD]\",\"[CARD].\"]"]),
            (r#"{"rows":["card: 4111 1111","1111 1111."]}"#, &["4111 1111\",\"1111"]),
            (r#"[{"text":"ssn 123-45-"},{"text":"6789"}]"#, &["123-45-"]),
        ] {
            let redacted = redactor().redact_json(&String::new, json, &mut Vec::new()).unwrap().into_owned();
            let redacted = mask_tokens(&redacted);
            assert!(out.iter().all(|part| redacted.contains(part)), "{redacted}");
        }
    }
}
