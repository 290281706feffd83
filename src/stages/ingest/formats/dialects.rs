//! Message lists in the dialects that LLM calls are logged in (OpenAI, Anthropic, Gemini, LangChain, Vercel, OTel parts).
//!
//! Not here: where a log keeps its messages. Always: a role is read, never guessed; keys that are
//! not read are kept under `turns`, beside the message they belong to.

use super::super::Reason;
use super::super::tree::Json;
use super::pieces::{asked, call, id, is_data, role, speaker, text_part, transcript};
use super::{extra, rest, row};
use crate::record::{Message, Role};

/// A text of fewer turns may only look like a transcript.
const TURNS: usize = 2;

/// What one side of a call says.
#[derive(Debug, Default)]
pub struct Turns {
    pub messages: Vec<Message>,
    /// For each message what its object says beside it, as JSON texts.
    pub left: Vec<Vec<String>>,
    /// Reasoning, each as JSON text.
    pub thinking: Vec<String>,
    /// Tool definitions, each as JSON text in OpenAI's form.
    pub tools: Vec<String>,
    /// What stands around the messages, each as JSON text.
    pub around: Vec<String>,
}

impl Turns {
    /// A value of a request or a response; plain text is said by `plain`.
    pub fn read(&mut self, value: &Json, plain: Role) -> Result<(), Reason> {
        match value {
            Json::Null => Ok(()),
            Json::Text(text) => match Json::parsed(text) {
                Some(inner) if plain == Role::Assistant && is_data(&inner) => self.plain(text, plain),
                Some(inner) => self.read(&inner, plain),
                None => self.plain(text, plain),
            },
            Json::List(items) if items.is_empty() => Ok(()),
            // An answer that is JSON is text; a prompt that is JSON does not say who speaks.
            data if is_data(data) && plain == Role::Assistant => self.plain(&data.json(), plain),
            // A decorated function that takes a prompt.
            Json::Object(_) if is_data(value) => match value.list_of("args") {
                Some([Json::Text(prompt)]) => {
                    self.around.extend(rest(value, &["args"]));
                    self.plain(prompt, plain)
                }
                _ => Err(Reason::MissingRole),
            },
            Json::List(items) => items.iter().try_for_each(|item| self.item(item)),
            Json::Object(_) => self.object(value, plain),
            _ => Err(Reason::BadShape),
        }
    }

    /// Adds a message with what its object says beside it.
    pub fn say(&mut self, message: Message, left: Vec<String>) {
        self.messages.push(message);
        self.left.push(left);
    }

    /// Adds all that another side says.
    pub fn append(&mut self, mut other: Turns) {
        self.messages.append(&mut other.messages);
        self.left.append(&mut other.left);
        self.thinking.append(&mut other.thinking);
        self.tools.append(&mut other.tools);
        self.around.append(&mut other.around);
    }

    /// Notes what belongs to the last message, or to none.
    pub fn beside(&mut self, left: impl IntoIterator<Item = String>) {
        self.left.last_mut().unwrap_or(&mut self.around).extend(left);
    }

    /// Text of one party; a prompt that tells a conversation line by line is that conversation.
    pub fn plain(&mut self, text: &str, plain: Role) -> Result<(), Reason> {
        if plain == Role::User
            && let Some(messages) = transcript(text, TURNS, speaker)
        {
            messages.into_iter().for_each(|message| self.say(message, Vec::new()));
            return Ok(());
        }
        self.say(Message::text(plain, text), Vec::new());
        Ok(())
    }

