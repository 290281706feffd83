//! dataset: one release for each `[[dataset]]` whose inputs changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{UInt32Type, UInt64Type};

use super::dataset_rows::{Example, PairRow, examples_batch, pairs_batch};
use super::gate::canary_counts;
use super::label::Merged;
use super::outcome::ReleaseOutcome;
use super::release::{Behind, Closed, Closing, Origin, Release};
use super::sample::{Batch, clear_tmp};
use super::sink::{numbers, text};
use super::{Job, StageOutcome};
use crate::config::{Dataset, From, Kind};
use crate::engine::sources::SourceFile;
use crate::error::{Error, Result};
use crate::layer::tables::Table;
use crate::layer::{Deduped, Layer, Made, Redacted};
use crate::record::Place;
use crate::stages::dataset::pair::pair;
use crate::stages::label::Verdict;
use crate::store::log::Event;
use crate::store::release::{self, ReleaseManifest};
use crate::store::{Books, Staged, manifest};
use crate::task::{Task, TaskMessage, TaskType};

pub(super) const STAGE: &str = "dataset";

/// Version of everything that makes rows; part of every release's key.
/// - 1: first release.
const VERSION: u32 = 1;

/// Raw places by conversation.
pub(super) type Places = HashMap<String, Vec<Behind>>;

/// What the releases of one run are made from.
pub(super) struct Inputs<'i> {
    pub sources: HashMap<String, String>,
    pub redacted: &'i [Made<Redacted>],
    pub deduped: &'i Made<Deduped>,
    pub labeled: &'i Merged,
    pub tasks: HashMap<String, Task>,
}

