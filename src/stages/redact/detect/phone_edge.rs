//! Around a phone number: its `+` and extension, what ties it to something else, and dates.
//!
//! Not here: what makes digits a phone number (`phone`).
//!
//! Always: nothing here asks the phone library; all of it is cheap.

use super::edge::{after, glued_after, glued_before};
use super::numbers::{Run, Sep};

/// Where the `+` of an international number stands, if there is one.
pub(super) fn plus_before(text: &str, start: usize) -> Option<usize> {
    let head = text[..start].strip_suffix('(').unwrap_or(&text[..start]);
    let close = head.strip_suffix(' ').filter(|h| h.ends_with('+'));
    let spaced = close.is_some();
    let head = close.unwrap_or(head);
    let head = head.strip_suffix('+').or_else(|| head.strip_suffix('＋'))?;
    (!is_sum(text, head, start, spaced)).then_some(head.len())
}

/// `2*p + 2567649375*q`, `1.1e+868588963`: arithmetic.
fn is_sum(text: &str, head: &str, start: usize, spaced: bool) -> bool {
    let digits = text.as_bytes()[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    // `(London) + 44 20 7183 8750`
    if digits < 7 {
        return false;
    }
    let times = text.as_bytes().get(start + digits) == Some(&b'*');
    let term = head.strip_suffix(' ').map(|head| head.rsplit(char::is_whitespace).next().unwrap_or(head));
    let after_term =
        term.is_some_and(|term| term.contains(['*', '_', '^']) && term.ends_with(|c: char| c.is_ascii_digit()));
    let exponent =
        head.strip_suffix(['e', 'E']).is_some_and(|mantissa| mantissa.ends_with(|c: char| c.is_ascii_digit()));
    spaced && (times || after_term) || exponent
}

/// A word, an id (`order-2025550173`, `d-000000000000`), a decimal or a thousands group runs in.
pub(super) fn tied_before(text: &str, start: usize) -> bool {
    if glued_before(text, start) {
        return true;
    }
    let mut back = text[..start].chars().rev();
    match back.next() {
        Some('-' | '_') => back.next().is_some_and(|c| c.is_ascii_alphanumeric()),
        Some('.' | ',' | ':') => back.next().is_some_and(|c| c.is_ascii_digit()),
        Some('#') => true,
        _ => false,
    }
}

pub(super) fn tied_after(text: &str, end: usize) -> bool {
    let mut next = text[end..].chars();
    let (first, second) = (next.next(), next.next());
    match first {
        // An extension: `0173x12`.
        Some('x' | 'X') if second.is_some_and(|c| c.is_ascii_digit()) => false,
        Some('-') => second.is_some_and(|c| c.is_ascii_alphanumeric()),
        Some(':') => second.is_some_and(|c| c.is_ascii_digit()),
        Some('%') => true,
        _ => glued_after(text, end) || after(text, end) == Some('@'),
    }
}

/// How long the extension at the start of `rest` is: `x12`, ` ext. 123`.
pub(super) fn extension(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let space = usize::from(bytes.first() == Some(&b' '));
    let word = ["extension", "ext.", "ext", "x"]
        .iter()
        .find(|word| bytes[space..].get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes())));
    let Some(word) = word else { return 0 };
    let mut at = space + word.len();
    at += usize::from(bytes.get(at) == Some(&b' '));
    let digits = bytes[at..].iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=6).contains(&digits) && !glued_after(rest, at + digits) { at + digits } else { 0 }
}

/// A word for a phone stands behind and ends the line or the entry: ` office\n`, `-Fax\`.
pub(super) fn label_behind(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    let signs = bytes.iter().take(3).take_while(|byte| matches!(byte, b' ' | b'-' | b'(')).count();
    let letters = bytes[signs..].iter().take(8).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = &bytes[signs..signs + letters];
    let known = ["office", "fax", "mobile", "home", "work", "cell", "tel", "phone"];
    signs > 0
        && known.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
        && matches!(bytes.get(signs + letters), None | Some(b'\n' | b'\r' | b'\\' | b',' | b';' | b')'))
}

/// Which runs belong to a date, as bits: `2024-05-01`, `1/5/2024`, `20240501`, `1990-2005`.
pub(super) fn dates(text: &str, runs: &[Run]) -> u64 {
    let value = |run: &Run| text[run.start..run.end].parse::<u32>().unwrap_or(u32::MAX);
    let year = |run: &Run| run.digits() == 4 && (1800..2200).contains(&value(run));
    let short = |run: &Run, most: u32| run.digits() <= 2 && (1..=most).contains(&value(run));
    let mut bits = 0;
    for (place, run) in runs.iter().enumerate() {
        let next = runs.get(place + 1).filter(|next| next.sep != Sep::Loose || run.digits() == 4);
        let tight = next.filter(|next| next.sep.is_tight());
        let third = tight.and_then(|next| runs.get(place + 2).filter(|third| third.sep == next.sep));
        if let (Some(b), Some(c)) = (tight, third) {
            let ymd = year(run) && short(b, 12) && short(c, 31);
            let dmy = short(run, 31) && short(b, 31) && (year(c) || (c.digits() == 2 && b.sep == Sep::Slash));
            if ymd || dmy {
                bits |= 0b111 << place;
            }
        }
        if next.is_some_and(|next| year(run) && year(next) && next.sep != Sep::Dot) {
            bits |= 0b11 << place;
        }
        if run.digits() == 8 {
            let all = value(run);
            let (y, m, d) = (all / 10_000, all / 100 % 100, all % 100);
            if (1900..2100).contains(&y) && (1..=12).contains(&m) && (1..=31).contains(&d) {
                bits |= 1 << place;
            }
        }
    }
    bits
}
