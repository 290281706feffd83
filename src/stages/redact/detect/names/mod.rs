//! Names of people, organisations and places: a conditional random field over the capitalised
//! words of a text, its weights part of the program.
//!
//! Not here: names that only a cue gives away (`cues`), other mentions of a name in other messages
//! (nobody yet; in the same text `text` finds them), training (`src/bin/train_names`).
//!
//! Always: the work is linear in the text; words without capitals cost one look into a table.

mod block;
mod crf;
mod cues;
pub mod features;
mod foreign;
mod ground;
mod index;
mod keyed;
mod kin;
pub mod lexicon;
pub mod model;
mod rules;
mod stands;
mod told;
pub mod words;

use std::cell::{Cell, LazyCell};
use std::ops::Range;
use std::sync::LazyLock;

use super::Span;
use crate::stages::redact::glance::{COLON, Glance};
use crate::stages::redact::kind::KindSet;
use crate::stages::redact::rule::Rule;

use self::block::Blocks;
use self::crf::{Chain, Chances, Memo};
use self::cues::Cues;
use self::features::{CONTEXT, Gate};
use self::ground::Ground;
pub use self::ground::Grounds;
use self::kin::Kin;
use self::lexicon::{Case, Entry, Filter};
use self::model::{Model, NATIONALITY, ORGANIZATION, OTHER, OUTSIDE, PERSON, PLACE, POSTCODE};
use self::rules::{
    CUE, MODEL, NATIONALITY_LIST, ORGANIZATION_CUE, ORGANIZATION_MODEL, PLACE_CUE, PLACE_MODEL, POSTCODE_BLOCK,
};
use self::told::Told;
use self::words::{Shape, Word, Words, hash_of};

/// So many words are looked at together; the next part begins where a line or sentence ends.
const PART_WORDS: usize = 4096;

/// The words of a part and a name among them.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// One of `PERSON`, `PLACE`, `ORGANIZATION`, or what rules find besides.
    pub label: usize,
    pub start: usize,
    pub end: usize,
    /// How likely the model holds it to be one, 0 to 1.
    pub chance: f32,
}

static AND: LazyLock<u64> = LazyLock::new(|| hash_of("and"));
static AUNT: LazyLock<u64> = LazyLock::new(|| hash_of("aunt"));
static UNCLE: LazyLock<u64> = LazyLock::new(|| hash_of("uncle"));
static A: LazyLock<u64> = LazyLock::new(|| hash_of("a"));
static I: LazyLock<u64> = LazyLock::new(|| hash_of("i"));

/// The model that is part of the program. Trained by `src/bin/train_names`; its sources stand in
/// `models/ATTRIBUTION.md`.
static NAMES: LazyLock<Option<Names>> =
    LazyLock::new(|| Model::from_bytes(include_bytes!("../../../../../models/names.bin")).map(Names::new));

/// The names that the program knows how to find.
pub fn built_in() -> Result<&'static Names, String> {
    NAMES.as_ref().ok_or_else(|| "the built-in name model is damaged".to_owned())
}

/// A name less likely than this is not reported. Chosen where F1 on the held-out parts of the
/// training corpora is highest.
const LEAST: f32 = 0.45;

/// The same for a given name of the lists.
const LISTED: f32 = 0.25;

pub(super) const RULES: [&Rule; 8] = [
    &MODEL,
    &CUE,
    &ORGANIZATION_MODEL,
    &PLACE_MODEL,
    &ORGANIZATION_CUE,
    &PLACE_CUE,
    &POSTCODE_BLOCK,
    &NATIONALITY_LIST,
];

