//! Walks a conversation: every string that will be kept, by its path.
//!
//! Not here: what is done with a finding (`text`, `write`), which it is (`policy`).
//!
//! Always: a conversation comes out redacted whole, or not at all, with a reason; all sides of a
//! stated preference are redacted in the scope that the caller gives them.

use std::borrow::Cow;

use super::action::Action;
use super::detect::model::Model;
use super::kind::Kind;
use super::policy::Policy;
use super::pseudonym::DROP_MARKS;
use super::refusal::Refusal;
use super::text::{self, Finding};
use super::{mentions, turns};
use crate::config::Redact;
use crate::layer::build::FindingRow;
use crate::record::{Conversation, Id, Message, ProjectKey, Role};

/// Redacts conversations. Shared between threads; holds no state of a conversation.
pub struct Redactor {
    pub(super) text: text::Redactor,
    pub(super) key: ProjectKey,
}

/// What became of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Kept,
    DropConversation(Refusal),
}

impl Redactor {
    /// The error names the setting that makes no sense, or what is wrong with the model.
    pub fn new(config: &Redact, key: &ProjectKey) -> Result<Redactor, String> {
        let policy = Policy::new(config)?;
        let model = config.model.as_ref().map(Model::open).transpose()?;
        Redactor::of(policy, config, model, key)
    }

    fn of(policy: Policy, config: &Redact, model: Option<Model>, key: &ProjectKey) -> Result<Redactor, String> {
        let text = text::Redactor::new(policy, &config.phone_regions, model, key, config.vault.is_some())?;
        Ok(Redactor { text, key: key.pseudonym().1 })
    }

    /// Redacts free text that is not part of a conversation (what annotators wrote). Nothing is
    /// kept of one that cannot be redacted.
    pub fn free_text(&self, text: &str) -> String {
        let redacted = self.text.redact_text(&String::new, text, &mut Vec::new());
        redacted.map_or_else(|refusal| format!("[not kept: {}]", refusal.as_str()), Cow::into_owned)
    }

