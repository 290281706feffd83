//! The evasion matrix: values of seven kinds in every disguise, with a word before that tells
//! what they are, through the redaction of a whole conversation.

use super::conversation::Redactor;
use super::disguise::Disguise;
use super::pseudonym::{mask_tokens, tokens};
use super::text::Finding;
use crate::config::Redact;
use crate::record::{Conversation, Id, Message, ProjectKey, Role};

/// Marsaglia's xorshift64.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % most
    }

    fn of(&mut self, letters: &str, len: usize) -> String {
        (0..len).map(|_| char::from(letters.as_bytes()[self.below(letters.len())])).collect()
    }

    fn one<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

const DIGITS: &str = "0123456789";
const UPPER_32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LETTERS: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn email(draw: &mut Draw) -> String {
    let first = draw.one(&["maria", "tom", "oleksandr", "jo", "p.varga", "annelise_k", "r2d", "haruto.sato"]);
    let last = draw.one(&["", ".lopez", "77", "_w", "-brandt", ".o.neil"]);
    let host = draw.one(&["mailbox", "acme-corp", "uni.heidelberg", "post", "northwind"]);
    format!("{first}{last}@{host}.{}", draw.one(&["com", "org", "de", "co.uk", "io", "net"]))
}

fn ssn(draw: &mut Draw) -> String {
    format!("{}-{}-{}", 101 + draw.below(500), 11 + draw.below(88), 1001 + draw.below(8900))
}

fn card(draw: &mut Draw) -> String {
    let head = draw.one(&["4", "51", "54", "37", "6011"]);
    let len = if head == "37" { 15 } else { 16 };
    let mut number = format!("{head}{}", draw.of(DIGITS, len - head.len() - 1));
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0') << ((place + 1) % 2);
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    number.push(char::from(b'0' + ((10 - sum % 10) % 10) as u8));
    match draw.below(3) {
        0 if len == 16 => {
            number.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four)).collect::<Vec<_>>().join(" ")
        }
        1 if len == 16 => {
            number.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four)).collect::<Vec<_>>().join("-")
        }
        _ => number,
    }
}

fn iban(draw: &mut Draw) -> String {
    let (country, body) = match draw.below(3) {
        0 => ("GB", format!("{}{}", draw.one(&["WEST", "NWBK", "BARC", "LOYD"]), draw.of(DIGITS, 14))),
        1 => ("DE", draw.of(DIGITS, 18)),
        _ => ("NL", format!("{}{}", draw.one(&["ABNA", "INGB", "RABO"]), draw.of(DIGITS, 10))),
    };
    let value = |c: char| c.to_digit(36).unwrap_or(0).to_string();
    let digits: String = format!("{body}{country}00").chars().map(value).collect();
    let rest = digits.bytes().fold(0u32, |rest, byte| (rest * 10 + u32::from(byte - b'0')) % 97);
    let packed = format!("{country}{:02}{body}", 98 - rest);
    match draw.below(2) {
        0 => packed.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four)).collect::<Vec<_>>().join(" "),
        _ => packed,
    }
}

fn phone(draw: &mut Draw) -> String {
    let area = draw.one(&["202", "415", "646", "312", "713"]);
    let (exchange, line) = (200 + draw.below(700), 1000 + draw.below(8999));
    match draw.below(5) {
        0 => format!("({area}) {exchange}-{line}"),
        1 => format!("+1 {area} {exchange} {line}"),
        2 => format!("{area}.{exchange}.{line}"),
        3 => format!("+44 20 7{} {}", draw.below(900) + 100, draw.below(8999) + 1000),
        _ => format!("{area}-{exchange}-{line}"),
    }
}

fn github(draw: &mut Draw) -> String {
    format!("ghp_{}", draw.of(LETTERS, 36))
}

fn aws(draw: &mut Draw) -> String {
    format!("AKIA{}", draw.of(UPPER_32, 16))
}

type Make = fn(&mut Draw) -> String;

const VALUES: [(&str, &str, Make); 7] = [
    ("EMAIL", "my email is", email),
    ("SSN", "my ssn is", ssn),
    ("CARD", "my card number is", card),
    ("IBAN", "my iban is", iban),
    ("PHONE", "my phone number is", phone),
    ("GITHUB_TOKEN", "my token is", github),
    ("AWS_KEY", "my access key is", aws),
];

fn redactor() -> Redactor {
    let key = ProjectKey::from_secret("a secret of good length").unwrap();
    Redactor::new(&Redact { phone_regions: vec!["US".into(), "GB".into()], ..Redact::default() }, &key).unwrap()
}

struct Seen {
    covered: bool,
    texts: Vec<String>,
    findings: Vec<Finding>,
    tokens: Vec<String>,
}

