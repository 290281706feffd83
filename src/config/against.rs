//! `[dedup.against]`: benchmarks that no record may repeat.
//!
//! Not here: what counts as repeated (`stages::dedup::against`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Source;

/// Evaluation, gold and regression files that must stay out of what is trained on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Against {
    /// Read and redacted as sources are. Part of keys by their content, not by their names.
    #[serde(skip_serializing)]
    pub benchmarks: Vec<Benchmark>,
    #[serde(default)]
    pub action: Action,
    /// What of a row is looked for as a whole, with case, white space and punctuation folded.
    #[serde(default = "both")]
    pub exact: Vec<Exact>,
    /// Words of an n-gram. 13 as in GPT-3 (Brown and others 2020, appendix C).
    #[serde(default = "thirteen")]
    pub ngram_words: u32,
    /// Share of the n-grams of a row's prompt, or of its answer, from which a record that holds them
    /// repeats the row. Half, as in Tulu 3 (Lambert and others 2024, 3.2); 0 looks for none.
    #[serde(default = "half")]
    pub min_overlap: f64,
}

/// One benchmark, in one or more files.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Benchmark {
    /// Lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// Files as in `[ingest]`, each row whole; of a row without answers the prompt alone counts.
    pub sources: Vec<Source>,
}

/// What becomes of a record that repeats a row of a benchmark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    #[default]
    Drop,
    /// It is kept, with the benchmark's name in the column `benchmark`.
    Tag,
}

/// What of a row is looked for as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Exact {
    /// All that users say.
    Prompt,
    /// All that assistants say.
    Answer,
}

fn both() -> Vec<Exact> {
    vec![Exact::Prompt, Exact::Answer]
}

fn thirteen() -> u32 {
    13
}

fn half() -> f64 {
    0.5
}
