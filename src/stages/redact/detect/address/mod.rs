//! Street addresses and postal codes, by rules: a number, the words around it, and what they are.
//!
//! Not here: names of towns and countries on their own, streets without a number.
//!
//! Always: nothing is read before a digit is found; the work around one number is bounded; a
//! number that somebody only counts or pays with (`5 drives`, `$20`, `10:30`) is no house.

mod cue;
mod lex;
mod postcode;
mod street;
mod tail;
mod words;

use super::edge::{escape_before, glued_before};
use super::numbers::{Run, Sep};
use super::{Kind, Rule, Span};
use street::{Line, Trust};
use words::Words;

pub(super) static RULES: [&Rule; 10] = [
    &STREET,
    &STREET_FIRST,
    &UNIT,
    &BOX,
    &CUED,
    &postcode::BRITISH,
    &postcode::CANADIAN,
    &postcode::DUTCH,
    &postcode::LABELLED,
    &postcode::STATE_ZIP,
];

const STREET: Rule = Rule {
    id: "address.number_street",
    version: 2,
    kind: Kind::Address,
    country: "",
    score: 0.85,
    check: "a house number, a name and a street type; everyday words need a capital, a long number or a cue",
    context: &cue::CUES,
    source: "USPS publication 28, Royal Mail, La Poste",
    finds: &[
        "It is at ‹2516 5th Avenue, Suite 4, Springfield, IL 62704›.",
        "‹101 Highway 1› is closed",
        "come to ‹45 Park Lane› tonight",
        "i live at ‹2455 oak valley road # b12›",
        "‹6 Rue de la Paix, 75002 Paris› is nice",
        "‹10 Downing Street, London SW1A 2AA›.",
        "‹7 Mill Rd, Toronto, Ontario M9W 5E7, Canada›!",
        "Ship to ‹12 Elm St\nSalem, OR 97301›",
    ],
    passes: &[
        "a 5 minute drive",
        "10 road trips",
        "it works 2 ways",
        "in 3 court cases",
        "a 4 lane highway",
        "2 way street",
        "the 2008 Wall Street crash",
        "a 500 GB Hard Drive",
        "2 Supreme Court judges",
        "$20 Main Street gift",
        "at 10:30 Main Street closes",
        "3.5 Miles Road",
        "5 of the street",
        "10 people on the road",
        "about 300 feet down the road",
        "sys.path.insert(0, os.path.dirname(name))",
        "posix.preadv(fd, buf, 3, os.RWF_HIPRI)",
        "supports only 1024 bit DSA keys.",
    ],
};

const STREET_FIRST: Rule = Rule {
    id: "address.street_number",
    check: "a street type or a compound street name, then a house number",
    source: "Deutsche Post, Poste Italiane, Correos, PostNL",
    finds: &[
        "Treffen wir uns in der ‹Hauptstraße 5, 10115 Berlin›.",
        "‹Villacher Strasse 89›",
        "vive en ‹Calle Mayor 12, 28013 Madrid›.",
        "‹Via Garibaldi 131›",
        "‹Keizersgracht 174›",
        "‹ul. Długa 7›",
    ],
    passes: &["string 5", "a decade 5", "Weg 5", "via Python 3", "Gate 23", "Route 66", "Platz 3 im Rennen"],
    ..STREET
};

const UNIT: Rule = Rule {
    id: "address.unit",
    score: 0.7,
    check: "an apartment or suite number behind a number and a name",
    finds: &["‹78 Rahu 37 Apt. 405›"],
    passes: &["Apt. 405", "see apt 2.4", "we met at Suite 5"],
    ..STREET
};

const BOX: Rule = Rule {
    id: "address.po_box",
    score: 0.85,
    check: "a post office box, or a military box with its post office",
    source: "USPS publication 28",
    finds: &[
        "write to ‹P.O. Box 211, Salem, OR 97301›.",
        "‹PO Box 12›",
        "‹Postfach 1234›",
        "‹PSC 5420, Box 2708\nAPO AA 33879›",
        "‹Unit 1009 Box 0219\nDPO AP 51065›",
        "‹USNS Botolen\nFPO AE 12382›",
    ],
    passes: &["Box 5", "X box 360", "a box 12 high"],
    ..STREET
};

const CUED: Rule = Rule {
    id: "address.cued",
    score: 0.6,
    check: "a number and capital words behind words that announce an address",
    finds: &[
        "Address: ‹22 Eriksbo Gard›",
        "She lives at ‹84 Bakkavör›.",
        "he lives on the north side of ‹Joaquin Suarez 2906›.",
    ],
    passes: &[
        "lives at 5 am",
        "the address is 5 bytes",
        "meet me at 10 PM Monday",
        "meet me at Gate 23",
        "located in Suite 55",
        "e-mail addresses are defined by RFC 5321.",
        "X509_V_ERR_IP_ADDRESS_MISMATCH 64",
    ],
    ..STREET
};

#[derive(Debug)]
pub(super) struct Addresses {
    words: Words,
}

/// House, unit and road have numbers: `5 1201 101 Highway`.
const NUMBERS_MAX: usize = 6;

