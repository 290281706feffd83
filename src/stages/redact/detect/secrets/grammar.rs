//! Secrets in forms with a grammar of their own: SQL, `curl -u`, PowerShell, headers, hashes of
//! passwords, JSON web keys, secrets of Kubernetes.
//!
//! Not here: `name = value` (`label`), addresses (`address`).
//!
//! Always: every form is looked for within a bounded window behind its word.

use super::check::base64;
use super::label::value_at;
use super::value::{Place, is_key, is_password};
use super::{address, run};
use crate::stages::redact::detect::Span;
use crate::stages::redact::detect::edge::varied;
use crate::stages::redact::kind::Kind;
use crate::stages::redact::rule::Rule;

pub(super) static RULES: [&Rule; 7] = [&SQL, &CURL, &SECURE_STRING, &BEARER, &HASH, &JWK, &KUBERNETES];

const fn rule(
    id: &'static str,
    kind: Kind,
    check: &'static str,
    source: &'static str,
    finds: &'static [&'static str],
    passes: &'static [&'static str],
) -> Rule {
    Rule { id, version: 1, kind, country: "", score: 0.85, check, context: &[], source, finds, passes }
}

static SQL: Rule = rule(
    "password.sql",
    Kind::Password,
    "a value as behind a label",
    "MySQL, PostgreSQL, Oracle: CREATE USER, ALTER USER, CREATE ROLE",
    &[
        "ALTER USER 'root'@'localhost' IDENTIFIED WITH mysql_native_password BY '‹Sq{b62:5}5rD1›';",
        "create user name identified by ‹Sq{b62:5}5rD1›;",
    ],
    &["ALTER USER 'u'@'%' PASSWORD EXPIRE INTERVAL 90 DAY;", "rows identified by the id of a user"],
);
static CURL: Rule = rule(
    "password.curl",
    Kind::Password,
    "a name, a colon and a value as behind a label",
    "curl manual, --user",
    &["curl -s -u admin:‹s3cr{b62:6}9!› https://host/api", "curl --user 'bob:‹hunter{d:2}x›' host"],
    &["curl -u $USER:$PASS https://host", "curl -H 'Accept: 1' https://host:8080"],
);
static SECURE_STRING: Rule = rule(
    "password.secure_string",
    Kind::Password,
    "a value as behind a label",
    "PowerShell documentation, ConvertTo-SecureString",
    &[
        "ConvertTo-SecureString -String -Force ‹dsjU{b62:5}#8s›",
        "ConvertTo-SecureString \"‹4yd2{b62:6}~d1›\" -AsPlainText",
    ],
    &["ConvertTo-SecureString -String $plain -Force", "uses ConvertTo-SecureString often"],
);
static BEARER: Rule = rule(
    "key.bearer",
    Kind::ApiKey,
    "looks random",
    "RFC 6750",
    &["send Bearer ‹q4{b62:30}› with it"],
    &["Bearer authentication, bearer token-based"],
);
static HASH: Rule = rule(
    "password.hash",
    Kind::Password,
    "length of the salt and of the hash by scheme",
    "crypt(5); Apache htpasswd; RFC 9106",
    &[
        "root:‹$6${b62:12}${b64:86}›:19000:0:99999:7:::",
        "‹$2y$10${b62:53}›",
        "bob:‹$apr1${b62:8}${b62:22}›",
        "‹$argon2id$v=19$m=65536,t=3,p=4${b62:22}${b62:43}›",
    ],
    &["price $6$ and $5$", "$2y$10$short"],
);
static JWK: Rule = rule(
    "key.jwk",
    Kind::PrivateKey,
    "private members near `kty`; base64url",
    "RFC 7517, RFC 7518 section 6",
    &["{\"kty\": \"EC\", \"d\": \"‹{b64url:43}›\"}", "{\"kty\":\"oct\",\"k\":\"‹{b62:22}›\"}"],
    &["{\"kty\":\"RSA\",\"n\":\"{b64url:80}\",\"e\":\"AQAB\"}"],
);
static KUBERNETES: Rule = rule(
    "key.kubernetes_secret",
    Kind::ApiKey,
    "base64 that decodes, behind `data:` of a Secret",
    "Kubernetes documentation, Secrets",
    &["kind: Secret\nmetadata:\n  name: x\ndata:\n  user: ‹YWRtaW4xMg==›\n  other: ‹{b62:24}›\ntype: Opaque"],
    &["kind: ConfigMap\ndata:\n  user: YWRtaW4xMg=="],
);

/// What begins a form; the place in the table says which.
pub(super) const WORDS: [&str; 12] = [
    "ENTIFIED ",
    "entified ",
    "curl ",
    "SecureString",
    "earer ",
    "\"kty\"",
    "kind: Secret",
    "sshpass ",
    "://",
    "-----BEGIN ",
    "PuTTY-User-Key-File-",
    "-----END ",
];

