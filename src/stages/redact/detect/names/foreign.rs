//! Tells texts in English from those in the languages around it, by their smallest words.
//!
//! Not here: which language it is (`ingest` says so of a whole conversation).
//!
//! Always: a bounded beginning of the text is read.

use std::sync::LazyLock;

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
    let (mut english, mut others) = (0, 0);
    let (mut key, mut len) = (0u64, 0);
    for byte in head.iter().copied().chain([b' ']) {
        let letter = byte.is_ascii_alphabetic() || byte == b'\'' || byte >= 0x80;
        if letter {
            if len < WORD_MAX_BYTES {
                let small = if byte.is_ascii_uppercase() { byte | 0x20 } else { byte };
                key |= u64::from(small) << (8 * len);
            }
            len += 1;
            continue;
        }
        if (1..=WORD_MAX_BYTES).contains(&len) {
            match SMALL.get(key) {
                Some(true) => english += 1,
                Some(false) => others += 1,
                None => {}
            }
        }
        (key, len) = (0, 0);
    }
    (english, others)
}

#[cfg(test)]
mod tests {
    use super::*;

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
