//! Values in JSON that words before it announce: `my password is {"value": "…"}`.
//!
//! Not here: escapes inside (`escaped`), JSON that stands by itself (`json`, where keys are labels).
//!
//! Always: braces, keys and quotes around one value are taken out, nothing else; only behind words.

use std::ops::Range;

use super::map::Units;

const KEY_MAX_BYTES: usize = 32;
const VALUE_MAX_BYTES: usize = 256;

pub(super) fn collect(text: &str, units: &mut Units) {
    let bytes = text.as_bytes();
    let mut free_from = 0;
    for at in memchr::memchr_iter(b'{', bytes) {
        if at < free_from || !follows_words(&bytes[..at]) {
            continue;
        }
        let Some(value) = frames(bytes, at) else { continue };
        free_from = value;
        units.add(at..value, "", true);
        if let Some(end) = closing(bytes, value) {
            free_from = end.end;
            units.add(end, "", false);
        }
    }
}

/// A word, or the sign between a word and its value, stands right before.
fn follows_words(before: &[u8]) -> bool {
    let words = before.trim_ascii_end();
    words.last().is_some_and(|last| last.is_ascii_alphabetic() || !last.is_ascii() || matches!(last, b':' | b'='))
        && !words.ends_with(b"\":")
}

/// Where the value begins behind one `{"key": "` or several; the quote may be escaped.
fn frames(bytes: &[u8], at: usize) -> Option<usize> {
    let spaces = |at: usize| at + bytes[at..].iter().take(8).take_while(|byte| byte.is_ascii_whitespace()).count();
    let quote = |at: usize| {
        let escapes = bytes[at..].iter().take(8).take_while(|byte| **byte == b'\\').count();
        (bytes.get(at + escapes) == Some(&b'"')).then_some(at + escapes + 1)
    };
    let mut value = None;
    let mut at = at;
    while bytes.get(at) == Some(&b'{') {
        let Some(key) = quote(spaces(at + 1)) else { break };
        let word = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b' ');
        let len = bytes[key..].iter().take(KEY_MAX_BYTES + 1).take_while(word).count();
        let Some(behind) = quote(key + len).map(spaces).filter(|at| bytes.get(*at) == Some(&b':')) else { break };
        at = spaces(behind + 1);
        at = quote(at).unwrap_or(at);
        value = Some(at);
    }
    value.filter(|value| *value < bytes.len())
}

/// The quotes and braces behind the value.
fn closing(bytes: &[u8], value: usize) -> Option<Range<usize>> {
    let end = bytes[value..].iter().take(VALUE_MAX_BYTES).position(|byte| matches!(byte, b'"' | b'}' | b'\\'))?;
    let start = value + end;
    // The letters of an escape are part of the value.
    let marks = bytes[start..].iter().take(32).take_while(|byte| matches!(byte, b'"' | b'}' | b'\\')).count();
    bytes[start..start + marks].ends_with(b"}").then_some(start..start + marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_out() {
        for (text, plain) in [
            (r#"IMEI: {"inner":"{\"value\":\"12\"}"} ok"#, Some("IMEI: 12 ok")),
            (r#"I am { "age" : 42} years"#, Some("I am 42 years")),
            (r#"pin={"a":"1","b":"2"}"#, Some(r#"pin=1","b":"2"}"#)),
            (r#"[{"a":"1"}]"#, None),
            (r#"{"a":"1"}"#, None),
            (r#"{"a": {"b": 1}}"#, None),
            ("fn x() {\n\"a\"", None),
            ("x {", None),
        ] {
            let mut units = Units::default();
            collect(text, &mut units);
            assert_eq!(units.view(text).map(|view| view.text).as_deref(), plain, "{text}");
        }
    }
}
