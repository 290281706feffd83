//! Tells texts in English from those in the languages around it, by their smallest words.
//!
//! Not here: which language it is (`ingest` says so of a whole conversation).
//!
//! Always: a bounded beginning of the text is read.

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

/// More of its words are those of another language than English ones.
pub(super) fn is_foreign(text: &str) -> bool {
    let head = &text[..text.floor_char_boundary(READ_BYTES)];
    let (mut english, mut others) = (0, 0);
    let mut small = String::new();
    for word in head.split(|c: char| !c.is_alphabetic() && c != '\'').filter(|word| word.len() < 12) {
        small.clear();
        small.extend(word.chars().flat_map(char::to_lowercase));
        english += usize::from(ENGLISH.contains(&&*small));
        others += usize::from(OTHERS.contains(&&*small));
    }
    others > english
}

#[cfg(test)]
mod tests {
    use super::*;

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
        }
    }
}
