//! `gristmill redact`: one file redacted into another of the same shape.
//!
//! Always: what is written went through redaction whole; what did not is not written, and told.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::out;
use super::policy::PolicyArgs;
use crate::error::{Error, Result};
use crate::files::redact::{self, Job, Summary, Told};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RedactArgs {
    /// JSON lines or plain text, packed or not; - for standard input
    file: PathBuf,
    /// Where to write; - for standard output. `.gz` and `.zst` are packed
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Also write what was replaced where, never the value: one JSON object a line
    #[arg(long, value_name = "FILE")]
    findings: Option<PathBuf>,
    /// Share of lines that may be left out because they cannot be redacted; more: no output, exit 12
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    max_reject_share: f64,
    /// Print what became of the lines as one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Pseudonyms are made with GRISTMILL_KEY or the key of --pipeline; without one, with a key of this
call alone. Lines of JSON stay lines of JSON; a record that the policy drops is left out.

Examples:
  gristmill redact chats.jsonl -o clean.jsonl
  gristmill redact chats.jsonl.gz -o clean.jsonl.zst --preset gdpr --findings ledger.jsonl
  gristmill redact notes.txt -o - --preset dev";

pub fn run(args: &RedactArgs) -> Result<()> {
    let same = |a: &PathBuf, b: &PathBuf| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if same(&args.file, &args.output) {
        return Err(Error::Usage("input and output are one file; inputs are never changed".to_owned()));
    }
    if args.json && args.output.as_os_str() == "-" {
        return Err(Error::Usage("--json and -o - would both go to standard output".to_owned()));
    }
    let chosen = args.policy.chosen()?;
    let mut ledger = args.findings.as_ref().map(|path| Ledger::create(path)).transpose()?;
    let mut tell = |told: &Told| ledger.as_mut().map_or(Ok(()), |ledger| ledger.add(told));
    let job =
        Job { input: &args.file, output: &args.output, limit: chosen.limit, max_reject_share: args.max_reject_share };
    let stream = (args.output.as_os_str() == "-").then(|| Box::new(std::io::stdout()) as Box<dyn Write>);
    let summary = redact::redact(&job, stream, &chosen.redactor, &mut tell)?;
    ledger.map_or(Ok(()), Ledger::finish)?;
    if chosen.passing_key && !args.json {
        out::note("pseudonyms are of this call alone; set GRISTMILL_KEY to make the same ones again");
    }
    conclude(args, &summary)
}

fn conclude(args: &RedactArgs, summary: &Summary) -> Result<()> {
    if args.json {
        let Summary { lines, kept, dropped, rejected, found, bytes, .. } = summary;
        let (lines, kept) = (json!(lines), json!(kept));
        return out::json(
            &json!({ "lines": lines, "kept": kept, "dropped": dropped, "rejected": rejected, "findings": found, "bytes": bytes }),
        );
    }
    for (line, reason) in &summary.places {
        out::note(&format!("left out: line {line}: {reason}"));
    }
    let types: Vec<String> = summary.found.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
    let found = if types.is_empty() { "nothing".to_owned() } else { types.join(", ") };
    let rejected: u64 = summary.rejected.values().sum();
    out::note(&format!(
        "redact: {} lines, {} kept, {} dropped by the policy, {rejected} rejected; found {found}",
        summary.lines, summary.kept, summary.dropped
    ));
    Ok(())
}

/// What was replaced where.
struct Ledger {
    path: PathBuf,
    out: BufWriter<std::fs::File>,
}

impl Ledger {
    fn create(path: &std::path::Path) -> Result<Ledger> {
        let file = std::fs::File::create(path).map_err(|err| Error::io(path, &err))?;
        Ok(Ledger { path: path.to_owned(), out: BufWriter::new(file) })
    }

    fn add(&mut self, Told { line, offset_bytes, finding }: &Told) -> Result<()> {
        let row = json!({
            "line": line,
            "field": finding.field,
            "start_byte": u64::from(finding.start_byte) + offset_bytes,
            "end_byte": u64::from(finding.end_byte) + offset_bytes,
            "type": finding.kind.as_str(),
            "rule": finding.rule,
            "rule_version": finding.rule_version,
            "score": finding.score,
            "action": finding.action.name(),
            "value_hash": finding.value_hash.to_string(),
        });
        writeln!(self.out, "{row}").map_err(|err| Error::io(&self.path, &err))
    }

    fn finish(mut self) -> Result<()> {
        self.out.flush().map_err(|err| Error::io(&self.path, &err))
    }
}
