//! Sentences and messages from the vocabulary.
//!
//! Not conversations (`chat`). No grammar beyond word classes: enough for word n-grams, language
//! detection and compression to behave as on real text.
//!
//! Always: no '@', no run of more than three digits, no two numbers side by side; any two texts of
//! different `Chance` share next to no word 3-grams, because every pattern is rich in content words.

use crate::chance::{Chance, Permutation};
use crate::words::Vocabulary;
use Slot::*;

#[derive(Clone, Copy)]
enum Slot {
    Det,
    Prep,
    Conj,
    Pron,
    Aux,
    Ask,
    Open,
    Noun,
    Verb,
    Adj,
    Adv,
    Num,
    Comma,
    /// One of the three nouns that spell the conversation's number.
    Code(u8),
}

const STATEMENTS: &[&[Slot]] = &[
    &[Det, Adj, Noun, Verb, Prep, Det, Noun],
    &[Open, Comma, Det, Noun, Aux, Verb, Adj, Noun, Prep, Noun],
    &[Pron, Aux, Verb, Det, Adj, Noun, Conj, Det, Noun, Verb, Adv],
    &[Adv, Comma, Noun, Conj, Noun, Verb, Prep, Adj, Noun],
    &[Det, Noun, Prep, Noun, Aux, Adv, Verb, Num, Adj, Noun],
    &[Conj, Pron, Verb, Det, Noun, Comma, Det, Adj, Adj, Noun, Aux, Verb, Prep, Det, Noun],
    &[Noun, Verb, Noun, Conj, Adj, Noun, Verb, Adv],
    &[Pron, Verb, Prep, Num, Noun, Comma, Adj, Noun, Conj, Adj, Noun],
    &[Det, Adj, Noun, Aux, Verb, Conj, Pron, Verb, Det, Noun, Prep, Adj, Noun],
    &[Prep, Det, Noun, Comma, Pron, Aux, Adv, Verb, Det, Adj, Noun],
    &[Open, Det, Noun, Verb, Comma, Conj, Noun, Verb, Prep, Det, Adj, Noun, Conj, Verb, Det, Noun],
];
const QUESTIONS: &[&[Slot]] = &[
    &[Ask, Aux, Det, Adj, Noun, Verb, Noun, Prep, Noun],
    &[Aux, Pron, Verb, Adj, Noun, Conj, Verb, Det, Noun, Adv],
    &[Ask, Noun, Verb, Det, Adj, Noun, Prep, Noun],
];
/// First words of a conversation; they hold its number.
const OPENINGS: &[&[Slot]] = &[
    &[Aux, Pron, Verb, Det, Code(0), Code(1), Prep, Code(2), Noun],
    &[Verb, Code(0), Prep, Adj, Code(1), Conj, Code(2), Verb, Adv],
    &[Ask, Code(0), Verb, Adj, Code(1), Prep, Det, Code(2), Noun],
];
/// Whole sides of short chats, 5 to 9 words. Every 3-gram has two content words or more: in so
/// short a text a single common phrase would already make two chats look alike.
const SHORT: &[&[Slot]] = &[
    &[Code(0), Code(1), Prep, Code(2), Verb],
    &[Adj, Code(0), Verb, Code(1), Prep, Code(2)],
    &[Verb, Code(0), Prep, Adj, Code(1), Adv, Code(2)],
    &[Ask, Code(0), Verb, Prep, Adj, Code(1), Noun, Code(2)],
    &[Adv, Verb, Code(0), Conj, Code(1), Adj, Noun, Prep, Code(2)],
];

/// What a message is made as.
#[derive(Clone, Copy)]
pub struct Style {
    pub min_words: u64,
    /// Paragraphs, lists and code now and then, as assistants write.
    pub rich: bool,
    /// Words that are not ASCII and CJK sentences mixed in.
    pub foreign: bool,
    /// The conversation's number, spelt into the first sentence.
    pub code: Option<u64>,
}

pub struct Prose {
    pub words: Vocabulary,
    codes: Permutation,
}

impl Prose {
    pub fn new(seed: u64) -> Prose {
        let words = Vocabulary::new(seed);
        let domain = (words.nouns.len() as u64).pow(3);
        Prose { words, codes: Permutation::new(Chance::new(seed, "codes", 0), domain) }
    }

    /// One side of a short chat.
    pub fn short(&self, out: &mut String, chance: Chance, code: u64) {
        let pattern = chance.choose(0, SHORT);
        self.fill(out, chance, pattern, false, code);
        out.push(if chance.below(99, 2) == 0 { '.' } else { '?' });
    }

    /// One message; at least `min_words` words in whole sentences.
    pub fn message(&self, out: &mut String, chance: Chance, style: Style) {
        let mut words = 0;
        if let Some(code) = style.code {
            words += self.fill(out, chance.sub("opening", 0), chance.choose(0, OPENINGS), style.foreign, code);
            out.push('.');
        }
        for n in 1u64.. {
            if words >= style.min_words && !out.is_empty() {
                break;
            }
            words += self.block(out, chance.step(n), n, style);
        }
        out.truncate(out.trim_end().len());
    }

