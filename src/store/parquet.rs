//! Parquet files: written with fixed settings, hashed on the way.
//!
//! Always: the bytes depend on the rows alone. Rows are re-sliced to row groups of
//! [`ROW_GROUP_ROWS`] before the writer sees them, `created_by` is ours, nothing holds a time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::arrow::{ArrowSchemaConverter, ProjectionMask};
use parquet::basic::{Compression, LogicalType, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{SchemaDescriptor, Type};

use super::{FileInfo, files};
use crate::error::{Error, Result, arrow_kind};

/// Rows of text are ~2 KB: 8 MB a group, well under the 16 MB from which `datasets` had trouble
/// with nested columns (datasets PR #7794).
pub const ROW_GROUP_ROWS: usize = 4096;

/// Says who wrote the file, and by which rules; not which build, so that builds can agree.
const CREATED_BY: &str = "gristmill parquet 1";

/// String leaves that hold JSON get Parquet's JSON type, which `datasets` decodes.
const JSON_COLUMNS: [&str; 2] = ["tools", "tool_calls"];

/// Columns in which the same few values come again and again; the rest are ids, hashes and text,
/// for which building a dictionary is wasted work (a third of the time to write a layer).
const FEW_VALUES: [&str; 22] = [
    "role",
    "name",
    "source_id",
    "source",
    "model",
    "preference",
    "language",
    "script",
    "surface",
    "last_role",
    "type",
    "field",
    "rule",
    "fate",
    "reason",
    "split",
    "part",
    "batch_id",
    "task_type",
    "rubric",
    "rubric_version",
    "label_source",
];

/// Columns of which nobody asks for the smallest value.
const TEXT: [&str; 5] = ["content", "tool_calls", "tools", "metadata", "text"];

/// One file under construction.
pub struct TableWriter {
    path: PathBuf,
    schema: SchemaRef,
    writer: ArrowWriter<File>,
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    rows: u64,
}

impl TableWriter {
    /// A file of a layer: LZ4, because it is read again within seconds (writing and reading text
    /// takes a third of zstd's time, for a third more bytes).
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<TableWriter> {
        TableWriter::with(path, schema, Compression::LZ4_RAW)
    }

    /// A file of a release: zstd, because it travels and every loader reads it.
    pub fn create_published(path: &Path, schema: &SchemaRef) -> Result<TableWriter> {
        TableWriter::with(path, schema, Compression::ZSTD(ZstdLevel::default()))
    }

    fn with(path: &Path, schema: &SchemaRef, compression: Compression) -> Result<TableWriter> {
        let file = File::create(path).map_err(|err| Error::io(path, &err))?;
        let broken = |err: parquet::errors::ParquetError| Error::damaged(path.display().to_string(), err.to_string());
        let leaves = json_leaves(schema).map_err(broken)?;
        let options =
            ArrowWriterOptions::new().with_properties(properties(&leaves, compression)).with_parquet_schema(leaves);
        let writer = ArrowWriter::try_new_with_options(file, Arc::clone(schema), options).map_err(broken)?;
        let (path, schema) = (path.to_path_buf(), Arc::clone(schema));
        Ok(TableWriter { path, schema, writer, waiting: Vec::new(), waiting_rows: 0, rows: 0 })
    }

    /// Batches of any size, in the order of the rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut from = 0;
        while from < batch.num_rows() {
            let take = (ROW_GROUP_ROWS - self.waiting_rows).min(batch.num_rows() - from);
            self.waiting.push(batch.slice(from, take));
            self.waiting_rows += take;
            from += take;
            if self.waiting_rows == ROW_GROUP_ROWS {
                self.flush()?;
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.waiting_rows == 0 {
            return Ok(());
        }
        let broken = |err: String| Error::damaged(self.path.display().to_string(), err);
        let group = concat_batches(&self.schema, &self.waiting).map_err(|err| broken(arrow_kind(&err)))?;
        self.waiting.clear();
        self.waiting_rows = 0;
        let written = self.writer.write(&group).and_then(|()| self.writer.flush());
        written.map_err(|err| io(&self.path, err))
    }

    /// Closes the file; it is hashed when the manifest needs it.
    pub fn finish(mut self, folder: &Path, sha256: bool) -> Result<FileInfo> {
        self.flush()?;
        self.writer.close().map_err(|err| io(&self.path, err))?;
        let path = self.path.strip_prefix(folder).unwrap_or(&self.path).to_string_lossy().into_owned();
        file_info(folder, path, self.rows, sha256)
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }
}

/// Hands the rows of a file on, batch by batch: these columns, in the file's order.
pub fn read(path: &Path, columns: &[&str], each: &mut dyn FnMut(RecordBatch) -> Result<()>) -> Result<()> {
    // Parquet and Arrow errors can quote values, so only the fact goes out.
    let broken = || Error::damaged(path.display().to_string(), "cannot be read as Parquet");
    let file = File::open(path).map_err(|err| Error::io(path, &err))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| broken())?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    for batch in builder.with_projection(mask).build().map_err(|_| broken())? {
        each(batch.map_err(|_| broken())?)?;
    }
    Ok(())
}

/// Hashes a finished file below `folder`.
pub fn file_info(folder: &Path, path: String, rows: u64, sha256: bool) -> Result<FileInfo> {
    let full = folder.join(&path);
    let bytes = std::fs::metadata(&full).map_err(|err| Error::io(&full, &err))?.len();
    let sha256 = if sha256 { Some(files::sha256_hex(&full)?) } else { None };
    Ok(FileInfo { path, rows, bytes, blake3: files::blake3_hex(&full)?, sha256 })
}

fn properties(schema: &SchemaDescriptor, compression: Compression) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(compression)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        // Chunk statistics quote values; ids and numbers are useful, page statistics are not.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_dictionary_enabled(false);
    for column in schema.columns() {
        if FEW_VALUES.contains(&column.name()) {
            builder = builder.set_column_dictionary_enabled(column.path().clone(), true);
        }
        if TEXT.contains(&column.name()) {
            builder = builder.set_column_statistics_enabled(column.path().clone(), EnabledStatistics::None);
        }
    }
    builder.build()
}

