//! Chatbot Arena pairs (dataset cards of lmsys/chatbot_arena_conversations and of the Kaggle
//! set lmsys-arena-human-preference-55k): one question, two models, a vote.
//!
//! Two forms: `conversation_a`/`conversation_b` as chat messages with `winner`; and `prompt`,
//! `response_a`, `response_b`, where each is a JSON list of turns (or one plain text), with
//! `winner_model_a`, `winner_model_b`, `winner_tie` as 0 and 1.
//!
//! Not here: verdicts without the conversations (`judged`).
//!
//! Always: two conversations. With a winner the chosen one comes first; else a, then b, without a
//! preference. The vote and both model names stay in the metadata, with the `side` of each.

use std::borrow::Cow;

use super::super::Reason;
use super::super::tree::Json;
use super::row::{Keys, conversation, has_any, message_extras};
use super::{Read, messages};
use crate::record::{Message, Preference, Role};

const SIDES: [Side; 2] = [
    Side { model: "model_a", conversation: "conversation_a", response: "response_a", won: "winner_model_a" },
    Side { model: "model_b", conversation: "conversation_b", response: "response_b", won: "winner_model_b" },
];

struct Side {
    model: &'static str,
    conversation: &'static str,
    response: &'static str,
    won: &'static str,
}

/// Both conversations as lists, or a prompt with both responses.
pub fn fits(record: &Json) -> bool {
    let chats = SIDES.iter().all(|side| record.list_of(side.conversation).is_some());
    let texts = has_any(record, &["prompt"]) && SIDES.iter().all(|side| has_any(record, &[side.response]));
    (chats || texts) && !has_any(record, &["messages", "conversations", "chosen", "rejected"])
}

/// Two conversations, the winner's first.
pub fn read(record: &Json) -> Read {
    let winner = winner(record)?;
    let mut pair = Vec::new();
    for side in &SIDES {
        let (messages, mut extras, used): (_, _, &'static [&'static str]) = match record.get(side.conversation) {
            Some(chat) => {
                let turns = chat.list().ok_or(Reason::BadShape)?;
                (messages::chat(turns)?, message_extras(turns), &["conversation_a", "conversation_b"])
            }
            None => (turns(record, side.response)?, Vec::new(), &["prompt", "response_a", "response_b"]),
        };
        // One answered side is no pair, and would not be what the vote was about.
        if messages.is_empty() {
            return Err(Reason::NoMessages);
        }
        extras.push(("side", Json::Text(Cow::Borrowed(side.model))));
        let keys = Keys { id: &["question_id", "id"], model: &[], time: &["tstamp", "timestamp"], used };
        let mut one = conversation(record, messages, keys, extras);
        one.model = record.text_of(side.model).map(str::to_owned);
        pair.push(one);
    }
    if winner == Some(1) {
        pair.reverse();
    }
    if winner.is_some() {
        for (one, preference) in pair.iter_mut().zip([Preference::Chosen, Preference::Rejected]) {
            one.preference = Some(preference);
        }
    }
    Ok(pair)
}

/// Which side won: nothing for ties, both bad, and verdicts that are none ("inconsistent").
/// Votes that contradict each other make the record unreadable.
fn winner(record: &Json) -> Result<Option<usize>, Reason> {
    let flags: Vec<bool> = SIDES.iter().map(|side| record.get(side.won).is_some_and(is_one)).collect();
    let tie = record.get("winner_tie").is_some_and(is_one);
    let flagged = match (flags[0], flags[1], tie) {
        (true, false, false) => Some(Vote::Side(0)),
        (false, true, false) => Some(Vote::Side(1)),
        (false, false, true) => Some(Vote::Tie),
        (false, false, false) => None,
        _ => return Err(Reason::BadShape),
    };
    let vote = match (flagged, record.text_of("winner").and_then(|winner| named(record, winner))) {
        (Some(flagged), Some(named)) if flagged != named => return Err(Reason::BadShape),
        (flagged, named) => flagged.or(named),
    };
    Ok(vote.and_then(|vote| if let Vote::Side(side) = vote { Some(side) } else { None }))
}

#[derive(Clone, Copy, PartialEq)]
enum Vote {
    Side(usize),
    Tie,
}

/// The vote that `winner` names: a side, its model, or a tie of some kind.
fn named(record: &Json, winner: &str) -> Option<Vote> {
    let by_side = SIDES.iter().position(|side| side.model == winner);
    let is_model = |side: &Side| record.text_of(side.model) == Some(winner);
    // A model against itself: its name does not say which side.
    let side = by_side.or_else(|| match (is_model(&SIDES[0]), is_model(&SIDES[1])) {
        (true, false) => Some(0),
        (false, true) => Some(1),
        _ => None,
    });
    side.map(Vote::Side).or_else(|| winner.starts_with("tie").then_some(Vote::Tie))
}

fn is_one(value: &Json) -> bool {
    *value == Json::Bool(true) || value.number() == Some(1.0) || value.text() == Some("1")
}

/// Prompts and responses of one side in turn.
fn turns(record: &Json, response: &str) -> Result<Vec<Message>, Reason> {
    let prompts = texts(record.get("prompt").ok_or(Reason::BadShape)?)?;
    let responses = texts(record.get(response).ok_or(Reason::BadShape)?)?;
    if prompts.len() != responses.len() {
        return Err(Reason::BadShape);
    }
    let pairs = prompts.into_iter().zip(responses);
    Ok(pairs
        .flat_map(|(prompt, response)| [Message::text(Role::User, prompt), Message::text(Role::Assistant, response)])
        .collect())
}

