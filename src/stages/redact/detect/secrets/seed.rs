//! Seed phrases of wallets: 12 to 24 words of the English list of BIP 39.
//!
//! Not here: lists in other languages, phrases with a word that is misspelled.
//!
//! Always: prose costs one look at a word for every 40 bytes, because a phrase is longer than that;
//! a phrase is one only if its checksum holds, or if words before it say so.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use super::Span;
use crate::eight::{HIGH, SMALL, letters};
use crate::stages::redact::detect::edge::said_before;
use crate::stages::redact::detect::names::lexicon::Filter;
use crate::stages::redact::kind::Kind;
use crate::stages::redact::rule::Rule;

pub(super) static RULES: [&Rule; 1] = [&BIP39];

static BIP39: Rule = Rule {
    id: "seed.bip39",
    version: 2,
    kind: Kind::SeedPhrase,
    country: "",
    score: 0.99,
    check: "12 to 24 words of the list, the checksum or words before it",
    context: &WORDS,
    source: "BIP 39",
    finds: &[
        "it is ‹legal winner thank year wave sausage worth useful legal winner thank yellow› ok",
        "Recovery phrase:\n1. ‹letter\n2. advice\n3. cage\n4. absurd\n5. amount\n6. doctor\n7. acoustic\n8. avoid\n9. letter\n10. advice\n11. cage\n12. above›\n",
        "my seed phrase is ‹zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo›",
        "‹LETTER ADVICE CAGE ABSURD AMOUNT DOCTOR ACOUSTIC AVOID LETTER ADVICE CAGE ABOVE›",
    ],
    passes: &[
        "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo",
        "seed phrase: legal winner thank year wave sausage worth useful legal winner thank",
        "my seed phrase is about twelve words that people have to write down and keep where no other person can find them",
    ],
};

const WORDS: [&str; 8] = ["seed", "recovery", "mnemonic", "secret phrase", "backup", "wallet", "passphrase", "phrase"];
const BEFORE_BYTES: usize = 64;

const PHRASE_MIN_WORDS: usize = 12;
const PHRASE_MAX_WORDS: usize = 24;
/// Twelve words of three letters, apart.
const PHRASE_MIN_BYTES: usize = PHRASE_MIN_WORDS * 4 - 1;
/// "seed phrase" and the like are of the list, too.
const LABEL_WORDS: usize = 4;
/// "\n24. " stands between the words of a list.
const GAP_MAX_BYTES: usize = 6;

/// The list: each word as its letters in one number, with its place; sorted. And which may be in it.
static LIST: LazyLock<(Vec<(u64, u16)>, Filter)> = LazyLock::new(|| {
    let words = bip39::Language::English.word_list().iter().zip(0..);
    let packed = |word: &str| word.bytes().fold(0, |all, byte| (all << 8) | u64::from(byte));
    let mut list: Vec<(u64, u16)> = words.map(|(word, place)| (packed(word), place)).collect();
    list.sort_unstable();
    let filter = Filter::of(list.iter().map(|(word, _)| mixed(*word)));
    (list, filter)
});

fn mixed(word: u64) -> u64 {
    word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

/// A word of the list in a text, and its place in the list.
#[derive(Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
    place: u16,
}

/// The row of letters in which `at` lies, if it may be of the list; as one number. Eight bytes at a
/// time: most probes of a text end here.
fn letters_at(bytes: &[u8], at: usize, filter: &Filter) -> Option<(usize, usize, u64)> {
    let (ahead, behind) = (eight_from(bytes, at), eight_before(bytes, at));
    let (right, left) = ((!letters(ahead) & HIGH).leading_zeros() / 8, (!letters(behind) & HIGH).trailing_zeros() / 8);
    let len = (right + left) as usize;
    let (start, end) = (at - left as usize, at + right as usize);
    if !(3..=8).contains(&len) || right == 8 && bytes.get(end).is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    let tail = (ahead | SMALL).checked_shr(64 - 8 * right).unwrap_or(0);
    let head = (behind | SMALL) & !u64::MAX.checked_shl(8 * left).unwrap_or(0);
    let word = head.checked_shl(8 * right).unwrap_or(0) | tail;
    filter.may_hold(mixed(word)).then_some((start, end, word))
}

