//! Canaries: personal data and secrets of every kind, false but valid by form and checksum.
//!
//! Not a list of secrets: prefixes are put together at run time and the rest is hash output, so
//! nothing in this source looks live and nothing it makes opens anything.
//!
//! Always: the n-th canary is a function of (seed, n); values of a kind are distinct, those of few
//! digits because they are drawn through a bijection.

use crate::chance::{Chance, Permutation};
use crate::words::Vocabulary;

pub const KINDS: [&str; 14] = [
    "EMAIL",
    "PHONE",
    "IP",
    "CARD",
    "SSN",
    "IBAN",
    "AWS_KEY",
    "GITHUB_TOKEN",
    "OPENAI_KEY",
    "ANTHROPIC_KEY",
    "SLACK_TOKEN",
    "STRIPE_KEY",
    "JWT",
    "PRIVATE_KEY",
];

const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const DIGITS: &[u8] = b"0123456789";
const CAPITALS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A planted value: the whole text, and the line of it that a search for leaks looks for.
pub struct Canary {
    pub kind: usize,
    pub value: String,
    pub needle: String,
}

/// The n-th canary of the corpus; kinds take turns.
pub fn canary(seed: u64, n: u64, words: &Vocabulary) -> Canary {
    let kinds = KINDS.len() as u64;
    let (kind, nth) = ((n % kinds) as usize, n / kinds);
    let chance = Chance::new(seed, "canary", n);
    let draw = |domain: u64| Permutation::new(Chance::new(seed, KINDS[kind], 0), domain).apply(nth % domain);
    let value = match KINDS[kind] {
        "EMAIL" => email(chance, nth, words),
        "PHONE" => phone(nth, draw),
        "IP" => ip(draw),
        "CARD" => card(nth, draw),
        "SSN" => ssn(draw),
        "IBAN" => iban(chance, nth, draw),
        "PRIVATE_KEY" => private_key(chance),
        "JWT" => jwt(chance, words),
        kind => token(chance, kind),
    };
    let needle = value.lines().nth(1).unwrap_or(&value).to_owned();
    Canary { kind, value, needle }
}

/// Letters for a number, so that a value is distinct without digits.
fn letters(mut n: u64) -> String {
    let mut text = String::new();
    loop {
        text.push(char::from(b'a' + (n % 26) as u8));
        n /= 26;
        if n == 0 {
            return text;
        }
    }
}

fn email(chance: Chance, nth: u64, words: &Vocabulary) -> String {
    let noun = |n| chance.pick(n, &words.nouns);
    let ending = chance.choose(0, &["com", "org", "net", "io"]);
    let joint = chance.choose(1, &[".", "_", "+", "-"]);
    format!("{}{joint}{}@{}-{}.{ending}", noun(2), letters(nth + 26), noun(3), noun(4))
}

fn phone(nth: u64, draw: impl Fn(u64) -> u64) -> String {
    match nth % 3 {
        0 => {
            let exchanges: Vec<u64> = (200..1000).filter(|e| *e != 555 && e % 100 != 11).collect();
            let n = draw(4 * exchanges.len() as u64 * 10_000);
            let area = [202, 212, 415, 312][(n % 4) as usize];
            let exchange = exchanges[(n / 4 / 10_000) as usize];
            format!("+1 {area} {exchange}-{:04}", n / 4 % 10_000)
        }
        1 => {
            let n = draw(10_000_000);
            format!("+44 20 7{:03} {:04}", n / 10_000, n % 10_000)
        }
        _ => format!("+49 30 {}", 20_000_000 + draw(70_000_000)),
    }
}

fn ip(draw: impl Fn(u64) -> u64) -> String {
    // Public space only: detectors may pass over private and documentation ranges.
    const FIRST: [u64; 12] = [23, 34, 46, 52, 62, 77, 81, 93, 109, 145, 178, 213];
    let n = draw(12 * 254 * 254 * 254);
    let part = |divisor: u64| 1 + n / 12 / divisor % 254;
    format!("{}.{}.{}.{}", FIRST[(n % 12) as usize], part(1), part(254), part(254 * 254))
}

fn card(nth: u64, draw: impl Fn(u64) -> u64) -> String {
    let n = draw(1_000_000_000);
    let body = match nth % 4 {
        0 => format!("4{:03}{:02}{n:09}", 100 + n % 800, n % 89 + 10),
        1 => format!("5{}{:02}{:02}{n:09}", 1 + n % 5, n % 83 + 10, n % 79 + 10),
        2 => format!("3{}{:03}{n:09}", [4, 7][(n % 2) as usize], 100 + n % 797),
        _ => format!("6011{:02}{n:09}", n % 89 + 10),
    };
    let check = (0..10).find(|digit| luhn(&format!("{body}{digit}"))).unwrap_or(0);
    let number = format!("{body}{check}");
    let groups: Vec<&str> = match number.len() {
        15 => vec![&number[..4], &number[4..10], &number[10..]],
        _ => vec![&number[..4], &number[4..8], &number[8..12], &number[12..]],
    };
    groups.join(["", " ", "-"][(nth / 4 % 3) as usize])
}

