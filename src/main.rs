//! Parse, call, print the error, choose the exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match gristmill::cli::run(gristmill::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("gristmill: {err}");
            ExitCode::from(err.exit() as u8)
        }
    }
}
