//! What the scan writes: redacted rows, their findings, rejects and sketches, as Parquet parts of
//! the staged folders of their source, with the books kept on the way.
//!
//! It is written where it is read: on a cluster by the executors, so that text is never shuffled.
//!
//! Always: a part appears whole or not at all; written twice (a task that ran again) it has the
//! same bytes.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{filter_record_batch, is_not_null, not, take};
use arrow::datatypes::{UInt32Type, UInt64Type};
use serde::{Deserialize, Serialize};

use super::columns::{arrow_error, column, fitted, numbers, project, text};
use super::{udf, vault};
use crate::error::{Error, Result};
use crate::layer::build::{BY_POLICY, SPLIT_END};
use crate::layer::tables::Table;
use crate::layer::{Layer, Redacted, Sketch};
use crate::record::ProjectKey;
use crate::stages::dedup::sketch::Settings;
use crate::store::parquet::TableWriter;
use crate::store::{Books, FileInfo};

/// Everything that one source, or one partition of it, gave.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Written {
    pub books: Books,
    pub counts: BTreeMap<String, u64>,
    pub files: Vec<FileInfo>,
    pub sketches: Vec<FileInfo>,
    /// Different ids among the records, to see that none came twice.
    pub distinct: u64,
    pub first_rejects: Vec<(u64, u64, u64, String)>,
    /// Splits that came to their end, and what they say was cut.
    pub splits: u64,
    pub cut: u64,
    /// Records beyond the first of their line.
    pub extra: u64,
}

impl Written {
    pub fn add(&mut self, other: Written) {
        self.books.add(&other.books);
        for (name, n) in other.counts {
            *self.counts.entry(name).or_default() += n;
        }
        self.files.extend(other.files);
        self.sketches.extend(other.sketches);
        self.distinct += other.distinct;
        self.splits += other.splits;
        self.cut += other.cut;
        self.extra += other.extra;
        self.first_rejects.extend(other.first_rejects);
        self.first_rejects.sort_unstable();
        self.first_rejects.truncate(FIRST_REJECTS);
    }
}

/// Files of a redacted folder that hold parts of conversations.
pub const FRAGMENTS: &str = Table::Fragments.name();

/// Enough to see what is wrong with a file.
pub const FIRST_REJECTS: usize = 5;

/// Staged folders of one source: for its rows, and for its sketches if it has none yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Folders {
    pub rows: PathBuf,
    pub sketch: Option<PathBuf>,
    /// What the names of its vault files begin with, if there is a vault.
    pub vault: Option<PathBuf>,
}

/// Takes the rows of one split.
pub struct SplitSink {
    folders: Folders,
    key: ProjectKey,
    settings: Settings,
    rows: Part,
    findings: Part,
    rejects: Part,
    /// By name, from their first row on.
    sides: BTreeMap<&'static str, Part>,
    ordinal: usize,
    sketches: Option<Part>,
    ids: HashSet<u128>,
    written: Written,
}

impl SplitSink {
    /// `ordinal` tells the splits of a source apart.
    pub fn create(folders: Folders, ordinal: usize, key: &ProjectKey, settings: Settings) -> Result<SplitSink> {
        let part = |table: &str, schema| Part::create(&folders.rows, table, ordinal, schema);
        let sketch = |folder: &PathBuf| Part::create(folder, "part", ordinal, Sketch::schema());
        Ok(SplitSink {
            rows: part("part", Redacted::schema())?,
            findings: part("findings", Table::Findings.schema())?,
            rejects: part("rejects", Table::Rejects.schema())?,
            sides: BTreeMap::new(),
            ordinal,
            sketches: folders.sketch.as_ref().map(sketch).transpose()?,
            key: key.clone(),
            settings,
            ids: HashSet::new(),
            written: Written::default(),
            folders,
        })
    }

