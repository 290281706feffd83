//! Question sets and the answers of models, which lie in files of their own (MT-bench and its like).
//!
//! Always: question numbers count only within what one entry of the pipeline names; a question
//! without an answer, and an answer without its question, stay what they are.

use std::borrow::Cow;

use super::super::Reason;
use super::super::formats::judged::{self, Half};
use super::super::tree::Json;
use super::Part;
use crate::config::Format;

pub fn part(record: &Json) -> Option<Part> {
    let order = judged::half(record).map(|half| i64::from(half == Half::Answer))?;
    let key = record.get("question_id").and_then(Json::scalar)?;
    Some(Part { format: Some(Format::Judged), key, is_global: false, order })
}

pub fn whole(parts: Vec<Json>) -> Result<Json, Reason> {
    let (mut questions, answers): (Vec<_>, Vec<_>) =
        parts.into_iter().partition(|part| judged::half(part) == Some(Half::Question));
    let question = match (questions.pop(), questions.is_empty()) {
        (Some(question), true) => question,
        (Some(_), false) => return Err(Reason::AmbiguousJoin),
        (None, _) => return Err(Reason::NoMessages),
    };
    if answers.is_empty() {
        return Ok(question);
    }
    Ok(Json::Object(vec![(Cow::Borrowed("question"), question), (Cow::Borrowed("answers"), Json::List(answers))]))
}
