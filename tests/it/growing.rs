//! Logs that grow, rotate, come late or come again: an increment gives what one run over all gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::help::*;

/// Lines of chats, long enough that a log has more than one piece of 32 MiB.
fn lines(range: std::ops::Range<usize>) -> String {
    let chat = |id: usize| {
        let messages = format!(
            "[{{\"role\":\"user\",\"content\":\"Question {id}?\"}},{{\"role\":\"assistant\",\"content\":\"Answer {id}.\"}}]"
        );
        // Blanks between keys cost space and little time.
        format!("{{\"id\":\"c{id}\",{blank:4000}\"messages\":{messages}}}\n", blank = "")
    };
    range.map(chat).collect()
}

fn job(folder: &Path, name: &str) -> PathBuf {
    let head = pipeline("growing", &[(folder.join("logs/*"), "")]);
    write(&folder.join(format!("{name}.toml")), head + FROM_LOGS + "allow_empty_split = true\n")
}

/// The rows of the redacted layer with their places, of the sources that the newest run names.
fn hashes(folder: &Path, store: &str) -> (serde_json::Value, std::collections::BTreeMap<String, String>) {
    let file = job(folder, store);
    let toml = fs::read_to_string(&file).unwrap().replace(
        "[[dataset]]\nname = \"all-preference\"\nkind = \"preference\"\nfrom = \"logs\"\ntest_share = 0.2\n",
        "",
    );
    write(&file, toml);
    let store = folder.join(store);
    let outcome = run_json(&file, &store, &[]);
    let newest =
        fs::read_dir(store.join("datasets/all-sft")).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    let version = newest.file_name().unwrap().to_string_lossy().into_owned();
    let evidence = store.join("evidence/all-sft").join(version).join("lineage");
    let all = files(&newest).into_iter().chain(files(&evidence));
    let below = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    (outcome, all.map(|path| (below(&path), sha256(&path))).collect())
}

#[test]
fn a_log_that_grew_is_read_from_its_last_piece_on() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("logs/app.jsonl");
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    // 9,000 lines of 4 KB: two pieces.
    write(&log, lines(0..9_000));
    let (first, _) = hashes(folder.path(), "daily");
    assert_eq!(stage(&first, "ingest")["records_read"], 9_000);
    let before = files(&folder.path().join("daily/layers/redacted")).len();
    // A writer was in the middle of a line.
    let (whole, more) = (lines(9_000..9_500), lines(9_500..9_510));
    write(&log, lines(0..9_000) + &whole + &more[..100]);
    let (second, _) = hashes(folder.path(), "daily");
    assert_eq!(stage(&second, "ingest")["rejected"]["invalid_json"], 1);
    assert_eq!(stage(&second, "ingest")["kept"], 9_500);
    let after = files(&folder.path().join("daily/layers/redacted")).len();
    // One folder more: the last piece; the first was not read again.
    assert_eq!(after - before, 4, "a manifest and three tables");
    write(&log, lines(0..9_000) + &whole + &more);
    let (third, grown) = hashes(folder.path(), "daily");
    assert_eq!(
        (&stage(&third, "ingest")["kept"], &stage(&third, "ingest")["rejected"]),
        (&9_510.into(), &serde_json::json!({}))
    );
    let (_, cold) = hashes(folder.path(), "cold");
    assert_eq!(grown, cold, "data and lineage, with every place, as in a run over the whole log");
}

#[test]
fn rotated_and_delivered_again_adds_nothing_and_late_is_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir_all(&logs).unwrap();
    write(&logs.join("app.jsonl"), lines(0..50));
    let (_, first) = hashes(folder.path(), "daily");
    // Rotated, and a copy that somebody sent again.
    fs::rename(logs.join("app.jsonl"), logs.join("app.jsonl.1")).unwrap();
    fs::copy(logs.join("app.jsonl.1"), logs.join("copy-of-app.jsonl")).unwrap();
    let (again, same) = hashes(folder.path(), "daily");
    assert_eq!((&stage(&again, "ingest")["cached"], &stage(&again, "ingest")["kept"]), (&true.into(), &50.into()));
    assert_eq!(first, same, "no new version");
    write(&logs.join("app.jsonl"), lines(50..70));
    write(&logs.join("late.jsonl"), lines(70..75));
    let (late, grown) = hashes(folder.path(), "daily");
    assert_eq!(stage(&late, "ingest")["kept"], 75);
    let (_, cold) = hashes(folder.path(), "cold");
    assert_eq!(grown, cold);
}

#[test]
fn standard_input_is_a_source() {
    let folder = tempfile::tempdir().unwrap();
    let head = pipeline("piped", &[(PathBuf::from("-"), "")]);
    let file = write(&folder.path().join("piped.toml"), head);
    let raw = write(&folder.path().join("raw.jsonl.gz"), {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, lines(0..20).as_bytes()).unwrap();
        gzip.finish().unwrap()
    });
    let store = folder.path().join("store");
    let piped = |more: &[&str]| {
        let mut command = machine(&file, &store);
        command.args(["--until", "redact", "--json"]).args(more).stdin(Stdio::from(fs::File::open(&raw).unwrap()));
        Ran::of(command.output().unwrap())
    };
    let outcome = piped(&[]).expect(0).json();
    assert_eq!(stage(&outcome, "ingest")["kept"], 20);
    assert_eq!(stage(&piped(&[]).expect(0).json(), "ingest")["cached"], true);
    let shown = command().args(["sources", "inspect", "-"]).stdin(Stdio::from(fs::File::open(&raw).unwrap())).output();
    assert!(String::from_utf8_lossy(&shown.unwrap().stdout).contains("openai-chat"));
}
