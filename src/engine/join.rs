//! Fragments, in the order of their groups, to rows: each group is put together, read by its
//! format or mapping, and redacted once more.
//!
//! Not here: bringing the fragments into that order (`runner::join`).
//!
//! Always: a group is held in memory while it is read, and no longer than `line_bytes`; every
//! fragment is folded into a conversation or rejected.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::datatypes::{UInt32Type, UInt64Type};

use super::Sink;
use super::columns::{arrow_error, numbers, text};
use super::rows::{Maker, Refused, reading};
use super::written::{Folders, SplitSink, Written};
use crate::config::{Format, Ingest, Source};
use crate::error::Result;
use crate::layer::tables::Table;
use crate::record::{Id, Place, ProjectKey, record_id};
use crate::stages::dedup::sketch::Settings;
use crate::stages::ingest::join::{self, Joining};
use crate::stages::ingest::tree::Json;
use crate::stages::ingest::{Body, Reading, Reason};
use crate::stages::redact::Redactor;

/// Rows handed on at once.
const BATCH_ROWS: usize = 1024;

/// A fragment without what it says.
#[derive(Clone)]
struct Part {
    source_id: String,
    place: Place,
    hash: Id,
    record_id: String,
}

/// The fragments of one key.
#[derive(Default)]
struct Group {
    /// The key's id, and the pipeline's entry within which it counts.
    name: (String, String),
    format: Option<Format>,
    parts: Vec<Part>,
    bodies: Vec<String>,
    bytes: u64,
}

/// Takes fragments, sorted.
pub struct Joiner {
    /// By the pipeline's entry, for those with a mapping.
    mapped: HashMap<String, Reading>,
    told: Reading,
    maker: Maker,
    sink: SplitSink,
    key: ProjectKey,
    group: Group,
    /// Records that were joined, each with one of its parts and that part's number.
    joined: Vec<(Id, u32, Part)>,
    cut: u64,
}

impl Joiner {
    pub fn create(
        ingest: &Ingest,
        redactor: Arc<Redactor>,
        key: &ProjectKey,
        (folders, settings): (Folders, Settings),
    ) -> Result<Joiner> {
        let limits = ingest.limits;
        let read = |source: &Source| {
            let mapping = source.mapping.as_ref();
            Ok((source.path.clone(), reading((None, "messages"), mapping, Joining::Done, limits)?))
        };
        let mapped = ingest.sources.iter().filter(|source| source.join.is_some()).map(read).collect::<Result<_>>()?;
        let told = reading((None, "messages"), None, Joining::Done, limits)?;
        Ok(Joiner {
            mapped,
            maker: Maker::new(told.clone(), redactor, ingest.tokenizer, key),
            told,
            sink: SplitSink::create(folders, 0, key, settings)?,
            key: key.clone(),
            group: Group::default(),
            joined: Vec::new(),
            cut: 0,
        })
    }

    fn add(&mut self, part: Part, body: &str) {
        let group = &mut self.group;
        group.bytes += body.len() as u64;
        match group.bytes > self.told.limits.line_bytes {
            true => group.bodies.clear(),
            false => group.bodies.push(body.to_owned()),
        }
        group.parts.push(part);
        self.cut += 1;
    }

    /// Answers the group that came to its end.
    fn end(&mut self) -> Result<()> {
        let group = std::mem::take(&mut self.group);
        let Some(first) = group.parts.first() else { return Ok(()) };
        match self.read(&group, first) {
            Ok(rows) => {
                for element in 0..rows {
                    let record = record_id(&self.key, &first.source_id, Place { element, ..first.place });
                    let parts = group.parts.iter().enumerate().map(|(i, part)| (record, i as u32, part.clone()));
                    self.joined.extend(parts);
                }
                self.sink.fold(group.parts.len() as u64 - 1);
            }
            Err(reason) => {
                for Part { source_id, place, hash, .. } in &group.parts {
                    self.maker.reject(source_id, *place, *hash, reason);
                }
            }
        }
        if self.maker.rows() >= BATCH_ROWS { self.hand_on() } else { Ok(()) }
    }

