//! Redacts JSON that stands as text: every string, every key, every number that looks like data.
//!
//! Not here: detection and replacement (`text`); JSON inside a string is text like any other.
//!
//! Always: valid JSON stays valid; what is not replaced keeps its bytes (order of keys, spelling
//! of numbers, white space, doubled keys); text that is not JSON is redacted as text, never
//! skipped; paths hold redacted keys only.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::value::RawValue;

use super::text::{Finding, Redactor};

pub(super) fn redact<'a>(
    redactor: &Redactor,
    field: &dyn Fn() -> String,
    json: &'a str,
    findings: &mut Vec<Finding>,
) -> Cow<'a, str> {
    if serde_json::from_str::<&RawValue>(json).is_err() {
        return redactor.redact_text(field, json, findings);
    }
    let mut walk = Walk { redactor, field, json, written: String::new(), copied: 0, path: Vec::new() };
    walk.run(findings);
    if walk.copied == 0 {
        return Cow::Borrowed(json);
    }
    walk.written.push_str(&json[walk.copied..]);
    Cow::Owned(walk.written)
}

enum Step<'a> {
    /// The redacted key.
    Key(Cow<'a, str>),
    Index(usize),
}

/// Goes over the tokens of valid JSON once, without building a tree.
struct Walk<'a, 'r> {
    redactor: &'r Redactor,
    field: &'r dyn Fn() -> String,
    json: &'a str,
    written: String,
    /// How much of `json` is in `written`; 0 until something is replaced.
    copied: usize,
    path: Vec<Step<'a>>,
}

