//! Reads the CoNLL corpora: sentences as text, with the names in them.
//!
//! Not here: what is learned from them (`learn`).
//!
//! Always: names lie on the borders of tokens; handles (`@jane`) are no names.

use std::ops::Range;
use std::path::Path;

use gristmill::stages::redact::names::model::{ORGANIZATION, OTHER, PERSON, PLACE};

/// A sentence and its names, each with the label of its first word.
#[derive(Clone, Debug)]
pub struct Sentence {
    pub text: String,
    pub names: Vec<(Range<usize>, usize)>,
}

/// How tokens become text: as they stand in running text, or with a space between any two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    Running,
    Spaced,
}

fn label_of(tag: &str) -> Option<(bool, usize)> {
    let (begins, kind) = tag.split_once('-')?;
    let label = match kind {
        "PER" | "person" => PERSON,
        "LOC" | "location" => PLACE,
        "ORG" | "corporation" | "group" => ORGANIZATION,
        _ => OTHER,
    };
    Some((begins == "B", label))
}

/// Tokens and tags of a sentence.
pub type Tokens = Vec<(String, String)>;

/// The sentences of a file, as rows of tokens and tags.
pub fn read(path: &Path) -> Result<Vec<Tokens>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (mut sentences, mut sentence) = (Vec::new(), Vec::new());
    for line in text.lines() {
        match line.trim_end().rsplit_once(['\t', ' ']) {
            Some((token, tag)) => sentence.push((token.trim().to_owned(), tag.to_owned())),
            None if !sentence.is_empty() => sentences.push(std::mem::take(&mut sentence)),
            None => {}
        }
    }
    sentences.extend((!sentence.is_empty()).then_some(sentence));
    Ok(sentences)
}

/// Reads lines of `{"text": …, "names": [[start, end, "PER"], …]}`; bytes, half-open.
pub fn read_marked(path: &Path) -> Result<Vec<Sentence>, String> {
    #[derive(serde::Deserialize)]
    struct Line {
        text: String,
        names: Vec<(usize, usize, String)>,
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let sentence = |line: &str| {
        let line: Line = serde_json::from_str(line).map_err(|error| format!("{}: {error}", path.display()))?;
        let label = |kind: &str| label_of(&format!("B-{kind}")).map_or(OTHER, |(_, label)| label);
        let names = line.names.iter().map(|(start, end, kind)| (*start..*end, label(kind))).collect();
        Ok(Sentence { text: line.text, names })
    };
    text.lines().map(sentence).collect()
}

fn sticks_to_left(token: &str) -> bool {
    matches!(
        token,
        "." | ","
            | "!"
            | "?"
            | ";"
            | ":"
            | ")"
            | "]"
            | "'s"
            | "n't"
            | "'m"
            | "'re"
            | "'ll"
            | "'ve"
            | "'d"
            | "%"
            | "..."
    )
}

fn sticks_to_right(token: &str) -> bool {
    matches!(token, "(" | "[" | "$" | "@" | "#")
}

pub fn join(tokens: &[(String, String)], joined: Joined) -> Sentence {
    let mut sentence = Sentence { text: String::new(), names: Vec::new() };
    let mut last = None;
    let mut handle = false;
    for (place, (token, tag)) in tokens.iter().enumerate() {
        let stuck =
            joined == Joined::Running && (sticks_to_left(token) || place > 0 && sticks_to_right(&tokens[place - 1].0));
        if place > 0 && !stuck {
            sentence.text.push(' ');
        }
        let start = sentence.text.len();
        sentence.text.push_str(token);
        let end = sentence.text.len();
        // A handle may be cut in two tokens: `@`, `jane`.
        let in_handle = token.starts_with('@') || handle;
        handle = token == "@";
        let label = label_of(tag).filter(|_| !in_handle);
        match (label, last, sentence.names.last_mut()) {
            (Some((false, label)), Some(before), Some((range, _))) if label == before => range.end = end,
            (Some((_, label)), ..) => sentence.names.push((start..end, label)),
            (None, ..) => {}
        }
        last = label.map(|(_, label)| label);
    }
    sentence
}