/// Adds the names of the wanted kinds.
pub(super) fn find(names: &Names, text: &str, glance: Glance, wanted: &KindSet, out: &mut Vec<Span>) {
    let foreign = LazyCell::new(|| foreign::is_foreign(text));
    names.find_glanced(text, glance, LEAST, |name| {
        // The model learnt English, where a capital says more than in German.
        if name.chance < 1.0 && !names.holds_given(&text[name.start..name.end]) && *foreign {
            return;
        }
        let told = name.chance >= 1.0;
        let rule = match name.label {
            PERSON if told => &CUE,
            PERSON => &MODEL,
            PLACE if told => &PLACE_CUE,
            PLACE => &PLACE_MODEL,
            ORGANIZATION if told => &ORGANIZATION_CUE,
            NATIONALITY => &NATIONALITY_LIST,
            POSTCODE => &POSTCODE_BLOCK,
            _ => &ORGANIZATION_MODEL,
        };
        if wanted.has(rule.kind) {
            let score = if told { rule.score } else { name.chance };
            out.push(Span { score, ..rule.at(name.start, name.end) });
        }
    });
    if wanted.has(CUE.kind) && glance.has(COLON) {
        keyed::find(text, &names.model.lexicon, |start, end| out.push(CUE.at(start, end)));
    }
}

/// The whole of a value that stands in JSON under the name of a person: `"patient": "Jane Doe"`.
pub(super) fn labelled(label: &str, text: &str) -> Option<Span> {
    keyed::is_name(label, text).then(|| CUE.at(0, text.len()))
}

/// How many of the first bytes of `after` are the rest of the name that begins at `start` in `before`,
/// ends it, and is announced there: "my name is Karen", "Haverkamp".
pub fn rest_of_name(before: &str, start: usize, after: &str) -> Option<usize> {
    /// A few words.
    const CUE_BYTES: usize = 48;
    let names = built_in().ok()?;
    let words = |text: &str| {
        let mut words = Vec::new();
        Words::new(text, &names.model.lexicon).read(&mut words, usize::MAX);
        words
    };
    let mut rest = words(&after[..after.floor_char_boundary(CUE_BYTES)]);
    rest.push(Word::EDGE);
    let [first, next, ..] = &rest[..] else { return None };
    if first.start > 0 || !cues::is_rest(first, next) {
        return None;
    }
    let cue = words(&before[before.ceil_char_boundary(start.saturating_sub(CUE_BYTES))..start]);
    names.cues.announce(&cue).then_some(first.end as usize)
}

/// What the lists say of a word.
fn known(word: &str) -> Entry {
    built_in().map_or(Entry::NONE, |names| names.model.lexicon.entry(hash_of(word)))
}

/// Whether another place with the same letters is another mention: a name of several words, or of
/// one that is no common word as well.
pub fn tells_apart(name: &str) -> bool {
    let many = name.split_whitespace().count() > 1;
    many || (name.len() > 2 && matches!(known(name).case(), Case::Unseen | Case::Capital))
}

/// The rule that knows a firm by its last word.
pub const FIRM_RULE: &str = ORGANIZATION_CUE.id;

/// Known, however it is written.
pub fn is_word(word: &str) -> bool {
    known(word) != Entry::NONE || built_in().is_ok_and(|names| names.told.knows(word))
}

/// Mostly written small, as words are that go on a line.
pub fn is_small_word(word: &str) -> bool {
    known(word).case() == Case::Small
}

/// Whether a part of a name is one wherever it stands: known as a name and not as a common word.
pub fn stands_alone(part: &str) -> bool {
    let entry = known(part);
    let known = entry.first() + entry.last() > 0 || entry.case() == Case::Unseen;
    part.len() > 3 && known && tells_apart(part) && part.chars().all(char::is_alphabetic)
}

/// What is needed for one text, kept for the next.
#[derive(Default)]
struct Scratch {
    words: Vec<Word>,
    people: Vec<Range<usize>>,
    /// Of words that rules ask about.
    places: Vec<usize>,
    chances: Vec<Chances>,
    backward: Vec<Chances>,
    memo: Memo,
    grounds: Grounds,
}

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// Immutable: share one among threads.
#[derive(Debug)]
pub struct Names {
    model: Model,
    chain: Chain,
    gate: Gate,
    cues: Cues,
    told: Told,
    /// The words that cues or what is told end with: most words are asked about once, not twice.
    telling: Filter,
    blocks: Blocks,
    kin: Kin,
}

