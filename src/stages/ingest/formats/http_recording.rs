//! Recorded HTTP: HAR files of browsers and proxies, cassettes of VCR (Ruby's and Python's). Each
//! exchange with an API that is read here is a call; all calls of a recording are one record.
//!
//! Sources: HAR 1.2 (W3C web performance group); vcr/vcr and kevin1024/vcrpy; recordings of
//! Arize-ai/openinference. Not here: what the APIs say; each has its reader.
//!
//! Always: history that a later call repeats is kept once. Headers, cookies and timings are left
//! out: they hold the keys of callers, and nothing of what was said. Exchanges with others than
//! the known APIs are passed over, because a recording holds whatever else was fetched.

use std::borrow::Cow;

use super::super::Reason;
use super::super::media;
use super::super::tree::Json;
use super::exchange::{self, Api};
use super::langfuse::gather;
use super::{Read, Room, anthropic, bedrock, openai_exchange, openai_responses};

/// Whether a record is a recording with a call of a known API.
pub fn fits(record: &Json) -> bool {
    exchanges(record).iter().any(|one| call(one).is_some())
}

/// The conversations of all calls.
pub fn read(record: &Json) -> Read {
    let (mut found, mut room) = (Vec::new(), Room::default());
    for (at, one) in exchanges(record).iter().enumerate() {
        let Some((call, reader)) = call(one) else { continue };
        let id = one.get("_id").and_then(Json::scalar).unwrap_or_else(|| (at + 1).to_string());
        match answered(&call).and_then(|()| reader(&call)) {
            Ok(all) => {
                for one in all {
                    found.push((Some(id.clone()), Ok(room.take(one)?)));
                }
            }
            Err(reason) => found.push((Some(id), Err(reason))),
        }
    }
    gather(found)
}

fn exchanges<'r, 'a>(record: &'r Json<'a>) -> &'r [Json<'a>] {
    let lists = [&["log", "entries"][..], &["interactions"], &["http_interactions"]];
    let list = lists.iter().find_map(|path| record.at(path)?.list()).unwrap_or_default();
    if list.iter().all(|one| one.at(&["request", "method"]).is_some()) { list } else { &[] }
}

/// A call, and what reads it.
type Call<'a> = (Json<'a>, fn(&Json) -> Read);

/// An exchange as the record that the reader of its API knows; nothing if nobody reads it.
fn call<'a>(one: &'a Json<'a>) -> Option<Call<'a>> {
    let (request, response) = (one.get("request")?, one.get("response")?);
    let url = request.get("url").or_else(|| request.get("uri"))?;
    let status = response.get("status")?;
    let time = one.get("startedDateTime").or_else(|| one.get("recorded_at"));
    let mut entries = vec![
        ("method", request.get("method")?.clone()),
        ("url", url.clone()),
        ("status", status.get("code").unwrap_or(status).clone()),
        ("body", Json::Text(body(request)?)),
        ("response", Json::Text(body(response).unwrap_or_default())),
    ];
    entries.extend(time.map(|time| ("timestamp", time.clone())));
    let record = |entries: &[(&'static str, Json<'a>)]| {
        Json::Object(entries.iter().map(|(key, value)| (Cow::Borrowed(*key), value.clone())).collect())
    };
    let call = record(&entries);
    if bedrock::fits(&call) {
        return Some((call, bedrock::read));
    }
    entries[3].0 = "request";
    let call = record(&entries);
    let reader = match exchange::api(&call)? {
        Api::OpenaiChat => openai_exchange::read,
        // Others take an `input` too.
        Api::OpenaiResponses if url.text()?.split('?').next()?.ends_with("/responses") => openai_responses::read,
        Api::Anthropic => anthropic::read,
        Api::OpenaiResponses | Api::Litellm => return None,
    };
    Some((call, reader))
}

