//! What one record says, as turns.
//!
//! Always: a record is read the same way when it is sketched and when it is compared.

use std::borrow::Cow;

use crate::layer::build::tool_calls_json;
use crate::record::{Conversation, Message, Role};
use crate::stages::dedup::sketch::{TEXT, Turn};
use crate::stages::ingest::{self, Reading, Reason, quick};

/// One record.
pub enum Said<'a> {
    Chat {
        messages: Vec<Spoken<'a>>,
        created_at_us: Option<i64>,
    },
    /// A text that nobody speaks.
    Text(Cow<'a, str>),
    /// Several conversations: sides of preferences, branches of a tree.
    Several(Vec<Conversation>),
}

/// One message: who speaks, what, and the calls as JSON.
pub struct Spoken<'a>(Role, Cow<'a, str>, Option<String>);

/// Why a record with a text may be none of the known formats.
const NO_CHAT: [Reason; 3] = [Reason::BadShape, Reason::NoMessages, Reason::NotAGeneration];

/// The record, and its own id as JSON.
pub fn read<'a>(line: &'a [u8], reading: &Reading) -> (Result<Said<'a>, Reason>, Option<&'a str>) {
    let Ok(text) = std::str::from_utf8(line) else { return (Err(Reason::InvalidUtf8), None) };
    let deepest = reading.limits.nesting_depth;
    let row = quick::read(text, deepest);
    let Some(row) = row else { return (slow(line, None, reading), quick::own_id(text, deepest)) };
    let id = row.id;
    if row.more || reading.mapping.is_some() {
        return (slow(line, row.text, reading), id);
    }
    let said = match (row.chat, row.text) {
        (Some(chat), _) if (1..=reading.limits.messages as usize).contains(&chat.len()) => {
            let messages = chat.into_iter().map(|(role, content)| Spoken(role, content, None)).collect();
            Ok(Said::Chat { messages, created_at_us: row.created_at_us })
        }
        (None, Some(text)) => Ok(Said::Text(text)),
        (_, text) => slow(line, text, reading),
    };
    (said, id)
}

fn slow<'a>(line: &[u8], text: Option<Cow<'a, str>>, reading: &Reading) -> Result<Said<'a>, Reason> {
    let mut conversations = match (ingest::parse(line, reading), text) {
        (Err(reason), Some(text)) if NO_CHAT.contains(&reason) => return Ok(Said::Text(text)),
        (read, _) => read?,
    };
    if conversations.len() > 1 {
        return Ok(Said::Several(conversations));
    }
    let Conversation { messages, created_at_us, .. } = conversations.pop().unwrap_or_default();
    let spoken = |message: Message| {
        let calls = tool_calls_json(&message);
        Spoken(message.role, Cow::Owned(message.content), calls)
    };
    Ok(Said::Chat { messages: messages.into_iter().map(spoken).collect(), created_at_us })
}

impl Said<'_> {
    /// The turns of a chat or a text; none of several conversations.
    pub fn turns(&self) -> Vec<Turn<'_>> {
        match self {
            Said::Chat { messages, .. } => messages
                .iter()
                .map(|Spoken(role, content, calls)| Turn { role: role.as_str(), content, tool_calls: calls.as_deref() })
                .collect(),
            Said::Text(text) => vec![Turn { role: TEXT, content: text, tool_calls: None }],
            Said::Several(_) => Vec::new(),
        }
    }
}
