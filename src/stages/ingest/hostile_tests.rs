//! Every reader against broken and twisted records: an answer each time, never a panic.
//!
//! Records of all fixtures are twisted by bytes and by structure, the same way in every run;
//! `GRISTMILL_FUZZ_SECONDS=600 cargo test --release hostile` goes on for that long. What the
//! fuzzer (`fuzz/run.sh`) ever found is read again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::tree::Json;
use crate::config::Format;
use crate::record::chance;

#[path = "../../../fuzz/src/checks/mod.rs"]
mod checks;

/// Twists of each record in an ordinary run; the fuzzer does more.
const TWISTS: u64 = 25;

/// Pieces that readers trip over.
const PIECES: [&str; 16] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "null",
    "true",
    "1e999",
    "-0",
    "\"\\ud800\"",
    "\\u0000",
    "{}",
    "[[[[",
    "\u{feff}",
];

const NAMES: [&str; 12] = [
    "messages",
    "role",
    "content",
    "tool_calls",
    "response",
    "output",
    "type",
    "text",
    "prompt",
    "parts",
    "name",
    "id",
];

struct Dice(u64, u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.1 += 1;
        (chance(self.0, "twist", &self.1.to_string()) % n.max(1) as u64) as usize
    }
}

fn records() -> Vec<(Option<Format>, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats");
    let mut records = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let format = Format::parse(&path.file_stem().unwrap().to_string_lossy());
        let bytes = std::fs::read(&path).unwrap();
        records.extend(bytes.split(|byte| *byte == b'\n').map(|line| (format, line.to_vec())));
    }
    records.retain(|(_, line)| !line.is_empty());
    records
}

fn twist_bytes(record: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(3) {
        let (at, other) = (dice.below(record.len()), dice.below(record.len()));
        match dice.below(5) {
            0 => record.truncate(at),
            1 if !record.is_empty() => record[at] = dice.below(256) as u8,
            2 => drop(record.splice(at..at, PIECES[dice.below(PIECES.len())].bytes())),
            3 => drop(record.drain(at.min(other)..at.max(other))),
            _ => {
                let piece = record[at.min(other)..at.max(other)].to_vec();
                record.splice(at..at, piece);
            }
        }
    }
}

/// Puts another type, another name or nothing in the place of some value.
fn twist_tree<'a>(value: &mut Json<'a>, dice: &mut Dice) {
    if dice.below(8) == 0 {
        *value = match dice.below(7) {
            0 => Json::Null,
            1 => Json::Bool(true),
            2 => Json::Number(i64::MIN.into()),
            3 => Json::Text(PIECES[dice.below(PIECES.len())].into()),
            4 => Json::Text("[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]".into()),
            5 => Json::List(vec![value.clone(), Json::Null]),
            _ => Json::Object(vec![(NAMES[dice.below(NAMES.len())].into(), value.clone())]),
        };
        return;
    }
    match value {
        Json::List(items) => items.iter_mut().for_each(|item| twist_tree(item, dice)),
        Json::Object(entries) => {
            for (name, value) in entries.iter_mut() {
                if dice.below(30) == 0 {
                    *name = NAMES[dice.below(NAMES.len())].into();
                }
                twist_tree(value, dice);
            }
        }
        _ => {}
    }
}

/// Everything that reads records or cuts text.
fn read_all(record: &[u8], format: Option<Format>) {
    for name in ["chat", "guess", "join", "lines", "elements", "table"] {
        checks::named(name).unwrap()(record);
    }
    let at =
        checks::parsed::FORMATS.iter().position(|one| Some(*one) == format).unwrap_or(checks::parsed::FORMATS.len());
    checks::named("formats").unwrap()(&[&[at as u8], record].concat());
}

#[test]
fn a_rejected_side_follows_its_chosen_side_in_every_format() {
    let mut stated = std::collections::BTreeMap::new();
    for (format, record) in records() {
        let read = checks::parsed::answer(&record, &checks::parsed::reading(format));
        if let (Some(format), Some(conversations)) = (format, read) {
            *stated.entry(format.name()).or_default() += checks::parsed::pairs(&conversations);
        }
    }
    stated.retain(|_, n: &mut usize| *n > 0);
    let formats: Vec<_> = stated.keys().cloned().collect();
    assert_eq!(formats, ["arena", "hh", "judged", "oasst", "trl"], "all that state preferences");
}

#[test]
fn every_reader_answers_whatever_it_is_given() {
    let records = records();
    let seconds = std::env::var("GRISTMILL_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut round = 0;
    loop {
        for (i, (format, record)) in records.iter().enumerate() {
            let mut dice = Dice(round * 1_000_003 + i as u64, 0);
            let mut twisted = record.clone();
            if let (0, Ok(mut tree)) = (dice.below(2), serde_json::from_slice::<Json>(record)) {
                twist_tree(&mut tree, &mut dice);
                twisted = tree.json().into_bytes();
            } else {
                twist_bytes(&mut twisted, &mut dice);
            }
            let read = catch_unwind(AssertUnwindSafe(|| read_all(&twisted, *format)));
            assert!(read.is_ok(), "round {round}, {format:?}: {}", String::from_utf8_lossy(&twisted));
        }
        round += 1;
        if until.map_or(round >= TWISTS, |until| Instant::now() >= until) {
            return;
        }
    }
}

/// Work that grows with the square of a record's keys would show here as minutes.
#[test]
fn many_keys_are_read_in_time() {
    let keys: String = (0..30_000).map(|i| format!(r#","x{i}":{i}"#)).collect();
    let message = format!(r#"{{"role":"user","content":"hi"{keys}}}"#);
    for (check, record) in [
        ("chat", format!(r#"{{"messages":[{{"role":"user","content":"hi"}}]{keys}}}"#)),
        ("chat", format!(r#"{{"request":{{"messages":[{message}]}},"response":{{"choices":[]}}{keys}}}"#)),
        ("guess", format!(r#"{{"question":"q","answer":"a"{keys}}}"#)),
    ] {
        let began = Instant::now();
        checks::named(check).unwrap()(record.as_bytes());
        assert!(began.elapsed() < Duration::from_secs(10), "{check}: {:?}", began.elapsed());
    }
}

/// The files of `fuzz/found` by the check that they once broke.
#[test]
fn what_was_found_stays_repaired() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/found");
    let mut seen = 0;
    for check in std::fs::read_dir(folder).unwrap() {
        let folder = check.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let check = checks::named(&name).unwrap_or_else(|| panic!("{name} is no check"));
        for case in std::fs::read_dir(&folder).unwrap() {
            let path = case.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(bytes.len() <= 4096, "{path:?}: make it small");
            assert!(catch_unwind(AssertUnwindSafe(|| check(&bytes))).is_ok(), "{path:?}");
            seen += 1;
        }
    }
    assert!(seen >= 14, "{seen}");
}
