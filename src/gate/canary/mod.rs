//! Canaries: made-up values of every type that a policy looks for, in every disguise, sent through
//! redaction at each run to see that they do not come out.
//!
//! They live in conversations in memory that no layer ever sees. What a run says of them is what its
//! key, its policy and this program would do to the like of them in a log.
//!
//! Not here: what becomes of a miss (`runner`).
//!
//! Always: the same key gives the same canaries, another key others; a canary that its disguise
//! leaves as it is, or that the policy lets stand, is not counted.

mod sums;
mod value;

use std::collections::BTreeMap;

use serde::Serialize;

use super::Gate;
use crate::record::{Conversation, Message, ProjectKey, Role};
use crate::stages::redact::{Action, Disguise, Group, Kind, Outcome, Redactor, mask_tokens};

/// How many were planted, and how many did not come out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    pub planted: u64,
    pub gone: u64,
}

impl Count {
    fn add(&mut self, gone: bool) {
        self.planted += 1;
        self.gone += u64::from(gone);
    }
}

/// What became of the canaries of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recall {
    #[serde(flatten)]
    pub all: Count,
    pub types: BTreeMap<&'static str, Count>,
    pub disguises: BTreeMap<&'static str, Count>,
    /// Types with a form of their own of which a canary in no disguise came out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<&'static str>,
}

/// Types that are found by what they are, wherever they stand.
fn has_form(kind: Kind) -> bool {
    let strong = matches!(kind, Kind::Email | Kind::Phone | Kind::Ip | Kind::Mac | Kind::Card | Kind::Iban);
    let weak = matches!(kind, Kind::Password | Kind::DriverLicense | Kind::UsDriverLicense);
    strong || !weak && matches!(kind.group(), Group::Government | Group::Secret)
}

/// One value in one disguise, in the texts of a conversation.
pub struct Canary {
    pub kind: Kind,
    pub disguise: Disguise,
    /// One, or two messages that it is split over.
    pub texts: Vec<String>,
    /// What must be in none of them once they are redacted.
    pub needles: Vec<String>,
}

/// All of them, for this policy and key.
pub fn canaries(gate: &Gate, key: &ProjectKey) -> impl Iterator<Item = Canary> {
    let rows = value::ROWS.iter().filter(|row| gate.answers(row.0));
    let each = rows.flat_map(|row| Disguise::ALL.map(|disguise| (row, disguise)));
    each.filter_map(|(row, disguise)| canary(gate, key, row, disguise))
}

/// Sends them all through.
pub fn plant(gate: &Gate, redactor: &Redactor, key: &ProjectKey) -> Recall {
    let mut recall = Recall::default();
    for canary in canaries(gate, key) {
        let (kind, gone) = (canary.kind, is_gone(redactor, &canary));
        recall.all.add(gone);
        recall.types.entry(kind.as_str()).or_default().add(gone);
        recall.disguises.entry(canary.disguise.as_str()).or_default().add(gone);
        // What is less sure than the policy asks for is let through knowingly.
        let meant = gate.policy.floor(kind) <= 0.0;
        if !gone && canary.disguise == Disguise::Plain && has_form(kind) && meant {
            recall.missed.push(kind.as_str());
        }
    }
    recall
}

/// Nothing where there is nothing to see: not disguised by this disguise, or let stand.
fn canary(gate: &Gate, key: &ProjectKey, row: &value::Row, disguise: Disguise) -> Option<Canary> {
    let kind = row.0;
    let mut hasher = key.hasher("canary");
    hasher.update(kind.as_str().as_bytes()).update(disguise.as_str().as_bytes());
    let (before, value, after) = value::made(row, &mut value::Draw::of(hasher.finalize()));
    let (first, second) = disguise.write(&value);
    let plain = format!("{before}{value}{after}");
    let same = disguise != Disguise::Plain && second.is_none() && first == value;
    // Nobody spells the dots of a tax number out.
    let spelled = matches!(kind, Kind::Email | Kind::Phone | Kind::Ip);
    if same
        || (disguise == Disguise::AtDot && !spelled)
        || gate.policy.leaves(kind, &plain, before.len()..before.len() + value.len())
    {
        return None;
    }
    // A decade that is written in place of an age holds its last year.
    let bound = kind == Kind::Age && value.ends_with(['0', '9']);
    if bound && matches!(gate.policy.action(kind), Action::Generalise { .. }) {
        return None;
    }
    let whole = matches!(gate.policy.action(kind), Action::DateShift { .. }) || gate.policy.action(kind).shows_part();
    let needles = needles(&value, &first, second.as_deref(), whole).into_iter().map(str::to_owned).collect();
    let texts = match &second {
        None => vec![format!("{before}{first}{after}")],
        Some(second) => vec![format!("{before}{first}"), format!("{second}{after}")],
    };
    Some(Canary { kind, disguise, texts, needles })
}

