//! Who made a call, and the tokens that it took, as the logs of APIs, gateways and tracers say it.
//!
//! Not here: the pseudonym that is made of the caller (`record::user_key`, in the scan); people in
//! data sets, whose columns may be called anything.
//!
//! Always: once the caller is known, the metadata names it no more ([`hide`]); the rest of `usage`
//! stays there.

use std::borrow::Cow;

use memchr::memmem;

use super::super::tree::Json;
use super::exchange::unpacked;
use crate::record::Conversation;

/// Where a request, an answer or a gateway's row names the caller, in order of preference.
const USERS: [&[&str]; 8] = [
    &["end_user"],
    &["user"],
    &["user", "id"],
    &["user_id"],
    &["userId"],
    &["safety_identifier"],
    &["metadata", "user_id"],
    &["metadata", "user_api_key_end_user_id"],
];

/// Where a span's attributes do.
const SPAN_USERS: [&[&str]; 5] = [
    &["user", "id"],
    &["enduser", "id"],
    &["langfuse", "user", "id"],
    &["ai", "telemetry", "metadata", "userId"],
    &["traceloop", "association", "properties", "user_id"],
];

/// Objects of counts, in requests and rows, and in attributes.
const USAGES: [&str; 3] = ["usage", "usage_details", "usageDetails"];
const SPAN_USAGES: [&[&str]; 4] = [&["gen_ai", "usage"], &["ai", "usage"], &["llm", "token_count"], &["llm", "usage"]];

const INPUTS: [&str; 6] = ["input_tokens", "prompt_tokens", "inputTokens", "promptTokens", "input", "prompt"];
const OUTPUTS: [&str; 6] =
    ["output_tokens", "completion_tokens", "outputTokens", "completionTokens", "output", "completion"];
/// Names that mean tokens wherever they stand.
const PLAIN: usize = 4;
/// Anthropic counts cached input apart.
const CACHED: [&str; 2] = ["cache_creation_input_tokens", "cache_read_input_tokens"];

/// Longer values are no ids; they stay in the metadata.
const LONGEST_USER_BYTES: usize = 256;
/// Shorter ids are looked for only under keys that name a user: `7` may be anything.
const TELLING_BYTES: usize = 6;
/// What stands in the metadata in place of an id inside a longer text.
const HIDDEN: &str = "[USER]";

/// Notes who called, from the first place that says it.
pub fn user(conversation: &mut Conversation, places: &[&Json]) {
    let named = |place: &&Json| USERS.iter().find_map(|path| id(place.at(path)?));
    conversation.user = conversation.user.take().or_else(|| places.iter().find_map(named));
}

/// Notes tokens, from the first place that counts them.
pub fn tokens(conversation: &mut Conversation, places: &[&Json]) {
    for place in places {
        let usages = USAGES.iter().filter_map(|key| place.get(key)).map(unpacked);
        usages.for_each(|usage| keep(conversation, counts(&usage, INPUTS.len())));
        keep(conversation, counts(place, PLAIN));
    }
}

/// Notes both from a span's attributes as a tree.
pub fn span(conversation: &mut Conversation, attributes: &Json) {
    conversation.user = SPAN_USERS.iter().find_map(|path| id(attributes.at(path)?));
    SPAN_USAGES
        .iter()
        .filter_map(|path| attributes.at(path))
        .for_each(|usage| keep(conversation, counts(usage, INPUTS.len())));
}

/// A caller's id as text.
pub fn id(value: &Json) -> Option<String> {
    let id = value.scalar()?.trim().to_owned();
    (!id.is_empty() && id.len() <= LONGEST_USER_BYTES && !matches!(value, Json::Bool(_))).then_some(id)
}

fn keep(conversation: &mut Conversation, (input, output): (Option<u64>, Option<u64>)) {
    conversation.input_tokens = conversation.input_tokens.or(input);
    conversation.output_tokens = conversation.output_tokens.or(output);
}

fn counts(usage: &Json, names: usize) -> (Option<u64>, Option<u64>) {
    let first = |keys: &[&str]| keys.iter().find_map(|key| count(usage.get(key)?));
    let cached: u64 = CACHED.iter().filter_map(|key| count(usage.get(key)?)).sum();
    (first(&INPUTS[..names]).map(|input| input.saturating_add(cached)), first(&OUTPUTS[..names]))
}

