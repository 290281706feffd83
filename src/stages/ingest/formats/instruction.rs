//! Rows of one question and one answer as plain text: Alpaca (`instruction`, `input`, `output`),
//! Dolly (`instruction`, `context`, `response`), and `prompt` or `question` with `response`,
//! `answer`, `output` or `completion`. An optional system prompt and LLaMA-Factory's `history` of
//! earlier turns (data/README.md, 0.9.5) are read too.
//!
//! Not here: `prompt` with `completion` (`trl`), pairs of answers, prompts without an answer
//! (`judged`), `input` with `output` and nothing else, which traces have as well.
//!
//! Always: exactly one question and one answer; with two of either, which was meant is not known.

use super::super::Reason;
use super::super::tree::Json;
use super::Read;
use super::row::{Keys, conversation, has_any};
use crate::record::{Message, Role};

const QUESTIONS: [&str; 3] = ["instruction", "prompt", "question"];
const ANSWERS: [&str; 4] = ["output", "response", "answer", "completion"];
const SYSTEMS: [&str; 2] = ["system", "system_prompt"];
/// What the question is about; it stands below the question.
const CONTEXTS: [&str; 2] = ["input", "context"];

/// Keys that make it a row of another format.
const FOREIGN: [&str; 11] = [
    "messages",
    "conversations",
    "conversation",
    "chosen",
    "rejected",
    "response_a",
    "response1",
    "answer_id",
    "review_id",
    "replies",
    "turns",
];

/// A question and an answer, both as text.
pub fn fits(record: &Json) -> bool {
    let has_text = |keys: &[&str]| keys.iter().any(|key| record.text_of(key).is_some());
    // Where `completion` is the only answer to a `prompt`, the row is TRL's.
    let is_trl = has_any(record, &["prompt"]) && has_any(record, &["completion"]);
    has_text(&QUESTIONS) && has_text(&ANSWERS) && !is_trl && !has_any(record, &FOREIGN)
}

/// One row, one conversation.
pub fn read(record: &Json) -> Read {
    let question = only(record, &QUESTIONS)?.ok_or(Reason::BadShape)?;
    let answer = only(record, &ANSWERS)?.ok_or(Reason::BadShape)?;
    let asked: Vec<&str> =
        [Some(question), only(record, &CONTEXTS)?].into_iter().flatten().filter(|text| !text.is_empty()).collect();
    if asked.is_empty() {
        return Err(Reason::NoMessages);
    }
    let mut messages = Vec::new();
    let system = only(record, &SYSTEMS)?.filter(|text| !text.is_empty());
    messages.extend(system.map(|text| Message::text(Role::System, text)));
    for turn in record.get("history").map_or(Ok(&[][..]), |history| history.list().ok_or(Reason::BadShape))? {
        let [Json::Text(asked), Json::Text(answered)] = turn.list().unwrap_or_default() else {
            return Err(Reason::BadShape);
        };
        messages.push(Message::text(Role::User, asked.as_ref()));
        messages.push(Message::text(Role::Assistant, answered.as_ref()));
    }
    messages.push(Message::text(Role::User, asked.join("\n\n")));
    messages.push(Message::text(Role::Assistant, answer));
    Ok(vec![conversation(record, messages, KEYS, Vec::new())])
}

const KEYS: Keys = Keys {
    id: &["id", "uuid", "idx", "question_id"],
    model: &["model"],
    time: &["created_at", "timestamp", "created", "tstamp"],
    used: &[
        "instruction",
        "prompt",
        "question",
        "output",
        "response",
        "answer",
        "completion",
        "system",
        "system_prompt",
        "input",
        "context",
        "history",
    ],
};

/// The text under the only one of the keys that has a value; empty text beside another's is none.
fn only<'t>(record: &'t Json, keys: &[&str]) -> Result<Option<&'t str>, Reason> {
    let values: Vec<&Json> = keys.iter().filter_map(|key| record.get(key)).collect();
    let texts: Vec<&str> = values.iter().map(|value| value.text().ok_or(Reason::BadShape)).collect::<Result<_, _>>()?;
    let mut filled = texts.iter().filter(|text| !text.is_empty());
    match (filled.next(), filled.next()) {
        (Some(_), Some(_)) => Err(Reason::BadShape),
        (Some(text), None) => Ok(Some(text)),
        (None, _) => Ok(texts.first().copied()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Read {
        super::read(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn rows() {
        for (json, texts) in [
            (r#"{"instruction":"q","input":"","output":"a"}"#, vec!["user: q", "assistant: a"]),
            (r#"{"instruction":"q","input":"i","output":"a"}"#, vec!["user: q\n\ni", "assistant: a"]),
            (r#"{"instruction":"q","context":"c","response":"a"}"#, vec!["user: q\n\nc", "assistant: a"]),
            (r#"{"system_prompt":"s","question":"q","response":"a"}"#, vec!["system: s", "user: q", "assistant: a"]),
            (r#"{"prompt":"q","answer":""}"#, vec!["user: q", "assistant: "]),
            (
                r#"{"instruction":"q","output":"a","history":[["q0","a0"]]}"#,
                vec!["user: q0", "assistant: a0", "user: q", "assistant: a"],
            ),
        ] {
            let got = read(json).unwrap().remove(0);
            let got: Vec<String> = got.messages.iter().map(|m| format!("{}: {}", m.role.as_str(), m.content)).collect();
            assert_eq!(got, texts, "{json}");
        }
    }

    #[test]
    fn the_rest_is_metadata() {
        let got = read(r#"{"id":5,"instruction":"q","output":"a","model":"m","category":"c"}"#).unwrap().remove(0);
        assert_eq!((got.external_id.as_deref(), got.model.as_deref()), (Some("5"), Some("m")));
        assert_eq!(got.metadata.as_deref(), Some(r#"{"category":"c"}"#));
    }

    #[test]
    fn every_reject_has_its_reason() {
        for (json, reason) in [
            (r#"{"instruction":"","input":"","output":"a"}"#, Reason::NoMessages),
            (r#"{"instruction":"q","output":"a","response":"b"}"#, Reason::BadShape),
            (r#"{"question":"q","prompt":"p","response":"b"}"#, Reason::BadShape),
            (r#"{"instruction":"q","output":"a","input":5}"#, Reason::BadShape),
            (r#"{"instruction":"q","output":"a","history":[["q0"]]}"#, Reason::BadShape),
            (r#"{"instruction":"q","output":"a","history":"q0"}"#, Reason::BadShape),
            (r#"{"instruction":"q"}"#, Reason::BadShape),
        ] {
            assert_eq!(read(json), Err(reason), "{json}");
        }
    }
}
