//! Reads Label Studio's full JSON export (a list of tasks with `annotations`), and the
//! `completions` of versions before 1.0.
//!
//! Not here: the lossy JSON_MIN and CSV exports (refused as `not_full_export`), whether an answer
//! fits its task (`check`), redaction (`merge`). Predictions are not read: a model is no annotator.
//!
//! Always: an annotator is `ls:<user id>`, never an e-mail address. Answers are found by the
//! control names of `task::control`; other results are kept out and counted, never guessed at.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::own::{seconds, version, whole};
use super::{BadLabel, id_of, time};
use crate::task::{Annotation, Answer, CANCELLED, SUBMITTED, TaskType, control, data_key};

/// Result types that Label Studio is known to write; a type not named here counts as `other`, so
/// that nothing from the file becomes a key of a report.
const RESULT_TYPES: &[&str] = &[
    "choices",
    "rating",
    "textarea",
    "pairwise",
    "number",
    "ranker",
    "taxonomy",
    "labels",
    "hypertextlabels",
    "paragraphlabels",
    "datetime",
    "chatmessage",
    "relation",
];

#[derive(Debug, Default)]
pub struct Export {
    /// One item for each annotation in the file, and one for each task that cannot be read.
    pub annotations: Vec<Result<Annotation, BadLabel>>,
    /// Results that no control of ours wrote, by type.
    pub unknown_results: BTreeMap<&'static str, u64>,
}

/// The export is a JSON array; a line of our JSONL never starts with a bracket.
pub fn looks_like(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start().starts_with(b"[")
}

pub fn read(bytes: &[u8], file: &str) -> Export {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let bad = |line, reason| BadLabel { file: file.to_owned(), line, task_id: None, annotation_id: None, reason };
    let tasks: Vec<&RawValue> = match serde_json::from_slice(bytes) {
        Ok(tasks) => tasks,
        Err(error) => {
            let annotations = vec![Err(bad(error.line() as u64, "not_json"))];
            return Export { annotations, ..Export::default() };
        }
    };
    let mut export = Export::default();
    let (mut line, mut counted) = (1, 0);
    for task in tasks {
        let start = (task.get().as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize);
        line += bytes[counted..start].iter().filter(|byte| **byte == b'\n').count() as u64;
        counted = start;
        match serde_json::from_str(task.get()) {
            Ok(Value::Object(task)) => read_task(&task, &|reason| bad(line, reason), &mut export),
            _ => export.annotations.push(Err(bad(line, "not_a_task"))),
        }
    }
    export
}

fn read_task(task: &Map<String, Value>, bad: &dyn Fn(&'static str) -> BadLabel, export: &mut Export) {
    let list = task.get("annotations").or_else(|| task.get("completions")).and_then(Value::as_array);
    let (Some(list), Some(data)) = (list, task.get("data").and_then(Value::as_object)) else {
        export.annotations.push(Err(bad("not_full_export")));
        return;
    };
    for item in list {
        let annotation_id = id_of(item.get("id"));
        let read = read_annotation(item, data, &mut export.unknown_results).map_err(|reason| BadLabel {
            task_id: id_of(data.get(data_key::TASK_ID)),
            annotation_id,
            ..bad(reason)
        });
        export.annotations.push(read);
    }
}

fn read_annotation(
    item: &Value,
    data: &Map<String, Value>,
    unknown: &mut BTreeMap<&'static str, u64>,
) -> Result<Annotation, &'static str> {
    let text = |key| data.get(key).and_then(Value::as_str);
    let task_type = match text(data_key::TASK_TYPE) {
        Some(word) => Some(TaskType::parse(word).ok_or("unknown_task_type")?),
        None => None,
    };
    let flag = |key| item.get(key).and_then(Value::as_bool).unwrap_or(false);
    let cancelled = flag("was_cancelled") || flag("skipped");
    let mut found = Found::default();
    for result in item.get("result").and_then(Value::as_array).into_iter().flatten() {
        if !found.take(result)? {
            *unknown.entry(type_name(result)).or_default() += 1;
        }
    }
    let justification = found.justification.take();
    Ok(Annotation {
        annotation_id: id_of(item.get("id")).ok_or("missing_annotation_id")?,
        task_id: id_of(data.get(data_key::TASK_ID)).ok_or("missing_task_id")?,
        batch_id: text(data_key::BATCH_ID).map(str::to_owned),
        annotator_id: annotator(item.get("completed_by")).ok_or("missing_annotator")?,
        task_type,
        value: if cancelled { None } else { found.answer(task_type) },
        state: if cancelled { CANCELLED } else { SUBMITTED }.to_owned(),
        justification,
        rubric: text(data_key::RUBRIC).map(str::to_owned),
        rubric_version: version(data.get(data_key::RUBRIC_VERSION))?,
        created_at: answered_at(item)?,
        lead_time_s: seconds(item.get("lead_time"))?,
    })
}

