//! Calls of Anthropic's Messages API: system prompt outside `messages`, contents made of blocks.
//!
//! Schema: the types of anthropic 2.12.0 (Python). Not here: Bedrock's Converse API, raw event
//! streams. Results of a batch have no prompt; they would have to be joined by `custom_id`.
//!
//! Always: tool results become messages of the tool, before the rest of the message that held
//! them; thinking goes to the metadata, whole.

use super::super::Reason;
use super::super::media::Medium;
use super::super::tree::Json;
use super::exchange::{self, Api, Exchange, Extra};
use super::{Read, caller, messages};
use crate::record::{Conversation, Message, Role, ToolCall};

/// Whether a record is of this format.
pub fn fits(record: &Json) -> bool {
    exchange::api(record) == Some(Api::Anthropic)
}

/// One conversation.
pub fn read(record: &Json) -> Read {
    if ["request", "custom_id"].iter().any(|key| record.has(key)) {
        let Exchange { request, response, extra } = exchange::exchange(record)?;
        return call(record, &request, response.as_deref(), extra);
    }
    call(record, record, None, Extra::default())
}

fn call<'a>(record: &Json<'a>, request: &Json<'a>, response: Option<&Json<'a>>, mut extra: Extra<'a>) -> Read {
    let list = request.get("messages").ok_or(Reason::NoMessages)?.list().ok_or(Reason::BadShape)?;
    if list.is_empty() {
        return Err(Reason::NoMessages);
    }
    let own = response.and_then(|response| exchange::id_of(response, &["id"]));
    let mut conversation = Conversation {
        tools: exchange::tools(request.get("tools"), tool),
        model: exchange::model(request, response),
        created_at_us: exchange::time_of(record, &["created_at", "created", "timestamp", "time"]),
        external_id: own.or_else(|| exchange::id_of(record, &["id", "request_id", "custom_id"])),
        ..Conversation::default()
    };
    caller::user(&mut conversation, &[request, record]);
    caller::tokens(&mut conversation, &[response.unwrap_or(record), record]);
    let mut used = exchange::known(request, &conversation);
    used.extend(["messages", "system"]);
    used.extend(conversation.tools.as_ref().map(|_| "tools"));
    if std::ptr::eq(record, request) {
        extra.keep(request, &used);
    } else {
        extra.nest("request", request, &used);
    }
    conversation.messages = talk(request.get("system"), list, &mut extra)?;
    if let Some(response) = response {
        answer(response, &mut conversation, &mut extra)?;
    }
    Ok(vec![Conversation { metadata: extra.metadata(), ..conversation }])
}

/// The response as one more message; what is left of it becomes metadata.
pub fn answer<'a>(response: &Json<'a>, into: &mut Conversation, extra: &mut Extra<'a>) -> Result<(), Reason> {
    if !response.has("content") {
        return Err(Reason::BadShape);
    }
    turn(response, &mut into.messages, extra)?;
    let of_message = response.text_of("type").filter(|kind| *kind == "message").map_or("", |_| "type");
    extra.nest("response", response, &[vec!["content", "role", of_message], exchange::known(response, into)].concat());
    Ok(())
}

/// System prompt and messages of a request.
pub fn talk<'a>(system: Option<&Json<'a>>, list: &[Json<'a>], extra: &mut Extra<'a>) -> Result<Vec<Message>, Reason> {
    system.into_iter().for_each(|blocks| extra.parts(0, blocks));
    let system = system.map_or(Ok(String::new()), messages::content)?;
    let before = Some(system).filter(|text| !text.is_empty()).map(|text| Message::text(Role::System, text));
    more(before.into_iter().collect(), list, extra)
}

/// Messages of a request after those that are there already.
pub fn more<'a>(mut all: Vec<Message>, list: &[Json<'a>], extra: &mut Extra<'a>) -> Result<Vec<Message>, Reason> {
    for message in list {
        let before = all.len();
        turn(message, &mut all, extra)?;
        extra.message(all.len().saturating_sub(1).max(before), message, &["role", "content"]);
    }
    Ok(all)
}

/// A tool in OpenAI's form; Anthropic's own tools have no schema and stay as they are.
pub fn tool<'a>(tool: &Json<'a>) -> Json<'a> {
    if tool.has("input_schema") { exchange::function(tool, "input_schema") } else { tool.clone() }
}

