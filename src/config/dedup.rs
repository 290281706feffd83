//! `[dedup]`: near-duplicates and guards.
//!
//! Not here: what makes a duplicate (`stages::dedup`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::against::Against;

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dedup {
    pub near: Near,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// Part of no key: they change no decision.
    #[serde(skip_serializing)]
    pub guards: Guards,
}

/// Against near-duplicates that take more than was meant; shares from 0 to 1. Exact copies and
/// snapshots do not count: a file that was delivered twice may lose all of its records.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Guards {
    /// A source that loses a larger share of its records to near-duplicates is warned of.
    pub warn_lost: f64,
    /// A source that loses a larger share stops the run before the commit, with exit code 10.
    pub stop_lost: f64,
    /// A record that stands for a larger share of a source is warned of: a template, perhaps.
    pub warn_cluster: f64,
    /// Nothing stops the run, whatever is lost.
    pub allow_wipeout: bool,
}

impl Default for Guards {
    /// Chosen by feel, after what large projects found over-deleted (Marin, issues 6851, 6854, 9212).
    fn default() -> Guards {
        Guards { warn_lost: 0.3, stop_lost: 0.6, warn_cluster: 0.01, allow_wipeout: false }
    }
}

/// How near-duplicates are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    Off,
    /// MinHash candidates, each verified exactly.
    #[default]
    Minhash,
}

/// Near-duplicates; the numbers mean nothing where the method is off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Near {
    pub method: Method,
    pub shingle_words: u32,
    pub bands: u32,
    pub rows_per_band: u32,
    /// Exact Jaccard that both the user side and the assistant side must reach.
    pub min_jaccard: f64,
    /// Conversations with fewer tokens than this are compared exactly only.
    pub short_tokens: u32,
    /// Pairs are made with at most this many representatives of one bucket.
    pub bucket_limit: u32,
}

impl Default for Near {
    /// 16 bands of 8 rows: a pair with Jaccard s is a candidate with 1-(1-s^8)^16: 0.947 at 0.80,
    /// 0.994 at 0.85 (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4.2).
    fn default() -> Self {
        let method = Method::Minhash;
        Near {
            method,
            shingle_words: 3,
            bands: 16,
            rows_per_band: 8,
            min_jaccard: 0.80,
            short_tokens: 10,
            bucket_limit: 50,
        }
    }
}
