//! Calls of OpenAI's Responses API: input items, instructions and output items.
//!
//! Schema: openai/openai-openapi@f85dbe2 `openapi.yaml` (`CreateResponse`, `Response`, `Item`).
//! Not here: chat completions. Context that only `previous_response_id` names is not in the
//! record; a record that refers to single items elsewhere (`item_reference`) is a reject.
//!
//! Always: calls that follow an assistant's message belong to it; reasoning goes to `thinking`;
//! what OpenAI's own tools did stays in the metadata (`between_messages`).

use super::super::Reason;
use super::super::media::Medium;
use super::super::tree::Json;
use super::exchange::{self, Api, Exchange, Extra};
use super::{Read, caller, messages};
use crate::record::{Conversation, Message, Role, ToolCall};

/// Whether a record is of this format.
pub fn fits(record: &Json) -> bool {
    exchange::api(record) == Some(Api::OpenaiResponses)
}

/// One conversation.
pub fn read(record: &Json) -> Read {
    if ["request", "custom_id"].iter().any(|key| record.has(key)) {
        let Exchange { request, response, extra } = exchange::exchange(record)?;
        return call(record, &request, response.as_deref(), extra);
    }
    if exchange::failed(record) {
        return Err(Reason::FailedCall);
    }
    call(record, record, None, Extra::default())
}

/// Request and response, which may be one object.
fn call<'a>(record: &Json<'a>, request: &Json<'a>, response: Option<&Json<'a>>, mut extra: Extra<'a>) -> Read {
    let input = request.get("input").ok_or(Reason::NoMessages)?;
    let answer = response.unwrap_or(request);
    let instructions = request.get("instructions").or_else(|| answer.get("instructions"));
    let defined = request.get("tools").or_else(|| answer.get("tools"));
    let tools = exchange::tools(defined, tool);

    let mut talk = Talk { messages: Vec::new(), last_is_assistant: false, extra: &mut extra };
    talk.instructions(instructions)?;
    talk.input(input)?;
    if talk.messages.iter().all(|message| message.role == Role::System) {
        return Err(Reason::NoMessages);
    }
    match answer.get("output") {
        Some(output) => talk.items(output.list().ok_or(Reason::BadShape)?)?,
        None if response.is_some() => return Err(Reason::BadShape),
        None => {}
    }
    let times = ["created_at", "created", "timestamp", "time"];
    let mut conversation = Conversation {
        messages: talk.messages,
        tools,
        model: exchange::model(request, response),
        created_at_us: exchange::time_of(answer, &times[..1]).or_else(|| exchange::time_of(record, &times)),
        external_id: exchange::id_of(answer, &["id"])
            .or_else(|| exchange::id_of(record, &["id", "request_id", "custom_id"])),
        ..Conversation::default()
    };
    caller::user(&mut conversation, &[request, answer, record]);
    caller::tokens(&mut conversation, &[answer, record]);

    let unread_tools = conversation.tools.as_ref().map_or("", |_| "tools");
    let mut read = exchange::known(request, &conversation);
    read.extend(["input", "instructions", unread_tools]);
    if let Some(response) = response {
        // The response repeats the request's instructions and tools; other ones are kept.
        let repeats = |key: &str, read: Option<&Json>| response.get(key).is_some_and(|echo| Some(echo) == read);
        let mut echoed = exchange::known(response, &conversation);
        echoed.push("output");
        echoed.extend(Some("instructions").filter(|key| repeats(key, instructions)));
        echoed.extend(Some("tools").filter(|key| *key == unread_tools && repeats(key, defined)));
        extra.nest("request", request, &read);
        extra.nest("response", response, &echoed);
    } else if std::ptr::eq(record, request) {
        read.push("output");
        extra.keep(request, &read);
    } else {
        extra.nest("request", request, &read);
    }
    conversation.metadata = extra.metadata();
    Ok(vec![conversation])
}

/// Items as messages, for readers whose records hold such lists.
pub fn items<'a>(before: Vec<Message>, list: &[Json<'a>], extra: &mut Extra<'a>) -> Result<Vec<Message>, Reason> {
    let mut talk = Talk { messages: before, last_is_assistant: false, extra };
    talk.items(list)?;
    Ok(talk.messages)
}

