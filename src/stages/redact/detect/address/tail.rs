//! What follows the line of a street: unit, town, state, postal code, country.
//!
//! Not here: the line itself (`street`), postal codes on their own (`postcode`).
//!
//! Always: at most `TOKENS_MAX` tokens are read; the end moves only to where a part is complete, so
//! a sentence that goes on is left alone.

use super::lex::{Shape, Token, next};
use super::postcode;
use super::words::{Class, Words};

const TOKENS_MAX: usize = 28;
const LINES_MAX: usize = 6;

struct Tail<'a> {
    text: &'a str,
    words: &'a Words,
    /// Written without capitals so far: towns may be too.
    lower: bool,
    /// The last place where a part was complete.
    end: usize,
    /// Capital words since the last comma, line end or number.
    names: usize,
    breaks: usize,
    /// The last separator.
    since: Shape,
    /// The last part was a unit: a town may follow without a comma.
    unit: bool,
    /// A unit was seen: lines of names below it are town and country.
    block: bool,
}

/// The end of the address whose line ends at `end`; `unit_last` if it ends with a unit.
pub(super) fn extend(text: &str, words: &Words, end: usize, lower: bool, unit_last: bool) -> usize {
    let since = if unit_last { Shape::Number } else { Shape::Other };
    let (unit, block) = (unit_last, unit_last);
    let mut tail = Tail { text, words, lower, end, names: 0, breaks: 0, since, unit, block };
    // `Rákóczi út 66. Apt. 268`: an ordinal's full stop, if the address goes on.
    let dot = end + usize::from(text[end..].starts_with('.'));
    let goes_on = dot > end && (self::unit(text, words, dot).is_some() || next(text, words, dot).shape == Shape::Break);
    let mut at = if goes_on { dot } else { end };
    for _ in 0..TOKENS_MAX {
        match tail.step(at) {
            Some(next) => at = next,
            None => break,
        }
    }
    tail.end
}

