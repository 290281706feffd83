//! `gristmill scan`: what a policy would redact, in files as they lie.
//!
//! Always: no value is printed, in any form of output; exit code 10 when something was found.

use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::out;
use super::policy::PolicyArgs;
use crate::error::{Error, Result};
use crate::files::scan::{Found, Summary};
use crate::files::{paths, scan};
use crate::report::sarif;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ScanArgs {
    /// Files, folders (with all below them), or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Leave out what matches, below folders; as lines of their .gristmillignore do
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// One JSON object a finding
    #[arg(long, conflicts_with = "sarif")]
    json: bool,
    /// One SARIF 2.1.0 log
    #[arg(long)]
    sarif: bool,
    /// Exit with 0 also when something was found
    #[arg(long)]
    exit_zero: bool,
}

const EXAMPLES: &str = "\
In records (JSON lines) a finding has the path of its string, and bytes count in that string once
unescaped; in plain text they count in the file. Values are never printed.
Exit code 10: something was found; 12: nothing was found, but not all could be searched.

Examples:
  gristmill scan src docs --preset secrets-only
  gristmill scan logs.jsonl.gz --json --types EMAIL,PHONE,finance
  git diff --cached --name-only -z | xargs -0r gristmill scan --preset secrets-only
  gristmill scan . --sarif > scan.sarif";

#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    line: u64,
    field: &'a str,
    start_byte: usize,
    end_byte: usize,
    r#type: &'static str,
    rule: &'static str,
    rule_version: u16,
    score: f32,
}

pub fn run(args: &ScanArgs) -> Result<()> {
    let chosen = args.policy.chosen()?;
    let (streams, named): (Vec<PathBuf>, Vec<PathBuf>) =
        args.paths.iter().cloned().partition(|path| path.as_os_str() == "-");
    let mut files = paths::files(&named, &args.exclude)?;
    files.extend(streams);
    let mut printed = Printed { out: BufWriter::new(std::io::stdout()), closed: false };
    let mut sarif = sarif::Results::default();
    let mut tell = |path: &Path, found: &Found| {
        let path = path.to_string_lossy();
        match (args.json, args.sarif) {
            (_, true) => sarif.add(&path, found),
            (true, _) => printed.line(&json(&path, found)?)?,
            _ => printed.line(&text(&path, found))?,
        }
        Ok(())
    };
    let summary = scan::scan(&files, &chosen.redactor, chosen.limit, &mut tell)?;
    if args.sarif {
        printed.line(&sarif.log())?;
    }
    printed.line("").and(printed.flush())?;
    conclude(args, &summary)
}

fn conclude(args: &ScanArgs, summary: &Summary) -> Result<()> {
    for problem in &summary.problems {
        let line = problem.line.map_or_else(String::new, |line| format!(":{line}"));
        out::note(&format!("not searched: {}{line}: {}", problem.path.display(), problem.why));
    }
    let types: Vec<String> = summary.found.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
    let looked = format!("{} files, {} bytes", summary.files, summary.bytes);
    let (total, unread) = (summary.total(), summary.problems.len());
    if total == 0 || args.exit_zero {
        out::note(&format!("scan: {total} findings in {looked}; {unread} not searched"));
        let lines = summary.problems.iter().any(|problem| problem.line.is_some());
        return match lines && !args.exit_zero {
            true => Err(Error::TooManyRejects {
                rejected: unread as u64,
                records: summary.files,
                share: 100.0 * unread as f64 / summary.files.max(1) as f64,
                most: summary.problems.first().map_or("", |problem| problem.why).to_owned(),
            }),
            false => Ok(()),
        };
    }
    Err(Error::Gate { gate: "scan".to_owned(), why: format!("{total} findings in {looked}: {}", types.join(", ")) })
}

fn text(path: &str, Found { line, column, seen }: &Found) -> String {
    let place = if seen.field.is_empty() { format!("{column}") } else { format!(" {}", seen.field) };
    format!(
        "{path}:{line}:{place}: {} ({}, bytes {}..{}, score {:.2})",
        seen.kind.as_str(),
        seen.rule,
        seen.start_byte,
        seen.end_byte,
        seen.score
    )
}

fn json(path: &str, Found { line, seen, .. }: &Found) -> Result<String> {
    let line = Line {
        path,
        line: *line,
        field: &seen.field,
        start_byte: seen.start_byte,
        end_byte: seen.end_byte,
        r#type: seen.kind.as_str(),
        rule: seen.rule,
        rule_version: seen.rule_version,
        score: seen.score,
    };
    serde_json::to_string(&line).map_err(|err| Error::damaged("finding", err.to_string()))
}

/// Lines to stdout. A reader that went away stops the printing, not the search: the exit code
/// counts.
struct Printed {
    out: BufWriter<std::io::Stdout>,
    closed: bool,
}

impl Printed {
    fn line(&mut self, line: &str) -> Result<()> {
        if line.is_empty() || self.closed {
            return Ok(());
        }
        let written = self.out.write_all(line.as_bytes()).and_then(|()| self.out.write_all(b"\n"));
        self.told(written)
    }

    fn flush(&mut self) -> Result<()> {
        let flushed = self.out.flush();
        self.told(flushed)
    }

    fn told(&mut self, done: std::io::Result<()>) -> Result<()> {
        match done {
            Err(err) if err.kind() == ErrorKind::BrokenPipe => self.closed = true,
            Err(err) => return Err(Error::io("stdout", &err)),
            Ok(()) => {}
        }
        Ok(())
    }
}
