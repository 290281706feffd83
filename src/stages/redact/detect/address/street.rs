//! The line of a street address: house number and street, in the order of either half of the world.
//!
//! Not here: what follows it (`tail`), what must stand before it when it is doubtful (`cue`).
//!
//! Always: at most `NAME_WORDS_MAX` words around one number are read.

use super::lex::{Shape, Token, next, previous};
use super::words::{Class, Words, is_compound, is_other_thing};

const NAME_WORDS_MAX: usize = 6;

/// How much a line looks like an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trust {
    /// None: an everyday phrase.
    None,
    /// Only where something near says that an address is meant.
    Cued,
    Plain,
    Sure,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) trust: Trust,
    /// Somebody who writes without capitals.
    pub(super) lower: bool,
}

/// `12 Baker Street`, `6 rue Gustave Charpentier`, `101 Highway 1`: the number at `start` first.
pub(super) fn forward(text: &str, words: &Words, start: usize) -> Option<Line> {
    let house = next(text, words, start);
    if house.shape != Shape::Number || house.end - house.start > 12 {
        return None;
    }
    let mut first = next(text, words, house.end);
    // `28 bis`, `5 B`: the letter is a part of the number only if a street follows.
    if first.shape == Shape::Word && matches!(&text[first.start..first.end], "bis" | "ter") {
        first = next(text, words, first.end);
    }
    let comma = first.shape == Shape::Comma;
    let head = if comma { next(text, words, first.end) } else { first };
    let prefixed = || prefix_first(text, words, house, head);
    if comma {
        return prefixed();
    }
    numbered_road(text, words, house, first).or_else(|| type_last(text, words, house, first)).or_else(prefixed)
}

fn digits(house: Token) -> usize {
    house.end - house.start
}

/// `101 Highway 1`, `104 N. Ave 56`.
fn numbered_road(text: &str, words: &Words, house: Token, first: Token) -> Option<Line> {
    let mut road = first;
    for _ in 0..3 {
        let more = road.is(Class::DIRECTION) || matches!(road.raw(text), "US" | "State" | "County" | "Old");
        if !more || road.shape != Shape::Word {
            break;
        }
        road = next(text, words, road.end);
    }
    let avenue = road.raw(text).trim_end_matches('.').eq_ignore_ascii_case("ave") && road.start != first.start;
    let number = next(text, words, road.end);
    let fits = road.shape == Shape::Word && (road.is(Class::ROAD) || avenue) && number.shape == Shape::Number;
    let short = number.end - number.start <= 4;
    (fits && short && road.capital).then_some(Line {
        start: house.start,
        end: number.end,
        trust: Trust::Sure,
        lower: false,
    })
}

/// Number, name, type: `12 Baker Street`, `2455 bennett valley road`, `1414 6th Avenue`.
fn type_last(text: &str, words: &Words, house: Token, first: Token) -> Option<Line> {
    let (mut token, mut before) = (first, None::<Token>);
    let (mut names, mut capitals, mut proper) = (0, 0, 0);
    let mut best = None;
    for _ in 0..=NAME_WORDS_MAX {
        let word = token.shape == Shape::Word;
        if word && names > 0 && token.is(Class::TYPE.or(Class::WEAK_TYPE)) {
            let named =
                before.is_some_and(|before| !is_other_thing(before.raw(text), token.raw(text).trim_end_matches('.')));
            if named && proper > 0 {
                best = Some(finish(text, words, house, token, capitals));
            }
        }
        let initial = word && token.end - token.start == 1;
        // `the` begins some names; every other function word ends the line.
        let letter = initial && (token.capital && names > 0 || kind_follows(text, words, token));
        let stop = token.is(Class::STOP) && !token.is(Class::LINK) && !letter;
        let inner = token.shape == Shape::Number && names > 0 && kind_follows(text, words, token);
        let fits = (word && !stop) || matches!(token.shape, Shape::Ordinal | Shape::Mixed) || inner;
        if !fits {
            break;
        }
        names += 1;
        capitals += usize::from(token.capital);
        let own = !token.is(Class::UNIT.or(Class::LINK).or(Class::STATE)) || token.capital || initial;
        proper += usize::from(own);
        before = Some(token);
        // A full stop that ends no short word ends the sentence: `Token::end` lies before it.
        token = next(text, words, token.end);
    }
    best
}