    /// Redacts a part of a conversation as JSON, before it is brought together with others. What
    /// has to be dropped gets a mark, which [`Redactor::conversation`] finds in the whole.
    pub fn record<'a>(&self, json: &'a str, scope: Id, findings: &mut Vec<Finding>) -> Result<Cow<'a, str>, Refusal> {
        self.fits(json)?;
        let known = findings.len();
        let redacted = self.text.within(scope).redact_json(&|| "record".to_owned(), json, findings)?;
        self.counted(findings.len() - known)?;
        Ok(redacted)
    }

    /// What scopes the pseudonyms of a record's conversations: the same for all that open alike, so
    /// that all answers to a prompt, whichever record they are from, share them.
    pub fn scope(&self, conversation: &Conversation) -> Id {
        let mut hasher = self.key.hasher("redaction scope");
        if self.text.policy().asks_for_conversations() {
            let opening = conversation.messages.iter().take_while(|message| message.role != Role::Assistant);
            for message in opening {
                hasher.update(message.role.as_str().as_bytes()).update(&(message.content.len() as u64).to_le_bytes());
                hasher.update(message.content.as_bytes());
            }
        }
        Id::of(hasher.finalize())
    }

    /// The tokens under which a value stands in texts of this scope, by the present key and by
    /// retired ones: where to look when somebody asks what is known of them.
    pub fn tokens(&self, kind: Kind, value: &str, scope: Id) -> Vec<String> {
        self.text.tokens(kind, value, scope)
    }

    /// Replaces in place; findings are appended. Those of a dropped message stay, without output.
    /// What is not kept must not be written anywhere.
    pub fn conversation(&self, conversation: &mut Conversation, scope: Id, findings: &mut Vec<Finding>) -> Outcome {
        match self.redacted(conversation, scope, findings) {
            Ok(()) => Outcome::Kept,
            Err(refusal) => Outcome::DropConversation(refusal),
        }
    }

    fn redacted(&self, conversation: &mut Conversation, scope: Id, findings: &mut Vec<Finding>) -> Result<(), Refusal> {
        strings(conversation).try_for_each(|text| self.fits(text))?;
        let known = findings.len();
        let within = Redactor { text: self.text.within(scope), key: self.key.clone() };
        let mut dropped = vec![false; conversation.messages.len()];
        let found = within.found(&conversation.messages)?;
        for (i, (message, found)) in conversation.messages.iter_mut().zip(found).enumerate() {
            let before = findings.len();
            within.message(i, message, found, findings)?;
            self.counted(findings.len() - known)?;
            if self.text.policy().drops && drops(message, &findings[before..]) {
                dropped[i] = true;
                findings[before..].iter_mut().for_each(|finding| finding.output = None);
            }
        }
        within.json_field("tools", &mut conversation.tools, findings)?;
        within.json_field("metadata", &mut conversation.metadata, findings)?;
        within.field("model", &mut conversation.model, findings)?;
        within.field("id", &mut conversation.external_id, findings)?;
        within.field("surface", &mut conversation.surface, findings)?;
        self.counted(findings.len() - known)?;
        let drops = |finding: &Finding| finding.action == Action::DropConversation;
        let marked = || strings(conversation).any(|text| text.contains(DROP_MARKS[1]));
        if self.text.policy().drops && (findings[known..].iter().any(drops) || marked()) {
            return Err(Refusal::DroppedByPolicy);
        }
        without(conversation, &dropped)
    }

    pub(super) fn fits(&self, text: &str) -> Result<(), Refusal> {
        if text.len() as u64 <= self.text.policy().limits.text_bytes { Ok(()) } else { Err(Refusal::TextTooLong) }
    }

    pub(super) fn counted(&self, findings: usize) -> Result<(), Refusal> {
        if findings <= self.text.policy().limits.findings as usize { Ok(()) } else { Err(Refusal::TooManyFindings) }
    }

    /// What is found in the content of each message, by itself and because of the others.
    fn found(&self, messages: &[Message]) -> Result<Vec<Vec<text::Hit>>, Refusal> {
        let said: Vec<_> = messages.iter().map(|message| (message.content.as_str(), message.role)).collect();
        let cut = turns::parts(&self.text, &said);
        let contents: Vec<&str> = messages.iter().map(|message| message.content.as_str()).collect();
        let found = contents.iter().zip(cut).map(|(text, cut)| self.text.find(text, cut));
        let mut found: Vec<_> = found.collect::<Result<_, _>>()?;
        turns::names(&said, &mut found);
        mentions::share(&contents, &mut found, |span| self.text.keeps(span));
        if found.iter().flatten().any(|hit| self.text.shows(hit)) {
            self.close(&said, &mut found)?;
        }
        Ok(found)
    }

    /// What is written for one value can be the rest of another: "2024" in place of a day, behind a
    /// message that ends with "123-45-". Tokens are written there.
    fn close(&self, said: &[(&str, Role)], found: &mut [Vec<text::Hit>]) -> Result<(), Refusal> {
        let write = |((text, role), hits): (&(&str, Role), &Vec<text::Hit>)| {
            let written = self.text.replace(&String::new, text, hits.clone(), &mut Vec::new())?;
            Ok((written.into_owned(), *role))
        };
        let written: Vec<(String, Role)> = said.iter().zip(found.iter()).map(write).collect::<Result<_, _>>()?;
        let written: Vec<(&str, Role)> = written.iter().map(|(text, role)| (text.as_str(), *role)).collect();
        for (cut, hits) in turns::parts(&self.text, &written).iter().zip(found) {
            if !cut.is_empty() {
                hits.iter_mut().for_each(text::Hit::close);
            }
        }
        Ok(())
    }

    fn message(
        &self,
        i: usize,
        message: &mut Message,
        found: Vec<text::Hit>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Refusal> {
        let at = |field: &str| format!("messages[{i}].{field}");
        let content = self.text.replace(&|| at("content"), &message.content, found, findings)?;
        if let Cow::Owned(content) = content {
            message.content = content;
        }
        for (field, value) in [("name", &mut message.name), ("tool_call_id", &mut message.tool_call_id)] {
            if let Some(value) = value {
                self.replace(&|| at(field), value, false, findings)?;
            }
        }
        for (j, call) in message.tool_calls.iter_mut().enumerate() {
            let at = |field: &str| format!("messages[{i}].tool_calls[{j}].{field}");
            self.replace(&|| at("id"), &mut call.id, false, findings)?;
            self.replace(&|| at("name"), &mut call.name, false, findings)?;
            self.replace(&|| at("arguments"), &mut call.arguments, true, findings)?;
        }
        Ok(())
    }

    fn field(&self, name: &str, value: &mut Option<String>, findings: &mut Vec<Finding>) -> Result<(), Refusal> {
        let Some(value) = value else { return Ok(()) };
        self.replace(&|| name.to_owned(), value, false, findings)
    }

    fn json_field(&self, name: &str, value: &mut Option<String>, findings: &mut Vec<Finding>) -> Result<(), Refusal> {
        let Some(value) = value else { return Ok(()) };
        self.replace(&|| name.to_owned(), value, true, findings)
    }

    fn replace(
        &self,
        at: &dyn Fn() -> String,
        value: &mut String,
        json: bool,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Refusal> {
        let redacted = match json {
            true => self.text.redact_json(at, value, findings)?,
            false => self.text.redact_text(at, value, findings)?,
        };
        if let Cow::Owned(redacted) = redacted {
            *value = redacted;
        }
        Ok(())
    }
}

/// The strings of a message that hold more than a name.
fn texts(message: &Message) -> impl Iterator<Item = &str> {
    let named = [&message.name, &message.tool_call_id].into_iter().filter_map(|one| one.as_deref());
    let calls = message.tool_calls.iter().flat_map(|call| [call.id.as_str(), &call.name, &call.arguments]);
    std::iter::once(message.content.as_str()).chain(named).chain(calls)
}

fn strings(conversation: &Conversation) -> impl Iterator<Item = &str> {
    let Conversation { tools, metadata, model, external_id, surface, .. } = conversation;
    let fields = [tools, metadata, model, external_id, surface].into_iter().filter_map(|one| one.as_deref());
    conversation.messages.iter().flat_map(texts).chain(fields)
}

/// Whether a message has to go: by what was found in it, now or when its part was read.
fn drops(message: &Message, found: &[Finding]) -> bool {
    found.iter().any(|finding| finding.action == Action::DropMessage)
        || texts(message).any(|text| text.contains(DROP_MARKS[0]))
}

/// Takes messages out, and with a call of a tool the answers to it. A conversation in which nobody
/// asks or nobody answers any more is none, unless it was none before.
fn without(conversation: &mut Conversation, dropped: &[bool]) -> Result<(), Refusal> {
    if !dropped.contains(&true) {
        return Ok(());
    }
    let says = |conversation: &Conversation, role: Role| conversation.messages.iter().any(|one| one.role == role);
    let had = [Role::User, Role::Assistant].map(|role| says(conversation, role));
    let mut calls: Vec<String> = Vec::new();
    let mut gone = dropped.iter();
    conversation.messages.retain(|message| {
        let answers = message.tool_call_id.as_ref().is_some_and(|id| calls.contains(id));
        let drop = *gone.next().unwrap_or(&false) || (message.role == Role::Tool && answers);
        if drop {
            calls.extend(message.tool_calls.iter().map(|call| call.id.clone()));
        }
        !drop
    });
    let has = [Role::User, Role::Assistant].map(|role| says(conversation, role));
    if had == has && !conversation.messages.is_empty() { Ok(()) } else { Err(Refusal::NothingLeft) }
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
            output: self.output,
            action: self.action.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::pseudonym::mask_tokens;
    use super::text::tests::{POLICIES, piece};
    use super::*;
    use crate::record::ToolCall;

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
    fn values_go_over_messages() {
        for messages in [
            &[(Role::User, "my ssn is 123-45-"), (Role::Assistant, "?"), (Role::User, "6789 sorry")][..],
            &[(Role::User, "my ssn is 123-45"), (Role::User, "-6789")],
            &[(Role::User, "card: 4111 1111"), (Role::Assistant, ""), (Role::User, " 1111 1111.")],
            &[(Role::User, "I am jane@exam"), (Role::User, "ple.com")],
        ] {
            let (texts, findings, _) = redacted("", said(messages));
            assert_eq!(findings.len(), 2, "{texts:?}");
            assert_eq!(findings[0].value_hash, findings[1].value_hash);
            assert!(texts.concat().chars().filter(char::is_ascii_digit).count() < 20 && texts[0].ends_with(']'));
            let last = messages.len() - 1;
            assert_eq!(findings[0].field, "messages[0].content");
            assert_eq!(findings[1].field, format!("messages[{last}].content"));
            assert!(texts[last].starts_with('['), "{texts:?}");
        }
    }

    #[test]
    fn messages_that_stand_by_themselves_stay() {
        for messages in [
            &[(Role::User, "I have 12"), (Role::Assistant, "345 6789 are left"), (Role::User, "555")][..],
            &[(Role::User, "I have 2025550"), (Role::Assistant, "173 of them")],
            &[(Role::User, "Mail it to"), (Role::Assistant, "me")],
            &[(Role::User, "It is"), (Role::Assistant, "e.g. at @work.it")],
            &[(Role::User, "What is 2024-05-"), (Role::Assistant, "2024-06-01 is later")],
        ] {
            assert_eq!(redacted("", said(messages)).1, [], "{messages:?}");
        }
    }

    #[test]
    fn names_go_over_messages() {
        for (first, second, rest) in [
            ("Hi, my name is Bramelin ", "Sandbrook", "[PERSON]"),
            ("Hi, my name is Bramelin", " Sandbrook.", " [PERSON]."),
            ("Hi, my name is Bramelin S", "andbrook", "[PERSON]"),
            ("Hi, my name is Bramelin", "Thanks", "Thanks"),
            ("Hi, my name is Bramelin", "Sandbrook is where I live", "Sandbrook is where I live"),
            ("Bramelin met Karen Miller", "Sandbrook", "Sandbrook"),
            ("Hi, my name is Bramelin", " ", " "),
            ("Hi, my name is Bramelin", "", ""),
        ] {
            let texts = redacted("", said(&[(Role::User, first), (Role::User, second)])).0;
            assert_eq!(mask_tokens(&texts[1]), rest, "{first}");
        }
        let texts = redacted("", said(&[(Role::User, "my name is Bramelin"), (Role::Assistant, "Xyqo")])).0;
        assert_eq!(texts[1], "Xyqo", "somebody else says it");
    }

    #[test]
    fn names_of_places_groups_and_firms_go_over_messages_where_they_are_to_go() {
        for (first, second, rests) in [
            ("She is Peru", "vian by birth.", ["She is [NRP]", "[NRP] by birth."]),
            ("We flew from Chi ", " cago.", ["We flew from [PLACE]", "[PLACE]."]),
            ("She works at Kestdan", " Systems in town.", ["She works at [ORGANIZATION]", "[ORGANIZATION] in town."]),
            ("She is from Peru", "vases are made there", ["She is from [PLACE]", "vases are made there"]),
        ] {
            let turns = [(Role::User, first), (Role::Assistant, second)];
            let masked = |toml: &str| -> Vec<_> {
                redacted(toml, said(&turns)).0.iter().map(|text| mask_tokens(text).into_owned()).collect()
            };
            assert_eq!(masked("preset = 'strict'"), rests);
            assert_eq!(masked(""), [first, second]);
        }
    }

    #[test]
    fn a_value_at_the_end_of_a_sentence_ends_there() {
        let (texts, findings, _) =
            redacted("", said(&[(Role::User, "Write to jane@example.com."), (Role::Assistant, "It opens at nine.")]));
        assert_eq!(mask_tokens(&texts[0]), "Write to [EMAIL].");
        assert_eq!((texts[1].as_str(), findings.len()), ("It opens at nine.", 1));
    }

    #[test]
    fn a_name_found_once_goes_from_all_messages() {
        let turns = [
            (Role::User, "Hi, my name is Zyrthan Okweth."),
            (Role::Assistant, "On it: ZYRTHAN OKWETH, and xZyrthan Okwethy."),
            (Role::User, "zyrthan okweth [EMAIL:k7f3a9q2] it is."),
        ];
        let (texts, findings, _) = redacted("", said(&turns));
        let masked: Vec<_> = texts.iter().map(|text| mask_tokens(text).into_owned()).collect();
        assert_eq!(masked[0], "Hi, my name is [PERSON].");
        assert_eq!(masked[1], "On it: [PERSON], and xZyrthan Okwethy.");
        assert_eq!(masked[2], "[PERSON] [EMAIL] it is.");
        assert!(findings.iter().all(|finding| finding.value_hash == findings[0].value_hash));
        let kept = redacted("actions = { PERSON = 'keep' }", said(&turns)).0;
        assert_eq!(kept, turns.map(|(_, text)| text));
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
        let outcome = redactor.conversation(&mut conversation, Id([0; 16]), &mut findings);
        assert_eq!(outcome, Outcome::Kept);
        assert!(!format!("{conversation:?}").contains("jane"), "{conversation:?}");
        assert_eq!(findings.len(), 11);
        assert!(findings.iter().all(|finding| finding.value_hash == findings[0].value_hash));
        assert!(findings.iter().any(|finding| finding.field == "messages[0].tool_calls[0].arguments.to[0]"));
    }

    fn redactor(toml: &str) -> Redactor {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        Redactor::new(&toml::from_str(toml).unwrap(), &key).unwrap()
    }

    /// With a model that holds `Xyqo` for a name of a person, and gives no answer to `fail`.
    fn with_model(toml: &str) -> Redactor {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        let config: Redact = toml::from_str(toml).unwrap();
        let model = crate::stages::redact::detect::model::tests::model(&["Xyqo"]);
        Redactor::of(Policy::new(&config).unwrap(), &config, Some(model), &key).unwrap()
    }

    #[test]
    fn a_model_finds_what_rules_do_not() {
        let text = "é the parcel went to Xyqo yesterday, not to jane@example.com";
        let ask = || Conversation { metadata: Some(r#"{"note":"by Xyqo"}"#.to_owned()), ..said(&[(Role::User, text)]) };
        let mut plain = ask();
        Redactor::new(&Redact::default(), &ProjectKey::from_secret("a secret of good length").unwrap())
            .unwrap()
            .conversation(&mut plain, Id([0; 16]), &mut Vec::new());
        assert!(plain.messages[0].content.contains("Xyqo"));
        let (redactor, mut redacted, mut findings) = (with_model(""), ask(), Vec::new());
        assert_eq!(redactor.conversation(&mut redacted, Id([0; 16]), &mut findings), Outcome::Kept);
        let content = &redacted.messages[0].content;
        assert_eq!(mask_tokens(content), "é the parcel went to [PERSON] yesterday, not to [EMAIL]");
        assert_eq!(mask_tokens(redacted.metadata.as_deref().unwrap()), r#"{"note":"by [PERSON]"}"#);
        let model = findings.iter().find(|finding| finding.rule == "model.person").unwrap();
        assert_eq!(&text[model.start_byte as usize..model.end_byte as usize], "Xyqo");
        assert!(model.score > 0.9);
        assert_eq!(redactor.free_text(content), *content);
    }

    #[test]
    fn what_a_model_does_not_answer_is_refused() {
        let redactor = with_model("");
        let fails = |conversation: Conversation| {
            let mut findings = Vec::new();
            redactor.conversation(&mut { conversation }, Id([0; 16]), &mut findings)
        };
        let failed = Outcome::DropConversation(Refusal::ModelFailed);
        assert_eq!(fails(said(&[(Role::User, "hi"), (Role::Assistant, "do fail")])), failed);
        let metadata = Conversation { metadata: Some(r#"{"fail":1}"#.into()), ..said(&[(Role::User, "hi")]) };
        assert_eq!(fails(metadata), failed);
        assert_eq!(redactor.record(r#"["fail"]"#, Id([0; 16]), &mut Vec::new()), Err(Refusal::ModelFailed));
        assert_eq!(redactor.document(r#"["fail"]"#, &mut Vec::new()), Err(Refusal::ModelFailed));
        assert_eq!(redactor.record_sightings(r#"["fail"]"#), Err(Refusal::ModelFailed));
        assert_eq!(redactor.sightings("fail"), Err(Refusal::ModelFailed));
        assert_eq!(redactor.plain("fail", &mut Vec::new()), Err(Refusal::ModelFailed));
        assert_eq!(redactor.free_text("they fail"), "[not kept: model_failed]");
        let other = with_model("types = ['EMAIL']");
        assert_eq!(other.plain("fail", &mut Vec::new()).unwrap(), "fail", "names are not looked for");
    }

    fn said(turns: &[(Role, &str)]) -> Conversation {
        let messages = turns.iter().map(|(role, text)| Message::text(*role, *text)).collect();
        Conversation { messages, ..Default::default() }
    }

    /// What is left of the messages, the findings, and the outcome.
    fn redacted(toml: &str, mut conversation: Conversation) -> (Vec<String>, Vec<Finding>, Outcome) {
        let (redactor, mut findings) = (redactor(toml), Vec::new());
        let scope = redactor.scope(&conversation);
        let outcome = redactor.conversation(&mut conversation, scope, &mut findings);
        (conversation.messages.into_iter().map(|message| message.content).collect(), findings, outcome)
    }

    const MAIL: &str = "jane@corp.example";
    const CARD: &str = "4539 5787 6362 1486";

    #[test]
    fn messages_are_dropped_with_the_answers_to_their_calls() {
        let mut conversation = said(&[
            (Role::User, "hello"),
            (Role::Assistant, "hi"),
            (Role::User, CARD),
            (Role::Assistant, ""),
            (Role::Tool, "paid"),
            (Role::Assistant, "done"),
        ]);
        let arguments = format!("{{\"card\":\"{CARD}\"}}");
        conversation.messages[3].tool_calls = vec![ToolCall { id: "c1".into(), name: "pay".into(), arguments }];
        conversation.messages[4].tool_call_id = Some("c1".into());
        let (left, findings, outcome) = redacted("actions = { CARD = 'drop-message' }", conversation);
        assert_eq!((left, outcome), (["hello", "hi", "done"].map(str::to_owned).to_vec(), Outcome::Kept));
        assert_eq!(
            findings.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(),
            ["messages[2].content", "messages[3].tool_calls[0].arguments.card"]
        );
        assert!(findings.iter().all(|one| one.output.is_none() && one.action == Action::DropMessage));
    }

    #[test]
    fn what_must_not_be_kept_is_not() {
        let ask = |text: &str| said(&[(Role::User, text), (Role::Assistant, "ok")]);
        for (toml, conversation, refusal) in [
            ("actions = { CARD = 'drop-conversation' }", ask(CARD), Refusal::DroppedByPolicy),
            ("actions = { CARD = 'drop-message' }", ask(CARD), Refusal::NothingLeft),
            ("limits = { text_bytes = 5 }", ask("123456"), Refusal::TextTooLong),
            ("limits = { findings = 1 }", ask(&format!("{MAIL} {CARD}")), Refusal::TooManyFindings),
        ] {
            assert_eq!(redacted(toml, conversation).2, Outcome::DropConversation(refusal), "{toml}");
        }
        let metadata = Conversation { metadata: Some(format!("{{\"card\":\"{CARD}\"}}")), ..ask("pay") };
        let toml = "actions = { CARD = 'drop-conversation' }";
        assert_eq!(redacted(toml, metadata).2, Outcome::DropConversation(Refusal::DroppedByPolicy));
        assert_eq!(redacted("limits = { text_bytes = 5 }", ask("12345")).2, Outcome::Kept);
    }

    /// A part is redacted before it is known what it is a part of.
    #[test]
    fn what_a_part_has_to_drop_is_dropped_in_the_whole() {
        for (action, outcome) in [
            ("drop-message", Outcome::DropConversation(Refusal::NothingLeft)),
            ("drop-conversation", Outcome::DropConversation(Refusal::DroppedByPolicy)),
        ] {
            let toml = format!("actions = {{ CARD = '{action}' }}");
            let part = format!("{{\"text\":\"{CARD}\"}}");
            let mut findings = Vec::new();
            let record = redactor(&toml).record(&part, Id([1; 16]), &mut findings).unwrap().into_owned();
            assert_eq!((record.contains("4539"), findings.len()), (false, 1));
            let whole = said(&[(Role::User, &record), (Role::Assistant, "ok")]);
            assert_eq!(redacted(&toml, whole).2, outcome, "{action}");
        }
        let long = redactor("limits = { text_bytes = 5 }");
        assert_eq!(long.record("[123456]", Id([1; 16]), &mut Vec::new()), Err(Refusal::TextTooLong));
    }

    #[test]
    fn answers_to_one_prompt_share_pseudonyms_and_others_do_not() {
        let toml = "pseudonym_scope = 'conversation'";
        let tell = |first: &str, answer: &str| {
            redacted(toml, said(&[(Role::User, first), (Role::Assistant, answer), (Role::User, MAIL)])).0[2].clone()
        };
        let prompt = format!("I am {MAIL}");
        assert_eq!(tell(&prompt, "a"), tell(&prompt, "b"));
        assert_ne!(tell(&prompt, "a"), tell("I am somebody else", "a"));
        let project = |first: &str| redacted("", said(&[(Role::User, first), (Role::User, MAIL)])).0[1].clone();
        assert_eq!(project("a"), project("b"));
    }

    #[test]
    fn what_is_written_is_no_rest_of_another_value() {
        let said = said(&[(Role::User, "my ssn is 123-45-"), (Role::User, "2024-05-01")]);
        let (left, ..) = redacted("preset = 'hipaa-safe-harbor'", said);
        assert_eq!(left, ["my ssn is 123-45-", "[DATE]"]);
    }

    #[test]
    fn dates_of_a_conversation_keep_their_distance() {
        let toml = "actions = { DATE_OF_BIRTH = 'date-shift' }";
        let scoped = redactor(toml);
        let ask = |text: &str| said(&[(Role::User, text)]);
        assert_ne!(scoped.scope(&ask("a")), scoped.scope(&ask("b")));
        assert_eq!(redactor("").scope(&ask("a")), redactor("").scope(&ask("b")), "nothing asks for it");
    }

    #[test]
    fn the_ledger_says_what_was_done_and_where() {
        let toml = "allow = ['help@corp.example']\n[actions]\nEMAIL = 'surrogate'\nIP = 'keep'\n\
            [[deny]]\nname = 'projects'\nvalues = ['Blue Heron']";
        let text = format!("{MAIL} or help@corp.example about blue heron from 81.2.69.142");
        let (left, findings, _) = redacted(toml, said(&[(Role::User, &text)]));
        let told: Vec<_> = findings.iter().map(|one| (one.kind, one.rule, one.action.name())).collect();
        assert_eq!(
            told,
            [
                (Kind::Email, "email.address", "surrogate"),
                (Kind::Custom, "projects", "pseudonym"),
                (Kind::Ip, "ip.v4", "keep")
            ]
        );
        for finding in &findings {
            let (start, end) = finding.output.unwrap();
            let written = &left[0][start as usize..end as usize];
            assert!(["user-", "[CUSTOM:", "81.2.69.142"].iter().any(|form| written.starts_with(form)), "{written}");
        }
        assert!(left[0].contains("help@corp.example") && left[0].ends_with("81.2.69.142"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_second_redaction_changes_nothing(
            texts in proptest::collection::vec((0..3usize, proptest::collection::vec(piece(), 0..4)), 1..5)
        ) {
            static REDACTORS: std::sync::OnceLock<Vec<Redactor>> = std::sync::OnceLock::new();
            let roles = [Role::User, Role::Assistant, Role::Tool];
            let messages = texts.iter().map(|(role, pieces)| Message::text(roles[*role], pieces.concat())).collect();
            let whole = Conversation { messages, ..Default::default() };
            for (policy, redactor) in POLICIES.iter().zip(REDACTORS.get_or_init(|| POLICIES.map(redactor).into())) {
                let mut once = whole.clone();
                let scope = redactor.scope(&once);
                if redactor.conversation(&mut once, scope, &mut Vec::new()) != Outcome::Kept {
                    continue;
                }
                let mut again = once.clone();
                redactor.conversation(&mut again, scope, &mut Vec::new());
                prop_assert_eq!(&again.messages, &once.messages, "{}: {:?}", policy, whole.messages);
            }
        }
    }
}