/// The eight bytes that begin at `at`, the first in the highest place; zeros behind the end.
fn eight_from(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    let short =
        || rest.iter().fold(0, |all, byte| (all << 8) | u64::from(*byte)).checked_shl(64 - 8 * rest.len() as u32);
    rest.first_chunk().map_or_else(|| short().unwrap_or(0), |eight| u64::from_be_bytes(*eight))
}

/// The eight bytes that end at `at`, the last in the lowest place; zeros before the beginning.
fn eight_before(bytes: &[u8], at: usize) -> u64 {
    let rest = &bytes[..at];
    let short = || rest.iter().fold(0, |all, byte| (all << 8) | u64::from(*byte));
    rest.last_chunk().map_or_else(short, |eight| u64::from_be_bytes(*eight))
}

fn word_at(bytes: &[u8], at: usize) -> Option<Word> {
    let (list, filter) = &*LIST;
    let (start, end, word) = letters_at(bytes, at, filter)?;
    let found = list.binary_search_by_key(&word, |(word, _)| *word).ok()?;
    Some(Word { start, end, place: list[found].1 })
}

/// Cheap: the word at `at` and one beside it look like words of the list.
fn may_be_row(bytes: &[u8], at: usize, filter: &Filter) -> bool {
    let looks = |at: usize| letters_at(bytes, at, filter);
    let beside = |at: Option<usize>| at.and_then(looks).is_some();
    looks(at).is_some_and(|(start, end, _)| beside(behind_gap(bytes, end)) || beside(before_gap(bytes, start)))
}

fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b'.' | b';' | b'-' | b'|' | b')' | b'0'..=b'9')
}

/// Where a gap that begins at `end` ends, and where one that ends at `start` begins.
fn behind_gap(bytes: &[u8], end: usize) -> Option<usize> {
    let gap = bytes[end..].iter().take(GAP_MAX_BYTES + 1).take_while(|byte| is_gap(**byte)).count();
    (1..=GAP_MAX_BYTES).contains(&gap).then_some(end + gap)
}

fn before_gap(bytes: &[u8], start: usize) -> Option<usize> {
    let gap = bytes[..start].iter().rev().take(GAP_MAX_BYTES + 1).take_while(|byte| is_gap(**byte)).count();
    (1..=GAP_MAX_BYTES).contains(&gap).then(|| start - gap)
}

/// The listed word behind `end`, or before `start`.
fn next(bytes: &[u8], end: usize) -> Option<Word> {
    behind_gap(bytes, end).and_then(|at| word_at(bytes, at))
}

fn previous(bytes: &[u8], start: usize) -> Option<Word> {
    before_gap(bytes, start).and_then(|at| word_at(bytes, at))
}

/// Adds the phrases of a text.
pub(in super::super) fn find(text: &str, out: &mut Vec<Span>) {
    let (bytes, filter) = (text.as_bytes(), &LIST.1);
    // In the middle of the shortest phrase that may begin here, then never further apart than it.
    let (mut at, mut seen) = (PHRASE_MIN_BYTES / 2, 0);
    if bytes.len() < PHRASE_MIN_BYTES {
        return;
    }
    while at < bytes.len() {
        let probe = at + bytes[at..].iter().take(GAP_MAX_BYTES).take_while(|byte| is_gap(**byte)).count();
        at += PHRASE_MIN_BYTES - GAP_MAX_BYTES;
        if !may_be_row(bytes, probe, filter) {
            continue;
        }
        let Some(word) = word_at(bytes, probe).filter(|word| word.start >= seen) else { continue };
        let back = |word: &Word| previous(bytes, word.start).filter(|word| word.start >= seen);
        let mut row: Vec<Word> = std::iter::successors(Some(word), back).collect();
        row.reverse();
        row.extend(std::iter::successors(next(bytes, word.end), |word| next(bytes, word.end)));
        seen = row.last().map_or(probe, |word| word.end);
        at = at.max(seen + PHRASE_MIN_BYTES - GAP_MAX_BYTES);
        if row.len() <= PHRASE_MAX_WORDS + LABEL_WORDS {
            out.extend(phrase(text, &row));
        } else {
            // One phrase a line, or no phrase but a list of words.
            let same_line = |a: &Word, b: &Word| !bytes[a.end..b.start].contains(&b'\n');
            let lines = row.chunk_by(same_line).filter(|line| line.len() <= PHRASE_MAX_WORDS + LABEL_WORDS);
            out.extend(lines.filter_map(|line| phrase(text, line)));
        }
    }
}

