//! Tests of secrets as a whole: every row of the tables, gates, adversarial text.

use super::formats;
use crate::stages::redact::detect::tests::{detector, finds, rules_only};
use crate::stages::redact::kind::Kind;

#[test]
fn there_are_as_many_shapes_as_promised() {
    let mut shapes: Vec<_> = formats::all().map(super::format::Format::shape).collect();
    let count = shapes.len();
    shapes.sort_unstable();
    shapes.dedup();
    assert_eq!(shapes.len(), count, "two rows look for the same");
    assert!(count >= 220, "{count}");
}

#[test]
fn every_pattern_compiles() {
    for format in formats::all() {
        assert!(format.compiles(), "{}", format.rule.id);
        assert!(format.words.iter().all(|word| word.len() <= 48), "{}", format.rule.id);
    }
}

/// An example is found by the rule it belongs to, not by another one.
#[test]
fn every_rule_finds_its_own_example() {
    let (detector, mut spans, mut wrong) = (detector(), Vec::new(), Vec::new());
    for rule in super::rules() {
        for (text, _) in rule.examples() {
            detector.find(&text, &mut spans);
            if !spans.iter().any(|span| span.rule == rule.id) {
                wrong.push(format!("{}: {text:?} gives {:?}", rule.id, spans));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rows of words that lead nowhere: at quadratic cost this would take minutes.
#[test]
fn rows_of_words_are_linear() {
    const TEXT_BYTES: usize = 200_000;
    let detector = rules_only();
    let mut spans = Vec::new();
    let words = formats::all().flat_map(|format| format.words.iter().copied());
    let others: [&str; 14] = [
        "password=",
        "secret: ",
        "token is ",
        "://a:",
        "-----BEGIN PRIVATE KEY-----",
        "eyJ-",
        "curl -u ",
        "\"kty\"",
        "kind: Secret\n",
        "$6$",
        "Bearer ",
        "identified by ",
        "key",
        "\\\"key\\\":",
    ];
    let rows: Vec<&str> = words.chain(others).collect();
    for word in rows.iter().step_by(5).chain(&others) {
        for joint in ["", " ", "-"] {
            let text = format!("{word}{joint}").repeat(TEXT_BYTES / (word.len() + 1));
            detector.find(&text, &mut spans);
        }
    }
}

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
fn keys_of_letters_only() {
    let key = "qXzRtYwPlM".repeat(3);
    for text in [format!("send Bearer {key} with it"), format!("mail [EMAIL:k7f3a9q2] with Bearer {key} please")] {
        finds(&text, Kind::ApiKey, &[&key]);
    }
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
