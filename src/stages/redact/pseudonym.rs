//! What is written in place of a finding: a keyed pseudonym, the same for the same value.
//!
//! Not here: finding values (`detect`), replacing them in a text (`text`).
//!
//! Always: a pseudonym depends on the key, the scope, the kind and the canonical value alone, so
//! within a scope the same value gets the same token in every field, record, file and run; without
//! the key nobody can test a guess against it, and once the key is destroyed nobody can at all;
//! `detect` never reports anything inside a token, whichever key made it.

use std::borrow::Cow;
use std::net::IpAddr;

use super::detect::Phones;
use super::kind::{Group, Kind};
use super::view;
use crate::record::{Id, ProjectKey};

/// Crockford's base32 in lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 8 characters of 5 bits. 40 bits: among 100,000 different values of a kind the chance that any
/// two share a token is n²/2⁴¹, i.e. about 0.5%; `value_hash` has 128 bits and is the identity.
const TOKEN_CHARS: usize = 8;

/// A keyed hash as a token: 128 bits in hex.
const HASH_CHARS: usize = 32;

/// What the tokens of the drop actions say behind the type. They are written where a record cannot
/// be dropped yet, because it is a part of a conversation that is joined later.
pub const DROP_MARKS: [&str; 2] = [" drop-message]", " drop-conversation]"];

const IN_TOKEN: u8 = 1;
const IN_HASH: u8 = 1 << 1;

/// The characters of tokens and of hashes.
const OF_TOKENS: [u8; 256] = {
    let (mut table, mut at) = ([0; 256], 0);
    while at < ALPHABET.len() {
        let hexadecimal = ALPHABET[at].is_ascii_hexdigit();
        table[ALPHABET[at] as usize] = if hexadecimal { IN_TOKEN | IN_HASH } else { IN_TOKEN };
        at += 1;
    }
    table
};

const LONGEST_TOKEN_BYTES: usize = Kind::NAME_MAX_BYTES + HASH_CHARS + 3;

/// Makes pseudonyms with one key.
#[derive(Clone, Debug)]
pub struct Pseudonyms {
    key: ProjectKey,
    phones: Phones,
}

impl Pseudonyms {
    /// `phone_regions` must be those of the detector: they decide which international number a
    /// national one stands for.
    pub fn new(key: &ProjectKey, phone_regions: &[String]) -> Result<Pseudonyms, String> {
        Ok(Pseudonyms { key: key.clone(), phones: Phones::new(phone_regions)? })
    }

    /// One spelling for all spellings of the same value, in whatever letters and digits.
    pub fn canonical<'a>(&self, kind: Kind, raw: &'a str) -> Cow<'a, str> {
        match view::folded(raw) {
            Cow::Borrowed(raw) => self.canonical_of_folded(kind, raw),
            Cow::Owned(raw) => Cow::Owned(self.canonical_of_folded(kind, &raw).into_owned()),
        }
    }

    fn canonical_of_folded<'a>(&self, kind: Kind, raw: &'a str) -> Cow<'a, str> {
        match kind {
            Kind::Email => Cow::Owned(raw.to_lowercase()),
            Kind::Person | Kind::Organization | Kind::Place | Kind::Nrp => {
                Cow::Owned(raw.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase())
            }
            Kind::Phone => Cow::Owned(self.phones.canonical(raw)),
            Kind::Card => Cow::Owned(digits(raw)),
            Kind::Iban => Cow::Owned(squeezed(raw)),
            Kind::Ip => match raw.parse::<IpAddr>() {
                Ok(address) => Cow::Owned(address.to_canonical().to_string()),
                Err(_) => Cow::Borrowed(raw),
            },
            _ if kind.group() == Group::Government => Cow::Owned(squeezed(raw)),
            _ => Cow::Borrowed(raw),
        }
    }

    pub fn value_hash(&self, kind: Kind, raw: &str) -> Id {
        let mut hasher = self.key.hasher_of(&["pseudonym/", kind.as_str()]);
        hasher.update(self.canonical(kind, raw).as_bytes());
        Id::of(hasher.finalize())
    }

    /// The same within a scope: `of` says which one.
    pub fn scoped_hash(&self, kind: Kind, raw: &str, of: &[u8]) -> Id {
        let mut hasher = self.key.hasher_of(&["scoped pseudonym/", kind.as_str()]);
        hasher.update(&(of.len() as u64).to_le_bytes()).update(of);
        hasher.update(self.canonical(kind, raw).as_bytes());
        Id::of(hasher.finalize())
    }

    /// `[EMAIL:k7f3a9q2]`.
    #[cfg(test)]
    pub fn token(&self, kind: Kind, raw: &str) -> String {
        token_of(kind, self.value_hash(kind, raw))
    }
}

