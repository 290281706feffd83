//! Lines that stand together as on an envelope or under a letter: who, where they work, the street,
//! the town, the country with its code. Each line by itself says little.
//!
//! Not here: the street line (`address`), numbers behind labels.
//!
//! Always: at least three short lines, not a table of them, one of which says where or how to reach somebody; lines with
//! small words are left, and so is prose.

use std::ops::Range;

use super::features::{CONTEXT, sorted};
use super::lexicon::Case;
use super::model::{ORGANIZATION, PERSON, PLACE, POSTCODE};
use super::words::{Shape, Word, hash_of, sign_hash};

/// More lines in a row are a table: `A7B5  PO`, a thousand times.
const BLOCK_MAX_LINES: usize = 16;
const LINE_MAX_WORDS: usize = 9;
const NAME_MAX_WORDS: usize = 5;

/// Say that a line is about where somebody is to be reached.
const REACH: [&str; 30] = [
    "apt",
    "apartment",
    "suite",
    "unit",
    "box",
    "street",
    "st",
    "road",
    "rd",
    "avenue",
    "ave",
    "lane",
    "drive",
    "floor",
    "phone",
    "mobile",
    "tel",
    "fax",
    "desk",
    "office",
    "email",
    "e-mail",
    "zip",
    "p.o",
    "po",
    "cell",
    "telephone",
    "boulevard",
    "blvd",
    "address",
];
/// Stand between the words of a name.
const BETWEEN: [&str; 12] = ["and", "of", "the", "de", "la", "le", "di", "da", "van", "der", "del", "u"];

#[derive(Debug)]
pub struct Blocks {
    reach: Vec<u64>,
    between: Vec<u64>,
    comma: u64,
}

impl Default for Blocks {
    fn default() -> Blocks {
        let comma = sign_hash(b',');
        Blocks { reach: sorted(&REACH), between: sorted(&BETWEEN), comma }
    }
}

/// What a line of a block holds.
struct Line {
    words: Range<usize>,
    digits: bool,
    reach: bool,
}

impl Blocks {
    /// Hands rows of words and what they are to `found`. `words` are padded.
    pub fn find(&self, words: &[Word], mut found: impl FnMut(Range<usize>, usize)) {
        let (mut block, mut at, last) = (Vec::new(), CONTEXT, words.len() - CONTEXT);
        // A block has lines, and digits in one of them.
        let any = |is: fn(Shape) -> bool| words[at..last].iter().any(|word| is(word.shape));
        if !any(|shape| shape == Shape::Line) || !any(|shape| matches!(shape, Shape::Number | Shape::Code)) {
            return;
        }
        while at < last {
            let end = (at..last).find(|at| words[*at].shape == Shape::Line).unwrap_or(last);
            match self.line(words, at..end) {
                Some(line) => block.push(line),
                None => self.judge(words, &std::mem::take(&mut block), &mut found),
            }
            at = end + 1;
        }
        self.judge(words, &block, &mut found);
    }

    fn line(&self, words: &[Word], mut line: Range<usize>) -> Option<Line> {
        // Marks of quotes and lists.
        while line.start < line.end && matches!(words[line.start].shape, Shape::Sign | Shape::Stop) {
            line.start += 1;
        }
        let row = &words[line.clone()];
        let real = row.iter().filter(|word| !matches!(word.shape, Shape::Sign | Shape::Stop)).count();
        let digits = row.iter().any(|word| matches!(word.shape, Shape::Number | Shape::Code));
        let reach = row.iter().any(|word| self.reach.binary_search(&word.hash).is_ok());
        (1..=LINE_MAX_WORDS).contains(&real).then_some(Line { words: line, digits, reach })
    }

