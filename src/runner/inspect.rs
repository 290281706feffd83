//! Looks at one raw file without a pipeline: what it is, what would be read of it, what not.
//!
//! Not here: reading it into a store.
//!
//! Always: what is shown went through redaction first; nothing is written.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use serde::Serialize;

use crate::config::{Format, Limits, Redact};
use crate::error::{Error, Result};
use crate::input::Location;
use crate::record::{Conversation, ProjectKey};
use crate::stages::ingest::archive::{self, Archive};
use crate::stages::ingest::decode::{self, Compression, LFS_HEAD};
use crate::stages::ingest::mapping::Mapping;
use crate::stages::ingest::records::{self, Packing, Records};
use crate::stages::ingest::tree::Json;
use crate::stages::ingest::{self, Body, Named, Reading, Reason, Shape, guess, language};
use crate::stages::redact::{Outcome, Redactor};

/// What the records of a file are to somebody who looks for conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    Conversations,
    /// Answers, verdicts, spans: records of a known format that need others to be a conversation.
    Parts,
    /// Texts alone: prompts, or sentences of anything. Nothing says who speaks.
    Texts,
    /// Records in which no messages are found: settings, scores, tables of numbers.
    NoConversations,
    /// Not JSON, not a table, not YAML; or nothing but damage.
    NoRecords,
    Nothing,
    /// A git-LFS pointer in place of the data.
    Pointer,
}

/// What a file is, as far as its first records tell.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    pub path: String,
    pub bytes: u64,
    pub compression: Compression,
    pub archive: Archive,
    /// Of an archive: the shape of the entry that was looked at last.
    pub shape: Shape,
    pub holds: Holds,
    /// The commonest format among the records, and the share of records that were read in it; of
    /// parts, the format that they are parts of, and the share of records that are.
    pub format: Option<Format>,
    pub sure: f64,
    pub records: u64,
    pub conversations: u64,
    pub messages: u64,
    pub formats: BTreeMap<String, u64>,
    pub rejected: BTreeMap<&'static str, u64>,
    pub findings: BTreeMap<&'static str, u64>,
    pub languages: BTreeMap<&'static str, u64>,
    /// Where no known format fits: how it could be read, and how sure that is (0 to 1).
    pub mapping: Option<Mapping>,
    pub mapping_sure: f64,
    /// The first conversations, redacted.
    pub samples: Vec<Sample>,
}

/// One conversation, as it would be kept.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    pub line: u64,
    pub messages: Vec<Said>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Said {
    pub role: &'static str,
    pub content: String,
    pub tool_calls: usize,
}

/// Records that are looked at; and conversations that are shown.
const RECORDS: u64 = 1000;
const SHOWN: usize = 2;

/// Why a record of a known format gives no conversation by itself.
const PARTS: [Reason; 6] = [
    Reason::NoMessages,
    Reason::NotAGeneration,
    Reason::FailedCall,
    Reason::StreamedAnswer,
    Reason::NoJoinKey,
    Reason::PartOfMore,
];

/// Records that a mapping is proposed from.
const PROPOSED_FROM: usize = 50;

/// The head of a file that tells how its records lie in it.
const HEAD_BYTES: u64 = 64 << 10;

pub fn inspect(path: &Location, key: &ProjectKey) -> Result<Inspection> {
    let failed = |err: std::io::Error| Error::reading(path, &err);
    if matches!(path, Location::File(file) if file.is_dir()) {
        return Err(Error::Usage(format!("{path}: a folder; name one file in it")));
    }
    let mut file = path.open().map_err(failed)?;
    let bytes = file.seek(SeekFrom::End(0)).map_err(failed)?;
    let (compression, archive) = archive::kind(&mut file).map_err(failed)?;
    let text = head(decode::reader(Box::new(file), compression).map_err(failed)?);
    let named = Named::of(&path.name());
    let (encoding, shape) = records::told(&text, named);
    let packing = Packing { compression, archive, encoding, shape };
    let mut looked = Inspection::new(path, bytes, packing);
    if text.starts_with(LFS_HEAD) {
        looked.records = 1;
        looked.reject(Reason::LfsPointer);
        looked.holds = Holds::Pointer;
        return Ok(looked);
    }
    let redactor = Redactor::new(&Redact::default(), key).map_err(Error::Usage)?;
    let mut reading = Reading::default();
    looked.read(open(path, packing)?, &reading, &redactor);
    let unknown = looked.conversations == 0 && looked.holds != Holds::Parts;
    if unknown && !looked.propose(open(path, packing)?) && shape == Shape::Lines {
        // Text that is no JSON may still be a table.
        let table = Packing { shape: Shape::of_named(&text, Named::Table), ..packing };
        let mut as_table = Inspection::new(path, bytes, table);
        if as_table.propose(open(path, table)?) {
            looked = as_table;
        }
    }
    if let Some(mapping) = &looked.mapping {
        let (mapping, sure) = (mapping.clone(), looked.mapping_sure);
        reading.mapping = Some(Arc::new(mapping.compile().map_err(Error::Usage)?));
        let packing = Packing { shape: looked.shape, ..packing };
        looked = Inspection::new(path, bytes, packing);
        looked.read(open(path, packing)?, &reading, &redactor);
        (looked.mapping, looked.mapping_sure, looked.format) = (Some(mapping), sure, None);
    }
    Ok(looked)
}

