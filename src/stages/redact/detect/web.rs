//! Addresses on the web: `https://…`, `www.…`, and hosts that are said to be a site.
//!
//! Not here: what is secret in one (`secrets`), e-mail (`contact`).
//!
//! Always: a public address is nobody's in most texts, so only a policy asks for them; work around
//! one sign is bounded by the address.

use super::edge::said_before;
use super::{Kind, Rule, Span};

pub(super) static RULES: [&Rule; 1] = [&URL];

static URL: Rule = Rule {
    id: "url.web",
    version: 1,
    kind: Kind::Url,
    country: "",
    score: 0.6,
    check: "a scheme of the web or www., and a host with a dot; or a bare host behind a word that says so",
    context: &["website", "site", "homepage", "blog"],
    source: "RFC 3986",
    finds: &[
        "see ‹https://example.com/a?b=c›.",
        "(‹http://www.example.org/›)",
        "on ‹www.example.co.uk›, too",
        "my website is ‹karenmiller.net›",
    ],
    passes: &["std::env://x", "http://", "www. and so on", "the website is down. now", "use foo.bar here"],
};

const ADDRESS_MAX_BYTES: usize = 2048;

pub(super) fn find(text: &str, out: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let mut free = 0;
    for dot in memchr::memchr2_iter(b':', b'.', bytes) {
        // The stop behind a sentence is no part of an address.
        if dot < free || bytes.get(dot + 1).is_none_or(|next| *next <= b' ') {
            continue;
        }
        let start = match bytes[dot] {
            b':' => scheme(bytes, dot),
            _ => www(bytes, dot).or_else(|| bare(text, dot)),
        };
        let Some(start) = start.filter(|start| *start >= free) else { continue };
        let end = end_of(text, start);
        let host = text[start..end].rsplit("://").next().unwrap_or_default();
        let host = host.split(['/', '?', '#', ':']).next().unwrap_or_default();
        if end > dot && is_host(host) {
            out.push(URL.at(start, end));
            free = end;
        }
    }
}

/// Where `https` begins before the colon of `://`.
fn scheme(bytes: &[u8], colon: usize) -> Option<usize> {
    let rest = bytes.get(colon + 1..colon + 3)?;
    let of = |name: &[u8]| {
        let start = colon.checked_sub(name.len())?;
        let same = bytes[start..colon].eq_ignore_ascii_case(name);
        let free = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
        (same && free).then_some(start)
    };
    (rest == b"//").then(|| of(b"https").or_else(|| of(b"http")).or_else(|| of(b"ftp"))).flatten()
}

fn www(bytes: &[u8], dot: usize) -> Option<usize> {
    let start = dot.checked_sub(3)?;
    let free =
        start == 0 || !(bytes[start - 1].is_ascii_alphanumeric() || matches!(bytes[start - 1], b'.' | b'/' | b'@'));
    (free && bytes[start..dot].eq_ignore_ascii_case(b"www")).then_some(start)
}

/// A host behind a word that says so.
fn bare(text: &str, dot: usize) -> Option<usize> {
    const WINDOW_BYTES: usize = 24;
    let bytes = text.as_bytes();
    let label =
        bytes[..dot].iter().rev().take(63).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let start = dot - label;
    let before = start.checked_sub(1).map_or(b' ', |at| bytes[at]);
    let letter = bytes.get(dot + 1).is_some_and(u8::is_ascii_lowercase);
    let free = label > 2 && letter && matches!(before, b' ' | b'\n' | b'"' | b'(' | b':');
    (free && said_before(text, start, WINDOW_BYTES, &["website", "site", "homepage", "blog", "domain"]))
        .then_some(start)
}

fn end_of(text: &str, start: usize) -> usize {
    let most = text.floor_char_boundary(start + ADDRESS_MAX_BYTES);
    let stops = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '`' | '\\' | '|' | '[' | ']' | '{' | '}');
    let rest = &text[start..most];
    let address = &rest[..rest.find(stops).unwrap_or(rest.len())];
    // A bracket that was opened before the address does not belong to it.
    let open = address.contains('(');
    let ends = |c: char| matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*') || c == ')' && !open;
    start + address.trim_end_matches(ends).len()
}

/// Two labels at least, the last one of letters.
fn is_host(host: &str) -> bool {
    let host = host.rsplit('@').next().unwrap_or_default();
    let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let last = host.rsplit('.').next().unwrap_or_default();
    let labels = host.split('.').filter(|part| !part.is_empty()).count();
    host.contains('.')
        && host.split('.').all(label)
        && labels >= 2
        && last.chars().count() >= 2
        && last.chars().all(char::is_alphabetic)
        && !host.eq_ignore_ascii_case("www")
}
