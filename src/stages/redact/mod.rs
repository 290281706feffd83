//! Finds personal data and secrets and does with them what the pipeline's policy says; without one
//! it writes typed, keyed pseudonyms in their place.
//!
//! Not here: training the model of names (`src/bin/train_names`).
//!
//! Always: every string of a conversation is walked, tool calls and metadata too; a finding says
//! where and what kind, never the value.

mod action;
mod conversation;
mod dates;
mod detect;
mod disguise;
mod document;
#[cfg(test)]
mod evasion_tests;
mod generalise;
mod glance;
mod json;
mod kind;
mod lists;
mod memo;
mod mentions;
mod policy;
mod preset;
mod pseudonym;
mod refusal;
mod rule;
mod rule_table;
mod surrogate;
mod text;
mod turns;
pub mod vault;
mod view;
mod write;

pub use action::Action;
pub use conversation::{Outcome, Redactor};
pub use detect::{catalogue, names};
pub use disguise::Disguise;
pub use document::Sighting;
pub use kind::{Group, Kind, KindSet};
pub use policy::{Policy, check, settings};
pub use pseudonym::{Pseudonyms, mask_tokens};
pub use refusal::Refusal;
pub use rule::{Rule, expand};
pub use rule_table::{Tested, test_rules};
pub use surrogate::is_surrogate;
pub use text::Finding;

/// Version of the rules as a whole; part of the key of every redacted layer.
/// - 1: first release.
/// - 2: a dotted quad is an address and no phone number, also behind "hôtel".
/// - 3: numbers that states issue, addresses, labelled values, 400 formats of secrets; names of
///   people, organisations and places where they are asked for; values in disguise, over line ends
///   and over messages; folded letters share a pseudonym; policies; findings with their action and
///   what was written.
/// - 4: seed phrases; values in two parts behind a label, short base64 and JSON behind one; names in
///   letters that were decoded, and under their keys in text; private keys by their last line.
/// - 5: fewer false findings in programs: sums, exponents, `os.path`, decorators, RFCs, paths of types.
/// - 6: ages and names in base64; names, keys without a digit and hosts over a cut.
/// - 7: places, groups and firms over a cut; words of four letters in base64.
pub const RULES_VERSION: u32 = 7;
