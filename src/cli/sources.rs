//! `gristmill sources`: what a raw file is, before there is a pipeline for it.

use clap::{Args, Subcommand};

use super::out;
use crate::error::Result;
use crate::input::Location;
use crate::record::ProjectKey;
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
        &runner::inspect::inspect(&Location::parse(&args.file), &passing_key(&args.file))?,
        report::inspect::text,
    )
}

/// Pseudonyms on the screen need a key, but nobody has to find them again: one for this call.
fn passing_key(file: &str) -> ProjectKey {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    let secret = format!("{file} {now} {}", std::process::id());
    let hash = blake3::hash(secret.as_bytes());
    ProjectKey::from_bytes(*hash.as_bytes())
}
