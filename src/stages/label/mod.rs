//! Merges the answers of annotators: read, redact, check, count votes, one verdict a task.
//!
//! Not here: which tasks were handed out (`sample`), where answers and verdicts lie (the store and
//! the runner), agreement over a whole batch, examples made from verdicts (`dataset`).
//!
//! Always: every annotation read is accepted, refused with one reason or unreadable, and
//! [`Books::balance`] says so; free text is redacted before anything keeps it; the order of files
//! and lines changes nothing but the list of unreadable ones; refusals name ids, never an answer.

pub mod check;
pub mod labelstudio;
pub mod own;
mod tally;
pub mod time;
pub mod verdict;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::Value;

use crate::error::Result;
use crate::task::{Annotation, Answer, PAIRWISE_ANSWERS, Rubric, Task};
pub use check::Refused;
pub use verdict::Verdict;

/// One annotation (or, where even that cannot be told, one line or task) that cannot be read.
/// Ids stand here only if they look like ids, so that no text leaks through them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct BadLabel {
    pub file: String,
    /// 1-based; for Label Studio the line on which the task begins.
    pub line: u64,
    pub task_id: Option<String>,
    pub annotation_id: Option<String>,
    pub reason: &'static str,
}

/// What a merge may accept. Made by [`Rules::new`], so the deadline is a time.
#[derive(Clone, Debug)]
pub struct Rules {
    pub(crate) rubrics: Vec<Rubric>,
    pub(crate) deadline_us: Option<i64>,
    pub(crate) min_annotations: u32,
}

impl Rules {
    /// `rubrics` as they were when the batches were made; `deadline` in RFC 3339. `None` if the
    /// deadline is not such a time.
    pub fn new(rubrics: Vec<Rubric>, deadline: Option<&str>, min_annotations: u32) -> Option<Rules> {
        let deadline_us = match deadline {
            Some(text) => Some(time::parse_us(text)?),
            None => None,
        };
        Some(Rules { rubrics, deadline_us, min_annotations })
    }

    pub(crate) fn rubric(&self, task: &Task) -> Option<&Rubric> {
        self.rubrics.iter().find(|rubric| rubric.name == task.rubric && rubric.version == task.rubric_version)
    }
}

/// A file of answers, in either format.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    pub name: &'a str,
    pub bytes: &'a [u8],
}

/// One file, read and redacted.
#[derive(Debug, Default)]
pub struct Read {
    pub annotations: Vec<Annotation>,
    pub unreadable: Vec<BadLabel>,
    /// Label Studio results that no control of ours wrote, by type.
    pub unknown_results: BTreeMap<&'static str, u64>,
    /// Counted at the reader: annotations and unreadable ones together.
    pub read: u64,
}

/// What all annotations together say.
#[derive(Debug)]
pub struct Merged {
    /// Sorted by task id; tasks without an accepted annotation have none.
    pub verdicts: Vec<Verdict>,
    pub accepted: Vec<Annotation>,
    pub refused: Vec<Refused>,
}

/// Reads a file in either format; every free text goes through `redact` at once.
pub fn read(file: &File<'_>, redact: &dyn Fn(&str) -> String) -> Read {
    let mut out = Read::default();
    let answers = if labelstudio::looks_like(file.bytes) {
        let export = labelstudio::read(file.bytes, file.name);
        out.unknown_results = export.unknown_results;
        export.annotations
    } else {
        own::read(file.bytes, file.name)
    };
    out.read = answers.len() as u64;
    for answer in answers {
        match answer {
            Ok(annotation) => out.annotations.push(redacted(annotation, redact)),
            Err(bad) => out.unreadable.push(bad),
        }
    }
    out.unreadable.sort_unstable();
    out
}

/// Checks all annotations about `tasks` (by task id) and merges those that count.
pub fn merge_annotations(annotations: Vec<Annotation>, tasks: &HashMap<String, Task>, rules: &Rules) -> Result<Merged> {
    let check::Checked { accepted, refused } = check::check(annotations, tasks, rules);
    let verdicts = verdict::verdicts(&accepted, tasks, rules.min_annotations)?;
    Ok(Merged { verdicts, accepted, refused })
}

/// The words of `pairwise` are a closed list, checked later; all else may be free text.
fn redacted(mut annotation: Annotation, redact: &dyn Fn(&str) -> String) -> Annotation {
    annotation.justification = annotation.justification.map(|text| redact(&text));
    match &mut annotation.value {
        Some(Answer::Text(text)) if !PAIRWISE_ANSWERS.contains(&text.as_str()) => *text = redact(text),
        Some(Answer::List(tags)) => tags.iter_mut().for_each(|tag| *tag = redact(tag)),
        _ => {}
    }
    annotation
}

