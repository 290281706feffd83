//! The presets: which types a policy looks for, and what becomes of each, before the pipeline file
//! changes single ones.
//!
//! Always: organisations, places, nationalities, web addresses and dates of no person are looked for only where a preset's
//! purpose asks for it; no preset keeps a secret.

use super::action::Action;
use super::kind::{Group, Kind};
use super::surrogate;
use crate::config::Preset;

/// What a preset does with a type; nothing: it does not look for it.
pub fn action(preset: Option<Preset>, kind: Kind) -> Option<Action> {
    match preset {
        None => named_person(kind).then_some(Action::Pseudonym),
        Some(Preset::Strict) => Some(Action::Replace),
        Some(Preset::Gdpr) => named_person(kind).then(|| gdpr(kind)),
        Some(Preset::HipaaSafeHarbor) => (!matches!(kind, Kind::Organization | Kind::Nrp)).then(|| safe_harbor(kind)),
        Some(Preset::SecretsOnly) => kind.is_secret().then_some(Action::Replace),
        Some(Preset::Dev) => named_person(kind).then(|| dev(kind)),
    }
}

/// All that points at one person, or opens something.
fn named_person(kind: Kind) -> bool {
    !matches!(kind, Kind::Organization | Kind::Place | Kind::Nrp | Kind::Date | Kind::Url)
}

/// Article 4(5) GDPR: attributable to a person only with what is kept apart, here the key. What is
/// of no use without the person (cards, keys) goes; what describes one loses detail.
fn gdpr(kind: Kind) -> Action {
    match kind {
        Kind::Card | Kind::Cvv | Kind::CardExpiry | Kind::Pin => Action::Replace,
        Kind::Age | Kind::DateOfBirth | Kind::Geo => Action::Generalise { decimals: 1 },
        _ if kind.is_secret() => Action::Replace,
        _ => Action::Pseudonym,
    }
}

/// 45 CFR 164.514(b)(2)(i) (A) to (R): gone, but for the year, the decade of an age and the first
/// three digits of a ZIP code. No code that is derived from a value may stay (164.514(c)).
fn safe_harbor(kind: Kind) -> Action {
    match kind {
        Kind::Age | Kind::DateOfBirth | Kind::Date | Kind::Postcode => Action::Generalise { decimals: 1 },
        _ => Action::Replace,
    }
}

fn dev(kind: Kind) -> Action {
    match kind {
        _ if surrogate::exists(kind) => Action::Surrogate,
        Kind::DateOfBirth => Action::DateShift { days: 365 },
        _ if matches!(kind.group(), Group::Secret) => Action::Replace,
        _ => Action::Pseudonym,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Option<Preset>; 6] = [
        None,
        Some(Preset::Strict),
        Some(Preset::Gdpr),
        Some(Preset::HipaaSafeHarbor),
        Some(Preset::SecretsOnly),
        Some(Preset::Dev),
    ];

    #[test]
    fn every_preset_is_sound() {
        for preset in ALL {
            for kind in Kind::ALL {
                let action = action(preset, *kind);
                assert_eq!(action.map_or(Ok(()), |action| action.fits(*kind)), Ok(()), "{preset:?}");
                assert!(
                    !kind.is_secret() || action.is_some_and(|action| action != Action::Keep),
                    "{preset:?} {kind:?}"
                );
            }
        }
    }

    #[test]
    fn presets_differ_where_they_say() {
        let generalise = Some(Action::Generalise { decimals: 1 });
        for (kind, expected) in [
            (Kind::Email, ["pseudonym", "replace", "pseudonym", "replace", "-", "surrogate"]),
            (Kind::ApiKey, ["pseudonym", "replace", "replace", "replace", "replace", "replace"]),
            (Kind::Place, ["-", "replace", "-", "replace", "-", "-"]),
            (Kind::Organization, ["-", "replace", "-", "-", "-", "-"]),
            (Kind::Url, ["-", "replace", "-", "replace", "-", "-"]),
            (Kind::Nrp, ["-", "replace", "-", "-", "-", "-"]),
            (Kind::Date, ["-", "replace", "-", "generalise", "-", "-"]),
            (Kind::DateOfBirth, ["pseudonym", "replace", "generalise", "generalise", "-", "date-shift"]),
            (Kind::Person, ["pseudonym", "replace", "pseudonym", "replace", "-", "surrogate"]),
            (Kind::Card, ["pseudonym", "replace", "replace", "replace", "-", "surrogate"]),
        ] {
            let names = ALL.map(|preset| action(preset, kind).map_or("-", Action::name));
            assert_eq!(names, expected, "{kind:?}");
        }
        assert_eq!(action(Some(Preset::HipaaSafeHarbor), Kind::Postcode), generalise);
    }
}
