//! `gristmill plan`: what a run would do; `run --dry-run` is the same.

use std::path::PathBuf;

use clap::Args;

use super::out;
use crate::config::Loaded;
use crate::error::Result;
use crate::{report, runner};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PlanArgs {
    /// The pipeline file
    #[arg(value_name = "PIPELINE.toml")]
    pipeline: PathBuf,
    /// Folder of the store; wins over the pipeline's
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  gristmill plan pipelines/quickstart.toml
  gristmill plan nightly.toml --store /data/store --json";

pub fn run(args: &PlanArgs) -> Result<()> {
    show(&Loaded::read(&args.pipeline)?, args.store.as_ref(), args.json)
}

pub fn show(loaded: &Loaded, store: Option<&PathBuf>, json: bool) -> Result<()> {
    out::either(json, &runner::plan::plan(loaded, store)?, report::plan::text)
}
