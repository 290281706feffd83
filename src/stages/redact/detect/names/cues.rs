//! Names that a phrase before them gives away, in small letters too: "my name is jane doe".
//!
//! Not here: names in running text (`crf`).
//!
//! Always: a word that is mostly written small is no name, whatever stands before it; a name has at
//! most four words.

use std::ops::Range;

use super::features::{CONTEXT, is_title};
use super::kin::is_odd;
use super::lexicon::{Case, Filter};
use super::words::{Shape, Word, hash_of, sign_hash};

/// Phrases that are followed by a name, by their last words.
const PHRASES: [&[&str]; 27] = [
    &["maiden", "name", "is"],
    &["name", "to"],
    &["calls", "me"],
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

/// What a cue asks of the words behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asks {
    /// A name, in small letters, too.
    Phrase,
    /// The same behind a colon.
    Label,
    /// A name with a capital.
    Title,
    /// A given name; behind a number.
    Number,
    Given,
    /// A given name with an amount behind it.
    Amount,
}

#[derive(Debug)]
pub struct Cues {
    /// By their last word, then in the order in which they are tried.
    cues: Vec<(u64, Asks, Vec<u64>)>,
    colon: u64,
    /// Of the last words: most words fail here.
    filter: Filter,
}

impl Default for Cues {
    fn default() -> Cues {
        let cue = |asks: Asks, words: &[&str]| {
            let mut hashes: Vec<u64> = words.iter().map(|word| hash_of(word)).collect();
            (hashes.pop().unwrap_or_default(), asks, hashes)
        };
        let one = |asks: Asks| move |word: &&str| cue(asks, &[word]);
        let mut cues: Vec<_> = PHRASES.iter().map(|words| cue(Asks::Phrase, words)).collect();
        cues.extend(LABELS.iter().map(one(Asks::Label)));
        cues.extend(BEFORE.iter().map(one(Asks::Title)));
        cues.push(cue(Asks::Number, &["to"]));
        cues.extend(RECEIVES[..WITH_AMOUNT].iter().map(|words| cue(Asks::Given, words)));
        cues.extend(RECEIVES[WITH_AMOUNT..].iter().map(|words| cue(Asks::Amount, words)));
        cues.sort();
        let colon = u64::from(b':').wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let filter = Filter::of(cues.iter().map(|(last, ..)| *last));
        Cues { cues, colon, filter }
    }
}

impl Cues {
    /// The words that end cues, and few others.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Words that end here announce the name of a person.
    pub fn announce(&self, words: &[Word]) -> bool {
        let Some((last, before)) = words.split_last() else { return false };
        self.ending_with(last.hash).any(|(_, asks, phrase)| *asks == Asks::Phrase && ends_with(before, phrase))
    }

    /// The cues whose last word this is.
    fn ending_with(&self, hash: u64) -> impl Iterator<Item = &(u64, Asks, Vec<u64>)> {
        let first = self.cues.partition_point(|(last, ..)| *last < hash);
        self.cues[first..].iter().take_while(move |(last, ..)| *last == hash)
    }

    /// Hands the rows of words that are names by their cue to `found`, and whether a phrase tells, as
    /// opposed to a label, which code has as well. `words` are padded; cues end at `places` only.
    pub fn find(&self, words: &[Word], places: &[usize], mut found: impl FnMut(Range<usize>, bool)) {
        for &at in places {
            let hash = words[at].hash;
            if self.filter.may_hold(hash) && !matches!(words[at].shape, Shape::Sign | Shape::Stop | Shape::Number) {
                self.find_behind(words, at, &mut found);
            }
        }
    }

    /// What stands behind the cue that ends at `at`, if one does.
    fn find_behind(&self, words: &[Word], at: usize, found: &mut impl FnMut(Range<usize>, bool)) {
        let (before, after) = (&words[CONTEXT..at], &words[at + 1]);
        for (_, asks, phrase) in self.ending_with(words[at].hash) {
            if !ends_with(before, phrase) {
                continue;
            }
            let (start, small) = match asks {
                Asks::Phrase => (at + 1, true),
                Asks::Label if after.hash == self.colon => (at + 2, true),
                Asks::Title if words[at].shape != Shape::Upper => (at + 1, false),
                Asks::Number if words[at - 1].shape == Shape::Number && is_given(after) => (at + 1, true),
                Asks::Given if is_given(after) => (at + 1, true),
                Asks::Amount if has_sum(&words[at + 2..]) && is_given(after) => (at + 1, true),
                _ => continue,
            };
            return found_name(words, start, small, |mut row| {
                row.end = if *asks == Asks::Phrase { end_behind_line(words, row.end) } else { row.end };
                if *asks != Asks::Label || !is_of_mapping(words, at, &row) {
                    found(row, *asks != Asks::Label);
                }
            });
        }
    }
}

/// Where a name ends that a phrase announces and a line end cuts in two: "my name is Karen\nHaverkamp".
fn end_behind_line(words: &[Word], end: usize) -> usize {
    // "Karen H\naverkamp"
    let begun = words[end].shape == Shape::Initial && words[end].end - words[end].start == 1;
    let at = end + usize::from(begun);
    let [line, rest, after, ..] = &words[at..] else { return end };
    // No empty line lies between, and no more than one space.
    let cut = line.shape == Shape::Line && line.end - line.start == 1 && rest.start - line.end <= 1;
    let fits = cut && is_rest(rest, after) && (rest.shape == Shape::Lower || !begun);
    if fits { at + 2 } else { end }
}

/// A word that may be a surname, or the rest of one, and is nothing else; with no sentence behind it.
pub(super) fn is_rest(word: &Word, after: &Word) -> bool {
    let entry = word.entry;
    let common = matches!(entry.case(), Case::Small | Case::Mixed);
    let listed = entry.last() > 0 && !common && entry.place() != 2;
    let known = listed || entry.case() == Case::Unseen && entry.place() == 0;
    let fits = word.shape == Shape::Title && known || is_odd(word);
    fits && matches!(after.shape, Shape::Line | Shape::Stop | Shape::Sign)
}

/// The value of a key in a file of settings, if no list knows it for a person: `name: CI` above `on:`,
/// `name: Build a wheel`. One word is more than a surname.
fn is_of_mapping(words: &[Word], label: usize, row: &Range<usize>) -> bool {
    let begins = matches!(words[label - 1].shape, Shape::Line) || words[label - 1].hash == sign_hash(b'-');
    if words[label].hash != hash_of("name") || words[label].shape != Shape::Lower || !begins {
        return false;
    }
    let listed = words[row.clone()].iter().any(|word| word.entry.first() > 0 || row.len() > 1 && word.entry.last() > 0);
    let behind = |n: usize| words.get(row.end + n).map_or(Shape::Line, |word| word.shape);
    let key = behind(0) == Shape::Line && matches!(behind(1), Shape::Lower | Shape::Code);
    let opens = matches!(behind(2), Shape::Stop | Shape::Sign) && behind(3) == Shape::Line;
    let inline = matches!(behind(2), Shape::Stop | Shape::Sign)
        && words.get(row.end + 3).is_some_and(|word| word.hash == sign_hash(b'['));
    !listed && (behind(0) == Shape::Lower || key && (opens || inline))
}

/// An amount, with or without a sign.
fn has_sum(behind: &[Word]) -> bool {
    let mut behind = behind.iter().map(|word| word.shape);
    let first = behind.next();
    first == Some(Shape::Number) || first == Some(Shape::Sign) && behind.next() == Some(Shape::Number)
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
