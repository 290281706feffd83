//! Labels the words of a run: how likely each label is for each word, given the whole run
//! (forward-backward over a linear-chain conditional random field).
//!
//! Not here: which words make a run (`features`), what becomes of labels (`mod`).
//!
//! Always: probabilities of a word sum to one; cost is linear in the words of the run.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::features::{FEATURES_MAX, company, features};
use super::index::Index;
use super::model::{LABELS, Model, OUTSIDE, Weights};
use super::words::Word;

/// Probabilities of the labels of a word.
pub type Chances = [f32; LABELS];

/// The weights, those of the transitions ready to be multiplied.
#[derive(Debug)]
pub struct Chain {
    steps: [[f32; LABELS]; LABELS],
    first: [f32; LABELS],
    last: [f32; LABELS],
    weights: Index<Weights>,
    /// Parts what a memo knows of this chain from what it knows of others.
    id: u64,
}

/// What was said of words in the same company before: sentences of a conversation repeat one another,
/// and every text that is changed is looked at again.
#[derive(Default)]
pub struct Memo(Vec<(u64, Chances)>);

const MEMO_SLOTS: usize = 1 << 10;

impl Memo {
    /// The potentials under this key, from `make` if the slot holds others.
    #[inline]
    fn get(&mut self, key: u64, make: impl FnOnce() -> Chances) -> Chances {
        if self.0.is_empty() {
            self.0.resize(MEMO_SLOTS, (0, [0.0; LABELS]));
        }
        // 0 is nobody's key.
        let key = key | 1 << 63;
        let slot = &mut self.0[key as usize % MEMO_SLOTS];
        if slot.0 != key {
            *slot = (key, make());
        }
        slot.1
    }
}

impl Chain {
    pub fn new(model: &Model) -> Chain {
        let row = |from: usize| std::array::from_fn(|to| model.steps[from][to].exp());
        Chain {
            steps: std::array::from_fn(row),
            first: row(LABELS),
            last: std::array::from_fn(|from| model.steps[from][LABELS].exp()),
            weights: Index::new(&model.weights),
            id: CHAINS.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// How much speaks for each label of the word at `at`, whatever its neighbours get.
    fn potentials(&self, model: &Model, text: &[u8], words: &[Word], run: &Range<usize>, at: usize) -> Chances {
        let mut sums = [0i16; LABELS];
        let (mut seen, mut count) = ([0; FEATURES_MAX], 0);
        features(text, words, run, at, |feature| {
            if let Some(place) = seen.get_mut(count) {
                (*place, count) = (feature, count + 1);
            }
        });
        self.weights.each(&seen[..count], |weights| {
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += i16::from(*weight));
        });
        sums.map(|sum| f32::from(sum) * model.scale)
    }

    /// Fills `chances` for the words of the run; false when it is plain that no word is a name,
    /// which is decided without the chain.
    pub fn label(
        &self,
        model: &Model,
        text: &[u8],
        words: &[Word],
        run: &Range<usize>,
        (memo, chances, backward): (&mut Memo, &mut Vec<Chances>, &mut Vec<Chances>),
    ) -> bool {
        chances.clear();
        let mut open = false;
        for at in run.clone() {
            let key = company(self.id, text, words, run, at);
            let potentials = memo.get(key, || self.potentials(model, text, words, run, at));
            let best = potentials[1..].iter().fold(f32::MIN, |best, next| best.max(*next));
            // A label that is this much behind cannot be lifted by its neighbours.
            open |= potentials[OUTSIDE] - best < CLEAR;
            chances.push(potentials);
        }
        if open {
            self.marginals(chances, backward);
        }
        open
    }

    /// Turns potentials into probabilities, in place.
    fn marginals(&self, rows: &mut [Chances], backward: &mut Vec<Chances>) {
        backward.clear();
        backward.resize(rows.len(), self.last);
        for row in rows.iter_mut() {
            let highest = row.iter().fold(f32::MIN, |highest, next| highest.max(*next));
            row.iter_mut().for_each(|value| *value = (*value - highest).exp());
        }
        for at in (1..rows.len()).rev() {
            let held: Chances = std::array::from_fn(|to| rows[at][to] * backward[at][to]);
            let sums: Chances = std::array::from_fn(|from| dot(&self.steps[from], &held));
            backward[at - 1] = scaled(sums);
        }
        let mut forward = self.first;
        for (at, row) in rows.iter_mut().enumerate() {
            let held: Chances = std::array::from_fn(|label| forward[label] * row[label]);
            *row = scaled(std::array::from_fn(|label| held[label] * backward[at][label]));
            let mut next = [0.0; LABELS];
            for (from, steps) in self.steps.iter().enumerate() {
                next.iter_mut().zip(steps).for_each(|(sum, step)| *sum += held[from] * step);
            }
            forward = scaled(next);
        }
    }
}

static CHAINS: AtomicU64 = AtomicU64::new(0);

/// In units of log odds.
const CLEAR: f32 = 6.0;

fn dot(a: &Chances, b: &Chances) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn scaled(mut values: Chances) -> Chances {
    let sum: f32 = values.iter().sum();
    let by = if sum > 0.0 { 1.0 / sum } else { 0.0 };
    values.iter_mut().for_each(|value| *value *= by);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the sum over all paths, counted out.
    #[test]
    fn marginals_are_those_of_all_paths() {
        let mut model = Model::default();
        for (n, step) in model.steps.iter_mut().flatten().enumerate() {
            *step = ((n * 7919) % 13) as f32 / 5.0 - 1.0;
        }
        let potential = |at: usize, label: usize| ((at * 31 + label * 17) % 11) as f32 / 3.0;
        let mut rows: Vec<Chances> = (0..3).map(|at| std::array::from_fn(|label| potential(at, label))).collect();
        Chain::new(&model).marginals(&mut rows, &mut Vec::new());
        let (mut sums, mut all) = (vec![[0.0f32; LABELS]; 3], 0.0f32);
        for path in 0..LABELS.pow(3) {
            let labels = [path / 64, path / 8 % 8, path % 8];
            let mut score = model.steps[LABELS][labels[0]] + model.steps[labels[2]][LABELS];
            score += model.steps[labels[0]][labels[1]] + model.steps[labels[1]][labels[2]];
            score += (0..3).map(|at| potential(at, labels[at])).sum::<f32>();
            all += score.exp();
            (0..3).for_each(|at| sums[at][labels[at]] += score.exp());
        }
        for (at, row) in rows.iter().enumerate() {
            for label in 0..LABELS {
                assert!((row[label] - sums[at][label] / all).abs() < 1e-4);
            }
        }
    }
}
