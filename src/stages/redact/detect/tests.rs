//! Every rule together: which finding stays, what is no finding, and that the work is linear.

use std::sync::LazyLock;

use super::*;
use crate::stages::redact::kind::Group;

pub(crate) fn of(kinds: impl Iterator<Item = Kind>) -> Detector {
    let kinds: Vec<Kind> = kinds.collect();
    Detector::new(&kinds, &["US".to_owned(), "GB".to_owned(), "FR".to_owned(), "KR".to_owned()]).unwrap()
}

/// Of all kinds.
pub(crate) fn detector() -> &'static Detector {
    static ALL: LazyLock<Detector> = LazyLock::new(|| of(Kind::ALL.iter().copied()));
    &ALL
}

/// Without the model of names, which has rows of its own and is slow where nothing is optimised.
pub(crate) fn rules_only() -> &'static Detector {
    static RULES: LazyLock<Detector> =
        LazyLock::new(|| of(Kind::ALL.iter().copied().filter(|kind| kind.group() != Group::Name)));
    &RULES
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
    let make =
        |start_byte, end_byte, kind, score| Span { start_byte, end_byte, kind, rule: "test", rule_version: 1, score };
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
    let detector = rules_only();
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