    fn judge(&self, words: &[Word], block: &[Line], found: &mut impl FnMut(Range<usize>, usize)) {
        let reaches = block.iter().any(|line| line.reach && line.digits);
        // Two lines will do where the second is a street with a number.
        let two = block.len() == 2 && block[1].reach && block[1].digits;
        if block.len() < 3 && !two || !reaches || block.len() > BLOCK_MAX_LINES {
            return;
        }
        for (n, line) in block.iter().enumerate() {
            let above = n > 0 && block[..n].iter().rev().take(3).any(|line| line.digits);
            let below = block[n + 1..].iter().take(2).any(|line| line.digits);
            let near = n > 0 && block[n - 1..n].iter().any(|line| line.digits || self.is_name(words, &line.words));
            if self.is_name(words, &line.words) {
                match (above, below) {
                    (true, _) if near => found(line.words.clone(), PLACE),
                    (false, true) if self.joined(words, line) => found(line.words.clone(), ORGANIZATION),
                    (false, true) if n == 0 && line.words.len() > 1 => found(line.words.clone(), PERSON),
                    (false, true) => found(line.words.clone(), ORGANIZATION),
                    _ => {}
                }
            } else if n > 0 && !above && block.get(n + 1).is_some_and(|line| line.digits) && self.is_large(words, line)
            {
                found(line.words.clone(), ORGANIZATION);
            } else if above {
                self.coded(words, line, found);
            }
        }
    }

    /// `Hungary 34796`, or a code by itself.
    fn coded(&self, words: &[Word], line: &Line, found: &mut impl FnMut(Range<usize>, usize)) {
        let row = line.words.clone();
        let Some(code) = row.clone().find(|at| matches!(words[*at].shape, Shape::Number | Shape::Code)) else { return };
        let long = |at: usize| (3..=7).contains(&(words[at].end - words[at].start));
        let rest = row.end - code;
        if rest > 3 || !long(code) || line.reach {
            return;
        }
        if code == row.start || self.is_name(words, &(row.start..code)) {
            if code > row.start {
                found(row.start..code, PLACE);
            }
            found(code..row.end, POSTCODE);
        }
    }

    /// Two words or more, all written large.
    fn is_large(&self, words: &[Word], line: &Line) -> bool {
        let row = &words[line.words.clone()];
        (2..=NAME_MAX_WORDS).contains(&row.len()) && row.iter().all(|word| word.shape == Shape::Title)
    }

    /// Every word is written large, and not every one is a common word.
    fn is_name(&self, words: &[Word], line: &Range<usize>) -> bool {
        let row = &words[line.clone()];
        let (Some(first), Some(last)) = (row.first(), row.last()) else { return false };
        let fits = |word: &Word| {
            word.is_capital()
                || word.hash == self.comma
                || word.hash == sign_hash(b'&')
                || self.between.binary_search(&word.hash).is_ok()
        };
        let listed = |word: &Word| word.entry.first() == 1 || word.entry.place() > 0;
        let common = |word: &Word| !word.is_capital() || word.entry.case() == Case::Small && !listed(word);
        let capitals = row.iter().filter(|word| word.is_capital()).count();
        (1..=NAME_MAX_WORDS).contains(&capitals)
            && first.is_capital()
            && (last.is_capital() || last.end - last.start == 2)
            && row.iter().all(fits)
            && !row.iter().all(common)
            && !row.iter().any(|word| self.reach.binary_search(&word.hash).is_ok())
    }

    /// `Smith, Jones and Brown`; people stand by themselves.
    fn joined(&self, words: &[Word], line: &Line) -> bool {
        words[line.words.clone()]
            .iter()
            .any(|word| word.hash == self.comma || word.hash == hash_of("and") || word.hash == sign_hash(b'&'))
    }
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::*;

    fn found(text: &str) -> Vec<(&str, usize)> {
        let mut rows = Vec::new();
        built_in().unwrap().find(text, 1.0, |name| {
            if name.chance >= 1.0 {
                rows.push((&text[name.start..name.end], name.label));
            }
        });
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    #[test]
    fn lines_of_an_address() {
        let text = "Xyqa Brandl\nQwopp\n12 Xystrasse\nApt. 7\nXyqoburg\nFinland 41600";
        let expected = [
            ("41600", POSTCODE),
            ("Finland", PLACE),
            ("Qwopp", ORGANIZATION),
            ("Xyqa Brandl", PERSON),
            ("Xyqoburg", PLACE),
        ];
        assert_eq!(found(text), expected);
        for text in [
            "Shopping\nXyqo\n12 Eggs\nFlour",
            "Xyqa Brandl\nthen we went to the street\nand on\nXyqoburg",
            "| Xyqo | 12 |\n| Brandl | 13 |",
            &"9BC  CM\n9BD  PO\n".repeat(9),
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
