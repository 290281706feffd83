//! The normalised views of a text: what it says once disguises are taken off.
//!
//! A value can hide behind escapes, odd characters, base64, hex, words or a line end. Each decoder
//! makes a view of the text with the offsets of its source; the plain search runs over the view and
//! what it finds is mapped back, so that the raw bytes can be replaced. Views of views are made
//! down to a depth.
//!
//! Not here: what a value looks like (`detect`), what is written instead (`text`).
//!
//! Always: a finding covers whole encoded units and no part of a token; it holds or touches
//! something that was decoded, else the plain search decides; plain text is only read by cheap
//! gates; work is linear in the text for each level of depth.

mod edges;
mod encoded;
mod escaped;
mod fold;
mod framed;
mod joined;
mod map;
mod names;
mod spelled;

use std::ops::Range;

pub use edges::Edges;
pub(super) use fold::value as folded;
pub use joined::Crossing;
use map::{Units, View};
pub(super) use names::may_join as may_be_name;

use super::detect::Span;
use super::glance::{ESCAPE, Glance, HIGH, LINE, QUOTE};
use super::kind::Kind;
use super::pseudonym;

/// Views of views: base64 in JSON in a JSON string.
pub const DEPTH: usize = 2;

/// Leaves what of the findings in a text has to be answered.
pub(super) type Narrow<'a> = &'a dyn Fn(&str, &mut Vec<Span>);

/// Whether words around a place of a text announce what stands there.
pub(super) type Told<'a> = &'a dyn Fn(&str, Range<usize>) -> bool;

/// How a view is searched.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    /// The plain search; clears the list first.
    pub(super) plain: &'a dyn Fn(&str, &mut Vec<Span>),
    pub(super) narrow: Narrow<'a>,
    pub(super) told: Told<'a>,
    /// Names of people and the like; adds to the list.
    pub(super) names: &'a dyn Fn(&str, &mut Vec<Span>),
    /// Those of places, groups and firms are wanted.
    pub(super) names_of_all: bool,
}

impl Search<'_> {
    fn find(&self, text: &str, out: &mut Vec<Span>) {
        (self.plain)(text, out);
        (self.narrow)(text, out);
    }

    fn answers(&self, text: &str, span: Span) -> bool {
        let mut spans = vec![span];
        (self.narrow)(text, &mut spans);
        !spans.is_empty()
    }
}

/// What a span says whose text is disguised, or only a part of the value.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// Of the span in the same list of findings.
    pub start_byte: u32,
    pub value: String,
}

/// A value found in a view, at its place in the raw text.
pub(super) struct Hit {
    pub(super) span: Span,
    pub(super) value: String,
}

impl Hit {
    pub(super) fn new(span: Span, place: Range<usize>, value: &str) -> Hit {
        let span = Span { start_byte: place.start as u32, end_byte: place.end as u32, ..span };
        Hit { span, value: value.to_owned() }
    }
}

pub(super) struct Views {
    depth: usize,
    spelled: spelled::Spelled,
}

impl Views {
    pub(super) fn new(depth: usize) -> Result<Views, String> {
        Ok(Views { depth, spelled: spelled::Spelled::new()? })
    }

    /// What the views show of a text, which was glanced at.
    pub(super) fn find(&self, text: &str, mut glance: Glance, search: Search) -> Vec<Hit> {
        let (mut hits, mut chain, mut found) = (Vec::new(), Vec::<View>::new(), Vec::new());
        for level in 0..=self.depth {
            let source = chain.last().map_or(text, |view| view.text.as_str());
            self.beside(source, glance, search, &mut |span, place, value| {
                hits.extend(to_raw(&chain, place).map(|place| Hit::new(span, place, value)));
            });
            let Some(view) = (level < self.depth).then(|| decoded(source, glance, search)).flatten() else { break };
            search.find(&view.text, &mut found);
            decoded_names(&view, search, &mut found);
            for span in &found {
                let place = span.start_byte as usize..span.end_byte as usize;
                let value = &view.text[place.clone()];
                let source = view.to_source(place).filter(|(_, disguised)| *disguised);
                let raw = source.and_then(|(place, _)| to_raw(&chain, place));
                hits.extend(raw.map(|place| Hit::new(*span, place, value)));
            }
            glance = Glance::of(&view.text);
            chain.push(view);
        }
        hits
    }

