//! OpenAssistant message trees (Open-Assistant docs/docs/data/schemas.md, f1e6ed9), nested:
//! `{"message_tree_id", "tree_state", "prompt": {"role", "text", "replies": [..]}}`, or the root
//! message alone, as the `*_message.jsonl` dumps have it.
//!
//! Not here: flat rows, one message each, whose tree lies in several records; seed data.
//!
//! Always: one conversation for each path from the root to a leaf, in the order of the file. A
//! deleted message is left out with all that hangs on it; its parent may thus become a leaf.

use std::borrow::Cow;

use super::super::Reason;
use super::super::tree::Json;
use super::row::{Extra, has_any, left_over, metadata};
use super::{Read, time_us};
use crate::record::{Conversation, Message, Role};

/// A tree with its envelope, or a message with a list of replies.
pub fn fits(record: &Json) -> bool {
    let tree = record.get("prompt").is_some_and(|root| {
        is_message(root) && (record.get("message_tree_id").is_some() || root.list_of("replies").is_some())
    });
    tree || (is_message(record) && record.list_of("replies").is_some() && !has_any(record, &["prompt", "messages"]))
}

fn is_message(value: &Json) -> bool {
    value.text_of("text").is_some() && has_any(value, &["role", "message_id", "replies"])
}

/// All paths of one tree.
pub fn read(record: &Json) -> Read {
    let root = record.get("prompt").unwrap_or(record);
    // A reply without what it replies to is half a conversation.
    if root.entries().is_none() || root.get("parent_id").is_some() {
        return Err(Reason::BadShape);
    }
    let mut conversations = Vec::new();
    if !is_deleted(root)? {
        walk(record, &mut vec![root], &mut conversations)?;
    }
    if conversations.is_empty() { Err(Reason::NoMessages) } else { Ok(conversations) }
}

/// Extends the path by each reply in turn; a path without a further reply is a conversation.
fn walk<'a>(tree: &Json<'a>, path: &mut Vec<&Json<'a>>, found: &mut Vec<Conversation>) -> Result<(), Reason> {
    let mut is_leaf = true;
    let replies = match path.last().and_then(|last| last.get("replies")) {
        None => &[],
        Some(replies) => replies.list().ok_or(Reason::BadShape)?,
    };
    for reply in replies {
        if is_deleted(reply)? {
            continue;
        }
        is_leaf = false;
        path.push(reply);
        walk(tree, path, found)?;
        path.pop();
    }
    if is_leaf {
        found.push(conversation(tree, path)?);
    }
    Ok(())
}

fn is_deleted(message: &Json) -> Result<bool, Reason> {
    match message.get("deleted") {
        None => Ok(false),
        Some(Json::Bool(deleted)) => Ok(*deleted),
        Some(_) => Err(Reason::BadShape),
    }
}

fn conversation(tree: &Json, path: &[&Json]) -> Result<Conversation, Reason> {
    let messages: Vec<Message> = path.iter().map(|one| message(one)).collect::<Result<_, _>>()?;
    let last = path.last();
    let mut answers = path.iter().zip(&messages).filter(|(_, message)| message.role == Role::Assistant);
    // The row's keys are the root's own where there is no envelope; they are among the turns then.
    let envelope = if tree.get("prompt").is_some() { tree } else { &Json::Null };
    Ok(Conversation {
        model: answers.next_back().and_then(|(one, _)| one.text_of("model_name")).map(str::to_owned),
        created_at_us: path.first().and_then(|root| root.get("created_date")).and_then(time_us),
        external_id: last.and_then(|last| last.get("message_id")).and_then(Json::scalar),
        metadata: metadata(envelope, &["prompt"], extras(path, &messages)),
        messages,
        ..Conversation::default()
    })
}

fn message(json: &Json) -> Result<Message, Reason> {
    if json.entries().is_none() {
        return Err(Reason::BadShape);
    }
    let role = json.text_of("role").ok_or(Reason::MissingRole)?;
    let role = Role::parse(role).ok_or(Reason::UnknownRole)?;
    Ok(Message::text(role, json.text_of("text").ok_or(Reason::BadShape)?))
}

/// The path's ranks (0 is best, null where none was given) and all else that its messages say.
fn extras<'a>(path: &[&Json<'a>], messages: &[Message]) -> Vec<Extra<'a>> {
    let answers = path.iter().zip(messages).filter(|(_, message)| message.role == Role::Assistant);
    let ranks: Vec<Json> = answers.map(|(one, _)| one.get("rank").cloned().unwrap_or(Json::Null)).collect();
    let mut extras = vec![("ranks", Json::List(ranks))];
    let lang = path.first().and_then(|root| root.text_of("lang"));
    extras.extend(lang.map(|lang| ("lang", Json::Text(Cow::Owned(lang.to_owned())))));
    let path: Vec<Json> = path.iter().map(|one| without_replies(one)).collect();
    extras.extend(left_over(&path, |_, key| matches!(key, "role" | "text" | "rank")));
    extras
}

