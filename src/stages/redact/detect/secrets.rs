//! Credentials with a published shape: one Aho-Corasick pass over key words, then each hit is
//! parsed by hand.
//!
//! Not here: `password = …` and other secrets without a shape; whether a credential still works
//! (asking would send it out).
//!
//! Always: work per hit is bounded by the length of the credential, except that a private key
//! without an end reaches to the end of the text.

use aho_corasick::{AhoCorasick, MatchKind};

use super::edge::{glued_before, varied};
use super::sealed::{JwtRow, private_key};
use super::{Kind, Span, span};

/// How far an AWS secret may stand from an access key id or the word `secret`.
const AWS_NEAR_BYTES: usize = 160;
const AWS_SECRET_CHARS: usize = 40;

const WORDS: [(&str, Kind); 27] = [
    ("AKIA", Kind::AwsKey),
    ("ASIA", Kind::AwsKey),
    ("ABIA", Kind::AwsKey),
    ("ACCA", Kind::AwsKey),
    ("A3T", Kind::AwsKey),
    // `secret`, `Secret`, `SECRET`: the label of an AWS secret.
    ("ecret", Kind::AwsKey),
    ("ECRET", Kind::AwsKey),
    ("ghp_", Kind::GithubToken),
    ("gho_", Kind::GithubToken),
    ("ghu_", Kind::GithubToken),
    ("ghs_", Kind::GithubToken),
    ("ghr_", Kind::GithubToken),
    ("github_pat_", Kind::GithubToken),
    ("sk-ant-", Kind::AnthropicKey),
    ("sk-", Kind::OpenaiKey),
    ("xoxa-", Kind::SlackToken),
    ("xoxb-", Kind::SlackToken),
    ("xoxp-", Kind::SlackToken),
    ("xoxr-", Kind::SlackToken),
    ("xoxs-", Kind::SlackToken),
    ("hooks.slack.com/", Kind::SlackToken),
    ("sk_live_", Kind::StripeKey),
    ("sk_test_", Kind::StripeKey),
    ("rk_live_", Kind::StripeKey),
    ("rk_test_", Kind::StripeKey),
    ("eyJ", Kind::Jwt),
    ("-----BEGIN ", Kind::PrivateKey),
];
const STRIPE_PROD: [(&str, Kind); 2] = [("sk_prod_", Kind::StripeKey), ("rk_prod_", Kind::StripeKey)];

pub(super) struct Secrets {
    words: Option<AhoCorasick>,
    kinds: Vec<Kind>,
}

impl Secrets {
    pub(super) fn new(enabled: impl Fn(Kind) -> bool) -> Result<Secrets, String> {
        let wanted: Vec<_> = WORDS.into_iter().chain(STRIPE_PROD).filter(|(_, kind)| enabled(*kind)).collect();
        let words = (!wanted.is_empty())
            .then(|| {
                AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(wanted.iter().map(|(word, _)| word))
            })
            .transpose()
            .map_err(|error| format!("key words of secrets: {error}"))?;
        Ok(Secrets { words, kinds: wanted.into_iter().map(|(_, kind)| kind).collect() })
    }

    pub(super) fn find(&self, text: &str, out: &mut Vec<Span>) {
        let Some(words) = &self.words else { return };
        let mut free_from = 0;
        let mut jwts = JwtRow::default();
        for hit in words.find_iter(text) {
            let at = hit.start();
            let kind = self.kinds[hit.pattern().as_usize()];
            let within = match kind {
                // Labels, addresses and dashes stand beside letters as they like.
                Kind::AwsKey | Kind::PrivateKey => false,
                _ => !text[at..].starts_with("hooks") && glued_before(text, at),
            };
            if at < free_from || within {
                continue;
            }
            let found = match kind {
                Kind::AwsKey if hit.len() == 5 => {
                    aws_secrets(text, hit.end(), hit.end() + AWS_NEAR_BYTES, out);
                    None
                }
                Kind::AwsKey => aws_id(text, at, out),
                Kind::GithubToken => github(text, at),
                Kind::AnthropicKey => anthropic(text, at),
                Kind::OpenaiKey => openai(text, at),
                Kind::SlackToken if text[at..].starts_with('h') => slack_hook(text, at),
                Kind::SlackToken => slack(text, at),
                Kind::StripeKey => stripe(text, at, hit.end()),
                Kind::Jwt => jwts.find(text, at),
                Kind::PrivateKey => private_key(text, at),
                _ => None,
            };
            if let Some(mut found) = found {
                let value = &text[at..found.end_byte as usize];
                // A key that runs into `-----BEGIN` must not eat the start of the next one.
                if kind != Kind::PrivateKey
                    && let Some(dashes) = value.find("-----")
                {
                    found.end_byte = (at + dashes) as u32;
                }
                free_from = found.end_byte as usize;
                out.push(found);
            }
        }
    }
}