    /// What is spelled out or cut by line ends.
    fn beside(&self, text: &str, glance: Glance, search: Search, add: &mut dyn FnMut(Span, Range<usize>, &str)) {
        if let Some(view) = self.spelled.view(text, glance) {
            let mut found = Vec::new();
            search.find(&view.text, &mut found);
            for span in &found {
                let place = span.start_byte as usize..span.end_byte as usize;
                let value = &view.text[place.clone()];
                let Some((place, _)) = view.to_source(place) else { continue };
                let raw = &text[place.clone()];
                let meant = match span.kind {
                    Kind::Email => spelled::is_meant(raw, value, &text[..place.start]),
                    Kind::Phone | Kind::Ip => true,
                    _ => false,
                };
                if meant && raw.len() > value.len() {
                    add(*span, place, value);
                }
            }
        }
        if glance.has(LINE) && (search.names_of_all || !glance.is_quiet(text) || joined::has_capital_cut(text)) {
            joined::lines(text, search, |place, crossing| add(crossing.span, place, &crossing.value));
        }
    }

    /// The value that begins at the end of one text and ends at the beginning of the next.
    pub(super) fn across(before: &str, after: &str, search: Search) -> Option<Crossing> {
        joined::across(before, after, search)
    }
}

/// Adds the names around words that were decoded, letter by letter or in a row.
fn decoded_names(view: &View, search: Search, found: &mut Vec<Span>) {
    /// Words that announce a name, and what goes on behind it.
    const AROUND_BYTES: usize = 96;
    let text = &view.text;
    let mut seen = 0;
    for words in view.words() {
        if words.start < seen {
            continue;
        }
        // A word that is cut in two would look like another one.
        let cut = |rest: &str| rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let from = text.ceil_char_boundary(words.start.saturating_sub(AROUND_BYTES));
        let from = if from == 0 { 0 } else { words.start.min(from + cut(&text[from..])) };
        let to = text.floor_char_boundary(words.end + AROUND_BYTES);
        let to = to + cut(&text[to..]);
        seen = to;
        let first = found.len();
        (search.names)(&text[from..to], found);
        for span in &mut found[first..] {
            (span.start_byte, span.end_byte) = (span.start_byte + from as u32, span.end_byte + from as u32);
        }
    }
}

/// The next view of a text, if anything in it may be disguised.
fn decoded(text: &str, glance: Glance, search: Search) -> Option<View> {
    let mut units = Units::default();
    if glance.has(QUOTE) {
        framed::collect(text, &mut units);
    }
    if glance.has(ESCAPE) {
        escaped::collect(text, &mut units);
    }
    if glance.has(HIGH) {
        fold::collect(text, &mut units);
    }
    encoded::collect(text, &mut units);
    encoded::announced(text, glance, search.told, &mut units);
    units.view(text)
}

fn to_raw(chain: &[View], place: Range<usize>) -> Option<Range<usize>> {
    chain.iter().rev().try_fold(place, |place, view| view.to_source(place).map(|(place, _)| place))
}

