//! Calls of models on Amazon Bedrock: lines of its model invocation log, and recordings of its HTTP
//! exchanges. Converse and InvokeModel, with whole answers.
//!
//! Sources: Amazon Bedrock user guide, "Monitor model invocation" and "Inference request parameters
//! and response fields for foundation models"; recordings of Arize-ai/openinference. Not here: agents
//! (InvokeAgent), and answers that were recorded as an event stream of bytes, which are rejects.
//!
//! Always: a failed call is no conversation; what is not read of a body goes to the metadata.

use super::super::Reason;
use super::super::tree::Json;
use super::dialects::Turns;
use super::{Read, exchange, rest, time_us};
use crate::record::{Conversation, Role};

/// The two halves of a call.
struct Call<'a> {
    request: &'a Json<'a>,
    /// Nothing if the log does not hold it.
    response: Option<&'a Json<'a>>,
    /// As it was asked for.
    model: Option<String>,
    used: &'static [&'static str],
}

fn call<'a>(record: &'a Json<'a>) -> Option<Call<'a>> {
    if record.text_of("schemaType") == Some("ModelInvocationLog") {
        let request = record.at(&["input", "inputBodyJson"]).unwrap_or(&Json::Null);
        let model = record.text_of("modelId").map(str::to_owned);
        let response = record.at(&["output", "outputBodyJson"]);
        return Some(Call { request, response, model, used: &["input", "output", "modelId"] });
    }
    let path = ["path", "url", "uri"].iter().find_map(|key| record.text_of(key))?;
    let (_, behind) = path.split_once("/model/")?;
    let (model, operation) = behind.split_once('/')?;
    let known = ["converse", "converse-stream", "invoke", "invoke-with-response-stream"];
    if !known.contains(&operation) || !record.has("response") {
        return None;
    }
    let model = Some(model.replace("%3A", ":").replace("%3a", ":"));
    Some(Call { request: record.get("body")?, response: record.get("response"), model, used: &["body", "response"] })
}

/// Whether a record is a line of the log or a recording.
pub fn fits(record: &Json) -> bool {
    call(record).is_some()
}

/// One conversation.
pub fn read(record: &Json) -> Read {
    let Call { request, response, model, used } = call(record).ok_or(Reason::BadShape)?;
    if exchange::failed(record) || record.has("errorCode") {
        return Err(Reason::FailedCall);
    }
    let mut turns = Turns::default();
    asked(&exchange::unpacked(request), &mut turns)?;
    if let Some(response) = response {
        // Frames of bytes in a text, or a list of chunks.
        let response = exchange::unpacked(response);
        if response.text().is_some() || response.list().is_some() {
            return Err(Reason::StreamedAnswer);
        }
        answered(&response, &mut turns)?;
    }
    if turns.messages.is_empty() {
        return Err(Reason::NoMessages);
    }
    let time = record.get("timestamp").and_then(time_us);
    let mut used = used.to_vec();
    used.extend(time.map(|_| "timestamp"));
    let id = record.text_of("requestId").map(str::to_owned);
    used.extend(id.as_ref().map(|_| "requestId"));
    let (tools, metadata) = (turns.tools_json(), turns.metadata(record, &used));
    let messages = turns.messages;
    let external_id = id.or_else(|| response.and_then(|response| exchange::id_of(response, &["id"])));
    Ok(vec![Conversation {
        tools,
        model,
        created_at_us: time,
        external_id,
        metadata,
        messages,
        ..Conversation::default()
    }])
}

/// Messages with what stands around them, or the one prompt of older models.
fn asked(request: &Json, turns: &mut Turns) -> Result<(), Reason> {
    let config = request.at(&["toolConfig", "tools"]).and_then(Json::list);
    for tool in config.into_iter().flatten() {
        let spec = tool.get("toolSpec").unwrap_or(tool);
        turns.define(std::slice::from_ref(&schema_inside(spec)));
    }
    let mut used = vec!["inputText", "prompt", "system", "messages", "tools"];
    used.extend(config.map(|_| "toolConfig"));
    turns.define(request.list_of("tools").unwrap_or_default());
    if let Some(system) = request.get("system") {
        turns.system(system)?;
    }
    let Some(messages) = request.get("messages") else {
        let key = ["inputText", "prompt"].into_iter().find(|key| request.has(key)).ok_or(Reason::BadShape)?;
        turns.around.extend(rest(request, &used));
        return turns.plain(request.text_of(key).ok_or(Reason::BadShape)?, Role::User);
    };
    turns.around.extend(rest(request, &used));
    turns.read(messages, Role::User)
}

