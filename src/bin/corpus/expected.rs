//! What a correct pipeline must find in the corpus: `expected.json` and `canaries.txt`.
//!
//! Always: numbers are those counted while writing, not those planned, and the two must agree.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use crate::broken::REASONS;
use crate::canary::{KINDS, canary};
use crate::output::Tally;
use crate::words::Vocabulary;

#[derive(Serialize)]
pub struct Listed {
    pub path: String,
    pub format: &'static str,
    pub compression: &'static str,
    pub records: u64,
    pub bytes: u64,
    /// Bytes before compression.
    pub plain_bytes: u64,
}

#[derive(Serialize)]
pub struct Expected {
    pub seed: u64,
    pub rows_requested: u64,
    pub records_read: u64,
    pub kept_after_ingest: u64,
    pub rejected: BTreeMap<&'static str, u64>,
    pub blank_lines: u64,
    pub exact_duplicate: u64,
    pub near_duplicate: u64,
    pub superseded: u64,
    pub prompt_groups: u64,
    pub findings: BTreeMap<&'static str, u64>,
    pub files: Vec<Listed>,
}

impl Expected {
    pub fn new(seed: u64, rows_requested: u64, tally: &Tally, files: Vec<Listed>) -> Expected {
        Expected {
            seed,
            rows_requested,
            records_read: tally.records,
            kept_after_ingest: tally.records - tally.rejected.iter().sum::<u64>(),
            rejected: REASONS.into_iter().zip(tally.rejected).collect(),
            blank_lines: tally.blanks,
            exact_duplicate: tally.exact,
            near_duplicate: tally.near,
            superseded: tally.snapshots,
            prompt_groups: tally.prompt_groups,
            findings: KINDS.into_iter().zip(tally.findings).collect(),
            files,
        }
    }

    pub fn write(&self, dir: &Path) -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(dir.join("expected.json"))?);
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.flush()
    }
}

/// One line for each canary, in the order of their numbers.
pub fn write_canaries(dir: &Path, seed: u64, count: u64, words: &Vocabulary) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(dir.join("canaries.txt"))?);
    for n in 0..count {
        writeln!(file, "{}", canary(seed, n, words).needle)?;
    }
    file.flush()
}
