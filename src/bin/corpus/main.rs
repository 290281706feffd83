//! The corpus maker: synthetic chat logs of any size with plants of known numbers.
//!
//! Not part of the pipeline and not used by it: tests and benches run this, run gristmill on what
//! it wrote, and compare with `expected.json`.
//!
//! Always: the same arguments write the same bytes, on any number of threads; every row is a
//! function of (seed, row), so memory does not grow with the corpus.

mod broken;
mod canary;
mod chance;
mod chat;
mod context;
mod expected;
mod near;
mod output;
mod plan;
mod prose;
mod render;
mod words;

use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};

use expected::{Expected, Listed, write_canaries};
use output::{Compression, Tally, Writer, bytes_a_record};
use plan::{Format, Part, parts};
use prose::Prose;
use render::Renderer;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Writes synthetic chat logs with known duplicates, canaries and broken lines.
#[derive(Parser)]
struct Args {
    /// Records to write; an HH line counts as two.
    #[arg(long, required_unless_present = "bytes")]
    rows: Option<u64>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the files, expected.json and canaries.txt; made if missing.
    #[arg(long)]
    out: PathBuf,
    /// Any of openai, sharegpt, hh; records are shared 5 : 3 : 2.
    #[arg(long, value_delimiter = ',', default_value = "openai,sharegpt,hh", value_parser = format)]
    formats: Vec<Format>,
    #[arg(long, value_enum, default_value_t = Compress::None)]
    compress: Compress,
    /// Files in all, dealt to the formats in turn [default: one per format].
    #[arg(long)]
    files: Option<usize>,
    /// Instead of --rows: about so many bytes before compression, e.g. 500M or 4G.
    #[arg(long, value_parser = size, conflicts_with = "rows")]
    bytes: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Compress {
    None,
    Gz,
    Zst,
    Mixed,
}

impl Compress {
    /// Of the n-th file. Mixed files take turns, shifted each round so that every format meets every
    /// compression.
    fn of(self, n: usize, formats: usize) -> Compression {
        match self {
            Compress::None => Compression::None,
            Compress::Gz => Compression::Gzip,
            Compress::Zst => Compression::Zstd,
            Compress::Mixed => {
                [Compression::None, Compression::Gzip, Compression::Zstd][(n % formats + n / formats) % 3]
            }
        }
    }
}

fn format(name: &str) -> Result<Format, String> {
    Format::parse(name).ok_or_else(|| format!("{name} is none of openai, sharegpt, hh"))
}

fn size(text: &str) -> Result<u64, String> {
    let upper = text.to_ascii_uppercase();
    let (digits, unit) = match upper.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => upper.split_at(at),
        None => (upper.as_str(), ""),
    };
    let shift = match unit {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return Err(format!("{text} is no size like 500M or 4G")),
    };
    let number: u64 = digits.parse().map_err(|error| format!("{text}: {error}"))?;
    number.checked_mul(1 << shift).ok_or_else(|| format!("{text} is too large"))
}

fn main() -> Result<(), Failure> {
    let mut args = Args::parse();
    let mut seen = Vec::new();
    args.formats.retain(|format| {
        !seen.contains(format) && {
            seen.push(*format);
            true
        }
    });
    let prose = Prose::new(args.seed);
    let renderer = Renderer::new(args.seed)?;
    let rows = match (args.rows, args.bytes) {
        (_, Some(bytes)) => {
            let pilot = parts(args.seed, 20_000, &args.formats);
            (bytes as f64 / bytes_a_record(args.seed, &prose, &pilot, &renderer)?).round() as u64
        }
        (rows, None) => rows.unwrap_or(0),
    };
    let parts = parts(args.seed, rows, &args.formats);
    std::fs::create_dir_all(&args.out)?;
    let (total, files) = write(&args, &prose, &renderer, &parts)?;
    let planned: u64 = parts.iter().map(|part| part.lines * part.format.records_a_line()).sum();
    let canaries = parts.last().map_or(0, |part| part.canaries.end);
    if total.records != planned || total.findings.iter().sum::<u64>() != canaries {
        return Err(format!("wrote {} records of {planned} planned", total.records).into());
    }
    write_canaries(&args.out, args.seed, canaries, &prose.words)?;
    Expected::new(args.seed, rows, &total, files).write(&args.out)?;
    println!("{} records, {} bytes ({} plain)", total.records, total.bytes, total.plain_bytes);
    Ok(())
}

/// Deals each part's lines to its files and writes them one after the other.
fn write(args: &Args, prose: &Prose, renderer: &Renderer, parts: &[Part]) -> Result<(Tally, Vec<Listed>), Failure> {
    let count = args.files.unwrap_or(parts.len());
    if count < parts.len() {
        return Err(format!("{} formats need as many files at least", parts.len()).into());
    }
    let (mut total, mut files) = (Tally::default(), Vec::new());
    for n in 0..count {
        let part = &parts[n % parts.len()];
        let (nth, of) = ((n / parts.len()) as u64, (count - n % parts.len()).div_ceil(parts.len()) as u64);
        let lines = part.lines * nth / of..part.lines * (nth + 1) / of;
        let compression = args.compress.of(n, parts.len());
        let name = file_name(part.format, nth, compression);
        let writer = Writer::new(args.seed, prose, part, renderer);
        let tally = writer.file(&Path::new(&args.out).join(&name), lines, compression)?;
        total.add(&tally);
        files.push(Listed {
            path: name,
            format: part.format.name(),
            compression: compression.name(),
            records: tally.records,
            bytes: tally.bytes,
            plain_bytes: tally.plain_bytes,
        });
    }
    Ok((total, files))
}

fn file_name(format: Format, nth: u64, compression: Compression) -> String {
    let ending = match compression {
        Compression::None => "",
        Compression::Gzip => ".gz",
        Compression::Zstd => ".zst",
    };
    format!("{}-{nth:03}.jsonl{ending}", format.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("12"), Ok(12));
        assert_eq!(size("4g"), Ok(4 << 30));
        assert!(size("4T").is_err() && size("x").is_err());
    }

    #[test]
    fn lines_do_not_depend_on_how_they_are_cut() {
        let (prose, renderer) = (Prose::new(4), Renderer::new(4).unwrap());
        for part in parts(4, 2000, &[Format::OpenAi, Format::ShareGpt, Format::Hh]) {
            let writer = Writer::new(4, &prose, &part, &renderer);
            let (whole, tally) = writer.lines(0..part.lines).unwrap();
            let mut pieces = writer.lines(0..77).unwrap();
            let (rest, more) = writer.lines(77..part.lines).unwrap();
            pieces.0.extend(rest);
            assert!(whole == pieces.0);
            pieces.1.add(&more);
            assert_eq!(tally, pieces.1);
        }
    }
}