fn annotator(completed_by: Option<&Value>) -> Option<String> {
    let user = match completed_by? {
        Value::Object(user) => user.get("id")?,
        user => user,
    };
    // Old exports hold the e-mail address itself as text; only digits are an id.
    id_of(Some(user)).filter(|id| id.bytes().all(|c| c.is_ascii_digit())).map(|id| format!("ls:{id}"))
}

/// An edited annotation keeps its `created_at`; the answer we read is the one of `updated_at`.
fn answered_at(item: &Value) -> Result<Option<String>, &'static str> {
    let at = ["updated_at", "created_at"].iter().find_map(|key| item.get(key).filter(|at| !at.is_null()));
    match at {
        None => Ok(None),
        Some(Value::String(text)) if time::parse_us(text).is_some() => Ok(Some(text.clone())),
        // Before 1.0: seconds since 1970.
        Some(at) => at.as_i64().and_then(time::from_secs).map(Some).ok_or("bad_time"),
    }
}

fn type_name(result: &Value) -> &'static str {
    let name = result.get("type").and_then(Value::as_str).unwrap_or_default();
    RESULT_TYPES.iter().find(|known| **known == name).copied().unwrap_or("other")
}

/// What the results of one annotation say, one slot for each control.
#[derive(Default)]
struct Found {
    preference: Option<String>,
    tie: Option<String>,
    rating: Option<i64>,
    rewrite: Option<String>,
    tags: Option<Vec<String>>,
    justification: Option<String>,
}

impl Found {
    /// False if no control of ours wrote this result.
    fn take(&mut self, result: &Value) -> Result<bool, &'static str> {
        let word = |key| result.get(key).and_then(Value::as_str).unwrap_or_default();
        let value = |key: &str| result.get("value").and_then(|value| value.get(key));
        match (word("type"), word("from_name")) {
            // Any name: no other control of ours writes this type.
            ("pairwise", _) => fill(&mut self.preference, value("selected").and_then(Value::as_str).map(str::to_owned)),
            ("choices", control::PREFERENCE) => fill(&mut self.preference, only(value("choices"))),
            ("choices", control::TIE) => fill(&mut self.tie, only(value("choices"))),
            ("choices", control::TAGS) => fill(&mut self.tags, words(value("choices"))),
            ("rating", control::RATING) => fill(&mut self.rating, number(value("rating"))),
            ("number", control::RATING) => fill(&mut self.rating, number(value("number"))),
            ("textarea", control::REWRITE) => fill(&mut self.rewrite, paragraphs(value("text"))),
            ("textarea", control::JUSTIFICATION) => fill(&mut self.justification, paragraphs(value("text"))),
            _ => return Ok(false),
        }?;
        Ok(true)
    }

    /// A submitted `tag` task without a result says "none of the tags": Label Studio writes no
    /// result for an empty choice, and not answering is "skip". Without a task type, whatever is there.
    fn answer(self, task_type: Option<TaskType>) -> Option<Answer> {
        let pairwise = self.tie.or(self.preference).map(Answer::Text);
        let rating = self.rating.map(Answer::Number);
        let rewrite = self.rewrite.map(Answer::Text);
        match task_type {
            Some(TaskType::Pairwise) => pairwise,
            Some(TaskType::Rate) => rating,
            Some(TaskType::Rewrite) => rewrite,
            Some(TaskType::Tag) => Some(Answer::List(self.tags.unwrap_or_default())),
            None => pairwise.or(rating).or(rewrite).or(self.tags.map(Answer::List)),
        }
    }
}

