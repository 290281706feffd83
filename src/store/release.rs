//! Releases: where a published dataset lies, and its manifest.
//!
//! Always: under `datasets/<name>/vNNNN/data/` there is nothing but this release's Parquet files;
//! all that is said about them stands in `evidence/<name>/vNNNN/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::manifest::{Books, FILE, FileInfo};
use super::{Store, files, to_json};
use crate::error::{Error, Result};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleaseManifest {
    pub dataset: String,
    pub version: u32,
    pub key: String,
    /// `sft` or `preference`.
    pub kind: String,
    pub pipeline: String,
    pub gristmill_version: String,
    pub rows: u64,
    pub splits: BTreeMap<String, u64>,
    /// Below the release's folder, with SHA-256.
    pub files: Vec<FileInfo>,
    /// Below the evidence folder.
    pub evidence_files: Vec<FileInfo>,
    /// Keys of the layers it was made from.
    pub inputs: Vec<String>,
    pub settings: serde_json::Value,
    pub books: Books,
    /// What the gate checked before it was published, and what became of canaries.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub r#type: String,
}

/// `v0001`.
pub fn version_name(version: u32) -> String {
    format!("v{version:04}")
}

pub fn data_dir(store: &Store, dataset: &str, version: u32) -> PathBuf {
    store.root().join("datasets").join(dataset).join(version_name(version))
}

pub fn evidence_dir(store: &Store, dataset: &str, version: u32) -> PathBuf {
    store.root().join("evidence").join(dataset).join(version_name(version))
}

impl ReleaseManifest {
    pub fn write(&self, folder: &std::path::Path) -> Result<()> {
        files::write_whole(&folder.join(FILE), &to_json(self)?)
    }
}

/// Every release of the store, by dataset and version.
pub fn list(store: &Store) -> Result<Vec<ReleaseManifest>> {
    let mut releases = Vec::new();
    for dataset in names(&store.root().join("evidence"))? {
        for version in versions(store, &dataset)? {
            releases.push(read(store, &dataset, Some(version))?);
        }
    }
    Ok(releases)
}

/// One release; without a version the newest.
pub fn read(store: &Store, dataset: &str, version: Option<u32>) -> Result<ReleaseManifest> {
    let none = || {
        Error::Usage(format!("{dataset}: no such release in {}; see `gristmill datasets list`", store.root().display()))
    };
    let version = match version {
        Some(version) => version,
        None => versions(store, dataset)?.pop().ok_or_else(none)?,
    };
    let file = evidence_dir(store, dataset, version).join(FILE);
    let bytes = fs::read(&file)
        .map_err(|err| if err.kind() == std::io::ErrorKind::NotFound { none() } else { Error::io(&file, &err) })?;
    serde_json::from_slice(&bytes)
        .map_err(|err| Error::damaged(file.display().to_string(), format!("line {}", err.line())))
}

pub fn newest(store: &Store, dataset: &str) -> Result<Option<ReleaseManifest>> {
    match versions(store, dataset)?.pop() {
        Some(version) => read(store, dataset, Some(version)).map(Some),
        None => Ok(None),
    }
}

/// SHA-256 of a release's manifest.
pub fn manifest_sha256(store: &Store, dataset: &str, version: u32) -> Result<String> {
    files::sha256_hex(&evidence_dir(store, dataset, version).join(FILE))
}

fn versions(store: &Store, dataset: &str) -> Result<Vec<u32>> {
    let names = names(&store.root().join("evidence").join(dataset))?;
    let mut versions: Vec<u32> = names.iter().filter_map(|name| name.strip_prefix('v')?.parse().ok()).collect();
    versions.sort_unstable();
    Ok(versions)
}

fn names(dir: &std::path::Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(names),
        Err(err) => return Err(Error::io(dir, &err)),
    };
    for entry in entries {
        names.push(entry.map_err(|err| Error::io(dir, &err))?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
