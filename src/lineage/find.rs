//! Reads what layers, batches and releases say about ids.
//!
//! Not here: how the answers are put together (`trace`), how files are searched (`scan`).
//!
//! Always: of several folders of a layer the one committed last speaks first.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::facts::{Evidence, FindingCount, Like, Place, Standing};
use super::known::Name;
use super::scan::{self, Found, Ids};
use crate::error::{Error, Result};
use crate::layer::{Layer, Redacted};
use crate::store::{Manifest, Store, manifest};

/// Folders and files below `folder`, by name; none if it does not exist.
pub fn children(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |err: std::io::Error| Error::io(folder, &err);
    let read = match fs::read_dir(folder) {
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(failed)?,
    };
    let mut paths = read.map(|entry| Ok(entry.map_err(failed)?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Parquet files of one table in one folder.
pub fn tables(folder: &Path, table: &str) -> Result<Vec<PathBuf>> {
    let named = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with(table) && name.ends_with(".parquet")
    };
    Ok(children(folder)?.into_iter().filter(named).collect())
}

/// Folders that the log committed to each layer, the newest first.
pub struct Folders(BTreeMap<String, Vec<PathBuf>>);

impl Folders {
    pub fn of(store: &Store) -> Result<Folders> {
        let mut layers: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for step in store.log().entries()?.into_iter().rev().flat_map(|entry| entry.moves) {
            let folder = store.root().join(&step.to);
            if let Some((layer, _)) = step.to.strip_prefix("layers/").and_then(|rest| rest.split_once('/'))
                && folder.is_dir()
            {
                layers.entry(layer.to_owned()).or_default().push(folder);
            }
        }
        Ok(Folders(layers))
    }

    pub fn layer(&self, name: &str) -> &[PathBuf] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    pub fn files(&self, layer: &str, table: &str) -> Result<Vec<PathBuf>> {
        Ok(self.layer(layer).iter().map(|folder| tables(folder, table)).collect::<Result<Vec<_>>>()?.concat())
    }
}

/// A row of a release's lineage.
#[derive(Clone, Debug, PartialEq)]
pub struct Released {
    pub standing: Standing,
    pub place: Place,
    pub task_id: Option<String>,
}

const PLACE: [&str; 6] = ["source_id", "start_byte", "end_byte", "line", "element", "record_hash"];

fn place(found: &Found, row: usize, source: String) -> Result<Place> {
    Ok(Place {
        source,
        source_id: found.text("source_id", row)?,
        line: found.number("line", row)?,
        element: found.number("element", row)?,
        start_byte: found.number("start_byte", row)?,
        end_byte: found.number("end_byte", row)?,
        record_hash: found.text("record_hash", row)?,
    })
}

/// Rows of releases behind which one of `ids` stands, under any of `keys`.
pub fn released(store: &Store, keys: &[&str], ids: &Ids) -> Result<Vec<Released>> {
    let mut files = Vec::new();
    for dataset in children(&store.root().join("evidence"))? {
        for version in children(&dataset)? {
            files.extend(tables(&version.join("lineage"), "")?);
        }
    }
    let columns =
        [&["row_id", "split", "row", "part", "conversation_id", "record_id", "source", "task_id"], &PLACE[..]].concat();
    let mut released = Vec::new();
    for found in scan::rows(&files, keys, ids, &columns)? {
        let (dataset, version) = version_of(&found.file)?;
        for row in found.rows() {
            let standing = Standing {
                dataset: dataset.clone(),
                version,
                split: found.text("split", row)?,
                row: found.number("row", row)?,
                row_id: found.text("row_id", row)?,
                part: found.text("part", row)?,
                conversation_id: found.text("conversation_id", row)?,
                record_id: found.text("record_id", row)?,
                through_winner: false,
            };
            let place = place(&found, row, found.text("source", row)?)?;
            released.push(Released { standing, place, task_id: found.maybe("task_id", row)? });
        }
    }
    Ok(released)
}

/// `evidence/<dataset>/v<N>/lineage/<file>`.
fn version_of(file: &Path) -> Result<(String, u32)> {
    let name =
        |up: usize| file.ancestors().nth(up).and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let version = name(2).and_then(|name| name.strip_prefix('v')?.parse().ok());
    match (name(3), version) {
        (Some(dataset), Some(version)) => Ok((dataset, version)),
        _ => Err(Error::damaged(file.display().to_string(), "lies in no version folder")),
    }
}

/// A row of a redacted layer, without what is said in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Redaction {
    pub record_id: String,
    pub conversation_id: String,
    pub place: Place,
    pub folder: PathBuf,
}

impl Redaction {
    pub fn name(&self) -> Name {
        (self.record_id.clone(), self.conversation_id.clone())
    }

    /// Key of the layer.
    pub fn key(&self) -> Option<String> {
        self.folder.file_name().map(|name| name.to_string_lossy().into_owned())
    }
}

/// Records by record or conversation id; made under several rules, the newest speaks.
pub fn redactions(folders: &Folders, ids: &Ids) -> Result<Vec<Redaction>> {
    let columns = [&["record_id", "conversation_id"], &PLACE[..]].concat();
    let found = scan::rows(&folders.files(Redacted::NAME, "part")?, &["record_id", "conversation_id"], ids, &columns)?;
    let (mut rows, mut seen, mut sources) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
    for found in &found {
        let folder = found.file.parent().unwrap_or(Path::new("")).to_path_buf();
        let source: &SourcePaths = match sources.entry(folder.clone()) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => new.insert(SourcePaths::of(&folder)?),
        };
        for row in found.rows() {
            let (record_id, conversation_id) = (found.text("record_id", row)?, found.text("conversation_id", row)?);
            if seen.insert((record_id.clone(), conversation_id.clone())) {
                let place = place(found, row, source.of_source(&found.text("source_id", row)?))?;
                rows.push(Redaction { record_id, conversation_id, place, folder: folder.clone() });
            }
        }
    }
    rows.sort_by(|a, b| (&a.place, &a.record_id).cmp(&(&b.place, &b.record_id)));
    Ok(rows)
}

