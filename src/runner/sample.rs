//! sample: one batch for each `[[sample]]` of the pipeline, drawn once for each state of the data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Builder, ListBuilder, RecordBatch, StringArray, StringBuilder, UInt32Array,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, UInt64Type};

use super::dedup::folder_manifest;
use super::outcome::BatchOutcome;
use super::sink::{TableSink, arrow_error, numbers, text};
use super::tasks::{self, Texts, Unit};
use super::{Job, StageOutcome};
use crate::config::{Loaded, Sample};
use crate::engine::Sink;
use crate::error::{Error, Result};
use crate::layer::{Deduped, Layer, Made, Redacted, Sampled};
use crate::stages::sample::{allocate::allocate, labelstudio, plan};
use crate::store::log::Event;
use crate::store::parquet::file_info;
use crate::store::{Books, FileInfo, manifest, to_json};
use crate::task::{BatchInfo, Rubric, StratumPlan, TASK_SCHEMA_VERSION, Task};

const STAGE: &str = "sample";

/// A batch that was handed out, read back.
#[derive(Clone, Debug)]
pub struct Batch {
    pub info: BatchInfo,
    pub tasks: Vec<Task>,
}

impl Job<'_> {
    pub(super) async fn sample(&mut self, redacted: &[Made<Redacted>], deduped: &Made<Deduped>) -> Result<Vec<Batch>> {
        let began = Instant::now();
        self.progress.begin(STAGE, 0, Arc::new(AtomicU64::new(0)));
        let loaded = self.loaded;
        let mut stage = StageOutcome { stage: STAGE, cached: true, ..Default::default() };
        stage.records_read = deduped.manifest.books.kept;
        for (sample, rubric) in loaded.pipeline.sample.iter().zip(&loaded.rubrics) {
            let key = sampled_key(loaded, sample, rubric, &deduped.manifest.key);
            let cached = self.made::<Sampled>(&key)?;
            stage.cached &= cached.is_some();
            let tasks = match &cached {
                Some(made) => made.manifest.books.kept,
                None => self.draw(&key, sample, rubric, redacted, deduped).await?,
            };
            stage.counts.insert(format!("tasks of {}", sample.name), tasks);
            if tasks > 0 {
                self.outcome.batches.push(self.batch_outcome(&key, sample, rubric, tasks, cached.is_none()));
            }
        }
        let batches = read_batches(self.store.root(), &loaded.pipeline.pipeline.name)?;
        stage.kept = batches.iter().flat_map(|batch| &batch.tasks).flat_map(|task| &task.responses).count() as u64;
        stage.kept = stage.kept.min(stage.records_read);
        stage.dropped = BTreeMap::from([("not_sampled".to_owned(), stage.records_read - stage.kept)]);
        if !loaded.pipeline.sample.is_empty() {
            self.told(stage, began);
        }
        Ok(batches)
    }

    fn batch_outcome(&self, key: &str, sample: &Sample, rubric: &Rubric, tasks: u64, new: bool) -> BatchOutcome {
        let batch_id = batch_id(sample, key);
        let path = self.store.root().join("batches").join(&batch_id).display().to_string();
        BatchOutcome {
            batch_id,
            name: sample.name.clone(),
            task_type: rubric.task.as_str().to_owned(),
            tasks,
            path,
            new,
        }
    }

    async fn draw(
        &mut self,
        key: &str,
        sample: &Sample,
        rubric: &Rubric,
        redacted: &[Made<Redacted>],
        deduped: &Made<Deduped>,
    ) -> Result<u64> {
        let layer = self.store.stage(format!("layers/{}/{key}", Sampled::NAME))?;
        let batch_id = batch_id(sample, key);
        self.deduped_table(Some(deduped)).await?;
        let held = self.held()?;
        self.text_table(&layer.staging, "held", "conversation_id", held.iter().map(String::as_str))?;
        let strata = self.strata(sample, rubric).await?;
        let units = self.units(&layer.staging, sample, rubric, &strata).await?;
        let texts = self.texts(&layer.staging, redacted, units.iter().flat_map(|unit| &unit.record_ids)).await?;
        let seed = self.loaded.pipeline.pipeline.seed;
        let tasks = units
            .iter()
            .map(|unit| tasks::task(unit, &texts, &sample.name, rubric, &batch_id, &self.key, seed))
            .collect::<Result<Vec<_>>>()?;
        clear_tmp(&layer.staging)?;
        let rows = sampled_batch(&units, &tasks, rubric)?;
        let file = write(&layer.staging, "part-00000", &rows)?;
        let kept = tasks.len() as u64;
        let available: u64 = strata.iter().map(|plan| plan.available).sum();
        let mut books = Books { records_read: available, kept, ..Default::default() };
        books.dropped.insert("not_sampled".to_owned(), available - kept);
        books.balance(STAGE, available)?;
        let settings = serde_json::json!({"sample": sample, "rubric": rubric});
        let manifest = folder_manifest::<Sampled>(
            key,
            vec![deduped.manifest.key.clone()],
            settings,
            books,
            BTreeMap::new(),
            vec![file],
        );
        manifest.write(&layer.staging)?;
        let event = Event::Batch { run_id: self.run_id(), batch_id: batch_id.clone() };
        if kept == 0 {
            self.store.publish(&[layer], event)?;
            return Ok(0);
        }
        let info = BatchInfo {
            batch_id: batch_id.clone(),
            name: sample.name.clone(),
            pipeline: self.loaded.pipeline.pipeline.name.clone(),
            rubric: rubric.clone(),
            task_schema_version: TASK_SCHEMA_VERSION,
            tasks: kept,
            strata,
        };
        let batch = self.store.stage(format!("batches/{batch_id}"))?;
        write_batch(&batch.staging, &info, &tasks)?;
        self.store.publish(&[layer, batch], event)?;
        Ok(kept)
    }

    /// Conversations that earlier batches of this pipeline hold.
    fn held(&self) -> Result<BTreeSet<String>> {
        let batches = read_batches(self.store.root(), &self.loaded.pipeline.pipeline.name)?;
        Ok(batches
            .into_iter()
            .flat_map(|batch| batch.tasks)
            .flat_map(|task| task.responses)
            .map(|r| r.conversation_id)
            .collect())
    }

    async fn strata(&self, sample: &Sample, rubric: &Rubric) -> Result<Vec<StratumPlan>> {
        let seed = self.loaded.pipeline.pipeline.seed;
        let found = self.engine.collect(STAGE, &plan::strata(sample, rubric.task, seed)).await?;
        let mut available = BTreeMap::new();
        for batch in found {
            let names = text(&batch, "stratum")?;
            let counts = numbers::<Int64Type>(&batch, "available")?;
            for i in 0..batch.num_rows() {
                available.insert(names.as_string::<i32>().value(i).to_owned(), counts.value(i) as u64);
            }
        }
        let drawn = allocate(&available, sample.rows, sample.allocation, sample.min_per_stratum);
        let plan = |(stratum, available): (String, u64)| StratumPlan { drawn: drawn[&stratum], stratum, available };
        Ok(available.into_iter().map(plan).collect())
    }

    /// The drawn units: the smallest keyed hashes of each stratum. Looks at some more than are
    /// drawn, and at more again if chance left too few of them.
    async fn units(
        &self,
        folder: &Path,
        sample: &Sample,
        rubric: &Rubric,
        strata: &[StratumPlan],
    ) -> Result<Vec<Unit>> {
        let mut times = 2;
        loop {
            self.quota(folder, strata, times).await?;
            let mut near = self.units_below(sample, rubric, strata).await?;
            near.sort_by(|a, b| (&a.1.stratum, a.0, &a.1.unit).cmp(&(&b.1.stratum, b.0, &b.1.unit)));
            let mut left: BTreeMap<&str, u64> = strata.iter().map(|plan| (plan.stratum.as_str(), plan.drawn)).collect();
            let mut units = Vec::new();
            for (_, unit) in near {
                if let Some(left) = left.get_mut(unit.stratum.as_str()).filter(|left| **left > 0) {
                    *left -= 1;
                    units.push(unit);
                }
            }
            if left.values().all(|left| *left == 0) {
                units.sort_by(|a, b| a.unit.cmp(&b.unit));
                return Ok(units);
            }
            times *= 4;
        }
    }

    async fn quota(&self, folder: &Path, strata: &[StratumPlan], times: u64) -> Result<()> {
        let schema = Schema::new(vec![
            Field::new("q_stratum", DataType::Utf8, false),
            Field::new("q_limit", DataType::UInt64, false),
        ]);
        let asked = || strata.iter().filter(|plan| plan.drawn > 0);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(asked().map(|plan| plan.stratum.as_str()))),
            Arc::new(UInt64Array::from_iter_values(asked().map(|p| plan::limit(p.drawn, p.available, times)))),
        ];
        let quota = RecordBatch::try_new(Arc::new(schema), columns).map_err(|err| arrow_error(STAGE, &err))?;
        self.temporary(folder, "quota", &quota)
    }

    /// Units below their limit, with their keyed hash.
    async fn units_below(&self, sample: &Sample, rubric: &Rubric, strata: &[StratumPlan]) -> Result<Vec<(u64, Unit)>> {
        let seed = self.loaded.pipeline.pipeline.seed;
        let share: BTreeMap<&str, f64> = strata
            .iter()
            .map(|plan| (plan.stratum.as_str(), plan.drawn as f64 / plan.available.max(1) as f64))
            .collect();
        let mut units = Vec::new();
        for batch in self.engine.collect(STAGE, &plan::below(sample, rubric.task, seed)).await? {
            let named = |name| text(&batch, name);
            let (unit, stratum, split, language) =
                (named("unit")?, named("stratum")?, named("split_group")?, named("language")?);
            let records = [named("record_id")?, named("other_record")?];
            let conversations = [named("conversation_id")?, named("other_conversation")?];
            let draws = numbers::<UInt64Type>(&batch, "draw")?;
            let prompts = arrow::compute::cast(super::sink::column(&batch, "prompt_messages")?, &DataType::Int64)
                .map_err(|err| arrow_error(STAGE, &err))?;
            for i in 0..batch.num_rows() {
                let at = |column: &ArrayRef| column.as_string::<i32>().value(i).to_owned();
                let both = |columns: &[ArrayRef]| columns.iter().filter(|column| column.is_valid(i)).map(at).collect();
                let unit = Unit {
                    unit: at(&unit),
                    inclusion_probability: share.get(at(&stratum).as_str()).copied().unwrap_or_default(),
                    stratum: at(&stratum),
                    record_ids: both(&records),
                    conversation_ids: both(&conversations),
                    prompt_messages: prompts.as_primitive::<Int64Type>().value(i) as u32,
                    split_group: at(&split),
                    language: language.is_valid(i).then(|| at(&language)),
                };
                units.push((draws.value(i), unit));
            }
        }
        Ok(units)
    }

    /// The text of some records, by id.
    pub(super) async fn texts<'i>(
        &self,
        folder: &Path,
        redacted: &[Made<Redacted>],
        ids: impl Iterator<Item = &'i String>,
    ) -> Result<Texts> {
        let mut texts = Texts::new();
        let ids: BTreeSet<&str> = ids.map(String::as_str).collect();
        if ids.is_empty() {
            return Ok(texts);
        }
        let files: Vec<_> = redacted.iter().flat_map(|one| one.files("part")).collect();
        self.engine.table("redacted", Redacted::schema(), &files)?;
        self.text_table(folder, "chosen", "record_id", ids.into_iter())?;
        for batch in self.engine.collect(STAGE, plan::TEXTS).await? {
            tasks::read_texts(&batch, &mut texts)?;
        }
        Ok(texts)
    }

    /// A column of text as a table of this session, kept beside what is being made.
    pub(super) fn text_table<'t>(
        &self,
        folder: &Path,
        name: &str,
        column: &str,
        values: impl Iterator<Item = &'t str>,
    ) -> Result<()> {
        let schema = Schema::new(vec![Field::new(column, DataType::Utf8, false)]);
        let values: ArrayRef = Arc::new(StringArray::from_iter_values(values));
        let batch = RecordBatch::try_new(Arc::new(schema), vec![values]).map_err(|err| arrow_error(STAGE, &err))?;
        self.temporary(folder, name, &batch)
    }

    pub(super) fn temporary(&self, folder: &Path, name: &str, batch: &RecordBatch) -> Result<()> {
        let mut sink = TableSink::create(folder, &format!("{name}.tmp"), &batch.schema())?;
        sink.write(batch.clone())?;
        let file = folder.join(sink.finish()?.path);
        self.engine.table(name, batch.schema(), if batch.num_rows() == 0 { &[] } else { std::slice::from_ref(&file) })
    }
}

