//! Langfuse: observation rows of the blob export, and trace JSON exports (formats.md 2.5).
//!
//! Not here: scores, manifests. Always: only observations of type GENERATION are read; a call of a
//! trace that gives no conversation of its own is named in the first one's metadata.

use std::borrow::Cow;

use super::super::Reason;
use super::super::tree::Json;
use super::dialects::Turns;
use super::{Read, caller, row, time_us};
use crate::record::{Conversation, Role};

/// Whether a record is an observation row or a trace.
pub fn fits(record: &Json) -> bool {
    let trace = record.list_of("observations").is_some() && (record.has("trace") || record.has("projectId"));
    let row = record.has("type") && (record.has("trace_id") || record.has("traceId"));
    trace || (row && record.has("id") && (record.has("input") || record.has("output")))
}

/// The conversations of an observation row or a trace.
pub fn read(record: &Json) -> Read {
    let Some(observations) = record.list_of("observations") else {
        let one = if is_generation(record) { generation(record, record) } else { Err(Reason::NotAGeneration) };
        return one.map(|one| vec![one]);
    };
    // A generation without input and output logs that a call began or ended, not what was said.
    let said = |one: &&Json| is_generation(one) && row::has_any(one, &["input", "output"]);
    gather(observations.iter().filter(said).map(|one| (text_id(one), generation(one, record))).collect())
}

/// The calls of one record as conversations: what another repeats as its beginning is kept once, and calls that
/// cannot be read are named in the first one's metadata.
pub fn gather(calls: Vec<(Option<String>, Result<Conversation, Reason>)>) -> Read {
    let (mut kept, mut skipped) = (Vec::new(), Vec::new());
    for (id, call) in calls {
        match call {
            Ok(one) => kept.push(one),
            // Spans of other work lie between the calls of a model.
            Err(Reason::NoMessages | Reason::NotAGeneration) => {}
            Err(reason) => skipped.push((id, reason)),
        }
    }
    let (mut kept, covered) = without_prefixes(kept);
    let Some(first) = kept.first_mut() else {
        return Err(skipped.first().map_or(Reason::NoMessages, |(_, reason)| *reason));
    };
    let text = |text: String| Json::Text(Cow::Owned(text));
    let skipped = skipped.into_iter().map(|(id, reason)| {
        let reason = (Cow::Borrowed("reason"), text(reason.as_str().to_owned()));
        Json::Object(vec![(Cow::Borrowed("id"), id.map_or(Json::Null, text)), reason])
    });
    let covered = covered.into_iter().map(|one| one.external_id.map_or(Json::Null, text));
    let mut extras = Vec::new();
    for (name, list) in [("skipped_calls", skipped.collect::<Vec<_>>()), ("covered_calls", covered.collect())] {
        if !list.is_empty() {
            extras.push((name, Json::List(list)));
        }
    }
    if !extras.is_empty() {
        let metadata = first.metadata.take().unwrap_or_default();
        first.metadata = row::metadata(&Json::parsed(&metadata).unwrap_or(Json::Null), &[], extras);
    }
    Ok(kept)
}

/// Parts what another conversation of the same record says too, wholly or as its beginning, from
/// the others. Of equal ones the first stays. In the order of their words a beginning stands right
/// before something that goes on from it, so that each is compared with its neighbours only.
fn without_prefixes(all: Vec<Conversation>) -> (Vec<Conversation>, Vec<Conversation>) {
    let mut sorted: Vec<usize> = (0..all.len()).collect();
    sorted.sort_by(|&one, &other| all[one].messages.cmp(&all[other].messages).then(other.cmp(&one)));
    let mut repeated = vec![false; all.len()];
    for pair in sorted.windows(2) {
        repeated[pair[0]] = all[pair[1]].messages.starts_with(&all[pair[0]].messages);
    }
    let (covered, kept): (Vec<_>, Vec<_>) = all.into_iter().zip(repeated).partition(|(_, repeated)| *repeated);
    let plain = |list: Vec<(Conversation, bool)>| list.into_iter().map(|(one, _)| one).collect();
    (plain(kept), plain(covered))
}

fn is_generation(record: &Json) -> bool {
    record.text_of("type") == Some("GENERATION")
}

fn text_id(record: &Json) -> Option<String> {
    record.get("id").and_then(Json::scalar)
}

