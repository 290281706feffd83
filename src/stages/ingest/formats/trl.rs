//! TRL rows (huggingface/trl docs/source/dataset_formats.md, 1.16.0): `prompt` with `completion`,
//! `prompt` with `chosen` and `rejected`, and `chosen` and `rejected` as whole conversations.
//! Each is text or a list of chat messages.
//!
//! Not here: `messages` rows, HH transcripts (text `chosen`/`rejected` alone, or text that begins
//! with a turn mark), rows with a prompt only.
//!
//! Always: text is one message: the user's for a prompt, the assistant's for an answer. The label
//! of an unpaired row is a grade, not a preference, and stays in the metadata.

use super::super::Reason;
use super::super::tree::Json;
use super::row::{Extra, Keys, conversation, has_any, message_extras};
use super::{Read, messages};
use crate::record::{Conversation, Message, Preference, Role};

const FOREIGN: [&str; 6] = ["messages", "conversations", "conversation", "instruction", "response_a", "response1"];

/// One of the three combinations of keys, each as text or messages.
pub fn fits(record: &Json) -> bool {
    let turns = |key: &str| record.get(key).is_some_and(is_turns);
    let chats = |key: &str| record.list_of(key).is_some() && turns(key);
    let pair = turns("chosen") && turns("rejected") && turns("prompt");
    let implicit = chats("chosen") && chats("rejected") && record.get("prompt").is_none();
    let completion = turns("prompt") && turns("completion") && !has_any(record, &["chosen", "rejected"]);
    (pair || implicit || completion) && !has_any(record, &FOREIGN)
}

/// Text that is no HH transcript, or a list of objects.
fn is_turns(value: &Json) -> bool {
    match value {
        Json::Text(text) => !["Human:", "Assistant:"].iter().any(|mark| {
            let text: &str = text;
            text.strip_prefix("\n\n").is_some_and(|text| text.starts_with(mark))
        }),
        Json::List(items) => items.first().is_none_or(|item| item.entries().is_some()),
        _ => false,
    }
}

/// One conversation, or the chosen one and the rejected one.
pub fn read(record: &Json) -> Read {
    let prompt = record.get("prompt");
    if let Some(completion) = record.get("completion").filter(|_| !has_any(record, &["chosen", "rejected"])) {
        let prompt = prompt.ok_or(Reason::BadShape)?;
        return Ok(vec![one(record, Some(prompt), completion, None)?]);
    }
    let side = |key: &str, preference| {
        let answer = record.get(key).ok_or(Reason::BadShape)?;
        // Text alone is a transcript of which nothing says who speaks.
        if prompt.is_none() && answer.list().is_none() {
            return Err(Reason::BadShape);
        }
        one(record, prompt, answer, Some(preference))
    };
    Ok(vec![side("chosen", Preference::Chosen)?, side("rejected", Preference::Rejected)?])
}

fn one(
    record: &Json,
    prompt: Option<&Json>,
    answer: &Json,
    preference: Option<Preference>,
) -> Result<Conversation, Reason> {
    let (mut messages, mut turns) = prompt.map_or(Ok(Default::default()), |prompt| read_turns(prompt, Role::User))?;
    let (answers, answer_turns) = read_turns(answer, Role::Assistant)?;
    if answers.is_empty() || (prompt.is_some() && messages.is_empty()) {
        return Err(Reason::NoMessages);
    }
    if !messages.is_empty() && answers.len() > messages.len() && answers.starts_with(&messages) {
        // Some sets repeat the prompt in both answers.
        messages = answers;
    } else if prompt.is_some() && matches!(answers[0].role, Role::User | Role::System) {
        // Neither an answer nor the same conversation: what the prompt is to it is not known.
        return Err(Reason::BadShape);
    } else {
        messages.extend(answers);
    }
    // Also where the prompt stands twice: what its messages say beside the text may differ.
    turns.extend(answer_turns);
    let (tools, used) = tools(record);
    let keys = Keys {
        id: &["id", "prompt_id", "uuid"],
        model: &["model"],
        time: &["created_at", "timestamp", "created"],
        used,
    };
    let extras: Vec<Extra> = message_extras(&turns);
    Ok(Conversation { tools, preference, ..conversation(record, messages, keys, extras) })
}

/// The messages, and the JSON that each came from.
fn read_turns<'a>(value: &Json<'a>, role: Role) -> Result<(Vec<Message>, Vec<Json<'a>>), Reason> {
    match value {
        Json::Text(text) => Ok((vec![Message::text(role, text.as_ref())], vec![Json::Null])),
        Json::List(items) => Ok((messages::chat(items)?, items.clone())),
        _ => Err(Reason::BadShape),
    }
}