impl Job<'_> {
    pub(super) async fn dataset(
        &mut self,
        sources: &[SourceFile],
        redacted: &[Made<Redacted>],
        deduped: &Made<Deduped>,
        batches: &[Batch],
        labeled: &Merged,
    ) -> Result<()> {
        let began = Instant::now();
        self.progress.begin(STAGE, 0, Arc::new(AtomicU64::new(0)));
        let inputs = Inputs {
            sources: sources.iter().map(|s| (s.source_id.clone(), s.location.to_string())).collect(),
            redacted,
            deduped,
            labeled,
            tasks: super::import::tasks_by_id(batches),
        };
        let mut stage = StageOutcome { stage: STAGE, cached: true, ..Default::default() };
        let loaded = self.loaded;
        for dataset in &loaded.pipeline.dataset {
            let (books, made) = self.one_release(dataset, &inputs).await?;
            stage.records_read += books.records_read;
            stage.kept += books.kept;
            for (reason, n) in &books.dropped {
                *stage.dropped.entry(reason.clone()).or_default() += n;
            }
            match made {
                Some((manifest, new)) => {
                    stage.cached &= !new;
                    self.outcome.releases.push(self.release_outcome(&manifest, new)?);
                }
                None => drop(
                    stage
                        .counts
                        .insert(format!("candidates for {}, none of them a row", dataset.name), books.records_read),
                ),
            }
        }
        self.told(stage, began);
        Ok(())
    }

    fn release_key(&self, dataset: &Dataset, inputs: &Inputs) -> (String, Vec<String>) {
        let layers = match dataset.from {
            From::Labels => vec![inputs.labeled.key.clone()],
            From::Logs => vec![inputs.deduped.manifest.key.clone()],
        };
        let seed = self.loaded.pipeline.pipeline.seed;
        let settings = serde_json::json!([dataset, seed, VERSION, Table::Sft.version(), Table::Preference.version()]);
        let mut parts = vec![STAGE, &dataset.name];
        let settings = settings.to_string();
        parts.push(&settings);
        parts.extend(layers.iter().map(String::as_str));
        (manifest::key(&parts), layers)
    }

    /// What was considered, and the release and whether it is new; none while there are no rows.
    async fn one_release(
        &mut self,
        dataset: &Dataset,
        inputs: &Inputs<'_>,
    ) -> Result<(Books, Option<(ReleaseManifest, bool)>)> {
        let (key, layers) = self.release_key(dataset, inputs);
        let newest = release::newest(&self.store, &dataset.name)?;
        if let Some(newest) = newest.as_ref().filter(|newest| newest.key == key) {
            return Ok((newest.books.clone(), Some((newest.clone(), false))));
        }
        let seed = self.loaded.pipeline.pipeline.seed;
        let table = match dataset.kind {
            Kind::Sft => Table::Sft,
            Kind::Preference => Table::Preference,
        };
        let recall = self.canaries()?;
        let watch = self.watch(inputs.redacted)?;
        let mut release = Release::begin(&self.store, dataset, table, seed, &watch)?;
        let aside = self.store.stage(format!("scratch/{}", dataset.name))?;
        let books = match (dataset.kind, dataset.from) {
            (_, From::Labels) => self.rows_of_labels(dataset, inputs, &aside, &mut release).await?,
            (Kind::Sft, From::Logs) => self.sft_from_logs(dataset, inputs, &mut release).await?,
            (Kind::Preference, From::Logs) => self.pairs_from_logs(inputs, &aside, &mut release).await?,
        };
        std::fs::remove_dir_all(&aside.staging).map_err(|err| Error::io(&aside.staging, &err))?;
        books.balance(STAGE, books.answered())?;
        let pipeline = self.loaded.pipeline.pipeline.name.clone();
        let counts = canary_counts(&recall);
        let closing = Closing { key: key.clone(), pipeline, layers, books: books.clone(), counts };
        let Some(closed) = release.close(closing)? else {
            return Ok((books, None));
        };
        let same = |newest: &&ReleaseManifest| hashes(newest) == hashes(&closed.manifest);
        if let Some(newest) = newest.as_ref().filter(same) {
            return Ok((books, Some((newest.clone(), false))));
        }
        let Closed { manifest, staged } = closed;
        let (dataset, version) = (manifest.dataset.clone(), manifest.version);
        self.store.publish(&staged, Event::Release { run_id: self.run_id(), dataset, version, key })?;
        Ok((books, Some((manifest, true))))
    }

    fn release_outcome(&self, manifest: &ReleaseManifest, new: bool) -> Result<ReleaseOutcome> {
        let (dataset, version) = (&manifest.dataset, manifest.version);
        Ok(ReleaseOutcome {
            dataset: dataset.clone(),
            version,
            rows: manifest.rows,
            splits: manifest.splits.clone(),
            path: release::data_dir(&self.store, dataset, version).display().to_string(),
            manifest_sha256: release::manifest_sha256(&self.store, dataset, version)?,
            counts: manifest.counts.clone(),
            new,
        })
    }

    async fn rows_of_labels(
        &mut self,
        dataset: &Dataset,
        inputs: &Inputs<'_>,
        aside: &Staged,
        release: &mut Release<'_>,
    ) -> Result<Books> {
        let ids = inputs
            .labeled
            .verdicts
            .iter()
            .filter_map(|v| inputs.tasks.get(&v.task_id))
            .flat_map(|task| &task.responses);
        let ids: BTreeSet<String> = ids.map(|response| response.conversation_id.clone()).collect();
        let places = self.places(inputs, aside, &ids).await?;
        let mut books = Books::default();
        let (mut examples, mut pairs) = (Vec::new(), Vec::new());
        for verdict in &inputs.labeled.verdicts {
            let task = inputs
                .tasks
                .get(&verdict.task_id)
                .ok_or_else(|| Error::damaged(verdict.task_id.clone(), "its task is gone"))?;
            if (task.task_type == TaskType::Pairwise) != (dataset.kind == Kind::Preference) {
                continue;
            }
            books.records_read += 1;
            let id = self.key.id("row", format!("{}\0{}", dataset.name, task.task_id).as_bytes()).to_string();
            let refused = match dataset.kind {
                Kind::Sft => example(id, task, verdict, dataset.min_rating)
                    .map(|row| examples.push((row, origin(task, verdict, &places)))),
                Kind::Preference => {
                    labeled_pair(id, task, verdict).map(|row| pairs.push((row, origin(task, verdict, &places))))
                }
            };
            match refused {
                Ok(()) => books.kept += 1,
                Err(reason) => *books.dropped.entry(reason.to_owned()).or_default() += 1,
            }
        }
        examples.sort_by(|a, b| a.0.example_id.cmp(&b.0.example_id));
        pairs.sort_by(|a, b| a.0.pair_id.cmp(&b.0.pair_id));
        let (rows, origins): (Vec<Example>, Vec<Origin>) = examples.into_iter().unzip();
        if !rows.is_empty() {
            release.push(&examples_batch(&rows)?, &origins)?;
        }
        let (rows, origins): (Vec<PairRow>, Vec<Origin>) = pairs.into_iter().unzip();
        if !rows.is_empty() {
            release.push(&pairs_batch(&rows)?, &origins)?;
        }
        Ok(books)
    }

    /// Every raw record that says what these conversations say.
    pub(super) async fn places(&self, inputs: &Inputs<'_>, aside: &Staged, ids: &BTreeSet<String>) -> Result<Places> {
        let mut places = Places::new();
        if ids.is_empty() {
            return Ok(places);
        }
        let files: Vec<_> = inputs.redacted.iter().flat_map(|one| one.files("part")).collect();
        self.engine.table("redacted", Redacted::schema(), &files)?;
        self.text_table(&aside.staging, "wanted", "conversation_id", ids.iter().map(String::as_str))?;
        let sql = "select conversation_id, record_id, source_id, start_byte, end_byte, line, element, record_hash from redacted \
            where conversation_id in (select conversation_id from wanted) order by source_id, start_byte, element";
        for batch in self.engine.collect(STAGE, sql).await? {
            for behind in behind(&batch, &inputs.sources)? {
                places.entry(behind.conversation_id.clone()).or_default().push(behind);
            }
        }
        clear_tmp(&aside.staging)?;
        Ok(places)
    }

    pub(super) async fn logs_tables(&self, inputs: &Inputs<'_>) -> Result<()> {
        let files: Vec<_> = inputs.redacted.iter().flat_map(|one| one.files("part")).collect();
        self.engine.table("redacted", Redacted::schema(), &files)?;
        self.deduped_table(Some(inputs.deduped)).await
    }
}

