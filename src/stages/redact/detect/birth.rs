//! Dates of birth and ages, by the words around them.
//!
//! Not here: dates of anything else, which say nothing about a person.
//!
//! Always: a date without a word for birth near it is left alone; work around one number is bounded.

use std::ops::Range;

use super::edge::{glued_after, glued_before, said_before};
use super::numbers::Run;
use super::{Kind, Rule, Span};

pub(super) static RULES: [&Rule; 3] = [&DATE, &AGE, &AGE_SAID];

const DATE: Rule = Rule {
    id: "birth.date",
    version: 1,
    kind: Kind::DateOfBirth,
    country: "",
    score: 0.9,
    check: "a day, a month and a year behind words for birth",
    context: &BIRTH,
    source: "HIPAA 45 CFR 164.514(b)(2)(i)(C)",
    finds: &[
        "She was born on ‹9/20/1968›.",
        "DOB: ‹1980-05-03›",
        r#""date_of_birth": "‹03.05.1980›""#,
        "my birthday is ‹May 5, 1980› you know",
        "born ‹5th of May 1980›",
        "geboren am ‹5. Mai 1980›",
        "née le ‹3 mai 1980›",
        "nacido el ‹3 de mayo de 1980›",
        "生年月日:‹1980年5月3日›",
    ],
    passes: &["on 9/20/1968 it rained", "May 5, 1980", "born to 3 4 5", "airborne 1/2/2020", "born 1/2"],
};

const AGE: Rule = Rule {
    id: "birth.age",
    kind: Kind::Age,
    score: 0.75,
    check: "one to 120, with words for years of age behind",
    context: &[],
    finds: &[
        "a ‹34›-year-old man",
        "I am ‹34› years old",
        "i'm ‹26› y/o.",
        "‹34›yo",
        "‹34› Jahre alt",
        "tengo ‹34› años",
        "j'ai ‹34› ans",
    ],
    passes: &["34 years ago", "1234 years old", "a 3 year plan", "0 years old", "34 years"],
    ..DATE
};

const AGE_SAID: Rule = Rule {
    id: "birth.age_said",
    score: 0.65,
    check: "one to 120, behind a word for age, and nothing counted",
    context: &["aged", "age", "turned", "I am"],
    finds: &[
        "aged ‹34›,",
        "Age: ‹34›",
        "I just turned ‹55›",
        "I am ‹34› and live here",
        "at the age of ‹71›",
        "I'll turn ‹47›.",
    ],
    passes: &["page 34", "I am 34 minutes late", "turned 90 degrees", "turn 3 left", "age 3.5", "I'm 100% sure"],
    ..AGE
};

const BIRTH: [&str; 26] = [
    "born",
    "dob",
    "d.o.b",
    "date of birth",
    "date_of_birth",
    "dateofbirth",
    "birth date",
    "birth_date",
    "birthdate",
    "birthday",
    "bday",
    "geb.",
    "geboren",
    "geburtsdatum",
    "geburtstag",
    "né le",
    "née le",
    "date de naissance",
    "nacid",
    "fecha de nacimiento",
    "nato il",
    "nata il",
    "data di nascita",
    "nascid",
    "data de nascimento",
    "geboortedatum",
];
const BIRTH_CJK: [&str; 4] = ["生年月日", "出生日期", "생년월일", "誕生日"];

const MONTHS: [&str; 34] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mär", "mai", "okt", "dez",
    "fév", "fev", "avr", "juin", "juil", "aoû", "aou", "déc", "ene", "abr", "ago", "dic", "gen", "mag", "giu", "lug",
    "ott", "set",
];

pub(super) fn date(text: &str, runs: &[Run], out: &mut Vec<Span>) {
    let first = runs[0];
    if first.digits() > 4 || glued_before(text, first.start) && !text[..first.start].ends_with("日") {
        return;
    }
    let found = numeric(text, runs).or_else(|| worded(text, first)).or_else(|| han(text, first.start));
    let Some((start, end)) = found else { return };
    let from = text.floor_char_boundary(start.saturating_sub(24));
    let said = said_before(text, start, 32, &BIRTH) || BIRTH_CJK.iter().any(|word| text[from..start].contains(word));
    if said && !glued_after(text, end) {
        out.push(DATE.at(start, end));
    }
}

fn value(text: &str, run: Run) -> usize {
    text[run.start..run.end].parse().unwrap_or(usize::MAX)
}

