//! label: imports the files the pipeline names, then merges every annotation into verdicts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use arrow::array::{ArrayRef, Float64Array, ListBuilder, RecordBatch, StringArray, StringBuilder, UInt32Array};

use super::dedup::{folder_manifest, write_one};
use super::import;
use super::sample::Batch;
use super::sink::{TableSink, arrow_error};
use super::{Job, StageOutcome};
use crate::config::Loaded;
use crate::engine::{Sink, sources::expand};
use crate::error::{Error, Result};
use crate::layer::tables::Table;
use crate::layer::{Labeled, Labels, Layer, Made};
use crate::stages::label::{self, Refused, Verdict};
use crate::store::log::Event;
use crate::store::{Books, manifest};
use crate::task::Task;

const STAGE: &str = "label";

/// The label files that the pipeline names. Looked up before a run does anything else.
pub(super) fn files(loaded: &Loaded) -> Result<Vec<PathBuf>> {
    let found = loaded.pipeline.label.files.iter().map(|written| expand(loaded, written));
    Ok(found.collect::<Result<Vec<_>>>()?.concat())
}

/// Verdicts, and the folder that holds them.
pub struct Merged {
    pub key: String,
    pub verdicts: Vec<Verdict>,
}

impl Job<'_> {
    pub(super) fn label(&mut self, files: &[PathBuf], batches: &[Batch]) -> Result<Merged> {
        let began = Instant::now();
        self.progress.begin(STAGE, 0, Arc::new(AtomicU64::new(0)));
        let loaded = self.loaded;
        for file in files {
            import::one(&mut self.store, &self.redactor, &self.key, file)?;
        }
        let labels = import::all(&self.store)?;
        let key = self.labeled_key(batches, &labels);
        let cached = self.made::<Labeled>(&key)?;
        let tasks = import::tasks_by_id(batches);
        let mut annotations = Vec::new();
        for one in &labels {
            annotations.extend(import::annotations(one)?);
        }
        let mut books = Books {
            records_read: labels.iter().map(|one| one.manifest.books.records_read).sum(),
            ..Default::default()
        };
        labels
            .iter()
            .flat_map(|one| &one.manifest.books.rejected)
            .for_each(|(reason, n)| *books.rejected.entry(reason.clone()).or_default() += n);
        let merged = label::merge_annotations(annotations, &tasks, &import::rules(loaded, batches)?)?;
        books.kept = merged.accepted.len() as u64;
        for refused in &merged.refused {
            *books.rejected.entry(refused.reason.to_owned()).or_default() += 1;
        }
        books.balance(STAGE, books.kept + books.rejects())?;
        let mut stage = StageOutcome::of(STAGE, &books, outcomes(&merged.verdicts));
        stage.cached = cached.is_some();
        if cached.is_none() {
            self.write_labeled(&key, &labels, books, &merged.verdicts, &merged.refused, &tasks)?;
        }
        self.told(stage, began);
        Ok(Merged { key, verdicts: merged.verdicts })
    }

    fn labeled_key(&self, batches: &[Batch], labels: &[Made<Labels>]) -> String {
        let section = &self.loaded.pipeline.label;
        let rules = serde_json::json!([section.min_annotations, section.deadline, Labeled::VERSION]).to_string();
        let batches: Vec<&str> = batches.iter().map(|batch| batch.info.batch_id.as_str()).collect();
        let labels: Vec<&str> = labels.iter().map(|one| one.manifest.key.as_str()).collect();
        manifest::key(&[Labeled::NAME, &rules, &batches.join(","), &labels.join(",")])
    }

    fn write_labeled(
        &mut self,
        key: &str,
        labels: &[Made<Labels>],
        books: Books,
        verdicts: &[Verdict],
        refused: &[Refused],
        tasks: &std::collections::HashMap<String, Task>,
    ) -> Result<()> {
        let staged = self.store.stage(format!("layers/{}/{key}", Labeled::NAME))?;
        let mut sink = TableSink::create(&staged.staging, "part-00000", &Labeled::schema())?;
        sink.write(verdicts_batch(verdicts, tasks)?)?;
        let files =
            vec![sink.finish()?, write_one(&staged.staging, "refused", Table::Refused, &refused_batch(refused)?)?];
        let inputs = labels.iter().map(|one| one.manifest.key.clone()).collect();
        let settings = serde_json::json!(self.loaded.pipeline.label.min_annotations);
        folder_manifest::<Labeled>(key, inputs, settings, books, outcomes(verdicts), files).write(&staged.staging)?;
        self.store.publish(&[staged], Event::Layers { run_id: self.run_id(), stage: STAGE.to_owned() })
    }
}

/// Verdicts by outcome; ratings and texts together.
fn outcomes(verdicts: &[Verdict]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for verdict in verdicts {
        let name = match verdict.task_type {
            crate::task::TaskType::Rate if verdict.outcome.parse::<i64>().is_ok() => "rated",
            _ => verdict.outcome.as_str(),
        };
        *counts.entry(format!("verdict {name}")).or_default() += 1;
    }
    counts
}

fn lists<T>(rows: &[T], of: impl Fn(&T) -> &Vec<String>) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in rows {
        of(row).iter().for_each(|text| builder.values().append_value(text));
        builder.append(true);
    }
    Arc::new(builder.finish())
}

fn verdicts_batch(verdicts: &[Verdict], tasks: &std::collections::HashMap<String, Task>) -> Result<RecordBatch> {
    let gone = |verdict: &Verdict| Error::damaged(verdict.task_id.clone(), "a verdict without a task");
    let asked = verdicts.iter().map(|v| tasks.get(&v.task_id).ok_or_else(|| gone(v))).collect::<Result<Vec<_>>>()?;
    let of_task = |of: fn(&Task) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(asked.iter().map(|task| of(task))))
    };
    let words =
        |of: fn(&Verdict) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(verdicts.iter().map(of))) };
    let votes =
        |of: fn(&Verdict) -> u32| -> ArrayRef { Arc::new(UInt32Array::from_iter_values(verdicts.iter().map(of))) };
    let columns: Vec<ArrayRef> = vec![
        words(|v| &v.task_id),
        of_task(|task| &task.batch_id),
        words(|v| v.task_type.as_str()),
        of_task(|task| &task.rubric),
        of_task(|task| &task.rubric_version),
        words(|v| &v.outcome),
        votes(|v| v.votes),
        votes(|v| v.votes_for),
        votes(|v| v.votes_left),
        votes(|v| v.votes_right),
        votes(|v| v.votes_tie),
        votes(|v| v.votes_both_bad),
        Arc::new(verdicts.iter().map(|v| v.mean_rating).collect::<Float64Array>()),
        Arc::new(Float64Array::from_iter_values(verdicts.iter().map(|v| v.margin))),
        Arc::new(verdicts.iter().map(|v| v.text.clone()).collect::<StringArray>()),
        lists(verdicts, |v| &v.tags),
        lists(verdicts, |v| &v.annotators),
        lists(verdicts, |v| &v.annotation_ids),
        Arc::new(verdicts.iter().map(|v| v.agreement).collect::<Float64Array>()),
    ];
    RecordBatch::try_new(Labeled::schema(), columns).map_err(|err| arrow_error(STAGE, &err))
}

fn refused_batch(refused: &[Refused]) -> Result<RecordBatch> {
    let words =
        |of: fn(&Refused) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(refused.iter().map(of))) };
    let columns = vec![words(|r| &r.annotation_id), words(|r| &r.task_id), words(|r| r.reason)];
    RecordBatch::try_new(Table::Refused.schema(), columns).map_err(|err| arrow_error(STAGE, &err))
}