/// The body of a request or an answer as text; as base64 if it is none.
fn body<'a>(half: &'a Json<'a>) -> Option<Cow<'a, str>> {
    if let Some(parsed) = half.get("parsed_body") {
        return Some(Cow::Owned(parsed.json()));
    }
    let body = ["postData", "content", "body"].iter().find_map(|key| half.get(key))?;
    let text = match body {
        Json::Text(text) => return Some(Cow::Borrowed(text)),
        other => ["text", "string", "base64_string"].iter().find_map(|key| other.text_of(key))?,
    };
    let is_base64 = body.text_of("encoding") == Some("base64") || body.has("base64_string");
    let decoded = || {
        let mut bytes = Vec::new();
        media::base64(text, &mut |piece| bytes.extend_from_slice(piece))?;
        String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
    };
    let decoded = if is_base64 { decoded() } else { None };
    Some(decoded.map_or(Cow::Borrowed(text), Cow::Owned))
}

/// Whether there is a whole answer.
fn answered(call: &Json) -> Result<(), Reason> {
    let answer = call.text_of("response").unwrap_or_default().trim_start();
    match () {
        () if exchange::failed(call) || answer.is_empty() => Err(Reason::FailedCall),
        () if ["data:", "event:"].iter().any(|line| answer.starts_with(line)) => Err(Reason::StreamedAnswer),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::media::tests::written;
    use super::super::event_stream::tests::hex;
    use super::super::tests::{get, talk};
    use super::*;

    /// A string as JSON text.
    fn text(json: &str) -> String {
        serde_json::to_string(json).unwrap()
    }

    fn entry(url: &str, asked: &str, status: u16, content: &str) -> String {
        format!(
            r#"{{"_id":"e","startedDateTime":"2026-11-01T10:00:00.000Z","request":{{"method":"POST","url":"https://x.example{url}",
            "headers":[{{"name":"authorization","value":"Bearer secret"}}],"postData":{{"mimeType":"application/json","text":{}}}}},
            "response":{{"status":{status},"content":{content}}},"timings":{{"wait":1}}}}"#,
            text(asked)
        )
    }

    fn har(entries: &[String]) -> String {
        format!(r#"{{"log":{{"version":"1.2","entries":[{}]}}}}"#, entries.join(","))
    }

    const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"q"}]}"#;
    const ANSWER: &str =
        r#"{"id":"c","object":"chat.completion","choices":[{"message":{"role":"assistant","content":"a"}}]}"#;

    fn plain(answer: &str) -> String {
        format!(r#"{{"mimeType":"application/json","text":{}}}"#, text(answer))
    }

    #[test]
    fn each_api_is_read_by_its_own_reader() {
        let anthropic =
            r#"{"type":"message","role":"assistant","content":[{"type":"text","text":"a"}],"stop_reason":"end_turn"}"#;
        let responses = r#"{"object":"response","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"}]}]}"#;
        let stream = hex(&[("chunk", &format!(r#"{{"bytes":"{}"}}"#, written(b"a")))]);
        let stream: Vec<u8> =
            (0..stream.len() / 2).map(|at| u8::from_str_radix(&stream[2 * at..2 * at + 2], 16).unwrap()).collect();
        let base64 = |bytes: &[u8]| format!(r#"{{"encoding":"base64","text":"{}"}}"#, written(bytes));
        for (url, asked, content) in [
            ("/v1/chat/completions", CHAT, plain(ANSWER)),
            ("/v1/chat/completions", CHAT, base64(ANSWER.as_bytes())),
            ("/v1/messages", CHAT, plain(anthropic)),
            ("/v1/responses?x=1", r#"{"model":"m","input":"q"}"#, plain(responses)),
            ("/model/m/invoke", r#"{"inputText":"q"}"#, plain(r#"{"completion":"a"}"#)),
            ("/agents/a/agentAliases/b/sessions/s/text", r#"{"inputText":"q"}"#, base64(&stream)),
        ] {
            let got = get(&har(&[entry(url, asked, 200, &content)])).unwrap().remove(0);
            assert_eq!(talk(&got), ["user: q", "assistant: a"], "{url}");
            assert_eq!(got.created_at_us, Some(1_793_527_200_000_000), "{url}");
            let metadata = got.metadata.unwrap();
            assert!(metadata.contains(url) && !metadata.contains("secret") && !metadata.contains("wait"), "{metadata}");
        }
    }

    #[test]
    fn cassettes_are_read_too() {
        for (name, asked, answer, status) in [
            (
                "interactions",
                format!(r#""body":{}"#, text(CHAT)),
                format!(r#""body":{{"string":{}}}"#, text(ANSWER)),
                r#"{"code":200,"message":"OK"}"#,
            ),
            (
                "interactions",
                format!(r#""parsed_body":{CHAT}"#),
                format!(r#""parsed_body":{ANSWER}"#),
                r#"{"code":200}"#,
            ),
            (
                "http_interactions",
                format!(r#""body":{{"encoding":"UTF-8","string":{}}}"#, text(CHAT)),
                format!(r#""body":{{"encoding":"UTF-8","base64_string":"{}"}}"#, written(ANSWER.as_bytes())),
                r#"{"code":200}"#,
            ),
        ] {
            let json = format!(
                r#"{{"{name}":[{{"request":{{"method":"post","uri":"https://x.example/v1/chat/completions",{asked}}},"response":{{"status":{status},{answer}}}}}],"version":1}}"#
            );
            assert_eq!(talk(&get(&json).unwrap()[0]), ["user: q", "assistant: a"], "{json}");
        }
    }

    #[test]
    fn history_is_kept_once_and_bad_calls_are_named() {
        let more = r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":"r"}]}"#;
        let second = ANSWER.replace(r#""content":"a""#, r#""content":"b""#);
        let chat = |asked: &str, status, answer: &str| entry("/v1/chat/completions", asked, status, &plain(answer));
        let page = r#"{"request":{"method":"GET","url":"https://x.example/"},"response":{"status":200,"content":{"text":"<html>"}}}"#;
        let calls = [chat(CHAT, 200, ANSWER), page.to_owned(), chat(CHAT, 500, "{}"), chat(more, 200, &second)];
        let got = get(&har(&calls)).unwrap();
        assert_eq!(got.len(), 1);
        assert_eq!(talk(&got[0]), ["user: q", "assistant: a", "user: r", "assistant: b"]);
        let metadata = got[0].metadata.as_ref().unwrap();
        assert!(
            metadata.contains(r#""skipped_calls":[{"id":"e","reason":"failed_call"}],"covered_calls":["c"]"#),
            "{metadata}"
        );
    }

    #[test]
    fn rejects_have_reasons_and_other_recordings_do_not_fit() {
        for (status, answer, reason) in [
            (429, "{}", Reason::FailedCall),
            (200, "", Reason::FailedCall),
            (200, "data: {}\n\ndata: [DONE]", Reason::StreamedAnswer),
            (200, "event: message_start\ndata: {}", Reason::StreamedAnswer),
            (200, "<html>", Reason::BadShape),
        ] {
            let got = get(&har(&[entry("/v1/chat/completions", CHAT, status, &plain(answer))]));
            assert_eq!(got, Err(reason), "{answer}");
        }
        for json in [
            har(&[entry("/v1/embeddings", r#"{"input":"q"}"#, 200, &plain("{}"))]),
            har(&[entry("/knowledgebases/k/retrieve", r#"{"retrievalQuery":{"text":"q"}}"#, 200, &plain("{}"))]),
            har(&[]),
            r#"{"interactions":[{"role":"user"}]}"#.to_owned(),
        ] {
            let record = serde_json::from_str(&json).unwrap();
            assert!(!fits(&record), "{json}");
            assert_eq!(read(&record), Err(Reason::NoMessages));
        }
    }
}
