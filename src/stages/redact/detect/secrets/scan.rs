//! Finds where a token can stand: in rows of at least fifteen letters, digits, `_-/+`. Only
//! there, and shortly before, words that announce a secret are looked for.
//!
//! Not here: what follows a word (`format`, `pairs`, `sealed`); passwords, which may be short (`label`).
//!
//! Always: linear; every fifteenth byte of prose is looked at, and of a row with a word in it the
//! number of tries grows with its length only.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::format::{Format, Place};
use super::sealed::{JwtRow, bare_key};
use super::{formats, label, pairs};
use crate::stages::redact::detect::Span;
use crate::stages::redact::glance::long_rows;

/// A name and what stands between it and its value reach no further.
const LABEL_BYTES: usize = 48;
/// What belongs to a token before its row: the rest of an address.
const BEFORE_BYTES: usize = 160;
/// What belongs to a token behind its row: dots, signs of base64.
const AFTER_BYTES: usize = 64;
/// Longer than any word, for words that cross from one window into the next.
const WORD_BYTES: usize = 48;

const IN_ROW: [bool; 256] = {
    let (mut table, mut at) = ([false; 256], 0);
    while at < 256 {
        let byte = at as u8;
        table[at] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/' | b'+');
        at += 1;
    }
    table
};

/// What a word leads to.
enum Target {
    Format(&'static Format),
    Jwt,
    /// A private key in base64 without a first line.
    BareKey,
    Pair(&'static pairs::Pair),
}

struct Words {
    search: AhoCorasick,
    targets: Vec<Target>,
}

/// One table for all: which kinds are wanted is asked of what was found.
static WORDS: LazyLock<Option<Words>> = LazyLock::new(|| {
    let mut words: Vec<&str> = vec!["eyJ", "MII", "MIG", "MHc", "MC4", "MHQ"];
    let mut targets = vec![Target::Jwt];
    targets.extend((1..words.len()).map(|_| Target::BareKey));
    for pair in &pairs::PAIRS {
        words.extend(pair.words);
        targets.extend(pair.words.iter().map(|_| Target::Pair(pair)));
    }
    for format in formats::all() {
        words.extend(format.words);
        targets.extend(format.words.iter().map(|_| Target::Format(format)));
    }
    let search = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words);
    search.ok().map(|search| Words { search, targets })
});

/// Adds what is found in rows of `text`. Fails closed: without the table of words nothing may pass
/// as clean, so `ready` is asked when a detector is made.
pub(super) fn tokens(text: &str, out: &mut Vec<Span>) {
    let Some(words) = &*WORDS else { return };
    let bytes = text.as_bytes();
    let mut scan = Scan { text, words, jwts: JwtRow::default(), done_to: 0, labels: Vec::new() };
    for row in long_rows(bytes, |byte| IN_ROW[usize::from(byte)]) {
        if may_hold_token(&bytes[row.clone()]) {
            scan.row(row.start, row.end, out);
        }
    }
}

pub(super) fn ready() -> Result<(), String> {
    if WORDS.is_some() { Ok(()) } else { Err("the table of words of secrets cannot be built".to_owned()) }
}

struct Scan<'a> {
    text: &'a str,
    words: &'static Words,
    jwts: JwtRow,
    done_to: usize,
    /// Words of names seen lately: where they end, what they announce.
    labels: Vec<(usize, &'static Format)>,
}

impl Scan<'_> {
    fn row(&mut self, start: usize, end: usize, out: &mut Vec<Span>) {
        let bytes = self.text.as_bytes();
        let seen = self.done_to;
        let (from, to) = around(bytes, start, end);
        let from = from.max(seen.saturating_sub(WORD_BYTES));
        // A row of words that lead nowhere must not be tried from each of them to its end.
        let mut tries = 8 + (to - from) / 256;
        let words = self.words;
        let (mut last, mut free_from) = ((usize::MAX, 0), 0);
        self.labels.retain(|(place, _)| place + LABEL_BYTES >= start);
        for hit in words.search.find_overlapping_iter(&bytes[from..to]) {
            let (at, hit_end) = (from + hit.start(), from + hit.end());
            if hit_end <= seen {
                continue;
            }
            let word = hit.pattern().as_usize();
            // In `AAAAAAAA…` a word stands at every place; once is enough.
            if (word == last.0 && at < last.1) || at < free_from {
                continue;
            }
            last = (word, hit_end);
            let found = match &words.targets[word] {
                Target::Format(format) if format.place == Place::Label => {
                    self.label(hit_end, format);
                    continue;
                }
                // Words are searched without case for the sake of names; tokens have it.
                Target::Format(format) if !format.words.iter().any(|word| self.text[at..].starts_with(word)) => {
                    continue;
                }
                Target::Format(format) if format.place == Place::Head && !may_begin(bytes, at) => continue,
                Target::Format(_) if tries == 0 => continue,
                Target::Format(format) => {
                    tries -= 1;
                    format.find(self.text, at)
                }
                Target::Jwt => self.jwts.find(self.text, at),
                Target::BareKey if tries == 0 => continue,
                Target::BareKey => {
                    tries -= 1;
                    bare_key(self.text, at)
                }
                Target::Pair(pair) => {
                    pair.find(self.text, at, out);
                    None
                }
            };
            // What stands in a value that goes on for long is not looked at again.
            free_from = found
                .map_or(free_from, |span| if span.end_byte as usize > to { span.end_byte as usize } else { free_from });
            out.extend(found);
        }
        self.done_to = to.max(seen);
        if !self.labels.is_empty() {
            self.labelled(start, out);
        }
    }

