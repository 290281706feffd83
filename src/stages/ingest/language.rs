//! The language and script of a conversation, from what the user says.
//!
//! Function words decide where they are clear (a few dozen lookups). A question in plain letters
//! that has too few of them ("Explain quantum computing") is told together with its answer, if the two
//! are clear: so it was for all 28 such questions of Open Assistant's 687 whose users named theirs.
//! Everything else is told by trigrams, with whatlang's answer (`trigrams`), which takes as long as
//! the rest of reading a record, or ten times as long while the trigrams are not known.
//!
//! Not here: language per message. A guess below [`MIN_CONFIDENCE`] is answered with `und`
//! (ISO 639-2, undetermined).

use std::cell::Cell;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use super::trigrams;
use crate::eight;
use crate::record::{Conversation, Role};

/// whatlang's own `is_reliable` threshold.
const MIN_CONFIDENCE: f64 = 0.9;

/// What is looked at of the user's text.
const MAX_BYTES: usize = 240;

/// The same of the answers, which begin with code and lists more often, and are looked at seldom.
const ANSWER_BYTES: usize = 4 * MAX_BYTES;

/// Function words so many times as frequent as the next language's, and at least so many.
const CLEAR_LEAD: u8 = 2;
const CLEAR_WORDS: u8 = 2;

/// So far ahead that more words change nothing: the next language has none, confidence is 0.999.
const PLAIN_LEAD: u64 = 8;

/// Below so many letters of ASCII, whatlang was sure of one text in 362 (synthetic and published
/// logs, 2026-11); asking it cost more than all the rest of reading a short record.
const MIN_LETTERS: usize = 40;

/// Scripts by ISO 15924 code and the Unicode blocks of their letters. `Hani` is any Han: which
/// characters are simplified is not told. `Jpan` and `Kore` are the mixes that people write.
const SCRIPTS: [(&str, &[RangeInclusive<char>]); 25] = [
    (
        "Latn",
        &[
            '\u{aa}'..='\u{2af}',
            '\u{1e00}'..='\u{1eff}',
            '\u{2c60}'..='\u{2c7f}',
            '\u{a720}'..='\u{a7ff}',
            '\u{ff21}'..='\u{ff5a}',
        ],
    ),
    ("Cyrl", &['\u{400}'..='\u{52f}', '\u{1c80}'..='\u{1c8f}', '\u{2de0}'..='\u{2dff}', '\u{a640}'..='\u{a69f}']),
    ("Hani", &['\u{3005}'..='\u{3007}', '\u{3400}'..='\u{9fff}', '\u{f900}'..='\u{faff}', '\u{20000}'..='\u{3ffff}']),
    ("Jpan", &['\u{3040}'..='\u{30ff}', '\u{31f0}'..='\u{31ff}', '\u{ff66}'..='\u{ff9f}']),
    ("Kore", &['\u{1100}'..='\u{11ff}', '\u{3130}'..='\u{318f}', '\u{a960}'..='\u{a97f}', '\u{ac00}'..='\u{d7ff}']),
    (
        "Arab",
        &[
            '\u{600}'..='\u{6ff}',
            '\u{750}'..='\u{77f}',
            '\u{870}'..='\u{8ff}',
            '\u{fb50}'..='\u{fdff}',
            '\u{fe70}'..='\u{feff}',
        ],
    ),
    ("Deva", &['\u{900}'..='\u{97f}', '\u{a8e0}'..='\u{a8ff}']),
    ("Grek", &['\u{370}'..='\u{3ff}', '\u{1f00}'..='\u{1fff}']),
    ("Hebr", &['\u{590}'..='\u{5ff}', '\u{fb1d}'..='\u{fb4f}']),
    ("Thai", &['\u{e00}'..='\u{e7f}']),
    ("Beng", &['\u{980}'..='\u{9ff}']),
    ("Taml", &['\u{b80}'..='\u{bff}']),
    ("Telu", &['\u{c00}'..='\u{c7f}']),
    ("Gujr", &['\u{a80}'..='\u{aff}']),
    ("Guru", &['\u{a00}'..='\u{a7f}']),
    ("Knda", &['\u{c80}'..='\u{cff}']),
    ("Mlym", &['\u{d00}'..='\u{d7f}']),
    ("Orya", &['\u{b00}'..='\u{b7f}']),
    ("Sinh", &['\u{d80}'..='\u{dff}']),
    ("Laoo", &['\u{e80}'..='\u{eff}']),
    ("Mymr", &['\u{1000}'..='\u{109f}']),
    ("Khmr", &['\u{1780}'..='\u{17ff}']),
    ("Ethi", &['\u{1200}'..='\u{139f}', '\u{2d80}'..='\u{2ddf}']),
    ("Geor", &['\u{10a0}'..='\u{10ff}', '\u{1c90}'..='\u{1cbf}']),
    ("Armn", &['\u{530}'..='\u{58f}']),
];

