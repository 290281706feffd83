//! Searches and redacts texts and records of no known format, for commands that stand alone.
//!
//! Not here: files (`files`), conversations (`conversation`).
//!
//! Always: failure is closed: what is too long, holds too much, or must not be kept is refused
//! with a reason; strings of a record that look like the messages of a conversation are searched
//! as one.

use std::borrow::Cow;

use super::action::Action;
use super::conversation::Redactor;
use super::kind::Kind;
use super::pseudonym::DROP_MARKS;
use super::refusal::Refusal;
use super::text::{Finding, Hit};
use crate::record::Id;

/// What was found where; never the value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// `$.messages[2].content`; empty in plain text.
    pub field: String,
    /// In the string as it is once unescaped; in plain text in that text.
    pub start_byte: usize,
    pub end_byte: usize,
    pub kind: Kind,
    pub rule: &'static str,
    pub rule_version: u16,
    pub score: f32,
}

/// The root of a record's paths.
fn root() -> String {
    "$".to_owned()
}

impl Redactor {
    /// What is found in plain text, in its order; what the policy keeps is left out.
    pub fn sightings(&self, text: &str) -> Result<Vec<Sighting>, Refusal> {
        self.fits(text)?;
        Ok(self.seen(vec![(String::new(), self.text.find(text, Vec::new())?)]))
    }

    /// The same for a record: JSON that stands as text.
    pub fn record_sightings(&self, json: &str) -> Result<Vec<Sighting>, Refusal> {
        self.fits(json)?;
        Ok(self.seen(super::json::find(&self.text, &root, json)?))
    }

    fn seen(&self, found: Vec<(String, Vec<Hit>)>) -> Vec<Sighting> {
        let mut seen = Vec::new();
        for (field, hits) in found {
            let answered = hits.iter().filter(|hit| !self.text.keeps(&hit.span));
            seen.extend(answered.map(|Hit { span, .. }| Sighting {
                field: field.clone(),
                start_byte: span.start_byte as usize,
                end_byte: span.end_byte as usize,
                kind: span.kind,
                rule: span.rule,
                rule_version: span.rule_version,
                score: span.score,
            }));
        }
        seen
    }

    /// Redacts plain text by itself.
    pub fn plain<'a>(&self, text: &'a str, findings: &mut Vec<Finding>) -> Result<Cow<'a, str>, Refusal> {
        self.fits(text)?;
        let known = findings.len();
        let redacted = self.text.redact_text(&String::new, text, findings)?;
        self.answered(&redacted, &findings[known..])?;
        Ok(redacted)
    }

    /// Redacts a record by itself: JSON that stands as text. With scope `conversation` its
    /// pseudonyms are its own.
    pub fn document<'a>(&self, json: &'a str, findings: &mut Vec<Finding>) -> Result<Cow<'a, str>, Refusal> {
        self.fits(json)?;
        let known = findings.len();
        let scope = match self.text.policy().asks_for_conversations() {
            true => self.key.id("redaction scope of a record", json.as_bytes()),
            false => Id([0; 16]),
        };
        let redacted = self.text.within(scope).redact_json(&root, json, findings)?;
        self.answered(&redacted, &findings[known..])?;
        Ok(redacted)
    }

    /// A record of no known format has no messages that could be dropped alone: it goes whole.
    fn answered(&self, redacted: &str, findings: &[Finding]) -> Result<(), Refusal> {
        self.counted(findings.len())?;
        let drops = |finding: &Finding| matches!(finding.action, Action::DropMessage | Action::DropConversation);
        let marked = || DROP_MARKS.iter().any(|mark| redacted.contains(mark));
        match self.text.policy().drops && (findings.iter().any(drops) || marked()) {
            true => Err(Refusal::DroppedByPolicy),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Redact;
    use crate::record::ProjectKey;
    use crate::stages::redact::mask_tokens;

    fn redactor(toml: &str) -> Redactor {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        Redactor::new(&toml::from_str::<Redact>(toml).unwrap(), &key).unwrap()
    }

    const RECORD: &str = r#"{"id":7,"messages":[{"role":"user","content":"ssn 123-45-"},{"role":"assistant","content":"?"},{"role":"user","content":"6789"}],"meta":{"mail":"jane\u0040example.com"}}"#;

    #[test]
    fn sightings_name_their_place() {
        let seen = redactor("").record_sightings(RECORD).unwrap();
        let places: Vec<_> = seen.iter().map(|one| (one.field.as_str(), one.start_byte, one.end_byte)).collect();
        assert_eq!(places, [("$.messages[0].content", 4, 11), ("$.messages[2].content", 0, 4), ("$.meta.mail", 0, 16)]);
        let seen = redactor("actions = { EMAIL = 'keep' }").sightings("jane@example.com 4111111111111111").unwrap();
        assert_eq!(seen.iter().map(|one| (one.kind, one.start_byte)).collect::<Vec<_>>(), [(Kind::Card, 17)]);
    }

    #[test]
    fn documents_keep_their_shape() {
        let mut findings = Vec::new();
        let redacted = redactor("").document(RECORD, &mut findings).unwrap().into_owned();
        let expected = r#"{"id":7,"messages":[{"role":"user","content":"ssn [SSN]"},{"role":"assistant","content":"?"},{"role":"user","content":"[SSN]"}],"meta":{"mail":"[EMAIL]"}}"#;
        assert_eq!((mask_tokens(&redacted).as_ref(), findings.len()), (expected, 3));
    }

    #[test]
    fn what_must_not_be_kept_is_refused() {
        for (policy, refusal) in [
            ("actions = { SSN = 'drop-message' }", Refusal::DroppedByPolicy),
            ("limits = { findings = 1 }", Refusal::TooManyFindings),
            ("limits = { text_bytes = 10 }", Refusal::TextTooLong),
        ] {
            assert_eq!(redactor(policy).document(RECORD, &mut Vec::new()), Err(refusal), "{policy}");
        }
    }
}
