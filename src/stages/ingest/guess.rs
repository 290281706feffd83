//! Proposes a mapping for records of an unknown format, for a person to look over.
//!
//! Not here: reading by a mapping (`mapping`). Nothing is ever read by a guess that nobody saw.
//!
//! Always: the same samples give the same proposal.

use std::collections::{BTreeMap, BTreeSet};

use super::formats::pieces::{speaker, transcript};
use super::mapping::path::quoted;
use super::mapping::{Mapping, Turn};
use super::tree::Json;
use crate::record::Role;

/// Names of keys, the surest first; how sure is in [`name_score`].
const ROLE_KEYS: &[&str] =
    &["role", "speaker", "from", "author", "sender", "who", "participant", "party", "type", "name"];
const TEXT_KEYS: &[&str] =
    &["content", "text", "utterance", "message", "value", "body", "transcript", "msg", "say", "parts"];
const RECORD_KEYS: &[&str] =
    &["dialogues", "dialogs", "conversations", "records", "data", "items", "chats", "sessions", "threads", "rows"];
const ID_KEYS: &[&str] = &[
    "conversation_id",
    "dialogue_id",
    "dialog_id",
    "conv_id",
    "chat_id",
    "session_id",
    "thread_id",
    "id",
    "uuid",
    "example_id",
    "question_id",
];
const MODEL_KEYS: &[&str] = &["model", "model_name", "model_id", "llm", "engine"];
const TIME_KEYS: &[&str] =
    &["created_at", "timestamp", "created", "create_time", "start_time", "started_at", "datetime", "date", "time"];
const USER_NAMES: &[&str] =
    &["user", "human", "customer", "client", "prompter", "caller", "visitor", "guest", "usr", "consumer"];
const ASSISTANT_NAMES: &[&str] =
    &["assistant", "agent", "bot", "ai", "gpt", "chatbot", "model", "operator", "support", "advisor", "wizard"];
const TOOL_NAMES: &[&str] = &["tool", "function", "observation", "function_response"];
const ASKING: &[&str] = &["question", "prompt", "instruction", "query", "input", "request"];
const ANSWERING: &[&str] = &["answer", "response", "completion", "output", "reply"];
/// How deep lists of messages, and keys in a message, are looked for.
const DEPTH: usize = 4;
/// More names than this are not roles; chosen by feel.
const MOST_ROLES: usize = 8;
/// A table of more columns is no conversation; chosen by feel.
const MOST_COLUMNS: usize = 500;
/// Items of one list that are looked at; chosen by feel.
const MOST_ITEMS: usize = 40;

/// A mapping for the samples, and how sure it is: `share * (role + text + known) / 3`, each from
/// 0 to 1. `share` is the part of the samples that the compiled mapping reads without a reject.
/// `role` and `text` say how well the names of the keys matched: 1 for the first name of the list,
/// falling evenly to 0.5 for the last. `known` is the part of the role names found that are known
/// by themselves; the rest were told by elimination. For columns `role` and `text` are both 0.8,
/// since their order is a guess, and `known` is 1. For transcripts `role` and `known` are 1, and
/// `text` is 0.8, since a line that names nobody is taken for the turn before it. Nothing is proposed if no sample can be read.
pub fn propose(samples: &[Json]) -> Option<(Mapping, f64)> {
    let mut lists = BTreeMap::new();
    for sample in samples {
        collect(sample, "", DEPTH, &mut lists);
    }
    let listed = lists.iter().filter_map(|(path, items)| list(path, items));
    let guesses = listed.chain(columns(samples)).chain(transcripts(samples));
    let rated = guesses.filter_map(|(mut mapping, names)| {
        top_level(&mut mapping, samples);
        let compiled = mapping.compile().ok()?;
        let read = samples.iter().filter(|sample| compiled.read(sample).is_ok()).count();
        (read > 0).then(|| (mapping, names * read as f64 / samples.len() as f64))
    });
    // The first of equals, in the order of the paths.
    rated.fold(None, |best: Option<(Mapping, f64)>, one| best.filter(|best| best.1 >= one.1).or(Some(one)))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { quoted(key) } else { format!("{path}.{}", quoted(key)) }
}

/// All lists of objects by their path, with some of their items, list by list.
fn collect<'v, 'j>(
    value: &'v Json<'j>,
    path: &str,
    depth: usize,
    lists: &mut BTreeMap<String, Vec<Vec<&'v Json<'j>>>>,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Json::Object(entries) => entries.iter().for_each(|(key, value)| {
            collect(value, &join(path, key), depth + usize::from(value.list().is_some()), lists)
        }),
        Json::List(items) => {
            let path = format!("{path}[*]");
            let some: Vec<_> = items.iter().take(MOST_ITEMS).filter(|item| item.entries().is_some()).collect();
            some.iter().for_each(|item| collect(item, &path, depth, lists));
            if !some.is_empty() {
                lists.entry(path).or_default().push(some);
            }
        }
        _ => {}
    }
}

