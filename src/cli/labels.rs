//! `gristmill labels`: files that annotators gave back.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::out;
use crate::config::Loaded;
use crate::error::Result;
use crate::{report, runner};

#[derive(Debug, Subcommand)]
pub enum Labels {
    /// Check label files and keep them in the store; the next run merges them
    Import(Import),
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Import {
    /// Our JSONL, or Label Studio's full JSON export
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The pipeline whose batches these answer
    #[arg(long, value_name = "PIPELINE.toml")]
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
  gristmill labels import export.json --pipeline pipelines/quickstart.toml
  gristmill labels import done/*.jsonl --pipeline nightly.toml --store /data/store --json";

pub fn run(args: &Labels) -> Result<()> {
    let Labels::Import(import) = args;
    let loaded = Loaded::read(&import.pipeline)?;
    let imported = runner::import::import(&loaded, import.store.as_ref(), &import.files)?;
    out::either(import.json, &imported, report::lists::imported)
}
