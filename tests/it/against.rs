//! Decontamination: what repeats a benchmark is dropped or tagged, and says which row.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};

use super::help::*;

fn example() -> PathBuf {
    root().join("pipelines/decontaminate.toml")
}

/// The example's text, with absolute paths.
fn moved() -> String {
    fs::read_to_string(example()).unwrap().replace("\"../", &format!("\"{}/", root().display()))
}

/// Columns of the rows of one table below `layers/<layer>`, as texts; null is empty.
fn texts(store: &Path, layer: &str, table: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for file in files(&store.join("layers").join(layer)) {
        if !file.file_name().unwrap().to_string_lossy().starts_with(table) {
            continue;
        }
        for batch in parquet(&file).1 {
            let columns: Vec<_> = columns.iter().map(|name| batch.column_by_name(name).unwrap().clone()).collect();
            let text = |column: &arrow::array::ArrayRef, i: usize| {
                let column = column.as_string::<i32>();
                if column.is_null(i) { String::new() } else { column.value(i).to_owned() }
            };
            rows.extend((0..batch.num_rows()).map(|i| columns.iter().map(|column| text(column, i)).collect()));
        }
    }
    rows.sort();
    rows
}

#[test]
fn what_repeats_a_benchmark_is_dropped_with_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let outcome = run_json(&example(), &store, &[]);
    let dedup = stage(&outcome, "dedup");
    assert_eq!(counts(&dedup["dropped"])["contaminated"], 6);
    let told = counts(&dedup["counts"]);
    let of = |name: &str| ["rows", "rows met", "records"].map(|what| told[&format!("{name}: {what}")]);
    assert_eq!((of("support-eval"), of("regressions")), ([3, 2, 4], [2, 1, 2]));
    let decided = texts(&store, "deduped", "decisions", &["fate", "winner", "rule"]);
    let mut decided: Vec<_> =
        decided.iter().filter(|row| row[0] == "contaminated").map(|row| (&*row[1], &*row[2])).collect();
    // A snapshot, a regeneration and a copy repeat the same rows.
    decided.dedup();
    assert_eq!(
        decided,
        [
            ("", "holds 100 % of the n-grams of row r1 of regressions"),
            ("", "same prompt as row e1 of support-eval"),
            ("", "same prompt as row e2 of support-eval"),
        ]
    );
    let found = texts(&store, "overlap", "part", &["benchmark", "row", "rule", "record_id", "row_record"]);
    assert_eq!(found.len(), 6);
    let store_text = store.to_str().unwrap();
    for row in &found {
        let traced = gristmill(["trace", &row[3], "--store", store_text]).expect(0).out;
        assert!(traced.contains("contaminated") && traced.contains(&row[0]), "{traced}");
        gristmill(["trace", &row[4], "--store", store_text]).expect(0);
        let shown = gristmill(["decisions", "show", &row[3], "--store", store_text]).expect(0).out;
        assert!(shown.contains("contaminated") && !shown.contains("winner"), "{shown}");
    }
    verify(&store);
    // Redacted like the logs: that is why addresses met.
    let stored = texts(&store, "redacted", "part", &["external_id"]);
    assert!(stored.iter().any(|row| row[0] == "e2"));
    let again = run_json(&example(), &store, &[]);
    assert_eq!(stage(&again, "dedup")["cached"], true);
    let plan = Ran::of(command().arg("plan").arg(example()).args(["--store", store_text, "--json"]).output().unwrap());
    assert_eq!(plan.expect(0).json()["stages"][2]["runs"], false);
}

