//! WildChat-1M and LMSYS-Chat-1M rows (their dataset cards): `{"conversation_hash" or
//! "conversation_id", "model", "conversation": [{"role", "content", ..}]}`.
//!
//! Not here: Arena pairs, ShareGPT.
//!
//! Always: what a turn says beside role and content (country, hashed address, headers,
//! moderation) stands in the metadata under `turns`, in the order of the turns.

use super::super::Reason;
use super::super::tree::Json;
use super::row::{Keys, conversation, has_any, message_extras};
use super::{Read, caller, messages};

const KEYS: Keys = Keys {
    id: &["conversation_hash", "conversation_id"],
    model: &["model"],
    time: &["timestamp", "tstamp"],
    used: &["conversation"],
};

/// A list under `conversation` and one of the two ids.
pub fn fits(record: &Json) -> bool {
    record.list_of("conversation").is_some()
        && has_any(record, KEYS.id)
        && !has_any(record, &["messages", "conversations", "conversation_a"])
}

/// One row, one conversation.
pub fn read(record: &Json) -> Read {
    let turns = record.list_of("conversation").ok_or(Reason::BadShape)?;
    if turns.is_empty() {
        return Err(Reason::NoMessages);
    }
    let mut one = conversation(record, messages::chat(turns)?, KEYS, message_extras(turns));
    // The same address is hashed alike in all rows.
    let hashed_ip = |place: &Json| caller::id(place.get("hashed_ip")?);
    one.user = hashed_ip(record).or_else(|| turns.iter().find_map(hashed_ip));
    Ok(vec![one])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Message, Role};

    fn read(json: &str) -> Read {
        super::read(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn rows() {
        let json = r#"{"conversation_hash":"h","model":"m","timestamp":"2023-04-09T00:02:53Z","turn":1,
            "conversation":[{"role":"user","content":"hi","hashed_ip":"ab","turn_identifier":1},
            {"role":"assistant","content":"hello","turn_identifier":1}],"openai_moderation":[]}"#;
        let got = read(json).unwrap().remove(0);
        assert_eq!(got.messages, [Message::text(Role::User, "hi"), Message::text(Role::Assistant, "hello")]);
        assert_eq!((got.external_id.as_deref(), got.model.as_deref()), (Some("h"), Some("m")));
        assert_eq!(got.created_at_us, Some(1_680_998_573_000_000));
        let metadata = r#"{"turn":1,"openai_moderation":[],"turns":[{"hashed_ip":"ab","turn_identifier":1},{"turn_identifier":1}]}"#;
        assert_eq!(got.metadata.as_deref(), Some(metadata));
    }

    #[test]
    fn every_reject_has_its_reason() {
        for (conversation, reason) in [
            ("[]", Reason::NoMessages),
            (r#""hi""#, Reason::BadShape),
            (r#"["hi"]"#, Reason::BadShape),
            (r#"[{"content":"hi"}]"#, Reason::MissingRole),
            (r#"[{"role":"wizard","content":"hi"}]"#, Reason::UnknownRole),
            (r#"[{"role":"user","content":[{"type":"hologram"}]}]"#, Reason::BadShape),
        ] {
            let json = format!(r#"{{"conversation_hash":"h","conversation":{conversation}}}"#);
            assert_eq!(read(&json), Err(reason), "{json}");
        }
    }
}
