//! Less detail: a network for an address, a decade for an age, a region for a place, a year for a
//! date.
//!
//! Always: what cannot be read as its type is not generalised but replaced whole; what is written
//! is known again ([`is_general`]) and generalised no further.

use std::net::IpAddr;

use super::dates;
use super::kind::Kind;

/// First three digits of ZIP codes with 20,000 people or fewer, by the census of 2000 or of 2010;
/// the guidance to 45 CFR 164.514(b) has them as 000.
const SMALL_ZIPS: [&str; 21] = [
    "036", "059", "063", "102", "203", "205", "369", "556", "692", "753", "772", "790", "821", "823", "830", "831",
    "878", "879", "884", "890", "893",
];

/// Who was born earlier is, or will soon be, above 89: their year of birth would tell their age
/// (45 CFR 164.514(b)(2)(i)(C)). There is no clock here; this holds until 2030.
const OLDEST_BIRTH_YEAR: i64 = 1940;

/// Ages above are one class, by the same rule.
const OLDEST_AGE: u32 = 90;

pub fn exists(kind: Kind) -> bool {
    matches!(kind, Kind::Ip | Kind::Age | Kind::Postcode | Kind::DateOfBirth | Kind::Date | Kind::Geo)
}

/// The value with less detail; nothing if it cannot be read.
pub fn general(kind: Kind, raw: &str, decimals: u8) -> Option<String> {
    match kind {
        Kind::Ip => network(raw),
        Kind::Age => decade(raw),
        Kind::Postcode => zip(raw),
        Kind::Date => dates::year(raw).map(|year| year.to_string()),
        Kind::DateOfBirth => Some(match dates::year(raw)? {
            year if year < OLDEST_BIRTH_YEAR => format!("before {OLDEST_BIRTH_YEAR}"),
            year => year.to_string(),
        }),
        Kind::Geo => coordinates(raw, decimals),
        _ => None,
    }
}

/// Whether a value that was found is one that [`general`] wrote, or a part of one. The text around
/// it tells: `203.0.113.0` before `/24`, `39` after `30-`.
pub fn is_general(kind: Kind, text: &str, start: usize, end: usize, decimals: u8) -> bool {
    let (value, behind) = (&text[start..end], &text[end..]);
    match kind {
        Kind::Ip => {
            let (address, suffix) =
                value.split_once('/').map_or((value, ""), |(address, _)| (address, &value[address.len()..]));
            let suffix = if suffix.is_empty() { behind } else { suffix };
            network(address).is_some_and(|net| {
                net.split_once('/').is_some_and(|(base, bits)| {
                    base == address && suffix.strip_prefix('/').and_then(|rest| rest.strip_prefix(bits)).is_some()
                })
            })
        }
        Kind::Age => {
            let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
            let bytes = text.as_bytes();
            let from = (start.saturating_sub(3)..start).find(|at| digit(bytes.get(*at))).unwrap_or(start);
            let to = (end + 3).min(text.len());
            text.get(from..to).or_else(|| text.get(from..end)).is_some_and(|near| holds_decade(near.as_bytes()))
        }
        Kind::DateOfBirth | Kind::Date => {
            value.len() == 4 && dates::year(value).is_some() || value == format!("before {OLDEST_BIRTH_YEAR}")
        }
        Kind::Geo => coordinates(value, decimals).is_some_and(|less| less == value),
        _ => false,
    }
}

