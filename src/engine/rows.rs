//! From the bytes of one split to batches of redacted rows.
//!
//! Always: every record of the split is in exactly one row; its conversation id is the keyed hash
//! of what the row holds, that is of the redacted conversation.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::scan::{Counted, ScanSpec, Split};
use crate::canon;
use crate::config::{Format, Limits, Tokenizer};
use crate::error::Error;
use crate::layer::build::{FindingRow, RecordRow, StreamBuilder, tool_calls_json};
use crate::layer::fragments::{FragmentBuilder, FragmentRow};
use crate::record::{Conversation, Id, Place, ProjectKey, record_id, user_key, user_token};
use crate::stages::ingest::join::Joining;
use crate::stages::ingest::mapping::Mapping;
use crate::stages::ingest::records::Records;
use crate::stages::ingest::tokens::Counter;
use crate::stages::ingest::{self, Body, Reading, Reason, language};
use crate::stages::redact::{Finding, Outcome, Redactor, Refusal};

/// Rows and text at which a batch is handed on; small enough that few batches fill a cache.
const BATCH_TEXT_BYTES: usize = 4 << 20;

pub struct Rows {
    records: Records,
    maker: Maker,
    fragments: FragmentBuilder,
    batch_rows: usize,
    source_id: String,
    lfs_pointer: bool,
    done: bool,
    /// Raw stretches cut so far; one may hold two records.
    cut: u64,
    ended: bool,
}

/// What does not change from record to record.
pub struct Maker {
    reading: Reading,
    redactor: Arc<Redactor>,
    counter: Option<Counter>,
    key: ProjectKey,
    record_hasher: blake3::Hasher,
    builder: StreamBuilder,
    findings: Vec<Finding>,
    /// What stood behind pseudonyms, sealed, by token; empty where there is no vault.
    sealed: BTreeMap<String, String>,
}

/// A batch of rows, or what goes to the vault.
pub enum Batch {
    Rows(RecordBatch),
    Fragments(RecordBatch),
    Sealed(BTreeMap<String, String>),
}

/// Why a record is not kept: it cannot be read, or not be redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Read(Reason),
    Redact(Refusal),
}

impl Refused {
    const fn as_str(self) -> &'static str {
        match self {
            Refused::Read(reason) => reason.as_str(),
            Refused::Redact(refusal) => refusal.as_str(),
        }
    }
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Refused {
        Refused::Read(reason)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        Refused::Redact(refusal)
    }
}

/// A conversation that was redacted, and what is known of it from before.
struct Safe {
    conversation: Conversation,
    said: language::Detected,
    user_key: Option<Id>,
    findings: Vec<Finding>,
}

/// How a source is read, ready for use.
pub fn reading(
    (format, messages_key): (Option<Format>, &str),
    mapping: Option<&Mapping>,
    joining: Joining,
    limits: Limits,
) -> std::result::Result<Reading, Error> {
    let mapping = mapping.map(Mapping::compile).transpose();
    let mapping = mapping.map_err(|what| Error::Usage(format!("mapping.{what}")))?.map(Arc::new);
    Ok(Reading { format, messages_key: messages_key.to_owned(), mapping, joining, limits })
}

impl Rows {
    pub fn new(
        spec: &ScanSpec,
        split: &Split,
        key: &ProjectKey,
        redactor: Arc<Redactor>,
        file: Counted,
    ) -> Result<Rows, Error> {
        let start = (split.start_byte, split.first_line);
        let record_hasher = key.hasher("record");
        let records = Records::open(file, split.packing, start, split.end_byte, &spec.limits, &record_hasher);
        let records = records.map_err(|err| Error::reading(&split.location, &err))?;
        let joining = match &split.join {
            Some(join) => Joining::By(join.compile().map_err(|what| Error::Usage(format!("join.{what}")))?),
            None => Joining::Told,
        };
        let named = (split.format, split.messages_key.as_str());
        let reading = reading(named, split.mapping.as_ref(), joining, spec.limits)?;
        Ok(Rows {
            records,
            maker: Maker::new(reading, redactor, spec.tokenizer, key),
            fragments: FragmentBuilder::default(),
            source_id: split.source_id.clone(),
            lfs_pointer: split.lfs_pointer,
            batch_rows: spec.batch_rows,
            done: false,
            cut: 0,
            ended: false,
        })
    }

    /// Answers one record; true if nothing after it is worth reading.
    fn record(&mut self) -> Option<bool> {
        let Rows { records, maker, fragments, source_id, lfs_pointer, .. } = self;
        records.next(|raw| {
            let hash = Id::of(raw.hash.unwrap_or_else(|| match &raw.body {
                Ok(body) => maker.record_hasher.clone().update(&body.text()).finalize(),
                Err(_) => maker.record_hasher.finalize(),
            }));
            if *lfs_pointer {
                maker.reject(source_id, raw.place, hash, Reason::LfsPointer.into());
                return true;
            }
            let at = (source_id.as_str(), raw.place, hash);
            match raw.body {
                Ok(body) => match maker.read(&body, at, None) {
                    Ok(_) => {}
                    Err(Refused::Read(Reason::PartOfMore)) => maker.part(&body, at, fragments),
                    Err(reason) => maker.reject(source_id, raw.place, hash, reason),
                },
                Err(reason) => maker.reject(source_id, raw.place, hash, reason.into()),
            }
            false
        })
    }

    fn is_full(&self) -> bool {
        let (rows, bytes) = (self.maker.builder.rows() + self.fragments.rows(), self.maker.builder.bytes());
        rows >= self.batch_rows || bytes + self.fragments.bytes() >= BATCH_TEXT_BYTES
    }
}

