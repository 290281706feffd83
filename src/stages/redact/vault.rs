//! The vault: what stood behind a pseudonym, sealed, so that who holds the vault's key can restore it.
//!
//! Not here: its files and the log of what was restored (`engine::vault`, `runner::restore`).
//!
//! Always: off unless a pipeline asks for it and the key file has a `vault` key; a value leaves this
//! module sealed (ChaCha20-Poly1305, RFC 8439) and tied to its token, so that rows cannot be
//! swapped; the same value under the same token is sealed to the same bytes.

use std::borrow::Cow;
use std::collections::HashMap;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};

use super::pseudonym::tokens;

/// A row of the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// As it stands in texts.
    pub token: String,
    /// Nonce, sealed value and tag, in hex.
    pub sealed: String,
}

/// Seals and opens with one key.
pub struct Vault {
    key: LessSafeKey,
    /// Nonces are keyed hashes of what is sealed: nothing here may depend on chance, and two
    /// different values get two different nonces.
    nonces: [u8; 32],
}

impl Vault {
    pub fn new(key: &[u8; 32]) -> Result<Vault, String> {
        let sealing = blake3::derive_key("gristmill 2026 vault, sealing", key);
        let unusable = |_| "the vault's key cannot be used".to_owned();
        let key_of = UnboundKey::new(&CHACHA20_POLY1305, &sealing).map_err(unusable)?;
        Ok(Vault { key: LessSafeKey::new(key_of), nonces: blake3::derive_key("gristmill 2026 vault, nonces", key) })
    }

    /// Nothing only if the cipher fails, which it does above 256 GiB.
    pub fn seal(&self, token: String, value: &str) -> Option<Sealed> {
        let mut hasher = blake3::Hasher::new_keyed(&self.nonces);
        hasher.update(token.as_bytes()).update(&[0]).update(value.as_bytes());
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&hasher.finalize().as_bytes()[..NONCE_LEN]);
        let mut bytes = value.as_bytes().to_vec();
        let aad = Aad::from(token.as_bytes());
        self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes).ok()?;
        Some(Sealed { sealed: hex(&nonce) + &hex(&bytes), token })
    }

    /// Nothing if the row was sealed with another key, or changed.
    pub fn open(&self, row: &Sealed) -> Option<String> {
        let mut bytes = unhex(&row.sealed)?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let value = self.key.open_in_place(nonce, Aad::from(row.token.as_bytes()), sealed).ok()?;
        String::from_utf8(value.to_vec()).ok()
    }
}

/// Writes the values back in place of their tokens; with them, the tokens that were restored.
pub fn restore<'t>(text: &'t str, values: &HashMap<String, String>) -> (Cow<'t, str>, Vec<&'t str>) {
    let (mut out, mut copied, mut restored) = (String::new(), 0, Vec::new());
    for (_, start, end) in tokens(text) {
        let token = &text[start..end];
        if let Some(value) = values.get(token) {
            out.push_str(&text[copied..start]);
            out.push_str(value);
            copied = end;
            restored.push(token);
        }
    }
    if restored.is_empty() {
        return (Cow::Borrowed(text), restored);
    }
    out.push_str(&text[copied..]);
    (Cow::Owned(out), restored)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |four: u8| char::from(DIGITS[usize::from(four)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let four = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| Some((four(*pair.first()?)? << 4 | four(*pair.get(1)?)?) as u8);
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "[EMAIL:k7f3a9q2]";

    #[test]
    fn what_is_sealed_opens_with_its_key_and_token_only() {
        let (vault, other) = (Vault::new(&[1; 32]).unwrap(), Vault::new(&[2; 32]).unwrap());
        let row = vault.seal(TOKEN.to_owned(), "jane@example.com").unwrap();
        assert_eq!(vault.open(&row).as_deref(), Some("jane@example.com"));
        assert_eq!(vault.seal(TOKEN.to_owned(), "jane@example.com"), Some(row.clone()));
        assert_ne!(vault.seal(TOKEN.to_owned(), "june@example.com").unwrap().sealed[..24], row.sealed[..24]);
        assert!(!format!("{row:?}").contains("jane"));
        assert_eq!(other.open(&row), None);
        assert_eq!(vault.open(&Sealed { token: "[EMAIL:k7f3a9q3]".to_owned(), ..row.clone() }), None);
        for sealed in ["", "00", "zz", "é", &row.sealed[2..], &format!("{}0", row.sealed)] {
            assert_eq!(vault.open(&Sealed { sealed: sealed.to_owned(), ..row.clone() }), None, "{sealed}");
        }
    }

    #[test]
    fn tokens_that_are_known_are_restored() {
        let values = HashMap::from([(TOKEN.to_owned(), "jane@example.com".to_owned())]);
        let text = format!("mail {TOKEN} or [EMAIL:00000000], {TOKEN}");
        let (restored, tokens) = restore(&text, &values);
        assert_eq!(restored, "mail jane@example.com or [EMAIL:00000000], jane@example.com");
        assert_eq!(tokens, [TOKEN, TOKEN]);
        assert!(matches!(restore("nothing", &values).0, Cow::Borrowed("nothing")));
    }
}
