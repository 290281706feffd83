//! Counts what the model finds right: exact spans of people, as CoNLL counts them, and touching ones.
//!
//! Not here: the sentences (`corpus`).
//!
//! Always: handles and what is found in them count neither way.

use std::fmt;

use gristmill::stages::redact::names::Names;
use gristmill::stages::redact::names::model::PERSON;

use crate::corpus::Sentence;

#[derive(Clone, Debug, Default)]
pub struct Score {
    gold: usize,
    found: usize,
    exact: usize,
    /// Gold names that something found touches, found names that touch gold.
    touched: usize,
    touching: usize,
}

impl Score {
    pub fn sentence(&mut self, names: &Names, sentence: &Sentence, least: f32) {
        let gold: Vec<_> =
            sentence.names.iter().filter(|(_, label)| *label == PERSON).map(|(range, _)| range).collect();
        let mut found = Vec::new();
        names.find(&sentence.text, least, |name| {
            let handle = sentence.text[..name.start].trim_end().ends_with('@');
            if name.label == PERSON && !handle {
                found.push(name.start..name.end);
            }
        });
        self.gold += gold.len();
        self.found += found.len();
        self.exact += gold.iter().filter(|range| found.contains(range)).count();
        let touch = |a: &std::ops::Range<usize>, b: &std::ops::Range<usize>| a.start < b.end && b.start < a.end;
        self.touched += gold.iter().filter(|range| found.iter().any(|other| touch(range, other))).count();
        self.touching += found.iter().filter(|range| gold.iter().any(|other| touch(range, other))).count();
    }

    pub fn add(&mut self, other: &Score) {
        self.gold += other.gold;
        self.found += other.found;
        self.exact += other.exact;
        self.touched += other.touched;
        self.touching += other.touching;
    }
}

fn rates(found_right: usize, found: usize, gold_right: usize, gold: usize) -> (f64, f64, f64) {
    let (p, r) = (found_right as f64 / found.max(1) as f64, gold_right as f64 / gold.max(1) as f64);
    (p, r, 2.0 * p * r / (p + r).max(f64::MIN_POSITIVE))
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p, r, f1) = rates(self.exact, self.found, self.exact, self.gold);
        let (tp, tr, tf) = rates(self.touching, self.found, self.touched, self.gold);
        write!(f, "{} names: P {p:.3} R {r:.3} F1 {f1:.3}; touching P {tp:.3} R {tr:.3} F1 {tf:.3}", self.gold)
    }
}
