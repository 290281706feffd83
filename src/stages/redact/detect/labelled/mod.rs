//! Values that only their label gives away: `account number: 12345678`, `"pin": "1234"`.
//!
//! Not here: passwords and keys (`secrets`), dates of birth (`birth`), ids with a national shape.
//!
//! Always: a value is looked at only where a digit, a `:`, a `=` or the word `is` stands beside it;
//! what is read around one is bounded. A new labelled kind is one row of `rows`.

mod rows;
mod shape;

use super::edge::glued_after;
use super::names::lexicon::Filter;
use super::numbers::Run;
use super::{Kind, KindSet, Span};
use crate::stages::redact::glance::{COLON, EQUALS, Glance};
pub(super) use rows::RULES;
use rows::{ROWS, Row};

/// How far before a value its label may begin.
const LABEL_MAX_BYTES: usize = 48;
/// How far before its first digit a value may begin: `C01X00T47`.
const HEAD_MAX_BYTES: usize = 12;

/// What ties a label to its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tie {
    /// Nothing but a space: `passport C01X00T47`.
    Bare,
    /// A word for number: `account number 12345678`, `account #12345678`.
    Number,
    /// `:`, `=` or `is`.
    Told,
}

/// All labels of these kinds, `number` and the like left out.
pub(super) fn words(enabled: impl Fn(super::Kind) -> bool) -> impl Iterator<Item = &'static str> {
    ROWS.iter().filter(move |row| enabled(row.rule.kind)).flat_map(|row| row.labels).copied()
}

#[derive(Debug)]
pub(super) struct Labelled {
    /// Hash of a label's last word, the label, the row; sorted.
    labels: Vec<(u64, &'static str, &'static Row)>,
    /// The last letters of what may stand before a value: most words end here.
    endings: Endings,
    /// Bits of the hashes that occur: most others end here.
    filter: Filter,
    is: memchr::memmem::Finder<'static>,
    any: bool,
}

impl Labelled {
    pub(super) fn new(kinds: &KindSet) -> Labelled {
        let mut labels: Vec<_> = ROWS
            .iter()
            .filter(|row| kinds.has(row.rule.kind))
            .flat_map(|row| row.labels.iter().map(move |label| (hash(last_word(label)), *label, row)))
            .collect();
        labels.sort_unstable_by_key(|(hash, label, _)| (*hash, *label));
        let filter = Filter::of(labels.iter().map(|(hash, ..)| *hash));
        let any = !labels.is_empty();
        let endings = Endings::of(labels.iter().map(|(_, label, _)| *label).chain(TOLD).chain(NUMBER));
        Labelled { labels, endings, filter, is: memchr::memmem::Finder::new(" is ").into_owned(), any }
    }

    /// Reports the values behind `:`, `=` and `is`, whether they have digits or not.
    pub(super) fn find(&self, text: &str, glance: Glance, out: &mut Vec<Span>) {
        if !self.any {
            return;
        }
        let bytes = text.as_bytes();
        let signed = if glance.has(COLON | EQUALS) { bytes } else { &[] };
        for at in memchr::memchr2_iter(b':', b'=', signed) {
            // Times, addresses of the web and operators of programs have no label.
            let tied = matches!(bytes.get(at + 1), Some(b'/' | b':' | b'=' | b'\n'));
            if !tied && at > 0 && !bytes[at - 1].is_ascii_digit() {
                self.value(text, at + 1, out);
            }
        }
        for at in self.is.find_iter(bytes) {
            self.value(text, at + " is ".len(), out);
        }
    }

    /// Reports the value around the first digits of a cluster.
    pub(super) fn number(&self, text: &str, runs: &[Run], out: &mut Vec<Span>) {
        if !self.any {
            return;
        }
        let bytes = &text.as_bytes()[..runs[0].start];
        let part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let head = bytes.iter().rev().take(HEAD_MAX_BYTES + 1).take_while(part).count();
        let start = runs[0].start - head;
        // Only behind a space, a quote or `#` is anything but `:` or `=`, which `find` looks at.
        if head <= HEAD_MAX_BYTES && matches!(bytes[..start].last(), Some(b' ' | b'#' | b'"' | b'\'' | b'(' | b'*')) {
            self.at(text, start, out);
        }
    }

    /// The value that begins at `at` after spaces, quotes and marks.
    fn value(&self, text: &str, at: usize, out: &mut Vec<Span>) {
        let marks = |byte: &&u8| matches!(byte, b' ' | b'"' | b'\'' | b'\\' | b'`' | b'*' | b'#' | b'\t' | b'(');
        let start = at + text.as_bytes()[at..].iter().take(6).take_while(marks).count();
        let begins = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'@' || *byte == b'_';
        if text.as_bytes().get(start).is_some_and(begins) {
            self.at(text, start, out);
        }
    }

