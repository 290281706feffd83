//! Addresses in sentences, and sentences without one.

use crate::stages::redact::detect::tests::finds;
use crate::stages::redact::kind::Kind;

#[test]
fn addresses() {
    for (text, found) in [
        ("It's at 1400 A Street #6, and the number", &["1400 A Street #6"][..]),
        ("at 13949 oak drive? the 1 bedroom", &["13949 oak drive"]),
        ("at 123-01 birch avenue.", &["123-01 birch avenue"]),
        ("1010 3rd Avenue Northwest. The cost", &["1010 3rd Avenue Northwest"]),
        ("lives at 846 31 Rue Al Imam, Cite", &["846 31 Rue Al Imam, Cite"]),
        ("9 rue du four 75006", &["9 rue du four 75006"]),
        ("12 Oak Street, Brooklyn. It", &["12 Oak Street, Brooklyn"]),
        ("at 9 elm street, brooklyn", &["9 elm street, brooklyn"]),
        ("12 Oak Street, I found it", &["12 Oak Street"]),
        ("12 Oak Street.\nPhone: 1", &["12 Oak Street"]),
    ] {
        finds(text, Kind::Address, found);
    }
}

#[test]
fn rows_of_numbers_and_words_are_linear() {
    for row in ["1 Main ", "12 Apt 5 ", "1 a\n", "Apt. 5 ", "5 Street ", "Calle 5 ", "1 Rue ", "address 1 A "] {
        let text = row.repeat(1_000_000 / row.len());
        let mut spans = Vec::new();
        crate::stages::redact::detect::tests::rules_only().find(&text, &mut spans);
        assert!(spans.iter().all(|span| span.end_byte as usize <= text.len()));
    }
}