/// Numbers that people write with and without separators, in either case.
fn squeezed(raw: &str) -> String {
    raw.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

fn digits(raw: &str) -> String {
    raw.chars().filter(char::is_ascii_digit).collect()
}

/// The token of a value whose hash is already known.
pub fn token_of(kind: Kind, value_hash: Id) -> String {
    let bits = value_hash.0[..5].iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let mut token = String::with_capacity(LONGEST_TOKEN_BYTES);
    token.push('[');
    token.push_str(kind.as_str());
    token.push(':');
    for place in (0..TOKEN_CHARS).rev() {
        token.push(char::from(ALPHABET[(bits >> (5 * place) & 31) as usize]));
    }
    token.push(']');
    token
}

/// The keyed hash as a token: `[EMAIL:0123…]`, 32 hex digits.
pub fn hash_token_of(kind: Kind, value_hash: Id) -> String {
    format!("[{}:{value_hash}]", kind.as_str())
}

/// The token that begins at `start_byte`, and the byte after it: `[EMAIL]`, `[EMAIL:k7f3a9q2]`,
/// `[EMAIL:` with 32 hex digits, `[EMAIL drop-message]`.
pub fn token_at(text: &str, start_byte: usize) -> Option<(Kind, usize)> {
    let bytes = text.as_bytes().get(start_byte..)?;
    if bytes.first() != Some(&b'[') {
        return None;
    }
    let head = &bytes[..bytes.len().min(LONGEST_TOKEN_BYTES)];
    let named = head[1..].iter().take_while(|byte| matches!(byte, b'A'..=b'Z' | b'_')).count() + 1;
    let kind = Kind::parse(std::str::from_utf8(&head[1..named]).ok()?)?;
    let rest = &head[named..];
    let body = |chars: usize, fits: u8| {
        let body = rest.strip_prefix(b":").and_then(|rest| rest.get(..=chars))?;
        let all = || body[..chars].iter().all(|byte| OF_TOKENS[usize::from(*byte)] & fits != 0);
        (body[chars] == b']' && all()).then_some(chars + 2)
    };
    let len = match rest.first()? {
        b']' => 1,
        b':' => body(TOKEN_CHARS, IN_TOKEN).or_else(|| body(HASH_CHARS, IN_HASH))?,
        _ => DROP_MARKS.iter().find(|mark| rest.starts_with(mark.as_bytes()))?.len(),
    };
    Some((kind, start_byte + named + len))
}

/// Where the tokens of a text lie, half-open, in order.
pub fn tokens(text: &str) -> impl Iterator<Item = (Kind, usize, usize)> + '_ {
    memchr::memchr_iter(b'[', text.as_bytes())
        .filter_map(|start| token_at(text, start).map(|(kind, end)| (kind, start, end)))
}