/// A tool in the form of the chat API; OpenAI's own tools (web search and so on) stay as they are.
pub fn tool<'a>(tool: &Json<'a>) -> Json<'a> {
    let is_flat = tool.text_of("type") == Some("function") && !tool.has("function");
    if is_flat { exchange::function(tool, "parameters") } else { tool.clone() }
}

/// Messages as they grow.
struct Talk<'t, 'a> {
    messages: Vec<Message>,
    /// Whether the last message was made by the items just before this one.
    last_is_assistant: bool,
    extra: &'t mut Extra<'a>,
}

impl<'a> Talk<'_, 'a> {
    fn instructions(&mut self, instructions: Option<&Json<'a>>) -> Result<(), Reason> {
        match instructions {
            None => Ok(()),
            Some(Json::Text(text)) if text.is_empty() => Ok(()),
            Some(Json::Text(text)) => {
                self.messages.push(Message::text(Role::System, text.as_ref()));
                Ok(())
            }
            Some(Json::List(list)) => self.items(list),
            Some(_) => Err(Reason::BadShape),
        }
    }

    fn input(&mut self, input: &Json<'a>) -> Result<(), Reason> {
        match input {
            Json::Text(text) if text.is_empty() => Ok(()),
            // The API reads a string as one message of the user.
            Json::Text(text) => {
                self.messages.push(Message::text(Role::User, text.as_ref()));
                Ok(())
            }
            Json::List(list) => self.items(list),
            _ => Err(Reason::BadShape),
        }
    }

    fn items(&mut self, list: &[Json<'a>]) -> Result<(), Reason> {
        list.iter().try_for_each(|item| self.item(item))
    }

    fn item(&mut self, item: &Json<'a>) -> Result<(), Reason> {
        match item.text_of("type") {
            Some("message") | None => self.message(item)?,
            Some("function_call") => {
                self.call(item, messages::tool_call(call_id(item), item)?, &["type", "call_id", "name", "arguments"]);
            }
            Some("custom_tool_call") => {
                // The input is free text; arguments are JSON, so it becomes a JSON string.
                let arguments = item.get("input").map(Json::json).unwrap_or_default();
                let name = item.text_of("name").ok_or(Reason::BadShape)?.to_owned();
                let id = call_id(item).trim().to_owned();
                self.call(item, ToolCall { id, name, arguments }, &["type", "call_id", "name", "input"]);
            }
            Some("function_call_output" | "custom_tool_call_output") => self.output(item)?,
            Some("mcp_call") => {
                let id = item.text_of("id").unwrap_or_default();
                self.call(item, messages::tool_call(id, item)?, &["type", "id", "name", "arguments", "output"]);
                if item.get("output").is_some() {
                    self.output(item)?;
                }
            }
            Some("reasoning") => self.extra.think(item),
            Some("image_generation_call") => {
                self.extra.message(self.messages.len(), item, &["type", "result"]);
                let image = Medium::bare("image", item.text_of("result")).placeholder();
                self.messages.push(Message::text(Role::Assistant, image));
                self.last_is_assistant = true;
            }
            Some("web_search_call" | "file_search_call" | "code_interpreter_call" | "mcp_list_tools") => {
                self.extra.item(item);
            }
            Some(_) => return Err(Reason::BadShape),
        }
        Ok(())
    }

    fn message(&mut self, item: &Json<'a>) -> Result<(), Reason> {
        // Read as the chat API has it, for logs that mix the two.
        if item.has("tool_calls") || item.has("tool_call_id") || item.has("function_call") {
            let message = exchange::chat_message(self.messages.len(), item, self.extra)?;
            self.last_is_assistant = message.role == Role::Assistant;
            self.messages.push(message);
            return Ok(());
        }
        let message = messages::message(item)?;
        let name = item.text_of("name").map_or("", |_| "name");
        self.extra.message(self.messages.len(), item, &["type", "role", "content", name]);
        item.get("content").into_iter().for_each(|parts| self.extra.parts(self.messages.len(), parts));
        self.last_is_assistant = message.role == Role::Assistant;
        self.messages.push(message);
        Ok(())
    }

    fn call(&mut self, item: &Json<'a>, call: ToolCall, used: &[&str]) {
        if !self.last_is_assistant {
            self.messages.push(Message::text(Role::Assistant, ""));
            self.last_is_assistant = true;
        }
        self.extra.message(self.messages.len() - 1, item, used);
        if let Some(last) = self.messages.last_mut() {
            last.tool_calls.push(call);
        }
    }

    fn output(&mut self, item: &Json<'a>) -> Result<(), Reason> {
        let content = match item.get("output") {
            None => String::new(),
            Some(Json::Object(_)) => item.get("output").map(Json::json).unwrap_or_default(),
            Some(output) => messages::content(output)?,
        };
        let id = item.text_of("call_id").or_else(|| item.text_of("id"));
        if item.text_of("type") != Some("mcp_call") {
            self.extra.message(self.messages.len(), item, &["type", "call_id", "output"]);
        }
        item.get("output").into_iter().for_each(|parts| self.extra.parts(self.messages.len(), parts));
        self.messages
            .push(Message { tool_call_id: id.map(|id| id.trim().to_owned()), ..Message::text(Role::Tool, content) });
        self.last_is_assistant = false;
        Ok(())
    }
}

