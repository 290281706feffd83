//! Texts without personal data: how many false spans a megabyte of them gives.
//!
//! Not here: chats (they hold names and places). `PII_EVAL_FILES`, a list of paths, shows what is found
//! in other files.
//!
//! Always: the texts are this repository's code and lock file, made rows of the things that look
//! like data (UUIDs, hashes, versions, ISBNs, integrity strings, timestamps), and the log of the
//! developer sets with its 9 addresses and 9 numbers.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use gristmill::stages::redact::Kind;

use crate::Eye;
use crate::score::Table;

pub fn measure(eye: &Eye, folder: &Path, table: &mut Table) -> Result<(), String> {
    let verbose = std::env::var_os("PII_EVAL_VERBOSE").is_some();
    let (code, files) = code(Path::new("."))?;
    for (name, text) in [("code and lock file", code), ("made rows", made())] {
        let found = eye.look(text.split_inclusive("\n\n"));
        let pieces: Vec<&str> = text.split_inclusive("\n\n").collect();
        for found in found.iter().filter(|_| verbose) {
            println!("  {name}: {} {:?}", found.kind.as_str(), &pieces[found.message][found.range.clone()]);
        }
        let megabytes = text.len() as f64 / 1e6;
        let counts = format!("{} spans in {megabytes:.2} MB, {files} files", found.len());
        table.at_most(format!("false spans per MB, {name}"), found.len() as f64 / megabytes, 5.0, counts);
    }
    if let Some(list) = std::env::var_os("PII_EVAL_FILES") {
        more(eye, Path::new(&list))?;
    }
    let path = folder.join("datafog/core_100kb_sparse.txt");
    let Ok(log) = std::fs::read_to_string(&path) else {
        println!("SKIP log: no {}", path.display());
        return Ok(());
    };
    let found = eye.look([log.as_str()]);
    let count = |kind| found.iter().filter(|found| found.kind == kind).count();
    let (emails, phones) = (count(Kind::Email), count(Kind::Phone));
    let others = found.len() - emails.min(9) - phones.min(9);
    table.at_least(
        "DataFog log: e-mails and phones of 9 + 9",
        (emails.min(9) + phones.min(9)) as f64,
        18.0,
        format!("{emails} and {phones}"),
    );
    table.at_most("DataFog log: other spans", others as f64, 3.0, format!("{} in all", found.len()));
    Ok(())
}

/// Spans by type in other files, of which there is a list; not judged, as nobody knows what is in them.
fn more(eye: &Eye, list: &Path) -> Result<(), String> {
    let list = std::fs::read_to_string(list).map_err(|error| format!("{}: {error}", list.display()))?;
    let (mut bytes, mut types) = (0, BTreeMap::<&str, (usize, Vec<String>)>::new());
    for text in list.lines().filter_map(|path| std::fs::read_to_string(path).ok()) {
        bytes += text.len();
        let pieces: Vec<&str> = text.split_inclusive("\n\n").collect();
        for found in eye.look(pieces.iter().copied()) {
            let (count, values) = types.entry(found.kind.as_str()).or_default();
            *count += 1;
            values.push(pieces[found.message][found.range].to_owned());
        }
    }
    println!("other files: {:.2} MB", bytes as f64 / 1e6);
    for (kind, (count, mut values)) in types {
        values.sort();
        values.dedup();
        let some: Vec<_> = values.iter().step_by(values.len().div_ceil(12)).collect();
        println!("  {kind:<20} {count:>5}  {:.1} per MB  {some:?}", count as f64 * 1e6 / bytes.max(1) as f64);
    }
    Ok(())
}

/// Source files that hold no examples of personal data: everything but redaction, its gate, tests and fixtures.
fn code(root: &Path) -> Result<(String, usize), String> {
    let (mut text, mut files) = (String::new(), 0);
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .map_err(|error| format!("{}: {error}; run it in the repository", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let skipped = ["redact", "gate", "bin", "tests.rs", "formats"].contains(&name.as_str())
                || name.ends_with("_tests.rs");
            if path.is_dir() && !skipped {
                folders.push(path);
            } else if name.ends_with(".rs") && !skipped {
                let source = std::fs::read_to_string(&path).unwrap_or_default();
                // Tests hold examples of personal data.
                text += source.split("#[cfg(test)]").next().unwrap_or_default();
                files += 1;
            }
        }
    }
    text += &std::fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    Ok((text, files + 1))
}

/// Rows of look-alikes, the same in every run.
fn made() -> String {
    let mut text = String::new();
    for n in 0..2500u64 {
        let hash = blake3::hash(&n.to_le_bytes());
        let hex = hash.to_hex();
        let (h, b) = (hex.as_str(), hash.as_bytes());
        let number = u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], 0]);
        // Writing to a string cannot fail.
        let _ = line(&mut text, n, number, h, b);
    }
    text
}

/// The line of look-alikes that this number and this hash make.
fn line(text: &mut String, n: u64, number: u64, h: &str, b: &[u8; 32]) -> std::fmt::Result {
    match n % 10 {
        0 => writeln!(
            text,
            "request_id={}-{}-4{}-a{}-{} status=200 dur_ms={}",
            &h[..8],
            &h[8..12],
            &h[13..16],
            &h[17..20],
            &h[20..32],
            number % 9000
        ),
        1 => writeln!(text, "commit {}\n", &h[..40]),
        2 => writeln!(text, "\"integrity\": \"sha512-{}{}==\",", base64(b), base64(blake3::hash(b).as_bytes())),
        3 => writeln!(
            text,
            "upgrade from {}.{}.{} to v{}.{}.{}-rc.{}",
            b[0] % 20,
            b[1],
            b[2],
            b[3] % 20,
            b[4],
            b[5],
            b[6] % 9
        ),
        4 => writeln!(text, "ISBN {}", isbn(number)),
        5 => writeln!(
            text,
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z INFO worker.job id={} queue=exports",
            b[0] % 12 + 1,
            b[1] % 28 + 1,
            b[2] % 24,
            b[3] % 60,
            b[4] % 60,
            number % 1000,
            number % 100_000
        ),
        6 => writeln!(text, "sha256:{h}"),
        7 => writeln!(text, "let x{} = {}.{:06} * {} + 0x{};", n, b[0], number % 1_000_000, number % 100_000, &h[..8]),
        8 => writeln!(
            text,
            "epoch {} offset {} bytes {}\n",
            1_700_000_000 + number % 90_000_000,
            number % 10_000_000_000,
            number % 1_000_000_000
        ),
        _ => writeln!(
            text,
            "| {} | {:.2} | {} | ${},{:03}.{:02} |",
            b[0],
            f64::from(b[1]) / 3.0,
            number % 100_000,
            b[2],
            number % 1000,
            b[3] % 100
        ),
    }
}

fn base64(bytes: &[u8]) -> String {
    const CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes.iter().map(|byte| char::from(CHARS[usize::from(byte & 63)])).collect()
}

/// A right ISBN-13.
fn isbn(number: u64) -> String {
    let body = format!("978{:09}", number % 1_000_000_000);
    let sum: u32 =
        body.bytes().enumerate().map(|(n, digit)| u32::from(digit - b'0') * if n % 2 == 0 { 1 } else { 3 }).sum();
    let check = (10 - sum % 10) % 10;
    format!("{}-{}-{}-{}-{check}", &body[..3], &body[3..4], &body[4..9], &body[9..])
}
