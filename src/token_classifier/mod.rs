//! A token classifier from a local folder: reads a text as tokens, scores the labels of each, and
//! makes entities of the likeliest row of labels.
//!
//! Not here: what its entities are to redaction (`stages::redact::detect::model`). Runs ONNX with
//! the feature `onnx` only; without it no classifier can be opened.
//!
//! Always: the files are those that the pipeline's digest names; entities lie on character
//! boundaries, in order and apart; the same text has the same entities, whatever was classified
//! before it or is beside it; what fails is an error, never an empty answer; no error holds text.

pub mod files;
pub mod labels;
pub mod viterbi;
pub mod words;

#[cfg(feature = "onnx")]
mod onnx;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use self::labels::Labels;
use self::viterbi::{Transitions, entities};
use crate::config::{Aggregation, Model};

/// Longer texts are cut, where a line or at least a word ends: what is classified at once takes
/// some 100 bytes of memory for each of its own.
const PIECE_BYTES: usize = 64 << 10;

/// Keys, roles and the like are short, and the same in every record: their entities are kept.
const SHORT_BYTES: usize = 64;
const SHORT_TEXTS: usize = 1 << 14;

/// What a classifier found.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    /// Bytes, on character boundaries.
    pub place: Range<usize>,
    /// Index into [`TokenClassifier::types`].
    pub kind: usize,
    /// The mean, over its tokens, of the probability of its type; 0 to 1.
    pub score: f32,
}

/// The classifier did not answer. Why is not said: it could be told by the text alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

/// A text as tokens with their scores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scored {
    pub tokens: Vec<Token>,
    /// Tokens × labels, natural logarithms of probabilities.
    pub log_probs: Vec<f32>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Bytes of the text.
    pub place: Range<usize>,
    /// It goes on with the word of the token before.
    pub continues: bool,
}

/// Scores the tokens of a text. The error says what is wrong with the model, and holds no text.
pub trait Scorer: Send + Sync {
    fn score(&self, text: &str) -> Result<Scored, String>;
}

/// Immutable: one for all threads.
pub struct TokenClassifier {
    labels: Labels,
    transitions: Transitions,
    aggregation: Aggregation,
    scorer: Box<dyn Scorer>,
    /// By the hash of the text.
    short: Mutex<HashMap<blake3::Hash, Vec<Entity>>>,
}

impl fmt::Debug for TokenClassifier {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("TokenClassifier").field("types", &self.labels.types()).finish_non_exhaustive()
    }
}

impl TokenClassifier {
    /// Opened once a process for each model: weights are large. The error says what is wrong with
    /// which key or file.
    #[cfg(feature = "onnx")]
    pub fn open(model: &Model) -> Result<Arc<TokenClassifier>, String> {
        type Opened = (Model, Arc<TokenClassifier>);
        static OPENED: Mutex<Vec<Opened>> = Mutex::new(Vec::new());
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = opened.iter().find(|(known, _)| known == model) {
            return Ok(Arc::clone(known));
        }
        let (labels, scorer) = onnx::open(model).map_err(|what| format!("redact.model: {what}"))?;
        let classifier = Arc::new(TokenClassifier::new(labels, model.aggregation, scorer));
        opened.push((model.clone(), Arc::clone(&classifier)));
        Ok(classifier)
    }

    #[cfg(not(feature = "onnx"))]
    pub fn open(_: &Model) -> Result<Arc<TokenClassifier>, String> {
        Err(MISSING.to_owned())
    }

    pub fn new(labels: Labels, aggregation: Aggregation, scorer: Box<dyn Scorer>) -> TokenClassifier {
        let transitions = Transitions::new(&labels);
        TokenClassifier { labels, transitions, aggregation, scorer, short: Mutex::default() }
    }

    /// What entities may be, as the model calls it.
    pub fn types(&self) -> &[String] {
        self.labels.types()
    }