/// Puts hits among spans of the plain search. What overlaps becomes one finding that covers all of
/// it and is what the best of them is: replacing a part would leave the other part readable.
pub(super) fn merge(text: &str, mut hits: Vec<Hit>, spans: &mut Vec<Span>) -> Vec<Decoded> {
    let tokens: Vec<_> = match hits.is_empty() {
        true => return Vec::new(),
        false => pseudonym::tokens(text).map(|(_, start, end)| start as u32..end as u32).collect(),
    };
    let mut values = Vec::new();
    hits.retain(|hit| {
        let first = tokens.partition_point(|token| token.end <= hit.span.start_byte);
        let apart = tokens.get(first).is_none_or(|token| token.start >= hit.span.end_byte);
        let known = spans.binary_search_by_key(&hit.span.start_byte, |span| span.start_byte);
        let same = known.is_ok_and(|at| spans[at].end_byte == hit.span.end_byte && spans[at].kind == hit.span.kind);
        if same {
            values.push(Decoded { start_byte: hit.span.start_byte, value: hit.value.clone() });
        }
        apart && !same
    });
    let mut all: Vec<(Span, Option<String>)> = spans.drain(..).map(|span| (span, None)).collect();
    all.extend(hits.into_iter().map(|hit| (hit.span, Some(hit.value))));
    all.sort_by_key(|(span, _)| span.start_byte);
    let mut rest = all.into_iter().peekable();
    while let Some(first) = rest.next() {
        let (start, mut end) = (first.0.start_byte, first.0.end_byte);
        let mut cluster = vec![first];
        while let Some(next) = rest.next_if(|(span, _)| span.start_byte < end) {
            end = end.max(next.0.end_byte);
            cluster.push(next);
        }
        let mut order: Vec<Span> = cluster.iter().map(|(span, _)| *span).collect();
        resolve_best(&mut order);
        let Some(best) = order.first().copied() else { continue };
        let value = cluster.into_iter().find(|(span, _)| *span == best).and_then(|(_, value)| value);
        values.extend(value.map(|value| Decoded { start_byte: start, value }));
        spans.push(Span { start_byte: start, end_byte: end, ..best });
    }
    values
}