/// With the years of moved dates (`dates`): what a policy wrote is found whole, and known again.
fn is_year(text: &str, run: Run) -> bool {
    run.digits() == 4 && (1880..2600).contains(&value(text, run))
}

fn numeric(text: &str, runs: &[Run]) -> Option<(usize, usize)> {
    let [a, b, c, ..] = runs else { return None };
    let tied = b.sep == c.sep && b.sep.is_tight() && !runs.get(3).is_some_and(|next| next.sep.is_tight());
    let day = |run: Run| run.digits() <= 2 && (1..=31).contains(&value(text, run));
    let dmy = day(*a) && day(*b) && (is_year(text, *c) || c.digits() == 2);
    let ymd = is_year(text, *a) && day(*b) && day(*c);
    (tied && (dmy || ymd)).then_some((a.start, c.end))
}

/// `1980年5月3日`.
fn han(text: &str, start: usize) -> Option<(usize, usize)> {
    let mut at = start;
    for mark in [['年', '년'], ['月', '월'], ['日', '일']] {
        let digits = text.as_bytes()[at..].iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
        let rest = text[at + digits..].strip_prefix(mark).filter(|_| digits > 0)?;
        at = text.len() - rest.trim_start_matches(' ').len();
    }
    Some((start, text[..at].trim_end_matches(' ').len()))
}

fn is_month(word: &str) -> bool {
    let word = word.trim_end_matches('.');
    // Their first letters: nearly all words end here.
    let first = word.as_bytes().first().is_some_and(|first| b"jfmasondegl".contains(&first.to_ascii_lowercase()));
    if !first || !(3..=10).contains(&word.len()) || !word.chars().all(char::is_alphabetic) {
        return false;
    }
    let word = word.to_lowercase();
    MONTHS.iter().any(|month| word.starts_with(month))
}

/// From a day to its year: ` of September, ` and odd spaces.
const YEAR_WITHIN_BYTES: usize = 48;

/// `May 5, 1980`, `5th of May 1980`, `3 de mayo de 1980`: day before or behind the month's name.
fn worded(text: &str, day: Run) -> Option<(usize, usize)> {
    if day.digits() > 2 || !(1..=31).contains(&value(text, day)) {
        return None;
    }
    if !may_be_worded(text.as_bytes(), day) {
        return None;
    }
    // No longer than a month's name: looking for its beginning must not walk through the text.
    let window = text.floor_char_boundary(day.start.saturating_sub(16));
    let before = text[window..day.start].trim_end_matches(' ');
    let from = before.rfind([' ', ':', '"', '\n', '(']).map_or(0, |at| at + 1);
    let month_first = (from > 0 || window == 0) && is_month(&before[from..]);
    let from = window + from;
    let mut rest = &text[day.end..];
    for suffix in ["st", "nd", "rd", "th", ".", "er"] {
        rest = rest.strip_prefix(suffix).unwrap_or(rest);
    }
    if !month_first {
        rest = skip(rest);
        let len = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        if !is_month(&rest[..len]) {
            return None;
        }
        rest = rest[len..].trim_start_matches('.');
    }
    rest = skip(rest.trim_start_matches(','));
    let year = rest.bytes().take(5).take_while(u8::is_ascii_digit).count();
    let at = text.len() - rest.len();
    let run = Run { start: at, end: at + year, sep: day.sep };
    is_year(text, run).then_some((if month_first { from } else { day.start }, at + year))
}

/// Cheap: a word stands beside the day, and four digits in a row stand near behind it.
fn may_be_worded(bytes: &[u8], day: Run) -> bool {
    let letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
    // Those of months, of small words and of ordinals.
    let begins = |byte: &u8| b"jfmasondeglrt".contains(&byte.to_ascii_lowercase()) || *byte >= 0x80;
    let before = bytes[..day.start].iter().rev().take(16).find(|byte| **byte != b' ');
    let ahead = &bytes[day.end..bytes.len().min(day.end + YEAR_WITHIN_BYTES)];
    let after = ahead.iter().find(|byte| !matches!(byte, b' ' | b'-' | b'.'));
    let mut digits = 0;
    let mut four = |byte: &u8| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits == 4
    };
    (before.is_some_and(|byte| letter(byte) || *byte == b'.') || after.is_some_and(begins))
        && ahead.iter().any(&mut four)
}

