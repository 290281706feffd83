//! Reads our own JSONL of labels: one [`Annotation`] a line.
//!
//! Not here: whether an answer fits its task (`check`), redaction (`merge`).
//!
//! Always: every line that is not blank gives one annotation or one [`BadLabel`] with its line
//! number; unknown keys are ignored; a field of the wrong type is refused, never guessed.

use serde_json::{Map, Value};

use super::{BadLabel, id_of, time};
use crate::task::{Annotation, Answer, CANCELLED, DRAFT, SUBMITTED, TaskType};

pub fn read(bytes: &[u8], file: &str) -> Vec<Result<Annotation, BadLabel>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    bytes
        .split(|byte| *byte == b'\n')
        .zip(1..)
        .filter(|(text, _)| !text.trim_ascii().is_empty())
        .map(|(text, line)| annotation(text, file, line))
        .collect()
}

fn annotation(text: &[u8], file: &str, line: u64) -> Result<Annotation, BadLabel> {
    let bad = |reason| BadLabel { file: file.to_owned(), line, task_id: None, annotation_id: None, reason };
    let value: Value = serde_json::from_slice(text).map_err(|_| bad("not_json"))?;
    let Value::Object(fields) = value else { return Err(bad("not_an_object")) };
    let (task_id, annotation_id) = (id_of(fields.get("task_id")), id_of(fields.get("annotation_id")));
    parse(&fields, task_id.clone(), annotation_id.clone()).map_err(|reason| BadLabel {
        task_id,
        annotation_id,
        ..bad(reason)
    })
}

fn parse(
    fields: &Map<String, Value>,
    task_id: Option<String>,
    annotation_id: Option<String>,
) -> Result<Annotation, &'static str> {
    let task_type = match text(fields, "task_type")? {
        Some(word) => Some(TaskType::parse(&word).ok_or("unknown_task_type")?),
        None => None,
    };
    let state = text(fields, "state")?.unwrap_or_else(|| SUBMITTED.to_owned());
    if ![SUBMITTED, CANCELLED, DRAFT].contains(&state.as_str()) {
        return Err("unknown_state");
    }
    let created_at = text(fields, "created_at")?;
    if created_at.as_deref().is_some_and(|at| time::parse_us(at).is_none()) {
        return Err("bad_time");
    }
    Ok(Annotation {
        annotation_id: annotation_id.ok_or("missing_annotation_id")?,
        task_id: task_id.ok_or("missing_task_id")?,
        batch_id: text(fields, "batch_id")?,
        annotator_id: super::person_of(fields.get("annotator_id")).ok_or("missing_annotator")?,
        task_type,
        value: answer(fields.get("value"))?,
        state,
        justification: text(fields, "justification")?,
        rubric: text(fields, "rubric")?,
        rubric_version: version(fields.get("rubric_version"))?,
        created_at,
        lead_time_s: seconds(fields.get("lead_time_s"))?,
    })
}

fn text(fields: &Map<String, Value>, key: &str) -> Result<Option<String>, &'static str> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err("bad_field"),
    }
}

/// Versions are words, but tools that guess types write 3 for "3".
pub(super) fn version(value: Option<&Value>) -> Result<Option<String>, &'static str> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err("bad_field"),
    }
}

fn answer(value: Option<&Value>) -> Result<Option<Answer>, &'static str> {
    Ok(Some(match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => Answer::Text(text.clone()),
        Some(Value::Number(number)) => Answer::Number(whole(number).ok_or("bad_value_type")?),
        Some(Value::Array(items)) => {
            let words = items.iter().map(|item| item.as_str().map(str::to_owned));
            Answer::List(words.collect::<Option<_>>().ok_or("bad_value_type")?)
        }
        Some(Value::Bool(_) | Value::Object(_)) => return Err("bad_value_type"),
    }))
}

/// 4.0 is 4: data frames turn whole numbers into floats where a column has gaps. 4.5 is refused.
pub(super) fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        // Beyond 2^53 a float no longer tells whole numbers apart.
        (float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).then_some(float as i64)
    })
}

