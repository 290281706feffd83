//! Payment cards, IBANs and US social security numbers.
//!
//! Not here: finding the digits (`numbers`); account and routing numbers, which need a label.
//!
//! Always: a card passes Luhn and belongs to a scheme that issues that length; an IBAN passes its
//! checksum and its country's format; an SSN is one that could have been issued.

use iban::Iban;

use super::edge::{before, glued_after, glued_before, said_before};
use super::numbers::{Run, Sep};
use super::{Kind, Rule, Span};

pub(super) static RULES: [&Rule; 7] =
    [&CARD, &CARD_SHORT, &SSN_HYPHENS, &SSN_SPACES, &SSN_LABELLED, &IBAN_PRINTED, &IBAN_PACKED];

const CARD: Rule = Rule {
    id: "card.luhn",
    version: 1,
    kind: Kind::Card,
    country: "",
    score: 0.95,
    check: "Luhn; a scheme issues these first digits in this length",
    context: &[],
    source: "ISO/IEC 7812",
    finds: &["card ‹4111 1111 1111 1111› exp 12/26", "amex ‹3782 822463 10005›"],
    passes: &["4111 1111 1111 1112", "0000 0000 0000 0000", "0.4111111111111111", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6"],
};

const CARD_SHORT: Rule = Rule {
    id: "card.short",
    score: 0.7,
    finds: &["‹30569309025904› is one of 14 digits"],
    passes: &["1719830400000", "30569309025905"],
    ..CARD
};

const SSN_HYPHENS: Rule = Rule {
    id: "ssn.hyphens",
    version: 1,
    kind: Kind::Ssn,
    country: "US",
    score: 0.95,
    check: "area not 000, 666 or 9xx, group not 00, serial not 0000",
    context: &[],
    source: "Social Security Administration, randomization FAQ (2011)",
    // The last two are printed in advertisements: somebody may still have typed them as theirs.
    finds: &["my ssn is ‹123-45-6789›.", "‹078-05-1120›", "ssn ‹219-09-9999›"],
    passes: &["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "123-45-6789-1"],
};

const SSN_SPACES: Rule =
    Rule { id: "ssn.spaces", score: 0.6, finds: &["‹123 45 6789›"], passes: &["123-45 6789"], ..SSN_HYPHENS };

const SSN_LABELLED: Rule = Rule {
    id: "ssn.labelled",
    score: 0.85,
    context: &["ssn", "social security", "social-security", "social_security"],
    finds: &["SSN: ‹123456789›", r#""social_security_number": "‹123456789›""#],
    passes: &["123456789", "order 123456789"],
    ..SSN_HYPHENS
};

const IBAN_PRINTED: Rule = Rule {
    id: "iban.printed",
    version: 1,
    kind: Kind::Iban,
    country: "",
    score: 0.98,
    check: "mod 97 and the country's length and format",
    context: &[],
    source: "ISO 13616, SWIFT IBAN registry",
    finds: &["IBAN ‹GB82 WEST 1234 5698 7654 32› to other bank", "‹DE89-3704-0044-0532-0130-00›;"],
    passes: &["GB83 WEST 1234 5698 7654 32", "at50 people"],
};

const IBAN_PACKED: Rule = Rule {
    id: "iban.packed",
    finds: &["‹gb82west12345698765432›", "‹NO9386011117947›"],
    passes: &["XX82WEST12345698765432", "GB82WEST1234569876543"],
    ..IBAN_PRINTED
};

const CARD_DIGITS: std::ops::RangeInclusive<usize> = 12..=19;

/// First digits (as a range of equal length) and lengths that schemes issue: ISO/IEC 7812 ranges
/// as the schemes publish them. RuPay's 60 and 65 lie in Discover's lengths.
const SCHEMES: [(u32, u32, u32, &[usize]); 21] = [
    (4, 4, 1, &[13, 16, 19]),
    (51, 55, 2, &[16]),
    (2221, 2720, 4, &[16]),
    (34, 34, 2, &[15]),
    (37, 37, 2, &[15]),
    (6011, 6011, 4, &[16, 19]),
    (644, 649, 3, &[16, 19]),
    (65, 65, 2, &[16, 19]),
    (60, 60, 2, &[16]),
    (62, 62, 2, &[16, 17, 18, 19]),
    // JCB issues 3528 to 3589; test data makers use all of 35.
    (35, 35, 2, &[16, 17, 18, 19]),
    (1800, 1800, 4, &[15]),
    (2131, 2131, 4, &[15]),
    (300, 305, 3, &[14, 16]),
    (3095, 3095, 4, &[14, 16]),
    (36, 36, 2, &[14, 16]),
    (38, 39, 2, &[14, 16]),
    (2200, 2204, 4, &[16, 17, 18, 19]),
    (50, 50, 2, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (56, 58, 2, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (63, 67, 2, &[12, 13, 14, 15, 16, 17, 18, 19]),
];

/// Reports the cards of one cluster, from left to right, longest first.
pub(super) fn cards(text: &str, runs: &[Run], out: &mut Vec<Span>) {
    let mut first = 0;
    while first < runs.len() {
        first = match card_from(text, runs, first) {
            Some((found, next)) => {
                out.push(found);
                next
            }
            None => first + 1,
        };
    }
}

fn card_from(text: &str, runs: &[Run], first: usize) -> Option<(Span, usize)> {
    let mut number = [0u8; 20];
    let mut len = 0;
    let mut longest = None;
    for (place, run) in runs[first..].iter().enumerate() {
        let last = first + place;
        let grouped = place == 0 || (matches!(run.sep, Sep::Space | Sep::Hyphen) && run.sep == runs[first + 1].sep);
        // Cards are printed in groups; single digits in a row are a table.
        let fits = len + run.digits() <= *CARD_DIGITS.end() && (place == 0 || len >= 4);
        if !grouped || !fits {
            break;
        }
        number[len..len + run.digits()].copy_from_slice(&text.as_bytes()[run.start..run.end]);
        len += run.digits();
        let tied = runs.get(last + 1).is_some_and(|next| next.sep == Sep::Dot || next.sep == Sep::Hyphen);
        if !tied && is_card(&number[..len]) {
            longest = Some((last, len));
        }
    }
    let (last, len) = longest?;
    let (start, end) = (runs[first].start, runs[last].end);
    let tied = matches!(runs[first].sep, Sep::Dot | Sep::Hyphen) || glued_before(text, start) || glued_after(text, end);
    // The last group of a UUID; a decimal number.
    let mut back = text[..start].chars().rev();
    let (previous, one_more) = (back.next(), back.next());
    let uuid = len == 12 && previous == Some('-') && one_more.is_some_and(|c| c.is_ascii_hexdigit());
    let decimal = previous == Some('.') && one_more.is_some_and(|c| c.is_ascii_digit());
    let rule = if len >= 15 { &CARD } else { &CARD_SHORT };
    (!tied && !uuid && !decimal).then(|| (rule.at(start, end), last + 1))
}

fn is_card(number: &[u8]) -> bool {
    CARD_DIGITS.contains(&number.len())
        && number.iter().any(|digit| *digit != number[0])
        && issued(number)
        && luhn(number)
}

fn issued(number: &[u8]) -> bool {
    let head = |digits: u32| number[..digits as usize].iter().fold(0, |all, digit| all * 10 + u32::from(digit - b'0'));
    SCHEMES
        .iter()
        .any(|(low, high, digits, lens)| (*low..=*high).contains(&head(*digits)) && lens.contains(&number.len()))
}

pub(super) fn luhn(number: &[u8]) -> bool {
    let sum: u32 = number
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0') << (place % 2);
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Reports the SSNs of one cluster.
pub(super) fn ssns(text: &str, runs: &[Run], out: &mut Vec<Span>) {
    let alone = |first: usize, last: usize| {
        !runs[first].sep.is_tight()
            && !runs.get(last + 1).is_some_and(|next| next.sep.is_tight())
            && !glued_before(text, runs[first].start)
            && !glued_after(text, runs[last].end)
            && before(text, runs[first].start) != Some('-')
    };
    for (place, run) in runs.iter().enumerate() {
        let three = runs.get(place..place + 3);
        if let Some([a, b, c]) = three
            && (a.digits(), b.digits(), c.digits()) == (3, 2, 4)
            && b.sep == c.sep
            && matches!(b.sep, Sep::Hyphen | Sep::Space)
            && alone(place, place + 2)
            && is_ssn(&text[a.start..a.end], &text[b.start..b.end], &text[c.start..c.end])
        {
            let hyphens = b.sep == Sep::Hyphen;
            let rule = if hyphens { &SSN_HYPHENS } else { &SSN_SPACES };
            out.push(rule.at(a.start, c.end));
        }
        let raw = &text[run.start..run.end];
        if raw.len() == 9
            && alone(place, place)
            && said_before(text, run.start, 40, &["ssn", "social security", "social-security", "social_security"])
            && is_ssn(&raw[..3], &raw[3..5], &raw[5..])
        {
            out.push(SSN_LABELLED.at(run.start, run.end));
        }
    }
}

/// Areas, groups and serials that the Social Security Administration never issued. The famous
/// published ones (078-05-1120) are issued-looking and stay: a person may have typed them.
fn is_ssn(area: &str, group: &str, serial: &str) -> bool {
    area != "000" && area != "666" && !area.starts_with('9') && group != "00" && serial != "0000"
}

/// The IBAN whose check digits begin at `digits`, and the byte after it.
pub(super) fn iban(text: &str, digits: usize, out: &mut Vec<Span>) -> Option<usize> {
    /// The registry's shortest (Norway) and longest allowed.
    const CHARS: std::ops::RangeInclusive<usize> = 15..=34;
    let bytes = text.as_bytes();
    let start = digits.checked_sub(2)?;
    let country = &bytes[start..digits];
    let shaped = country.iter().all(u8::is_ascii_alphabetic) && bytes.get(digits + 1)?.is_ascii_digit();
    // Shape first: it also proves that `start` is a character boundary.
    if !shaped || glued_before(text, start) {
        return None;
    }
    let mut packed = String::with_capacity(*CHARS.end());
    let mut best = None;
    let mut at = start;
    let mut spaced = false;
    while packed.len() <= *CHARS.end() {
        let group = bytes[at..].iter().take(CHARS.end() + 1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        packed.push_str(&text[at..at + group].to_ascii_uppercase());
        at += group;
        if CHARS.contains(&packed.len()) && !glued_after(text, at) && packed.parse::<Iban>().is_ok() {
            best = Some(at);
        }
        // In print the groups have four characters; only the last may be shorter.
        let more =
            matches!(bytes.get(at), Some(b' ' | b'-')) && bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric);
        if group != 4 || !more {
            break;
        }
        spaced = true;
        at += 1;
    }
    let end = best?;
    let rule = if spaced { &IBAN_PRINTED } else { &IBAN_PACKED };
    out.push(rule.at(start, end));
    Some(end)
}

#[cfg(test)]
mod tests {
    use crate::stages::redact::detect::tests::finds;
    use crate::stages::redact::kind::Kind;

    #[test]
    fn cards() {
        for (text, found) in [
            ("card 4111 1111 1111 1111 exp 12/26", &["4111 1111 1111 1111"][..]),
            ("4111-1111-1111-1111", &["4111-1111-1111-1111"]),
            ("4111\u{a0}1111\u{a0}1111\u{a0}1111", &["4111\u{a0}1111\u{a0}1111\u{a0}1111"]),
            ("amex 3782 822463 10005, mc 5555555555554444.", &["3782 822463 10005", "5555555555554444"]),
            ("card_number=6011111111111117&x", &["6011111111111117"]),
            (
                "2223003122003222 and 30569309025904 and 3530111333300000",
                &["2223003122003222", "30569309025904", "3530111333300000"],
            ),
            ("4111 1111 1111 1111 123", &["4111 1111 1111 1111"]),
            ("5 4111 1111 1111 1111", &["4111 1111 1111 1111"]),
            ("카드4111111111111111입니다", &["4111111111111111"]),
        ] {
            finds(text, Kind::Card, found);
        }
    }

    #[test]
    fn not_cards() {
        for text in [
            "4111 1111 1111 1112",
            "0000 0000 0000 0000",
            "4444444444444444",
            "9111111111111111",
            "41111111111111113",
            "id4111111111111111",
            "4111111111111111x",
            "0.4111111111111111",
            "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6",
            "1719830400000",
        ] {
            finds(text, Kind::Card, &[]);
        }
    }

    #[test]
    fn ssns() {
        for (text, found) in [
            ("my ssn is 123-45-6789.", &["123-45-6789"][..]),
            ("123 45 6789", &["123 45 6789"]),
            ("SSN: 123456789", &["123456789"]),
            ("\"social_security_number\": \"123456789\"", &["123456789"]),
            ("call 12 or 123-45-6789", &["123-45-6789"]),
        ] {
            finds(text, Kind::Ssn, found);
        }
        for text in [
            "000-12-3456",
            "666-12-3456",
            "900-12-3456",
            "123-00-4567",
            "123-45-0000",
            "123456789",
            "123-45-6789-1",
            "1-123-45-6789",
            "123-45 6789",
            "a123-45-6789",
            "12-345-6789",
            "123-456-789",
        ] {
            finds(text, Kind::Ssn, &[]);
        }
    }

    #[test]
    fn ibans() {
        for (text, found) in [
            ("IBAN GB82 WEST 1234 5698 7654 32 to other bank", &["GB82 WEST 1234 5698 7654 32"][..]),
            ("gb82west12345698765432", &["gb82west12345698765432"]),
            ("DE89370400440532013000, NO9386011117947", &["DE89370400440532013000", "NO9386011117947"]),
            ("FR14 2004 1010 0505 0001 3M02 606", &["FR14 2004 1010 0505 0001 3M02 606"]),
            ("iban=DE89-3704-0044-0532-0130-00;", &["DE89-3704-0044-0532-0130-00"]),
        ] {
            finds(text, Kind::Iban, found);
        }
        for text in [
            "GB83 WEST 1234 5698 7654 32",
            "XX82WEST12345698765432",
            "GB82WEST1234569876543",
            "xGB82WEST12345698765432",
            "GB82WEST12345698765432x",
            "at50 people",
        ] {
            finds(text, Kind::Iban, &[]);
        }
    }
}
