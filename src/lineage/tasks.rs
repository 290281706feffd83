//! Tasks and verdicts behind ids: the sampled and labeled layers, and the batches themselves.
//!
//! Not here: the questions and answers as text; they stay in the batch and in the labeled layer.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Deserialize;

use super::facts::{Task, Verdict};
use super::find::{Folders, children, tables};
use super::scan::{self, Found, Ids};
use crate::error::{Error, Result};
use crate::layer::{Labeled, Layer, Sampled};
use crate::store::Store;

/// Tasks that have one of `ids` as their own, their record's or their conversation's.
pub fn sampled(folders: &Folders, ids: &Ids) -> Result<Vec<Task>> {
    let keys = ["task_id", "record_ids", "conversation_ids"];
    let columns =
        [&keys[..], &["batch_id", "task_type", "rubric", "rubric_version", "stratum", "inclusion_probability"]]
            .concat();
    let (mut tasks, mut seen) = (Vec::new(), BTreeSet::new());
    for found in scan::rows(&folders.files(Sampled::NAME, "part")?, &keys, ids, &columns)? {
        for row in found.rows() {
            let task = Task {
                task_id: found.text("task_id", row)?,
                batch_id: found.text("batch_id", row)?,
                task_type: found.text("task_type", row)?,
                rubric: found.text("rubric", row)?,
                rubric_version: found.text("rubric_version", row)?,
                stratum: found.text("stratum", row)?,
                inclusion_probability: found.fraction("inclusion_probability", row)?.unwrap_or_default(),
                conversation_ids: found.list("conversation_ids", row)?,
                record_ids: found.list("record_ids", row)?,
                verdict: None,
            };
            if seen.insert(task.task_id.clone()) {
                tasks.push(task);
            }
        }
    }
    tasks.sort_by(|a, b| (&a.batch_id, &a.task_id).cmp(&(&b.batch_id, &b.task_id)));
    Ok(tasks)
}

/// A line of `tasks.jsonl` without what the task shows.
#[derive(Deserialize)]
struct Line {
    task_id: String,
    batch_id: String,
    task_type: String,
    rubric: String,
    rubric_version: String,
    stratum: String,
    inclusion_probability: f64,
    responses: Vec<Shown>,
}

#[derive(Deserialize)]
struct Shown {
    conversation_id: String,
}

/// A task as its batch has it, for stores whose sampled layer is gone.
pub fn handed_out(store: &Store, id: &str) -> Result<Option<Task>> {
    let files: Vec<PathBuf> =
        children(&store.root().join("batches"))?.into_iter().map(|batch| batch.join("tasks.jsonl")).collect();
    let found =
        files.par_iter().filter(|file| file.is_file()).map(|file| task_in(file, id)).collect::<Result<Vec<_>>>()?;
    Ok(found.into_iter().flatten().next())
}

fn task_in(file: &Path, id: &str) -> Result<Option<Task>> {
    let failed = |err: std::io::Error| Error::io(file, &err);
    // Lines without the id are most of them, and long: not worth parsing.
    let finder = memchr::memmem::Finder::new(id.as_bytes());
    let (mut input, mut text, mut number) = (BufReader::new(File::open(file).map_err(failed)?), Vec::new(), 0);
    loop {
        text.clear();
        number += 1;
        if input.read_until(b'\n', &mut text).map_err(failed)? == 0 {
            return Ok(None);
        }
        if finder.find(&text).is_none() {
            continue;
        }
        let broken = |_| Error::damaged(file.display().to_string(), format!("line {number}"));
        let line: Line = serde_json::from_slice(&text).map_err(broken)?;
        if line.task_id == id {
            return Ok(Some(line.task()));
        }
    }
}

impl Line {
    fn task(self) -> Task {
        Task {
            task_id: self.task_id,
            batch_id: self.batch_id,
            task_type: self.task_type,
            rubric: self.rubric,
            rubric_version: self.rubric_version,
            stratum: self.stratum,
            inclusion_probability: self.inclusion_probability,
            conversation_ids: self.responses.into_iter().map(|shown| shown.conversation_id).collect(),
            record_ids: Vec::new(),
            verdict: None,
        }
    }
}

/// Gives every task the verdict of the newest labeled layer that knows it.
pub fn add_verdicts(folders: &Folders, tasks: &mut [Task]) -> Result<()> {
    for folder in folders.layer(Labeled::NAME) {
        let open: Ids = tasks.iter().filter(|task| task.verdict.is_none()).map(|task| task.task_id.clone()).collect();
        if open.is_empty() {
            break;
        }
        for found in scan::rows(&tables(folder, "part")?, &["task_id"], &open, &VERDICT)? {
            for row in found.rows() {
                let id = found.text("task_id", row)?;
                for task in tasks.iter_mut().filter(|task| task.task_id == id) {
                    task.verdict = Some(verdict(&found, row)?);
                }
            }
        }
    }
    Ok(())
}

const VERDICT: [&str; 12] = [
    "task_id",
    "outcome",
    "votes",
    "votes_for",
    "votes_left",
    "votes_right",
    "votes_tie",
    "votes_both_bad",
    "mean_rating",
    "agreement",
    "annotators",
    "annotation_ids",
];

fn verdict(found: &Found, row: usize) -> Result<Verdict> {
    Ok(Verdict {
        labeled: found.folder(),
        outcome: found.text("outcome", row)?,
        votes: found.number("votes", row)?,
        votes_for: found.number("votes_for", row)?,
        votes_left: found.number("votes_left", row)?,
        votes_right: found.number("votes_right", row)?,
        votes_tie: found.number("votes_tie", row)?,
        votes_both_bad: found.number("votes_both_bad", row)?,
        mean_rating: found.fraction("mean_rating", row)?,
        agreement: found.fraction("agreement", row)?,
        annotators: found.list("annotators", row)?,
        annotation_ids: found.list("annotation_ids", row)?,
    })
}