/// One call; `whole` is the record that it stands in.
fn generation(record: &Json, whole: &Json) -> Result<Conversation, Reason> {
    let mut turns = Turns::default();
    turns.read(record.get("input").unwrap_or(&Json::Null), Role::User)?;
    let mut answer = Turns::default();
    answer.read(record.get("output").unwrap_or(&Json::Null), Role::Assistant)?;
    let mut used = vec!["input", "output"];
    columns(record, &mut turns, &mut answer, &mut used)?;
    // The Responses API repeats the instructions in its output.
    if answer.messages.first().is_some_and(|message| message.role == Role::System) {
        let (system, left) = (answer.messages.remove(0), answer.left.remove(0));
        match turns.messages.first().filter(|message| message.role == Role::System) {
            Some(known) if *known == system => turns.left[0].extend(left),
            // Other instructions than those that were asked with.
            Some(_) => turns.beside([Json::Text(Cow::Borrowed(&system.content)).json()]),
            None => {
                turns.messages.insert(0, system);
                turns.left.insert(0, left);
            }
        }
    }
    turns.append(answer);
    if turns.messages.is_empty() {
        return Err(Reason::NoMessages);
    }
    if whole.has("observations") {
        let texts = &["observations", "input", "output"];
        turns.around.extend(whole.get("trace").and_then(|trace| super::rest(trace, texts)));
        turns.around.extend(super::rest(whole, &["trace", "observations", "input", "output"]));
    }
    let mut first = |keys: &[&'static str]| {
        let (key, value) = keys.iter().find_map(|key| Some((*key, record.get(key)?.scalar()?)))?;
        used.push(key);
        Some(value)
    };
    let external_id = first(&["id"]);
    let model = first(&["provided_model_name", "model"]);
    let time = ["start_time", "startTime"].into_iter().find_map(|key| Some((key, time_us(record.get(key)?)?)));
    used.extend(time.map(|it| it.0));
    let metadata = turns.metadata(record, &used);
    let created_at_us = time.map(|it| it.1);
    let tools = turns.tools_json();
    let mut one =
        Conversation { messages: turns.messages, tools, model, created_at_us, external_id, ..Default::default() };
    let places = [record, whole.get("trace").unwrap_or(whole), whole];
    caller::user(&mut one, &places);
    caller::tokens(&mut one, &places[..1]);
    one.surface = places.iter().find_map(|place| place.text_of("environment")).map(str::to_owned);
    Ok(Conversation { metadata, ..one })
}

/// Columns beside input and output: tool calls and definitions that these do not hold themselves.
fn columns<'a>(record: &Json, turns: &mut Turns, answer: &mut Turns, used: &mut Vec<&'a str>) -> Result<(), Reason> {
    let column = |keys: [&'a str; 2]| keys.into_iter().find_map(|key| Some((key, record.get(key)?)));
    if let Some((key, calls)) = column(["tool_calls", "toolCalls"])
        && answer.messages.iter().all(|message| message.tool_calls.is_empty())
    {
        answer.calls(calls)?;
        used.push(key);
    }
    if let Some((key, tools)) = column(["tool_definitions", "toolDefinitions"])
        && turns.tools.is_empty()
        && answer.tools.is_empty()
    {
        let parsed = tools.text().and_then(Json::parsed);
        match parsed.as_ref().unwrap_or(tools) {
            Json::List(list) => turns.define(list),
            Json::Object(entries) => entries.iter().for_each(|(name, tool)| turns.define(&[named(name, tool)])),
            _ => return Err(Reason::BadShape),
        }
        used.push(key);
    }
    Ok(())
}

/// A definition that is filed under its name.
fn named<'a>(name: &'a str, tool: &'a Json<'a>) -> Json<'a> {
    let parsed = tool.text().and_then(Json::parsed);
    let tool = parsed.unwrap_or_else(|| tool.clone());
    if tool.has("name") || tool.has("function") {
        return tool;
    }
    let mut entries = vec![(Cow::Borrowed("name"), Json::Text(Cow::Borrowed(name)))];
    match tool {
        Json::Object(more) => entries.extend(more),
        Json::Null => {}
        other => entries.push((Cow::Borrowed("description"), other)),
    }
    Json::Object(entries)
}

#[cfg(test)]
mod tests {
    use super::super::tests::get;
    use super::*;
    use crate::record::Message;

