//! The corpus maker's plants are found again: every one, and nothing else of a type that has a form.

use std::fs;

use serde_json::Value;

use super::help::*;

#[test]
fn a_mixed_corpus_gives_exactly_what_was_planted() {
    let folder = tempfile::tempdir().unwrap();
    let (raw, store) = (folder.path().join("raw"), folder.path().join("store"));
    corpus(&raw, &["--rows", "4000", "--seed", "5", "--files", "6", "--compress", "mixed"]);
    let expected: Value = serde_json::from_slice(&fs::read(raw.join("expected.json")).unwrap()).unwrap();
    let kinds: std::collections::BTreeSet<&str> =
        expected["files"].as_array().unwrap().iter().map(|file| file["compression"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 3, "plain, gzip and zstd");
    let pipeline = write(&folder.path().join("corpus.toml"), corpus_pipeline("corpus", &raw));
    let ran = Ran::of(machine(&pipeline, &store).arg("--json").output().expect("gristmill starts")).expect(0);
    let outcome = ran.json();

    let (ingest, dedup) = (stage(&outcome, "ingest"), stage(&outcome, "dedup"));
    assert_eq!(ingest["records_read"], expected["records_read"]);
    assert_eq!(ingest["kept"], expected["kept_after_ingest"]);
    assert_eq!(counts(&ingest["rejected"]), counts(&expected["rejected"]));
    // A model takes a few words that mean nothing for names, where a sentence begins with them.
    let mut found = counts(&stage(&outcome, "redact")["counts"]);
    let people = found.remove("PERSON").unwrap_or_default();
    assert!(people <= 20, "{people} people in text about nobody");
    assert_eq!(found, counts(&expected["findings"]));
    assert_eq!(dedup["dropped"]["exact_duplicate"], expected["exact_duplicate"]);
    assert_eq!(dedup["dropped"]["near_duplicate"], expected["near_duplicate"]);
    assert_eq!(dedup["folded"], expected["superseded"]);
    assert_eq!(dedup["counts"]["prompt_groups"], expected["prompt_groups"]);
    verify(&store);

    let canaries: Vec<String> =
        fs::read_to_string(raw.join("canaries.txt")).unwrap().lines().map(str::to_owned).collect();
    let planted: u64 = counts(&expected["findings"]).values().sum();
    assert_eq!(canaries.len() as u64, planted);
    let mut texts = readable(&store);
    texts.push(("stdout".into(), ran.out.into_bytes()));
    texts.push(("stderr".into(), ran.err.into_bytes()));
    assert_absent(&canaries, &texts);
}
