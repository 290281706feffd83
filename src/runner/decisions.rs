//! What dedup decided, looked at again: one decision with the texts of both sides, and all of them
//! under another threshold.
//!
//! Not here: deciding (`dedup`), how it reads on a terminal (`report`).
//!
//! Always: of several decisions the one committed last counts; texts are redacted texts; nothing
//! is written.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, UInt32Type};
use serde::Serialize;

use super::rows::{NEAR, SEMANTIC};
use super::sink::{column, numbers, text};
use super::tasks::messages;
use crate::error::{Error, Result};
use crate::layer::tables::Table;
use crate::layer::{Deduped, Layer, Redacted, Sketch};
use crate::stages::dedup::cluster::{Edge, Rank, representatives};
use crate::store::{Manifest, Store, manifest, parquet};
use crate::task::TaskMessage;

/// The fate, as it is shown, of a record that is kept though it is like another.
const TAGGED: &str = "tagged";

const EDGE_COLUMNS: [&str; 7] = ["a", "b", "rule", "jaccard_user", "jaccard_assistant", "containment", "bands_hit"];

/// More than these are not what somebody wants to read.
const SHOWN_MAX: usize = 20;

/// A decision with both sides.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    pub record_id: String,
    pub conversation_id: String,
    pub fate: String,
    /// The conversation that stands for it, if one does.
    pub winner: Option<String>,
    pub rule: Option<String>,
    pub jaccard_user: Option<f64>,
    pub jaccard_assistant: Option<f64>,
    pub containment: Option<f64>,
    pub bands_hit: Option<u32>,
    /// Of the vectors, if they decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f64>,
    /// Redacted.
    pub messages: Vec<TaskMessage>,
    pub winner_messages: Vec<TaskMessage>,
}

/// What another threshold would change.
#[derive(Clone, Debug, Serialize)]
pub struct Retest {
    pub min_jaccard: f64,
    /// What the stored decisions were made with.
    pub stored_min_jaccard: f64,
    pub edges: u64,
    /// By words, and by vectors where they drop.
    pub near_duplicates: u64,
    pub stored_near_duplicates: u64,
    /// Records that would be kept, and records that would be dropped instead.
    pub kept_again: Vec<String>,
    pub dropped_now: Vec<String>,
}

struct Folder {
    path: PathBuf,
    manifest: Manifest,
}

impl Folder {
    fn files(&self, table: &str) -> Vec<PathBuf> {
        self.manifest.table(table).filter(|file| file.rows > 0).map(|file| self.path.join(&file.path)).collect()
    }
}

/// Folders of a layer, the one committed last first.
fn folders(store: &Store, layer: &str) -> Result<Vec<Folder>> {
    let below = format!("layers/{layer}/");
    let moves = store.log().entries()?.into_iter().rev().flat_map(|entry| entry.moves);
    let paths = moves.filter(|step| step.to.starts_with(&below)).map(|step| store.root().join(&step.to));
    let read = |path: PathBuf| Ok(Folder { manifest: Manifest::read(&path.join(manifest::FILE))?, path });
    paths.filter(|path| path.is_dir()).map(read).collect()
}

fn decided(store: &Store) -> Result<Folder> {
    let none = || Error::Usage(format!("{}: holds no decisions of dedup yet", store.root().display()));
    folders(store, Deduped::NAME)?.into_iter().next().ok_or_else(none)
}

/// Decisions in which a record or a conversation stands, dropped or tagged, or as the winner.
pub fn show(store: &Store, id: &str) -> Result<Vec<Shown>> {
    let mut shown = Vec::new();
    let folder = decided(store)?;
    for file in folder.files("decisions") {
        let columns = [
            "record_id",
            "conversation_id",
            "fate",
            "winner",
            "rule",
            "jaccard_user",
            "jaccard_assistant",
            "containment",
            "bands_hit",
        ];
        parquet::read(&file, &columns, &mut |batch| decisions(&batch, id, &mut shown))?;
    }
    semantic(&folder, id, &mut shown)?;
    let missing = || Error::Usage(format!("no decision is about {id}; it was kept, or is no record or conversation"));
    shown.truncate(SHOWN_MAX);
    shown.first().ok_or_else(missing)?;
    let wanted: BTreeSet<String> =
        shown.iter().flat_map(|one| one.winner.iter().chain([&one.record_id]).cloned()).collect();
    let texts = texts(store, &wanted)?;
    for one in &mut shown {
        one.messages = texts.get(&one.record_id).cloned().unwrap_or_default();
        one.winner_messages = one.winner.as_ref().and_then(|id| texts.get(id)).cloned().unwrap_or_default();
    }
    Ok(shown)
}

