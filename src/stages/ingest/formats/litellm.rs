//! LiteLLM's `StandardLoggingPayload`: one object for each call through the proxy.
//!
//! Schema: BerriAI/litellm `docs/my-website/docs/proxy/logging_spec.md`. Not here: calls that are
//! no conversations (embeddings, moderation, images, speech), which are rejects.
//!
//! Always: a failed call is a reject; `cache_hit` stays in the metadata.

use std::borrow::Cow;

use super::super::Reason;
use super::super::tree::Json;
use super::exchange::{self, Api, Extra};
use super::{Read, anthropic, caller, messages, openai_exchange, openai_responses};
use crate::record::{Conversation, Message, Role};

/// What LiteLLM writes instead of text when message logging is off.
const WITHHELD: &str = "redacted-by-litellm";

/// Whether a record is of this format.
pub fn fits(record: &Json) -> bool {
    exchange::api(record) == Some(Api::Litellm)
}

/// A conversation for each choice of the answer.
pub fn read(record: &Json) -> Read {
    if is_failure(record) {
        return Err(Reason::FailedCall);
    }
    if !is_talk(record) {
        return Err(Reason::NoMessages);
    }
    let none = Json::Null;
    let settings = record.get("model_parameters").map_or(Cow::Borrowed(&none), exchange::unpacked);
    let settings = settings.as_ref();
    let asked = unpacked(record.get("messages").ok_or(Reason::NoMessages)?, is_asked);
    let answer = record.get("response").map(|response| unpacked(response, is_answer));
    let defined =
        [settings, &*asked].into_iter().find_map(|place| Some((place, exchange::tools(place.get("tools"), tool)?)));
    let mut base = Conversation {
        tools: defined.as_ref().map(|(_, tools)| tools.clone()),
        model: exchange::model(record, None),
        created_at_us: exchange::time_of(record, &["startTime"]),
        external_id: exchange::id_of(record, &["id", "request_id"]),
        surface: record.text_of("call_type").map(str::to_owned),
        ..Conversation::default()
    };
    caller::user(&mut base, &[record, settings, &asked]);
    caller::tokens(&mut base, &[record, answer.as_deref().unwrap_or(&none)]);

    let mut extra = Extra::default();
    let parameters = settings.entries().map_or("", |_| "model_parameters");
    extra.keep(
        record,
        &[vec!["messages", "response", "call_type", parameters], exchange::known(record, &base)].concat(),
    );
    let read_of = |place: &Json| {
        let tools = if defined.as_ref().is_some_and(|(from, _)| std::ptr::eq(*from, place)) { "tools" } else { "" };
        ["messages", "system", tools]
    };
    let opening = Opening::of(&asked, settings);
    let [_, system, tools] = read_of(settings);
    let system = if asked.get("system").is_some() { "" } else { system };
    extra.nest("model_parameters", settings, &[system, tools, opening.instructions.map_or("", |_| "instructions")]);
    opening.system.into_iter().for_each(|blocks| extra.parts(0, blocks));
    if asked.list_of("messages").is_some() {
        extra.nest("request", &asked, &read_of(&asked));
    }
    let prompt = prompt(&asked, &opening, settings, answer.as_deref(), &mut extra)?;
    if prompt.iter().all(|message| message.role == Role::System || message.content == WITHHELD) {
        return Err(Reason::NoMessages);
    }
    answered(base, prompt, answer.as_deref(), extra)
}

/// Old logs have no status, only the error's text.
fn is_failure(record: &Json) -> bool {
    match record.text_of("status") {
        Some(status) => status != "success",
        None => record.text_of("error_str").is_some_and(|error| !error.is_empty()),
    }
}

/// A value, or the JSON of its text if that can be what stands here: what people or models say may
/// be JSON too.
fn unpacked<'a>(value: &'a Json<'a>, is_it: fn(&Json) -> bool) -> Cow<'a, Json<'a>> {
    Some(exchange::unpacked(value)).filter(|json| is_it(json)).unwrap_or(Cow::Borrowed(value))
}

fn is_asked(json: &Json) -> bool {
    let is_message = |json: &Json| ["role", "type", "messages"].iter().any(|key| json.has(key));
    json.list().map_or_else(|| is_message(json), |list| list.iter().all(is_message))
}

fn is_answer(json: &Json) -> bool {
    ["choices", "output", "content", "error"].iter().any(|key| json.has(key))
        || matches!(json, Json::Object(entries) if entries.is_empty())
}

/// What stands before the messages, outside them.
struct Opening<'a> {
    system: Option<&'a Json<'a>>,
    /// The Responses API's name for it.
    instructions: Option<&'a str>,
}

