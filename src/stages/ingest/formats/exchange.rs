//! What the logs of one API call share: request beside response, JSON text in strings, and whose
//! API it is.
//!
//! Not here: how messages of an API become ours; `openai_exchange`, `openai_responses`,
//! `anthropic` and `litellm` know that.
//!
//! Always: a record belongs to one API at most, so that no two formats claim it; a failed call is
//! no conversation.

use std::borrow::Cow;

use super::super::Reason;
use super::super::media::Medium;
use super::super::tree::Json;
pub use super::extra::Extra;
use super::{messages, time_us};
use crate::config::Format;
use crate::record::{Conversation, Message, Role};

/// Whose record it is. One function decides for all four formats: that keeps them exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    OpenaiChat,
    OpenaiResponses,
    Anthropic,
    Litellm,
}

impl Api {
    pub const COUNT: usize = 4;

    /// The format of its records.
    pub fn format(self) -> Format {
        match self {
            Api::OpenaiChat => Format::OpenaiExchange,
            Api::OpenaiResponses => Format::OpenaiResponses,
            Api::Anthropic => Format::Anthropic,
            Api::Litellm => Format::Litellm,
        }
    }
}

/// The API of a record, told by its keys.
pub fn api(record: &Json) -> Option<Api> {
    record.entries()?;
    if is_litellm(record) {
        Some(Api::Litellm)
    } else if record.has("request") {
        of_pair(record)
    } else if record.has("custom_id") {
        of_batch_line(record)
    } else {
        of_bare(record)
    }
}

fn is_litellm(record: &Json) -> bool {
    let has = |key: &str| record.has(key);
    record.text_of("call_type").is_some()
        && (has("messages") || has("response"))
        && (has("startTime") || has("response_cost") || has("model_parameters"))
}

fn of_batch_line(record: &Json) -> Option<Api> {
    if record.get("params").is_some_and(|params| unpacked(params).list_of("messages").is_some())
        || record.get("result").is_some_and(|result| result.text_of("type").is_some())
    {
        return Some(Api::Anthropic);
    }
    let of_responses = record.text_of("url").is_some_and(|url| url.ends_with("/responses"))
        || record.get("response").map(unwrapped).is_some_and(|body| body.text_of("object") == Some("response"));
    let is_openai = record.get("body").is_some()
        || record.get("response").is_some_and(|response| response.has("status_code") || response.has("body"))
        || (record.has("response") && record.has("error"));
    is_openai.then_some(if of_responses { Api::OpenaiResponses } else { Api::OpenaiChat })
}

fn of_pair(record: &Json) -> Option<Api> {
    let request = unwrapped(record.get("request")?);
    request.entries()?;
    if !["messages", "input", "prompt"].iter().any(|key| request.has(key)) {
        return None;
    }
    if let Some(response) = record.get("response").map(unwrapped) {
        if matches!(response.text_of("type"), Some("message" | "error")) {
            return Some(Api::Anthropic);
        }
        if response.text_of("object") == Some("response") || response.list_of("output").is_some() {
            return Some(Api::OpenaiResponses);
        }
        if response.has("choices") {
            return Some(Api::OpenaiChat);
        }
    }
    match request.list_of("messages") {
        Some(list) if speaks_anthropic(&request, list) => Some(Api::Anthropic),
        Some(_) => Some(Api::OpenaiChat),
        None if request.has("input") => Some(Api::OpenaiResponses),
        // A prompt alone could be anybody's.
        None => request.has("messages").then_some(Api::OpenaiChat),
    }
}

