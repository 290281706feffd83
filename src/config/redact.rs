//! What a pipeline says about redaction: what is looked for, and what becomes of it.
//!
//! Not here: what presets and actions mean, and whether they fit together (`stages::redact::policy`).
//!
//! Always: what is not said redacts; only what is said lets something through.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Model;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Redact {
    /// A policy to begin with. None named: everything but organisations, places and dates of no
    /// person becomes a keyed pseudonym.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// Types to look for, as in findings (`EMAIL`, `PHONE`, …), or groups (`contact`, `secret`, …);
    /// none named: those of the preset.
    pub types: Vec<String>,
    /// Regions whose national phone numbers are recognised, ISO 3166 codes.
    pub phone_regions: Vec<String>,
    /// What becomes of a type, or of a group: `replace`, `pseudonym`, `surrogate`, `mask`, `mask:4`,
    /// `hash`, `generalise`, `generalise:2`, `date-shift`, `date-shift:30`, `drop-message`,
    /// `drop-conversation`, `keep`. A type that is named here is looked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<String, String>,
    /// Findings that are less sure than this are left alone, 0 to 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub min_score: f64,
    /// The same for a type or a group; wins over `min_score`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub min_scores: BTreeMap<String, f64>,
    /// Values that are left alone (`support@example.com`), and domains with all their addresses
    /// (`*.example.com`). Case does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Files with one such value a line; `#` begins a comment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_files: Vec<PathBuf>,
    /// Own lists of what must not stand in any text; found as `CUSTOM`, with the list's name as rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<Deny>,
    #[serde(skip_serializing_if = "is_default")]
    pub pseudonym_scope: Scope,
    /// Names the scope `dataset`; left out: the pipeline's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pseudonym_dataset: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub limits: RedactLimits,
    /// Folder for the vault, which keeps what stood behind each pseudonym, encrypted with the
    /// `vault` key of the key file. Left out: nothing is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<PathBuf>,
    /// A model that finds names and the like beside the rules. Needs a program built with
    /// `--features onnx`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
}

/// Policies by purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Every type is replaced, names of places and organisations and dates too.
    Strict,
    /// Pseudonyms for what identifies a person, less detail for age, birth and location.
    Gdpr,
    /// The identifiers of 45 CFR 164.514(b)(2); dates become years, ZIP codes three digits.
    HipaaSafeHarbor,
    /// Credentials and nothing else.
    SecretsOnly,
    /// Made-up values of the same type, so that programs still work with the text.
    Dev,
}

/// Within what equal values share a pseudonym.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Conversations that open alike: all answers to one prompt, chosen and rejected.
    Conversation,
    /// All that this pipeline makes.
    Dataset,
    /// All that is made with this project key.
    #[default]
    Project,
}

/// A list of what must not stand in any text.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deny {
    /// Lower-case letters, digits, `-` and `_`; the rule of its findings.
    pub name: String,
    /// Literal values. Case does not count; letters and digits may not be glued to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Files with one value a line; `#` begins a comment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PathBuf>,
}

/// What one record may hold at most; more is a counted reject, never passed through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RedactLimits {
    /// Bytes of the longest single text.
    pub text_bytes: u64,
    pub findings: u32,
}

impl Default for RedactLimits {
    /// Chosen by feel: above all that a record of `ingest.limits` usually holds.
    fn default() -> Self {
        RedactLimits { text_bytes: 64 << 20, findings: 100_000 }
    }
}

impl Default for Redact {
    fn default() -> Self {
        Redact {
            preset: None,
            types: Vec::new(),
            phone_regions: ["US", "GB", "DE", "FR"].map(str::to_owned).to_vec(),
            actions: BTreeMap::new(),
            min_score: 0.0,
            min_scores: BTreeMap::new(),
            allow: Vec::new(),
            allow_files: Vec::new(),
            deny: Vec::new(),
            pseudonym_scope: Scope::default(),
            pseudonym_dataset: None,
            limits: RedactLimits::default(),
            vault: None,
            model: None,
        }
    }
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
