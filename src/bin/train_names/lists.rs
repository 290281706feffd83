//! Builds the lexicon: the lists of names and places, and how words are written in plain text.
//!
//! Not here: where the lists come from (`tools/names/lists.py`).
//!
//! Always: of a text only counts are kept, and only of words seen at least three times.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use gristmill::stages::redact::names::lexicon::{Case, Entry, Lexicon};
use gristmill::stages::redact::names::words::{Shape, Word, Words, hash_of};

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    first: u8,
    last: u8,
    place: u8,
    small: u32,
    capital: u32,
    cluster: u8,
}

#[derive(Default)]
pub struct Lists {
    words: HashMap<u64, Known>,
}

impl Lists {
    /// Adds lists of `kind<TAB>word<TAB>grade`.
    pub fn lists(&mut self, path: &Path) -> Result<(), String> {
        for line in read(path)?.lines() {
            let mut fields = line.split('\t');
            let (Some(kind), Some(word), Some(grade)) = (fields.next(), fields.next(), fields.next()) else {
                return Err(format!("{}: a row is not kind, word, grade", path.display()));
            };
            let known = self.words.entry(hash_of(word)).or_default();
            let grade: u8 = grade.parse().map_err(|_| format!("{}: {grade:?} is no grade", path.display()))?;
            let best = |old: u8| if old == 0 { grade } else { old.min(grade) };
            match kind {
                "first" => known.first = best(known.first),
                "last" => known.last = best(known.last),
                "place" => known.place = known.place.max(grade),
                "cluster" => known.cluster = grade,
                _ => return Err(format!("{}: {kind:?} is no kind of list", path.display())),
            }
        }
        Ok(())
    }

    /// Counts how the words of a text are written inside its sentences.
    pub fn text(&mut self, text: &str) {
        let (lexicon, mut words) = (Lexicon::default(), Vec::new());
        Words::new(text, &lexicon).read(&mut words, usize::MAX);
        for two in words.windows(2) {
            let starts =
                matches!(two[0].shape, Shape::Line | Shape::Stop | Shape::Sign | Shape::Opaque | Shape::Number);
            // A heading or shouting says nothing of its words.
            let shouted = two[0].is_capital() && two[0].shape == two[1].shape && two[0].entry == Entry::NONE;
            self.count(&two[1], starts, shouted);
        }
    }

    fn count(&mut self, word: &Word, starts: bool, shouted: bool) {
        match word.shape {
            Shape::Lower => self.words.entry(word.hash).or_default().small += 1,
            Shape::Title | Shape::Camel | Shape::Upper if !(starts || shouted && word.shape == Shape::Upper) => {
                self.words.entry(word.hash).or_default().capital += 1;
            }
            _ => {}
        }
    }

    /// How many words the lexicon would hold.
    pub fn lexicon(&self, log2_slots: u32) -> Lexicon {
        let rows: BTreeMap<u64, Entry> = self
            .words
            .iter()
            .map(|(hash, known)| (*hash, entry(known)))
            .filter(|(_, entry)| *entry != Entry::NONE)
            .collect();
        eprintln!("lexicon: {} words in {} slots", rows.len(), 1 << log2_slots);
        Lexicon::build(log2_slots, rows.into_iter())
    }
}

fn entry(known: &Known) -> Entry {
    let seen = known.small + known.capital;
    let listed = known.first + known.last + known.place > 0;
    let case = match (seen, known.capital as f32 / seen.max(1) as f32) {
        (0..3, _) if !listed || seen == 0 => Case::Unseen,
        (1..5, _) if !listed => Case::Unseen,
        (_, share) if share < 0.15 => Case::Small,
        (_, share) if share < 0.75 => Case::Mixed,
        _ => Case::Capital,
    };
    // A word in no list that is mostly capitalised is a name of something; the model asks for more.
    Entry::new(known.first, known.last, known.place, case, known.cluster)
}

pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