impl<'a> Opening<'a> {
    fn of(asked: &'a Json<'a>, settings: &'a Json<'a>) -> Opening<'a> {
        let system = asked.get("system").or_else(|| settings.get("system"));
        Opening { system, instructions: settings.text_of("instructions").filter(|text| !text.is_empty()) }
    }

    fn messages(&self) -> Result<Vec<Message>, Reason> {
        let system = self.system.map_or(Ok(String::new()), messages::content)?;
        let texts = [system.as_str(), self.instructions.unwrap_or_default()];
        Ok(texts.into_iter().filter(|text| !text.is_empty()).map(|text| Message::text(Role::System, text)).collect())
    }
}

fn is_talk(record: &Json) -> bool {
    let others = ["embedding", "moderation", "image", "speech", "transcription", "rerank", "batch", "file"];
    record.text_of("call_type").is_some_and(|kind| !others.iter().any(|other| kind.contains(other)))
}

fn tool<'a>(tool: &Json<'a>) -> Json<'a> {
    if tool.has("input_schema") { anthropic::tool(tool) } else { openai_responses::tool(tool) }
}

fn prompt<'a>(
    asked: &Json<'a>,
    opening: &Opening<'_>,
    settings: &Json<'a>,
    answer: Option<&Json<'a>>,
    extra: &mut Extra<'a>,
) -> Result<Vec<Message>, Reason> {
    let mut before = opening.messages()?;
    let list = match asked {
        Json::Text(text) if text.is_empty() => return Err(Reason::NoMessages),
        // A string is the prompt itself, as completions take it.
        Json::Text(text) => {
            before.push(Message::text(Role::User, text.as_ref()));
            return Ok(before);
        }
        Json::List(list) => list.as_slice(),
        Json::Object(_) => asked.list_of("messages").unwrap_or(std::slice::from_ref(asked)),
        _ => return Err(Reason::BadShape),
    };
    if list.is_empty() {
        return Err(Reason::NoMessages);
    }
    let speaks_openai = list.iter().any(|message| {
        message.has("tool_calls") || matches!(message.text_of("role"), Some("developer" | "tool" | "function"))
    });
    let is_anthropic = answer.is_some_and(|answer| answer.text_of("type") == Some("message"))
        || exchange::speaks_anthropic(asked, list)
        || exchange::speaks_anthropic(settings, list);
    if is_anthropic && !speaks_openai {
        return anthropic::more(before, list, extra);
    }
    if list.iter().any(|item| item.has("type")) {
        return openai_responses::items(before, list, extra);
    }
    for message in list {
        before.push(exchange::chat_message(before.len(), message, extra)?);
    }
    Ok(before)
}