/// Of the batch that a `[[sample]]` draws, from the key of what it draws from.
pub(super) fn sampled_key(loaded: &Loaded, sample: &Sample, rubric: &Rubric, deduped: &str) -> String {
    let about = &loaded.pipeline.pipeline;
    // What the rubric says counts, not where its file lies.
    let sample = Sample { rubric: std::path::PathBuf::new(), ..sample.clone() };
    let settings = serde_json::json!([sample, rubric, TASK_SCHEMA_VERSION, about.name, about.seed]).to_string();
    manifest::key(&[Sampled::NAME, &Sampled::VERSION.to_string(), deduped, &settings])
}

/// Removes the temporary tables of a staged folder.
pub(super) fn clear_tmp(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(|err| Error::io(folder, &err))? {
        let path = entry.map_err(|err| Error::io(folder, &err))?.path();
        if path.to_string_lossy().ends_with(".tmp.parquet") {
            std::fs::remove_file(&path).map_err(|err| Error::io(&path, &err))?;
        }
    }
    Ok(())
}

/// Name and content together: a person can tell batches apart, and the same draw is the same id.
fn batch_id(sample: &Sample, key: &str) -> String {
    format!("{}-{}", sample.name, &key[..12.min(key.len())])
}

fn write(folder: &Path, name: &str, rows: &RecordBatch) -> Result<FileInfo> {
    let mut sink = TableSink::create(folder, name, &rows.schema())?;
    sink.write(rows.clone())?;
    sink.finish()
}

