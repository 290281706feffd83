//! Values that redaction found somewhere: none of them may stand in a release, told by their keyed
//! hashes alone.
//!
//! A hash cannot be searched for; what could be a value is cut out of the text by its shape, hashed
//! as redaction hashes it, and compared.
//!
//! Not here: reading the ledger (`runner`).
//!
//! Always: a value that says by itself what it is must not stand anywhere; one that means something
//! only where it was found (a name, a password, a passport) must not stand in the conversation it
//! was found in; one that is too short, too common or a word must not refuse by chance and is not
//! looked for.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use super::number;
use crate::record::Id;
use crate::stages::redact::{Group, Kind, Pseudonyms};

/// A finding of the ledger.
pub type Value = (Kind, Id);

/// Where a value that was found must not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Everywhere,
    /// In rows made of the record that it was found in.
    Own,
    /// It is not looked for.
    Nowhere,
}

/// By what redaction found: how sure it was counts for names, which a model tells.
pub fn reach(kind: Kind, score: f32) -> Reach {
    /// Redaction itself looks for other mentions of those names only.
    const SURE: f32 = 0.8;
    /// What is less sure (a bare row of ten digits as a phone number) is a number of something else
    /// in another place.
    const LIKELY: f32 = 0.7;
    match kind.group() {
        // User names and the like are told by their label alone, and repeated where none stands.
        Group::Birth | Group::Date | Group::Location | Group::Account => Reach::Nowhere,
        Group::Name if score >= SURE => Reach::Own,
        Group::Name => Reach::Nowhere,
        _ if score < LIKELY && !kind.is_secret() => Reach::Nowhere,
        Group::Government | Group::Custom => Reach::Everywhere,
        Group::Travel => Reach::Own,
        Group::Secret => match kind {
            Kind::Password | Kind::SeedPhrase => Reach::Own,
            _ => Reach::Everywhere,
        },
        _ => match kind {
            Kind::Email | Kind::Phone | Kind::Card | Kind::Iban | Kind::Mac | Kind::Imei | Kind::CryptoAddress => {
                Reach::Everywhere
            }
            Kind::Ip | Kind::BankAccount => Reach::Own,
            _ => Reach::Nowhere,
        },
    }
}

/// What is cut out of a text for a kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Mail,
    Number,
    Token,
    Words,
}

fn shape(kind: Kind) -> Shape {
    match kind.group() {
        Group::Name | Group::Custom => Shape::Words,
        Group::Secret | Group::Account => Shape::Token,
        _ => match kind {
            Kind::Email => Shape::Mail,
            Kind::CryptoAddress | Kind::Mac | Kind::Ip => Shape::Token,
            _ => Shape::Number,
        },
    }
}

/// The hashes to look for, and how they are made.
pub struct Ledger {
    pseudonyms: Pseudonyms,
    everywhere: HashSet<Value>,
    kinds: BTreeSet<Kind>,
}

impl Ledger {
    pub fn new(pseudonyms: Pseudonyms) -> Ledger {
        Ledger { pseudonyms, everywhere: HashSet::new(), kinds: BTreeSet::new() }
    }

    /// One that must not stand anywhere.
    pub fn add(&mut self, value: Value) {
        self.kinds.insert(value.0);
        self.everywhere.insert(value);
    }

    pub fn len(&self) -> usize {
        self.everywhere.len()
    }

    pub fn is_empty(&self) -> bool {
        self.everywhere.is_empty()
    }