/// Where the sources of a redacted folder were, when they were read.
enum SourcePaths {
    One(String),
    /// Of a joined folder, by source id.
    Many(serde_json::Map<String, serde_json::Value>),
}

impl SourcePaths {
    fn of(folder: &Path) -> Result<SourcePaths> {
        let file = folder.join(manifest::FILE);
        let settings = Manifest::read(&file)?.settings;
        if let Some(sources) = settings.get("sources").and_then(|sources| sources.as_object()) {
            return Ok(SourcePaths::Many(sources.clone()));
        }
        let path = settings.get("path").and_then(|path| path.as_str().map(str::to_owned));
        let missing = || Error::damaged(file.display().to_string(), "settings.path is missing");
        path.map(SourcePaths::One).ok_or_else(missing)
    }

    fn of_source(&self, source_id: &str) -> String {
        match self {
            SourcePaths::One(path) => path.clone(),
            SourcePaths::Many(paths) => {
                paths.get(source_id).and_then(|path| path.as_str()).unwrap_or_default().to_owned()
            }
        }
    }
}

/// The records that a record was joined from: their ids and places.
pub fn parts(folder: &Path, record_id: &str) -> Result<Vec<(String, Place)>> {
    let sources = SourcePaths::of(folder)?;
    let columns = [&["part_record_id", "part"], &PLACE[..]].concat();
    let ids = Ids::from([record_id.to_owned()]);
    let mut parts = Vec::new();
    for found in scan::rows(&tables(folder, "joined")?, &["record_id"], &ids, &columns)? {
        for row in found.rows() {
            let source = sources.of_source(&found.text("source_id", row)?);
            parts.push((found.number("part", row)?, found.text("part_record_id", row)?, place(&found, row, source)?));
        }
    }
    parts.sort();
    Ok(parts.into_iter().map(|(_, record, place)| (record, place)).collect())
}

/// Findings of a record and its parts, by type and rule.
pub fn findings(files: &[PathBuf], ids: &Ids) -> Result<Vec<FindingCount>> {
    let columns = ["type", "rule", "rule_version"];
    let mut counts: BTreeMap<(String, String, u64), u64> = BTreeMap::new();
    for found in scan::rows(files, &["record_id"], ids, &columns)? {
        for row in found.rows() {
            let key = (found.text("type", row)?, found.text("rule", row)?, found.number("rule_version", row)?);
            *counts.entry(key).or_default() += 1;
        }
    }
    Ok(counts
        .into_iter()
        .map(|((kind, rule, rule_version), count)| FindingCount { kind, rule, rule_version, count })
        .collect())
}

/// A row of `decisions.parquet`.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    pub record_id: String,
    pub conversation_id: String,
    pub fate: String,
    pub winner: Option<String>,
    pub evidence: Evidence,
}

/// Decisions of one deduped folder about records, or in favour of conversations.
pub fn decided(folder: &Path, ids: &Ids) -> Result<Vec<Decided>> {
    let columns =
        ["record_id", "conversation_id", "fate", "winner", "rule", "jaccard_user", "jaccard_assistant", "containment"];
    let mut decided = Vec::new();
    for found in scan::rows(&tables(folder, "decisions")?, &["record_id", "winner"], ids, &columns)? {
        for row in found.rows() {
            let evidence = Evidence {
                rule: found.maybe("rule", row)?,
                jaccard_user: found.fraction("jaccard_user", row)?,
                jaccard_assistant: found.fraction("jaccard_assistant", row)?,
                containment: found.fraction("containment", row)?,
            };
            decided.push(Decided {
                record_id: found.text("record_id", row)?,
                conversation_id: found.text("conversation_id", row)?,
                fate: found.text("fate", row)?,
                winner: found.maybe("winner", row)?,
                evidence,
            });
        }
    }
    Ok(decided)
}

/// Records of one deduped folder that are kept though vectors say that they are like another.
pub fn tagged(folder: &Path, ids: &Ids) -> Result<BTreeMap<String, Like>> {
    let columns = ["record_id", "winner", "cosine"];
    let mut tagged = BTreeMap::new();
    for found in scan::rows(&tables(folder, "semantic")?, &["record_id"], ids, &columns)? {
        for row in found.rows() {
            let cosine = found.fraction("cosine", row)?.unwrap_or_default();
            let like = Like { conversation_id: found.text("winner", row)?, cosine };
            tagged.insert(found.text("record_id", row)?, like);
        }
    }
    Ok(tagged)
}

/// Records and conversations that one deduped folder kept.
pub fn kept(folder: &Path, ids: &Ids) -> Result<BTreeSet<Name>> {
    let columns = ["record_id", "conversation_id"];
    let mut kept = BTreeSet::new();
    for found in scan::rows(&tables(folder, "part")?, &["record_id"], ids, &columns)? {
        for row in found.rows() {
            kept.insert((found.text("record_id", row)?, found.text("conversation_id", row)?));
        }
    }
    Ok(kept)
}
