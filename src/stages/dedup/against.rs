//! Finds records that repeat rows of a benchmark: decontamination.
//!
//! A row's prompt (what users say) and its answer (what assistants say) are looked for as wholes, in
//! their normal form, and by word n-grams: the share of the row's that one record holds, whoever says
//! them there. The share is of the row, so a long record hides nothing.
//!
//! Not here: where rows come from, what becomes of a record.
//!
//! Always: the answer does not depend on the order in which rows were added, but for their numbers;
//! n-grams that many texts of one benchmark share (a template) count for none of them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::hashed::Map;
use super::shingle::{Shingler, Side, scramble};
use super::sketch::{TEXT, Turn};
use crate::canon;

/// Version of everything in this file; part of the key of what was found.
/// - 1: first release.
/// - 2: letters whose accents stand apart are the same letters.
pub const VERSION: u32 = 2;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub prompt: bool,
    pub answer: bool,
    pub ngram_words: u32,
    /// 0 looks for no n-grams.
    pub min_overlap: f64,
}

/// How a record repeats a row, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    Conversation,
    Prompt,
    Answer,
    Ngrams,
}

/// The surest first: of one rule the larger overlap.
pub fn surest(one: (Rule, f64), other: (Rule, f64)) -> Ordering {
    one.0.cmp(&other.0).then(other.1.total_cmp(&one.1))
}

impl Rule {
    pub fn parse(name: &str) -> Option<Rule> {
        [Rule::Conversation, Rule::Prompt, Rule::Answer, Rule::Ngrams].into_iter().find(|rule| rule.as_str() == name)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Rule::Conversation => "benchmark_conversation",
            Rule::Prompt => "benchmark_prompt",
            Rule::Answer => "benchmark_answer",
            Rule::Ngrams => "benchmark_ngrams",
        }
    }
}

/// A row that a record repeats, by the number that it was added under.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    pub row: u32,
    pub rule: Rule,
    /// Share of the row's n-grams, of the side that has more; 1 for wholes.
    pub overlap: f64,
}

/// Fewer words are said by chance: an answer, or one message of a longer talk, is looked for as a
/// whole from here on (the least n of GPT-3's n-grams; Brown and others 2020, appendix C).
const LEAST_WORDS: u32 = 8;

/// An n-gram of more texts is a template; a question that stands there once for each model is one text.
/// Chosen by feel: a question asked in ten ways is still found.
const TEXTS_OF_A_TEMPLATE: usize = 10;

/// Rows of benchmarks, ready to be looked for.
pub struct Index {
    settings: Settings,
    shingler: Shingler,
    wholes: Map<u64, Vec<u32>>,
    prompts: Map<u64, Vec<u32>>,
    answers: Map<u64, Vec<u32>>,
    /// Sides that hold an n-gram: twice the row's number, plus one for the answer.
    ngrams: Map<u64, Vec<u32>>,
    /// The same of the benchmark that is being added.
    held: Map<u64, Vec<u32>>,
    /// N-grams of each side.
    sizes: Vec<u32>,
    /// What each side says.
    texts: Vec<u64>,
}

impl Index {
    pub fn new(settings: Settings) -> Index {
        let shingler = Shingler::new(settings.ngram_words as usize);
        let (wholes, prompts, answers, ngrams, held) = Default::default();
        let (sizes, texts) = Default::default();
        Index { settings, shingler, wholes, prompts, answers, ngrams, held, sizes, texts }
    }