/// Place of the Japanese letters in [`SCRIPTS`].
const JAPANESE: usize = 3;

/// Frequent words that do not stand in the other lists; ISO 639-3.
const FUNCTION_WORDS: [(&str, &str); 7] = [
    (
        "eng",
        "the and you is are have has was with this that for my your can what how please not would i it of to do does \
         when they been from a an we our she he her his their them there then than but or if so as at by on be will \
         could should must may might which who whose why where while since because although unless until every each \
         some many most other another any both either neither only very just about after before between during into \
         over through again already also never always here these those were had did am me us him its whenever whereas \
         upon without within among past onto above unto around inside below outside beyond besides despite toward \
         towards near few several whatever everyone someone anyone nobody anybody nothing anything cannot whether \
         perhaps yet enough others except behind beneath beside across against along own such less much unlike though \
         once wherever round shall ought yourself itself himself herself",
    ),
    (
        "deu",
        "der und ist nicht ich sie das ein eine mit für auf wie bitte mein meine wir haben habe auch noch wird zu den dem von können",
    ),
    (
        "fra",
        "les est pas je vous une mon ma pour dans avec sur nous votre qui c'est il du des et mais être merci j'ai plus",
    ),
    ("spa", "el los las y una por con para mi su pero está qué cómo usted gracias más hay muy ya se lo del"),
    ("por", "o os uma não com você meu minha isso está mas muito obrigado obrigada em do da ao são tem eu já"),
    ("ita", "il gli che non una per con sono mio mia della come grazie più ho anche questo ma perché di"),
    ("nld", "het een niet ik je dat van zijn met voor mijn maar hebben ook wat hoe deze naar er nog kan"),
];

/// Bytes of the longest of them: as many as fit into one number.
const LONGEST_WORD: u32 = 8;

/// A byte for each language: 1 where the word is one of its own. Sums of up to 255 words fit.
type Words = eight::Words<u64, 2048>;

static LANGUAGES_OF: LazyLock<Words> = LazyLock::new(|| {
    let mut of = Words::new();
    for (i, (_, words)) in FUNCTION_WORDS.iter().enumerate() {
        words.split(' ').for_each(|word| *of.entry(word) |= 1 << (8 * i));
    }
    of
});

/// Counts words as their letters come.
#[derive(Default)]
struct Tally {
    word: u64,
    length: u32,
    /// A byte for each language.
    sums: u64,
}

impl Tally {
    /// The next letter of a word, or a byte of it.
    fn letter(&mut self, byte: u8) {
        if self.length < LONGEST_WORD {
            self.word |= u64::from(byte) << (8 * self.length);
        }
        self.length += 1;
    }

    fn end(&mut self, words: &Words) {
        // A longer word is in no list.
        if (1..=LONGEST_WORD).contains(&self.length) {
            self.sums += words.get(self.word);
        }
        (self.word, self.length) = (0, 0);
    }

    fn is_full(&self) -> bool {
        self.sums & eight::HIGH != 0
    }

    /// Whether one language has [`PLAIN_LEAD`] words and the others none, or a sum is nearly full.
    fn is_plain(&self) -> bool {
        if self.is_full() {
            return true;
        }
        let lead = self.sums >> (self.sums.trailing_zeros() / 8 * 8).min(63);
        (PLAIN_LEAD..=0xff).contains(&lead)
    }

    /// Counts a text of ASCII until the language is plain; answers whether it is.
    fn ascii(&mut self, text: &str, words: &Words) -> bool {
        let (bytes, mut at) = (text.as_bytes(), 0);
        while at < bytes.len() && !self.is_plain() {
            let (length, word) = eight::word_at(&bytes[at..]);
            self.sums += word.map_or(0, |word| words.get(word));
            at += length + 1;
        }
        self.is_plain()
    }

    /// The same for any text.
    fn any(&mut self, text: &str, words: &Words) -> bool {
        for c in text.to_lowercase().chars() {
            if c.is_alphabetic() || c == '\'' {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| self.letter(byte));
            } else {
                self.end(words);
                if self.is_full() {
                    break;
                }
            }
        }
        self.end(words);
        self.is_plain()
    }
}

/// What was found out about a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detected {
    /// ISO 639-3 code, or `und`.
    pub language: &'static str,
    /// 0 to 1; 0 where the language is `und`.
    pub confidence: f32,
    /// ISO 15924 code of the script that most letters are of; `Zyyy` without letters.
    pub script: &'static str,
}

