//! A glance at the text of a record: whether it is worth trying to read it in one pass (`parse`).
//!
//! Not here: what a record is. A wrong guess costs time and changes no answer.

use std::sync::LazyLock;

use memchr::memmem;

use super::Reading;
use super::parse::MORE_THAN_CHAT;

/// What a text looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Glance {
    /// No key of a one-pass format stands in it.
    Tree,
    /// Such a key seems to stand in an object further down, or behind a key that chats do not have.
    TreeFirst,
    OnePass,
}

/// What the key of messages mostly is.
const MESSAGES: &str = "messages";

static FINDER: LazyLock<memmem::Finder> = LazyLock::new(|| memmem::Finder::new(MESSAGES));

/// Parts of keys of one-pass formats beside the one for messages. Made once: to make them for each
/// short record takes as long as looking for them.
static MARKS: LazyLock<[memmem::Finder; 2]> = LazyLock::new(|| ["conversations", "chosen"].map(memmem::Finder::new));

/// Part of a key with escapes, which may be any.
static ESCAPE: LazyLock<memmem::Finder> = LazyLock::new(|| memmem::Finder::new("\\u00"));

/// How far a key may stand from the beginning to be looked at closely.
const PREFIX_BYTES: usize = 512;

impl Glance {
    pub(super) fn at(text: &str, reading: &Reading) -> Glance {
        let text = text.as_bytes();
        let at = match reading.messages_key.as_str() {
            MESSAGES => FINDER.find(text),
            key => memmem::find(text, key.as_bytes()),
        };
        if let Some(at) = at {
            let seems_deep = at <= PREFIX_BYTES && (depth(&text[..at]) != 1 || is_more(&text[..at]));
            return if seems_deep { Glance::TreeFirst } else { Glance::OnePass };
        }
        match MARKS.iter().any(|mark| mark.find(text).is_some()) {
            true => Glance::OnePass,
            false if ESCAPE.find(text).is_some() => Glance::TreeFirst,
            false => Glance::Tree,
        }
    }
}

/// Brackets that are open at the end, if there are none in strings.
fn depth(prefix: &[u8]) -> i32 {
    // Most often there is one.
    if memchr::memchr2(b'{', b'[', prefix) == memchr::memrchr2(b'{', b'[', prefix) {
        return i32::from(prefix.contains(&b'{'));
    }
    let step = |byte: &u8| match byte {
        b'{' | b'[' => 1,
        b'}' | b']' => -1,
        _ => 0,
    };
    prefix.iter().map(step).sum()
}

/// Whether one of [`MORE_THAN_CHAT`] seems to be a key.
fn is_more(prefix: &[u8]) -> bool {
    let is = |from: usize| {
        let rest = &prefix[from + 1..];
        MORE_THAN_CHAT.iter().any(|key| rest.strip_prefix(key.as_bytes()).is_some_and(|rest| rest.starts_with(b"\"")))
    };
    memchr::memchr_iter(b'"', prefix).any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_by_where_they_stand() {
        let reading = Reading::default();
        for (text, glance) in [
            (r#"{"id":"a","messages":[]}"#, Glance::OnePass),
            (r#"{"metadata":{"a":[1]},"messages":[]}"#, Glance::OnePass),
            (r#"{"request":{"messages":[]}}"#, Glance::TreeFirst),
            (r#"{"call_type":"x","messages":[]}"#, Glance::TreeFirst),
            (r#"{"conversations":[]}"#, Glance::OnePass),
            (r#"{"prompt":"a","chosen":"b"}"#, Glance::OnePass),
            (r#"{"prompt":"\u00e9"}"#, Glance::TreeFirst),
            (r#"{"prompt":"a"}"#, Glance::Tree),
        ] {
            assert_eq!(Glance::at(text, &reading), glance, "{text}");
        }
    }
}
