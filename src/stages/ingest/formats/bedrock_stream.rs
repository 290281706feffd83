//! Answers of Bedrock as streams of events: Converse, InvokeModel and InvokeAgent.
//!
//! Sources: Amazon Bedrock API reference, `ConverseStream`, `InvokeModelWithResponseStream` and
//! `InvokeAgent`; recordings of Arize-ai/openinference. Not here: the frames (`event_stream`).
//!
//! Always: pieces of text are put together; events that say something else stay beside the
//! messages. A stream with an event that is not known, or that breaks off, is a reject.

use std::borrow::Cow;

use super::super::Reason;
use super::super::media;
use super::super::tree::Json;
use super::dialects::Turns;
use super::event_stream::{Event, events};
use super::rest;
use crate::record::{Message, Role};

/// Random letters that hide the length of an event.
const PADDING: &str = "p";

/// What a model answered.
pub fn model(stream: &str, turns: &mut Turns) -> Result<(), Reason> {
    let mut answer = Answer::default();
    for event in whole(stream)? {
        answer.event(&event.kind, &event.payload).ok_or(Reason::StreamedAnswer)?;
    }
    if answer.blocks.is_empty() {
        return Err(Reason::StreamedAnswer);
    }
    turns.around.extend(answer.around);
    turns.around.extend(answer.last);
    let mut blocks: Vec<Block> = Vec::new();
    for block in answer.blocks {
        match blocks.last_mut() {
            // Nova streams each piece of a text as a block of its own.
            Some(last) if last.is_text() && block.is_text() => last.text.push_str(&block.text),
            _ => blocks.push(block),
        }
    }
    let parts = blocks.into_iter().flat_map(Block::parts).collect();
    let role = (Cow::Borrowed("role"), Json::Text(Cow::Borrowed("assistant")));
    turns.item(&Json::Object(vec![role, (Cow::Borrowed("content"), Json::List(parts))]))
}

/// What an agent answered. Its steps (`trace`) are no part of what it said to the user.
pub fn agent(stream: &str, turns: &mut Turns) -> Result<(), Reason> {
    let mut said = String::new();
    for event in whole(stream)? {
        let body = Json::parsed(&event.payload).ok_or(Reason::StreamedAnswer)?;
        let piece = if event.kind == "chunk" { bytes(&body) } else { None };
        let used = piece.as_ref().map_or("", |_| "bytes");
        said.push_str(&piece.unwrap_or_default());
        turns.around.extend(rest(&body, &[PADDING, used]));
    }
    if !said.is_empty() {
        turns.say(Message::text(Role::Assistant, said), Vec::new());
    }
    Ok(())
}

fn whole(stream: &str) -> Result<Vec<Event>, Reason> {
    let events = events(stream).ok_or(Reason::StreamedAnswer)?;
    if events.iter().any(|event| event.is_exception) { Err(Reason::FailedCall) } else { Ok(events) }
}

/// The text that an event holds in base64.
fn bytes(event: &Json) -> Option<String> {
    let mut bytes = Vec::new();
    media::base64(event.text_of("bytes")?, &mut |piece| bytes.extend_from_slice(piece))?;
    String::from_utf8(bytes).ok()
}

#[derive(Default)]
struct Answer {
    blocks: Vec<Block>,
    around: Vec<String>,
    /// What the last piece says beside its text: counts that grow from piece to piece.
    last: Option<String>,
}

/// One part of the answer.
#[derive(Default)]
struct Block {
    text: String,
    thinking: String,
    /// Id and name of a tool, and the text of its arguments.
    tool: Option<(String, String)>,
    input: String,
}

impl Answer {
    /// Takes an event; nothing if it is not known.
    fn event(&mut self, kind: &str, payload: &str) -> Option<()> {
        let body = Json::parsed(payload)?;
        match kind {
            // InvokeModel: an event of the model's maker inside.
            "chunk" => {
                let inner = bytes(&body)?;
                let inner = Json::parsed(&inner)?;
                match (inner.text_of("type"), inner.entries()?) {
                    (Some(kind), _) => self.take(kind, &inner),
                    (None, [(kind, event), beside @ ..]) if event.entries().is_some() => {
                        self.around.extend(rest(&Json::Object(beside.to_vec()), &[]));
                        self.take(kind, event)
                    }
                    _ => self.piece(&inner),
                }
            }
            kind => self.take(kind, &body),
        }
    }

