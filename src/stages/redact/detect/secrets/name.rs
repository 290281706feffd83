//! What a name in front of a value says: `db_password`, `apiKey`, `max_tokens`, `비밀번호`.
//!
//! Not here: the value (`value`); what stands between (`label`).
//!
//! Always: work is bounded by the length of a name.

/// What kind of value a name asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    Password,
    /// `secret`, `token`, `api_key`, `credential`: made by a machine.
    Key,
    /// `key` alone: of a cache, of a map, of a door.
    AnyKey,
    /// `auth`, `Authorization`: a scheme may stand before the value.
    Auth,
}

/// Words of names, longer before shorter.
const WORDS: [(&str, Asks); 28] = [
    ("passphrase", Asks::Password),
    ("password", Asks::Password),
    ("passwort", Asks::Password),
    ("passcode", Asks::Password),
    ("passwd", Asks::Password),
    ("passin", Asks::Password),
    ("passout", Asks::Password),
    ("passw", Asks::Password),
    ("passe", Asks::Password),
    ("pass", Asks::Password),
    ("pwd", Asks::Password),
    ("pw", Asks::Password),
    ("kennwort", Asks::Password),
    ("wachtwoord", Asks::Password),
    ("contrasena", Asks::Password),
    ("senha", Asks::Password),
    ("authorization", Asks::Auth),
    ("authentication", Asks::Auth),
    ("signature", Asks::Key),
    ("credentials", Asks::Key),
    ("credential", Asks::Key),
    ("creds", Asks::Key),
    ("secret", Asks::Key),
    ("token", Asks::Key),
    ("sig", Asks::Key),
    ("auth", Asks::Auth),
    ("key", Asks::AnyKey),
    ("cookie", Asks::Key),
];

/// Words after it that make it another thing: `password_length`, `token_type`.
const OTHER_AFTER: [&str; 59] = [
    "mgr",
    "manager",
    "handler",
    "helper",
    "service",
    "dialog",
    "view",
    "exception",
    "incorrect",
    "invalid",
    "wrong",
    "store",
    "id",
    "ids",
    "type",
    "name",
    "names",
    "url",
    "uri",
    "path",
    "file",
    "dir",
    "length",
    "len",
    "size",
    "count",
    "max",
    "min",
    "limit",
    "expiry",
    "expires",
    "ttl",
    "field",
    "input",
    "label",
    "hint",
    "policy",
    "regex",
    "pattern",
    "reset",
    "form",
    "page",
    "button",
    "column",
    "index",
    "prefix",
    "provider",
    "mode",
    "enabled",
    "required",
    "strength",
    "version",
    "format",
    "error",
    "valid",
    "map",
    "usage",
    "code",
    "mask",
];
/// Words before it: counts of a model's tokens, keys that are not secret.
const OTHER_BEFORE: [&str; 31] = [
    "max",
    "min",
    "num",
    "total",
    "prompt",
    "completion",
    "bos",
    "eos",
    "pad",
    "unk",
    "cls",
    "sep",
    "public",
    "primary",
    "foreign",
    "sort",
    "partition",
    "cache",
    "idempotency",
    "no",
    "has",
    "is",
    "use",
    "reset",
    "forgot",
    "change",
    "pub",
    "composite",
    "unique",
    "i18n",
    "tx",
];
/// Letters right before `key` that make one word with it.
const KEY_HEADS: [&str; 14] = [
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "crypt",
    "encryption",
    "signing",
    "master",
    "account",
    "app",
    "client",
    "license",
    "p",
];
/// And before `pass` and `auth`, other words: bypass, compass.
const NOT_BEFORE_PASS: [&str; 7] = ["by", "com", "tres", "sur", "over", "under", "en"];

/// What the name asks for, if it asks for a secret.
pub(super) fn asks(name: &str) -> Option<Asks> {
    let lower = name.to_ascii_lowercase();
    // The last word says what the thing is; of words at one place the longer stands first in the table.
    let mut best: Option<(usize, usize, Asks)> = None;
    for at in 0..lower.len() {
        if !matches!(lower.as_bytes()[at], b'p' | b'k' | b'w' | b'c' | b's' | b't' | b'a') {
            continue;
        }
        let held = best.map_or(0, |(_, end, _)| end);
        let found = WORDS
            .iter()
            .find(|(word, _)| lower[at..].starts_with(word) && at + word.len() > held && fits(name, &lower, at, word));
        if let Some((word, what)) = found {
            best = Some((at, at + word.len(), *what));
        }
    }
    let Some((at, end, what)) = best else { return misspelt(&lower).then_some(Asks::Password) };
    let (before, after) = (&name[..at], &name[end..]);
    // Many keys are a map, many tokens a count.
    if matches!(&lower[at..end], "token" | "key") && after.starts_with(['s', 'S']) {
        return None;
    }
    let after = after.strip_prefix(['s', 'S']).unwrap_or(after);
    if parts(after).any(|part| OTHER_AFTER.contains(&part.as_str())) {
        return None;
    }
    if parts(before).any(|part| OTHER_BEFORE.contains(&part.as_str())) {
        return None;
    }
    let keyed = what == Asks::AnyKey
        && parts(before).any(|part| {
            KEY_HEADS[..13].contains(&part.as_str()) || KEY_HEADS[..13].iter().any(|head| part.ends_with(head))
        });
    Some(if keyed { Asks::Key } else { what })
}