fn kind_follows(text: &str, words: &Words, token: Token) -> bool {
    let next = next(text, words, token.end);
    next.shape == Shape::Word && next.is(Class::TYPE.or(Class::WEAK_TYPE))
}

/// The line that ends with the street type `kind` and a direction behind it.
fn finish(text: &str, words: &Words, house: Token, kind: Token, capitals: usize) -> Line {
    let after = next(text, words, kind.end);
    let short = after.end - after.start <= 3;
    let upper = after.raw(text).bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'.');
    let direction = after.shape == Shape::Word && after.is(Class::DIRECTION) && (!short || upper);
    let end = if direction { after.end } else { kind.end };
    let strong = kind.is(Class::TYPE);
    let capital = capitals > 0 && (strong || kind.capital);
    let usual = ["drive", "lane", "way", "place", "court", "terrace", "crescent"]
        .iter()
        .any(|usual| kind.raw(text).eq_ignore_ascii_case(usual));
    // `10 great road trips`: without capitals something must show that the name is over.
    let over = after.shape != Shape::Word || after.is(Class::STOP.or(Class::UNIT).or(Class::DIRECTION));
    let title = after.shape == Shape::Word && after.capital && !direction;
    let trust = match (strong, capital) {
        (true, true) => Trust::Sure,
        (false, true) if digits(house) >= 2 || usual && !title => Trust::Plain,
        (true, false) if digits(house) >= 2 && over => Trust::Plain,
        // `1024 bit DSA keys`: who writes capitals writes them in the type, too.
        (false, false) if digits(house) >= 4 && over && capitals == 0 => Trust::Plain,
        _ if !over && capitals == 0 => Trust::None,
        _ => Trust::Cued,
    };
    // `219 Texas Street C`.
    let rest = next(text, words, end);
    let beyond = next(text, words, rest.end);
    let letter = rest.shape == Shape::Word && rest.end - rest.start == 1 && rest.capital && capital;
    let lettered = letter && !rest.is(Class::DIRECTION) && (beyond.shape != Shape::Word || beyond.is(Class::STOP));
    let end = if lettered && rest.raw(text) != "I" { rest.end } else { end };
    Line { start: house.start, end, trust, lower: capitals == 0 }
}

/// Number, type, name: `6 rue Gustave Charpentier`, `28bis Avenue Corentin Cariou`.
fn prefix_first(text: &str, words: &Words, house: Token, kind: Token) -> Option<Line> {
    let skip = |kind: Token, is: bool| if is { next(text, words, kind.end) } else { kind };
    let kind = skip(kind, kind.shape == Shape::Word && kind.is(Class::DIRECTION) && kind.end - kind.start > 2);
    let article = kind.shape == Shape::Word && matches!(kind.raw(text), "El" | "The" | "el" | "the");
    let kind = skip(kind, article);
    let prefix = kind.shape == Shape::Word && kind.is(Class::PREFIX.or(Class::WEAK_PREFIX));
    // `23 av`: short types need their full stop or a capital.
    let clear = !kind.is(Class::SHORT) || kind.capital || kind.raw(text).ends_with('.');
    // `os. Tysiąclecia 12` has its number behind; `0, os.path` is a program.
    let number_last = kind.raw(text).trim_end_matches('.').eq_ignore_ascii_case("os");
    if !prefix || !clear || number_last || kind.raw(text).len() < 2 {
        return None;
    }
    let strong = kind.is(Class::PREFIX);
    let (end, capitals, count) = name(text, words, kind.end, true);
    let own_name =
        (kind.capital || article) && matches!(&*kind.raw(text).to_ascii_lowercase(), "alameda" | "embarcadero");
    if count == 0 && !own_name {
        return None;
    }
    let end = if count == 0 { kind.end } else { end };
    // `11 Via Mameli 149`: the house behind the name after all.
    let second = next(text, words, end);
    let end = if second.shape == Shape::Number && second.end - second.start <= 4 { second.end } else { end };
    let trust = match (strong, capitals > 0 || own_name) {
        (true, true) => Trust::Sure,
        (true, false) => Trust::Plain,
        (false, true) if digits(house) >= 2 => Trust::Plain,
        _ => Trust::Cued,
    };
    Some(Line { start: house.start, end, trust, lower: capitals == 0 && !kind.capital })
}