/// Turns every `[KIND:xxxxxxxx]` into `[KIND]`, so that two texts that differ only in whose
/// address they hold are equal for `dedup`.
pub fn mask_tokens(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut copied = 0;
    for (kind, start, end) in tokens(text) {
        masked.push_str(&text[copied..=start]);
        masked.push_str(kind.as_str());
        masked.push(']');
        copied = end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[copied..]);
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pseudonyms(secret: &str) -> Pseudonyms {
        let key = ProjectKey::from_secret(secret).unwrap();
        Pseudonyms::new(&key, &["US".to_owned(), "GB".to_owned()]).unwrap()
    }

    #[test]
    fn spellings_of_one_value_share_a_token() {
        let p = pseudonyms("a secret of good length");
        let same: &[(Kind, &[&str])] = &[
            (Kind::Email, &["Jane@Example.com", "jane@example.com"]),
            (Kind::Phone, &["(202) 555-0173", "+1 202 555 0173", "12025550173", "001-202-555-0173"]),
            (Kind::Phone, &["020 7183 8750", "+44 20 7183 8750", "+44 (0)20 7183 8750"]),
            (Kind::Phone, &["(555) 234-5678", "+1 555-234-5678"]),
            (Kind::Card, &["4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111"]),
            (Kind::Ssn, &["123-45-6789", "123456789"]),
            (Kind::Iban, &["GB82 WEST 1234 5698 7654 32", "gb82west12345698765432"]),
            (Kind::BrCpf, &["111.444.777-35", "111 444 777 35", "11144477735"]),
            (Kind::UkNino, &["AB 12 34 56 C", "ab123456c"]),
            (Kind::HkId, &["A123456(3)", "a1234563"]),
            (Kind::Ip, &["2001:db8::1", "2001:0DB8:0::1"]),
            (Kind::Ip, &["::ffff:203.0.113.5", "203.0.113.5"]),
        ];
        for (kind, spellings) in same {
            let token = p.token(*kind, spellings[0]);
            for raw in *spellings {
                assert_eq!(p.token(*kind, raw), token, "{raw}");
            }
            assert_eq!(token_at(&token, 0), Some((*kind, token.len())));
        }
    }

    #[test]
    fn key_and_kind_matter() {
        let (a, b) = (pseudonyms("a secret of good length"), pseudonyms("b secret of good length"));
        assert_ne!(a.token(Kind::Email, "a@b.co"), b.token(Kind::Email, "a@b.co"));
        assert_ne!(a.value_hash(Kind::Card, "1"), a.value_hash(Kind::Ssn, "1"));
    }

    #[test]
    fn scopes_part_pseudonyms() {
        let p = pseudonyms("a secret of good length");
        let hash = |raw: &str, of: &[u8]| p.scoped_hash(Kind::Email, raw, of);
        assert_eq!(hash("Jane@Example.com", b"a"), hash("jane@example.com", b"a"));
        assert_ne!(hash("jane@example.com", b"a"), hash("jane@example.com", b"b"));
        assert_ne!(hash("jane@example.com", b"a"), p.value_hash(Kind::Email, "jane@example.com"));
    }

    #[test]
    fn masks_tokens_and_nothing_else() {
        for (text, masked) in [
            ("from [EMAIL:k7f3a9q2] to [PRIVATE_KEY:00000000].", "from [EMAIL] to [PRIVATE_KEY]."),
            ("[EMAIL:k7f3a9q2][IP:k7f3a9q2]", "[EMAIL][IP]"),
            ("[[EMAIL:k7f3a9q2]", "[[EMAIL]"),
            ("[EMAIL:k7f3a9q]", "[EMAIL:k7f3a9q]"),
            ("[EMAIL:k7f3a9qi]", "[EMAIL:k7f3a9qi]"),
            ("[MAIL:k7f3a9q2]", "[MAIL:k7f3a9q2]"),
            ("[EMAIL:k7f3é9q2]", "[EMAIL:k7f3é9q2]"),
            ("[EMAIL:k7f3a9q2", "[EMAIL:k7f3a9q2"),
            ("[IP:0123456789abcdef0123456789abcdef]", "[IP]"),
            ("[IP:0123456789abcdef0123456789abcdeg]", "[IP:0123456789abcdef0123456789abcdeg]"),
            ("[IP] [IP drop-message] [IP drop]", "[IP] [IP] [IP drop]"),
            ("", ""),
        ] {
            assert_eq!(mask_tokens(text), masked);
        }
    }
}
