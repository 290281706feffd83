//! Plants the cases, runs the command's code over them, and counts.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use gristmill::alone::{self, Settings};
use serde::Deserialize;

use crate::cases::{CASES, Talk, pair};

/// What must be found of planted duplicates.
const RECALL: f64 = 0.99;

#[derive(Deserialize)]
pub struct Decision {
    pub id: String,
    pub fate: String,
    pub winner: Option<String>,
}

#[derive(Default)]
struct Count {
    planted: u64,
    found: u64,
    merged: u64,
    fates: HashMap<String, u64>,
}

pub fn write(seed: u64, pairs: u64, file: &Path) -> Result<(), String> {
    let failed = |err: std::io::Error| format!("{}: {err}", file.display());
    let mut to = BufWriter::new(File::create(file).map_err(failed)?);
    for case in 0..CASES.len() {
        for n in 0..pairs {
            let pair = pair(seed, case, n);
            for (side, talk) in [("a", &pair.a), ("b", &pair.b)] {
                to.write_all(row(&format!("{case}-{n}-{side}"), talk).as_bytes()).map_err(failed)?;
            }
        }
    }
    to.flush().map_err(failed)
}

/// A line of JSON, users first.
pub fn row(id: &str, talk: &Talk) -> String {
    let message = |(at, text): (usize, &String)| {
        let role = if at % 2 == 0 { "user" } else { "assistant" };
        serde_json::json!({"role": role, "content": text})
    };
    let messages: Vec<_> = talk.iter().enumerate().map(message).collect();
    format!("{}\n", serde_json::json!({"id": id, "messages": messages}))
}

pub fn decisions(file: &Path) -> Result<Vec<Decision>, String> {
    let failed = |err: std::io::Error| format!("{}: {err}", file.display());
    let lines = BufReader::new(File::open(file).map_err(failed)?).lines();
    lines.map(|line| serde_json::from_str(&line.map_err(failed)?).map_err(|err| format!("a decision: {err}"))).collect()
}

/// Prints the table; false where a goal is missed.
pub fn cases(seed: u64, pairs: u64, settings: &Settings) -> Result<bool, String> {
    let folder = crate::Folder::make()?;
    let file = folder.path().join("cases.jsonl");
    write(seed, pairs, &file)?;
    let bytes = std::fs::metadata(&file).map_err(|err| err.to_string())?.len();
    let options = crate::options(&file, folder.path().join("out"), *settings);
    let began = Instant::now();
    let (report, _) = alone::run(&options).map_err(|err| err.to_string())?;
    let seconds = began.elapsed().as_secs_f64();
    let counts = count(seed, pairs, &decisions(&options.decisions)?);
    println!("| # | case | planted duplicates | found | false merges | as |");
    println!("|---|---|---|---|---|---|");
    let mut good = true;
    for (case, count) in counts.iter().enumerate() {
        let number = if case < 7 { case + 1 } else { case };
        let share = count.found as f64 / count.planted.max(1) as f64;
        let found = if count.planted == 0 { "-".to_owned() } else { format!("{share:.4}") };
        let mut fates: Vec<_> = count.fates.iter().map(|(fate, n)| format!("{fate} {n}")).collect();
        fates.sort();
        println!(
            "| {number} | {} | {} | {found} | {} | {} |",
            CASES[case],
            count.planted,
            count.merged,
            fates.join(", ")
        );
        good &= (count.planted == 0 || share >= RECALL) && count.merged == 0;
    }
    println!(
        "\n{pairs} pairs a case, seed {seed}; {} records, {:.0} MB in {seconds:.2} s ({:.0} MB/s, {} threads); {} pairs \
         compared, {} skipped in hot buckets",
        report.read,
        bytes as f64 / 1e6,
        bytes as f64 / 1e6 / seconds,
        options.threads,
        report.pairs_compared,
        report.skipped_pairs
    );
    println!("{}", if good { "all goals met" } else { "a goal is missed: found >= 0.99, false merges 0" });
    Ok(good)
}

fn count(seed: u64, pairs: u64, decisions: &[Decision]) -> Vec<Count> {
    let mut counts: Vec<Count> = (0..CASES.len()).map(|_| Count::default()).collect();
    for (case, count) in counts.iter_mut().enumerate() {
        let planted = (0..pairs).filter(|&n| pair(seed, case, n).duplicate).count();
        count.planted = planted as u64;
    }
    for decision in decisions {
        let Some(winner) = &decision.winner else { continue };
        let case: usize = decision.id.split('-').next().and_then(|case| case.parse().ok()).unwrap_or_default();
        let of = |id: &str| id.rsplit_once('-').map(|(pair, _)| pair.to_owned());
        let count = &mut counts[case];
        *count.fates.entry(decision.fate.clone()).or_default() += 1;
        // A pair that is no duplicate and was merged all the same is the worst.
        if of(&decision.id) == of(winner) && count.planted > 0 {
            count.found += 1;
        } else {
            count.merged += 1;
        }
    }
    counts
}
