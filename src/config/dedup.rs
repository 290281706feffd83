//! `[dedup]`: near-duplicates and guards.
//!
//! Not here: what makes a duplicate (`stages::dedup`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::against::Against;
use super::semantic::Semantic;

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dedup {
    pub near: Near,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semantic: Option<Semantic>,
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

/// Bands and rows of the sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NearPreset {
    /// 16 bands of 8 rows.
    Balanced,
    /// 26 bands of 11 rows: less to compare.
    Precise,
    /// 32 bands of 8 rows: finds more.
    Recall,
}

impl NearPreset {
    pub const fn bands_and_rows(self) -> (u32, u32) {
        match self {
            NearPreset::Balanced => (16, 8),
            NearPreset::Precise => (26, 11),
            NearPreset::Recall => (32, 8),
        }
    }
}

impl Near {
    /// Puts the numbers of the preset in its place, so that keys do not tell how they were written.
    pub(super) fn fill(&mut self) -> Result<(), String> {
        let Some(preset) = self.preset.take() else { return Ok(()) };
        let default = Near::default();
        if (self.bands, self.rows_per_band) != (default.bands, default.rows_per_band) {
            return Err("dedup.near: preset says bands and rows_per_band; leave those out, or the preset".to_owned());
        }
        (self.bands, self.rows_per_band) = preset.bands_and_rows();
        Ok(())
    }
}

/// Near-duplicates; the numbers mean nothing where the method is off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Near {
    pub method: Method,
    /// Bands and rows by name, in place of the two numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<NearPreset>,
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
            preset: None,
            shingle_words: 3,
            bands: 16,
            rows_per_band: 8,
            min_jaccard: 0.80,
            short_tokens: 10,
            bucket_limit: 50,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_is_its_numbers() {
        let filled = |toml: &str| {
            let mut near: Near = toml::from_str(toml).unwrap();
            near.fill().map(|()| near)
        };
        let recall = filled("preset = \"recall\"").unwrap();
        assert_eq!(recall, filled("bands = 32").unwrap());
        assert_eq!(filled("preset = \"balanced\"").unwrap(), Near::default());
        assert_eq!(filled("preset = \"precise\"").unwrap().rows_per_band, 11);
        assert!(filled("preset = \"precise\"\nbands = 4").unwrap_err().contains("preset"));
    }
}