/// What salted hashes of passwords begin with.
const HASHES: [&str; 10] = ["$1$", "$5$", "$6$", "$2a$", "$2b$", "$2y$", "$apr1$", "$argon2", "$y$", "$7$"];

/// Adds the salted hashes of passwords.
pub(super) fn hashes(text: &str, out: &mut Vec<Span>) {
    for at in memchr::memchr_iter(b'$', text.as_bytes()) {
        if HASHES.iter().any(|head| text[at..].starts_with(head)) {
            out.extend(hash(text, at));
        }
    }
}

/// What was seen of forms in one text.
#[derive(Default)]
pub(super) struct Forms {
    curl_to: usize,
    block_to: usize,
    /// Words of private keys stand somewhere.
    pub(super) keys: bool,
}

impl Forms {
    /// The word of this number in `WORDS` stands at `start..end`: adds what it begins.
    pub(super) fn find(&mut self, text: &str, form: usize, start: usize, end: usize, out: &mut Vec<Span>) {
        match form {
            0 | 1 => out.extend(sql(text, end)),
            2 | 7 if start < self.curl_to => {}
            2 => {
                let line = line_behind(text, end, 400);
                self.curl_to = end + line.len();
                out.extend(curl(line, end));
            }
            3 => out.extend(secure_string(text, end)),
            4 => out.extend(bearer(text, end)),
            // A block is read once, however many of its words stand in it.
            5 | 6 if start < self.block_to => {}
            5 => self.block_to = jwk(text, start, out),
            6 => self.block_to = kubernetes(text, end, out),
            7 => out.extend(sshpass(text, end)),
            8 => out.extend(address::password(text, start)),
            // Private keys: all at once, later.
            _ => self.keys = true,
        }
    }
}

fn line_behind(text: &str, at: usize, most: usize) -> &str {
    let mut to = text.len().min(at + most);
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    let line = &text[at..to];
    &line[..line.find('\n').unwrap_or(line.len())]
}

