//! Whether everything that was committed is still there, byte for byte.
//!
//! Not here: what stands behind a row (`trace`); repairing, which nothing does: what is damaged
//! is made again from its inputs under the same key.
//!
//! Always: damage is counted, never fatal: one broken file does not hide the state of another.
//! A problem names the file and what is wrong with it, never what it holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::find::children;
use super::integrity::{differs, footer_rows, is_parquet, json, problem, walk};
use crate::error::{Error, Result};
use crate::layer::{Labels, Layer};
use crate::store::log::{Entry, Move};
use crate::store::release::{self, ReleaseManifest};
use crate::store::{Books, FileInfo, Manifest, Store, files, manifest};

/// What was looked at, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub checked_files: u64,
    pub checked_bytes: u64,
    pub log_entries: u64,
    pub problems: Vec<String>,
}

/// Checks the log and every folder, or the log and the releases of one dataset.
pub fn verify(store: &Store, dataset: Option<&str>) -> Result<Verified> {
    let mut check = Check { root: store.root(), listed: Vec::new(), done: Verified::default() };
    let committed = check.log(store)?;
    let mut folders = Vec::new();
    if dataset.is_none() {
        for layer in children(&store.root().join("layers"))? {
            folders.extend(children(&layer)?);
        }
        for handed in ["batches", Labels::NAME] {
            folders.extend(children(&store.root().join(handed))?);
        }
    }
    folders.iter().for_each(|folder| check.folder(folder));
    for evidence in check.evidence(dataset)? {
        check.release(store, &evidence);
        folders.push(evidence);
    }
    for name in children(&store.root().join("datasets"))? {
        let wanted = dataset.is_none_or(|wanted| name.file_name().is_some_and(|name| name == wanted));
        folders.extend(if wanted { children(&name)? } else { Vec::new() });
    }
    check.uncommitted(&folders, &committed);
    check.read_listed();
    check.done.problems.sort();
    Ok(check.done)
}

struct Check<'s> {
    root: &'s Path,
    /// What manifests list: the file and how it was.
    listed: Vec<(PathBuf, FileInfo)>,
    done: Verified,
}

