//! Rows of Parquet files as records: Arrow batches in, borrowed trees out.
//!
//! A row has no bytes of its own, so places count rows: row `n` of the file, from 0, lies at
//! `n..n + 1`, and its line is `n + 1`. What is hashed of a row is its compact JSON text.
//!
//! Not here: what the columns mean (`formats`, `mapping`). Parquet inside a compressed file or an
//! archive cannot be read, because its directory lies at its end.
//!
//! Always: memory is bounded by a page of each column and one batch of rows, whatever the row
//! groups; rows before damage are read, and so are the row groups behind it.

mod input;
#[cfg(test)]
mod tests;
mod thrift;
mod value;

use std::io::{Read, Seek};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Compression;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};

use super::decode::{self, Bounds};
use super::{Body, Cutter, Raw, Reason};
use crate::config::Limits;
use crate::record::Place;
use input::Input;
use value::{Columns, Left};

/// First and last bytes of a file, and of one whose footer is encrypted.
const MAGIC: &[u8] = b"PAR1";
const ENCRYPTED: &[u8] = b"PARE";
/// Behind the footer: its length and the magic.
const TAIL_BYTES: u64 = 8;
/// Of a footer; one of thousands of row groups and columns has some MB. Chosen by feel.
const FOOTER_BYTES: u64 = 256 << 20;

/// Compressed bytes at which a split ends with its row group.
const SPLIT_BYTES: i64 = 32 << 20;
/// Rows of a batch; fewer where rows are wide, so that a batch holds about `BATCH_BYTES`.
const BATCH_ROWS: u64 = 1024;
const BATCH_BYTES: u64 = 4 << 20;

/// Bytes that tell it.
pub const HEAD_BYTES: u64 = MAGIC.len() as u64;

/// Told by the first bytes.
pub fn is_parquet(head: &[u8]) -> bool {
    head.starts_with(MAGIC) || head.starts_with(ENCRYPTED)
}

/// Ranges of rows that are read at once: runs of row groups. A file that cannot be read is one
/// empty range, so that the scan reports it.
pub fn cuts<R: Read + Seek + Send + 'static>(file: R) -> Vec<Range<u64>> {
    let input = Input::new(file, Bounds::NONE).map_err(|err| decode::reason(&err));
    let Ok(metadata) = input.and_then(|input| metadata(&input)) else { return vec![Range::default()] };
    let (mut cuts, mut bytes) = (vec![Range::default()], 0);
    for group in metadata.metadata().row_groups() {
        let end = cuts.last().map_or(0, |cut: &Range<u64>| cut.end);
        if bytes >= SPLIT_BYTES {
            cuts.push(end..end);
            bytes = 0;
        }
        bytes = group.compressed_size().max(0).saturating_add(bytes);
        if let Some(cut) = cuts.last_mut() {
            cut.end = cut.end.saturating_add(rows_of(group));
        }
    }
    cuts
}

/// The columns of a file, and how many rows its row groups have; nothing if it is no Parquet that can be read.
pub fn schema<R: Read + Seek + Send + 'static>(file: R) -> Option<(SchemaRef, u64)> {
    let input = Input::new(file, Bounds::NONE).ok()?;
    let metadata = metadata(&input).ok()?;
    Some((Arc::clone(metadata.schema()), metadata.metadata().row_groups().iter().map(rows_of).sum()))
}

/// The records of a range of rows; a file that cannot be opened is one reject.
pub fn rows<R: Read + Seek + Send + 'static>(file: R, rows: Range<u64>, limits: &Limits) -> Box<dyn Cutter + Send> {
    let start = rows.start;
    match ParquetRows::open(file, rows, limits) {
        Ok(records) => Box::new(records),
        Err(reason) => Box::new(Refused(Some(Raw { place: place(start..start), body: Err(reason), hash: None }))),
    }
}

/// Compact JSON text of one row, as it was hashed; nothing if there is no such row, or it cannot be read.
pub fn row_text<R: Read + Seek + Send + 'static>(file: R, row: u64) -> Option<String> {
    let whole = Limits { line_bytes: u64::MAX, decompression_ratio: u64::MAX, ..Limits::default() };
    let mut records = rows(file, row..row.checked_add(1)?, &whole);
    let body = records.next()?.body.ok()?;
    String::from_utf8(body.text().into_owned()).ok()
}

