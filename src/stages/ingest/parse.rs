//! One raw record to its conversations. The shape is told by the keys the record has: the three
//! commonest formats in one pass, all others from a tree (`formats`).
//!
//! Always: a record is read whole or rejected whole; a key that stands twice is a reject, because
//! which of the two was meant cannot be known.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::formats::caller;
use super::glance::Glance;
use super::join::{self, Part};
use super::openai::RawMessage;
use super::said::{Said, Talk, messages};
use super::sharegpt::Turn;
use super::text_reader;
use super::tree::{Json, Key, Seen};
use super::{Body, Reading, Reason, formats, hh};
use crate::config::Format;
use crate::record::{Conversation, Message, Preference, Role};

/// The conversations of one record: one; two where the record states a preference; more where it
/// is a tree or a trace.
pub fn parse(bytes: &[u8], reading: &Reading) -> Result<Vec<Conversation>, Reason> {
    let text = simdutf8::basic::from_utf8(bytes).map_err(|_| Reason::InvalidUtf8)?;
    // What was read holds no NUL byte, so only a failure is looked at.
    read(text, reading).map_err(|reason| if memchr::memchr(0, bytes).is_some() { Reason::NulByte } else { reason })
}

fn read(text: &str, reading: &Reading) -> Result<Vec<Conversation>, Reason> {
    let of_tree = || from_tree(&tree(text, reading.limits.nesting_depth)?, reading);
    let conversations = match reading.format {
        _ if reading.mapping.is_some() => of_tree(),
        Some(format) if !ONE_PASS.contains(&format) => of_tree(),
        Some(_) => in_one_pass(text, reading),
        None => match Glance::at(text, reading) {
            Glance::Tree => of_tree(),
            // What is no tree, or twisted, is told by the other order, so that its reason is the same.
            Glance::TreeFirst if let Some(tree) = no_one_pass(text, reading) => from_tree(&tree, reading),
            _ => match in_one_pass(text, reading) {
                Err(Reason::BadShape) => of_tree(),
                read => read,
            },
        },
    }?;
    checked(conversations, reading)
}

/// The tree of a record of which one pass would say [`Reason::BadShape`].
fn no_one_pass<'a>(text: &'a str, reading: &Reading) -> Option<Json<'a>> {
    let tree = text_reader::tree(text, reading.limits.nesting_depth).ok()?;
    let has = |key: &str| tree.has(key);
    let may_be = has(&reading.messages_key) || has("conversations") || (has("chosen") && has("rejected"));
    (!may_be || MORE_THAN_CHAT.iter().any(|key| tree.has(key))).then_some(tree)
}

/// The same of a record that came as a tree.
pub fn parse_tree(tree: &Json, reading: &Reading) -> Result<Vec<Conversation>, Reason> {
    if tree.is_deeper_than(reading.limits.nesting_depth) {
        return Err(Reason::TooDeep);
    }
    let conversations = match reading.format {
        _ if reading.mapping.is_some() => from_tree(tree, reading),
        Some(format) if !ONE_PASS.contains(&format) => from_tree(tree, reading),
        format => match Record::of_tree(tree, &reading.messages_key).and_then(|record| record.read(format)) {
            Err(Reason::BadShape) if format.is_none() => from_tree(tree, reading),
            read => read,
        },
    }?;
    checked(conversations, reading)
}

fn checked(mut conversations: Vec<Conversation>, reading: &Reading) -> Result<Vec<Conversation>, Reason> {
    if conversations.is_empty() {
        return Err(Reason::NoMessages);
    }
    for conversation in &mut conversations {
        check(conversation, reading)?;
        caller::hide(conversation);
    }
    Ok(conversations)
}

/// Formats whose top level alone is enough to read them.
const ONE_PASS: [Format; 3] = [Format::OpenaiChat, Format::Sharegpt, Format::Hh];

/// Keys beside `messages` that say the record is more than a chat: its answer, or a gateway's log.
pub(super) const MORE_THAN_CHAT: [&str; 3] = ["response", "call_type", "output"];

/// Keys of a chat record that name a caller or a place, or count tokens.
const OF_A_CALL: [&str; 9] =
    ["user", "user_id", "userId", "end_user", "safety_identifier", "usage", "prompt_tokens", "input_tokens", "surface"];

fn in_one_pass(text: &str, reading: &Reading) -> Result<Vec<Conversation>, Reason> {
    let keys = Keys { messages_key: &reading.messages_key };
    value(text, reading.limits.nesting_depth, keys)?.read(reading.format)
}