/// Tool definitions as a list or as its JSON text; of any other type they stay in the metadata.
fn tools(record: &Json) -> (Option<String>, &'static [&'static str]) {
    const USED: [&str; 5] = ["prompt", "completion", "chosen", "rejected", "tools"];
    let tools = record.get("tools").and_then(|tools| match tools {
        Json::List(_) => Some(tools.json()),
        Json::Text(text) => matches!(Json::parsed(text), Some(Json::List(_))).then(|| text.clone().into_owned()),
        _ => None,
    });
    if tools.is_some() { (tools, &USED) } else { (None, &USED[..4]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Read {
        let record = serde_json::from_str(json).unwrap();
        assert!(fits(&record), "{json}");
        super::read(&record)
    }

    fn texts(one: &Conversation) -> Vec<String> {
        one.messages.iter().map(|m| format!("{}: {}", m.role.as_str(), m.content)).collect()
    }

    #[test]
    fn completions() {
        let json = r#"{"prompt":"q","completion":" a","label":true,"tools":"[{\"type\":\"function\"}]"}"#;
        let got = read(json).unwrap().remove(0);
        assert_eq!(texts(&got), ["user: q", "assistant:  a"]);
        assert_eq!((got.metadata.as_deref(), got.preference), (Some(r#"{"label":true}"#), None));
        assert_eq!(got.tools.as_deref(), Some(r#"[{"type":"function"}]"#));
        let json = r#"{"prompt":[{"role":"system","content":"s"},{"role":"user","content":"q"}],
            "completion":[{"role":"assistant","content":"a","thinking":"hm"}],"tools":"none"}"#;
        let got = read(json).unwrap().remove(0);
        assert_eq!(texts(&got), ["system: s", "user: q", "assistant: a"]);
        assert_eq!(got.metadata.as_deref(), Some(r#"{"tools":"none","thinking":["hm"]}"#));
    }

    #[test]
    fn pairs_in_all_forms_read_the_same() {
        let (q, a, b) = (
            r#"{"role":"user","content":"q"}"#,
            r#"{"role":"assistant","content":"a"}"#,
            r#"{"role":"assistant","content":"b"}"#,
        );
        for json in [
            r#"{"prompt":"q","chosen":"a","rejected":"b"}"#.to_owned(),
            format!(r#"{{"prompt":[{q}],"chosen":[{a}],"rejected":[{b}]}}"#),
            format!(r#"{{"prompt":"q","chosen":[{q},{a}],"rejected":[{q},{b}]}}"#),
            format!(r#"{{"chosen":[{q},{a}],"rejected":[{q},{b}]}}"#),
        ] {
            let got = read(&json).unwrap();
            assert_eq!(texts(&got[0]), ["user: q", "assistant: a"], "{json}");
            assert_eq!(texts(&got[1]), ["user: q", "assistant: b"], "{json}");
            assert_eq!(got[0].preference, Some(Preference::Chosen));
            assert_eq!(got[1].preference, Some(Preference::Rejected));
        }
    }

    #[test]
    fn every_reject_has_its_reason() {
        for (json, reason) in [
            (r#"{"prompt":[],"completion":"a"}"#, Reason::NoMessages),
            (r#"{"chosen":[],"rejected":[]}"#, Reason::NoMessages),
            (r#"{"prompt":[{"content":"q"}],"completion":"a"}"#, Reason::MissingRole),
            (r#"{"prompt":[{"role":"wizard"}],"completion":"a"}"#, Reason::UnknownRole),
            (r#"{"prompt":"q","completion":[{"role":"user","content":"other"}]}"#, Reason::BadShape),
            (r#"{"prompt":"q","completion":[{"role":"assistant","content":7}]}"#, Reason::BadShape),
        ] {
            assert_eq!(read(json), Err(reason), "{json}");
        }
        for json in [r#"{"completion":"a"}"#, r#"{"prompt":"q"}"#, r#"{"chosen":"a","rejected":"b"}"#] {
            assert_eq!(super::read(&serde_json::from_str(json).unwrap()), Err(Reason::BadShape), "{json}");
        }
    }

    #[test]
    fn transcripts_do_not_fit() {
        for json in [
            r#"{"chosen":"\n\nHuman: q","rejected":"\n\nHuman: q"}"#,
            r#"{"prompt":"\n\nHuman: q\n\nAssistant:","chosen":" a","rejected":" b"}"#,
            r#"{"prompt":"q","chosen":"\n\nHuman: q","rejected":"\n\nHuman: q"}"#,
        ] {
            assert!(!fits(&serde_json::from_str(json).unwrap()), "{json}");
        }
    }
}
