//! Secrets behind a name: `password = …`, `"api_key": "…"`, `--token …`, "the password is …".
//!
//! Not here: what a name asks for (`name`), whether a value is a secret (`value`), forms with a
//! grammar of their own (`grammar`), addresses with a password (`address`).
//!
//! Always: only stems of names are looked for over the whole text; around each, a bounded window.

use std::sync::LazyLock;

use super::name::{Asks, FOREIGN, asks};
use super::value::{Place, VALUE_MAX_BYTES, is_digest, is_key, is_password};
use super::words::Words;
use super::{grammar, pairs, value};
use crate::stages::redact::detect::Span;
use crate::stages::redact::kind::Kind;
use crate::stages::redact::rule::Rule;

pub(super) static RULES: [&Rule; 2] = [&PASSWORD, &KEY];

static PASSWORD: Rule = Rule {
    id: "password.label",
    version: 1,
    kind: Kind::Password,
    country: "",
    score: 0.8,
    check: "no placeholder, template, name, call or path; more than letters",
    context: &["password", "passwd", "pwd", "pw", "passphrase"],
    source: "common practice; CredSweeper and gitleaks know the like",
    finds: &[
        "password = \"‹n84{b62:3}Fy4!›\"",
        "MYSQL_PWD=‹2bk{b62:9}›;",
        "the password is ‹hunter{d:2}›, do not tell",
        "비밀번호: ‹Prl{d:2}Db#9›",
        "Passwort: ‹k4tze!{d:2}›",
        "<password>‹Ihq{b62:5}7g›</password>",
        "db --password ‹a1{b62:9}!›",
        "CREATE ROLE app_admin WITH LOGIN PASSWORD ‹Sq{b62:5}5rD1›;",
        "if pwd == \"‹x6s{b62:6}9›\":",
    ],
    passes: &[
        "password = os.environ[\"DB_PASSWORD\"]",
        "password: ${DB_PASSWORD}",
        "password: string, token: string",
        "def login(self, password=None)",
        "the password is required and must be 8 characters",
        "passengers: 12, passed=14",
        "password = getpass(\"Password: \")",
        "PASSWORD=changeme",
        "type=\"password\" id=\"password2\"",
    ],
};
static KEY: Rule = Rule {
    id: "key.label",
    version: 2,
    kind: Kind::ApiKey,
    country: "",
    score: 0.75,
    check: "looks random: no words, path, UUID, checksum, template",
    context: &["key", "token", "secret", "credential", "auth"],
    source: "common practice; CredSweeper and gitleaks know the like",
    finds: &[
        "gi_token = \"‹G1Re{b62:9}7z4M›\"",
        "\"client_secret\": \"‹a1{b62:24}›\"",
        "GET /v1?access_token=‹zU9k{b62:22}›&page=2",
        "Authorization: NTLM ‹q4{b62:30}›",
        "\"key\": \"api_key\", \"value\": \"‹QM7{b62:22}›\"",
    ],
    passes: &[
        "max_tokens: 4096, token_type: bearer",
        "key: welcome_message_2",
        "\"AWS::KMS::Key\": \"{hex:16}\"",
        "cache-key: node-modules-v18-{hex:8}",
        "api_key = config.get(\"api_key\")",
        "token = \"{hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}\"",
        "\"key\": \"{hex:40}\"",
    ],
};

/// Stems that stand in every name of `name`, in the cases that are written.
pub(super) const STEMS: [&str; 29] = [
    "pass",
    "Pass",
    "PASS",
    "pwd",
    "Pwd",
    "PWD",
    "sword",
    "SWORD",
    "swd",
    "SWD",
    "SWRD",
    "pw:",
    "pw=",
    "PW:",
    "PW=",
    "PW\"",
    "ecret",
    "ECRET",
    "oken",
    "OKEN",
    "redential",
    "auth",
    "Auth",
    "AUTH",
    "key",
    "Key",
    "KEY",
    "sig=",
    "ignature",
];

static FOREIGN_NAMES: LazyLock<Option<Words>> = LazyLock::new(|| Words::new(&FOREIGN));

pub(super) fn ready() -> Result<(), String> {
    if FOREIGN_NAMES.is_some() { Ok(()) } else { Err("the table of names of secrets cannot be built".to_owned()) }
}

/// Adds what stands behind names in other scripts.
pub(super) fn foreign(text: &str, labels: &mut Labels, out: &mut Vec<Span>) {
    if let Some(names) = &*FOREIGN_NAMES {
        names.each(text, |_, start, end| named(text, Asks::Password, start, end, &mut labels.tries, out));
    }
}

