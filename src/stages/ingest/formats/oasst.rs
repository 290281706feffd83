//! OpenAssistant message trees (Open-Assistant docs/docs/data/schemas.md, f1e6ed9), nested:
//! `{"message_tree_id", "tree_state", "prompt": {"role", "text", "replies": [..]}}`, or the root
//! message alone, as the `*_message.jsonl` dumps have it.
//!
//! Not here: flat rows, one message each, whose tree lies in several records (`join`). Rows that do
//! not say of which tree they are cannot be joined by a key; they are told and rejected.
//!
//! Always: one conversation for each path from the root to a leaf, in the order of the file, without
//! a preference. A deleted message is left out with all that hangs on it; its parent may thus
//! become a leaf.
//!
//! Behind the paths stand the preferences that ranks state: assistants' replies to one message, in
//! the order of their ranks, each before the next, and the first before the last. A pair is two
//! conversations that end with the two replies. What dedup makes of them: copies of a path or the
//! beginning of one, so nothing counts twice. Why not all pairs, as InstructGPT trains on: those of
//! far ranks follow from the steps between, and their number grows with the square of the replies,
//! which a hostile tree could have thousands of. Three replies, the usual case, give all three
//! pairs either way. Equal ranks prefer nothing.

use std::borrow::Cow;

use super::super::Reason;
use super::super::tree::Json;
use super::row::{Extra, has_any, left_over, metadata};
use super::{Read, Room, time_us};
use crate::record::{Conversation, Message, Preference, Role};

/// A tree with its envelope, or a message with a list of replies.
pub fn fits(record: &Json) -> bool {
    let tree = record.get("prompt").is_some_and(|root| {
        is_message(root) && (record.get("message_tree_id").is_some() || root.list_of("replies").is_some())
    });
    tree || is_stray(record)
        || (is_message(record) && record.list_of("replies").is_some() && !has_any(record, &["prompt", "messages"]))
}

/// One message of a tree that is not named, as seed data has them.
fn is_stray(record: &Json) -> bool {
    let has = |keys: [&str; 2]| keys.iter().any(|key| record.has(key));
    let role = record.text_of("role").and_then(Role::parse);
    record.text_of("text").is_some()
        && role.is_some()
        && has(["message_id", "user_message_id"])
        && has(["parent_id", "parent_message_id"])
        && record.get("message_tree_id").is_none()
        && record.get("replies").is_none()
}

fn is_message(value: &Json) -> bool {
    value.text_of("text").is_some() && has_any(value, &["role", "message_id", "replies"])
}

/// All paths of one tree, then the sides of all pairs.
pub fn read(record: &Json) -> Read {
    if is_stray(record) {
        return Err(Reason::NoJoinKey);
    }
    let root = record.get("prompt").unwrap_or(record);
    // A reply without what it replies to is half a conversation.
    if root.entries().is_none() || root.get("parent_id").is_some() {
        return Err(Reason::BadShape);
    }
    let mut found = Found::default();
    if !is_deleted(root)? {
        walk(record, &mut vec![root], &mut found)?;
    }
    let Found { mut paths, sides, .. } = found;
    if paths.is_empty() {
        return Err(Reason::NoMessages);
    }
    paths.extend(sides);
    Ok(paths)
}

#[derive(Default)]
struct Found {
    room: Room,
    paths: Vec<Conversation>,
    /// Chosen and rejected in turn.
    sides: Vec<Conversation>,
}

