//! Dates as people write them: read, moved by days, and written in the same form.
//!
//! Not here: finding dates (`detect`), by how many days they are moved (`write`).
//!
//! Always: a moved date keeps order, separators, names of months and leading zeros; a year of two
//! digits becomes one of four, because a moved date lies in another century.

/// Four hundred years: days of the week and leap years come again.
const CYCLE_DAYS: i64 = 146_097;

/// Moved dates lie here; those that people write do not. So they are known again.
const MOVED_YEARS: std::ops::Range<i64> = 2250..2600;

/// What a number of a date is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Year,
    Month,
    Day,
    MonthName,
}

/// A date in a text, with the places of its parts.
#[derive(Debug)]
struct Written<'a> {
    text: &'a str,
    parts: Vec<(Part, usize, usize)>,
    year: i64,
    month: i64,
    day: i64,
}

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

/// The same date, `days` later and 400 years on; nothing if it is no date.
pub fn moved(text: &str, days: i64) -> Option<String> {
    let date = read(text)?;
    let (year, month, day) = civil(days_of(date.year, date.month, date.day) + CYCLE_DAYS + days);
    let (mut out, mut copied) = (String::new(), 0);
    for (part, start, end) in &date.parts {
        let old = &text[*start..*end];
        out.push_str(&text[copied..*start]);
        copied = *end;
        match part {
            Part::Year => out.push_str(&year.to_string()),
            Part::MonthName => out.push_str(&month_like(old, month)),
            Part::Month | Part::Day => {
                let number = if *part == Part::Day { day } else { month };
                let width = if old.starts_with('0') || old.len() == 2 && padded(&date) { 2 } else { 1 };
                out.push_str(&format!("{number:0width$}"));
                let suffix = text[*end..].get(..2).unwrap_or("");
                if *part == Part::Day && ["st", "nd", "rd", "th"].contains(&suffix) {
                    out.push_str(ordinal(day));
                    copied += 2;
                }
            }
        }
    }
    out.push_str(&text[copied..]);
    Some(out)
}

/// The year of a date; of less than a date (`May 1984`) if it has four digits.
pub fn year(text: &str) -> Option<i64> {
    let last = text.len().checked_sub(4).and_then(|at| text.get(at..))?;
    let four = last.bytes().all(|byte| byte.is_ascii_digit());
    let only = !text[..text.len() - 4].contains(|c: char| c.is_ascii_digit());
    if four && only { last.parse().ok() } else { read(text).map(|date| date.year) }
}

/// Whether a date is one that [`moved`] wrote.
pub fn is_moved(text: &str) -> bool {
    year(text).is_some_and(|year| MOVED_YEARS.contains(&year))
}

/// A single digit anywhere says that numbers are not padded; `12/11/1980` says nothing and is
/// taken as padded if its separators are those of ISO 8601.
fn padded(date: &Written) -> bool {
    let numbers = || date.parts.iter().filter(|(part, ..)| matches!(part, Part::Month | Part::Day));
    numbers().any(|(_, start, _)| date.text[*start..].starts_with('0'))
        || (numbers().all(|(_, start, end)| end - start == 2)
            && !date.parts.iter().any(|(p, ..)| *p == Part::MonthName))
}

fn ordinal(day: i64) -> &'static str {
    match day {
        11..=13 => "th",
        _ if day % 10 == 1 => "st",
        _ if day % 10 == 2 => "nd",
        _ if day % 10 == 3 => "rd",
        _ => "th",
    }
}

/// The name of a month, as long and in the case of another.
fn month_like(old: &str, month: i64) -> String {
    let name = MONTHS[(month - 1).clamp(0, 11) as usize];
    let name = if old.len() == 3 { &name[..3] } else { name };
    match () {
        () if old.len() > 1 && old.bytes().all(|byte| byte.is_ascii_uppercase()) => name.to_uppercase(),
        () if old.starts_with(|c: char| c.is_ascii_lowercase()) => name.to_lowercase(),
        () => name.to_owned(),
    }
}