    fn take(&mut self, kind: &str, body: &Json) -> Option<()> {
        match kind {
            "contentBlockStart" | "content_block_start" => self.start(body),
            "contentBlockDelta" | "content_block_delta" => self.delta(body),
            "contentBlockStop" | "content_block_stop" | "ping" => Some(()),
            "message_start" => {
                self.around.extend(rest(body.get("message")?, &["type", "role", "content"]));
                Some(())
            }
            "messageStart" | "messageStop" | "metadata" | "message_delta" | "message_stop" => {
                self.around.extend(rest(body, &[PADDING, "type", "role"]));
                Some(())
            }
            _ => None,
        }
    }

    /// The block of an event; blocks come one after the other.
    fn block(&mut self, body: &Json) -> Option<&mut Block> {
        let index = body.get("contentBlockIndex").or_else(|| body.get("index"))?.number()? as usize;
        if index == self.blocks.len() {
            self.blocks.push(Block::default());
        }
        self.blocks.get_mut(index)
    }

    fn start(&mut self, body: &Json) -> Option<()> {
        let own = body.get("content_block");
        let tool = body.at(&["start", "toolUse"]).or(own.filter(|own| own.text_of("type") == Some("tool_use")));
        let block = self.block(body)?;
        if let Some(tool) = tool {
            let id = tool.get("toolUseId").or_else(|| tool.get("id"))?.scalar()?;
            block.tool = Some((id, tool.text_of("name")?.to_owned()));
        } else if let Some(own) = own {
            block.text.push_str(own.text_of("text").unwrap_or_default());
            block.thinking.push_str(own.text_of("thinking").unwrap_or_default());
            let known = matches!(own.text_of("type"), Some("text" | "thinking"));
            self.around.extend(rest(own, &["text", "thinking", if known { "type" } else { "" }]));
        }
        Some(())
    }

    fn delta(&mut self, body: &Json) -> Option<()> {
        let delta = body.get("delta")?;
        let block = self.block(body)?;
        let mut used = vec!["type"];
        for (paths, into) in [
            (&[&["text"][..]][..], &mut block.text),
            (&[&["toolUse", "input"], &["partial_json"]], &mut block.input),
            (&[&["reasoningContent", "text"], &["thinking"]], &mut block.thinking),
        ] {
            for path in paths {
                if let Some(Json::Text(piece)) = delta.at(path) {
                    into.push_str(piece);
                    used.push(path[0]);
                }
            }
        }
        // Signatures, citations.
        self.around.extend(rest(delta, &used));
        Some(())
    }

    /// A piece of the text alone, as models without messages stream it.
    fn piece(&mut self, piece: &Json) -> Option<()> {
        let keys = ["outputText", "generation", "completion"];
        let (key, text) = keys.into_iter().find_map(|key| Some((key, piece.text_of(key)?)))?;
        if self.blocks.is_empty() {
            self.blocks.push(Block::default());
        }
        self.blocks[0].text.push_str(text);
        self.last = rest(piece, &[key]);
        Some(())
    }
}

impl Block {
    fn is_text(&self) -> bool {
        self.thinking.is_empty() && self.tool.is_none()
    }

