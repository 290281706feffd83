//! Finds personal data and secrets in one text.
//!
//! Detectors only *find*; `text` replaces, `pseudonym` decides by what. They see one string at a
//! time: a number split over two messages, or disguised (full-width digits, base64, "jane at
//! example dot com"), is not found.
//!
//! Always: spans lie inside the text on character boundaries, sorted, not overlapping, and never
//! inside a token that `pseudonym` wrote. The work is linear in the text: cheap gates (`@`, digits,
//! key words) run over all of it, everything else only around a hit.

mod address;
mod birth;
mod contact;
mod crypto;
mod edge;
mod finance;
mod geo;
mod labelled;
mod mac;
mod national;
mod network;
mod numbers;
mod phone;
mod phone_candidate;
mod phone_edge;
mod secrets;
mod vehicle;

use std::collections::BTreeMap;

pub(super) use phone::Phones;

use super::kind::{Kind, KindSet};
use super::pseudonym;
use super::rule::Rule;

/// All rules, in the order of their detectors.
pub fn catalogue() -> impl Iterator<Item = &'static Rule> {
    let groups: [&'static [&'static Rule]; 11] = [
        &contact::RULES,
        &network::RULES,
        &finance::RULES,
        &phone_candidate::RULES,
        &address::RULES,
        &labelled::RULES,
        &birth::RULES,
        &crypto::RULES,
        &vehicle::RULES,
        &geo::RULES,
        &mac::RULES,
    ];
    groups.into_iter().flatten().copied().chain(secrets::rules()).chain(national::rules())
}

/// Where something was found. Bytes, half-open, on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    pub start_byte: u32,
    pub end_byte: u32,
    pub kind: Kind,
    pub rule: &'static str,
    pub rule_version: u16,
    /// How sure the rule is, 0 to 1. Chosen by feel; only their order matters (`resolve`).
    pub score: f32,
}

/// All rules for the chosen kinds. Immutable: share one among threads.
pub struct Detector {
    enabled: KindSet,
    phones: Phones,
    addresses: address::Addresses,
    labelled: labelled::Labelled,
    secrets: secrets::Secrets,
    national: national::National,
}

impl Detector {
    /// `phone_regions` are ISO 3166 codes; without any, only international numbers are found.
    pub fn new(kinds: &[Kind], phone_regions: &[String]) -> Result<Detector, String> {
        let enabled: KindSet = kinds.iter().copied().collect();
        let secrets = secrets::Secrets::new(|kind| enabled.has(kind))?;
        Ok(Detector {
            enabled,
            phones: Phones::new(phone_regions)?,
            addresses: address::Addresses::new(),
            labelled: labelled::Labelled::new(&enabled),
            secrets,
            national: national::National::new(|kind| enabled.has(kind))?,
        })
    }

    fn has(&self, kind: Kind) -> bool {
        self.enabled.has(kind)
    }

    /// Puts what is found in `out`, which is cleared first. A text of more than 4 GiB cannot stand in
    /// an Arrow string; it is refused by panic rather than passed through unseen.
    pub fn find(&self, text: &str, out: &mut Vec<Span>) {
        assert!(u32::try_from(text.len()).is_ok(), "a text of more than 4 GiB cannot be redacted");
        out.clear();
        self.secrets.find(text, out);
        if self.has(Kind::Email) {
            contact::emails(text, out);
        }
        if self.has(Kind::Mrz) {
            vehicle::zones(text, out);
        }
        self.labelled.find(text, out);
        self.numbers(text, out);
        if !out.is_empty() {
            outside_tokens(text, out);
            resolve(out);
        }
    }

    fn numbers(&self, text: &str, out: &mut Vec<Span>) {
        let mut runs = Vec::new();
        let mut streets = address::Seen::default();
        let (mut at, mut seen) = (0, 0);
        while let Some(digit) = numbers::next_digit(text.as_bytes(), at) {
            at = numbers::cluster(text.as_bytes(), digit, &mut runs);
            self.said(text, &runs, &mut streets, out);
            if numbers::is_plain(text.as_bytes(), &runs) {
                self.national.find(text, &runs, &mut seen, out);
                continue;
            }
            self.tied(text, &runs, out);
            if self.has(Kind::Iban) && runs[0].digits() >= 2 {
                at = finance::iban(text, digit, out).map_or(at, |end| end.max(at));
            }
            if self.has(Kind::Ip)
                && let Some(end) = network::v6(text, runs[0], out)
            {
                at = end.max(at);
                continue;
            }
            self.national.find(text, &runs, &mut seen, out);
            self.cluster(text, &runs, out);
        }
    }