/// The letters around the word do not make another word of it.
fn fits(name: &str, lower: &str, at: usize, word: &str) -> bool {
    let bytes = name.as_bytes();
    let end = at + word.len();
    let goes_on = bytes.get(end).is_some_and(|next| {
        let camel = next.is_ascii_uppercase() && bytes[end - 1].is_ascii_lowercase();
        let plural = next.eq_ignore_ascii_case(&b's') && !bytes.get(end + 1).is_some_and(u8::is_ascii_alphabetic);
        next.is_ascii_alphabetic() && !camel && !plural
    });
    let begins = at == 0
        || !bytes[at - 1].is_ascii_alphabetic()
        || (bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase());
    let head = &lower[..at];
    let head = &head[head.rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |place| place + 1)..];
    let before = match word {
        "pw" | "sig" | "cookie" | "senha" => begins || head.starts_with("any"),
        "key" => begins || KEY_HEADS.iter().any(|known| head.ends_with(known)),
        "pass" | "passw" => begins || !NOT_BEFORE_PASS.iter().any(|known| head.ends_with(known)),
        "auth" => begins || head.ends_with('o') || head == "any",
        _ => true,
    };
    !goes_on && before
}

/// `paasword`, `passowrd`, `pswd`: the letters of "password", and no other.
fn misspelt(lower: &str) -> bool {
    lower.split(|c: char| !c.is_ascii_alphabetic()).any(|part| {
        let part = part.strip_suffix('s').unwrap_or(part);
        (3..=10).contains(&part.len())
            && part.starts_with('p')
            && part.ends_with('d')
            && part.contains('w')
            && part.bytes().all(|byte| b"pasword".contains(&byte))
    })
}

/// The words of a name, lower case: at `_`, `-`, `.`, digits and capitals.
fn parts(name: &str) -> impl Iterator<Item = String> {
    let mut parts = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphabetic() || (c.is_ascii_uppercase() && was_lower) {
            parts.push(String::new());
        }
        was_lower = c.is_ascii_lowercase();
        if c.is_ascii_alphabetic() {
            parts.last_mut().into_iter().for_each(|part| part.push(c.to_ascii_lowercase()));
        }
    }
    parts.into_iter().filter(|part| !part.is_empty())
}

/// Words for "password" in other scripts and with accents; nothing is glued to them but particles.
pub(super) const FOREIGN: [&str; 14] = [
    "trase\u{f1}a",
    "\u{430}\u{440}\u{43e}\u{43b}\u{44c}",
    "\u{5bc6}\u{7801}",
    "\u{5bc6}\u{78bc}",
    "\u{53e3}\u{4ee4}",
    "\u{be44}\u{bc00}\u{bc88}\u{d638}",
    "\u{be44}\u{bc88}",
    "\u{d328}\u{c2a4}\u{c6cc}\u{b4dc}",
    "\u{c554}\u{d638}",
    "\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9}",
    "has\u{142}o",
    "\u{15f}ifre",
    "l\u{f6}senord",
    "parola",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_ask_for_secrets() {
        for name in [
            "password",
            "MYSQLPASS",
            "my_pw",
            "passworsd",
            "PSSWD",
            "paasword",
            "ANYpassword",
            "PasswordANY",
            "db-pwd",
            "X3_PSWD",
            "ANY_pass",
            "PW",
            "passwords",
            "dbPassword2",
        ] {
            assert_eq!(asks(name), Some(Asks::Password), "{name}");
        }
        for name in [
            "secret",
            "gi_reo_gi_token",
            "AwsSecretKey",
            "apikey",
            "api_key",
            "X-Amz-Credential",
            "access_key",
            "X-Amz-Signature",
        ] {
            assert_eq!(asks(name), Some(Asks::Key), "{name}");
        }
        assert_eq!(asks("Authorization"), Some(Asks::Auth));
        assert_eq!(asks("kerberos_authentication"), Some(Asks::Auth));
        assert_eq!(asks("key"), Some(Asks::AnyKey));
    }

    #[test]
    fn names_that_do_not() {
        for name in [
            "bypass",
            "passed",
            "passengers",
            "author",
            "authors_info",
            "tokenized_value",
            "max_tokens",
            "token_type",
            "password_id",
            "monkey",
            "keyboard",
            "KeypadUserMask",
            "public_key",
            "keyword",
            "pwdump",
            "pass_mask32",
            "compass",
            "stopword",
            "secretary",
            "PWR_MGM",
            "design",
        ] {
            assert_eq!(asks(name), None, "{name}");
        }
    }
}