fn decisions(batch: &RecordBatch, id: &str, shown: &mut Vec<Shown>) -> Result<()> {
    let named = |name| text(batch, name);
    let (records, ids, fates) = (named("record_id")?, named("conversation_id")?, named("fate")?);
    let (winners, rules) = (named("winner")?, named("rule")?);
    let shares = ["jaccard_user", "jaccard_assistant", "containment"].map(|name| numbers::<Float64Type>(batch, name));
    let [user, assistant, containment] = shares;
    let (user, assistant, containment) = (user?, assistant?, containment?);
    let bands = numbers::<UInt32Type>(batch, "bands_hit")?;
    for i in 0..batch.num_rows() {
        let at = |column: &arrow::array::ArrayRef| column.as_string::<i32>().value(i).to_owned();
        if ![&records, &ids, &winners].iter().any(|column| column.as_string::<i32>().value(i) == id) {
            continue;
        }
        let share = |column: &arrow::array::Float64Array| column.is_valid(i).then(|| column.value(i));
        shown.push(Shown {
            record_id: at(&records),
            conversation_id: at(&ids),
            fate: at(&fates),
            winner: winners.is_valid(i).then(|| at(&winners)),
            rule: rules.is_valid(i).then(|| at(&rules)),
            jaccard_user: share(&user),
            jaccard_assistant: share(&assistant),
            containment: share(&containment),
            bands_hit: bands.is_valid(i).then(|| bands.value(i)),
            cosine: None,
            messages: Vec::new(),
            winner_messages: Vec::new(),
        });
    }
    Ok(())
}