pub fn count(reasons: impl Iterator<Item = &'static str>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    reasons.for_each(|reason| *counts.entry(reason.to_owned()).or_default() += 1);
    counts
}

/// Ids are words or numbers without white space. The limit keeps prose out of reports; chosen by feel.
fn id_of(value: Option<&Value>) -> Option<String> {
    person_of(value).filter(|id| !id.contains(char::is_whitespace))
}

/// Annotators may have names with a space in them.
fn person_of(value: Option<&Value>) -> Option<String> {
    let id = match value? {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return None,
    };
    (!id.trim().is_empty() && id.len() <= 128 && !id.contains(char::is_control)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::check::fixtures::{rubric, task};
    use super::*;
    use crate::task::TaskType;

    fn tasks() -> HashMap<String, Task> {
        [("p1", TaskType::Pairwise), ("w1", TaskType::Rewrite)]
            .map(|(id, task_type)| (id.to_owned(), task(id, task_type)))
            .into()
    }

    const OWN: &str = r#"{"task_id":"p1","annotation_id":"a1","annotator_id":"ann","value":"left","justification":"call 555"}
{"task_id":"w1","annotation_id":"a2","annotator_id":"ann","value":"call 555 now"}
{"task_id":"zz","annotation_id":"a3","annotator_id":"ann","value":"left"}
nonsense 555
"#;
    const LABEL_STUDIO: &str = r#"[{"data":{"task_id":"p1","task_type":"pairwise","rubric":"r","rubric_version":"1"},
        "annotations":[
        {"id":5,"completed_by":{"id":9,"email":"x@example.org"},"result":[{"type":"pairwise","from_name":"preference","value":{"selected":"left"}},{"type":"ranker","from_name":"q","value":{}}]},
        {"id":6,"completed_by":8,"was_cancelled":true,"result":[]}]}]"#;

    fn merged(files: &[(&str, &str)]) -> (Merged, Read) {
        let mut all = Read::default();
        for (name, text) in files {
            let one = read(&File { name, bytes: text.as_bytes() }, &|text| text.replace("555", "[PHONE]"));
            assert_eq!(one.read as usize, one.annotations.len() + one.unreadable.len());
            all.annotations.extend(one.annotations);
            all.unreadable.extend(one.unreadable);
            all.unknown_results.extend(one.unknown_results);
            all.read += one.read;
        }
        let rules = Rules::new([TaskType::Pairwise, TaskType::Rewrite].map(rubric).into(), None, 1).unwrap();
        (merge_annotations(all.annotations.clone(), &tasks(), &rules).unwrap(), all)
    }

    fn reasons(merged: &Merged) -> BTreeMap<String, u64> {
        count(merged.refused.iter().map(|refused| refused.reason))
    }

    #[test]
    fn both_formats_meet_and_every_answer_is_accounted_for() {
        let (merged, read) = merged(&[("own.jsonl", OWN), ("ls.json", LABEL_STUDIO)]);
        assert_eq!((read.read, merged.accepted.len()), (6, 3));
        assert_eq!(reasons(&merged), BTreeMap::from([("cancelled".to_owned(), 1), ("unknown_task".to_owned(), 1)]));
        assert_eq!(read.unreadable[0].reason, "not_json");
        assert_eq!(read.unknown_results, BTreeMap::from([("ranker", 1)]));
        let pair = &merged.verdicts[0];
        assert_eq!((pair.task_id.as_str(), pair.outcome.as_str(), pair.votes_for), ("p1", "left", 2));
        assert_eq!(pair.annotators, ["ann", "ls:9"]);
        assert_eq!(merged.verdicts[1].text.as_deref(), Some("call [PHONE] now"));
        let kept = format!("{merged:?} {read:?}");
        assert!(!kept.contains("555") && !kept.contains('@'), "free text is redacted, addresses are not kept");
    }

    #[test]
    fn the_order_of_files_does_not_matter_and_a_file_twice_counts_once() {
        let (once, _) = merged(&[("own.jsonl", OWN), ("ls.json", LABEL_STUDIO)]);
        let (turned, _) = merged(&[("ls.json", LABEL_STUDIO), ("own.jsonl", OWN)]);
        assert_eq!(
            (&once.verdicts, &once.accepted, &once.refused),
            (&turned.verdicts, &turned.accepted, &turned.refused)
        );
        let (twice, _) = merged(&[("own.jsonl", OWN), ("ls.json", LABEL_STUDIO), ("again.jsonl", OWN)]);
        assert_eq!(twice.verdicts, once.verdicts);
        assert_eq!(reasons(&twice).get("duplicate"), Some(&2));
    }

    #[test]
    fn a_deadline_must_be_a_time() {
        assert!(Rules::new(Vec::new(), Some("tomorrow"), 1).is_none());
        assert!(Rules::new(Vec::new(), Some("2026-11-30T00:00:00Z"), 1).is_some());
    }
}