    /// Calls `add` for what hashes to a value of the ledger or of `own`.
    pub fn find(&self, text: &str, own: &HashSet<Value>, add: &mut dyn FnMut(Kind, Range<usize>)) {
        let kinds: BTreeSet<Kind> = self.kinds.iter().copied().chain(own.iter().map(|(kind, _)| *kind)).collect();
        let of = |wanted: Shape| kinds.iter().copied().filter(|kind| shape(*kind) == wanted).collect::<Vec<Kind>>();
        let mut look = |kinds: &[Kind], place: Range<usize>| {
            let raw = &text[place.clone()];
            for kind in kinds {
                let value = (*kind, self.pseudonyms.value_hash(*kind, raw));
                if self.everywhere.contains(&value) || own.contains(&value) {
                    add(*kind, place.clone());
                }
            }
        };
        let (mails, numbers, strings) = (of(Shape::Mail), of(Shape::Number), of(Shape::Token));
        if !mails.is_empty() {
            memchr::memchr_iter(b'@', text.as_bytes()).for_each(|at| look(&mails, mail(text, at)));
        }
        if !numbers.is_empty() {
            let plain: Vec<Kind> = numbers.iter().copied().filter(|kind| *kind != Kind::Phone).collect();
            let phone = numbers.contains(&Kind::Phone);
            // Reading a phone number costs more than all else; lists repeat them.
            let mut read: HashSet<&str> = HashSet::new();
            number::clusters(text, |place, digits| {
                windows(text, place, digits, &mut |part, digits| {
                    look(&plain, part.clone());
                    let raw = &text[part.clone()];
                    if phone && (8..=15).contains(&digits) && read.insert(raw) {
                        look(&[Kind::Phone], part);
                    }
                });
            });
        }
        if !strings.is_empty() {
            tokens(text, &mut |place| look(&strings, place));
        }
        let words = of(Shape::Words);
        if !words.is_empty() {
            names(text, &cut(text), &mut |place| look(&words, place));
        }
    }
}

/// The word around an `@`, without the marks around it.
fn mail(text: &str, at: usize) -> Range<usize> {
    const LONGEST: usize = 256;
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '\'');
    let (from, to) = (
        text.floor_char_boundary(at.saturating_sub(LONGEST)),
        text.floor_char_boundary((at + LONGEST).min(text.len())),
    );
    let start = text[from..at]
        .char_indices()
        .rev()
        .take_while(|(_, c)| inside(*c))
        .last()
        .map_or(at, |(place, _)| from + place);
    let end = text[at + 1..to.max(at + 1)].find(|c| !inside(c)).map_or(to.max(at + 1), |len| at + 1 + len);
    let trimmed = text[start..end].trim_end_matches(['.', '-', '\'']).len();
    start..start + trimmed
}

/// Rows of runs of a cluster, long enough to be a value and not counted up or all alike.
fn windows(text: &str, cluster: Range<usize>, digits: usize, each: &mut dyn FnMut(Range<usize>, usize)) {
    const DIGITS_MIN: usize = 7;
    const RUNS_MAX: usize = 9;
    if digits < DIGITS_MIN {
        return;
    }
    let bytes = text.as_bytes();
    let (mut runs, mut at) = (Vec::new(), cluster.start);
    while at < cluster.end {
        let len = bytes[at..cluster.end].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if len > 0 {
            runs.push(at..at + len);
        }
        at += len.max(1);
    }
    for first in 0..runs.len() {
        for last in first..runs.len().min(first + RUNS_MAX) {
            let place = runs[first].start..runs[last].end;
            let digits = text[place.clone()].bytes().filter(u8::is_ascii_digit).count();
            if digits >= DIGITS_MIN && !is_trivial(&text[place.clone()]) {
                // `+` and `(` are part of a phone number's spelling, and of no other's.
                let plus = place.start > cluster.start && bytes[place.start - 1] == b'+';
                each(place.start - usize::from(plus)..place.end, digits);
            }
        }
    }
}

/// `123456789`, `000000000`: found behind some label, but everybody's.
fn is_trivial(raw: &str) -> bool {
    let digits: Vec<u8> = raw.bytes().filter(u8::is_ascii_digit).collect();
    let step = |by: u8| digits.windows(2).all(|two| (two[0] - b'0' + by) % 10 == two[1] - b'0');
    let mut kinds = digits.clone();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.len() <= 2 || step(1) || step(9)
}

