//! The release gate: a second pair of eyes over every text of a release before it is published.
//!
//! It shares no code with the search that redaction makes (`stages::redact::detect`): its own
//! patterns, checksums and decoders, one layer deeper; and it looks for every value that redaction
//! has found anywhere, by keyed hash. What it asks redaction is what the policy leaves (`Policy`), and
//! how a value is hashed (`Pseudonyms`).
//!
//! Not here: which texts are checked and what becomes of a refusal (`runner`).
//!
//! Always: a leak says where and what kind, never the value; what the policy keeps, allows, does not
//! look for or wrote itself is none; linear in the text for each layer.

pub mod canary;
mod check;
mod decode;
mod fold;
pub mod ledger;
mod number;
mod pattern;
mod secret;

use std::collections::HashSet;
use std::ops::Range;

use decode::{Decoder, View};
use ledger::{Ledger, Value};
use pattern::{Hit, Patterns};

use crate::config::Redact;
use crate::record::ProjectKey;
use crate::stages::redact::{Kind, Policy, Pseudonyms};

/// Layers of encoding that are taken off: redaction takes off two.
const DEPTH: usize = 3;

/// A type of which the policy lets through what is less sure than this is not looked for by form:
/// how sure redaction would be of a value is its own business.
const FLOOR_MAX: f32 = 0.5;

/// Something that must not be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Bytes of the text, half-open.
    pub place: Range<usize>,
    pub kind: Kind,
    /// Name of the pattern, or `ledger`.
    pub how: &'static str,
    /// What was taken off to see it, outermost last.
    pub decoders: Vec<&'static str>,
}

/// Immutable but for its ledger: one for all rows.
pub struct Gate {
    patterns: Patterns,
    policy: Policy,
    ledger: Ledger,
}

impl Gate {
    /// The key is the project's; the ledger is empty.
    pub fn new(redact: &Redact, key: &ProjectKey) -> Result<Gate, String> {
        let pseudonyms = Pseudonyms::new(&key.pseudonym().1, &redact.phone_regions)?;
        let (patterns, policy) = (Patterns::new(&redact.phone_regions)?, Policy::new(redact)?);
        Ok(Gate { patterns, policy, ledger: Ledger::new(pseudonyms) })
    }

    /// Looks for this value in every text from now on.
    pub fn remember(&mut self, value: Value) {
        if self.policy.answers(value.0) {
            self.ledger.add(value);
        }
    }

    /// Values that are looked for in every text.
    pub fn remembered(&self) -> usize {
        self.ledger.len()
    }

    /// Whether the policy wants values of this kind gone.
    pub fn answers(&self, kind: Kind) -> bool {
        self.policy.answers(kind)
    }

    /// Adds what must not be published. `own` are values found in the records that the text is from.
    pub fn check(&self, text: &str, own: &HashSet<Value>, leaks: &mut Vec<Leak>) {
        let known = leaks.len();
        let mut chain: Vec<View> = Vec::new();
        loop {
            let source = chain.last().map_or(text, |view| view.text.as_str());
            self.level(text, source, &chain, own, (leaks, known));
            if chain.len() == DEPTH {
                break;
            }
            let Some(view) = View::of(source) else { break };
            chain.push(view);
        }
        leaks[known..].sort_by_key(|leak| leak.place.start);
    }

    /// One layer: `source` is `text` with the layers of `chain` off.
    fn level(
        &self,
        text: &str,
        source: &str,
        chain: &[View],
        own: &HashSet<Value>,
        (leaks, known): (&mut Vec<Leak>, usize),
    ) {
        let mut written: Option<Vec<Range<usize>>> = None;
        let mut add = |kind: Kind, place: Range<usize>, how: &'static str| {
            let new = chain.last().is_none_or(|view| view.is_new(&place));
            if !new || !self.policy.answers(kind) || self.policy.leaves(kind, source, place.clone()) {
                return;
            }
            let written = written.get_or_insert_with(|| tokens(source));
            if written.iter().any(|token| token.start < place.end && place.start < token.end) {
                return;
            }
            let (raw, decoders) = raw(chain, place);
            let over = |leak: &Leak| leak.place.start < raw.end && raw.start < leak.place.end;
            if !leaks[known..].iter().any(over) && self.stands(kind, text, &raw) {
                leaks.push(Leak { place: raw, kind, how, decoders });
            }
        };
        self.patterns.find(source, &mut |Hit { place, kind, name }| {
            if self.policy.floor(kind) <= FLOOR_MAX {
                add(kind, place, name);
            }
        });
        self.ledger.find(source, own, &mut |kind, place| add(kind, place, "ledger"));
    }

    /// It is not allowed as it stands in the text, either.
    fn stands(&self, kind: Kind, text: &str, raw: &Range<usize>) -> bool {
        text.get(raw.clone()).is_some_and(|_| !self.policy.leaves(kind, text, raw.clone()))
    }

    /// The text and all that it says once layers are taken off, for a plain search.
    pub fn readings(text: &str) -> Vec<String> {
        let mut readings = vec![text.to_owned()];
        while readings.len() <= DEPTH
            && let Some(view) = readings.last().and_then(|text| View::of(text))
        {
            readings.push(view.text);
        }
        readings
    }
}