/// How many bytes from `at` belong to the class.
pub(super) fn run(text: &str, at: usize, class: impl Fn(u8) -> bool) -> usize {
    text.as_bytes()[at..].iter().take_while(|byte| class(**byte)).count()
}

fn alnum(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

pub(super) fn url_safe(byte: u8) -> bool {
    alnum(byte) || byte == b'-' || byte == b'_'
}

fn base64(byte: u8) -> bool {
    alnum(byte) || byte == b'/' || byte == b'+'
}

/// The length of a row of at least `least` bytes that is no placeholder, else `None`. It is judged
/// by its beginning, so that key words in a row (`sk-ant-sk-ant-…`) do not make the scan quadratic.
fn random_run(text: &str, at: usize, class: fn(u8) -> bool, least: usize) -> Option<usize> {
    const JUDGED_BYTES: usize = 80;
    let head: Vec<u8> =
        text.as_bytes()[at..].iter().copied().take(JUDGED_BYTES).take_while(|byte| class(*byte)).collect();
    (head.len() >= least && varied(&head, 10)).then(|| run(text, at, class))
}

/// The value is `text[at..at + len]`, begins a word and is not a placeholder.
fn value(text: &str, at: usize, len: usize, kind: Kind, rule: &'static str, score: f32) -> Option<Span> {
    let random = varied(&text.as_bytes()[at..at + len], 10);
    (random && !glued_before(text, at)).then(|| span(at, at + len, kind, rule, score))
}

fn aws_id(text: &str, at: usize, out: &mut Vec<Span>) -> Option<Span> {
    const CHARS: usize = 20;
    let strict = |byte: &u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(byte);
    // Made-up ids hold the digits that base32 leaves out; after `AKIA` they still stand for a key.
    let like = |byte: &u8| text[at..].starts_with("AKIA") && (byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let row = text.as_bytes()[at..].iter().take(CHARS + 1).take_while(|byte| alnum(**byte)).count();
    let fits = row == CHARS && text.as_bytes()[at + 4..at + CHARS].iter().all(|byte| strict(byte) || like(byte));
    let fourth = text.as_bytes().get(at + 3)?;
    if !fits || !(fourth.is_ascii_uppercase() || fourth.is_ascii_digit()) || glued_before(text, at) {
        return None;
    }
    if !varied(&text.as_bytes()[at + 4..at + CHARS], 4) {
        return None;
    }
    aws_secrets(text, at.saturating_sub(AWS_NEAR_BYTES), at, out);
    aws_secrets(text, at + CHARS, at + CHARS + AWS_NEAR_BYTES, out);
    Some(span(at, at + CHARS, Kind::AwsKey, "aws.access_key_id", 0.97))
}

/// Rows of exactly 40 base64 characters that begin within the window.
fn aws_secrets(text: &str, from: usize, to: usize, out: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < to.min(bytes.len()) {
        // A value is never longer than the window plus itself, so the row need not be read on.
        let row = bytes[at..].iter().take(AWS_SECRET_CHARS + 1).take_while(|byte| base64(**byte)).count();
        let begins = at == 0 || !base64(bytes[at - 1]);
        let (value, after) = (&bytes[at..at + row], bytes.get(at + row));
        if row == AWS_SECRET_CHARS
            && begins
            && after != Some(&b'=')
            && value.iter().any(u8::is_ascii_uppercase)
            && value.iter().any(u8::is_ascii_lowercase)
            && value.iter().any(u8::is_ascii_digit)
            && varied(value, 16)
            && !out.iter().rev().take(4).any(|found| found.start_byte as usize == at)
        {
            out.push(span(at, at + row, Kind::AwsKey, "aws.secret_access_key", 0.9));
        }
        at += row.max(1);
    }
}

fn github(text: &str, at: usize) -> Option<Span> {
    if text[at..].starts_with("github_pat_") {
        let len = run(text, at, |byte| alnum(byte) || byte == b'_');
        return (len >= 11 + 82).then(|| value(text, at, len, Kind::GithubToken, "github.fine_grained", 0.99))?;
    }
    let len = 4 + run(text, at + 4, alnum);
    (len >= 40).then(|| value(text, at, len, Kind::GithubToken, "github.token", 0.98))?
}

fn anthropic(text: &str, at: usize) -> Option<Span> {
    // `sk-ant-api03-…`: 93 characters and `AA`; other types and lengths exist, placeholders are short.
    let len = random_run(text, at, url_safe, 48)?;
    value(text, at, len, Kind::AnthropicKey, "anthropic.key", 0.98)
}

fn openai(text: &str, at: usize) -> Option<Span> {
    let typed = ["sk-proj-", "sk-svcacct-", "sk-admin-"].iter().find(|head| text[at..].starts_with(**head));
    if let Some(head) = typed {
        let len = random_run(text, at, url_safe, head.len() + 40)?;
        return value(text, at, len, Kind::OpenaiKey, "openai.typed_key", 0.98);
    }
    // `sk-` + 20 + `T3BlbkFJ` + 20 has the same 48 characters as the later ones without the mark.
    let len = 3 + run(text, at + 3, alnum);
    let marked = text.get(at + 23..at + 31) == Some("T3BlbkFJ");
    (len == 51).then(|| value(text, at, len, Kind::OpenaiKey, "openai.key", if marked { 0.99 } else { 0.9 }))?
}

fn slack(text: &str, at: usize) -> Option<Span> {
    let len = random_run(text, at, |byte| alnum(byte) || byte == b'-', 20)?;
    let len = text[at..at + len].trim_end_matches('-').len();
    let digits = text[at..at + len].bytes().take(80).filter(u8::is_ascii_digit).count();
    (len >= 20 && digits >= 5).then(|| value(text, at, len, Kind::SlackToken, "slack.token", 0.97))?
}

fn slack_hook(text: &str, at: usize) -> Option<Span> {
    let path = at + "hooks.slack.com/".len();
    let ways = ["services/", "workflows/", "triggers/"];
    let way = ways.iter().find(|way| text[path..].starts_with(**way))?;
    let len = run(text, path + way.len(), |byte| base64(byte) || byte == b'-' || byte == b'_');
    let start =
        ["https://", "http://"].iter().find(|scheme| text[..at].ends_with(**scheme)).map_or(at, |s| at - s.len());
    let end = path + way.len() + len;
    let random = varied(&text.as_bytes()[path + way.len()..end], 10);
    (len >= 30 && random).then(|| span(start, end, Kind::SlackToken, "slack.webhook", 0.97))
}

fn stripe(text: &str, at: usize, body: usize) -> Option<Span> {
    let len = run(text, body, alnum);
    let random = varied(&text.as_bytes()[body..body + len], 6);
    ((10..=200).contains(&len) && random && !glued_before(text, at))
        .then(|| span(at, body + len, Kind::StripeKey, "stripe.key", 0.97))
}

#[cfg(test)]
mod tests {
    use crate::stages::redact::detect::tests::finds;
    use crate::stages::redact::kind::Kind;

    /// Secrets are put together here so that none stands in the source.
    fn join(head: &str, body: &str, times: usize) -> String {
        format!("{head}{}", body.repeat(times))
    }

    fn alone_and_in_company(kind: Kind, value: &str) {
        for text in [
            value.to_owned(),
            format!("key={value}."),
            format!("{{\"key\":\"{value}\"}}"),
            format!("export KEY='{value}'\\nmore"),
            format!("({value})"),
        ] {
            finds(&text, kind, &[value]);
        }
        finds(&format!("x{value}"), kind, &[]);
    }

    #[test]
    fn keys_of_every_kind() {
        let b36 = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
        for (kind, value) in [
            (Kind::AwsKey, join("AKIA", "IOSFODNN7QRSTUVW", 1)),
            (Kind::AwsKey, join("AKIA", "GIREOGIAWSKEY189", 1)),
            (Kind::AwsKey, join("ASIA", "IOSFODNN7QRSTUVW", 1)),
            (Kind::GithubToken, join("ghp_", b36, 1)),
            (Kind::GithubToken, join("ghs_", b36, 1)),
            (Kind::GithubToken, format!("github_{}{}_{}{}", "pat_", &b36[..22], b36, &b36[..23])),
            (Kind::OpenaiKey, format!("sk-{}{}{}", &b36[..20], "T3BlbkFJ", &b36[10..30])),
            (Kind::OpenaiKey, format!("sk-{}{}", b36, &b36[..12])),
            (Kind::OpenaiKey, format!("sk-{}{b36}_{b36}", "proj-")),
            (Kind::OpenaiKey, format!("sk-{}{b36}-{b36}", "svcacct-")),
            (Kind::AnthropicKey, format!("sk-{}{b36}_{b36}-{}AA", "ant-api03-", &b36[..19])),
            (Kind::AnthropicKey, format!("sk-{}{b36}_{b36}-{}AA", "ant-admin01-", &b36[..19])),
            (Kind::SlackToken, format!("xoxb-{}-{}-{}", "123456789012", "1234567890123", &b36[..24])),
            (Kind::StripeKey, join("sk_live_", &b36[..24], 1)),
            (Kind::StripeKey, join("rk_test_", &b36[..24], 1)),
            (Kind::StripeKey, join("sk_prod_", &b36[..24], 1)),
        ] {
            alone_and_in_company(kind, &value);
        }
    }

    #[test]
    fn aws_secrets_need_company() {
        let secret = format!("wJalrXUtnFEMI/K7MDENG/{}", "bPxRfiCYq1w2e3r4t5");
        let id = join("AKIA", "IOSFODNN7QRSTUVW", 1);
        finds(&secret, Kind::AwsKey, &[]);
        finds(&format!("aws_secret_access_key = \"{secret}\""), Kind::AwsKey, &[&secret]);
        finds(&format!("SECRET={secret}"), Kind::AwsKey, &[&secret]);
        finds(&format!("{id},{secret}"), Kind::AwsKey, &[&id, &secret]);
        finds(&format!("{secret}:{id}"), Kind::AwsKey, &[&secret, &id]);
        finds("secret commit 0123456789abcdef0123456789abcdef01234567", Kind::AwsKey, &[]);
    }

    #[test]
    fn slack_hooks() {
        let url = format!("https://hooks.slack.com/{}/T0A1B2C3D/B0A1B2C3D/{}", "services", "a1B2c3D4e5F6g7H8i9J0k1L2");
        finds(&format!("post to <{url}> now"), Kind::SlackToken, &[&url]);
        finds("https://hooks.slack.com/services/T000/B000/XXXX", Kind::SlackToken, &[]);
    }

    #[test]
    fn tokens_with_a_json_header() {
        // {"alg":"HS256","typ":"JWT"} and {"typ":"JWT"}.
        let header = format!("{}{}", "eyJhbGciOiJIUzI1NiIs", "InR5cCI6IkpXVCJ9");
        let token = format!("{header}.{}.{}", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P");
        alone_and_in_company(Kind::Jwt, &token);
        let unsigned = format!("{header}.{}", "eyJzdWIiOiIxMjM0NTY3ODkwIn0");
        finds(&format!("Bearer {unsigned}."), Kind::Jwt, &[&unsigned]);
        let no_alg = format!("{}{}", "eyJ0eXAiOiJK", "V1QifQ.eyJzdWIiOiIxIn0.abc");
        finds(&no_alg, Kind::Jwt, &[]);
        finds("eyJustAWord.eyJump.high", Kind::Jwt, &[]);
        finds(&header, Kind::Jwt, &[]);
    }

    #[test]
    fn private_keys() {
        let begin = format!("-----BEGIN {}-----", "RSA PRIVATE KEY");
        let end = format!("-----END {}-----", "RSA PRIVATE KEY");
        let key = format!("{begin}\nMIIEow@b.co 4111111111111111\n{end}");
        finds(&format!("a\n{key}\nb"), Kind::PrivateKey, &[&key]);
        finds(&format!("a\n{key}\nb"), Kind::Email, &[]);
        let cut = format!("{begin}\nMIIEow");
        finds(&format!("a {cut}"), Kind::PrivateKey, &[&cut]);
        finds("-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----", Kind::PrivateKey, &[]);
    }

    #[test]
    fn look_alikes() {
        let placeholder = join("ghp_", "x", 36);
        for (kind, text) in [
            (Kind::AwsKey, "ASIA AND AFRICA, AKIAIOSFODNN7"),
            (Kind::AwsKey, "AKIAIOSFODNN7EXAMPLEMORE"),
            (Kind::GithubToken, placeholder.as_str()),
            (Kind::GithubToken, "ghp_short github_pat_short"),
            (Kind::OpenaiKey, "risk-free task-force sk-learn sk-proj-your-key-here"),
            (Kind::AnthropicKey, "sk-ant-api03-... sk-ant-xxxxxxxx"),
            (Kind::SlackToken, "xoxb-your-token-here-please-now"),
            (Kind::StripeKey, "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx sk_test_ rk_live_abc"),
        ] {
            finds(text, kind, &[]);
        }
    }
}
