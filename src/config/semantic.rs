//! `[dedup.semantic]`: near-duplicates by vectors that the user brings.
//!
//! Not here: making vectors (no model is run); what a high cosine means (`stages::dedup::semantic`).
//!
//! Always: without the section nothing is looked for, and no key or column is another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Parquet file of vectors (embeddings of what conversations say), and what is done with pairs that
/// point into nearly the same direction.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Semantic {
    /// A Parquet file, a glob, or the URL of an object. Part of keys by its content, not by its name.
    #[serde(skip_serializing)]
    pub vectors: String,
    /// Column of conversation or record ids (text), as the tables of the store have them.
    #[serde(default = "id")]
    pub id_column: String,
    /// Column of lists of 32 or 64 bit floats, all of one length.
    #[serde(default = "vector")]
    pub vector_column: String,
    /// Exact cosine that a pair must reach, from 0.5 to 1.
    #[serde(default = "high")]
    pub min_cosine: f64,
    #[serde(default)]
    pub action: SemanticAction,
    /// Random planes of a band, from 8 to 64. More of them mean fewer pairs to compare, and more bands: there
    /// are as many as find 99 % of the pairs at `min_cosine`. By default as many as 1,024 planes have room
    /// for, from 16 to 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_per_band: Option<u32>,
    /// Pairs are made with at most this many records of one bucket.
    #[serde(default = "fifty")]
    pub bucket_limit: u32,
}

/// What becomes of a record that says in other words what another says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SemanticAction {
    /// It is kept, and the other's conversation stands in `semantic_of`, a column for `where` and `strata`.
    #[default]
    Tag,
    Drop,
}

fn id() -> String {
    "id".to_owned()
}

fn vector() -> String {
    "vector".to_owned()
}

/// What lies above is a paraphrase for most models, and below often only the same topic; each model has
/// a scale of its own, so look at the tags before anything is dropped.
fn high() -> f64 {
    0.95
}

fn fifty() -> u32 {
    50
}
