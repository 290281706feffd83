//! Message objects as the OpenAI chat API has them, and those that differ only in names: the
//! common ground of most formats.

use super::super::Reason;
use super::super::media::Medium;
use super::super::tree::Json;
use crate::record::{Message, Role, ToolCall};

/// A list of `{"role", "content", "tool_calls"?, "tool_call_id"?, "name"?}`.
pub fn chat(messages: &[Json]) -> Result<Vec<Message>, Reason> {
    messages.iter().map(message).collect()
}

/// One such object. Content is a string, null, or a list of parts.
pub fn message(message: &Json) -> Result<Message, Reason> {
    if message.entries().is_none() {
        return Err(Reason::BadShape);
    }
    let role = message.text_of("role").ok_or(Reason::MissingRole)?;
    let role = Role::parse(role).ok_or(Reason::UnknownRole)?;
    let mut tool_calls = Vec::new();
    for call in message.list_of("tool_calls").unwrap_or_default() {
        let function = call.get("function").unwrap_or(call);
        tool_calls.push(tool_call(call.text_of("id").unwrap_or_default(), function)?);
    }
    if let Some(function) = message.get("function_call") {
        tool_calls.push(tool_call("", function)?);
    }
    let own = |key: &str| message.text_of(key).map(str::to_owned);
    Ok(Message {
        role,
        content: message.get("content").map_or(Ok(String::new()), content)?,
        name: own("name"),
        tool_call_id: own("tool_call_id"),
        tool_calls,
    })
}

/// `{"name", "arguments"}`; arguments are JSON text, or the object itself.
pub fn tool_call(id: &str, function: &Json) -> Result<ToolCall, Reason> {
    let arguments = match function.get("arguments") {
        None => String::new(),
        Some(Json::Text(text)) => text.clone().into_owned(),
        Some(other) => other.json(),
    };
    let name = function.text_of("name").ok_or(Reason::BadShape)?;
    Ok(ToolCall { id: id.trim().to_owned(), name: name.to_owned(), arguments })
}

/// Content as plain text; parts that are not text become typed placeholders. Parts are joined by a
/// line feed.
pub fn content(content: &Json) -> Result<String, Reason> {
    match content {
        Json::Null => Ok(String::new()),
        Json::Text(text) => Ok(text.clone().into_owned()),
        Json::List(parts) => {
            let pieces: Vec<String> = parts.iter().map(part).collect::<Result<_, _>>()?;
            Ok(pieces.join("\n"))
        }
        _ => Err(Reason::BadShape),
    }
}

/// One part of a content.
pub fn part(part: &Json) -> Result<String, Reason> {
    if let Some(text) = part.text() {
        return Ok(text.to_owned());
    }
    if let Some(medium) = Medium::of(part) {
        return Ok(medium.placeholder());
    }
    let text = |key: &str| part.text_of(key).map(str::to_owned).ok_or(Reason::BadShape);
    match part.text_of("type") {
        Some("text" | "input_text" | "output_text") | None => text("text"),
        Some("refusal") => text("refusal"),
        Some(_) => Err(Reason::BadShape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Message, Reason> {
        message(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn content_comes_as_string_null_or_parts() {
        for (content, text) in [
            (r#""a""#, "a"),
            ("null", ""),
            (r#"[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}}]"#, "a\n[image]"),
        ] {
            assert_eq!(read(&format!(r#"{{"role":"user","content":{content}}}"#)).unwrap().content, text);
        }
        for (json, reason) in [
            (r#"{"content":"x"}"#, Reason::MissingRole),
            (r#"{"role":"wizard"}"#, Reason::UnknownRole),
            (r#"{"role":"user","content":5}"#, Reason::BadShape),
            (r#"{"role":"user","content":[{"type":"hologram"}]}"#, Reason::BadShape),
            (r#"{"role":"assistant","tool_calls":[{"id":"c"}]}"#, Reason::BadShape),
            ("5", Reason::BadShape),
        ] {
            assert_eq!(read(json), Err(reason), "{json}");
        }
    }

    #[test]
    fn arguments_come_as_text_or_object() {
        let json = r#"{"role":"assistant","tool_calls":[
            {"id":" c1","function":{"name":"f","arguments":"{\"a\":1}"}},{"function":{"name":"g","arguments":{"b":2}}}]}"#;
        let calls = read(json).unwrap().tool_calls;
        assert_eq!(calls[0], ToolCall { id: "c1".into(), name: "f".into(), arguments: r#"{"a":1}"#.into() });
        assert_eq!(calls[1].arguments, r#"{"b":2}"#);
    }
}
