//! Makes more sentences: templates filled with names, and the corpora's own sentences with other
//! names in them. It teaches the model to read the context instead of knowing the name.
//!
//! Not here: the templates (`tools/names/templates.txt`), the lists (`tools/names/lists.py`).
//!
//! Always: the same seed gives the same sentences.

use std::collections::HashMap;
use std::path::Path;

use gristmill::stages::redact::names::model::{ORGANIZATION, OTHER, PERSON, PLACE};

use crate::corpus::Sentence;
use crate::lists::read;

#[derive(Default)]
pub struct Pool {
    first: Vec<String>,
    last: Vec<String>,
    place: Vec<String>,
    state: u64,
}

impl Pool {
    pub fn read(path: &Path) -> Result<Pool, String> {
        let mut pool = Pool { state: 0x9e37_79b9_7f4a_7c15, ..Pool::default() };
        for line in read(path)?.lines() {
            let mut fields = line.split('\t');
            let (kind, word, grade) = (fields.next(), fields.next().unwrap_or_default(), fields.next());
            let words = match kind {
                Some("first") => &mut pool.first,
                Some("last") => &mut pool.last,
                Some("place") if grade == Some("2") => &mut pool.place,
                _ => continue,
            };
            // Common names are met more often.
            let times = if grade == Some("1") { 3 } else { 1 };
            words.extend(std::iter::repeat_n(word.to_owned(), times));
        }
        Ok(pool)
    }

    /// Marsaglia's xorshift64.
    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 33) as usize % bound.max(1)
    }

    fn first(&mut self) -> String {
        let at = self.below(self.first.len());
        self.first[at].clone()
    }

    /// A surname; one in three is made of two, and so in no list.
    fn last(&mut self) -> String {
        let (a, b) = (self.below(self.last.len()), self.below(self.last.len()));
        let (a, b) = (&self.last[a], &self.last[b]);
        let half = |name: &str| name.chars().count().div_ceil(2);
        let spliced: String = a.chars().take(half(a)).chain(b.chars().skip(half(b))).collect();
        let whole = a.clone();
        if self.below(3) == 0 { spliced } else { whole }
    }

    fn person(&mut self) -> String {
        let initial = char::from(b'A' + self.below(26) as u8);
        let (first, last) = (self.first(), self.last());
        let name = match self.below(20) {
            0..7 => format!("{first} {last}"),
            7..12 => first,
            12..14 => last,
            14 => format!("{first} {initial}. {last}"),
            15 => format!("{last} {first}"),
            16 => format!("{last} {first} {initial}"),
            17 => format!("{first} {}-{last}", self.last()),
            18 => format!("{first} {} {last}", self.first()),
            _ => format!("{initial}. {last}"),
        };
        match self.below(24) {
            0 => name.to_uppercase(),
            1 | 2 => name.to_lowercase(),
            _ => name,
        }
    }

    fn organization(&mut self) -> String {
        const TAILS: [&str; 12] = [
            "Inc",
            "Group",
            "LLC",
            "Ltd",
            "Bank",
            "University",
            "Hospital",
            "Systems",
            "GmbH",
            "& Sons",
            "Partners",
            "Club",
        ];
        let (name, tail) = (self.last(), TAILS[self.below(TAILS.len())]);
        if self.below(4) == 0 { name } else { format!("{name} {tail}") }
    }

    fn place(&mut self) -> String {
        let at = self.below(self.place.len());
        self.place[at].clone()
    }

    /// `rounds` sentences of every template.
    pub fn fill(&mut self, templates: &Path, rounds: usize) -> Result<Vec<Sentence>, String> {
        let text = read(templates)?;
        let mut sentences = Vec::new();
        for _ in 0..rounds {
            sentences.extend(text.lines().map(|line| self.fill_one(&line.replace("\\n", "\n"))));
        }
        Ok(sentences)
    }

    fn fill_one(&mut self, template: &str) -> Sentence {
        let mut sentence = Sentence { text: String::new(), names: Vec::new() };
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            sentence.text.push_str(&rest[..open]);
            let (name, label) = match &rest[open..open + 5] {
                "{PER}" => (self.person(), PERSON),
                "{ORG}" => (self.organization(), ORGANIZATION),
                "{LOC}" => (self.place(), PLACE),
                _ => (rest[open..open + 5].to_owned(), OTHER),
            };
            let start = sentence.text.len();
            sentence.text.push_str(&name);
            sentence.names.push((start..sentence.text.len(), label));
            rest = &rest[open + 5..];
        }
        sentence.text.push_str(rest);
        sentence
    }

    /// The sentence with other people in it; none if it names nobody.
    pub fn renamed(&mut self, sentence: &Sentence) -> Option<Sentence> {
        sentence.names.iter().find(|(_, label)| *label == PERSON)?;
        let mut others: HashMap<&str, String> = HashMap::new();
        let mut out = Sentence { text: String::new(), names: Vec::new() };
        let mut copied = 0;
        for (range, label) in &sentence.names {
            out.text.push_str(&sentence.text[copied..range.start]);
            let old = &sentence.text[range.clone()];
            let start = out.text.len();
            if *label == PERSON {
                let new = others
                    .entry(old)
                    .or_insert_with(|| old.split(' ').map(|word| self.like(word, old)).collect::<Vec<_>>().join(" "));
                out.text.push_str(new);
            } else {
                out.text.push_str(old);
            }
            out.names.push((start..out.text.len(), *label));
            copied = range.end;
        }
        out.text.push_str(&sentence.text[copied..]);
        Some(out)
    }

    /// Another word for this word of a name: the first of several is a given name; initials, small
    /// words and signs stay.
    fn like(&mut self, word: &str, name: &str) -> String {
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        if letters < 3 || word.contains(['.', '#']) || (word.starts_with(char::is_lowercase) && name.contains(' ')) {
            return word.to_owned();
        }
        let given = match name.split_once(' ') {
            Some((first, _)) => first == word,
            None => self.below(2) == 0,
        };
        let new = if given { self.first() } else { self.last() };
        match word {
            _ if word.starts_with(char::is_lowercase) => new.to_lowercase(),
            _ if word.chars().all(|c| !c.is_lowercase()) => new.to_uppercase(),
            _ => new,
        }
    }
}
