//! Calls of models and agents on Amazon Bedrock: lines of its model invocation log, and recordings
//! of its HTTP exchanges. Converse, InvokeModel, InvokeAgent, RetrieveAndGenerate.
//!
//! Sources: Amazon Bedrock user guide, "Monitor model invocation" and "Inference request parameters
//! and response fields for foundation models"; recordings of Arize-ai/openinference. Not here:
//! answers as streams of events (`bedrock_stream`); Retrieve, which searches and says nothing.
//!
//! Always: a failed call is no conversation; what is not read of a body goes to the metadata.

use super::super::Reason;
use super::super::tree::Json;
use super::dialects::Turns;
use super::{Read, bedrock_stream, exchange, rest, time_us};
use crate::record::{Conversation, Role};

/// The two halves of a call.
struct Call<'a> {
    request: &'a Json<'a>,
    /// Nothing if the log does not hold it.
    response: Option<&'a Json<'a>>,
    /// As it was asked for; agents do not say theirs.
    model: Option<String>,
    is_agent: bool,
    used: &'static [&'static str],
}

fn call<'a>(record: &'a Json<'a>) -> Option<Call<'a>> {
    if record.text_of("schemaType") == Some("ModelInvocationLog") {
        let request = record.at(&["input", "inputBodyJson"]).unwrap_or(&Json::Null);
        let model = record.text_of("modelId").map(str::to_owned);
        let response = record.at(&["output", "outputBodyJson"]);
        return Some(Call { request, response, model, is_agent: false, used: &["input", "output", "modelId"] });
    }
    let path = ["path", "url", "uri"].iter().find_map(|key| record.text_of(key))?;
    let path = path.split('?').next().unwrap_or(path);
    let model = match path.split_once("/model/").and_then(|(_, behind)| behind.split_once('/')) {
        Some((model, "converse" | "converse-stream" | "invoke" | "invoke-with-response-stream")) => Some(model),
        Some(_) => return None,
        None => None,
    };
    let session = || path.split_once("/agents/").is_some_and(|(_, behind)| behind.contains("/sessions/"));
    let is_agent =
        model.is_none() && (path.ends_with("/retrieveAndGenerate") || (path.ends_with("/text") && session()));
    if !record.has("response") || (model.is_none() && !is_agent) {
        return None;
    }
    let model = model.map(|model| model.replace("%3A", ":").replace("%3a", ":"));
    let (request, response) = (record.get("body")?, record.get("response"));
    Some(Call { request, response, model, is_agent, used: &["body", "response"] })
}

/// Whether a record is a line of the log or a recording.
pub fn fits(record: &Json) -> bool {
    call(record).is_some()
}

/// One conversation.
pub fn read(record: &Json) -> Read {
    let Call { request, response, model, is_agent, used } = call(record).ok_or(Reason::BadShape)?;
    if exchange::failed(record) || record.has("errorCode") {
        return Err(Reason::FailedCall);
    }
    let mut turns = Turns::default();
    asked(&exchange::unpacked(request), &mut turns)?;
    if let Some(response) = response {
        match exchange::unpacked(response).as_ref() {
            Json::Text(stream) if is_agent => bedrock_stream::agent(stream, &mut turns)?,
            Json::Text(stream) => bedrock_stream::model(stream, &mut turns)?,
            // Chunks as a list.
            Json::List(_) => return Err(Reason::StreamedAnswer),
            whole => answered(whole, &mut turns)?,
        }
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
        let prompts = [&["inputText"][..], &["prompt"], &["input", "text"]];
        let prompt = prompts.iter().find_map(|path| request.at(path)).and_then(Json::text).ok_or(Reason::BadShape)?;
        used.extend(request.at(&["input", "text"]).map(|_| "input"));
        turns.around.extend(rest(request, &used));
        return turns.plain(prompt, Role::User);
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
    if let Some(text) = response.at(&["output", "text"]).and_then(Json::text) {
        turns.around.extend(rest(response, &["output"]));
        return turns.plain(text, Role::Assistant);
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
    fn an_answer_from_documents_keeps_what_it_cites() {
        let json = r#"{"url":"https://x.example/retrieveAndGenerate?v=1","body":"{\"input\":{\"text\":\"q\"},\"k\":1}",
            "status":200,"response":{"citations":[{"d":1}],"output":{"text":"a"}}}"#;
        let got = get(json).unwrap().remove(0);
        assert_eq!(talk(&got), ["user: q", "assistant: a"]);
        assert!(got.metadata.unwrap().ends_with(r#""around_messages":[{"k":1},{"citations":[{"d":1}]}]}"#));
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
        for path in ["/v1/chat", "/model/m/count-tokens", "/agents/a/text", "/knowledgebases/k/retrieve"] {
            let json = format!(r#"{{"path":"{path}","body":{{"inputText":"q"}},"response":{{}}}}"#);
            assert!(!fits(&serde_json::from_str(&json).unwrap()), "{path}");
        }
    }
}