/// Scalars of an item by path, to a few levels. Lists of parts count as text.
fn leaves(value: &Json, path: &str, depth: usize, found: &mut Vec<(String, String)>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for (key, value) in value.entries().unwrap_or_default() {
        let path = join(path, key);
        let parts = || value.list()?.iter().map(Json::text).collect::<Option<Vec<_>>>().filter(|all| !all.is_empty());
        match value.scalar().or_else(|| parts().map(|parts| parts.join("\n"))) {
            Some(text) => found.push((path, text)),
            None => leaves(value, &path, depth, found),
        }
    }
}

/// 1 for the first name of a list, falling to 0.5 for the last; only the last key of a path counts.
fn name_score(names: &[&str], path: &str) -> f64 {
    let last = path.rsplit('.').next().unwrap_or(path).to_lowercase();
    let at = names.iter().position(|name| *name == last);
    at.map_or(0.0, |at| 1.0 - 0.5 * at as f64 / names.len() as f64)
}

fn role_of(name: &str) -> Option<Role> {
    let name = name.to_lowercase();
    let is = |names: &[&str]| names.contains(&name.as_str());
    match () {
        () if is(USER_NAMES) => Some(Role::User),
        () if is(ASSISTANT_NAMES) => Some(Role::Assistant),
        () if is(TOOL_NAMES) => Some(Role::Tool),
        () if is(&["system", "developer"]) => Some(Role::System),
        () => None,
    }
}

/// A mapping for one list of objects, and how well names matched.
fn list(path: &str, lists: &[Vec<&Json>]) -> Option<(Mapping, f64)> {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for item in lists.iter().flatten() {
        let mut found = Vec::new();
        leaves(item, "", DEPTH, &mut found);
        found.into_iter().for_each(|(path, text)| values.entry(path).or_default().push(text));
    }
    let (role, named, roles, known) = values
        .iter()
        .filter(|(key, _)| name_score(ROLE_KEYS, key) > 0.0)
        .filter_map(|(key, found)| {
            let (roles, known) = roles(found, later(key, lists))?;
            Some((key, name_score(ROLE_KEYS, key), roles, known))
        })
        .max_by(|a, b| (a.1 * a.3).total_cmp(&(b.1 * b.3)))?;
    let length = |found: &[String]| found.iter().map(String::len).sum::<usize>();
    let (content, _) = values
        .iter()
        .filter(|(key, _)| *key != role && name_score(TEXT_KEYS, key) > 0.0)
        .max_by_key(|(key, found)| (length(found), std::cmp::Reverse(key.as_str())))?;
    let texts = name_score(TEXT_KEYS, content);
    let (records, messages) = split(path);
    let text = |text: &str| Some(text.to_owned());
    let mapping = Mapping { records, messages, role: text(role), content: text(content), roles, ..Mapping::default() };
    Some((mapping, (named + texts + known) / 3.0))
}

/// Whether a party called system speaks after the first message: then it is no prompt.
fn later(key: &str, lists: &[Vec<&Json>]) -> bool {
    let speaks = |item: &&&Json| {
        let mut found = Vec::new();
        leaves(item, "", DEPTH, &mut found);
        found.iter().any(|(path, value)| path == key && role_of(value) == Some(Role::System))
    };
    lists.iter().any(|items| items.iter().skip(1).any(|item| speaks(&item)))
}

/// Aliases for the names found and the share of them that is known by itself.
fn roles(found: &[String], system_speaks: bool) -> Option<(BTreeMap<String, String>, f64)> {
    let names: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    if names.len() > MOST_ROLES {
        return None;
    }
    let mut given: BTreeMap<&str, Role> = names.iter().filter_map(|name| Some((*name, role_of(name)?))).collect();
    let known = given.len() as f64 / names.len() as f64;
    let has = |given: &BTreeMap<&str, Role>, role| given.values().any(|one| *one == role);
    if !has(&given, Role::Assistant) && system_speaks {
        given.values_mut().filter(|role| **role == Role::System).for_each(|role| *role = Role::Assistant);
    }
    let unknown: Vec<&str> = names.iter().copied().filter(|name| !given.contains_key(name)).collect();
    if let [other] = unknown[..] {
        match (has(&given, Role::User), has(&given, Role::Assistant)) {
            (true, false) => given.insert(other, Role::Assistant),
            (false, true) => given.insert(other, Role::User),
            _ => None,
        };
    }
    if !has(&given, Role::User) && !has(&given, Role::Assistant) {
        return None;
    }
    let aliases = given.into_iter().filter(|(name, role)| Role::parse(name) != Some(*role));
    Some((aliases.map(|(name, role)| (name.to_owned(), role.as_str().to_owned())).collect(), known))
}

