//! Formats that are read through a [`Json`] tree: one file each, and what they share.
//!
//! Not here: OpenAI chat, ShareGPT and HH rows, which `parse` reads in one pass without a tree;
//! formats whose conversations lie in more than one record.
//!
//! Always: a record is read whole or rejected whole. What a format does not name goes to
//! `metadata`, where redaction walks it; nothing is passed through unscanned.

mod anthropic;
mod arena;
mod azure_apim;
mod bedrock;
mod bedrock_stream;
pub mod caller;
mod dialects;
mod event_stream;
mod exchange;
mod extra;
mod http_recording;
mod instruction;
pub mod judged;
mod langfuse;
mod litellm;
pub mod messages;
mod oasst;
mod openai_exchange;
mod openai_responses;
mod openinference;
mod otel;
pub mod pieces;
mod row;
mod trl;
mod wildchat;

use super::Reason;
use super::tree::Json;
use crate::config::Format;
use crate::record::{Conversation, Message};
use exchange::Api;

/// What one record gives. An empty list is not an answer: a record without a conversation is a
/// reject with a reason.
pub type Read = Result<Vec<Conversation>, Reason>;

/// What the conversations of one record may hold together. Choices, leaves and spans repeat what
/// stands before them, so that a record of 16 MB could ask for a terabyte. Chosen by feel.
const MOST_BYTES: usize = 256 << 20;

/// What is left of [`MOST_BYTES`].
struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Room(MOST_BYTES)
    }
}

impl Room {
    /// The conversation, if there is room for it.
    fn take(&mut self, one: Conversation) -> Result<Conversation, Reason> {
        let calls = |message: &Message| message.tool_calls.iter().map(|call| call.arguments.len()).sum::<usize>();
        let said = one.messages.iter().map(|message| size_of::<Message>() + message.content.len() + calls(message));
        let beside = [&one.tools, &one.metadata].into_iter().flatten().map(String::len);
        let bytes: usize = said.chain(beside).sum();
        self.0 = self.0.checked_sub(bytes).ok_or(Reason::TooManyMessages)?;
        Ok(one)
    }
}

/// A format: its name in the pipeline file, whether a record has its shape, and its reader.
struct Reader {
    format: Format,
    fits: fn(&Json) -> bool,
    read: fn(&Json) -> Read,
}

/// In the order in which shapes are tried; no record fits two.
const READERS: &[Reader] = &[
    Reader { format: Format::OpenaiExchange, fits: openai_exchange::fits, read: openai_exchange::read },
    Reader { format: Format::OpenaiResponses, fits: openai_responses::fits, read: openai_responses::read },
    Reader { format: Format::Anthropic, fits: anthropic::fits, read: anthropic::read },
    Reader { format: Format::Litellm, fits: litellm::fits, read: litellm::read },
    Reader { format: Format::Openinference, fits: openinference::fits, read: openinference::read },
    Reader { format: Format::Otel, fits: otel::fits, read: otel::read },
    Reader { format: Format::Langfuse, fits: langfuse::fits, read: langfuse::read },
    Reader { format: Format::Oasst, fits: oasst::fits, read: oasst::read },
    Reader { format: Format::AzureApim, fits: azure_apim::fits, read: azure_apim::read },
    Reader { format: Format::Wildchat, fits: wildchat::fits, read: wildchat::read },
    Reader { format: Format::Arena, fits: arena::fits, read: arena::read },
    Reader { format: Format::Instruction, fits: instruction::fits, read: instruction::read },
    Reader { format: Format::Trl, fits: trl::fits, read: trl::read },
    Reader { format: Format::Judged, fits: judged::fits, read: judged::read },
    Reader { format: Format::Bedrock, fits: bedrock::fits, read: bedrock::read },
    Reader { format: Format::HttpRecording, fits: http_recording::fits, read: http_recording::read },
];

/// The conversations of a record in the format named, or in the one whose shape it has.
pub fn read(record: &Json, format: Option<Format>) -> Read {
    let reader = match format {
        Some(named) => READERS.iter().find(|reader| reader.format == named),
        None => fitting(record),
    };
    reader.map_or(Err(Reason::BadShape), |reader| (reader.read)(record))
}

/// The format whose shape a record has.
pub fn fits(record: &Json) -> Option<Format> {
    fitting(record).map(|reader| reader.format)
}

