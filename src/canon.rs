//! The canonical form of a conversation, as something to feed to a hash.
//!
//! What counts: order, role, content (NFC, LF line ends, no blanks at line ends), tool names and
//! tool arguments with sorted keys. What does not: ids, times, model, usage, metadata.
//!
//! Always: every part is fed with its length, so that no two conversations feed the same bytes.

use std::borrow::Cow;

use serde::Deserialize;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Version of this form; part of every hash made from it.
/// - 1: first release.
pub const VERSION: u8 = 1;

/// Feeds one message to a hash, piece by piece.
pub fn feed(hash: &mut impl FnMut(&[u8]), role: &str, content: &str, tool_calls: Option<&str>) {
    let mut part = |bytes: &str| {
        hash(&(bytes.len() as u64).to_le_bytes());
        hash(bytes.as_bytes());
    };
    part(role);
    part(&text(content));
    match tool_calls {
        None => part(""),
        Some(calls) => part(&canonical_calls(calls)),
    }
}

/// NFC, LF, no blanks at line ends or at the end of the text.
pub fn text(text: &str) -> Cow<'_, str> {
    let is_nfc = text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes;
    let nfc: Cow<str> = if is_nfc { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) };
    let bytes = nfc.as_bytes();
    let blank_before = |at: usize| at > 0 && matches!(bytes[at - 1], b' ' | b'\t');
    let untidy = bytes.last().is_some_and(u8::is_ascii_whitespace)
        || memchr::memchr2_iter(b'\r', b'\n', bytes).any(|at| bytes[at] == b'\r' || blank_before(at));
    if !untidy {
        return nfc;
    }
    let mut tidy = String::with_capacity(nfc.len());
    for line in nfc.replace("\r\n", "\n").replace('\r', "\n").split('\n') {
        tidy.push_str(line.trim_end());
        tidy.push('\n');
    }
    tidy.truncate(tidy.trim_end().len());
    Cow::Owned(tidy)
}

/// Names and arguments of the calls, without their ids; arguments with sorted keys.
fn canonical_calls(calls: &str) -> String {
    #[derive(Deserialize)]
    struct Call {
        function: Function,
    }
    #[derive(Deserialize)]
    struct Function {
        name: String,
        arguments: serde_json::Value,
    }
    let Ok(calls) = serde_json::from_str::<Vec<Call>>(calls) else { return calls.to_owned() };
    let mut out = String::new();
    for Call { function } in calls {
        // `serde_json::Value` keeps its keys sorted (feature `preserve_order` is off).
        let arguments = match function.arguments {
            serde_json::Value::String(text) => {
                serde_json::from_str::<serde_json::Value>(&text).map_or(text, |value| value.to_string())
            }
            other => other.to_string(),
        };
        out.push_str(&format!("{:?}({arguments:?})", function.name));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_tidied_and_nothing_else() {
        for (raw, tidy) in [
            ("a  b", "a  b"),
            ("a \r\nb\t\n", "a\nb"),
            ("  indented\n    code", "  indented\n    code"),
            ("e\u{301}", "\u{e9}"),
            ("Case", "Case"),
        ] {
            assert_eq!(text(raw), tidy);
        }
    }

    #[test]
    fn calls_are_equal_for_any_key_order_and_id() {
        let call = |id: &str, arguments: &str| {
            format!(r#"[{{"id":"{id}","function":{{"name":"f","arguments":{arguments:?}}}}}]"#)
        };
        assert_eq!(canonical_calls(&call("1", r#"{"a":1,"b":2}"#)), canonical_calls(&call("2", r#"{"b":2, "a":1}"#)));
        assert_ne!(canonical_calls(&call("1", r#"{"a":1}"#)), canonical_calls(&call("1", r#"{"a":2}"#)));
    }
}
