//! Rows of `ApiManagementGatewayLlmLog` (learn.microsoft.com, Azure Monitor table reference): one
//! call spans rows that share `CorrelationId`, counted by `SequenceNumber`.
//!
//! Always: lists of messages are put one behind the other; a text that is no JSON by itself was
//! cut where it was too long, and is put together first.

use std::borrow::Cow;

use super::super::Reason;
use super::super::tree::Json;
use super::{Growing, Part, entries, position};
use crate::config::Format;

const TALK: [&str; 2] = ["RequestMessages", "ResponseMessages"];

pub fn part(record: &Json) -> Option<Part> {
    if !TALK.iter().any(|key| record.has(key)) {
        return None;
    }
    let key = record.get("CorrelationId").and_then(Json::scalar)?;
    let order = record.get("SequenceNumber").map_or(0, position);
    Some(Part { format: Some(Format::AzureApim), key, is_global: true, order })
}

pub fn whole<'a>(parts: Vec<Json<'a>>) -> Result<Json<'a>, Reason> {
    let mut whole = Growing::default();
    let mut talks: [Vec<Json<'a>>; 2] = Default::default();
    for part in parts {
        let (talk, rest): (Vec<_>, Vec<_>) =
            entries(part).into_iter().partition(|(key, _)| TALK.contains(&key.as_ref()));
        whole.add(rest);
        for (key, value) in talk {
            let values = &mut talks[usize::from(key == TALK[1])];
            if values.is_empty() {
                whole.entries.push((key, Json::Null));
            }
            values.push(value);
        }
    }
    for (key, values) in TALK.into_iter().zip(talks) {
        if let Some(place) = whole.value(key) {
            *place = together(values)?;
        }
    }
    Ok(Json::Object(whole.entries))
}

/// The values of one key, in the order of their rows, as one: lists, or texts.
fn together<'a>(values: Vec<Json<'a>>) -> Result<Json<'a>, Reason> {
    let mut values: Vec<Json> = values.into_iter().filter(|value| *value != Json::Null).collect();
    if values.len() < 2 {
        return Ok(values.pop().unwrap_or(Json::Null));
    }
    let (mut items, mut texts) = (Vec::new(), Vec::new());
    for value in values {
        match value {
            Json::List(more) if texts.is_empty() => items.extend(more),
            Json::Text(text) if items.is_empty() => texts.push(text),
            _ => return Err(Reason::BadShape),
        }
    }
    if texts.is_empty() {
        return Ok(Json::List(items));
    }
    Ok(Json::Text(Cow::Owned(listed(&texts).unwrap_or_else(|| texts.concat()))))
}

/// Lists in texts as the text of one list; nothing if the texts are no lists, whole or cut.
fn listed(texts: &[Cow<str>]) -> Option<String> {
    let mut pieces = Vec::new();
    let mut cut = Cut::default();
    for text in texts {
        match pieces.last_mut() {
            Some(open) if cut.depth > 0 => String::push_str(open, text),
            _ => pieces.push(text.clone().into_owned()),
        }
        cut.go_over(text);
    }
    let mut all = Vec::new();
    for piece in &pieces {
        let Some(Json::List(items)) = Json::parsed(piece) else { return None };
        all.extend(items);
    }
    Some(Json::List(all).json())
}

/// How many brackets are open where a text was cut. Reading all of the text again at each cut
/// would take time that grows with the square of their number.
#[derive(Default)]
struct Cut {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Cut {
    fn go_over(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                b'{' | b'[' if !self.in_string => self.depth += 1,
                b'}' | b']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }
}
