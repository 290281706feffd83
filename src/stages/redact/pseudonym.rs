//! What is written in place of a finding: a keyed pseudonym, the same for the same value.
//!
//! Not here: finding values (`detect`), replacing them in a text (`text`).
//!
//! Always: a pseudonym depends on the project key, the kind and the canonical value alone, so the
//! same value gets the same token in every field, record, file and run of a project; without the
//! key nobody can test a guess against it; `detect` never reports anything inside a token.

use std::borrow::Cow;
use std::net::IpAddr;

use super::detect::Phones;
use super::kind::{Group, Kind};
use crate::record::{Id, ProjectKey};

/// Crockford's base32 in lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 8 characters of 5 bits. 40 bits: among 100,000 different values of a kind the chance that any
/// two share a token is n²/2⁴¹, i.e. about 0.5%; `value_hash` has 128 bits and is the identity.
const TOKEN_CHARS: usize = 8;

const LONGEST_TOKEN_BYTES: usize = Kind::NAME_MAX_BYTES + TOKEN_CHARS + 3;

/// Makes pseudonyms for one project.
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

    /// One spelling for all spellings of the same value.
    pub fn canonical<'a>(&self, kind: Kind, raw: &'a str) -> Cow<'a, str> {
        match kind {
            Kind::Email => Cow::Owned(raw.to_lowercase()),
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
        let mut hasher = self.key.hasher(&format!("pseudonym/{}", kind.as_str()));
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
    let mut token = format!("[{}:", kind.as_str());
    for place in (0..TOKEN_CHARS).rev() {
        token.push(char::from(ALPHABET[(bits >> (5 * place) & 31) as usize]));
    }
    token.push(']');
    token
}

/// The token that begins at `start_byte`, and the byte after it.
pub fn token_at(text: &str, start_byte: usize) -> Option<(Kind, usize)> {
    let bytes = text.as_bytes().get(start_byte..)?;
    if bytes.first() != Some(&b'[') {
        return None;
    }
    let head = &bytes[..bytes.len().min(LONGEST_TOKEN_BYTES)];
    let colon = memchr::memchr(b':', head)?;
    let kind = Kind::parse(std::str::from_utf8(&head[1..colon]).ok()?)?;
    let tail = head.get(colon + 1..colon + TOKEN_CHARS + 2)?;
    let fits = tail[..TOKEN_CHARS].iter().all(|byte| ALPHABET.contains(byte));
    (fits && tail[TOKEN_CHARS] == b']').then_some((kind, start_byte + colon + TOKEN_CHARS + 2))
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
            ("", ""),
        ] {
            assert_eq!(mask_tokens(text), masked);
        }
    }
}
