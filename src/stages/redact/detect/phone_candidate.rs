//! Decides whether one stretch of digits is a phone number.
//!
//! Not here: where stretches begin and end (`phone`), what stands around them (`phone_edge`).
//!
//! Always: the library is asked last, after checks that cost next to nothing.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

use super::edge::{before, said_before};
use super::numbers::{Run, Sep};
use super::{Kind, Rule, Span};

pub(super) static RULES: [&Rule; 8] =
    [&INTERNATIONAL, &POSSIBLE, &NATIONAL, &SAID, &BARE, &AMERICAN_SHAPE, &IDD, &TOLD];

const INTERNATIONAL: Rule = Rule {
    id: "phone.international",
    version: 2,
    kind: Kind::Phone,
    country: "",
    score: 0.95,
    check: "valid by libphonenumber's metadata",
    context: &[],
    source: "ITU-T E.164, libphonenumber",
    finds: &["call ‹+44 20 7183 8750›", "‹+1 (202) 555-0173›"],
    passes: &["+1 2", "+12:34", "+1234567", "2015.62109E+299897596", "2*x + 2784375*y"],
};

const POSSIBLE: Rule = Rule {
    id: "phone.possible",
    score: 0.7,
    check: "a length that the country code has, ten digits or more",
    finds: &["‹+1 555 010 9999›"],
    passes: &["+999 12", "uk_75 + 2567649375*uk_76", "x*4 + 594843750000*p"],
    ..INTERNATIONAL
};

const NATIONAL: Rule = Rule {
    id: "phone.national",
    score: 0.75,
    check: "valid in one of the pipeline's regions and written in groups as people write it there",
    finds: &["or ‹(202) 456-1111› today"],
    passes: &[
        "2024-05-01",
        "1.2.3.4",
        "10.5 12.5 13.5",
        "from 0.231.110 to",
        "bytes 0-8388607",
        "add 0 160133733",
        "Review E 75, 027105 (2007)",
        "Boston, MA 02110-1301",
        "1 12345678000",
    ],
    ..INTERNATIONAL
};

const SAID: Rule = Rule {
    id: "phone.said",
    score: 0.9,
    context: &super::phone::PHONE_WORDS,
    finds: &["phone ‹2024561111›"],
    passes: &["order 2024561111"],
    ..NATIONAL
};

const BARE: Rule = Rule {
    id: "phone.bare",
    score: 0.5,
    finds: &["or ‹2024561111› perhaps"],
    passes: &["ticket 2024561111", "#2024561111", "2147483647", "digits = '0123456789'"],
    ..NATIONAL
};

const AMERICAN_SHAPE: Rule = Rule {
    id: "phone.american_shape",
    score: 0.6,
    country: "US",
    check: "three, three and four digits as Americans write them, whether the area exists or not",
    finds: &["‹(555) 234-5678›"],
    passes: &["123-45-6789", "(155) 2345"],
    ..NATIONAL
};

const IDD: Rule = Rule {
    id: "phone.idd",
    score: 0.8,
    check: "valid by libphonenumber's metadata with `00` read as `+`",
    finds: &["‹0044 20 7183 8750›"],
    passes: &["000012345678901"],
    ..INTERNATIONAL
};

const TOLD: Rule = Rule {
    id: "phone.told",
    score: 0.55,
    check: "six to fifteen digits in groups right behind a word for a phone, or before one that ends the line",
    context: &super::phone::TOLD_WORDS,
    source: "common practice: numbers of countries that the pipeline does not name",
    finds: &["you can call ‹469 34 883›", "Phone: ‹28-81-33-70›", "‹96 228011› office\nnext", "‹2813882583›-Fax"],
    passes: &["call 3 12 2024", "phone 12.345678", "call 1 000 000", "96 228011 offices", "call 12345678"],
    ..INTERNATIONAL
};

/// `+46 (0)8 928 571 38` has six groups; French numbers have five.
pub(super) const GROUPS_MAX: usize = 8;

/// A bare row of digits after one of these is a number of something else.
const ID_WORDS: [&str; 16] = [
    "order",
    "invoice",
    "ticket",
    "ref",
    "account",
    "case",
    "tracking",
    "id",
    "isbn",
    "serial",
    "sku",
    "timestamp",
    "transaction",
    "confirmation",
    "reservation",
    "issue",
];

/// The ends of 32-bit integers are valid American numbers, and stand in far more code than phone books.
/// So does the row of all digits.
const NO_PHONES: [&str; 5] = ["2147483647", "2147483648", "4294967295", "4294967296", "0123456789"];

