//! Runs a graph with ONNX Runtime, which is loaded from the library that the pipeline names, over
//! windows of the tokens of its tokenizer.
//!
//! Always: a window is run by itself, without padding, on one thread, so that its scores depend on
//! its tokens alone; a token in two windows is scored by the one in which it stands further from
//! the edge. Other processors and other versions of the runtime may round differently.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;
use tokenizers::{Encoding, Tokenizer, TruncationDirection};

use super::files::{self, Files};
use super::labels::Labels;
use super::{Scored, Scorer, Token};
use crate::config::{Model, RUNTIME_VARIABLE};

/// What a graph is asked with, by the names that exporters give its inputs.
#[derive(Clone, Copy)]
enum Input {
    Ids,
    Mask,
    Types,
}

struct Graph {
    tokenizer: Tokenizer,
    /// `Session::run` takes one call at a time.
    sessions: Vec<Mutex<Session>>,
    next: AtomicUsize,
    inputs: Vec<(String, Input)>,
    output: String,
    labels: usize,
    /// Tokens of a window, less those that the tokenizer puts around it.
    window_tokens: usize,
    overlap_tokens: usize,
}

/// Loads what the pipeline names, and tries it on a word. The error names the key or the file.
pub fn open(model: &Model) -> Result<(Labels, Box<dyn Scorer>), String> {
    let files = files::read(&model.path, &model.digest)?;
    let place = |what: String| format!("{}: {what}", model.path.display());
    let labels = Labels::new(&files.labels, model.scheme).map_err(place)?;
    let environment = environment(model)?;
    let tokenizer = tokenizer(&files.tokenizer).map_err(place)?;
    let sessions = (0..model.sessions).map(|_| session(&environment, &files).map(Mutex::new));
    let sessions = sessions.collect::<Result<Vec<_>, _>>().map_err(|err| place(format!("{}: {err}", files::GRAPH)))?;
    let around = tokenizer.get_post_processor().map_or(0, |one| tokenizers::PostProcessor::added_tokens(one, false));
    let window_tokens = model.window_tokens as usize;
    let overlap_tokens = model.overlap_tokens as usize;
    if window_tokens <= around + overlap_tokens {
        return Err(format!("window_tokens must be more than overlap_tokens and the {around} around a text"));
    }
    let (inputs, output) = signature(&sessions).map_err(place)?;
    let labels_of_files = files.labels.len();
    let window_tokens = window_tokens - around;
    let graph = Graph {
        tokenizer,
        sessions,
        next: AtomicUsize::new(0),
        inputs,
        output,
        labels: labels_of_files,
        window_tokens,
        overlap_tokens,
    };
    graph.score("two words").map_err(place)?;
    Ok((labels, Box::new(graph)))
}

/// The runtime is loaded once a process, and never another one beside it.
fn environment(model: &Model) -> Result<Environment, String> {
    static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);
    let named = model.runtime.clone().or_else(|| std::env::var_os(RUNTIME_VARIABLE).map(PathBuf::from));
    let library = named.ok_or_else(|| format!("runtime is missing, and {RUNTIME_VARIABLE} is not set"))?;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, environment)) = loaded.as_ref() {
        return match *known == library {
            true => Ok(environment.clone()),
            false => Err(format!("runtime: {} is loaded already, from {}", library.display(), known.display())),
        };
    }
    let environment = load(&library, model.runtime_digest.as_deref())?;
    *loaded = Some((library, environment.clone()));
    Ok(environment)
}

fn load(library: &Path, digest: Option<&str>) -> Result<Environment, String> {
    let place = |what: &dyn std::fmt::Display| format!("runtime: {}: {what}", library.display());
    let bytes = std::fs::read(library).map_err(|err| place(&err))?;
    let found = format!("blake3:{}", blake3::hash(&bytes));
    if let Some(digest) = digest.filter(|digest| *digest != found) {
        return Err(place(&format!("its digest is {found}, not the pipeline's {digest}")));
    }
    let builder = ort::init_from(library).map_err(|err| place(&err))?;
    // What the runtime logs goes nowhere: of a graph that fails it tells the token.
    let silent = Arc::new(|_: LogLevel, _: &str, _: &str, _: &str, _: &str| {});
    let builder = builder.with_name("gristmill").with_telemetry(false).with_logger(silent);
    let environment = builder.build().map_err(|err| place(&err))?;
    environment.set_log_level(LogLevel::Fatal);
    Ok(environment)
}

fn tokenizer(json: &[u8]) -> Result<Tokenizer, String> {
    let wrong = |err: tokenizers::Error| format!("tokenizer.json: {err}");
    let mut tokenizer = Tokenizer::from_bytes(json).map_err(wrong)?;
    // A "[SEP]" that somebody wrote is text.
    tokenizer.set_encode_special_tokens(true);
    // What the file says of lengths is for other uses; to truncate would be to leave text unread.
    tokenizer.with_padding(None).with_truncation(None).map_err(wrong)?;
    Ok(tokenizer)
}

fn session(environment: &Environment, files: &Files) -> Result<Session, String> {
    let said = |err: ort::Error<SessionBuilder>| err.to_string();
    let builder = Session::builder(environment).map_err(|err| err.to_string())?;
    let builder = builder.with_intra_threads(1).map_err(said)?.with_inter_threads(1).map_err(said)?;
    let builder = builder.with_deterministic_compute(true).map_err(said)?;
    let mut builder = builder.with_optimization_level(GraphOptimizationLevel::Level3).map_err(said)?;
    for (name, bytes) in &files.weights {
        builder = builder.with_external_initializer_file_in_memory(*name, bytes.clone()).map_err(said)?;
    }
    builder.commit_from_memory(&files.graph).map_err(|err| err.to_string())
}