/// Extends the path by each reply in turn; a path without a further reply is a conversation.
fn walk<'a>(tree: &Json<'a>, path: &mut Vec<&Json<'a>>, found: &mut Found) -> Result<(), Reason> {
    let replies = match path.last().and_then(|last| last.get("replies")) {
        None => &[],
        Some(replies) => replies.list().ok_or(Reason::BadShape)?,
    };
    let mut left = Vec::with_capacity(replies.len());
    for reply in replies {
        if !is_deleted(reply)? {
            left.push(reply);
        }
    }
    if left.is_empty() {
        found.paths.push(found.room.take(conversation(tree, path)?)?);
    }
    for (reply, preference) in preferences(&left) {
        path.push(reply);
        let side = found.room.take(conversation(tree, path)?)?;
        found.sides.push(Conversation { preference: Some(preference), ..side });
        path.pop();
    }
    for reply in left {
        path.push(reply);
        walk(tree, path, found)?;
        path.pop();
    }
    Ok(())
}

/// The sides of all pairs that the ranks of siblings state: the steps from each to the next worse,
/// and best against worst. Of equal ranks the order of the file decides who takes a step.
fn preferences<'r, 'a>(replies: &[&'r Json<'a>]) -> Vec<(&'r Json<'a>, Preference)> {
    let is_answer = |reply: &&&Json| reply.text_of("role").and_then(Role::parse) == Some(Role::Assistant);
    let rank = |reply: &&'r Json<'a>| Some((reply.get("rank")?.number()?, *reply));
    let mut ranked: Vec<(f64, &Json)> = replies.iter().filter(is_answer).filter_map(rank).collect();
    ranked.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let steps = ranked.windows(2).map(|step| (step[0], step[1]));
    let ends = ranked.first().copied().zip(ranked.last().copied()).filter(|_| ranked.len() > 2);
    steps
        .chain(ends)
        .filter(|((better, _), (worse, _))| better < worse)
        .flat_map(|((_, better), (_, worse))| [(better, Preference::Chosen), (worse, Preference::Rejected)])
        .collect()
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

    fn texts(one: &Conversation) -> String {
        one.messages.iter().map(|m| m.content.as_str()).collect::<Vec<_>>().join(" ")
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
        let mut got = read(TREE).unwrap();
        let stated = got.split_off(2);
        assert_eq!(got.iter().map(texts).collect::<Vec<_>>(), ["q a thanks", "q b"]);
        assert_eq!(got[0].external_id.as_deref(), Some("m3"));
        assert_eq!((got[1].external_id.as_deref(), got[1].model.as_deref()), (Some("m4"), Some("m")));
        assert_eq!(got[0].created_at_us, Some(1_675_607_030_983_374));
        assert!(got.iter().all(|one| one.preference.is_none()));
        let metadata = got[0].metadata.as_deref().unwrap();
        for part in [r#""message_tree_id":"t""#, r#""ranks":[1]"#, r#""lang":"en""#, r#""user_id":"u2""#] {
            assert!(metadata.contains(part), "{part} in {metadata}");
        }
        assert!(!metadata.contains("never") && !metadata.contains("spam"), "{metadata}");
        // The leaf that is also a side says the same twice but for the preference.
        assert_eq!(Conversation { preference: None, ..stated[0].clone() }, got[1]);
    }

    /// `text+` is chosen, `text-` rejected.
    fn sides(got: &[Conversation]) -> Vec<String> {
        let mark = |one: &Conversation| one.preference.map(|side| if side == Preference::Chosen { '+' } else { '-' });
        got.iter().filter_map(|one| Some(format!("{}{}", texts(one), mark(one)?))).collect()
    }

    #[test]
    fn ranks_state_each_step_and_best_against_worst() {
        for (replies, expected) in [
            (&[("a", "1"), ("b", "0")][..], &["b+ a-"][..]),
            (&[("a", "2"), ("b", "0"), ("c", "1")], &["b+ c-", "c+ a-", "b+ a-"]),
            (&[("a", "0"), ("b", "1"), ("c", "2"), ("d", "3")], &["a+ b-", "b+ c-", "c+ d-", "a+ d-"]),
            (&[("a", "0"), ("b", "null"), ("c", "2")], &["a+ c-"]),
            (&[("a", "0.0"), ("b", "1.0")], &["a+ b-"]),
            (&[("a", "0"), ("b", "0"), ("c", "1")], &["b+ c-", "a+ c-"]),
            (&[("a", "0"), ("b", "1"), ("c", "1")], &["a+ b-", "a+ c-"]),
            (&[("a", "0"), ("b", "0"), ("c", "0")], &[]),
            (&[("a", "\"first\""), ("b", "\"second\"")], &[]),
            (&[("a", "0")], &[]),
        ] {
            let reply =
                |(text, rank): &(&str, &str)| format!(r#"{{"role":"assistant","text":"{text}","rank":{rank}}}"#);
            let replies: Vec<String> = replies.iter().map(reply).collect();
            let json = format!(r#"{{"role":"prompter","text":"q","replies":[{}]}}"#, replies.join(","));
            let got = read(&json).unwrap();
            let paths = got.iter().take_while(|one| one.preference.is_none()).count();
            assert_eq!(paths, replies.len(), "{json}");
            let expected: Vec<String> =
                expected.iter().flat_map(|pair| pair.split(' ')).map(|side| format!("q {side}")).collect();
            assert_eq!(sides(&got), expected, "{json}");
        }
    }

    #[test]
    fn only_assistants_replies_that_are_left_are_sides() {
        let reply = |role: &str, text: &str, more: &str| format!(r#"{{"role":"{role}","text":"{text}",{more}}}"#);
        let deleted = reply("assistant", "gone", r#""rank":0,"deleted":true"#);
        let (a, b) = (reply("assistant", "a", r#""rank":1"#), reply("assistant", "b", r#""rank":2"#));
        let (x, y) = (reply("prompter", "x", r#""rank":0"#), reply("prompter", "y", r#""rank":1"#));
        let deep = format!(r#"{{"role":"assistant","text":"c","replies":[{x},{y}]}}"#);
        let json = format!(r#"{{"role":"prompter","text":"q","replies":[{deleted},{a},{b},{deep}]}}"#);
        let got = read(&json).unwrap();
        assert_eq!(sides(&got), ["q a+", "q b-"]);
        assert_eq!(got.len(), 6, "four paths, two sides");
        // Pairs further down hold all that was said before.
        let json = format!(
            r#"{{"role":"prompter","text":"q","replies":[
            {{"role":"assistant","text":"c","replies":[{{"role":"prompter","text":"r","replies":[{b},{a}]}}]}}]}}"#
        );
        assert_eq!(sides(&read(&json).unwrap()), ["q c r a+", "q c r b-"]);
    }

    #[test]
    fn sides_grow_with_the_replies_and_no_faster() {
        let replies: Vec<String> =
            (0..500).map(|rank| format!(r#"{{"role":"assistant","text":"a{rank}","rank":{rank}}}"#)).collect();
        let json = format!(r#"{{"role":"prompter","text":"q","replies":[{}]}}"#, replies.join(","));
        assert_eq!(read(&json).unwrap().len(), 500 + 2 * 500);
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
    fn messages_that_do_not_name_their_tree_are_told_and_rejected() {
        for json in [
            r#"{"role":"prompter","text":"q","message_id":"m1","parent_id":"m0"}"#,
            r#"{"role":"assistant","text":"a","user_message_id":"m1","parent_message_id":null,"task_message_id":"t"}"#,
        ] {
            assert!(fits(&serde_json::from_str(json).unwrap()), "{json}");
            assert_eq!(read(json), Err(Reason::NoJoinKey), "{json}");
        }
    }

    #[test]
    fn flat_rows_of_a_tree_do_not_fit() {
        for json in [
            r#"{"message_id":"m","parent_id":"p","text":"a","role":"assistant","message_tree_id":"t"}"#,
            r#"{"task_message_id":"m","parent_message_id":null,"text":"a","role":"prompter"}"#,
        ] {
            assert!(!fits(&serde_json::from_str(json).unwrap()), "{json}");
        }
    }
}