/// The format in which a record without a named format would be read; nothing if none fits.
pub fn detect(bytes: &[u8], reading: &Reading) -> Option<Format> {
    let text = std::str::from_utf8(bytes).ok()?;
    // Also what is no good record, cut off behind its end or too deep, has a format.
    let keys = Keys { messages_key: &reading.messages_key };
    let record = keys.deserialize(&mut serde_json::Deserializer::from_str(text)).ok();
    record.and_then(Record::told).or_else(|| fitting(&Json::of(text).ok()?))
}

/// [`detect`] for a record that came as a tree.
pub fn detect_tree(tree: &Json, reading: &Reading) -> Option<Format> {
    Record::of_tree(tree, &reading.messages_key).ok().and_then(Record::told).or_else(|| fitting(tree))
}

fn fitting(tree: &Json) -> Option<Format> {
    join::told(tree).and_then(|part| part.format).or_else(|| formats::fits(tree))
}

fn from_tree(tree: &Json, reading: &Reading) -> Result<Vec<Conversation>, Reason> {
    if join::part(tree, &reading.joining, reading.format)?.is_some() {
        return Err(Reason::PartOfMore);
    }
    match &reading.mapping {
        Some(mapping) => mapping.read(tree),
        None => formats::read(tree, reading.format),
    }
}

/// What a record for which parsing answers [`Reason::PartOfMore`] is a part of, and its text, with
/// a token in place of every caller that a known format names.
pub fn part<'a>(
    body: &'a Body,
    reading: &Reading,
    token: &dyn Fn(&str) -> String,
) -> Result<(Part, Cow<'a, str>), Reason> {
    let (text, parsed);
    let (record, text) = match body {
        Body::Bytes(bytes) => {
            text = std::str::from_utf8(bytes).map_err(|_| Reason::InvalidUtf8)?;
            parsed = tree(text, reading.limits.nesting_depth)?;
            (&parsed, Some(text))
        }
        Body::Tree(tree) => (tree, None),
    };
    let part = join::part(record, &reading.joining, reading.format)?.ok_or(Reason::BadShape)?;
    let masked = if part.format.is_some() { caller::masked(record, token) } else { None };
    Ok((
        part,
        match (masked, text) {
            (Some(masked), _) => Cow::Owned(masked.json()),
            (None, Some(text)) => Cow::Borrowed(text),
            (None, None) => Cow::Owned(record.json()),
        },
    ))
}

/// Text that is one JSON value, as a tree.
pub(super) fn tree(text: &str, deepest: u32) -> Result<Json<'_>, Reason> {
    text_reader::tree(text, deepest).or_else(|_| value(text, deepest, PhantomData))
}

/// Text that is one JSON value. serde_json says what is wrong with one that cannot be read.
fn value<'a, S: DeserializeSeed<'a> + Copy>(text: &'a str, deepest: u32, seed: S) -> Result<S::Value, Reason> {
    text_reader::read(text, deepest, seed).or_else(|_| {
        if deeper_than(text.as_bytes(), deepest) {
            return Err(Reason::TooDeep);
        }
        let mut json = serde_json::Deserializer::from_str(text);
        let value = seed.deserialize(&mut json).map_err(|err| json_reason(&err, text))?;
        json.end().map_err(|_| Reason::InvalidJson).map(|()| value)
    })
}

/// serde's errors to ours. Duplicates carry a mark that only this module writes.
fn json_reason(err: &serde_json::Error, text: &str) -> Reason {
    if err.is_syntax() || err.is_eof() {
        return Reason::InvalidJson;
    }
    let message = err.to_string();
    if message.starts_with("duplicate field") {
        return Reason::DuplicateKey;
    }
    // A value of the wrong type is bad shape if the record is JSON at all.
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() { Reason::BadShape } else { Reason::InvalidJson }
}

/// Whether brackets nest deeper than `limit`. Counting the opening ones is enough for most.
fn deeper_than(bytes: &[u8], limit: u32) -> bool {
    if memchr::memchr2_iter(b'{', b'[', bytes).nth(limit as usize).is_none() {
        return false;
    }
    let mut too_deep = false;
    follow(bytes, |depth| {
        too_deep |= depth > limit;
        !too_deep
    });
    too_deep
}

/// How many brackets are open at the end; nothing if that is inside a string.
pub(super) fn depth(bytes: &[u8]) -> Option<u32> {
    let mut last = 0;
    let in_string = follow(bytes, |depth| {
        last = depth;
        true
    });
    (!in_string).then_some(last)
}

