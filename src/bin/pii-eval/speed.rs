//! Megabytes a second on one core, of chats and of texts made to be slow.
//!
//! Not here: peers (`benches/peers/pii.py` runs them on the same text).
//!
//! Always: what is found is counted, so that a fast answer cannot be an empty one.

use std::path::Path;
use std::time::Instant;

use gristmill::config::Redact;
use gristmill::record::{Conversation, Message, ProjectKey, Role};
use gristmill::stages::redact::{Group, Kind, Redactor};

use crate::Eye;
use crate::score::Table;

pub fn measure(_: &Eye, folder: &Path, table: &mut Table) -> Result<(), String> {
    let path = folder.join("sgd-dev/sgd_dev.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let chats: Vec<Vec<String>> = text.lines().filter_map(turns).collect();
    let rules = Kind::ALL.iter().filter(|kind| kind.group() != Group::Name && **kind != Kind::Address).copied();
    let (rules, all) = (|| redactor(rules.clone()), || redactor(Kind::ALL.iter().copied()));
    match chats.is_empty() {
        true => println!("SKIP speed on chats: no {}", path.display()),
        false => {
            let (fast, found) = chat_speed(&rules, &chats)?;
            table.at_least("chats, all rules: MB/s", fast, 250.0, format!("{found} findings"));
            let (fast, found) = chat_speed(&all, &chats)?;
            table.at_least("chats, with names and addresses: MB/s", fast, 40.0, format!("{found} findings"));
            let requests: Vec<Vec<String>> = chats.iter().take(500).flat_map(|chat| requests(chat)).collect();
            for (name, redactor) in [("all rules", &rules as &dyn Fn() -> _), ("names and addresses too", &all)] {
                let (fast, found) = chat_speed(redactor, &requests)?;
                println!("  requests that bring the whole history, {name}: {fast:.0} MB/s, {found} findings");
            }
        }
    }
    let all = all()?;
    let mut slowest = ("", f64::MAX);
    for (name, text) in adversarial() {
        let began = Instant::now();
        let messages = vec![Message::text(Role::User, text)];
        let mut conversation = Conversation { messages, ..Conversation::default() };
        let scope = all.scope(&conversation);
        all.conversation(&mut conversation, scope, &mut Vec::new());
        let speed = 1.0 / began.elapsed().as_secs_f64();
        println!("  {name}: {speed:.0} MB/s");
        if speed < slowest.1 {
            slowest = (name, speed);
        }
    }
    table.at_least("texts made to be slow, the slowest: MB/s", slowest.1, 20.0, slowest.0);
    Ok(())
}

fn redactor(kinds: impl Iterator<Item = Kind>) -> Result<Redactor, String> {
    let key = ProjectKey::from_secret("only for measuring, no secret").ok_or("the key is too short")?;
    let types = kinds.map(|kind| kind.as_str().to_owned()).collect();
    Redactor::new(&Redact { types, ..Redact::default() }, &key)
}

fn turns(line: &str) -> Option<Vec<String>> {
    let dialogue: serde_json::Value = serde_json::from_str(line).ok()?;
    let turns = dialogue.get("turns")?.as_array()?;
    Some(turns.iter().filter_map(|turn| turn.get("utterance")?.as_str().map(str::to_owned)).collect())
}

/// A chat as a gateway logs it: what was said so far, each time that somebody is to answer.
fn requests(chat: &[String]) -> impl Iterator<Item = Vec<String>> + '_ {
    (1..=chat.len()).step_by(2).map(|said| chat[..said].to_vec())
}

/// The best of five rounds over all chats, in MB/s, and how much was found. Each round has a redactor
/// of its own, which remembers nothing of the last one.
fn chat_speed(redactor: &dyn Fn() -> Result<Redactor, String>, chats: &[Vec<String>]) -> Result<(f64, usize), String> {
    let bytes: usize = chats.iter().flatten().map(String::len).sum();
    let message =
        |(n, text): (usize, &String)| Message::text(if n % 2 == 0 { Role::User } else { Role::Assistant }, text);
    let mut best = f64::MAX;
    let mut found = 0;
    for _ in 0..5 {
        let mut conversations: Vec<_> = chats
            .iter()
            .map(|chat| Conversation {
                messages: chat.iter().enumerate().map(message).collect(),
                ..Conversation::default()
            })
            .collect();
        let (redactor, mut findings) = (redactor()?, Vec::new());
        let began = Instant::now();
        for conversation in &mut conversations {
            let scope = redactor.scope(conversation);
            redactor.conversation(conversation, scope, &mut findings);
        }
        best = best.min(began.elapsed().as_secs_f64());
        found = findings.len();
    }
    Ok((bytes as f64 / 1e6 / best, found))
}

/// One megabyte each of beginnings that lead nowhere, and of dense hits.
fn adversarial() -> Vec<(&'static str, String)> {
    const BYTES: usize = 1_000_000;
    let row = |piece: &str| piece.repeat(BYTES / piece.len() + 1);
    vec![
        ("at signs", row("a@")),
        ("digits", row("1 ")),
        ("dotted digits", row("1.")),
        ("one long number", row("4")),
        ("dashes", row("-----BEGIN ")),
        ("tokens", row("-eyJ.")),
        ("keys", row("sk-ant-")),
        ("labels", row("password=")),
        ("labels in prose", row("my name is ")),
        ("names", row("Anna Berg ")),
        ("capitals", row("Aa ")),
        ("streets", row("12 Main Street ")),
        ("percent", row("%4")),
        ("percent encoded", row("%40")),
        ("entities", row("&#6")),
        ("escapes", row("\\u00")),
        ("base64", row("QUJD")),
        ("hex", row("6a616e65")),
        ("spelled", row(" at dot")),
        ("zero width", row("1\u{200b}")),
        ("full width", row("４１")),
        ("colons", row("2001:")),
        ("brackets", row("[EMAIL:")),
        ("quotes", row("\\\"")),
        ("addresses", row("jane@example.com ")),
    ]
}
