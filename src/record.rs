//! The words of the domain: conversations, messages, where a record lies, ids, the project key.
//!
//! Not here: how raw logs are parsed (`stages::ingest`), how rows look in Arrow (`layer`).
//!
//! Always: an id is a keyed hash of content, so the same content under the same project key has
//! the same id on every machine, in every file order and in every run.

use std::fmt;
use std::sync::Arc;

/// Who speaks. Every source format is normalised to these four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    System,
    User,
    Assistant,
    Tool,
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }

    /// Role names seen in the formats of this project; anything else is a reject, not a guess.
    pub fn parse(name: &str) -> Option<Role> {
        Some(match name {
            "system" | "developer" => Role::System,
            "user" | "human" | "Human" | "prompter" => Role::User,
            "assistant" | "gpt" | "Assistant" | "chatgpt" | "bing" | "bard" | "model" => Role::Assistant,
            "tool" | "function" | "observation" | "function_response" => Role::Tool,
            _ => return None,
        })
    }
}

/// One call of a tool that an assistant message asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// JSON text, as the model wrote it.
    pub arguments: String,
}

/// One message. `content` is plain text; parts that are not text became typed placeholders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    pub role: Role,
    pub content: String,
    pub name: Option<String>,
    pub tool_call_id: Option<String>,
    pub tool_calls: Vec<ToolCall>,
}

impl Message {
    pub fn text(role: Role, content: impl Into<String>) -> Message {
        Message { role, content: content.into(), name: None, tool_call_id: None, tool_calls: Vec::new() }
    }
}

/// What one raw record says, in one shape for all formats. Unredacted until `redact` has seen it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    pub messages: Vec<Message>,
    /// Tool definitions as JSON text.
    pub tools: Option<String>,
    pub model: Option<String>,
    /// Microseconds since 1970-01-01 UTC.
    pub created_at_us: Option<i64>,
    /// The log's own id, kept (redacted) so that people can find their row again.
    pub external_id: Option<String>,
    /// Everything else the record says, as a JSON object.
    pub metadata: Option<String>,
    /// `chosen` or `rejected` where the log itself states a preference.
    pub preference: Option<Preference>,
    /// Who called, as the log says it. Never written: the scan makes it [`user_key`].
    pub user: Option<String>,
    /// Where the call came from: a service, an environment, a kind of call.
    pub surface: Option<String>,
    /// What the log says the call took, all choices together; cached input counts.
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
}

/// A preference that the log itself states. Both sides come from one record, which may state
/// several: among its conversations a rejected side follows directly upon its chosen side. A side
/// of two pairs is there twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    Chosen,
    Rejected,
}

impl Preference {
    pub const fn as_str(self) -> &'static str {
        match self {
            Preference::Chosen => "chosen",
            Preference::Rejected => "rejected",
        }
    }
}

/// Where a record lies in its source. Bytes are half-open and count in the decompressed stream;
/// `line` is 1-based and counts newlines before `start_byte`; of a table without byte positions
/// (Parquet) rows are counted in place of bytes, and row n from 0 lies at n..n + 1 in line n + 1; `element` tells apart the records
/// that one line holds (`chosen` and `rejected`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub start_byte: u64,
    pub end_byte: u64,
    pub line: u64,
    pub element: u32,
}

/// 128 bits of a keyed BLAKE3 hash, written as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub [u8; 16]);

impl Id {
    pub fn of(hash: blake3::Hash) -> Id {
        let mut id = [0; 16];
        id.copy_from_slice(&hash.as_bytes()[..16]);
        Id(id)
    }

    pub fn parse(text: &str) -> Option<Id> {
        let mut id = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Id(id))
    }

    /// Its digits, written where there is room for them.
    pub fn shown(self, room: &mut [u8; 32]) -> &str {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for (pair, byte) in room.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
        }
        std::str::from_utf8(room).unwrap_or_default()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown(&mut [0; 32]))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The project's secret. Ids, pseudonyms and record hashes are keyed with it, so nobody without
