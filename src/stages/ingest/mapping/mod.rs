//! A mapping: how to read a log of no known format, as a pipeline file describes it.
//!
//! Not here: how such a mapping is proposed for a file (`guess`). Calls of tools in messages
//! cannot be described; such logs need a format of their own.
//!
//! Always: a role comes from the record, by a name that is known or that the mapping states; what
//! no key of the mapping reads stays in the metadata, unless `metadata` names what to keep.

pub mod path;
mod read;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::Role;
use path::{Path, Step};
pub use read::Compiled;

/// Where in a record things lie. Paths look like `a.b[0].c`, `turns[*]` and `"strange key".x`; in
/// `role`, `content` and `name` a path starts at the message, or with `$.` at the record.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// Path to the records inside a bigger JSON document, for example `dialogues[*]`. Without it
    /// each line, row or element of a top-level array is a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<String>,
    /// Path to the messages of a record, for example `turns[*]`; `$` if the record is one message.
    /// This, `turns` or `transcript`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<String>,
    /// Path to the role in a message, or with `$.` in the record. Needed with `messages`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Path to the text in a message: a string, a number, or a list of parts. Needed with
    /// `messages`; a message without it is rejected, a null is an empty text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Path to the speaker's own name in a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the log calls a role, and which of system, user, assistant and tool it is. Exactly as
    /// written; an empty name stands for a role that is empty or missing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, String>,
    /// Messages in fixed places of a record, in order, for example the columns of a table. This,
    /// `messages` or `transcript`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<Turn>,
    /// Path to a text that tells a conversation line by line, `user: …` then `assistant: …`. Lines
    /// that begin with no known name and no name of `roles` belong to the turn before them. This,
    /// `messages` or `turns`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
    /// Path to a system prompt in the record; it becomes the first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Path to the log's own id of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Path to the name of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Path to who called: an account, a customer, a user id. Only a keyed pseudonym is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Path to where the call came from: a service, an application, an environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surface: Option<String>,
    /// Path to the time of the conversation. A time that cannot be read stays in the metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// How times are written: `unix` (seconds), `unix_ms`, or a strftime pattern such as
    /// `%d.%m.%Y %H:%M`, in UTC if it names no offset. Without it RFC 3339 and numbers are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_format: Option<String>,
    /// Path to the definitions of tools: a list, or JSON text that holds one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<String>,
    /// Paths of what to keep as metadata. Empty: everything that is not read otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<String>,
}

/// One message in a fixed place of a record.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Who says it: system, user, assistant or tool.
    pub role: String,
    /// Path to the text in the record. If it is empty or missing, the turn is left out.
    pub content: String,
}

impl Mapping {
    /// Checks everything that can be checked without a record. An error names the key and says
    /// what to do.
    pub fn compile(&self) -> Result<Compiled, String> {
        let shape = match (&self.messages, self.turns.is_empty(), &self.transcript) {
            (Some(messages), true, None) => self.list(messages)?,
            (None, false, None) => self.columns()?,
            (None, true, Some(text)) => self.lines(text)?,
            (None, true, None) => {
                return Err("messages: missing; give the path to the messages, turns for fixed columns, \
                            or transcript for a text that tells them"
                    .to_owned());
            }
            _ => return Err("messages, turns and transcript: give one of them, not more".to_owned()),
        };
        let records = self.records.as_deref().map(|text| parse("records", text)).transpose()?;
        if records.as_ref().is_some_and(|path| !path.is_many()) {
            return Err("records: leads to one value; end it with [*], as in \"dialogues[*]\"".to_owned());
        }
        let metadata = self.metadata.iter().map(|text| Ok((text.clone(), parse("metadata", text)?)));
        Ok(Compiled {
            records,
            shape,
            system: single("system", self.system.as_deref())?,
            id: single("id", self.id.as_deref())?,
            model: single("model", self.model.as_deref())?,
            user: single("user", self.user.as_deref())?,
            surface: single("surface", self.surface.as_deref())?,
            created_at: single("created_at", self.created_at.as_deref())?,
            time: self.time()?,
            tools: single("tools", self.tools.as_deref())?,
            metadata: metadata.collect::<Result<_, String>>()?,
        })
    }

