//! `gristmill dedup`: duplicates of files, without a pipeline.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;

use super::{args, out};
use crate::alone::{self, Against, Guards, Looking, Options, Report, Settings};
use crate::config::{Near, NearPreset};
use crate::error::{Error, Result};
use crate::input::Location;

/// As in the pipeline file; that one knows no command line.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum PresetName {
    /// 16 bands of 8 rows
    Balanced,
    /// 26 bands of 11 rows: less to compare
    Precise,
    /// 32 bands of 8 rows: finds more
    Recall,
}

impl From<PresetName> for NearPreset {
    fn from(name: PresetName) -> NearPreset {
        match name {
            PresetName::Balanced => NearPreset::Balanced,
            PresetName::Precise => NearPreset::Precise,
            PresetName::Recall => NearPreset::Recall,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DedupArgs {
    /// Files of chats in any format that ingest knows, or of rows {"id", "text"}: JSONL, arrays,
    /// tables, Parquet, archives; plain, gzip, zstd, bzip2 or xz; "-" is standard input
    #[arg(required_unless_present = "explain")]
    inputs: Vec<String>,
    /// Folder for kept.jsonl (the raw lines of the records that stay, not redacted),
    /// decisions.jsonl, edges.jsonl and report.json; what these held before is lost
    #[arg(long, value_name = "DIR", required_unless_present = "explain")]
    out: Option<PathBuf>,
    /// Where the decisions go, if not to decisions.jsonl in DIR
    #[arg(long, value_name = "FILE.jsonl")]
    decisions: Option<PathBuf>,
    /// Bands and rows of the sketch: 16 x 8, 26 x 11 (less to compare), 32 x 8 (finds more)
    #[arg(long, value_enum, default_value = "balanced")]
    preset: PresetName,
    /// Exact Jaccard that the user side and the assistant side must both reach
    #[arg(long, value_name = "SHARE", default_value = "0.80", value_parser = share)]
    min_jaccard: f64,
    /// Keep two answers to one prompt also where they are nearly the same
    #[arg(long)]
    keep_answers: bool,
    /// Threads; all that there are if it is not said
    #[arg(long, value_name = "N", value_parser = args::count())]
    threads: Option<usize>,
    /// Drop more than --stop-lost allows
    #[arg(long)]
    allow_wipeout: bool,
    /// Of 100 records or more: the share of near-duplicates above which nothing is kept (exit 10)
    #[arg(long, value_name = "SHARE", default_value = "0.60", value_parser = share)]
    stop_lost: f64,
    /// The share of near-duplicates above which a file is warned of
    #[arg(long, value_name = "SHARE", default_value = "0.30", value_parser = share)]
    warn_lost: f64,
    /// The share of the input above which a cluster is warned of
    #[arg(long, value_name = "SHARE", default_value = "0.01", value_parser = share)]
    warn_cluster: f64,
    /// Drop what repeats a row of a benchmark: a file of chats or of {"id", "text"} rows; may be given
    /// several times
    #[arg(long, value_name = "NAME=FILE", value_parser = benchmark)]
    against: Vec<(String, Location)>,
    /// Words of the n-grams that are compared with a benchmark
    #[arg(long, value_name = "WORDS", default_value = "13", value_parser = clap::value_parser!(u32).range(5..=64))]
    ngram_words: u32,
    /// Share of a row's n-grams from which a record repeats it; 0 compares wholes only
    #[arg(long, value_name = "SHARE", default_value = "0.5", value_parser = share)]
    min_overlap: f64,
    /// Keep what repeats a benchmark; its decision names the row
    #[arg(long)]
    tag_contaminated: bool,
    /// Folder that keeps the hashes of each file for the next run: name all files again, and only new
    /// ones are read; decisions are those of a run without it. What is not named is removed from it.
    /// Packed files, arrays and tables are read each time
    #[arg(long, value_name = "DIR", conflicts_with = "against")]
    index: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    /// Print how likely a pair is found with the chosen preset, and what that costs
    #[arg(long)]
    explain: bool,
    /// Bytes that are read at once; the result does not depend on it
    #[arg(long, hide = true, default_value_t = alone::CHUNK_BYTES)]
    chunk_bytes: usize,
}

const EXAMPLES: &str = "\
Nothing is redacted: kept.jsonl holds raw rows. Hashes are made with a key that is the same for
everybody; none of them is written. Two answers to one prompt are duplicates only if they are
nearly the same; records that differ in digits or symbols alone are kept; records of several
conversations (stated preferences, trees) are compared exactly.

Examples:
  gristmill dedup chats.jsonl --out deduped
  gristmill dedup a.jsonl.gz b.jsonl.zst --out deduped --decisions decisions.jsonl --json
  gristmill dedup chats.jsonl --out clean --against mt-bench=mt_bench.jsonl --against ours=evals/gold.jsonl
  gristmill dedup --explain --preset recall";

fn settings(preset: NearPreset) -> Settings {
    let Near { shingle_words, short_tokens, .. } = Near::default();
    let (bands, rows_per_band) = preset.bands_and_rows();
    Settings { shingle_words, bands, rows_per_band, short_tokens }
}

fn share(written: &str) -> std::result::Result<f64, String> {
    let wrong = || format!("{written:?} is no share; write a number from 0 to 1, such as 0.8");
    written.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(wrong)
}

/// `NAME=FILE`; the name goes into JSON and reports as it is.
fn benchmark(written: &str) -> std::result::Result<(String, Location), String> {
    let wrong = || format!("{written:?}: write NAME=FILE, the name of a-z, 0-9, - and _");
    let (name, file) = written.split_once('=').ok_or_else(wrong)?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if name.is_empty() || file.is_empty() || file == "-" || !name.chars().all(fits) {
        return Err(wrong());
    }
    Ok((name.to_owned(), Location::parse(file)))
}

pub fn run(args: &DedupArgs) -> Result<()> {
    let preset = args.preset.into();
    if args.explain {
        let text = explained(preset);
        if args.json { out::json(&curve(preset))? } else { out::text(&text)? }
    }
    let Some(folder) = args.out.clone().filter(|_| !args.inputs.is_empty()) else {
        return if args.explain { Ok(()) } else { Err(Error::Usage("name files and a folder with --out".to_owned())) };
    };
    let options = Options {
        inputs: args.inputs.iter().map(|input| Location::parse(input)).collect(),
        decisions: args.decisions.clone().unwrap_or_else(|| folder.join("decisions.jsonl")),
        out: folder,
        settings: settings(preset),
        min_jaccard: args.min_jaccard,
        keep_answers: args.keep_answers,
        bucket_limit: Near::default().bucket_limit,
        threads: args.threads.unwrap_or_else(args::available_threads),
        chunk_bytes: args.chunk_bytes,
        guards: Guards {
            warn_lost: args.warn_lost,
            warn_cluster: args.warn_cluster,
            stop_lost: args.stop_lost,
            allow_wipeout: args.allow_wipeout,
        },
        index: args.index.clone(),
        against: against(args),
    };
    let began = std::time::Instant::now();
    let (report, refusal) = alone::run(&options)?;
    let seconds = began.elapsed().as_secs_f64();
    out::either(args.json, &report, |report| told(report, &options, seconds))?;
    refusal.map_or(Ok(()), Err)
}

fn against(args: &DedupArgs) -> Option<Against> {
    let DedupArgs { ngram_words, min_overlap, tag_contaminated, .. } = *args;
    let settings = Looking { prompt: true, answer: true, ngram_words, min_overlap };
    let against = Against { benchmarks: args.against.clone(), settings, drop: !tag_contaminated };
    Some(against).filter(|against| !against.benchmarks.is_empty())
}

fn told(report: &Report, options: &Options, seconds: f64) -> String {
    let mut text = String::new();
    let mut row = |name: &str, n: u64, more: &str| {
        // Into a string nothing fails.
        let _ = writeln!(text, "  {name:<10} {n:>12}{more}");
    };
    row("read", report.read, &format!("   {:.1} MB in {seconds:.2} s", report.bytes as f64 / 1e6));
    row("kept", report.kept, "");
    row("exact", report.exact, "   say the same as another, letter by letter");
    row("prefix", report.prefix, "   are snapshots of a longer one");
    row("near", report.near, &format!("   both sides share {:.2} or more of their words", report.min_jaccard));
    if !report.benchmarks.is_empty() {
        row("benchmark", report.contaminated, "   repeat a row of a benchmark");
    }
    let reasons: Vec<String> = report.rejects.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
    row("rejected", report.rejected, &format!("   {}", reasons.join(", ")));
    let edge = |rule: &str| report.edges.get(rule).copied().unwrap_or_default();
    let _ = writeln!(
        text,
        "\nPairs: {} compared; kept apart: {} same prompt, {} same answer, {} that differ in digits or symbols alone.\n\
         Buckets above {} records: {}, with {} pairs not compared.\n\
         Prompts that several kept chats share: {}, the commonest by {}.",
        report.pairs_compared,
        edge("same_prompt"),
        edge("boilerplate_answer"),
        edge("digits_differ"),
        options.bucket_limit,
        report.hot_buckets,
        report.skipped_pairs,
        report.prompts_shared,
        report.prompt_freq_max,
    );
    for one in &report.benchmarks {
        let alone::Benchmark { name, rows, rows_unread, rows_met, records } = one;
        let _ = writeln!(text, "Benchmark {name}: {rows_met} of {rows} rows are repeated, by {records} records.");
        if *rows_unread > 0 {
            let _ = writeln!(text, "  Warning: {rows_unread} more rows cannot be read, so nothing is known of them.");
        }
    }
    if !report.clusters.is_empty() {
        text.push_str("\nLargest clusters (records, id of the one that stays):\n");
        for cluster in &report.clusters {
            let _ = writeln!(text, "  {:>10}  {}", cluster.records, cluster.id);
        }
    }
    for warning in &report.warnings {
        let _ = writeln!(text, "\nWarning: {warning}");
    }
    let _ = writeln!(text, "\nWritten to {}; decisions to {}", options.out.display(), options.decisions.display());
    text
}

#[derive(serde::Serialize)]
struct Curve {
    bands: u32,
    rows_per_band: u32,
    slots: u32,
    /// Jaccard, and how likely a pair of it is found.
    found: Vec<(f64, f64)>,
}

const JACCARDS: [f64; 9] = [0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

fn curve(preset: NearPreset) -> Curve {
    let settings = settings(preset);
    let Settings { bands, rows_per_band, .. } = settings;
    let found = JACCARDS.iter().map(|&jaccard| (jaccard, alone::found(jaccard, &settings))).collect();
    Curve { bands, rows_per_band, slots: bands * rows_per_band, found }
}

fn explained(preset: NearPreset) -> String {
    let Curve { bands, rows_per_band, slots, found } = curve(preset);
    let mut text = format!(
        "{preset:?}: {bands} bands of {rows_per_band} rows, {slots} slots. A pair is compared if it shares a band:\n\n\
         \x20 Jaccard   chance to be found\n"
    );
    for (jaccard, chance) in found {
        let bar = "#".repeat((chance * 40.0).round() as usize);
        let _ = writeln!(text, "  {jaccard:>7.2}   {chance:.4} {bar}");
    }
    let error = (0.8 * 0.2 / f64::from(slots)).sqrt();
    let _ = writeln!(
        text,
        "\nWhoever is found is compared exactly, so a low chance costs duplicates and a high one time, never a record.\n\
         Standard error of the sketch at 0.80: {error:.3}. Memory: {} bytes a record for bands, about 130 beside them.",
        bands * 8
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_told() {
        let text = explained(NearPreset::Balanced);
        assert!(text.contains("16 bands of 8 rows") && text.contains("0.80   0.947"), "{text}");
    }

    #[test]
    fn shares() {
        assert_eq!(share("0.8"), Ok(0.8));
        assert!(["1.5", "-1", "x", "nan"].iter().all(|written| share(written).is_err()));
    }
}