pub fn detect(conversation: &Conversation) -> Detected {
    let asked = || said(conversation, Role::User, MAX_BYTES);
    let (by_words, is_ascii) = (by_function_words(asked()), asked().all(str::is_ascii));
    let answered = || by_function_words(asked().chain(said(conversation, Role::Assistant, ANSWER_BYTES)));
    let answered = || is_ascii.then(answered).flatten();
    SINCE.set(SINCE.get().saturating_add(1));
    let by_trigrams = || by_trigrams(&joined(asked()));
    let (language, confidence) = by_words.or_else(answered).or_else(by_trigrams).unwrap_or(("und", 0.0));
    let script = match is_ascii {
        true if asked().any(has_letters) => SCRIPTS[0].0,
        true => "Zyyy",
        false => script(&joined(asked()), language),
    };
    Detected { language, confidence, script }
}

/// The first `room` bytes that a role says.
fn said(conversation: &Conversation, role: Role, mut room: usize) -> impl Iterator<Item = &str> {
    let of_role = conversation.messages.iter().filter(move |message| message.role == role);
    of_role.map_while(move |message| {
        let text = &message.content;
        let part = (room > 0).then(|| &text[..text.floor_char_boundary(room.min(text.len()))]);
        room = room.saturating_sub(text.len() + 1);
        part
    })
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut all = String::with_capacity(MAX_BYTES + 8);
    texts.for_each(|text| {
        all.push_str(text);
        all.push(' ');
    });
    all
}

fn has_letters(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn by_function_words<'a>(texts: impl Iterator<Item = &'a str>) -> Option<(&'static str, f32)> {
    let (words, mut tally) = (&*LANGUAGES_OF, Tally::default());
    for text in texts {
        let is_plain = if text.is_ascii() { tally.ascii(text, words) } else { tally.any(text, words) };
        if is_plain {
            break;
        }
    }
    let counts: [u8; 8] = tally.sums.to_le_bytes();
    let best = (0..FUNCTION_WORDS.len()).max_by_key(|&i| counts[i])?;
    let next = (0..FUNCTION_WORDS.len()).filter(|&i| i != best).map(|i| counts[i]).max()?;
    let clear = counts[best] >= CLEAR_WORDS && counts[best] >= CLEAR_LEAD.saturating_mul(next);
    clear.then(|| (FUNCTION_WORDS[best].0, confidence_of_lead(counts[best] - next)))
}

/// How often a language that leads by so many words is right: a logistic curve through what was
/// measured on 2,000 sentences of Django's translations, 40 languages evenly mixed (2026-11: 0.52,
/// 0.74, 0.89, 0.91, 0.99 for 1 to 5 words). Logs of few languages are right more often.
fn confidence_of_lead(words: u8) -> f32 {
    1.0 / (1.0 + (0.92 - f32::from(words.min(32))).exp())
}

thread_local! {
    /// Texts since the last that words did not tell.
    static SINCE: Cell<u32> = const { Cell::new(0) };
}

/// Trigrams are learnt where so many texts or fewer lie between two that need them. Each costs as
/// much to learn as one text to tell, and where those are few, that never comes back.
const OFTEN: u32 = 8;

/// Letters beyond ASCII tell a script, and with it often the language.
fn by_trigrams(text: &str) -> Option<(&'static str, f32)> {
    if text.is_ascii() && text.bytes().filter(u8::is_ascii_alphabetic).count() < MIN_LETTERS {
        return None;
    }
    let few = SINCE.take() >= OFTEN;
    let asked = || whatlang::detect(text).map(|info| (info.lang(), info.confidence()));
    let told = if few { asked() } else { trigrams::detect(text) };
    let (language, confidence) = told.filter(|(_, confidence)| *confidence >= MIN_CONFIDENCE)?;
    Some((language.code(), confidence as f32))
}

