//! Names that other names give away: in one enumeration with them, right behind a given name, or
//! before the colon of a talk in which somebody known speaks.
//!
//! Not here: other mentions of the same name (`mentions`).
//!
//! Always: only words that the lists do not know as common words or places; each name is walked
//! over once.

use std::ops::Range;

use super::features::{CONTEXT, is_title};
use super::lexicon::Case;
use super::words::{Shape, Word, hash_of, sign_hash};

/// A given name and a surname, of which a list of people's speakers is full.
const SPEAKER_MAX_WORDS: usize = 3;
/// Of a key and its value, with signs.
const ENTRY_MAX_WORDS: usize = 12;

/// Names in small letters that are no longer are mostly something else.
const SHORT_BYTES: u32 = 3;

/// May be a part of a name as far as the lists know.
fn fits(word: &Word) -> bool {
    let entry = word.entry;
    let known = entry.first() == 1 || entry.last() == 1;
    let common = matches!(entry.case(), Case::Small | Case::Mixed) && entry.first() != 1;
    matches!(word.shape, Shape::Title) && !common && (known || entry.place() == 0) && word.end - word.start > 2
}

/// A word in small letters that no text has: `kleist`.
pub(super) fn is_odd(word: &Word) -> bool {
    let entry = word.entry;
    let unseen = entry.case() == Case::Unseen && entry.place() != 2;
    word.shape == Shape::Lower && unseen && word.end - word.start > 3
}

/// A given name that is nothing else, in small letters.
fn is_small_given(word: &Word) -> bool {
    word.shape == Shape::Lower && word.entry.first() == 1 && matches!(word.entry.case(), Case::Capital | Case::Unseen)
}

#[derive(Debug)]
pub struct Kin {
    comma: u64,
    colon: u64,
    and: u64,
    /// Given names, too, but not in small letters.
    common: [u64; 11],
}

impl Default for Kin {
    fn default() -> Kin {
        Kin {
            comma: sign_hash(b','),
            colon: sign_hash(b':'),
            and: hash_of("and"),
            common: [
                "april", "may", "june", "august", "mercedes", "dries", "tanner", "booker", "wiley", "dino", "heinz",
            ]
            .map(hash_of),
        }
    }
}

impl Kin {
    /// Hands more people to `found`; `people` are those known, in order. `words` are padded, and
    /// `english` says whether they are English.
    pub fn find(
        &self,
        words: &[Word],
        people: &[Range<usize>],
        english: impl Fn() -> bool,
        mut found: impl FnMut(Range<usize>),
    ) {
        let mut free = CONTEXT;
        for row in people {
            self.listed(words, row.end, &mut found);
            self.listed_before(words, row.start, free, &mut found);
            free = row.end;
        }
        self.small(words, english, &mut found);
        self.speakers(words, &mut found);
    }

    /// `…, Xyqo and Brandl` behind a name.
    fn listed(&self, words: &[Word], mut at: usize, found: &mut impl FnMut(Range<usize>)) {
        let last = words.len() - CONTEXT;
        while at < last && (words[at].hash == self.comma || words[at].hash == self.and) {
            // `, and`
            let start = at + 1 + usize::from(words[at].hash == self.comma && words[at + 1].hash == self.and);
            let end = start + words.get(start..last).map_or(0, |row| row.iter().take_while(|word| fits(word)).count());
            let ends = end > start && end - start <= SPEAKER_MAX_WORDS && self.closes(&words[end]);
            if !ends {
                return;
            }
            found(start..end);
            at = end;
        }
    }

    /// `They are Xyqo, …` before a name.
    fn listed_before(&self, words: &[Word], mut at: usize, free: usize, found: &mut impl FnMut(Range<usize>)) {
        while at > free + 1 && words[at - 1].hash == self.comma && fits(&words[at - 2]) {
            let end = at - 1;
            let count = words[free..end].iter().rev().take_while(|word| fits(word)).count();
            let before = &words[end - count - 1];
            let begins = before.hash == self.comma || before.hash == self.colon;
            if count == 0 || count > SPEAKER_MAX_WORDS || !begins {
                return;
            }
            found(end - count..end);
            at = end - count;
        }
    }

    fn closes(&self, word: &Word) -> bool {
        matches!(word.shape, Shape::Line | Shape::Stop) || word.hash == self.comma || word.hash == self.and
    }

