//! The vocabulary: real function words, content words made of syllables, words that are not ASCII.
//!
//! Not sentences (`prose`). Content words mean nothing, so no text can be about anybody.
//!
//! Always: the same seed gives the same words; all content words are distinct, and none is a
//! function word, or a word that redaction's name lists know.

use std::collections::HashSet;

use gristmill::stages::redact::names::lexicon::Entry;
use gristmill::stages::redact::names::words::hash_of;
use gristmill::stages::redact::names::{Names, built_in};

use crate::chance::Chance;

const NOUNS: usize = 5000;
const VERBS: usize = 3000;
const ADJECTIVES: usize = 3000;
const ADVERBS: usize = 1000;

pub const DETERMINERS: &str = "the a this that each every some any our your their its another no most either \
    neither my his her such what whichever whatever enough several many few";
pub const PREPOSITIONS: &str = "about above across after against along among around at before behind below beneath \
    beside between beyond by concerning despite during for from inside into like near of off on onto outside over \
    past regarding round since through throughout to toward under underneath until unto up upon via with within \
    without amid minus plus versus besides except following";
pub const CONJUNCTIONS: &str = "and but or so yet because although though while whereas unless until when whenever \
    where wherever if since as before after once provided whether lest";
pub const PRONOUNS: &str = "i you he she it we they somebody nobody everybody anyone someone everyone something \
    nothing everything anything this that these those one others none";
pub const AUXILIARIES: &str = "can could may might must shall should will would did does had has have was is were \
    are cannot never ought needs seems tends used wants tries hopes helps";
pub const QUESTIONS: &str = "how why when where what which who whose";
pub const OPENERS: &str = "however therefore moreover meanwhile instead otherwise still besides consequently finally \
    first second third next then also again later perhaps maybe indeed certainly clearly usually often sometimes \
    rarely generally basically honestly actually eventually suddenly recently currently today tomorrow yesterday \
    here there together apart overall likewise similarly namely hence thus afterwards anyway elsewhere everywhere \
    further lately nonetheless nevertheless once overnight presently previously probably soon thankfully twice";
const FOREIGN: &str = "größe straße müssen können über für schön grün äpfel öffnen übung prüfung erklärung lösung \
    mädchen höhe nächste später während gemütlich café déjà élève forêt garçon naïve très être hôtel château \
    préférer réponse système théâtre français où après problème mañana señor niño corazón canción también \
    información código número página método así más está través são coração não informação questão solução \
    amanhã português avô città perché così più università qualità smörgås åker älv förstå många øre være både \
    zażółć gęślą jaźń źródło książka łódź żółw wątek příklad řešení žlutý kůň jazykový příliš český işık güneş \
    öğrenci çalışma şehir ağaç привет вопрос ответ слово город время работа система пример помощь книга страна \
    λόγος ερώτηση απάντηση πόλη χρόνος βιβλίο παράδειγμα σύστημα ημέρα";
/// Common characters; sentences draw from them at random.
const CJK: &str = "的一是不了人我在有他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心\
    多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与\
    高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海";

const ONSETS: &[&str] = &[
    "b", "br", "c", "cl", "cr", "d", "dr", "f", "fl", "g", "gl", "gr", "h", "j", "k", "l", "m", "n", "p", "pl", "pr",
    "qu", "r", "s", "sc", "sh", "sl", "sp", "st", "t", "th", "tr", "v", "w", "z",
];
const VOWELS: &[&str] =
    &["a", "a", "a", "e", "e", "e", "i", "i", "i", "o", "o", "o", "u", "u", "ai", "ea", "ee", "ia", "oa", "ou"];
const CODAS: &[&str] = &["", "", "", "l", "m", "n", "nd", "nt", "r", "rt", "s", "st", "t", "x", "ck", "ng"];