    fn object(&mut self, value: &Json, plain: Role) -> Result<(), Reason> {
        let mut used = vec!["config"];
        self.preface(value, &mut used)?;
        let single = |key: &str| value.get(key).filter(|_| !value.has("role"));
        if let Some((key, list)) = ["messages", "contents"].iter().find_map(|key| Some((*key, value.get(key)?))) {
            used.push(key);
            self.around.extend(rest(value, &used));
            return self.read(list, Role::User);
        }
        if let Some((key, choices)) = ["choices", "candidates"].iter().find_map(|key| Some((*key, value.list_of(key)?)))
        {
            used.push(key);
            self.around.extend(rest(value, &used));
            // Several answers to one prompt are alternatives, not turns.
            let [choice] = choices else { return Err(Reason::BadShape) };
            let key = if choice.get("message").is_some() { "message" } else { "content" };
            self.item(choice.get(key).ok_or(Reason::BadShape)?)?;
            self.beside(rest(choice, &[key]));
            return Ok(());
        }
        if let (Some("response"), Some(output)) = (value.text_of("object"), value.list_of("output")) {
            used.push("output");
            self.around.extend(rest(value, &used));
            return output.iter().try_for_each(|item| self.item(item));
        }
        if let Some(content) = single("content").filter(|it| it.has("parts")) {
            used.push("content");
            self.around.extend(rest(value, &used));
            return self.item(content);
        }
        for key in ["text", "prompt"] {
            if let Some(text) = single(key).and_then(Json::text) {
                used.push(key);
                self.around.extend(rest(value, &used));
                return self.plain(text, plain);
            }
        }
        self.item(value)
    }

