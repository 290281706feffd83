//! Reads records by a checked mapping.

use std::collections::BTreeMap;

use super::super::Reason;
use super::super::formats::messages::content;
use super::super::formats::pieces::{speaker, transcript};
use super::super::formats::{Read, caller, time_us};
use super::super::tree::Json;
use super::path::{Path, Step, prune};
use crate::record::{Conversation, Message, Role};

/// A mapping whose paths are parsed; see [`super::Mapping::compile`].
#[derive(Clone, Debug)]
pub struct Compiled {
    pub(super) records: Option<Path>,
    pub(super) shape: Shape,
    pub(super) system: Option<Path>,
    pub(super) id: Option<Path>,
    pub(super) model: Option<Path>,
    pub(super) user: Option<Path>,
    pub(super) surface: Option<Path>,
    pub(super) created_at: Option<Path>,
    pub(super) time: Time,
    pub(super) tools: Option<Path>,
    pub(super) metadata: Vec<(String, Path)>,
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// `used` holds what is read of messages, as paths in the record.
    List {
        messages: Path,
        role: Path,
        content: Path,
        name: Option<Path>,
        roles: BTreeMap<String, Role>,
        used: Vec<Vec<Step>>,
    },
    Columns(Vec<(Role, Path)>),
    Transcript {
        text: Path,
        roles: BTreeMap<String, Role>,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Time {
    Usual,
    Seconds,
    Millis,
    Pattern(String),
}

impl Compiled {
    /// The conversations of a record: one, or those of a document if the mapping has `records`.
    /// What a document says outside of its records goes to the first conversation's metadata, as
    /// `document`, so that redaction sees it once.
    pub fn read(&self, record: &Json) -> Read {
        let Some(path) = &self.records else { return Ok(vec![self.conversation(record, None)?]) };
        let records = path.all(record).ok_or(Reason::BadShape)?;
        if records.is_empty() {
            return Err(Reason::NoMessages);
        }
        let mut around = prune(record, &[&path.steps]);
        records.into_iter().map(|record| self.conversation(record, around.take())).collect()
    }

    fn conversation(&self, record: &Json, around: Option<Json>) -> Result<Conversation, Reason> {
        let mut messages = self.shape.messages(record)?;
        if messages.iter().all(|message| message.role == Role::System || message.content.trim().is_empty()) {
            return Err(Reason::NoMessages);
        }
        let value = |path: &Option<Path>| path.as_ref().and_then(|path| path.one(record));
        let mut used = self.shape.used();
        if let Some(system) = value(&self.system) {
            let text = content(system)?;
            if !text.trim().is_empty() {
                messages.insert(0, Message::text(Role::System, text));
            }
            used.extend(steps(&self.system));
        }
        let tools = value(&self.tools).map(tools).transpose()?.flatten();
        used.extend(steps(&self.tools));
        // An id or a time that cannot be read is not used, so it stays in the metadata.
        let mut scalar = |path| {
            let text = value(path).and_then(Json::scalar).filter(|text| !text.is_empty());
            used.extend(text.is_some().then(|| steps(path)).flatten());
            text
        };
        let (external_id, model, surface) = (scalar(&self.id), scalar(&self.model), scalar(&self.surface));
        let user = value(&self.user).and_then(caller::id);
        used.extend(user.is_some().then(|| steps(&self.user)).flatten());
        let created_at_us = value(&self.created_at).and_then(|value| self.time.read(value));
        used.extend(created_at_us.is_some().then(|| steps(&self.created_at)).flatten());
        let metadata = self.metadata(record, &used, around);
        let own = Conversation { messages, tools, model, created_at_us, external_id, ..Conversation::default() };
        Ok(Conversation { metadata, user, surface, ..own })
    }

    fn metadata(&self, record: &Json, used: &[&[Step]], around: Option<Json>) -> Option<String> {
        let mut entries = match prune(record, used) {
            _ if !self.metadata.is_empty() => self.kept(record),
            Some(Json::Object(entries)) => entries,
            Some(other) => vec![("record".into(), other)],
            None => Vec::new(),
        };
        if let Some(around) = around.filter(|_| self.metadata.is_empty()) {
            let taken = entries.iter().any(|(key, _)| key == "document");
            // A record may have such a key of its own; both are kept.
            let key = if taken { "document (around the record)" } else { "document" };
            entries.push((key.into(), around));
        }
        (!entries.is_empty()).then(|| Json::Object(entries).json())
    }

    /// What the paths of `metadata` name, each under its path.
    fn kept<'j>(&self, record: &Json<'j>) -> Vec<(std::borrow::Cow<'j, str>, Json<'j>)> {
        let mut entries = Vec::new();
        for (name, path) in &self.metadata {
            let found = path.all(record).unwrap_or_default();
            let value = if path.is_many() {
                (!found.is_empty()).then(|| Json::List(found.into_iter().cloned().collect()))
            } else {
                found.first().map(|value| (*value).clone()).filter(|value| *value != Json::Null)
            };
            if !entries.iter().any(|(key, _)| key == name) {
                entries.extend(value.map(|value| (name.clone().into(), value)));
            }
        }
        entries
    }
}

fn steps(path: &Option<Path>) -> Option<&[Step]> {
    path.as_ref().map(|path| &path.steps[..])
}

impl Shape {
    fn used(&self) -> Vec<&[Step]> {
        match self {
            Shape::List { used, .. } => used.iter().map(Vec::as_slice).collect(),
            Shape::Columns(turns) => turns.iter().map(|(_, path)| &path.steps[..]).collect(),
            Shape::Transcript { text, .. } => vec![&text.steps[..]],
        }
    }

