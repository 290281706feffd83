//! Credentials with an inner structure: JSON web tokens and private keys.
//!
//! Not here: finding the words they begin with (`scan`, `label`).
//!
//! Always: a token is one only if its header decodes to JSON that names an algorithm; a key reaches
//! from its first line to its last, and one that was cut off to the end of what still looks like it.

use super::check::base64;
use super::{run, url_safe};
use crate::stages::redact::detect::Span;
use crate::stages::redact::detect::edge::glued_before;
use crate::stages::redact::kind::Kind;
use crate::stages::redact::rule::Rule;

/// A JWT header holds an algorithm and a key id or a certificate chain at most.
const JWT_HEADER_MAX_BYTES: usize = 16 * 1024;

pub(super) static RULES: [&Rule; 3] = [&JWT, &PEM, &DER];

static JWT: Rule = Rule {
    id: "jwt.header",
    version: 1,
    kind: Kind::Jwt,
    country: "",
    score: 0.99,
    check: "the header decodes to JSON with `alg`",
    context: &[],
    source: "RFC 7519, RFC 7515",
    finds: &["Bearer ‹eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ{b62:30}.{b64url:42}x›."],
    passes: &["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "eyJ{b62:30}.eyJ{b62:30}.{b62:43}"],
};
static PEM: Rule = Rule {
    id: "pem.private_key",
    version: 3,
    kind: Kind::PrivateKey,
    country: "",
    score: 0.99,
    check: "a first or a last line, and a body of base64",
    context: &[],
    source: "RFC 7468, RFC 4716, RFC 9580, PuTTY documentation appendix C",
    finds: &[
        "‹-----BEGIN PRIVATE KEY-----\n{b64:64}\n{b64:20}\n-----END PRIVATE KEY-----› after",
        "‹-----BEGIN RSA PRIVATE KEY-----\n{b64:64}\n{b64:64}›\n\nand so on, said the fox",
        "and ‹{b64:30}\n{b64:64}\n-----END PRIVATE KEY-----› after",
        "‹-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{b64:64}\n-----END PGP PRIVATE KEY BLOCK-----›",
    ],
    passes: &[
        "-----BEGIN PUBLIC KEY-----\n{b64:64}\n-----END PUBLIC KEY-----",
        "a line -----BEGIN PRIVATE KEY----- of text",
    ],
};
static DER: Rule = Rule {
    id: "der.private_key",
    version: 1,
    kind: Kind::PrivateKey,
    country: "",
    score: 0.95,
    check: "decodes to the first fields of a private key (PKCS #1, #8, SEC1)",
    context: &[],
    source: "RFC 5208, RFC 5915, RFC 8017",
    finds: &["data: ‹MIIEvQIBADANBgkqhkiG9w0BAQEFAASC{b64:64}\n  {b64:64}›\n"],
    passes: &["MIIDdzCCAl+gAwIBAgIE{b64:64}", "MIIEvQIBADAN"],
};

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
        if !text[at..].starts_with("eyJ") || glued_before(text, at) {
            return None;
        }
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
    let decoded = base64(&text.as_bytes()[at..at + header])?;
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
    // A signature that runs into the dashes of a key ends before them.
    let end = text[at..end].find("-----").map_or(end, |dashes| at + dashes);
    (end > at + header).then(|| JWT.at(at, end))
}

const BEGIN: &str = "-----BEGIN ";
const PUTTY: &str = "PuTTY-User-Key-File-";

/// Adds the private keys with a first line. Returns nothing new for other blocks.
pub(super) fn private_keys(text: &str, out: &mut Vec<Span>) {
    let mut free_from = 0;
    // Last lines are looked for once, however many first lines there are.
    let mut ends = memchr::memmem::find_iter(text.as_bytes(), b"-----END ").peekable();
    for at in memchr::memmem::find_iter(text.as_bytes(), BEGIN.as_bytes()) {
        while let Some(end) = ends.next_if(|end| *end < at) {
            out.extend(headless(text, free_from, end));
        }
        if at >= free_from
            && let Some(found) = private_key(text, at, ends.peek().copied())
        {
            free_from = found.end_byte as usize;
            out.push(found);
        }
    }
    for end in ends.filter(|end| *end >= free_from) {
        out.extend(headless(text, free_from, end));
    }
    for at in memchr::memmem::find_iter(text.as_bytes(), PUTTY.as_bytes()) {
        if let Some(end) = putty(text, at) {
            out.push(PEM.at(at, end));
        }
    }
}

/// From the name of the format to the last line, `Private-MAC: …`.
fn putty(text: &str, at: usize) -> Option<usize> {
    const FILE_MAX_BYTES: usize = 16 * 1024;
    let file = &text.as_bytes()[at..text.len().min(at + FILE_MAX_BYTES)];
    memchr::memmem::find(file, b"Private-Lines: ")?;
    let mac = memchr::memmem::find(file, b"Private-MAC: ").map(|mac| mac + "Private-MAC: ".len());
    let end = mac.map_or(file.len(), |mac| mac + run(text, at + mac, |byte| byte.is_ascii_hexdigit()));
    text.is_char_boundary(at + end).then_some(at + end)
}

