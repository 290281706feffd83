//! Which words may belong to a name, and what the model is told of each of them.
//!
//! Not here: weights (`model`), the search for the best labels (`crf`).
//!
//! Always: training and use see the same runs and the same features, as both call this; the number
//! of features of a word is bounded.

use std::ops::Range;
use std::sync::LazyLock;

use super::lexicon::Case;
use super::words::{Shape, Word, hash_of};

/// Words of context on each side: the text is padded with as many edges.
pub const CONTEXT: usize = 2;

/// A longer run of capitalised words is cut: headings, shouted text.
const RUN_MAX_WORDS: usize = 24;

/// Small words that may stand inside a name: `Ludwig van Beethoven`, `Bank of America`.
const CONNECTORS: [&str; 38] = [
    "af", "al", "and", "av", "bin", "da", "das", "de", "del", "della", "den", "der", "des", "di", "do", "dos", "du",
    "e", "el", "for", "ibn", "in", "la", "las", "le", "los", "of", "on", "ten", "ter", "the", "und", "van", "vom",
    "von", "y", "zu", "zum",
];

/// Capitalised by rule, never part of a name.
const NEVER: [&str; 12] = ["i", "i'm", "i'll", "i've", "i'd", "ok", "i’m", "i’ll", "i’ve", "i’d", "okay", "lol"];

/// Stand before a name and are not part of it.
const TITLES: [&str; 32] = [
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "prof",
    "professor",
    "doctor",
    "rev",
    "reverend",
    "bishop",
    "captain",
    "capt",
    "colonel",
    "col",
    "major",
    "general",
    "gen",
    "lieutenant",
    "lt",
    "sergeant",
    "sgt",
    "sheriff",
    "herr",
    "frau",
    "señor",
    "señora",
    "sra",
    "madame",
    "monsieur",
    "signora",
];

/// Programs one talks to; a name only with a surname behind.
const ASSISTANTS: [&str; 16] = [
    "alexa", "siri", "cortana", "claude", "chatgpt", "gpt", "gemini", "bard", "llama", "mistral", "copilot", "bixby",
    "watson", "grok", "eliza", "jarvis",
];

pub(super) fn sorted(words: &[&str]) -> Vec<u64> {
    let mut hashes: Vec<u64> = words.iter().map(|word| hash_of(word)).collect();
    hashes.sort_unstable();
    hashes
}

static TITLE_HASHES: LazyLock<Vec<u64>> = LazyLock::new(|| sorted(&TITLES));
static ASSISTANT_HASHES: LazyLock<Vec<u64>> = LazyLock::new(|| sorted(&ASSISTANTS));

pub fn is_assistant(word: &Word) -> bool {
    word.end - word.start <= 7 && ASSISTANT_HASHES.binary_search(&word.hash).is_ok()
}

pub fn is_title(word: &Word) -> bool {
    word.end - word.start <= 11 && TITLE_HASHES.binary_search(&word.hash).is_ok()
}

/// Finds the runs of words that the model is asked about; everything else is no name.
#[derive(Debug)]
pub struct Gate {
    connectors: Vec<u64>,
    never: Vec<u64>,
    ampersand: u64,
}

impl Default for Gate {
    fn default() -> Gate {
        let ampersand = u64::from(b'&').wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Gate { connectors: sorted(&CONNECTORS), never: sorted(&NEVER), ampersand }
    }
}

impl Gate {
    fn opens(&self, words: &[Word], at: usize) -> bool {
        let word = &words[at];
        match word.shape {
            Shape::Lower => {
                let named = word.entry.first() == 1 || word.entry.last() == 1;
                let case = word.entry.case();
                case == Case::Capital || (named && case == Case::Unseen && word.end - word.start > 3)
            }
            Shape::Title if word.entry.case() == Case::Small => {
                // A small word at the beginning of a sentence says nothing by its capital.
                let starts = matches!(words[at - 1].shape, Shape::Line | Shape::Stop | Shape::Sign);
                let says_nothing = starts && word.entry.first() != 1 && !words[at + 1].is_capital();
                !says_nothing && !self.is_never(word)
            }
            Shape::Title | Shape::Upper | Shape::Camel | Shape::Initial => !self.is_never(word),
            _ => false,
        }
    }

    fn is_never(&self, word: &Word) -> bool {
        word.end - word.start <= 6 && self.never.binary_search(&word.hash).is_ok() && !self.is_initial(word)
    }

    fn is_initial(&self, word: &Word) -> bool {
        word.shape == Shape::Initial && word.end - word.start > 1
    }

    fn connects(&self, word: &Word) -> bool {
        match word.shape {
            Shape::Lower => word.end - word.start <= 5 && self.connectors.binary_search(&word.hash).is_ok(),
            Shape::Sign => word.hash == self.ampersand,
            _ => false,
        }
    }