pub struct Vocabulary {
    pub nouns: Vec<String>,
    pub verbs: Vec<String>,
    pub adjectives: Vec<String>,
    pub adverbs: Vec<String>,
    pub determiners: Vec<&'static str>,
    pub prepositions: Vec<&'static str>,
    pub conjunctions: Vec<&'static str>,
    pub pronouns: Vec<&'static str>,
    pub auxiliaries: Vec<&'static str>,
    pub questions: Vec<&'static str>,
    pub openers: Vec<&'static str>,
    pub foreign: Vec<&'static str>,
    pub cjk: Vec<char>,
}

fn list(words: &'static str) -> Vec<&'static str> {
    words.split_whitespace().collect()
}

impl Vocabulary {
    pub fn new(seed: u64) -> Vocabulary {
        let lists = [DETERMINERS, PREPOSITIONS, CONJUNCTIONS, PRONOUNS, AUXILIARIES, QUESTIONS, OPENERS];
        let mut taken: HashSet<String> =
            lists.iter().flat_map(|words| words.split_whitespace()).map(str::to_owned).collect();
        Vocabulary {
            nouns: content(seed, "noun", NOUNS, "", &mut taken),
            verbs: content(seed, "verb", VERBS, "", &mut taken),
            adjectives: content(seed, "adjective", ADJECTIVES, "", &mut taken),
            adverbs: content(seed, "adverb", ADVERBS, "ly", &mut taken),
            determiners: list(DETERMINERS),
            prepositions: list(PREPOSITIONS),
            conjunctions: list(CONJUNCTIONS),
            pronouns: list(PRONOUNS),
            auxiliaries: list(AUXILIARIES),
            questions: list(QUESTIONS),
            openers: list(OPENERS),
            foreign: list(FOREIGN),
            cjk: CJK.chars().filter(|c| c.is_alphanumeric()).collect(),
        }
    }
}

/// Somebody may be called so.
fn is_known(names: Option<&Names>, word: &str) -> bool {
    names.is_some_and(|names| names.model().lexicon.entry(hash_of(word)) != Entry::NONE)
}

/// `count` new words of a class. A word that is taken gives way to the next candidate id.
fn content(seed: u64, class: &str, count: usize, ending: &str, taken: &mut HashSet<String>) -> Vec<String> {
    let (names, mut words) = (built_in().ok(), Vec::with_capacity(count));
    for id in 0u64.. {
        if words.len() == count {
            break;
        }
        let word = spell(Chance::new(seed, class, id)) + ending;
        if !is_known(names, &word) && taken.insert(word.clone()) {
            words.push(word);
        }
    }
    words
}

fn spell(chance: Chance) -> String {
    let syllables = 2 + chance.below(0, 5) / 4;
    let mut word = String::new();
    for n in 0..syllables {
        let syllable = chance.step(n + 1);
        word.push_str(syllable.choose(0, ONSETS));
        word.push_str(syllable.choose(1, VOWELS));
        // A coda inside a word makes clusters nobody can say.
        if n + 1 == syllables {
            word.push_str(syllable.choose(2, CODAS));
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_many_distinct_and_plain() {
        let v = Vocabulary::new(1);
        let all: Vec<&String> = v.nouns.iter().chain(&v.verbs).chain(&v.adjectives).chain(&v.adverbs).collect();
        let distinct: HashSet<&String> = all.iter().copied().collect();
        assert_eq!(distinct.len(), NOUNS + VERBS + ADJECTIVES + ADVERBS);
        assert!(all.iter().all(|w| w.len() >= 4 && w.bytes().all(|b| b.is_ascii_lowercase())));
        assert!(v.openers.len() + v.prepositions.len() + v.conjunctions.len() + v.auxiliaries.len() > 150);
        assert!(v.foreign.iter().all(|w| !w.is_ascii()), "{:?}", v.foreign);
    }

    #[test]
    fn another_seed_gives_other_words() {
        assert_eq!(Vocabulary::new(3).nouns, Vocabulary::new(3).nouns);
        assert_ne!(Vocabulary::new(3).nouns, Vocabulary::new(4).nouns);
    }
}
