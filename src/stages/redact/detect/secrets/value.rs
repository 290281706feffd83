//! Whether the text behind a label is a secret: placeholders, code, paths, words and ids are not.
//!
//! Not here: where labels and values stand (`label`); values with a shape (`format`).
//!
//! Always: linear in the value, which is short; a value that a person could have chosen is taken
//! for a password only if more than letters stands in it.

use super::check::{climbs, placeholder};
use crate::stages::redact::detect::edge::varied;

/// How the value stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Quoted,
    /// Behind a separator, up to the next space or bracket.
    Bare,
    /// Behind a word of prose or a space: only what cannot be a word counts.
    Loose,
}

pub(super) const VALUE_MAX_BYTES: usize = 512;

/// Written where a value should be.
const STAND_INS: [&str; 34] = [
    "null",
    "none",
    "nil",
    "undefined",
    "true",
    "false",
    "string",
    "required",
    "optional",
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "process.env",
    "os.environ",
    "getenv",
    "env.",
    "env(",
    "config.",
    "settings.",
    "self.",
    "this.",
    "args.",
    "params.",
    "req.",
    "request.",
    "secrets.",
    "vars.",
    "var.",
    "data.",
    "input(",
    "prompt(",
];

/// Common to all: no template, call, path, placeholder.
fn is_stand_in(value: &str) -> bool {
    let bytes = value.as_bytes();
    let lower = value.to_ascii_lowercase();
    let template =
        ["${", "{{", "#{", "%{", "$(", "<%", "%(", "}}", "...", "****", "xxxx", "@@", "password=", "secret=", "token="];
    let variable = (bytes[0] == b'$' || bytes[0] == b'%')
        && bytes[1..].iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'%' | b':' | b'.'));
    matches!(bytes[0], b'<' | b'[' | b'{' | b'(' | b'*' | b'&')
        || variable
        || template.iter().any(|mark| lower.contains(mark))
        || STAND_INS.iter().any(|word| lower == *word || (word.ends_with(['.', '(']) && lower.starts_with(word)))
        || ["enc(", "file:", "env:", "vault:", "arn:", "secret://", "op://", "0x"].iter().any(|head| lower.starts_with(head))
        || placeholder(value)
        || has_call(bytes)
        // A pseudonym of an earlier redaction.
        || value.contains('[') && value.contains(']')
}

/// `name(` with a closing bracket: code.
fn has_call(bytes: &[u8]) -> bool {
    memchr::memchr(b'(', bytes).is_some_and(|open| {
        open > 0 && (bytes[open - 1].is_ascii_alphanumeric() || bytes[open - 1] == b'_') && {
            bytes[..open].iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':'))
        }
    })
}

fn is_path(value: &str) -> bool {
    value.starts_with("./")
        || value.starts_with("../")
        || value.starts_with("~/")
        || value.contains("://")
        || value.contains(":\\")
        || (value.starts_with('/') && value[1..].contains('/'))
}

/// An address of mail: the name of an account, not its password.
fn is_mail(value: &str) -> bool {
    value.split_once('@').is_some_and(|(name, host)| {
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        let top = host.rsplit('.').next().unwrap_or_default();
        host.contains('.')
            && plain(name)
            && plain(host)
            && top.len() >= 2
            && top.bytes().all(|byte| byte.is_ascii_lowercase())
    })
}

/// Where the password of `name/password` and `name:password` begins: a word of small letters stands
/// before what can only be a password.
pub(super) fn after_name(value: &str) -> Option<usize> {
    let at = value.find(['/', ':'])?;
    let (name, rest) = (&value[..at], &value[at + 1..]);
    let mix = mix(rest);
    let classes = [mix.lower, mix.upper, mix.digits, mix.signs].iter().filter(|count| **count > 0).count();
    (name.len() >= 3 && name.bytes().all(|byte| byte.is_ascii_lowercase()) && rest.len() >= 6 && classes >= 3)
        .then_some(at + 1)
}

/// `a0b1c2d3-e4f5-6789-abcd-ef0123456789`.
pub(super) fn is_uuid(value: &str) -> bool {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    value.len() == 36
        && value.bytes().enumerate().all(
            |(at, byte)| {
                if DASHES.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() }
            },
        )
}

#[derive(Default)]
struct Mix {
    lower: usize,
    upper: usize,
    digits: usize,
    /// Signs that do not stand in words, names, paths and numbers.
    signs: usize,
    /// Signs that do.
    joints: usize,
    other: usize,
}

fn mix(value: &str) -> Mix {
    let mut mix = Mix::default();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' => mix.lower += 1,
            b'A'..=b'Z' => mix.upper += 1,
            b'0'..=b'9' => mix.digits += 1,
            b'_' | b'-' | b'.' | b'/' | b':' | b',' | b'\'' | b' ' => mix.joints += 1,
            0x21..=0x7e => mix.signs += 1,
            _ => mix.other += 1,
        }
    }
    mix
}

/// How many bytes stand in runs of letters that read like words: four or more of one case (or
/// with a capital), with vowels, without long rows of consonants.
fn wordy(value: &str) -> usize {
    const WORD_BYTES: usize = 4;
    let bytes = value.as_bytes();
    let (mut total, mut at) = (0, 0);
    while at < bytes.len() {
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_alphabetic() {
            // A capital behind a small letter begins a new word.
            if at > start && bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase() {
                break;
            }
            at += 1;
        }
        let run = &bytes[start..at];
        if run.len() >= WORD_BYTES && reads(run) {
            total += run.len();
        }
        at += usize::from(at == start);
    }
    total
}