fn hashes(manifest: &ReleaseManifest) -> Vec<(&str, Option<&str>)> {
    manifest.files.iter().map(|file| (file.path.as_str(), file.sha256.as_deref())).collect()
}

/// The places of a batch's rows.
pub(super) fn behind(batch: &RecordBatch, sources: &HashMap<String, String>) -> Result<Vec<Behind>> {
    let named = |name| text(batch, name);
    let (conversations, records) = (named("conversation_id")?, named("record_id")?);
    let (source_ids, hashes) = (named("source_id")?, named("record_hash")?);
    let number = |name: &str| numbers::<UInt64Type>(batch, name);
    let (starts, ends, lines) = (number("start_byte")?, number("end_byte")?, number("line")?);
    let elements = numbers::<UInt32Type>(batch, "element")?;
    let at = |column: &ArrayRef, i: usize| column.as_string::<i32>().value(i).to_owned();
    let row = |i: usize| Behind {
        part: "example",
        conversation_id: at(&conversations, i),
        record_id: at(&records, i),
        source: sources.get(&at(&source_ids, i)).cloned().unwrap_or_default(),
        source_id: at(&source_ids, i),
        place: Place {
            start_byte: starts.value(i),
            end_byte: ends.value(i),
            line: lines.value(i),
            element: elements.value(i),
        },
        record_hash: at(&hashes, i),
    };
    Ok((0..batch.num_rows()).map(row).collect())
}

