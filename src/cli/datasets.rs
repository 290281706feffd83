//! `gristmill datasets`: what was released, and whether it is still whole.

use clap::{Args, Subcommand};

use super::args::StoreArgs;
use super::out;
use crate::error::{Error, Result};
use crate::lineage::verify;
use crate::report;
use crate::store::release;

#[derive(Debug, Subcommand)]
pub enum Datasets {
    /// List all releases
    List(List),
    /// Show one release: rows, splits, columns, files, how to load it
    Show(Show),
    /// Read every file again and check it against manifests and log
    Verify(Verify),
}

#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub struct List {
    #[command(flatten)]
    store: StoreArgs,
    /// Print one JSON array instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub struct Show {
    /// Name of the dataset
    name: String,
    /// Its version; without it, the newest
    #[arg(long, value_name = "N")]
    version: Option<u32>,
    #[command(flatten)]
    store: StoreArgs,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub struct Verify {
    /// Only this dataset
    name: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

const LIST_EXAMPLES: &str = "\
Examples:
  gristmill datasets list --store /data/store
  gristmill datasets list --pipeline pipelines/quickstart.toml --json";

const SHOW_EXAMPLES: &str = "\
Examples:
  gristmill datasets show support-sft --store /data/store
  gristmill datasets show support-sft --version 1 --store /data/store --json";

const VERIFY_EXAMPLES: &str = "\
Examples:
  gristmill datasets verify --store /data/store
  gristmill datasets verify support-sft --pipeline nightly.toml --json

Exit code 11 if anything is missing or changed.";

pub fn run(args: &Datasets) -> Result<()> {
    match args {
        Datasets::List(list) => {
            let store = list.store.open()?;
            out::either(list.json, &release::list(&store)?, |all| report::lists::releases(all, store.root()))
        }
        Datasets::Show(show) => {
            let store = show.store.open()?;
            let manifest = release::read(&store, &show.name, show.version)?;
            out::either(show.json, &manifest, |one| report::lists::release(one, store.root()))
        }
        Datasets::Verify(args) => check(args),
    }
}

/// What is wrong is told in full before the exit code says that something is.
fn check(args: &Verify) -> Result<()> {
    let store = args.store.open()?;
    let verified = verify::verify(&store, args.name.as_deref())?;
    out::either(args.json, &verified, report::lists::verified)?;
    match verified.problems.len() {
        0 => Ok(()),
        n => Err(Error::damaged(store.root().display().to_string(), format!("problems found: {n}, listed above"))),
    }
}
