//! The pieces that messages of all dialects are made of: parts, tool calls and tool definitions.
//!
//! Not here: message objects and what holds them (`dialects`). Always: keys that are not read are handed back.

use std::borrow::Cow;

use super::super::Reason;
use super::super::media::Medium;
use super::super::tree::Json;
use super::dialects::Turns;
use super::{messages, rest, row};
use crate::record::{Message, Role, ToolCall};

/// A text or a placeholder; other keys of the part are left.
pub fn text_part(part: &Json, left: &mut Vec<String>) -> Result<String, Reason> {
    if let Some(medium) = Medium::of(part) {
        let text = medium.placeholder();
        left.extend(rest(&Json::Object(medium.left), &[]));
        return Ok(text);
    }
    // Bedrock names the kind of a part by its key.
    for (key, placeholder) in [("image", "[image]"), ("video", "[video]"), ("document", "[file]")] {
        if !part.has("type") && part.get(key).is_some_and(|media| media.entries().is_some()) {
            left.extend(rest(part, &[key]));
            return Ok(placeholder.to_owned());
        }
    }
    let (text, used) = match part.text_of("type") {
        Some("text") if part.has("content") => {
            (part.text_of("content").ok_or(Reason::BadShape)?.to_owned(), &["type", "content"][..])
        }
        kind => {
            let text = messages::part(part)?;
            let used = match kind {
                None | Some("text" | "input_text" | "output_text") => &["type", "text"][..],
                Some("refusal") => &["type", "refusal"],
                Some(_) => &["type"],
            };
            (text, used)
        }
    };
    left.extend(rest(part, used));
    Ok(text)
}

/// Reads the tool calls of a message object.
pub fn asked(body: &Json, message: &mut Message, used: &mut Vec<&str>, left: &mut Vec<String>) -> Result<(), Reason> {
    let more = body.get("additional_kwargs").filter(|it| it.entries().is_some());
    let mut calls = Vec::new();
    if let Some(list) = body.list_of("tool_calls") {
        used.push("tool_calls");
        calls.extend(list);
    }
    if let Some(one) = body.get("function_call") {
        used.push("function_call");
        calls.push(one);
    }
    if let Some(more) = more {
        used.push("additional_kwargs");
        calls.extend(more.list_of("tool_calls").unwrap_or_default());
        let read = if more.list_of("tool_calls").is_some() { &["tool_calls"][..] } else { &[] };
        left.extend(rest(more, read));
    }
    for one in calls {
        let (one, others) = call(one)?;
        // Some frameworks log the same call in two places.
        if one.id.is_empty() || message.tool_calls.iter().all(|known| known.id != one.id) {
            message.tool_calls.push(one);
        }
        left.extend(others);
    }
    Ok(())
}

