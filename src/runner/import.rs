//! Label files into the store: read, redacted, kept as annotations, once for each content.
//!
//! Always: what an annotator wrote is redacted before anything keeps it; every line is an
//! annotation or a counted, placed refusal.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::sample::{Batch, read_batches};
use super::{project_key, store_root};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::layer::{Labels, Layer, Made};
use crate::record::ProjectKey;
use crate::stages::label::{self, File, Rules};
use crate::stages::redact::{RULES_VERSION, Redactor};
use crate::store::log::Event;
use crate::store::parquet::file_info;
use crate::store::{Books, Manifest, Store, manifest};
use crate::task::{Annotation, Task};

/// What `labels import` did.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    pub files: Vec<ImportedFile>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ImportedFile {
    pub file: String,
    pub labels_key: String,
    pub new: bool,
    pub read: u64,
    pub accepted: u64,
    pub refused: BTreeMap<String, u64>,
    pub unreadable: BTreeMap<String, u64>,
}

/// Folder below the root and layer name in manifests.
pub const LABELS: &str = Labels::NAME;

/// Imports files outside a run and says what the next run will make of them.
pub fn import(loaded: &Loaded, store: Option<&PathBuf>, files: &[PathBuf]) -> Result<Imported> {
    let key = project_key(loaded)?;
    let redactor = Redactor::new(&loaded.pipeline.redact, &key).map_err(|what| Error::config(&loaded.file, what))?;
    let root = store_root(loaded, store);
    // A typo must not make a store.
    Store::read(&root)?;
    let mut store = Store::open(&root)?;
    let batches = read_batches(store.root(), &loaded.pipeline.pipeline.name)?;
    let rules = rules(loaded, &batches)?;
    let tasks = tasks_by_id(&batches);
    let mut imported = Vec::new();
    for file in files {
        let (made, new) = one(&mut store, &redactor, &key, file)?;
        let merged = label::merge_annotations(annotations(&made)?, &tasks, &rules)?;
        imported.push(ImportedFile {
            file: file.display().to_string(),
            labels_key: made.manifest.key.clone(),
            new,
            read: made.manifest.books.records_read,
            accepted: merged.accepted.len() as u64,
            refused: label::count(merged.refused.iter().map(|refused| refused.reason)),
            unreadable: made.manifest.books.rejected.clone(),
        });
    }
    Ok(Imported { files: imported })
}

pub fn tasks_by_id(batches: &[Batch]) -> HashMap<String, Task> {
    batches.iter().flat_map(|batch| &batch.tasks).map(|task| (task.task_id.clone(), task.clone())).collect()
}

/// The rubrics as they were handed out, and the pipeline's rules for answers.
pub fn rules(loaded: &Loaded, batches: &[Batch]) -> Result<Rules> {
    let label = &loaded.pipeline.label;
    let rubrics = batches.iter().map(|batch| batch.info.rubric.clone()).collect();
    let bad = || Error::config(&loaded.file, "label.deadline is not a time in RFC 3339, like 2026-11-30T18:00:00Z");
    Rules::new(rubrics, label.deadline.as_deref(), label.min_annotations.max(1)).ok_or_else(bad)
}

/// One file; the same content is imported once.
pub fn one(store: &mut Store, redactor: &Redactor, key: &ProjectKey, file: &Path) -> Result<(Made<Labels>, bool)> {
    let bytes = std::fs::read(file).map_err(|err| Error::io(file, &err))?;
    let content = blake3::hash(&bytes).to_hex();
    let labels_key = manifest::key(&[LABELS, &content, &RULES_VERSION.to_string(), &key.fingerprint().to_string()]);
    let folder = store.root().join(LABELS).join(&labels_key);
    if folder.exists() {
        let manifest = Manifest::read(&folder.join(manifest::FILE))?;
        return Ok((Made::of_committed(folder, manifest), false));
    }
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let read = label::read(&File { name: &name, bytes: &bytes }, &|text| redactor.free_text(text));
    let staged = store.stage(format!("{LABELS}/{labels_key}"))?;
    write_lines(&staged.staging.join("annotations.jsonl"), &read.annotations)?;
    write_lines(&staged.staging.join("unreadable.jsonl"), &read.unreadable)?;
    let kept = read.annotations.len() as u64;
    let rejected = label::count(read.unreadable.iter().map(|bad| bad.reason));
    let books = Books { records_read: read.read, kept, rejected, bytes: bytes.len() as u64, ..Default::default() };
    books.balance(LABELS, kept + books.rejects())?;
    let manifest = Manifest {
        layer: LABELS.to_owned(),
        layer_version: Labels::VERSION,
        key: labels_key.clone(),
        inputs: vec![content.to_string()],
        settings: serde_json::json!({"file": name}),
        books,
        counts: read.unknown_results.iter().map(|(kind, n)| (format!("unknown result {kind}"), *n)).collect(),
        files: vec![
            file_info(&staged.staging, "annotations.jsonl".to_owned(), kept, false)?,
            file_info(&staged.staging, "unreadable.jsonl".to_owned(), read.unreadable.len() as u64, false)?,
        ],
    };
    manifest.write(&staged.staging)?;
    store.publish(&[staged], Event::Labels { labels_key })?;
    Ok((Made::of_committed(folder, manifest), true))
}

fn write_lines<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    let mut lines = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut lines, row)
            .map_err(|err| Error::damaged(path.display().to_string(), err.to_string()))?;
        lines.push(b'\n');
    }
    std::fs::write(path, lines).map_err(|err| Error::io(path, &err))
}

/// The annotations of one imported file.
pub fn annotations(made: &Made<Labels>) -> Result<Vec<Annotation>> {
    let path = made.folder.join("annotations.jsonl");
    let bytes = std::fs::read(&path).map_err(|err| Error::io(&path, &err))?;
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate();
    let bad = |i| Error::damaged(path.display().to_string(), format!("line {}", i + 1));
    lines.map(|(i, line)| serde_json::from_slice(line).map_err(|_| bad(i))).collect()
}

/// Everything that was ever imported into a store, in the order of keys.
pub fn all(store: &Store) -> Result<Vec<Made<Labels>>> {
    let dir = store.root().join(LABELS);
    let Ok(entries) = std::fs::read_dir(&dir) else { return Ok(Vec::new()) };
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    folders.sort();
    let made = |folder: PathBuf| Ok(Made::of_committed(folder.clone(), Manifest::read(&folder.join(manifest::FILE))?));
    folders.into_iter().map(made).collect()
}
