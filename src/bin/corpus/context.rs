//! The sentences that canaries stand in, and where they stand.
//!
//! Not the values (`canary`). Sentences are written by hand, since detectors may look for words
//! nearby.
//!
//! Always: a sentence has its value once, with white space or a quote before it, and no digits of
//! its own.

use crate::canary::{Canary, KINDS};
use crate::chance::Chance;
use crate::plan::Format;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    User,
    Assistant,
    Arguments,
    Metadata,
}

/// The place of the n-th canary: kinds take turns first, then places, so that each kind comes to
/// each place. Formats without a place use the assistant's text, and HH always does: a shared
/// prompt would be two records, hence two findings.
pub fn place(format: Format, n: u64) -> Where {
    let kinds = KINDS.len() as u64;
    match (format, (n / kinds + n % kinds) % 4) {
        (Format::Hh, _) => Where::Assistant,
        (_, 0) => Where::User,
        (Format::OpenAi, 2) => Where::Arguments,
        (Format::OpenAi, 3) => Where::Metadata,
        (Format::ShareGpt, 2) => Where::User,
        _ => Where::Assistant,
    }
}

fn templates(kind: &str) -> [&'static str; 3] {
    match kind {
        "EMAIL" => [
            "Please send the result to {} when it is done.",
            "The address on file is {} for now.",
            "You can write to {} at any time.",
        ],
        "PHONE" => [
            "Call me on {} this evening.",
            "The phone number of the office is {} as far as known.",
            "Reach the desk by phone at {} before noon.",
        ],
        "IP" => [
            "The server at {} stopped answering.",
            "Requests from {} are refused by the firewall.",
            "Its public address is {} according to the log.",
        ],
        "CARD" => [
            "Please charge the credit card {} for the order.",
            "The card number on the invoice is {} and it was declined.",
            "Payment was made with card {} last week.",
        ],
        "SSN" => [
            "My social security number is {} as the form asks.",
            "The SSN on the record reads {} right now.",
            "Use SSN {} for the tax return.",
        ],
        "IBAN" => [
            "Transfer the rent to IBAN {} please.",
            "The bank account is {} and belongs to the club.",
            "Refunds go to {} within a week.",
        ],
        "PRIVATE_KEY" => [
            "This is the private key of the server:\n{}\nKeep it safe.",
            "The file starts with this key:\n{}\nNothing follows.",
            "Deploy with the key below:\n{}\nThen restart.",
        ],
        "JWT" => [
            "The request carries the bearer token {} in its header.",
            "This session token {} was rejected.",
            "Decode {} and check its scope.",
        ],
        _ => [
            "The key in the settings is {} and it still works.",
            "I exported the token {} in the shell.",
            "Authentication fails with {} as the secret.",
        ],
    }
}

pub fn sentence(chance: Chance, canary: &Canary) -> String {
    chance.choose(0, &templates(KINDS[canary.kind])).replacen("{}", &canary.value, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_hold_the_value_once_and_no_digits_of_their_own() {
        for kind in KINDS {
            for text in templates(kind) {
                assert_eq!(text.matches("{}").count(), 1);
                assert!(!text.contains(|c: char| c.is_ascii_digit()));
            }
        }
    }

    #[test]
    fn every_kind_comes_to_every_place() {
        for kind in 0..14 {
            let places: Vec<Where> = (0..4).map(|round| place(Format::OpenAi, kind + 14 * round)).collect();
            for wanted in [Where::User, Where::Assistant, Where::Arguments, Where::Metadata] {
                assert!(places.contains(&wanted));
            }
        }
    }
}
