//! Dates of nobody in particular: `2024-05-01`, `5/1/2024`, `1 May 2024`, `May 1st`.
//!
//! Not here: dates of birth, which a word beside them tells; times of day; moving dates
//! (`dates`). Looked for only where a policy asks for it: most text is full of public dates.
//!
//! Always: bounded work around each run of digits; a number that goes on beyond a date (versions,
//! addresses, serial numbers) is none.

use super::edge::{glued_after, glued_before};
use super::numbers::{Run, Sep};
use super::{Kind, Rule, Span};

pub(super) static RULES: [&Rule; 2] = [&NUMERIC, &NAMED];

static NUMERIC: Rule = Rule {
    id: "date.numeric",
    version: 1,
    kind: Kind::Date,
    country: "",
    score: 0.6,
    check: "a month and a day that exist, a year from 1800 to 2599, the same separator twice",
    context: &[],
    source: "ISO 8601; the orders of Unicode CLDR's short formats",
    finds: &["on ‹2024-05-01›.", "‹2024-05-01›T10:20:30Z", "‹5/1/2024› or ‹31.12.1999›", "‹1984/03/12›, 10 items"],
    passes: &["1.2.2024.7", "v1.12.2024", "2024-13-01", "2024-05/01", "10-11-12", "5/1/24681", "192.0.2.1"],
};

static NAMED: Rule = Rule {
    id: "date.named",
    version: 1,
    kind: Kind::Date,
    country: "",
    score: 0.6,
    check: "the English name of a month, capitalised, beside a day or a year",
    context: &[],
    source: "the formats of Unicode CLDR for English",
    finds: &[
        "on ‹1 May 2024›",
        "‹March 12th, 1984› was",
        "‹12th of March 1984›",
        "since ‹Sept. 2019›",
        "by ‹Dec 3›, ok",
    ],
    passes: &["may 12 people", "you may march 3 miles", "Mar 512", "3 Marvels", "Mayor 12", "May I have 2"],
};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Looks at one cluster of digits; `free` is the end of the date before, which may reach into it.
pub(super) fn dates(text: &str, runs: &[Run], free: &mut usize, out: &mut Vec<Span>) {
    for (i, run) in runs.iter().enumerate() {
        if run.start < *free {
            continue;
        }
        let found = numeric(text, runs, i).map(|end| NUMERIC.at(run.start, end));
        let found = found.or_else(|| named(text, run, *free).map(|(start, end)| NAMED.at(start, end)));
        if let Some(span) = found {
            *free = span.end_byte as usize;
            out.push(span);
        }
    }
}

/// The end of the date that begins with run `i`.
fn numeric(text: &str, runs: &[Run], i: usize) -> Option<usize> {
    let [a, b, c] = runs.get(i..i + 3)? else { return None };
    let same = b.sep == c.sep && b.sep.is_tight();
    let goes_on = a.sep.is_tight() || runs.get(i + 3).is_some_and(|next| next.sep.is_tight());
    if !same || goes_on || glued_before(text, a.start) {
        return None;
    }
    // The letter before the time of ISO 8601 is glued.
    let behind = &text[c.end..];
    let timed = behind.starts_with('T') && behind[1..].starts_with(|c: char| c.is_ascii_digit());
    if glued_after(text, c.end) && !timed {
        return None;
    }
    let short = |run: &Run| run.digits() <= 2;
    let value = |run: &Run| text[run.start..run.end].parse::<u32>().unwrap_or(0);
    let real = |month: u32, day: u32| (1..=12).contains(&month) && (1..=31).contains(&day);
    let fits = match (a.digits(), c.digits()) {
        (4, 1..=2) if b.sep != Sep::Dot => is_year(value(a)) && short(b) && real(value(b), value(c)),
        (1..=2, 4) => {
            let (x, y) = (value(a), value(b));
            is_year(value(c)) && short(b) && (real(x, y) || real(y, x))
        }
        _ => false,
    };
    fits.then_some(c.end)
}

/// With the years of moved dates (`dates`): what a policy wrote is found whole, and known again.
fn is_year(year: u32) -> bool {
    (1800..2600).contains(&year)
}

/// A run of digits that the name of a month makes a day or a year; nothing before `free`.
fn named(text: &str, run: &Run, free: usize) -> Option<(usize, usize)> {
    if !matches!(run.digits(), 1 | 2 | 4) {
        return None;
    }
    // A month stands right beside: most numbers end here.
    let bytes = text.as_bytes();
    let near = |row: &[u8]| row.iter().any(u8::is_ascii_alphabetic);
    if !near(&bytes[run.start.saturating_sub(4)..run.start]) && !near(&bytes[run.end..bytes.len().min(run.end + 7)]) {
        return None;
    }
    let value = text[run.start..run.end].parse::<u32>().ok()?;
    let day = run.digits() <= 2 && (1..=31).contains(&value);
    let year = run.digits() == 4 && is_year(value);
    let before = month_before(text, run.start).filter(|start| *start >= free);
    if let Some(start) = before {
        let end = if day { year_after(text, ordinal_end(text, run.end)) } else { run.end };
        return ((day || year) && !glued_after(text, end)).then_some((start, end));
    }
    if !day || run.start < free || glued_before(text, run.start) {
        return None;
    }
    let end = month_after(text, ordinal_end(text, run.end))?;
    Some((run.start, year_after(text, end)))
}

