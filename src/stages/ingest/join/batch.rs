//! Lines of the batch APIs of OpenAI and Anthropic: the input has the request, the output the
//! answer, and both carry the `custom_id` that the caller chose.
//!
//! Always: callers number their requests, so a `custom_id` counts only within what one entry of
//! the pipeline names; two inputs or two answers under one are ambiguous.

use super::super::Reason;
use super::super::formats::fits;
use super::super::tree::Json;
use super::{Growing, Part, entries};

const ASKED: [&str; 2] = ["body", "params"];
const ANSWERED: [&str; 2] = ["response", "result"];

/// A line with one half of an exchange.
pub fn part(record: &Json) -> Option<Part> {
    let key = record.get("custom_id").and_then(Json::scalar)?;
    let has = |keys: [&str; 2]| keys.iter().any(|key| record.get(key).is_some());
    // A failed request has an error in place of its answer.
    let answered = has(ANSWERED) || record.get("error").is_some();
    if has(ASKED) == answered {
        return None;
    }
    Some(Part { format: Some(fits(record)?), key, is_global: false, order: i64::from(answered) })
}

pub fn whole(parts: Vec<Json>) -> Result<Json, Reason> {
    for keys in [ASKED, ANSWERED] {
        let halves = parts.iter().filter(|part| keys.iter().any(|key| part.get(key).is_some()));
        if halves.count() > 1 {
            return Err(Reason::AmbiguousJoin);
        }
    }
    let mut whole = Growing::default();
    parts.into_iter().for_each(|part| whole.add(entries(part)));
    Ok(Json::Object(whole.entries))
}
