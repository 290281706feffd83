//! `gristmill completions`: a script for the shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, out};
use crate::error::Result;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArgs {
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  gristmill completions bash > ~/.local/share/bash-completion/completions/gristmill
  gristmill completions zsh > ~/.zfunc/_gristmill";

pub fn run(args: &CompletionsArgs) -> Result<()> {
    // Into memory first: the generator panics where a pipe is closed early.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gristmill", &mut script);
    out::text(&String::from_utf8_lossy(&script))
}
