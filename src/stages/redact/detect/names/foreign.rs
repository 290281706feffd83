//! Tells texts in English from those in the languages around it, by their smallest words.
//!
//! Not here: which language it is (`ingest` says so of a whole conversation).
//!
//! Always: a bounded beginning of the text is read.

use std::sync::LazyLock;

use crate::eight;

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

/// Whether the words of the two lists are English.
static SMALL: LazyLock<eight::Words<Option<bool>, 512>> = LazyLock::new(|| {
    let mut small = eight::Words::new();
    ENGLISH.iter().for_each(|word| *small.entry(word) = Some(true));
    OTHERS.iter().for_each(|word| _ = small.entry(word).get_or_insert(false));
    small
});

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
        let (len, key) = eight::word_at(&head[at..]);
        match key.and_then(|key| SMALL.get(key)) {
            Some(true) => english += 1,
            Some(false) => others += 1,
            None => {}
        }
        at += len + 1;
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