/// Where the last address of a text ends: numbers inside it are not looked at again.
#[derive(Default)]
pub(super) struct Seen {
    end: usize,
}

impl Addresses {
    pub(super) fn new() -> Addresses {
        Addresses { words: Words::new() }
    }

    pub(super) fn postcodes(&self, text: &str, runs: &[Run], out: &mut Vec<Span>) {
        postcode::find(text, runs, out);
    }

    /// Reports the address around a cluster of digits.
    pub(super) fn find(&self, text: &str, runs: &[Run], seen: &mut Seen, out: &mut Vec<Span>) {
        // In a table of numbers only the last ones have words behind them.
        let (table, last) = (runs.len().saturating_sub(NUMBERS_MAX), runs.len());
        for (place, run) in runs.iter().enumerate().filter(|(place, _)| *place == 0 || (table..last).contains(place)) {
            // A number inside `123-01` begins no address of its own.
            if run.start < seen.end || run.digits() > 6 || (place > 0 && run.sep != Sep::Space && run.sep != Sep::Loose)
            {
                continue;
            }
            let (ahead, behind) = beside(text.as_bytes(), run);
            let behind = behind && place == 0;
            if !(ahead || behind) || !clean_before(text, run.start) {
                continue;
            }
            let found = self.around(text, run.start, ahead, behind);
            if let Some(span) = found {
                seen.end = span.end_byte as usize;
                out.push(span);
            }
        }
    }

    /// The address with the house number at `number`: words ahead of it, words behind it.
    fn around(&self, text: &str, number: usize, ahead: bool, behind: bool) -> Option<Span> {
        let words = &self.words;
        let forward = || street::forward(text, words, number).filter(|line| self.trusted(text, line));
        if let Some(line) = ahead.then(forward).flatten() {
            return Some(self.finish(text, line, &STREET));
        }
        let last = behind.then(|| lex::previous(text, words, number)).flatten();
        if let Some(last) = last {
            if let Some(line) = street::backward(text, words, last, number).filter(|line| self.trusted(text, line)) {
                return Some(self.finish(text, line, &STREET_FIRST));
            }
            if let Some(line) = cue::post_box(text, words, last, number) {
                return Some(self.finish(text, line, &BOX));
            }
        }
        if let Some(line) = last.and_then(|last| cue::unit(text, words, last, number)) {
            return Some(self.finish(text, line, &UNIT));
        }
        let named = || last.and_then(|last| cue::announced_name(text, words, last, number));
        let line = ahead.then(|| cue::announced(text, words, number)).flatten().or_else(named)?;
        Some(self.finish(text, line, &CUED))
    }

    fn trusted(&self, text: &str, line: &Line) -> bool {
        let followed = || {
            let end = tail::extend(text, &self.words, line.end, line.lower, false);
            // More than a town: a unit or a code.
            text[line.end..end].bytes().any(|byte| byte.is_ascii_digit())
        };
        match line.trust {
            Trust::None => false,
            Trust::Sure => !cue::is_year(text, line.start),
            Trust::Plain => !cue::is_year(text, line.start) || cue::said(text, line.start),
            Trust::Cued => {
                cue::said(text, line.start)
                    || !line.lower
                        && (cue::begins_line(text, line.start) || cue::left(text, &self.words, line.start) < line.start)
                    || followed()
            }
        }
    }

    fn finish(&self, text: &str, line: Line, rule: &Rule) -> Span {
        let unit_last = rule.id == UNIT.id;
        let end = tail::extend(text, &self.words, line.end, line.lower, unit_last);
        let start = cue::left(text, &self.words, line.start);
        rule.at(start, cue::corner(text, &self.words, start, end))
    }
}

/// Whether a street may follow the number and whether one may stand before it, by single bytes:
/// nearly all numbers end here.
fn beside(bytes: &[u8], run: &Run) -> (bool, bool) {
    let word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    let ahead = match bytes.get(run.end) {
        Some(b' ') => word(bytes.get(run.end + 1)),
        Some(b',') => bytes.get(run.end + 1) == Some(&b' '),
        // `5B`, `28bis`, `28-30`, `3/45`, `27 - 31`.
        Some(byte) => byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'/'),
        None => false,
    };
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'.' | b',');
    let behind = matches!(&bytes[..run.start], [.., before, b' '] if letter(*before));
    (ahead, behind)
}

/// What stands right before a house number: nothing that makes it a price, a time, a part of an
/// identifier or of a longer number.
fn clean_before(text: &str, at: usize) -> bool {
    if glued_before(text, at) && !escape_before(text, at) {
        return false;
    }
    let mut back = text[..at].chars().rev();
    match back.next() {
        None => true,
        // A sentence that ends without a space behind it.
        Some('.') => back.next().is_some_and(|c| !c.is_ascii_digit()),
        Some(',' | ':' | '-' | '+' | '/') => back.next().is_some_and(|c| !c.is_ascii_alphanumeric()),
        Some(c) => {
            !matches!(c, '$' | '€' | '£' | '¥' | '₹' | '=' | '%' | '&' | '@' | '\\' | '~' | '<' | '^')
                || escape_before(text, at)
        }
    }
}

#[cfg(test)]
mod tests;
