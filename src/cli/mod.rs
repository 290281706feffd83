//! The command line: one file per command, and the only place that prints.
//!
//! Not here: what a run does (`runner`), how its result reads (`report`).
//!
//! Always: data goes to stdout and everything else to stderr; with `--json` stdout holds JSON and
//! nothing else; a reader that closes stdout early is no error.

mod args;
mod batches;
mod cluster;
mod completions;
mod datasets;
mod decisions;
mod dedup;
mod labels;
mod look;
mod out;
mod plan;
mod policy;
mod progress;
mod redact;
mod report;
mod rules;
mod run;
mod scan;
mod schema;
mod sources;
mod trace;

use clap::{Parser, Subcommand};

use crate::error::Result;

/// Raw LLM conversation logs in; audited, training-ready SFT and preference datasets out.
#[derive(Debug, Parser)]
#[command(name = "gristmill", version, arg_required_else_help = true, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole path over what is new: logs to batches, labels to datasets
    Run(run::Run),
    /// Say what a run would do, and what it would need; writes nothing
    Plan(plan::PlanArgs),
    /// Raw files: tell what they are
    #[command(subcommand)]
    Sources(sources::Sources),
    /// Labeling batches: list them, hand them out
    #[command(subcommand)]
    Batches(batches::Batches),
    /// Labels that annotators gave back
    #[command(subcommand)]
    Labels(labels::Labels),
    /// Released datasets: list, show, verify
    #[command(subcommand)]
    Datasets(datasets::Datasets),
    /// What dedup decided: one decision with both texts, or all under another threshold
    #[command(subcommand)]
    Decisions(decisions::Decisions),
    /// What was done with the data: redaction
    #[command(subcommand)]
    Report(report::Report),
    /// Find duplicates in files, without a pipeline
    Dedup(dedup::DedupArgs),
    /// Follow one row, task or conversation back to its raw line
    Trace(trace::TraceArgs),
    /// Search files for personal data and secrets; needs no pipeline
    Scan(scan::ScanArgs),
    /// Redact one file into another; needs no pipeline
    Redact(redact::RedactArgs),
    /// The rules of redaction: list, explain, test
    #[command(subcommand)]
    Rules(rules::Rules),
    /// Scheduler and executors, for runs over several machines
    #[command(subcommand)]
    Cluster(cluster::Cluster),
    /// Print or freeze the schemas of pipeline files, layers and tables
    Schema(schema::SchemaArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
}

const AFTER_HELP: &str = "\
Exit codes:
    0  done, also when nothing was new
    2  usage or configuration
   10  a quality gate refused
   11  books do not balance, or stored data is damaged
   12  more rejects than the pipeline allows
   20  another run holds the store
   21  input, output, memory or disk
  130  stopped by Ctrl-C (SIGINT)
  143  stopped by SIGTERM

Examples:
  gristmill plan pipelines/quickstart.toml
  gristmill run pipelines/quickstart.toml
  gristmill datasets list --pipeline pipelines/quickstart.toml";

/// Does what was asked for.
pub fn run(cli: Cli) -> Result<()> {
    out::hush_panics();
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Sources(args) => sources::run(&args),
        Command::Batches(args) => batches::run(&args),
        Command::Labels(args) => labels::run(&args),
        Command::Datasets(args) => datasets::run(&args),
        Command::Decisions(args) => decisions::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Dedup(args) => dedup::run(&args),
        Command::Trace(args) => trace::run(&args),
        Command::Scan(args) => scan::run(&args),
        Command::Redact(args) => redact::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Cluster(args) => cluster::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => completions::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// Commands at the end of the tree: those that do something.
    fn leaves(command: &clap::Command) -> Vec<clap::Command> {
        let below: Vec<_> = command.get_subcommands().filter(|one| one.get_name() != "help").flat_map(leaves).collect();
        if below.is_empty() { vec![command.clone()] } else { below }
    }

    #[test]
    fn every_command_shows_examples() {
        for mut command in leaves(&Cli::command()) {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Examples:\n  gristmill "), "{}: {help}", command.get_name());
        }
        let help = Cli::command().render_help().to_string();
        assert!(help.contains("Exit codes:") && help.contains("143"));
    }

    #[test]
    fn what_must_be_given_is_asked_for() {
        for (line, fits) in [
            ("gristmill run p.toml --threads 2 --memory-limit 4GiB --until dedup --json", true),
            ("gristmill run p.toml --threads 0", false),
            ("gristmill run p.toml --memory-limit 4GB", false),
            ("gristmill run p.toml --cluster host:1", false),
            ("gristmill run", false),
            ("gristmill batches list", false),
            ("gristmill batches list --store s", true),
            ("gristmill trace x --store s --pipeline p.toml --verify-source", true),
            ("gristmill labels import --pipeline p.toml", false),
            ("gristmill labels import a.json b.json --pipeline p.toml", true),
            ("gristmill datasets verify --store s", true),
            ("gristmill report redaction --store s --json", true),
            ("gristmill report redaction", false),
            ("gristmill datasets show sft --version 2 --store s", true),
            ("gristmill cluster executor --scheduler host --work-dir w", false),
            ("gristmill cluster executor --scheduler host:1 --work-dir w", true),
            ("gristmill cluster scheduler --bind nowhere", false),
            ("gristmill schema --write schemas", true),
            ("gristmill decisions show x --store s --json", true),
            ("gristmill decisions retest --store s", false),
            ("gristmill decisions retest --store s --min-jaccard 0.9", true),
            ("gristmill scan", false),
            ("gristmill scan a b --json --types EMAIL,PHONE --preset gdpr", true),
            ("gristmill scan a --json --sarif", false),
            ("gristmill scan a --preset lax", false),
            ("gristmill redact a", false),
            ("gristmill redact a -o b --preset hipaa-safe-harbor", true),
            ("gristmill rules explain", false),
            ("gristmill rules test --json", true),
            ("gristmill dedup a.jsonl b.jsonl --out d --preset recall --min-jaccard 0.9", true),
            ("gristmill dedup --explain", true),
            ("gristmill dedup a.jsonl", false),
            ("gristmill dedup a.jsonl --out d --stop-lost 60", false),
        ] {
            assert_eq!(Cli::try_parse_from(line.split(' ')).is_ok(), fits, "{line}");
        }
    }
}