/// What vectors decided: the cosine of what was dropped for one, and who was tagged.
fn semantic(folder: &Folder, id: &str, shown: &mut Vec<Shown>) -> Result<()> {
    for file in folder.files(Table::Semantic.name()) {
        let columns = [&EDGE_COLUMNS[..], &["cosine", "record_id", "conversation_id", "winner"]].concat();
        parquet::read(&file, &columns, &mut |batch| {
            let named = |name| text(&batch, name);
            let (records, ids, winners) = (named("record_id")?, named("conversation_id")?, named("winner")?);
            for (i, edge) in super::dedup::read_edges(&batch)?.into_iter().enumerate() {
                let at = |column: &arrow::array::ArrayRef| column.as_string::<i32>().value(i).to_owned();
                let (record, conversation, winner) = (at(&records), at(&ids), at(&winners));
                if records.is_null(i) || ![&record, &conversation, &winner].into_iter().any(|name| name == id) {
                    continue;
                }
                let cosine = edge.cosine;
                if let Some(dropped) = shown.iter_mut().find(|one| one.record_id == record) {
                    dropped.cosine = cosine;
                    continue;
                }
                shown.push(Shown {
                    record_id: record,
                    conversation_id: conversation,
                    fate: TAGGED.to_owned(),
                    winner: Some(winner),
                    rule: Some(edge.verified.rule.as_str().to_owned()),
                    jaccard_user: Some(edge.verified.jaccard_user),
                    jaccard_assistant: Some(edge.verified.jaccard_assistant),
                    containment: Some(edge.verified.containment),
                    bands_hit: Some(edge.bands_hit),
                    cosine,
                    messages: Vec::new(),
                    winner_messages: Vec::new(),
                });
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Messages by record id and by conversation id.
fn texts(store: &Store, wanted: &BTreeSet<String>) -> Result<HashMap<String, Vec<TaskMessage>>> {
    let mut texts = HashMap::new();
    for folder in folders(store, Redacted::NAME)? {
        for file in folder.files("part") {
            parquet::read(&file, &["record_id", "conversation_id", "messages"], &mut |batch| {
                let (records, ids) = (text(&batch, "record_id")?, text(&batch, "conversation_id")?);
                let lists = column(&batch, "messages")?.as_list::<i32>().clone();
                for i in 0..batch.num_rows() {
                    for id in [&records, &ids].map(|column| column.as_string::<i32>().value(i)) {
                        if wanted.contains(id) && !texts.contains_key(id) {
                            texts.insert(id.to_owned(), messages(lists.value(i).as_struct()));
                        }
                    }
                }
                Ok(())
            })?;
        }
    }
    Ok(texts)
}

/// Decides again from the stored edges. Pairs below the stored threshold have no edge of a
/// near-duplicate, so it can only be raised. What vectors may drop stays in the race as it was.
pub fn retest(store: &Store, min_jaccard: f64) -> Result<Retest> {
    let folder = decided(store)?;
    let stored = folder.manifest.settings["near"]["min_jaccard"].as_f64().unwrap_or_default();
    if min_jaccard < stored || min_jaccard > 1.0 {
        return Err(Error::Usage(format!(
            "--min-jaccard {min_jaccard}: decisions were made with {stored}, and pairs below have no edge; \
             a lower one needs a run with [dedup.near] min_jaccard, one above 1 finds nothing"
        )));
    }
    let mut edges = pairs(&folder, "edges", &EDGE_COLUMNS)?;
    // Where vectors only tag, they drop nobody.
    if folder.manifest.settings["semantic"]["action"] == "drop" {
        edges.extend(pairs(&folder, Table::Semantic.name(), &[&EDGE_COLUMNS[..], &["cosine"]].concat())?);
    }
    let ranks = ranks(store, &folder, &edges)?;
    let before: BTreeSet<String> = near_dropped(&folder)?;
    let nearest = |edge: &Edge| {
        edge.cosine.is_some() || edge.verified.jaccard_user.min(edge.verified.jaccard_assistant) >= min_jaccard
    };
    let edges: Vec<Edge> = edges.into_iter().filter(nearest).collect();
    let gone = dropped_before(&folder)?;
    let open: Vec<Edge> = edges.into_iter().filter(|edge| !gone.contains(&edge.a) && !gone.contains(&edge.b)).collect();
    let now: BTreeSet<String> = representatives(&open, &ranks).into_keys().collect();
    Ok(Retest {
        min_jaccard,
        stored_min_jaccard: stored,
        edges: open.len() as u64,
        near_duplicates: now.len() as u64,
        stored_near_duplicates: before.len() as u64,
        kept_again: before.difference(&now).cloned().collect(),
        dropped_now: now.difference(&before).cloned().collect(),
    })
}

/// The pairs of a table.
fn pairs(folder: &Folder, table: &str, columns: &[&str]) -> Result<Vec<Edge>> {
    let mut edges = Vec::new();
    for file in folder.files(table) {
        parquet::read(&file, columns, &mut |batch| {
            edges.extend(super::dedup::read_edges(&batch)?);
            Ok(())
        })?;
    }
    Ok(edges)
}

fn near_dropped(folder: &Folder) -> Result<BTreeSet<String>> {
    by_fate(folder, |fate| [NEAR, SEMANTIC].contains(&fate))
}

/// Copies and snapshots, which are out of the race before near-duplicates are looked for.
fn dropped_before(folder: &Folder) -> Result<BTreeSet<String>> {
    by_fate(folder, |fate| ![NEAR, SEMANTIC].contains(&fate))
}

fn by_fate(folder: &Folder, wanted: fn(&str) -> bool) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for file in folder.files("decisions") {
        parquet::read(&file, &["record_id", "fate"], &mut |batch| {
            let (records, fates) = (text(&batch, "record_id")?, text(&batch, "fate")?);
            let rows = records.as_string::<i32>().iter().flatten().zip(fates.as_string::<i32>().iter().flatten());
            found.extend(rows.filter(|(_, fate)| wanted(fate)).map(|(record, _)| record.to_owned()));
            Ok(())
        })?;
    }
    Ok(found)
}

/// Order keys of the records that stand in an edge, out of the sketches that were decided over.
fn ranks(store: &Store, decided: &Folder, edges: &[Edge]) -> Result<HashMap<String, Rank>> {
    let wanted: BTreeSet<&str> = edges.iter().flat_map(|edge| [edge.a.as_str(), edge.b.as_str()]).collect();
    let mut ranks = HashMap::new();
    for key in &decided.manifest.inputs {
        let path = store.layer_dir(Sketch::NAME, key);
        let sketch = Folder { manifest: Manifest::read(&path.join(manifest::FILE))?, path };
        for file in sketch.files("part") {
            parquet::read(&file, &["record_id", "conversation_id", "tokens", "created_at"], &mut |batch| {
                super::dedup::read_ranks(&batch, &|record| wanted.contains(record), &mut ranks)
            })?;
        }
    }
    Ok(ranks)
}