/// `/24` and `/48`: what a provider gives to a street and to a household.
fn network(raw: &str) -> Option<String> {
    Some(match raw.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{}/48", std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    })
}

/// `34 years old` becomes `30-39 years old`.
fn decade(raw: &str) -> Option<String> {
    let start = raw.find(|c: char| c.is_ascii_digit())?;
    let digits = raw[start..].bytes().take_while(u8::is_ascii_digit).count();
    let age: u32 = raw[start..start + digits].parse().ok().filter(|age| *age < 130)?;
    let rest = &raw[start + digits..];
    if rest.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let decade = age / 10 * 10;
    let written = if age >= OLDEST_AGE { format!("{OLDEST_AGE}+") } else { format!("{decade}-{}", decade + 9) };
    Some(format!("{}{written}{rest}", &raw[..start]))
}

/// `30-39` or `90+` stands in the bytes.
fn holds_decade(near: &[u8]) -> bool {
    let range = |w: &[u8]| w[1] == b'0' && w[2] == b'-' && w[3] == w[0] && w[4] == b'9' && w[0].is_ascii_digit();
    let first = |w: &[u8]| w == b"0-9";
    near.windows(5).any(range) || near.windows(3).any(|w| w == b"90+" || first(w))
}

fn zip(raw: &str) -> Option<String> {
    let digits = raw.bytes().take_while(u8::is_ascii_digit).count();
    let us = digits == 5 && (raw.len() == 5 || raw.len() == 10 && raw.as_bytes()[5] == b'-');
    let head = raw.get(..3).filter(|_| us)?;
    Some(format!("{}**", if SMALL_ZIPS.contains(&head) { "000" } else { head }))
}

/// Cuts the decimals of every number; one decimal is about 11 km, two about 1 km.
fn coordinates(raw: &str, decimals: u8) -> Option<String> {
    let (mut out, mut rest, mut cut) = (String::with_capacity(raw.len()), raw, 0);
    while let Some(dot) = rest.find('.') {
        let digits = rest[dot + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let kept = digits.min(usize::from(decimals));
        out.push_str(&rest[..dot + 1 + kept]);
        rest = &rest[dot + 1 + digits..];
        cut += usize::from(digits > 0);
    }
    out.push_str(rest);
    // Degrees and minutes, or a hash of a place: not read.
    let plain = raw.chars().all(|c| c.is_ascii_digit() || " .,;+-()[]".contains(c));
    (cut == 2 && plain).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detail_goes() {
        for (kind, raw, expected) in [
            (Kind::Ip, "203.0.113.77", Some("203.0.113.0/24")),
            (Kind::Ip, "2001:db8:12:34::1", Some("2001:db8:12::/48")),
            (Kind::Ip, "::ffff:203.0.113.77", Some("203.0.113.0/24")),
            (Kind::Ip, "somewhere", None),
            (Kind::Age, "34", Some("30-39")),
            (Kind::Age, "34-year-old", Some("30-39-year-old")),
            (Kind::Age, "aged 7", Some("aged 0-9")),
            (Kind::Age, "93 years", Some("90+ years")),
            (Kind::Age, "thirty", None),
            (Kind::Age, "34 or 35", None),
            (Kind::Postcode, "78701", Some("787**")),
            (Kind::Postcode, "78701-1234", Some("787**")),
            (Kind::Postcode, "05901", Some("000**")),
            (Kind::Postcode, "SW1A 1AA", None),
            (Kind::DateOfBirth, "12 March 1984", Some("1984")),
            (Kind::DateOfBirth, "1931-03-12", Some("before 1940")),
            (Kind::Date, "2024-05-01", Some("2024")),
            (Kind::Date, "May 1984", Some("1984")),
            (Kind::Date, "May 12", None),
            (Kind::Date, "soon", None),
            (Kind::Geo, "40.712776, -74.005974", Some("40.7, -74.0")),
            (Kind::Geo, "40°42'46\"N", None),
            (Kind::Email, "a@b.co", None),
        ] {
            assert_eq!(general(kind, raw, 1).as_deref(), expected, "{raw}");
        }
        assert_eq!(general(Kind::Geo, "40.712776,-74.005974", 2).as_deref(), Some("40.71,-74.00"));
    }

    #[test]
    fn what_is_general_is_known_again() {
        for (kind, text, value, general) in [
            (Kind::Ip, "from 203.0.113.0/24.", "203.0.113.0", true),
            (Kind::Ip, "from 203.0.113.0/24.", "203.0.113.0/24", true),
            (Kind::Ip, "from 203.0.113.0.", "203.0.113.0", false),
            (Kind::Ip, "from 203.0.113.7/24.", "203.0.113.7", false),
            (Kind::Ip, "at 2001:db8:12::/48", "2001:db8:12::", true),
            (Kind::Age, "I am 30-39 years old", "39", true),
            (Kind::Age, "I am 30-39 years old", "30", true),
            (Kind::Age, "I am 30-39 years old", "30-39 years old", true),
            (Kind::Age, "I am 34 years old", "34", false),
            (Kind::Age, "she is 90+ now", "90", true),
            (Kind::DateOfBirth, "born 1984", "1984", true),
            (Kind::DateOfBirth, "born 1984-03-12", "1984-03-12", false),
            (Kind::Geo, "at 40.7, -74.0", "40.7, -74.0", true),
            (Kind::Geo, "at 40.71, -74.00", "40.71, -74.00", false),
        ] {
            let start = text.find(value).unwrap();
            assert_eq!(is_general(kind, text, start, start + value.len(), 1), general, "{value} in {text}");
        }
    }
}