fn io(path: &Path, err: parquet::errors::ParquetError) -> Error {
    match err {
        parquet::errors::ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(err) => Error::io(path, &err),
            Err(_) => Error::damaged(path.display().to_string(), "cannot be written"),
        },
        _ => Error::damaged(path.display().to_string(), "cannot be written as Parquet"),
    }
}

/// The Parquet schema of an Arrow schema, its JSON leaves marked.
fn json_leaves(schema: &SchemaRef) -> parquet::errors::Result<SchemaDescriptor> {
    let plain = ArrowSchemaConverter::new().convert(schema)?;
    Ok(SchemaDescriptor::new(Arc::new(mark(plain.root_schema())?)))
}

fn mark(node: &Type) -> parquet::errors::Result<Type> {
    let info = node.get_basic_info();
    let id = info.has_id().then(|| info.id());
    match node {
        Type::GroupType { fields, .. } => {
            let fields =
                fields.iter().map(|field| mark(field).map(Arc::new)).collect::<parquet::errors::Result<Vec<_>>>()?;
            let mut group = Type::group_type_builder(info.name())
                .with_converted_type(info.converted_type())
                .with_logical_type(info.logical_type_ref().cloned())
                .with_id(id)
                .with_fields(fields);
            if info.has_repetition() {
                group = group.with_repetition(info.repetition());
            }
            group.build()
        }
        Type::PrimitiveType { physical_type, .. } if JSON_COLUMNS.contains(&info.name()) => {
            Type::primitive_type_builder(info.name(), *physical_type)
                .with_repetition(info.repetition())
                .with_logical_type(Some(LogicalType::Json))
                .with_id(id)
                .build()
        }
        other => Ok(other.clone()),
    }
}