pub(super) fn seconds(value: Option<&Value>) -> Result<Option<f64>, &'static str> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_f64().filter(|seconds| *seconds >= 0.0).map(Some).ok_or("bad_field"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_reasons() {
        for (line, expected) in [
            (r#"{"task_id":"t","annotation_id":"a","annotator_id":"p","value":"left"}"#, Ok("left")),
            (r#"{"task_id":"t","annotation_id":7,"annotator_id":"p","value":"left","new_key":[]}"#, Ok("left")),
            (r#"{"task_id":"t","#, Err("not_json")),
            ("\u{fffd}", Err("not_json")),
            ("[1]", Err("not_an_object")),
            (r#"{"annotation_id":"a","annotator_id":"p"}"#, Err("missing_task_id")),
            (r#"{"task_id":"a free text","annotation_id":"a","annotator_id":"p"}"#, Err("missing_task_id")),
            (r#"{"task_id":"t","annotator_id":"p"}"#, Err("missing_annotation_id")),
            (r#"{"task_id":"t","annotation_id":"a"}"#, Err("missing_annotator")),
            (r#"{"task_id":"t","annotation_id":"a","annotator_id":""}"#, Err("missing_annotator")),
            (r#"{"task_id":"t","annotation_id":"a","annotator_id":"p","task_type":"rank"}"#, Err("unknown_task_type")),
            (r#"{"task_id":"t","annotation_id":"a","annotator_id":"p","state":"done"}"#, Err("unknown_state")),
            (r#"{"task_id":"t","annotation_id":"a","annotator_id":"p","created_at":"yesterday"}"#, Err("bad_time")),
            (r#"{"task_id":"t","annotation_id":"a","annotator_id":"p","justification":1}"#, Err("bad_field")),
            (r#"{"task_id":"t","annotation_id":"a","annotator_id":"p","lead_time_s":-1}"#, Err("bad_field")),
            (r#"{"task_id":"t","annotation_id":"a","annotator_id":"p","value":4.5}"#, Err("bad_value_type")),
            (r#"{"task_id":"t","annotation_id":"a","annotator_id":"p","value":[1]}"#, Err("bad_value_type")),
        ] {
            let found = read(line.as_bytes(), "x.jsonl");
            assert_eq!(found.len(), 1, "{line}");
            match (&found[0], expected) {
                (Ok(a), Ok(word)) => assert_eq!(a.value, Some(Answer::Text(word.into())), "{line}"),
                (Err(bad), Err(reason)) => assert_eq!((bad.reason, bad.line), (reason, 1), "{line}"),
                (found, expected) => panic!("{line}: {found:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn blank_lines_count_but_give_nothing_and_a_mark_at_the_start_is_no_text() {
        let text =
            "\u{feff}{\"task_id\":\"t\",\"annotation_id\":\"a\",\"annotator_id\":\"p\",\"value\":4.0}\r\n\n  \r\nx\n";
        let found = read(text.as_bytes(), "x.jsonl");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].as_ref().unwrap().value, Some(Answer::Number(4)));
        assert_eq!(found[0].as_ref().unwrap().state, SUBMITTED);
        assert_eq!(found[1].as_ref().unwrap_err().line, 4);
    }

    #[test]
    fn what_we_write_we_read() {
        let written = Annotation {
            annotation_id: "a".into(),
            task_id: "t".into(),
            batch_id: Some("b".into()),
            annotator_id: "someone else".into(),
            task_type: Some(TaskType::Tag),
            value: Some(Answer::List(vec!["x".into()])),
            state: DRAFT.into(),
            justification: Some("because".into()),
            rubric: Some("r".into()),
            rubric_version: Some("3".into()),
            created_at: Some("2026-11-01T10:00:00Z".into()),
            lead_time_s: Some(1.5),
        };
        let line = serde_json::to_vec(&written).unwrap();
        assert_eq!(read(&line, "x").pop().unwrap().unwrap(), written);
    }
}