    /// Kept rows go on in runs, without a copy; the others are few.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let fate = column(batch, "reject")?;
        let arrow = |err| arrow_error("ingest", &err);
        let answered = is_not_null(fate).map_err(arrow)?;
        let mut from = 0;
        for at in answered.values().set_indices().chain([batch.num_rows()]) {
            if at > from {
                self.keep(&batch.slice(from, at - from))?;
            }
            from = at + 1;
        }
        let answered = filter_record_batch(batch, &answered).map_err(arrow)?;
        let ends = text(&answered, "reject")?;
        let is_end: BooleanArray =
            ends.as_string::<i32>().iter().map(|reason| reason.map(|r| r == SPLIT_END)).collect();
        let ends = filter_record_batch(&answered, &is_end).map_err(arrow)?;
        self.written.splits += ends.num_rows() as u64;
        self.written.cut += numbers::<UInt64Type>(&ends, "start_byte")?.values().iter().sum::<u64>();
        self.reject(&filter_record_batch(&answered, &not(&is_end).map_err(arrow)?).map_err(arrow)?)
    }

    fn keep(&mut self, batch: &RecordBatch) -> Result<()> {
        self.written.books.kept += batch.num_rows() as u64;
        self.see(batch)?;
        let elements = numbers::<UInt32Type>(batch, "element")?;
        self.written.extra += elements.values().iter().filter(|&&element| element > 0).count() as u64;
        self.rows.writer.write(&project(batch, &Redacted::schema())?)?;
        if let Some(Part { writer: sketches, .. }) = &mut self.sketches {
            sketches.write(&sketch_rows(batch, self.settings, &self.key)?)?;
        }
        self.findings(batch, "conversation_id")
    }

    /// Parts of conversations, which count as folded: a later step joins them.
    pub fn fragments(&mut self, batch: &RecordBatch) -> Result<()> {
        self.written.books.folded += batch.num_rows() as u64;
        self.see(batch)?;
        self.side(Table::Fragments, batch)?;
        self.findings(batch, "group_id")
    }

    /// A table that few sources have.
    fn side(&mut self, table: Table, batch: &RecordBatch) -> Result<()> {
        if !self.sides.contains_key(table.name()) {
            let part = Part::create(&self.folders.rows, table.name(), self.ordinal, table.schema())?;
            self.sides.insert(table.name(), part);
        }
        match self.sides.get_mut(table.name()) {
            Some(part) => part.writer.write(&project(batch, &table.schema())?),
            None => Ok(()),
        }
    }

    /// Fragments that became part of a kept conversation.
    pub fn fold(&mut self, fragments: u64) {
        self.written.books.folded += fragments;
    }

    /// What joined conversations were joined from.
    pub fn parts(&mut self, batch: &RecordBatch) -> Result<()> {
        self.side(Table::Joined, batch)
    }

    /// Rows of the vault, which lies apart from the store.
    pub fn seal(&self, rows: &BTreeMap<String, String>) -> Result<()> {
        match &self.folders.vault {
            Some(prefix) if !rows.is_empty() => vault::write(prefix, self.ordinal, rows),
            _ => Ok(()),
        }
    }

    fn see(&mut self, batch: &RecordBatch) -> Result<()> {
        for id in text(batch, "record_id")?.as_string::<i32>().iter().flatten() {
            self.ids.insert(u128::from_str_radix(id, 16).unwrap_or_default());
        }
        Ok(())
    }

    fn findings(&mut self, batch: &RecordBatch, of: &str) -> Result<()> {
        let findings = findings(batch, of)?;
        for kind in text(&findings, "type")?.as_string::<i32>().iter().flatten() {
            *self.written.counts.entry(kind.to_owned()).or_default() += 1;
        }
        self.findings.writer.write(&findings)
    }

    fn reject(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let reasons = text(batch, "reject")?;
        let number = |name: &str, i: usize| -> Result<u64> { Ok(numbers::<UInt64Type>(batch, name)?.value(i)) };
        for (i, reason) in reasons.as_string::<i32>().iter().flatten().enumerate() {
            let books = &mut self.written.books;
            if reason.starts_with(BY_POLICY) {
                *books.dropped.entry(reason.to_owned()).or_default() += 1;
                continue;
            }
            *books.rejected.entry(reason.to_owned()).or_default() += 1;
            if self.written.first_rejects.len() < FIRST_REJECTS {
                let place = (number("line", i)?, number("start_byte", i)?, number("end_byte", i)?);
                self.written.first_rejects.push((place.0, place.1, place.2, reason.to_owned()));
            }
        }
        let schema = Table::Rejects.schema();
        let mut columns = Vec::new();
        for field in schema.fields() {
            columns.push(Arc::clone(column(batch, if field.name() == "reason" { "reject" } else { field.name() })?));
        }
        self.rejects.writer.write(&RecordBatch::try_new(schema, columns).map_err(|err| arrow_error("ingest", &err))?)
    }

    pub fn finish(self) -> Result<Written> {
        let mut written = self.written;
        written.distinct = self.ids.len() as u64;
        for part in [self.rows, self.findings, self.rejects].into_iter().chain(self.sides.into_values()) {
            written.files.push(part.finish(&self.folders.rows)?);
        }
        if let (Some(part), Some(folder)) = (self.sketches, &self.folders.sketch) {
            written.sketches.push(part.finish(folder)?);
        }
        Ok(written)
    }
}

