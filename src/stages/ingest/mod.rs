//! Reads raw logs: bytes in, conversations or rejects out, in the order of the file.
//!
//! Not here: opening files and splitting them among cores (`engine::scan`), redaction. What this
//! module yields is raw; only the scan, which redacts it at once, may hold it.
//!
//! Always: every record gets an answer, a conversation or a reject with a reason and a place;
//! places are equal however the file was split or buffered.

pub mod decode;
mod elements;
mod hh;
pub mod language;
mod lines;
mod openai;
mod parse;
mod sharegpt;

use std::io::Read;

pub use elements::Elements;
pub use lines::Lines;
pub use parse::parse;

use crate::config::{Format, Limits};
use crate::record::Place;

/// Why a record could not be read. The names are part of the reject table's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The compressed stream ends early or is broken; all before it was read.
    DamagedCompression,
    /// The file is a git-LFS pointer, not the data.
    LfsPointer,
    /// The file cannot be read to its end.
    Unreadable,
    LineTooLong,
    InvalidUtf8,
    NulByte,
    InvalidJson,
    TooDeep,
    DuplicateKey,
    /// JSON, but not one of the known shapes, or not the one the pipeline names.
    BadShape,
    NoMessages,
    TooManyMessages,
    MissingRole,
    UnknownRole,
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::DamagedCompression => "damaged_compression",
            Reason::LfsPointer => "lfs_pointer",
            Reason::Unreadable => "unreadable",
            Reason::LineTooLong => "line_too_long",
            Reason::InvalidUtf8 => "invalid_utf8",
            Reason::NulByte => "nul_byte",
            Reason::InvalidJson => "invalid_json",
            Reason::TooDeep => "too_deep",
            Reason::DuplicateKey => "duplicate_key",
            Reason::BadShape => "bad_shape",
            Reason::NoMessages => "no_messages",
            Reason::TooManyMessages => "too_many_messages",
            Reason::MissingRole => "missing_role",
            Reason::UnknownRole => "unknown_role",
        }
    }

    const ALL: [Reason; 14] = [
        Reason::DamagedCompression,
        Reason::LfsPointer,
        Reason::Unreadable,
        Reason::LineTooLong,
        Reason::InvalidUtf8,
        Reason::NulByte,
        Reason::InvalidJson,
        Reason::TooDeep,
        Reason::DuplicateKey,
        Reason::BadShape,
        Reason::NoMessages,
        Reason::TooManyMessages,
        Reason::MissingRole,
        Reason::UnknownRole,
    ];

    /// What a person can do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Reason::DamagedCompression => "the compressed stream breaks off; copy the file again from where it came",
            Reason::LfsPointer => "a git-LFS pointer stands in place of the file; fetch it with `git lfs pull`",
            Reason::Unreadable => "reading failed half-way; look at the disk or mount",
            Reason::LineTooLong => "raise ingest.limits.line_bytes if such records are wanted",
            Reason::InvalidUtf8 => "not UTF-8; convert it, or ask the writer of the log",
            Reason::NulByte => "holds a NUL byte; the file may be damaged, or UTF-16",
            Reason::InvalidJson => "not one whole JSON value; the writer may have been cut off",
            Reason::TooDeep => "raise ingest.limits.nesting_depth if such records are wanted",
            Reason::DuplicateKey => "one key twice in one object: which value counts is not said",
            Reason::BadShape => "none of the known formats; name the source's format or messages_key",
            Reason::NoMessages => "nobody says anything in it",
            Reason::TooManyMessages => "raise ingest.limits.messages if such records are wanted",
            Reason::MissingRole => "a message without a role",
            Reason::UnknownRole => "a role that is not system, user, assistant or tool, nor a known name of one",
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
    pub limits: Limits,
}

/// One raw stretch of a source: a line, or an element of a top-level JSON array.
pub struct Raw<'a> {
    pub place: Place,
    /// The bytes, or why there are none.
    pub bytes: Result<&'a [u8], Reason>,
    /// Hash of the bytes where they were too many to keep; keyed like a record hash.
    pub hash: Option<blake3::Hash>,
}

/// Cuts a stream into raw records, one at a time, in bounded memory.
pub trait Cutter {
    /// The next record, or nothing at the end. Blank lines are not records.
    fn next(&mut self) -> Option<Raw<'_>>;
}

/// Whether a stream is a JSON array or lines, told by its first byte that says something.
pub fn is_array(head: &[u8]) -> bool {
    let head = head.strip_prefix(BOM).unwrap_or(head);
    head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

/// The cutter for a stream whose first bytes are `head` (not consumed).
pub fn cutter<'a>(
    input: Box<dyn Read + Send + 'a>,
    array: bool,
    start: (u64, u64),
    limits: &Limits,
    hasher: blake3::Hasher,
) -> Box<dyn Cutter + Send + 'a> {
    if array {
        Box::new(Elements::new(input, limits.line_bytes, hasher))
    } else {
        Box::new(Lines::new(input, start.0, start.1, limits.line_bytes, hasher))
    }
}

/// Version of all readers; part of the key of every redacted layer.
/// - 1: first release.
pub const READER_VERSION: u32 = 1;

pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";
