//! Everything that can end a run, and the exit code it ends with.
//!
//! Always: a message names file, line, byte, key or id and what to do; it never quotes a
//! conversation (law 10). Engine errors can quote values, so they pass through [`Error::engine`],
//! which keeps the kind and drops the text.

use std::path::{Path, PathBuf};

pub type Result<T> = std::result::Result<T, Error>;

/// One table for the whole program; documented in `--help` and the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Usage = 2,
    GateRefused = 10,
    Integrity = 11,
    TooManyRejects = 12,
    StoreInUse = 20,
    Io = 21,
    Interrupted = 130,
    Terminated = 143,
}

#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{file}: {what}")]
    Config { file: String, what: String },
    #[error("{0}")]
    Usage(String),
    #[error("{gate}: refused: {why}")]
    Gate { gate: String, why: String },
    #[error("{stage}: books do not balance: {rows_in} rows in, {answered} answered for, {distinct} distinct ids")]
    Unbalanced { stage: String, rows_in: u64, answered: u64, distinct: u64 },
    #[error("{place}: damaged: {what}")]
    Damaged { place: String, what: String },
    #[error(
        "ingest: {rejected} of {records} records rejected ({share:.1} %), above [ingest] max_reject_share; \
         most: {most}. Nothing was committed"
    )]
    TooManyRejects { rejected: u64, records: u64, share: f64, most: String },
    #[error("{store}: in use by {holder}; wait for it or end it, then run again")]
    StoreInUse { store: String, holder: String },
    #[error("{path}: {what}")]
    Io { path: String, what: String },
    #[error("{stage}: the engine failed: {kind}")]
    Engine { stage: String, kind: String },
    #[error("{stage}: an executor of the cluster was lost; run again, what is committed stands")]
    ExecutorLost { stage: String },
    #[error("stopped by signal {0}; nothing half-done is visible, run again to go on")]
    Signal(i32),
}

/// Arrow errors can quote values; only the name of their variant goes out.
pub fn arrow_kind(err: &arrow::error::ArrowError) -> String {
    let text = format!("{err:?}");
    text.split(['(', ' ', '{']).next().unwrap_or("arrow").to_owned()
}

impl Error {
    pub fn config(file: impl AsRef<Path>, what: impl Into<String>) -> Error {
        Error::Config { file: file.as_ref().display().to_string(), what: what.into() }
    }

    pub fn io(path: impl Into<PathBuf>, err: &std::io::Error) -> Error {
        let hint = match err.kind() {
            std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
                "; make it writable or choose another --store"
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                "; free some space and run again, nothing was published"
            }
            _ => "",
        };
        Error::Io { path: path.into().display().to_string(), what: format!("{err}{hint}") }
    }

    /// A source cannot be opened or read; nothing of ours is at fault.
    pub fn reading(source: impl std::fmt::Display, err: &std::io::Error) -> Error {
        Error::Io { path: source.to_string(), what: err.to_string() }
    }

    pub fn damaged(place: impl Into<String>, what: impl Into<String>) -> Error {
        Error::Damaged { place: place.into(), what: what.into() }
    }

    /// Keeps the kind of an engine error and drops its message: a failed cast quotes the value.
    pub fn engine(stage: &str, err: &datafusion::error::DataFusionError) -> Error {
        use datafusion::error::DataFusionError as E;
        #[cfg(feature = "cluster")]
        if crate::engine::cluster::is_worth_retrying(err) {
            return Error::ExecutorLost { stage: stage.to_owned() };
        }
        // One of ours that came through the engine.
        if let E::External(outer) = err.find_root()
            && let Some(own) = outer.downcast_ref::<Error>()
        {
            return own.clone();
        }
        let kind = match err.find_root() {
            E::ResourcesExhausted(_) => "out of memory; raise --memory-limit or use fewer --threads".to_owned(),
            E::IoError(io) => format!("input or output: {}", io.kind()),
            E::ObjectStore(_) => "object store".to_owned(),
            E::ParquetError(_) => "a Parquet file cannot be read".to_owned(),
            E::SchemaError(..) => "columns do not fit".to_owned(),
            E::SQL(..) => "SQL cannot be parsed".to_owned(),
            E::Plan(_) => "plan cannot be made".to_owned(),
            E::NotImplemented(_) => "not supported".to_owned(),
            E::ArrowError(arrow, _) => format!("values do not fit their type ({})", arrow_kind(arrow)),
            E::External(_) => "external".to_owned(),
            _ => "internal".to_owned(),
        };
        Error::Engine { stage: stage.to_owned(), kind }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Error::Config { .. } | Error::Usage(_) => Exit::Usage,
            Error::Gate { .. } => Exit::GateRefused,
            Error::Unbalanced { .. } | Error::Damaged { .. } => Exit::Integrity,
            Error::TooManyRejects { .. } => Exit::TooManyRejects,
            Error::StoreInUse { .. } => Exit::StoreInUse,
            Error::Io { .. } | Error::Engine { .. } | Error::ExecutorLost { .. } => Exit::Io,
            Error::Signal(2) => Exit::Interrupted,
            Error::Signal(_) => Exit::Terminated,
        }
    }
}