impl Tail<'_> {
    /// Reads one part at `at` and returns where the next begins.
    fn step(&mut self, at: usize) -> Option<usize> {
        if let Some(end) = unit(self.text, self.words, at) {
            (self.unit, self.block) = (true, true);
            return Some(self.done(end, Shape::Number));
        }
        let token = next(self.text, self.words, at);
        if let Some(end) = postcode::lettered(self.text, token.start) {
            return Some(self.done(end, Shape::Number));
        }
        match token.shape {
            Shape::Comma => self.separated(token),
            Shape::Break if self.breaks < LINES_MAX => {
                self.breaks += 1;
                self.separated(token)
            }
            Shape::Number => self.number(token),
            Shape::Word => self.word(token),
            // `Delhi - Ajmer`: no; the rest ends an address too.
            _ => None,
        }
    }

    fn done(&mut self, end: usize, since: Shape) -> usize {
        (self.end, self.names, self.since) = (end, 0, since);
        end
    }

    fn separated(&mut self, token: Token) -> Option<usize> {
        (self.names, self.since, self.unit) = (0, token.shape, false);
        Some(token.end)
    }

    /// A postal code: behind a name, or first on its line with a town or nothing behind it.
    fn number(&mut self, token: Token) -> Option<usize> {
        let raw = token.raw(self.text);
        let digits = raw.bytes().take_while(u8::is_ascii_digit).count();
        let after = next(self.text, self.words, token.end);
        if !(3..=7).contains(&digits) {
            // A state in figures: `Hania, 43 73313`. Other short numbers end the address.
            let state = self.since == Shape::Comma && matches!(after.shape, Shape::Number | Shape::Break);
            self.names = 1;
            return state.then_some(token.end);
        }
        let alone = matches!(after.shape, Shape::Break | Shape::Other | Shape::Comma);
        let behind_name = self.names > 0
            || self.since == Shape::Break && self.breaks > 1 && digits >= 4
            || self.since == Shape::Number && self.end < token.start;
        if behind_name || alone {
            // Swedish and Czech codes have a space: `340 12`.
            let two = digits == 3 && after.shape == Shape::Number && after.end - after.start == 2;
            let end = if two { after.end } else { token.end };
            return Some(self.done(end, Shape::Number));
        }
        // `10115 Berlin`: complete with the town.
        let town = matches!(digits, 4 | 5) && after.shape == Shape::Word && after.capital && !after.is(Class::STOP);
        town.then(|| self.done(after.end, Shape::Number))
    }

    fn word(&mut self, token: Token) -> Option<usize> {
        let raw = token.raw(self.text);
        let after = next(self.text, self.words, token.end);
        let short = raw.len() <= 3 && raw.len() >= 2;
        let below = next(self.text, self.words, after.end);
        let coded = short && self.since == Shape::Comma && after.shape == Shape::Break && below.shape == Shape::Number;
        if coded && below.end - below.start >= 4 {
            self.names += 1;
            return Some(token.end);
        }
        // A state before its code, in any case: `salem, or 97301`.
        if short && self.since == Shape::Comma && after.shape == Shape::Number && after.end - after.start >= 4 {
            self.names += 1;
            return Some(token.end);
        }
        let of = raw == "of" && self.since == Shape::Comma && self.names > 0;
        let link = token.is(Class::LINK) && self.names > 0 || of;
        let state = token.is(Class::STATE) && short && raw.bytes().all(|byte| byte.is_ascii_uppercase());
        let stop = token.is(Class::STOP) && !of && !(state && (self.names > 0 || self.since == Shape::Comma));
        if !(token.capital || link || self.lower) || stop {
            return None;
        }
        // A label of something else: `Mobile: …`.
        if self.text[token.end..].trim_start_matches(' ').starts_with([':', '@', '/', '=']) {
            return None;
        }
        self.names += usize::from(!link || token.capital);
        if self.names > 4 {
            return None;
        }
        if self.complete(token, after, state) {
            (self.end, self.unit) = (token.end, false);
        }
        Some(token.end)
    }

    /// The address may end with this word.
    fn complete(&self, token: Token, after: Token, state: bool) -> bool {
        let boundary = matches!(after.shape, Shape::Other | Shape::Comma | Shape::Break);
        // `(` behind a name is not the end of a part.
        let bracket = self.text[token.end..].trim_start_matches(' ').starts_with('(');
        let goes_on = after.shape == Shape::Word
            && matches!(after.raw(self.text), "and" | "or" | "for" | "if" | "but" | "costing");
        let town = match self.since {
            Shape::Comma => boundary || goes_on,
            Shape::Number => self.unit && boundary && token.capital,
            Shape::Break => self.block && boundary && token.capital && self.names <= 3,
            _ => false,
        };
        let land = token.is(Class::LAND) && self.since != Shape::Other;
        let stated = state && (self.names > 1 || self.since != Shape::Other);
        land || stated || town && !bracket
    }
}

/// The end of `Apt. 5`, `# D134`, `Suite 503`, `2nd Floor`, `b201` at `at`, a comma or a line end
/// before it included.
pub(super) fn unit(text: &str, words: &Words, at: usize) -> Option<usize> {
    let mut token = next(text, words, at);
    let mut far = false;
    if matches!(token.shape, Shape::Comma | Shape::Break) {
        far = token.shape == Shape::Break;
        token = next(text, words, token.end);
    }
    let id = |token: Token| {
        let letter = token.shape == Shape::Word && token.end - token.start == 1 && token.capital;
        let short = token.end - token.start <= 6;
        (short && (letter || matches!(token.shape, Shape::Number | Shape::Mixed))).then_some(token.end)
    };
    match token.shape {
        Shape::Hash => {
            let number = next(text, words, token.end);
            let letter = number.shape == Shape::Word && number.end - number.start == 1;
            id(number).or(letter.then_some(number.end))
        }
        Shape::Word if token.is(Class::UNIT) => {
            let mut number = next(text, words, token.end);
            if number.shape == Shape::Hash {
                number = next(text, words, number.end);
            }
            id(number)
        }
        Shape::Ordinal => {
            let floor = next(text, words, token.end);
            let is_floor = floor.is(Class::UNIT) && floor.raw(text).to_ascii_lowercase().starts_with("fl");
            is_floor.then_some(floor.end)
        }
        // `3468 Mount Diablo Boulevard b201`.
        Shape::Mixed if !far => (token.end - token.start <= 5 && token.raw(text).len() >= 2).then_some(token.end),
        _ => None,
    }
}