/// Its records from the first on.
fn open(path: &Location, packing: Packing) -> Result<Records> {
    let file = path.open().map_err(|err| Error::reading(path, &err))?;
    let records = Records::open(file, packing, (0, 1), u64::MAX, &Limits::default(), &blake3::Hasher::new());
    records.map_err(|err| Error::reading(path, &err))
}

/// What came before the stream broke, if it did.
fn head(input: Box<dyn Read + Send>) -> Vec<u8> {
    let mut head = Vec::new();
    // A broken stream is told by its rejects.
    let _ = input.take(HEAD_BYTES).read_to_end(&mut head);
    head
}

impl Inspection {
    fn new(path: &Location, bytes: u64, packing: Packing) -> Inspection {
        Inspection {
            path: path.to_string(),
            bytes,
            compression: packing.compression,
            archive: packing.archive,
            shape: packing.shape,
            holds: Holds::Nothing,
            format: None,
            sure: 0.0,
            records: 0,
            conversations: 0,
            messages: 0,
            formats: BTreeMap::new(),
            rejected: BTreeMap::new(),
            findings: BTreeMap::new(),
            languages: BTreeMap::new(),
            mapping: None,
            mapping_sure: 0.0,
            samples: Vec::new(),
        }
    }

    fn read(&mut self, mut records: Records, reading: &Reading, redactor: &Redactor) {
        let (mut parts, mut texts) = (BTreeMap::new(), 0);
        while self.records < RECORDS {
            let seen = records.next(|raw| {
                let body = raw.body.as_ref().ok();
                let format = body.and_then(|body| body.detect(reading));
                let is_text = body.is_some_and(Body::is_text);
                (raw.place.line, format, is_text, raw.body.and_then(|body| body.parse(reading)))
            });
            let Some((line, format, is_text, read)) = seen else { break };
            self.records += 1;
            texts += u64::from(is_text);
            self.shape = records.shape().unwrap_or(self.shape);
            match read {
                Err(reason) => {
                    if let Some(format) = format.filter(|_| PARTS.contains(&reason)) {
                        *parts.entry(format.name()).or_default() += 1;
                    }
                    self.reject(reason);
                }
                Ok(conversations) => self.keep(format, conversations, line, redactor),
            }
        }
        self.conclude(&parts, texts);
    }

    /// Looks for a mapping in the first records; false if none was found.
    fn propose(&mut self, mut records: Records) -> bool {
        let mut texts = Vec::new();
        // Records that are no JSON say nothing: an archive may begin with a licence.
        let text = |raw: ingest::Raw| {
            let text = raw.body.ok().and_then(|body| String::from_utf8(body.text().into_owned()).ok())?;
            serde_json::from_str::<Json>(&text).is_ok().then_some(text)
        };
        let mut seen = 0;
        while texts.len() < PROPOSED_FROM
            && seen < RECORDS
            && let Some(text) = records.next(text)
        {
            texts.extend(text);
            seen += 1;
        }
        let samples: Vec<Json> = texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
        if let Some((mapping, sure)) = guess::propose(&samples) {
            (self.mapping, self.mapping_sure) = (Some(mapping), sure);
        }
        self.mapping.is_some()
    }

    fn reject(&mut self, reason: Reason) {
        *self.rejected.entry(reason.as_str()).or_default() += 1;
    }

    fn keep(&mut self, format: Option<Format>, conversations: Vec<Conversation>, line: u64, redactor: &Redactor) {
        if let Some(format) = format {
            *self.formats.entry(format.name()).or_default() += 1;
        }
        for mut conversation in conversations {
            self.conversations += 1;
            self.messages += conversation.messages.len() as u64;
            *self.languages.entry(language::detect(&conversation).language).or_default() += 1;
            let mut findings = Vec::new();
            let scope = redactor.scope(&conversation);
            if let Outcome::DropConversation(refusal) = redactor.conversation(&mut conversation, scope, &mut findings) {
                *self.rejected.entry(refusal.as_str()).or_default() += 1;
                continue;
            }
            for finding in &findings {
                *self.findings.entry(finding.kind.as_str()).or_default() += 1;
            }
            if self.samples.len() < SHOWN {
                let said = |message: crate::record::Message| Said {
                    role: message.role.as_str(),
                    content: message.content,
                    tool_calls: message.tool_calls.len(),
                };
                self.samples.push(Sample { line, messages: conversation.messages.into_iter().map(said).collect() });
            }
        }
    }

    fn conclude(&mut self, parts: &BTreeMap<String, u64>, texts: u64) {
        self.holds = self.held(!parts.is_empty(), texts);
        let counted = if self.holds == Holds::Parts { parts } else { &self.formats };
        if let Some((name, n)) = counted.iter().max_by_key(|(_, n)| **n) {
            self.sure = *n as f64 / self.records.max(1) as f64;
            self.format = Format::parse(name);
        }
    }

    fn held(&self, parts: bool, texts: u64) -> Holds {
        // Whole records of some kind, whatever they say.
        let whole = [Reason::BadShape, Reason::NoMessages, Reason::FailedCall, Reason::NotAGeneration];
        let whole = [&whole[..], &[Reason::MissingRole, Reason::UnknownRole]].concat();
        match () {
            () if self.conversations > 0 => Holds::Conversations,
            () if self.records == 0 => Holds::Nothing,
            () if parts => Holds::Parts,
            () if texts * 2 > self.records => Holds::Texts,
            () if whole.iter().any(|reason| self.rejected.contains_key(reason.as_str())) => Holds::NoConversations,
            () => Holds::NoRecords,
        }
    }
}