/// What was seen of names in one text.
#[derive(Default)]
pub(super) struct Labels {
    seen_to: usize,
    tries: Tries,
}

impl Labels {
    /// A stem stands at `start`: adds what stands behind its name.
    pub(super) fn find(&mut self, text: &str, start: usize, out: &mut Vec<Span>) {
        if start < self.seen_to {
            return;
        }
        let (start, end) = name_around(text, start);
        self.seen_to = end;
        // What goes on is too long for a name.
        let whole = end - start <= NAME_MAX_BYTES;
        // `"AWS::KMS::Key"` is what something is, not what it is called.
        let path = text[..start].ends_with("::") && text[end..].starts_with(['"', '\'']);
        if whole && let Some(what) = asks(&text[start..end]).filter(|what| !path || *what == Asks::Password) {
            named(text, what, start, end, &mut self.tries, out);
        }
    }
}

/// In `secret=secret=secret=…` every name has a long value; a few are looked at.
#[derive(Default)]
struct Tries {
    to: usize,
    count: usize,
}

impl Tries {
    const MOST: usize = 4;
    const LONG_BYTES: usize = 64;

    fn left(&self, start: usize) -> bool {
        start >= self.to || self.count < Tries::MOST
    }

    fn count(&mut self, from: usize, to: usize, quoted: bool) {
        if !quoted && to - from > Tries::LONG_BYTES {
            self.count = if from < self.to { self.count + 1 } else { 1 };
            self.to = self.to.max(to);
        }
    }
}

/// A name that asks for a secret stands at `start..end`: adds what stands behind it.
fn named(text: &str, what: Asks, start: usize, end: usize, tries: &mut Tries, out: &mut Vec<Span>) {
    if what == Asks::Key && text[start..end].to_ascii_lowercase().contains("secret") {
        pairs::aws_secrets_behind(text, end, out);
    }
    out.extend(behind(text, start, end, what, tries));
}

const NAME_MAX_BYTES: usize = 64;

fn of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn name_around(text: &str, at: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    let before = bytes[..at].iter().rev().take(NAME_MAX_BYTES).take_while(|byte| of_name(**byte)).count();
    let after = bytes[at..].iter().take(NAME_MAX_BYTES).take_while(|byte| of_name(**byte)).count();
    let mut start = at - before;
    // The letter of an escape (`\tpassword`) is not a part of the name.
    if start > 0 && bytes[start - 1] == b'\\' && matches!(bytes[start], b'n' | b't' | b'r') && start < at {
        start += 1;
    }
    // `%26token%3D…`: digits and letters of escapes are not, either.
    let mut end = at + after;
    if start > 0 && bytes[start - 1] == b'%' && start + 2 <= at {
        start += 2;
    }
    end -= bytes[at..end].iter().rev().take_while(|byte| **byte == b'-').count();
    (start, end.max(at))
}

/// The name, in small letters, of which the value at `at` is one.
pub(super) fn name_before(text: &str, at: usize) -> Option<String> {
    let bytes = text.as_bytes();
    let back = |from: usize, most: usize, class: &dyn Fn(u8) -> bool| {
        from - bytes[..from].iter().rev().take(most).take_while(|byte| class(**byte)).count()
    };
    let to = back(at, 24, &|byte| !of_name(byte) && byte.is_ascii() && byte != b'.' && byte != b';');
    let mut between = &bytes[to..at];
    let mut to = to;
    if matches!(&bytes[back(to, 8, &of_name)..to], b"Bearer" | b"Token" | b"SSWS" | b"Basic") {
        let scheme = back(to, 8, &of_name);
        to = back(scheme, 8, &|byte| !of_name(byte) && byte.is_ascii());
        between = &bytes[to..scheme];
    }
    let from = back(to, NAME_MAX_BYTES, &|byte| of_name(byte) || byte == b'.');
    let joins = between.iter().any(|byte| matches!(byte, b'=' | b':' | b','));
    (joins && from < to).then(|| text[from..to].to_ascii_lowercase())
}

/// The secret behind the name at `start..end`.
fn behind(text: &str, start: usize, end: usize, what: Asks, tries: &mut Tries) -> Option<Span> {
    if !tries.left(start) {
        return None;
    }
    let (at, mut place) = lead(text, start, end, what)?;
    let (from, to, quoted) = value_at(text, at)?;
    tries.count(from, to, quoted);
    let (mut from, to) = inner(text, from, to, what);
    if quoted {
        place = Place::Quoted;
    }
    if what == Asks::Password {
        // `server:name/password`.
        for _ in 0..3 {
            from += value::after_name(text.get(from..to)?).unwrap_or(0);
        }
    }
    let value = text.get(from..to)?;
    let loose = place == Place::Loose;
    let (rule, is_secret) = match what {
        Asks::Password => (&PASSWORD, is_password(value, place)),
        Asks::Key => (&KEY, !loose && is_key(value, 8) && (quoted || !value::is_code(value))),
        Asks::Auth => (&KEY, !loose && (is_key(value, 12) || grammar::is_basic(value))),
        Asks::AnyKey => {
            let is_secret = !loose && is_key(value, 16) && !is_digest(value) && (quoted || !value::is_code(value));
            (&KEY, is_secret)
        }
    };
    is_secret.then(|| rule.at(from, to))
}