    /// As parts of a message.
    fn parts(self) -> Vec<Json<'static>> {
        fn object(entries: Vec<(&'static str, String)>) -> Json<'static> {
            Json::Object(
                entries.into_iter().map(|(key, text)| (Cow::Borrowed(key), Json::Text(Cow::Owned(text)))).collect(),
            )
        }
        let kind = |kind: &str| ("type", kind.to_owned());
        let mut parts = Vec::new();
        if !self.thinking.is_empty() {
            parts.push(object(vec![kind("thinking"), ("thinking", self.thinking)]));
        }
        match self.tool {
            Some((id, name)) => {
                parts.push(object(vec![kind("tool_use"), ("id", id), ("name", name), ("input", self.input)]));
            }
            None if parts.is_empty() || !self.text.is_empty() => {
                parts.push(object(vec![kind("text"), ("text", self.text)]));
            }
            None => {}
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::media::tests::written;
    use super::super::event_stream::tests::hex;
    use super::super::tests::{get, talk};
    use super::*;

    fn asked(path: &str, body: &str, events: &[(&str, &str)]) -> super::super::Read {
        get(&format!(r#"{{"path":"{path}","body":{body},"status":200,"response":"{}"}}"#, hex(events)))
    }

    /// An event that holds another in base64.
    fn chunk(inner: &str) -> String {
        format!(r#"{{"bytes":"{}","p":"abc"}}"#, written(inner.as_bytes()))
    }

    const ASKED: &str = r#"{"messages":[{"role":"user","content":[{"text":"q"}]}]}"#;

    #[test]
    fn converse_is_put_together() {
        let got = asked(
            "/model/m/converse-stream",
            ASKED,
            &[
                ("messageStart", r#"{"role":"assistant","p":"ab"}"#),
                ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}"#),
                ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
                ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"text":"I "},"p":"abc"}"#),
                ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"text":"look"}}"#),
                ("contentBlockStart", r#"{"contentBlockIndex":2,"start":{"toolUse":{"name":"f","toolUseId":"t"}}}"#),
                ("contentBlockDelta", r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"a\""}}}"#),
                ("contentBlockDelta", r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":":1}"}}}"#),
                ("messageStop", r#"{"stopReason":"tool_use"}"#),
                ("metadata", r#"{"usage":{"inputTokens":1}}"#),
            ],
        );
        let got = got.unwrap().remove(0);
        assert_eq!(talk(&got), ["user: q", r#"assistant: I lookf({"a":1})"#]);
        let metadata = got.metadata.unwrap();
        assert!(metadata.contains(r#"{"type":"thinking","thinking":"hm"}"#), "{metadata}");
        assert!(metadata.contains(r#"[{"stopReason":"tool_use"},{"usage":{"inputTokens":1}}]"#), "{metadata}");
    }

    #[test]
    fn models_of_all_makers_are_put_together() {
        for (inner, answer) in [
            (
                &[
                    r#"{"type":"message_start","message":{"id":"i","role":"assistant","content":[]}}"#,
                    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}"#,
                    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}"#,
                    r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
                    r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
                    r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"}}"#,
                ][..],
                "abf({})",
            ),
            (
                &[
                    r#"{"messageStart":{"role":"assistant"}}"#,
                    r#"{"contentBlockDelta":{"delta":{"text":"caf"},"contentBlockIndex":0}}"#,
                    r#"{"contentBlockStop":{"contentBlockIndex":0}}"#,
                    r#"{"contentBlockDelta":{"delta":{"text":"é"},"contentBlockIndex":1}}"#,
                    r#"{"metadata":{"usage":{}},"latency":{"ms":1}}"#,
                ],
                "café",
            ),
            (&[r#"{"outputText":"a","index":0}"#, r#"{"outputText":"b"}"#], "ab"),
            (&[r#"{"generation":"a","stop_reason":null}"#, r#"{"generation":"b","stop_reason":"stop"}"#], "ab"),
        ] {
            let chunks: Vec<String> = inner.iter().map(|inner| chunk(inner)).collect();
            let events: Vec<_> = chunks.iter().map(|chunk| ("chunk", chunk.as_str())).collect();
            let got = asked("/model/m/invoke-with-response-stream", ASKED, &events).unwrap();
            assert_eq!(talk(&got[0]), ["user: q".to_owned(), format!("assistant: {answer}")]);
        }
    }

    #[test]
    fn what_an_agent_says_is_told_from_its_steps() {
        let said = [chunk("It is"), chunk(" nine.")];
        let events =
            [("trace", r#"{"trace":{"step":1},"p":"ab"}"#), ("chunk", &said[0]), ("chunk", &said[1]), ("files", "{}")];
        let path = "/agents/A/agentAliases/B/sessions/s/text";
        let got = asked(path, r#"{"inputText":"What time is it?","enableTrace":true}"#, &events).unwrap().remove(0);
        assert_eq!(talk(&got), ["user: What time is it?", "assistant: It is nine."]);
        assert!(got.metadata.unwrap().contains(r#"[{"enableTrace":true},{"trace":{"step":1}}]"#));
    }

    #[test]
    fn streams_that_are_not_known_or_broken_are_rejects() {
        let path = "/model/m/converse-stream";
        for (events, reason) in [
            (&[("hologram", "{}")][..], Reason::StreamedAnswer),
            (&[("messageStart", "{}")], Reason::StreamedAnswer),
            (&[("contentBlockDelta", r#"{"contentBlockIndex":7,"delta":{"text":"a"}}"#)], Reason::StreamedAnswer),
            (&[("contentBlockDelta", "no json")], Reason::StreamedAnswer),
            (&[("chunk", r#"{"bytes":"?"}"#)], Reason::StreamedAnswer),
        ] {
            assert_eq!(asked(path, ASKED, events), Err(reason), "{events:?}");
        }
        let failed = hex(&[("messageStart", "{}")]).replace(&hex_of("event-type"), &hex_of("errors-are"));
        let failed = failed.replace(&hex_of("\u{7}\0\u{5}event"), &hex_of("\u{7}\0\u{5}error"));
        let json = format!(r#"{{"path":"{path}","body":{ASKED},"response":"{failed}"}}"#);
        assert_eq!(get(&json), Err(Reason::FailedCall));
    }

    fn hex_of(text: &str) -> String {
        text.bytes().map(|byte| format!("{byte:02x}")).collect()
    }
}