    /// A word of a name ends at `end`; the last of its kind counts.
    fn label(&mut self, end: usize, format: &'static Format) {
        match self.labels.iter_mut().find(|(_, known)| std::ptr::eq(*known, format)) {
            Some(known) => known.0 = end,
            None => self.labels.push((end, format)),
        }
    }

    /// The row at `start` is the value of a name that was seen before it.
    fn labelled(&mut self, start: usize, out: &mut Vec<Span>) {
        let bytes = self.text.as_bytes();
        let joined = |byte: &u8| IN_ROW[usize::from(*byte)] || *byte == b'.';
        let start = start - bytes[..start].iter().rev().take(LABEL_BYTES).take_while(|byte| joined(byte)).count();
        let Some(name) = label::name_before(self.text, start) else { return };
        let asks = ["key", "token", "secret", "auth", "pass", "pwd", "cred", "pat"];
        if !asks.iter().any(|word| name.contains(word)) {
            return;
        }
        for (place, format) in &self.labels {
            if *place < start && place + LABEL_BYTES >= start {
                out.extend(format.find(self.text, start));
            }
        }
    }
}

/// The row with its name before it and what belongs to a token beyond it.
fn around(bytes: &[u8], start: usize, end: usize) -> (usize, usize) {
    let joined =
        |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b',' | b'<' | b'>' | b'(' | b')');
    let head = bytes[..start].iter().rev().take(BEFORE_BYTES).take_while(|byte| joined(byte)).count();
    let after = bytes[end..].iter().take(AFTER_BYTES).take_while(|byte| byte.is_ascii_graphic()).count();
    (start - head.max(LABEL_BYTES.min(start)), end + after)
}

/// Long words of prose, names in code and ruled lines are rows, too: they hold small letters and no
/// digit, which no token does. Of key ids of AWS, in capitals, 3 of 100 hold none.
fn may_hold_token(row: &[u8]) -> bool {
    row.iter().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// No letter or digit before it, or the end of an escape: cheap, `Format::find` looks again.
fn may_begin(bytes: &[u8], at: usize) -> bool {
    at == 0
        || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
        || bytes[at.saturating_sub(6)..at].iter().any(|byte| matches!(byte, b'\\' | b'%'))
}