impl Check<'_> {
    fn problem(&mut self, path: &Path, what: impl std::fmt::Display) {
        let below = path.strip_prefix(self.root).unwrap_or(path);
        self.done.problems.push(format!("{}: {what}", below.display()));
    }

    /// Checks the chain and what each entry committed; gives the places that were committed.
    fn log(&mut self, store: &Store) -> Result<BTreeSet<PathBuf>> {
        match store.log().entries() {
            Ok(_) => {}
            Err(Error::Damaged { place, what }) => self.problem(Path::new(&place), what),
            Err(Error::Io { path, what }) => self.problem(Path::new(&path), what),
            Err(other) => return Err(other),
        }
        let mut committed = BTreeSet::new();
        for file in children(&self.root.join("log"))? {
            if file.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            self.done.log_entries += 1;
            // An entry that cannot be read has already broken the chain.
            if let Ok(entry) = json::<Entry>(&file) {
                for step in &entry.moves {
                    committed.insert(self.root.join(&step.to));
                    self.step(&file, step);
                }
            }
        }
        Ok(committed)
    }

    fn step(&mut self, entry: &Path, step: &Move) {
        let target = self.root.join(&step.to);
        let by = entry.file_name().unwrap_or_default().to_string_lossy();
        if !target.is_dir() {
            return self.problem(&target, format!("is missing; log entry {by} committed it"));
        }
        let (Some(recorded), file) = (&step.manifest_blake3, target.join(manifest::FILE)) else { return };
        match files::blake3_hex(&file) {
            Ok(found) if found == *recorded => {
                self.done.checked_files += 1;
                self.done.checked_bytes += fs::metadata(&file).map(|about| about.len()).unwrap_or_default();
            }
            Ok(_) => self.problem(&file, format!("is not what log entry {by} committed")),
            // A folder reports its missing manifest itself.
            Err(_) if !file.exists() => self.problem(&file, format!("is missing; log entry {by} committed it")),
            Err(err) => self.problem(&file, problem(&err)),
        }
    }

    /// A layer or a batch.
    fn folder(&mut self, folder: &Path) {
        let file = folder.join(manifest::FILE);
        // The log says whether there must be one.
        if !file.exists() {
            return;
        }
        match json::<Manifest>(&file) {
            Ok(manifest) => {
                self.books(&file, &manifest.books);
                self.listed.extend(manifest.files.into_iter().map(|info| (folder.join(&info.path), info)));
            }
            Err(what) => self.problem(&file, what),
        }
    }

    fn books(&mut self, file: &Path, books: &Books) {
        if books.answered() != books.records_read {
            let what =
                format!("books do not balance: {} records read, {} answered for", books.records_read, books.answered());
            self.problem(file, what);
        }
    }

    /// Evidence folders of the releases to check.
    fn evidence(&mut self, dataset: Option<&str>) -> Result<Vec<PathBuf>> {
        let all = children(&self.root.join("evidence"))?;
        let Some(wanted) = dataset else {
            return Ok(all.iter().map(|name| children(name)).collect::<Result<Vec<_>>>()?.concat());
        };
        let found = all.iter().find(|name| name.file_name().is_some_and(|name| name == wanted));
        let found =
            found.ok_or_else(|| Error::Usage("no release of a dataset of this name is in the store".to_owned()))?;
        children(found)
    }

    fn release(&mut self, store: &Store, evidence: &Path) {
        let file = evidence.join(manifest::FILE);
        let release = match json::<ReleaseManifest>(&file) {
            Ok(release) => release,
            Err(what) => return self.problem(&file, what),
        };
        let name = |up: usize| {
            evidence.ancestors().nth(up).and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned())
        };
        if (name(1), name(0)) != (Some(release.dataset.clone()), Some(format!("v{:04}", release.version))) {
            return self.problem(&file, "names another release than the one whose folder it lies in");
        }
        self.books(&file, &release.books);
        let data = release::data_dir(store, &release.dataset, release.version);
        self.rows(&file, &data, &release);
        self.nothing_else(&data, &release);
        let data = release.files.into_iter().map(|info| (data.join(&info.path), info));
        let evidence = release.evidence_files.into_iter().map(|info| (evidence.join(&info.path), info));
        self.listed.extend(data.chain(evidence));
    }

    /// The release, its files and its splits must speak of the same rows.
    fn rows(&mut self, file: &Path, data: &Path, release: &ReleaseManifest) {
        let splits: u64 = release.splits.values().sum();
        if splits != release.rows {
            self.problem(file, format!("{} rows, but {splits} in its splits", release.rows));
        }
        let parquet = release.files.iter().filter(|info| is_parquet(&info.path));
        // A file that cannot be read is named when its bytes are checked.
        let footers: Option<Vec<u64>> = parquet.map(|info| footer_rows(&data.join(&info.path))).collect();
        if let Some(rows) = footers.map(|rows| rows.iter().sum::<u64>())
            && rows != release.rows
        {
            self.problem(file, format!("{} rows, but its Parquet files hold {rows}", release.rows));
        }
    }

    /// Readers take whatever lies under `data/` for rows of the release.
    fn nothing_else(&mut self, data: &Path, release: &ReleaseManifest) {
        let listed: BTreeSet<PathBuf> = release.files.iter().map(|info| data.join(&info.path)).collect();
        for path in walk(data) {
            if !listed.contains(&path) {
                self.problem(&path, "is not part of the release");
            } else if path.starts_with(data.join("data")) && !is_parquet(&path.to_string_lossy()) {
                self.problem(&path, "is no Parquet file, but lies under data/");
            }
        }
    }

    fn uncommitted(&mut self, folders: &[PathBuf], committed: &BTreeSet<PathBuf>) {
        for folder in folders.iter().filter(|folder| !committed.contains(*folder)) {
            self.problem(folder, "is in place, but no log entry committed it");
        }
    }

    fn read_listed(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        let found: Vec<Option<String>> = listed.par_iter().map(|(path, info)| differs(path, info)).collect();
        for ((path, info), what) in listed.iter().zip(found) {
            self.done.checked_files += 1;
            self.done.checked_bytes += info.bytes;
            if let Some(what) = what {
                self.problem(path, what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Lab;
    use super::*;

    fn problems(lab: &Lab, dataset: Option<&str>) -> Vec<String> {
        verify(&Store::read(&lab.root()).unwrap(), dataset).unwrap().problems
    }

    const ROWS: &str = "datasets/chat/v0001/data/train-00000-of-00001.parquet";

    fn flip(file: &Path) {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 3;
        bytes[middle] ^= 1;
        fs::write(file, bytes).unwrap();
    }

    #[test]
    fn a_whole_store_has_no_problems() {
        let lab = Lab::new();
        let got = verify(&Store::read(&lab.root()).unwrap(), None).unwrap();
        assert_eq!(got.problems, Vec::<String>::new());
        assert_eq!((got.log_entries, got.checked_files), (8, 20));
        assert!(got.checked_bytes > 1000);
        assert_eq!(problems(&lab, Some("chat")), Vec::<String>::new());
        assert!(matches!(verify(&Store::read(&lab.root()).unwrap(), Some("no")), Err(Error::Usage(_))));
    }

    #[test]
    fn every_kind_of_damage_is_named_and_none_hides_another() {
        let lab = Lab::new();
        flip(&lab.root().join(ROWS));
        flip(&lab.root().join("labels/k1/annotations.jsonl"));
        fs::remove_file(lab.root().join("layers/deduped/d1/decisions.parquet")).unwrap();
        fs::write(lab.root().join("datasets/chat/v0001/data/extra.parquet"), b"x").unwrap();
        fs::remove_dir_all(lab.root().join("layers/sampled/s1")).unwrap();
        let got = problems(&lab, None);
        let starts = [
            "datasets/chat/v0001/data/extra.parquet: is not part of the release",
            "datasets/chat/v0001/data/train-00000-of-00001.parquet: has other bytes",
            "labels/k1/annotations.jsonl: has other bytes",
            "layers/deduped/d1/decisions.parquet: is missing",
            "layers/sampled/s1: is missing; log entry 000000000004.json committed it",
        ];
        assert_eq!(got.len(), starts.len(), "{got:?}");
        assert!(got.iter().zip(starts).all(|(problem, start)| problem.starts_with(start)), "{got:?}");
        // Layers are not the dataset's, its rows and what the log committed are.
        assert_eq!(problems(&lab, Some("chat")).len(), 3);
    }

    #[test]
    fn changed_manifests_and_folders_from_elsewhere_are_found() {
        let lab = Lab::new();
        let manifest = lab.root().join("evidence/chat/v0001/manifest.json");
        let text = fs::read_to_string(&manifest).unwrap();
        fs::write(&manifest, text.replacen("\"rows\": 1,", "\"rows\": 2,", 1)).unwrap();
        fs::create_dir(lab.root().join("layers/redacted/planted")).unwrap();
        let books = lab.root().join("layers/redacted/ra/manifest.json");
        let text = fs::read_to_string(&books).unwrap();
        fs::write(&books, text.replace("\"records_read\": 2", "\"records_read\": 3")).unwrap();
        let got = problems(&lab, None);
        for part in [
            "evidence/chat/v0001/manifest.json: is not what log entry 000000000008.json committed",
            "evidence/chat/v0001/manifest.json: 2 rows, but its Parquet files hold 1",
            "evidence/chat/v0001/manifest.json: 2 rows, but 1 in its splits",
            "layers/redacted/planted: is in place, but no log entry committed it",
            "layers/redacted/ra/manifest.json: books do not balance: 3 records read, 2 answered for",
        ] {
            assert!(got.iter().any(|problem| problem == part), "{part}: {got:?}");
        }
    }

    #[test]
    fn a_broken_log_does_not_stop_the_check() {
        let lab = Lab::new();
        let entry = lab.root().join("log/000000000002.json");
        let text = fs::read_to_string(&entry).unwrap().replace("\"run_id\": \"r\"", "\"run_id\": \"s\"");
        fs::write(&entry, text).unwrap();
        flip(&lab.root().join(ROWS));
        let got = problems(&lab, None);
        assert_eq!(got.len(), 2, "{got:?}");
        assert!(got[1].starts_with("log/000000000003.json: the hash chain"), "{got:?}");
    }
}