/// Tells the depth behind every bracket outside of strings, while `go` says to go on; returns
/// whether it ended inside a string.
fn follow(bytes: &[u8], mut go: impl FnMut(u32) -> bool) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0u32, false, false);
    for &byte in bytes {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if !in_string && !go(depth) {
            break;
        }
    }
    in_string
}

fn check(conversation: &Conversation, reading: &Reading) -> Result<(), Reason> {
    if conversation.messages.is_empty() {
        return Err(Reason::NoMessages);
    }
    if conversation.messages.len() > reading.limits.messages as usize {
        return Err(Reason::TooManyMessages);
    }
    let nul = |text: &str| memchr::memchr(0, text.as_bytes()).is_some();
    let bad = |message: &Message| {
        nul(&message.content) || message.tool_calls.iter().any(|call| nul(&call.arguments) || nul(&call.name))
    };
    if conversation.messages.iter().any(bad) { Err(Reason::NulByte) } else { Ok(()) }
}

/// Top-level keys of a record, of all shapes.
#[derive(Default)]
struct Record<'a> {
    messages: Option<Talk>,
    conversations: Option<Talk>,
    chosen: Option<Cow<'a, str>>,
    rejected: Option<Cow<'a, str>>,
    system: Option<Cow<'a, str>>,
    /// As JSON, like `created` and `id`.
    tools: Option<Cow<'a, str>>,
    model: Option<Cow<'a, str>>,
    created: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    /// Whatever else there is, as JSON; nothing stands for null.
    rest: Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>,
    more_than_chat: bool,
    /// Its rest says who called, from where, or counts tokens.
    of_a_call: bool,
}

impl<'a> Record<'a> {
    /// A value that is kept as JSON; nothing stands for null.
    fn take(&mut self, key: Cow<'a, str>, json: Option<Cow<'a, str>>) {
        match key.as_ref() {
            "tools" => self.tools = json,
            "created" | "created_at" | "timestamp" => self.created = json,
            "id" => self.id = json,
            other => {
                self.more_than_chat |= MORE_THAN_CHAT.contains(&other);
                let says = |name: &&str| json.as_deref().is_some_and(|text| text.contains(name));
                self.of_a_call |=
                    OF_A_CALL.contains(&other) || (other == "metadata" && ["user_id", "surface"].iter().any(says));
                self.rest.push((key, json));
            }
        }
    }

    /// The format of one pass in which it is read. Columns called as in HH may hold plain answers:
    /// then it is another.
    fn told(self) -> Option<Format> {
        let format = self.format().filter(|_| !self.more_than_chat)?;
        (self.conversations(None) != Err(Reason::BadShape)).then_some(format)
    }

    fn format(&self) -> Option<Format> {
        match self {
            Record { messages: Some(_), .. } => Some(Format::OpenaiChat),
            Record { conversations: Some(_), .. } => Some(Format::Sharegpt),
            Record { chosen: Some(_), rejected: Some(_), .. } => Some(Format::Hh),
            _ => None,
        }
    }

    fn read(self, format: Option<Format>) -> Result<Vec<Conversation>, Reason> {
        if self.more_than_chat && format.is_none() {
            return Err(Reason::BadShape);
        }
        self.conversations(format)
    }

    fn conversations(mut self, format: Option<Format>) -> Result<Vec<Conversation>, Reason> {
        let found = self.format().ok_or(Reason::BadShape)?;
        if format.is_some_and(|named| named != found) {
            return Err(Reason::BadShape);
        }
        match found {
            Format::OpenaiChat => {
                let messages = self.messages.take().ok_or(Reason::BadShape)??;
                let of_a_call = self.of_a_call;
                let mut one = self.with_system(messages);
                if of_a_call && let Some(Ok(rest)) = one.metadata.clone().as_deref().map(Json::of) {
                    caller::user(&mut one, &[&rest]);
                    caller::tokens(&mut one, &[&rest]);
                    let surface = rest.text_of("surface").or_else(|| rest.at(&["metadata", "surface"])?.text());
                    one.surface = surface.map(str::to_owned);
                }
                Ok(vec![one])
            }
            Format::Sharegpt => {
                let messages = self.conversations.take().ok_or(Reason::BadShape)??;
                Ok(vec![self.with_system(messages)])
            }
            Format::Hh => self.pair(),
            _ => Err(Reason::BadShape),
        }
    }

    fn pair(mut self) -> Result<Vec<Conversation>, Reason> {
        let chosen = hh::messages(&self.chosen.take().unwrap_or_default())?;
        let rejected = hh::messages(&self.rejected.take().unwrap_or_default())?;
        let mut one = self.with(chosen);
        let mut other = one.clone();
        other.messages = rejected;
        one.preference = Some(Preference::Chosen);
        other.preference = Some(Preference::Rejected);
        Ok(vec![one, other])
    }

