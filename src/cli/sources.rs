//! `gristmill sources`: what a raw file is, before there is a pipeline for it.

use clap::{Args, Subcommand};

use super::args::passing_key;
use super::out;
use crate::error::Result;
use crate::input::Location;
use crate::{report, runner};

#[derive(Debug, Subcommand)]
pub enum Sources {
    /// Tell a file's format, show what would be read of it (redacted), and what not
    Inspect(Inspect),
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Inspect {
    /// A raw file, the URL of an object, or - for standard input
    file: String,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  gristmill sources inspect fixtures/raw/chat-widget.json
  gristmill sources inspect export.jsonl.gz --json";

pub fn run(args: &Sources) -> Result<()> {
    let Sources::Inspect(args) = args;
    out::either(
        args.json,
        &runner::inspect::inspect(&Location::parse(&args.file), &passing_key())?,
        report::inspect::text,
    )
}