    /// What the words around a cluster say about it.
    fn said(&self, text: &str, runs: &[numbers::Run], seen: &mut address::Seen, out: &mut Vec<Span>) {
        if self.has(Kind::Address) {
            self.addresses.find(text, runs, seen, out);
        }
        if self.has(Kind::Postcode) {
            self.addresses.postcodes(text, runs, out);
        }
        self.labelled.number(text, runs, out);
        if self.has(Kind::DateOfBirth) {
            birth::date(text, runs, out);
        }
        if self.has(Kind::Age) {
            birth::age(text, runs[0], out);
        }
    }

    /// What letters and signs right beside a cluster make of it.
    fn tied(&self, text: &str, runs: &[numbers::Run], out: &mut Vec<Span>) {
        if self.has(Kind::CryptoAddress) {
            crypto::find(text, runs[0], out);
        }
        if self.has(Kind::Vin) {
            vehicle::vin(text, runs[0], out);
        }
        if self.has(Kind::Geo) {
            geo::find(text, runs, out);
        }
        if self.has(Kind::Mac) {
            mac::find(text, runs[0], out);
        }
    }

    fn cluster(&self, text: &str, runs: &[numbers::Run], out: &mut Vec<Span>) {
        if self.has(Kind::Ip) {
            network::v4(text, runs, out);
        }
        let digits: usize = runs.iter().map(numbers::Run::digits).sum();
        if digits < 7 {
            return;
        }
        if self.has(Kind::Ssn) && digits >= 9 {
            finance::ssns(text, runs, out);
        }
        if self.has(Kind::Card) && digits >= 12 {
            finance::cards(text, runs, out);
        }
        if self.has(Kind::Phone) {
            self.phones.find(text, runs, out);
        }
    }
}

/// Drops what lies in a token or cuts into one.
fn outside_tokens(text: &str, out: &mut Vec<Span>) {
    let tokens: Vec<_> = pseudonym::tokens(text).map(|(_, start, end)| (start as u32, end as u32)).collect();
    if tokens.is_empty() {
        return;
    }
    out.retain(|span| {
        // The first token that ends after the span begins is the only one that can be cut first.
        let first = tokens.partition_point(|(_, end)| *end <= span.start_byte);
        tokens[first..]
            .iter()
            .take_while(|(start, _)| *start < span.end_byte)
            .all(|(start, end)| span.start_byte < *start && *end < span.end_byte)
    });
}

