//! Benchmarks as a function of the engine: read from their redacted rows, once a process, and looked
//! for in a column of messages.
//!
//! Not here: what counts as repeated (`stages::dedup::against`).
//!
//! Always: only redacted rows are read; on a cluster every executor reads them where the client wrote
//! them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, Float64Builder, ListArray, StringBuilder, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, UInt64Type};
use datafusion::error::{DataFusionError, Result};
use serde::{Deserialize, Serialize};

use super::columns::{column, numbers, text};
use super::udf::{each_row, list};
use crate::error::Error;
use crate::stages::dedup::against::{Finder, Hit, Index, Settings};
use crate::store::parquet;

/// What travels in a plan: settings, and where the redacted rows of each benchmark lie.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Benchmarks {
    pub prompt: bool,
    pub answer: bool,
    pub ngram_words: u32,
    pub min_overlap: f64,
    pub files: Vec<(String, Vec<PathBuf>)>,
}

/// Benchmarks in memory.
pub struct Known {
    index: Index,
    names: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    benchmark: usize,
    /// Its own id, or its line.
    name: String,
    record_id: String,
}

impl Benchmarks {
    pub fn read(&self) -> Result<Known, Error> {
        let Benchmarks { prompt, answer, ngram_words, min_overlap, .. } = *self;
        let index = Index::new(Settings { prompt, answer, ngram_words, min_overlap });
        let mut known = Known { index, names: Vec::new(), rows: Vec::new() };
        for (benchmark, (name, files)) in self.files.iter().enumerate() {
            known.names.push(name.clone());
            for file in files {
                parquet::read(file, &["record_id", "external_id", "line", "messages"], &mut |batch| {
                    let (ids, own) = (text(&batch, "record_id")?, text(&batch, "external_id")?);
                    let (ids, own) = (ids.as_string::<i32>(), own.as_string::<i32>());
                    let lines = numbers::<UInt64Type>(&batch, "line")?;
                    let name =
                        |i: usize| if own.is_valid(i) { own.value(i).to_owned() } else { lines.value(i).to_string() };
                    let row = |i: usize| Row { benchmark, name: name(i), record_id: ids.value(i).to_owned() };
                    known.rows.extend((0..batch.num_rows()).map(row));
                    each_row(column(&batch, "messages")?, |turns| known.index.row(turns))
                        .map_err(|err| Error::engine("dedup", &err))
                })?;
            }
            known.index.end();
        }
        Ok(known)
    }
}

/// What a list of the function holds.
pub fn fields() -> Fields {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let overlap = Field::new("overlap", DataType::Float64, true);
    [text("benchmark"), text("row"), text("row_record"), text("rule"), overlap].into_iter().collect()
}

impl Known {
    /// For each conversation the rows that it repeats.
    pub fn rows(&self, messages: &ArrayRef) -> Result<ArrayRef> {
        let mut finder = Finder::new(&self.index);
        let mut texts: [StringBuilder; 4] = Default::default();
        let (mut overlaps, mut lengths) = (Float64Builder::new(), Vec::with_capacity(messages.len()));
        each_row(messages, |turns| {
            let hits = finder.find(turns);
            lengths.push(hits.len());
            for Hit { row, rule, overlap } in hits {
                let row = &self.rows[row as usize];
                let said = [&self.names[row.benchmark], &row.name, &row.record_id, rule.as_str()];
                texts.iter_mut().zip(said).for_each(|(column, text)| column.append_value(text));
                overlaps.append_value(overlap);
            }
        })?;
        let mut columns: Vec<ArrayRef> = texts.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
        columns.push(Arc::new(overlaps.finish()));
        let hits = StructArray::try_new(fields(), columns, None)?;
        let DataType::List(item) = list(DataType::Struct(fields())) else {
            return Err(DataFusionError::Plan("overlap returns lists".to_owned()));
        };
        Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(hits), None)?))
    }
}

/// The benchmarks of one plan, by what the plan says of them.
#[derive(Default)]
pub struct Cache(Mutex<Option<(String, Arc<Known>)>>);

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("Cache")
    }
}

impl Cache {
    /// Others wait while one reads.
    pub fn get(&self, spec: &str) -> Result<Arc<Known>> {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, known)) = cached.as_ref()
            && of == spec
        {
            return Ok(Arc::clone(known));
        }
        let benchmarks: Benchmarks =
            serde_json::from_str(spec).map_err(|err| DataFusionError::Plan(err.to_string()))?;
        let known = Arc::new(benchmarks.read().map_err(|err| DataFusionError::External(Box::new(err)))?);
        *cached = Some((spec.to_owned(), Arc::clone(&known)));
        Ok(known)
    }
}