impl<'a> Walk<'a, '_> {
    fn run(&mut self, findings: &mut Vec<Finding>) {
        let bytes = self.json.as_bytes();
        let mut key_next = false;
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'{' => {
                    self.path.push(Step::Key(Cow::Borrowed("")));
                    key_next = true;
                }
                b'[' => self.path.push(Step::Index(0)),
                b'}' | b']' => {
                    self.path.pop();
                }
                b',' => {
                    key_next = true;
                    if let Some(Step::Index(index)) = self.path.last_mut() {
                        *index += 1;
                    }
                }
                b':' => key_next = false,
                b'"' => {
                    let end = string_end(bytes, at);
                    let is_key = key_next && matches!(self.path.last(), Some(Step::Key(_)));
                    self.string(at, end, is_key, findings);
                    at = end;
                    continue;
                }
                b'-' | b'0'..=b'9' => {
                    let number = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
                    let end = at + bytes[at..].iter().take_while(number).count();
                    self.number(at, end, findings);
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn string(&mut self, from: usize, to: usize, is_key: bool, findings: &mut Vec<Finding>) {
        let text = decode(&self.json[from..to]);
        if is_key {
            let redacted = self.redactor.redact_text(&|| self.path_text(true), &text, findings).into_owned();
            if redacted != text {
                self.write(from, to, &redacted);
            }
            if let Some(step) = self.path.last_mut() {
                *step = Step::Key(Cow::Owned(redacted));
            }
            return;
        }
        let path = || self.path_text(false);
        let redacted = self.redactor.redact_labelled(&path, self.label(), &text, findings);
        if let Cow::Owned(redacted) = redacted {
            self.write(from, to, &redacted);
        }
    }

    /// A number in which something is found becomes a string.
    fn number(&mut self, from: usize, to: usize, findings: &mut Vec<Finding>) {
        const DIGITS_MIN: usize = 7;
        if to - from < DIGITS_MIN {
            return;
        }
        let path = || self.path_text(false);
        let redacted = self.redactor.redact_labelled(&path, self.label(), &self.json[from..to], findings);
        if let Cow::Owned(redacted) = redacted {
            self.write(from, to, &redacted);
        }
    }

    /// The nearest key above: what an element of `"phones": […]` is called, too.
    fn label(&self) -> &str {
        self.path
            .iter()
            .rev()
            .find_map(|step| match step {
                Step::Key(key) => Some(key.as_ref()),
                Step::Index(_) => None,
            })
            .unwrap_or("")
    }

    fn write(&mut self, from: usize, to: usize, text: &str) {
        self.written.push_str(&self.json[self.copied..from]);
        self.written.push_str(&serde_json::Value::from(text).to_string());
        self.copied = to;
    }

    /// `messages[2].tool_calls[0].name`. A key in which something is found has no name of its own
    /// yet: `metadata.(key)`.
    fn path_text(&self, is_key: bool) -> String {
        let mut path = (self.field)();
        let (last, above) = match self.path.split_last() {
            Some((last, above)) => (Some(last), above),
            None => (None, &self.path[..]),
        };
        for step in above.iter().chain(last.filter(|_| !is_key)) {
            match step {
                Step::Key(key) => path.extend([".", key.as_ref()]),
                // Writing to a string cannot fail.
                Step::Index(index) => write!(path, "[{index}]").unwrap_or_default(),
            }
        }
        if is_key {
            path.push_str(".(key)");
        }
        path
    }
}

/// The byte after the closing quote of the string that opens at `from`.
fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(place) = memchr::memchr2(b'"', b'\\', &bytes[at..]) {
        at += place;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// The text of a JSON string with its quotes.
fn decode(quoted: &str) -> Cow<'_, str> {
    let inner = &quoted[1..quoted.len() - 1];
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    match serde_json::from_str(quoted) {
        Ok(text) => Cow::Owned(text),
        // Half a surrogate pair is valid JSON but no text. Every surrogate escape becomes the
        // replacement character, and only if something is found does that reach the output.
        Err(_) => Cow::Owned(serde_json::from_str(&without_surrogates(quoted)).unwrap_or_else(|_| inner.to_owned())),
    }
}

fn without_surrogates(quoted: &str) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some(place) = memchr::memchr(b'\\', rest.as_bytes()) {
        let escape = rest.as_bytes();
        let surrogate = escape.get(place + 1) == Some(&b'u')
            && matches!(escape.get(place + 2), Some(b'd' | b'D'))
            && matches!(escape.get(place + 3), Some(b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F'));
        let (len, written) = if surrogate { (6, "\\ufffd") } else { (2, &rest[place..place + 2]) };
        text.push_str(&rest[..place]);
        text.push_str(written);
        rest = rest.get(place + len..).unwrap_or("");
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stages::redact::pseudonym::mask_tokens;
    use crate::stages::redact::text::tests::redactor;

    fn redacted(json: &str) -> (String, Vec<String>) {
        let mut findings = Vec::new();
        let out = redactor().redact_json(&|| "root".to_owned(), json, &mut findings).into_owned();
        (mask_tokens(&out).into_owned(), findings.into_iter().map(|finding| finding.field).collect())
    }

    #[test]
    fn walks_everything() {
        for (json, out, fields) in [
            (
                r#"{"a":{"email":"jane@example.com"},"b":1}"#,
                r#"{"a":{"email":"[EMAIL]"},"b":1}"#,
                &["root.a.email"][..],
            ),
            (r#"{"z":1.50,"a":[0,{"t":["a@b.co"]}]}"#, r#"{"z":1.50,"a":[0,{"t":["[EMAIL]"]}]}"#, &["root.a[1].t[0]"]),
            (r#"{"card":4111111111111111}"#, r#"{"card":"[CARD]"}"#, &["root.card"]),
            (r#"{"jane@example.com":{"ip":"203.0.113.5"}}"#, r#"{"[EMAIL]":{"ip":"[IP]"}}"#, &["root.(key)", ""]),
            (
                r#"{"ssn":"123456789","ssn_of":{"x":123456789}}"#,
                r#"{"ssn":"[SSN]","ssn_of":{"x":123456789}}"#,
                &["root.ssn"],
            ),
            (r#"{"ssn":[123456789]}"#, r#"{"ssn":["[SSN]"]}"#, &["root.ssn[0]"]),
            (r#"["say \"jane\u0040example.com\" \n"]"#, r#"["say \"[EMAIL]\" \n"]"#, &["root[0]"]),
            (r#"["\ud83d jane@example.com"]"#, "[\"\u{fffd} [EMAIL]\"]", &["root[0]"]),
            (r#""jane@example.com""#, r#""[EMAIL]""#, &["root"]),
            ("not json: jane@example.com", "not json: [EMAIL]", &["root"]),
            (r#"{"cut":"jane@example.com"#, r#"{"cut":"[EMAIL]"#, &["root"]),
            (r#"{"args":"{\"email\":\"jane@example.com\"}"}"#, r#"{"args":"{\"email\":\"[EMAIL]\"}"}"#, &["root.args"]),
        ] {
            let (found, paths) = redacted(json);
            assert_eq!(found, out);
            for (path, expected) in paths.iter().zip(fields) {
                assert!(expected.is_empty() || path == expected, "{path} is not {expected}");
            }
            assert_eq!(paths.len(), fields.len(), "{json}");
            assert!(paths.iter().all(|path| !path.contains('@')));
        }
    }

    #[test]
    fn clean_json_keeps_its_bytes() {
        let mut findings = Vec::new();
        let json = r#" {"b": 1.10, "a": [true, null, 12345678901234567890123], "b": "é\u00e9\ud83d"} "#;
        let out = redactor().redact_json(&|| panic!("not asked"), json, &mut findings);
        assert!(matches!(out, Cow::Borrowed(same) if same == json));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn stays_json(strings in proptest::collection::vec("\\PC{0,8}(a@b.co|4111111111111111|)\\PC{0,4}", 0..6)) {
            let json = serde_json::json!({ "list": strings, "in": { "first": strings.first() } }).to_string();
            let mut findings = Vec::new();
            let out = redactor().redact_json(&String::new, &json, &mut findings);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
            let again = redactor().redact_json(&String::new, &out, &mut Vec::new()).into_owned();
            prop_assert_eq!(again, out);
        }
    }
}
