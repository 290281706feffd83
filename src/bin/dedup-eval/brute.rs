//! All pairs of real conversations against what the command found.
//!
//! A pair whose sides both reach the threshold shares, of its rarest shingles, at least one of the
//! first fifth (prefix filtering), so looking those up finds all such pairs without comparing
//! everybody with everybody.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use gristmill::alone::{self, Options};
use gristmill::record::{Conversation, ProjectKey};
use gristmill::stages::dedup::curve::found;
use gristmill::stages::dedup::shingle::Side;
use gristmill::stages::dedup::sketch::{Sketcher, Turn};
use gristmill::stages::dedup::verify::verify;
use gristmill::stages::ingest::{self, Reading};
use serde::Deserialize;

use crate::score::decisions;

const MIN_JACCARD: f64 = 0.8;

#[derive(Deserialize)]
struct Edge {
    a: String,
    b: String,
    jaccard_user: f64,
    jaccard_assistant: f64,
}

struct One {
    user: Side,
    assistant: Side,
    bands: Vec<u64>,
    /// Shingles of both sides, told apart by their last bit, the rarest first.
    rare: Vec<u64>,
}

/// Prints what was compared; false where the edges are not all pairs that share a band, or where the
/// share that was found is not what the curve says.
pub fn check(file: &Path, records: usize) -> Result<bool, String> {
    let folder = crate::Folder::make()?;
    let numbered = folder.path().join("numbered.jsonl");
    let lines = number(file, &numbered, records)?;
    let settings = crate::settings();
    // No bucket is hot: here all pairs count.
    let options = Options { bucket_limit: u32::MAX, ..crate::options(&numbered, folder.path().join("out"), settings) };
    alone::run(&options).map_err(|err| err.to_string())?;
    let stays: BTreeSet<usize> = decisions(&options.decisions)?
        .iter()
        .filter(|decision| matches!(decision.fate.as_str(), "keep" | "near"))
        .filter_map(|decision| decision.id.parse().ok())
        .collect();
    let mut known = HashMap::new();
    let key = ProjectKey::from_bytes(*blake3::hash(b"any other key").as_bytes());
    let mut sketcher = Sketcher::new(settings, &key);
    for &at in &stays {
        if let Some(one) = one(&lines[at], &mut sketcher, settings.short_tokens) {
            known.insert(at, one);
        }
    }
    rarest_first(&mut known);
    let pairs = all_pairs(&known, settings.short_tokens);
    let shares = |pair: &&(usize, usize)| known[&pair.0].bands.iter().zip(&known[&pair.1].bands).any(|(a, b)| a == b);
    let expected: BTreeSet<(usize, usize)> = pairs.iter().filter(shares).copied().collect();
    let mut edges = edges(&options.out.join("edges.jsonl"))?;
    edges.retain(|(a, b)| known.contains_key(a) && known.contains_key(b));
    let chances: Vec<f64> = pairs
        .iter()
        .map(|(a, b)| found(union_jaccard(&known[a], &known[b]), settings.bands, settings.rows_per_band))
        .collect();
    let mean: f64 = chances.iter().sum();
    let error = chances.iter().map(|chance| chance * (1.0 - chance)).sum::<f64>().sqrt();
    let (missing, more) = (expected.difference(&edges).count(), edges.difference(&expected).count());
    println!(
        "{} records compared of {}; {} pairs with both sides >= {MIN_JACCARD}",
        known.len(),
        lines.len(),
        pairs.len()
    );
    println!(
        "{} of them share a band; edges: {}, missing {missing}, without such a pair {more}",
        expected.len(),
        edges.len()
    );
    let inside = (expected.len() as f64 - mean).abs() <= 3.0 * error + 1.0;
    println!(
        "found by the sketch: {:.4}; by the curve: {:.4} +- {:.4} (three standard errors)",
        expected.len() as f64 / pairs.len().max(1) as f64,
        mean / pairs.len().max(1) as f64,
        3.0 * error / pairs.len().max(1) as f64
    );
    Ok(missing == 0 && more == 0 && inside)
}

