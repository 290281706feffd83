//! Calls of OpenAI's chat completions: request beside response, lines of a batch, stored messages.
//!
//! Schema: openai/openai-openapi@f85dbe2 `openapi.yaml`; the pair and the batch lines are not in
//! it. Not here: rows with `messages` alone, which `parse` reads; the Responses API.
//!
//! Always: several choices are several conversations, in the order of the log. Token lists
//! (`logprobs`) are dropped: they say the answer again, in pieces too small for redaction.

use super::super::Reason;
use super::super::tree::Json;
use super::exchange::{self, Api, Exchange, Extra};
use super::{Read, Room, caller};
use crate::record::{Conversation, Message, Role};

/// Names under which logs keep a call's time and id.
const TIMES: [&str; 4] = ["created", "created_at", "timestamp", "time"];
const IDS: [&str; 3] = ["id", "request_id", "custom_id"];

/// Whether a record is of this format.
pub fn fits(record: &Json) -> bool {
    exchange::api(record) == Some(Api::OpenaiChat)
}

/// A conversation for each choice. Answers without a prompt have nothing to be an answer to; such
/// batch lines would have to be joined to the batch's input by `custom_id`.
pub fn read(record: &Json) -> Read {
    if record.text_of("object") == Some("list") {
        return stored(record);
    }
    let Exchange { request, response, mut extra } = exchange::exchange(record)?;
    let prompt = prompt(&request, &mut extra)?;
    let own = response.as_deref();
    let mut base = Conversation {
        tools: tools(&request),
        model: exchange::model(&request, own),
        created_at_us: own.and_then(|own| exchange::time_of(own, &TIMES)).or_else(|| exchange::time_of(record, &TIMES)),
        external_id: own.and_then(|own| exchange::id_of(own, &["id"])).or_else(|| exchange::id_of(record, &IDS)),
        ..Conversation::default()
    };
    let places = [&*request, own.unwrap_or(record), record];
    caller::user(&mut base, &places);
    caller::tokens(&mut base, &places);
    match own {
        Some(response) => branches(&base, &prompt, response, &extra),
        None => one(base, prompt, extra),
    }
}

/// A conversation for each of a response's choices; without an answer if there are none.
pub fn branches<'a>(base: &Conversation, prompt: &[Message], response: &Json<'a>, extra: &Extra<'a>) -> Read {
    let choices = response.list_of("choices").ok_or(Reason::BadShape)?;
    let mut extra = extra.clone();
    extra.nest("response", response, &[vec!["choices"], exchange::known(response, base)].concat());
    if choices.is_empty() {
        return one(base.clone(), prompt.to_vec(), extra);
    }
    let mut room = Room::default();
    choices.iter().map(|choice| room.take(branch(base, prompt, choice, extra.clone())?)).collect()
}

fn branch<'a>(
    base: &Conversation,
    prompt: &[Message],
    choice: &Json<'a>,
    mut extra: Extra<'a>,
) -> Result<Conversation, Reason> {
    let answer = match (choice.get("message"), choice.text_of("text")) {
        (Some(message), _) => exchange::chat_message(prompt.len(), message, &mut extra)?,
        // Completions from before the chat API.
        (None, Some(text)) => Message::text(Role::Assistant, text),
        (None, None) => return Err(Reason::BadShape),
    };
    let text = if choice.get("message").is_some() { "message" } else { "text" };
    extra.nest("choice", choice, &[text, "logprobs"]);
    let messages = prompt.iter().cloned().chain([answer]).collect();
    Ok(Conversation { messages, metadata: extra.metadata(), ..base.clone() })
}

fn one(base: Conversation, messages: Vec<Message>, extra: Extra) -> Read {
    Ok(vec![Conversation { messages, metadata: extra.metadata(), ..base }])
}

/// The messages of a request; the rest of it becomes metadata.
fn prompt<'a>(request: &Json<'a>, extra: &mut Extra<'a>) -> Result<Vec<Message>, Reason> {
    let defined = defined(request).map_or("", |(key, _)| key);
    if let (None, Some(text)) = (request.get("messages"), request.text_of("prompt")) {
        // The prompt of completions from before the chat API.
        extra.nest("request", request, &["prompt", defined]);
        return Ok(vec![Message::text(Role::User, text)]);
    }
    let list = request.get("messages").ok_or(Reason::NoMessages)?.list().ok_or(Reason::BadShape)?;
    if list.is_empty() {
        return Err(Reason::NoMessages);
    }
    extra.nest("request", request, &["messages", defined]);
    exchange::chat(list, extra)
}

fn tools(request: &Json) -> Option<String> {
    defined(request).map(|(_, tools)| tools)
}

