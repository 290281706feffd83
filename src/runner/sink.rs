//! Where the rows of a plan go: Parquet parts of a staged folder, with the books kept on the way.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, RecordBatch, UInt32Array,
};
use arrow::compute::{filter_record_batch, is_not_null, not, take};
use arrow::datatypes::{Field, SchemaRef, UInt32Type, UInt64Type};

use crate::engine::Sink;
use crate::error::{Error, Result};
use crate::layer::build::SPLIT_END;
use crate::layer::tables::Table;
use crate::layer::{Layer, Redacted, Sketch};
use crate::store::parquet::TableWriter;
use crate::store::{Books, FileInfo};

/// Everything that one source, or one partition of it, gave.
#[derive(Debug, Default)]
pub struct Written {
    pub books: Books,
    pub counts: BTreeMap<String, u64>,
    pub files: Vec<FileInfo>,
    pub sketches: Vec<FileInfo>,
    /// Ids of the records, to see that none came twice.
    pub ids: HashSet<u128>,
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
        self.ids.extend(other.ids);
        self.splits += other.splits;
        self.cut += other.cut;
        self.extra += other.extra;
        self.first_rejects.extend(other.first_rejects);
        self.first_rejects.sort_unstable();
        self.first_rejects.truncate(FIRST_REJECTS);
    }
}

/// Enough to see what is wrong with a file.
pub const FIRST_REJECTS: usize = 5;

/// Staged folders of one source: for its rows, and for its sketches if it has none yet.
#[derive(Clone, Debug)]
pub struct Folders {
    pub rows: PathBuf,
    pub sketch: Option<PathBuf>,
}

/// Splits rows of the scan by source and by fate. One for each partition.
pub struct ScanSink {
    /// By source.
    folders: Arc<HashMap<String, Folders>>,
    partition: usize,
    open: BTreeMap<String, SourceSink>,
}

struct SourceSink {
    folders: Folders,
    rows: TableWriter,
    sketches: Option<TableWriter>,
    findings: TableWriter,
    rejects: TableWriter,
    written: Written,
}

impl ScanSink {
    pub fn new(folders: Arc<HashMap<String, Folders>>, partition: usize) -> ScanSink {
        ScanSink { folders, partition, open: BTreeMap::new() }
    }

    fn source(&mut self, source_id: &str) -> Result<&mut SourceSink> {
        if !self.open.contains_key(source_id) {
            let unknown = || Error::damaged(source_id, "the scan gave rows of a source that was not asked for");
            let folders = self.folders.get(source_id).ok_or_else(unknown)?.clone();
            self.open.insert(source_id.to_owned(), SourceSink::create(folders, self.partition)?);
        }
        self.open.get_mut(source_id).ok_or_else(|| Error::damaged(source_id, "lost"))
    }
}

impl Sink for ScanSink {
    type Done = BTreeMap<String, Written>;

    /// A batch from a cluster may hold rows of several sources, in runs.
    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        runs(&batch)?.into_iter().try_for_each(|(source_id, rows)| self.source(&source_id)?.write(&rows))
    }

    fn finish(self) -> Result<Self::Done> {
        self.open.into_iter().map(|(source_id, sink)| Ok((source_id, sink.finish()?))).collect()
    }
}

impl SourceSink {
    fn create(folders: Folders, partition: usize) -> Result<SourceSink> {
        let name = |table: &str| format!("{table}-{partition:05}.parquet");
        let file = |table: &str| folders.rows.join(name(table));
        let sketch = |folder: &PathBuf| TableWriter::create(&folder.join(name("part")), &Sketch::schema());
        Ok(SourceSink {
            rows: TableWriter::create(&file("part"), &Redacted::schema())?,
            sketches: folders.sketch.as_ref().map(sketch).transpose()?,
            findings: TableWriter::create(&file("findings"), &Table::Findings.schema())?,
            rejects: TableWriter::create(&file("rejects"), &Table::Rejects.schema())?,
            written: Written::default(),
            folders,
        })
    }

    /// Kept rows go on in runs, without a copy; the others are few.
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
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
        for id in text(batch, "record_id")?.as_string::<i32>().iter().flatten() {
            self.written.ids.insert(u128::from_str_radix(id, 16).unwrap_or_default());
        }
        let elements = numbers::<UInt32Type>(batch, "element")?;
        self.written.extra += elements.values().iter().filter(|&&element| element > 0).count() as u64;
        self.rows.write(&project(batch, &Redacted::schema())?)?;
        if let Some(sketches) = &mut self.sketches {
            sketches.write(&sketch_rows(batch)?)?;
        }
        let findings = findings(batch)?;
        for kind in text(&findings, "type")?.as_string::<i32>().iter().flatten() {
            *self.written.counts.entry(kind.to_owned()).or_default() += 1;
        }
        self.findings.write(&findings)
    }

    fn reject(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let reasons = text(batch, "reject")?;
        let number = |name: &str, i: usize| -> Result<u64> { Ok(numbers::<UInt64Type>(batch, name)?.value(i)) };
        for (i, reason) in reasons.as_string::<i32>().iter().flatten().enumerate() {
            *self.written.books.rejected.entry(reason.to_owned()).or_default() += 1;
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
        self.rejects.write(&RecordBatch::try_new(schema, columns).map_err(|err| arrow_error("ingest", &err))?)
    }

    fn finish(self) -> Result<Written> {
        let mut written = self.written;
        for writer in [self.rows, self.findings, self.rejects] {
            written.files.push(writer.finish(&self.folders.rows, false)?);
        }
        if let (Some(writer), Some(folder)) = (self.sketches, &self.folders.sketch) {
            written.sketches.push(writer.finish(folder, false)?);
        }
        Ok(written)
    }
}

