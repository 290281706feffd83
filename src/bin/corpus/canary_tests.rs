//! Tests of `canary`: values are distinct and valid by form and checksum.

use super::*;
use std::collections::HashSet;

fn all(kind: &str) -> Vec<String> {
    let words = Vocabulary::new(2);
    let first = KINDS.iter().position(|k| *k == kind).unwrap() as u64;
    (0..400).map(|n| canary(2, first + n * KINDS.len() as u64, &words).value).collect()
}

#[test]
fn values_are_distinct_and_repeatable() {
    for kind in KINDS {
        let values = all(kind);
        assert_eq!(values.iter().collect::<HashSet<_>>().len(), values.len(), "{kind}");
        assert_eq!(values, all(kind));
    }
}

#[test]
fn cards_and_ibans_pass_their_checksums() {
    for card in all("CARD") {
        let digits: String = card.chars().filter(char::is_ascii_digit).collect();
        assert!(luhn(&digits) && (15..=16).contains(&digits.len()), "{card}");
    }
    for iban in all("IBAN") {
        let text = iban.replace(' ', "");
        let length = match &text[..2] {
            "DE" | "GB" => 22,
            _ => 18,
        };
        assert_eq!(text.len(), length, "{iban}");
        assert_eq!(mod97(&format!("{}{}", &text[4..], &text[..4])), 1, "{iban}");
    }
}

#[test]
fn numbers_keep_the_rules_of_their_kind() {
    for ssn in all("SSN") {
        let parts: Vec<u32> = ssn.split('-').map(|part| part.parse().unwrap()).collect();
        assert!((1..900).contains(&parts[0]) && parts[0] != 666 && parts[1] > 0 && parts[2] > 0);
        assert_eq!(ssn.len(), 11);
    }
    for ip in all("IP") {
        assert!(ip.parse::<std::net::Ipv4Addr>().is_ok(), "{ip}");
    }
    for phone in all("PHONE") {
        let digits = phone.bytes().filter(u8::is_ascii_digit).count();
        assert!(matches!((&phone[..3], digits), ("+1 ", 11) | ("+44", 12) | ("+49", 12)), "{phone}");
    }
}

#[test]
fn tokens_have_their_lengths() {
    let lengths = [("AWS_KEY", 20), ("GITHUB_TOKEN", 40), ("ANTHROPIC_KEY", 108), ("STRIPE_KEY", 32)];
    for (kind, length) in lengths {
        assert!(all(kind).iter().all(|value| value.len() == length), "{kind}");
    }
    assert!(all("JWT").iter().all(|jwt| jwt.starts_with("eyJ") && jwt.split('.').count() == 3));
    assert_eq!(base64_url(b"{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9");
}
