//! What stands before a number and says that an address is meant, and addresses that are nothing
//! without such words: post boxes, units, announced ones.
//!
//! Not here: streets with a type (`street`).
//!
//! Always: at most `BACK_MAX` words before a number are read.

use super::super::edge::said_before;
use super::lex::{Shape, Token, next, previous};
use super::street::{Line, Trust};
use super::words::{Class, Words};

const BACK_MAX: usize = 10;
const WINDOW_BYTES: usize = 32;

/// Words within a few of a number that make it a house number.
pub(super) const CUES: [&str; 38] = [
    "address",
    "located",
    "location",
    "lives at",
    "live at",
    "lives on",
    "living at",
    "live in",
    "reside",
    "apartments at",
    "property at",
    "ship to",
    "deliver",
    "send it to",
    "sent to",
    "send a new one to",
    "return to",
    "taxi to",
    "ride to",
    "drops you off at",
    "stop at",
    "meet me at",
    "meet you at",
    "office is at",
    "restaurant is at",
    "moved to",
    "station is on",
    "enter on",
    "north side of",
    "south side of",
    "street:",
    "adresse",
    "wohn",
    "anschrift",
    "dirección",
    "indirizzo",
    "adres",
    "endereço",
];

/// Words say so, or the number follows `at`.
pub(super) fn said(text: &str, at: usize) -> bool {
    let head = text[..at].trim_end_matches([' ', '"', '\'']);
    head == "at"
        || [" at", " on", "\nat", "At"].iter().any(|word| head.ends_with(word))
        || said_before(text, at, WINDOW_BYTES, &CUES)
}

/// The number at `at` begins a line.
pub(super) fn begins_line(text: &str, at: usize) -> bool {
    matches!(text[..at].trim_end_matches([' ', '"', '\'', '>']).chars().next_back(), None | Some('\n'))
}

/// A year of which something is told: `the 2008 Wall Street crash`.
pub(super) fn is_year(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let year = bytes.get(at..at + 4).is_some_and(|four| {
        matches!(four, [b'1', b'8' | b'9', ..] | [b'2', b'0', ..]) && four.iter().all(u8::is_ascii_digit)
    });
    let alone = !bytes.get(at + 4).is_some_and(u8::is_ascii_digit);
    let told = |word: &&str| -> bool {
        let head = text[..at].trim_end_matches(' ');
        head.len() >= word.len() && head.as_bytes()[head.len() - word.len()..].eq_ignore_ascii_case(word.as_bytes())
    };
    year && alone && [" the", " in", " of", " a", "the", "in", "since", "during", "from", ","].iter().any(told)
}

/// `P.O. Box 211`, `Postfach 1234`, `PSC 5420, Box 2708\nAPO AA 33879`.
pub(super) fn post_box(text: &str, words: &Words, last: Token, number: usize) -> Option<Line> {
    if last.shape != Shape::Word {
        return None;
    }
    let end = next(text, words, number).end;
    let line = |start: usize| Some(Line { start, end, trust: Trust::Sure, lower: false });
    let raw = last.raw(text);
    if ["postfach", "postbus", "postbox", "postboks", "apartado"].iter().any(|name| raw.eq_ignore_ascii_case(name)) {
        return line(last.start);
    }
    if raw.eq_ignore_ascii_case("box") {
        let before = previous(text, words, last.start)?;
        let post = before.raw(text).to_ascii_lowercase();
        let office = matches!(&*post, "p.o." | "po" | "p.o" | "office" | "pob");
        if office {
            return line(before.start);
        }
        // The box of a unit abroad.
        let unit = previous(text, words, before.start).filter(|_| before.shape == Shape::Number)?;
        let named = ["unit", "psc", "cmr"].iter().any(|name| unit.raw(text).eq_ignore_ascii_case(name));
        return if named { line(unit.start) } else { None };
    }
    military(text, words, last, end)
}

/// `USNS Botolen\nFPO AE 12382`: the name of the ship and the post office.
fn military(text: &str, words: &Words, region: Token, end: usize) -> Option<Line> {
    let is = |token: Token, names: &[&str]| names.iter().any(|name| token.raw(text).eq_ignore_ascii_case(name));
    if !is(region, &["AA", "AE", "AP"]) {
        return None;
    }
    let office = previous(text, words, region.start)?;
    if !is(office, &["APO", "FPO", "DPO"]) {
        return None;
    }
    let head = text[..office.start].trim_end_matches(['\n', '\r', ' ', ',']);
    let from = head.rfind('\n').map_or(0, |at| at + 1).max(text.floor_char_boundary(head.len().saturating_sub(60)));
    let ship = ["USNS ", "USS ", "USNV ", "USCGC ", "usns ", "uss ", "usnv ", "uscgc "];
    let start = ship.iter().filter_map(|name| head[from..].rfind(name)).max().map_or(office.start, |at| from + at);
    Some(Line { start, end, trust: Trust::Sure, lower: false })
}

/// The line before `Apt. 405`: words and numbers, with at least one number.
pub(super) fn unit(text: &str, words: &Words, unit: Token, number: usize) -> Option<Line> {
    if !unit.is(Class::UNIT) {
        return None;
    }
    let known = ["apt", "apartment", "suite", "ste", "unit", "flat"];
    let raw = unit.raw(text).trim_end_matches('.');
    if !known.iter().any(|name| raw.eq_ignore_ascii_case(name)) {
        return None;
    }
    let end = next(text, words, number).end;
    let head = text[..unit.start].trim_end_matches(['\n', '\r', ' ', '\t', ',', '>', '?', '|']);
    let (start, names) = walk(text, words, head.len());
    let begins = text[start..].starts_with(|c: char| c.is_ascii_digit()) && super::clean_before(text, start);
    (names > 0 && begins).then_some(Line {
        start,
        end,
        trust: Trust::Plain,
        lower: text[start..end].bytes().all(|byte| !byte.is_ascii_uppercase()),
    })
}

