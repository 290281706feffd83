//! Passwords in addresses: `scheme://user:password@host`.
//!
//! Not here: `password=` in connection strings and queries (`label`).
//!
//! Always: only the password is covered; the host and the name stay; bounded by the window.

use crate::stages::redact::detect::Span;
use crate::stages::redact::detect::edge::varied;
use crate::stages::redact::kind::Kind;
use crate::stages::redact::rule::Rule;

use super::check::placeholder;

const WORD: &str = "://";

pub(super) static RULES: [&Rule; 1] = [&URL];

static URL: Rule = Rule {
    id: "password.address",
    version: 1,
    kind: Kind::Password,
    country: "",
    score: 0.9,
    check: "parsed: a scheme, a name, a colon, the password, a host; no placeholder or template",
    context: &["://"],
    source: "RFC 3986 section 3.2.1",
    finds: &[
        "postgres://bob:‹p4{b62:6}›@db:5432/app",
        "mongodb+srv://admin:‹x9{b62:9}›@cluster0.example.net",
        "redis://:‹a7{b62:20}›@10.0.0.1:6379/0",
        "smtps://me@example.com:‹Fn{b62:6}›@smtp.example.com:465",
    ],
    passes: &[
        "postgres://user:password@localhost/db",
        "https://$USER:$PASS@host/",
        "https://host:8080/a@b",
        "http://example.com/?q=a:b@c",
    ],
};

/// The password of the address whose `://` stands at `at`.
pub(super) fn password(text: &str, at: usize) -> Option<Span> {
    const USER_MAX_BYTES: usize = 256;
    const SCHEME_MIN: usize = 2;
    let bytes = text.as_bytes();
    let scheme =
        bytes[..at].iter().rev().take(32).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'+').count();
    let from = at + WORD.len();
    let ends = |byte: u8| {
        byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'?' | b'\\' | b',')
    };
    let part = &bytes[from..text.len().min(from + USER_MAX_BYTES)];
    let authority = &part[..part.iter().position(|byte| ends(*byte)).unwrap_or(part.len())];
    let host = memchr::memrchr(b'@', authority)?;
    // An address of mail may be the name: the password stands behind the last colon before the host.
    let colon = memchr::memchr(b':', &authority[..host])?;
    let colon = if memchr::memchr(b'@', &authority[..host]).is_some_and(|mail| mail < colon) {
        memchr::memrchr(b':', &authority[..host])?
    } else {
        colon
    };
    let value = text.get(from + colon + 1..from + host)?;
    let hostname = authority.get(host + 1)?;
    let is_host = hostname.is_ascii_alphanumeric() || matches!(hostname, b'[' | b'$' | b'{' | b'%' | b'_');
    (scheme >= SCHEME_MIN && is_host && is_real(value)).then(|| URL.at(from + colon + 1, from + host))
}

fn is_real(value: &str) -> bool {
    let stand_ins = ["password", "pass", "passwd", "pwd", "pw", "secret", "token", "pass1", "user", "x"];
    let lower = value.to_ascii_lowercase();
    value.len() >= 3
        && !stand_ins.contains(&lower.as_str())
        && !lower.contains("password")
        && !value.contains(['$', '{', '<', '[', '*', '('])
        && !value.starts_with('%')
        && varied(value.as_bytes(), 3)
        && !placeholder(value)
}