/// The phrase among words of the list that stand side by side.
fn phrase(text: &str, row: &[Word]) -> Option<Span> {
    let of = |words: &[Word]| Some(BIP39.at(words.first()?.start, words.last()?.end));
    if row.len() < PHRASE_MIN_WORDS {
        return None;
    }
    let counts = (PHRASE_MIN_WORDS..=PHRASE_MAX_WORDS).rev().step_by(3);
    let proved = counts.flat_map(|count| row.windows(count)).find(|words| differ(words) && holds(words));
    proved.or_else(|| said_before(text, row[0].start, BEFORE_BYTES, &WORDS).then_some(row)).and_then(of)
}

/// Not the same few words again, as in `border-left-width|border-left-style|…`: one in sixteen such rows
/// has a right checksum, and of phrases that wallets made hardly one has a word three times.
fn differ(words: &[Word]) -> bool {
    const DIFFERENT_MIN: usize = 8;
    let mut places: Vec<u16> = words.iter().map(|word| word.place).collect();
    places.sort_unstable();
    places.dedup();
    places.len() >= DIFFERENT_MIN
}

/// Their checksum is right: of 33 bits one is of the SHA-256 of the others.
fn holds(words: &[Word]) -> bool {
    let mut bits = [0u8; PHRASE_MAX_WORDS * 11 / 8];
    for (word, first) in words.iter().zip((0..).step_by(11)) {
        for bit in (0..11).filter(|bit| word.place >> (10 - bit) & 1 == 1) {
            bits[(first + bit) / 8] |= 0x80 >> ((first + bit) % 8);
        }
    }
    let entropy = words.len() / 3 * 4;
    let sum = Sha256::digest(&bits[..entropy])[0] & !(0xff_u16 >> (words.len() / 3)) as u8;
    bits[entropy] == sum
}

/// Some words of the list in a row stand at the end, and at the beginning, of two texts.
pub(in super::super::super) fn may_go_on(before: &str, after: &str) -> bool {
    const WORDS_MIN: usize = 3;
    let (left, right) = (before.as_bytes(), after.as_bytes());
    let ends = || std::iter::successors(word_at(left, left.len()), |word| previous(left, word.start));
    let begins = || std::iter::successors(word_at(right, 0), |word| next(right, word.end));
    // Most texts end with a stop.
    left.last().is_some_and(u8::is_ascii_alphabetic)
        && ends().take(WORDS_MIN).count() == WORDS_MIN
        && begins().take(WORDS_MIN).count() == WORDS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_in_every_place() {
        let phrase = "legal winner thank year wave sausage worth useful legal winner thank yellow";
        for before in 0..120 {
            let text = format!("{}. {phrase}, {}", "é".repeat(before), "ab ".repeat(120 - before));
            let mut found = Vec::new();
            find(&text, &mut found);
            let places: Vec<_> =
                found.iter().map(|span| &text[span.start_byte as usize..span.end_byte as usize]).collect();
            assert_eq!(places, [phrase], "{before}");
        }
    }

    #[test]
    fn checksums_are_those_of_the_crate() {
        for entropy in (16..=32).step_by(4) {
            for byte in 0..=255 {
                let phrase = bip39::Mnemonic::from_entropy(&vec![byte; entropy]).unwrap();
                let mut places: Vec<_> = phrase.word_indices().map(|place| place as u16).collect();
                let word = |place: &u16| Word { start: 0, end: 0, place: *place };
                assert!(holds(&places.iter().map(word).collect::<Vec<_>>()));
                // The last word holds the sum.
                *places.last_mut().unwrap() ^= 1;
                assert!(!holds(&places.iter().map(word).collect::<Vec<_>>()));
            }
        }
    }

    #[test]
    fn texts_that_may_go_on() {
        for (before, after, may) in [
            ("my phrase: letter advice cage absurd", "amount doctor acoustic", true),
            ("absurd amount", "doctor acoustic avoid", false),
            ("I went to the zoo", "amount doctor acoustic", false),
            ("", "", false),
        ] {
            assert_eq!(may_go_on(before, after), may, "{before} {after}");
        }
    }

    #[test]
    fn rows_of_listed_words_are_linear() {
        let mut found = Vec::new();
        find(&"zoo ".repeat(200_000), &mut found);
        find(&"main street ".repeat(100_000), &mut found);
        find(&"zoo\n".repeat(200_000), &mut found);
        find(&"zoo zoo zoo x ".repeat(50_000), &mut found);
        assert_eq!(found, []);
    }
}