    /// `eva kleist`, `benjamin a seiler` of one who writes no capitals.
    fn small(&self, words: &[Word], english: impl Fn() -> bool, found: &mut impl FnMut(Range<usize>)) {
        for at in CONTEXT..words.len() - CONTEXT {
            if !is_small_given(&words[at]) {
                continue;
            }
            let middle = &words[at + 1];
            let letter = middle.shape == Shape::Lower && middle.end - middle.start == 1;
            let next = at + 1 + usize::from(letter) + usize::from(letter && words[at + 2].shape == Shape::Stop);
            let whole = words.get(next).is_some_and(is_odd);
            let listed = self.common.contains(&words[at].hash);
            // A given name that no English text has may be a word of another language ("esa conexión"):
            // it takes a surname in an English text to be one.
            let known = match words[at].entry.case() {
                Case::Unseen => whole && !listed && words[at].end - words[at].start > SHORT_BYTES && english(),
                _ => whole || words[at].entry.place() == 0 && !listed,
            };
            if known {
                found(at..if whole { next + 1 } else { at + 1 });
            }
        }
    }

    /// `Xyqo: What?` where `Karen: Hello` stands as well.
    fn speakers(&self, words: &[Word], found: &mut impl FnMut(Range<usize>)) {
        let mut rows = Vec::new();
        let mut known = false;
        for line in CONTEXT - 1..words.len() - CONTEXT {
            if words[line].shape != Shape::Line {
                continue;
            }
            let row = &words[line + 1..words.len() - CONTEXT];
            let upto = row.iter().take(SPEAKER_MAX_WORDS + 1).position(|word| word.hash == self.colon);
            let Some(count) = upto.filter(|count| *count > 0) else { continue };
            let lower = |word: &Word| is_small_given(word) || is_odd(word);
            // `thai: "cp874",` in a program.
            let entry = row.iter().take(ENTRY_MAX_WORDS).take_while(|word| word.shape != Shape::Line).last();
            if row[0].shape == Shape::Lower && entry.is_some_and(|last| last.hash == self.comma) {
                continue;
            }
            if row[..count].iter().all(|word| fits(word) || lower(word) || word.shape == Shape::Initial)
                && !row[..count].iter().any(is_title)
            {
                let first = row[0].entry;
                known |= first.first() == 1 && matches!(first.case(), Case::Capital | Case::Unseen);
                rows.push(line + 1..line + 1 + count);
            }
        }
        if known && rows.len() > 1 {
            rows.into_iter().for_each(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{built_in, foreign};
    use super::*;

    /// What is found beside that which the model and cues find.
    fn more(text: &str) -> Vec<&str> {
        let names = built_in().unwrap();
        let mut words = vec![Word::EDGE; CONTEXT];
        super::super::words::Words::new(text, &names.model().lexicon).read(&mut words, usize::MAX);
        words.extend([Word::EDGE; CONTEXT]);
        let known = |at: &usize| &text[words[*at].start as usize..words[*at].end as usize] == "Karen";
        let people: Vec<_> = (CONTEXT..words.len() - CONTEXT).filter(known).map(|at| at..at + 1).collect();
        let mut rows = Vec::new();
        Kin::default().find(
            &words,
            &people,
            || foreign::is_english(text),
            |row| {
                rows.push(&text[words[row.start].start as usize..words[row.end - 1].end as usize]);
            },
        );
        rows
    }

    #[test]
    fn names_beside_names() {
        for (text, expected) in [
            ("They are Karen, Xyqa and Brandlo.", &["Xyqa", "Brandlo"][..]),
            ("Three: Xyqa, Karen and others", &["Xyqa"]),
            ("Karen, can I go? Karen and then Paris.", &[]),
            ("ask eva xyqleist about it", &["eva xyqleist"]),
            ("in april and june", &[]),
            ("ask monika xyqleist about it", &["monika xyqleist"]),
            ("it dries xyqnight and so on", &[]),
            ("monika xyqleist", &[]),
            ("que monika xyqleist no es", &[]),
            ("Xyqa: hello\nKaren: hi", &["Xyqa", "Karen"]),
            ("xyqa: hello\nkaren: hi", &["karen", "xyqa", "karen"]),
            ("xyqa: \"hello\"\nkaren:\"hi\"", &["karen", "xyqa", "karen"]),
            ("  xyqa: \"cp1257\",\n  karen: \"cp20866\",\n", &["karen"]),
            ("Note: hello\nTotal: 3", &[]),
            ("Xyqa: hello\nTotal: 3", &[]),
        ] {
            assert_eq!(more(text), expected, "{text}");
        }
    }
}