    fn list(&self, messages: &str) -> Result<read::Shape, String> {
        let messages_path = parse("messages", messages)?;
        if !messages_path.is_many() && !messages_path.steps.is_empty() {
            return Err(format!("messages: is {messages:?}; write \"{messages}[*]\", which is each item of the list"));
        }
        let needed = |key: &str, value: &Option<String>| match value {
            Some(text) => parse(key, text),
            None => Err(format!("{key}: missing; messages need it, as a path in one message")),
        };
        let role = needed("role", &self.role)?;
        if role.is_many() {
            return Err("role: leads to many values; take [*] out".to_owned());
        }
        let content = needed("content", &self.content)?;
        let name = single("name", self.name.as_deref())?;
        let paths = [Some(&role), Some(&content), name.as_ref()];
        let used = paths.into_iter().flatten().map(|path| whole(&messages_path, path)).collect();
        Ok(read::Shape::List { messages: messages_path, role, content, name, roles: self.roles()?, used })
    }

    fn lines(&self, text: &str) -> Result<read::Shape, String> {
        self.in_place("transcript", false)?;
        let text = parse("transcript", text)?;
        if text.is_many() {
            return Err("transcript: leads to many values; put a number in place of [*]".to_owned());
        }
        Ok(read::Shape::Transcript { text, roles: self.roles()? })
    }

    fn columns(&self) -> Result<read::Shape, String> {
        self.in_place("turns", !self.roles.is_empty())?;
        let turn = |(at, turn): (usize, &Turn)| {
            let role = known(&turn.role).ok_or_else(|| not_known(&format!("turns[{at}].role"), &turn.role))?;
            Ok((role, parse(&format!("turns[{at}].content"), &turn.content)?))
        };
        self.turns.iter().enumerate().map(turn).collect::<Result<_, String>>().map(read::Shape::Columns)
    }

    /// An error for a key that says nothing in a mapping without `messages`.
    fn in_place(&self, shape: &str, roles: bool) -> Result<(), String> {
        let keys = [
            ("role", self.role.is_some()),
            ("content", self.content.is_some()),
            ("name", self.name.is_some()),
            ("roles", roles),
        ];
        match keys.into_iter().find(|(_, given)| *given) {
            Some((key, _)) => Err(format!("{key}: goes with messages, not with {shape}; take it out")),
            None => Ok(()),
        }
    }

    fn roles(&self) -> Result<BTreeMap<String, Role>, String> {
        let role = |(alias, name): (&String, &String)| {
            let role = known(name).ok_or_else(|| not_known(&format!("roles.{alias:?}"), name))?;
            Ok((alias.clone(), role))
        };
        self.roles.iter().map(role).collect()
    }

    fn time(&self) -> Result<read::Time, String> {
        let Some(format) = &self.time_format else { return Ok(read::Time::Usual) };
        if self.created_at.is_none() {
            return Err("time_format: says nothing without created_at; give that path too".to_owned());
        }
        if format.contains("%Z") {
            return Err(
                "time_format: %Z, the name of a zone, does not say an offset; write %z if the log has one".to_owned()
            );
        }
        let bad = |item| matches!(item, chrono::format::Item::Error);
        match format.as_str() {
            "unix" => Ok(read::Time::Seconds),
            "unix_ms" => Ok(read::Time::Millis),
            other if !other.contains('%') || chrono::format::StrftimeItems::new(other).any(bad) => {
                Err(format!("time_format: {other:?} is no pattern; write unix, unix_ms, or as in %Y-%m-%d %H:%M:%S"))
            }
            other => Ok(read::Time::Pattern(other.to_owned())),
        }
    }
}

/// A path in a message as a path in the record.
fn whole(messages: &Path, path: &Path) -> Vec<Step> {
    let before = if path.from_record { &[][..] } else { &messages.steps };
    [before, &path.steps].concat()
}

