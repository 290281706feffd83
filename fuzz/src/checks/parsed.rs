//! Checks of what reads one record: conversations that keep the limits, or a reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::LIMITS;
use crate::config::Format;
use crate::record::{Conversation, Preference};
use crate::stages::ingest::guess::propose;
use crate::stages::ingest::join::{Joining, Part, whole};
use crate::stages::ingest::mapping::{Mapping, Turn};
use crate::stages::ingest::tree::Json;
use crate::stages::ingest::{Body, Reading, Reason, advice, detect, language, parse, part};

pub const FORMATS: [Format; 19] = [
    Format::OpenaiChat,
    Format::Sharegpt,
    Format::Hh,
    Format::OpenaiExchange,
    Format::OpenaiResponses,
    Format::Anthropic,
    Format::Litellm,
    Format::Openinference,
    Format::Otel,
    Format::Langfuse,
    Format::Oasst,
    Format::AzureApim,
    Format::Wildchat,
    Format::Arena,
    Format::Instruction,
    Format::Trl,
    Format::Judged,
    Format::Bedrock,
    Format::HttpRecording,
];

pub fn reading(format: Option<Format>) -> Reading {
    let joining = Joining::default();
    Reading { format, messages_key: "messages".to_owned(), mapping: None, joining, limits: LIMITS }
}

/// Reads one record and checks the answer.
pub fn answer(record: &[u8], reading: &Reading) -> Option<Vec<Conversation>> {
    match parse(record, reading) {
        Ok(conversations) => {
            assert!(!conversations.is_empty() && conversations.len() <= record.len());
            conversations.iter().for_each(kept);
            pairs(&conversations);
            Some(conversations)
        }
        Err(reason) => {
            assert_eq!(advice(reason.as_str()), Some(reason.advice()));
            None
        }
    }
}

/// How many preferences a record states. Each rejected side must follow upon its chosen side.
pub fn pairs(conversations: &[Conversation]) -> usize {
    let sides: Vec<_> = conversations.iter().map(|one| one.preference).collect();
    let count = |side| sides.iter().filter(|one| **one == Some(side)).count();
    let pair = [Some(Preference::Chosen), Some(Preference::Rejected)];
    let pairs = sides.windows(2).filter(|next| **next == pair).count();
    assert_eq!([count(Preference::Chosen), count(Preference::Rejected)], [pairs, pairs], "{sides:?}");
    pairs
}

fn kept(conversation: &Conversation) {
    let messages = &conversation.messages;
    assert!(!messages.is_empty() && messages.len() <= LIMITS.messages as usize);
    for message in messages {
        let calls = message.tool_calls.iter().flat_map(|call| [&call.name, &call.arguments]);
        assert!(calls.chain([&message.content]).all(|text| !text.contains('\0')));
    }
    if let Some(metadata) = &conversation.metadata {
        assert!(is_json(metadata) && metadata.starts_with('{'), "{metadata}");
    }
    assert!(conversation.tools.as_deref().is_none_or(is_json), "{:?}", conversation.tools);
    language::detect(conversation);
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A record read without a named format is read the same in the one it is told to have.
fn told(record: &[u8]) {
    let Some(read) = answer(record, &reading(None)) else { return };
    let format = detect(record, &reading(None)).expect("what was read has a format");
    assert!(answer(record, &reading(Some(format))).is_some_and(|named| named == read), "{format:?}");
}

/// The parser that needs no tree.
pub fn chat(data: &[u8]) {
    told(data);
    for format in &FORMATS[..3] {
        answer(data, &reading(Some(*format)));
    }
}

/// The first byte names a format, the rest is the record.
pub fn formats(data: &[u8]) {
    let Some((first, record)) = data.split_first() else { return };
    let format = FORMATS.get(usize::from(*first) % (FORMATS.len() + 1)).copied();
    match format {
        Some(_) => drop(answer(record, &reading(format))),
        None => told(record),
    }
}

/// Lines of text before the record in the input of [`mapping`].
pub const MAPPING_LINES: usize = 13;

/// One line for each key of the mapping, empty where it has none, then the record. Without a path
/// to messages, role and content are columns of the user and the assistant.
pub fn mapping(data: &[u8]) {
    let mut lines = data.splitn(MAPPING_LINES + 1, |byte| *byte == b'\n');
    let mut text = || {
        let line = std::str::from_utf8(lines.next()?).ok()?;
        (!line.is_empty()).then(|| line.to_owned())
    };
    let mut mapping = Mapping {
        records: text(),
        messages: text(),
        role: text(),
        content: text(),
        name: text(),
        system: text(),
        id: text(),
        model: text(),
        created_at: text(),
        time_format: text(),
        tools: text(),
        ..Mapping::default()
    };
    mapping.metadata.extend(text());
    for pair in text().iter().flat_map(|pairs| pairs.split(',')) {
        let (name, role) = pair.split_once('=').unwrap_or((pair, "user"));
        mapping.roles.insert(name.to_owned(), role.to_owned());
    }
    if mapping.messages.is_none() {
        let columns = [("user", mapping.role.take()), ("assistant", mapping.content.take())];
        let turn = |(role, path): (&str, Option<String>)| Some(Turn { role: role.to_owned(), content: path? });
        mapping.turns.extend(columns.into_iter().filter_map(turn));
    }
    match mapping.compile() {
        Ok(compiled) => {
            let reading = Reading { mapping: Some(Arc::new(compiled)), ..reading(None) };
            answer(lines.next().unwrap_or_default(), &reading);
        }
        Err(what) => assert!(what.contains(": "), "{what}"),
    }
}

/// Each line is a record, and those of one key are read as one, in their order.
pub fn join(data: &[u8]) {
    let reading = reading(None);
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for line in data.split(|byte| *byte == b'\n').take(50) {
        if parse(line, &reading) == Err(Reason::PartOfMore) {
            let body = Body::Bytes(line);
            let (part, text) = part(&body, &reading, &|_| "[USER]".to_owned()).expect("it was told to be a part");
            let text = text.into_owned();
            assert_eq!(part.format, detect(line, &reading), "{text}");
            groups.entry((part.format.map(Format::name), part.key.clone())).or_default().push((part, text));
        }
    }
    for mut parts in groups.into_values() {
        parts.sort_by_key(|(part, _): &(Part, String)| part.order);
        let (format, texts) = (parts[0].0.format, parts.iter().map(|(_, text)| serde_json::from_str::<Json>(text)));
        let Ok(joined) = whole(texts.map(|tree| tree.expect("it was read before")).collect(), format) else { continue };
        // More than the parts have together could grow without end.
        let most: usize = parts.iter().map(|(_, text)| text.len() + 200).sum();
        let json = joined.json();
        assert!(json.len() <= 8 * most, "{} bytes of {most}", json.len());
        let reading = Reading { joining: Joining::Done, format, ..reading.clone() };
        answer(json.as_bytes(), &reading);
    }
}

/// Each line is a sample. What is proposed can be used, and reads at least one of them.
pub fn guess(data: &[u8]) {
    let samples: Vec<Json> =
        data.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).take(20).collect();
    let Some((mapping, sure)) = propose(&samples) else { return };
    assert!(sure > 0.0 && sure <= 1.0, "{sure}");
    let compiled = mapping.compile().expect("a proposal is right");
    assert!(samples.iter().any(|sample| compiled.read(sample).is_ok()));
    let written = toml::to_string(&mapping).expect("a proposal can be written");
    assert_eq!(toml::from_str::<Mapping>(&written).ok(), Some(mapping));
}
