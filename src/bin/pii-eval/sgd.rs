//! Schema-guided dialogues: phones, street addresses and personal names in assistant chat.
//!
//! Not here: full gold. Slots label what a task needs: a found address that no slot labels counts
//! as wrong here although it may be one.
//!
//! Always: a dialogue is one conversation, so that what one turn tells helps in the next.

use std::collections::BTreeMap;
use std::path::Path;

use gristmill::stages::redact::Kind;
use serde::Deserialize;

use crate::Eye;
use crate::score::{Count, Cover, Table, bytes_of, print_types};

#[derive(Deserialize)]
struct Dialogue {
    turns: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    utterance: String,
    slots: Vec<Slot>,
}

#[derive(Deserialize)]
struct Slot {
    slot: String,
    start: usize,
    exclusive_end: usize,
}

const PHONES: [&str; 1] = ["phone_number"];
const ADDRESSES: [&str; 3] = ["address", "address_of_location", "street_address"];
/// Slots that hold a street address in some dialogues and the name of a place in others: not wrong
/// when found, not missed when not.
const PLACES: [&str; 2] = ["destination", "property_name"];
const NAMES: [&str; 2] = ["therapist_name", "recipient_name"];
/// Names of persons and of works and places that may hold a name: not wrong when found as persons.
const NAME_LIKE: [&str; 5] = ["artist", "actors", "starring", "director", "song_name"];

pub fn measure(eye: &Eye, folder: &Path, table: &mut Table) -> Result<(), String> {
    let path = folder.join("sgd-dev/sgd_dev.jsonl");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut gold: BTreeMap<String, Count> = BTreeMap::new();
    let mut found_in: BTreeMap<String, Count> = BTreeMap::new();
    for line in text.lines() {
        let dialogue: Dialogue = serde_json::from_str(line).map_err(|error| format!("sgd: {error}"))?;
        add(eye, &dialogue, &mut gold, &mut found_in);
    }
    print_types("sgd: slots wholly covered", &gold);
    print_types("sgd: findings that touch a slot of their kind (persons: any name)", &found_in);
    let sum = |names: &[&str]| -> Count { names.iter().filter_map(|name| gold.get(*name)).copied().sum() };
    let counts = |count: &Count| format!("{} of {}", count.hit, count.all);
    let phones = sum(&PHONES);
    table.at_least(
        "SGD: phones wholly covered",
        phones.hit as f64,
        (phones.all as f64 * 515.0 / 518.0).floor(),
        counts(&phones),
    );
    let addresses = sum(&ADDRESSES);
    table.at_least("SGD: street addresses, recall", addresses.share(), 0.90, counts(&addresses));
    let found = found_in.get(Kind::Address.as_str()).copied().unwrap_or_default();
    table.at_least("SGD: street addresses, precision", found.share(), 0.80, counts(&found));
    let names = sum(&NAMES);
    table.at_least("SGD: personal names, recall", names.share(), 0.80, counts(&names));
    Ok(())
}

fn add(eye: &Eye, dialogue: &Dialogue, gold: &mut BTreeMap<String, Count>, found_in: &mut BTreeMap<String, Count>) {
    let found = eye.look(dialogue.turns.iter().map(|turn| turn.utterance.as_str()));
    for (n, turn) in dialogue.turns.iter().enumerate() {
        let text = &turn.utterance;
        let here: Vec<_> = found.iter().filter(|found| found.message == n).collect();
        let covered = Cover::of(text.len(), here.iter().map(|found| &found.range));
        let range = |slot: &Slot| bytes_of(text, slot.start, slot.exclusive_end);
        for slot in &turn.slots {
            let name = slot.slot.as_str();
            if PHONES.contains(&name) || ADDRESSES.contains(&name) || NAMES.contains(&name) {
                let (hit, all) = covered.chars(text, &range(slot));
                gold.entry(name.to_owned()).or_default().add(hit == all, (hit, all));
            }
        }
        for found in here {
            let of_kind = |slot: &&Slot| match found.kind {
                Kind::Phone => PHONES.contains(&slot.slot.as_str()),
                Kind::Address => ADDRESSES.contains(&slot.slot.as_str()) || PLACES.contains(&slot.slot.as_str()),
                Kind::Person => NAMES.contains(&slot.slot.as_str()) || NAME_LIKE.contains(&slot.slot.as_str()),
                _ => false,
            };
            let ranges: Vec<_> = turn.slots.iter().filter(of_kind).map(range).collect();
            let labelled = Cover::of(text.len(), ranges.iter());
            let chars = labelled.chars(text, &found.range);
            found_in.entry(found.kind.as_str().to_owned()).or_default().add(chars.0 > 0, chars);
        }
    }
}
