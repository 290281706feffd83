//! OASST rows, one message each (`.messages.jsonl`): rows of one `message_tree_id` become the
//! nested tree that the `oasst` format reads.
//!
//! Always: replies stand in the order of their ids, so that the order of rows does not show; a row
//! whose parent is not there makes the tree a reject, because half a tree says who is best among
//! whom wrongly.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::Reason;
use super::super::tree::Json;
use super::{Part, entries};
use crate::config::Format;

pub fn part(record: &Json) -> Option<Part> {
    let is_row = record.text_of("message_id").is_some()
        && record.text_of("text").is_some()
        && record.text_of("role").is_some()
        && !record.has("replies");
    let key = record.text_of("message_tree_id").filter(|_| is_row)?;
    Some(Part { format: Some(Format::Oasst), key: key.to_owned(), is_global: true, order: 0 })
}

pub fn whole<'a>(parts: Vec<Json<'a>>) -> Result<Json<'a>, Reason> {
    let mut children: BTreeMap<Option<String>, BTreeMap<String, Json<'a>>> = BTreeMap::new();
    let (mut rows, mut tree_id) = (parts.len(), None);
    for part in parts {
        let id = part.text_of("message_id").ok_or(Reason::BadShape)?.to_owned();
        let parent = part.text_of("parent_id").map(str::to_owned);
        tree_id = part.get("message_tree_id").cloned().or(tree_id);
        if children.entry(parent).or_default().insert(id, part).is_some() {
            return Err(Reason::AmbiguousJoin);
        }
    }
    let mut roots = children.remove(&None).unwrap_or_default();
    let (id, root) = roots.pop_first().ok_or(Reason::NoMessages)?;
    if !roots.is_empty() {
        return Err(Reason::AmbiguousJoin);
    }
    let root = grown(&id, root, &mut children, (&mut rows, DEEPEST))?;
    if rows > 0 {
        return Err(Reason::NoMessages);
    }
    let id = (Cow::Borrowed("message_tree_id"), tree_id.unwrap_or(Json::Null));
    Ok(Json::Object(vec![id, (Cow::Borrowed("prompt"), root)]))
}

/// Replies to replies, far more than people write; trees are walked on the stack.
const DEEPEST: u32 = 512;

/// A message with its replies; `left` counts down the rows that have found their place.
fn grown<'a>(
    id: &str,
    message: Json<'a>,
    children: &mut BTreeMap<Option<String>, BTreeMap<String, Json<'a>>>,
    (left, depth): (&mut usize, u32),
) -> Result<Json<'a>, Reason> {
    if depth == 0 {
        return Err(Reason::TooDeep);
    }
    *left -= 1;
    let mut replies = Vec::new();
    for (id, reply) in children.remove(&Some(id.to_owned())).unwrap_or_default() {
        replies.push(grown(&id, reply, children, (left, depth - 1))?);
    }
    let mut message = entries(message);
    message.push((Cow::Borrowed("replies"), Json::List(replies)));
    Ok(Json::Object(message))
}