    /// Adds a row, numbered on from those before.
    pub fn row(&mut self, turns: &[Turn]) {
        let row = self.rows();
        let Said { user, assistant, .. } = &said(turns, &mut self.shingler);
        self.wholes.entry(then(user.text, assistant.text)).or_default().push(row);
        if self.settings.prompt && user.words > 0 {
            self.prompts.entry(user.text).or_default().push(row);
        }
        if self.settings.answer && assistant.words >= LEAST_WORDS {
            self.answers.entry(assistant.text).or_default().push(row);
        }
        for (side, words) in (2 * row..).zip([user, assistant]) {
            self.sizes.push(0);
            self.texts.push(words.text);
            if self.settings.min_overlap > 0.0 && words.words >= self.settings.ngram_words {
                let distinct: BTreeSet<u64> = words.ngrams.iter().copied().collect();
                distinct.into_iter().for_each(|ngram| self.held.entry(ngram).or_default().push(side));
            }
        }
    }

    /// Ends a benchmark: what its rows share is known now.
    pub fn end(&mut self) {
        for (ngram, sides) in std::mem::take(&mut self.held) {
            let texts = || sides.iter().map(|&side| self.texts[side as usize]).collect::<BTreeSet<_>>();
            if sides.len() <= TEXTS_OF_A_TEMPLATE || texts().len() <= TEXTS_OF_A_TEMPLATE {
                sides.iter().for_each(|&side| self.sizes[side as usize] += 1);
                self.ngrams.entry(ngram).or_default().extend(sides);
            }
        }
    }

    pub fn rows(&self) -> u32 {
        (self.sizes.len() / 2) as u32
    }
}

/// Looks records up; keeps its buffers.
pub struct Finder<'i> {
    index: &'i Index,
    shingler: Shingler,
}

impl<'i> Finder<'i> {
    pub fn new(index: &'i Index) -> Finder<'i> {
        Finder { index, shingler: Shingler::new(index.settings.ngram_words as usize) }
    }

    /// The rows that a conversation repeats, each once, in the order of their numbers.
    pub fn find(&mut self, turns: &[Turn]) -> Vec<Hit> {
        let said = said(turns, &mut self.shingler);
        let mut hits: BTreeMap<u32, Hit> = BTreeMap::new();
        let mut whole = |rule: Rule, rows: Option<&Vec<u32>>| {
            for &row in rows.into_iter().flatten() {
                hits.entry(row).or_insert(Hit { row, rule, overlap: 1.0 });
            }
        };
        // The surest first: what is there stays.
        whole(Rule::Conversation, self.index.wholes.get(&then(said.user.text, said.assistant.text)));
        said.user.texts().for_each(|text| whole(Rule::Prompt, self.index.prompts.get(&text)));
        said.assistant.texts().for_each(|text| whole(Rule::Answer, self.index.answers.get(&text)));
        for (row, overlap) in self.overlaps(&said) {
            hits.entry(row).or_insert(Hit { row, rule: Rule::Ngrams, overlap });
        }
        hits.into_values().collect()
    }

    /// Rows of which a side is held far enough.
    fn overlaps(&self, said: &Said) -> BTreeMap<u32, f64> {
        let ngrams = [&said.user, &said.assistant, &said.other].into_iter().flat_map(|words| &words.ngrams);
        // Few are known, so a set of them is small.
        let known: BTreeSet<u64> = ngrams.copied().filter(|ngram| self.index.ngrams.contains_key(ngram)).collect();
        let mut shared: BTreeMap<u32, u32> = BTreeMap::new();
        for side in known.iter().filter_map(|ngram| self.index.ngrams.get(ngram)).flatten() {
            *shared.entry(*side).or_default() += 1;
        }
        let mut rows: BTreeMap<u32, f64> = BTreeMap::new();
        for (side, shared) in shared {
            let overlap = f64::from(shared) / f64::from(self.index.sizes[side as usize].max(1));
            if overlap >= self.index.settings.min_overlap {
                let row = rows.entry(side / 2).or_default();
                *row = row.max(overlap);
            }
        }
        rows
    }
}

/// What a conversation says, by who says it.
#[derive(Default)]
struct Said {
    user: Words,
    assistant: Words,
    /// System prompts and results of tools: rows are pasted there, too.
    other: Words,
}

#[derive(Default)]
struct Words {
    /// Of all messages in order; of one message it is that one's.
    text: u64,
    words: u32,
    /// Unsorted and with repeats.
    ngrams: Vec<u64>,
    /// Texts of single messages that are long enough to be told by.
    messages: Vec<u64>,
}

fn said(turns: &[Turn], shingler: &mut Shingler) -> Said {
    let mut said = Said::default();
    for turn in turns {
        let mut one = Side::default();
        // A letter with its accent apart is the same letter, as in the exact key.
        shingler.add::<true>(&canon::text(turn.content), &mut one);
        if let Some(calls) = turn.tool_calls {
            shingler.add::<true>(calls, &mut one);
        }
        let words = match turn.role {
            "user" | TEXT => &mut said.user,
            "assistant" => &mut said.assistant,
            _ => &mut said.other,
        };
        words.add(one);
    }
    said
}

impl Words {
    fn add(&mut self, mut one: Side) {
        self.text = then(self.text, one.text);
        self.words += one.tokens;
        self.ngrams.append(&mut one.shingles);
        if one.tokens >= LEAST_WORDS {
            self.messages.push(then(0, one.text));
        }
    }