fn reads(run: &[u8]) -> bool {
    const CONSONANTS_MAX: usize = 4;
    let one_case = run[1..].iter().all(u8::is_ascii_lowercase) || run.iter().all(u8::is_ascii_uppercase);
    let vowel = |byte: &u8| matches!(byte.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let vowels = run.iter().filter(|byte| vowel(byte)).count();
    let longest = run.split(|byte| vowel(byte)).map(<[u8]>::len).max().unwrap_or(0);
    one_case && vowels * 5 >= run.len() && vowels * 4 <= run.len() * 3 && longest <= CONSONANTS_MAX
}

/// A password: what stands behind `password = `.
pub(super) fn is_password(value: &str, place: Place) -> bool {
    const LONGEST: usize = 128;
    if value.len() < 5 || value.len() > LONGEST || is_stand_in(value) || is_path(value) || value.contains(' ') {
        return false;
    }
    if is_mail(value) {
        return false;
    }
    let mix = mix(value);
    let (letters, plain) = (mix.lower + mix.upper, mix.signs == 0 && mix.other == 0);
    if letters + mix.digits + mix.other < 4 || !varied(value.as_bytes(), 3) {
        return false;
    }
    if letters == 0 && mix.other == 0 {
        // Digits only: a PIN or a weak password, but not a date, a version, a count.
        return mix.joints == 0 && plain && (6..=16).contains(&value.len()) && place != Place::Loose;
    }
    match place {
        Place::Quoted => mix.digits > 0 || mix.signs > 0 || mix.other > 0 && letters > 0,
        // In code a bare value is a name more often than not; names hold no signs.
        Place::Bare => (mix.digits > 0 || mix.signs > 1 || mix.other > 0) && !is_name(value, &mix),
        Place::Loose => {
            let classes = [mix.lower, mix.upper, mix.digits, mix.signs].iter().filter(|count| **count > 0).count();
            value.len() >= 6 && mix.digits > 0 && (classes >= 3 && mix.signs > 0 || mix.joints == 0)
        }
    }
}

/// `user_password1`, `cfg.db.pass2`, `Sha256Hash`: a name in code or a numbered thing.
fn is_name(value: &str, mix: &Mix) -> bool {
    let lower = value.to_ascii_lowercase();
    let joined = mix.joints > 0 || mix.upper > 0 && mix.lower > 0;
    let said = ["pass", "pwd", "secret", "token", "user", "field", "input", "text", "param", "value"];
    mix.signs == 0
        && mix.other == 0
        && joined
        && (said.iter().any(|word| lower.contains(word)) || wordy(value) * 10 >= (value.len() - mix.joints) * 8)
}

/// A bare value that reads like a name of code: `win32api.RegOpenKeyEx`, `_POLY1305_KEY_SIZE`.
pub(super) fn is_code(value: &str) -> bool {
    wordy(value) * 10 >= value.len() * 3 || value.contains("KEY") || value.contains("Key")
}

/// A key, a token, a secret made by a machine.
pub(super) fn is_key(value: &str, least: usize) -> bool {
    if value.len() < least || is_stand_in(value) || is_path(value) || is_uuid(value) || climbs(value) {
        return false;
    }
    let mix = mix(value);
    let letters = mix.lower + mix.upper;
    let of_key = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+/=.~%$!#*:^&?|".contains(&byte);
    let cases = [mix.lower, mix.upper, mix.digits].iter().filter(|count| **count > 0).count();
    let random = match mix.digits {
        0 => value.len() >= 24 && mix.lower >= 4 && mix.upper >= 4 || value.len() >= 32 && mix.joints == 0,
        1 => cases == 3 && letters >= 6,
        _ => letters >= 2 && (value.len() >= 12 || cases == 3),
    };
    random
        && value.bytes().all(of_key)
        && mix.signs * 3 <= value.len()
        && varied(value.as_bytes(), 6)
        && wordy(value) * 2 < value.len()
        && mix.joints * 4 <= value.len()
}

/// 32, 40 or 64 hexadecimal digits: as often a checksum as a key.
pub(super) fn is_digest(value: &str) -> bool {
    matches!(value.len(), 32 | 40 | 56 | 64 | 96 | 128) && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_what_is_none() {
        for value in ["cackle!", "n84ASM54y4", "MYPSWRD!@#$%^&*", "dkajc\u{f6}1", "*92FD05ADCA2E"] {
            assert_eq!(is_password(value, Place::Quoted), !value.starts_with('*'), "{value}");
        }
        for value in ["hunter2", "dipPr10Gg!", "123456", "Ce7shE0ENPiBlE_EdEose0cBAA", "2bkJgtJDiLcq1t"] {
            assert!(is_password(value, Place::Bare), "{value}");
        }
        for value in
            ["string", "user.password1", "${DB_PASS}", "getPass(1)", "$PASS1", "/etc/pw/1", "abc", "8", "my_token_2"]
        {
            assert!(!is_password(value, Place::Bare), "{value}");
        }
        assert!(is_password("Prl23Db#@", Place::Loose) && !is_password("required", Place::Loose));
        assert!(!is_password("10-20", Place::Loose) && !is_password("2024", Place::Loose));
    }

    #[test]
    fn keys_and_what_is_none() {
        for value in
            ["K2u6mFw8wJOsAf", "g1re0g1T0keN3zWx", "Nxs094M3ed2s1Re0F4M3ed2GZ8M=", "b035d48j9X2dfjF0hb9sd8Guf5hWu2ia"]
        {
            assert!(is_key(value, 8), "{value}");
        }
        for value in ["welcome_message_2", "some_Config2Value", "node-modules-v18", "application/json", "user_id_2"] {
            assert!(!is_key(value, 8), "{value}");
        }
        assert!(!is_key("bace4d19-fa7e-4eef-8afe-9129474bcd81", 8));
    }
}
