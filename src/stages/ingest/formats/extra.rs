//! The metadata that a logged call leaves behind: what no field of a conversation holds.
//!
//! Not here: what a format reads; it tells this collector which keys it has used.
//!
//! Always: nothing is left out but nulls, empty lists, token lists (`logprobs`) and the bytes of
//! pictures, sounds and files: redaction cannot look into either. Bytes that are no part of a
//! message (those have a placeholder in the text) become `[data]`.

use std::borrow::Cow;

use super::super::media::Medium;
use super::super::tree::{Json, Seen};

pub type Entries<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

/// Collected until it becomes `metadata`.
#[derive(Clone, Debug, Default)]
pub struct Extra<'a> {
    entries: Entries<'a>,
    thinking: Vec<Json<'a>>,
    /// By the place of the message that they belong to.
    turns: Vec<Vec<Json<'a>>>,
    items: Vec<Json<'a>>,
}

impl<'a> Extra<'a> {
    /// Keys of an object, beside the others.
    pub fn keep(&mut self, object: &Json<'a>, used: &[&str]) {
        self.entries.extend(left(object, used));
    }

    /// Keys of an object, as one object of their own.
    pub fn nest(&mut self, name: &'static str, object: &Json<'a>, used: &[&str]) {
        let left = left(object, used);
        if !left.is_empty() {
            self.entries.push((Cow::Borrowed(name), Json::Object(left)));
        }
    }

    /// A thought of the model, which is not part of what it said.
    pub fn think(&mut self, thought: &Json<'a>) {
        self.thinking.push(thought.clone());
    }

    /// Something that happened between messages and has no place among them.
    pub fn item(&mut self, item: &Json<'a>) {
        self.items.push(slim(item));
    }

    /// Keys of the message that will stand at `index`.
    pub fn message(&mut self, index: usize, message: &Json<'a>, used: &[&str]) {
        self.indexed(index, slim_entries(&left(message, used)));
    }

    /// What parts or tool calls of that message say beside what was read of them.
    pub fn parts(&mut self, index: usize, parts: &Json<'a>) {
        let parts = parts.list().unwrap_or_default().iter().enumerate();
        let left: Vec<_> = parts
            .filter_map(|(at, part)| {
                let left = slim_entries(&unread(part));
                (!left.is_empty()).then(|| Json::Object(numbered(at, left)))
            })
            .collect();
        if !left.is_empty() {
            self.indexed(index, vec![(Cow::Borrowed("parts"), Json::List(left))]);
        }
    }

    fn indexed(&mut self, index: usize, left: Entries<'a>) {
        if !left.is_empty() {
            self.turns.resize_with(self.turns.len().max(index + 1), Vec::new);
            self.turns[index].push(Json::Object(left));
        }
    }

    /// As JSON text; nothing if nothing is left.
    pub fn metadata(self) -> Option<String> {
        let mut all = Unique::default();
        for (name, value) in self.entries {
            // Requests have a setting of the name `thinking`.
            let name = if name == "thinking" && !self.thinking.is_empty() { "thinking_setting".into() } else { name };
            all.add(name, value);
        }
        let turns = self.turns.into_iter().map(turn).collect();
        let lists = [("thinking", self.thinking), ("turns", turns), ("between_messages", self.items)];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            all.add(Cow::Borrowed(name), Json::List(list));
        }
        (!all.entries.is_empty()).then(|| Json::Object(all.entries).json())
    }
}

/// What one message says besides, as it stands under `turns`: an object, null if there is nothing,
/// a list of objects if it comes from several places.
pub fn turn(mut left: Vec<Json>) -> Json {
    if left.len() > 1 { Json::List(left) } else { left.pop().unwrap_or(Json::Null) }
}

/// An object; a key must not stand twice in it, or nobody can read it again: later ones get
/// underscores in front.
pub struct Unique<'a, V> {
    pub entries: Vec<(Cow<'a, str>, V)>,
    seen: Seen<'a>,
}

impl<V> Default for Unique<'_, V> {
    fn default() -> Self {
        Unique { entries: Vec::new(), seen: Seen::default() }
    }
}

impl<'a, V> Unique<'a, V> {
    pub fn add(&mut self, mut name: Cow<'a, str>, value: V) {
        while !self.seen.insert(name.clone()) {
            name.to_mut().insert(0, '_');
        }
        self.entries.push((name, value));
    }
}

fn numbered(number: usize, left: Entries) -> Entries {
    let mut all = Unique::default();
    all.add(Cow::Borrowed("part_index"), Json::Number(number.into()));
    left.into_iter().for_each(|(key, value)| all.add(key, value));
    all.entries
}

/// Everything of an object but nulls and the keys named.
pub fn left<'a>(object: &Json<'a>, used: &[&str]) -> Entries<'a> {
    beside(object, used).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The same, where they stand.
pub fn beside<'v, 'a>(object: &'v Json<'a>, used: &[&str]) -> impl Iterator<Item = (&'v Cow<'a, str>, &'v Json<'a>)> {
    let entries = object.entries().unwrap_or_default().iter().map(|(key, value)| (key, value));
    entries.filter(|(key, value)| !used.contains(&key.as_ref()) && **value != Json::Null)
}