    /// How many conversations the group gave.
    fn read(&mut self, group: &Group, first: &Part) -> std::result::Result<u32, Refused> {
        if group.bytes > self.told.limits.line_bytes {
            return Err(Reason::LineTooLong.into());
        }
        let parts = group.bodies.iter().map(|body| serde_json::from_str(body).map_err(|_| Reason::InvalidJson));
        let whole = join::whole(parts.collect::<std::result::Result<Vec<Json>, _>>()?, group.format)?;
        let mapped = self.mapped.get(&group.name.1).filter(|_| group.format.is_none());
        self.maker.read_as(mapped.cloned().unwrap_or_else(|| Reading { format: group.format, ..self.told.clone() }));
        let scope = Id::parse(&group.name.0);
        self.maker.read(&Body::Tree(whole), (&first.source_id, first.place, first.hash), scope)
    }

    fn hand_on(&mut self) -> Result<()> {
        if self.maker.rows() > 0 {
            self.sink.write(&self.maker.finish().map_err(|err| arrow_error("join", &err))?)?;
        }
        if self.joined.is_empty() {
            return Ok(());
        }
        let joined = std::mem::take(&mut self.joined);
        let words = |of: &dyn Fn(&(Id, u32, Part)) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(joined.iter().map(of)))
        };
        let numbers = |of: fn(&Place) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(joined.iter().map(|(_, _, part)| of(&part.place))))
        };
        let small = |of: fn(&(Id, u32, Part)) -> u32| -> ArrayRef {
            Arc::new(UInt32Array::from_iter_values(joined.iter().map(of)))
        };
        let columns = vec![
            words(&|(record, ..)| record.to_string()),
            words(&|(_, _, part)| part.record_id.clone()),
            small(|(_, number, _)| *number),
            words(&|(_, _, part)| part.source_id.clone()),
            numbers(|place| place.start_byte),
            numbers(|place| place.end_byte),
            numbers(|place| place.line),
            small(|(_, _, part)| part.place.element),
            words(&|(_, _, part)| part.hash.to_string()),
        ];
        let batch = RecordBatch::try_new(Table::Joined.schema(), columns).map_err(|err| arrow_error("join", &err))?;
        self.sink.parts(&batch)
    }
}

impl Sink for Joiner {
    type Done = Written;

    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let named = |name| text(&batch, name);
        let (groups, scopes, formats) = (named("group_id")?, named("scope")?, named("format")?);
        let (records, sources) = (named("record_id")?, named("source_id")?);
        let (hashes, bodies) = (named("record_hash")?, named("body")?);
        let number = |name| numbers::<UInt64Type>(&batch, name);
        let (starts, ends, lines) = (number("start_byte")?, number("end_byte")?, number("line")?);
        let elements = numbers::<UInt32Type>(&batch, "element")?;
        for i in 0..batch.num_rows() {
            let at = |column: &ArrayRef| column.as_string::<i32>().value(i).to_owned();
            let name = (at(&groups), at(&scopes));
            if name != self.group.name {
                self.end()?;
                let format = (!formats.is_null(i)).then(|| at(&formats)).and_then(|name| Format::parse(&name));
                self.group = Group { name, format, ..Group::default() };
            }
            let (start_byte, end_byte, line) = (starts.value(i), ends.value(i), lines.value(i));
            let place = Place { start_byte, end_byte, line, element: elements.value(i) };
            let hash = Id::parse(&at(&hashes)).unwrap_or(Id([0; 16]));
            let part = Part { source_id: at(&sources), place, hash, record_id: at(&records) };
            self.add(part, bodies.as_string::<i32>().value(i));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Written> {
        self.end()?;
        self.maker.end(self.cut);
        self.hand_on()?;
        self.sink.seal(&self.maker.sealed())?;
        self.sink.finish()
    }
}
