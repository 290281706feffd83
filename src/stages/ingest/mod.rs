//! Reads raw logs: bytes in, conversations or rejects out, in the order of the file.
//!
//! Not here: opening files and splitting them among cores (`engine::scan`), redaction. What this
//! module yields is raw; only the scan, which redacts it at once, may hold it.
//!
//! Always: every record gets an answer, a conversation or a reject with a reason and a place;
//! places are equal however the file was split or buffered.

pub mod archive;
pub mod columnar;
pub mod decode;
mod elements;
pub mod encoding;
pub mod formats;
mod glance;
pub mod guess;
mod hh;
#[cfg(test)]
mod hostile_tests;
pub mod join;
pub mod language;
mod lines;
pub mod mapping;
mod media;
mod openai;
mod parse;
pub mod quick;
pub mod records;
mod said;
mod sharegpt;
pub mod table;
mod text_reader;
pub mod tokens;
pub mod tree;
mod tree_reader;
mod trigrams;
mod yaml;

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

pub use elements::Elements;
use join::Joining;
pub use lines::Lines;
use mapping::Compiled;
pub use parse::{detect, detect_tree, parse, parse_tree, part};
use table::TableRows;
use yaml::YamlElements;

use serde::{Deserialize, Serialize};

use crate::config::{Format, Limits};
use crate::record::{Conversation, Place};
use tree::Json;

/// Why a record could not be read. The names are part of the reject table's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Reason {
    /// The compressed stream ends early or is broken; all before it was read.
    DamagedCompression,
    /// The file is a git-LFS pointer, not the data.
    LfsPointer,
    /// The file cannot be read to its end.
    Unreadable,
    /// More comes out of a compressed file than the pipeline allows: a bomb, or a limit too low.
    TooMuchDecompressed,
    /// The name of an archive entry points out of the archive.
    UnsafeEntryName,
    /// An archive entry that is encrypted, sparse, packed twice, or itself an archive; Parquet that
    /// is encrypted, packed, or in a codec that is not known.
    UnsupportedEntry,
    /// A surrogate without its other half, or half a code unit.
    InvalidUtf16,
    LineTooLong,
    InvalidUtf8,
    NulByte,
    InvalidJson,
    InvalidYaml,
    TooDeep,
    DuplicateKey,
    /// JSON, but not one of the known shapes, or not the one the pipeline names.
    BadShape,
    NoMessages,
    /// A gateway logged a call that failed; nothing was answered.
    FailedCall,
    /// A span of other work than a call of a model.
    NotAGeneration,
    /// The answer was recorded as a stream of events.
    StreamedAnswer,
    TooManyMessages,
    MissingRole,
    UnknownRole,
    /// Two records claim the same place in one conversation.
    AmbiguousJoin,
    /// A part of a conversation that does not say of which.
    NoJoinKey,
    /// A part of a conversation that lies in several records; joined, it is no reject.
    PartOfMore,
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::DamagedCompression => "damaged_compression",
            Reason::LfsPointer => "lfs_pointer",
            Reason::Unreadable => "unreadable",
            Reason::TooMuchDecompressed => "decompression_limit",
            Reason::UnsafeEntryName => "unsafe_entry_name",
            Reason::UnsupportedEntry => "unsupported_entry",
            Reason::InvalidUtf16 => "invalid_utf16",
            Reason::LineTooLong => "line_too_long",
            Reason::InvalidUtf8 => "invalid_utf8",
            Reason::NulByte => "nul_byte",
            Reason::InvalidJson => "invalid_json",
            Reason::InvalidYaml => "invalid_yaml",
            Reason::TooDeep => "too_deep",
            Reason::DuplicateKey => "duplicate_key",
            Reason::BadShape => "bad_shape",
            Reason::NoMessages => "no_messages",
            Reason::FailedCall => "failed_call",
            Reason::NotAGeneration => "not_a_generation",
            Reason::StreamedAnswer => "streamed_answer",
            Reason::TooManyMessages => "too_many_messages",
            Reason::MissingRole => "missing_role",
            Reason::UnknownRole => "unknown_role",
            Reason::AmbiguousJoin => "ambiguous_join",
            Reason::NoJoinKey => "no_join_key",
            Reason::PartOfMore => "part_of_more",
        }
    }

    const ALL: [Reason; 25] = [
        Reason::DamagedCompression,
        Reason::LfsPointer,
        Reason::Unreadable,
        Reason::TooMuchDecompressed,
        Reason::UnsafeEntryName,
        Reason::UnsupportedEntry,
        Reason::InvalidUtf16,
        Reason::LineTooLong,
        Reason::InvalidUtf8,
        Reason::NulByte,
        Reason::InvalidJson,
        Reason::InvalidYaml,
        Reason::TooDeep,
        Reason::DuplicateKey,
        Reason::BadShape,
        Reason::NoMessages,
        Reason::FailedCall,
        Reason::NotAGeneration,
        Reason::StreamedAnswer,
        Reason::TooManyMessages,
        Reason::MissingRole,
        Reason::UnknownRole,
        Reason::AmbiguousJoin,
        Reason::NoJoinKey,
        Reason::PartOfMore,
    ];

    /// What a person can do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Reason::DamagedCompression => "the compressed stream breaks off; copy the file again from where it came",
            Reason::LfsPointer => "a git-LFS pointer stands in place of the file; fetch it with `git lfs pull`",
            Reason::Unreadable => "reading failed half-way; look at the disk or mount",
            Reason::TooMuchDecompressed => {
                "unpacks to more than ingest.limits allow; raise them if the file is trusted"
            }
            Reason::UnsafeEntryName => "the entry's name leads out of the archive; ask who made the archive",
            Reason::UnsupportedEntry => {
                "encrypted, sparse, packed twice, an archive itself, or Parquet in a container or an unknown codec; unpack it before ingest"
            }
            Reason::InvalidUtf16 => "not whole UTF-16; convert it, or ask the writer of the log",
            Reason::LineTooLong => "raise ingest.limits.line_bytes if such records are wanted",
            Reason::InvalidUtf8 => "not UTF-8; convert it, or ask the writer of the log",
            Reason::NulByte => "holds a NUL byte; the file may be damaged, or UTF-16",
            Reason::InvalidJson => "not one whole JSON value; the writer may have been cut off",
            Reason::InvalidYaml => "not YAML that stands on its own; an anchor of another record is not known here",
            Reason::TooDeep => "raise ingest.limits.nesting_depth if such records are wanted",
            Reason::DuplicateKey => "one key twice in one object: which value counts is not said",
            Reason::BadShape => {
                "not the format that was named, or none of the known ones; `gristmill sources inspect` may propose a mapping"
            }
            Reason::NoMessages => "nobody says anything in it, or an answer stands without its prompt",
            Reason::FailedCall => "the call failed, so there is no answer; nothing to do",
            Reason::NotAGeneration => "a span of other work than a call of a model; nothing to do",
            Reason::StreamedAnswer => "the answer stands as a stream of events, which is not read; log whole answers",
            Reason::TooManyMessages => {
                "raise ingest.limits.messages if such records are wanted; nothing helps one that repeats a prompt into 256 MiB"
            }
            Reason::MissingRole => "a message without a role",
            Reason::UnknownRole => "a role that is not system, user, assistant or tool, nor a known name of one",
            Reason::AmbiguousJoin => {
                "two different records claim the same place under one key; name them in separate entries of ingest.sources"
            }
            Reason::NoJoinKey => {
                "a message that says which one it answers, but not of which tree; give all of one tree the same message_tree_id"
            }
            Reason::PartOfMore => "a part of a conversation that lies in several records; a run joins them",
        }
    }
}