impl Names {
    pub fn new(model: Model) -> Names {
        let (cues, told) = (Cues::default(), Told::default());
        Names {
            chain: Chain::new(&model),
            model,
            gate: Gate::default(),
            telling: cues.filter().or(told.filter()),
            cues,
            told,
            blocks: Blocks::default(),
            kin: Kin::default(),
        }
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    /// A word of it is a common given name.
    fn holds_given(&self, name: &str) -> bool {
        name.split(|c: char| !c.is_alphabetic()).any(|word| self.model.lexicon.entry(hash_of(word)).first() == 1)
    }

    /// Hands the names of a text to `found`; those a cue gives away have a chance of 1 and may be
    /// handed twice. `least` is the least chance that a name has.
    pub fn find(&self, text: &str, least: f32, found: impl FnMut(Name)) {
        self.find_glanced(text, Glance::of(text), least, found);
    }

    fn find_glanced(&self, text: &str, glance: Glance, least: f32, mut found: impl FnMut(Name)) {
        let Scratch { mut words, mut people, mut places, mut chances, mut backward, mut memo, mut grounds } =
            SCRATCH.take();
        words.clear();
        words.extend([Word::EDGE; CONTEXT]);
        let mut source = Words::new(text, &self.model.lexicon);
        grounds.read(text.as_bytes(), glance);
        let english = LazyCell::new(|| foreign::is_english(text));
        let ground = |word: &Word| grounds.at(word.start as usize);
        let stands = |row: &[Word], label: usize, told: bool| {
            stands::stands(text.as_bytes(), row, label, row.first().map_or(Ground::Prose, ground), told)
        };
        loop {
            let more = source.read(&mut words, PART_WORDS);
            words.extend([Word::EDGE; CONTEXT]);
            people.clear();
            self.gate.runs(&words, |run| {
                // One word by itself is no name on ground that is code.
                let idle = run.len() == 1 && ground(&words[run.start]) != Ground::Prose;
                let rows = (&mut memo, &mut chances, &mut backward);
                if !idle && self.chain.label(&self.model, text.as_bytes(), &words, &run, rows) {
                    names((text, &words), &run, &chances, least, &mut |row, name: Name| {
                        if stands(&words[row.clone()], name.label, false) {
                            if name.label == PERSON {
                                people.push(row);
                            }
                            found(name);
                        }
                    });
                }
            });
            let mut sure = |row: Range<usize>, label: usize| {
                let (first, last) = (&words[row.start], &words[row.end - 1]);
                found(Name { label, start: first.start as usize, end: last.end as usize, chance: 1.0 });
            };
            self.by_rules(&words, (&mut people, &mut places), &|| *english, &stands, &mut sure);
            if !more {
                break;
            }
            words.truncate(words.len() - CONTEXT);
            words.drain(..words.len() - CONTEXT);
        }
        SCRATCH.set(Scratch { words, people, places, chances, backward, memo, grounds });
    }

    /// Hands over what stands where cues, other names or lines say what it is. `people` are those known.
    fn by_rules(
        &self,
        words: &[Word],
        (people, places): (&mut Vec<Range<usize>>, &mut Vec<usize>),
        english: &dyn Fn() -> bool,
        stands: &dyn Fn(&[Word], usize, bool) -> bool,
        sure: &mut dyn FnMut(Range<usize>, usize),
    ) {
        places.clear();
        places.extend((CONTEXT..words.len() - CONTEXT).filter(|at| self.telling.may_hold(words[*at].hash)));
        self.cues.find(words, places, |row, told| {
            if stands(&words[row.clone()], PERSON, told) {
                people.push(row.clone());
                sure(row, PERSON);
            }
        });
        people.sort_by_key(|row| row.start);
        let mut known = |row: Range<usize>, label: usize| {
            if stands(&words[row.clone()], label, false) {
                sure(row, label);
            }
        };
        self.kin.find(words, people, english, |row| known(row, PERSON));
        self.told.find(words, places, &mut known);
        self.blocks.find(words, &mut known);
    }
}

/// Reads names off the probabilities: a name is a row of words whose likeliest kind is the same.
fn names(
    (text, words): (&str, &[Word]),
    run: &Range<usize>,
    chances: &[Chances],
    least: f32,
    found: &mut impl FnMut(Range<usize>, Name),
) {
    let likely = |at: usize| {
        let row = &chances[at];
        // What a list has as a given name, and nothing else, needs less.
        let entry = words[run.start + at].entry;
        let given = entry.first() > 0 && entry.place() == 0 && !matches!(entry.case(), Case::Small | Case::Mixed);
        let least = if given { least.min(LISTED) } else { least };
        let of = |kind: usize| row[kind] + row[kind + 1];
        let best = [PERSON, PLACE, ORGANIZATION].into_iter().max_by(|a, b| of(*a).total_cmp(&of(*b)));
        best.filter(|kind| of(*kind) >= least && of(*kind) >= row[OTHER])
            .map_or((OUTSIDE, 0.0), |kind| (kind, of(kind)))
    };
    let mut at = 0;
    while at < chances.len() {
        let (kind, mut chance) = likely(at);
        let start = at;
        at += 1;
        if kind == OUTSIDE {
            continue;
        }
        while at < chances.len() {
            let (next, more) = likely(at);
            if next != kind || chances[at][kind] > chances[at][kind + 1] {
                break;
            }
            chance = chance.min(more);
            at += 1;
        }
        part((text, words), run.start + start..run.start + at, kind, chance, found);
    }
}

/// Cuts what is no part of a name off a row of words: a title before, `and` between two people, the
/// stop behind an initial at the end, which ends the sentence as well.
fn part(
    (text, words): (&str, &[Word]),
    range: Range<usize>,
    kind: usize,
    chance: f32,
    found: &mut impl FnMut(Range<usize>, Name),
) {
    let mut rows = vec![range.clone()];
    if kind == PERSON {
        rows = people(words, range);
        // "aunt Jenny" is who she is.
        let related = |row: &Range<usize>| [*AUNT, *UNCLE].contains(&words[row.start - 1].hash);
        rows.iter_mut().filter(|row| related(row)).for_each(|row| row.start -= 1);
    }
    for row in rows {
        let (first, last) = (&words[row.start], &words[row.end - 1]);
        let initial = last.shape == Shape::Initial && last.end - last.start > 1 && row.len() > 1;
        let stop = usize::from(initial && text.as_bytes()[last.end as usize - 1] == b'.');
        let name = Name { label: kind, start: first.start as usize, end: last.end as usize - stop, chance };
        found(row, name);
    }
}

/// One row for each of the people in a row of words.
fn people(words: &[Word], range: Range<usize>) -> Vec<Range<usize>> {
    let joins = |at: &usize| words[*at].shape == Shape::Sign || words[*at].hash == *AND;
    let mut rows = Vec::new();
    let (mut start, mut range) = (range.start, range);
    // `Miller Karen A`: as lists have it.
    let after = &words[range.end];
    // `miller karen k` of one who writes no capitals; `a` and `i` are words.
    let small = words[range.clone()].iter().all(|word| word.shape == Shape::Lower);
    let initial = after.shape == Shape::Initial || small && after.shape == Shape::Lower && after.hash != *A;
    if range.len() > 1 && initial && after.end - after.start == 1 && after.hash != *I {
        range.end += 1;
    }
    for cut in range.clone().filter(joins).chain([range.end]) {
        while start + 1 < cut && features::is_title(&words[start]) {
            start += 1;
        }
        let program = start + 1 == cut && features::is_assistant(&words[start]);
        rows.extend((start < cut && !program).then_some(start..cut));
        start = cut + 1;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_where_characters_do() {
        for text in ["À߀&A𞥐", "Karen Miller É.", "Karen A𞥐 ok", "Karen B\u{301}. said"] {
            built_in().unwrap().find(text, 0.0, |name| assert!(text.get(name.start..name.end).is_some(), "{text}"));
        }
    }

    /// Rows of beginnings that lead nowhere: a quadratic search would take minutes.
    #[test]
    fn rows_of_beginnings_are_linear() {
        let names = built_in().unwrap();
        for start in ["Jane ", "van ", "J.", "my name is ", "Mr. ", "A-", "Jane-", "O'", "@a", "É", "and Jane "] {
            names.find(&start.repeat(200_000 / start.len()), LEAST, |name| assert!(name.start < name.end));
        }
    }
}