/// Goes left over names and numbers; returns the leftmost number (or `end`) and the names passed.
fn walk(text: &str, words: &Words, end: usize) -> (usize, usize) {
    let (mut at, mut start, mut names, mut passed) = (end, end, 0, 0);
    for _ in 0..BACK_MAX {
        let Some(token) = previous(text, words, at) else { break };
        let number = token.shape == Shape::Number && token.end - token.start <= 6;
        let word = token.shape == Shape::Word && !token.is(Class::STOP) && (token.capital || names < 4);
        if !number && !word && !token.is_name() {
            break;
        }
        names += usize::from(!number);
        if number {
            (start, passed) = (token.start, names);
        }
        at = token.start;
    }
    (start, passed)
}

/// Behind words that announce an address: a number, capital words, perhaps a number.
pub(super) fn announced(text: &str, words: &Words, number: usize) -> Option<Line> {
    let house = next(text, words, number);
    let first = next(text, words, house.end);
    let box_number = first.raw(text).eq_ignore_ascii_case("box");
    let named = first.shape == Shape::Number || first.is_name() && first.capital && !box_number;
    if house.shape != Shape::Number || !named || !said_before(text, house.start, WINDOW_BYTES, &CUES) {
        return None;
    }
    let (mut end, mut names, mut at) = (house.end, 0, house.end);
    for _ in 0..BACK_MAX {
        let token = next(text, words, at);
        let short = token.shape == Shape::Number && token.end - token.start <= 6;
        if !(token.is_name() && (names > 0 || token.capital) || short) {
            break;
        }
        at = token.end;
        if short || !token.is(Class::LINK) {
            end = token.end;
            names += usize::from(!short);
        }
    }
    let ends = matches!(next(text, words, end).shape, Shape::Comma | Shape::Break | Shape::Other | Shape::Hash)
        || next(text, words, end).is(Class::UNIT);
    (names > 0 && ends).then_some(Line { start: house.start, end, trust: Trust::Cued, lower: false })
}

/// Behind words that announce an address: capital words, then the number.
pub(super) fn announced_name(text: &str, words: &Words, last: Token, number: usize) -> Option<Line> {
    if !last.is_name() || !last.capital {
        return None;
    }
    let house = next(text, words, number);
    if house.shape != Shape::Number || !(2..=6).contains(&(house.end - house.start)) {
        return None;
    }
    let (mut start, mut names) = (number, 0);
    for _ in 0..4 {
        let Some(token) = previous(text, words, start) else { break };
        let other = token.is(Class::UNIT.or(Class::WEAK_TYPE).or(Class::ROAD).or(Class::LAND));
        if !(token.is_name() && token.capital) || other {
            break;
        }
        (start, names) = (token.start, names + 1);
    }
    let over = !matches!(next(text, words, house.end).shape, Shape::Word | Shape::Number | Shape::Mixed);
    let document =
        ["RFC", "ISO", "IEEE", "PEP", "ICU", "BCP", "CVE"].iter().any(|name| text[start..number].contains(name));
    let glued = text[..start].ends_with('_');
    let said = names > 0 && over && !document && !glued && said_before(text, start, WINDOW_BYTES, &CUES);
    said.then_some(Line { start, end: house.end, trust: Trust::Cued, lower: false })
}

/// The start with what belongs to an address on its left: a number more (`846 31 Rue`, `27 - 31`),
/// a flat, a post box, `the corner of`.
pub(super) fn left(text: &str, words: &Words, line: usize) -> usize {
    let mut start = line;
    let dash = text[..start].strip_suffix("- ").filter(|head| head.ends_with(' ')).map_or(start, str::len);
    let last = previous(text, words, line);
    let before = if dash == line { last } else { previous(text, words, dash) };
    if let Some(number) = before.filter(|token| token.shape == Shape::Number) {
        if number.end - number.start <= 6 && super::clean_before(text, number.start) && number.end + 1 == dash {
            start = number.start;
        }
        let unit = previous(text, words, number.start).filter(|token| token.is(Class::UNIT) && token.capital);
        if let Some(unit) = unit {
            start = unit.start;
        }
    }
    if let Some(post) = last.and_then(|last| post_box(text, words, last, line)) {
        start = start.min(post.start);
    }
    let head = &text[..start];
    let corner = head.strip_suffix("corner of ").map(|head| head.strip_suffix("the ").unwrap_or(head));
    corner.map_or(start, str::len)
}

/// The end of `… and Waechter Turnpike` behind the first street of a corner that begins at `start`.
pub(super) fn corner(text: &str, words: &Words, start: usize, end: usize) -> usize {
    if !text[start..end].contains("corner of ") {
        return end;
    }
    let and = next(text, words, end + usize::from(text[end..].starts_with(". and ")));
    if and.raw(text) != "and" {
        return end;
    }
    let (mut at, mut last) = (and.end, end);
    for _ in 0..5 {
        let token = next(text, words, at);
        let number = token.shape == Shape::Number;
        if !token.is_name() && !number {
            break;
        }
        at = token.end;
        if number || token.is(Class::TYPE.or(Class::WEAK_TYPE)) || token.capital {
            last = token.end;
        }
    }
    last
}