fn private_key(text: &str, at: usize, end: Option<usize>) -> Option<Span> {
    const LABEL_MAX_BYTES: usize = 64;
    let label_at = at + BEGIN.len();
    let label_len = run(text, label_at, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
    let label = &text[label_at..label_at + label_len];
    if label_len > LABEL_MAX_BYTES
        || !label.contains("PRIVATE KEY")
        || !text[label_at + label_len..].starts_with("-----")
    {
        return None;
    }
    let body = label_at + label_len + 5;
    // Lines of a log stand between the lines of a key, so with a last line all between belongs to it.
    if let Some(place) = end.filter(|place| *place >= body)
        && let Some(line) = last_line(text, place)
    {
        return holds_key(&text[body..place]).then(|| PEM.at(at, line));
    }
    let end = body_end(text, body);
    (end > body).then(|| Span { score: 0.9, ..PEM.at(at, end) })
}

/// The lines before a last line whose first line stands in another message, or nowhere.
fn headless(text: &str, from: usize, last: usize) -> Option<Span> {
    if last < from {
        return None;
    }
    let end = last_line(text, last)?;
    let (mut start, mut rest) = (last, &text[from..last]);
    // The first of the lines was cut somewhere.
    while start == last || rest.ends_with('\n') {
        rest = rest.trim_end_matches(['\n', '\r', ' ']);
        let line = rest.bytes().rev().take_while(|byte| is_base64(*byte) || *byte == b'=').count();
        if line < 4 {
            break;
        }
        rest = &rest[..rest.len() - line];
        start = from + rest.len();
    }
    (start < last).then(|| Span { score: 0.9, ..PEM.at(start, end) })
}

/// Where the last line that begins at `at` ends, if it ends a private key: the kinds of the first
/// and the last line differ where keys are put together in code.
fn last_line(text: &str, at: usize) -> Option<usize> {
    let label_at = at + "-----END ".len();
    let label_len = run(text, label_at, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
    let end = label_at + label_len + 5;
    let is_last =
        text[label_at..label_at + label_len].contains("PRIVATE KEY") && text.get(end - 5..end) == Some("-----");
    is_last.then_some(end)
}

/// More than dots and words: one row of base64.
fn holds_key(body: &str) -> bool {
    const ROW_BYTES: usize = 6;
    body.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')))
        .any(|row| row.len() >= ROW_BYTES && row.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
}

/// Where the lines that look like base64 end: quotes, signs of concatenation, escapes and spaces
/// may stand between them.
fn body_end(text: &str, from: usize) -> usize {
    const LINE_BYTES: usize = 16;
    let bytes = text.as_bytes();
    let (mut at, mut end) = (from, from);
    loop {
        let between = bytes[at..].iter().take(64).take_while(|byte| !is_base64(**byte) || **byte == b'+').count();
        let mut gap = &bytes[at..at + between];
        // The letter of `\n` looks like base64.
        at += between;
        while gap.ends_with(b"\\") && matches!(bytes.get(at), Some(b'n' | b'r' | b't')) {
            at += 1;
            let more = bytes[at..].iter().take(64).take_while(|byte| !is_base64(**byte) || **byte == b'+').count();
            gap = &bytes[at..at + more];
            at += more;
        }
        let plain = gap
            .iter()
            .all(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'\\' | b'+' | b',' | b'`'));
        let blank = gap.windows(2).any(|two| two == b"\n\n") && end > from;
        let line = bytes[at..].iter().take_while(|byte| is_base64(**byte)).count();
        let is_line = line >= LINE_BYTES || (line >= 4 && end == from && gap.contains(&b'\n'));
        if !plain || blank || !is_line {
            return end;
        }
        at += line;
        at += bytes[at..].iter().take(2).take_while(|byte| **byte == b'=').count();
        end = at;
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// A private key in base64 without its first line: begins at `at` with `M`.
pub(super) fn bare_key(text: &str, at: usize) -> Option<Span> {
    const KEY_MIN_BYTES: usize = 64;
    let head = base64(text.as_bytes().get(at..at + 24)?)?;
    // SEQUENCE, its length in one to three bytes, then INTEGER 0 (or 1 for SEC1).
    let fields = match head.as_slice() {
        [0x30, 0x82, _, _, rest @ ..] | [0x30, 0x81, _, rest @ ..] | [0x30, 0x20..=0x7f, rest @ ..] => rest,
        _ => return None,
    };
    let is_key = matches!(fields, [2, 1, 0, 0x30, ..] | [2, 1, 0, 2, 0x40 | 0x41 | 0x81 | 0x82, ..] | [2, 1, 1, 4, ..]);
    let begins = at == 0 || !is_base64(text.as_bytes()[at - 1]);
    if !is_key || !begins {
        return None;
    }
    let end = body_end(text, at);
    (end >= at + KEY_MIN_BYTES).then(|| DER.at(at, end))
}