fn of_bare(record: &Json) -> Option<Api> {
    if record.has("status") && record.has("headers") {
        return of_answer(record.get("body")?);
    }
    if let Some(list) = record.list_of("messages") {
        return speaks_anthropic(record, list).then_some(Api::Anthropic);
    }
    match record.text_of("object") {
        Some("chat.completion") => return Some(Api::OpenaiChat),
        Some("response") => return Some(Api::OpenaiResponses),
        Some("list") => {
            let first = record.list_of("data")?.first()?;
            let stored = first.has("role") && !first.has("type") && first.text_of("object") != Some("thread.message");
            return (stored || first.text_of("object") == Some("chat.completion")).then_some(Api::OpenaiChat);
        }
        _ => {}
    }
    if record.text_of("type") == Some("message") && record.has("stop_reason") && record.has("content") {
        return Some(Api::Anthropic);
    }
    // Spans and observations also have `input` and `output`; they name a trace or a type.
    if ["type", "trace_id", "traceId", "messages", "instruction"].iter().any(|key| record.has(key)) {
        return None;
    }
    let input = record.get("input")?;
    let asks = input.text().is_some() || input.list().is_some_and(are_items);
    let is_responses = match record.get("output") {
        Some(output) => asks && output.list().is_some_and(are_typed_items),
        None => input.list().is_some_and(are_items) && record.text_of("model").is_some(),
    };
    is_responses.then_some(Api::OpenaiResponses)
}

/// An HTTP answer that was recorded without its request.
fn of_answer(body: &Json) -> Option<Api> {
    if body.text().is_some_and(|text| text.starts_with("event: message_start")) {
        return Some(Api::Anthropic);
    }
    let body = unpacked(body);
    let is_answer = body.has("stop_reason") || matches!(body.text_of("object"), Some("chat.completion" | "response"));
    if is_answer { of_bare(&body) } else { None }
}

fn are_items(items: &[Json]) -> bool {
    !items.is_empty() && items.iter().all(|item| item.text_of("role").is_some() || item.text_of("type").is_some())
}

fn are_typed_items(items: &[Json]) -> bool {
    !items.is_empty() && items.iter().all(|item| item.text_of("type").is_some())
}

/// Whether a request with `messages` can only be meant for Anthropic: the system prompt stands
/// outside, tools have an `input_schema`, or contents hold blocks that OpenAI does not know.
pub fn speaks_anthropic(request: &Json, messages: &[Json]) -> bool {
    let speaks_openai = messages.iter().any(|message| {
        message.has("tool_calls")
            || matches!(message.text_of("role"), Some("system" | "developer" | "tool" | "function"))
    });
    let outside = request.get("system").is_some_and(|system| match system {
        Json::Text(text) => !text.is_empty(),
        Json::List(blocks) => !blocks.is_empty(),
        _ => false,
    });
    let schema = request.list_of("tools").is_some_and(|tools| tools.iter().any(|tool| tool.has("input_schema")));
    let blocks = messages.iter().filter_map(|message| message.list_of("content")).flatten();
    let own = ["tool_use", "tool_result", "thinking", "redacted_thinking", "document", "server_tool_use"];
    !speaks_openai
        && (outside
            || schema
            || request.has("anthropic_version")
            || blocks.into_iter().any(|block| block.text_of("type").is_some_and(|kind| own.contains(&kind))))
}

/// A value, or the JSON that its text holds: gateways write bodies as strings.
pub fn unpacked<'a>(value: &'a Json<'a>) -> Cow<'a, Json<'a>> {
    value.text().and_then(Json::parsed).map_or(Cow::Borrowed(value), Cow::Owned)
}

/// What a logger wrapped up: the body of an HTTP message, the message of a batch's result; or the
/// value itself.
fn unwrapped<'a>(value: &'a Json<'a>) -> Cow<'a, Json<'a>> {
    wrapped(value).map_or_else(|| unpacked(value), |(_, inner)| unpacked(inner))
}

fn wrapped<'a>(value: &'a Json<'a>) -> Option<(&'static str, &'a Json<'a>)> {
    let is_body =
        ["messages", "input", "prompt", "choices", "content", "output", "object"].iter().any(|key| value.has(key));
    if is_body {
        return None;
    }
    let message = value.get("message").filter(|_| value.text_of("type") == Some("succeeded"));
    value.get("body").map(|body| ("body", body)).or(message.map(|message| ("message", message)))
}