/// An example from a verdict, or the reason why there is none.
fn example(
    example_id: String,
    task: &Task,
    verdict: &Verdict,
    min_rating: Option<u8>,
) -> std::result::Result<Example, &'static str> {
    let response = task.responses.first().ok_or("no_answer")?;
    let mut messages = task.prompt.clone();
    match (task.task_type, verdict.outcome.as_str()) {
        (_, "too-few") => return Err("too_few_annotations"),
        (_, "no-majority") => return Err("no_majority"),
        (TaskType::Rate, median) => {
            if min_rating.is_some_and(|least| median.parse::<i64>().unwrap_or(i64::MIN) < i64::from(least)) {
                return Err("rated_too_low");
            }
            messages.extend(response.messages.iter().cloned());
        }
        (TaskType::Rewrite, _) => {
            let text = verdict.text.clone().ok_or("no_majority")?;
            messages.push(TaskMessage {
                role: "assistant".to_owned(),
                content: text,
                name: None,
                tool_call_id: None,
                tool_calls: None,
            });
        }
        _ => messages.extend(response.messages.iter().cloned()),
    }
    Ok(Example {
        example_id,
        messages,
        tools: task.tools.clone(),
        conversation_id: response.conversation_id.clone(),
        language: task.language.clone().unwrap_or_default(),
        model: response.model.clone(),
        label_source: "human",
        task_type: Some(task.task_type.as_str().to_owned()),
        rubric: Some(task.rubric.clone()),
        rubric_version: Some(task.rubric_version.clone()),
        rating: verdict.mean_rating,
        tags: verdict.tags.clone(),
        split_group: task.split_group.clone(),
    })
}

/// A pair from a verdict, or the reason why there is none. Ties never make a pair.
fn labeled_pair(pair_id: String, task: &Task, verdict: &Verdict) -> std::result::Result<PairRow, &'static str> {
    let [left, right] = task.responses.as_slice() else { return Err("no_answer") };
    let (chosen, rejected, margin) = match verdict.outcome.as_str() {
        "left" => (left, right, verdict.margin),
        "right" => (right, left, -verdict.margin),
        "tie" => return Err("tie"),
        "both-bad" => return Err("both_bad"),
        "too-few" => return Err("too_few_annotations"),
        _ => return Err("no_majority"),
    };
    let whole = |answer: &[TaskMessage]| [task.prompt.as_slice(), answer].concat();
    let made = pair(&whole(&chosen.messages), &whole(&rejected.messages)).map_err(|why| why.as_str())?;
    Ok(PairRow {
        pair_id,
        prompt: made.prompt,
        chosen: made.chosen,
        rejected: made.rejected,
        tools: task.tools.clone(),
        margin,
        votes: verdict.votes,
        votes_for: verdict.votes_for,
        votes_tie: verdict.votes_tie,
        agreement: verdict.agreement,
        chosen_model: chosen.model.clone(),
        rejected_model: rejected.model.clone(),
        language: task.language.clone().unwrap_or_default(),
        label_source: "human",
        rubric: Some(task.rubric.clone()),
        rubric_version: Some(task.rubric_version.clone()),
        split_group: task.split_group.clone(),
    })
}

fn origin(task: &Task, verdict: &Verdict, places: &Places) -> Origin {
    let chosen = usize::from(verdict.outcome == "right");
    let mut records = Vec::new();
    for (i, response) in task.responses.iter().enumerate() {
        let part = match task.task_type {
            TaskType::Pairwise if i == chosen => "chosen",
            TaskType::Pairwise => "rejected",
            _ => "example",
        };
        let found = places.get(&response.conversation_id).into_iter().flatten();
        records.extend(found.map(|behind| Behind { part, ..behind.clone() }));
    }
    Origin {
        records,
        task_id: Some(task.task_id.clone()),
        batch_id: Some(task.batch_id.clone()),
        annotation_ids: verdict.annotation_ids.clone(),
        rubric: Some(task.rubric.clone()),
        rubric_version: Some(task.rubric_version.clone()),
    }
}

/// Splits ids that a plan gave as nullable text.
pub(super) fn maybe(column: &ArrayRef, i: usize) -> Option<String> {
    column.is_valid(i).then(|| column.as_string::<i32>().value(i).to_owned())
}

pub(super) fn count(dropped: &mut BTreeMap<String, u64>, reason: &str) {
    *dropped.entry(reason.to_owned()).or_default() += 1;
}