    fn messages(&self, record: &Json) -> Result<Vec<Message>, Reason> {
        match self {
            Shape::List { messages, .. } => {
                messages.all(record).ok_or(Reason::BadShape)?.into_iter().map(|one| self.message(record, one)).collect()
            }
            Shape::Columns(turns) => columns(turns, record),
            Shape::Transcript { text, roles } => {
                let role = |name: &str| roles.get(name).copied().or_else(|| speaker(name));
                let text = text.one(record).and_then(Json::text).ok_or(Reason::BadShape)?;
                if text.trim().is_empty() {
                    return Err(Reason::NoMessages);
                }
                transcript(text, 1, role).ok_or(Reason::MissingRole)
            }
        }
    }

    fn message(&self, record: &Json, message: &Json) -> Result<Message, Reason> {
        let Shape::List { role, content, name, roles, .. } = self else { return Err(Reason::BadShape) };
        if !matches!(message, Json::Object(_) | Json::List(_)) {
            return Err(Reason::BadShape);
        }
        let start = |path: &Path| if path.from_record { record } else { message };
        let said = match role.one(start(role)) {
            None => String::new(),
            Some(value) => value.scalar().ok_or(Reason::BadShape)?,
        };
        let missing = if said.is_empty() { Reason::MissingRole } else { Reason::UnknownRole };
        let role = roles.get(&said).copied().or_else(|| Role::parse(&said)).ok_or(missing)?;
        let parts = content.all(start(content)).ok_or(Reason::BadShape)?;
        let parts: Vec<String> = parts.into_iter().map(text).collect::<Result<_, _>>()?;
        let own = name.as_ref().and_then(|path| path.one(start(path)));
        let own = own.map(|value| value.scalar().ok_or(Reason::BadShape)).transpose()?;
        Ok(Message { name: own.filter(|name| !name.is_empty()), ..Message::text(role, parts.join("\n")) })
    }
}

/// Messages in fixed places. All places missing is another shape; all of them empty says nothing.
fn columns(turns: &[(Role, Path)], record: &Json) -> Result<Vec<Message>, Reason> {
    let (mut messages, mut found) = (Vec::new(), false);
    for (role, path) in turns {
        let Some(parts) = path.all(record) else { continue };
        found = true;
        let parts: Vec<String> = parts.into_iter().map(text).collect::<Result<_, _>>()?;
        let text = parts.join("\n");
        if !text.trim().is_empty() {
            messages.push(Message::text(*role, text));
        }
    }
    if found { Ok(messages) } else { Err(Reason::BadShape) }
}

/// Numbers and booleans are text too: a table or a form has them.
fn text(value: &Json) -> Result<String, Reason> {
    value.scalar().map_or_else(|| content(value), Ok)
}

/// Definitions of tools as a JSON array in OpenAI form; nothing if there are none.
fn tools(value: &Json) -> Result<Option<String>, Reason> {
    let parsed = match value {
        Json::Text(text) if text.trim().is_empty() => return Ok(None),
        Json::Text(text) => Json::parsed(text).ok_or(Reason::BadShape)?,
        other => other.clone(),
    };
    let items = parsed.list().ok_or(Reason::BadShape)?;
    let wrapped = items.iter().map(|item| match (item.has("function"), item.text_of("name")) {
        (true, _) => Ok(item.clone()),
        (false, Some(_)) => {
            Ok(Json::Object(vec![("type".into(), Json::Text("function".into())), ("function".into(), item.clone())]))
        }
        (false, None) => Err(Reason::BadShape),
    });
    let wrapped: Vec<Json> = wrapped.collect::<Result<_, _>>()?;
    Ok((!wrapped.is_empty()).then(|| Json::List(wrapped).json()))
}

impl Time {
    /// Microseconds since 1970; nothing if the time is not written as stated.
    fn read(&self, value: &Json) -> Option<i64> {
        let number = || value.number().or_else(|| value.text()?.trim().parse().ok());
        match self {
            Time::Usual => time_us(value),
            Time::Seconds => micros(number()? * 1e6),
            Time::Millis => micros(number()? * 1e3),
            Time::Pattern(pattern) => {
                let text = value.scalar()?;
                let zoned = chrono::DateTime::parse_from_str(&text, pattern).ok().map(|time| time.timestamp_micros());
                let plain = || chrono::NaiveDateTime::parse_from_str(&text, pattern).ok();
                let day = || chrono::NaiveDate::parse_from_str(&text, pattern).ok()?.and_hms_opt(0, 0, 0);
                zoned.or_else(|| plain().or_else(day).map(|time| time.and_utc().timestamp_micros()))
            }
        }
    }
}

/// Times beyond the year 5138 are a wrong unit.
fn micros(us: f64) -> Option<i64> {
    (us.abs() < 1e17).then_some(us.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::super::Mapping;
    use super::*;

    fn read(toml: &str, json: &str) -> Read {
        let mapping: Mapping = toml::from_str(toml).unwrap();
        mapping.compile().unwrap().read(&serde_json::from_str(json).unwrap())
    }

    fn said(read: Read) -> String {
        let one = |message: &Message| format!("{}:{}", message.role.as_str(), message.content);
        let talk = |conversation: &Conversation| conversation.messages.iter().map(one).collect::<Vec<_>>().join("|");
        read.unwrap().iter().map(talk).collect::<Vec<_>>().join(" / ")
    }

    const SGD: &str = "messages = \"turns[*]\"\nrole = \"speaker\"\ncontent = \"utterance\"\nid = \"dialogue_id\"\n\
                       roles = {USER = \"user\", SYSTEM = \"assistant\"}";

    #[test]
    fn lists_of_messages() {
        let json = r#"{"dialogue_id":"1_0","services":["S"],"turns":[{"speaker":"USER","utterance":"hi","frames":[]},
            {"speaker":"USER","utterance":"there"},{"speaker":"SYSTEM","utterance":null,"frames":[1]}]}"#;
        assert_eq!(said(read(SGD, json)), "user:hi|user:there|assistant:");
        let conversation = &read(SGD, json).unwrap()[0];
        assert_eq!(conversation.external_id.as_deref(), Some("1_0"));
        let metadata = r#"{"services":["S"],"turns":[{"frames":[]},null,{"frames":[1]}]}"#;
        assert_eq!(conversation.metadata.as_deref(), Some(metadata));
    }

