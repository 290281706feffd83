//! Geographic coordinates: a latitude and a longitude exact to a house.
//!
//! Not here: coordinates of less than four decimals, which name a town; addresses (`address`).
//!
//! Always: two decimal numbers in range, and something that says what they are.

use super::edge::{glued_after, glued_before, said_before};
use super::numbers::{Run, Sep};
use super::{Kind, Rule, Span};

pub(super) static RULES: [&Rule; 1] = [&PAIR];

const PAIR: Rule = Rule {
    id: "geo.pair",
    version: 1,
    kind: Kind::Geo,
    country: "",
    score: 0.85,
    check: "two numbers with four decimals or more, in range, with a word, a degree sign or a point of the compass",
    context: &WORDS,
    source: "ISO 6709",
    finds: &[
        "location: ‹37.77493, -122.41942›",
        r#"{"lat": ‹37.7749, "lng": -122.4194›}"#,
        "‹48.8584° N, 2.2945° E›",
        "maps?q=‹48.85837,2.29448›",
    ],
    passes: &[
        "37.7749, -122.4194",
        "lat 37.77, -122.41",
        "location: 137.7749, -122.4194",
        "gps 0.1234, 0.5678, 0.9012",
    ],
};

const WORDS: [&str; 14] = [
    "lat",
    "lon",
    "lng",
    "gps",
    "coord",
    "geo",
    "location",
    "maps",
    "position",
    "latitude",
    "koordinaten",
    "coordonnées",
    "ubicación",
    "ll=",
];

/// Reports the pair whose first number begins a cluster.
pub(super) fn find(text: &str, runs: &[Run], out: &mut Vec<Span>) {
    let [whole, decimals, rest @ ..] = runs else { return };
    if whole.digits() > 2
        || decimals.sep != Sep::Dot
        || decimals.digits() < 4
        || rest.first().is_some_and(|run| run.sep.is_tight())
    {
        return;
    }
    let sign = usize::from(text[..whole.start].ends_with('-'));
    let start = whole.start - sign;
    let between = |at: usize| {
        let rest = &text.as_bytes()[at..];
        let len = rest.iter().take(20).take_while(|byte| !byte.is_ascii_digit() && **byte != b'-').count();
        at + len
    };
    let mut second = between(decimals.end);
    let Some(joint) = text.get(decimals.end..second) else { return };
    second += usize::from(text[second..].starts_with('-'));
    let Some((end, longitude)) = number(text, second) else { return };
    let letters: String = joint.chars().filter(|c| c.is_alphabetic()).collect::<String>().to_lowercase();
    let compass = joint.contains('°') || matches!(&*letters, "n" | "s");
    let named = matches!(&*letters, "" | "lon" | "lng" | "long" | "longitude" | "and");
    let latitude: f64 = text[whole.start..decimals.end].parse().unwrap_or(f64::MAX);
    let list = text[end..].starts_with(", -")
        || text[end..].starts_with(',')
            && text[end..].trim_start_matches([',', ' ']).starts_with(|c: char| c.is_ascii_digit());
    let told = compass || said_before(text, start, 40, &WORDS);
    let head = text[..start].trim_end_matches(' ');
    let list = list || head.strip_suffix(',').is_some_and(|head| head.ends_with(|c: char| c.is_ascii_digit()));
    if latitude <= 90.0 && longitude <= 180.0 && (compass || named) && told && !list && !glued_before(text, start) {
        let end = if compass { tail(text, end) } else { end };
        if !glued_after(text, end) {
            out.push(PAIR.at(start, end));
        }
    }
}

/// A number with four decimals or more.
fn number(text: &str, at: usize) -> Option<(usize, f64)> {
    let bytes = text.as_bytes();
    let digits = |at: usize| bytes[at..].iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(at);
    let dot = at + whole;
    let decimals = if bytes.get(dot) == Some(&b'.') { digits(dot + 1) } else { 0 };
    let end = dot + 1 + decimals;
    ((1..=3).contains(&whole) && decimals >= 4).then(|| (end, text[at..end].parse().unwrap_or(f64::MAX)))
}

/// With `° E`.
fn tail(text: &str, end: usize) -> usize {
    let rest = text[end..].trim_start_matches(['°', ' ']);
    let compass = rest.starts_with(['E', 'W', 'O']) && !rest[1..].starts_with(char::is_alphanumeric);
    if compass { text.len() - rest.len() + 1 } else { end }
}