/// A tool definition in OpenAI's form; one of an unknown form as it is.
pub fn defined(tool: &Json) -> String {
    let Some(entries) = tool.entries().filter(|_| tool.text_of("name").is_some() && !tool.has("function")) else {
        return tool.json();
    };
    let named = entries.iter().filter(|(key, value)| {
        *value != Json::Null && !(key == "type" && matches!(value.text(), Some("function" | "custom")))
    });
    let renamed = named.map(|(key, value)| match key.as_ref() {
        "input_schema" | "inputSchema" => (Cow::Borrowed("parameters"), value.clone()),
        _ => (key.clone(), value.clone()),
    });
    format!(r#"{{"type":"function","function":{}}}"#, Json::Object(renamed.collect()).json())
}

/// The turns of a text that tells a conversation line by line (`user: ...`), as some frameworks log
/// prompts; nothing if it begins otherwise or has fewer turns than `least`. A turn goes on over
/// lines that name nobody whom `role` knows. The last answer, which is still to be given, is none.
pub fn transcript(text: &str, least: usize, role: impl Fn(&str) -> Option<Role>) -> Option<Vec<Message>> {
    let said = |line: &str| {
        let (name, said) = line.split_once(':')?;
        Some((role(name)?, said.to_owned()))
    };
    let mut turns: Vec<(Role, String)> = Vec::new();
    for line in text.trim_start().lines() {
        match (said(line), turns.last_mut()) {
            (Some(turn), _) => turns.push(turn),
            (None, Some((_, said))) => {
                said.push('\n');
                said.push_str(line);
            }
            (None, None) => return None,
        }
    }
    if turns.len() < least {
        return None;
    }
    // Python's word for an answer that only calls tools.
    let said = |role, text: &str| if role == Role::Assistant && text == "None" { "" } else { text }.to_owned();
    let mut messages: Vec<Message> =
        turns.into_iter().map(|(role, text)| Message::text(role, said(role, text.trim()))).collect();
    messages.pop_if(|last| last.role == Role::Assistant && last.content.is_empty());
    Some(messages)
}

/// Who speaks in a transcript, by the names that are used everywhere.
pub fn speaker(name: &str) -> Option<Role> {
    match name.to_ascii_lowercase().as_str() {
        "system" | "developer" => Some(Role::System),
        "user" | "human" => Some(Role::User),
        "assistant" | "ai" => Some(Role::Assistant),
        "tool" => Some(Role::Tool),
        _ => None,
    }
}

/// JSON that is no message, no list of messages and nothing that holds them.
pub fn is_data(value: &Json) -> bool {
    const KEYS: &[&str] =
        &["role", "lc", "type", "content", "parts", "messages", "contents", "choices", "candidates", "text", "prompt"];
    match value {
        Json::List(items) => !items.is_empty() && items.iter().all(|item| item.entries().is_none()),
        Json::Object(_) => !row::has_any(value, KEYS) && value.text_of("object") != Some("response"),
        _ => false,
    }
}

/// Who speaks, by the role or by the class of the message.
pub fn role(item: &Json, body: &Json) -> Result<Role, Reason> {
    if let Some(name) = body.text_of("role") {
        return Role::parse(name).ok_or(Reason::UnknownRole);
    }
    let class = item.list_of("id").and_then(|path| path.last()).and_then(Json::text);
    match class.or_else(|| item.text_of("type")).ok_or(Reason::MissingRole)? {
        "human" | "HumanMessage" | "HumanMessageChunk" => Ok(Role::User),
        "ai" | "AIMessage" | "AIMessageChunk" => Ok(Role::Assistant),
        "system" | "SystemMessage" => Ok(Role::System),
        "tool" | "ToolMessage" | "function" | "FunctionMessage" => Ok(Role::Tool),
        _ => Err(Reason::UnknownRole),
    }
}

/// The key that holds an id, and the id.
pub fn id(part: &Json) -> Option<(&'static str, String)> {
    let keys = ["call_id", "tool_use_id", "toolUseId", "toolCallId", "tool_call_id", "id"];
    let (key, id) = keys.into_iter().find_map(|key| Some((key, part.get(key)?)))?;
    // Some frameworks write [run id, call id].
    let id = id.list().and_then(<[Json]>::last).unwrap_or(id);
    Some((key, id.scalar()?.trim().to_owned()))
}

/// A tool call, and what its object says besides.
pub fn call(part: &Json) -> Result<(ToolCall, Vec<String>), Reason> {
    let inner = part.get("function").filter(|it| it.entries().is_some());
    let function = inner.unwrap_or(part);
    let name = ["name", "toolName"].into_iter().find_map(|key| Some((key, function.text_of(key)?)));
    let (name_key, name) = name.ok_or(Reason::BadShape)?;
    let arguments = ["arguments", "input", "args"].into_iter().find_map(|key| Some((key, function.get(key)?)));
    let id = id(part);
    let mut used = vec!["type", name_key];
    used.extend(arguments.map(|it| it.0));
    let mut left: Vec<String> = inner.and_then(|inner| rest(inner, &used)).into_iter().collect();
    if inner.is_some() {
        used = vec!["type", "function"];
    }
    used.extend(id.as_ref().map(|it| it.0));
    left.extend(rest(part, &used));
    let arguments = arguments.map_or(String::new(), |it| it.1.text().map_or_else(|| it.1.json(), str::to_owned));
    Ok((ToolCall { id: id.map(|it| it.1).unwrap_or_default(), name: name.to_owned(), arguments }, left))
}

impl Turns {
    /// Tool definitions as objects or as JSON texts.
    pub fn define(&mut self, tools: &[Json]) {
        for tool in tools {
            let parsed = tool.text().and_then(Json::parsed);
            let tool = parsed.as_ref().unwrap_or(tool);
            let many = tool.list_of("function_declarations").or_else(|| tool.list_of("functionDeclarations"));
            match many {
                Some(many) => {
                    self.tools.extend(many.iter().map(defined));
                    self.around.extend(rest(tool, &["function_declarations", "functionDeclarations"]));
                }
                None => self.tools.push(defined(tool)),
            }
        }
    }

    /// Tool definitions as one JSON array, each once.
    pub fn tools_json(&self) -> Option<String> {
        let mut seen: Vec<&str> = Vec::new();
        for tool in &self.tools {
            if !seen.contains(&tool.as_str()) {
                seen.push(tool);
            }
        }
        (!seen.is_empty()).then(|| format!("[{}]", seen.join(",")))
    }
}