#[derive(Clone, Debug)]
pub(super) struct Country {
    pub(super) region: Region,
    pub(super) code: i32,
    /// What a national number begins with here (`0`); empty where numbers have no such prefix.
    pub(super) trunk: String,
}

impl Country {
    /// The North American plan: groups of 3, 3 and 4, and 1 is both trunk prefix and code.
    pub(super) fn is_american(&self) -> bool {
        self.code == 1
    }

    /// Other regions of the same plan count too: from the US, Canada is not abroad.
    pub(super) fn parse(&self, raw: &str) -> Option<PhoneNumber> {
        let number = PHONE_NUMBER_UTIL.parse(raw, Some(self.region)).ok()?;
        (number.country_code == self.code && PHONE_NUMBER_UTIL.is_valid_number(&number)).then_some(number)
    }
}

/// What the library writes before the significant digits of an example number. It knows the
/// prefix itself but does not hand it out.
pub(super) fn trunk(region: Region) -> String {
    let Ok(example) = PHONE_NUMBER_UTIL.get_example_number(region) else { return String::new() };
    let written = PHONE_NUMBER_UTIL.format(&example, PhoneNumberFormat::National);
    let written: String = written.chars().filter(char::is_ascii_digit).collect();
    written.strip_suffix(&example.get_national_significant_number()).unwrap_or_default().to_owned()
}

/// A stretch of runs that may be one number.
pub(super) struct Candidate<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) runs: &'a [Run],
}

