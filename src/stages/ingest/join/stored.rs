//! Stored completions of OpenAI: the completion has the answer, pages of its message list have
//! what was asked; ids of messages are the completion's id and a number.

use std::borrow::Cow;

use super::super::Reason;
use super::super::tree::Json;
use super::{Part, entries};
use crate::config::Format;

const COMPLETION: &str = "chat.completion";

pub fn part(record: &Json) -> Option<Part> {
    let (key, order) = match record.text_of("object")? {
        COMPLETION if record.get("request").is_none() => (record.text_of("id")?, i64::MAX),
        "list" => {
            let first = record.list_of("data")?.first()?;
            let (completion, number) = first.text_of("id").filter(|_| first.has("role"))?.rsplit_once('-')?;
            (completion, number.parse().ok()?)
        }
        _ => return None,
    };
    Some(Part { format: Some(Format::OpenaiExchange), key: key.to_owned(), is_global: true, order })
}

/// An answer alone, or a question alone, stays what it is.
pub fn whole(mut parts: Vec<Json>) -> Result<Json, Reason> {
    let completion = |part: &Json| part.text_of("object") == Some(COMPLETION);
    let answers = parts.iter().filter(|part| completion(part)).count();
    if answers > 1 {
        return Err(Reason::AmbiguousJoin);
    }
    let answer = if answers == 1 { parts.pop() } else { None };
    let mut messages = Vec::new();
    for (key, value) in parts.into_iter().flat_map(entries) {
        if let ("data", Json::List(page)) = (key.as_ref(), value) {
            messages.extend(page);
        }
    }
    match answer {
        Some(answer) if messages.is_empty() => Ok(answer),
        Some(answer) => {
            Ok(object_of(vec![("request", object_of(vec![("messages", Json::List(messages))])), ("response", answer)]))
        }
        None => Ok(object_of(vec![("object", Json::Text(Cow::Borrowed("list"))), ("data", Json::List(messages))])),
    }
}

fn object_of<'a>(entries: Vec<(&'static str, Json<'a>)>) -> Json<'a> {
    Json::Object(entries.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect())
}