/// Redacts a conversation with the value in it, and tells whether nothing is left of it.
fn seen(redactor: &Redactor, label: &str, disguise: Disguise, value: &str, tail: &str) -> Seen {
    let (first, second) = disguise.write(value);
    let parts: Vec<String> = std::iter::once(first).chain(second).collect();
    let texts = match &parts[..] {
        [one] => vec![format!("Hello, {label} {one}{tail}"), "Thank you.".to_owned()],
        [one, two, ..] => vec![format!("Hello, {label} {one}"), format!("{two}{tail}")],
        [] => Vec::new(),
    };
    let roles = [Role::User, if disguise == Disguise::SplitTurns { Role::User } else { Role::Assistant }];
    let messages = texts.iter().zip(roles).map(|(text, role)| Message::text(role, text)).collect();
    let mut conversation = Conversation { messages, ..Conversation::default() };
    let mut findings = Vec::new();
    redactor.conversation(&mut conversation, Id([0; 16]), &mut findings);
    let redacted: Vec<String> = conversation.messages.iter().map(|message| message.content.clone()).collect();
    let mut covered = true;
    for (place, part) in parts.iter().enumerate() {
        let field = format!("messages[{place}].content");
        // JSON around the value is no part of it.
        let part = if disguise == Disguise::JsonInJson { value } else { part };
        let Some(start) = texts[place].find(part) else {
            return Seen { covered: false, texts, findings, tokens: vec![] };
        };
        let whole = |f: &&Finding| {
            f.field == field && f.start_byte as usize <= start && f.end_byte as usize >= start + part.len()
        };
        covered &= findings.iter().any(|finding| whole(&finding)) && !redacted[place].contains(part);
        covered &= redacted[place].len() > 8 && redacted[place].ends_with(tail) || place + 1 < parts.len();
    }
    let named = redacted.iter().flat_map(|text| tokens(text).map(|(_, from, to)| text[from..to].to_owned()));
    let tokens = named.collect();
    Seen { covered, texts: redacted, findings, tokens }
}

#[test]
fn values_are_found_in_every_disguise() {
    const TRIES: usize = 12;
    let redactor = redactor();
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15 ^ u64::from(std::process::id()));
    let (mut all, mut good, mut table, mut missed) = (0, 0, String::new(), String::new());
    for disguise in Disguise::ALL {
        table += &format!("{:14}", disguise.as_str());
        for (kind, label, make) in VALUES {
            let mut hits = 0;
            for n in 0..TRIES {
                let value = make(&mut draw);
                let tail = ["", ".", " ok?", "\nThanks", ", call me"][n % 5];
                let plain = seen(&redactor, label, Disguise::Plain, &value, "");
                let seen = seen(&redactor, label, disguise, &value, tail);
                let same = seen.tokens.iter().all(|token| plain.tokens.contains(token)) && !seen.tokens.is_empty();
                match seen.covered && same {
                    true => hits += 1,
                    false => {
                        missed += &format!(
                            "{} {kind} covered={} {value:?} {:?} {:?}\n",
                            disguise.as_str(),
                            seen.covered,
                            seen.texts,
                            seen.findings
                                .iter()
                                .map(|f| (f.kind, f.rule, f.start_byte, f.end_byte))
                                .collect::<Vec<_>>()
                        )
                    }
                }
            }
            table += &format!(" {kind}={hits}/{TRIES}");
            if disguise != Disguise::Plain {
                (all, good) = (all + TRIES, good + hits);
            }
        }
        table += "\n";
    }
    println!("{table}{good} of {all}");
    assert!(good * 100 >= all * 98, "{table}{good} of {all}\n{missed}");
    print!("{missed}");
}

/// Values cut at other places than the middle, but for the first two and last two characters.
#[test]
fn values_cut_at_any_place_are_found() {
    let redactor = redactor();
    let mut draw = Draw(0x2545_f491_4f6c_dd1d);
    let (mut all, mut good, mut table) = (0, 0, String::new());
    for (kind, label, make) in VALUES {
        let (mut lines, mut turns, mut cuts) = (0, 0, 0);
        for _ in 0..20 {
            let value = make(&mut draw);
            for cut in 2..value.len() - 1 {
                let (first, second) = value.split_at(cut);
                let left = |texts: &[&str]| {
                    let messages = texts.iter().map(|text| Message::text(Role::User, *text)).collect();
                    let mut conversation = Conversation { messages, ..Conversation::default() };
                    redactor.conversation(&mut conversation, Id([0; 16]), &mut Vec::new());
                    let masked = conversation.messages.iter().map(|message| mask_tokens(&message.content).into_owned());
                    masked.collect::<Vec<_>>()
                };
                let token = format!("[{kind}]");
                let line = format!("Hello, {label} {first}\n{second}.");
                let turn = format!("Hello, {label} {first}");
                lines += usize::from(left(&[&line]) == [format!("Hello, {label} {token}.")]);
                let halves = [format!("Hello, {label} {token}"), format!("{token}.")];
                turns += usize::from(left(&[&turn, &format!("{second}.")]) == halves);
                cuts += 1;
            }
        }
        table += &format!("{kind}: lines {lines}, turns {turns} of {cuts}\n");
        (all, good) = (all + 2 * cuts, good + lines + turns);
    }
    println!("{table}");
    assert!(good * 100 >= all * 90, "{table}");
}