impl Iterator for Rows {
    type Item = Result<Batch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done && !self.is_full() {
            match self.record() {
                Some(done) => (self.cut, self.done) = (self.cut + 1, done),
                None => self.done = true,
            }
        }
        if self.fragments.rows() > 0 {
            return Some(self.fragments.finish().map(Batch::Fragments));
        }
        if self.done && !self.ended {
            self.ended = true;
            self.maker.builder.end(&self.source_id, self.cut);
        }
        if self.maker.builder.rows() > 0 {
            return Some(self.maker.builder.finish().map(Batch::Rows));
        }
        Some(self.maker.sealed()).filter(|sealed| !sealed.is_empty()).map(|sealed| Ok(Batch::Sealed(sealed)))
    }
}

/// Where a record lies, and its hash.
pub type At<'a> = (&'a str, Place, Id);

impl Maker {
    pub fn new(reading: Reading, redactor: Arc<Redactor>, tokenizer: Option<Tokenizer>, key: &ProjectKey) -> Maker {
        Maker {
            reading,
            redactor,
            counter: tokenizer.map(Counter::new),
            key: key.clone(),
            record_hasher: key.hasher("record"),
            builder: StreamBuilder::default(),
            findings: Vec::new(),
            sealed: BTreeMap::new(),
        }
    }

    /// A row for each conversation of a record; how many there were. If one of them must not be
    /// kept, none is: sides of a preference stand side by side. `scope` is that of its parts; a
    /// record of its own has its own.
    pub fn read(&mut self, body: &Body, (source_id, place, hash): At, scope: Option<Id>) -> Result<u32, Refused> {
        let conversations = body.parse(&self.reading)?;
        let own = || conversations.first().map(|first| self.redactor.scope(first));
        let scope = scope.or_else(own).unwrap_or(hash);
        let safe: Vec<Safe> =
            conversations.into_iter().map(|one| self.redacted(one, scope)).collect::<Result<_, Refusal>>()?;
        let rows = safe.len() as u32;
        for (element, conversation) in (0..).zip(safe) {
            self.keep(source_id, Place { element, ..place }, hash, conversation);
        }
        Ok(rows)
    }

    fn redacted(&self, mut conversation: Conversation, scope: Id) -> Result<Safe, Refusal> {
        let said = language::detect(&conversation);
        let user_key = conversation.user.take().map(|user| user_key(&self.key, &user));
        let mut findings = Vec::new();
        match self.redactor.conversation(&mut conversation, scope, &mut findings) {
            Outcome::Kept => Ok(Safe { conversation, said, user_key, findings }),
            Outcome::DropConversation(refusal) => Err(refusal),
        }
    }

    /// What goes to the vault, by token; nothing is left behind.
    pub fn sealed(&mut self) -> BTreeMap<String, String> {
        std::mem::take(&mut self.sealed)
    }

    /// How the next records are read.
    pub fn read_as(&mut self, reading: Reading) {
        self.reading = reading;
    }

    /// Marks the end, with the records that were cut.
    pub fn end(&mut self, cut: u64) {
        self.builder.end("", cut);
    }

    pub fn reject(&mut self, source_id: &str, place: Place, hash: Id, reason: Refused) {
        self.builder.reject(source_id, place, hash, reason.as_str());
    }

    /// A part of a conversation: redacted now, joined later.
    fn part(&mut self, body: &Body, (source_id, place, hash): At, fragments: &mut FragmentBuilder) {
        let token = |user: &str| user_token(&self.key, user);
        let (part, text) = match ingest::part(body, &self.reading, &token) {
            Ok(found) => found,
            Err(reason) => return self.reject(source_id, place, hash, reason.into()),
        };
        let group_id = self.key.id("group", part.key.as_bytes());
        let mut findings = std::mem::take(&mut self.findings);
        findings.clear();
        let redacted = match self.redactor.record(&text, group_id, &mut findings) {
            Ok(redacted) => redacted,
            Err(refusal) => return self.reject(source_id, place, hash, refusal.into()),
        };
        let format = part.format.map(Format::name);
        let row = FragmentRow {
            record_id: record_id(&self.key, source_id, place),
            group_id,
            is_global: part.is_global,
            format: format.as_deref(),
            source_id,
            place,
            record_hash: hash,
            order: part.order,
            body: &redacted,
        };
        let rows: Vec<FindingRow> = findings.iter().map(Finding::row).collect();
        fragments.push(&row, &rows);
        self.seal(&mut findings);
        self.findings = findings;
    }

    fn seal(&mut self, findings: &mut [Finding]) {
        let sealed = findings.iter_mut().filter_map(|finding| finding.sealed.take());
        self.sealed.extend(sealed.map(|row| (row.token, row.sealed)));
    }

    fn keep(&mut self, source_id: &str, place: Place, record_hash: Id, safe: Safe) {
        let Safe { conversation, said, user_key, mut findings } = safe;
        let row = RecordRow {
            record_id: record_id(&self.key, source_id, place),
            conversation_id: conversation_id(&self.key, &conversation),
            source_id,
            place,
            record_hash,
            language: said.language,
            language_confidence: said.confidence,
            script: said.script,
            model_tokens: self.counter.and_then(|counter| counter.count(&conversation)),
            user_key,
        };
        let rows: Vec<FindingRow> = findings.iter().map(Finding::row).collect();
        self.builder.keep(&row, &conversation, &rows);
        self.seal(&mut findings);
    }

    pub fn rows(&self) -> usize {
        self.builder.rows()
    }

    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        self.builder.finish()
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