/// A path through two lists whose first is named like records leads into a document.
fn split(path: &str) -> (Option<String>, Option<String>) {
    let Some((outer, inner)) = path.split_once("[*]") else { return (None, Some(path.to_owned())) };
    let named = outer.is_empty() || RECORD_KEYS.contains(&outer.rsplit('.').next().unwrap_or(outer));
    match inner.strip_prefix('.') {
        Some(inner) if named && inner.contains("[*]") => (Some(format!("{outer}[*]")), Some(inner.to_owned())),
        _ => (None, Some(path.to_owned())),
    }
}

/// Who would say what stands in a column of this name: its last word decides.
fn column_role(name: &str) -> Option<Role> {
    let lower = name.to_lowercase();
    let last = lower.rsplit(|char: char| !char.is_alphanumeric()).next().unwrap_or_default();
    let role = role_of(last).filter(|role| matches!(role, Role::User | Role::Assistant));
    let asked = || ASKING.contains(&last).then_some(Role::User);
    role.or_else(asked).or_else(|| ANSWERING.contains(&last).then_some(Role::Assistant))
}

/// Rows with fixed columns, in their order; a single answer comes last.
fn columns(samples: &[Json]) -> Option<(Mapping, f64)> {
    let entries = samples.first()?.entries().filter(|entries| entries.len() <= MOST_COLUMNS)?;
    let mut turns: Vec<(Role, &str)> = Vec::new();
    for (key, _) in entries {
        let texts: Vec<&str> = samples.iter().filter_map(|sample| sample.text_of(key)).collect();
        let distinct = texts.iter().collect::<BTreeSet<_>>().len();
        // The name of a bot in a column `bot` is no text: the same few values again and again.
        if texts.len() * 2 > samples.len() && (distinct * 10 >= texts.len() || texts.len() < 10) {
            turns.extend(column_role(key).map(|role| (role, key.as_ref())));
        }
    }
    let answers = turns.iter().filter(|(role, _)| *role == Role::Assistant).count();
    if answers == 0 || answers == turns.len() {
        return None;
    }
    if answers == 1 {
        turns.sort_by_key(|(role, _)| *role == Role::Assistant);
    }
    let turn = |(role, key): (Role, &str)| Turn { role: role.as_str().to_owned(), content: quoted(key) };
    let mapping = Mapping { turns: turns.into_iter().map(turn).collect(), ..Mapping::default() };
    Some((mapping, (0.8 + 0.8 + 1.0) / 3.0))
}

/// Texts that tell a conversation line by line, by their path.
fn transcripts(samples: &[Json]) -> Vec<(Mapping, f64)> {
    let mut told: BTreeSet<String> = BTreeSet::new();
    for sample in samples {
        let mut found = Vec::new();
        leaves(sample, "", DEPTH, &mut found);
        let talk = |text: &str| {
            let turns = transcript(text, 2, speaker).unwrap_or_default();
            [Role::User, Role::Assistant].iter().all(|role| turns.iter().any(|turn| turn.role == *role))
        };
        told.extend(found.into_iter().filter(|(_, text)| talk(text)).map(|(path, _)| path));
    }
    let mapping = |path| Mapping { transcript: Some(path), ..Mapping::default() };
    told.into_iter().map(|path| (mapping(path), (1.0 + 0.8 + 1.0) / 3.0)).collect()
}