/// Behind `st`, `nd`, `rd`, `th`.
fn ordinal_end(text: &str, at: usize) -> usize {
    let ordinal = text.get(at..at + 2).is_some_and(|two| ["st", "nd", "rd", "th"].contains(&two));
    if ordinal { at + 2 } else { at }
}

/// The month whose name ends before `at`, with nothing but a space, a point or a hyphen between.
fn month_before(text: &str, at: usize) -> Option<usize> {
    let head = &text[..at];
    let name_end = head.trim_end_matches(' ').trim_end_matches(['.', '-']).len();
    if name_end == at || at - name_end > 3 {
        return None;
    }
    let letters = head[..name_end].bytes().rev().take(10).take_while(u8::is_ascii_alphabetic).count();
    let start = name_end - letters;
    (is_month(&text[start..name_end]) && !glued_before(text, start)).then_some(start)
}

/// The end of the month's name behind `at`: ` March`, ` of March`, `-Mar`.
fn month_after(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let gap = if rest.starts_with(" of ") { 4 } else { usize::from(rest.starts_with([' ', '-'])) };
    let letters = rest[gap..].bytes().take(10).take_while(u8::is_ascii_alphabetic).count();
    let end = at + gap + letters;
    (gap > 0 && is_month(&text[at + gap..end]) && !glued_after(text, end)).then_some(end)
}

/// The end of the year behind `at`, if there is one: `, 1984`, ` 1984`, `-1984`; else `at`.
fn year_after(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let gap = rest.bytes().take(2).take_while(|byte| matches!(byte, b' ' | b',' | b'.' | b'-')).count();
    let digits = rest[gap..].bytes().take(5).take_while(u8::is_ascii_digit).count();
    let year = rest[gap..gap + digits].parse::<u32>().is_ok_and(is_year);
    let end = at + gap + digits;
    if gap > 0 && digits == 4 && year && !glued_after(text, end) { end } else { at }
}

/// `May` is a verb and `Mar` a beginning: only whole names and their usual short forms count, with
/// a capital, or in capitals.
fn is_month(word: &str) -> bool {
    let short = |month: &str| word == &month[..3] || word == "Sept" && month == "September";
    let capitals = || word.bytes().all(|byte| byte.is_ascii_uppercase());
    let begins = |month: &&str| month.as_bytes()[..3].eq_ignore_ascii_case(&word.as_bytes()[..3]);
    (3..=9).contains(&word.len())
        && word.as_bytes()[0].is_ascii_uppercase()
        && MONTHS.iter().any(begins)
        && MONTHS.iter().any(|month| word == *month || short(month) || word.eq_ignore_ascii_case(month) && capitals())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::redact::detect::numbers::{cluster, next_digit};

    fn all(text: &str, out: &mut Vec<Span>) {
        let (mut runs, mut at, mut free) = (Vec::new(), 0, 0);
        while let Some(digit) = next_digit(text.as_bytes(), at) {
            at = cluster(text.as_bytes(), digit, &mut runs);
            dates(text, &runs, &mut free, out);
        }
    }

    #[test]
    fn rows_of_beginnings_are_linear() {
        let mut out = Vec::new();
        for start in ["1-", "1 ", "May ", "1 of ", "2024-", "1st ", "May 1"] {
            all(&start.repeat(200_000 / start.len()), &mut out);
        }
        assert!(out.len() < 200_000);
    }

    #[test]
    fn dates_are_found_whole() {
        for (text, found) in [
            ("2024-05-01 2024-05-02", &["2024-05-01", "2024-05-02"][..]),
            ("from 1 May 2024 to 3 June 2024", &["1 May 2024", "3 June 2024"]),
            ("May 1, 2024; MARCH 3", &["May 1, 2024", "MARCH 3"]),
            ("12-Mar-1984", &["12-Mar-1984"]),
            ("31/12/1999 23:59", &["31/12/1999"]),
            ("café 3 May", &["3 May"]),
            ("in May 1984 and", &["May 1984"]),
            ("x2024-05-01 2024-05-01x 1.2.3.2024", &[]),
        ] {
            let mut out = Vec::new();
            all(text, &mut out);
            let values: Vec<&str> =
                out.iter().map(|span| &text[span.start_byte as usize..span.end_byte as usize]).collect();
            assert_eq!(values, found, "{text}");
        }
    }
}