/// Without the small words inside a date.
fn skip(rest: &str) -> &str {
    let rest = rest.trim_start_matches([' ', '-']);
    ["of ", "de ", "del "].iter().find_map(|word| rest.strip_prefix(word)).unwrap_or(rest)
}

pub(super) fn age(text: &str, run: Run, out: &mut Vec<Span>) {
    if run.digits() > 3 || !(1..=120).contains(&value(text, run)) || !clean(text, run.start) {
        return;
    }
    let rest = &text[run.end..];
    if years_old(text, run.start, rest) {
        out.push(AGE.at(run.start, run.end));
    } else if counts_nothing(rest) && said(&text[..run.start]) {
        out.push(AGE_SAID.at(run.start, run.end));
    }
}

/// Words around a place say that an age stands there, in whatever disguise.
pub(super) fn is_age(text: &str, place: Range<usize>) -> bool {
    let rest = &text[place.end..];
    years_old(text, place.start, rest) || counts_nothing(rest) && said(&text[..place.start])
}

fn clean(text: &str, at: usize) -> bool {
    !glued_before(text, at) && !text[..at].ends_with(['.', ',', '-', '/', '$', '€', '£', '#', '='])
}

/// Words right behind a number that make it an age.
fn years_old(text: &str, start: usize, rest: &str) -> bool {
    let letter = |at: usize| rest.as_bytes().get(at).map(u8::to_ascii_lowercase);
    if !(letter(0) == Some(b'y') || matches!((letter(0), letter(1)), (Some(b' ' | b'-'), Some(b'y' | b'j' | b'a')))) {
        return false;
    }
    let begins = |rest: &str, word: &str| {
        rest.as_bytes().get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
    };
    let ends = |word: &str| begins(rest, word) && !rest[word.len()..].starts_with(|c: char| c.is_alphanumeric());
    const WHOLE: [&str; 17] = [
        " years old",
        "-year-old",
        " year old",
        "-years-old",
        " year-old",
        " yrs old",
        " yr old",
        " y/o",
        "y/o",
        "yo",
        " yo",
        " y.o",
        "-yr-old",
        " years of age",
        " jahre alt",
        " jaar oud",
        " años de edad",
    ];
    const HALF: [(&str, &[&str]); 5] = [
        (" ans", &["ai", "a", "âgé de", "âgée de", "avait"]),
        (" años", &["tengo", "tiene", "cumplí", "cumple"]),
        (" anni", &["ho", "ha", "di"]),
        (" anos", &["tenho", "tem"]),
        (" jahre", &["bin", "ist", "werde"]),
    ];
    let said = |words: &[&str]| {
        let head = text[..start].trim_end_matches(' ');
        words.iter().any(|word| head.strip_suffix(word).is_some_and(|head| !head.ends_with(char::is_alphanumeric)))
    };
    WHOLE.iter().any(|word| ends(word)) || HALF.iter().any(|(word, before)| ends(word) && said(before))
}

/// Nothing stands behind that would be counted: `I am 34 minutes late`.
fn counts_nothing(rest: &str) -> bool {
    let mut chars = rest.chars();
    match chars.next() {
        None | Some(',' | ';' | '!' | '?' | ')' | '\n' | '"' | '\\') => true,
        Some('.') => !chars.next().is_some_and(|c| c.is_ascii_digit()),
        Some(' ') => ["and ", "years", "male", "female", "from ", "but ", "with ", "now", "today"]
            .iter()
            .any(|word| rest[1..].starts_with(word)),
        _ => false,
    }
}

/// A word for age right before.
fn said(head: &str) -> bool {
    const WORDS: [&str; 25] = [
        "he was",
        "she was",
        "when i was",
        "was only",
        "aged",
        "age",
        "age of",
        "age:",
        "age is",
        "\"age\":",
        "turned",
        "'ll turn",
        "will turn",
        "turning",
        "turns",
        "i am",
        "i'm",
        "im",
        "alter:",
        "âge:",
        "âge :",
        "edad:",
        "età:",
        "idade:",
        "leeftijd:",
    ];
    let head = head.trim_end_matches([' ', '"']);
    WORDS.iter().any(|word| {
        head.len() >= word.len()
            && head.is_char_boundary(head.len() - word.len())
            && head.as_bytes()[head.len() - word.len()..].eq_ignore_ascii_case(word.as_bytes())
            && (word.starts_with(['\'', '"'])
                || !head[..head.len() - word.len()].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}