pub fn luhn(number: &str) -> bool {
    let sum: u32 = number.bytes().rev().enumerate().fold(0, |sum, (i, byte)| {
        let digit = u32::from(byte - b'0') * if i % 2 == 1 { 2 } else { 1 };
        sum + if digit > 9 { digit - 9 } else { digit }
    });
    sum.is_multiple_of(10)
}

fn ssn(draw: impl Fn(u64) -> u64) -> String {
    // Areas 100..=665: no 000, 666 or 900 and above, and neither of the two famous numbers' 078.
    let n = draw(566 * 98 * 9_998);
    let area = 100 + n / (98 * 9_998);
    // 219-09-9999 is an advertiser's number and often on a stop list; serials end at 9998.
    format!("{area}-{:02}-{:04}", 1 + n / 9_998 % 98, 1 + n % 9_998)
}

fn iban(chance: Chance, nth: u64, draw: impl Fn(u64) -> u64) -> String {
    let n = draw(10_000_000_000);
    let (country, body) = match nth % 3 {
        0 => ("DE", format!("{}{n:010}", 10_000_000 + chance.below(0, 80_000_000))),
        1 => ("GB", format!("{}{}{:08}", chance.string(4, CAPITALS), 100_000 + n % 800_000, n / 100)),
        _ => ("NL", format!("{}{n:010}", chance.string(4, CAPITALS))),
    };
    let compact = format!("{country}{:02}{body}", 98 - mod97(&format!("{body}{country}00")));
    if (nth / 3).is_multiple_of(2) {
        return compact;
    }
    let groups: Vec<String> =
        compact.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    groups.join(" ")
}

/// The remainder of the number that an IBAN's letters (A = 10) and digits spell.
pub fn mod97(text: &str) -> u64 {
    text.chars().filter_map(|c| c.to_digit(36)).map(u64::from).fold(0, |rest, digit| {
        let shift = if digit > 9 { 100 } else { 10 };
        (rest * shift + digit) % 97
    })
}

fn token(chance: Chance, kind: &str) -> String {
    let part = |n, len, alphabet| chance.step(n).string(len, alphabet);
    match kind {
        "AWS_KEY" => ["AK", "IA", &part(0, 16, BASE32)].concat(),
        "GITHUB_TOKEN" => ["gh", "p_", &part(0, 36, ALNUM)].concat(),
        "OPENAI_KEY" => ["sk", "-proj-", &part(0, 74, ALNUM), "T3Blb", "kFJ", &part(1, 74, ALNUM)].concat(),
        "ANTHROPIC_KEY" => ["sk", "-ant-", "api03-", &part(0, 93, ALNUM), "AA"].concat(),
        "SLACK_TOKEN" => {
            let (team, bot) = (part(0, 10, DIGITS), part(1, 11, DIGITS));
            ["xo", "xb-", "2", &team, "-", "3", &bot, "-", &part(2, 24, ALNUM)].concat()
        }
        _ => ["sk", "_live_", &part(0, 24, ALNUM)].concat(),
    }
}

fn jwt(chance: Chance, words: &Vocabulary) -> String {
    let header = base64_url(br#"{"alg":"HS256","typ":"JWT"}"#);
    let subject = chance.pick(0, &words.nouns);
    let body = format!(r#"{{"sub":"{subject}-{}","scope":"read"}}"#, letters(chance.below(1, 1 << 40)));
    format!("{header}.{}.{}", base64_url(body.as_bytes()), chance.step(2).string(43, BASE64_URL))
}

fn base64_url(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut bits = [0u8; 4];
        bits[1..=group.len()].copy_from_slice(group);
        let value = u32::from_be_bytes(bits);
        for n in 0..=group.len() {
            text.push(char::from(BASE64_URL[(value >> (18 - 6 * n) & 63) as usize]));
        }
    }
    text
}

fn private_key(chance: Chance) -> String {
    let label = [chance.choose(0, &["", "RSA ", "EC "]), "PRIV", "ATE KEY"].concat();
    let rows: Vec<String> = (1..=8).map(|n| chance.step(n).string(64, BASE64)).collect();
    let dashes = "-".repeat(5);
    format!("{dashes}BEGIN {label}{dashes}\n{}\n{dashes}END {label}{dashes}", rows.join("\n"))
}

#[cfg(test)]
#[path = "canary_tests.rs"]
mod tests;
