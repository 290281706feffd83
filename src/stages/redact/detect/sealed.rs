//! Credentials with an inner structure: JSON web tokens and PEM private keys.
//!
//! Not here: finding the key words they begin with (`secrets`).
//!
//! Always: a token is one only if its header decodes to JSON that names an algorithm.

use super::secrets::{run, url_safe};
use super::{Kind, Span, span};

/// A JWT header holds an algorithm and a key id or a certificate chain at most.
const JWT_HEADER_MAX_BYTES: usize = 16 * 1024;

/// Remembers the row it looked at last: in `-eyJ-eyJ-eyJ…` every hit would read to the end.
#[derive(Default)]
pub(super) struct JwtRow {
    end: usize,
    tries: usize,
}

impl JwtRow {
    pub(super) fn find(&mut self, text: &str, at: usize) -> Option<Span> {
        /// A token is preceded by few words that begin with `eyJ`.
        const TRIES_MAX: usize = 4;
        if at >= self.end {
            *self = JwtRow { end: at + run(text, at, url_safe), tries: 0 };
        }
        self.tries += 1;
        let header = self.end - at;
        let dotted = text.as_bytes().get(self.end) == Some(&b'.');
        if self.tries > TRIES_MAX || header > JWT_HEADER_MAX_BYTES || !dotted { None } else { jwt(text, at, header) }
    }
}

fn jwt(text: &str, at: usize, header: usize) -> Option<Span> {
    let decoded = base64url(&text.as_bytes()[at..at + header])?;
    let json: serde_json::Value = serde_json::from_slice(&decoded).ok()?;
    json.get("alg")?;
    // Header, payload, signature; five parts when encrypted.
    let mut end = at + header;
    for part in 1..5 {
        let len = if text.as_bytes().get(end) == Some(&b'.') { run(text, end + 1, url_safe) } else { 0 };
        if len == 0 {
            break;
        }
        if part == 1 && len < 2 {
            return None;
        }
        end += 1 + len;
    }
    (end > at + header).then(|| span(at, end, Kind::Jwt, "jwt.header", 0.99))
}

fn base64url(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for four in text.chunks(4) {
        let mut bits = 0u32;
        for c in four {
            let six = match c {
                b'A'..=b'Z' => c - b'A',
                b'a'..=b'z' => c - b'a' + 26,
                b'0'..=b'9' => c - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(six);
        }
        let whole = match four.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => return None,
        };
        bits <<= 6 * (4 - four.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..=whole]);
    }
    Some(bytes)
}

pub(super) fn private_key(text: &str, at: usize) -> Option<Span> {
    const LABEL_MAX_BYTES: usize = 64;
    let label_at = at + "-----BEGIN ".len();
    let label_len = run(text, label_at, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
    let label = &text[label_at..label_at + label_len];
    if label_len > LABEL_MAX_BYTES
        || !label.contains("PRIVATE KEY")
        || !text[label_at + label_len..].starts_with("-----")
    {
        return None;
    }
    let body = label_at + label_len + 5;
    // A key that was cut off is still a key: without an END it reaches to the end of the text.
    let end_line = format!("-----END {label}-----");
    let end = memchr::memmem::find(&text.as_bytes()[body..], end_line.as_bytes())
        .map_or(text.len(), |place| body + place + end_line.len());
    Some(span(at, end, Kind::PrivateKey, "pem.private_key", 0.99))
}
