//! Conversations that lie in several records: joined across files and runs, redacted, traced.

use std::fs;
use std::path::Path;

use arrow::array::AsArray;
use serde_json::Value;

use super::help::*;

fn job(folder: &Path) -> std::path::PathBuf {
    let sources = pipeline("join", &[(folder.join("logs/*.jsonl"), "")]);
    let dataset = "[[dataset]]\nname = \"calls\"\nkind = \"sft\"\nfrom = \"logs\"\nallow_empty_split = true\n";
    write(&folder.join("join.toml"), sources + dataset)
}

fn call(id: usize, half: usize) -> String {
    let (user, answer) =
        (format!("[{{\"role\":\"user\",\"content\":\"Question {id} of user{id}@example.com?\"}}]"), "[]");
    let (asked, answered) = match half {
        0 => (user.as_str(), answer.to_owned()),
        _ => ("[]", format!("[{{\"role\":\"assistant\",\"content\":\"Answer {id}, a longer one.\"}}]")),
    };
    format!(
        "{{\"CorrelationId\":\"call-{id}\",\"user_id\":\"person-{id}\",\"SequenceNumber\":{half},\"RequestMessages\":{asked},\"ResponseMessages\":{answered}}}\n"
    )
}

/// Some rows of some calls.
fn log(folder: &Path, calls: std::ops::Range<usize>, halves: &[usize], name: &str) {
    let text: String = calls.rev().flat_map(|id| halves.iter().map(move |half| call(id, *half))).collect();
    fs::create_dir_all(folder.join("logs")).unwrap();
    fs::write(folder.join("logs").join(name), text).unwrap();
}

fn traced(store: &Path, record: &str, folder: &Path) -> Value {
    let (store, pipeline) = (store.to_str().unwrap(), job(folder));
    let pipeline = pipeline.to_str().unwrap();
    gristmill(["trace", record, "--pipeline", pipeline, "--store", store, "--verify-source", "--json"]).expect(0).json()
}

fn joined_rows(store: &Path) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for file in files(&store.join("layers/deduped")) {
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("part")) {
            for batch in parquet(&file).1 {
                let column = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
                let (records, talks) = (column("record_id"), column("conversation_id"));
                rows.extend(
                    records.iter().flatten().zip(talks.iter().flatten()).map(|(a, b)| (a.to_owned(), b.to_owned())),
                );
            }
        }
    }
    rows.sort();
    rows
}

#[test]
fn halves_in_two_files_and_two_runs_make_the_conversations_of_one_run() {
    let (once, twice) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    log(once.path(), 0..40, &[0], "a.jsonl");
    log(once.path(), 0..40, &[1], "b.jsonl");
    let outcome = run_json(&job(once.path()), &once.path().join("store"), &[]);
    let books = stage(&outcome, "join");
    assert_eq!((&books["records_read"], &books["kept"], &books["folded"]), (&80.into(), &40.into(), &40.into()));

    log(twice.path(), 0..40, &[0], "a.jsonl");
    let store = twice.path().join("store");
    let first = run_json(&job(twice.path()), &store, &[]);
    assert_eq!(stage(&first, "join")["kept"], 40, "questions alone are conversations without an answer");
    log(twice.path(), 0..40, &[1], "late.jsonl");
    let second = run_json(&job(twice.path()), &store, &[]);
    assert_eq!(stage(&second, "join")["folded"], 40);
    let latest = |store: &Path| {
        let folder = store.join("datasets/calls");
        let newest = files(&folder).into_iter().map(|file| file.strip_prefix(&folder).unwrap().to_path_buf()).max();
        let newest = newest.unwrap().components().next().unwrap().as_os_str().to_owned();
        files(&folder.join(newest)).into_iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(latest(&once.path().join("store")), latest(&store));
    let third = run_json(&job(twice.path()), &store, &[]);
    assert_eq!(stage(&third, "join")["cached"], true);
    verify(&store);
}

#[test]
fn a_joined_record_is_traced_to_all_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 0..3, &[0], "a.jsonl");
    log(folder.path(), 0..3, &[1], "b.jsonl");
    let store = folder.path().join("store");
    run_json(&job(folder.path()), &store, &[]);
    for (record, _) in joined_rows(&store) {
        let told = traced(&store, &record, folder.path());
        let found: &Value = &told["records"][0];
        assert_eq!((found["joined_from"].as_array().unwrap().len(), &found["source_ok"]), (2, &true.into()), "{told}");
        assert_eq!((&found["findings"][0]["type"], &found["findings"][0]["count"]), (&"EMAIL".into(), &1.into()));
    }
    // A changed line of either file shows.
    let late = folder.path().join("logs/b.jsonl");
    fs::write(&late, fs::read_to_string(&late).unwrap().replace("longer", "larger")).unwrap();
    let (record, _) = joined_rows(&store).remove(0);
    assert_eq!(traced(&store, &record, folder.path())["records"][0]["source_ok"], false);
}

#[test]
fn no_raw_text_rests_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 0..20, &[0, 1], "a.jsonl");
    let store = folder.path().join("store");
    run_json(&job(folder.path()), &store, &[]);
    let texts = readable(&store);
    assert_absent(&["@example.com".to_owned(), "person-1".to_owned()], &texts);
    let holds = |(_, bytes): &&(std::path::PathBuf, Vec<u8>)| memchr::memmem::find(bytes, b"[EMAIL:").is_some();
    assert!(texts.iter().filter(holds).count() > 2, "fragments, rows and releases hold pseudonyms");
}

#[test]
fn other_dedup_settings_sketch_joined_rows_again() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 0..20, &[0, 1], "a.jsonl");
    let (store, file) = (folder.path().join("store"), job(folder.path()));
    let first = run_json(&file, &store, &["--until", "dedup"]);
    write(&file, fs::read_to_string(&file).unwrap() + "[dedup.near]\nbands = 20\n");
    let second = run_json(&file, &store, &["--until", "dedup"]);
    assert_eq!(stage(&second, "join")["cached"], true);
    assert_eq!(stage(&first, "dedup")["records_read"], stage(&second, "dedup")["records_read"]);
    assert_eq!(stage(&second, "dedup")["records_read"], 20);
}