    fn at(&self, text: &str, start: usize, out: &mut Vec<Span>) {
        let marks = text.as_bytes()[..start].iter().rev().take(LABEL_MAX_BYTES).take_while(|byte| is_mark(**byte));
        if !self.endings.may_end(&text.as_bytes()[..start - marks.count()]) {
            return;
        }
        let from = text.floor_char_boundary(start.saturating_sub(LABEL_MAX_BYTES));
        let Some((head, tie)) = label_end(text, from, start) else { return };
        // The last word decides for most; only then is the label written out.
        if last_hash(&text[from..head]).is_some_and(|hash| !self.filter.may_hold(hash)) {
            return;
        }
        let label = normal(&text[from..head]);
        let hash = hash(last_word(&label));
        let first = self.labels.partition_point(|(other, ..)| *other < hash);
        for (_, words, row) in self.labels[first..].iter().take_while(|(other, ..)| *other == hash) {
            let said = label.strip_suffix(words).is_some_and(|head| head.is_empty() || head.ends_with(' '));
            if !said || tie < row.tie || row.rule.kind == Kind::AccountId && is_of_program(text, from, head, start, tie)
            {
                continue;
            }
            if let Some(end) = (row.value)(text, start).filter(|end| !glued_after(text, *end)) {
                out.push(row.rule.at(start, end));
            }
        }
    }
}

/// A name with a path (`AWS::SQS::QueuePolicy`), or a number of a program behind one of its names:
/// `FLAG_NOTIFY_POLICY 0x800`.
fn is_of_program(text: &str, from: usize, head: usize, value: usize, tie: Tie) -> bool {
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let name = text.as_bytes()[from..head].iter().rev().take_while(part).count();
    let hexadecimal = text.as_bytes()[value..].first_chunk() == Some(b"0x");
    text[from..head - name].ends_with("::") || hexadecimal && tie < Tie::Told
}

fn last_word(label: &str) -> &str {
    label.rsplit(' ').next().unwrap_or(label)
}

/// Fowler, Noll and Vo's 1a.
fn hash(word: &str) -> u64 {
    word.bytes().fold(BASIS, step)
}

const BASIS: u64 = 0xcbf2_9ce4_8422_2325;

fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// The hash of the last word before it is made normal; nothing if it is not ASCII.
fn last_hash(label: &str) -> Option<u64> {
    let bytes = label.as_bytes();
    let mut at = bytes.len();
    while at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
        at -= 1;
        // A hump: `routingCode`.
        if bytes[at].is_ascii_uppercase() && at > 0 && bytes[at - 1].is_ascii_lowercase() {
            break;
        }
    }
    // An apostrophe joins words: `date d'expiration`.
    let joined = at > 0 && (!bytes[at - 1].is_ascii() || bytes[at - 1] == b'\'');
    let lower = bytes[at..].iter().map(|byte| byte.to_ascii_lowercase());
    (!joined && at < bytes.len()).then(|| lower.fold(BASIS, step))
}

/// The last three letters that a word may end with, small or large; of shorter words all.
#[derive(Debug)]
struct Endings(Vec<u32>);

impl Endings {
    fn of<'a>(words: impl Iterator<Item = &'a str>) -> Endings {
        let mut endings = vec![0; 1 << 10];
        for word in words {
            if let Some((row, bit)) = Endings::place(word.as_bytes()) {
                endings[row] |= 1 << bit;
            }
        }
        Endings(endings)
    }

    /// Of the last letters of a text; nothing where they are no whole word that can be told so.
    fn place(text: &[u8]) -> Option<(usize, u8)> {
        let (two, before) = text.split_last_chunk::<2>().map(|(before, two)| (two, before.last().copied()))?;
        let [a, b] = two.map(|byte| byte & 31).map(usize::from);
        // Humps: `userId`, `aC`.
        let hump = two[0].is_ascii_uppercase() || two[1].is_ascii_uppercase();
        let c = before.filter(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
        let one = two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase();
        let plain = two.iter().all(u8::is_ascii_alphabetic) && !one && !c.is_some_and(|c| !c.is_ascii() || hump);
        plain.then(|| (a << 5 | b, c.map_or(0, |c| c & 31)))
    }

    /// Whether one of the words may stand at the end.
    fn may_end(&self, text: &[u8]) -> bool {
        Endings::place(text).is_none_or(|(row, bit)| self.0[row] >> bit & 1 == 1)
    }
}

/// May stand between a label and its value.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b' ' | b'"' | b'\'' | b'\\' | b'*' | b'`' | b':' | b'=' | b'#' | b'(' | b')' | b'\t' | b'>')
}

/// Words that tie a label to its value.
const TOLD: [&str; 9] = ["is", "ist", "est", "es", "è", "é", "lautet", "are", "was"];
const NUMBER: [&str; 11] = ["number", "no", "no.", "nr", "nr.", "num", "número", "numero", "nummer", "n°", "nº"];