/// One file, under another name until it is whole: a task that a cluster gave up may still write.
struct Part {
    aside: PathBuf,
    name: String,
    writer: TableWriter,
}

impl Part {
    fn create(folder: &Path, table: &str, ordinal: usize, schema: arrow::datatypes::SchemaRef) -> Result<Part> {
        let name = format!("{table}-{ordinal:05}.parquet");
        let aside = folder.join(format!("{table}-{ordinal:05}.{}.tmp.parquet", std::process::id()));
        let writer = TableWriter::create(&aside, &schema)?;
        Ok(Part { aside, name, writer })
    }

    fn finish(self, folder: &Path) -> Result<FileInfo> {
        let written = self.writer.finish(folder, false)?;
        let path = folder.join(&self.name);
        std::fs::rename(&self.aside, &path).map_err(|err| Error::io(&path, &err))?;
        Ok(FileInfo { path: self.name, ..written })
    }
}

/// Rows of `sketch` out of rows of the scan: their own columns, and what is made of their text.
fn sketch_rows(batch: &RecordBatch, settings: Settings, key: &ProjectKey) -> Result<RecordBatch> {
    let made =
        udf::sketch_rows(column(batch, "messages")?, settings, key).map_err(|err| Error::engine("sketch", &err))?;
    let sketch = made.as_struct();
    let schema = Sketch::schema();
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let found = sketch.column_by_name(field.name()).map_or_else(|| column(batch, field.name()), Ok)?;
        columns.push(fitted(found, field)?);
    }
    RecordBatch::try_new(schema, columns).map_err(|err| arrow_error("sketch", &err))
}

/// The findings of a batch, one row each, with the id of their record and what it is part of.
fn findings(batch: &RecordBatch, of: &str) -> Result<RecordBatch> {
    let lists = column(batch, "findings")?.as_list::<i32>();
    let offsets = lists.value_offsets();
    let owners: UInt32Array = (0..lists.len())
        .flat_map(|row| std::iter::repeat_n(row as u32, (offsets[row + 1] - offsets[row]) as usize))
        .collect();
    let first = offsets[0] as usize;
    let items = lists.values().slice(first, owners.len());
    let arrow = |err| arrow_error("redact", &err);
    let mut columns: Vec<ArrayRef> = Vec::new();
    for id in ["record_id", of] {
        columns.push(take(column(batch, id)?, &owners, None).map_err(arrow)?);
    }
    columns.extend(items.as_struct().columns().iter().cloned());
    RecordBatch::try_new(Table::Findings.schema(), columns).map_err(arrow)
}
