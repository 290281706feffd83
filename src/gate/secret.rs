//! Keys and tokens by the beginnings that their issuers give them.
//!
//! Not here: secrets without a form; those of the ledger are looked for by their hash.
//!
//! Always: a value that is made up for documentation (`EXAMPLE`, rows of one letter, too little
//! chance in it) is none.

use aho_corasick::AhoCorasick;
use regex::Regex;

use super::pattern::Hit;
use crate::stages::redact::Kind;

type Row = (Kind, &'static str, &'static str, &'static str);

/// Kind, name, how it begins, and how it goes on.
const FORMS: &[Row] = &[
    (Kind::AwsKey, "aws", "AKIA", "[A-Z2-7]{16}"),
    (Kind::AwsKey, "aws", "ASIA", "[A-Z2-7]{16}"),
    (Kind::GithubToken, "github", "ghp_", "[0-9A-Za-z]{36}"),
    (Kind::GithubToken, "github", "gho_", "[0-9A-Za-z]{36}"),
    (Kind::GithubToken, "github", "ghu_", "[0-9A-Za-z]{36}"),
    (Kind::GithubToken, "github", "ghs_", "[0-9A-Za-z]{36}"),
    (Kind::GithubToken, "github", "ghr_", "[0-9A-Za-z]{36}"),
    (Kind::GithubToken, "github", "github_pat_", "[0-9A-Za-z_]{82}"),
    (Kind::OpenaiKey, "openai", "sk-proj-", "[0-9A-Za-z_-]{40,180}"),
    (Kind::OpenaiKey, "openai", "sk-svcacct-", "[0-9A-Za-z_-]{40,180}"),
    (Kind::AnthropicKey, "anthropic", "sk-ant-", "[0-9A-Za-z_-]{80,120}"),
    (Kind::SlackToken, "slack", "xoxb-", "[0-9]{10,13}-[0-9A-Za-z-]{20,80}"),
    (Kind::SlackToken, "slack", "xoxp-", "[0-9]{10,13}-[0-9A-Za-z-]{20,80}"),
    (Kind::SlackToken, "slack", "xapp-", "[0-9]-[0-9A-Z]{8,14}-[0-9]{10,13}-[0-9a-f]{40,80}"),
    (Kind::SlackToken, "slack", "hooks.slack.com/services/", "T[0-9A-Z]{8,12}/B[0-9A-Z]{8,12}/[0-9A-Za-z]{20,28}"),
    (Kind::StripeKey, "stripe", "sk_live_", "[0-9A-Za-z]{20,99}"),
    (Kind::StripeKey, "stripe", "rk_live_", "[0-9A-Za-z]{20,99}"),
    (Kind::StripeKey, "stripe", "sk_test_", "[0-9A-Za-z]{20,99}"),
    (Kind::ApiKey, "stripe.webhook", "whsec_", "[0-9A-Za-z]{32,64}"),
    (Kind::ApiKey, "google", "AIza", "[0-9A-Za-z_-]{35}"),
    (Kind::ApiKey, "google.oauth", "GOCSPX-", "[0-9A-Za-z_-]{28}"),
    (Kind::ApiKey, "gitlab", "glpat-", "[0-9A-Za-z_-]{20}"),
    (Kind::ApiKey, "huggingface", "hf_", "[A-Za-z]{34}"),
    (Kind::ApiKey, "npm", "npm_", "[0-9A-Za-z]{36}"),
    (Kind::ApiKey, "pypi", "pypi-AgEIcHlwaS5vcmc", "[0-9A-Za-z_-]{50,}"),
    (Kind::ApiKey, "sendgrid", "SG.", r"[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"),
    (Kind::ApiKey, "databricks", "dapi", "[0-9a-f]{32}"),
    (Kind::ApiKey, "digitalocean", "dop_v1_", "[0-9a-f]{64}"),
    (Kind::ApiKey, "shopify", "shpat_", "[0-9a-fA-F]{32}"),
    (Kind::ApiKey, "shopify", "shpss_", "[0-9a-fA-F]{32}"),
    (Kind::ApiKey, "vault", "hvs.", "[0-9A-Za-z_-]{90,120}"),
    (Kind::ApiKey, "doppler", "dp.pt.", "[0-9A-Za-z]{43}"),
    (Kind::ApiKey, "linear", "lin_api_", "[0-9A-Za-z]{40}"),
    (Kind::ApiKey, "postman", "PMAK-", "[0-9a-f]{24}-[0-9a-f]{34}"),
    (Kind::ApiKey, "newrelic", "NRAK-", "[0-9A-Z]{27}"),
    (Kind::ApiKey, "grafana", "glsa_", "[0-9A-Za-z]{32}_[0-9a-f]{8}"),
    (Kind::ApiKey, "square", "sq0atp-", "[0-9A-Za-z_-]{22}"),
    (Kind::ApiKey, "groq", "gsk_", "[0-9A-Za-z]{52}"),
    (Kind::ApiKey, "replicate", "r8_", "[0-9A-Za-z_-]{37}"),
    (Kind::ApiKey, "telegram", ":AA", "[0-9A-Za-z_-]{33}"),
    (Kind::ApiKey, "mailgun", "key-", "[0-9a-f]{32}"),
    (Kind::Jwt, "jwt", "eyJ", r"[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}"),
    (
        Kind::PrivateKey,
        "pem",
        "-----BEGIN ",
        r"(?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----[\s\\rn]*[0-9A-Za-z+/=\s\\]{64,}",
    ),
];

pub struct Secrets {
    starts: AhoCorasick,
    rest: Vec<Regex>,
}

impl Secrets {
    pub fn new() -> Result<Secrets, String> {
        let starts = AhoCorasick::new(FORMS.iter().map(|(_, _, start, _)| start)).map_err(|err| err.to_string())?;
        let rest = |(_, _, _, rest): &Row| Regex::new(&format!("^(?:{rest})")).map_err(|err| err.to_string());
        Ok(Secrets { starts, rest: FORMS.iter().map(rest).collect::<Result<_, _>>()? })
    }

    pub fn find(&self, text: &str, add: &mut dyn FnMut(Hit)) {
        let word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        for start in self.starts.find_overlapping_iter(text) {
            let (kind, name, ..) = FORMS[start.pattern().as_usize()];
            // A key may be glued to marks, not to letters.
            if name != "telegram" && start.start() > 0 && word(text.as_bytes().get(start.start() - 1)) {
                continue;
            }
            let Some(hit) = self.rest[start.pattern().as_usize()].find(&text[start.end()..]) else { continue };
            let place = start.start()..start.end() + hit.end();
            let ends = name == "pem" || !word(text.as_bytes().get(place.end));
            let body = hit.as_str().rsplit("-----").next().unwrap_or_default();
            if ends && is_live(body) && (name != "jwt" || is_header(&text[place.clone()])) {
                add(Hit { place, kind, name });
            }
        }
    }
}

/// Not made up to show what a key looks like.
fn is_live(rest: &str) -> bool {
    const BITS_MIN: f64 = 2.8;
    const RUN: usize = 5;
    let lower = rest.get(..rest.len().min(200)).unwrap_or(rest).to_ascii_lowercase();
    let made_up =
        ["example", "xxxx", "your", "placeholder", "redacted", "1234567890", "abcdefgh", "000000", "dummy", "sample"];
    let run = lower.as_bytes().windows(RUN).any(|window| window.iter().all(|byte| *byte == window[0]));
    !run && !made_up.iter().any(|word| lower.contains(word)) && bits(lower.as_bytes()) >= BITS_MIN
}

/// Shannon's entropy a byte.
fn bits(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let share = |count: &u32| f64::from(*count) / bytes.len() as f64;
    counts.iter().filter(|count| **count > 0).map(share).map(|p| -p * p.log2()).sum()
}

/// The first part decodes to a JSON object that names its algorithm.
fn is_header(jwt: &str) -> bool {
    let head = jwt.split('.').next().unwrap_or_default();
    super::decode::View::of(head).is_some_and(|view| view.text.starts_with('{') && view.text.contains("\"alg\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::redact::expand;

    fn found(text: &str) -> Vec<(String, &'static str)> {
        let (secrets, mut hits) = (Secrets::new().unwrap(), Vec::new());
        secrets.find(text, &mut |hit| hits.push((text[hit.place].to_owned(), hit.name)));
        hits
    }

    #[test]
    fn keys_are_found_by_their_beginnings() {
        for (form, name) in [
            ("AKIA{b32:16}", "aws"),
            ("ghp_{b62:36}", "github"),
            ("github_pat_{b62:82}", "github"),
            ("sk-proj-{b64url:74}", "openai"),
            ("sk-ant-api03-{b64url:93}AA", "anthropic"),
            ("xoxb-{d:12}-{d:12}-{b62:24}", "slack"),
            ("sk_live_{b62:24}", "stripe"),
            ("AIza{b62:35}", "google"),
            ("glpat-{b62:20}", "gitlab"),
            ("npm_{b62:36}", "npm"),
            ("SG.{b62:22}.{b62:43}", "sendgrid"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ{b62:20}.{b64url:43}", "jwt"),
            ("-----BEGIN RSA PRIVATE KEY-----\n{b64:64}\n{b64:64}", "pem"),
        ] {
            let key = expand(form);
            assert_eq!(found(&format!("key={key}; ok")), [(key.clone(), name)], "{form}");
            assert_eq!(
                found(&format!("key={key}zz_{key}")).len(),
                usize::from(matches!(name, "openai" | "pem" | "jwt")),
                "{form}"
            );
        }
    }

    #[test]
    fn examples_are_no_keys() {
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "sk_test_000000000000000000000000",
            "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
            "eyJ.eyJ.x",
            "hf_",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