/// Where the label before a value ends, without `number` and the like, and what ties them.
fn label_end(text: &str, from: usize, value: usize) -> Option<(usize, Tie)> {
    let mut tie = Tie::Bare;
    let mut head = &text[from..value];
    for _ in 0..3 {
        let len = head.as_bytes().iter().rev().take_while(|byte| is_mark(**byte)).count();
        let (trimmed, marks) = head.as_bytes().split_at(head.len() - len);
        if marks.iter().any(|byte| matches!(byte, b':' | b'=')) {
            tie = Tie::Told;
        } else if marks.contains(&b'#') {
            tie = tie.max(Tie::Number);
        }
        let trimmed = &head[..trimmed.len()];
        let (rest, word_tie) = connector(trimmed);
        (head, tie) = (rest, tie.max(word_tie));
        if rest.len() == trimmed.len() {
            break;
        }
    }
    // Only letters may end a label; a number before a number is a row of numbers.
    let mut back = head.chars().rev();
    let last = back.next()?;
    let worded = last.is_alphabetic() || last.is_ascii_digit() && back.next().is_some_and(char::is_alphabetic);
    worded.then_some((from + head.len(), tie))
}

/// Takes one linking word off the end.
fn connector(head: &str) -> (&str, Tie) {
    if let Some(rest) = head.strip_suffix("Number").or_else(|| head.strip_suffix("Nr")) {
        return (rest, Tie::Number);
    }
    let bytes = head.as_bytes();
    let len = bytes.iter().rev().take(8).take_while(|byte| !matches!(byte, b' ' | b'_' | b'-')).count();
    let word = &bytes[bytes.len() - len..];
    // Their first letters: nearly all words end here.
    if len > 7 || len == bytes.len() || !word.first().is_some_and(|first| b"ielawnIELAWN\xc3".contains(first)) {
        return (head, Tie::Bare);
    }
    let is = |known: &&str| -> bool { word.eq_ignore_ascii_case(known.as_bytes()) };
    let tie = match (TOLD.iter().any(is), NUMBER.iter().any(is)) {
        (true, _) => Tie::Told,
        (_, true) => Tie::Number,
        _ => return (head, Tie::Bare),
    };
    (&head[..head.len() - len - 1], tie)
}

/// Lower case; every run of other characters and every hump of `camelCase` one space.
fn normal(label: &str) -> String {
    let mut words = String::with_capacity(label.len() + 8);
    let mut lower = false;
    for c in label.chars() {
        if !c.is_alphanumeric() {
            if !words.is_empty() && !words.ends_with(' ') && c != '\'' && c != '’' {
                words.push(' ');
            }
            lower = false;
            continue;
        }
        if c.is_uppercase() && lower {
            words.push(' ');
        }
        lower = c.is_lowercase();
        words.extend(c.to_lowercase());
    }
    words.truncate(words.trim_end().len());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::redact::detect::tests::{finds, rules_only};

    #[test]
    fn labels_are_read_in_every_dress() {
        for (text, label, tie) in [
            ("account number: ", "account", Tie::Told),
            ("\"accountNumber\": \"", "account", Tie::Told),
            ("bank_account=", "bank account", Tie::Told),
            ("my passport number is ", "my passport", Tie::Told),
            ("Passport ", "passport", Tie::Bare),
            ("acct #", "acct", Tie::Number),
            ("driver's license no. ", "drivers license", Tie::Number),
        ] {
            let (end, found) = label_end(text, 0, text.len()).unwrap();
            assert_eq!((normal(&text[..end]), found), (label.to_owned(), tie), "{text}");
        }
        assert_eq!(label_end("12 ", 0, 3), None);
    }

    #[test]
    fn labelled_values() {
        finds("{\"username\": \"jane_doe77\", \"pin\": \"4821\"}", Kind::Username, &["jane_doe77"]);
        finds("{\"username\": \"jane_doe77\", \"pin\": \"4821\"}", Kind::Pin, &["4821"]);
        finds("Kontonummer: 12345678", Kind::BankAccount, &["12345678"]);
        finds("user = get_user(1)", Kind::Username, &[]);
        finds("\"AWS::SQS::QueuePolicy\": \"8d0c3b8154e71ff3\"", Kind::AccountId, &[]);
        finds("#define V_FLAG_NOTIFY_POLICY 0x800", Kind::AccountId, &[]);
        finds("User::pin: 4821", Kind::Pin, &["4821"]);
        finds("policy: 0x800f61b9, policy 80046172", Kind::AccountId, &["0x800f61b9", "80046172"]);
    }

    #[test]
    fn rows_of_labels_are_linear() {
        for row in ["account: ", "is is is ", "pin=1 ", "::::", "passport A1 "] {
            let mut spans = Vec::new();
            rules_only().find(&row.repeat(1_000_000 / row.len()), &mut spans);
        }
    }
}