fn parse(key: &str, text: &str) -> Result<Path, String> {
    Path::parse(text).map_err(|what| format!("{key}: {what}"))
}

/// A path that has to lead to one value.
fn single(key: &str, text: Option<&str>) -> Result<Option<Path>, String> {
    let path = text.map(|text| parse(key, text)).transpose()?;
    if path.as_ref().is_some_and(Path::is_many) {
        return Err(format!("{key}: leads to many values; put a number in place of [*]"));
    }
    Ok(path)
}

/// Only the four names of this project; a mapping has no aliases for them.
fn known(name: &str) -> Option<Role> {
    [Role::System, Role::User, Role::Assistant, Role::Tool].into_iter().find(|role| role.as_str() == name)
}

fn not_known(key: &str, name: &str) -> String {
    format!("{key}: is {name:?}; write system, user, assistant or tool")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "messages = \"turns[*]\"\nrole = \"speaker\"\ncontent = \"text\"\n";

    #[test]
    fn mappings_are_checked_before_any_record_is_read() {
        for (toml, hint) in [
            ("", "messages: missing"),
            ("messages = \"t[*]\"\nturns = [{role = \"user\", content = \"q\"}]", "give one of them"),
            ("transcript = \"t\"\nturns = [{role = \"user\", content = \"q\"}]", "give one of them"),
            ("transcript = \"t[*]\"", "transcript: leads to many"),
            ("transcript = \"t\"\nrole = \"r\"", "role: goes with messages, not with transcript"),
            ("transcript = \"t\"\nroles = {Bot = \"robot\"}", "roles.\"Bot\": is \"robot\""),
            ("messages = \"turns\"\nrole = \"r\"\ncontent = \"c\"", "write \"turns[*]\""),
            ("messages = \"t[*]\"\ncontent = \"c\"", "role: missing"),
            ("messages = \"t[*]\"\nrole = \"r\"", "content: missing"),
            ("messages = \"t[*]\"\nrole = \"r[*]\"\ncontent = \"c\"", "role: leads to many"),
            ("messages = \"t[\"\nrole = \"r\"\ncontent = \"c\"", "messages: is \"t[\": close the bracket"),
            (&format!("{GOOD}roles = {{bot = \"robot\"}}"), "roles.\"bot\": is \"robot\"; write system"),
            (&format!("{GOOD}records = \"a\""), "records: leads to one"),
            (&format!("{GOOD}id = \"a[*]\""), "id: leads to many"),
            (&format!("{GOOD}time_format = \"unix\""), "without created_at"),
            (&format!("{GOOD}created_at = \"t\"\ntime_format = \"%Q\""), "is no pattern"),
            (&format!("{GOOD}created_at = \"t\"\ntime_format = \"iso\""), "is no pattern"),
            (&format!("{GOOD}metadata = [\"a..b\"]"), "metadata: is \"a..b\""),
            ("turns = [{role = \"human\", content = \"q\"}]", "turns[0].role: is \"human\""),
            ("turns = [{role = \"user\", content = \"\"}]", "turns[0].content: is empty"),
            ("role = \"r\"\nturns = [{role = \"user\", content = \"q\"}]", "role: goes with messages"),
        ] {
            let err = toml::from_str::<Mapping>(toml).unwrap().compile().map(|_| ()).unwrap_err();
            assert!(err.contains(hint), "{toml}: {err}");
        }
        assert!(toml::from_str::<Mapping>("mesages = \"x\"").is_err());
        assert!(toml::from_str::<Mapping>(GOOD).unwrap().compile().is_ok());
    }

    #[test]
    fn a_mapping_is_written_as_it_is_read_and_has_a_schema() {
        let mapping: Mapping = toml::from_str(&format!("{GOOD}[roles]\nSYSTEM = \"assistant\"\n")).unwrap();
        assert_eq!(toml::from_str::<Mapping>(&toml::to_string(&mapping).unwrap()).unwrap(), mapping);
        let schema = serde_json::to_string(&schemars::schema_for!(Mapping)).unwrap();
        assert!(schema.contains("time_format") && schema.contains("\"additionalProperties\":false"));
    }
}