fn raw(chain: &[View], place: Range<usize>) -> (Range<usize>, Vec<&'static str>) {
    let mut decoders: Vec<Decoder> = Vec::new();
    let place = chain.iter().rev().fold(place, |place, view| view.source(place, &mut decoders));
    (place, decoders.into_iter().map(Decoder::as_str).collect())
}

/// What redaction writes: `[EMAIL]`, `[EMAIL:k7f3a9q2]`, `[CARD drop-message]`, `[USER:…]`.
fn tokens(text: &str) -> Vec<Range<usize>> {
    const LONGEST: usize = 80;
    let bytes = text.as_bytes();
    let token = |start: usize| {
        let len = bytes[start..].iter().take(LONGEST).position(|byte| *byte == b']')?;
        let inside = text.get(start + 1..start + len)?;
        let name = inside.split([':', ' ']).next()?;
        (Kind::parse(name).is_some() || name == "USER").then_some(start..start + len + 1)
    };
    memchr::memchr_iter(b'[', bytes).filter_map(token).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::redact::{Disguise, expand};

    fn gate(toml: &str) -> Gate {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        Gate::new(&toml::from_str(toml).unwrap(), &key).unwrap()
    }

    fn leaks(gate: &Gate, text: &str) -> Vec<(String, String)> {
        let mut leaks = Vec::new();
        gate.check(text, &HashSet::new(), &mut leaks);
        leaks.iter().map(|leak| (leak.kind.as_str().to_owned(), text[leak.place.clone()].to_owned())).collect()
    }

    #[test]
    fn values_are_seen_in_every_disguise_of_characters() {
        let gate = gate("");
        let token = expand("ghp_{b62:36}");
        for (kind, value) in [
            ("EMAIL", "jane.roe77@corp-mail.org"),
            ("CARD", "4539 5787 6362 1486"),
            ("PHONE", "+44 20 7183 8750"),
            ("IBAN", "GB82 WEST 1234 5698 7654 32"),
            ("GITHUB_TOKEN", token.as_str()),
        ] {
            for disguise in Disguise::ALL {
                let (written, more) = disguise.write(value);
                if more.is_some() || matches!(disguise, Disguise::AtDot | Disguise::Wrapped) {
                    continue;
                }
                let found = leaks(&gate, &format!("here: {written} ok"));
                assert_eq!(found.len(), 1, "{disguise:?} {value} {found:?}");
                assert_eq!(found[0].0, kind, "{disguise:?} {value}");
            }
        }
    }

    #[test]
    fn three_layers_come_off() {
        let three = ["jane.roe77@corp-mail.org"; 3];
        let written = [Disguise::Base64, Disguise::Percent, Disguise::Hex]
            .iter()
            .zip(three)
            .fold(three[0].to_owned(), |text, (disguise, _)| disguise.write(&text).0);
        let mut found = Vec::new();
        gate("").check(&written, &HashSet::new(), &mut found);
        assert_eq!(found[0].decoders, ["base64", "percent", "hex"]);
        assert_eq!(found[0].place, 0..written.len());
    }

    #[test]
    fn what_the_policy_leaves_is_no_leak() {
        let mail = "write to jane@corp.com";
        for (toml, text, expected) in [
            ("", mail, 1),
            ("types = ['PHONE']", mail, 0),
            ("actions = { EMAIL = 'keep' }", mail, 0),
            ("allow = ['jane@corp.com']", mail, 0),
            ("allow = ['*.corp.com']", mail, 0),
            ("min_scores = { EMAIL = 0.99 }", mail, 0),
            ("preset = 'dev'", "user-k7f3a9q2@example.com +1 202-555-0143 4242424242424242", 0),
            ("preset = 'dev'", "user-k7f3a9q2@corp.com +1 202-456-1143 4539578763621486", 3),
            ("actions = { IP = 'generalise' }", "81.2.69.0/24", 0),
            ("actions = { IP = 'generalise' }", "81.2.69.142/24", 1),
            ("", "[EMAIL:k7f3a9q2] [PHONE:20255501] [CARD] [SSN drop-message]", 0),
            ("", "%5BPHONE:20255501%5D [CARD:4539578763621486]", 0),
        ] {
            assert_eq!(leaks(&gate(toml), text).len(), expected, "{toml}: {text}");
        }
    }

    #[test]
    fn remembered_values_are_found_where_no_form_tells_them() {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        let pseudonyms = Pseudonyms::new(&key.pseudonym().1, &[]).unwrap();
        let mut gate = gate("");
        gate.remember((Kind::ApiKey, pseudonyms.value_hash(Kind::ApiKey, "k3y-9fa8b7c6d5")));
        assert_eq!(leaks(&gate, "the k3y-9fa8b7c6d5 key"), [("API_KEY".to_owned(), "k3y-9fa8b7c6d5".to_owned())]);
        assert_eq!(leaks(&gate, "the k3y%2D9fa8b7c6d5 key").len(), 1);
        assert_eq!(leaks(&gate, "the k3y-9fa8b7c6d6 key"), []);
    }
}
