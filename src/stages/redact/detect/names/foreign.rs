//! Tells texts in English from those in the languages around it, by their smallest words.
//!
//! Not here: which language it is (`ingest` says so of a whole conversation).
//!
//! Always: a bounded beginning of the text is read.

use std::sync::LazyLock;

use crate::stages::redact::detect::eight;

const READ_BYTES: usize = 2048;

const ENGLISH: [&str; 30] = [
    "the", "and", "of", "to", "is", "you", "it", "for", "with", "that", "this", "my", "your", "are", "have", "was",
    "on", "at", "be", "can", "please", "what", "not", "i'm", "we", "he", "she", "they", "from", "would",
];

/// German, French, Spanish, Italian, Portuguese, Dutch, Swedish; none that is an English word, too.
const OTHERS: [&str; 102] = [
    "ich", "und", "der", "das", "ist", "nicht", "sie", "mit", "den", "dem", "auf", "für", "ein", "eine", "einen",
    "ihre", "ihr", "wir", "zu", "im", "ja", "nein", "bitte", "danke", "auch", "noch", "wird", "kann", "haben", "wie",
    "le", "les", "des", "une", "est", "et", "je", "vous", "nous", "pas", "pour", "dans", "avec", "sur", "du", "au",
    "mon", "ma", "merci", "bonjour", "el", "los", "las", "una", "que", "por", "para", "con", "mi", "su", "es", "está",
    "gracias", "hola", "pero", "como", "il", "lo", "gli", "di", "che", "per", "sono", "non", "della", "grazie", "ciao",
    "os", "um", "uma", "não", "com", "meu", "minha", "você", "obrigado", "sem", "posso", "het", "een", "niet", "ik",
    "mijn", "van", "voor", "zijn", "och", "att", "det", "som", "jag", "inte",
];

/// Words have at most so many bytes: one register.
const WORD_MAX_BYTES: usize = 8;

/// Which of the two lists the words are in, by their bytes; open addressing, at most half full.
struct Small([(u64, bool); SLOTS]);

const SLOTS: usize = 512;

static SMALL: LazyLock<Small> = LazyLock::new(|| {
    let mut slots = [(0, false); SLOTS];
    let words = ENGLISH.iter().map(|word| (word, true)).chain(OTHERS.iter().map(|word| (word, false)));
    for (word, english) in words {
        let key = word.bytes().rev().fold(0, |key, byte| key << 8 | u64::from(byte));
        let mut at = slot(key);
        while slots[at].0 != 0 {
            at = (at + 1) % SLOTS;
        }
        slots[at] = (key, english);
    }
    Small(slots)
});

fn slot(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55) as usize % SLOTS
}

impl Small {
    fn get(&self, key: u64) -> Option<bool> {
        let mut at = slot(key);
        while self.0[at].0 != key {
            if self.0[at].0 == 0 {
                return None;
            }
            at = (at + 1) % SLOTS;
        }
        Some(self.0[at].1)
    }
}

/// More of its words are those of another language than English ones.
pub(super) fn is_foreign(text: &str) -> bool {
    let (english, others) = count(text);
    others > english
}

/// More of its words are English than of other languages: one at least.
pub(super) fn is_english(text: &str) -> bool {
    let (english, others) = count(text);
    english > others
}

/// How many of the smallest words are English, and how many of other languages.
fn count(text: &str) -> (usize, usize) {
    let head = &text.as_bytes()[..text.floor_char_boundary(READ_BYTES)];
    let (mut english, mut others, mut at) = (0, 0, 0);
    while at < head.len() {
        let (len, key) = word_at(&head[at..]);
        match key.filter(|_| len > 0).and_then(|key| SMALL.get(key)) {
            Some(true) => english += 1,
            Some(false) => others += 1,
            None => {}
        }
        at += len + 1;
    }
    (english, others)
}

/// How long the word is that begins here, and its letters, small ones, if they fill no more than a register.
#[inline]
fn word_at(bytes: &[u8]) -> (usize, Option<u64>) {
    let eight = eight::first(bytes);
    let ascii = eight::letters(eight);
    let letters = ascii | eight::same(eight, b'\'') | eight & eight::HIGH;
    let small = eight | ascii >> 2;
    match (!letters & eight::HIGH).trailing_zeros() as usize / 8 {
        WORD_MAX_BYTES => {
            let letter = |byte: &&u8| byte.is_ascii_alphabetic() || **byte == b'\'' || **byte >= 0x80;
            let more = bytes[WORD_MAX_BYTES..].iter().take_while(letter).count();
            (WORD_MAX_BYTES + more, (more == 0).then_some(small))
        }
        len => (len, Some(small & !(u64::MAX << (8 * len)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_all_lengths() {
        for (text, len, key) in [
            ("", 0, Some("")),
            (" the", 0, Some("")),
            ("The", 3, Some("the")),
            ("I'm, and", 3, Some("i'm")),
            ("não é", 4, Some("não")),
            ("obrigado", 8, Some("obrigado")),
            ("OBRIGADO!", 8, Some("obrigado")),
            ("obrigados e", 9, None),
        ] {
            let letters = |word: &str| word.bytes().rev().fold(0, |key, byte| key << 8 | u64::from(byte));
            assert_eq!(word_at(text.as_bytes()), (len, key.map(letters)), "{text}");
        }
    }

    #[test]
    fn what_has_no_small_words_is_neither() {
        assert!(!is_foreign("esa conexión") && !is_english("esa conexión"));
        assert!(is_english("ask esa for the key"));
    }

    #[test]
    fn languages() {
        for (text, foreign) in [
            ("Sie haben recht, da lief etwas schief.", true),
            ("une lampe pour lire au lit sans réveiller mon mari.", true),
            ("Sem problema. Posso ajudar com isso?", true),
            ("Yesterday Margaret Wilson called about her invoice.", false),
            ("Rio de Janeiro is the city of Maria da Silva", false),
            ("Ask Karen", false),
            ("", false),
        ] {
            assert_eq!(is_foreign(text), foreign, "{text}");
            assert!(!(foreign && is_english(text)), "{text}");
        }
    }
}