fn count(value: &Json) -> Option<u64> {
    if let Json::Number(number) = value
        && let Some(whole) = number.as_u64()
    {
        return Some(whole);
    }
    let text = value.scalar()?;
    let whole = || text.parse().ok().filter(|n: &f64| n.fract() == 0.0 && (0.0..1e15).contains(n));
    text.parse().ok().or_else(|| whole().map(|n| n as u64))
}

/// Takes the caller out of everything that is not a message's text: that keeps the pseudonym apart
/// from the id it stands for.
pub fn hide(conversation: &mut Conversation) {
    let Some(user) = conversation.user.clone() else { return };
    let caller = Caller { user: &user, finder: memmem::Finder::new(&user) };
    if let Some(metadata) = conversation.metadata.take() {
        let tree = Json::of(&metadata).unwrap_or(Json::Null);
        conversation.metadata =
            caller.taken_out_of(tree, false).filter(|left| *left != Json::Null).map(|left| left.json());
    }
    for text in [&mut conversation.external_id, &mut conversation.surface].into_iter().flatten() {
        *text = caller.hidden(Cow::Borrowed(text)).into_owned();
    }
    for message in conversation.messages.iter_mut().filter(|message| message.name.as_ref() == Some(&user)) {
        message.name = None;
    }
}

/// A record with a token in place of every caller, before it rests; nothing if it names none.
pub fn masked<'j>(record: &Json<'j>, token: &dyn Fn(&str) -> String) -> Option<Json<'j>> {
    match record {
        Json::Object(entries) => {
            let mut all = entries.clone();
            let mut any = false;
            for (key, value) in &mut all {
                let names = USERS.iter().any(|path| path.last() == Some(&key.as_ref()) && key != "id");
                let caller = match value.get("id") {
                    Some(inner) if names => id(inner),
                    _ => id(value).filter(|_| names),
                };
                let new = caller.map(|caller| Json::Text(Cow::Owned(token(&caller)))).or_else(|| masked(value, token));
                any |= new.is_some();
                *value = new.unwrap_or_else(|| value.clone());
            }
            any.then_some(Json::Object(all))
        }
        Json::List(items) => {
            let new: Vec<_> = items.iter().map(|item| masked(item, token)).collect();
            let any = new.iter().any(Option::is_some);
            let items = new.into_iter().zip(items).map(|(new, item)| new.unwrap_or_else(|| item.clone()));
            any.then(|| Json::List(items.collect()))
        }
        _ => None,
    }
}

/// Who is to be hidden.
struct Caller<'u> {
    user: &'u str,
    finder: memmem::Finder<'u>,
}

impl Caller<'_> {
    /// `named`: whether the key of the value names a user.
    fn taken_out_of<'j>(&self, value: Json<'j>, named: bool) -> Option<Json<'j>> {
        if named && id(&value).as_deref() == Some(self.user) {
            return None;
        }
        match value {
            Json::Text(text) => Some(Json::Text(self.hidden(text))),
            Json::List(items) => {
                let items = items.into_iter().map(|item| self.taken_out_of(item, named).unwrap_or(Json::Null));
                Some(Json::List(items.collect()))
            }
            Json::Object(entries) => {
                let was_empty = entries.is_empty();
                let entry = |(key, value): (Cow<'j, str>, Json<'j>)| {
                    // `user: {id}` and `user.id` name one too.
                    let is_user = names_user(&key) || (named && key == "id");
                    Some((self.hidden(key), self.taken_out_of(value, is_user)?))
                };
                let left: Vec<_> = entries.into_iter().filter_map(entry).collect();
                (was_empty || !left.is_empty()).then_some(Json::Object(left))
            }
            other => Some(other),
        }
    }

    fn hidden<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        if self.user.len() >= TELLING_BYTES && self.finder.find(text.as_bytes()).is_some() {
            Cow::Owned(text.replace(self.user, HIDDEN))
        } else {
            text
        }
    }
}