/// One call: what was asked, what was answered.
pub struct Exchange<'a> {
    pub request: Cow<'a, Json<'a>>,
    /// Nothing if the log has none: a conversation without an answer.
    pub response: Option<Cow<'a, Json<'a>>>,
    /// What stands around the two.
    pub extra: Extra<'a>,
}

/// The two halves of a pair (`request`, `response`) or of a batch's line (`body` or `params`, and
/// `response` or `result` if somebody joined them). An answer alone is no conversation.
pub fn exchange<'a>(record: &'a Json<'a>) -> Result<Exchange<'a>, Reason> {
    let first = |keys: &[&'static str]| keys.iter().find_map(|key| Some((*key, record.get(key)?)));
    let (asked, request) = first(&["request", "body", "params"]).ok_or(Reason::NoMessages)?;
    let (answered, response) = first(&["response", "result"]).unzip();
    let mut extra = Extra::default();
    extra.keep(record, &[asked, answered.unwrap_or("response")]);
    for (name, value) in [("request_http", Some(request)), ("response_http", response)] {
        if let Some((wrapper, (key, _))) = value.and_then(|value| Some((value, wrapped(value)?))) {
            extra.nest(name, wrapper, &[key]);
        }
    }
    let body = response.map(unwrapped);
    if [Some(record), response, body.as_deref()].into_iter().flatten().any(failed) {
        return Err(Reason::FailedCall);
    }
    Ok(Exchange { request: unwrapped(request), response: body, extra })
}

/// Whether an answer, or what is wrapped around it, says that the call failed.
pub fn failed(response: &Json) -> bool {
    let status = ["status_code", "status"].iter().find_map(|key| response.get(key)?.scalar());
    let code = status.as_deref().and_then(|status| status.parse::<f64>().ok());
    // Loggers write `false`, an empty string or an empty object where nothing went wrong.
    response.get("error").is_some_and(|error| match error {
        Json::Text(text) => !text.is_empty(),
        Json::Object(entries) => !entries.is_empty(),
        other => *other != Json::Bool(false),
    }) || matches!(response.text_of("type"), Some("error" | "errored" | "canceled" | "expired"))
        || matches!(status.as_deref(), Some("failed" | "failure" | "error" | "cancelled" | "canceled"))
        || code.is_some_and(|code| code >= 400.0)
}

/// The model that answered, or else the one that was asked for.
pub fn model(request: &Json, response: Option<&Json>) -> Option<String> {
    let named = |json: &Json| json.text_of("model").map(str::to_owned);
    response.and_then(named).or_else(|| named(request))
}

/// The first of several keys that holds a time.
pub fn time_of(object: &Json, keys: &[&str]) -> Option<i64> {
    keys.iter().find_map(|key| object.get(key).and_then(time_us))
}

/// The first of several keys that holds an id.
pub fn id_of(object: &Json, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| object.get(key).and_then(Json::scalar))
}

/// The keys of an object that say no more than a field of the conversation does.
pub fn known(object: &Json, conversation: &Conversation) -> Vec<&'static str> {
    fn says<T: PartialEq>(value: Option<T>, field: Option<T>) -> bool {
        value.is_some() && value == field
    }
    let is_known = |key: &str| match key {
        "id" => says(object.get(key).and_then(Json::scalar), conversation.external_id.clone()),
        "model" => says(object.text_of(key), conversation.model.as_deref()),
        _ => says(object.get(key).and_then(time_us), conversation.created_at_us),
    };
    ["id", "model", "created", "created_at", "startTime"].into_iter().filter(|key| is_known(key)).collect()
}

/// Messages as OpenAI's chat API has them, with what the shared reader does not look at.
pub fn chat<'a>(list: &[Json<'a>], extra: &mut Extra<'a>) -> Result<Vec<Message>, Reason> {
    list.iter().enumerate().map(|(index, message)| chat_message(index, message, extra)).collect()
}

