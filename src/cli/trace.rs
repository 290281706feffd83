//! `gristmill trace`: from an id back to raw lines, people and rubrics.

use clap::Args;

use super::args::{StoreArgs, key_of_environment};
use super::out;
use crate::error::{Error, Result};
use crate::lineage::trace::{self, Options};
use crate::record::ProjectKey;
use crate::runner;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TraceArgs {
    /// A released row, record, conversation or task
    id: String,
    #[command(flatten)]
    store: StoreArgs,
    /// Read the raw line again and check it against the recorded hash; needs the project key
    #[arg(long)]
    verify_source: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  gristmill trace 0f3c5a9e0b1d4c77a1e2d3c4b5a69788 --store /data/store
  gristmill trace 0f3c5a9e0b1d4c77a1e2d3c4b5a69788 --pipeline nightly.toml --verify-source --json";

pub fn run(args: &TraceArgs) -> Result<()> {
    let options = Options { key: key(args)?, verify_source: args.verify_source };
    let traced = trace::trace(&args.store.open()?, &args.id, options)?;
    out::either(args.json, &traced, |traced| traced.to_text())
}

/// Most of a trace needs no key; a missing one stops only what does.
fn key(args: &TraceArgs) -> Result<Option<ProjectKey>> {
    if let Some(loaded) = args.store.loaded()? {
        return match runner::project_key(&loaded) {
            Err(err) if args.verify_source => Err(err),
            key => Ok(key.ok()),
        };
    }
    let key = key_of_environment()?;
    if key.is_none() && args.verify_source {
        let what = format!("--verify-source needs the project key: name --pipeline, or set {}", runner::KEY_VARIABLE);
        return Err(Error::Usage(what));
    }
    Ok(key)
}