/// it can test a guess against them. It comes from a key file or the environment, never from the
/// store, and is never printed.
///
/// Behind the secret may stand lines `pseudonym NAME SECRET` and one `vault SECRET`. The first
/// `pseudonym` key makes all pseudonyms, so that they can be given up (take its line away) without
/// losing ids; the others are retired ones, whose tokens can still be told ([`ProjectKey::retired`]).
#[derive(Clone)]
pub struct ProjectKey {
    key: [u8; 32],
    /// Names and keys; without any, pseudonyms are made with the project's own.
    pseudonyms: Arc<[(String, [u8; 32])]>,
    vault: Option<[u8; 32]>,
}

/// A word too short cannot be a secret.
const SECRET_MIN_BYTES: usize = 16;

impl ProjectKey {
    /// Any text of at least 16 bytes; surrounding white space does not count. Nothing if one of
    /// the keys is shorter.
    pub fn from_secret(secret: &str) -> Option<ProjectKey> {
        let derive = |purpose: &str, secret: &str| {
            (secret.len() >= SECRET_MIN_BYTES).then(|| blake3::derive_key(purpose, secret.as_bytes()))
        };
        let (mut own, mut pseudonyms, mut vault) = (Vec::new(), Vec::new(), None);
        for line in secret.trim().lines() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some("pseudonym"), Some(name), Some(secret)) => {
                    pseudonyms.push((name.to_owned(), derive("gristmill 2026 pseudonym key", secret)?));
                }
                (Some("vault"), Some(secret), None) => vault = Some(derive("gristmill 2026 vault key", secret)?),
                _ => own.push(line),
            }
        }
        let key = derive("gristmill 2026 project key", own.join("\n").trim())?;
        Some(ProjectKey { key, pseudonyms: pseudonyms.into(), vault })
    }

    /// A key that is random bytes already.
    pub fn from_bytes(bytes: [u8; 32]) -> ProjectKey {
        ProjectKey { key: bytes, pseudonyms: Arc::default(), vault: None }
    }

    /// The name of the key that makes pseudonyms, and the key.
    pub fn pseudonym(&self) -> (&str, ProjectKey) {
        self.pseudonyms
            .first()
            .map_or(("project", ProjectKey::from_bytes(self.key)), |(name, key)| (name, ProjectKey::from_bytes(*key)))
    }

    /// Keys that made pseudonyms before.
    pub fn retired(&self) -> impl Iterator<Item = (&str, ProjectKey)> {
        self.pseudonyms.iter().skip(1).map(|(name, key)| (name.as_str(), ProjectKey::from_bytes(*key)))
    }

    /// The vault's key, if there is one.
    pub fn vault(&self) -> Option<&[u8; 32]> {
        self.vault.as_ref()
    }

    /// A hasher for one purpose; hashes of different purposes never meet.
    pub fn hasher(&self, purpose: &str) -> blake3::Hasher {
        self.hasher_of(&[purpose])
    }

    /// The same for a purpose in parts, which need not be put together first.
    pub fn hasher_of(&self, purpose: &[&str]) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in purpose {
            hasher.update(part.as_bytes());
        }
        hasher.update(&[0]);
        hasher
    }

    /// Secret bytes for hashes that need to be fast: xxh3 takes 192.
    pub fn secret(&self, purpose: &str) -> [u8; 192] {
        let mut secret = [0; 192];
        self.hasher(purpose).finalize_xof().fill(&mut secret);
        secret
    }

    pub fn id(&self, purpose: &str, content: &[u8]) -> Id {
        Id::of(self.hasher(purpose).update(content).finalize())
    }

    /// Tells two keys apart without giving either away.
    pub fn fingerprint(&self) -> Id {
        let mut others = Vec::new();
        if let Some((name, key)) = self.pseudonyms.first() {
            others.extend_from_slice(name.as_bytes());
            others.extend_from_slice(&ProjectKey::from_bytes(*key).id("fingerprint", b"").0);
        }
        if let Some(vault) = self.vault {
            others.extend_from_slice(&ProjectKey::from_bytes(vault).id("fingerprint", b"vault").0);
        }
        self.id("fingerprint", &others)
    }
}