/// Tools, or the `functions` that came before them, and under which key they stand.
fn defined(request: &Json) -> Option<(&'static str, String)> {
    let functions = || exchange::tools(request.get("functions"), |tool| exchange::function(tool, "parameters"));
    let tools = exchange::tools(request.get("tools"), Json::clone).map(|tools| ("tools", tools));
    tools.or_else(|| functions().map(|tools| ("functions", tools)))
}

/// The messages of one stored completion. Lists of stored completions hold answers only.
fn stored(record: &Json) -> Read {
    let list = record.list_of("data").ok_or(Reason::BadShape)?;
    if list.iter().all(|item| item.text_of("object") == Some("chat.completion")) {
        return Err(Reason::NoMessages);
    }
    let mut extra = Extra::default();
    extra.keep(record, &["object", "data"]);
    let messages = exchange::chat(list, &mut extra)?;
    // Message ids are the completion's id and a number.
    let first = list.first().and_then(|message| message.text_of("id"));
    let completion = first.and_then(|id| id.rsplit_once('-')).map(|(id, _)| id.to_owned());
    let external_id = completion.filter(|id| id.starts_with("chatcmpl-")).or_else(|| first.map(str::to_owned));
    one(Conversation { external_id, ..Conversation::default() }, messages, extra)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{get, talk};
    use super::*;

    #[test]
    fn every_layout_is_read() {
        let asked = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
        let answer = r#"{"id":"chatcmpl-1","choices":[{"index":0,"message":{"role":"assistant","content":"yo"}}]}"#;
        let text = |json: &str| serde_json::to_string(json).unwrap();
        for (json, expected, id) in [
            (format!(r#"{{"request":{asked},"response":{answer}}}"#), 2, "chatcmpl-1"),
            (format!(r#"{{"request":{},"response":{}}}"#, text(asked), text(answer)), 2, "chatcmpl-1"),
            (format!(r#"{{"request":{{"body":{asked}}},"response":{{"body":{}}}}}"#, text(answer)), 2, "chatcmpl-1"),
            (format!(r#"{{"request":{asked},"response":{answer},"error":"","status":200}}"#), 2, "chatcmpl-1"),
            (
                format!(r#"{{"custom_id":"c","body":{asked},"response":{{"status_code":200,"body":{answer}}}}}"#),
                2,
                "chatcmpl-1",
            ),
            (format!(r#"{{"custom_id":"c","url":"/v1/chat/completions","body":{asked}}}"#), 1, "c"),
            (format!(r#"{{"id":"r","request":{asked}}}"#), 1, "r"),
            (format!(r#"{{"id":"r","request":{asked},"response":{{"choices":[]}}}}"#), 1, "r"),
            (r#"{"request":{"prompt":"hi"},"response":{"id":"p","choices":[{"text":"yo"}]}}"#.to_owned(), 2, "p"),
            (
                r#"{"object":"list","data":[{"id":"chatcmpl-1-0","role":"user","content":"hi"}]}"#.to_owned(),
                1,
                "chatcmpl-1",
            ),
            (r#"{"object":"list","data":[{"id":"m-0","role":"user","content":"hi"}]}"#.to_owned(), 1, "m-0"),
        ] {
            let got = get(&json).unwrap().remove(0);
            assert_eq!(talk(&got), ["user: hi", "assistant: yo"][..expected], "{json}");
            assert_eq!(got.external_id.as_deref(), Some(id), "{json}");
        }
    }

    #[test]
    fn each_choice_is_a_conversation_and_nothing_is_lost() {
        let all = get(r#"{"request":{"model":"m","system":"s","n":2,"functions":[{"name":"f","parameters":{}}],
            "messages":[{"role":"user","content":[{"type":"text","text":"hi","x":1}],"name":"dana"}]},"trace":"t",
            "response":{"id":"i","created":1700000000,"model":"m2","usage":{"total_tokens":3},"choices":[
            {"index":0,"logprobs":{"content":[{"token":"a"}]},"message":{"role":"assistant","content":"a","reasoning_content":"hm"}},
            {"index":1,"message":{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}}}]}}"#)
        .unwrap();
        assert_eq!(talk(&all[0]), ["user: hi", "assistant: a"]);
        assert_eq!(talk(&all[1]), ["user: hi", "assistant: f({})"]);
        assert_eq!((all[0].model.as_deref(), all[0].created_at_us), (Some("m2"), Some(1_700_000_000_000_000)));
        assert_eq!(all[0].tools.as_deref(), Some(r#"[{"type":"function","function":{"name":"f","parameters":{}}}]"#));
        assert_eq!(
            all[0].metadata.as_deref(),
            Some(concat!(
                r#"{"trace":"t","request":{"model":"m","system":"s","n":2},"response":{"usage":{"total_tokens":3}},"#,
                r#""choice":{"index":0},"thinking":["hm"],"#,
                r#""turns":[{"parts":[{"part_index":0,"x":1}]}]}"#
            ))
        );
        assert!(!all[1].metadata.as_deref().unwrap().contains("thinking"));
    }

    #[test]
    fn values_of_unexpected_types_stay_in_the_metadata() {
        let got =
            get(r#"{"request":{"tools":"none","functions":"f","messages":[{"role":"user","content":"hi","name":5}]},
            "response":{"id":{"x":1},"created":"soon","model":7,"choices":[]}}"#)
            .unwrap()
            .remove(0);
        assert_eq!(
            got.metadata.as_deref(),
            Some(concat!(
                r#"{"request":{"tools":"none","functions":"f"},"response":{"id":{"x":1},"created":"soon","model":7},"#,
                r#""turns":[{"name":5}]}"#
            ))
        );
    }

    #[test]
    fn answers_without_text_content() {
        for (message, content, left) in [
            (r#""content":null,"refusal":"no""#, "no", None),
            (r#""content":"a","refusal":"no""#, "a", Some(r#""refusal":"no""#)),
            (r#""content":null,"content_parts":[{"type":"text","text":"p"}]"#, "p", None),
            (r#""content":null,"audio":{"id":"x","transcript":"said"}"#, "[audio]", Some(r#""transcript":"said""#)),
        ] {
            let json = format!(
                r#"{{"request":{{"messages":[{{"role":"user","content":"hi"}}]}},"response":{{"choices":[{{"message":{{"role":"assistant",{message}}}}}]}}}}"#
            );
            let got = get(&json).unwrap().remove(0);
            assert_eq!(got.messages[1].content, content, "{json}");
            assert_eq!(got.metadata.is_some(), left.is_some(), "{json}");
            assert!(left.is_none_or(|left| got.metadata.unwrap().contains(left)), "{json}");
        }
    }

    #[test]
    fn every_reject_has_its_reason() {
        let user = r#"{"role":"user","content":"hi"}"#;
        for (json, reason) in [
            (r#"{"object":"chat.completion","choices":[]}"#.to_owned(), Reason::NoMessages),
            (r#"{"object":"list","data":[{"object":"chat.completion","choices":[]}]}"#.to_owned(), Reason::NoMessages),
            (r#"{"custom_id":"c","response":{"status_code":200,"body":{}}}"#.to_owned(), Reason::NoMessages),
            (r#"{"custom_id":"c","url":"/v1/embeddings","body":{"input":"a"}}"#.to_owned(), Reason::NoMessages),
            (r#"{"request":{"messages":[]},"response":{"choices":[]}}"#.to_owned(), Reason::NoMessages),
            (
                format!(r#"{{"request":{{"messages":[{user}]}},"response":{{"error":{{"code":"x"}}}}}}"#),
                Reason::FailedCall,
            ),
            (format!(r#"{{"request":{{"messages":[{user}]}},"error":"timed out"}}"#), Reason::FailedCall),
            (
                format!(r#"{{"request":{{"messages":[{user}]}},"response":{{"choices":[]}},"status_code":"500"}}"#),
                Reason::FailedCall,
            ),
            (
                format!(
                    r#"{{"custom_id":"c","body":{{"messages":[{user}]}},"response":{{"status_code":400,"body":{{}}}}}}"#
                ),
                Reason::FailedCall,
            ),
            (r#"{"request":{"messages":"hi"}}"#.to_owned(), Reason::BadShape),
            (format!(r#"{{"request":{{"messages":[{user}]}},"response":"data: {{}}"}}"#), Reason::BadShape),
            (
                format!(r#"{{"request":{{"messages":[{user}]}},"response":{{"choices":[{{"delta":{{}}}}]}}}}"#),
                Reason::BadShape,
            ),
            (r#"{"request":{"messages":[{"role":"assistant","tool_calls":"[]"}]}}"#.to_owned(), Reason::BadShape),
            (
                r#"{"request":{"messages":[{"role":"user","content":[{"type":"hologram"}]}]}}"#.to_owned(),
                Reason::BadShape,
            ),
            (r#"{"request":{"messages":[{"content":"hi"}]}}"#.to_owned(), Reason::MissingRole),
            (r#"{"request":{"messages":[{"role":"wizard","content":"hi"}]}}"#.to_owned(), Reason::UnknownRole),
        ] {
            assert_eq!(get(&json), Err(reason), "{json}");
        }
    }
}