impl Candidate<'_> {
    fn raw(&self) -> &str {
        &self.text[self.start..self.end]
    }

    pub(super) fn international(&self) -> Option<Span> {
        let number = PHONE_NUMBER_UTIL.parse(self.raw(), None).ok()?;
        let digits: usize = self.runs.iter().map(Run::digits).sum();
        // A `+` and a length that the country has are enough: made-up and newly opened ranges.
        let rule = match PHONE_NUMBER_UTIL.is_valid_number(&number) {
            true => &INTERNATIONAL,
            false if digits >= 10 && PHONE_NUMBER_UTIL.is_possible_number(&number) => &POSSIBLE,
            false => return None,
        };
        Some(rule.at(self.start, self.end))
    }

    /// Written as an American number, whether its area exists or not. People (and models) who
    /// make a number up stand it where a real one would; 555 is the area they know best.
    pub(super) fn american_shape(&self, said: bool) -> bool {
        let digits = |run: &Run| &self.text[run.start..run.end];
        let rest = match self.runs {
            [one, rest @ ..] if matches!(digits(one), "1" | "001") => rest,
            all => all,
        };
        let [area, exchange, line] = rest else { return false };
        let dialled = |run: &Run| run.digits() == 3 && !digits(run).starts_with(['0', '1']);
        let clear = said || exchange.sep != Sep::Space || digits(area) == "555";
        clear && dialled(area) && dialled(exchange) && line.digits() == 4
    }

    pub(super) fn national(&self, countries: &[Country], digits: usize, said: bool) -> Option<Span> {
        // A decimal number, alone or with others beside it.
        if let [_, second, rest @ ..] = self.runs
            && second.sep == Sep::Dot
            && !rest.last().is_some_and(|last| last.sep == Sep::Dot)
        {
            return None;
        }
        // A version: nobody dials the trunk prefix on its own before a dot.
        if let [first, second, ..] = self.runs
            && second.sep == Sep::Dot
            && first.digits() == 1
            && self.raw().starts_with('0')
        {
            return None;
        }
        if !said && self.is_other_pair() {
            return None;
        }
        // Four numbers with dots that make an address are one, whatever is said before.
        if self.runs.len() == 4 && self.raw().parse::<std::net::Ipv4Addr>().is_ok() {
            return None;
        }
        let bare = self.runs.len() == 1;
        if bare && !said && (self.is_other_number() || !self.stands_for_itself()) {
            return None;
        }
        if let Some(found) = self.idd(digits) {
            return Some(found);
        }
        let valid = countries
            .iter()
            .any(|country| self.written_as_in(country, digits, said) && country.parse(self.raw()).is_some());
        if valid {
            let rule = if said {
                &SAID
            } else if bare {
                &BARE
            } else {
                &NATIONAL
            };
            return Some(rule.at(self.start, self.end));
        }
        let american = countries.iter().any(Country::is_american) && self.american_shape(said);
        american.then(|| AMERICAN_SHAPE.at(self.start, self.end))
    }

    /// Said to be a phone by what stands right `before` it or `behind` it, though no country of the
    /// pipeline numbers so.
    pub(super) fn told(&self, digits: usize, before: bool, behind: bool) -> Option<Span> {
        let [first, rest @ ..] = self.runs else { return None };
        let decimal = matches!(rest, [second] if second.sep == Sep::Dot);
        let thousands = rest.iter().all(|run| run.digits() == 3) && self.raw().ends_with("000");
        let grouped = (2..=6).contains(&first.digits()) && rest.iter().all(|run| run.digits() >= 2);
        let shaped = match rest {
            [] => behind && digits >= 8,
            _ => grouped && !decimal && !thousands && self.raw().parse::<std::net::Ipv4Addr>().is_err(),
        };
        (shaped && (before || behind)).then(|| TOLD.at(self.start, self.end))
    }

    /// `0044 20 7183 8750`: `00` in place of `+`.
    fn idd(&self, digits: usize) -> Option<Span> {
        let rest = self.raw().strip_prefix("00").filter(|rest| digits >= 11 && !rest.starts_with('0'))?;
        let number = PHONE_NUMBER_UTIL.parse(format!("+{rest}"), None).ok()?;
        PHONE_NUMBER_UTIL.is_valid_number(&number).then(|| IDD.at(self.start, self.end))
    }

    /// Cheap checks before the library is asked: most rows of digits end here.
    pub(super) fn written_as_in(&self, country: &Country, digits: usize, said: bool) -> bool {
        let mut lens = [0; GROUPS_MAX];
        for (len, run) in lens.iter_mut().zip(self.runs) {
            *len = run.digits();
        }
        let lens = &lens[..self.runs.len()];
        let first = self.text.as_bytes()[self.runs[0].start];
        if country.is_american() {
            let bare_one = matches!(lens, [1, ..]) && first == b'1';
            let rest = if bare_one { &lens[1..] } else { lens };
            return matches!(rest, [3, 3, 4] | [3, 7] | [6, 4])
                || matches!(rest, [10])
                || (matches!(lens, [11]) && first == b'1');
        }
        let trunk = country.trunk.as_bytes();
        let prefixed = !trunk.is_empty() && self.text.as_bytes()[self.runs[0].start..].starts_with(trunk);
        let zip = matches!(lens, [5, 4]);
        match lens {
            _ if said => true,
            [_] => prefixed && digits >= 10,
            _ if !trunk.is_empty() => prefixed || self.raw().starts_with('('),
            _ => !zip && lens.iter().all(|len| (2..=5).contains(len)),
        }
    }

    /// Two numbers that have another reading: `0 160133733`, `bytes 0-8388607`, a volume and its
    /// year in `75, 027105 (2007)`, a state's postcode in `MA 02110-1301`.
    fn is_other_pair(&self) -> bool {
        let [first, second] = self.runs else { return false };
        let digits = |run: &Run| &self.text[run.start..run.end];
        let between = &self.text[first.end..second.start];
        let state = || {
            let head = self.text[..self.start].trim_end_matches(' ');
            let letters = head.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
            letters == 2 && head.bytes().rev().take(2).all(|byte| byte.is_ascii_uppercase())
        };
        let postcode = (first.digits(), second.digits()) == (5, 4) && second.sep == Sep::Hyphen;
        digits(first) == "0" || between.contains('(') && second.digits() == 4 || postcode && state()
    }

    /// A bare row of digits without a word for a phone: alone on its line, with the trunk prefix
    /// that counts and sizes do not have, or behind a word that gives it to somebody.
    fn stands_for_itself(&self) -> bool {
        let head = &self.text[..self.start];
        let line = head.trim_end_matches([' ', '\t']);
        let alone = (line.is_empty() || line.ends_with('\n'))
            && self.text[self.end..].trim_start_matches([' ', '\t']).chars().next().is_none_or(|c| c == '\n');
        let given = ["or", "me", "at", "on", "is", "to", "us", "him", "her", "them", "and"].iter().any(|word| {
            let rest = line.len().checked_sub(word.len()).filter(|_| line.len() < head.len());
            rest.is_some_and(|rest| {
                line.as_bytes()[rest..].eq_ignore_ascii_case(word.as_bytes())
                    && (rest == 0 || line.as_bytes()[rest - 1] == b' ')
            })
        });
        alone || given || self.raw().starts_with('0') || line.ends_with(|c: char| !c.is_ascii())
    }

    fn is_other_number(&self) -> bool {
        if NO_PHONES.contains(&self.raw()) {
            return true;
        }
        let marked = before(self.text, self.start).is_some_and(|c| "#$€£¥№=/.,:\\".contains(c));
        marked || said_before(self.text, self.start, 20, &ID_WORDS)
    }
}
