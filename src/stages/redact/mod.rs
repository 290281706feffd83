//! Finds personal data and secrets and writes typed, keyed pseudonyms in their place.
//!
//! Not here: names, disguised values (see README, "Honest limits").
//!
//! Always: every string of a conversation is walked, tool calls and metadata too; a finding says
//! where and what kind, never the value.

mod conversation;
mod detect;
mod json;
mod kind;
mod pseudonym;
mod rule;
mod text;

pub use conversation::Redactor;
pub use detect::catalogue;
pub use kind::{Group, Kind, KindSet};
pub use pseudonym::mask_tokens;
pub use rule::{Rule, expand};
pub use text::Finding;

/// Version of the rules as a whole; part of the key of every redacted layer.
/// - 1: first release.
/// - 2: a dotted quad is an address and no phone number, also behind "hôtel".
/// - 3: numbers that states issue, addresses, labelled values, 400 formats of secrets.
pub const RULES_VERSION: u32 = 3;
