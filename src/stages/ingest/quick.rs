//! The two commonest rows read without copying: a chat of plain messages, and a text alone.
//!
//! Not here: anything out of the ordinary (tool calls, content in parts, a second key of one name).
//! Who gets no answer asks [`super::parse`], which also knows what is wrong.
//!
//! Always: a chat that is read here has the messages and the time that `parse` gives it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::parse::{MORE_THAN_CHAT, time_us};
use super::text_reader;
use super::tree::{Key, Seen};
use crate::record::Role;

/// A row, as far as it can be read at once.
#[derive(Debug, Default)]
pub struct Quick<'a> {
    /// Its own id as JSON, of the first of [`IDS`] that it has.
    pub id: Option<&'a str>,
    pub chat: Option<Vec<(Role, Cow<'a, str>)>>,
    pub text: Option<Cow<'a, str>>,
    pub created_at_us: Option<i64>,
    /// It has keys that other formats have.
    pub more: bool,
}

/// Keys of a record's own id, the surest first.
pub const IDS: [&str; 12] = [
    "id",
    "conversation_id",
    "record_id",
    "uuid",
    "_id",
    "custom_id",
    "dialogue_id",
    "conversation_hash",
    "request_id",
    "trace_id",
    "question_id",
    "instruction_id",
];

/// Keys with which a row is no plain chat and no text alone.
const OTHERS: [&str; 16] = [
    "conversations",
    "conversation",
    "chosen",
    "rejected",
    "system",
    "prompt",
    "instruction",
    "question",
    "turns",
    "completion",
    "choices",
    "body",
    "request",
    "messages_json",
    "parent_id",
    "message_id",
];

/// Nothing where the row is not what this module reads.
pub fn read(text: &str, deepest: u32) -> Option<Quick<'_>> {
    text_reader::read(text, deepest, Row { all: false }).ok()
}

/// The id of a record of any format, as JSON.
pub fn own_id(text: &str, deepest: u32) -> Option<&str> {
    text_reader::read(text, deepest, Row { all: true }).ok()?.id
}

/// `all` reads past what is out of the ordinary, for its id alone.
#[derive(Clone, Copy)]
struct Row {
    all: bool,
}

impl<'de> DeserializeSeed<'de> for Row {
    type Value = Quick<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Quick<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row {
    type Value = Quick<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a plain row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Quick<'de>, A::Error> {
        let (mut row, mut best, mut seen) = (Quick::default(), IDS.len(), Seen::default());
        while let Some(Key(key)) = map.next_key()? {
            if !self.all && !seen.insert(key.clone()) {
                return Err(A::Error::custom("a key stands twice"));
            }
            match key.as_ref() {
                "messages" if !self.all => row.chat = map.next_value_seed(Chat)?,
                "text" if !self.all => row.text = map.next_value::<Option<Key>>()?.map(|Key(text)| text),
                "created" | "created_at" | "timestamp" if !self.all => {
                    row.created_at_us = map.next_value::<Option<&RawValue>>()?.and_then(|raw| time_us(raw.get()));
                }
                name => {
                    row.more |= OTHERS.contains(&name) || MORE_THAN_CHAT.contains(&name);
                    match IDS.iter().position(|id| *id == name) {
                        Some(rank) => {
                            let id = map.next_value::<&RawValue>()?.get();
                            if rank < best && id.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
                                (row.id, best) = (Some(id), rank);
                            }
                        }
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
            }
        }
        Ok(row)
    }
}

/// A list of plain messages, or null.
struct Chat;

impl<'de> DeserializeSeed<'de> for Chat {
    type Value = Option<Vec<(Role, Cow<'de, str>)>>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Chat {
    type Value = Option<Vec<(Role, Cow<'de, str>)>>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("plain messages")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut messages = Vec::with_capacity(8);
        while let Some(message) = items.next_element_seed(Plain)? {
            messages.push(message);
        }
        Ok(Some(messages))
    }
}

/// One message of a role and a text.
struct Plain;

impl<'de> DeserializeSeed<'de> for Plain {
    type Value = (Role, Cow<'de, str>);
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Plain {
    type Value = (Role, Cow<'de, str>);

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a plain message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let unusual = || A::Error::custom("out of the ordinary");
        let (mut role, mut content) = (None, None);
        while let Some(Key(key)) = map.next_key()? {
            match key.as_ref() {
                "role" if role.is_none() => {
                    role = Some(Role::parse(&map.next_value::<Key>()?.0).ok_or_else(unusual)?);
                }
                "content" if content.is_none() => content = Some(map.next_value::<Key>()?.0),
                // Of all other keys `parse` takes these, which must be null; or it drops them.
                "role" | "content" | "type" | "additional_kwargs" | "name" | "tool_call_id" | "tool_calls"
                | "function_call" => return Err(unusual()),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let content: Cow<str> = content.unwrap_or_default();
        let holds_nul = matches!(&content, Cow::Owned(text) if memchr::memchr(0, text.as_bytes()).is_some());
        if holds_nul { Err(unusual()) } else { Ok((role.ok_or_else(unusual)?, content)) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, parse};
    use super::*;

    #[test]
    fn what_is_read_here_is_what_parse_reads() {
        let reading = Reading::default();
        for (json, chat) in [
            (r#"{"id":7,"messages":[{"role":"human","content":"a\nb"},{"content":"c","role":"gpt","x":[1]}]}"#, true),
            (r#"{"created":1.5,"messages":[{"role":"user","content":"é"}],"user":"u"}"#, true),
            (r#"{"messages":[{"role":"user","content":null}]}"#, false),
            (r#"{"messages":[{"role":"user","content":"a","tool_calls":[]}]}"#, false),
            (r#"{"messages":[{"role":"user","content":"a\u0000"}]}"#, false),
            (r#"{"messages":[{"role":"wizard","content":"a"}]}"#, false),
            (r#"{"messages":[{"role":"user","content":"a"}],"messages":[]}"#, false),
            (r#"{"messages":[{"role":"user","content":"a"}]} x"#, false),
        ] {
            let quick = read(json, 64);
            assert_eq!(quick.is_some(), chat, "{json}");
            let Some(quick) = quick else { continue };
            let slow = parse(json.as_bytes(), &reading).unwrap().remove(0);
            let said = slow.messages.iter().map(|message| (message.role, Cow::Borrowed(message.content.as_str())));
            assert_eq!(quick.chat.unwrap(), said.collect::<Vec<_>>(), "{json}");
            assert_eq!(quick.created_at_us, slow.created_at_us, "{json}");
        }
    }

    #[test]
    fn ids_and_texts() {
        for (json, id, text) in [
            (r#"{"uuid":"u","id":"a\"b","text":"t"}"#, Some(r#""a\"b""#), Some("t")),
            (r#"{"text":"t","id":12}"#, Some("12"), Some("t")),
            (r#"{"id":null,"conversation_id":"c"}"#, Some(r#""c""#), None),
            (r#"{"id":[1],"text":null}"#, None, None),
        ] {
            let row = read(json, 64).unwrap();
            assert_eq!((row.id, row.text.as_deref()), (id, text), "{json}");
            assert_eq!(own_id(json, 64), id);
        }
        assert_eq!(own_id(r#"{"messages":5,"text":{},"id":"x"}"#, 64), Some("\"x\""));
    }
}