/// A record that stands for a whole file.
struct Refused(Option<Raw<'static>>);

impl Cutter for Refused {
    fn next(&mut self) -> Option<Raw<'_>> {
        self.0.take()
    }
}

/// One reject for all of a stream that holds Parquet, which needs seeking.
pub struct Packed<'a> {
    input: Option<Box<dyn Read + Send + 'a>>,
    hasher: blake3::Hasher,
}

impl<'a> Packed<'a> {
    pub fn new(input: Box<dyn Read + Send + 'a>, hasher: blake3::Hasher) -> Self {
        Packed { input: Some(input), hasher }
    }
}

impl Cutter for Packed<'_> {
    fn next(&mut self) -> Option<Raw<'_>> {
        let (mut input, mut hasher) = (self.input.take()?, self.hasher.clone());
        let read = std::io::copy(&mut input, &mut hasher);
        let reason = read.as_ref().map_or_else(decode::reason, |_| Reason::UnsupportedEntry);
        let place = Place { start_byte: 0, end_byte: read.unwrap_or_default(), line: 1, element: 0 };
        Some(Raw { place, body: Err(reason), hash: Some(hasher.finalize()) })
    }
}

fn place(rows: Range<u64>) -> Place {
    Place { start_byte: rows.start, end_byte: rows.end, line: rows.start.saturating_add(1), element: 0 }
}

fn rows_of(group: &RowGroupMetaData) -> u64 {
    group.num_rows().max(0) as u64
}

/// Decoders of others may panic on bytes that nobody foresaw; that is damage like any other.
fn guarded<T, E>(read: impl FnOnce() -> Result<T, E>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()?.ok()
}

/// Reads and checks the footer.
fn metadata<R: Read + Seek + Send>(input: &Input<R>) -> Result<ArrowReaderMetadata, Reason> {
    let read = |start: Option<u64>, length: u64| {
        let start = start.ok_or(Reason::DamagedCompression)?;
        input.range(start, length).map_err(|err| decode::reason(&err))
    };
    let tail_start = input.len().checked_sub(TAIL_BYTES);
    let tail = read(tail_start, TAIL_BYTES)?;
    let (length, magic) = tail.split_at(4);
    if magic == ENCRYPTED {
        return Err(Reason::UnsupportedEntry);
    }
    let length = length.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte));
    if magic != MAGIC || length > FOOTER_BYTES {
        return Err(Reason::DamagedCompression);
    }
    let footer = read(tail_start.and_then(|end| end.checked_sub(length)), length)?;
    if !thrift::is_sound(&footer) {
        return Err(Reason::DamagedCompression);
    }
    guarded(|| columns(ParquetMetaDataReader::decode_metadata(&footer)?)).ok_or(Reason::DamagedCompression)
}

/// With the types that the arrays shall have. What writers add about their own Arrow types is not
/// looked at: the Parquet types say enough, and are what all writers agree on.
fn columns(metadata: ParquetMetaData) -> parquet::errors::Result<ArrowReaderMetadata> {
    let metadata = Arc::new(metadata);
    let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let found = ArrowReaderMetadata::try_new(Arc::clone(&metadata), plain)?;
    let fields: Vec<_> = found.schema().fields().iter().map(value::asked).collect();
    ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields))))
}

/// A stretch of one row group that is to be read.
struct Stretch {
    group: usize,
    /// Rows of the group before the first that is wanted.
    offset: u64,
    /// In the file.
    rows: Range<u64>,
}

struct ParquetRows<R> {
    input: Input<R>,
    metadata: ArrowReaderMetadata,
    stretches: std::vec::IntoIter<Stretch>,
    reader: Option<ParquetRecordBatchReader>,
    /// Rows of the file that the reader still has to give.
    unread: Range<u64>,
    columns: Columns,
    /// Rows of the file in `columns` that were not given out, and where the first of them stands.
    batch: Range<u64>,
    at: usize,
    line_bytes: u64,
}