/// One message, which may become several: tool results are messages of their own.
fn turn<'a>(message: &Json<'a>, all: &mut Vec<Message>, extra: &mut Extra<'a>) -> Result<(), Reason> {
    if message.entries().is_none() {
        return Err(Reason::BadShape);
    }
    let role = Role::parse(message.text_of("role").ok_or(Reason::MissingRole)?).ok_or(Reason::UnknownRole)?;
    let Some(blocks) = message.list_of("content") else {
        let text = message.get("content").map_or(Ok(String::new()), messages::content)?;
        all.push(Message::text(role, text));
        return Ok(());
    };
    let (mut pieces, mut calls, mut results) = (Vec::new(), Vec::new(), 0);
    for block in blocks {
        match block.text_of("type") {
            Some("tool_use" | "server_tool_use" | "mcp_tool_use") => calls.push(tool_use(block)?),
            Some("thinking" | "redacted_thinking") => extra.think(block),
            Some(kind) if kind.ends_with("tool_result") => {
                // A result of Anthropic's own tools stands inside the answer: what was said
                // before it stays before it.
                if role == Role::Assistant && !(pieces.is_empty() && calls.is_empty()) {
                    all.push(said(role, &mut pieces, &mut calls));
                }
                let (is_client, id) =
                    (kind == "tool_result", block.text_of("tool_use_id").map_or("", |_| "tool_use_id"));
                extra.message(all.len(), block, &["type", id, "content"]);
                if let Some(parts) = block.get("content").filter(|_| is_client) {
                    extra.parts(all.len(), parts);
                }
                all.push(tool_result(block, is_client)?);
                results += 1;
            }
            _ => pieces.push(piece(block)?),
        }
    }
    if results == 0 || !pieces.is_empty() || !calls.is_empty() {
        all.push(said(role, &mut pieces, &mut calls));
    }
    message.get("content").into_iter().for_each(|blocks| extra.parts(all.len().saturating_sub(1), blocks));
    Ok(())
}

fn said(role: Role, pieces: &mut Vec<String>, calls: &mut Vec<ToolCall>) -> Message {
    let content = std::mem::take(pieces).join("\n");
    Message { tool_calls: std::mem::take(calls), ..Message::text(role, content) }
}

fn tool_use(block: &Json) -> Result<ToolCall, Reason> {
    let name = block.text_of("name").ok_or(Reason::BadShape)?.to_owned();
    let id = block.text_of("id").unwrap_or_default().trim().to_owned();
    Ok(ToolCall { id, name, arguments: block.get("input").map(Json::json).unwrap_or_default() })
}

/// Results of a client's tools are text or blocks; those of Anthropic's own tools stay JSON.
fn tool_result(block: &Json, is_client: bool) -> Result<Message, Reason> {
    let content = match block.get("content") {
        None => String::new(),
        Some(Json::Text(text)) => text.clone().into_owned(),
        Some(Json::List(parts)) if is_client => parts.iter().map(piece).collect::<Result<Vec<_>, _>>()?.join("\n"),
        Some(_) if is_client => return Err(Reason::BadShape),
        Some(other) => other.json(),
    };
    let id = block.text_of("tool_use_id").map(|id| id.trim().to_owned());
    Ok(Message { tool_call_id: id, ..Message::text(Role::Tool, content) })
}