    #[test]
    fn rows_traces_and_rejects() {
        for (json, want) in [
            (
                r#"{"id":"o","trace_id":"t","type":"GENERATION","input":"[{\"role\":\"user\",\"content\":\"hi\"}]","output":"hello"}"#,
                Ok(1),
            ),
            (
                r#"{"trace":{},"observations":[{"type":"GENERATION","input":"a"},{"type":"GENERATION","input":"a","output":"b"}]}"#,
                Ok(1),
            ),
            (r#"{"id":"o","trace_id":"t","type":"SPAN","input":"x"}"#, Err(Reason::NotAGeneration)),
            (r#"{"trace":{},"observations":[]}"#, Err(Reason::NoMessages)),
            (r#"{"id":"o","trace_id":"t","type":"GENERATION","input":[]}"#, Err(Reason::NoMessages)),
            (r#"{"id":"o","trace_id":"t","type":"GENERATION","input":[{"role":"wizard"}]}"#, Err(Reason::UnknownRole)),
            (r#"{"id":"o","trace_id":"t","type":"GENERATION","input":{"args":["x","y"]}}"#, Err(Reason::MissingRole)),
            (r#"{"id":"o","trace_id":"t","type":"GENERATION","input":5}"#, Err(Reason::BadShape)),
            (r#"{"id":"o","trace_id":"t","type":"GENERATION","input":"a","tool_calls":7}"#, Err(Reason::BadShape)),
        ] {
            assert_eq!(get(json).map(|list| list.len()), want, "{json}");
        }
    }

    #[test]
    fn of_equal_and_beginning_calls_the_first_and_the_longest_stay() {
        let call = |id: &str, said: &str| {
            let messages = said.chars().map(|word| Message::text(Role::User, word)).collect();
            Conversation { messages, external_id: Some(id.to_owned()), ..Default::default() }
        };
        let said = ["ab", "a", "abc", "b", "ab", "abd", "b", "ba", "abc"];
        let all = said.iter().enumerate().map(|(at, said)| call(&at.to_string(), said)).collect();
        let ids = |list: Vec<Conversation>| list.into_iter().filter_map(|one| one.external_id).collect::<String>();
        let (kept, covered) = without_prefixes(all);
        assert_eq!((ids(kept).as_str(), ids(covered).as_str()), ("257", "013468"));
    }

    /// Comparing each with each would take minutes.
    #[test]
    fn many_calls_are_compared_in_time() {
        let calls = 40_000;
        let call = |at: usize| {
            let messages = vec![Message::text(Role::User, "same"), Message::text(Role::User, at.to_string())];
            (None, Ok(Conversation { messages, ..Default::default() }))
        };
        let began = std::time::Instant::now();
        assert_eq!(gather((0..calls).map(call).collect()).map(|all| all.len()), Ok(calls));
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[test]
    fn fields_leave_the_metadata_and_all_else_stays() {
        let json = r#"{"id":"o","trace_id":"t","type":"GENERATION","start_time":"2026-11-01 10:00:00.5","model":"m",
            "input":"hi","output":{"role":"assistant","content":"hello","finish_reason":"stop"},"user_id":"u"}"#;
        let got = get(json).unwrap().remove(0);
        assert_eq!((got.external_id.as_deref(), got.model.as_deref()), (Some("o"), Some("m")));
        assert_eq!(got.created_at_us, Some(1_793_527_200_500_000));
        let left = r#"{"trace_id":"t","type":"GENERATION","user_id":"u","turns":[null,{"finish_reason":"stop"}]}"#;
        assert_eq!(got.metadata.as_deref(), Some(left));
    }

    #[test]
    fn tool_columns_are_read_where_the_output_has_none() {
        let json = r#"{"id":"o","trace_id":"t","type":"GENERATION","input":"hi","output":"wait",
            "tool_calls":["{\"id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"}"],"tool_definitions":{"f":"{\"description\":\"d\"}"}}"#;
        let got = get(json).unwrap().remove(0);
        assert_eq!((got.messages.len(), got.messages[1].tool_calls[0].name.as_str()), (2, "f"));
        assert_eq!(got.tools.as_deref(), Some(r#"[{"type":"function","function":{"name":"f","description":"d"}}]"#));
        assert_eq!(got.metadata.as_deref(), Some(r#"{"trace_id":"t","type":"GENERATION"}"#));
        let json = r#"{"id":"o","trace_id":"t","type":"GENERATION","input":"hi","tool_calls":["{\"name\":\"g\"}"],
            "output":{"role":"assistant","tool_calls":[{"name":"f"}]}}"#;
        let got = get(json).unwrap().remove(0);
        assert_eq!((got.messages.len(), got.messages[1].tool_calls[0].name.as_str()), (2, "f"));
        assert!(got.metadata.unwrap().contains("tool_calls"));
    }

    #[test]
    fn unreadable_and_repeated_calls_of_a_trace_are_named() {
        let json = r#"{"trace":{"id":"t"},"observations":[{"id":"a","type":"GENERATION","input":{"args":[]}},
            {"id":"b","type":"GENERATION","input":"x"},{"id":"c","type":"GENERATION","input":"x","output":"y"}]}"#;
        let got = get(json).unwrap();
        let metadata = got[0].metadata.clone().unwrap();
        assert_eq!((got.len(), got[0].external_id.as_deref()), (1, Some("c")));
        assert!(metadata.contains(r#""skipped_calls":[{"id":"a","reason":"missing_role"}]"#), "{metadata}");
        assert!(metadata.contains(r#""covered_calls":["b"]"#), "{metadata}");
        let json = r#"{"trace":{},"observations":[{"id":"a","type":"GENERATION","input":{"args":[]}}]}"#;
        assert_eq!(get(json), Err(Reason::MissingRole));
    }
}
