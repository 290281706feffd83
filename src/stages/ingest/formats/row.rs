//! What the row formats share: a record's id, model and time, and metadata that loses nothing.
//!
//! Not here: how a format's messages are found.
//!
//! Always: a key that gave a field is not in the metadata too, and a key that did not is; a value
//! of an unexpected type stays in the metadata instead of a field.

use std::borrow::Cow;

use super::super::tree::Json;
use super::extra::{Unique, beside};
use super::{rest, time_us};
use crate::record::{Conversation, Message};

/// Keys of one format: where a field may stand, in order of preference, and what was read already.
#[derive(Clone, Copy, Default)]
pub struct Keys {
    pub id: &'static [&'static str],
    pub model: &'static [&'static str],
    pub time: &'static [&'static str],
    pub used: &'static [&'static str],
}

/// A value for the metadata that is no key of the record.
pub type Extra<'a> = (&'static str, Json<'a>);

/// A conversation with the record's own fields; all keys that gave none go to the metadata.
pub fn conversation(record: &Json, messages: Vec<Message>, keys: Keys, extras: Vec<Extra>) -> Conversation {
    let mut used = keys.used.to_vec();
    let external_id = first(record, keys.id, &mut used, |value| value.scalar());
    let model = first(record, keys.model, &mut used, |value| value.text().map(str::to_owned));
    let created_at_us = first(record, keys.time, &mut used, time_us);
    let metadata = metadata(record, &used, extras);
    Conversation { messages, model, created_at_us, external_id, metadata, ..Conversation::default() }
}

/// The first key whose value can be read; only that key counts as used.
fn first<T>(
    record: &Json,
    keys: &[&'static str],
    used: &mut Vec<&'static str>,
    read: impl Fn(&Json) -> Option<T>,
) -> Option<T> {
    let (key, value) = keys.iter().find_map(|key| Some((*key, read(record.get(key)?)?)))?;
    used.push(key);
    Some(value)
}

/// [`rest`] and the extras.
pub fn metadata(record: &Json, used: &[&str], extras: Vec<Extra>) -> Option<String> {
    if extras.is_empty() {
        return rest(record, used);
    }
    let mut all = Unique::default();
    beside(record, used).for_each(|(key, value)| all.add(Cow::Borrowed(key.as_ref()), value));
    extras.iter().for_each(|(name, value)| all.add(Cow::Borrowed(name), value));
    Some(Json::object_json(all.entries.iter().map(|(name, value)| (name.as_ref(), *value))))
}

/// Keys of a message under which reasoning is logged.
const THINKING: [&str; 4] = ["thinking", "reasoning", "reasoning_content", "reasoning_details"];

/// What chat messages say beside role, content and tool calls: reasoning under `thinking`, all
/// else under `turns`, one object for each message (null where there is nothing).
pub fn message_extras<'a>(messages: &[Json<'a>]) -> Vec<Extra<'a>> {
    let mut extras = Vec::new();
    let thinking: Vec<Json> =
        messages.iter().flat_map(|message| THINKING.iter().filter_map(|key| message.get(key).cloned())).collect();
    if !thinking.is_empty() {
        extras.push(("thinking", Json::List(thinking)));
    }
    extras.extend(left_over(messages, |message, key| THINKING.contains(&key) || is_read(message, key)));
    extras
}

/// Under `turns`: each message's keys that were not used, in order; nothing if none has any.
pub fn left_over<'a>(messages: &[Json<'a>], used: impl Fn(&Json, &str) -> bool) -> Option<Extra<'a>> {
    let turns: Vec<Json> = messages
        .iter()
        .map(|message| {
            let entries = message.entries().unwrap_or_default().iter();
            let left: Vec<_> =
                entries.filter(|(key, value)| *value != Json::Null && !used(message, key)).cloned().collect();
            if left.is_empty() { Json::Null } else { Json::Object(left) }
        })
        .collect();
    turns.iter().any(|turn| *turn != Json::Null).then_some(("turns", Json::List(turns)))
}

/// Whether `messages::message` reads this key; it passes over values of other types.
fn is_read(message: &Json, key: &str) -> bool {
    match key {
        "role" | "content" | "function_call" => true,
        "name" | "tool_call_id" => message.text_of(key).is_some(),
        "tool_calls" => message.list_of(key).is_some(),
        _ => false,
    }
}

/// Whether a record has one of the keys with a value.
pub fn has_any(record: &Json, keys: &[&str]) -> bool {
    keys.iter().any(|key| record.get(key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_no_field_stays_in_the_metadata() {
        let keys = Keys { id: &["id"], model: &["model"], time: &["at"], used: &["text"] };
        let json = r#"{"id":7,"model":{"a":1},"at":"soon","text":"x","turns":2,"gone":null}"#;
        let record: Json = serde_json::from_str(json).unwrap();
        let got = conversation(&record, Vec::new(), keys, vec![("turns", Json::Bool(true))]);
        assert_eq!((got.external_id.as_deref(), got.model, got.created_at_us), (Some("7"), None, None));
        assert_eq!(got.metadata.as_deref(), Some(r#"{"model":{"a":1},"at":"soon","turns":2,"_turns":true}"#));
    }

    #[test]
    fn thinking_and_unread_keys_of_messages_are_kept() {
        let json = r#"[{"role":"user","content":"a"},
            {"role":"assistant","content":"b","reasoning_content":"r","tool_calls":"[]","weight":0}]"#;
        let messages: Json = serde_json::from_str(json).unwrap();
        let extras = message_extras(messages.list().unwrap());
        let got: Vec<_> = extras.iter().map(|(name, value)| (*name, value.json())).collect();
        let turns = r#"[null,{"tool_calls":"[]","weight":0}]"#;
        assert_eq!(got, [("thinking", r#"["r"]"#.to_owned()), ("turns", turns.to_owned())]);
        assert!(message_extras(&messages.list().unwrap()[..1]).is_empty());
    }
}