fn sampled_batch(units: &[Unit], tasks: &[Task], rubric: &Rubric) -> Result<RecordBatch> {
    let words = |of: fn(&Task) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(tasks.iter().map(of))) };
    let lists = |of: fn(&Unit) -> &Vec<String>| -> ArrayRef {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for unit in units {
            of(unit).iter().for_each(|id| builder.values().append_value(id));
            builder.append(true);
        }
        Arc::new(builder.finish())
    };
    let mut shares = Float64Builder::new();
    units.iter().for_each(|unit| shares.append_value(unit.inclusion_probability));
    let columns: Vec<ArrayRef> = vec![
        words(|task| &task.task_id),
        words(|task| &task.batch_id),
        Arc::new(StringArray::from_iter_values(tasks.iter().map(|_| rubric.task.as_str()))),
        words(|task| &task.rubric),
        words(|task| &task.rubric_version),
        words(|task| &task.stratum),
        Arc::new(shares.finish()),
        lists(|unit| &unit.record_ids),
        lists(|unit| &unit.conversation_ids),
        Arc::new(UInt32Array::from_iter_values(units.iter().map(|unit| unit.prompt_messages))),
        words(|task| &task.split_group),
        Arc::new(units.iter().map(|unit| unit.language.clone()).collect::<StringArray>()),
    ];
    RecordBatch::try_new(Sampled::schema(), columns).map_err(|err| arrow_error(STAGE, &err))
}

