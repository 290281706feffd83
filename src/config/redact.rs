//! What a pipeline says about redaction.
//!
//! Always: what is not said redacts; only what is said lets something through.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Redact {
    /// Types to look for, as in findings (`EMAIL`, `PHONE`, …); none named: all.
    pub types: Vec<String>,
    /// Regions whose national phone numbers are recognised, ISO 3166 codes.
    pub phone_regions: Vec<String>,
}

impl Default for Redact {
    fn default() -> Self {
        Redact { types: Vec::new(), phone_regions: ["US", "GB", "DE", "FR"].map(str::to_owned).to_vec() }
    }
}