/// The script of most letters; of two that are level, the one that stands first in [`SCRIPTS`].
fn script(text: &str, language: &str) -> &'static str {
    let mut counts = [0u32; SCRIPTS.len()];
    for c in text.chars() {
        if c.is_ascii_alphabetic() {
            counts[0] += 1;
        } else if !c.is_ascii()
            && c.is_alphabetic()
            && let Some(at) = SCRIPTS.iter().position(|(_, blocks)| blocks.iter().any(|block| block.contains(&c)))
        {
            counts[at] += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    match SCRIPTS.iter().zip(counts).find(|(_, count)| *count == most) {
        Some(((code, _), count)) if count > 0 => match *code {
            // Japanese mixes its own letters with Han.
            "Hani" if language == "jpn" || counts[JAPANESE] > 0 => "Jpan",
            code => code,
        },
        _ => "Zyyy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Message;

    fn detected(text: &str) -> Detected {
        detect(&Conversation { messages: vec![Message::text(Role::User, text)], ..Default::default() })
    }

    #[test]
    fn an_answer_tells_what_the_question_leaves_open() {
        for (question, answer, language) in [
            ("Explain quantum computing", "It is a way to compute with the states of particles.", "eng"),
            ("Quantencomputer?", "Das ist ein Rechner, der mit den Zuständen von Teilchen rechnet.", "deu"),
            ("Explain quantum computing", "42", "und"),
            ("Translate into German: where is the station?", "Wo ist der Bahnhof, und wie komme ich zu dem?", "eng"),
            ("Где мой заказ?", "It is on the way and will be with you in two days.", "und"),
        ] {
            let messages = vec![Message::text(Role::User, question), Message::text(Role::Assistant, answer)];
            let told = detect(&Conversation { messages, ..Default::default() });
            assert_eq!(told.language, language, "{question}");
        }
    }

    #[test]
    fn words_are_counted_until_a_language_is_plain() {
        for (text, is_plain) in [
            ("the and you is are have has was", true),
            ("the and you is are have has", false),
            ("the and you is are have has und was", false),
            ("der und ist nicht ich sie das ein", true),
            ("blue green", false),
            ("", false),
        ] {
            assert_eq!(Tally::default().ascii(text, &LANGUAGES_OF), is_plain, "{text}");
        }
        // Sums do not run over into the next language's.
        for text in ["a und ".repeat(500), "a und é ".repeat(500)] {
            let mut tally = Tally::default();
            if text.is_ascii() {
                tally.ascii(&text, &LANGUAGES_OF)
            } else {
                tally.any(&text, &LANGUAGES_OF)
            };
            let [english, german, others @ ..] = tally.sums.to_le_bytes();
            assert!(english.abs_diff(german) <= 1 && english >= 127 && others == [0; 6], "{:x}", tally.sums);
        }
    }

    #[test]
    fn scripts() {
        for (text, script) in [
            ("hello", "Latn"),
            ("12345 +!", "Zyyy"),
            ("日本 12", "Hani"),
            ("日本語版の説明書", "Jpan"),
            ("Η παραγγελία", "Grek"),
            ("don’t “quote” me", "Latn"),
            ("注文した商品がまだ届いていません。確認していただけますか。", "Jpan"),
            ("주문한 상품이 아직 도착하지 않았어요", "Kore"),
            ("Где мой заказ? ok", "Cyrl"),
            ("أين طلبي", "Arab"),
            ("मेरा ऑर्डर कहाँ है", "Deva"),
            ("كلمة and many Latin letters beside one Arabic word", "Latn"),
            ("für", "Latn"),
            ("¿?¡…", "Zyyy"),
        ] {
            assert_eq!(detected(text).script, script, "{text}");
        }
    }

    #[test]
    fn confidence_grows_with_the_evidence() {
        let (few, many) = (detected("where is my"), detected("where is my order, and when will you send it to me"));
        assert_eq!((few.language, many.language), ("eng", "eng"));
        assert!(0.5 < few.confidence && few.confidence < many.confidence && many.confidence < 1.0);
        assert_eq!(detected("12345"), Detected { language: "und", confidence: 0.0, script: "Zyyy" });
        let trigrams =
            detected("Zamówienie jeszcze nie dotarło, proszę sprawdzić, gdzie się teraz znajduje moja paczka.");
        assert!(trigrams.confidence >= MIN_CONFIDENCE as f32);
    }

    #[test]
    fn languages() {
        let longer = FUNCTION_WORDS
            .iter()
            .flat_map(|(_, words)| words.split(' '))
            .filter(|word| word.len() > LONGEST_WORD as usize);
        assert_eq!(longer.collect::<Vec<_>>(), Vec::<&str>::new());
        for (text, code) in [
            ("My order has not arrived yet and I would like to know where it is, please.", "eng"),
            ("Meine Bestellung ist noch nicht angekommen, können Sie bitte nachsehen, wo sie bleibt?", "deu"),
            ("注文した商品がまだ届いていません。確認していただけますか。", "jpn"),
            ("12345", "und"),
            ("Explain quantum computing", "und"),
            ("Bonjour, je voudrais savoir où est ma commande, merci.", "fra"),
            ("¿Cómo puedo cambiar la dirección de mi pedido? Gracias por su ayuda, ya no vivo en el centro.", "spa"),
            ("Zamówienie jeszcze nie dotarło, proszę sprawdzić, gdzie się teraz znajduje moja paczka.", "pol"),
        ] {
            assert_eq!(detected(text).language, code, "{text}");
        }
    }
}