    /// What is looked up: all messages together, and each.
    fn texts(&self) -> impl Iterator<Item = u64> {
        std::iter::once(self.text).chain(self.messages.iter().copied())
    }
}

/// Order counts.
fn then(before: u64, text: u64) -> u64 {
    scramble(before.rotate_left(17) ^ text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SETTINGS: Settings = Settings { prompt: true, answer: true, ngram_words: 13, min_overlap: 0.5 };

    fn turns<'t>(texts: &[(&'t str, &'t str)]) -> Vec<Turn<'t>> {
        texts.iter().map(|&(role, content)| Turn { role, content, tool_calls: None }).collect()
    }

    fn prose(n: usize, words: usize) -> String {
        (0..words).map(|i| format!("w{}x{i}", n * 1000 + i)).collect::<Vec<_>>().join(" ")
    }

    fn index(settings: Settings, rows: &[Vec<(&str, &str)>]) -> Index {
        let mut index = Index::new(settings);
        rows.iter().for_each(|row| index.row(&turns(row)));
        index.end();
        index
    }

    fn rules(index: &Index, record: &[(&str, &str)]) -> Vec<(u32, Rule)> {
        Finder::new(index).find(&turns(record)).iter().map(|hit| (hit.row, hit.rule)).collect()
    }

    #[test]
    fn accents_may_stand_apart() {
        let index = index(SETTINGS, &[vec![("user", "Où est le café près de l'hôtel?")]]);
        let apart = "Ou\u{300} est le cafe\u{301} pre\u{300}s de l'ho\u{302}tel?";
        assert_eq!(rules(&index, &[("user", apart), ("assistant", "Ici.")]), [(0, Rule::Prompt)]);
    }

    #[test]
    fn what_repeats_a_row() {
        let (question, answer, other) = (prose(1, 40), prose(2, 40), prose(3, 40));
        let short = "Which river flows through Vienna?";
        let rows = [vec![("user", &*question), ("assistant", &*answer)], vec![("user", short), ("assistant", "Yes.")]];
        let index = index(SETTINGS, &rows);
        let pasted = format!("Look at this: {question} What do you say?");
        let half: String = question.split(' ').take(27).collect::<Vec<_>>().join(" ");
        let less: String = question.split(' ').take(25).collect::<Vec<_>>().join(" ");
        for (record, expected) in [
            (vec![("user", &*question.to_uppercase()), ("assistant", &*answer)], vec![(0, Rule::Conversation)]),
            (vec![("system", "s"), ("user", &question), ("assistant", &other)], vec![(0, Rule::Prompt)]),
            (vec![("user", &question), ("assistant", "a"), ("user", &other)], vec![(0, Rule::Prompt)]),
            (vec![("user", &other), ("assistant", &answer)], vec![(0, Rule::Answer)]),
            (vec![("user", &pasted), ("assistant", "no")], vec![(0, Rule::Ngrams)]),
            (vec![("system", &pasted), ("user", "go on")], vec![(0, Rule::Ngrams)]),
            (vec![("assistant", &question)], vec![(0, Rule::Ngrams)]),
            (vec![("user", &half)], vec![(0, Rule::Ngrams)]),
            (vec![("user", &less)], vec![]),
            (vec![("user", "which RIVER flows through vienna"), ("assistant", "Another.")], vec![(1, Rule::Prompt)]),
            (vec![("user", "Say yes"), ("assistant", "Yes.")], vec![]),
            (vec![("user", "Hi"), ("assistant", "Hello"), ("user", short)], vec![]),
            (vec![("user", &other), ("assistant", &other)], vec![]),
        ] {
            assert_eq!(rules(&index, &record), expected, "{:?}", record.iter().map(|one| one.0).collect::<Vec<_>>());
        }
    }

    #[test]
    fn pseudonyms_meet_by_type() {
        let row = format!("{} [EMAIL:bcdfgh23]", prose(1, 20));
        let index = index(SETTINGS, &[vec![("user", &*row)]]);
        let same = row.replace("bcdfgh23", "zzzzzz99");
        assert_eq!(rules(&index, &[("user", &same)]), [(0, Rule::Conversation)]);
    }

    #[test]
    fn what_is_not_asked_for_is_not_found() {
        let (question, answer) = (prose(1, 40), prose(2, 40));
        let row = vec![vec![("user", &*question), ("assistant", &*answer)]];
        let off = Settings { prompt: false, answer: false, min_overlap: 0.0, ..SETTINGS };
        let index = index(off, &row);
        assert_eq!(rules(&index, &row[0]), [(0, Rule::Conversation)]);
        assert!(rules(&index, &[("user", &question)]).is_empty());
    }

    #[test]
    fn a_template_of_many_rows_counts_for_none() {
        let template = prose(9, 30);
        let texts: Vec<String> = (0..20).map(|n| format!("{template} {}", prose(n + 10, 40))).collect();
        let rows: Vec<_> = texts.iter().map(|text| vec![("user", &**text)]).collect();
        // The same question once for each of twenty models is one text.
        let models = index(SETTINGS, &vec![rows[0].clone(); 20]);
        assert_eq!(rules(&models, &[("user", &format!("so: {}", texts[0]))]).len(), 20);
        let index = index(SETTINGS, &rows);
        assert!(rules(&index, &[("user", &format!("{template} and more of it"))]).is_empty());
        let own = prose(13, 40);
        assert_eq!(rules(&index, &[("user", &format!("{own} and more"))]), [(3, Rule::Ngrams)]);
    }

    proptest! {
        /// Two lines of reference: sets of windows, and who holds how many of them.
        #[test]
        fn overlap_is_the_share_of_the_row(row in proptest::collection::vec(0u8..4, 5..40), said in proptest::collection::vec(0u8..4, 0..60)) {
            let text = |words: &[u8]| words.iter().map(|w| format!("w{w}")).collect::<Vec<_>>().join(" ");
            let settings = Settings { prompt: false, answer: false, ngram_words: 5, min_overlap: 0.25 };
            let (row_text, said_text) = (text(&row), text(&said));
            let index = index(settings, &[vec![("user", &*row_text)]]);
            let windows = |words: &[u8]| words.windows(5).map(<[u8]>::to_vec).collect::<std::collections::BTreeSet<_>>();
            let share = windows(&row).intersection(&windows(&said)).count() as f64 / windows(&row).len() as f64;
            let found = Finder::new(&index).find(&turns(&[("tool", &said_text)]));
            prop_assert_eq!(found.first().map(|hit| hit.overlap), Some(share).filter(|share| *share >= 0.25));
        }
    }
}