    /// Runs within `words`, which are padded with [`CONTEXT`] edges on both sides. A run begins and
    /// ends with a word that may be a name and holds at most two connecting words in a row.
    pub fn runs(&self, words: &[Word], mut found: impl FnMut(Range<usize>)) {
        let (mut at, last) = (CONTEXT, words.len() - CONTEXT);
        while at < last {
            if !self.opens(words, at) {
                at += 1;
                continue;
            }
            let start = at;
            let mut end = at + 1;
            while end < last && end - start < RUN_MAX_WORDS {
                let gap = (end..(end + 2).min(last)).take_while(|next| self.connects(&words[*next])).count();
                let next = end + gap;
                if next >= last || !(self.opens(words, next)) || (gap > 0 && !words[next].is_capital()) {
                    break;
                }
                end = next + 1;
            }
            found(start..end);
            at = end;
        }
    }
}

/// A word has at most so many.
pub const FEATURES_MAX: usize = 32;

/// A feature is a template and what it saw, folded into 64 bits.
#[inline]
fn fold(template: u64, a: u64, b: u64) -> u64 {
    let mixed = (a ^ template.wrapping_mul(0xc2b2_ae3d_27d4_eb4f)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed.rotate_left(31) ^ b).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^ mixed >> 32
}

/// Hands every feature of the word at `at` of `run` to `each`.
#[inline]
pub fn features(text: &[u8], words: &[Word], run: &Range<usize>, at: usize, mut each: impl FnMut(u64)) {
    let w = |offset: isize| &words[at.wrapping_add_signed(offset)];
    let (before, here, after) = (w(-1), w(0), w(1));
    let shape = |word: &Word| word.shape as u64;
    let grades = |word: &Word| word.entry.grades();
    let mut add = |template: u64, a: u64, b: u64| each(fold(template, a, b));
    add(1, here.hash, 0);
    add(2, here.hash, shape(here));
    add(3, before.hash, 0);
    add(4, after.hash, 0);
    add(5, w(-2).hash, 0);
    add(7, before.hash, here.hash);
    add(8, here.hash, after.hash);
    add(9, w(-2).hash, before.hash);
    let shapes = shape(before) << 8 | shape(here) << 4 | shape(after);
    add(11, shapes, 0);
    add(13, grades(here), shape(here));
    add(14, grades(here) << 8 | grades(after), grades(before));
    add(16, grades(here), shapes);
    add(17, before.hash, grades(here));
    add(18, after.hash, grades(here));
    add(19, here.entry.cluster(), shape(here));
    add(20, before.entry.cluster(), after.entry.cluster());
    let outer = |word: &Word| word.hash;
    add(23, outer(&words[run.start - 1]), 0);
    add(24, outer(&words[run.end]), 0);
    let place = ((at - run.start).min(3) << 4 | (run.end - at).min(4)) as u64;
    add(26, place, grades(here));
    add(29, ending(text, after), grades(here));
    affixes(&text[here.start as usize..here.end as usize], &mut add);
}

/// A hash of all that [`features`] looks at, from a seed: equal only where its features are.
#[inline]
pub fn company(seed: u64, text: &[u8], words: &[Word], run: &Range<usize>, at: usize) -> u64 {
    let (before, here, after) = (&words[at - 1], &words[at], &words[at + 1]);
    let place = ((at - run.start).min(3) << 4 | (run.end - at).min(4)) as u64;
    let shapes = [before, here, after].iter().fold(place, |all, word| all << 4 | word.shape as u64);
    let len = u64::from(here.end - here.start);
    let around = fold(here.hash, before.hash, after.hash);
    let beyond = fold(words[at - 2].hash, words[run.start - 1].hash, words[run.end].hash);
    fold(seed, fold(around, beyond, ending(text, after)), len << 32 | shapes)
}

/// The last letters of a small word beside: `-ed`, `-ing` tell of somebody who does something.
fn ending(text: &[u8], word: &Word) -> u64 {
    let end = word.end as usize;
    match word.shape {
        Shape::Lower if word.end - word.start > 3 => {
            text[end - 3..end].iter().fold(0u64, |all, byte| all << 8 | u64::from(*byte))
        }
        shape => shape as u64,
    }
}

fn affixes(word: &[u8], add: &mut impl FnMut(u64, u64, u64)) {
    let bytes = |part: &[u8]| part.iter().fold(0u64, |all, byte| all << 8 | u64::from(*byte | 0x20));
    let len = word.len();
    if len > 3 {
        add(30, bytes(&word[len - 2..]), 0);
        add(31, bytes(&word[len - 3..]), 0);
        add(32, bytes(&word[..3]), 0);
    }
    if len > 4 {
        add(33, bytes(&word[len - 4..]), 0);
    }
    add(34, len.min(12) as u64, 0);
}
