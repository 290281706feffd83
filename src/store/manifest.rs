//! What a folder holds and what made it, and the books of the rows that went in.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{files, to_json};
use crate::error::{Error, Result};

pub const FILE: &str = "manifest.json";

/// How every record read was answered for (law 1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    pub records_read: u64,
    pub kept: u64,
    pub folded: u64,
    pub dropped: BTreeMap<String, u64>,
    pub rejected: BTreeMap<String, u64>,
    /// Bytes of input that these records came from.
    pub bytes: u64,
}

impl Books {
    pub fn answered(&self) -> u64 {
        self.kept + self.folded + self.dropped.values().sum::<u64>() + self.rejected.values().sum::<u64>()
    }

    pub fn rejects(&self) -> u64 {
        self.rejected.values().sum()
    }

    pub fn drops(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// `records_read` must come from the input, not from what was answered.
    pub fn balance(&self, stage: &str, distinct: u64) -> Result<()> {
        if self.answered() == self.records_read && distinct == self.records_read {
            return Ok(());
        }
        let (rows_in, answered) = (self.records_read, self.answered());
        Err(Error::Unbalanced { stage: stage.to_owned(), rows_in, answered, distinct })
    }

    pub fn add(&mut self, other: &Books) {
        self.records_read += other.records_read;
        self.kept += other.kept;
        self.folded += other.folded;
        self.bytes += other.bytes;
        for (sum, part) in [(&mut self.dropped, &other.dropped), (&mut self.rejected, &other.rejected)] {
            for (reason, n) in part {
                *sum.entry(reason.clone()).or_default() += n;
            }
        }
    }
}

/// A file, and how to tell whether it is still the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Below the folder of the manifest.
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    pub blake3: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub layer: String,
    pub layer_version: u32,
    pub key: String,
    /// Keys of the folders this one was made from, or ids of sources.
    pub inputs: Vec<String>,
    /// Stage settings that went into the key.
    pub settings: serde_json::Value,
    pub books: Books,
    /// Further counts: findings by type, skipped pairs and the like.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
    pub files: Vec<FileInfo>,
}

impl Manifest {
    pub fn read(file: &Path) -> Result<Manifest> {
        let bytes = fs::read(file).map_err(|err| Error::io(file, &err))?;
        serde_json::from_slice(&bytes)
            .map_err(|err| Error::damaged(file.display().to_string(), format!("line {}", err.line())))
    }

    pub fn write(&self, folder: &Path) -> Result<()> {
        files::write_whole(&folder.join(FILE), &to_json(self)?)
    }

    /// Files of one table: `part`, `findings`, `rejects`, …
    pub fn table<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a FileInfo> {
        self.files.iter().filter(move |file| file.path.starts_with(table))
    }
}

/// A content key: the same parts give the same key, and only they do.
pub fn key(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    crate::record::Id::of(hasher.finalize()).to_string()
}
