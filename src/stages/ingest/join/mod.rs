//! Conversations that lie in several records: which records belong together, and how they become
//! the one record that a format or a mapping reads.
//!
//! Not here: bringing them together (`runner::join`). What travels there has been redacted.
//!
//! Always: what belongs together is told by a key that the records carry, never by their
//! neighbourhood; what cannot be told apart (two inputs under one key) is a reject, not a guess.

mod apim;
mod batch;
mod questions;
mod stored;
mod tree;

use std::borrow::Cow;
use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reason;
use super::formats::time_us;
use super::mapping::path::Path;
use super::tree::{Json, Places};
use crate::config::Format;

/// How the records of a source without a known format belong together; a mapping then reads
/// `{"records": [..]}`, for example with `messages = "records[*]"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// Path to what the records of one conversation share.
    pub key: String,
    /// Path to a number or a time that orders them; without it their order in the file does.
    pub order: Option<String>,
}

/// A join whose paths were read.
#[derive(Clone, Debug)]
pub struct Keyed {
    key: Path,
    order: Option<Path>,
}

impl Join {
    /// An error names the key.
    pub fn compile(&self) -> Result<Keyed, String> {
        let path = |name: &str, text: &str| {
            let path = Path::parse(text).map_err(|what| format!("{name}: {what}"))?;
            if path.is_many() { Err(format!("{name}: leads to many values; take [*] out")) } else { Ok(path) }
        };
        let order = self.order.as_deref().map(|text| path("order", text)).transpose()?;
        Ok(Keyed { key: path("key", &self.key)?, order })
    }
}

/// How the records of a source are joined.
#[derive(Clone, Debug, Default)]
pub enum Joining {
    /// Where their shape says that they are parts of a known format.
    #[default]
    Told,
    /// All of them, by a key.
    By(Keyed),
    /// They were joined already.
    Done,
}

/// What a record says of the conversation that it is a part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Nothing where a mapping reads the whole.
    pub format: Option<Format>,
    pub key: String,
    /// Whether the key means the same in every source; else only among those that one entry of
    /// the pipeline names.
    pub is_global: bool,
    pub order: i64,
}

/// The part that a record is, if it is one; of the format that is named, or of any.
pub fn part(record: &Json, joining: &Joining, named: Option<Format>) -> Result<Option<Part>, Reason> {
    match joining {
        Joining::Done => Ok(None),
        Joining::Told => Ok(told(record).filter(|part| named.is_none() || part.format == named)),
        Joining::By(Keyed { key, order }) => {
            // A table's empty cell is no key.
            let key = key.one(record).and_then(Json::scalar).filter(|key| !key.is_empty()).ok_or(Reason::BadShape)?;
            let order = order.as_ref().and_then(|path| path.one(record)).map_or(0, position);
            Ok(Some(Part { format: None, key, is_global: false, order }))
        }
    }
}

/// The format whose part a record is, told by its shape.
pub fn told(record: &Json) -> Option<Part> {
    apim::part(record)
        .or_else(|| tree::part(record))
        .or_else(|| stored::part(record))
        .or_else(|| batch::part(record))
        .or_else(|| questions::part(record))
}

/// One record out of its parts, which are in their order and not all the same.
pub fn whole<'a>(mut parts: Vec<Json<'a>>, format: Option<Format>) -> Result<Json<'a>, Reason> {
    // Delivered twice.
    let mut seen = HashSet::new();
    parts.retain(|part| seen.insert(part.json()));
    match format {
        None => Ok(Json::Object(vec![(Cow::Borrowed("records"), Json::List(parts))])),
        Some(Format::AzureApim) => apim::whole(parts),
        Some(Format::Oasst) => tree::whole(parts),
        Some(Format::Judged) => questions::whole(parts),
        Some(_) if parts.iter().any(|part| batch::part(part).is_some()) => batch::whole(parts),
        Some(_) => stored::whole(parts),
    }
}

