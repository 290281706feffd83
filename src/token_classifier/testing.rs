//! A classifier that knows a list of words, for tests: what it says depends on nothing else.

use super::labels::Labels;
use super::{Scored, Scorer, Token, TokenClassifier};
use crate::config::{Aggregation, Scheme};

const LABELS: [&str; 3] = ["O", "B-PER", "I-PER"];

struct List {
    words: Vec<String>,
    /// Words that are longer become several tokens.
    token_bytes: usize,
}

/// Holds every token for a person that holds one of these words. A text with the word `fail` is not
/// answered, one with `NaN` with what is no number.
pub fn classifier(words: &[&str]) -> TokenClassifier {
    classifier_by(words, Aggregation::Token, usize::MAX)
}

/// The same, where tokens have so many bytes at most.
pub fn classifier_by(words: &[&str], aggregation: Aggregation, token_bytes: usize) -> TokenClassifier {
    let labels = Labels::new(&LABELS.map(str::to_owned), Scheme::Auto).unwrap();
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    TokenClassifier::new(labels, aggregation, Box::new(List { words, token_bytes }))
}

impl Scorer for List {
    fn score(&self, text: &str) -> Result<Scored, String> {
        if text.contains("fail") {
            return Err("asked to".to_owned());
        }
        let nan = text.contains("NaN");
        let mut scored = Scored::default();
        let mut known = false;
        for (at, word) in text.split(' ').scan(0, |at, word| Some((std::mem::replace(at, *at + word.len() + 1), word)))
        {
            let mut from = 0;
            while from < word.len() {
                let to = word.len().min(from.saturating_add(self.token_bytes));
                let (is, was) = (self.words.iter().any(|one| word[from..to].contains(one.as_str())), known);
                // Only what a word of the list covers, as a model has it.
                let part =
                    self.words.iter().find_map(|one| word[from..to].find(one.as_str()).map(|at| (at, one.len())));
                let (start, len) = part.unwrap_or((0, to - from));
                let place = at + from + start..at + from + start + len;
                scored.tokens.push(Token { place, continues: from > 0 });
                let sure =
                    |label: usize| if label == if is { 1 + usize::from(was) } else { 0 } { -0.01f32 } else { -5.0 };
                scored.log_probs.extend((0..LABELS.len()).map(|label| if nan { f32::NAN } else { sure(label) }));
                known = is;
                from = to;
            }
        }
        Ok(scored)
    }
}