/// Long words with letters and digits, whole and behind each mark that may stand before a value.
fn tokens(text: &str, each: &mut dyn FnMut(Range<usize>)) {
    const SHORTEST: usize = 8;
    const LONGEST: usize = 256;
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`<>()[]{},;|".contains(byte);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let len = bytes[at..].iter().position(ends).unwrap_or(bytes.len() - at);
        let token = at..at + len;
        at += len + 1;
        if !(SHORTEST..=LONGEST).contains(&len) {
            continue;
        }
        let end = token.start + text[token.clone()].trim_end_matches(['.', ':', '!', '?', '\\', '*', '_']).len();
        let mut starts = vec![token.start];
        starts.extend(token.clone().filter(|at| b":=/@.*_\\".contains(&bytes[*at])).map(|at| at + 1).take(6));
        for start in starts {
            let mixed = |is: fn(&u8) -> bool| bytes[start..end.max(start)].iter().any(is);
            if end > start && end - start >= SHORTEST && mixed(u8::is_ascii_digit) && mixed(u8::is_ascii_alphabetic) {
                each(start..end);
            }
        }
    }
}

/// Words of letters and digits, with what belongs inside them.
fn cut(text: &str) -> Vec<Range<usize>> {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’' | '-');
    let (mut words, mut start) = (Vec::new(), None);
    for (at, c) in text.char_indices() {
        match (inside(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..text.len()));
    words
}

/// Two to four words in a row of which the first is capitalised. One word alone may be a word.
fn names(text: &str, words: &[Range<usize>], each: &mut dyn FnMut(Range<usize>)) {
    for (at, first) in words.iter().enumerate() {
        if !text[first.clone()].starts_with(char::is_uppercase) {
            continue;
        }
        for next in words[at + 1..].windows(1).take(3).scan(first.end, |end, next| {
            let gap = &text[*end..next[0].start];
            *end = next[0].end;
            (gap.len() <= 3 && gap.trim_matches(['.', ' ', '\u{a0}']).is_empty()).then_some(next[0].clone())
        }) {
            let end = next.end;
            each(first.start..end);
            // `J. Smith Jr.`
            if text[end..].starts_with('.') {
                each(first.start..end + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ProjectKey;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::new(&ProjectKey::from_secret("a secret of good length").unwrap(), &["US".to_owned()]).unwrap()
    }

    fn found(values: &[(Kind, &str)], text: &str) -> Vec<String> {
        let (mut ledger, mut own, mut found) = (Ledger::new(pseudonyms()), HashSet::new(), Vec::new());
        for (kind, raw) in values {
            let value = (*kind, pseudonyms().value_hash(*kind, raw));
            match reach(*kind, 0.9) {
                Reach::Everywhere => ledger.add(value),
                Reach::Own => drop(own.insert(value)),
                Reach::Nowhere => {}
            }
        }
        ledger.find(text, &own, &mut |_, place| found.push(text[place].to_owned()));
        found
    }

    #[test]
    fn values_are_told_by_their_hashes() {
        for (kind, raw, text, value) in [
            (Kind::Email, "jörg@münchen.de", "an Jörg@münchen.de.", "Jörg@münchen.de"),
            (Kind::Phone, "(202) 456-1414", "or 202 456 1414 today", "202 456 1414"),
            (Kind::Phone, "+44 20 7183 8750", "x +44-20-7183-8750.", "+44-20-7183-8750"),
            (Kind::Card, "4539578763621486", "4539-5787-6362-1486", "4539-5787-6362-1486"),
            (Kind::DeTaxId, "86095742719", "nr 86 095 742 719", "86 095 742 719"),
            (Kind::Passport, "C01X00T478", "pass C01X00T478", "C01X00T478"),
            (Kind::ApiKey, "k3y-9fa8b7c6d5", "token=k3y-9fa8b7c6d5;", "k3y-9fa8b7c6d5"),
            (Kind::Password, "hunter22x", "it was hunter22x", "hunter22x"),
            (Kind::Person, "Karen Haverkamp", "then KAREN HAVERKAMP said", "KAREN HAVERKAMP"),
        ] {
            assert_eq!(found(&[(kind, raw)], text), [value], "{text}");
            assert_eq!(found(&[(kind, "another value 99")], text), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_anybody_writes_refuses_nothing() {
        for (kind, raw, text) in [
            (Kind::Ssn, "123-45-6789", "a row: 123456789"),
            (Kind::Phone, "1111111111", "1111111111"),
            (Kind::Person, "Rose", "a Rose is a rose"),
            (Kind::Age, "34", "34 people"),
            (Kind::Password, "apple", "an apple a day"),
            (Kind::Date, "2024-05-01", "on 2024-05-01"),
        ] {
            assert_eq!(found(&[(kind, raw)], text), [""; 0], "{text}");
        }
    }
}
