//! Writes one release: rows into their splits, lineage beside them, then manifest and card.
//!
//! Always: rows come in the order of their ids, so the bytes depend on the rows alone; a split
//! that would be empty refuses the release unless the pipeline allows it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, ListBuilder, RecordBatch, StringArray, StringBuilder, UInt32Array, UInt64Array,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use super::gate::{Checked, Watch};
use super::sink::{arrow_error, text};
use crate::config::Dataset;
use crate::error::{Error, Result};
use crate::layer::tables::Table;
use crate::record::Place;
use crate::stages::dataset::split::{Split, split};
use crate::store::parquet::TableWriter;
use crate::store::release::{self, Column, ReleaseManifest, version_name};
use crate::store::{Books, FileInfo, Staged, Store};

const STAGE: &str = "dataset";

/// A record behind a row.
#[derive(Clone, Debug)]
pub struct Behind {
    /// `example`, `chosen` or `rejected`.
    pub part: &'static str,
    pub conversation_id: String,
    pub record_id: String,
    pub source: String,
    pub source_id: String,
    pub place: Place,
    pub record_hash: String,
}

/// What stands behind one row.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub records: Vec<Behind>,
    pub task_id: Option<String>,
    pub batch_id: Option<String>,
    pub annotation_ids: Vec<String>,
    pub rubric: Option<String>,
    pub rubric_version: Option<String>,
}

/// A release under construction.
pub struct Release<'a> {
    dataset: &'a Dataset,
    seed: u64,
    schema: SchemaRef,
    version: u32,
    data: Staged,
    evidence: Staged,
    writers: BTreeMap<Split, TableWriter>,
    lineage: TableWriter,
    watch: &'a Watch,
    checked: Checked,
}

impl<'a> Release<'a> {
    pub fn begin(
        store: &Store,
        dataset: &'a Dataset,
        table: Table,
        seed: u64,
        watch: &'a Watch,
    ) -> Result<Release<'a>> {
        let version = release::newest(store, &dataset.name)?.map_or(1, |newest| newest.version + 1);
        let name = version_name(version);
        let data = store.stage(format!("datasets/{}/{name}", dataset.name))?;
        let evidence = store.stage(format!("evidence/{}/{name}", dataset.name))?;
        for folder in [data.staging.join("data"), evidence.staging.join("lineage")] {
            std::fs::create_dir_all(&folder).map_err(|err| Error::io(&folder, &err))?;
        }
        let lineage =
            TableWriter::create_published(&evidence.staging.join("lineage/rows.parquet"), &Table::Lineage.schema())?;
        let (schema, writers, checked) = (table.schema(), BTreeMap::new(), Checked::default());
        Ok(Release { dataset, seed, schema, version, data, evidence, writers, lineage, watch, checked })
    }

    /// Rows and, for each, what stands behind it. The first column is the row's id.
    pub fn push(&mut self, rows: &RecordBatch, origins: &[Origin]) -> Result<()> {
        let groups = text(rows, "split_group")?;
        let splits: Vec<Split> = groups
            .as_string::<i32>()
            .iter()
            .map(|group| split(self.seed, group.unwrap_or_default(), self.dataset.test_share))
            .collect();
        self.checked.rows(self.watch, rows, &splits, origins);
        let ids = rows.column(0).as_string::<i32>();
        let mut lines = Vec::new();
        let mut at: BTreeMap<Split, u64> = self.writers.iter().map(|(split, writer)| (*split, writer.rows())).collect();
        for ((origin, split), id) in origins.iter().zip(&splits).zip(ids.iter()) {
            let row = at.entry(*split).or_default();
            lines.extend(origin.records.iter().map(|behind| (id.unwrap_or_default(), *split, *row, behind, origin)));
            *row += 1;
        }
        self.lineage.write(&lineage_batch(&lines)?)?;
        for part in [Split::Train, Split::Test] {
            let mask: BooleanArray = splits.iter().map(|split| Some(*split == part)).collect();
            if mask.true_count() == 0 {
                continue;
            }
            let rows = filter_record_batch(rows, &mask).map_err(|err| arrow_error(STAGE, &err))?;
            if !self.writers.contains_key(&part) {
                self.writers.insert(part, TableWriter::create_published(&self.file(part), &self.schema)?);
            }
            if let Some(writer) = self.writers.get_mut(&part) {
                writer.write(&rows)?;
            }
        }
        Ok(())
    }

    fn file(&self, split: Split) -> PathBuf {
        self.data.staging.join("data").join(format!("{}-00000-of-00001.parquet", split.as_str()))
    }

    /// Closes the files. Nothing if there are no rows; a refusal if a split would be empty, or if
    /// anything stands in the rows that must not be published.
    pub fn close(self, inputs: Closing) -> Result<Option<Closed>> {
        let splits: BTreeMap<String, u64> =
            self.writers.iter().map(|(split, w)| (split.as_str().to_owned(), w.rows())).collect();
        let rows: u64 = splits.values().sum();
        if rows == 0 {
            for staged in [&self.data.staging, &self.evidence.staging] {
                std::fs::remove_dir_all(staged).map_err(|err| Error::io(staged, &err))?;
            }
            return Ok(None);
        }
        self.checked.refuse(&self.dataset.name)?;
        self.guard(&splits)?;
        let mut counts = self.checked.counts(self.watch);
        counts.extend(inputs.counts);
        let mut files: Vec<FileInfo> = Vec::new();
        for (_, writer) in self.writers {
            files.push(writer.finish(&self.data.staging, true)?);
        }
        let mut evidence_files = vec![self.lineage.finish(&self.evidence.staging, true)?];
        let mut manifest = ReleaseManifest {
            dataset: self.dataset.name.clone(),
            version: self.version,
            key: inputs.key,
            kind: serde_json::json!(self.dataset.kind).as_str().unwrap_or_default().to_owned(),
            pipeline: inputs.pipeline,
            gristmill_version: env!("CARGO_PKG_VERSION").to_owned(),
            rows,
            splits,
            files,
            evidence_files: Vec::new(),
            inputs: inputs.layers,
            settings: serde_json::json!({"dataset": self.dataset, "seed": self.seed}),
            books: inputs.books,
            counts,
            columns: columns(&self.schema),
        };
        let card = super::card::card(&manifest);
        let path = self.evidence.staging.join("README.md");
        std::fs::write(&path, card).map_err(|err| Error::io(&path, &err))?;
        evidence_files.push(crate::store::parquet::file_info(&self.evidence.staging, "README.md".to_owned(), 0, true)?);
        manifest.evidence_files = evidence_files;
        manifest.write(&self.evidence.staging)?;
        Ok(Some(Closed { manifest, staged: [self.data, self.evidence] }))
    }

    fn guard(&self, splits: &BTreeMap<String, u64>) -> Result<()> {
        let empty = |split: Split| !splits.contains_key(split.as_str());
        let wanted_test = self.dataset.test_share > 0.0;
        if !self.dataset.allow_empty_split && (empty(Split::Train) || wanted_test && empty(Split::Test)) {
            let which = if empty(Split::Train) { "train" } else { "test" };
            let why = format!(
                "the {which} split would be empty; add rows, change test_share, or set allow_empty_split = true to leave it out"
            );
            return Err(Error::Gate { gate: format!("dataset {}", self.dataset.name), why });
        }
        Ok(())
    }
}