/// Schemes and marks that stand before the value itself.
fn inner(text: &str, from: usize, to: usize, what: Asks) -> (usize, usize) {
    let value = &text[from..to];
    let heads: &[&str] = match what {
        Asks::Password => &["pass:", "PASS:"],
        _ => &["Bearer ", "bearer ", "Basic ", "basic ", "Token ", "token ", "NTLM ", "Negotiate ", "ApiKey ", "SSWS "],
    };
    let begins = value.starts_with(['p', 'P', 'B', 'b', 'T', 't', 'N', 'A', 'S']);
    let head = heads.iter().find(|head| begins && value.starts_with(**head)).map_or(0, |head| head.len());
    let rest = &value[head..];
    let rest = &rest[..rest.find(' ').filter(|_| head > 0).unwrap_or(rest.len())];
    (from + head, from + head + rest.len())
}

/// Where the value begins, and how it is told.
fn lead(text: &str, start: usize, end: usize, what: Asks) -> Option<(usize, Place)> {
    let bytes = text.as_bytes();
    let before = start.checked_sub(1).map(|at| bytes[at]);
    if bytes.get(end) == Some(&b'>') && before == Some(b'<') {
        return Some((end + 1, Place::Bare));
    }
    if bytes.get(end) == Some(&b'(') {
        let foreign = !bytes[end - 1].is_ascii();
        return (foreign || text[start..end] == *"PASSWORD").then_some((end + 1, Place::Bare));
    }
    let closed = closers(text, end);
    let in_quotes = closed > end;
    let at = spaces(text, closed);
    let rest = &bytes[at..];
    if let Some(len) = separator(rest) {
        return Some((annotated(text, spaces(text, at + len)), Place::Bare));
    }
    if in_quotes && rest.first() == Some(&b',') {
        let next = spaces_and_lines(text, at + 1);
        if let Some(value) = text[next..].strip_prefix("\"value\"").or(text[next..].strip_prefix("'value'")) {
            let colon = spaces(text, text.len() - value.len());
            return (bytes.get(colon) == Some(&b':')).then(|| (spaces(text, colon + 1), Place::Bare));
        }
        return (what == Asks::Password && matches!(bytes.get(next), Some(b'"' | b'\'')))
            .then_some((next, Place::Bare));
    }
    let flag = bytes[start] == b'-' || before == Some(b'-');
    if at > closed && flag {
        return Some((at, Place::Bare));
    }
    // Their first bytes: most names end here.
    let begins = rest.first().is_some_and(|first| b"iwe".contains(first) || !first.is_ascii());
    for word in [
        "is ",
        "was ",
        "is: ",
        "ist ",
        "est ",
        "es ",
        "\u{e9} ",
        "\u{ff1a}",
        "\u{b294} ",
        "\u{c740} ",
        "\u{b294}",
        "\u{c740}",
        "\u{306f}",
        "\u{662f}",
        "\u{4e3a}",
    ] {
        if begins && text[at..].starts_with(word) {
            return (what == Asks::Password).then(|| (spaces(text, at + word.len()), Place::Loose));
        }
    }
    let spaced = at > closed && what == Asks::Password;
    (spaced
        && (matches!(rest.first(), Some(b'"' | b'\'')) || rest.starts_with(b"\\\"") || grammar::is_told(text, start)))
    .then_some((at, Place::Bare))
}

/// Quotes and brackets that close a name.
fn closers(text: &str, mut at: usize) -> usize {
    for _ in 0..4 {
        let rest = &text[at..];
        if !rest.starts_with(['"', '\'', '`', '\\', ')', ']', '&']) {
            break;
        }
        let len = ["\"", "'", "`", "\\", ")", "]", "&quot;"]
            .iter()
            .find(|sign| rest.starts_with(**sign))
            .map_or(0, |sign| sign.len());
        // The `\` of `\t` belongs to what follows.
        if len == 0 || rest.starts_with("\\t") {
            break;
        }
        at += len;
    }
    at
}

