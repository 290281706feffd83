//! whatlang's answer for a text in Latin letters, at a tenth of its price.
//!
//! whatlang compares a text with 300 ranked trigrams of each of 37 languages: some 11,100 lookups,
//! 50 us, however short the text is. Looked up from the other side, it is one for each trigram of
//! the text, which answers the ranks in all languages. whatlang keeps its tables to itself, but
//! tells distances (feature `dev`), and of a text in which a language can know one trigram alone,
//! the distance says the rank. So ranks are learnt one by one, of texts that have to be told
//! anyway; as long as a text holds one that is not known yet, whatlang is asked.
//!
//! Not here: texts in other scripts, which whatlang compares with six languages at most.
//!
//! Always: the language and the confidence are those that whatlang answers, to the last bit,
//! whatever was learnt before.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{LazyLock, PoisonError, RwLock};

use whatlang::dev::{FilterList, LowercaseText, RawLangInfo, alphabet_latin_calculate_scores, raw_detect};
use whatlang::{Lang, Script};

use crate::eight;

/// Places for languages: 37 are written in Latin letters, and whole vectors are added quickest.
const LANES: usize = 40;

/// Trigrams of a language, and the distance of one that it does not have.
const RANKS: i16 = 300;

/// Rank of a trigram that a language does not have: so far off that nothing is gained by it.
const ABSENT: i16 = 1000;

/// What is kept at most, some 2 MB; the languages have 4,143 trigrams, the rest is in none.
const MOST_KNOWN: usize = 1 << 16;

/// Trigrams that may be found to be in no language together: their text stays below 300 trigrams.
const MOST_AT_ONCE: usize = 16;

/// Click letters of southern Africa, which no language here is written with.
const STRANGE: [char; 3] = ['\u{1c0}', '\u{1c1}', '\u{1c2}'];

/// A number for each language.
type Row = [i16; LANES];

/// Three letters as a number, in the order of their letters; or one letter.
type Trigram = u64;

const BITS_OF_LETTER: u32 = 21;

fn trigram(letters: [char; 3]) -> Trigram {
    letters.into_iter().fold(0, |number, letter| number << BITS_OF_LETTER | u64::from(u32::from(letter)))
}

fn letters(trigram: Trigram) -> [char; 3] {
    let letter = |place: u32| char::from_u32((trigram >> (place * BITS_OF_LETTER)) as u32 & 0x1f_ffff);
    [2, 1, 0].map(|place| letter(place).unwrap_or(' '))
}

/// What whatlang says of a text: its language, and how sure that is. Of languages that are level
/// (confidence 0), it may be another.
pub fn detect(text: &str) -> Option<(Lang, f64)> {
    let asked = || whatlang::detect(text).map(|info| (info.lang(), info.confidence()));
    Trigrams::of_latin(text).and_then(|trigrams| trigrams.told()).or_else(asked)
}

/// The trigrams of a text.
struct Trigrams {
    /// With how often each stands there, the most frequent first; of two, the later in the alphabet.
    ranked: Vec<(Trigram, u16)>,
}

impl Trigrams {
    /// Nothing where whatlang takes the text for another script, or it is not short.
    fn of_latin(text: &str) -> Option<Trigrams> {
        let is_latin = match text.is_ascii() {
            // The one letter of ASCII that is none.
            true => text.bytes().any(|byte| byte.is_ascii_alphabetic()) && !text.contains('\u{7f}'),
            false => whatlang::detect_script(text) == Some(Script::Latin),
        };
        let lower = || if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() };
        let ranked = is_latin.then(|| ranked(&lower()))?;
        (ranked.len() <= RANKS as usize).then_some(Trigrams { ranked })
    }

    fn told(&self) -> Option<(Lang, f64)> {
        let known = || KNOWN.read().unwrap_or_else(PoisonError::into_inner);
        let unknown = match known().compare(self) {
            Compared::Told(language, confidence) => return Some((language, confidence)),
            Compared::Unknown(unknown) => unknown,
        };
        let learnt = known().ask(&unknown)?;
        // Who cannot write now learns another time.
        KNOWN.try_write().ok()?.keep(learnt);
        match known().compare(self) {
            Compared::Told(language, confidence) => Some((language, confidence)),
            Compared::Unknown(_) => None,
        }
    }
}

