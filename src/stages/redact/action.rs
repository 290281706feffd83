//! What may become of a finding, as pipeline files name it, and which type allows what.
//!
//! Not here: which type gets which action (`policy`), how it is written (`write`).
//!
//! Always: a card or a secret is never shown in part, by no action.

use super::generalise;
use super::kind::{Group, Kind};
use super::surrogate;

/// What becomes of a finding. Whatever it is, the finding is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `[EMAIL]`
    Replace,
    /// `[EMAIL:k7f3a9q2]`: the same for the same value, by key and scope.
    Pseudonym,
    /// A made-up value of the same type, out of a range that is reserved for that.
    Surrogate,
    /// `*` for each letter and digit, but for the last few.
    Mask {
        keep_last: u8,
    },
    /// `[EMAIL:0123…]`: 32 hex digits, keyed like a pseudonym.
    Hash,
    /// Less detail: a network, a decade, a region, a year. Decimals count for coordinates only.
    Generalise {
        decimals: u8,
    },
    /// All dates of a conversation by the same number of days, and 400 years on.
    DateShift {
        days: u16,
    },
    DropMessage,
    DropConversation,
    /// The text stays as it is.
    Keep,
}

const ALLOWED: &str = "replace, pseudonym, surrogate, mask, mask:N (the last N stay, 1 to 4), hash, generalise, \
    generalise:N (decimals of coordinates, 1 or 2), date-shift, date-shift:N (days, 1 to 3650), drop-message, \
    drop-conversation or keep";

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Action::Replace => "replace",
            Action::Pseudonym => "pseudonym",
            Action::Surrogate => "surrogate",
            Action::Mask { .. } => "mask",
            Action::Hash => "hash",
            Action::Generalise { .. } => "generalise",
            Action::DateShift { .. } => "date-shift",
            Action::DropMessage => "drop-message",
            Action::DropConversation => "drop-conversation",
            Action::Keep => "keep",
        }
    }

    /// Whether what is written may look like a value of some kind.
    pub(super) const fn shows_value(self) -> bool {
        matches!(self, Action::Surrogate | Action::Mask { .. } | Action::Generalise { .. } | Action::DateShift { .. })
    }

    /// The error says what is allowed.
    pub fn parse(written: &str) -> Result<Action, String> {
        let (name, number) = match written.split_once(':') {
            Some((name, number)) => (name, Some(number.parse::<u16>().unwrap_or(0))),
            None => (written, None),
        };
        let action = match (name, number) {
            ("replace", None) => Action::Replace,
            ("pseudonym", None) => Action::Pseudonym,
            ("surrogate", None) => Action::Surrogate,
            ("mask", None) => Action::Mask { keep_last: 0 },
            ("mask", Some(n @ 1..=4)) => Action::Mask { keep_last: n as u8 },
            ("hash", None) => Action::Hash,
            ("generalise", None) => Action::Generalise { decimals: 1 },
            ("generalise", Some(n @ 1..=2)) => Action::Generalise { decimals: n as u8 },
            ("date-shift", None) => Action::DateShift { days: 365 },
            ("date-shift", Some(n @ 1..=3650)) => Action::DateShift { days: n },
            ("drop-message", None) => Action::DropMessage,
            ("drop-conversation", None) => Action::DropConversation,
            ("keep", None) => Action::Keep,
            _ => return Err(format!("is {written:?}, expected {ALLOWED}")),
        };
        Ok(action)
    }

    /// Whether a type can have this action; the error says why not.
    pub fn fits(self, kind: Kind) -> Result<(), String> {
        let name = kind.as_str();
        match self {
            Action::Mask { keep_last: 1.. } if never_in_part(kind) => {
                Err(format!("would show the end of a {name}; cards and secrets are never shown in part, use mask"))
            }
            Action::Surrogate if !surrogate::exists(kind) => Err(format!(
                "is surrogate, and no values of the type {name} are reserved; {}",
                known(surrogate::exists)
            )),
            Action::Generalise { .. } if !generalise::exists(kind) => {
                Err(format!("is generalise, which says nothing for {name}; {}", known(generalise::exists)))
            }
            Action::DateShift { .. } if !is_date(kind) => {
                Err(format!("is date-shift, and {name} is no date; {}", known(is_date)))
            }
            _ => Ok(()),
        }
    }

    /// The value itself, or a part of it, can be read in what is written.
    pub const fn shows_part(self) -> bool {
        matches!(self, Action::Mask { keep_last: 1.. } | Action::Generalise { .. } | Action::Keep)
    }
}

fn is_date(kind: Kind) -> bool {
    matches!(kind, Kind::Date | Kind::DateOfBirth)
}

fn never_in_part(kind: Kind) -> bool {
    matches!(kind.group(), Group::Secret) || matches!(kind, Kind::Card | Kind::Cvv | Kind::Pin | Kind::CardExpiry)
}

fn known(of: fn(Kind) -> bool) -> String {
    let names: Vec<&str> = Kind::ALL.iter().filter(|kind| of(**kind)).map(|kind| kind.as_str()).collect();
    format!("it is allowed for {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for written in ["replace", "pseudonym", "surrogate", "mask", "hash", "generalise", "date-shift"] {
            assert_eq!(Action::parse(written).unwrap().name(), written);
        }
        assert_eq!(Action::parse("mask:4"), Ok(Action::Mask { keep_last: 4 }));
        assert_eq!(Action::parse("date-shift:30"), Ok(Action::DateShift { days: 30 }));
        for wrong in ["", "mask:5", "mask:x", "mask:0", "hash:2", "generalise:3", "date-shift:0", "Replace", "drop"] {
            assert!(Action::parse(wrong).unwrap_err().contains("drop-conversation"), "{wrong}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (action, fits, not) in [
            ("mask:4", Kind::Phone, Kind::Card),
            ("mask:1", Kind::Email, Kind::Password),
            ("surrogate", Kind::Email, Kind::Password),
            ("generalise", Kind::Ip, Kind::Email),
            ("date-shift", Kind::DateOfBirth, Kind::Age),
        ] {
            let action = Action::parse(action).unwrap();
            assert_eq!(action.fits(fits), Ok(()));
            assert!(action.fits(not).unwrap_err().contains(not.as_str()));
        }
        for kind in Kind::ALL {
            for action in [Action::Replace, Action::Mask { keep_last: 0 }, Action::Keep, Action::DropMessage] {
                assert_eq!(action.fits(*kind), Ok(()));
            }
        }
    }
}
