//! What is looked for and what becomes of it, as commands without a pipeline are told.
//!
//! Always: what is not said is as in a pipeline without `[redact]`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::{key_of_environment, passing_key};
use crate::config::{Loaded, Preset, Redact};
use crate::error::{Error, Result};
use crate::runner;
use crate::stages::redact::Redactor;

#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// A policy to begin with; left out: everything but organisations, places and dates of no person
    #[arg(long, value_enum)]
    preset: Option<PresetName>,
    /// Types (EMAIL, PHONE, …) or groups (contact, secret, …) to look for, and no others
    #[arg(long, value_delimiter = ',', value_name = "TYPE,…")]
    types: Vec<String>,
    /// Regions whose national phone numbers are recognised
    #[arg(long, value_delimiter = ',', value_name = "REGION,…")]
    phone_regions: Vec<String>,
    /// Leave alone what is less sure than this, 0 to 1
    #[arg(long, value_name = "SCORE")]
    min_score: Option<f64>,
    /// Values that are left alone, and domains with all their addresses (*.example.com)
    #[arg(long, value_name = "VALUE")]
    allow: Vec<String>,
    /// Take [redact] (and the project key) of a pipeline file; other options win over it
    #[arg(long, value_name = "PIPELINE.toml")]
    pipeline: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PresetName {
    Strict,
    Gdpr,
    HipaaSafeHarbor,
    SecretsOnly,
    Dev,
}

impl From<PresetName> for Preset {
    fn from(name: PresetName) -> Preset {
        match name {
            PresetName::Strict => Preset::Strict,
            PresetName::Gdpr => Preset::Gdpr,
            PresetName::HipaaSafeHarbor => Preset::HipaaSafeHarbor,
            PresetName::SecretsOnly => Preset::SecretsOnly,
            PresetName::Dev => Preset::Dev,
        }
    }
}

/// A policy, ready to use.
pub struct Chosen {
    pub redactor: Redactor,
    /// Bytes of the longest text.
    pub limit: u64,
    /// The key was made for this call, so nobody can make the same pseudonyms again.
    pub passing_key: bool,
}

impl PolicyArgs {
    pub fn chosen(&self) -> Result<Chosen> {
        let loaded = self.pipeline.as_ref().map(|file| Loaded::read(file)).transpose()?;
        let mut config = loaded.as_ref().map_or_else(Redact::default, |loaded| loaded.pipeline.redact.clone());
        self.apply(&mut config);
        let known = match &loaded {
            Some(loaded) => Some(runner::project_key(loaded)?),
            None => key_of_environment()?,
        };
        let is_passing = known.is_none();
        let key = known.unwrap_or_else(passing_key);
        let redactor = Redactor::new(&config, &key).map_err(|what| Error::Usage(as_options(&what)))?;
        Ok(Chosen { redactor, limit: config.limits.text_bytes, passing_key: is_passing })
    }

    fn apply(&self, config: &mut Redact) {
        // Nothing is kept of what a single call replaces.
        config.vault = None;
        config.preset = self.preset.map(Preset::from).or(config.preset);
        if !self.types.is_empty() {
            config.types.clone_from(&self.types);
        }
        if !self.phone_regions.is_empty() {
            config.phone_regions.clone_from(&self.phone_regions);
        }
        config.min_score = self.min_score.unwrap_or(config.min_score);
        config.allow.extend_from_slice(&self.allow);
    }
}

/// `redact.types` is `--types` here.
fn as_options(what: &str) -> String {
    [("redact.types", "--types"), ("redact.min_score", "--min-score"), ("redact.allow", "--allow")]
        .iter()
        .fold(what.to_owned(), |what, (key, option)| what.replace(key, option))
}