fn read(text: &str) -> Option<Written<'_>> {
    if text.len() > 40 || !text.is_ascii() {
        return None;
    }
    let (mut numbers, mut name) = (Vec::new(), None);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let same = |is: fn(&u8) -> bool| at + bytes[at..].iter().take_while(|byte| is(byte)).count();
        let end = match bytes[at] {
            b'0'..=b'9' => same(u8::is_ascii_digit),
            byte if byte.is_ascii_alphabetic() => same(u8::is_ascii_alphabetic),
            _ => at + 1,
        };
        if bytes[at].is_ascii_digit() && numbers.len() < 3 {
            numbers.push((at, end));
        } else if name.is_none()
            && let Some(month) = month_named(&text[at..end])
        {
            name = Some((month, at, end));
        }
        at = end;
    }
    let parts = match (name, numbers.len()) {
        (Some((_, start, end)), 2..) => {
            let order =
                if numbers[0].1 - numbers[0].0 == 4 { [Part::Year, Part::Day] } else { [Part::Day, Part::Year] };
            let mut parts: Vec<_> = order.iter().zip(&numbers).map(|(part, (s, e))| (*part, *s, *e)).collect();
            parts.push((Part::MonthName, start, end));
            parts.sort_by_key(|(_, start, _)| *start);
            parts
        }
        (None, 3) => order(text, &numbers)?.iter().zip(&numbers).map(|(part, (s, e))| (*part, *s, *e)).collect(),
        _ => return None,
    };
    let number = |of: Part| {
        let (_, start, end) = parts.iter().find(|(part, ..)| *part == of)?;
        Some((text[*start..*end].parse::<i64>().ok()?, end - start))
    };
    let (year, year_digits) = number(Part::Year)?;
    let year = match (year_digits, year) {
        (4, _) => year,
        // Of two digits those up to 30 are of this century.
        (2, ..=30) => 2000 + year,
        (2, _) => 1900 + year,
        _ => return None,
    };
    let month = name.map(|(month, ..)| month).or_else(|| number(Part::Month).map(|(month, _)| month))?;
    let (day, _) = number(Part::Day)?;
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Written { text, parts, year, month, day })
}

/// What the three numbers of `1980-03-12`, `3/12/1980`, `12.03.1980` are. Where day and month can
/// both be either, slashes mean the American order.
fn order(text: &str, numbers: &[(usize, usize)]) -> Option<[Part; 3]> {
    let len = |i: usize| numbers[i].1 - numbers[i].0;
    let value = |i: usize| text[numbers[i].0..numbers[i].1].parse::<u32>().unwrap_or(0);
    let slash = text.as_bytes().get(numbers[0].1) == Some(&b'/');
    match () {
        () if len(0) == 4 => Some([Part::Year, Part::Month, Part::Day]),
        () if !matches!(len(2), 2 | 4) => None,
        () if value(0) > 12 => Some([Part::Day, Part::Month, Part::Year]),
        () if value(1) > 12 || slash => Some([Part::Month, Part::Day, Part::Year]),
        () => Some([Part::Day, Part::Month, Part::Year]),
    }
}

fn month_named(word: &str) -> Option<i64> {
    let sept = word.eq_ignore_ascii_case("sept");
    let named = |month: &&str| {
        word.eq_ignore_ascii_case(month) || word.eq_ignore_ascii_case(&month[..3]) || sept && month.starts_with("Sep")
    };
    MONTHS.iter().position(named).map(|at| at as i64 + 1)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March,
/// so that the leap day is the last.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

/// The other way round: year, month, day.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let cycle = days.div_euclid(CYCLE_DAYS);
    let day = days.rem_euclid(CYCLE_DAYS);
    let year = (day - day / 1460 + day / 36_524 - day / (CYCLE_DAYS - 1)) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (cycle * 400 + year + i64::from(month <= 2), month, of_year - (153 * march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_both_ways() {
        assert_eq!((days_of(1970, 1, 1), civil(0)), (0, (1970, 1, 1)));
        assert_eq!(days_of(2000, 3, 1) - days_of(2000, 2, 28), 2);
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = civil(days);
            assert_eq!(days_of(year, month, day), days);
        }
    }

    #[test]
    fn form_stays() {
        for (text, days, expected) in [
            ("1984-03-12", 10, "2384-03-22"),
            ("1984-03-12T10:20", 0, "2384-03-12T10:20"),
            ("03/12/1984", 20, "04/01/2384"),
            ("3/12/1984", -2, "3/10/2384"),
            ("31.12.1999", 1, "01.01.2400"),
            ("12.3.84", 0, "12.3.2384"),
            ("March 12, 1984", 20, "April 1, 2384"),
            ("12 mar 1984", 31, "12 apr 2384"),
            ("12th of March 1984", 9, "21st of March 2384"),
            ("MARCH 1ST, 1984", 0, "MARCH 1ST, 2384"),
            ("1984/2/28", 1, "2384/2/29"),
        ] {
            assert_eq!(moved(text, days).as_deref(), Some(expected), "{text}");
            assert!(is_moved(expected) && !is_moved(text));
        }
        for text in ["1984", "March", "soon", "12:30", "99/99/1984", "a b c", ""] {
            assert_eq!(moved(text, 1), None, "{text}");
        }
    }

    #[test]
    fn intervals_and_week_days_stay() {
        let day = |text: &str| read(text).map(|date| days_of(date.year, date.month, date.day)).unwrap();
        for shift in [-300, -1, 0, 1, 77, 365] {
            let (a, b) = (moved("1984-02-27", shift).unwrap(), moved("March 2, 1985", shift).unwrap());
            assert_eq!(day(&b) - day(&a), day("1985-03-02") - day("1984-02-27"));
            assert_eq!((day(&a) - day("1984-02-27") - shift) % 7, 0);
        }
    }
}
