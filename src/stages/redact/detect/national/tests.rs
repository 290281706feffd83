//! What holds for the tables and the engine of `national` as a whole.
//!
//! Not here: examples of one rule (its row); checks (`check`, beside each table).
//!
//! Always: synthetic numbers only.

use proptest::prelude::*;

use super::*;
use crate::stages::redact::detect::tests::detector;
use crate::stages::redact::kind::Group;

/// A check that accepts each valid number refuses it with any one digit changed.
pub(super) fn refuses_single_changes(check: fn(&[u8]) -> bool, valid: &[&str]) {
    for number in valid {
        let mut bytes = number.as_bytes().to_vec();
        assert!(check(&bytes), "{number}");
        for place in (0..bytes.len()).filter(|place| number.as_bytes()[*place].is_ascii_digit()) {
            for digit in (b'0'..=b'9').filter(|digit| *digit != number.as_bytes()[place]) {
                bytes[place] = digit;
                assert!(!check(&bytes), "{number} with {} at {place}", char::from(digit));
            }
            bytes[place] = number.as_bytes()[place];
        }
    }
}

fn found(text: &str) -> Vec<(&'static str, &str)> {
    let mut spans = Vec::new();
    detector().find(text, &mut spans);
    spans.iter().map(|span| (span.rule, &text[span.start_byte as usize..span.end_byte as usize])).collect()
}

#[test]
fn every_form_is_well_made() {
    let national = National::new(|_| true).unwrap();
    for form in &national.forms {
        assert!(form.groups() <= form::GROUPS_MAX && form.first_len() > 0, "{}", form.row.rule.id);
    }
    let elsewhere = [Kind::Ssn];
    let missing: Vec<_> = Kind::ALL
        .iter()
        .filter(|kind| kind.group() == Group::Government && !elsewhere.contains(kind))
        .filter(|kind| !rules().any(|rule| rule.kind == **kind))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Checks look at fixed places; every form must fill them, whatever its characters.
#[test]
fn checks_bear_every_number_of_their_forms() {
    for row in TABLES.into_iter().flatten() {
        for form in row.forms {
            for (digit, letter, either) in
                [(b'0', b'A', b'0'), (b'9', b'Z', b'Z'), (b'1', b'U', b'9'), (b'5', b'B', b'B')]
            {
                let number: Vec<u8> = form
                    .bytes()
                    .filter_map(|class| match class {
                        b'd' => Some(digit),
                        b'a' => Some(letter),
                        b'n' => Some(either),
                        _ => None,
                    })
                    .collect();
                (row.valid)(&number);
            }
        }
    }
}

#[test]
fn labels_beat_phones_and_cards() {
    for (text, rule) in [
        ("BSN: 111222333", "nl.bsn"),
        ("SIN 123-456-782", "ca.sin"),
        ("NHS number 943 476 5919", "uk.nhs"),
        ("NPI 1245319599", "us.npi"),
        ("CPF: 11144477735", "br.cpf"),
        ("\"tfn\":\"123456782\",\"sin\":\"046454286\"", "au.tfn"),
    ] {
        // The NHS is an organisation, too.
        let numbers = found(text).into_iter().map(|(rule, _)| rule).filter(|rule| !rule.ends_with(".model"));
        assert_eq!(numbers.collect::<Vec<_>>().first(), Some(&rule), "{text}");
    }
}

#[test]
fn ordinary_numbers_are_left() {
    for text in [
        "on 2024-05-01 at 10:30 for $1,299.00, order 10045678",
        "550e8400-e29b-41d4-a716-446655440000 and 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "ISBN 978-3-16-148410-0, ISBN 0-306-40615-2, EAN 5901234123457",
        "2024-05-01T10:30:00.123456Z INFO 1719830400000 1719830400 pid=12345 took 123456789ns",
        "v1.22.333.4444-rc5+build.20240501 linux-6.8.0-31-generic",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "pages 1234-5678 of 12345678, 100 200 300 400 500 600",
        "0.123456789 3.14159265358979 -123456782 1e-10 6.02214076e23",
        "SIN of pride, pan fried at 350, dear 123456, fin 20240501",
    ] {
        let national: Vec<_> = found(text).into_iter().filter(|(id, _)| rules().any(|rule| rule.id == *id)).collect();
        assert_eq!(national, [], "{text}");
    }
}

#[test]
fn rows_of_beginnings_are_linear() {
    let mut spans = Vec::new();
    for start in [
        "AB 12 34 56 ",
        "12.ABC.345/01",
        "1a",
        "1 ",
        "AB123456",
        "1EG4-",
        "ABCDE1234F-",
        "123456 ",
        "nhs 943 476 5919 ",
        "A1b2C3d4E5f6-",
    ] {
        detector().find(&start.repeat(300_000 / start.len()), &mut spans);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(text in "([A-Z]{0,4}[0-9]{1,9}[-. /+(]?[A-Za-zé€入]{0,3}[)]?){0,12}") {
        found(&text);
    }
}
