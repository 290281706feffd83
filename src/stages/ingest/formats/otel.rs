//! OTLP JSON and single spans with GenAI semantic conventions (formats.md 2.6), new and old, and OpenInference inside OTLP.
//!
//! Not here: flat OpenInference spans. Always: history that a later span repeats is kept once.

use std::borrow::Cow;

use super::super::Reason;
use super::super::tree::Json;
use super::dialects::Turns;
use super::langfuse::gather;
use super::openinference::{self, conversation, nested, without};
use super::{Read, Room, rest};
use crate::record::{Conversation, Role};

/// Where messages may stand, in order of preference; one of each side is read.
const INPUTS: [&str; 4] = ["gen_ai.input.messages", "gen_ai.prompt", "ai.prompt.messages", "ai.prompt"];
const OUTPUTS: [&str; 2] = ["gen_ai.output.messages", "gen_ai.completion"];
/// An answer as Vercel's SDK logs it; all are read.
const ANSWER: [&str; 3] = ["ai.response.text", "ai.response.object", "ai.response.toolCalls"];

/// Whether a record is OTLP JSON, a span with GenAI attributes, or spans under names.
pub fn fits(record: &Json) -> bool {
    record.list_of("resourceSpans").is_some()
        || (record.has("spanId") && record.list_of("attributes").is_some())
        || (is_span(record) && !openinference::fits(record))
        || grouped(record).is_some()
}

/// Whether a span, or what stands in its place, has attributes of a GenAI call.
fn is_span(record: &Json) -> bool {
    let known = |value: &Json| {
        let names = ["gen_ai.", "ai.prompt", "ai.response.", "ai.operationId"];
        let named = |key: &str| names.iter().any(|name| key.starts_with(name));
        value.entries().is_some_and(|all| all.iter().any(|(key, _)| named(key)))
    };
    known(record) || record.get("attributes").is_some_and(known)
}

/// Spans in lists under names: of an operation, of a trace.
fn grouped<'r, 'a>(record: &'r Json<'a>) -> Option<Vec<&'r Json<'a>>> {
    let groups: Option<Vec<_>> = record.entries()?.iter().map(|(_, group)| group.list()).collect();
    let spans: Vec<&Json> = groups?.into_iter().flatten().collect();
    (!spans.is_empty() && spans.iter().all(|one| is_span(one) || openinference::fits(one))).then_some(spans)
}

/// The conversations of all spans in a record.
pub fn read(record: &Json) -> Read {
    if let Some(spans) = grouped(record) {
        return gather(spans.into_iter().map(|one| named(one, span(one))).collect());
    }
    let Some(resources) = record.list_of("resourceSpans") else { return gather(vec![named(record, span(record))]) };
    let (mut found, mut room) = (Vec::new(), Room::default());
    for resource in resources {
        for scope in resource.list_of("scopeSpans").unwrap_or_default() {
            // What made the spans belongs to each of them.
            let around = [rest(resource, &["scopeSpans"]), rest(scope, &["spans"])];
            let around: Vec<Json> = around.iter().flatten().filter_map(|text| Json::parsed(text)).collect();
            for one in scope.list_of("spans").unwrap_or_default() {
                let mut entries = one.entries().unwrap_or_default().to_vec();
                if !around.is_empty() && !one.has("otlp") {
                    entries.push((Cow::Borrowed("otlp"), Json::List(around.clone())));
                }
                let read = match span(&Json::Object(entries)) {
                    Ok(conversation) => Ok(room.take(conversation)?),
                    reject => reject,
                };
                found.push(named(one, read));
            }
        }
    }
    gather(found)
}

type Call = (Option<String>, Result<Conversation, Reason>);

fn named(record: &Json, call: Result<Conversation, Reason>) -> Call {
    (record.get("spanId").or_else(|| record.at(&["spanContext", "spanId"])).and_then(Json::scalar), call)
}

