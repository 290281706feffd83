//! Names that a phrase before them gives away, in small letters too: "my name is jane doe".
//!
//! Not here: names in running text (`crf`).
//!
//! Always: a word that is mostly written small is no name, whatever stands before it; a name has at
//! most four words.

use std::ops::Range;

use super::features::{CONTEXT, is_title};
use super::lexicon::Case;
use super::words::{Shape, Word, hash_of};

/// Phrases that are followed by a name, by their last words.
const PHRASES: [&[&str]; 24] = [
    &["my", "name", "is"],
    &["my", "name", "'s"],
    &["his", "name", "is"],
    &["her", "name", "is"],
    &["name", "was"],
    &["first", "name", "is"],
    &["last", "name", "is"],
    &["full", "name", "is"],
    &["under", "the", "name"],
    &["in", "the", "name", "of"],
    &["name", "ist"],
    &["ich", "heiße"],
    &["je", "m'appelle"],
    &["je", "m’appelle"],
    &["me", "llamo"],
    &["mi", "nombre", "es"],
    &["mi", "chiamo"],
    &["meu", "nome", "é"],
    &["me", "chamo"],
    &["mijn", "naam", "is"],
    &["ik", "heet"],
    &["jag", "heter"],
    &["appointment", "with"],
    &["account", "of"],
];

/// Phrases behind which somebody gets something: only a word that is known as a given name and not
/// as a place is one here. A number before `to` does as well: "send $20 to Diego".
const RECEIVES: [&[&str]; 16] = [
    &["dollars", "to"],
    &["bucks", "to"],
    &["euros", "to"],
    &["pounds", "to"],
    &["money", "to"],
    &["it", "to"],
    &["send", "to"],
    &["transfer", "to"],
    &["belonging", "to"],
    &["recipient", "is"],
    // Only with an amount behind the name.
    &["send"],
    &["sending"],
    &["pay"],
    &["paid"],
    &["transfer"],
    &["give"],
];
/// Where those begin that need an amount.
const WITH_AMOUNT: usize = 10;

/// Words that, with a colon behind them, stand before a name.
const LABELS: [&str; 18] = [
    "name",
    "patient",
    "customer",
    "client",
    "cardholder",
    "employee",
    "attendee",
    "signed",
    "passenger",
    "guest",
    "applicant",
    "beneficiary",
    "recipient",
    "nombre",
    "nom",
    "nome",
    "naam",
    "vorname",
];

/// Titles and greetings that only stand before a name; the word behind must be capitalised.
const BEFORE: [&str; 17] = [
    "mr", "mrs", "ms", "dr", "prof", "herr", "frau", "señor", "señora", "monsieur", "madame", "signor", "signora",
    "dear", "senhor", "senhora", "estimado",
];

const NAME_MAX_WORDS: usize = 4;

#[derive(Debug)]
pub struct Cues {
    phrases: Vec<Vec<u64>>,
    /// Last words of phrases, labels and titles, sorted: the gate.
    ends: Vec<u64>,
    labels: Vec<u64>,
    before: Vec<u64>,
    receives: Vec<Vec<u64>>,
    colon: u64,
    /// One bit for the low bits of each end: most words fail here.
    bits: u64,
}

impl Default for Cues {
    fn default() -> Cues {
        let all = |words: &[&str]| words.iter().map(|word| hash_of(word)).collect::<Vec<_>>();
        let phrases: Vec<_> = PHRASES.iter().map(|words| all(words)).collect();
        let (labels, before) = (all(&LABELS), all(&BEFORE));
        let receives: Vec<_> = RECEIVES.iter().map(|words| all(words)).collect();
        let last = phrases.iter().chain(&receives).filter_map(|words| words.last().copied());
        let mut ends: Vec<u64> = last.chain(labels.iter().copied()).chain(before.iter().copied()).collect();
        ends.sort_unstable();
        ends.dedup();
        let colon = u64::from(b':').wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bits = ends.iter().fold(0, |bits, end| bits | 1 << (end & 63));
        Cues { phrases, ends, labels, before, receives, colon, bits }
    }
}

impl Cues {
    /// Hands the rows of words that are names by their cue to `found`, and whether a phrase tells, as
    /// opposed to a label, which code has as well. `words` are padded.
    pub fn find(&self, words: &[Word], mut found: impl FnMut(Range<usize>, bool)) {
        for at in CONTEXT..words.len() - CONTEXT {
            let word = &words[at];
            if matches!(word.shape, Shape::Sign | Shape::Stop | Shape::Number) || !self.may_end(word) {
                continue;
            }
            if self.phrases.iter().any(|phrase| ends_with(&words[CONTEXT..=at], phrase)) {
                found_name(words, at + 1, true, |row| found(row, true));
            } else if self.labels.contains(&word.hash) && words[at + 1].hash == self.colon {
                found_name(words, at + 2, true, |row| found(row, false));
            } else if self.before.contains(&word.hash) && word.shape != Shape::Upper {
                found_name(words, at + 1, false, |row| found(row, true));
            } else if self.gives(words, at) && is_given(&words[at + 1]) {
                found_name(words, at + 1, true, |row| found(row, true));
            }
        }
    }

    fn gives(&self, words: &[Word], at: usize) -> bool {
        let amount = words[at - 1].shape == Shape::Number && words[at].hash == self.receives[0][1];
        let sum = || {
            let mut behind = words[at + 2..].iter().map(|word| word.shape);
            let first = behind.next();
            first == Some(Shape::Number) || first == Some(Shape::Sign) && behind.next() == Some(Shape::Number)
        };
        let (free, bound) = self.receives.split_at(WITH_AMOUNT);
        let ends = |phrase: &Vec<u64>| ends_with(&words[CONTEXT..=at], phrase);
        amount || free.iter().any(ends) || bound.iter().any(ends) && sum()
    }

    fn may_end(&self, word: &Word) -> bool {
        self.bits >> (word.hash & 63) & 1 == 1 && self.ends.binary_search(&word.hash).is_ok()
    }
}

/// A given name and nothing else, or a word with a capital that no list knows.
fn is_given(word: &Word) -> bool {
    let known = word.entry.first() > 0 && word.entry.place() != 2;
    let unseen = word.entry.case() == Case::Unseen && word.entry.place() == 0;
    match word.shape {
        Shape::Title => known || unseen,
        Shape::Lower => known && word.entry.case() != Case::Small,
        _ => false,
    }
}

fn ends_with(words: &[Word], phrase: &[u64]) -> bool {
    words.len() >= phrase.len()
        && words[words.len() - phrase.len()..].iter().map(|word| word.hash).eq(phrase.iter().copied())
}

fn found_name(words: &[Word], mut start: usize, small: bool, found: impl FnOnce(Range<usize>)) {
    let last = words.len() - CONTEXT;
    while start < last && is_title(&words[start]) {
        start += 1;
    }
    let is_name = |word: &Word| match word.shape {
        Shape::Title | Shape::Camel | Shape::Upper => {
            (word.entry.case() != Case::Small || word.entry.first() == 1) && !is_title(word)
        }
        Shape::Initial => word.end - word.start > 1,
        // Small letters: only words that are known as names and not as words.
        Shape::Lower => small && word.entry.first() + word.entry.last() > 0 && word.entry.case() != Case::Small,
        _ => false,
    };
    let len = words[start.min(last)..last].iter().take(NAME_MAX_WORDS).take_while(|word| is_name(word)).count();
    // A stop that belongs to an initial does not make a name.
    if len > 0 && words[start..start + len].iter().any(|word| word.shape != Shape::Initial) {
        found(start..start + len);
    }
}