fn call_id<'j>(item: &'j Json) -> &'j str {
    item.text_of("call_id").or_else(|| item.text_of("id")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{get, talk};
    use super::*;

    #[test]
    fn every_layout_is_read() {
        let output = r#"[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"yo"}]}]"#;
        let answer = format!(r#"{{"id":"r","object":"response","created_at":1700000000,"output":{output}}}"#);
        let text = |json: &str| serde_json::to_string(json).unwrap();
        for (json, expected, id) in [
            (format!(r#"{{"request":{{"input":"hi"}},"response":{answer}}}"#), 2, Some("r")),
            (format!(r#"{{"request":{},"response":{}}}"#, text(r#"{"input":"hi"}"#), text(&answer)), 2, Some("r")),
            (
                format!(
                    r#"{{"custom_id":"c","body":{{"input":"hi"}},"response":{{"status_code":200,"body":{answer}}}}}"#
                ),
                2,
                Some("r"),
            ),
            (r#"{"custom_id":"c","url":"/v1/responses","body":{"input":"hi"}}"#.to_owned(), 1, Some("c")),
            (r#"{"id":"q","request":{"input":[{"role":"user","content":"hi"}]}}"#.to_owned(), 1, Some("q")),
            (format!(r#"{{"input":"hi","output":{output}}}"#), 2, None),
            (format!(r#"{{"object":"response","id":"r","input":"hi","output":{output}}}"#), 2, Some("r")),
            (r#"{"model":"m","input":[{"role":"user","content":"hi"}]}"#.to_owned(), 1, None),
        ] {
            let got = get(&json).unwrap().remove(0);
            assert_eq!(talk(&got), ["user: hi", "assistant: yo"][..expected], "{json}");
            assert_eq!(got.external_id.as_deref(), id, "{json}");
        }
    }

    #[test]
    fn items_become_messages_calls_and_results() {
        let got = get(r#"{"request":{"model":"m","instructions":"be kind","tools":[{"type":"function","name":"f","parameters":{}},{"type":"web_search"}],
            "input":[{"role":"developer","content":"brief"},{"role":"user","content":"hi"},
            {"type":"function_call","id":"fc","call_id":" c1","name":"f","arguments":"{}"},
            {"type":"function_call_output","call_id":"c1","output":[{"type":"input_text","text":"42"}]}]},
            "response":{"id":"r","output":[{"type":"reasoning","summary":[{"text":"hm"}]},
            {"type":"message","role":"assistant","content":[{"type":"output_text","text":"ok","annotations":[{"url":"https://example.com"}]}]},
            {"type":"custom_tool_call","call_id":"c2","name":"g","input":"free \"text\""},
            {"type":"custom_tool_call_output","call_id":"c2","output":{"a":1}},
            {"type":"mcp_call","id":"m1","name":"h","arguments":"{}","output":"done","server_label":"crm"},
            {"type":"image_generation_call","id":"ig","result":"QUJD"},{"type":"web_search_call","id":"ws"}]}}"#)
        .unwrap()
        .remove(0);
        let expected = [
            "system: be kind",
            "system: brief",
            "user: hi",
            "assistant: f({})",
            "tool: 42",
            r#"assistant: okg("free \"text\"")"#,
            r#"tool: {"a":1}"#,
            "assistant: h({})",
            "tool: done",
            "assistant: [image 3B blake3_d1717274597cf028]",
        ];
        assert_eq!(talk(&got), expected);
        assert_eq!(got.messages[3].tool_calls[0].id, "c1");
        let ids: Vec<_> = got.messages.iter().filter_map(|message| message.tool_call_id.as_deref()).collect();
        assert_eq!(ids, ["c1", "c2", "m1"]);
        let tools = r#"[{"type":"function","function":{"name":"f","parameters":{}}},{"type":"web_search"}]"#;
        assert_eq!(got.tools.as_deref(), Some(tools));
        let metadata = got.metadata.unwrap();
        for kept in [
            r#""thinking":[{"type":"reasoning","summary":[{"text":"hm"}]}]"#,
            r#""between_messages":[{"type":"web_search_call","id":"ws"}]"#,
            r#""turns":[null,null,null,{"id":"fc"},"#,
            r#",{"server_label":"crm"}"#,
            r#""annotations":[{"url":"https://example.com"}]"#,
        ] {
            assert!(metadata.contains(kept), "{kept} in {metadata}");
        }
    }

    #[test]
    fn the_response_repeats_the_request_but_other_values_are_kept() {
        let got = get(
            r#"{"request":{"input":"hi","instructions":"a"},"response":{"instructions":"b","created_at":"soon","output":[]}}"#,
        );
        let metadata = got.unwrap().remove(0).metadata;
        assert_eq!(metadata.as_deref(), Some(r#"{"response":{"instructions":"b","created_at":"soon"}}"#));
        let got = get(r#"{"request":{"input":"hi","instructions":"a"},"response":{"instructions":"a","output":[]}}"#);
        assert_eq!(got.unwrap()[0].metadata, None);
    }

    #[test]
    fn every_reject_has_its_reason() {
        for (json, reason) in [
            (r#"{"object":"response","output":[]}"#, Reason::NoMessages),
            (r#"{"object":"response","input":"hi","status":"failed"}"#, Reason::FailedCall),
            (r#"{"custom_id":"c","url":"/v1/responses","response":{"status_code":200,"body":{}}}"#, Reason::NoMessages),
            (r#"{"request":{"input":""},"response":{"output":[]}}"#, Reason::NoMessages),
            (r#"{"request":{"input":[],"instructions":"s"},"response":{"output":[]}}"#, Reason::NoMessages),
            (r#"{"request":{"input":"hi"},"response":{"output":[],"error":{"code":"x"}}}"#, Reason::FailedCall),
            (r#"{"request":{"input":5},"response":{"output":[]}}"#, Reason::BadShape),
            (r#"{"request":{"input":"hi","instructions":5}}"#, Reason::BadShape),
            (r#"{"request":{"input":"hi"},"response":{"object":"response"}}"#, Reason::BadShape),
            (r#"{"request":{"input":"hi"},"response":{"object":"response","output":"x"}}"#, Reason::BadShape),
            (r#"{"request":{"input":[{"type":"item_reference","id":"i"}]}}"#, Reason::BadShape),
            (r#"{"request":{"input":[{"type":"function_call","call_id":"c"}]}}"#, Reason::BadShape),
            (r#"{"request":{"input":[{"type":"custom_tool_call","call_id":"c"}]}}"#, Reason::BadShape),
            (r#"{"request":{"input":[{"type":"function_call_output","call_id":"c","output":5}]}}"#, Reason::BadShape),
            (r#"{"request":{"input":[{"content":"hi"}]}}"#, Reason::MissingRole),
            (r#"{"request":{"input":[{"role":"wizard","content":"hi"}]}}"#, Reason::UnknownRole),
        ] {
            assert_eq!(get(json), Err(reason), "{json}");
        }
    }
}