fn piece(block: &Json) -> Result<String, Reason> {
    match block.text_of("type") {
        Some("text") | None => {
            block.text().or_else(|| block.text_of("text")).map(str::to_owned).ok_or(Reason::BadShape)
        }
        Some("search_result") => messages::content(block.get("content").ok_or(Reason::BadShape)?),
        Some(_) => Medium::of(block).map(|medium| medium.placeholder()).ok_or(Reason::BadShape),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::get;
    use super::*;

    #[test]
    fn tool_results_stand_before_the_rest_and_thinking_outside() {
        let got = get(r#"{"request":{"model":"m","system":"Be kind.","tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],
            "messages":[{"role":"user","content":"hi"},
            {"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"ok"},{"type":"tool_use","id":"t1","name":"f","input":{"x":1}}]},
            {"role":"user","content":[{"type":"text","text":"and?"},{"type":"tool_result","tool_use_id":"t1","content":"42"}]}]},
            "response":{"id":"msg_1","type":"message","role":"assistant","model":"m2","content":[{"type":"text","text":"42"}],"stop_reason":"end_turn"}}"#)
        .unwrap().remove(0);
        let roles: Vec<_> = got.messages.iter().map(|m| m.role.as_str()).collect();
        assert_eq!(roles, ["system", "user", "assistant", "tool", "user", "assistant"]);
        assert_eq!(got.messages[2].content, "ok");
        assert_eq!(got.messages[2].tool_calls[0].arguments, r#"{"x":1}"#);
        assert_eq!(got.messages[3].tool_call_id.as_deref(), Some("t1"));
        assert_eq!((got.model.as_deref(), got.external_id.as_deref()), (Some("m2"), Some("msg_1")));
        assert!(got.metadata.unwrap().contains(r#""thinking":[{"type":"thinking","thinking":"hm"}]"#));
        let tools = r#"[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}]"#;
        assert_eq!(got.tools.as_deref(), Some(tools));
    }

    #[test]
    fn bare_requests_and_own_tools() {
        let got = get(r#"{"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"image","source":{}},{"type":"document","source":{}}]},
            {"role":"assistant","content":[{"type":"server_tool_use","id":"s1","name":"web_search","input":{}},
            {"type":"web_search_tool_result","tool_use_id":"s1","content":[{"type":"web_search_result","url":"https://example.com"}]},{"type":"text","text":"found"}]}]}"#)
        .unwrap().remove(0);
        let texts: Vec<_> = got.messages.iter().map(|m| m.content.as_str()).collect();
        assert_eq!(texts[..3], ["s", "[image]\n[file]", ""]);
        assert_eq!(texts[4], "found");
    }

    #[test]
    fn every_layout_is_read() {
        let asked = r#"{"system":"s","messages":[{"role":"user","content":"hi"}]}"#;
        let answer = r#"{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"text","text":"yo"}]}"#;
        let text = |json: &str| serde_json::to_string(json).unwrap();
        for (json, expected, id) in [
            (asked.to_owned(), 2, None),
            (format!(r#"{{"request":{asked},"response":{answer}}}"#), 3, Some("msg_1")),
            (format!(r#"{{"request":{},"response":{}}}"#, text(asked), text(answer)), 3, Some("msg_1")),
            (
                format!(r#"{{"request":{{"body":{asked}}},"response":{{"status":200,"body":{answer}}}}}"#),
                3,
                Some("msg_1"),
            ),
            (format!(r#"{{"id":"r","request":{asked}}}"#), 2, Some("r")),
            (format!(r#"{{"custom_id":"c","params":{asked}}}"#), 2, Some("c")),
            (
                format!(r#"{{"custom_id":"c","params":{asked},"result":{{"type":"succeeded","message":{answer}}}}}"#),
                3,
                Some("msg_1"),
            ),
        ] {
            let got = get(&json).unwrap().remove(0);
            let texts: Vec<_> = got.messages.iter().map(|m| (m.role.as_str(), m.content.as_str())).collect();
            assert_eq!(texts, [("system", "s"), ("user", "hi"), ("assistant", "yo")][..expected], "{json}");
            assert_eq!(got.external_id.as_deref(), id, "{json}");
        }
    }

    #[test]
    fn what_is_not_read_stays_in_the_metadata() {
        let got = get(r#"{"request":{"model":"m","thinking":{"type":"enabled"},"tools":"none",
            "system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"messages":[
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","is_error":true,
            "content":[{"type":"text","text":"r"},{"type":"image","source":{"url":"https://example.com/a"}}]}]}]},
            "response":{"id":"i","type":"message","role":"assistant","model":"m2","stop_reason":"end_turn",
            "content":[{"type":"redacted_thinking","data":"x"},{"type":"text","text":"a","citations":[{"cited_text":"c"}]}]}}"#)
        .unwrap()
        .remove(0);
        assert_eq!(got.messages[1].content, "r\n[image]");
        assert_eq!(
            got.metadata.as_deref(),
            Some(concat!(
                r#"{"request":{"model":"m","thinking":{"type":"enabled"},"tools":"none"},"#,
                r#""response":{"stop_reason":"end_turn"},"thinking":[{"type":"redacted_thinking","data":"x"}],"#,
                r#""turns":[{"parts":[{"part_index":0,"cache_control":{"type":"ephemeral"}}]},"#,
                r#"[{"is_error":true},{"parts":[{"part_index":1,"source":{"url":"https://example.com/a"}}]}],"#,
                r#"{"parts":[{"part_index":1,"citations":[{"cited_text":"c"}]}]}]}"#
            ))
        );
    }

    #[test]
    fn every_reject_has_its_reason() {
        for (json, reason) in [
            (r#"{"custom_id":"x","result":{"type":"errored","error":{"type":"e"}}}"#, Reason::NoMessages),
            (
                r#"{"custom_id":"x","params":{"messages":[{"role":"user","content":"a"}]},"result":{"type":"expired"}}"#,
                Reason::FailedCall,
            ),
            (
                r#"{"request":{"messages":[{"role":"user","content":"a"}]},"response":{"type":"message"}}"#,
                Reason::BadShape,
            ),
            (r#"{"request":{"messages":"a"},"response":{"type":"message"}}"#, Reason::BadShape),
            (r#"{"system":"s","messages":[5]}"#, Reason::BadShape),
            (r#"{"system":"s","messages":[{"role":"user","content":5}]}"#, Reason::BadShape),
            (
                r#"{"system":"s","messages":[{"role":"user","content":[{"type":"tool_result","content":5}]}]}"#,
                Reason::BadShape,
            ),
            (r#"{"system":"s","messages":[{"role":"assistant","content":[{"type":"tool_use"}]}]}"#, Reason::BadShape),
            (r#"{"custom_id":"x","result":{"type":"succeeded","message":{}}}"#, Reason::NoMessages),
            (r#"{"type":"message","role":"assistant","content":[],"stop_reason":"end_turn"}"#, Reason::NoMessages),
            (
                r#"{"request":{"system":"s","messages":[{"role":"user","content":"a"}]},"response":{"type":"error","error":{"type":"overloaded_error"}}}"#,
                Reason::FailedCall,
            ),
            (r#"{"request":{"system":"s","messages":[]}}"#, Reason::NoMessages),
            (r#"{"system":"s","messages":[{"content":"a"}]}"#, Reason::MissingRole),
            (r#"{"system":"s","messages":[{"role":"wizard","content":"a"}]}"#, Reason::UnknownRole),
            (r#"{"system":"s","messages":[{"role":"user","content":[{"type":"hologram"}]}]}"#, Reason::BadShape),
        ] {
            assert_eq!(get(json), Err(reason), "{json}");
        }
    }
}