impl fmt::Debug for ProjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProjectKey(..)")
    }
}

/// One occurrence: this source, this place.
pub fn record_id(key: &ProjectKey, source_id: &str, place: Place) -> Id {
    let mut hasher = key.hasher("record-id");
    hasher.update(source_id.as_bytes());
    hasher.update(&place.start_byte.to_le_bytes()).update(&place.element.to_le_bytes());
    Id::of(hasher.finalize())
}

const USER_TOKEN: &str = "[USER:";

/// What stands for a person in a record that rests until it is joined; [`user_key`] knows it again.
pub fn user_token(key: &ProjectKey, user: &str) -> String {
    format!("{USER_TOKEN}{}]", user_key(key, user))
}

/// The pseudonym of a person who called: the same in every source and format of a project.
pub fn user_key(key: &ProjectKey, user: &str) -> Id {
    if let Some(made) = user.strip_prefix(USER_TOKEN).and_then(|rest| Id::parse(rest.strip_suffix(']')?)) {
        return made;
    }
    // Mail addresses are told apart without case, as redaction does.
    let lower = if user.contains('@') { user.to_lowercase() } else { user.to_owned() };
    key.id("user", lower.trim().as_bytes())
}

/// What is not random is a hash: a number in 0..2^64 from a seed, a purpose and an id.
/// Depends on nothing else, so adding rows never reshuffles the others (law 4).
pub fn chance(seed: u64, purpose: &str, id: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(purpose.as_bytes()).update(&[0]).update(id.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_depend_on_the_key() {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        let id = key.id("test", b"content");
        assert_eq!(Id::parse(&id.to_string()), Some(id));
        let other = ProjectKey::from_secret("another secret, as long").unwrap();
        assert_ne!(other.id("test", b"content"), id);
        assert_ne!(key.id("other purpose", b"content"), id);
        assert_eq!(format!("{key:?}"), "ProjectKey(..)");
    }

    #[test]
    fn a_key_file_may_hold_keys_of_pseudonyms_and_of_the_vault() {
        let own = "a secret of good length";
        let plain = ProjectKey::from_secret(own).unwrap();
        let ring = format!("{own}\npseudonym 2027 {}\npseudonym 2026 {}\n", "n".repeat(20), "o".repeat(20));
        let ring = ProjectKey::from_secret(&ring).unwrap();
        assert_eq!(ring.id("test", b"x"), plain.id("test", b"x"));
        assert_ne!(ring.fingerprint(), plain.fingerprint());
        assert_eq!((plain.pseudonym().0, ring.pseudonym().0), ("project", "2027"));
        assert_ne!(ring.pseudonym().1.id("test", b"x"), plain.id("test", b"x"));
        assert_eq!(ring.retired().map(|(name, _)| name).collect::<Vec<_>>(), ["2026"]);
        let vault = ProjectKey::from_secret(&format!("{own}\nvault {}", "v".repeat(20))).unwrap();
        assert!(vault.vault().is_some() && plain.vault().is_none());
        assert!(vault.fingerprint() != plain.fingerprint() && vault.id("test", b"x") == plain.id("test", b"x"));
        assert!(ProjectKey::from_secret(&format!("{own}\nvault short")).is_none());
    }

    #[test]
    fn a_person_has_one_key_however_their_mail_address_is_written() {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        assert_eq!(user_key(&key, "Jo@Example.com "), user_key(&key, "jo@example.com"));
        assert_ne!(user_key(&key, "U-1"), user_key(&key, "u-1"));
        assert_eq!(user_key(&key, &user_token(&key, "u-1")), user_key(&key, "u-1"));
        assert_ne!(user_key(&key, "u-1"), key.id("conversation", b"u-1"));
    }

    #[test]
    fn short_secrets_and_bad_ids_are_refused() {
        assert!(ProjectKey::from_secret("  short  ").is_none());
        assert_eq!(Id::parse("zz"), None);
        assert_eq!(Id::parse(&"g".repeat(32)), None);
    }
}