    /// All entities of a text.
    pub fn classify(&self, text: &str) -> Result<Vec<Entity>, Failed> {
        if !text.chars().any(char::is_alphanumeric) {
            return Ok(Vec::new());
        }
        if text.len() > SHORT_BYTES {
            return self.read(text);
        }
        let hash = blake3::hash(text.as_bytes());
        let lock = || self.short.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&hash) {
            return Ok(known.clone());
        }
        let found = self.read(text)?;
        let mut short = lock();
        if short.len() >= SHORT_TEXTS {
            short.clear();
        }
        short.insert(hash, found.clone());
        Ok(found)
    }

    fn read(&self, text: &str) -> Result<Vec<Entity>, Failed> {
        let mut found = Vec::new();
        let mut from = 0;
        while from < text.len() {
            let piece = &text[from..from + words::piece(&text[from..], PIECE_BYTES)];
            let scored = self.scorer.score(piece).map_err(|_| Failed)?;
            let mut entities = self.entities(piece, scored)?;
            entities.iter_mut().for_each(|one| one.place = one.place.start + from..one.place.end + from);
            found.append(&mut entities);
            from += piece.len();
        }
        Ok(found)
    }

    /// Entities of a piece of text, whole words each.
    fn entities(&self, text: &str, mut scored: Scored) -> Result<Vec<Entity>, Failed> {
        let labels = self.labels.tags().len();
        if scored.log_probs.len() != scored.tokens.len() * labels || scored.log_probs.iter().any(|score| score.is_nan())
        {
            return Err(Failed);
        }
        if self.aggregation == Aggregation::First {
            scored = first_of_words(&scored, labels);
        }
        let path = self.transitions.decode(&scored.log_probs);
        let tags = self.labels.tags();
        let mut found: Vec<Entity> = Vec::new();
        for (kind, first, end) in entities(path.iter().map(|label| tags[*label])) {
            let (Some(head), Some(last)) = (scored.tokens.get(first), scored.tokens.get(end - 1)) else { continue };
            let least = found.last().map_or(0, |before| before.place.end);
            let Some(place) = words::whole(text, head.place.start..last.place.end, least) else { continue };
            let rows = scored.log_probs[first * labels..end * labels].chunks_exact(labels);
            let of_kind = |row: &[f32]| -> f32 {
                row.iter().zip(tags).filter(|(_, tag)| tag.kind() == Some(kind)).map(|(score, _)| score.exp()).sum()
            };
            let score = rows.map(of_kind).sum::<f32>() / (end - first) as f32;
            found.push(Entity { place, kind, score: score.min(1.0) });
        }
        Ok(found)
    }
}

/// What a program that cannot run a model says.
pub const MISSING: &str = "redact.model: this program was built without ONNX; \
    build it with `cargo build --release --features onnx`, or leave [redact.model] out";

/// Leaves the first token of each word, as long as the word.
fn first_of_words(scored: &Scored, labels: usize) -> Scored {
    let mut words = Scored::default();
    for (token, row) in scored.tokens.iter().zip(scored.log_probs.chunks_exact(labels)) {
        match words.tokens.last_mut() {
            Some(word) if token.continues => word.place.end = token.place.end,
            _ => {
                words.tokens.push(Token { continues: false, ..token.clone() });
                words.log_probs.extend_from_slice(row);
            }
        }
    }
    words
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests {
    use super::testing::{classifier, classifier_by};
    use super::*;

    fn found(classifier: &TokenClassifier, text: &str) -> Vec<String> {
        let found = classifier.classify(text).unwrap();
        assert!(found.windows(2).all(|two| two[0].place.end <= two[1].place.start), "{found:?}");
        found.iter().map(|one| text[one.place.clone()].to_owned()).collect()
    }

    #[test]
    fn entities_are_whole_words_of_their_text() {
        for (text, expected) in [
            ("ask Xyqo Brandl now", &["Xyqo Brandl"][..]),
            ("Xyqo", &["Xyqo"]),
            ("né à «Xyqo» 🙂 Xyqo", &["Xyqo", "Xyqo"]),
            ("Xyqos and xXyqo", &["Xyqos", "xXyqo"]),
            ("東京のXyqoさん", &["Xyqo"]),
            ("Xyqo's", &["Xyqo"]),
            ("…", &[]),
            ("", &[]),
        ] {
            assert_eq!(found(&classifier(&["Xyqo", "Brandl"]), text), expected, "{text}");
        }
    }

    #[test]
    fn long_texts_are_read_to_their_end() {
        let text = format!("{} Xyqo {}\nand Xyqo", "é ".repeat(40_000), "word ".repeat(20_000));
        let found = classifier(&["Xyqo"]).classify(&text).unwrap();
        let places: Vec<usize> = text.match_indices("Xyqo").map(|(at, _)| at).collect();
        assert_eq!(found.iter().map(|one| one.place.start).collect::<Vec<_>>(), places);
    }

    #[test]
    fn first_tokens_speak_for_their_words() {
        let classifier = classifier_by(&["Xy"], Aggregation::First, 2);
        assert_eq!(found(&classifier, "Xyqo came"), ["Xyqo"]);
    }

    #[test]
    fn short_texts_are_kept_and_stay_the_same() {
        let classifier = classifier(&["Xyqo"]);
        let texts: Vec<String> = (0..SHORT_TEXTS + 10).map(|n| format!("Xyqo {n}")).collect();
        texts.iter().for_each(|text| assert_eq!(found(&classifier, text), ["Xyqo"]));
        texts.iter().rev().take(20).for_each(|text| assert_eq!(found(&classifier, text), ["Xyqo"]));
        assert!(classifier.short.lock().unwrap().len() <= SHORT_TEXTS);
    }

    #[test]
    fn what_is_no_number_is_a_failure() {
        assert_eq!(classifier(&[]).classify("NaN here"), Err(Failed));
        assert_eq!(classifier(&[]).classify("fail"), Err(Failed));
    }
}