/// A place in an order: millionths of a number, microseconds of a time.
fn position(value: &Json) -> i64 {
    let number = match value {
        Json::Number(_) => value.number(),
        Json::Text(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    number.map(|number| (number * 1e6) as i64).or_else(|| time_us(value)).unwrap_or(0)
}

/// A record that grows by its parts.
#[derive(Default)]
struct Growing<'a> {
    entries: Vec<(Cow<'a, str>, Json<'a>)>,
    places: Places,
}

impl<'a> Growing<'a> {
    fn value(&mut self, key: &str) -> Option<&mut Json<'a>> {
        let at = self.places.find(&self.entries, key)?;
        Some(&mut self.entries[at].1)
    }

    /// Adds the keys of a part; what both say differently stays with the first, and the other's
    /// goes under `joined`.
    fn add(&mut self, part: Vec<(Cow<'a, str>, Json<'a>)>) {
        let mut differs = Vec::new();
        for (key, value) in part {
            match self.value(&key) {
                None => self.entries.push((key, value)),
                Some(known) if *known == Json::Null => *known = value,
                Some(known) if *known == value || value == Json::Null => {}
                Some(_) => differs.push((key, value)),
            }
        }
        if differs.is_empty() {
            return;
        }
        match self.value("joined") {
            Some(Json::List(list)) => list.push(Json::Object(differs)),
            _ => self.entries.push((Cow::Borrowed("joined"), Json::List(vec![Json::Object(differs)]))),
        }
    }
}

