//! The commit log: one file an entry, append-only, each holding the hash of the one before.
//!
//! Always: an entry is put only if its number is free, so two writers cannot both win; a changed
//! or missing entry breaks the chain and is found.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{files, to_json};
use crate::error::{Error, Result};

/// What an entry commits, and how its folders get into place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub moves: Vec<Move>,
    pub event: Event,
}

/// A folder's way from staging into place; both below the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    pub from: String,
    pub to: String,
    pub manifest_blake3: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    Layers { run_id: String, stage: String },
    Batch { run_id: String, batch_id: String },
    Labels { labels_key: String },
    Release { run_id: String, dataset: String, version: u32, key: String },
}

#[derive(Serialize, Deserialize)]
struct Written {
    number: u64,
    /// BLAKE3 of the entry before, as a file; zeros for the first.
    previous_blake3: String,
    #[serde(flatten)]
    entry: Entry,
}

pub struct Log {
    dir: PathBuf,
    /// Number and file hash of the newest entry.
    head: (u64, String),
}

impl Log {
    pub fn open(dir: &Path) -> Result<Log> {
        fs::create_dir_all(dir).map_err(|err| Error::io(dir, &err))?;
        let mut log = Log { dir: dir.to_path_buf(), head: (0, "0".repeat(64)) };
        if let Some(number) = log.numbers()?.pop() {
            log.head = (number, files::blake3_hex(&log.file(number))?);
        }
        Ok(log)
    }

    fn file(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{number:012}.json"))
    }

    fn numbers(&self) -> Result<Vec<u64>> {
        let failed = |err: std::io::Error| Error::io(&self.dir, &err);
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            numbers.extend(name.to_string_lossy().strip_suffix(".json").and_then(|stem| stem.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn read(&self, number: u64) -> Result<Written> {
        let path = self.file(number);
        let bytes = fs::read(&path).map_err(|err| Error::io(&path, &err))?;
        serde_json::from_slice(&bytes)
            .map_err(|err| Error::damaged(path.display().to_string(), format!("line {}", err.line())))
    }

    pub fn last(&self) -> Result<Option<Entry>> {
        if self.head.0 == 0 { Ok(None) } else { self.read(self.head.0).map(|written| Some(written.entry)) }
    }

    /// All entries in order, the chain checked on the way.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut previous = "0".repeat(64);
        for (i, number) in self.numbers()?.into_iter().enumerate() {
            let path = self.file(number).display().to_string();
            if number != i as u64 + 1 {
                return Err(Error::damaged(path, format!("log entry {} is missing", i + 1)));
            }
            let written = self.read(number)?;
            if written.previous_blake3 != previous || written.number != number {
                return Err(Error::damaged(path, "the hash chain of the log is broken here"));
            }
            previous = files::blake3_hex(&self.file(number))?;
            entries.push(written.entry);
        }
        Ok(entries)
    }

    pub fn append(&mut self, entry: Entry) -> Result<()> {
        let number = self.head.0 + 1;
        let path = self.file(number);
        let bytes = to_json(&Written { number, previous_blake3: self.head.1.clone(), entry })?;
        if !files::put_if_absent(&path, &bytes)? {
            return Err(Error::StoreInUse {
                store: self.dir.display().to_string(),
                holder: "a writer on another machine".to_owned(),
            });
        }
        self.head = (number, blake3::hash(&bytes).to_hex().to_string());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u32) -> Entry {
        Entry {
            moves: Vec::new(),
            event: Event::Release { run_id: "r".into(), dataset: "d".into(), version: n, key: "k".into() },
        }
    }

    #[test]
    fn the_chain_holds_and_a_changed_entry_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::open(folder.path()).unwrap();
        for n in 1..4 {
            log.append(entry(n)).unwrap();
        }
        let log = Log::open(folder.path()).unwrap();
        assert_eq!(log.entries().unwrap(), [entry(1), entry(2), entry(3)]);
        let second = log.file(2);
        let changed = fs::read_to_string(&second).unwrap().replace("\"d\"", "\"e\"");
        fs::write(&second, changed).unwrap();
        assert!(matches!(log.entries(), Err(Error::Damaged { .. })));
        fs::remove_file(second).unwrap();
        assert!(matches!(log.entries(), Err(Error::Damaged { .. })));
    }

    #[test]
    fn a_number_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let (mut one, mut two) = (Log::open(folder.path()).unwrap(), Log::open(folder.path()).unwrap());
        one.append(entry(1)).unwrap();
        assert!(matches!(two.append(entry(2)), Err(Error::StoreInUse { .. })));
        assert_eq!(one.entries().unwrap(), [entry(1)]);
    }
}