/// The keys of a part, block or tool call that no reader looks at.
fn unread<'a>(part: &Json<'a>) -> Entries<'a> {
    let kind = part.text_of("type");
    let id = if part.text_of("id").is_some() { "id" } else { "" };
    match kind {
        // These are kept elsewhere, whole.
        Some("thinking" | "redacted_thinking") => Vec::new(),
        Some(kind) if kind.ends_with("tool_result") => Vec::new(),
        Some(kind) if kind.ends_with("tool_use") => left(part, &["type", id, "name", "input"]),
        Some("refusal") => left(part, &["type", "refusal"]),
        Some("search_result") => left(part, &["type", "content"]),
        _ if part.has("function") => {
            let function = part.get("function").map(|function| left(function, &["name", "arguments"]));
            let mut all = left(part, &["type", id, "function"]);
            all.extend(function.filter(|left| !left.is_empty()).map(|left| ("function".into(), Json::Object(left))));
            all
        }
        _ if part.has("arguments") => left(part, &["type", id, "name", "arguments"]),
        _ if is_text(kind) => left(part, &["type", "text"]),
        _ => Medium::of(part).map_or_else(|| left(part, &["type"]), |medium| medium.left),
    }
}

fn is_text(kind: Option<&str>) -> bool {
    matches!(kind, None | Some("text" | "input_text" | "output_text"))
}

fn slim<'a>(value: &Json<'a>) -> Json<'a> {
    match value {
        Json::List(items) => Json::List(items.iter().map(slim).collect()),
        Json::Object(entries) => Json::Object(slim_entries(entries)),
        other => other.clone(),
    }
}

fn slim_entries<'a>(entries: &[(Cow<'a, str>, Json<'a>)]) -> Entries<'a> {
    let empty = |value: &Json| matches!(value, Json::List(items) if items.is_empty());
    let kept = entries.iter().filter(|(key, value)| key != "logprobs" && !empty(value));
    kept.map(|(key, value)| (key.clone(), if is_bytes(key, value) { Json::Text("[data]".into()) } else { slim(value) }))
        .collect()
}

/// Bytes as base64. Plain text of a document also stands under `data`; it has white space.
fn is_bytes(key: &str, value: &Json) -> bool {
    value.text().is_some_and(|text| {
        let is_data_url = text.starts_with("data:") && text.contains(";base64,");
        let is_base64 = text.len() > 64 && !text.contains(char::is_whitespace);
        is_data_url || (is_base64 && ["data", "file_data", "b64_json", "result"].contains(&key))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn no_name_stands_twice() {
        let mut extra = Extra::default();
        extra.keep(&json(r#"{"thinking":{"type":"enabled"},"choice":1,"gone":null}"#), &[]);
        extra.nest("choice", &json(r#"{"index":0}"#), &[]);
        extra.think(&json(r#"{"type":"thinking","thinking":"hm"}"#));
        extra.message(2, &json(r#"{"name":9,"role":"user"}"#), &["role"]);
        assert_eq!(
            extra.metadata().as_deref(),
            Some(concat!(
                r#"{"thinking_setting":{"type":"enabled"},"choice":1,"_choice":{"index":0},"#,
                r#""thinking":[{"type":"thinking","thinking":"hm"}],"#,
                r#""turns":[null,null,{"name":9}]}"#
            ))
        );
        assert_eq!(Extra::default().metadata(), None);
    }

    #[test]
    fn parts_keep_what_no_reader_looks_at() {
        let long = "QUJD".repeat(20);
        for (part, left) in [
            (r#"{"type":"text","text":"a"}"#.to_owned(), None),
            (r#"{"type":"image"}"#.to_owned(), None),
            (r#"{"type":"thinking","thinking":"x","signature":"s"}"#.to_owned(), None),
            (r#"{"type":"refusal","refusal":"a"}"#.to_owned(), None),
            (r#"{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}"#.to_owned(), None),
            (r#"{"name":"f","arguments":"{}"}"#.to_owned(), None),
            (r#"{"type":"tool_use","id":"t","name":"f","input":{"a":1}}"#.to_owned(), None),
            (r#"{"type":"output_text","text":"a","annotations":[],"logprobs":[{"token":"a"}]}"#.to_owned(), None),
            (
                r#"{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}"#.to_owned(),
                Some(r#""cache_control":{"type":"ephemeral"}"#.to_owned()),
            ),
            (
                r#"{"id":7,"function":{"name":"f","arguments":"","x":1},"index":0}"#.to_owned(),
                Some(r#""id":7,"index":0,"function":{"x":1}"#.to_owned()),
            ),
            (
                format!(
                    r#"{{"type":"image","source":{{"type":"base64","data":"{long}"}},"tool":{{"data":"{long}"}}}}"#
                ),
                Some(r#""tool":{"data":"[data]"}"#.to_owned()),
            ),
            (
                r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD","detail":"low"}}"#.to_owned(),
                Some(r#""image_url":{"detail":"low"}"#.to_owned()),
            ),
            (
                r#"{"type":"document","source":{"type":"text","data":"plain text"}}"#.to_owned(),
                Some(r#""source":{"type":"text","data":"plain text"}"#.to_owned()),
            ),
        ] {
            let parts = format!("[\"skip\",{part}]");
            let mut extra = Extra::default();
            extra.parts(1, &json(&parts));
            let expected = left.map(|left| format!(r#"{{"turns":[null,{{"parts":[{{"part_index":1,{left}}}]}}]}}"#));
            assert_eq!(extra.metadata(), expected, "{part}");
        }
    }
}