/// The first that fits. Those of API calls stand first and are told by one look, which may have to
/// read JSON inside of texts.
fn fitting(record: &Json) -> Option<&'static Reader> {
    let (of_apis, others) = READERS.split_at(Api::COUNT);
    match exchange::api(record).map(Api::format) {
        Some(format) => of_apis.iter().find(|reader| reader.format == format),
        None => others.iter().find(|reader| (reader.fits)(record)),
    }
}

/// Everything of an object but the keys named, as a JSON object; nothing if nothing is left.
pub fn rest(record: &Json, used: &[&str]) -> Option<String> {
    let mut left = extra::beside(record, used).map(|(key, value)| (key.as_ref(), value)).peekable();
    left.peek().is_some().then(|| Json::object_json(left))
}

/// A time as loggers write it: seconds (or milliseconds, from 1e11 on) since 1970, RFC 3339, or
/// nearly so (`2024-05-29 13:46:19.963+02`). A time that names no offset is taken as UTC.
/// Microseconds since 1970.
pub fn time_us(value: &Json) -> Option<i64> {
    match value {
        Json::Number(_) => {
            let number = value.number()?;
            let seconds = if number.abs() < 1e11 { number } else { number / 1e3 };
            (seconds.abs() < 1e11).then_some((seconds * 1e6) as i64)
        }
        Json::Text(text) => {
            let rfc3339 = chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_micros());
            // `T` or a space between date and time; offsets of hours alone, or without a colon.
            let spaced = || text.replacen('T', " ", 1);
            let zoned = || chrono::DateTime::parse_from_str(&spaced(), "%Y-%m-%d %H:%M:%S%.f%#z").ok();
            let plain = || chrono::NaiveDateTime::parse_from_str(&spaced(), "%Y-%m-%d %H:%M:%S%.f").ok();
            let utc = || plain().map(|time| time.and_utc().timestamp_micros());
            rfc3339.or_else(|| zoned().map(|time| time.timestamp_micros())).or_else(utc)
        }
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::record::Message;

    #[test]
    fn offsets_count_and_times_without_one_are_utc() {
        for (json, us) in [
            (r#""1970-01-01T02:00:01+02:00""#, Some(1_000_000)),
            (r#""1970-01-01 02:00:01.5+02:00""#, Some(1_500_000)),
            (r#""1970-01-01T02:00:01+0200""#, Some(1_000_000)),
            (r#""1969-12-31 19:00:01-05""#, Some(1_000_000)),
            (r#""1970-01-01T00:00:01Z""#, Some(1_000_000)),
            (r#""1970-01-01 00:00:01""#, Some(1_000_000)),
            (r#""1970-01-01T00:00:01.000001""#, Some(1_000_001)),
            ("1", Some(1_000_000)),
            ("1700000000123", Some(1_700_000_000_123_000)),
            (r#""1970-01-01 00:00:01 CET""#, None),
            (r#""soon""#, None),
        ] {
            assert_eq!(time_us(&serde_json::from_str(json).unwrap()), us, "{json}");
        }
    }

    /// What is read of a record in the format that it fits.
    pub fn get(json: &str) -> Read {
        let record: Json = serde_json::from_str(json).unwrap();
        assert!(fits(&record).is_some(), "{json}");
        read(&record, None)
    }

    /// Messages as `role: content`, calls as `name(arguments)`.
    pub fn talk(conversation: &Conversation) -> Vec<String> {
        let line = |message: &Message| {
            let calls: Vec<_> = message.tool_calls.iter().map(|it| format!("{}({})", it.name, it.arguments)).collect();
            format!("{}: {}{}", message.role.as_str(), message.content, calls.join(" "))
        };
        conversation.messages.iter().map(line).collect()
    }

    /// The smallest records of all formats that are known, also of those that are read elsewhere or
    /// not at all, with the one format here that each fits.
    #[test]
    fn a_record_fits_its_own_format_alone() {
        for (json, expected) in [
            (r#"{"messages":[{"role":"user","content":"hi"}]}"#, None),
            (r#"{"conversations":[{"from":"human","value":"hi"}],"system":"","tools":""}"#, None),
            (r#"{"chosen":"\n\nHuman: hi\n\nAssistant: hello","rejected":"\n\nHuman: hi\n\nAssistant: no"}"#, None),
            (
                r#"{"request":{"model":"m","messages":[]},"response":{"id":"c","object":"chat.completion","choices":[]}}"#,
                Some(Format::OpenaiExchange),
            ),
            (
                r#"{"object":"list","data":[{"id":"c-0","role":"user","content":"hi"}],"has_more":false}"#,
                Some(Format::OpenaiExchange),
            ),
            (r#"{"custom_id":"x","result":{"type":"succeeded","message":{}}}"#, Some(Format::Anthropic)),
            (
                r#"{"TimeGenerated":"2026-11-01T00:00:00Z","CorrelationId":"c1","RequestMessages":[],"ResponseMessages":[]}"#,
                Some(Format::AzureApim),
            ),
            (
                r#"{"id":"1","trace_id":"t","call_type":"acompletion","messages":[],"response":{"choices":[]},"metadata":{}}"#,
                None,
            ),
            (
                r#"{"message_tree_id":"t","tree_state":"x","prompt":{"message_id":"m1","role":"prompter","text":"a"}}"#,
                Some(Format::Oasst),
            ),
            (
                r#"{"conversation_hash":"h","model":"m","conversation":[{"role":"user","content":"hi"}]}"#,
                Some(Format::Wildchat),
            ),
            (
                r#"{"question_id":"q","model_a":"x","model_b":"y","winner":"tie","conversation_a":[],"conversation_b":[]}"#,
                Some(Format::Arena),
            ),
            (
                r#"{"id":"o1","trace_id":"t1","type":"GENERATION","input":"[]","output":"hello"}"#,
                Some(Format::Langfuse),
            ),
            (r#"{"gen_ai.operation.name":"chat","gen_ai.input.messages":"[]"}"#, Some(Format::Otel)),
            (
                r#"{"openinference.span.kind":"LLM","llm.input_messages.0.message.role":"user","llm.input_messages.0.message.content":"hi"}"#,
                Some(Format::Openinference),
            ),
        ] {
            let record: Json = serde_json::from_str(json).unwrap();
            let fitting: Vec<_> = READERS.iter().filter(|one| (one.fits)(&record)).map(|one| one.format).collect();
            assert_eq!(fitting, Vec::from_iter(expected), "{json}");
        }
    }

    #[test]
    fn a_prompt_is_not_repeated_without_end() {
        let prompt = "x".repeat(1 << 20);
        let choice = r#"{"message":{"role":"assistant","content":"y"}}"#;
        let reply = r#"{"role":"assistant","text":"y"}"#;
        for (count, fits) in [(200, true), (300, false)] {
            let many = |one: &str| vec![one; count].join(",");
            for json in [
                format!(
                    r#"{{"request":{{"messages":[{{"role":"user","content":"{prompt}"}}]}},"response":{{"object":"chat.completion","choices":[{}]}}}}"#,
                    many(choice)
                ),
                format!(
                    r#"{{"message_tree_id":"t","prompt":{{"role":"prompter","text":"{prompt}","replies":[{}]}}}}"#,
                    many(reply)
                ),
            ] {
                let read = read(&serde_json::from_str(&json).unwrap(), None);
                let expected = if fits { Ok(count) } else { Err(Reason::TooManyMessages) };
                assert_eq!(read.map(|all| all.len()), expected);
            }
        }
    }

    #[test]
    fn formats_of_api_calls_stand_first() {
        let of_apis = [Api::OpenaiChat, Api::OpenaiResponses, Api::Anthropic, Api::Litellm].map(Api::format);
        assert_eq!(READERS[..Api::COUNT].iter().map(|reader| reader.format).collect::<Vec<_>>(), of_apis);
    }

    /// Every record of every fixture fits the format of its file or none, never two.
    #[test]
    fn no_record_fits_two_formats() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats");
        let mut seen = 0;
        for reader in READERS {
            let text = std::fs::read_to_string(folder.join(format!("{}.jsonl", reader.format.name()))).unwrap();
            let mut own = 0;
            for line in text.lines() {
                let Ok(record) = serde_json::from_str::<Json>(line) else { continue };
                let fitting: Vec<_> = READERS.iter().filter(|one| (one.fits)(&record)).map(|one| one.format).collect();
                assert!(fitting.len() < 2, "{fitting:?}: {line}");
                own += usize::from(fitting == [reader.format]);
            }
            assert!(own > 3, "{:?} fits only {own} records of its own fixture", reader.format);
            seen += own;
        }
        assert!(seen > 80, "{seen}");
    }
}
