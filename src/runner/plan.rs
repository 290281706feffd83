//! What a run would do, without doing it: sources, stages, what is done already and why.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::store_root;
use crate::config::Loaded;
use crate::engine::sources::{self, SourceFile};
use crate::error::Result;
use crate::layer::{Deduped, Labeled, Layer, Redacted, Sampled};
use crate::store::Manifest;

#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    pub sources: Vec<PlannedSource>,
    pub stages: Vec<PlannedStage>,
    /// What the run may hold at once, and what it will add to the store.
    pub memory_bytes: u64,
    pub disk_bytes: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlannedSource {
    pub path: String,
    pub bytes: u64,
    pub done: bool,
    pub why: String,
    pub rows_expected: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlannedStage {
    pub stage: &'static str,
    pub runs: bool,
    pub why: String,
}

/// Bytes of a record in plain chat logs; 2.5 KB in the synthetic corpus and in tau-bench's scale.
const BYTES_PER_RECORD: u64 = 2_500;
/// Compressed logs unpack to about this many times their size (gzip on JSON text).
const UNPACKED: u64 = 4;
/// Engine, buffers and writers at rest; and what dedup keeps for each record.
const MEMORY_BASE: u64 = 512 << 20;
const MEMORY_PER_RECORD: u64 = 400;

pub fn plan(loaded: &Loaded, store: Option<&PathBuf>) -> Result<Plan> {
    let root = store_root(loaded, store);
    let key = super::project_key(loaded)?;
    let files = sources::discover(loaded)?;
    let planned: Vec<PlannedSource> = files
        .iter()
        .map(|file| source(&root, &super::ingest::redacted_key(loaded, &key, file), file))
        .collect::<Result<_>>()?;
    let new = planned.iter().filter(|source| !source.done).count();
    let rows: u64 = planned.iter().map(|source| source.rows_expected).sum();
    let unpacked = |source: &PlannedSource| source.rows_expected * BYTES_PER_RECORD;
    let disk: u64 = planned.iter().filter(|source| !source.done).map(unpacked).sum::<u64>() / 2;
    Ok(Plan {
        stages: stages(loaded, &root, new),
        sources: planned,
        memory_bytes: MEMORY_BASE + rows * MEMORY_PER_RECORD,
        disk_bytes: disk,
    })
}

fn source(root: &Path, key: &str, file: &SourceFile) -> Result<PlannedSource> {
    let manifest_file = root.join("layers").join(Redacted::NAME).join(key).join(crate::store::manifest::FILE);
    let made = if manifest_file.exists() { Some(Manifest::read(&manifest_file)?) } else { None };
    let unpacked = match file.compression {
        crate::stages::ingest::decode::Compression::None => file.bytes,
        _ => file.bytes * UNPACKED,
    };
    let why = match &made {
        Some(_) => "same content, same rules: already redacted".to_owned(),
        None => "new content, or new rules".to_owned(),
    };
    let rows_expected = made.as_ref().map_or(unpacked / BYTES_PER_RECORD, |made| made.books.records_read);
    Ok(PlannedSource {
        path: file.path.display().to_string(),
        bytes: file.bytes,
        done: made.is_some(),
        why,
        rows_expected,
    })
}

fn stages(loaded: &Loaded, root: &Path, new: usize) -> Vec<PlannedStage> {
    let any = |layer: &str| root.join("layers").join(layer).is_dir();
    let stage = |stage, runs, why: String| PlannedStage { stage, runs, why };
    let fresh = new > 0;
    let because = |layer: &str| match (fresh, any(layer)) {
        (true, _) => format!("{new} sources are new"),
        (false, false) => "never run".to_owned(),
        (false, true) => "runs only if its settings changed".to_owned(),
    };
    let pipeline = &loaded.pipeline;
    vec![
        stage(
            "ingest",
            fresh,
            if fresh { format!("{new} sources are new") } else { "every source is done".to_owned() },
        ),
        stage("redact", fresh, "in one pass with ingest".to_owned()),
        stage("dedup", fresh || !any(Deduped::NAME), because(Deduped::NAME)),
        stage("sample", !pipeline.sample.is_empty() && (fresh || !any(Sampled::NAME)), because(Sampled::NAME)),
        stage(
            "label",
            fresh || !any(Labeled::NAME),
            format!("merges {} label files and whatever was imported", pipeline.label.files.len()),
        ),
        stage(
            "dataset",
            fresh || !root.join("datasets").is_dir(),
            format!("{} datasets; a new version only if rows change", pipeline.dataset.len()),
        ),
    ]
}