/// Copies records of one chat each, with their number as id.
fn number(file: &Path, to: &Path, records: usize) -> Result<Vec<String>, String> {
    let failed = |err: std::io::Error| format!("{}: {err}", file.display());
    let mut lines = Vec::new();
    let mut out = File::create(to).map_err(failed)?;
    for line in BufReader::new(File::open(file).map_err(failed)?).lines() {
        let line = line.map_err(failed)?;
        if lines.len() == records {
            break;
        }
        let Ok(mut row) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&line) else { continue };
        row.insert("id".to_owned(), lines.len().to_string().into());
        let row = serde_json::Value::Object(row).to_string();
        writeln!(out, "{row}").map_err(failed)?;
        lines.push(row);
    }
    Ok(lines)
}

fn one(line: &str, sketcher: &mut Sketcher, short_tokens: u32) -> Option<One> {
    let reading = Reading::default();
    let mut read = ingest::parse(line.as_bytes(), &reading).ok()?;
    let Conversation { messages, .. } = read.pop().filter(|_| read.is_empty())?;
    let plain = |message: &gristmill::record::Message| message.tool_calls.is_empty();
    let turns: Vec<Turn> = messages
        .iter()
        .filter(|message| plain(message))
        .map(|message| Turn { role: message.role.as_str(), content: &message.content, tool_calls: None })
        .collect();
    let (user, assistant) = sketcher.sides(&turns);
    let sketch = sketcher.sketch(&turns);
    let is_long = turns.len() == messages.len() && sketch.tokens >= short_tokens;
    is_long.then_some(One { user, assistant, bands: sketch.bands, rare: Vec::new() })
}

/// What tells a side apart is its shingles; where a side is short, its text.
fn tagged(one: &One) -> Vec<u64> {
    let user = one.user.shingles.iter().map(|shingle| shingle << 1);
    user.chain(one.assistant.shingles.iter().map(|shingle| shingle << 1 | 1)).collect()
}

fn rarest_first(known: &mut HashMap<usize, One>) {
    let mut counts: HashMap<u64, u32> = HashMap::new();
    known.values().for_each(|one| tagged(one).iter().for_each(|shingle| *counts.entry(*shingle).or_default() += 1));
    for one in known.values_mut() {
        let mut rare = tagged(one);
        rare.sort_by_key(|shingle| (counts[shingle], *shingle));
        one.rare = rare;
    }
}

fn all_pairs(known: &HashMap<usize, One>, short_tokens: u32) -> Vec<(usize, usize)> {
    let mut index: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut order: Vec<usize> = known.keys().copied().collect();
    order.sort_unstable();
    let mut pairs = Vec::new();
    for &at in &order {
        let own = &known[&at];
        // Of n shingles at least 0.8 n are shared, so of the rarest n - 0.8 n + 1 at least one.
        let first = own.rare.len() - (MIN_JACCARD * own.rare.len() as f64).ceil() as usize + 1;
        let mut met = BTreeSet::new();
        for shingle in own.rare.iter().take(first) {
            let with = index.entry(*shingle).or_default();
            met.extend(with.iter().copied());
            with.push(at);
        }
        for other in met {
            let one = &known[&other];
            let verified = verify((&own.user, &own.assistant), (&one.user, &one.assistant), MIN_JACCARD, short_tokens);
            if verified.jaccard_user >= MIN_JACCARD && verified.jaccard_assistant >= MIN_JACCARD {
                pairs.push((other, at));
            }
        }
    }
    pairs
}

/// Of what the sketch sees: the shingles of both sides as one set.
fn union_jaccard(a: &One, b: &One) -> f64 {
    let set =
        |one: &One| -> BTreeSet<u64> { one.user.shingles.iter().chain(&one.assistant.shingles).copied().collect() };
    let (a, b) = (set(a), set(b));
    let shared = a.intersection(&b).count();
    shared as f64 / (a.len() + b.len() - shared).max(1) as f64
}

fn edges(file: &Path) -> Result<BTreeSet<(usize, usize)>, String> {
    let failed = |err: std::io::Error| format!("{}: {err}", file.display());
    let mut edges = BTreeSet::new();
    for line in BufReader::new(File::open(file).map_err(failed)?).lines() {
        let edge: Edge = serde_json::from_str(&line.map_err(failed)?).map_err(|err| format!("an edge: {err}"))?;
        if let (Ok(a), Ok(b)) = (edge.a.parse::<usize>(), edge.b.parse::<usize>())
            && edge.jaccard_user >= MIN_JACCARD
            && edge.jaccard_assistant >= MIN_JACCARD
        {
            edges.insert((a.min(b), a.max(b)));
        }
    }
    Ok(edges)
}
