//! What the tables say about an id and all that it leads to, and what follows from it.
//!
//! Not here: reading the tables (`find`, `tasks`), sources (`source`).
//!
//! Always: each record is judged by the newest deduped layer that knows it.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Decision, Folded, Kind, Occurrence, Record, Standing, Task};
use super::find::{self, Folders, Redaction, Released};
use super::scan::Ids;
use super::tasks;
use crate::error::Result;
use crate::layer::{Deduped, Layer, Redacted};
use crate::store::Store;

/// A record, named by its id and its conversation's: other redaction rules can make another
/// conversation of it.
pub type Name = (String, String);

/// What the tables say about an id and all that it leads to.
pub struct Known {
    pub folders: Folders,
    released: Vec<Released>,
    pub redactions: Vec<Redaction>,
    pub tasks: Vec<Task>,
}

impl Known {
    pub fn gather(store: &Store, id: &str) -> Result<Known> {
        let folders = Folders::of(store)?;
        let only = Ids::from([id.to_owned()]);
        let released = find::released(store, &["row_id", "conversation_id", "record_id", "task_id"], &only)?;
        let mut ids = only;
        for one in &released {
            ids.extend([one.standing.conversation_id.clone(), one.standing.record_id.clone()]);
            ids.extend(one.task_id.clone());
        }
        let mut tasks = tasks::sampled(&folders, &ids)?;
        if tasks.is_empty() && released.is_empty() {
            tasks.extend(tasks::handed_out(store, id)?);
        }
        if let Some(task) = tasks.iter().find(|task| task.task_id == id) {
            ids.extend(task.conversation_ids.iter().chain(&task.record_ids).cloned());
        }
        let mut redactions = find::redactions(&folders, &ids)?;
        let more: Ids =
            redactions.iter().map(|row| row.conversation_id.clone()).filter(|one| !ids.contains(one)).collect();
        if !more.is_empty() {
            // A record led to its conversation, which others may say too and tasks may hold.
            ids.extend(more);
            redactions = find::redactions(&folders, &ids)?;
            tasks.extend(tasks::sampled(&folders, &ids)?);
            tasks.sort_by(|a, b| (&a.batch_id, &a.task_id).cmp(&(&b.batch_id, &b.task_id)));
            tasks.dedup_by(|a, b| a.task_id == b.task_id);
        }
        Ok(Known { folders, released, redactions, tasks })
    }

    pub fn kinds(&self, id: &str) -> Vec<Kind> {
        let standing = |of: fn(&Standing) -> &String| self.released.iter().any(|one| of(&one.standing) == id);
        let redacted = |of: fn(&Redaction) -> &String| self.redactions.iter().any(|row| of(row) == id);
        let task = |task: &Task| task.task_id == id;
        let shown = |task: &Task| task.conversation_ids.iter().any(|one| one == id);
        let found = [
            (Kind::ReleaseRow, standing(|one| &one.row_id)),
            (
                Kind::Conversation,
                standing(|one| &one.conversation_id)
                    || redacted(|row| &row.conversation_id)
                    || self.tasks.iter().any(shown),
            ),
            (Kind::Record, standing(|one| &one.record_id) || redacted(|row| &row.record_id)),
            (
                Kind::Task,
                self.tasks.iter().any(task) || self.released.iter().any(|one| one.task_id.as_deref() == Some(id)),
            ),
        ];
        found.into_iter().filter(|(_, is)| *is).map(|(kind, _)| kind).collect()
    }

    /// The records that the id stands for, without other occurrences of what they say.
    pub fn behind(&self, id: &str, is: &[Kind], decisions: &BTreeMap<Name, Decision>) -> BTreeSet<Name> {
        let released = |wanted: &dyn Fn(&Released) -> bool| -> BTreeSet<Name> {
            let name = |one: &Released| (one.standing.record_id.clone(), one.standing.conversation_id.clone());
            self.released.iter().filter(|one| wanted(one)).map(name).collect()
        };
        let redacted = |wanted: &dyn Fn(&Redaction) -> bool| -> BTreeSet<Name> {
            self.redactions.iter().filter(|row| wanted(row)).map(Redaction::name).collect()
        };
        match is.first() {
            Some(Kind::ReleaseRow) => released(&|one| one.standing.row_id == id),
            Some(Kind::Conversation) => {
                let mut names = released(&|one| one.standing.conversation_id == id);
                names.extend(self.speaking_for(id, decisions));
                names
            }
            Some(Kind::Record) => {
                &released(&|one| one.standing.record_id == id) | &redacted(&|row| row.record_id == id)
            }
            _ => {
                let task = self.tasks.iter().find(|task| task.task_id == id);
                let mut names = released(&|one| one.task_id.as_deref() == Some(id));
                let held =
                    task.map(|task| (task.record_ids.as_slice(), task.conversation_ids.as_slice())).unwrap_or_default();
                names.extend(redacted(&|row| held.0.contains(&row.record_id) && held.1.contains(&row.conversation_id)));
                if held.0.is_empty() {
                    names.extend(held.1.iter().flat_map(|one| self.speaking_for(one, decisions)));
                }
                names
            }
        }
    }