/// The inputs that a graph asks for, and the output that holds its scores.
fn signature(sessions: &[Mutex<Session>]) -> Result<(Vec<(String, Input)>, String), String> {
    let session = sessions.first().map(lock).ok_or("sessions is 0, expected 1 or more")?;
    let named = |name: &str| match name {
        "input_ids" => Ok(Input::Ids),
        "attention_mask" => Ok(Input::Mask),
        "token_type_ids" => Ok(Input::Types),
        other => {
            Err(format!("{}: asks for {other:?}; known are input_ids, attention_mask, token_type_ids", files::GRAPH))
        }
    };
    let inputs = session.inputs().iter().map(|one| Ok((one.name().to_owned(), named(one.name())?)));
    let inputs = inputs.collect::<Result<_, String>>()?;
    let outputs: Vec<&str> = session.outputs().iter().map(|one| one.name()).collect();
    let output = outputs.iter().find(|name| **name == "logits").or(outputs.first());
    let output = output.ok_or_else(|| format!("{}: has no output", files::GRAPH))?;
    Ok((inputs, (*output).to_owned()))
}

fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Graph {
    /// The first session that is free, else the next one in turn.
    fn session(&self) -> MutexGuard<'_, Session> {
        let free = self.sessions.iter().find_map(|session| session.try_lock().ok());
        free.unwrap_or_else(|| lock(&self.sessions[self.next.fetch_add(1, Ordering::Relaxed) % self.sessions.len()]))
    }

    /// Scores of a window, tokens × labels, with those around it.
    fn run(&self, window: &Encoding) -> Result<Vec<f32>, String> {
        let tokens = window.len();
        let tensor = |values: &[u32]| {
            let values: Vec<i64> = values.iter().map(|value| i64::from(*value)).collect();
            Tensor::from_array(([1, tokens], values)).map_err(|err| err.to_string())
        };
        let input = |(name, input): &(String, Input)| {
            let values = match input {
                Input::Ids => window.get_ids(),
                Input::Mask => window.get_attention_mask(),
                Input::Types => window.get_type_ids(),
            };
            Ok((name.clone(), SessionInputValue::from(tensor(values)?)))
        };
        let inputs = self.inputs.iter().map(input).collect::<Result<Vec<_>, String>>()?;
        let mut session = self.session();
        let outputs = session.run(inputs).map_err(|err| format!("{}: {err}", files::GRAPH))?;
        let logits = outputs.get(self.output.as_str()).ok_or("the graph gave no scores")?;
        let (shape, scores) = logits.try_extract_tensor::<f32>().map_err(|err| err.to_string())?;
        let expected = [1, tokens as i64, self.labels as i64];
        match shape[..] == expected && scores.iter().all(|score| score.is_finite()) {
            true => Ok(scores.to_vec()),
            false => Err(format!("{}: scores are {:?}, expected finite ones, {expected:?}", files::GRAPH, &shape[..])),
        }
    }

    /// Tokens of the text that a window scores and no other does.
    fn own(&self, window: usize, windows: usize) -> std::ops::Range<usize> {
        let step = self.window_tokens - self.overlap_tokens;
        let half = self.overlap_tokens / 2;
        let start = if window == 0 { 0 } else { window * step + half };
        let end = if window + 1 == windows { usize::MAX } else { (window + 1) * step + half };
        start..end
    }
}

impl Scorer for Graph {
    fn score(&self, text: &str) -> Result<Scored, String> {
        let failed = |_| "the tokenizer failed".to_owned();
        let whole = self.tokenizer.encode(text, false).map_err(failed)?;
        let (offsets, words) = (whole.get_offsets().to_vec(), whole.get_word_ids().to_vec());
        let mut first = whole;
        first.truncate(self.window_tokens, self.overlap_tokens, TruncationDirection::Right);
        let rest = first.take_overflowing();
        let windows = 1 + rest.len();
        let mut scored = Scored::default();
        for (number, window) in [first].into_iter().chain(rest).enumerate() {
            let from = number * (self.window_tokens - self.overlap_tokens);
            let (tokens, own) = (window.len(), self.own(number, windows));
            let window = self.tokenizer.post_process(window, None, true).map_err(failed)?;
            let logits = self.run(&window)?;
            let around = window.get_special_tokens_mask();
            let rows = logits.chunks_exact(self.labels).zip(around).filter(|(_, around)| **around == 0);
            let rows: Vec<&[f32]> = rows.map(|(row, _)| row).collect();
            if rows.len() != tokens {
                return Err("tokenizer.json: what it puts around a text is not marked as special".to_owned());
            }
            for (at, row) in (from..).zip(rows).filter(|(at, _)| own.contains(at)) {
                let continues = at > 0 && words[at].is_some() && words[at] == words[at - 1];
                scored.tokens.push(Token { place: offsets[at].0..offsets[at].1, continues });
                scored.log_probs.extend(log_softmax(row));
            }
        }
        match scored.tokens.len() == offsets.len() {
            true => Ok(scored),
            false => Err("windows leave a token out".to_owned()),
        }
    }
}

/// Natural logarithms of the probabilities that scores stand for.
fn log_softmax(scores: &[f32]) -> impl Iterator<Item = f32> {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum = scores.iter().map(|score| (score - most).exp()).sum::<f32>().ln();
    scores.iter().map(move |score| score - most - sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up() {
        for scores in [&[1.0f32, 2.0, 3.0][..], &[1000.0, -1000.0], &[0.0]] {
            let sum: f32 = log_softmax(scores).map(f32::exp).sum();
            assert!((sum - 1.0).abs() < 1e-6, "{scores:?}");
        }
    }
}