/// [`Reason::advice`] by the name that stands in the rejects table.
pub fn advice(reason: &str) -> Option<&'static str> {
    Reason::ALL.into_iter().find(|one| one.as_str() == reason).map(Reason::advice)
}

/// How to read the records of one source.
#[derive(Clone, Debug)]
pub struct Reading {
    pub format: Option<Format>,
    pub messages_key: String,
    /// Instead of any format.
    pub mapping: Option<Arc<Compiled>>,
    pub joining: Joining,
    pub limits: Limits,
}

impl Default for Reading {
    /// By the keys of each record; messages under `messages`.
    fn default() -> Reading {
        let messages_key = "messages".to_owned();
        Reading { format: None, messages_key, mapping: None, joining: Joining::default(), limits: Limits::default() }
    }
}

/// One raw stretch of a source: a line, an element of a top-level JSON array, a JSON object, a row.
pub struct Raw<'a> {
    pub place: Place,
    /// What it says, or why that cannot be had.
    pub body: Result<Body<'a>, Reason>,
    /// Hash of the bytes where they were too many to keep; keyed like a record hash.
    pub hash: Option<blake3::Hash>,
}

/// What a record says: its bytes, or a tree where it has none of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Body<'a> {
    Bytes(&'a [u8]),
    Tree(Json<'a>),
}

impl Body<'_> {
    /// The text that is hashed: the bytes themselves, or compact JSON.
    pub fn text(&self) -> Cow<'_, [u8]> {
        match self {
            Body::Bytes(bytes) => Cow::Borrowed(bytes),
            Body::Tree(tree) => Cow::Owned(tree.json().into_bytes()),
        }
    }

    pub fn parse(&self, reading: &Reading) -> Result<Vec<Conversation>, Reason> {
        match self {
            Body::Bytes(bytes) => parse(bytes, reading),
            Body::Tree(tree) => parse_tree(tree, reading),
        }
    }

    /// Whether it is a text alone, which does not say who speaks.
    pub fn is_text(&self) -> bool {
        match self {
            Body::Bytes(bytes) => serde_json::from_slice::<String>(bytes).is_ok(),
            Body::Tree(tree) => tree.text().is_some(),
        }
    }

    pub fn detect(&self, reading: &Reading) -> Option<Format> {
        match self {
            Body::Bytes(bytes) => detect(bytes, reading),
            Body::Tree(tree) => detect_tree(tree, reading),
        }
    }
}

