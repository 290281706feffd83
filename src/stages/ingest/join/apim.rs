//! Rows of `ApiManagementGatewayLlmLog` (learn.microsoft.com, Azure Monitor table reference): one
//! call spans rows that share `CorrelationId`, counted by `SequenceNumber`.
//!
//! Always: lists of messages are put one behind the other; a text that is no JSON by itself was
//! cut where it was too long, and is put together first.

use std::borrow::Cow;

use super::super::Reason;
use super::super::tree::Json;
use super::{Part, add, entries, position};
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
    let mut whole: Vec<(Cow<'a, str>, Json<'a>)> = Vec::new();
    for part in parts {
        let (talk, rest): (Vec<_>, Vec<_>) =
            entries(part).into_iter().partition(|(key, _)| TALK.contains(&key.as_ref()));
        add(&mut whole, rest);
        for (key, value) in talk {
            match whole.iter_mut().find(|(name, _)| *name == key) {
                None => whole.push((key, value)),
                Some((_, known)) => behind(known, value)?,
            }
        }
    }
    Ok(Json::Object(whole))
}

fn behind<'a>(known: &mut Json<'a>, more: Json<'a>) -> Result<(), Reason> {
    match (known, more) {
        (_, Json::Null) => {}
        (Json::List(known), Json::List(more)) => known.extend(more),
        (Json::Text(known), Json::Text(more)) => match (Json::parsed(known), Json::parsed(&more)) {
            (Some(Json::List(mut one)), Some(Json::List(other))) => {
                one.extend(other);
                *known = Cow::Owned(Json::List(one).json());
            }
            _ => known.to_mut().push_str(&more),
        },
        (known @ Json::Null, more) => *known = more,
        _ => return Err(Reason::BadShape),
    }
    Ok(())
}