    #[test]
    fn each_reject_has_its_reason() {
        for (json, reason) in [
            (r#"{"turns":[{"utterance":"x"}]}"#, Reason::MissingRole),
            (r#"{"turns":[{"speaker":"","utterance":"x"}]}"#, Reason::MissingRole),
            (r#"{"turns":[{"speaker":"Usr","utterance":"x"}]}"#, Reason::UnknownRole),
            (r#"{"turns":[{"speaker":["USER"],"utterance":"x"}]}"#, Reason::BadShape),
            (r#"{"turns":[{"speaker":"USER"}]}"#, Reason::BadShape),
            (r#"{"turns":[{"speaker":"USER","utterance":{}}]}"#, Reason::BadShape),
            (r#"{"turns":["x"]}"#, Reason::BadShape),
            (r#"{"turns":{}}"#, Reason::BadShape),
            (r#"{"turn":[]}"#, Reason::BadShape),
            (r#"{"turns":[]}"#, Reason::NoMessages),
            (r#"{"turns":[{"speaker":"USER","utterance":" "}]}"#, Reason::NoMessages),
            ("5", Reason::BadShape),
        ] {
            assert_eq!(read(SGD, json), Err(reason), "{json}");
        }
    }

    #[test]
    fn columns_of_a_table() {
        let toml =
            "system = \"s\"\nturns = [{role = \"user\", content = \"q\"}, {role = \"assistant\", content = \"a\"}]";
        assert_eq!(said(read(toml, r#"{"q":"1","a":"2","s":"be kind"}"#)), "system:be kind|user:1|assistant:2");
        assert_eq!(said(read(toml, r#"{"q":"1","a":"","x":"3"}"#)), "user:1");
        assert_eq!(read(toml, r#"{"q":"","a":" "}"#), Err(Reason::NoMessages));
        assert_eq!(read(toml, r#"{"x":""}"#), Err(Reason::BadShape));
    }

    #[test]
    fn transcripts_name_who_speaks_line_by_line() {
        let toml = "transcript = \"t\"\nroles = {Clerk = \"assistant\"}";
        let json = r#"{"n":1,"t":"User: a:\nb: 1\nClerk: c\ntool: d\nassistant: None\nuser: e"}"#;
        assert_eq!(said(read(toml, json)), "user:a:\nb: 1|assistant:c|tool:d|assistant:|user:e");
        assert_eq!(read(toml, json).unwrap()[0].metadata.as_deref(), Some(r#"{"n":1}"#));
        assert_eq!(said(read(toml, r#"{"t":"user: a"}"#)), "user:a");
        for (json, reason) in [
            (r#"{"t":"hello\nuser: a"}"#, Reason::MissingRole),
            (r#"{"t":" "}"#, Reason::NoMessages),
            (r#"{"t":"assistant: "}"#, Reason::NoMessages),
            (r#"{"t":["user: a"]}"#, Reason::BadShape),
            (r#"{"u":"user: a"}"#, Reason::BadShape),
        ] {
            assert_eq!(read(toml, json), Err(reason), "{json}");
        }
    }

    #[test]
    fn records_inside_a_document_names_and_roles_of_the_record() {
        let toml = "records = \"d[*]\"\nmessages = \"m[*]\"\nrole = \"$.who\"\ncontent = \"p[*].t\"\nname = \"by\"\n\
                    roles = {\"\" = \"tool\"}";
        let json =
            r#"{"v":1,"d":[{"who":"user","m":[{"p":[{"t":"a"},{"t":2}],"by":"Ann"}]},{"m":[{"p":[{"t":"b"}]}]}]}"#;
        assert_eq!(said(read(toml, json)), "user:a\n2 / tool:b");
        let all = read(toml, json).unwrap();
        assert_eq!(all[0].messages[0].name.as_deref(), Some("Ann"));
        assert_eq!(all[0].metadata.as_deref(), Some(r#"{"document":{"v":1}}"#));
        assert_eq!(all[1].metadata, None);
        assert_eq!(read(toml, r#"{"d":[]}"#), Err(Reason::NoMessages));
    }

    #[test]
    fn times_are_read_as_stated_or_left_in_the_metadata() {
        for (format, value, us) in [
            ("unix", "1", Some(1_000_000)),
            ("unix", "\"1.5\"", Some(1_500_000)),
            ("unix_ms", "1", Some(1_000)),
            ("%d.%m.%Y %H:%M", "\"01.01.1970 00:01\"", Some(60_000_000)),
            ("%d.%m.%Y", "\"02.01.1970\"", Some(86_400_000_000)),
            ("%Y-%m-%d %H:%M:%S %z", "\"1970-01-01 01:00:01 +0100\"", Some(1_000_000)),
            ("unix", "\"soon\"", None),
        ] {
            let toml = format!("{SGD}\ncreated_at = \"t\"\ntime_format = \"{format}\"");
            let json = format!(r#"{{"t":{value},"turns":[{{"speaker":"USER","utterance":"x"}}]}}"#);
            let one = read(&toml, &json).unwrap().remove(0);
            assert_eq!((one.created_at_us, one.metadata.is_none()), (us, us.is_some()), "{format} {value}");
        }
    }

    #[test]
    fn tools_and_chosen_metadata() {
        let toml = format!("{SGD}\ntools = \"f\"\nmetadata = [\"a.b\", \"turns[*].n\"]");
        let json = r#"{"f":"[{\"name\":\"g\"}]","a":{"b":1,"c":2},"turns":[{"speaker":"USER","utterance":"x","n":7}]}"#;
        let one = read(&toml, json).unwrap().remove(0);
        assert_eq!(one.tools.as_deref(), Some(r#"[{"type":"function","function":{"name":"g"}}]"#));
        assert_eq!(one.metadata.as_deref(), Some(r#"{"a.b":1,"turns[*].n":[7]}"#));
        assert_eq!(read(&toml, r#"{"f":5,"turns":[{"speaker":"USER","utterance":"x"}]}"#), Err(Reason::BadShape));
    }
}