fn span(record: &Json) -> Result<Conversation, Reason> {
    let own = attributes(record);
    let surface = service(record, &own);
    if openinference::is_span(&own) {
        return openinference::span(record, &own).map(|one| Conversation { surface, ..one });
    }
    let mut all = own.entries().unwrap_or_default().to_vec();
    let mut events: Vec<Json> = record.list_of("events").unwrap_or_default().to_vec();
    for event in &events {
        let known = ["gen_ai.content.prompt", "gen_ai.content.completion", "gen_ai.client.inference.operation.details"];
        if known.contains(&event.text_of("name").unwrap_or_default())
            && let Json::Object(inner) = attributes(event)
        {
            let new: Vec<_> = inner.into_iter().filter(|(key, _)| all.iter().all(|(one, _)| one != key)).collect();
            all.extend(new);
        }
    }
    let tree = nested(&Json::Object(all));
    let mut used = Vec::new();
    let mut turns = Turns::default();
    contents(&tree, &mut turns, &mut used)?;
    let spoken = turns.messages.is_empty();
    for one in &mut events {
        *one = event(one, spoken, &own, &used, &mut turns)?;
    }
    if turns.messages.is_empty() {
        return Err(Reason::NoMessages);
    }
    let models = ["gen_ai.response.model", "gen_ai.request.model", "ai.response.model", "ai.model.id"];
    let model = models.into_iter().find_map(|key| Some((key, tree.along(key)?.scalar()?)));
    used.extend(model.as_ref().map(|it| it.0));
    let mut entries = record.entries().unwrap_or_default().to_vec();
    if let Some((_, list)) = entries.iter_mut().find(|(key, _)| key == "events") {
        *list = Json::List(events);
    }
    let one = conversation(&Json::Object(entries), &own, &tree, turns, model.map(|it| it.1), used);
    Ok(Conversation { surface, ..one })
}

/// The service that the span was made in.
fn service(record: &Json, own: &Json) -> Option<String> {
    let around = || record.list_of("otlp")?.iter().find_map(|one| one.get("resource"));
    let resource = record.get("resource").or_else(around).map(attributes);
    let named = |of: &Json| nested(of).at(&["service", "name"])?.scalar();
    resource.as_ref().and_then(named).or_else(|| own.get("service.name")?.scalar())
}

/// Messages, tools and thinking that stand in attributes.
fn contents(tree: &Json, turns: &mut Turns, used: &mut Vec<&str>) -> Result<(), Reason> {
    let mut first = |paths: &[&'static str]| {
        let found = paths.iter().filter_map(|path| Some((*path, tree.along(path)?)));
        // `ai.prompt` is text of its own; as a tree it only holds `ai.prompt.tools` and the like.
        let (path, value) = found.into_iter().find(|(path, value)| *path != "ai.prompt" || value.text().is_some())?;
        used.push(path);
        Some(value)
    };
    if let Some(system) = first(&["gen_ai.system_instructions"]) {
        let parsed = system.text().and_then(Json::parsed);
        turns.system(parsed.as_ref().unwrap_or(system))?;
    }
    if let Some(input) = first(&INPUTS) {
        turns.read(input, Role::User)?;
    }
    if let Some(output) = first(&OUTPUTS) {
        turns.read(output, Role::Assistant)?;
    } else {
        let mut answer = Turns::default();
        for path in ANSWER {
            match first(&[path]) {
                Some(calls) if path == "ai.response.toolCalls" => answer.calls(calls)?,
                Some(text) => answer.read(text, Role::Assistant)?,
                None => {}
            }
        }
        turns.append(answer);
    }
    turns.thinking.extend(first(&["ai.response.reasoning"]).map(Json::json));
    if let Some(tools) = first(&["gen_ai.tool.definitions", "ai.prompt.tools"]) {
        let parsed = tools.text().and_then(Json::parsed);
        turns.define(parsed.as_ref().unwrap_or(tools).list().ok_or(Reason::BadShape)?);
    }
    Ok(())
}

/// Reads an event if nothing else speaks; gives back what of it was not read.
fn event<'a>(event: &Json<'a>, spoken: bool, own: &Json, used: &[&str], turns: &mut Turns) -> Result<Json<'a>, Reason> {
    let role = match event.text_of("name").unwrap_or_default() {
        "gen_ai.system.message" => "system",
        "gen_ai.user.message" => "user",
        "gen_ai.assistant.message" | "gen_ai.choice" => "assistant",
        "gen_ai.tool.message" => "tool",
        "gen_ai.content.prompt" | "gen_ai.content.completion" | "gen_ai.client.inference.operation.details" => {
            // An attribute that the span has too was read there.
            let used: Vec<&str> = used.iter().filter(|path| nested(own).along(path).is_none()).copied().collect();
            return Ok(replaced(event, without(&attributes(event), &used)));
        }
        _ => return Ok(event.clone()),
    };
    if !spoken {
        return Ok(event.clone());
    }
    let holder = if event.has("body") { event.get("body").cloned() } else { Some(attributes(event)) };
    let holder = holder.filter(|it| it.entries().is_some()).ok_or(Reason::BadShape)?;
    let parsed = holder.text_of("message").and_then(Json::parsed);
    let message = parsed.as_ref().or_else(|| holder.get("message").filter(|it| it.entries().is_some()));
    let mut entries = message.unwrap_or(&holder).entries().ok_or(Reason::BadShape)?.to_vec();
    let texts = entries.clone();
    for ((key, value), (_, text)) in entries.iter_mut().zip(&texts) {
        match key.as_ref() {
            "tool_calls" => *value = text.text().and_then(Json::parsed).unwrap_or_else(|| text.clone()),
            "id" if role == "tool" => *key = Cow::Borrowed("tool_call_id"),
            _ => {}
        }
    }
    if !entries.iter().any(|(key, _)| key == "role") {
        entries.push((Cow::Borrowed("role"), Json::Text(Cow::Borrowed(role))));
    }
    turns.item(&Json::Object(entries))?;
    if message.is_some() {
        turns.beside(rest(&holder, &["message"]));
    }
    let left = event.entries().unwrap_or_default().iter().filter(|(key, _)| key != "attributes" && key != "body");
    Ok(Json::Object(left.cloned().collect()))
}

