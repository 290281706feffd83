//! Keys that come in pairs: an id with a mark, and near it a secret without one.
//!
//! Not here: secrets behind a name (`label`).
//!
//! Always: the secret is looked for within a window around its id; it alone is never found here.

use crate::stages::redact::detect::Span;
use crate::stages::redact::detect::edge::{glued_before, varied};
use crate::stages::redact::kind::Kind;
use crate::stages::redact::rule::Rule;

/// How far a secret may stand from its id or from the word `secret`.
pub(super) const NEAR_BYTES: usize = 160;

pub(super) struct Pair {
    pub(super) words: &'static [&'static str],
    /// The rule of ids that begin with the words; nothing if another table finds them.
    id: Option<&'static Rule>,
    secret: &'static Rule,
    secret_chars: usize,
}

pub(super) static RULES: [&Rule; 4] = [&AWS_ID, &AWS_SECRET, &ALIBABA_SECRET, &GOOGLE_SECRET];

pub(super) static PAIRS: [Pair; 3] = [
    Pair {
        words: &["AKIA", "ASIA", "ABIA", "ACCA", "A3T"],
        id: Some(&AWS_ID),
        secret: &AWS_SECRET,
        secret_chars: AWS_SECRET_CHARS,
    },
    Pair { words: &["LTAI"], id: None, secret: &ALIBABA_SECRET, secret_chars: 30 },
    Pair { words: &[".apps.googleusercontent.com"], id: None, secret: &GOOGLE_SECRET, secret_chars: 24 },
];

const AWS_SECRET_CHARS: usize = 40;

static AWS_ID: Rule = Rule {
    id: "aws.access_key_id",
    version: 2,
    kind: Kind::AwsKey,
    country: "",
    score: 0.97,
    check: "20 characters, base32 after the prefix (AKIA: any digit); variety",
    context: &[],
    source: "AWS IAM user guide, unique identifiers",
    finds: &["id ‹AKIA{b32:16}›, then", "<Image>‹ASIA{b32:16}›==</Image>"],
    passes: &["ASIA AND AFRICA, AKIA{b32:9}", "AKIA{b32:24}"],
};
static AWS_SECRET: Rule = Rule {
    id: "aws.secret_access_key",
    version: 2,
    kind: Kind::AwsKey,
    country: "",
    score: 0.9,
    check: "40 characters of base64 with both cases and a digit; variety",
    context: &["secret", "AKIA", "ASIA"],
    source: "AWS general reference, access keys",
    finds: &["aws_secret_access_key = \"‹{b62:40}›\"", "SECRET=‹{b62:20}/{b62:19}›"],
    passes: &["{b62:40}", "secret commit {hex:40}"],
};
static ALIBABA_SECRET: Rule = Rule {
    id: "alibaba.access_key_secret",
    version: 1,
    kind: Kind::ApiKey,
    country: "",
    score: 0.85,
    check: "30 letters and digits near an LTAI id; variety",
    context: &["LTAI"],
    source: "Alibaba Cloud documentation, AccessKey pairs",
    finds: &["‹LTAI{b62:16}›, ‹{b62:30}›"],
    passes: &["{b62:30}"],
};
static GOOGLE_SECRET: Rule = Rule {
    id: "gcp.oauth_legacy_secret",
    version: 1,
    kind: Kind::ApiKey,
    country: "",
    score: 0.8,
    check: "24 letters, digits, _ and - near a client id; variety",
    context: &[".apps.googleusercontent.com"],
    source: "Google identity documentation, OAuth client ids",
    finds: &["‹{d:12}-{b36:32}.apps.googleusercontent.com›\n\n‹{b62:24}›"],
    passes: &["{b62:24}"],
};

impl Pair {
    /// An id stands at `at`: adds it and the secrets around it.
    pub(super) fn find(&self, text: &str, at: usize, out: &mut Vec<Span>) {
        let Some(word) = self.words.iter().find(|word| text[at..].starts_with(**word)) else { return };
        let end = match self.id {
            Some(rule) => {
                let Some(end) = aws_id(text, at) else { return };
                out.push(rule.at(at, end));
                end
            }
            None => at + word.len(),
        };
        self.secrets(text, at.saturating_sub(NEAR_BYTES), at, out);
        self.secrets(text, end, end + NEAR_BYTES, out);
    }

    fn secrets(&self, text: &str, from: usize, to: usize, out: &mut Vec<Span>) {
        rows_of(text, from, to, self.secret_chars, self.secret, out);
    }
}

/// Secrets of AWS behind the word `secret`, which ends at `at`.
pub(super) fn aws_secrets_behind(text: &str, at: usize, out: &mut Vec<Span>) {
    rows_of(text, at, at + NEAR_BYTES, AWS_SECRET_CHARS, &AWS_SECRET, out);
}

fn aws_id(text: &str, at: usize) -> Option<usize> {
    const CHARS: usize = 20;
    let bytes = text.as_bytes();
    let strict = |byte: &u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(byte);
    // Made-up ids hold the digits that base32 leaves out; after `AKIA` they still stand for a key.
    let like = |byte: &u8| text[at..].starts_with("AKIA") && (byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let row = bytes[at..].iter().take(CHARS + 1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let fits = row == CHARS && bytes[at + 4..at + CHARS].iter().all(|byte| strict(byte) || like(byte));
    let fourth = bytes.get(at + 3)?;
    let is_id = fits
        && (fourth.is_ascii_uppercase() || fourth.is_ascii_digit())
        && !glued_before(text, at)
        && varied(&bytes[at + 4..at + CHARS], 4);
    is_id.then_some(at + CHARS)
}

/// Rows of exactly so many characters of base64 that begin within the window.
fn rows_of(text: &str, from: usize, to: usize, chars: usize, rule: &'static Rule, out: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    // Two alphabets: only keys of AWS hold a slash.
    let slash = chars == AWS_SECRET_CHARS;
    let class = |byte: u8| {
        byte.is_ascii_alphanumeric() || if slash { matches!(byte, b'/' | b'+') } else { matches!(byte, b'_' | b'-') }
    };
    let mut at = from;
    while at < to.min(bytes.len()) {
        // A value is never longer than the window plus itself, so the row need not be read on.
        let row = bytes[at..].iter().take(chars + 1).take_while(|byte| class(**byte)).count();
        let begins = at == 0 || !(class(bytes[at - 1]) || bytes[at - 1] == b'.');
        let (value, after) = (&bytes[at..at + row], bytes.get(at + row));
        if row == chars
            && begins
            && !matches!(after, Some(b'=' | b'.'))
            && value.iter().any(u8::is_ascii_uppercase)
            && value.iter().any(u8::is_ascii_lowercase)
            && value.iter().any(u8::is_ascii_digit)
            && varied(value, chars as u32 * 2 / 5)
            && !out.iter().rev().take(4).any(|found| found.start_byte as usize == at)
        {
            out.push(rule.at(at, at + row));
        }
        at += row.max(1);
    }
}