/// Converse wraps a tool's schema in `{"json": …}`.
fn schema_inside<'a>(tool: &Json<'a>) -> Json<'a> {
    let unwrapped = |value: &Json<'a>| value.get("json").unwrap_or(value).clone();
    let entries = tool.entries().unwrap_or_default().iter();
    Json::Object(
        entries
            .map(|(key, value)| (key.clone(), if key == "inputSchema" { unwrapped(value) } else { value.clone() }))
            .collect(),
    )
}

fn answered(response: &Json, turns: &mut Turns) -> Result<(), Reason> {
    if let Some(message) = response.at(&["output", "message"]) {
        turns.around.extend(rest(response, &["output"]));
        return turns.item(message);
    }
    if response.has("choices") || (response.has("role") && response.has("content")) {
        return turns.read(response, Role::Assistant);
    }
    let one = |list: &str, key: &str| match response.list_of(list) {
        Some([one]) => one.text_of(key).map(str::to_owned),
        _ => None,
    };
    let bare = ["generation", "completion", "text"].iter().find_map(|key| response.text_of(key).map(str::to_owned));
    let text = one("results", "outputText").or_else(|| one("generations", "text")).or(bare).ok_or(Reason::BadShape)?;
    turns.around.extend(rest(response, &["prompt", "generation", "completion", "text"]));
    turns.plain(&text, Role::Assistant)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{get, talk};
    use super::*;

    #[test]
    fn converse_with_tools() {
        let json = r#"{"schemaType":"ModelInvocationLog","timestamp":"2026-11-01T10:00:00Z","requestId":"r","modelId":"m","operation":"Converse",
            "input":{"inputBodyJson":{"system":[{"text":"be kind"}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]},
              "messages":[{"role":"user","content":[{"text":"look"},{"image":{"format":"png","source":{"bytes":"eA=="}}}]},
              {"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"f","input":{"a":1}}}]},
              {"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"text":"ok"}],"status":"success"}}]}]}},
            "output":{"outputBodyJson":{"output":{"message":{"role":"assistant","content":[{"text":"seen"}]}},"stopReason":"end_turn"}}}"#;
        let got = get(json).unwrap().remove(0);
        assert_eq!(
            talk(&got),
            ["system: be kind", "user: look\n[image]", "assistant: f({\"a\":1})", "tool: ok", "assistant: seen"]
        );
        assert_eq!((got.external_id.as_deref(), got.model.as_deref()), (Some("r"), Some("m")));
        assert_eq!(got.messages[3].tool_call_id.as_deref(), Some("t"));
        let tools = r#"[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]"#;
        assert_eq!(got.tools.as_deref(), Some(tools));
        assert!(got.metadata.unwrap().contains(r#""stopReason":"end_turn""#));
    }

    #[test]
    fn models_of_all_makers_answer() {
        for (path, body, response, want) in [
            (
                "a%3A0/invoke",
                r#"{"messages":[{"role":"user","content":"q"}]}"#,
                r#"{"role":"assistant","content":[{"type":"text","text":"a"}]}"#,
                "a",
            ),
            (
                "a/invoke",
                r#"{"messages":[{"role":"user","content":"q"}]}"#,
                r#"{"choices":[{"message":{"role":"assistant","content":"a"}}]}"#,
                "a",
            ),
            ("a/invoke", r#"{"inputText":"q"}"#, r#"{"results":[{"outputText":"a"}]}"#, "a"),
            ("a/invoke", r#"{"prompt":"q"}"#, r#"{"generation":"a"}"#, "a"),
            ("a/invoke", r#"{"prompt":"q"}"#, r#"{"generations":[{"text":"a"}],"prompt":"q"}"#, "a"),
        ] {
            let got = get(&format!(r#"{{"path":"/model/{path}","body":{body},"status":200,"response":{response}}}"#));
            assert_eq!(talk(&got.unwrap()[0]), ["user: q".to_owned(), format!("assistant: {want}")], "{response}");
        }
    }

    #[test]
    fn what_failed_or_streamed_is_a_reject() {
        for (json, reason) in [
            (
                r#"{"path":"/model/m/invoke","body":{"prompt":"q"},"status":400,"response":{"message":"no"}}"#,
                Reason::FailedCall,
            ),
            (
                r#"{"path":"/model/m/converse-stream","body":{"messages":[{"role":"user","content":[{"text":"q"}]}]},"status":200,"response":"0000"}"#,
                Reason::StreamedAnswer,
            ),
            (
                r#"{"schemaType":"ModelInvocationLog","modelId":"m","input":{},"errorCode":"Throttled"}"#,
                Reason::FailedCall,
            ),
            (
                r#"{"path":"/model/m/invoke","body":{"embed":"q"},"status":200,"response":{"embedding":[1]}}"#,
                Reason::BadShape,
            ),
        ] {
            assert_eq!(get(json), Err(reason), "{json}");
        }
        let other: Json = serde_json::from_str(r#"{"path":"/v1/chat","body":{},"response":{}}"#).unwrap();
        assert!(!fits(&other));
    }
}
