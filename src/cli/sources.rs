//! `gristmill sources`: what a raw file is, before there is a pipeline for it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::out;
use crate::error::Result;
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
    /// A raw file
    file: PathBuf,
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
    out::either(args.json, &runner::inspect::inspect(&args.file, &passing_key(&args.file))?, report::inspect::text)
}

/// Pseudonyms on the screen need a key, but nobody has to find them again: one for this call.
fn passing_key(file: &std::path::Path) -> ProjectKey {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    let secret = format!("{} {now} {}", file.display(), std::process::id());
    let hash = blake3::hash(secret.as_bytes());
    ProjectKey::from_bytes(*hash.as_bytes())
}