/// Our own lines, Label Studio's files, its labeling config, and what was handed out.
fn write_batch(folder: &Path, info: &BatchInfo, tasks: &[Task]) -> Result<()> {
    let mut lines = Vec::new();
    for task in tasks {
        serde_json::to_writer(&mut lines, task).map_err(|err| Error::damaged("tasks.jsonl", err.to_string()))?;
        lines.push(b'\n');
    }
    let mut made = vec![("tasks.jsonl".to_owned(), lines)];
    let exports = labelstudio::files(tasks, &info.rubric);
    for (i, file) in exports.iter().enumerate() {
        let name =
            if exports.len() == 1 { "labelstudio.json".to_owned() } else { format!("labelstudio-{:03}.json", i + 1) };
        made.push((name, file.clone().into_bytes()));
    }
    made.push(("labeling-config.xml".to_owned(), labelstudio::labeling_config(&info.rubric).into_bytes()));
    made.push(("batch.json".to_owned(), to_json(info)?));
    let mut infos = Vec::new();
    for (name, bytes) in made {
        std::fs::write(folder.join(&name), bytes).map_err(|err| Error::io(folder.join(&name), &err))?;
        infos.push(file_info(folder, name, 0, false)?);
    }
    let books = Books { records_read: info.tasks, kept: info.tasks, ..Default::default() };
    let inputs = vec![info.batch_id.clone()];
    folder_manifest::<Sampled>(&info.batch_id, inputs, serde_json::Value::Null, books, BTreeMap::new(), infos)
        .write(folder)
}

/// Every batch of a pipeline that this store holds, in the order of their ids.
pub fn read_batches(root: &Path, pipeline: &str) -> Result<Vec<Batch>> {
    let dir = root.join("batches");
    let mut batches = Vec::new();
    let Ok(entries) = std::fs::read_dir(&dir) else { return Ok(batches) };
    let mut folders: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    folders.sort();
    for folder in folders {
        let bytes = |name: &str| std::fs::read(folder.join(name)).map_err(|err| Error::io(folder.join(name), &err));
        let bad =
            |name: &str, line: usize| Error::damaged(folder.join(name).display().to_string(), format!("line {line}"));
        let info: BatchInfo =
            serde_json::from_slice(&bytes("batch.json")?).map_err(|err| bad("batch.json", err.line()))?;
        if info.pipeline != pipeline {
            continue;
        }
        let lines = bytes("tasks.jsonl")?;
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate();
        let tasks = lines
            .map(|(i, line)| serde_json::from_slice(line).map_err(|_| bad("tasks.jsonl", i + 1)))
            .collect::<Result<_>>()?;
        batches.push(Batch { info, tasks });
    }
    Ok(batches)
}