/// The words of a name from `at`: its end, how many are capital, how many there are. Without
/// capitals the name ends after two words, since nothing else shows its end.
fn name(text: &str, words: &Words, at: usize, lower_too: bool) -> (usize, usize, usize) {
    let (mut end, mut capitals, mut count, mut from) = (at, 0, 0, at);
    for place in 0..NAME_WORDS_MAX {
        let token = next(text, words, from);
        let lower = lower_too && capitals == 0 && place < 3 && token.shape == Shape::Word && !token.is(Class::STOP);
        if !token.is_name() && !lower {
            break;
        }
        from = token.end;
        // A link never ends a name.
        if !token.is(Class::LINK) || token.capital {
            end = token.end;
            count += 1;
            capitals += usize::from(token.capital);
        }
        if text[..token.end].ends_with('.') && token.end - token.start > 3 {
            break;
        }
    }
    (end, capitals, count)
}

/// `Hauptstraße 5`, `Villacher Strasse 89`, `Calle Mayor 12`: the word `last`, then the number.
pub(super) fn backward(text: &str, words: &Words, last: Token, number: usize) -> Option<Line> {
    if last.shape != Shape::Word {
        return None;
    }
    let house = next(text, words, number);
    if house.shape != Shape::Number || house.end - house.start > 8 {
        return None;
    }
    let line = |start: usize, trust: Trust| Line { start, end: house.end, trust, lower: false };
    if is_compound(last.raw(text)) {
        let start = qualifier(text, words, last.start);
        let abbreviated = last.raw(text).ends_with("str.");
        let trust =
            if last.capital && (abbreviated || long_ending(last.raw(text))) { Trust::Sure } else { Trust::Cued };
        return Some(line(start, if start < last.start { Trust::Sure } else { trust }));
    }
    if last.is(Class::MIDDLE) {
        let before = previous(text, words, last.start).filter(|token| token.is_name() && token.capital);
        let clear = !last.is(Class::SHORT) || last.raw(text).ends_with('.');
        if let Some(before) = before.filter(|_| clear) {
            let ring =
                matches!(&*last.raw(text).to_lowercase(), "ring" | "gate" | "tie" | "tee" | "u" | "damm" | "plein");
            return Some(line(qualifier(text, words, before.start), if ring { Trust::Cued } else { Trust::Sure }));
        }
    }
    let mut token = last;
    for count in 0..NAME_WORDS_MAX {
        let prefix = token.is(Class::PREFIX.or(Class::WEAK_PREFIX));
        let clear = !token.is(Class::SHORT) || token.raw(text).ends_with('.');
        if count > 0 && prefix && clear && token.capital | token.is(Class::PREFIX) && token.raw(text).len() > 1 {
            // `via` and a name is Italian only with a capital; English runs `via` something too.
            let via = token.raw(text).eq_ignore_ascii_case("via") && !token.capital;
            let trust = match token.is(Class::PREFIX) {
                _ if via => Trust::None,
                true => Trust::Sure,
                false => Trust::Cued,
            };
            return Some(line(token.start, trust));
        }
        if !token.is_name() {
            return None;
        }
        token = previous(text, words, token.start).filter(|token| token.shape == Shape::Word)?;
    }
    None
}

/// Endings that no other word of these languages has.
fn long_ending(word: &str) -> bool {
    let word = word.to_lowercase();
    ["straße", "strasse", "straat", "gasse", "allee", "chaussee", "gracht", "gatan", "vägen", "stræti", "platz", "weg"]
        .iter()
        .any(|ending| word.ends_with(ending))
}

/// Capital words before a street name on the same line that belong to it: `Karl-Marx Alte Allee`.
fn qualifier(text: &str, words: &Words, mut start: usize) -> usize {
    for _ in 0..2 {
        let before = previous(text, words, start);
        let joined = text[..start].ends_with(' ') && !text[..start].ends_with(", ");
        match before.filter(|token| token.is_name() && token.capital && !token.is(Class::LINK) && joined) {
            Some(token) => start = token.start,
            None => break,
        }
    }
    start
}
