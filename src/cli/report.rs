//! `gristmill report`: what was done with the data, for whoever has to answer for it.

use clap::{Args, Subcommand};

use super::args::StoreArgs;
use super::out;
use crate::error::Result;
use crate::{report, runner};

#[derive(Debug, Subcommand)]
pub enum Report {
    /// What redaction found and did: by type, rule, source and language, with samples (redacted)
    Redaction(Redaction),
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Redaction {
    #[command(flatten)]
    store: StoreArgs,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  gristmill report redaction --store /data/store
  gristmill report redaction --pipeline pipelines/quickstart.toml --json

With --pipeline the canaries are planted anew, by type; that needs the project key.";

pub fn run(args: &Report) -> Result<()> {
    let Report::Redaction(args) = args;
    let loaded = args.store.loaded()?;
    let made = runner::redaction::report(&args.store.open()?, loaded.as_ref())?;
    out::either(args.json, &made, report::redaction::text)
}