    /// The system prompt of ShareGPT rows, and of requests to APIs that keep it outside of messages.
    fn with_system(&mut self, mut messages: Vec<Message>) -> Conversation {
        if let Some(system) = self.system.take().filter(|text| !text.is_empty()) {
            messages.insert(0, Message::text(Role::System, system.into_owned()));
        }
        self.with(messages)
    }

    fn with(&mut self, messages: Vec<Message>) -> Conversation {
        Conversation {
            messages,
            tools: self
                .tools
                .take()
                .filter(|json| !matches!(json.as_ref(), "null" | "[]" | "\"\""))
                .map(Cow::into_owned),
            model: self.model.take().map(Cow::into_owned),
            created_at_us: self.created.take().and_then(|created| time_us(&created)),
            external_id: self.id.take().map(|id| id.trim_matches('"').to_owned()),
            metadata: self.metadata(),
            ..Conversation::default()
        }
    }

    /// What no field took, as a JSON object, letter by letter.
    fn metadata(&self) -> Option<String> {
        let bytes = |(key, value): &(Cow<str>, Option<Cow<str>>)| key.len() + value.as_ref().map_or(4, |v| v.len()) + 5;
        let mut json = String::with_capacity(self.rest.iter().map(bytes).sum());
        for (key, value) in &self.rest {
            json.push(if json.is_empty() { '{' } else { ',' });
            // A text can always be written.
            json.push_str(&serde_json::to_string(key).unwrap_or_default());
            json.push(':');
            json.push_str(value.as_deref().unwrap_or("null"));
        }
        (!json.is_empty()).then(|| json + "}")
    }
}

/// A time, as JSON.
pub(super) fn time_us(json: &str) -> Option<i64> {
    formats::time_us(&serde_json::from_str(json).ok()?)
}

impl<'a> Record<'a> {
    /// Of a tree, with the answers that its text gives. Null is a key that is not there: tables have
    /// all keys in all rows. Messages may be JSON text, as tables without lists hold them.
    fn of_tree(tree: &'a Json<'_>, messages_key: &str) -> Result<Record<'a>, Reason> {
        let mut record = Record::default();
        let entries = tree.entries().ok_or(Reason::BadShape)?;
        for (key, value) in entries.iter().filter(|(_, value)| *value != Json::Null) {
            match key.as_ref() {
                name if name == messages_key => {
                    record.messages = messages(value, |list| Said::<RawMessage>(PhantomData).deserialize(list))?
                }
                "conversations" => {
                    record.conversations = messages(value, |list| Said::<Turn>(PhantomData).deserialize(list))?
                }
                "chosen" => record.chosen = Some(Cow::Borrowed(text(value)?)),
                "rejected" => record.rejected = Some(Cow::Borrowed(text(value)?)),
                "system" => record.system = Some(Cow::Borrowed(text(value)?)),
                "model" => record.model = Some(Cow::Borrowed(text(value)?)),
                key => record.take(Cow::Borrowed(key), Some(Cow::Owned(value.json()))),
            }
        }
        Ok(record)
    }
}

fn text<'a>(value: &'a Json) -> Result<&'a str, Reason> {
    value.text().ok_or(Reason::BadShape)
}

/// Reads the top level in one pass.
#[derive(Clone, Copy)]
struct Keys<'k> {
    messages_key: &'k str,
}

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = Record<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Record<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = Record<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record<'de>, A::Error> {
        let mut record = Record::default();
        let mut seen = Seen::default();
        while let Some(Key(key)) = map.next_key()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::duplicate_field("of the record"));
            }
            match key.as_ref() {
                name if name == self.messages_key => {
                    record.messages = map.next_value_seed(Said::<RawMessage>(PhantomData))?;
                }
                "conversations" => record.conversations = map.next_value_seed(Said::<Turn>(PhantomData))?,
                "chosen" => record.chosen = maybe_text(&mut map)?,
                "rejected" => record.rejected = maybe_text(&mut map)?,
                "system" => record.system = maybe_text(&mut map)?,
                "model" => record.model = maybe_text(&mut map)?,
                _ => record.take(key, map.next_value::<Option<&RawValue>>()?.map(|raw| Cow::Borrowed(raw.get()))),
            }
        }
        Ok(record)
    }
}

