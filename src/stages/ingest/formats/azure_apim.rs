//! `ApiManagementGatewayLlmLog`, the table of Azure API Management (learn.microsoft.com).
//!
//! Not here: bringing the rows of one call together (`join::apim`).
//!
//! Always: request messages, then response messages; several answers to one request follow each
//! other, as the log has them. Lists may stand as JSON text.

use super::super::Reason;
use super::super::tree::Json;
use super::exchange::{self, Extra};
use super::{Read, caller};
use crate::record::{Conversation, Role};

pub fn fits(record: &Json) -> bool {
    record.has("CorrelationId") && (record.has("RequestMessages") || record.has("ResponseMessages"))
}

pub fn read(record: &Json) -> Read {
    let asked = list(record.get("RequestMessages"))?;
    if asked.is_empty() {
        return Err(Reason::NoMessages);
    }
    let mut extra = Extra::default();
    let mut messages = exchange::chat(&asked, &mut extra)?;
    for answer in list(record.get("ResponseMessages"))? {
        // Exported as they came, or as choices.
        let answer = answer.get("message").unwrap_or(&answer);
        messages.push(match answer.has("role") {
            true => exchange::chat_message(messages.len(), answer, &mut extra)?,
            false => exchange::chat_message(messages.len(), &spoken(answer), &mut extra)?,
        });
    }
    let model = ["ModelName", "DeploymentName"].iter().find_map(|key| record.text_of(key)).map(str::to_owned);
    let mut used = vec!["CorrelationId", "RequestMessages", "ResponseMessages"];
    used.extend(record.text_of("ModelName").map(|_| "ModelName"));
    let created_at_us = exchange::time_of(record, &["TimeGenerated"]);
    used.extend(created_at_us.map(|_| "TimeGenerated"));
    let count = |key: &str| record.get(key).and_then(Json::number).map(|tokens| tokens as u64);
    let surface = record.text_of("OperationName").map(str::to_owned);
    used.extend(surface.as_ref().map(|_| "OperationName"));
    extra.keep(record, &used);
    let mut conversation = Conversation {
        messages,
        model,
        created_at_us,
        external_id: exchange::id_of(record, &["CorrelationId"]),
        surface,
        input_tokens: count("PromptTokens"),
        output_tokens: count("CompletionTokens"),
        metadata: extra.metadata(),
        ..Conversation::default()
    };
    caller::user(&mut conversation, &[record]);
    Ok(vec![conversation])
}

/// An answer that leaves its role to the column it stands in.
fn spoken<'a>(answer: &Json<'a>) -> Json<'a> {
    let mut entries = answer.entries().unwrap_or_default().to_vec();
    entries.push(("role".into(), Json::Text(Role::Assistant.as_str().into())));
    Json::Object(entries)
}

fn list<'a>(value: Option<&'a Json<'a>>) -> Result<Vec<Json<'a>>, Reason> {
    let Some(value) = value else { return Ok(Vec::new()) };
    match value.text() {
        Some(text) if text.trim().is_empty() => Ok(Vec::new()),
        _ => exchange::unpacked(value).list().map(<[Json]>::to_vec).ok_or(Reason::BadShape),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::talk;
    use super::*;

    #[test]
    fn a_call_is_read_from_lists_and_from_text() {
        let user = r#"[{"role":"user","content":"hi"}]"#;
        let text = serde_json::to_string(user).unwrap();
        for (asked, answered, expected) in [
            (user, r#"[{"role":"assistant","content":"yo"}]"#, &["user: hi", "assistant: yo"][..]),
            (&text, r#"[{"content":"yo"}]"#, &["user: hi", "assistant: yo"]),
            (user, r#"[{"index":0,"message":{"role":"assistant","content":"yo"}}]"#, &["user: hi", "assistant: yo"]),
            (user, "[]", &["user: hi"]),
            (user, "\"\"", &["user: hi"]),
        ] {
            let record = format!(
                r#"{{"TimeGenerated":"2026-11-01T00:00:00Z","CorrelationId":"c","ModelName":"m","TotalTokens":3,"PromptTokens":2,
                "RequestMessages":{asked},"ResponseMessages":{answered}}}"#
            );
            let got = read(&serde_json::from_str(&record).unwrap()).unwrap().remove(0);
            assert_eq!(talk(&got), expected, "{record}");
            assert_eq!((got.external_id.as_deref(), got.model.as_deref()), (Some("c"), Some("m")));
            assert_eq!(got.created_at_us, Some(1_793_491_200_000_000));
            assert_eq!(got.metadata.as_deref(), Some(r#"{"TotalTokens":3,"PromptTokens":2}"#));
            assert_eq!((got.input_tokens, got.output_tokens), (Some(2), None));
        }
    }

    #[test]
    fn rejects_have_their_reason() {
        for (json, reason) in [
            (r#"{"CorrelationId":"c","ResponseMessages":[{"content":"yo"}]}"#, Reason::NoMessages),
            (r#"{"CorrelationId":"c","RequestMessages":"[{cut"}"#, Reason::BadShape),
            (r#"{"CorrelationId":"c","RequestMessages":[{"content":"hi"}]}"#, Reason::MissingRole),
        ] {
            let record: Json = serde_json::from_str(json).unwrap();
            assert!(fits(&record));
            assert_eq!(read(&record), Err(reason), "{json}");
        }
    }
}
