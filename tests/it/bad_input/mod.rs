//! Bad input is an answer, not a crash: the right exit code, one clear message, nothing lost, the
//! last release whole.

mod config;
mod labels;
mod records;
mod store;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::help::*;

/// A store with two releases, made once and copied for each test.
struct Lab {
    folder: TempDir,
    before: BTreeMap<String, String>,
}

impl Lab {
    fn new() -> Lab {
        static MADE: OnceLock<TempDir> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let pipeline = write(&folder.path().join("good.toml"), pipeline("good", &good()) + FROM_LOGS);
            run(&pipeline, &folder.path().join("store"), &[]).expect(0);
            folder
        });
        let folder = tempfile::tempdir().unwrap();
        let from = made.path().join("store");
        for path in files(&from) {
            let to = folder.path().join("store").join(relative(&path, &from));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&path, to).unwrap();
        }
        let before = release_hashes(&folder.path().join("store"));
        Lab { folder, before }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// The good sources and one more; `more` sections follow.
    fn pipeline(&self, bad: &Path, more: &str) -> PathBuf {
        let mut sources = good();
        sources.push((bad.to_path_buf(), ""));
        write(&self.path("bad.toml"), pipeline("good", &sources) + more)
    }

    /// Releases that were there before are as they were.
    fn still_whole(&self) {
        let now = release_hashes(&self.store());
        for (path, hash) in &self.before {
            assert_eq!(now.get(path), Some(hash), "{path}");
        }
        verify(&self.store());
    }

    /// A command that must stop: code, message, nothing committed, releases whole.
    fn stops(&self, pipeline: &Path, code: i32, told: &[&str]) {
        let entries = log_entries(&self.store());
        run(pipeline, &self.store(), &[]).expect(code).tells(told);
        assert_eq!(log_entries(&self.store()), entries, "nothing was committed");
        assert_eq!(release_hashes(&self.store()), self.before);
        self.still_whole();
    }
}

/// Records in the good sources: conversations, and both sides of 30 pairs.
const GOOD: u64 = 114 + 60;

fn good() -> Vec<(PathBuf, &'static str)> {
    vec![(fixture("raw/chat-widget.json"), "sharegpt"), (fixture("raw/preferences.jsonl"), "hh")]
}
