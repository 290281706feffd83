//! Person names in token files: WNUT17 dev, the Broad Twitter Corpus, wikigold.
//!
//! Not here: held-out folds. Where the shipped model was trained on a set, its row here says so;
//! the figures on held-out folds are those of the program that trains.
//!
//! Always: tokens are joined by spaces; a name is right if its tokens are exactly those of a gold
//! span (CoNLL counting); gold spans that begin with `@` are left out, found or not.

use std::ops::Range;
use std::path::Path;

use gristmill::stages::redact::Kind;

use crate::Eye;
use crate::score::Table;

struct Set {
    name: &'static str,
    files: &'static [&'static str],
    goal: f64,
}

const SETS: [Set; 3] = [
    Set { name: "WNUT17 dev", files: &["wnut17/emerging.dev.conll"], goal: 0.60 },
    Set {
        name: "BTC (trained on)",
        files: &["btc/a.conll", "btc/b.conll", "btc/e.conll", "btc/f.conll", "btc/g.conll"],
        goal: 0.60,
    },
    Set { name: "wikigold (trained on)", files: &["wikigold/wikigold.conll.txt"], goal: 0.85 },
];

pub fn measure(eye: &Eye, folder: &Path, table: &mut Table) -> Result<(), String> {
    for set in &SETS {
        let (mut right, mut gold_all, mut found_all) = (0, 0, 0);
        for file in set.files {
            let path = folder.join("ner").join(file);
            let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            for sentence in text.split("\n\n") {
                let (text, gold) = sentence_of(sentence);
                let handle = |range: &Range<usize>| text[range.clone()].starts_with('@');
                let found: Vec<_> = eye
                    .look([text.as_str()])
                    .into_iter()
                    .filter(|found| found.kind == Kind::Person && !handle(&found.range))
                    .map(|found| found.range)
                    .collect();
                let gold: Vec<_> = gold.into_iter().filter(|range| !handle(range)).collect();
                right += gold.iter().filter(|range| found.contains(range)).count();
                gold_all += gold.len();
                found_all += found.len();
            }
        }
        let (p, r) = (right as f64 / found_all.max(1) as f64, right as f64 / gold_all.max(1) as f64);
        let f1 = if right == 0 { 0.0 } else { 2.0 * p * r / (p + r) };
        let counts = format!("P {p:.3} ({found_all} found), R {r:.3} ({gold_all} gold)");
        table.at_least(format!("{}: person F1", set.name), f1, set.goal, counts);
    }
    Ok(())
}

/// The text of a sentence and the byte ranges of its persons.
fn sentence_of(lines: &str) -> (String, Vec<Range<usize>>) {
    let mut text = String::new();
    let mut persons: Vec<Range<usize>> = Vec::new();
    let mut inside = false;
    for line in lines.lines() {
        let Some((token, tag)) = line.trim_end().rsplit_once(['\t', ' ']) else { continue };
        if !text.is_empty() {
            text.push(' ');
        }
        let start = text.len();
        text.push_str(token.trim());
        let person = matches!(tag, "B-person" | "I-person" | "B-PER" | "I-PER");
        let goes_on = inside && tag.starts_with('I');
        match persons.last_mut().filter(|_| person && goes_on) {
            Some(last) => last.end = text.len(),
            None if person => persons.push(start..text.len()),
            None => {}
        }
        inside = person;
    }
    (text, persons)
}