/// Cuts a stream into raw records, one at a time, in bounded memory.
pub trait Cutter {
    /// The next record, or nothing at the end. Blank lines are not records.
    fn next(&mut self) -> Option<Raw<'_>>;
}

/// How the records of a stream lie in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// One record a line.
    Lines,
    /// The elements of a JSON array.
    Array,
    /// JSON objects that go over lines, one or more.
    Documents,
    /// Rows of delimited text, below a row of names.
    Table,
    /// YAML: the elements of a list, or documents.
    Yaml,
    /// Rows of a Parquet file.
    Parquet,
}

/// What the name of a file says about its text, where the bytes cannot: delimited text and YAML
/// look like anything, and lines of JSON texts like a table of one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    Nothing,
    Json,
    Table,
    Yaml,
}

impl Named {
    /// Endings count wherever they stand, because others may follow: `.csv.gz`, `.yaml.1`.
    pub fn of(name: &str) -> Named {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name).to_lowercase();
        let named = |ending: &str| file.split('.').skip(1).any(|part| part == ending);
        match () {
            () if named("csv") || named("tsv") => Named::Table,
            () if named("yaml") || named("yml") => Named::Yaml,
            () if named("json") || named("jsonl") || named("ndjson") => Named::Json,
            () => Named::Nothing,
        }
    }

    /// This, or the other if this says nothing.
    pub fn or(self, other: Named) -> Named {
        if self == Named::Nothing { other } else { self }
    }
}

impl Shape {
    /// The same, for a file whose name says something; a name is believed unless the text is JSON.
    pub fn of_named(head: &[u8], named: Named) -> Shape {
        if columnar::is_parquet(head) {
            return Shape::Parquet;
        }
        let text = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
        match named {
            _ if matches!(text.first(), Some(b'{' | b'[')) => Shape::of(head),
            Named::Nothing | Named::Json => Shape::of(head),
            Named::Table => Shape::Table,
            Named::Yaml => Shape::Yaml,
        }
    }

    /// What a name would have to say for this shape.
    pub fn named(self) -> Named {
        match self {
            Shape::Table => Named::Table,
            Shape::Yaml => Named::Yaml,
            Shape::Lines | Shape::Array | Shape::Documents | Shape::Parquet => Named::Nothing,
        }
    }

    /// Told by the first bytes. Objects that go over lines leave their first line open, and their
    /// second line does not begin with another object, as the line behind a broken one would.
    pub fn of(head: &[u8]) -> Shape {
        if columnar::is_parquet(head) {
            return Shape::Parquet;
        }
        let head = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
        if head.first() == Some(&b'[') {
            return Shape::Array;
        }
        let Some(newline) = memchr::memchr(b'\n', head) else { return Shape::Lines };
        let (first, behind) = (&head[..newline], head[newline..].trim_ascii_start());
        let open = head.first() == Some(&b'{') && parse::depth(first).is_some_and(|depth| depth > 0);
        if open && behind.first().is_some_and(|&byte| byte != b'{') { Shape::Documents } else { Shape::Lines }
    }
}

/// The cutter for a stream of a shape, whose first byte lies at `start` (byte, line) of its source.
/// Parquet in a stream is a reject: it needs the file ([`columnar::rows`]).
pub fn cutter<'a>(
    input: Box<dyn Read + Send + 'a>,
    shape: Shape,
    start: (u64, u64),
    limits: &Limits,
    hasher: blake3::Hasher,
) -> Box<dyn Cutter + Send + 'a> {
    match shape {
        Shape::Lines => Box::new(Lines::new(input, start.0, start.1, limits.line_bytes, hasher)),
        Shape::Array => Box::new(Elements::new(input, start, limits.line_bytes, hasher, true)),
        Shape::Documents => Box::new(Elements::new(input, start, limits.line_bytes, hasher, false)),
        Shape::Table => Box::new(TableRows::new(input, limits.line_bytes, hasher)),
        Shape::Yaml => Box::new(YamlElements::new(input, start, limits.line_bytes, hasher)),
        Shape::Parquet => Box::new(columnar::Packed::new(input, hasher)),
    }
}

/// Version of all readers; part of the key of every redacted layer.
/// - 1: first release.
/// - 2: formats read from a tree.
/// - 3: archives, bzip2, xz, UTF-16.
/// - 4: placeholders of media with type, size and hash; who called, from where, tokens; script;
///   Parquet, YAML, packed entries; ranks; conversations that lie in several records.
/// - 5: recorded HTTP, streams of events, transcripts within records; the language of short texts.
/// - 6: a short question has the language of its answer.
/// - 7: a short question and its answer are told together.
pub const READER_VERSION: u32 = 7;

pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";