/// Ids, models, times and system prompts in keys of the record, where most samples have them.
fn top_level(mapping: &mut Mapping, samples: &[Json]) {
    let records = mapping.records.as_deref().and_then(|path| super::mapping::path::Path::parse(path).ok());
    let rows: Vec<&Json> = match &records {
        Some(path) => samples.iter().filter_map(|sample| path.all(sample)).flatten().take(1000).collect(),
        None => samples.iter().collect(),
    };
    let has = |key: &str| {
        let taken = mapping.turns.iter().any(|turn| turn.content == quoted(key));
        let there = |row: &&&Json| row.get(key).and_then(Json::scalar).is_some_and(|text| !text.is_empty());
        !taken && rows.iter().filter(there).count() * 2 > rows.len()
    };
    let first = |keys: &[&str]| keys.iter().find(|key| has(key)).map(|key| quoted(key));
    let (id, model, created_at) = (first(ID_KEYS), first(MODEL_KEYS), first(TIME_KEYS));
    let system = first(&["system", "system_prompt", "system_message"]);
    (mapping.id, mapping.model, mapping.created_at, mapping.system) = (id, model, created_at, system);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(samples: &[&str]) -> Option<(Mapping, f64)> {
        let samples: Vec<Json> = samples.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        propose(&samples)
    }

    #[test]
    fn lists_of_messages_are_found() {
        for (sample, messages, role, content, aliases) in [
            (
                r#"{"conversation_id":"d","instructions":null,"utterances":[
                    {"index":0,"speaker":"user","text":"a latte","annotations":[{"name":"api_call","value":"get_menu"}]},
                    {"index":1,"speaker":"assistant","text":"sure","annotations":[]}]}"#,
                "utterances[*]",
                "speaker",
                "text",
                "",
            ),
            (
                r#"{"dialogue_id":"1","services":["S"],"turns":[{"frames":[{"actions":[{"act":"a","slot":"s"}]}],
                    "speaker":"USER","utterance":"hi"},{"speaker":"SYSTEM","utterance":"hello"}]}"#,
                "turns[*]",
                "speaker",
                "utterance",
                "SYSTEM=assistant USER=user",
            ),
            (
                r#"{"chat":{"log":[{"author":{"role":"customer"},"message":{"body":"hi"}},
                    {"author":{"role":"Zoe"},"message":{"body":"hello"}}]}}"#,
                "chat.log[*]",
                "author.role",
                "message.body",
                "Zoe=assistant customer=user",
            ),
            (
                r#"{"messages":[{"role":"system","content":"be kind"},{"role":"user","content":"hi"}]}"#,
                "messages[*]",
                "role",
                "content",
                "",
            ),
        ] {
            let (mapping, sure) = guess(&[sample]).unwrap();
            let aliased: Vec<String> = mapping.roles.iter().map(|(name, role)| format!("{name}={role}")).collect();
            let got = (mapping.messages.as_deref(), mapping.role.as_deref(), mapping.content.as_deref());
            assert_eq!(got, (Some(messages), Some(role), Some(content)));
            assert_eq!(aliased.join(" "), aliases);
            assert!(sure > 0.7 && sure <= 1.0, "{sure}");
        }
    }

    #[test]
    fn records_in_a_document() {
        let json = r#"{"v":1,"dialogues":[{"id":"x","turns":[{"from":"human","value":"hi"}]}]}"#;
        let (mapping, _) = guess(&[json]).unwrap();
        assert_eq!((mapping.records.as_deref(), mapping.messages.as_deref()), (Some("dialogues[*]"), Some("turns[*]")));
        assert_eq!(mapping.id.as_deref(), Some("id"));
    }

    #[test]
    fn columns_of_rows() {
        for (sample, expected) in [
            (r#"{"id":"1","answer":"4","question":"2+2?"}"#, "user:question assistant:answer"),
            (r#"{"instruction":"add","input":"2 2","output":"4"}"#, "user:instruction user:input assistant:output"),
            (
                r#"{"prev_agent":"a","prev_user":"b","Input.agent":"c","user":"d"}"#,
                "assistant:prev_agent user:prev_user assistant:\"Input.agent\" user:user",
            ),
        ] {
            let (mapping, _) = guess(&[sample]).unwrap();
            let turns: Vec<String> =
                mapping.turns.iter().map(|turn| format!("{}:{}", turn.role, turn.content)).collect();
            assert_eq!(turns.join(" "), expected);
        }
    }

    #[test]
    fn transcripts_in_texts() {
        let good = r#"{"id":7,"shown":{"chat":"user: hi\nassistant: hello\nthere"},"note":"user: alone"}"#;
        let (mapping, sure) = guess(&[good, good, good, r#"{"id":8,"shown":{"chat":"see above"}}"#]).unwrap();
        assert_eq!((mapping.transcript.as_deref(), mapping.id.as_deref()), (Some("shown.chat"), Some("id")));
        assert!((sure - 0.7).abs() < 1e-9, "{sure}");
        assert_eq!(guess(&[r#"{"note":"user: hi\nuser: again"}"#, r#"{"note":"so: it is"}"#]), None);
    }

    #[test]
    fn what_is_no_talk_gives_no_proposal() {
        for sample in [r#"{"a":1}"#, r#"{"tags":[{"name":"x","value":"y"}]}"#, "5", "[]"] {
            assert_eq!(guess(&[sample]), None, "{sample}");
        }
        assert_eq!(guess(&[]), None);
    }

    #[test]
    fn sureness_falls_with_the_share_that_is_read() {
        let good = r#"{"turns":[{"role":"user","content":"hi"}]}"#;
        let (_, all) = guess(&[good, good]).unwrap();
        let (_, half) = guess(&[good, r#"{"x":1}"#]).unwrap();
        assert!((all - 1.0).abs() < 1e-9 && (half - 0.5).abs() < 1e-9, "{all} {half}");
    }
}