/// A list, a JSON list as text, or one plain text. Text that begins as a list and is none is not
/// taken as plain: the Kaggle set has such rows, with half a surrogate pair inside.
fn texts(value: &Json) -> Result<Vec<String>, Reason> {
    match value {
        Json::List(items) => items.iter().map(turn).collect(),
        Json::Text(text) if text.trim_start().starts_with('[') => match Json::parsed(text) {
            Some(Json::List(items)) => items.iter().map(turn).collect(),
            _ => Err(Reason::BadShape),
        },
        Json::Text(text) => Ok(vec![text.clone().into_owned()]),
        _ => Err(Reason::BadShape),
    }
}

/// Null stands where a model gave nothing.
fn turn(turn: &Json) -> Result<String, Reason> {
    match turn {
        Json::Null => Ok(String::new()),
        Json::Text(text) => Ok(text.clone().into_owned()),
        _ => Err(Reason::BadShape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Read {
        super::read(&serde_json::from_str(json).unwrap())
    }

    fn vote(vote: &str) -> Result<Vec<(String, Option<Preference>)>, Reason> {
        let json = format!(
            r#"{{"question_id":"q","model_a":"x","model_b":"y",{vote}"tstamp":1682351591.5,
            "conversation_a":[{{"role":"user","content":"hi"}},{{"role":"assistant","content":"a"}}],
            "conversation_b":[{{"role":"user","content":"hi"}},{{"role":"assistant","content":"b"}}]}}"#
        );
        Ok(read(&json)?.into_iter().map(|one| (one.model.unwrap_or_default(), one.preference)).collect())
    }

    #[test]
    fn the_chosen_one_comes_first() {
        let (chosen, rejected) = (Some(Preference::Chosen), Some(Preference::Rejected));
        for (json, order) in [
            (r#""winner":"model_a","#, [("x", chosen), ("y", rejected)]),
            (r#""winner":"model_b","#, [("y", chosen), ("x", rejected)]),
            (r#""winner":"y","#, [("y", chosen), ("x", rejected)]),
            (r#""winner":"tie","#, [("x", None), ("y", None)]),
            (r#""winner":"tie (bothbad)","#, [("x", None), ("y", None)]),
            (r#""winner_model_a":0,"winner_model_b":1,"winner_tie":0,"#, [("y", chosen), ("x", rejected)]),
            (r#""winner_model_a":0,"winner_model_b":0,"winner_tie":1,"#, [("x", None), ("y", None)]),
            (r#""winner":"tie","winner_model_a":0,"winner_tie":true,"#, [("x", None), ("y", None)]),
            (r#""winner":"inconsistent","#, [("x", None), ("y", None)]),
            ("", [("x", None), ("y", None)]),
        ] {
            let order = order.map(|(model, preference)| (model.to_owned(), preference)).to_vec();
            assert_eq!(vote(json), Ok(order), "{json}");
        }
        for json in [
            r#""winner_model_a":1,"winner_model_b":1,"#,
            r#""winner_model_a":1,"winner_tie":1,"#,
            r#""winner":"model_a","winner_model_b":1,"#,
            r#""winner":"model_a","winner_tie":1,"#,
            r#""winner":"tie (bothbad)","winner_model_b":1,"#,
        ] {
            assert_eq!(vote(json), Err(Reason::BadShape), "{json}");
        }
    }

    #[test]
    fn kaggle_rows_hold_lists_as_text() {
        let json = r#"{"id":30192,"model_a":"x","model_b":"y","prompt":"[\"hi\",\"and?\"]",
            "response_a":"[\"a1\",null]","response_b":"[\"b1\",\"b2\"]","winner_model_a":0,"winner_model_b":1,"winner_tie":0}"#;
        let got = read(json).unwrap();
        let texts: Vec<&str> = got[1].messages.iter().map(|m| m.content.as_str()).collect();
        assert_eq!(texts, ["hi", "a1", "and?", ""]);
        assert_eq!(got[0].external_id.as_deref(), Some("30192"));
        let metadata =
            r#"{"model_a":"x","model_b":"y","winner_model_a":0,"winner_model_b":1,"winner_tie":0,"side":"model_b"}"#;
        assert_eq!(got[0].metadata.as_deref(), Some(metadata));
        assert_eq!(read(r#"{"prompt":"hi","response_a":"a","response_b":"b"}"#).unwrap()[1].messages.len(), 2);
    }

    #[test]
    fn every_reject_has_its_reason() {
        for (json, reason) in [
            (r#"{"conversation_a":[{"role":"user","content":"hi"}],"conversation_b":[]}"#, Reason::NoMessages),
            (r#"{"prompt":"[]","response_a":"[]","response_b":"[]"}"#, Reason::NoMessages),
            (r#"{"conversation_a":[{"content":"hi"}],"conversation_b":[]}"#, Reason::MissingRole),
            (r#"{"conversation_a":[{"role":"wizard"}],"conversation_b":[]}"#, Reason::UnknownRole),
            (r#"{"conversation_a":"hi","conversation_b":[]}"#, Reason::BadShape),
            (r#"{"prompt":"[\"a\",\"b\"]","response_a":"[\"a\"]","response_b":"[\"b\"]"}"#, Reason::BadShape),
            (r#"{"prompt":"[\"half \\ud83d\"]","response_a":"[\"a\"]","response_b":"[\"b\"]"}"#, Reason::BadShape),
            (r#"{"prompt":"[5]","response_a":"[\"a\"]","response_b":"[\"b\"]"}"#, Reason::BadShape),
            (r#"{"prompt":5,"response_a":"a","response_b":"b"}"#, Reason::BadShape),
            (r#"{"prompt":"a","response_a":"a"}"#, Reason::BadShape),
        ] {
            assert_eq!(read(json), Err(reason), "{json}");
        }
    }
}