impl<R: Read + Seek + Send + 'static> ParquetRows<R> {
    fn open(file: R, rows: Range<u64>, limits: &Limits) -> Result<Self, Reason> {
        let bounds = Bounds { decompressed_bytes: limits.decompressed_bytes, ratio: limits.decompression_ratio };
        let input = Input::new(file, bounds).map_err(|err| decode::reason(&err))?;
        let metadata = metadata(&input)?;
        if value::named_twice(metadata.schema().fields()) {
            return Err(Reason::DuplicateKey);
        }
        // Without columns any number of rows takes no byte.
        if metadata.schema().fields().is_empty() {
            return Err(Reason::BadShape);
        }
        let groups = metadata.metadata().row_groups();
        let unknown = |group: &RowGroupMetaData| group.columns().iter().any(|it| it.compression() == Compression::LZO);
        if groups.iter().any(unknown) {
            return Err(Reason::UnsupportedEntry);
        }
        let (mut stretches, mut end) = (Vec::new(), 0u64);
        for (group, found) in groups.iter().enumerate() {
            let start = end;
            end = end.saturating_add(rows_of(found));
            let wanted = start.max(rows.start)..end.min(rows.end);
            if !wanted.is_empty() {
                stretches.push(Stretch { group, offset: wanted.start - start, rows: wanted });
            }
        }
        Ok(ParquetRows {
            input,
            metadata,
            stretches: stretches.into_iter(),
            reader: None,
            unread: Range::default(),
            columns: Vec::new(),
            batch: Range::default(),
            at: 0,
            line_bytes: limits.line_bytes,
        })
    }

    fn begin(&self, stretch: &Stretch) -> Option<ParquetRecordBatchReader> {
        let group = self.metadata.metadata().row_group(stretch.group);
        let row_bytes = group.total_byte_size().max(0) as u64 / rows_of(group).max(1);
        let batch_rows = (BATCH_BYTES / row_bytes.max(1)).clamp(1, BATCH_ROWS);
        let rows = usize::try_from(stretch.rows.end - stretch.rows.start).ok()?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.input.clone(), self.metadata.clone())
            .with_row_groups(vec![stretch.group])
            .with_batch_size(batch_rows as usize)
            .with_offset(usize::try_from(stretch.offset).ok()?)
            .with_limit(rows);
        guarded(|| builder.build())
    }

    /// The next batch: how many rows, and their columns.
    fn read(&mut self) -> Option<(u64, Columns)> {
        let reader = self.reader.as_mut()?;
        let schema = self.metadata.parquet_schema();
        guarded(|| {
            let Some(batch) = reader.next().transpose()? else { return Ok(None) };
            value::columns(&batch, schema).map(|columns| Some((batch.num_rows() as u64, columns)))
        })?
    }

    /// Fills the batch. Damage is the rows that are lost by it, with the reason; nothing at the end.
    fn fill(&mut self) -> Option<Result<(), (Range<u64>, Reason)>> {
        if self.unread.is_empty() {
            let stretch = self.stretches.next()?;
            (self.reader, self.unread) = (self.begin(&stretch), stretch.rows);
        }
        let unread = self.unread.clone();
        // More rows than the footer tells would take the places of others.
        match self.read().filter(|(rows, _)| (1..=unread.end - unread.start).contains(rows)) {
            Some((rows, columns)) => {
                self.unread.start += rows;
                (self.batch, self.at, self.columns) = (unread.start..self.unread.start, 0, columns);
                Some(Ok(()))
            }
            None => {
                (self.reader, self.unread) = (None, Range::default());
                Some(Err((unread, self.input.fault().unwrap_or(Reason::DamagedCompression))))
            }
        }
    }
}

impl<R: Read + Seek + Send + 'static> Cutter for ParquetRows<R> {
    fn next(&mut self) -> Option<Raw<'_>> {
        if self.batch.is_empty()
            && let Err((lost, reason)) = self.fill()?
        {
            return Some(Raw { place: place(lost), body: Err(reason), hash: None });
        }
        let (row, at) = (self.batch.start, self.at);
        (self.batch.start, self.at) = (row + 1, at + 1);
        let body = value::row(&self.columns, at, &mut Left(self.line_bytes)).map(Body::Tree);
        Some(Raw { place: place(row..row + 1), body, hash: None })
    }
}