/// A text, borrowed where it has no escapes; or null.
fn maybe_text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Cow<'de, str>>, A::Error> {
    Ok(map.next_value::<Option<Key>>()?.map(|Key(text)| text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;

    fn read(json: &str) -> Result<Vec<Conversation>, Reason> {
        let reading = Reading { limits: Limits { messages: 3, ..Limits::default() }, ..Reading::default() };
        parse(json.as_bytes(), &reading)
    }

    #[test]
    fn openai_chat() {
        let got = read(
            r#"{"id":"x1","model":"m","created":1.5,"tools":[{"a":1}],"user":"u","messages":[
            {"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"q\":1}"}}]},
            {"role":"tool","tool_call_id":"c","content":"done","name":"f"}]}"#,
        )
        .unwrap()
        .remove(0);
        assert_eq!(got.messages[0].content, "a\n[image]");
        assert_eq!(got.messages[1].tool_calls[0].arguments, r#"{"q":1}"#);
        assert_eq!(got.messages[2].tool_call_id.as_deref(), Some("c"));
        assert_eq!(got.created_at_us, Some(1_500_000));
        assert_eq!((got.user.as_deref(), got.metadata), (Some("u"), None));
        assert_eq!(got.tools.as_deref(), Some(r#"[{"a":1}]"#));
        assert_eq!(got.external_id.as_deref(), Some("x1"));
    }

    #[test]
    fn a_record_has_the_format_in_which_it_is_read() {
        let reading = Reading { messages_key: String::new(), ..Reading::default() };
        for (json, format) in [
            (r#"{"prompt":"p","chosen":"a","rejected":"b"}"#, Some(Format::Trl)),
            (r#"{"chosen":"\n\nHuman: a","rejected":"\n\nHuman: b"}"#, Some(Format::Hh)),
            (r#"{"chosen":"a","rejected":""}"#, None),
        ] {
            assert_eq!(detect(json.as_bytes(), &reading), format, "{json}");
            assert_eq!(parse(json.as_bytes(), &reading).is_ok(), format.is_some(), "{json}");
        }
        let part = br#"{"CorrelationId":"c","RequestMessages":[],"ai.operationId":0}"#;
        assert_eq!(detect(part, &reading), Some(Format::AzureApim));
        assert_eq!(parse(part, &reading), Err(Reason::PartOfMore));
    }

    #[test]
    fn sharegpt_and_hh() {
        let got = read(r#"{"system":"s","conversations":[{"from":"human","value":"hi"},{"from":"gpt","value":"yo"}]}"#)
            .unwrap();
        let roles: Vec<_> = got[0].messages.iter().map(|m| m.role).collect();
        assert_eq!(roles, [Role::System, Role::User, Role::Assistant]);
        let got =
            read(r#"{"chosen":"\n\nHuman: a\n\nAssistant: b","rejected":"\n\nHuman: a\n\nAssistant: c"}"#).unwrap();
        assert_eq!(got[0].preference, Some(Preference::Chosen));
        assert_eq!(got[1].messages[1].content, "c");
    }

    #[test]
    fn every_reject_has_its_reason() {
        let deep =
            format!(r#"{{"messages":[{{"role":"user","content":"x"}}],"m":{}{}}}"#, "[".repeat(99), "]".repeat(99));
        for (json, reason) in [
            ("not json", Reason::InvalidJson),
            (r#"{"messages":["#, Reason::InvalidJson),
            (r#"{"messages":[]} x"#, Reason::InvalidJson),
            ("[1]", Reason::BadShape),
            (r#"{"note":"x"}"#, Reason::BadShape),
            (r#"{"messages":"x"}"#, Reason::BadShape),
            (r#"{"messages":null}"#, Reason::BadShape),
            (r#"{"messages":[]}"#, Reason::NoMessages),
            (r#"{"messages":[{"content":"x"}]}"#, Reason::MissingRole),
            (r#"{"messages":[{"role":"wizard","content":"x"}]}"#, Reason::UnknownRole),
            (r#"{"messages":[{"role":"user","content":5}]}"#, Reason::BadShape),
            (r#"{"messages":[{"role":"user","content":"a\u0000b"}]}"#, Reason::NulByte),
            (r#"{"messages":[{"role":"user","role":"user","content":"x"}]}"#, Reason::DuplicateKey),
            (r#"{"messages":[{"role":"user","content":"x"}],"messages":[]}"#, Reason::DuplicateKey),
            (r#"{"a":1,"messages":[],"a":2}"#, Reason::DuplicateKey),
            (&deep, Reason::TooDeep),
            (
                r#"{"messages":[{"role":"user"},{"role":"user"},{"role":"user"},{"role":"user"}]}"#,
                Reason::TooManyMessages,
            ),
        ] {
            assert_eq!(read(json), Err(reason), "{json}");
        }
    }
}
