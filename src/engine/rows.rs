//! From the bytes of one split to batches of redacted rows.
//!
//! Always: every record of the split is in exactly one row; its conversation id is the keyed hash
//! of what the row holds, that is of the redacted conversation.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::error::{DataFusionError, Result};

use super::scan::{Counted, ScanSpec, Split};
use crate::canon;
use crate::error::Error;
use crate::layer::build::{FindingRow, RecordRow, StreamBuilder, tool_calls_json};
use crate::record::{Conversation, Id, Place, ProjectKey, record_id};
use crate::stages::ingest::mapping::Mapping;
use crate::stages::ingest::records::Records;
use crate::stages::ingest::{self, Reading, Reason, language};
use crate::stages::redact::{Finding, Redactor};

/// Rows and text at which a batch is handed on; small enough that few batches fill a cache.
const BATCH_TEXT_BYTES: usize = 4 << 20;

pub struct Rows {
    records: Records,
    maker: Maker,
    batch_rows: usize,
    done: bool,
    /// Raw stretches cut so far; one may hold two records.
    cut: u64,
    ended: bool,
}

/// What does not change from record to record.
struct Maker {
    source_id: String,
    reading: Reading,
    redactor: Arc<Redactor>,
    key: ProjectKey,
    record_hasher: blake3::Hasher,
    builder: StreamBuilder,
    findings: Vec<Finding>,
    lfs_pointer: bool,
}

impl Rows {
    pub fn new(
        spec: &ScanSpec,
        split: &Split,
        key: &ProjectKey,
        redactor: Arc<Redactor>,
        file: Counted,
    ) -> Result<Rows> {
        let record_hasher = key.hasher("record");
        let external = |err: Error| DataFusionError::External(Box::new(err));
        let start = (split.start_byte, split.first_line);
        let records = Records::open(file, split.packing, start, split.end_byte, &spec.limits, &record_hasher);
        let records = records.map_err(|err| external(Error::io(&split.path, &err)))?;
        let mapping = split.mapping.as_ref().map(Mapping::compile).transpose();
        let mapping = mapping.map_err(|what| external(Error::Usage(format!("mapping.{what}"))))?.map(Arc::new);
        let (format, messages_key) = (split.format, split.messages_key.clone());
        let reading = Reading { format, messages_key, mapping, limits: spec.limits };
        let maker = Maker {
            source_id: split.source_id.clone(),
            reading,
            redactor,
            key: key.clone(),
            record_hasher,
            builder: StreamBuilder::default(),
            findings: Vec::new(),
            lfs_pointer: split.lfs_pointer,
        };
        Ok(Rows { records, maker, batch_rows: spec.batch_rows, done: false, cut: 0, ended: false })
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            let maker = &mut self.maker;
            match self.records.next(|raw| maker.record(raw)) {
                Some(done) => (self.cut, self.done) = (self.cut + 1, done),
                None => self.done = true,
            }
            if self.maker.builder.rows() >= self.batch_rows || self.maker.builder.bytes() >= BATCH_TEXT_BYTES {
                break;
            }
        }
        if self.done && !self.ended {
            self.ended = true;
            self.maker.builder.end(&self.maker.source_id, self.cut);
        }
        (self.maker.builder.rows() > 0).then(|| Ok(self.maker.builder.finish()?))
    }
}

impl Maker {
    /// Answers one record; true if nothing after it is worth reading.
    fn record(&mut self, raw: ingest::Raw) -> bool {
        let hash = raw.hash.unwrap_or_else(|| match raw.bytes {
            Ok(bytes) => self.record_hasher.clone().update(bytes).finalize(),
            Err(_) => self.record_hasher.finalize(),
        });
        let hash = Id::of(hash);
        if self.lfs_pointer {
            self.builder.reject(&self.source_id, raw.place, hash, Reason::LfsPointer.as_str());
            return true;
        }
        match raw.bytes.and_then(|bytes| ingest::parse(bytes, &self.reading)) {
            Err(reason) => self.builder.reject(&self.source_id, raw.place, hash, reason.as_str()),
            Ok(conversations) => {
                for (element, conversation) in conversations.into_iter().enumerate() {
                    self.keep(Place { element: element as u32, ..raw.place }, hash, conversation);
                }
            }
        }
        false
    }

    fn keep(&mut self, place: Place, record_hash: Id, mut conversation: Conversation) {
        let language = language::detect(&conversation);
        self.findings.clear();
        self.redactor.conversation(&mut conversation, &mut self.findings);
        let row = RecordRow {
            record_id: record_id(&self.key, &self.source_id, place),
            conversation_id: conversation_id(&self.key, &conversation),
            source_id: &self.source_id,
            place,
            record_hash,
            language,
        };
        let findings: Vec<FindingRow> = self.findings.iter().map(Finding::row).collect();
        self.builder.keep(&row, &conversation, &findings);
    }
}

/// What is said, in canonical form (law 5).
pub fn conversation_id(key: &ProjectKey, conversation: &Conversation) -> Id {
    let mut hasher = key.hasher("conversation");
    hasher.update(&[canon::VERSION]);
    let mut hash = |bytes: &[u8]| {
        hasher.update(bytes);
    };
    for message in &conversation.messages {
        canon::feed(&mut hash, message.role.as_str(), &message.content, tool_calls_json(message).as_deref());
    }
    Id::of(hasher.finalize())
}
