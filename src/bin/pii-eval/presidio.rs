//! The generated sentences of presidio-research: 1,500 and 2,109, which share most templates.
//!
//! Not here: tuning; what is right on one set says nothing independent about the other.
//!
//! Always: structured types are judged by their own kind; all types together by characters, where
//! any finding covers.

use std::collections::BTreeMap;
use std::path::Path;

use gristmill::stages::redact::Kind;
use serde::Deserialize;

use crate::score::{Count, Cover, Table, bytes_of, print_types};
use crate::{Eye, Found};

#[derive(Deserialize)]
struct Sentence {
    full_text: String,
    spans: Vec<Gold>,
}

#[derive(Deserialize)]
struct Gold {
    entity_type: String,
    start_position: usize,
    end_position: usize,
}

/// Types with a form of their own, and what they are called here.
fn structured(name: &str) -> Option<Kind> {
    Some(match name {
        "CREDIT_CARD" => Kind::Card,
        "PHONE_NUMBER" => Kind::Phone,
        "EMAIL_ADDRESS" => Kind::Email,
        "IBAN_CODE" => Kind::Iban,
        "US_SSN" => Kind::Ssn,
        "IP_ADDRESS" => Kind::Ip,
        _ => return None,
    })
}

pub fn measure(_: &Eye, folder: &Path, table: &mut Table) -> Result<(), String> {
    let eye = Eye::strict()?;
    for name in ["synth_dataset_v2", "generated_large"] {
        let path = folder.join("presidio-research").join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let sentences: Vec<Sentence> = serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
        one(&eye, name, &sentences, table);
    }
    Ok(())
}

#[derive(Default)]
struct Tally {
    gold: BTreeMap<String, Count>,
    found: BTreeMap<String, Count>,
    structured_found: Count,
    structured_gold: Count,
}

fn one(eye: &Eye, name: &str, sentences: &[Sentence], table: &mut Table) {
    let mut tally = Tally::default();
    for sentence in sentences {
        tally.add(sentence, &eye.look([sentence.full_text.as_str()]));
    }
    print_types(&format!("{name}: gold spans wholly covered"), &tally.gold);
    print_types(&format!("{name}: findings that touch a gold span"), &tally.found);
    let counts = |count: &Count| format!("{} of {}", count.hit, count.all);
    let (gold, found) = (&tally.structured_gold, &tally.structured_found);
    table.at_least(format!("{name}, structured types: recall"), gold.share(), 0.98, counts(gold));
    table.at_least(format!("{name}, structured types: precision"), found.share(), 0.98, counts(found));
    let (gold, found): (Count, Count) = (tally.gold.values().copied().sum(), tally.found.values().copied().sum());
    let chars = |count: &Count| format!("{} of {} characters", count.chars_hit, count.chars);
    table.at_least(format!("{name}, all types: character recall"), gold.char_share(), 0.90, chars(&gold));
    table.at_least(format!("{name}, all types: character precision"), found.char_share(), 0.88, chars(&found));
}

impl Tally {
    fn add(&mut self, sentence: &Sentence, found: &[Found]) {
        let text = &sentence.full_text;
        let range = |gold: &Gold| bytes_of(text, gold.start_position, gold.end_position);
        let golds: Vec<_> = sentence.spans.iter().map(|gold| (gold.entity_type.as_str(), range(gold))).collect();
        let covered = Cover::of(text.len(), found.iter().map(|found| &found.range));
        for (kind, range) in &golds {
            let (hit, all) = covered.chars(text, range);
            self.gold.entry((*kind).to_owned()).or_default().add(hit == all, (hit, all));
            if structured(kind).is_some() {
                self.structured_gold.add(hit == all, (hit, all));
            }
        }
        let labelled = Cover::of(text.len(), golds.iter().map(|(_, range)| range));
        for found in found {
            let (hit, all) = labelled.chars(text, &found.range);
            self.found.entry(found.kind.as_str().to_owned()).or_default().add(hit > 0, (hit, all));
            let own = golds.iter().filter(|(kind, _)| structured(kind) == Some(found.kind));
            let right = Cover::of(text.len(), own.map(|(_, range)| range)).touches(&found.range);
            if [Kind::Card, Kind::Phone, Kind::Email, Kind::Iban, Kind::Ssn, Kind::Ip].contains(&found.kind) {
                self.structured_found.add(right, (hit, all));
            }
        }
    }
}
