//! `gristmill decisions`: what dedup decided, and what another threshold would.

use clap::{Args, Subcommand};

use super::args::StoreArgs;
use super::out;
use crate::error::Result;
use crate::{report, runner};

#[derive(Debug, Subcommand)]
pub enum Decisions {
    /// Why a record was dropped, folded or tagged, with both texts (redacted) word by word
    Show(Show),
    /// Decide again from the stored edges with a higher threshold; writes nothing
    Retest(Retest),
}

#[derive(Debug, Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub struct Show {
    /// A record or conversation that was dropped, or a winner
    id: String,
    #[command(flatten)]
    store: StoreArgs,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

const SHOW_EXAMPLES: &str = "\
Examples:
  gristmill decisions show 71acdeec9dad19923b7de79ab8fb874d --pipeline pipelines/quickstart.toml";

#[derive(Debug, Args)]
#[command(after_help = RETEST_EXAMPLES)]
pub struct Retest {
    /// Jaccard that both sides must reach, from that of the run to 1
    #[arg(long, value_name = "SHARE")]
    min_jaccard: f64,
    #[command(flatten)]
    store: StoreArgs,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

const RETEST_EXAMPLES: &str = "\
Examples:
  gristmill decisions retest --min-jaccard 0.9 --pipeline pipelines/quickstart.toml";

pub fn run(args: &Decisions) -> Result<()> {
    match args {
        Decisions::Show(args) => {
            let shown = runner::decisions::show(&args.store.open()?, &args.id)?;
            out::either(args.json, &shown, |all| report::decisions::shown(all))
        }
        Decisions::Retest(args) => {
            let retest = runner::decisions::retest(&args.store.open()?, args.min_jaccard)?;
            out::either(args.json, &retest, report::decisions::retest)
        }
    }
}