/// A copy of one message; its replies would copy the whole tree once for each path.
fn without_replies<'a>(message: &Json<'a>) -> Json<'a> {
    let entries = message.entries().unwrap_or_default().iter();
    Json::Object(entries.filter(|(key, _)| key != "replies").cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Read {
        super::read(&serde_json::from_str(json).unwrap())
    }

    const TREE: &str = r#"{"message_tree_id":"t","tree_state":"ready_for_export","prompt":{"message_id":"m1",
        "role":"prompter","text":"q","lang":"en","created_date":"2023-02-05T14:23:50.983374+00:00","replies":[
        {"message_id":"m2","role":"assistant","text":"a","rank":1,"user_id":"u2","replies":[
            {"message_id":"m3","role":"prompter","text":"thanks","replies":[]}]},
        {"message_id":"m4","role":"assistant","text":"b","rank":0,"model_name":"m","replies":[
            {"message_id":"m5","role":"prompter","text":"spam","deleted":true,"replies":[
                {"message_id":"m6","role":"assistant","text":"never"}]}]}]}}"#;

    #[test]
    fn each_leaf_gives_its_path() {
        let got = read(TREE).unwrap();
        let texts: Vec<Vec<&str>> =
            got.iter().map(|one| one.messages.iter().map(|m| m.content.as_str()).collect()).collect();
        assert_eq!(texts, [vec!["q", "a", "thanks"], vec!["q", "b"]]);
        assert_eq!(got[0].external_id.as_deref(), Some("m3"));
        assert_eq!((got[1].external_id.as_deref(), got[1].model.as_deref()), (Some("m4"), Some("m")));
        assert_eq!(got[0].created_at_us, Some(1_675_607_030_983_374));
        assert!(got.iter().all(|one| one.preference.is_none()));
        let metadata = got[0].metadata.as_deref().unwrap();
        for part in [r#""message_tree_id":"t""#, r#""ranks":[1]"#, r#""lang":"en""#, r#""user_id":"u2""#] {
            assert!(metadata.contains(part), "{part} in {metadata}");
        }
        assert!(!metadata.contains("never") && !metadata.contains("spam"), "{metadata}");
    }

    #[test]
    fn a_root_message_is_a_tree_too() {
        let json = r#"{"message_id":"m1","parent_id":null,"role":"prompter","text":"q","replies":[]}"#;
        assert!(fits(&serde_json::from_str(json).unwrap()));
        let got = read(json).unwrap();
        assert_eq!((got.len(), got[0].messages.len()), (1, 1));
        assert_eq!(got[0].metadata.as_deref(), Some(r#"{"ranks":[],"turns":[{"message_id":"m1"}]}"#));
    }

    #[test]
    fn every_reject_has_its_reason() {
        for (root, reason) in [
            (r#"{"role":"prompter","text":"q","deleted":true}"#, Reason::NoMessages),
            (r#"{"text":"q","replies":[]}"#, Reason::MissingRole),
            (r#"{"role":"wizard","text":"q"}"#, Reason::UnknownRole),
            (r#"{"role":"prompter","text":"q","replies":[{"role":"assistant"}]}"#, Reason::BadShape),
            (r#"{"role":"prompter","text":"q","replies":["a"]}"#, Reason::BadShape),
            (r#"{"role":"prompter","text":"q","replies":"a"}"#, Reason::BadShape),
            (r#"{"role":"prompter","text":"q","deleted":"no"}"#, Reason::BadShape),
            (r#"{"role":"prompter","text":"q","parent_id":"m0"}"#, Reason::BadShape),
            (r#""q""#, Reason::BadShape),
        ] {
            assert_eq!(read(&format!(r#"{{"message_tree_id":"t","prompt":{root}}}"#)), Err(reason), "{root}");
        }
    }

    #[test]
    fn flat_rows_and_seeds_do_not_fit() {
        for json in [
            r#"{"message_id":"m","parent_id":"p","text":"a","role":"assistant","message_tree_id":"t"}"#,
            r#"{"task_message_id":"m","parent_message_id":null,"text":"a","role":"prompter"}"#,
        ] {
            assert!(!fits(&serde_json::from_str(json).unwrap()), "{json}");
        }
    }
}
