//! OpenInference spans (formats.md 2.7; Arize-ai/openinference@1fe497f): one LLM span is one conversation.
//!
//! Not here: OTLP attribute lists (`otel`). Always: indexes are sorted as numbers.

use std::borrow::Cow;

use super::super::Reason;
use super::super::tree::{Json, Places};
use super::dialects::Turns;
use super::{Read, caller, time_us};
use crate::record::{Conversation, Role};

const KIND: &str = "openinference.span.kind";

/// Whether a record is a span with OpenInference's attributes.
pub fn fits(record: &Json) -> bool {
    is_span(record) || record.get("attributes").is_some_and(is_span)
}

/// Whether these attributes are OpenInference's, flat or nested.
pub fn is_span(attributes: &Json) -> bool {
    attributes.has(KIND)
        || attributes.at(&["openinference", "span", "kind"]).is_some()
        || attributes.at(&["llm", "input_messages"]).is_some()
        || attributes.entries().is_some_and(|all| all.iter().any(|(key, _)| key.starts_with("llm.input_messages.")))
}

/// The conversation of one span.
pub fn read(record: &Json) -> Read {
    span(record, record.get("attributes").unwrap_or(record)).map(|one| vec![one])
}

/// One span whose attributes were found.
pub fn span(record: &Json, attributes: &Json) -> Result<Conversation, Reason> {
    let tree = nested(attributes);
    let kind = tree.at(&["openinference", "span", "kind"]).and_then(Json::text);
    if kind.is_some_and(|kind| kind != "LLM") {
        return Err(Reason::NotAGeneration);
    }
    let mut turns = Turns::default();
    let mut used = Vec::new();
    for (list, plain, role) in
        [("llm.input_messages", "input.value", Role::User), ("llm.output_messages", "output.value", Role::Assistant)]
    {
        let at = |path: &str| tree.along(path);
        if let Some(messages) = at(list).and_then(Json::list) {
            used.push(list);
            messages.iter().try_for_each(|item| turns.item(&unwrapped(item)))?;
        } else if let Some(value) = at(plain) {
            used.push(plain);
            turns.read(value, role)?;
        }
    }
    if turns.messages.is_empty() {
        return Err(Reason::NoMessages);
    }
    if let Some(tools) = tree.at(&["llm", "tools"]).and_then(Json::list) {
        used.push("llm.tools");
        for tool in tools {
            let schema = tool.at(&["tool", "json_schema"]).or_else(|| tool.get("tool.json_schema"));
            turns.define(std::slice::from_ref(schema.unwrap_or(tool)));
        }
    }
    let model = tree.at(&["llm", "model_name"]).and_then(Json::scalar);
    used.extend(model.as_ref().map(|_| "llm.model_name"));
    Ok(conversation(record, attributes, &tree, turns, model, used))
}

/// A span's conversation with its id and time; the metadata is what was not used. `tree` is
/// [`nested`] attributes.
pub fn conversation(
    record: &Json,
    attributes: &Json,
    tree: &Json,
    turns: Turns,
    model: Option<String>,
    mut used: Vec<&str>,
) -> Conversation {
    let ids = ["context.span_id", "spanContext.spanId", "spanId", "span_id"];
    let id = ids.into_iter().find_map(|key| Some((key, record.along(key)?.scalar()?)));
    let times = ["startTimeUnixNano", "start_time", "startTime"];
    let time = times.into_iter().find_map(|key| Some((key, time(record.get(key)?, key)?)));
    used.extend(id.as_ref().map(|it| it.0));
    used.extend(time.map(|it| it.0));
    let mut left = Vec::new();
    if record.has("attributes") {
        let whole = record.entries().unwrap_or_default().iter();
        left.extend(whole.filter(|(key, _)| key != "attributes").cloned());
        left.push((Cow::Borrowed("attributes"), without(attributes, &used).unwrap_or(Json::Null)));
    }
    let left = if left.is_empty() { record.clone() } else { Json::Object(left) };
    let mut one = Conversation {
        tools: turns.tools_json(),
        model,
        created_at_us: time.map(|it| it.1),
        external_id: id.map(|it| it.1),
        metadata: turns.metadata(&without(&left, &used).unwrap_or(Json::Null), &[]),
        messages: turns.messages,
        ..Conversation::default()
    };
    caller::span(&mut one, tree);
    one
}

/// A span's start: nanoseconds as OTLP has them, `[seconds, nanoseconds]`, or as loggers write it.
fn time(value: &Json, key: &str) -> Option<i64> {
    if key == "startTimeUnixNano" {
        return value.scalar()?.parse::<i64>().ok().map(|nanos| nanos / 1000);
    }
    match value.list() {
        Some([seconds, nanos]) => {
            let whole = |value: &Json| value.scalar()?.parse::<i64>().ok();
            whole(seconds)?.checked_mul(1_000_000)?.checked_add(whole(nanos)? / 1000)
        }
        Some(_) => None,
        None => time_us(value),
    }
}

