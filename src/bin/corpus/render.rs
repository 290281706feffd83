//! Rows as lines of bytes in the three formats.
//!
//! Not what they say (`chat`); broken lines are in `broken`.
//!
//! Always: a good line is one JSON object without a line break; ids hold letters only, so that no
//! id looks like a number of somebody.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::chance::Chance;
use crate::chat::{Chat, TOOLS, Turn};
use crate::plan::Format;

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
/// First and last second of the logs' time.
const TIMES: (u64, u64) = (1_704_067_200, 1_767_225_600);
const MODELS: [&str; 5] = ["gpt-4o-mini", "gpt-4o", "gpt-4.1", "o4-mini", "llama-3.3-70b"];
const SOURCES: [&str; 5] = ["web", "mobile", "api", "plugin", "batch"];

#[derive(Serialize)]
struct OpenAi<'a> {
    id: String,
    model: &'a str,
    created: u64,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[ToolCall<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct ShareGpt<'a> {
    id: String,
    conversations: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Said<'a> {
    from: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Pair<'a> {
    chosen: &'a str,
    rejected: &'a str,
}

/// Writes rows; holds what all rows share.
pub struct Renderer {
    seed: u64,
    tools: Box<RawValue>,
}

impl Renderer {
    pub fn new(seed: u64) -> Result<Renderer, serde_json::Error> {
        let tools: Vec<serde_json::Value> = TOOLS.iter().map(|name| definition(name)).collect();
        Ok(Renderer { seed, tools: serde_json::value::to_raw_value(&tools)? })
    }

    /// One line without its line feed. `place` makes the envelope, so that copies differ in it.
    pub fn line(&self, out: &mut Vec<u8>, format: Format, place: u64, chat: &Chat) -> Result<(), serde_json::Error> {
        let envelope = Chance::new(self.seed, "envelope", place).sub(format.name(), 0);
        match format {
            Format::OpenAi => serde_json::to_writer(out, &self.openai(envelope, chat)),
            Format::ShareGpt => {
                let id = envelope.sub("id", 0).string(16, LOWER);
                serde_json::to_writer(out, &ShareGpt { id, conversations: said(chat) })
            }
            Format::Hh => Ok(()),
        }
    }

    fn openai<'a>(&'a self, envelope: Chance, chat: &'a Chat) -> OpenAi<'a> {
        let mut metadata = BTreeMap::new();
        if envelope.below(0, 4) > 0 {
            metadata.insert("source", envelope.choose(1, &SOURCES));
        }
        if let Some(note) = &chat.note {
            metadata.insert("note", note);
        }
        OpenAi {
            id: format!("chatcmpl-{}", envelope.sub("id", 0).string(20, LOWER)),
            model: envelope.choose(2, &MODELS),
            created: TIMES.0 + envelope.below(3, TIMES.1 - TIMES.0),
            messages: messages(chat),
            tools: chat.turns.iter().any(|turn| turn.call.is_some()).then_some(&*self.tools),
            metadata,
        }
    }
}

/// Keys stand in the order of the alphabet, as serde_json may or may not sort them.
fn definition(name: &str) -> serde_json::Value {
    let text = |what: &str| serde_json::json!({"description": what, "type": "string"});
    serde_json::json!({"function": {
        "description": format!("Runs {} for the user.", name.replace('_', " ")),
        "name": name,
        "parameters": {
            "properties": {
                "limit": {"type": "integer"},
                "note": text("Anything else."),
                "query": text("What is wanted."),
            },
            "required": ["query"],
            "type": "object",
        },
    }, "type": "function"})
}

fn messages(chat: &Chat) -> Vec<Message<'_>> {
    fn text<'a>(role: &'a str, content: &'a str) -> Message<'a> {
        Message { role, content: Some(content), tool_calls: None, tool_call_id: None }
    }
    let mut all = Vec::with_capacity(2 * chat.turns.len() + 3);
    all.extend(chat.system.as_deref().map(|system| text("system", system)));
    for Turn { user, call, answer } in &chat.turns {
        all.push(text("user", user));
        if let Some(call) = call {
            let function = Function { name: call.tool, arguments: &call.arguments };
            let calls = [ToolCall { id: &call.id, kind: "function", function }];
            all.push(Message { role: "assistant", content: None, tool_calls: Some(calls), tool_call_id: None });
            all.push(Message { tool_call_id: Some(&call.id), ..text("tool", &call.result) });
        }
        all.push(text("assistant", answer));
    }
    all
}

fn said(chat: &Chat) -> Vec<Said<'_>> {
    let mut all = Vec::with_capacity(2 * chat.turns.len() + 1);
    all.extend(chat.system.as_deref().map(|value| Said { from: "system", value }));
    for turn in &chat.turns {
        all.push(Said { from: "human", value: &turn.user });
        all.push(Said { from: "gpt", value: &turn.answer });
    }
    all
}

/// One HH line: the same dialogue with two last answers.
pub fn pair(out: &mut Vec<u8>, chat: &Chat, rejected: &str) -> Result<(), serde_json::Error> {
    let Some((last, earlier)) = chat.turns.split_last() else {
        return Ok(());
    };
    let mut shared = String::new();
    for turn in earlier {
        shared.extend(["\n\nHuman: ", &turn.user, "\n\nAssistant: ", &turn.answer]);
    }
    shared.extend(["\n\nHuman: ", &last.user, "\n\nAssistant: "]);
    let (chosen, rejected) = ([&shared, last.answer.as_str()].concat(), [&shared, rejected].concat());
    serde_json::to_writer(out, &Pair { chosen: &chosen, rejected: &rejected })
}