/// Of overlapping spans one stays: secrets before others, then the longer, then the higher score,
/// then the earlier. Leaves the rest sorted by place.
pub(super) fn resolve(spans: &mut Vec<Span>) {
    spans.sort_by(|a, b| {
        let len = |span: &Span| span.end_byte - span.start_byte;
        (b.kind.is_secret().cmp(&a.kind.is_secret()))
            .then(len(b).cmp(&len(a)))
            .then(b.score.total_cmp(&a.score))
            .then(a.start_byte.cmp(&b.start_byte))
            .then(a.kind.cmp(&b.kind))
    });
    let mut kept: BTreeMap<u32, Span> = BTreeMap::new();
    for span in spans.drain(..) {
        let left = kept.range(..span.end_byte).next_back();
        if left.is_none_or(|(_, left)| left.end_byte <= span.start_byte) {
            kept.insert(span.start_byte, span);
        }
    }
    spans.extend(kept.into_values());
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn detector() -> Detector {
        Detector::new(Kind::ALL, &["US".to_owned(), "GB".to_owned(), "FR".to_owned(), "KR".to_owned()]).unwrap()
    }

    /// Exactly these values of this kind are found in the text, with every kind switched on.
    pub(crate) fn finds(text: &str, kind: Kind, expected: &[&str]) {
        let mut spans = Vec::new();
        detector().find(text, &mut spans);
        let found: Vec<_> = spans
            .iter()
            .filter(|span| span.kind == kind)
            .map(|span| &text[span.start_byte as usize..span.end_byte as usize])
            .collect();
        assert_eq!(found, expected, "in {text:?}");
    }

    #[test]
    fn one_of_overlapping_spans_stays() {
        let make = |start_byte, end_byte, kind, score| Span {
            start_byte,
            end_byte,
            kind,
            rule: "test",
            rule_version: 1,
            score,
        };
        type Case<'a> = (Vec<Span>, &'a [(u32, Kind)]);
        let cases: [Case; 4] = [
            (vec![make(0, 20, Kind::Card, 0.9), make(5, 10, Kind::OpenaiKey, 0.1)], &[(5, Kind::OpenaiKey)]),
            (vec![make(0, 4, Kind::Phone, 0.9), make(0, 5, Kind::Card, 0.1)], &[(0, Kind::Card)]),
            (vec![make(0, 4, Kind::Phone, 0.1), make(0, 4, Kind::Ssn, 0.9)], &[(0, Kind::Ssn)]),
            (vec![make(6, 9, Kind::Ip, 0.1), make(0, 6, Kind::Ip, 0.1)], &[(0, Kind::Ip), (6, Kind::Ip)]),
        ];
        for (mut spans, expected) in cases {
            resolve(&mut spans);
            assert_eq!(spans.iter().map(|span| (span.start_byte, span.kind)).collect::<Vec<_>>(), expected);
        }
    }

    /// Every rule finds its examples whole, as its kind, and leaves its look-alikes.
    #[test]
    fn rules_find_their_examples_and_leave_look_alikes() {
        let (detector, mut spans, mut wrong) = (detector(), Vec::new(), Vec::new());
        for rule in catalogue() {
            assert!(!rule.finds.is_empty() && !rule.passes.is_empty(), "{} has no table", rule.id);
            for (text, ranges) in rule.examples() {
                detector.find(&text, &mut spans);
                let found: Vec<_> = spans
                    .iter()
                    .filter(|span| span.kind == rule.kind)
                    .map(|span| span.start_byte as usize..span.end_byte as usize)
                    .collect();
                if found != ranges {
                    wrong.push(format!("{}: {text:?} gives {found:?}, not {ranges:?}", rule.id));
                }
            }
            for text in rule.look_alikes() {
                detector.find(&text, &mut spans);
                if spans.iter().any(|span| span.kind == rule.kind) {
                    wrong.push(format!("{}: {text:?} gives {spans:?}", rule.id));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn ids_of_rules_are_unique() {
        let mut ids: Vec<_> = catalogue().map(|rule| rule.id).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|two| two[0] != two[1]), "{ids:?}");
    }

    #[test]
    fn one_detector_serves_all_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Detector>();
        shared::<crate::stages::redact::text::Redactor>();
    }

    /// Rows of beginnings that lead nowhere must not make the scan quadratic: at 1 MB that would
    /// take minutes, and this test would be noticed.
    #[test]
    fn rows_of_beginnings_are_linear() {
        let detector = detector();
        let mut spans = Vec::new();
        for start in ["a@", "AKIA", "-eyJ.", "sk-ant-", "xoxb-", "-github_pat_", "-----BEGIN ", "1 ", "1.", "2001:"] {
            detector.find(&start.repeat(100_000 / start.len()), &mut spans);
            assert_eq!(spans, [], "{start}");
        }
    }

    #[test]
    fn kinds_that_are_off_are_not_found() {
        let detector = Detector::new(&[Kind::Email], &[]).unwrap();
        let mut spans = Vec::new();
        detector.find("a@b.co 4111111111111111 203.0.113.5 +12025550173", &mut spans);
        assert_eq!(spans.iter().map(|span| span.kind).collect::<Vec<_>>(), [Kind::Email]);
    }

    #[test]
    fn unknown_regions_are_refused_with_a_hint() {
        let error = Detector::new(&[Kind::Phone], &["UK".to_owned()]).err().unwrap();
        assert!(error.contains("\"GB\""), "{error}");
        assert!(Detector::new(&[Kind::Phone], &["USA".to_owned()]).is_err());
    }

    #[test]
    fn tokens_are_not_findings() {
        let mut spans = Vec::new();
        for text in ["[PHONE:20255501]", "[CARD:41111111] [SSN:12345678]", "[IP:2001abcd]", "tel [PHONE:02071838]"] {
            detector().find(text, &mut spans);
            assert_eq!(spans, [], "{text}");
        }
    }
}