#[test]
fn a_changed_benchmark_decides_again_and_a_moved_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (store, bench) = (folder.path().join("store"), folder.path().join("bench.jsonl"));
    let rows = fs::read_to_string(fixture("evals/support-eval.jsonl")).unwrap();
    let text = |bench: &Path| {
        let text = moved().replace(fixture("evals/support-eval.jsonl").to_str().unwrap(), bench.to_str().unwrap());
        write(&folder.path().join("job.toml"), text)
    };
    write(&bench, &rows);
    let dropped = |outcome: &serde_json::Value| counts(&stage(outcome, "dedup")["dropped"])["contaminated"];
    assert_eq!(dropped(&run_json(&text(&bench), &store, &["--until", "dedup"])), 6);
    let other = folder.path().join("renamed.jsonl");
    fs::rename(&bench, &other).unwrap();
    assert_eq!(stage(&run_json(&text(&other), &store, &["--until", "dedup"]), "dedup")["cached"], true);
    write(&other, rows.lines().skip(1).collect::<Vec<_>>().join("\n"));
    assert_eq!(dropped(&run_json(&text(&other), &store, &["--until", "dedup"])), 4);
}

#[test]
fn tagged_records_are_kept_and_can_be_left_out_by_sql() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let text = moved().replace("action = \"drop\"", "action = \"tag\"") + "where = \"benchmark is null\"\n";
    let outcome = run_json(&write(&folder.path().join("job.toml"), text), &store, &[]);
    assert!(!counts(&stage(&outcome, "dedup")["dropped"]).contains_key("contaminated"));
    let tags = texts(&store, "deduped", "part", &["benchmark"]);
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    tags.iter().for_each(|row| *named.entry(&row[0]).or_default() += 1);
    assert_eq!((named["support-eval"], named["regressions"]), (3, 1));
    assert_eq!(counts(&stage(&outcome, "dataset")["dropped"])["not_wanted"], 4);
}

#[test]
fn what_makes_no_sense_is_refused_by_its_key() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to, told) in [
        ("ngram_words = 13", "ngram_words = 2", "ngram_words"),
        ("min_overlap = 0.5", "min_overlap = 1.5", "min_overlap"),
        ("\"regressions\"", "\"support-eval\"", "named twice"),
        ("\"regressions\"", "\"No Name\"", "a-z"),
        ("action = \"drop\"", "action = \"burn\"", "action"),
    ] {
        let file = write(&folder.path().join("job.toml"), moved().replace(from, to));
        run(&file, &folder.path().join("store"), &[]).expect(2).tells(&[told]);
    }
}

#[test]
fn a_benchmark_without_a_row_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let empty = write(&folder.path().join("empty.jsonl"), "\n");
    let text = moved().replace(fixture("evals/regressions.jsonl").to_str().unwrap(), empty.to_str().unwrap());
    let file = write(&folder.path().join("job.toml"), text);
    run(&file, &folder.path().join("store"), &[]).expect(2).tells(&["regressions", "no row"]);
    let out = folder.path().join("out");
    let against = format!("x={}", empty.display());
    let logs = fixture("raw/gateway-2026-10-01.jsonl");
    let words = ["dedup", logs.to_str().unwrap(), "--out", out.to_str().unwrap(), "--against", &against];
    gristmill(words).expect(2).tells(&["empty.jsonl", "no row"]);
}

#[test]
fn the_command_alone_looks_for_benchmarks_too() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, evals) = (fixture("raw/gateway-2026-10-01.jsonl"), fixture("evals"));
    let against = |name: &str, file: &str| format!("{name}={}", evals.join(file).display());
    let ran = gristmill([
        "dedup",
        logs.to_str().unwrap(),
        "--out",
        folder.path().to_str().unwrap(),
        "--against",
        &against("support-eval", "support-eval.jsonl"),
        "--against",
        &against("regressions", "regressions.jsonl"),
        "--json",
    ]);
    let report = ran.expect(0).json();
    // Nothing is redacted here, so the address of e2 is another.
    assert_eq!(report["contaminated"], 4);
    assert_eq!(report["benchmarks"][0]["rows"], 3);
    let wrong = gristmill(["dedup", "x", "--out", "y", "--against", "no-file"]);
    assert!(wrong.code == 2 && wrong.err.contains("NAME=FILE"), "{}", wrong.err);
}