/// Leaves the span first that would win against the others.
fn resolve_best(cluster: &mut Vec<Span>) {
    let secret = cluster.iter().any(|span| span.kind.is_secret());
    cluster.retain(|span| span.kind.is_secret() == secret);
    let longest = |span: &Span| span.end_byte - span.start_byte;
    cluster.sort_by(|a, b| longest(b).cmp(&longest(a)).then(b.score.total_cmp(&a.score)).then(a.kind.cmp(&b.kind)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::detect::tests::{detector, of, rules_only};
    use super::super::disguise::Disguise;
    use super::*;

    fn found(detector: &super::super::detect::Detector, text: &str) -> Vec<(String, Option<String>)> {
        let mut spans = Vec::new();
        let decoded = detector.find(text, &mut spans);
        let value = |span: &Span| decoded.iter().find(|d| d.start_byte == span.start_byte).map(|d| d.value.clone());
        let raw = |span: &Span| text[span.start_byte as usize..span.end_byte as usize].to_owned();
        spans.iter().map(|span| (raw(span), value(span))).collect()
    }

    #[test]
    fn encodings_are_seen_through_to_the_depth() {
        let (two, three) = (detector(), of(Kind::ALL.iter().copied()).with_depth(3).unwrap());
        for (disguises, by_two) in [
            (&[Disguise::Base64, Disguise::Percent][..], true),
            (&[Disguise::Hex, Disguise::Base64], true),
            (&[Disguise::JsonUnicode, Disguise::JsonInJson], false),
            (&[Disguise::FullWidth, Disguise::HtmlEntities], true),
            (&[Disguise::Base64, Disguise::Base64, Disguise::Base64], false),
        ] {
            let raw = disguises.iter().fold("jane@example.com".to_owned(), |text, disguise| disguise.write(&text).0);
            let text = format!("mail: {raw} ok");
            let expected = Some("jane@example.com".to_owned());
            let sees = |list: Vec<(String, Option<String>)>| list.iter().any(|(_, value)| *value == expected);
            assert_eq!(sees(found(two, &text)), by_two, "{disguises:?}");
            assert!(sees(found(&three, &text)), "{disguises:?}");
        }
    }

    #[test]
    fn raw_units_are_covered_whole() {
        for (text, raw) in [
            ("to amFuZUBleGFtcGxlLmNvbQ==, ok", "amFuZUBleGFtcGxlLmNvbQ=="),
            ("q=card%3D4111111111111111&", "4111111111111111"),
            (r"jane\_doe@example.com", r"jane\_doe@example.com"),
            ("jane@exam\u{ad}ple.com", "jane@exam\u{ad}ple.com"),
            ("x ｊａｎｅ@example.com y", "ｊａｎｅ@example.com"),
        ] {
            let list: Vec<_> = found(detector(), text).into_iter().map(|(raw, _)| raw).collect();
            assert_eq!(list, [raw], "{text}");
        }
    }

    #[test]
    fn names_are_seen_in_letters_that_were_decoded() {
        for disguise in [Disguise::Percent, Disguise::HtmlEntities, Disguise::Base64, Disguise::JsonUnicode] {
            let raw = disguise.write("Bramelin Sandbrook").0;
            let list = found(detector(), &format!("Hi, my name is {raw} and more"));
            assert_eq!(list, [(raw, Some("Bramelin Sandbrook".to_owned()))], "{disguise:?}");
        }
        // The model alone, and words that are no name.
        assert_eq!(found(detector(), "the %6E%65%78%74 day"), []);
    }

    #[test]
    fn tokens_are_findings_in_no_view() {
        for text in [
            "%5BPHONE:20255501%5D [CARD:41111111]&nbsp;[SSN:12345678]",
            "[EMAIL:k7f3a9q2]\u{200b}[EMAIL:k7f3a9q2]%20[PHONE:20255501]",
            "phone [PHONE:20255501]\n[PHONE:20255501]",
            "\\u0040[EMAIL:k7f3a9q2].com at [EMAIL:k7f3a9q2] dot com",
        ] {
            assert_eq!(found(detector(), text), [], "{text}");
        }
    }

    /// Text of every kind that leads decoders on and holds nothing.
    #[test]
    fn rows_of_beginnings_are_linear() {
        let detector = rules_only();
        for start in [
            "%",
            "%4",
            "%40",
            "%e2%80",
            "&#",
            "&#64;",
            "&amp;",
            "\\",
            "\\u",
            "\\u0040",
            "\\ud83d",
            "aGVsbG8gd29ybGQ ",
            "aGVsbG8gd29ybGQ\n",
            "aGVsbG8gd29ybGQ/",
            "6a616e6540657861 ",
            "a/",
            " dot ",
            "a dot b ",
            "(at)",
            "ａ",
            "а",
            "aа",
            "\u{200b}",
            "a\u{200b}",
            "٣",
            "%255B",
            "&amp;amp;",
        ] {
            assert_eq!(found(detector, &start.repeat(300_000 / start.len())), [], "{start}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_nesting_is_survived(
            pieces in proptest::collection::vec(
                ("\\PC{0,8}(jane@example\\.com|123-45-6789|4111 1111 1111 1111|[0-9 -]{0,12}|)",
                 proptest::collection::vec(0..Disguise::ALL.len(), 0..4)),
                0..6,
            )
        ) {
            let written = pieces.iter().map(|(text, disguises)| {
                disguises.iter().fold(text.clone(), |text, at| {
                    let (first, second) = Disguise::ALL[*at].write(&text);
                    first + &second.unwrap_or_default()
                })
            });
            let text: String = written.collect();
            let (detector, mut spans, mut end) = (detector(), Vec::new(), 0);
            detector.find(&text, &mut spans);
            for span in &spans {
                prop_assert!(span.start_byte >= end && span.start_byte < span.end_byte);
                prop_assert!(text.get(span.start_byte as usize..span.end_byte as usize).is_some());
                end = span.end_byte;
            }
        }
    }
}