fn fill<T: PartialEq>(slot: &mut Option<T>, value: Option<T>) -> Result<(), &'static str> {
    let value = value.ok_or("bad_result")?;
    match slot {
        Some(held) if *held != value => Err("conflicting_results"),
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

fn words(value: Option<&Value>) -> Option<Vec<String>> {
    value?.as_array()?.iter().map(|word| word.as_str().map(str::to_owned)).collect()
}

fn only(value: Option<&Value>) -> Option<String> {
    words(value).filter(|words| words.len() == 1)?.pop()
}

fn number(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(number) => whole(number),
        _ => None,
    }
}

/// A list of texts, or by the schema also one text.
fn paragraphs(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        _ => words(value).map(|texts| texts.join("\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn export(task_type: &str, annotation: Value) -> Export {
        let mut annotation = annotation;
        for (key, value) in [("id", json!(1001)), ("completed_by", json!(10))] {
            let fields = annotation.as_object_mut().unwrap();
            fields.entry(key).or_insert(value);
        }
        let data = json!({ "task_id": "t1", "batch_id": "b1", "rubric": "help", "rubric_version": "3", "task_type": task_type });
        read(json!([{ "id": 1, "data": data, "annotations": [annotation] }]).to_string().as_bytes(), "ls.json")
    }

    fn result(kind: &str, name: &str, value: Value) -> Value {
        json!({ "id": "r", "type": kind, "from_name": name, "to_name": "dialogue", "value": value })
    }

    fn text(word: &str) -> Result<Option<Answer>, &'static str> {
        Ok(Some(Answer::Text(word.into())))
    }

    #[test]
    fn results_become_answers() {
        let left = || result("pairwise", "preference", json!({ "selected": "left" }));
        let tie = || result("choices", "tie", json!({ "choices": ["both-bad"] }));
        let list = |words: &[&str]| Ok(Some(Answer::List(words.iter().map(|word| (*word).to_owned()).collect())));
        for (task_type, results, expected) in [
            ("pairwise", json!([left()]), text("left")),
            ("pairwise", json!([result("pairwise", "left", json!({ "selected": "right" }))]), text("right")),
            ("pairwise", json!([left(), tie()]), text("both-bad")),
            ("pairwise", json!([tie(), left()]), text("both-bad")),
            ("pairwise", json!([result("choices", "preference", json!({ "choices": ["tie"] }))]), text("tie")),
            ("pairwise", json!([]), Ok(None)),
            ("pairwise", json!([left(), left()]), text("left")),
            (
                "pairwise",
                json!([left(), result("pairwise", "preference", json!({ "selected": "right" }))]),
                Err("conflicting_results"),
            ),
            (
                "pairwise",
                json!([result("choices", "tie", json!({ "choices": ["tie", "both-bad"] }))]),
                Err("bad_result"),
            ),
            ("rate", json!([result("rating", "rating", json!({ "rating": 0 }))]), Ok(Some(Answer::Number(0)))),
            ("rate", json!([result("number", "rating", json!({ "number": 3.0 }))]), Ok(Some(Answer::Number(3)))),
            ("rate", json!([result("rating", "rating", json!({ "rating": 3.5 }))]), Err("bad_result")),
            ("rate", json!([result("rating", "other", json!({ "rating": 3 }))]), Ok(None)),
            ("rewrite", json!([result("textarea", "rewrite", json!({ "text": ["a", "b"] }))]), text("a\nb")),
            ("rewrite", json!([result("textarea", "rewrite", json!({ "text": "a" }))]), text("a")),
            ("rewrite", json!([result("textarea", "notes", json!({ "text": "a" }))]), Ok(None)),
            ("tag", json!([result("choices", "tags", json!({ "choices": ["x", "y"] }))]), list(&["x", "y"])),
            ("tag", json!([]), list(&[])),
            ("rank", json!([]), Err("unknown_task_type")),
        ] {
            let case = results.to_string();
            let read = export(task_type, json!({ "result": results })).annotations.pop().unwrap();
            assert_eq!(read.map(|a| a.value).map_err(|bad| bad.reason), expected, "{task_type} {case}");
        }
    }

    #[test]
    fn annotators_are_ids_and_never_addresses() {
        for (completed_by, expected) in [
            (json!(10), Some("ls:10")),
            (json!("10"), Some("ls:10")),
            (json!({ "id": 10, "email": "a@example.org" }), Some("ls:10")),
            (json!({ "email": "a@example.org" }), None),
            (json!("a@example.org"), None),
            (json!(null), None),
        ] {
            let read = export("tag", json!({ "completed_by": completed_by })).annotations.pop().unwrap();
            assert!(!format!("{read:?}").contains('@'));
            match expected {
                Some(id) => assert_eq!(read.unwrap().annotator_id, id),
                None => assert_eq!(read.unwrap_err().reason, "missing_annotator"),
            }
        }
    }

    #[test]
    fn fields_and_states() {
        let results = json!([
            result("textarea", "justification", json!({ "text": ["because"] })),
            result("chatmessage", "chat", json!({})),
            result("brand-new", "x", json!({})),
            result("textarea", "notes", json!({ "text": "secret" })),
        ]);
        let mut whole = export(
            "tag",
            json!({
                "id": "a-7", "was_cancelled": true, "lead_time": 4.288, "created_at": "2021-03-09T21:52:49.513742Z", "result": results
            }),
        );
        let read = whole.annotations.pop().unwrap().unwrap();
        assert_eq!((read.annotation_id.as_str(), read.task_id.as_str()), ("a-7", "t1"));
        assert_eq!((read.state.as_str(), read.value), (CANCELLED, None));
        assert_eq!(read.justification.as_deref(), Some("because"));
        assert_eq!(read.rubric_version.as_deref(), Some("3"));
        assert_eq!(read.lead_time_s, Some(4.288));
        assert_eq!(read.created_at.as_deref(), Some("2021-03-09T21:52:49.513742Z"));
        let counted: Vec<_> = whole.unknown_results.into_iter().collect();
        assert_eq!(counted, [("chatmessage", 1), ("other", 1), ("textarea", 1)]);
        let edited = json!({ "created_at": "2021-03-09T21:52:49Z", "updated_at": "2021-03-10T00:00:00Z" });
        let edited = export("tag", edited).annotations.pop().unwrap().unwrap();
        assert_eq!(edited.created_at.as_deref(), Some("2021-03-10T00:00:00Z"));
    }

    #[test]
    fn completions_of_old_versions() {
        let old = json!([{ "data": { "task_id": "t" }, "completions": [
            { "id": 1, "completed_by": 2, "skipped": true, "created_at": 1_615_326_769, "result": [] },
        ] }]);
        let read = read(old.to_string().as_bytes(), "old.json").annotations.pop().unwrap().unwrap();
        assert_eq!((read.state.as_str(), read.created_at.as_deref()), (CANCELLED, Some("2021-03-09T21:52:49Z")));
    }

    #[test]
    fn what_is_no_full_export_is_refused_with_its_line() {
        for (text, expected) in [
            ("[]", vec![]),
            ("[{},\n\n{}\n,7]", vec![(1, "not_full_export"), (3, "not_full_export"), (4, "not_a_task")]),
            ("[{\"data\":{},\"annotations\":[]}]", vec![]),
            ("[{\"task_id\":\"t\",\"annotator\":1,\"tags\":\"x\"}]", vec![(1, "not_full_export")]),
            ("[{\"data\":{},\"annotations\":[{\"id\":1,\"completed_by\":1}]}]", vec![(1, "missing_task_id")]),
            ("[\n{", vec![(2, "not_json")]),
        ] {
            let found: Vec<_> =
                read(text.as_bytes(), "ls.json").annotations.into_iter().filter_map(Result::err).collect();
            assert_eq!(found.iter().map(|bad| (bad.line, bad.reason)).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn an_export_is_told_from_our_jsonl() {
        for (text, expected) in [("[{", true), ("\u{feff} \n[", true), ("{\"task_id\":\"t\"}", false), ("", false)] {
            assert_eq!(looks_like(text.as_bytes()), expected, "{text}");
        }
    }
}