/// An object without some dotted paths and all below them; nothing if nothing is left.
pub fn without<'a>(value: &Json<'a>, used: &[&str]) -> Option<Json<'a>> {
    fn walk<'a>(value: &Json<'a>, path: &str, used: &[&str]) -> Option<Json<'a>> {
        let below = |one: &str| path.strip_prefix(one).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        if used.iter().any(|one| below(one)) {
            return None;
        }
        let on_the_way =
            |one: &str| path.is_empty() || one.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        match value {
            Json::Object(entries) if used.iter().any(|one| on_the_way(one)) => {
                let left = entries.iter().filter_map(|(key, value)| {
                    let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                    Some((key.clone(), walk(value, &path, used)?))
                });
                let left: Vec<_> = left.collect();
                (!left.is_empty()).then_some(Json::Object(left))
            }
            other => Some(other.clone()),
        }
    }
    walk(value, "", used)
}

/// `{"message":{"contents":[{"message_content":{…}}],"tool_calls":[{"tool_call":{…}}]}}` without its wrappers.
fn unwrapped<'a>(item: &Json<'a>) -> Json<'a> {
    let Some(entries) = item.get("message").unwrap_or(item).entries() else { return item.clone() };
    let inner = |list: &Json<'a>, key: &str| match list {
        Json::List(items) => Json::List(items.iter().map(|it| it.get(key).unwrap_or(it).clone()).collect()),
        other => other.clone(),
    };
    let entries = entries.iter().map(|(key, value)| match key.as_ref() {
        "contents" => (Cow::Borrowed("parts"), inner(value, "message_content")),
        "tool_calls" => (key.clone(), inner(value, "tool_call")),
        _ => (key.clone(), value.clone()),
    });
    Json::Object(entries.collect())
}

/// Dotted keys as a tree; objects whose keys are all numbers become lists in the order of the numbers.
pub fn nested<'a>(attributes: &Json<'a>) -> Json<'a> {
    let mut root = Node::default();
    for (key, value) in attributes.entries().unwrap_or_default() {
        root.insert(key, value.clone(), DOTS);
    }
    match root.json() {
        Json::Null => Json::Object(Vec::new()),
        tree => listed(tree),
    }
}

/// Dots of a key that are followed; what is behind them is one name. A tree without end would
/// need a stack without end.
const DOTS: usize = 64;

/// A name among dotted keys.
#[derive(Default)]
struct Node<'a> {
    /// Its value as it came; what came flat besides lies below.
    own: Option<Json<'a>>,
    below: Vec<(Cow<'a, str>, Node<'a>)>,
    places: Places,
}

impl<'a> Node<'a> {
    fn child(&mut self, key: &str) -> &mut Node<'a> {
        let at = self.places.find(&self.below, key).unwrap_or_else(|| {
            self.below.push((Cow::Owned(key.to_owned()), Node::default()));
            self.below.len() - 1
        });
        &mut self.below[at].1
    }

    fn insert(&mut self, path: &str, value: Json<'a>, dots: usize) {
        self.spread();
        let split = path.split_once('.').filter(|_| dots > 0);
        let dots = dots.saturating_sub(1);
        match split {
            Some((head, tail)) => self.child(head).insert(tail, value, dots),
            None => self.child(path).put(value, dots),
        }
    }

    fn put(&mut self, value: Json<'a>, dots: usize) {
        match value {
            Json::Null => {}
            value if self.own.is_none() && self.below.is_empty() => self.own = Some(value),
            Json::Object(children) => children.into_iter().for_each(|(key, child)| self.insert(&key, child, dots)),
            text => {
                self.spread();
                // The same path twice, flat and nested, says nothing new.
                self.own.get_or_insert(text);
            }
        }
    }

    /// Makes names of an object's keys, so that others can come beside them.
    fn spread(&mut self) {
        match self.own.take() {
            Some(Json::Object(children)) => {
                let node = |own| Node { own: Some(own).filter(|own| *own != Json::Null), ..Node::default() };
                self.below.extend(children.into_iter().map(|(key, own)| (key, node(own))));
            }
            other => self.own = other,
        }
    }

    /// A text and a tree under one name: the text goes under an empty name, so that no list is
    /// made of the tree.
    fn json(self) -> Json<'a> {
        if self.below.is_empty() {
            return self.own.unwrap_or(Json::Null);
        }
        let own = self.own.map(|own| (Cow::Borrowed(""), own));
        Json::Object(own.into_iter().chain(self.below.into_iter().map(|(key, node)| (key, node.json()))).collect())
    }
}

