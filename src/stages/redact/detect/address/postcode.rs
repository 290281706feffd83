//! Postal codes: those with letters by their shape, those of digits by what stands before.
//!
//! Not here: codes inside a street address (`tail` takes them along).
//!
//! Always: a code of digits alone needs its label or a state before it.

use super::super::edge::{glued_after, glued_before, said_before};
use super::super::numbers::Run;
use super::super::{Kind, Rule, Span};

pub(super) const BRITISH: Rule = Rule {
    id: "postcode.gb",
    version: 1,
    kind: Kind::Postcode,
    country: "GB",
    score: 0.8,
    check: "outward and inward half of the right shape and a postal area that exists",
    context: &[],
    source: "Royal Mail, Programmer's guide to PAF",
    finds: &["flat in ‹SW1A 1AA› today", "postcode ‹m1 1ae›", "‹EC1A 1BB›"],
    passes: &["QQ1 1AA", "SW1A 1AI", "B2 4K", "ISO A4 2XL", "c3 5am"],
};

pub(super) const CANADIAN: Rule = Rule {
    id: "postcode.ca",
    country: "CA",
    check: "letters that Canada Post uses, in their places",
    source: "Canada Post, Addressing guidelines",
    finds: &["in Ottawa ‹K1A 0B1› now"],
    passes: &["D1A 0B1", "K1A 0O1", "k1a 0b1 is a row"],
    ..BRITISH
};

pub(super) const DUTCH: Rule = Rule {
    id: "postcode.nl",
    country: "NL",
    check: "four digits, two letters, and a label before it",
    context: &LABELS,
    source: "PostNL",
    finds: &["postcode: ‹1012 LG›"],
    passes: &["1012 LG", "in 2012 GM sold"],
    ..BRITISH
};