/// Rows of `sketch` out of rows of the scan: its own columns, and the fields of `s`.
fn sketch_rows(batch: &RecordBatch) -> Result<RecordBatch> {
    let sketch = column(batch, "s")?.as_struct();
    let schema = Sketch::schema();
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let found = sketch.column_by_name(field.name()).map_or_else(|| column(batch, field.name()), Ok)?;
        columns.push(fitted(found, field)?);
    }
    RecordBatch::try_new(schema, columns).map_err(|err| arrow_error("sketch", &err))
}

/// The findings of a batch, one row each, with the ids of their record.
fn findings(batch: &RecordBatch) -> Result<RecordBatch> {
    let lists = column(batch, "findings")?.as_list::<i32>();
    let offsets = lists.value_offsets();
    let owners: UInt32Array = (0..lists.len())
        .flat_map(|row| std::iter::repeat_n(row as u32, (offsets[row + 1] - offsets[row]) as usize))
        .collect();
    let first = offsets[0] as usize;
    let items = lists.values().slice(first, owners.len());
    let arrow = |err| arrow_error("redact", &err);
    let mut columns: Vec<ArrayRef> = Vec::new();
    for id in ["record_id", "conversation_id"] {
        columns.push(take(column(batch, id)?, &owners, None).map_err(arrow)?);
    }
    columns.extend(items.as_struct().columns().iter().cloned());
    RecordBatch::try_new(Table::Findings.schema(), columns).map_err(arrow)
}

/// Rows of any plan into one table of a staged folder.
pub struct TableSink {
    folder: PathBuf,
    schema: SchemaRef,
    writer: TableWriter,
}

impl TableSink {
    pub fn create(folder: &Path, name: &str, schema: &SchemaRef) -> Result<TableSink> {
        let writer = TableWriter::create(&folder.join(format!("{name}.parquet")), schema)?;
        Ok(TableSink { folder: folder.to_path_buf(), schema: Arc::clone(schema), writer })
    }
}

impl Sink for TableSink {
    type Done = FileInfo;

    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.writer.write(&project(&batch, &self.schema)?)
    }

    fn finish(self) -> Result<FileInfo> {
        self.writer.finish(&self.folder, false)
    }
}

/// The columns of `schema`, by name, cast where the engine chose another width.
pub fn project(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let fit = |field: &Arc<Field>| fitted(column(batch, field.name())?, field);
    let columns = schema.fields().iter().map(fit).collect::<Result<_>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|err| arrow_error("engine", &err))
}

fn fitted(found: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    if found.data_type() == field.data_type() {
        return Ok(Arc::clone(found));
    }
    arrow::compute::cast(found, field.data_type()).map_err(|err| arrow_error("engine", &err))
}

pub fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| Error::damaged(name, "column is missing"))
}

/// A column as plain strings, whatever string type the engine chose.
pub fn text(batch: &RecordBatch, name: &str) -> Result<ArrayRef> {
    arrow::compute::cast(column(batch, name)?, &arrow::datatypes::DataType::Utf8).map_err(|err| arrow_error(name, &err))
}

/// A column of numbers, whatever width the engine chose.
pub fn numbers<T: ArrowPrimitiveType>(batch: &RecordBatch, name: &str) -> Result<PrimitiveArray<T>> {
    let cast = arrow::compute::cast(column(batch, name)?, &T::DATA_TYPE).map_err(|err| arrow_error(name, &err))?;
    Ok(cast.as_primitive::<T>().clone())
}

/// Arrow errors can quote values; only their kind goes out.
pub fn arrow_error(stage: &str, err: &arrow::error::ArrowError) -> Error {
    let kind = format!("{err:?}");
    let kind = kind.split(['(', ' ', '{']).next().unwrap_or("arrow").to_owned();
    Error::Engine { stage: stage.to_owned(), kind: format!("columns do not fit ({kind})") }
}

/// Rows that carry a `source_id` into one table for each source.
pub struct SourceTables {
    folders: Arc<HashMap<String, PathBuf>>,
    schema: SchemaRef,
    partition: usize,
    open: BTreeMap<String, (PathBuf, TableWriter)>,
}

impl SourceTables {
    pub fn new(folders: Arc<HashMap<String, PathBuf>>, schema: SchemaRef, partition: usize) -> SourceTables {
        SourceTables { folders, schema, partition, open: BTreeMap::new() }
    }
}

impl Sink for SourceTables {
    type Done = BTreeMap<String, FileInfo>;

    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        for (source_id, rows) in runs(&batch)? {
            if !self.open.contains_key(&source_id) {
                let unknown = || Error::damaged(source_id.clone(), "rows of a source that was not asked for");
                let folder = self.folders.get(&source_id).ok_or_else(unknown)?.clone();
                let file = folder.join(format!("part-{:05}.parquet", self.partition));
                self.open.insert(source_id.clone(), (folder, TableWriter::create(&file, &self.schema)?));
            }
            if let Some((_, writer)) = self.open.get_mut(&source_id) {
                writer.write(&project(&rows, &self.schema)?)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Self::Done> {
        self.open
            .into_iter()
            .map(|(source_id, (folder, writer))| Ok((source_id, writer.finish(&folder, false)?)))
            .collect()
    }
}

/// Runs of rows of one source each.
fn runs(batch: &RecordBatch) -> Result<Vec<(String, RecordBatch)>> {
    let sources = text(batch, "source_id")?;
    let sources = sources.as_string::<i32>();
    let (mut from, mut runs) = (0, Vec::new());
    while from < batch.num_rows() {
        let source_id = sources.value(from);
        let length = (from..batch.num_rows()).take_while(|&i| sources.value(i) == source_id).count();
        runs.push((source_id.to_owned(), batch.slice(from, length)));
        from += length;
    }
    Ok(runs)
}