fn listed(node: Json) -> Json {
    let Json::Object(entries) = node else { return node };
    let mut entries: Vec<_> = entries.into_iter().map(|(key, value)| (key, listed(value))).collect();
    if entries.is_empty() || !entries.iter().all(|(key, _)| key.parse::<u32>().is_ok()) {
        return Json::Object(entries);
    }
    entries.sort_by_key(|(key, _)| key.parse::<u32>().unwrap_or(u32::MAX));
    Json::List(entries.into_iter().map(|(_, value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_dots_alone_makes_no_tree_without_end() {
        let record = format!(r#"{{"llm.input_messages.0.message.role":"user","{}":1}}"#, "a.".repeat(1 << 17));
        let tree = nested(&serde_json::from_str(&record).unwrap()).json();
        assert!(tree.starts_with(r#"{"llm":{"input_messages":[{"message":{"role":"user"}}]},"a":{"a":{"#));
        assert_eq!(tree.matches("\"a\":{").count(), DOTS);
    }

    #[test]
    fn flat_nested_fallback_and_rejects() {
        for (json, want) in [
            (
                r#"{"openinference.span.kind":"LLM","llm.input_messages.10.message.role":"assistant","llm.input_messages.2.message.role":"user","llm.input_messages.2.message.content":"hi"}"#,
                Ok(2),
            ),
            (r#"{"attributes":{"llm":{"input_messages":[{"message":{"role":"user","content":"hi"}}]}}}"#, Ok(1)),
            (r#"{"openinference.span.kind":"LLM","input.value":"hi","output.value":"hello"}"#, Ok(2)),
            (r#"{"openinference.span.kind":"CHAIN","input.value":"hi"}"#, Err(Reason::NotAGeneration)),
            (r#"{"llm.input_messages.0.message.role":"wizard"}"#, Err(Reason::UnknownRole)),
            (r#"{"llm.input_messages.0.message.content":"x"}"#, Err(Reason::MissingRole)),
            (r#"{"openinference.span.kind":"LLM"}"#, Err(Reason::NoMessages)),
            (
                r#"{"attributes":{"llm":{"input_messages":[{"message":{"role":"user","content":5}}]}}}"#,
                Err(Reason::BadShape),
            ),
        ] {
            let record: Json = serde_json::from_str(json).unwrap();
            assert!(fits(&record), "{json}");
            assert_eq!(read(&record).map(|list| list[0].messages.len()), want, "{json}");
        }
    }

    #[test]
    fn flat_and_nested_keys_meet_and_a_text_beside_a_tree_is_no_list() {
        for json in [r#"{"a.b":1,"a":{"c":2}}"#, r#"{"a":{"b":1},"a.c":2}"#] {
            assert_eq!(nested(&serde_json::from_str(json).unwrap()).json(), r#"{"a":{"b":1,"c":2}}"#);
        }
        for json in [r#"{"a":"x","a.0":1}"#, r#"{"a.0":1,"a":"x"}"#] {
            assert!(nested(&serde_json::from_str(json).unwrap()).get("a").and_then(Json::entries).is_some(), "{json}");
        }
    }

    /// Looking at all keys for each key would take minutes.
    #[test]
    fn many_keys_become_a_tree_in_time() {
        let keys = 100_000;
        let all: Vec<_> = (0..keys).map(|at| format!(r#""a.k{at}.b":{at}"#)).collect();
        let record = format!("{{{}}}", all.join(","));
        let began = std::time::Instant::now();
        let tree = nested(&serde_json::from_str(&record).unwrap());
        assert_eq!(tree.get("a").and_then(Json::entries).map(<[_]>::len), Some(keys));
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[test]
    fn indexes_sort_as_numbers() {
        let all: Vec<String> = [10, 9, 2]
            .iter()
            .map(|at| {
                let key = format!("llm.input_messages.{at}.message");
                format!(r#""{key}.role":"user","{key}.content":"{at}""#)
            })
            .collect();
        let json = format!("{{{}}}", all.join(","));
        let got = read(&serde_json::from_str(&json).unwrap()).unwrap().remove(0);
        assert_eq!(got.messages.iter().map(|one| one.content.as_str()).collect::<Vec<_>>(), ["2", "9", "10"]);
    }

    #[test]
    fn metadata_holds_what_gave_no_field() {
        let json = r#"{"context":{"span_id":"s","trace_id":"t"},"start_time":"2026-11-01T10:00:00Z","attributes":{
            "openinference.span.kind":"LLM","session.id":"a","user.id":"u","llm.model_name":"m","input.value":"in",
            "llm.input_messages.0.message.role":"user","llm.input_messages.0.message.content":"hi",
            "llm.input_messages.0.message.mood":"fine","output.value":"bye",
            "llm.tools.0.tool.json_schema":"{\"name\":\"f\",\"parameters\":{}}"}}"#;
        let got = read(&serde_json::from_str(json).unwrap()).unwrap().remove(0);
        assert_eq!((got.external_id.as_deref(), got.model.as_deref()), (Some("s"), Some("m")));
        assert!(got.created_at_us.is_some() && got.tools.is_some());
        assert_eq!(
            got.metadata.as_deref(),
            Some(concat!(
                r#"{"context":{"trace_id":"t"},"attributes":{"openinference.span.kind":"LLM","session.id":"a","#,
                r#""user.id":"u","input.value":"in"},"turns":[{"mood":"fine"},null]}"#
            ))
        );
    }
}