/// One of them, which will stand at `index`.
pub fn chat_message<'a>(index: usize, json: &Json<'a>, extra: &mut Extra<'a>) -> Result<Message, Reason> {
    let mut message = messages::message(json)?;
    if json.get("tool_calls").is_some_and(|calls| calls.list().is_none()) {
        return Err(Reason::BadShape);
    }
    // The shared reader passes over names and ids that are no text; those stay in the metadata.
    let mut used = vec!["role", "content", "tool_calls", "function_call"];
    used.extend(["name", "tool_call_id"].into_iter().filter(|key| json.text_of(key).is_some()));
    if message.content.is_empty() {
        if let Some(parts) = json.get("content_parts") {
            message.content = messages::content(parts)?;
            extra.parts(index, parts);
            used.push("content_parts");
        } else if let Some(refusal) = json.text_of("refusal") {
            message.content = refusal.to_owned();
            used.push("refusal");
        } else if message.role == Role::Assistant && json.get("audio").is_some() {
            // The transcript stays in the metadata.
            let bytes = json.at(&["audio", "data"]).and_then(Json::text);
            message.content = Medium::bare("audio", bytes).placeholder();
        }
    }
    for key in ["reasoning_content", "reasoning", "thinking_blocks", "reasoning_details"] {
        json.get(key).into_iter().for_each(|thought| extra.think(thought));
        used.push(key);
    }
    extra.message(index, json, &used);
    ["content", "tool_calls"].iter().filter_map(|key| json.get(key)).for_each(|parts| extra.parts(index, parts));
    json.get("function_call").into_iter().for_each(|call| extra.parts(index, &Json::List(vec![call.clone()])));
    Ok(message)
}

/// Tool definitions as JSON text, each through `convert`; nothing if there are none.
pub fn tools<'a>(tools: Option<&Json<'a>>, convert: fn(&Json<'a>) -> Json<'a>) -> Option<String> {
    let list = tools?.list().filter(|list| !list.is_empty())?;
    Some(Json::List(list.iter().map(convert).collect()).json())
}

/// A tool in OpenAI's form from keys that stand side by side. What is not a function's stays beside.
pub fn function<'a>(tool: &Json<'a>, schema: &str) -> Json<'a> {
    let (mut function, mut beside) = (Vec::new(), vec![("type".into(), Json::Text("function".into()))]);
    for (key, value) in tool.entries().unwrap_or_default().iter().filter(|(_, value)| *value != Json::Null) {
        match key.as_ref() {
            "name" | "description" | "strict" => function.push((key.clone(), value.clone())),
            name if name == schema => function.push(("parameters".into(), value.clone())),
            "type" => {}
            _ => beside.push((key.clone(), value.clone())),
        }
    }
    beside.insert(1, ("function".into(), Json::Object(function)));
    Json::Object(beside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_one_api_at_most() {
        for (json, expected) in [
            (r#"{"messages":[{"role":"user","content":"hi"}]}"#, None),
            (r#"{"conversations":[{"from":"human","value":"hi"}],"system":""}"#, None),
            (r#"{"chosen":"\n\nHuman: a","rejected":"\n\nHuman: a"}"#, None),
            (r#"{"id":"o1","trace_id":"t1","type":"GENERATION","input":"[]","output":"hello"}"#, None),
            (r#"{"instruction":"a","input":"b","output":"c"}"#, None),
            (r#"{"request":{"messages":[]},"response":{"choices":[]}}"#, Some(Api::OpenaiChat)),
            (r#"{"input":"hi","output":[{"type":"message"}]}"#, Some(Api::OpenaiResponses)),
            (r#"{"custom_id":"x","result":{"type":"succeeded","message":{}}}"#, Some(Api::Anthropic)),
            (r#"{"call_type":"acompletion","startTime":1.5,"messages":"hi"}"#, Some(Api::Litellm)),
        ] {
            assert_eq!(api(&serde_json::from_str(json).unwrap()), expected, "{json}");
        }
    }
}