pub(super) const LABELLED: Rule = Rule {
    id: "postcode.labelled",
    country: "",
    check: "three to nine digits and a label before them",
    context: &LABELS,
    source: "UPU, postal addressing systems",
    finds: &["My zip code is ‹90210›", r#""postal_code": "‹10115›""#, "ZIP: ‹94105-1234›", "PLZ ‹10115›"],
    passes: &["zip 3 files", "the zip file has 90210 bytes", "zip code 4.5"],
    ..BRITISH
};

pub(super) const STATE_ZIP: Rule = Rule {
    id: "postcode.us",
    country: "US",
    check: "five digits behind the letters of a state",
    source: "USPS publication 28",
    finds: &["Mill Valley, CA ‹94941›", "Salem, OR ‹97301-4022›"],
    passes: &["in 94941 cases", "XX 94941", "OK 94941"],
    ..BRITISH
};

const LABELS: [&str; 16] = [
    "zip",
    "postcode",
    "post code",
    "postal code",
    "postal_code",
    "postalcode",
    "postleitzahl",
    "plz",
    "code postal",
    "código postal",
    "codigo postal",
    "cap:",
    "pin code",
    "pincode",
    "郵便番号",
    "邮编",
];

const AREAS: &str = "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN \
    EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP \
    NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC \
    WD WF WN WR WS WV YO ZE";

/// A British or Canadian code that begins at `start`; returns its end.
pub(super) fn lettered(text: &str, start: usize) -> Option<usize> {
    british(text, start).or_else(|| canadian(text, start))
}

/// Letters and digits from `at`, seven at most.
fn group(text: &str, at: usize) -> &str {
    let len = text.as_bytes()[at..].iter().take(7).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    &text[at..at + len]
}

fn british(text: &str, start: usize) -> Option<usize> {
    let outward = group(text, start);
    let letters = outward.bytes().take_while(u8::is_ascii_alphabetic).count();
    let rest = outward.as_bytes().get(letters..)?;
    let shaped = matches!(rest, [b'0'..=b'9'] | [b'0'..=b'9', b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z']);
    if !(1..=2).contains(&letters) || !shaped || text.as_bytes().get(start + outward.len()) != Some(&b' ') {
        return None;
    }
    let inward = group(text, start + outward.len() + 1);
    let [digit, one, two] = *inward.as_bytes() else { return None };
    let letter = |byte: u8| byte.is_ascii_alphabetic() && !b"CIKMOV".contains(&byte.to_ascii_uppercase());
    let area = AREAS.split(' ').any(|area| area.eq_ignore_ascii_case(&outward[..letters]));
    // One case throughout: `c3 5am` in a sentence is a key and a time.
    let upper = !text[start..start + outward.len() + 4].bytes().any(|byte| byte.is_ascii_lowercase());
    let clear = upper || said_before(text, start, 24, &LABELS);
    let end = start + outward.len() + 4;
    (digit.is_ascii_digit() && letter(one) && letter(two) && area && clear && !glued_after(text, end)).then_some(end)
}

fn canadian(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes().get(start..start + 7)?;
    let letter = |byte: u8, no: &[u8]| byte.is_ascii_uppercase() && !no.contains(&byte);
    let [a, b, c, space, d, e, f] = *bytes else { return None };
    let shaped = letter(a, b"DFIOQUWZ")
        && b.is_ascii_digit()
        && letter(c, b"DFIOQU")
        && space == b' '
        && d.is_ascii_digit()
        && letter(e, b"DFIOQU")
        && f.is_ascii_digit();
    (shaped && !glued_after(text, start + 7)).then_some(start + 7)
}

/// Reports the postal codes around a cluster of digits.
pub(super) fn find(text: &str, runs: &[Run], out: &mut Vec<Span>) {
    let first = runs[0];
    let bytes = text.as_bytes();
    let letters = bytes[..first.start].iter().rev().take(3).take_while(|byte| byte.is_ascii_alphabetic()).count();
    if (1..=2).contains(&letters) && first.digits() <= 2 {
        let start = first.start - letters;
        if !glued_before(text, start) {
            if let Some(end) = british(text, start) {
                out.push(BRITISH.at(start, end));
            } else if let Some(end) = canadian(text, start) {
                out.push(CANADIAN.at(start, end));
            }
        }
        return;
    }
    if !(3..=9).contains(&first.digits()) || letters > 0 || glued_before(text, first.start) {
        return;
    }
    if state_before(text, first.start) && first.digits() == 5 {
        out.push(STATE_ZIP.at(first.start, plus_four(text, runs)));
    } else if label_touches(text, first.start) {
        labelled(text, runs, out);
    }
}

/// With the four digits of `94105-1234`.
fn plus_four(text: &str, runs: &[Run]) -> usize {
    let more = runs.get(1).filter(|run| run.sep.is_tight() && (3..=4).contains(&run.digits()));
    more.filter(|run| !glued_after(text, run.end)).map_or(runs[0].end, |run| run.end)
}

fn labelled(text: &str, runs: &[Run], out: &mut Vec<Span>) {
    let end = runs[0].end;
    let rest = text.as_bytes().get(end..).unwrap_or_default();
    let letters = |at: usize| rest.get(at..at + 2).is_some_and(|two| two.iter().all(u8::is_ascii_uppercase));
    let space = usize::from(rest.first() == Some(&b' '));
    if runs[0].digits() == 4 && letters(space) && !glued_after(text, end + space + 2) {
        out.push(DUTCH.at(runs[0].start, end + space + 2));
        return;
    }
    // `340 12`.
    let two = runs.get(1).filter(|run| runs[0].digits() == 3 && run.digits() == 2 && !run.sep.is_tight());
    let end = two.map_or_else(|| plus_four(text, runs), |run| run.end);
    let decimal = rest.first() == Some(&b'.') && rest.get(1).is_some_and(u8::is_ascii_digit);
    if !glued_after(text, end) && !decimal {
        out.push(LABELLED.at(runs[0].start, end));
    }
}

/// Only `is`, punctuation and quotes stand between label and code: not `zip file has 90210`.
fn label_touches(text: &str, at: usize) -> bool {
    let head = text[..at].trim_end_matches([' ', ':', '=', '"', '\'', '#', '*']);
    // The last letters of the labels, `is` and `ist`.
    let last = head.as_bytes().last().map(|byte| byte.to_ascii_lowercase());
    if !last.is_some_and(|byte| b"petlzs".contains(&byte) || byte >= 0x80) {
        return false;
    }
    let head = head.strip_suffix(" is").or_else(|| head.strip_suffix(" ist")).unwrap_or(head);
    let head = head.trim_end_matches([' ', ':', '=', '"', '\'']);
    LABELS.iter().any(|label| {
        let label = label.trim_end_matches(':');
        head.len() >= label.len() && head.as_bytes()[head.len() - label.len()..].eq_ignore_ascii_case(label.as_bytes())
    }) || ["zip code", "zipcode", "zip_code"].iter().any(|label| {
        head.len() >= label.len() && head.as_bytes()[head.len() - label.len()..].eq_ignore_ascii_case(label.as_bytes())
    })
}

/// `CA ` behind a comma or a capital word.
fn state_before(text: &str, at: usize) -> bool {
    let bytes = &text.as_bytes()[..at];
    let [.., before, a, b, b' '] = *bytes else { return false };
    let place = before == b' '
        && bytes.len() > 4
        && (bytes[bytes.len() - 5] == b',' || bytes[bytes.len() - 5].is_ascii_lowercase());
    const STATES: &str =
        "ALAKAZARCACOCTDEFLGAHIIDILINIAKSKYLAMEMDMAMIMNMSMOMTNENVNHNJNMNYNCNDOHOKORPARISCSDTNTXUTVTVAWAWVWIWYDCPR";
    let state = STATES.as_bytes().chunks(2).any(|state| state == [a, b]);
    place && state
}