/// Whatever is no letter counts as a space, and a word begins and ends with one.
fn ranked(lower: &str) -> Vec<(Trigram, u16)> {
    let is_none = |c: char| c.is_ascii() && !c.is_ascii_alphabetic() && c != '\u{7f}';
    let (mut all, mut before, mut middle) = (Vec::with_capacity(lower.len() + 1), ' ', None);
    for c in lower.chars().map(|c| if is_none(c) { ' ' } else { c }).chain([' ']) {
        if let Some(middle) = middle.replace(c) {
            if middle != ' ' || (before != ' ' && c != ' ') {
                all.push(trigram([before, middle, c]));
            }
            before = middle;
        }
    }
    all.sort_unstable_by(|a, b| b.cmp(a));
    let mut counted: Vec<(Trigram, u16)> =
        all.chunk_by(|a, b| a == b).map(|same| (same[0], same.len().try_into().unwrap_or(u16::MAX))).collect();
    counted.sort_by(|(_, a), (_, b)| b.cmp(a));
    counted
}

/// Hashes one number, from another on; nobody from outside can add a word to the lists.
#[derive(Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        let product = (self.0 ^ number).wrapping_mul(eight::SPREAD);
        self.0 = product ^ (product >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Others write the texts: begun with a number of chance, nobody can write trigrams of one hash.
struct Seeded(u64);

impl Default for Seeded {
    fn default() -> Self {
        Seeded(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for Seeded {
    type Hasher = NumberHasher;

    fn build_hasher(&self) -> NumberHasher {
        NumberHasher(self.0)
    }
}

enum Compared {
    Told(Lang, f64),
    /// Of these nothing is known yet; none where it cannot be known.
    Unknown(Vec<Trigram>),
}

/// What is known of trigrams and letters.
struct Known {
    languages: Vec<Lang>,
    /// Where the row of each stands; nothing where it cannot be had.
    places: HashMap<Trigram, Option<u32>, Seeded>,
    /// Ranks of a trigram; for a letter, 1 where it is of the alphabet. The first is of no language.
    rows: Vec<Row>,
    /// How many trigrams are tried together: more while they are in no language.
    at_once: usize,
}

static KNOWN: LazyLock<RwLock<Known>> = LazyLock::new(|| {
    let languages = alphabet("a").iter().map(|(language, _)| *language).take(LANES).collect();
    let known = Known { languages, places: HashMap::default(), rows: vec![[ABSENT; LANES]], at_once: 1 };
    RwLock::new(known)
});

/// What was found out: a row, or nothing where it cannot be had.
struct Learnt {
    rows: Vec<(Trigram, Option<Row>)>,
    at_once: usize,
}

impl Known {
    fn compare(&self, text: &Trigrams) -> Compared {
        let (mut gained, mut unknown, mut knowable) = ([0i32; LANES], Vec::new(), true);
        let mut row = |what: Trigram| match self.places.get(&what) {
            Some(Some(place)) => *place as usize,
            told => {
                knowable &= told.is_none();
                unknown.push(what);
                0
            }
        };
        let (mut frequent, mut rare) = ([0i32; 128], Vec::new());
        for (position, (trigram, count)) in (0i16..).zip(&text.ranked) {
            let [_, middle, _] = letters(*trigram);
            match frequent.get_mut(middle as usize) {
                Some(letter) => *letter += i32::from(*count),
                None => rare.push((middle, i32::from(*count))),
            }
            match row(*trigram) {
                0 => {}
                place => near(&mut gained, &self.rows[place], position),
            }
        }
        let frequent = (0u8..).map(char::from).zip(frequent).filter(|(letter, count)| *letter != ' ' && *count > 0);
        let (mut own, mut all) = ([0i32; LANES], 0);
        for (letter, count) in frequent.chain(rare) {
            all += count;
            match row(Trigram::from(u32::from(letter))) {
                0 => {}
                place => own.iter_mut().zip(&self.rows[place]).for_each(|(own, is)| *own += count * i32::from(*is)),
            }
        }
        match (unknown.is_empty(), knowable) {
            (true, _) => self.best(&gained, &own, all, text.ranked.len()),
            (false, true) => Compared::Unknown(unknown),
            (false, false) => Compared::Unknown(Vec::new()),
        }
    }

    /// whatlang's sum (0.18, `combined` and `core::confidence`): the share of letters that are in
    /// the alphabet counts two thirds in the shortest of texts and a third from 100 letters on, the
    /// share of the way to distance 0 the rest; a language is sure if it leads by enough.
    fn best(&self, gained: &[i32; LANES], own: &[i32; LANES], letters: i32, trigrams: usize) -> Compared {
        let weight = (-(f64::from(letters) / 300.0) + 2.0 / 3.0).clamp(1.0 / 3.0, 2.0 / 3.0);
        let most = f64::from(RANKS) * trigrams as f64;
        let (mut first, mut second) = ((Lang::Eng, 0.0), 0.0);
        for ((language, gained), own) in self.languages.iter().zip(gained).zip(own) {
            let of_alphabet = f64::from((2 * own - letters).max(0)) / f64::from(letters);
            let score = of_alphabet * weight + f64::from(*gained) / most * (1.0 - weight);
            if score > first.1 {
                second = first.1;
                first = (*language, score);
            } else if score > second {
                second = score;
            }
        }
        let enough = 3.0 / trigrams as f64 + 0.015;
        let lead = (first.1 - second) / second;
        let confidence = match () {
            () if second == 0.0 => first.1,
            () if lead > enough => 1.0,
            () => lead / enough,
        };
        Compared::Told(first.0, confidence)
    }

    /// Asks whatlang about some that are not known.
    fn ask(&self, unknown: &[Trigram]) -> Option<Learnt> {
        if unknown.is_empty() || self.places.len() + unknown.len() > MOST_KNOWN {
            return None;
        }
        let (mut trigrams, single): (Vec<_>, Vec<_>) = unknown.iter().partition(|one| **one >> BITS_OF_LETTER > 0);
        let mut rows: Vec<_> = single.into_iter().map(|letter| (letter, self.letter(letter))).collect();
        trigrams.truncate(self.at_once);
        let gained = self.gained(&trigrams);
        let in_none = trigrams.is_empty() || gained == Some([0; LANES]);
        match trigrams[..] {
            _ if in_none => rows.extend(trigrams.iter().map(|one| (*one, Some([ABSENT; LANES])))),
            [one] => rows.push((one, gained.map(|row| row.map(|gain| if gain > 0 { RANKS - gain } else { ABSENT })))),
            _ => {}
        }
        let at_once = if in_none { (2 * self.at_once).min(MOST_AT_ONCE) } else { (self.at_once / 2).max(1) };
        Some(Learnt { rows, at_once })
    }

    fn keep(&mut self, learnt: Learnt) {
        self.at_once = learnt.at_once;
        for (what, row) in learnt.rows {
            let new = self.rows.len() as u32;
            self.places.insert(what, row.map(|row| if row == [ABSENT; LANES] { 0 } else { new }));
            self.rows.extend(row.filter(|row| *row != [ABSENT; LANES]));
        }
    }

    fn letter(&self, letter: Trigram) -> Option<Row> {
        let [.., letter] = letters(letter);
        let mut row = [0; LANES];
        for (language, score) in alphabet(letter.encode_utf8(&mut [0; 4])) {
            row[self.lane(language)?] = i16::from(score > 0);
        }
        Some(row)
    }

    /// How much nearer a text comes to each language by trigrams that all stand at its beginning;
    /// by one alone, the number of ranks behind it.
    fn gained(&self, trigrams: &[Trigram]) -> Option<Row> {
        let info = raw_detect(&text_of(trigrams)).lang_info?;
        let RawLangInfo::MultiScript(told) = info else { return None };
        let told = told.trigram_raw_outcome;
        let mut row = [0; LANES];
        if told.raw_distances.len() != self.languages.len() || told.trigrams_count > RANKS as usize {
            return None;
        }
        for (language, distance) in told.raw_distances {
            let most = told.trigrams_count as u32 * RANKS as u32;
            row[self.lane(language)?] = most.checked_sub(distance)?.try_into().ok()?;
        }
        Some(row)
    }

    fn lane(&self, language: Lang) -> Option<usize> {
        self.languages.iter().position(|one| *one == language)
    }
}

/// Which languages have the one letter of a text in their alphabet.
fn alphabet(letter: &str) -> Vec<(Lang, usize)> {
    alphabet_latin_calculate_scores(&LowercaseText::new(letter), &FilterList::default()).raw_scores
}

/// A text in Latin letters that holds each trigram twice, and others once that are in no language.
fn text_of(trigrams: &[Trigram]) -> String {
    let [x, y, z] = STRANGE;
    // Most letters of it are Latin, whatever the trigrams are of; and no trigram stands twice.
    let mut text: String =
        [x, x, x, y, x, x, z, x, y, y, x, y, z, x, z, y, x, z, z, y, y, y, z, y, z, z, z].iter().collect();
    for [a, b, c] in trigrams.iter().map(|one| letters(*one)) {
        text += "  ";
        text += &match (a, b, c) {
            (' ', b, ' ') => format!("{b}  {b}"),
            (' ', b, c) => format!("{b}{c}{x}  {b}{c}{y}"),
            (a, ' ', c) => format!("{x}{a} {c}{x}  {y}{a} {c}{y}"),
            (a, b, ' ') => format!("{x}{a}{b}  {y}{a}{b}"),
            (a, b, c) => format!("{x}{a}{b}{c}{y}  {y}{a}{b}{c}{x}"),
        };
    }
    text
}

/// Adds what a trigram gains for each language: the nearer its rank to its position, the more.
fn near(gained: &mut [i32; LANES], ranks: &Row, position: i16) {
    for (gained, rank) in gained.iter_mut().zip(ranks) {
        *gained += i32::from((RANKS - (position - rank).abs()).max(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_told_as_whatlang_tells_it_before_and_after_its_trigrams_are_known() {
        let mut texts: Vec<String> = [
            "Explain quantum computing to somebody",
            "a",
            "Cancel order 4711. Cancel order 4711. Cancel order 4711!",
            "Zamówienie jeszcze nie dotarło, proszę sprawdzić, gdzie się teraz znajduje moja paczka.",
            "Tôi muốn biết đơn hàng của tôi đang ở đâu, vui lòng kiểm tra giúp tôi.",
            "Sipariş İstanbul'dan çıkmadı; kargom şimdi nerede, lütfen söyleyin.",
            "Mi povas paroli Esperanton, kaj vi? Ĉu vi ŝatas ĝin?",
            "α and β are Greek letters, αβγ too, but more of this is Latin – isn’t it?",
            "日本 is Japan's own name",
            "\u{1c0}\u{1c1}\u{1c2}\u{1c0}\u{1c1}\u{1c2} is no word",
            "x\u{7f}y and \u{130} here",
        ]
        .map(str::to_owned)
        .into();
        let words: Vec<String> = texts.iter().flat_map(|text| text.split(' ').map(str::to_owned)).collect();
        texts.extend(words.chunks(5).zip(words.chunks(7)).map(|(some, others)| [some, others].concat().join(" ")));
        let known = |text: &String| {
            let trigrams = Trigrams::of_latin(text);
            trigrams.is_none_or(|trigrams| matches!(KNOWN.read().unwrap().compare(&trigrams), Compared::Told(..)))
        };
        let mut rounds = 0..500;
        loop {
            let all_known = texts.iter().all(known);
            for text in &texts {
                let expected = whatlang::detect(text).map(|info| (info.lang(), info.confidence()));
                let told = detect(text);
                assert_eq!(told.map(|told| told.1), expected.map(|told| told.1), "{text}");
                assert!(told == expected || told.is_some_and(|told| told.1 == 0.0), "{text}");
            }
            if all_known {
                break;
            }
            assert!(rounds.next().is_some(), "trigrams are learnt");
        }
    }
}