/// Whether redaction leaves nothing of it, or leaves nothing at all.
pub fn is_gone(redactor: &Redactor, canary: &Canary) -> bool {
    let messages = canary.texts.iter().map(|text| Message::text(Role::User, text.as_str())).collect();
    let mut conversation = Conversation { messages, ..Conversation::default() };
    let scope = redactor.scope(&conversation);
    if redactor.conversation(&mut conversation, scope, &mut Vec::new()) != Outcome::Kept {
        return true;
    }
    let holds = |text: &str| canary.needles.iter().any(|needle| text.contains(needle.as_str()));
    // The letters of a token are chance: two digits of an age may be among them.
    let left = |message: &Message| Gate::readings(&mask_tokens(&message.content)).iter().any(|text| holds(text));
    !conversation.messages.iter().any(left)
}

/// What must not be left: the value, as it was written, and its halves, unless the action shows a
/// part. Halves that are too short stand anywhere by chance.
fn needles<'v>(value: &'v str, first: &'v str, second: Option<&'v str>, whole: bool) -> Vec<&'v str> {
    const PART_MIN: usize = 4;
    let mut needles = vec![value];
    if second.is_none() {
        needles.push(first);
    }
    let lines = first.split_once('\n').filter(|(a, b)| format!("{a}{b}") == value);
    let halves = second.map(|second| (first, second)).or(lines);
    if let Some((a, b)) = halves.filter(|_| !whole) {
        needles.extend([a, b].into_iter().filter(|part| part.trim().len() >= PART_MIN));
    }
    needles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Redact;

    fn planted(toml: &str, secret: &str) -> Recall {
        let (config, key) = (toml::from_str::<Redact>(toml).unwrap(), ProjectKey::from_secret(secret).unwrap());
        plant(&Gate::new(&config, &key).unwrap(), &Redactor::new(&config, &key).unwrap(), &key)
    }

    #[test]
    fn canaries_depend_on_the_key_and_are_gone() {
        let a = planted("", "a secret of good length");
        assert_eq!(a, planted("", "a secret of good length"));
        assert!(a.missed.is_empty(), "{:?}", a.missed);
        for (kind, count) in &a.types {
            println!("{kind} {} of {}", count.gone, count.planted);
        }
        for (disguise, count) in &a.disguises {
            println!("{disguise} {} of {}", count.gone, count.planted);
        }
        println!("{} of {}", a.all.gone, a.all.planted);
        let email = a.types["EMAIL"];
        assert!(email.gone == email.planted && email.planted >= 14, "{email:?}");
        assert_eq!(a.all.gone, a.all.planted);
        for (preset, share) in [("", 999), ("preset = 'strict'", 998)] {
            for n in 0..3 {
                let other = planted(preset, &format!("another secret of good length {n}")).all;
                assert!(other.gone * 1000 >= other.planted * share, "{preset} {other:?}");
            }
        }
    }

    #[test]
    #[ignore = "minutes; with --nocapture it prints the figures of docs/redaction-misses.md"]
    fn canaries_of_forty_keys() {
        for preset in ["", "preset = 'strict'"] {
            let recalls = (0..40).map(|n| planted(preset, &format!("another secret of good length {n}")).all);
            let (gone, all) = recalls.fold((0, 0), |(gone, all), one| (gone + one.gone, all + one.planted));
            println!("{preset}: {gone} of {all}");
            assert!(gone * 1000 >= all * 999);
        }
    }

    #[test]
    fn no_key_makes_a_plain_canary_that_is_missed() {
        for preset in ["", "preset = 'strict'", "preset = 'gdpr'", "preset = 'dev'", "preset = 'secrets-only'"] {
            for n in 0..3 {
                let recall = planted(preset, &format!("a secret of good length {n}"));
                assert_eq!(recall.missed, [""; 0], "{preset} {n}");
            }
        }
    }

    #[test]
    fn types_that_are_looked_for_alone_are_found_too() {
        for kind in Kind::ALL.iter().filter(|kind| has_form(**kind)) {
            let recall =
                planted(&format!("types = ['{}']\nphone_regions = []", kind.as_str()), "a secret of good length");
            assert_eq!(recall.missed, [""; 0]);
        }
    }

    #[test]
    fn what_the_policy_lets_stand_is_not_planted() {
        let recall = planted("types = ['EMAIL', 'PHONE']\nactions = { PHONE = 'keep' }", "a secret of good length");
        assert_eq!(recall.types.keys().collect::<Vec<_>>(), [&"EMAIL"]);
        let dropped = planted("types = ['EMAIL']\nlimits = { text_bytes = 1 }", "a secret of good length");
        assert_eq!(dropped.all.gone, dropped.all.planted);
    }
}