    /// System prompt and tools that stand outside the messages.
    fn preface(&mut self, value: &Json, used: &mut Vec<&str>) -> Result<(), Reason> {
        if value.has("role") {
            return Ok(());
        }
        if let Some(tools) = value.list_of("tools") {
            self.define(tools);
            used.push("tools");
        }
        for key in ["system", "instructions"] {
            if let Some(system) = value.get(key) {
                used.push(key);
                self.system(system)?;
            }
        }
        let Some(config) = value.get("config") else { return Ok(()) };
        let mut read = Vec::new();
        if let Some(system) = config.get("system_instruction") {
            read.push("system_instruction");
            self.system(system)?;
        }
        if let Some(tools) = config.list_of("tools") {
            read.push("tools");
            self.define(tools);
        }
        let left = if config.entries().is_some() { rest(config, &read) } else { Some(config.json()) };
        self.around.extend(left.map(|left| format!(r#"{{"config":{left}}}"#)));
        Ok(())
    }

    /// A system prompt: text, parts, or an object with parts.
    pub fn system(&mut self, system: &Json) -> Result<(), Reason> {
        let list = if system.entries().is_some() {
            system.list_of("parts").ok_or(Reason::BadShape)?
        } else {
            std::slice::from_ref(system)
        };
        let list = system.list().unwrap_or(list);
        let mut left: Vec<String> = rest(system, &["parts", "role"]).into_iter().collect();
        let texts = list.iter().map(|part| text_part(part, &mut left)).collect::<Result<Vec<_>, _>>()?;
        self.say(Message::text(Role::System, texts.join("\n")), left);
        Ok(())
    }

    /// One message object.
    pub fn item(&mut self, item: &Json) -> Result<(), Reason> {
        item.entries().ok_or(Reason::BadShape)?;
        match item.text_of("type") {
            Some("function_call") => {
                let (one, left) = call(item)?;
                self.say(Message { tool_calls: vec![one], ..Message::text(Role::Assistant, "") }, left);
                return Ok(());
            }
            Some("function_call_output") => return self.result(item),
            Some("reasoning") => {
                self.thinking.push(item.json());
                return Ok(());
            }
            _ => {}
        }
        if let Some(definition) = item.get("content").filter(|it| it.text_of("type") == Some("function")) {
            self.define(std::slice::from_ref(definition));
            self.around.extend(rest(item, &["role", "content"]));
            return Ok(());
        }
        let inner = if item.has("lc") { "kwargs" } else { "data" };
        let body = item.get(inner).filter(|it| it.has("content")).unwrap_or(item);
        self.spoken(item, body)
    }

    fn spoken(&mut self, item: &Json, body: &Json) -> Result<(), Reason> {
        let role = role(item, body)?;
        let from = self.messages.len();
        let (mut message, mut left) = (Message::text(role, ""), Vec::new());
        message.name = body.text_of("name").map(str::to_owned);
        message.tool_call_id = body.get("tool_call_id").and_then(Json::scalar).map(|id| id.trim().to_owned());
        let mut used = vec!["role", "content", "parts"];
        used.extend(message.name.as_ref().map(|_| "name"));
        used.extend(message.tool_call_id.as_ref().map(|_| "tool_call_id"));
        if body.text_of("role").is_none() || body.text_of("type") == Some("message") {
            used.push("type");
        }
        for key in ["reasoning_content", "reasoning", "thinking", "reasoning_details"] {
            if let Some(thought) = body.get(key) {
                self.thinking.push(thought.json());
                used.push(key);
            }
        }
        let empty = |value: &&Json| value.text() == Some("") || value.list().is_some_and(<[Json]>::is_empty);
        let said = |key: &str| body.get(key).filter(|value| !empty(value));
        let mut pieces = Vec::new();
        match (said("parts"), said("content")) {
            (Some(_), Some(_)) => return Err(Reason::BadShape),
            (Some(Json::List(parts)), None) | (None, Some(Json::List(parts))) => {
                for part in parts {
                    self.part(part, &mut message, &mut pieces, &mut left)?;
                }
            }
            (None, Some(Json::Text(text))) => pieces.push(text.clone().into_owned()),
            (None, None) => {}
            (None, Some(other)) if role == Role::Tool => pieces.push(other.json()),
            _ => return Err(Reason::BadShape),
        }
        message.content = pieces.join("\n");
        asked(body, &mut message, &mut used, &mut left)?;
        left.extend(rest(body, &used));
        if !std::ptr::eq(item, body) {
            left.extend(rest(item, &["lc", "id", "type", "kwargs", "data"]));
        }
        // A message that held only tool results says nothing itself.
        if self.messages.len() == from || !message.content.is_empty() || !message.tool_calls.is_empty() {
            self.say(message, left);
        } else {
            self.beside(left);
        }
        Ok(())
    }

    fn part(
        &mut self,
        part: &Json,
        message: &mut Message,
        pieces: &mut Vec<String>,
        left: &mut Vec<String>,
    ) -> Result<(), Reason> {
        for (key, is_call) in [
            ("function_call", true),
            ("functionCall", true),
            ("toolUse", true),
            ("function_response", false),
            ("functionResponse", false),
            ("toolResult", false),
        ] {
            let Some(inner) = part.get(key) else { continue };
            left.extend(rest(part, &[key]));
            if !is_call {
                return self.result(inner);
            }
            let (one, more) = call(inner)?;
            message.tool_calls.push(one);
            left.extend(more);
            return Ok(());
        }
        match part.text_of("type") {
            Some("tool_use" | "tool_call" | "tool-call" | "function") => {
                let (one, more) = call(part)?;
                message.tool_calls.push(one);
                left.extend(more);
            }
            Some("tool_result" | "tool_call_response" | "tool-result") => return self.result(part),
            Some("thinking" | "reasoning" | "redacted_thinking") => self.thinking.push(part.json()),
            _ if part.get("thought") == Some(&Json::Bool(true)) => self.thinking.push(part.json()),
            // JSON data that a tool gave back as a list.
            None if message.role == Role::Tool && part.text().is_none() && !part.has("text") => {
                pieces.push(part.json())
            }
            _ => pieces.push(text_part(part, left)?),
        }
        Ok(())
    }

    fn result(&mut self, part: &Json) -> Result<(), Reason> {
        let found = ["result", "response", "output", "content"].iter().find_map(|key| Some((*key, part.get(key)?)));
        let (key, value) = found.ok_or(Reason::BadShape)?;
        let mut left = Vec::new();
        let text = match (value, value.text_of("type"), value.get("value")) {
            (Json::Text(text), ..) => text.clone().into_owned(),
            (_, Some("text"), Some(Json::Text(text))) => text.clone().into_owned(),
            (_, Some("json"), Some(data)) => data.json(),
            (Json::List(parts), ..) => {
                let texts: Result<Vec<_>, _> = parts.iter().map(|part| text_part(part, &mut left)).collect();
                texts.map_or_else(|_| value.json(), |texts| texts.join("\n"))
            }
            _ => value.json(),
        };
        let mut message = Message::text(Role::Tool, text);
        let name = ["name", "toolName"].iter().find_map(|key| Some((*key, part.text_of(key)?)));
        message.name = name.map(|(_, name)| name.to_owned());
        let id = id(part);
        left.extend(rest(part, &["type", key, name.map_or("", |it| it.0), id.as_ref().map_or("", |it| it.0)]));
        message.tool_call_id = id.map(|it| it.1);
        self.say(message, left);
        Ok(())
    }

    /// Tool calls that are logged beside the answer, as a list of objects or of their JSON texts, or as JSON text.
    pub fn calls(&mut self, value: &Json) -> Result<(), Reason> {
        let parsed = value.text().and_then(Json::parsed);
        let mut calls = Vec::new();
        let mut left = Vec::new();
        for one in parsed.as_ref().unwrap_or(value).list().ok_or(Reason::BadShape)? {
            let inner = one.text().and_then(Json::parsed);
            let (one, more) = call(inner.as_ref().unwrap_or(one))?;
            calls.push(one);
            left.extend(more);
        }
        if calls.is_empty() {
            return Ok(());
        }
        match self.messages.last_mut().filter(|last| last.role == Role::Assistant && last.tool_calls.is_empty()) {
            Some(last) => {
                last.tool_calls = calls;
                self.beside(left);
            }
            None => self.say(Message { tool_calls: calls, ..Message::text(Role::Assistant, "") }, left),
        }
        Ok(())
    }

    /// The rest of a record, with the thinking and what stood beside and around the messages.
    pub fn metadata(&self, record: &Json, used: &[&str]) -> Option<String> {
        fn list(texts: &[String]) -> Vec<Json<'_>> {
            texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
        }
        let turns = self.left.iter().map(|left| extra::turn(list(left))).collect();
        let mut extras = Vec::new();
        for (name, list) in
            [("thinking", list(&self.thinking)), ("turns", turns), ("around_messages", list(&self.around))]
        {
            if list.iter().any(|one| *one != Json::Null) {
                extras.push((name, Json::List(list)));
            }
        }
        row::metadata(record, used, extras)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ToolCall;

    fn read(json: &str) -> Result<Vec<Message>, Reason> {
        let mut turns = Turns::default();
        turns.read(&serde_json::from_str(json).unwrap(), Role::User).map(|()| turns.messages)
    }

    #[test]
    fn every_dialect_says_hi() {
        for json in [
            r#""hi""#,
            r#"[{"role":"user","content":"hi"}]"#,
            r#""[{\"role\":\"user\",\"content\":\"hi\"}]""#,
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}"#,
            r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#,
            r#"[{"type":"human","content":"hi"}]"#,
            r#"[{"type":"human","data":{"content":"hi"}}]"#,
            r#"[{"lc":1,"id":["a","HumanMessage"],"kwargs":{"content":"hi"}}]"#,
            r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#,
            r#"{"prompt":"hi"}"#,
            r#""{\"args\":[\"hi\"],\"kwargs\":{}}""#,
            r#"{"object":"response","output":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}]}"#,
        ] {
            assert_eq!(read(json), Ok(vec![Message::text(Role::User, "hi")]), "{json}");
        }
    }

    #[test]
    fn every_dialect_calls_a_tool() {
        for part in [
            r#""content":[{"type":"tool_use","id":"t","name":"f","input":{"a":1}}]"#,
            r#""content":[{"type":"tool-call","toolCallId":"t","toolName":"f","input":{"a":1}}]"#,
            r#""parts":[{"type":"tool_call","id":"t ","name":"f","arguments":{"a":1}}]"#,
            r#""parts":[{"functionCall":{"id":"t","name":"f","args":{"a":1}}}]"#,
            r#""tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]"#,
            r#""content":"","additional_kwargs":{"tool_calls":[{"id":"t","function":{"name":"f","arguments":{"a":1}}}]}"#,
        ] {
            let got = read(&format!(r#"[{{"role":"assistant",{part}}}]"#)).unwrap();
            let want = ToolCall { id: "t".into(), name: "f".into(), arguments: r#"{"a":1}"#.into() };
            assert_eq!((got.len(), got[0].tool_calls.as_slice()), (1, &[want][..]), "{part}");
        }
    }

    #[test]
    fn what_is_not_read_is_kept_beside_its_message() {
        let json = r#"[{"role":"user","content":[{"type":"text","text":"a","cache_control":1}],"x":2},
            {"role":"assistant","content":[{"type":"thinking","thinking":"hm"}],"refusal":"no","finish_reason":"stop"}]"#;
        let mut turns = Turns::default();
        turns.read(&serde_json::from_str(json).unwrap(), Role::User).unwrap();
        assert_eq!(
            turns.metadata(&Json::Null, &[]).as_deref(),
            Some(concat!(
                r#"{"thinking":[{"type":"thinking","thinking":"hm"}],"#,
                r#""turns":[[{"cache_control":1},{"x":2}],{"refusal":"no","finish_reason":"stop"}]}"#
            ))
        );
    }

    #[test]
    fn an_answer_may_be_json_and_text_and_object_read_alike() {
        for json in [r#"{"answer":42}"#, r#""{\"answer\":42}""#] {
            let mut turns = Turns::default();
            turns.read(&serde_json::from_str(json).unwrap(), Role::Assistant).unwrap();
            assert_eq!(turns.messages, [Message::text(Role::Assistant, r#"{"answer":42}"#)]);
        }
    }

    #[test]
    fn a_prompt_that_tells_a_conversation_is_one() {
        let text = "Developer: be kind\n\nuser: list:\na: 1\nassistant: None\ntool: ok\n\nassistant:";
        let got = read(&serde_json::to_string(text).unwrap()).unwrap();
        let want = [(Role::System, "be kind"), (Role::User, "list:\na: 1"), (Role::Assistant, ""), (Role::Tool, "ok")];
        assert_eq!(got, want.map(|(role, text)| Message::text(role, text)));
        for text in ["user: hi", "note\nuser: a\nassistant: b"] {
            assert_eq!(read(&serde_json::to_string(text).unwrap()), Ok(vec![Message::text(Role::User, text)]));
        }
    }

    #[test]
    fn tools_are_written_in_one_form() {
        let json = r#"{"contents":"hi","config":{"tools":[{"functionDeclarations":[{"name":"f"}]}]},
            "tools":[{"name":"g","input_schema":{}},{"type":"function","function":{"name":"h"}}]}"#;
        let mut turns = Turns::default();
        turns.read(&serde_json::from_str(json).unwrap(), Role::User).unwrap();
        let g = r#"{"type":"function","function":{"name":"g","parameters":{}}}"#;
        let h = r#"{"type":"function","function":{"name":"h"}}"#;
        let f = r#"{"type":"function","function":{"name":"f"}}"#;
        assert_eq!(turns.tools_json(), Some(format!("[{g},{h},{f}]")));
    }

    #[test]
    fn tool_results_become_tool_messages_and_bad_ones_rejects() {
        for part in [
            r#"{"type":"tool_result","tool_use_id":"t","content":"ok"}"#,
            r#"{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"ok"}]}"#,
            r#"{"type":"tool-result","toolCallId":"t","output":{"type":"text","value":"ok"}}"#,
            r#"{"type":"tool_call_response","id":" t","response":"ok"}"#,
        ] {
            let got = read(&format!(r#"[{{"role":"user","content":[{part}]}}]"#)).unwrap();
            let want = Message { tool_call_id: Some("t".into()), ..Message::text(Role::Tool, "ok") };
            assert_eq!(got, [want], "{part}");
        }
        for (json, reason) in [
            (r#"[{"content":"x"}]"#, Reason::MissingRole),
            (r#"{"args":["x","y"]}"#, Reason::MissingRole),
            (r#""{\"args\":[{\"x\":1}]}""#, Reason::MissingRole),
            (r#"[{"role":"wizard","content":"x"}]"#, Reason::UnknownRole),
            (r#"[{"type":"martian","content":"x"}]"#, Reason::UnknownRole),
            (r#"[{"role":"user","content":[{"type":"hologram"}]}]"#, Reason::BadShape),
            (r#"[{"role":"user","content":"a","parts":[{"text":"b"}]}]"#, Reason::BadShape),
            (r#"[{"role":"user","content":5}]"#, Reason::BadShape),
            (r#"{"choices":[]}"#, Reason::BadShape),
            ("[5]", Reason::BadShape),
            ("5", Reason::BadShape),
        ] {
            assert_eq!(read(json), Err(reason), "{json}");
        }
    }
}