    /// The next piece of a message: a sentence, or in rich text sometimes a list item or code.
    fn block(&self, out: &mut String, chance: Chance, n: u64, style: Style) -> u64 {
        let kind = chance.below(90, 40);
        match kind {
            0 if style.rich && n > 1 => return self.snippet(out, chance),
            1..=3 if style.rich && n > 1 => out.push_str("\n- "),
            4..=8 if style.rich && n > 1 => out.push_str("\n\n"),
            _ if out.is_empty() || out.ends_with('\n') => {}
            _ => out.push(' '),
        }
        self.sentence(out, chance, style.foreign)
    }

    pub fn sentence(&self, out: &mut String, chance: Chance, foreign: bool) -> u64 {
        if foreign && chance.below(91, 4) == 0 {
            let len = 8 + chance.below(92, 16);
            out.extend((0..len).map(|n| chance.choose(100 + n, &self.words.cjk)));
            out.push('。');
            return 1;
        }
        let question = chance.below(93, 7) == 0;
        let pattern = chance.choose(94, if question { QUESTIONS } else { STATEMENTS });
        let words = self.fill(out, chance, pattern, foreign, 0);
        out.push(if question { '?' } else { '.' });
        words
    }

    fn snippet(&self, out: &mut String, chance: Chance) -> u64 {
        let name = |n| chance.pick(n, &self.words.verbs).as_str();
        let thing = |n| chance.pick(n, &self.words.nouns).as_str();
        let (a, b, c) = (thing(3), thing(4), thing(5));
        let lines = [
            format!("\n\n```python\ndef {}({a}, {b}):\n", name(1)),
            format!("    {c} = {}({a}) + {}\n", name(2), chance.below(6, 100)),
            format!("    return {}({c}, {b})\n```\n", name(7)),
        ];
        lines.iter().for_each(|line| out.push_str(line));
        12
    }

    fn fill(&self, out: &mut String, chance: Chance, pattern: &[Slot], foreign: bool, code: u64) -> u64 {
        let mut words = 0;
        for (position, slot) in pattern.iter().enumerate() {
            if matches!(slot, Comma) {
                out.push(',');
                continue;
            }
            if position > 0 {
                out.push(' ');
            }
            let n = 1 + position as u64;
            if matches!(slot, Num) {
                out.push_str(&(2 + chance.below(n, 997)).to_string());
            } else {
                let word = self.word(chance, n, *slot, foreign, code);
                push_word(out, word, position == 0);
            }
            words += 1;
        }
        words
    }

    fn word(&self, chance: Chance, n: u64, slot: Slot, foreign: bool, code: u64) -> &str {
        let w = &self.words;
        if foreign && matches!(slot, Noun | Verb | Adj | Adv) && chance.below(n + 50, 3) == 0 {
            return chance.choose(n, &w.foreign);
        }
        match slot {
            Det => chance.choose(n, &w.determiners),
            Prep => chance.choose(n, &w.prepositions),
            Conj => chance.choose(n, &w.conjunctions),
            Pron => chance.choose(n, &w.pronouns),
            Aux => chance.choose(n, &w.auxiliaries),
            Ask => chance.choose(n, &w.questions),
            Open => chance.choose(n, &w.openers),
            Noun => chance.pick::<String>(n, &w.nouns),
            Verb => chance.pick::<String>(n, &w.verbs),
            Adj => chance.pick::<String>(n, &w.adjectives),
            Adv => chance.pick::<String>(n, &w.adverbs),
            Code(digit) => {
                let base = w.nouns.len() as u64;
                let value = self.codes.apply(code) / base.pow(u32::from(digit)) % base;
                &w.nouns[value as usize]
            }
            Num | Comma => "",
        }
    }
}

fn push_word(out: &mut String, word: &str, capital: bool) {
    let mut chars = word.chars();
    match (capital, chars.next()) {
        (true, Some(first)) => {
            out.extend(first.to_uppercase());
            out.push_str(chars.as_str());
        }
        _ => out.push_str(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_long_enough_and_hold_nothing_that_looks_personal() {
        let prose = Prose::new(5);
        for id in 0..300 {
            let style = Style { min_words: 10 + id, rich: true, foreign: id % 4 == 0, code: Some(id) };
            let mut text = String::new();
            prose.message(&mut text, Chance::new(5, "test", id), style);
            assert!(!text.contains('@') && !text.contains("\n\nHuman:"));
            let longest_digits = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
            assert!(longest_digits <= Some(3));
            if id % 4 != 0 {
                assert!(text.split_whitespace().count() as u64 >= style.min_words);
            }
        }
    }

    #[test]
    fn short_sides_have_5_to_9_words() {
        let prose = Prose::new(5);
        for id in 0..100 {
            let mut text = String::new();
            prose.short(&mut text, Chance::new(5, "test", id), id);
            assert!((5..10).contains(&text.split_whitespace().count()), "{text}");
        }
    }
}