fn entries<'a>(part: Json<'a>) -> Vec<(Cow<'a, str>, Json<'a>)> {
    match part {
        Json::Object(entries) => entries,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn json(text: &str) -> Json<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn parts_are_told_by_their_shape() {
        for (text, expected) in [
            (r#"{"messages":[{"role":"user","content":"hi"}]}"#, None),
            (r#"{"CorrelationId":"c1","SequenceNumber":2,"RequestMessages":[]}"#, Some(("c1", true, 2_000_000))),
            (r#"{"CorrelationId":"c1","RequestMessages":[]}"#, Some(("c1", true, 0))),
            (
                r#"{"message_id":"m","parent_id":null,"message_tree_id":"t","text":"a","role":"prompter"}"#,
                Some(("t", true, 0)),
            ),
            (r#"{"message_id":"m","message_tree_id":"t","text":"a","role":"prompter","replies":[]}"#, None),
            (r#"{"custom_id":"r1","url":"/v1/chat/completions","body":{"messages":[]}}"#, Some(("r1", false, 0))),
            (
                r#"{"custom_id":"r1","response":{"status_code":200,"body":{"choices":[]}},"error":null}"#,
                Some(("r1", false, 1)),
            ),
            (r#"{"custom_id":"r1","body":{"messages":[]},"response":{"status_code":200,"body":{}}}"#, None),
            (r#"{"custom_id":"a1","params":{"messages":[]}}"#, Some(("a1", false, 0))),
            (r#"{"custom_id":"a1","result":{"type":"succeeded","message":{}}}"#, Some(("a1", false, 1))),
            (r#"{"id":"chatcmpl-9","object":"chat.completion","choices":[]}"#, Some(("chatcmpl-9", true, i64::MAX))),
            (
                r#"{"object":"list","data":[{"id":"chatcmpl-9-2","role":"user","content":"hi"}]}"#,
                Some(("chatcmpl-9", true, 2)),
            ),
            (r#"{"object":"list","data":[{"id":"m1","role":"user","content":"hi"}]}"#, None),
            (r#"{"question_id":81,"category":"x","turns":["a","b"]}"#, Some(("81", false, 0))),
            (r#"{"question_id":81,"model_id":"m","choices":[{"turns":["a"]}]}"#, Some(("81", false, 1))),
            (
                r#"{"question_id":81,"model_a":"m","model_b":"n","winner":"m","judgment_ab":"x","judgment_ba":"y"}"#,
                None,
            ),
        ] {
            let found = told(&json(text)).map(|part| (part.key, part.is_global, part.order));
            assert_eq!(found, expected.map(|(key, global, order)| (key.to_owned(), global, order)), "{text}");
        }
    }

    /// Work that grows with the square of the parts, or of their keys, would show here as minutes.
    #[test]
    fn many_parts_are_joined_in_time() {
        let count = 60_000;
        let row = |at: usize, talk: &str| format!(r#"{{"CorrelationId":"c","n{at}":1,"RequestMessages":{talk}}}"#);
        let list = |at: usize| row(at, r#"[{"role":"user","content":"a"}]"#);
        let text = |at: usize| row(at, r#""[{\"role\":\"user\",\"content\":\"a\"}]""#);
        // One list, cut into as many pieces.
        let cut = |at: usize| match at {
            0 => row(at, r#""[[]""#),
            last if last + 1 == count => row(at, r#"",[]]""#),
            _ => row(at, r#"",[]""#),
        };
        for (name, of) in [("lists", &list as &dyn Fn(usize) -> String), ("texts", &text), ("pieces", &cut)] {
            let texts: Vec<String> = (0..count).map(of).collect();
            let parts = texts.iter().map(|text| json(text)).collect();
            let began = std::time::Instant::now();
            let whole = whole(parts, Some(Format::AzureApim)).unwrap();
            assert!(began.elapsed() < std::time::Duration::from_secs(10), "{name}: {:?}", began.elapsed());
            let talk = whole.get("RequestMessages").unwrap();
            let parsed = talk.text().and_then(Json::parsed);
            let items = parsed.as_ref().unwrap_or(talk).list().map(<[Json]>::len);
            assert_eq!((whole.entries().map(<[_]>::len), items), (Some(count + 2), Some(count)), "{name}");
        }
    }

    #[test]
    fn any_records_are_joined_by_a_key_and_an_order() {
        let join = Join { key: "s.id".into(), order: Some("at".into()) };
        let by = Joining::By(join.compile().unwrap());
        for (text, expected) in [
            (r#"{"s":{"id":7},"at":"2026-01-01T00:00:01Z"}"#, Ok(("7", 1_767_225_601_000_000))),
            (r#"{"s":{"id":"x"},"at":1.5}"#, Ok(("x", 1_500_000))),
            (r#"{"s":{"id":"x"},"at":" 3 "}"#, Ok(("x", 3_000_000))),
            (r#"{"s":{"id":"x"}}"#, Ok(("x", 0))),
            (r#"{"s":{}}"#, Err(Reason::BadShape)),
            (r#"{"s":{"id":""}}"#, Err(Reason::BadShape)),
        ] {
            let found = part(&json(text), &by, None).map(|part| part.map(|part| (part.key, part.order)));
            assert_eq!(found, expected.map(|(key, order)| Some((key.to_owned(), order))), "{text}");
        }
        let whole = whole(vec![json(r#"{"a":1}"#), json(r#"{"a":1}"#), json(r#"{"a":2}"#)], None).unwrap();
        assert_eq!(whole.json(), r#"{"records":[{"a":1},{"a":2}]}"#);
        assert!(Join { key: "a[*]".into(), order: None }.compile().unwrap_err().starts_with("key: "));
    }

    #[test]
    fn parts_become_the_record_that_a_format_reads() {
        for (parts, format, expected) in [
            (
                vec![
                    r#"{"CorrelationId":"c","SequenceNumber":0,"ModelName":"m","RequestMessages":[{"role":"user","content":"a"}]}"#,
                    r#"{"CorrelationId":"c","SequenceNumber":1,"RequestMessages":[],"ResponseMessages":[{"content":"b"}]}"#,
                ],
                Format::AzureApim,
                r#"{"CorrelationId":"c","SequenceNumber":0,"ModelName":"m","RequestMessages":[{"role":"user","content":"a"}],"joined":[{"SequenceNumber":1}],"ResponseMessages":[{"content":"b"}]}"#,
            ),
            // Lists as texts, of which one was cut.
            (
                vec![
                    r#"{"CorrelationId":"c","RequestMessages":"[{\"a\":\"]\\\"\"}]"}"#,
                    r#"{"CorrelationId":"c","RequestMessages":"[{\"b\":"}"#,
                    r#"{"CorrelationId":"c","RequestMessages":"1}]"}"#,
                ],
                Format::AzureApim,
                r#"{"CorrelationId":"c","RequestMessages":"[{\"a\":\"]\\\"\"},{\"b\":1}]"}"#,
            ),
            (
                vec![
                    r#"{"CorrelationId":"c","ResponseMessages":"wait"}"#,
                    r#"{"CorrelationId":"c","ResponseMessages":"ing"}"#,
                ],
                Format::AzureApim,
                r#"{"CorrelationId":"c","ResponseMessages":"waiting"}"#,
            ),
            // A text that was cut where it was too long.
            (
                vec![
                    r#"{"CorrelationId":"c","RequestMessages":"[{\"role\":\"us"}"#,
                    r#"{"CorrelationId":"c","RequestMessages":"er\",\"content\":\"a\"}]"}"#,
                ],
                Format::AzureApim,
                r#"{"CorrelationId":"c","RequestMessages":"[{\"role\":\"user\",\"content\":\"a\"}]"}"#,
            ),
            (
                vec![
                    r#"{"custom_id":"r","body":{"messages":[]}}"#,
                    r#"{"custom_id":"r","id":"b","response":{"body":{}}}"#,
                ],
                Format::OpenaiExchange,
                r#"{"custom_id":"r","body":{"messages":[]},"id":"b","response":{"body":{}}}"#,
            ),
            (
                vec![
                    r#"{"object":"list","data":[{"id":"c-0","role":"user","content":"a"}],"has_more":true}"#,
                    r#"{"object":"list","data":[{"id":"c-1","role":"user","content":"b"}],"has_more":false}"#,
                    r#"{"id":"c","object":"chat.completion","choices":[]}"#,
                ],
                Format::OpenaiExchange,
                r#"{"request":{"messages":[{"id":"c-0","role":"user","content":"a"},{"id":"c-1","role":"user","content":"b"}]},"response":{"id":"c","object":"chat.completion","choices":[]}}"#,
            ),
            (
                vec![
                    r#"{"message_id":"b","parent_id":"a","message_tree_id":"a","text":"2","role":"assistant","rank":0}"#,
                    r#"{"message_id":"a","parent_id":null,"message_tree_id":"a","tree_state":"x","text":"1","role":"prompter"}"#,
                ],
                Format::Oasst,
                r#"{"message_tree_id":"a","prompt":{"message_id":"a","parent_id":null,"message_tree_id":"a","tree_state":"x","text":"1","role":"prompter","replies":[{"message_id":"b","parent_id":"a","message_tree_id":"a","text":"2","role":"assistant","rank":0,"replies":[]}]}}"#,
            ),
        ] {
            let parts = parts.into_iter().map(json).collect();
            assert_eq!(whole(parts, Some(format)).unwrap().json(), expected);
        }
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        for (parts, format, reason) in [
            (
                [r#"{"custom_id":"r","body":{"a":1}}"#, r#"{"custom_id":"r","body":{"a":2}}"#],
                Format::OpenaiExchange,
                Reason::AmbiguousJoin,
            ),
            (
                [
                    r#"{"message_id":"b","parent_id":"gone","message_tree_id":"a","text":"2","role":"assistant"}"#,
                    r#"{"message_id":"a","message_tree_id":"a","text":"1","role":"prompter"}"#,
                ],
                Format::Oasst,
                Reason::NoMessages,
            ),
            (
                [
                    r#"{"message_id":"a","message_tree_id":"a","text":"2","role":"prompter"}"#,
                    r#"{"message_id":"a","message_tree_id":"a","text":"1","role":"prompter"}"#,
                ],
                Format::Oasst,
                Reason::AmbiguousJoin,
            ),
        ] {
            assert_eq!(whole(parts.map(json).to_vec(), Some(format)).err(), Some(reason));
        }
    }
}
