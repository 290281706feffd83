//! Whether words announce a value: the labels of all rules in one machine.
//!
//! Not here: what the value must look like (each rule says so itself), labels of passwords and keys
//! (`secrets`).
//!
//! Always: only a bounded window before a place is read; an answer is a reason to look, no finding.

use super::national::{self, Context, Labels};
use super::{Kind, labelled};

/// Words of other rules, folded.
const OTHERS: [&str; 15] = [
    "born",
    "dob",
    "birth*",
    "location",
    "coordinates",
    "ssn",
    "social security",
    "card*",
    "wallet*",
    "password*",
    "passwort",
    "pwd",
    "passcode",
    "zip*",
    "postcode",
];

pub(super) struct Told(Labels);

impl Told {
    pub(super) fn new(enabled: impl Fn(Kind) -> bool + Copy) -> Result<Told, String> {
        let words = national::words(enabled).chain(labelled::words(enabled)).chain(OTHERS);
        Labels::new(words).map(Told)
    }

    /// A label stands in the last bytes of a text.
    pub(super) fn near_end(&self, text: &str) -> bool {
        Context::around(&self.0, text, text.len(), text.len()).any()
    }
}
