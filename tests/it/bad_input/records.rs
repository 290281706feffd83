//! Bad records and files are counted rejects with a place; what is good around them is kept.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Stdio;

use super::super::help::*;
use super::{GOOD, Lab};

/// How many records around the bad one are good, and where the bad one is: line and reason.
struct Rejects {
    kept: u64,
    first: Option<(u64, &'static str)>,
}

impl Lab {
    /// A run over one more source that has rejects: it goes on, counts and places them, keeps the rest.
    fn rejects(&self, bad: &Path, expected: &Rejects) {
        let pipeline = self.pipeline(bad, FROM_LOGS);
        let ran = run(&pipeline, &self.store(), &[]).expect(0);
        assert_eq!(ran.err, "", "rejects are no errors");
        if let Some((line, reason)) = expected.first {
            let place = format!("{}:{line} {reason} ", bad.display());
            assert!(ran.out.contains(&place), "{place:?} is not in:\n{}", ran.out);
        }
        let outcome = run_json(&pipeline, &self.store(), &[]);
        let ingest = stage(&outcome, "ingest");
        let reasons: BTreeMap<String, u64> =
            expected.first.iter().map(|(_, reason)| ((*reason).to_owned(), 1)).collect();
        assert_eq!(counts(&ingest["rejected"]), reasons);
        let rejected = reasons.len() as u64;
        assert_eq!(ingest["kept"], GOOD + expected.kept, "good lines around a bad one are kept");
        assert_eq!(ingest["records_read"], GOOD + expected.kept + rejected, "nothing is lost");
        self.still_whole();
    }
}

fn bad_line(name: &str, kept: u64, line: u64, reason: &'static str) {
    Lab::new().rejects(&fixture("bad").join(name), &Rejects { kept, first: Some((line, reason)) });
}

#[test]
fn a_truncated_gzip_is_a_reject_behind_what_could_be_read() {
    bad_line("truncated.jsonl.gz", 9, 10, "damaged_compression");
}

#[test]
fn a_pointer_of_git_lfs_named_gz_is_a_reject() {
    bad_line("pointer.jsonl.gz", 0, 1, "lfs_pointer");
}

#[test]
fn invalid_utf8_is_a_reject() {
    bad_line("utf8.jsonl", 2, 2, "invalid_utf8");
}

#[test]
fn deep_nesting_is_a_reject() {
    bad_line("deep.jsonl", 2, 2, "too_deep");
}

#[test]
fn a_raw_nul_byte_is_a_reject() {
    bad_line("nul.jsonl", 2, 2, "nul_byte");
}

#[test]
fn an_escaped_nul_is_a_reject() {
    bad_line("nul-escape.jsonl", 2, 2, "nul_byte");
}

#[test]
fn a_key_that_stands_twice_is_a_reject() {
    bad_line("dupkeys.jsonl", 2, 2, "duplicate_key");
}

#[test]
fn a_role_that_nobody_knows_is_a_reject() {
    bad_line("role.jsonl", 2, 2, "unknown_role");
}

#[test]
fn an_array_element_that_is_no_conversation_is_a_reject() {
    bad_line("array.json", 2, 3, "bad_shape");
}

#[test]
fn an_array_cut_short_is_a_reject_behind_what_could_be_read() {
    bad_line("array-truncated.json", 1, 3, "invalid_json");
}

/// Law 1: two arrays in one file, as some exporters append them. Read or rejected, but not ignored.
#[test]
fn what_stands_behind_an_array_is_answered_for() {
    let lab = Lab::new();
    let chat = |word| {
        format!(
            r#"[{{"conversations":[{{"from":"human","value":"Which {word}?"}},{{"from":"gpt","value":"This {word}."}}]}}]"#
        )
    };
    let bad = write(&lab.path("two.json"), format!("{}\n{}\n", chat("rug"), chat("lamp")));
    let outcome = run_json(&lab.pipeline(&bad, FROM_LOGS), &lab.store(), &[]);
    assert!(stage(&outcome, "ingest")["records_read"].as_u64() >= Some(GOOD + 2), "the second array vanished");
}

#[test]
fn an_empty_file_has_no_records() {
    Lab::new().rejects(&fixture("bad/empty.jsonl"), &Rejects { kept: 0, first: None });
}

#[test]
fn line_ends_marks_and_missing_newlines_are_no_reason_to_reject() {
    for (name, kept) in [("crlf.jsonl", 3), ("bom.jsonl", 2), ("noeol.jsonl", 3)] {
        Lab::new().rejects(&fixture("bad").join(name), &Rejects { kept, first: None });
    }
}

/// 200 MB in one line between two good ones, as a hole in a sparse file.
fn long_line(path: &Path, bytes: u64) {
    let line = r#"{"messages":[{"role":"user","content":"Where is my parcel today?"},{"role":"assistant","content":"It is with the carrier, number NNN."}]}"#;
    let mut file = File::create(path).unwrap();
    writeln!(file, "{}", line.replace("NNN", "one")).unwrap();
    write!(file, r#"{{"messages":[{{"role":"user","content":""#).unwrap();
    file.seek(SeekFrom::Current(bytes as i64)).unwrap();
    writeln!(file, r#""}}]}}"#).unwrap();
    writeln!(file, "{}", line.replace("NNN", "two")).unwrap();
}

#[test]
fn a_line_of_200_mb_is_one_reject() {
    let lab = Lab::new();
    let bad = lab.path("long.jsonl");
    long_line(&bad, 200 << 20);
    lab.rejects(&bad, &Rejects { kept: 2, first: Some((2, "line_too_long")) });
}

#[test]
fn a_line_of_200_mb_is_never_held_in_memory() {
    if !Path::new("/proc/self/status").exists() {
        eprintln!("skipped: peak memory is read from /proc, which this system does not have");
        return;
    }
    let lab = Lab::new();
    let bad = lab.path("long.jsonl");
    let mut peaks = Vec::new();
    for bytes in [1 << 10, 200 << 20] {
        long_line(&bad, bytes);
        let pipeline = write(&lab.path("long.toml"), pipeline("long", &[(bad.clone(), "openai-chat")]));
        peaks.push(peak_bytes(&pipeline, &lab.path(&format!("store-{bytes}"))));
    }
    // A line may have 16 MiB; a buffer that doubles holds 16 and 32 MiB while it grows beyond that.
    assert!(peaks[1] < peaks[0] + (100 << 20), "peak memory with a short and a long line: {peaks:?}");
}

/// Peak resident memory of an ingest, as long as it could be seen.
fn peak_bytes(pipeline: &Path, store: &Path) -> u64 {
    let mut child = run_command(pipeline, store).args(["--until", "ingest"]).stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let kb =
            text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kb.unwrap_or(0) << 10);
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    assert!(ended.success() && peak > 0, "{ended}, peak {peak}");
    peak
}

#[test]
fn more_rejects_than_allowed_stop_the_run_before_anything_is_committed() {
    let lab = Lab::new();
    let pipeline = lab.pipeline(&fixture("bad/role.jsonl"), FROM_LOGS);
    let text = fs::read_to_string(&pipeline).unwrap().replace("[ingest]\n", "[ingest]\nmax_reject_share = 0.25\n");
    write(&pipeline, text);
    let redacted = files(&lab.store().join("layers/redacted")).len();
    lab.stops(&pipeline, 12, &["1 of 3 records rejected", "33.3 %", "max_reject_share", "unknown_role (1)"]);
    assert_eq!(files(&lab.store().join("layers/redacted")).len(), redacted, "not even the good lines");
}

#[test]
fn as_many_rejects_as_allowed_are_no_reason_to_stop() {
    let lab = Lab::new();
    let pipeline = lab.pipeline(&fixture("bad/role.jsonl"), FROM_LOGS);
    let text = fs::read_to_string(&pipeline).unwrap().replace("[ingest]\n", "[ingest]\nmax_reject_share = 0.34\n");
    run(&write(&pipeline, text), &lab.store(), &[]).expect(0);
}