fn password_at(text: &str, at: usize, rule: &'static Rule, least: Place) -> Option<Span> {
    let at = at + text.as_bytes()[at..].iter().take(4).take_while(|byte| **byte == b' ').count();
    let (from, to, quoted) = value_at(text, at)?;
    let value = text.get(from..to)?;
    // A hash as MySQL writes it, `*` and 40 digits.
    let hashed = value.len() == 41 && value.starts_with('*') && value[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
    (hashed || is_password(value, if quoted { Place::Quoted } else { least })).then(|| rule.at(from, to))
}

/// `IDENTIFIED BY 'x'`, `IDENTIFIED WITH plugin BY 'x'`, `… AS 'hash'`.
fn sql(text: &str, at: usize) -> Option<Span> {
    let line = line_behind(text, at, 64);
    let lower = line.to_ascii_lowercase();
    let by = [("by ", 3), (" by ", 4), (" as ", 4)].iter().find_map(|(word, len)| {
        if *len == 3 { lower.starts_with(word).then_some(3) } else { lower.find(word).map(|place| place + len) }
    })?;
    password_at(text, at + by, &SQL, Place::Bare)
}

/// The name at `start` stands where SQL or `.netrc` tell a password: no sign stands between.
pub(super) fn is_told(text: &str, start: usize) -> bool {
    const WINDOW_BYTES: usize = 80;
    let mut from = start.saturating_sub(WINDOW_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text[from..start].to_ascii_lowercase();
    let before = &before[before.rfind('\n').map_or(0, |line| line + 1)..];
    let sql = ["create ", "alter "].iter().any(|word| before.contains(word))
        && ["user ", "role ", "login "].iter().any(|word| before.contains(word));
    sql || (before.contains("machine ") && before.contains("login "))
}

fn curl(line: &str, at: usize) -> Option<Span> {
    let (place, len) = ["-u ", "--user ", "--user=", "-u"].iter().find_map(|flag| {
        let place = line.find(flag)?;
        (place == 0 || line.as_bytes()[place - 1] == b' ').then_some((place, flag.len()))
    })?;
    let rest = &line[place + len..];
    let opened = rest.starts_with(['"', '\'']).then(|| &rest[..1]);
    let pair = &rest[opened.map_or(0, str::len)..];
    let pair =
        &pair[..pair.find(|c: char| opened.map_or(c == ' ', |quote| quote.starts_with(c))).unwrap_or(pair.len())];
    let (name, password) = pair.split_once(':')?;
    let from = at + place + len + opened.map_or(0, str::len) + name.len() + 1;
    (!name.contains('/') && is_password(password, Place::Quoted)).then(|| CURL.at(from, from + password.len()))
}

/// `sshpass -p secret ssh …`.
fn sshpass(text: &str, at: usize) -> Option<Span> {
    let rest = text[at..].strip_prefix("-p")?;
    let skip = rest.len() - rest.trim_start_matches(' ').len();
    password_at(text, at + 2 + skip, &CURL, Place::Bare)
}

fn secure_string(text: &str, at: usize) -> Option<Span> {
    let line = line_behind(text, at, 200);
    let mut from = 0;
    // Flags stand before the value.
    loop {
        let rest = &line[from..];
        let space = rest.len() - rest.trim_start_matches(' ').len();
        let rest = &rest[space..];
        if space == 0 {
            return None;
        }
        if !rest.starts_with('-') {
            return password_at(text, at + from + space, &SECURE_STRING, Place::Bare);
        }
        from += space + rest.find(' ')?;
    }
}

fn bearer(text: &str, at: usize) -> Option<Span> {
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=%".contains(&byte);
    let len = text.as_bytes()[at..].iter().take(4096).take_while(|byte| of_token(**byte)).count();
    let value = text[at..at + len].trim_end_matches('.');
    let head = &value[..value.len().min(256)];
    (value.len() >= 16 && is_key(head, 16)).then(|| BEARER.at(at, at + value.len()))
}

/// `Basic` credentials: base64 of `user:password`.
pub(super) fn is_basic(value: &str) -> bool {
    let Some(decoded) = (value.len() >= 12).then(|| base64(value.as_bytes())).flatten() else { return false };
    decoded.contains(&b':') && decoded.iter().all(|byte| (0x20..0x7f).contains(byte))
}

/// A salted hash of a password as systems store it.
fn hash(text: &str, at: usize) -> Option<Span> {
    let of_hash = |byte: u8| byte.is_ascii_alphanumeric() || b"./$=,+-".contains(&byte);
    let len = text.as_bytes()[at..].iter().take(256).take_while(|byte| of_hash(**byte)).count();
    let value = text[at..at + len].trim_end_matches(['.', ',', '-']);
    let least = if value.starts_with("$1$") || value.starts_with("$apr1$") { 27 } else { 50 };
    let last = value.rsplit('$').next()?;
    (value.len() >= least && last.len() >= 22 && varied(last.as_bytes(), 10)).then(|| HASH.at(at, at + value.len()))
}

/// Private members of the web key around `start`. Returns where the block ends.
fn jwk(text: &str, start: usize, out: &mut Vec<Span>) -> usize {
    const BLOCK_MAX_BYTES: usize = 8 * 1024;
    let bytes = text.as_bytes();
    // Members stand in any order: the object that holds `kty` is read from its bracket on.
    let from = bytes[..start]
        .iter()
        .rev()
        .take(BLOCK_MAX_BYTES / 4)
        .position(|byte| *byte == b'{')
        .map_or(start, |back| start - back);
    let to = text.len().min(from + BLOCK_MAX_BYTES);
    let block = &bytes[from..to];
    let block = &block[..memchr::memchr(b'}', block).unwrap_or(block.len())];
    for quote in memchr::memchr_iter(b'"', block) {
        let name = ["\"d\"", "\"k\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\""]
            .iter()
            .find(|name| block[quote..].starts_with(name.as_bytes()));
        let Some(name) = name else { continue };
        let gap = |at: usize| at + run(text, at, |byte| byte.is_ascii_whitespace() || byte == b':');
        let value = gap(from + quote + name.len());
        let len = if bytes.get(value) == Some(&b'"') { run(text, value + 1, super::url_safe) } else { 0 };
        if len >= 16 && varied(&bytes[value + 1..value + 1 + len], 8) {
            out.push(JWK.at(value + 1, value + 1 + len));
        }
    }
    from + block.len()
}

/// The values under `data:` of a Secret. Returns where the block ends.
fn kubernetes(text: &str, at: usize, out: &mut Vec<Span>) -> usize {
    const BLOCK_MAX_LINES: usize = 100;
    const LINE_MAX_BYTES: usize = 4096;
    let (mut place, mut in_data) = (at, false);
    for _ in 0..BLOCK_MAX_LINES {
        let line = line_behind(text, place, LINE_MAX_BYTES);
        let next = place + line.len() + 1;
        if line.starts_with("---") {
            break;
        }
        let inner = line.starts_with([' ', '\t']);
        let plain = line.trim_start() == line && in_data && !line.trim().is_empty();
        in_data = (in_data && !plain) || line.trim_end() == "data:";
        if inner
            && in_data
            && let Some((_, value)) = line.split_once(": ")
        {
            let value = value.trim();
            let decoded = value.len() >= 8 && value.len() % 4 == 0 && base64(value.as_bytes()).is_some();
            if decoded && (value.ends_with('=') || value.bytes().any(|byte| byte.is_ascii_digit())) {
                let from = value.as_ptr() as usize - text.as_ptr() as usize;
                out.push(KUBERNETES.at(from, from + value.len()));
            }
        }
        if next >= text.len() {
            break;
        }
        place = next;
    }
    place
}