fn spaces(text: &str, mut at: usize) -> usize {
    for _ in 0..16 {
        let rest = &text.as_bytes()[at..];
        match rest {
            [b' ' | b'\t', ..] => at += 1,
            [b'\\', b't', ..] => at += 2,
            _ => break,
        }
    }
    at
}

fn spaces_and_lines(text: &str, at: usize) -> usize {
    at + text.as_bytes()[at..].iter().take(32).take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn separator(rest: &[u8]) -> Option<usize> {
    let signs: [&[u8]; 17] = [
        b"!==", b"===", b"||=", b"==", b"!=", b":=", b"=>", b"->", b"?=", b"+=", b"::", b"=", b":", b"%3D", b"%3d",
        b"&#61;", b"\\u003d",
    ];
    if !b"!=|:?+-%&\\".contains(rest.first()?) {
        return None;
    }
    let sign = signs.into_iter().find(|sign| rest.starts_with(sign))?;
    (sign != b"::").then_some(sign.len())
}

/// Past a type: `password: String = "…"`, `passwd: str = "…"`.
fn annotated(text: &str, at: usize) -> usize {
    const TYPE_BYTES: usize = 32;
    let of_type = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'<' | b'>' | b'&' | b'?' | b'\'' | b'[' | b']')
    };
    let bytes = text.as_bytes();
    let name = bytes[at..].iter().take(TYPE_BYTES).take_while(|byte| of_type(**byte)).count();
    let sign = spaces(text, at + name);
    let assigns = name > 0 && sign > at + name && bytes.get(sign) == Some(&b'=') && bytes.get(sign + 1) != Some(&b'=');
    if assigns { spaces(text, sign + 1) } else { at }
}

/// The value at `at`: its range, and whether it stands in quotes.
pub(super) fn value_at(text: &str, at: usize) -> Option<(usize, usize, bool)> {
    let bytes = text.as_bytes();
    let mut at = at;
    // A block of YAML: the value stands on the next line.
    if let [b'|' | b'>', rest @ ..] = &bytes[at..]
        && matches!(rest.first(), Some(b'\n' | b'-'))
    {
        at = spaces_and_lines(text, at + 1 + usize::from(rest[0] == b'-'));
    }
    let prefix = bytes[at..]
        .iter()
        .take(3)
        .take_while(|byte| matches!(byte, b'r' | b'b' | b'f' | b'u' | b'L' | b'R' | b'@' | b'/' | b'('))
        .count();
    let opened = |at: usize| matches!(bytes.get(at), Some(b'"' | b'\'' | b'`'));
    if opened(at + prefix) {
        at += prefix;
    }
    let slashes = bytes[at..].iter().take(4).take_while(|byte| **byte == b'\\').count();
    let window = text.len().min(at + VALUE_MAX_BYTES);
    if opened(at + slashes) {
        let quote = bytes[at + slashes];
        let from = at + slashes + 1;
        let line = &bytes[from.min(window)..window];
        let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
        if let Some(close) = memchr::memchr(quote, line) {
            let back = line[..close].iter().rev().take_while(|byte| **byte == b'\\').count();
            return text.is_char_boundary(from).then_some((from, from + close - back, true));
        }
        // Cut off, or its end lies on a later line.
        return bare(text, from, window).map(|to| (from, to, true));
    }
    if text[at..].starts_with("&quot;") {
        let from = at + "&quot;".len();
        let to = memchr::memmem::find(&bytes[from.min(window)..window], b"&quot;").map(|close| from + close)?;
        return Some((from, to, true));
    }
    bare(text, at, window).map(|to| (at, to, false))
}

fn bare(text: &str, at: usize, window: usize) -> Option<usize> {
    let ends = |byte: u8| {
        byte.is_ascii_whitespace()
            || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | b',' | b';' | b')' | b'&' | b'|' | b'}' | b'\\')
    };
    let bytes = text.as_bytes();
    let schemes = ["Bearer ", "bearer ", "Basic ", "basic ", "Token ", "NTLM ", "Negotiate ", "ApiKey ", "SSWS "];
    let begins = text[at..].starts_with(['B', 'b', 'T', 'N', 'A', 'S']);
    let scheme = schemes.iter().find(|scheme| begins && text[at..].starts_with(**scheme));
    let scheme = scheme.map_or(0, |scheme| scheme.len());
    let mut to = at + scheme;
    to += bytes.get(to..window)?.iter().take_while(|byte| !ends(**byte)).count();
    while to < text.len() && !text.is_char_boundary(to) {
        to -= 1;
    }
    // A full stop ends a sentence, not a password; `)` of markdown likewise.
    while to > at && matches!(bytes[to - 1], b'.' | b'?' | b':' | b'*') {
        to -= 1;
    }
    (to > at).then_some(to)
}