    /// Of the records of a conversation those that dedup kept; if it kept none, the first.
    fn speaking_for(&self, conversation: &str, decisions: &BTreeMap<Name, Decision>) -> Vec<Name> {
        let all = || self.redactions.iter().filter(|row| row.conversation_id == conversation).map(Redaction::name);
        let kept: Vec<Name> = all().filter(|name| decisions.get(name).is_some_and(|one| one.fate == KEPT)).collect();
        if kept.is_empty() { all().take(1).collect() } else { kept }
    }

    /// None if neither a layer nor a release knows the record.
    pub fn record(&self, name: &Name, decisions: &BTreeMap<Name, Decision>) -> Result<Option<Record>> {
        let row = self.redactions.iter().find(|row| row.name() == *name);
        let released =
            || self.released.iter().find(|one| one.standing.record_id == name.0).map(|one| one.place.clone());
        let Some(place) = row.map(|row| row.place.clone()).or_else(released) else { return Ok(None) };
        let occurrence = |row: &Redaction| Occurrence {
            place: row.place.clone(),
            record_id: row.record_id.clone(),
            fate: decisions.get(&row.name()).map(|one| one.fate.clone()),
        };
        let (record_id, conversation_id) = name.clone();
        let (mut parts, mut findings) = (Vec::new(), Vec::new());
        if let Some(row) = row {
            parts = find::parts(&row.folder, &record_id)?;
            let files = match parts.is_empty() {
                true => find::tables(&row.folder, "findings")?,
                // Parts were redacted where they were read, and the whole once more.
                false => self.folders.files(Redacted::NAME, "findings")?,
            };
            let ids = parts.iter().map(|(id, _)| id.clone()).chain([record_id.clone()]).collect();
            findings = find::findings(&files, &ids)?;
        }
        let others =
            self.redactions.iter().filter(|row| row.conversation_id == conversation_id && row.record_id != record_id);
        Ok(Some(Record {
            place,
            redacted: row.and_then(Redaction::key),
            findings,
            joined_from: parts.into_iter().map(|(_, place)| place).collect(),
            dedup: decisions.get(name).cloned(),
            occurrences: others.map(occurrence).collect(),
            record_id,
            conversation_id,
            source_ok: None,
            source_problem: None,
        }))
    }

    /// Rows where the id stands, and those where the winner of a record stands in its place.
    pub fn releases(&self, store: &Store, id: &str, records: &[Record]) -> Result<Vec<Standing>> {
        let mut standing: BTreeSet<Standing> = self.released.iter().map(|one| one.standing.clone()).collect();
        let winners: Ids = records
            .iter()
            .filter_map(|record| record.dedup.as_ref()?.winner.clone())
            .filter(|winner| winner != id)
            .collect();
        for one in find::released(store, &["conversation_id"], &winners)? {
            if !standing.contains(&one.standing) {
                standing.insert(Standing { through_winner: true, ..one.standing });
            }
        }
        Ok(standing.into_iter().collect())
    }
}

const KEPT: &str = "kept";

/// The newest decision about each record.
pub fn decide(folders: &Folders, redactions: &[Redaction]) -> Result<BTreeMap<Name, Decision>> {
    let mut open: BTreeSet<Name> = redactions.iter().map(Redaction::name).collect();
    let mut decisions = BTreeMap::new();
    for folder in folders.layer(Deduped::NAME) {
        if open.is_empty() {
            break;
        }
        let records: Ids = open.iter().map(|(record, _)| record.clone()).collect();
        let ids: Ids = open.iter().flat_map(|(record, conversation)| [record.clone(), conversation.clone()]).collect();
        let deduped = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let decided = find::decided(folder, &ids)?;
        let mut tagged = find::tagged(folder, &records)?;
        for name in find::kept(folder, &records)?.intersection(&open) {
            let won = decided.iter().filter(|one| one.winner.as_ref() == Some(&name.1));
            let folded = |one: &find::Decided| {
                let find::Decided { record_id, conversation_id, fate, evidence, .. } = one.clone();
                Folded { record_id, conversation_id, fate, evidence }
            };
            let stands_for = won.map(folded).collect();
            let kept = Decision {
                deduped: deduped.clone(),
                fate: KEPT.to_owned(),
                winner: None,
                evidence: Default::default(),
                like: tagged.remove(&name.0),
                stands_for,
            };
            decisions.insert(name.clone(), kept);
        }
        for one in decided {
            let name = (one.record_id, one.conversation_id);
            if open.contains(&name) {
                let (deduped, winner) = (deduped.clone(), one.winner);
                let (fate, evidence) = (one.fate, one.evidence);
                decisions
                    .insert(name, Decision { deduped, fate, winner, evidence, like: None, stands_for: Vec::new() });
            }
        }
        open.retain(|name| !decisions.contains_key(name));
    }
    Ok(decisions)
}
