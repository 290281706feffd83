//! Speed of the kernels alone, one core, on the synthetic corpus: MB/s and rows/s.
//!
//! `cargo bench --bench kernels`. Every part asserts its answer. Ratios between parts of one run
//! are worth more than the numbers: machines are shared.

use std::hint::black_box;
use std::io::Read;
use std::process::Command;
use std::time::Instant;

use gristmill::config::{Limits, Redact, Tokenizer};
use gristmill::record::{Conversation, ProjectKey};
use gristmill::stages::dedup::sketch::{Settings, Sketcher, Turn};
use gristmill::stages::ingest::tokens::Counter;
use gristmill::stages::ingest::{self, Reading, language};
use gristmill::stages::redact::Redactor;

const ROWS: usize = 30_000;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = Command::new(env!("CARGO_BIN_EXE_corpus"))
        .args(["--rows", &ROWS.to_string(), "--seed", "1", "--formats", "openai", "--out"])
        .arg(folder.path())
        .output()
        .expect("the corpus maker runs");
    assert!(made.status.success());
    let mut raw = Vec::new();
    for entry in std::fs::read_dir(folder.path()).expect("readable").flatten() {
        if entry.path().extension().is_some_and(|ext| ext == "jsonl") {
            std::fs::File::open(entry.path()).and_then(|mut f| f.read_to_end(&mut raw)).expect("readable");
        }
    }
    let lines: Vec<&[u8]> = raw.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let megabytes = raw.len() as f64 / 1e6;
    let tell = |part: &str, began: Instant, rows: usize| {
        let seconds = began.elapsed().as_secs_f64();
        println!("{part:<28} {:>8.0} MB/s {:>10.0} rows/s", megabytes / seconds, rows as f64 / seconds);
    };

    let began = Instant::now();
    let skipped = lines.iter().filter(|line| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()).count();
    tell("json skipped (floor)", began, skipped);

    let reading = Reading {
        format: None,
        messages_key: "messages".to_owned(),
        mapping: None,
        joining: Default::default(),
        limits: Limits::default(),
    };
    let began = Instant::now();
    let mut conversations: Vec<Conversation> =
        lines.iter().filter_map(|line| ingest::parse(line, &reading).ok()).flatten().collect();
    tell("parse", began, conversations.len());
    assert!(conversations.len() > ROWS * 99 / 100 && conversations.len() <= ROWS);

    let began = Instant::now();
    let english = conversations.iter().filter(|c| language::detect(c).language == "eng").count();
    tell("language", began, conversations.len());
    assert!(english > 0);

    let key = ProjectKey::from_secret("benches are not secret at all").expect("long enough");
    let redactor = Redactor::new(&Redact::default(), &key).expect("defaults are good");
    let mut findings = Vec::new();
    let began = Instant::now();
    conversations.iter_mut().for_each(|conversation| redactor.conversation(conversation, &mut findings));
    tell("redact", began, conversations.len());
    assert!(!findings.is_empty());

    let counter = Counter::new(Tokenizer::O200kBase);
    let began = Instant::now();
    let tokens: u64 = conversations.iter().filter_map(|conversation| counter.count(conversation)).sum();
    tell("tokens (o200k_base)", began, conversations.len());
    assert!(tokens > conversations.len() as u64);

    let settings = Settings { shingle_words: 3, bands: 16, rows_per_band: 8, short_tokens: 10 };
    let mut sketcher = Sketcher::new(settings, &key);
    let turns: Vec<Vec<Turn>> = conversations
        .iter()
        .map(|c| {
            c.messages.iter().map(|m| Turn { role: m.role.as_str(), content: &m.content, tool_calls: None }).collect()
        })
        .collect();
    let began = Instant::now();
    turns.iter().for_each(|turns| drop(black_box(sketcher.sides(turns))));
    tell("shingle", began, turns.len());
    let began = Instant::now();
    let bands: usize = turns.iter().map(|turns| sketcher.sketch(turns).bands.len()).sum();
    tell("sketch (chain + shingle + 128)", began, turns.len());
    assert!(bands > 0 && bands.is_multiple_of(16));
}