/// An event with other attributes.
fn replaced<'a>(event: &Json<'a>, attributes: Option<Json<'a>>) -> Json<'a> {
    let entries = event.entries().unwrap_or_default().iter().filter(|(key, _)| key != "attributes").cloned();
    let attributes = attributes.map(|left| (Cow::Borrowed("attributes"), left));
    Json::Object(entries.chain(attributes).collect())
}

/// Attributes as one object, whether they come as OTLP's list, as an object, or as the record itself.
fn attributes<'a>(record: &Json<'a>) -> Json<'a> {
    match record.get("attributes") {
        Some(Json::List(items)) => object(items),
        Some(other) => other.clone(),
        None => record.clone(),
    }
}

fn object<'a>(items: &[Json<'a>]) -> Json<'a> {
    let pair = |item: &Json<'a>| {
        let key = item.text_of("key")?.to_owned();
        Some((Cow::Owned(key), item.get("value").map_or(Json::Null, plain)))
    };
    Json::Object(items.iter().filter_map(pair).collect())
}

fn plain<'a>(value: &Json<'a>) -> Json<'a> {
    if let Some(items) = value.at(&["arrayValue", "values"]).and_then(Json::list) {
        return Json::List(items.iter().map(plain).collect());
    }
    if let Some(items) = value.at(&["kvlistValue", "values"]) {
        return object(items.list().unwrap_or_default());
    }
    let kinds = ["stringValue", "intValue", "doubleValue", "boolValue", "bytesValue"];
    kinds.iter().find_map(|kind| value.get(kind)).cloned().unwrap_or(Json::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_under_names_are_one_record() {
        let json = r#"{"a":[{"attributes":{"ai.prompt":"x"}},{"gen_ai.prompt":"x","gen_ai.completion":"y"}],
            "b":[{"gen_ai.prompt":"z"},{"ai.operationId":"ai.embed"}]}"#;
        let got = read(&serde_json::from_str(json).unwrap()).unwrap();
        let said: Vec<_> = got.iter().map(|one| one.messages.len()).collect();
        assert_eq!(said, [2, 1]);
        for json in
            [r#"{"a":[{"gen_ai.prompt":"x"},{"b":1}]}"#, r#"{"a":[{"gen_ai.prompt":"x"}],"b":1}"#, r#"{"a":[]}"#]
        {
            assert!(!fits(&serde_json::from_str(json).unwrap()), "{json}");
        }
    }

    #[test]
    fn new_old_events_and_rejects() {
        for (json, want) in [
            (
                r#"{"gen_ai.input.messages":"[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"hi\"}]}]"}"#,
                Ok(1),
            ),
            (
                r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":"s","attributes":[{"key":"gen_ai.prompt.0.role","value":{"stringValue":"user"}},{"key":"gen_ai.prompt.0.content","value":{"stringValue":"hi"}}]}]}]}]}"#,
                Ok(1),
            ),
            (
                r#"{"spanId":"s","attributes":[],"events":[{"name":"gen_ai.user.message","attributes":[{"key":"content","value":{"stringValue":"hi"}}]}]}"#,
                Ok(1),
            ),
            (r#"{"gen_ai.operation.name":"execute_tool"}"#, Err(Reason::NoMessages)),
            (r#"{"gen_ai.prompt.0.role":"wizard"}"#, Err(Reason::UnknownRole)),
            (r#"{"gen_ai.prompt.0.content":"x"}"#, Err(Reason::MissingRole)),
            (r#"{"gen_ai.input.messages":[5]}"#, Err(Reason::BadShape)),
            (r#"{"gen_ai.prompt":"a","gen_ai.prompt.0.role":"user"}"#, Err(Reason::MissingRole)),
            (r#"{"resourceSpans":[]}"#, Err(Reason::NoMessages)),
            (r#"{"attributes":{"ai.operationId":"ai.embed"}}"#, Err(Reason::NoMessages)),
        ] {
            let record: Json = serde_json::from_str(json).unwrap();
            assert!(fits(&record), "{json}");
            assert_eq!(read(&record).map(|list| list[0].messages.len()), want, "{json}");
        }
    }

    fn one(json: &str) -> Conversation {
        read(&serde_json::from_str(json).unwrap()).unwrap().remove(0)
    }

    #[test]
    fn vercel_spans() {
        let got =
            one(r#"{"spanContext":{"spanId":"s"},"startTime":[1770131992,242000000],"attributes":{"ai.model.id":"m",
            "ai.prompt.messages":"[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}]",
            "ai.prompt.tools":["{\"type\":\"function\",\"name\":\"f\",\"inputSchema\":{}}"],"ai.response.text":"wait",
            "ai.response.reasoning":"hm","ai.response.finishReason":"tool-calls",
            "ai.response.toolCalls":"[{\"toolCallId\":\"c\",\"toolName\":\"f\",\"input\":{}}]"}}"#);
        assert_eq!((got.messages[1].content.as_str(), got.messages[1].tool_calls.len()), ("wait", 1));
        assert_eq!((got.created_at_us, got.model.as_deref()), (Some(1_770_131_992_242_000), Some("m")));
        assert_eq!(got.tools.as_deref(), Some(r#"[{"type":"function","function":{"name":"f","parameters":{}}}]"#));
        let left = r#"{"attributes":{"ai.response.finishReason":"tool-calls"},"thinking":["hm"]}"#;
        assert_eq!(got.metadata.as_deref(), Some(left));
        let got = one(r#"{"ai.prompt":"{\"system\":\"kind\",\"prompt\":\"hi\"}","ai.response.object":"{\"a\":1}"}"#);
        let roles: Vec<_> = got.messages.iter().map(|one| one.role).collect();
        assert_eq!(roles, [Role::System, Role::User, Role::Assistant]);
    }

    #[test]
    fn events_that_hold_the_content() {
        let details = r#"{"spanId":"s","attributes":[],"events":[{"name":"gen_ai.client.inference.operation.details",
            "attributes":[{"key":"gen_ai.input.messages","value":{"arrayValue":{"values":[{"kvlistValue":{"values":[
            {"key":"role","value":{"stringValue":"user"}},{"key":"content","value":{"stringValue":"hi"}}]}}]}}},
            {"key":"x","value":{"intValue":"5"}}]}]}"#;
        let old = r#"{"spanId":"s","attributes":[],"events":[
            {"name":"gen_ai.content.prompt","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"hi"}}]},
            {"name":"gen_ai.content.completion","attributes":[{"key":"gen_ai.completion","value":{"stringValue":"yes"}}]}]}"#;
        for (json, count) in [(details, 1), (old, 2)] {
            let got = one(json);
            assert_eq!((got.messages.len(), got.messages[0].content.as_str()), (count, "hi"));
            assert!(!got.metadata.unwrap().contains("hi"));
        }
        assert!(one(details).metadata.unwrap().contains(r#""x":"5""#));
    }

    #[test]
    fn a_choice_keeps_its_finish_reason_and_a_tool_message_its_call() {
        let got = one(r#"{"spanId":"s","attributes":[],"events":[
            {"name":"gen_ai.tool.message","attributes":[{"key":"id","value":{"stringValue":"c"}},{"key":"content","value":{"stringValue":"ok"}}]},
            {"name":"gen_ai.choice","attributes":[{"key":"finish_reason","value":{"stringValue":"stop"}},
            {"key":"message","value":{"stringValue":"{\"content\":\"hello\"}"}}]}]}"#);
        assert_eq!(got.messages[0].tool_call_id.as_deref(), Some("c"));
        assert_eq!(got.messages[1].content, "hello");
        assert!(got.metadata.unwrap().contains(r#""turns":[null,{"finish_reason":"stop"}]"#));
    }

    #[test]
    fn an_unreadable_span_is_named_and_the_resource_is_kept() {
        let got = one(r#"{"resourceSpans":[{"resource":{"r":1},"scopeSpans":[{"spans":[
            {"spanId":"a","attributes":[{"key":"gen_ai.prompt.0.role","value":{"stringValue":"wizard"}}]},
            {"spanId":"b","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"hi"}}]}]}]}]}"#);
        let metadata = got.metadata.unwrap();
        assert!(metadata.contains(r#""skipped_calls":[{"id":"a","reason":"unknown_role"}]"#), "{metadata}");
        assert!(metadata.contains(r#""otlp":[{"resource":{"r":1}}]"#), "{metadata}");
    }
}