fn names_user(key: &str) -> bool {
    key.as_bytes().windows(4).any(|part| part.eq_ignore_ascii_case(b"user"))
        || ["safety_identifier", "hashed_ip"].iter().any(|name| key.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(json: &str) -> (Option<String>, Option<u64>, Option<u64>) {
        let place: Json = serde_json::from_str(json).unwrap();
        let mut one = Conversation::default();
        user(&mut one, &[&Json::Null, &place]);
        tokens(&mut one, &[&Json::Null, &place]);
        (one.user, one.input_tokens, one.output_tokens)
    }

    #[test]
    fn callers_and_tokens_stand_in_many_places() {
        for (json, user, input, output) in [
            (
                r#"{"user":"u-1","usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#,
                Some("u-1"),
                Some(9),
                Some(2),
            ),
            (r#"{"end_user":"a","user":"b","prompt_tokens":1}"#, Some("a"), Some(1), None),
            (
                r#"{"user":{"id":7},"usage":{"input_tokens":5,"cache_read_input_tokens":3,"output_tokens":0}}"#,
                Some("7"),
                Some(8),
                Some(0),
            ),
            (
                r#"{"metadata":{"user_id":" x "},"usage_details":"{\"input\":\"4\",\"output\":2.0}"}"#,
                Some("x"),
                Some(4),
                Some(2),
            ),
            (
                r#"{"user":"","user_id":true,"input":"5","prompt":6,"usage":{"prompt_tokens":-1,"completion_tokens":1.5}}"#,
                None,
                None,
                None,
            ),
        ] {
            assert_eq!(noted(json), (user.map(str::to_owned), input, output), "{json}");
        }
    }

    #[test]
    fn a_record_rests_without_its_callers() {
        let token = |user: &str| format!("<{}>", user.len());
        let json = r#"{"body":{"user":"cust-1","messages":[{"role":"user","content":"hi"}]},"rows":[{"user_id":7},{"a":1}],"user":{"id":"x","plan":2}}"#;
        let masked = masked(&serde_json::from_str(json).unwrap(), &token).unwrap().json();
        assert_eq!(
            masked,
            r#"{"body":{"user":"<6>","messages":[{"role":"user","content":"hi"}]},"rows":[{"user_id":"<1>"},{"a":1}],"user":"<1>"}"#
        );
        assert_eq!(super::masked(&serde_json::from_str(r#"{"id":"x","user":true}"#).unwrap(), &token), None);
    }

    #[test]
    fn spans_name_them_too() {
        let json = r#"{"enduser":{"id":"e"},"gen_ai":{"usage":{"input_tokens":"3"}},"llm":{"token_count":{"prompt":4,"completion":5}}}"#;
        let mut one = Conversation::default();
        span(&mut one, &serde_json::from_str(json).unwrap());
        assert_eq!((one.user.as_deref(), one.input_tokens, one.output_tokens), (Some("e"), Some(3), Some(5)));
    }

    #[test]
    fn a_caller_is_taken_out_of_all_but_the_text() {
        let hide = |user: &str, metadata: &str| {
            let mut one = Conversation {
                user: Some(user.to_owned()),
                metadata: Some(metadata.to_owned()),
                external_id: Some("call of cust-0042".to_owned()),
                ..Default::default()
            };
            super::hide(&mut one);
            (one.metadata.unwrap_or_default(), one.external_id.unwrap())
        };
        let json = r#"{"user":"cust-0042","request":{"metadata":{"user_id":"cust-0042"}},"tags":["of cust-0042"],"inner":"{\"u\":\"cust-0042\"}","cust-0042":1}"#;
        let left = r#"{"tags":["of [USER]"],"inner":"{\"u\":\"[USER]\"}","[USER]":1}"#;
        assert_eq!(hide("cust-0042", json), (left.to_owned(), "call of [USER]".to_owned()));
        let json = r#"{"user":{"id":7},"user_id":"7","turn":7,"users":["7","8"]}"#;
        assert_eq!(hide("7", json).0, r#"{"turn":7,"users":[null,"8"]}"#);
        assert_eq!(hide("7", r#"{"user":"7"}"#).0, "");
    }
}
