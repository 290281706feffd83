//! What a run would do, without doing it: sources, stages, what is done already and why.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::dedup::{deduped_key, sketch_key};
use super::join::joined_key;
use super::sample::sampled_key;
use super::store_root;
use crate::config::Loaded;
use crate::engine::sources::{self, SourceFile};
use crate::engine::written::FRAGMENTS;
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
/// Engine, buffers and writers at rest; and what dedup keeps for each record.
const MEMORY_BASE: u64 = 512 << 20;
const MEMORY_PER_RECORD: u64 = 400;

pub fn plan(loaded: &Loaded, store: Option<&PathBuf>) -> Result<Plan> {
    let root = store_root(loaded, store);
    let key = super::project_key(loaded)?;
    let files = sources::discover(loaded, &loaded.pipeline.ingest.sources)?;
    let redacted: Vec<String> = files.iter().map(|file| super::ingest::redacted_key(loaded, &key, file)).collect();
    let mut redacted = redacted;
    redacted.extend(joined(loaded, &root, &redacted)?);
    let planned = by_name(files.iter().zip(&redacted).map(|(file, key)| source(&root, key, file)))?;
    let new = planned.iter().filter(|source| !source.done).count();
    let rows: u64 = planned.iter().map(|source| source.rows_expected).sum();
    let unpacked = |source: &PlannedSource| source.rows_expected * BYTES_PER_RECORD;
    let disk: u64 = planned.iter().filter(|source| !source.done).map(unpacked).sum::<u64>() / 2;
    let mut beside = super::against::overlap_keys(loaded, &key, &redacted)?;
    let vectors = super::semantic::planned(loaded, new > 0)?;
    beside.extend(vectors.key);
    let mut stages = stages(loaded, &root, new, &redacted, &beside);
    if vectors.missing {
        let dedup = stages.iter_mut().filter(|stage| stage.stage == "dedup");
        dedup.for_each(|stage| stage.why.push_str("; vectors: not there yet, make them after `--until redact`"));
    }
    Ok(Plan { stages, sources: planned, memory_bytes: MEMORY_BASE + rows * MEMORY_PER_RECORD, disk_bytes: disk })
}

/// Key of the folder of joined conversations, as far as committed sources tell.
fn joined(loaded: &Loaded, root: &Path, redacted: &[String]) -> Result<Option<String>> {
    let mut parts = Vec::new();
    for key in redacted {
        let file = root.join("layers").join(Redacted::NAME).join(key).join(crate::store::manifest::FILE);
        if file.exists() && Manifest::read(&file)?.table(FRAGMENTS).any(|file| file.rows > 0) {
            parts.push(key.as_str());
        }
    }
    Ok((!parts.is_empty()).then(|| joined_key(loaded, parts.into_iter())))
}

/// The pieces of a log as one source, done if they all are.
fn by_name(pieces: impl Iterator<Item = Result<PlannedSource>>) -> Result<Vec<PlannedSource>> {
    let mut named: BTreeMap<String, PlannedSource> = BTreeMap::new();
    for piece in pieces {
        let piece = piece?;
        match named.get_mut(&piece.path) {
            None => drop(named.insert(piece.path.clone(), piece)),
            Some(whole) => {
                whole.bytes += piece.bytes;
                whole.rows_expected += piece.rows_expected;
                if whole.done != piece.done {
                    (whole.done, whole.why) = (false, "a part of it is new".to_owned());
                }
            }
        }
    }
    Ok(named.into_values().collect())
}

fn source(root: &Path, key: &str, file: &SourceFile) -> Result<PlannedSource> {
    let manifest_file = root.join("layers").join(Redacted::NAME).join(key).join(crate::store::manifest::FILE);
    let made = if manifest_file.exists() { Some(Manifest::read(&manifest_file)?) } else { None };
    let why = match &made {
        Some(_) => "same content, same rules: already redacted".to_owned(),
        None => "new content, or new rules".to_owned(),
    };
    let rows_expected = made.as_ref().map_or_else(|| file.rows_expected(), |made| made.books.records_read);
    Ok(PlannedSource { path: file.location.to_string(), bytes: file.bytes, done: made.is_some(), why, rows_expected })
}

fn stages(loaded: &Loaded, root: &Path, new: usize, redacted: &[String], beside: &[String]) -> Vec<PlannedStage> {
    let any = |layer: &str| root.join("layers").join(layer).is_dir();
    let made = |layer: &str, key: &str| root.join("layers").join(layer).join(key).is_dir();
    let stage = |stage, runs, why: String| PlannedStage { stage, runs, why };
    let fresh = new > 0;
    let sketches: Vec<String> = redacted.iter().map(|key| sketch_key(loaded, key)).collect();
    let deduped = deduped_key(loaded, sketches.iter().chain(beside).map(String::as_str).collect());
    let samples = loaded.pipeline.sample.iter().zip(&loaded.rubrics);
    let drawn = samples.filter(|(sample, rubric)| made(Sampled::NAME, &sampled_key(loaded, sample, rubric, &deduped)));
    let (decided, drawn) = (made(Deduped::NAME, &deduped), drawn.count());
    let because = |done: bool, layer: &str| match (done, fresh, any(layer)) {
        (true, ..) => "same records, same settings".to_owned(),
        (_, true, _) => format!("{new} sources are new"),
        (_, _, false) => "never run".to_owned(),
        (_, _, true) => "other sources or settings than before".to_owned(),
    };
    let pipeline = &loaded.pipeline;
    let all_drawn = drawn == pipeline.sample.len();
    vec![
        stage(
            "ingest",
            fresh,
            if fresh { format!("{new} sources are new") } else { "every source is done".to_owned() },
        ),
        stage("redact", fresh, "in one pass with ingest".to_owned()),
        stage("dedup", !decided, because(decided, Deduped::NAME)),
        stage(
            "sample",
            !all_drawn,
            match pipeline.sample.len() {
                0 => "no [[sample]] in the pipeline".to_owned(),
                _ => because(all_drawn, Sampled::NAME),
            },
        ),
        stage(
            "label",
            !all_drawn || !any(Labeled::NAME),
            format!("{} label files and what was imported; done if they are as before", pipeline.label.files.len()),
        ),
        stage(
            "dataset",
            !decided || !root.join("datasets").is_dir(),
            format!("{} datasets; a new version only if rows change", pipeline.dataset.len()),
        ),
    ]
}
