//! The states of the data and their Arrow schemas: what stands in which Parquet file.
//!
//! Not here: how rows get from one layer to the next (`stages`), where files lie (`store`).
//!
//! Always: `schemas/<layer>/v<N>.json` says the same as this file; a test fails when they differ.
//! Order of layers is a type (law 3): [`Made`] of one layer cannot be passed for another.

pub mod build;
mod columns;
pub mod fragments;
pub mod schema_json;
pub mod tables;

use std::marker::PhantomData;
use std::path::PathBuf;

use arrow::datatypes::SchemaRef;

use crate::store::Manifest;
pub use columns::{message_fields, messages_type, stream_fields};

/// A state of the data. Rows of one layer become rows of the next only through a stage.
pub trait Layer: 'static {
    /// Folder under `layers/` and under `schemas/`.
    const NAME: &'static str;
    const VERSION: u32;
    fn schema() -> SchemaRef;
}

/// Committed folders of a layer, as the next stage gets them. Only the runner makes one, from
/// what the store has committed.
#[derive(Clone, Debug)]
pub struct Made<L: Layer> {
    pub folder: PathBuf,
    pub manifest: Manifest,
    layer: PhantomData<L>,
}

impl<L: Layer> Made<L> {
    pub(crate) fn of_committed(folder: PathBuf, manifest: Manifest) -> Made<L> {
        Made { folder, manifest, layer: PhantomData }
    }

    /// Files of one table that hold rows.
    pub fn files(&self, table: &str) -> Vec<PathBuf> {
        self.manifest.table(table).filter(|file| file.rows > 0).map(|file| self.folder.join(&file.path)).collect()
    }
}

/// Conversations without personal data and secrets, one row a record.
/// - 1: first release.
/// - 2: script, confidence of the language, tokens, who called (keyed) and from where.
#[derive(Clone, Debug)]
pub enum Redacted {}

/// What dedup compares: hashes and columns to select by, no text.
/// - 1: first release.
/// - 2: with `opening`.
/// - 3: the new columns of `redacted` 2.
#[derive(Clone, Debug)]
pub enum Sketch {}

/// Kept conversations: columns to select by; the text stays in `redacted`, found by `record_id`.
/// - 1: first release.
/// - 2: the new columns of `redacted` 2.
/// - 3: with `benchmark`.
#[derive(Clone, Debug)]
pub enum Deduped {}

/// Records that repeat rows of benchmarks, a row for each pair of both; made beside `sketch`.
/// - 1: first release.
#[derive(Clone, Debug)]
pub enum Overlap {}

/// Annotations, redacted, once for each imported label file (kept as JSON lines).
/// - 1: first release.
#[derive(Clone, Debug)]
pub enum Labels {}

/// Tasks handed to annotators.
/// - 1: first release.
#[derive(Clone, Debug)]
pub enum Sampled {}

/// Verdicts over tasks.
/// - 1: first release.
#[derive(Clone, Debug)]
pub enum Labeled {}

macro_rules! layer {
    ($layer:ident, $name:literal, $version:literal, $schema:path) => {
        impl Layer for $layer {
            const NAME: &'static str = $name;
            const VERSION: u32 = $version;
            fn schema() -> SchemaRef {
                $schema()
            }
        }
    };
}

layer!(Redacted, "redacted", 2, columns::redacted);
layer!(Sketch, "sketch", 3, columns::sketch);
layer!(Overlap, "overlap", 1, columns::overlap);
layer!(Deduped, "deduped", 3, columns::deduped);
layer!(Sampled, "sampled", 1, columns::sampled);
layer!(Labeled, "labeled", 1, columns::labeled);
layer!(Labels, "labels", 1, columns::labels);
