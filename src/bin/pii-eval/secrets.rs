//! CredSweeper's samples: secrets in code, settings, logs and notes.
//!
//! Not here: files without a finding, but for the negatives that are named so: many of them are
//! containers whose secrets only another mode of that tool reports.
//!
//! Always: a file is one text; a gold value counts as found if at least nine tenths of its
//! characters are covered by a secret (or a finding of another kind); precision counts findings
//! of secrets only, and one is right where it touches a gold value or repeats one of its file
//! (that tool lists a value once where it stands several times).

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::Eye;
use crate::score::{Count, Cover, Table, bytes_of, print_types};

#[derive(Deserialize)]
struct Gold {
    rule: String,
    line_data_list: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    line_num: usize,
    path: String,
    value: String,
    value_start: i64,
    value_end: i64,
}

pub fn measure(eye: &Eye, folder: &Path, table: &mut Table) -> Result<(), String> {
    let folder = folder.join("credsweeper");
    let listed =
        std::fs::read_to_string(folder.join("output.json")).map_err(|error| format!("credsweeper: {error}"))?;
    let golds: Vec<Gold> = serde_json::from_str(&listed).map_err(|error| format!("credsweeper: {error}"))?;
    let mut by_file: BTreeMap<String, Vec<(String, Line)>> = BTreeMap::new();
    for gold in golds {
        for line in gold.line_data_list {
            let name = line.path.rsplit('/').next().unwrap_or_default().to_owned();
            by_file.entry(name).or_default().push((gold.rule.clone(), line));
        }
    }
    let (mut gold, mut found) = (BTreeMap::new(), BTreeMap::new());
    let mut files: Vec<_> = std::fs::read_dir(folder.join("samples"))
        .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
        .map_err(|error| format!("credsweeper: {error}"))?;
    files.sort_by_key(std::fs::DirEntry::file_name);
    let verbose = std::env::var_os("PII_EVAL_VERBOSE").is_some();
    for file in files {
        let name = file.file_name().to_string_lossy().into_owned();
        let negative = ["_n", "_f", "password_FALSE", "pass_filtered"].iter().any(|end| name.ends_with(end));
        let lines = by_file.remove(&name).unwrap_or_default();
        let Ok(text) = std::fs::read_to_string(file.path()) else { continue };
        if lines.is_empty() && !negative {
            continue;
        }
        one(eye, &name, &text, &lines, (&mut gold, &mut found), verbose);
    }
    print_types("credsweeper: gold values found, by its rule", &gold);
    print_types("credsweeper: secrets found that touch a gold value, by kind", &found);
    let (gold, found): (Count, Count) = (gold.values().copied().sum(), found.values().copied().sum());
    let counts = |count: &Count| format!("{} of {}", count.hit, count.all);
    table.at_least("CredSweeper half: recall", gold.share(), 0.92, counts(&gold));
    table.at_least("CredSweeper half: precision", found.share(), 0.92, counts(&found));
    Ok(())
}

type Counts = BTreeMap<String, Count>;

fn one(eye: &Eye, name: &str, text: &str, lines: &[(String, Line)], counts: (&mut Counts, &mut Counts), verbose: bool) {
    let (gold, found_in) = counts;
    let found = eye.look([text]);
    let covered = Cover::of(text.len(), found.iter().map(|found| &found.range));
    let mut starts = vec![0];
    starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
    let mut ranges = Vec::new();
    for (rule, line) in lines {
        let from = starts.get(line.line_num.wrapping_sub(1)).copied().unwrap_or(text.len());
        let whole = text[from..].split('\n').next().unwrap_or_default();
        let range = match (usize::try_from(line.value_start), usize::try_from(line.value_end)) {
            (Ok(start), Ok(end)) => bytes_of(whole, start, end),
            // Not given: where the value stands from that line on.
            _ => text[from..].find(&line.value).map_or(0..0, |at| at..at + line.value.len()),
        };
        let range = from + range.start..from + range.end;
        let (hit, all) = covered.chars(text, &range);
        let is_found = all > 0 && hit * 10 >= all * 9;
        if !is_found && verbose {
            println!("  missed {name}:{} {rule}", line.line_num);
        }
        gold.entry(rule.clone()).or_default().add(is_found, (hit, all));
        ranges.push(range);
    }
    let labelled = Cover::of(text.len(), ranges.iter());
    for found in found.iter().filter(|found| found.kind.is_secret()) {
        let chars = labelled.chars(text, &found.range);
        let value = &text[found.range.clone()];
        let repeats = || ranges.iter().any(|gold| text.get(gold.clone()).is_some_and(|gold| gold == value));
        let right = chars.0 > 0 || repeats();
        if !right && verbose {
            let line = text[..found.range.start].matches('\n').count() + 1;
            println!("  extra {name}:{line} {}", found.kind.as_str());
        }
        found_in.entry(found.kind.as_str().to_owned()).or_default().add(right, chars);
    }
}