/// What the manifest says beside the files.
pub struct Closing {
    pub key: String,
    pub pipeline: String,
    pub layers: Vec<String>,
    pub books: Books,
    /// What became of canaries.
    pub counts: BTreeMap<String, u64>,
}

/// A release that is whole but not yet published.
pub struct Closed {
    pub manifest: ReleaseManifest,
    pub staged: [Staged; 2],
}

fn columns(schema: &SchemaRef) -> Vec<Column> {
    schema
        .fields()
        .iter()
        .map(|field| Column { name: field.name().clone(), r#type: field.data_type().to_string() })
        .collect()
}

type Line<'l> = (&'l str, Split, u64, &'l Behind, &'l Origin);

fn lineage_batch(lines: &[Line]) -> Result<RecordBatch> {
    let words =
        |of: &dyn Fn(&Line) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(lines.iter().map(of))) };
    let maybe =
        |of: &dyn Fn(&Line) -> Option<String>| -> ArrayRef { Arc::new(lines.iter().map(of).collect::<StringArray>()) };
    let numbers =
        |of: &dyn Fn(&Line) -> u64| -> ArrayRef { Arc::new(UInt64Array::from_iter_values(lines.iter().map(of))) };
    let mut annotations = ListBuilder::new(StringBuilder::new());
    for line in lines {
        line.4.annotation_ids.iter().for_each(|id| annotations.values().append_value(id));
        annotations.append(true);
    }
    let columns: Vec<ArrayRef> = vec![
        words(&|l| l.0.to_owned()),
        words(&|l| l.1.as_str().to_owned()),
        numbers(&|l| l.2),
        words(&|l| l.3.part.to_owned()),
        words(&|l| l.3.conversation_id.clone()),
        words(&|l| l.3.record_id.clone()),
        words(&|l| l.3.source.clone()),
        words(&|l| l.3.source_id.clone()),
        numbers(&|l| l.3.place.start_byte),
        numbers(&|l| l.3.place.end_byte),
        numbers(&|l| l.3.place.line),
        Arc::new(UInt32Array::from_iter_values(lines.iter().map(|l| l.3.place.element))),
        words(&|l| l.3.record_hash.clone()),
        maybe(&|l| l.4.task_id.clone()),
        maybe(&|l| l.4.batch_id.clone()),
        Arc::new(annotations.finish()),
        maybe(&|l| l.4.rubric.clone()),
        maybe(&|l| l.4.rubric_version.clone()),
    ];
    RecordBatch::try_new(Table::Lineage.schema(), columns).map_err(|err| arrow_error(STAGE, &err))
}
