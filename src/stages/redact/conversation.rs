//! Walks a conversation: every string that will be kept, by its path.

use std::borrow::Cow;

use super::kind::Kind;
use super::text::{self, Finding};
use crate::config::Redact;
use crate::layer::build::FindingRow;
use crate::record::{Conversation, Message, ProjectKey};

/// Redacts conversations. Shared between threads; holds no state of a conversation.
pub struct Redactor {
    text: text::Redactor,
}

impl Redactor {
    /// The error names the setting that makes no sense.
    pub fn new(config: &Redact, key: &ProjectKey) -> Result<Redactor, String> {
        let parse =
            |name: &String| Kind::parse(name).ok_or_else(|| format!("redact.types: {name:?} is not a known type"));
        let mut kinds = config.types.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        if kinds.is_empty() {
            kinds = Kind::ALL.to_vec();
        }
        Ok(Redactor { text: text::Redactor::new(&kinds, &config.phone_regions, key)? })
    }

    /// Redacts free text that is not part of a conversation (what annotators wrote).
    pub fn free_text(&self, text: &str) -> String {
        self.text.redact_text(&String::new, text, &mut Vec::new()).into_owned()
    }

    /// Redacts a record as JSON, before it is brought together with others.
    pub fn record<'a>(&self, json: &'a str, findings: &mut Vec<Finding>) -> Cow<'a, str> {
        self.text.redact_json(&|| "record".to_owned(), json, findings)
    }

    /// Replaces in place; findings are appended.
    pub fn conversation(&self, conversation: &mut Conversation, findings: &mut Vec<Finding>) {
        for (i, message) in conversation.messages.iter_mut().enumerate() {
            self.message(i, message, findings);
        }
        self.json_field("tools", &mut conversation.tools, findings);
        self.json_field("metadata", &mut conversation.metadata, findings);
        self.field("model", &mut conversation.model, findings);
        self.field("id", &mut conversation.external_id, findings);
        self.field("surface", &mut conversation.surface, findings);
    }

    fn message(&self, i: usize, message: &mut Message, findings: &mut Vec<Finding>) {
        let at = |field: &str| format!("messages[{i}].{field}");
        self.replace(&|| at("content"), &mut message.content, false, findings);
        for (field, value) in [("name", &mut message.name), ("tool_call_id", &mut message.tool_call_id)] {
            if let Some(value) = value {
                self.replace(&|| at(field), value, false, findings);
            }
        }
        for (j, call) in message.tool_calls.iter_mut().enumerate() {
            let at = |field: &str| format!("messages[{i}].tool_calls[{j}].{field}");
            self.replace(&|| at("id"), &mut call.id, false, findings);
            self.replace(&|| at("name"), &mut call.name, false, findings);
            self.replace(&|| at("arguments"), &mut call.arguments, true, findings);
        }
    }

    fn field(&self, name: &str, value: &mut Option<String>, findings: &mut Vec<Finding>) {
        if let Some(value) = value {
            self.replace(&|| name.to_owned(), value, false, findings);
        }
    }

    fn json_field(&self, name: &str, value: &mut Option<String>, findings: &mut Vec<Finding>) {
        if let Some(value) = value {
            self.replace(&|| name.to_owned(), value, true, findings);
        }
    }

    fn replace(&self, at: &dyn Fn() -> String, value: &mut String, json: bool, findings: &mut Vec<Finding>) {
        let redacted = match json {
            true => self.text.redact_json(at, value, findings),
            false => self.text.redact_text(at, value, findings),
        };
        if let Cow::Owned(redacted) = redacted {
            *value = redacted;
        }
    }
}

impl Finding {
    pub fn row(&self) -> FindingRow<'_> {
        FindingRow {
            field: &self.field,
            start_byte: self.start_byte,
            end_byte: self.end_byte,
            kind: self.kind.as_str(),
            rule: self.rule,
            rule_version: self.rule_version.into(),
            score: self.score,
            value_hash: self.value_hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Role, ToolCall};

    /// As `ingest` writes them: digits that would be a card, a phone number or an account if they
    /// stood alone.
    #[test]
    fn placeholders_of_media_are_left_alone() {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        let redactor = Redactor::new(&Redact::default(), &key).unwrap();
        let mut hashes: Vec<String> = (0..500u32)
            .map(|n| crate::record::Id::of(blake3::hash(&n.to_le_bytes())).to_string()[..16].to_owned())
            .collect();
        let known =
            ["4111111111111111", "2025550173123456", "be68539007547034", "5555555555554444", "0012025550173abc"];
        hashes.extend(known.map(str::to_owned));
        for (n, hash) in hashes.iter().enumerate() {
            for before in ["my card, phone and ssn:", "call me", "+", "iban"] {
                let text = format!("{before} [image image/png {}B blake3_{hash}]", 2_025_550_173u64 >> (n % 31));
                assert_eq!(redactor.free_text(&text), text);
            }
        }
    }

    #[test]
    fn every_string_is_walked() {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        let redactor = Redactor::new(&Redact::default(), &key).unwrap();
        let mail = "jane.doe@example.com";
        let call = ToolCall { id: mail.into(), name: "f".into(), arguments: format!(r#"{{"to":["{mail}"]}}"#) };
        let message = Message {
            role: Role::User,
            content: format!("I am {mail}"),
            name: Some(mail.into()),
            tool_call_id: Some(mail.into()),
            tool_calls: vec![call],
        };
        let mut conversation = Conversation {
            messages: vec![message],
            tools: Some(format!(r#"[{{"d":"{mail}"}}]"#)),
            model: Some(mail.into()),
            external_id: Some(mail.into()),
            surface: Some(mail.into()),
            metadata: Some(format!(r#"{{"{mail}":{{"x":"{mail}"}}}}"#)),
            ..Default::default()
        };
        let mut findings = Vec::new();
        redactor.conversation(&mut conversation, &mut findings);
        assert!(!format!("{conversation:?}").contains("jane"), "{conversation:?}");
        assert_eq!(findings.len(), 11);
        assert!(findings.iter().all(|finding| finding.value_hash == findings[0].value_hash));
        assert!(findings.iter().any(|finding| finding.field == "messages[0].tool_calls[0].arguments.to[0]"));
    }
}