fn answered<'a>(
    mut base: Conversation,
    messages: Vec<Message>,
    answer: Option<&Json<'a>>,
    mut extra: Extra<'a>,
) -> Read {
    base.messages = messages;
    match answer {
        None => {}
        Some(Json::Text(text)) if text.is_empty() => {}
        Some(Json::Text(text)) => base.messages.push(Message::text(Role::Assistant, text.as_ref())),
        Some(Json::Object(entries)) if entries.is_empty() => {}
        Some(object) if exchange::failed(object) => return Err(Reason::FailedCall),
        Some(object) if object.has("choices") => {
            let prompt = std::mem::take(&mut base.messages);
            return openai_exchange::branches(&base, &prompt, object, &extra);
        }
        Some(object) if object.text_of("type") == Some("message") => {
            anthropic::answer(object, &mut base, &mut extra)?;
        }
        Some(object) => {
            let output = object.list_of("output").ok_or(Reason::BadShape)?;
            base.messages = openai_responses::items(base.messages, output, &mut extra)?;
            extra.nest("response", object, &[vec!["output"], exchange::known(object, &base)].concat());
        }
    }
    base.metadata = extra.metadata();
    Ok(vec![base])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rest: &str) -> Read {
        let json = format!(r#"{{"id":"1","call_type":"acompletion","startTime":1700000000.5,"model":"m",{rest}}}"#);
        let record: Json = serde_json::from_str(&json).unwrap();
        assert!(fits(&record), "{json}");
        read(&record)
    }

    #[test]
    fn messages_and_response_come_in_many_types() {
        let choices = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"yo"}}]}"#;
        for (asked, answer) in [
            (r#""hi""#, r#""yo""#),
            (r#"[{"role":"user","content":"hi"}]"#, choices),
            (r#"{"role":"user","content":"hi"}"#, choices),
            (r#"{"messages":[{"role":"user","content":"hi"}]}"#, r#"{"choices":[{"text":"yo"}]}"#),
            (
                r#""[{\"role\":\"user\",\"content\":\"hi\"}]""#,
                r#"{"type":"message","role":"assistant","content":[{"type":"text","text":"yo"}]}"#,
            ),
            (
                r#"[{"role":"user","content":"hi"}]"#,
                r#"{"output":[{"type":"message","role":"assistant","content":"yo"}]}"#,
            ),
        ] {
            let got = run(&format!(r#""messages":{asked},"response":{answer},"cache_hit":true"#)).unwrap().remove(0);
            let texts: Vec<_> = got.messages.iter().map(|m| (m.role.as_str(), m.content.as_str())).collect();
            assert_eq!(texts, [("user", "hi"), ("assistant", "yo")], "{asked} {answer}");
            assert!(got.metadata.unwrap().contains(r#""cache_hit":true"#));
            assert_eq!(got.created_at_us, Some(1_700_000_000_500_000));
            assert_eq!(got.surface.as_deref(), Some("acompletion"));
        }
    }

    #[test]
    fn system_prompts_stand_outside_in_several_places() {
        let user = r#"{"role":"user","content":"hi"}"#;
        let call =
            r#"{"role":"assistant","content":"","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]}"#;
        for (rest, count) in [
            (r#""messages":"hi","model_parameters":{"system":"s"}"#.to_owned(), 2),
            (r#""messages":"hi","model_parameters":"{\"system\":\"s\"}""#.to_owned(), 2),
            (format!(r#""messages":[{user}],"model_parameters":{{"system":[{{"type":"text","text":"s"}}]}}"#), 2),
            (format!(r#""messages":[{user}],"model_parameters":{{"instructions":"s"}}"#), 2),
            (format!(r#""messages":{{"system":"s","messages":[{user}]}},"model_parameters":{{"system":"other"}}"#), 2),
            (format!(r#""messages":[{user},{call}],"model_parameters":{{"system":"s"}}"#), 3),
        ] {
            let got = run(&rest).unwrap().remove(0);
            let texts: Vec<_> = got.messages.iter().map(|m| (m.role.as_str(), m.content.as_str())).collect();
            assert_eq!(texts, [("system", "s"), ("user", "hi"), ("assistant", "")][..count], "{rest}");
            assert_eq!(got.messages.iter().map(|m| m.tool_calls.len()).sum::<usize>(), count - 2, "{rest}");
            assert_eq!(got.metadata.unwrap_or_default().contains("other"), rest.contains("other"), "{rest}");
        }
    }

    #[test]
    fn json_that_people_and_models_write_is_text() {
        let got = run(r#""messages":"{\"a\":1}","response":"{\"b\":2}""#).unwrap().remove(0);
        let texts: Vec<_> = got.messages.iter().map(|m| m.content.as_str()).collect();
        assert_eq!(texts, [r#"{"a":1}"#, r#"{"b":2}"#]);
    }

    #[test]
    fn what_is_not_read_stays_in_the_metadata() {
        let got = run(r#""messages":[{"role":"user","content":"hi"}],"end_user":"u","model_parameters":{"n":2,
            "tools":[{"name":"f","input_schema":{}}]},"response":{"id":"chatcmpl-1","model":"m-1","created":5,
            "choices":[{"index":0,"message":{"role":"assistant","content":"a"}},{"index":1,"message":{"role":"assistant","content":"b"}}]}"#)
        .unwrap();
        assert_eq!(got.len(), 2);
        assert_eq!(got[1].external_id.as_deref(), Some("1"));
        assert_eq!(got[1].tools.as_deref(), Some(r#"[{"type":"function","function":{"name":"f","parameters":{}}}]"#));
        assert_eq!(
            got[1].metadata.as_deref(),
            Some(concat!(
                r#"{"end_user":"u","model_parameters":{"n":2},"#,
                r#""response":{"id":"chatcmpl-1","model":"m-1","created":5},"choice":{"index":1}}"#
            ))
        );
    }

    #[test]
    fn every_reject_has_its_reason() {
        for (rest, reason) in [
            (r#""messages":"hi","error_str":"timed out""#, Reason::FailedCall),
            (r#""messages":"hi","response":{"error":{"code":"x"}}"#, Reason::FailedCall),
            (r#""messages":"hi","response":{"choices":[{"delta":{}}]}"#, Reason::BadShape),
            (r#""messages":"""#, Reason::NoMessages),
            (r#""messages":"hi","status":"failure""#, Reason::FailedCall),
            (r#""messages":null,"response":"a""#, Reason::NoMessages),
            (r#""messages":[]"#, Reason::NoMessages),
            (r#""messages":[{"role":"user","content":"redacted-by-litellm"}]"#, Reason::NoMessages),
            (r#""messages":5"#, Reason::BadShape),
            (r#""messages":"hi","response":{"x":1}"#, Reason::BadShape),
            (r#""messages":[{"content":"hi"}]"#, Reason::MissingRole),
            (r#""messages":[{"role":"wizard"}]"#, Reason::UnknownRole),
        ] {
            assert_eq!(run(rest), Err(reason), "{rest}");
        }
        let other: Json =
            serde_json::from_str(r#"{"call_type":"aembedding","startTime":1.5,"messages":["hi"]}"#).unwrap();
        assert_eq!((fits(&other), read(&other)), (true, Err(Reason::NoMessages)));
    }
}
