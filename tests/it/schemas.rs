//! Contracts do not drift: code, `schemas/` and old files say the same.
//!
//! A changed column gets a new version: raise the version in `src/layer`, then freeze it with
//! `gristmill schema --write schemas` and
//! `cargo test --test it -- --ignored freeze_compat_fixtures`. Neither rewrites an old version's file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gristmill::layer::schema_json;
use serde_json::Value;

use super::help::{
    FROM_LOGS, files, fixture, gristmill, parquet, pipeline, relative, root, run, texts_of, vectors, write,
};

const HOW: &str = "if the change is meant, raise the version in src/layer (never change a frozen one), then: \
    gristmill schema --write schemas";

#[test]
fn frozen_schemas_are_what_the_code_says() {
    let folder = tempfile::tempdir().unwrap();
    gristmill(["schema", "--write", folder.path().to_str().unwrap()]).expect(0);
    let written = files(folder.path());
    assert!(written.len() >= 15, "pipeline, rubric, five layers and eight tables, not {}", written.len());
    for path in written {
        let name = relative(&path, folder.path());
        let frozen = fs::read_to_string(root().join("schemas").join(&name))
            .unwrap_or_else(|err| panic!("schemas/{name}: {err}; {HOW}"));
        let code = fs::read_to_string(&path).unwrap();
        assert!(code == frozen, "schemas/{name} is not what the code says; {HOW}\ncode says:\n{code}");
    }
}

/// `<name>-v<N>.parquet` of each file in `fixtures/compat`.
fn compat() -> Vec<(String, u32, std::path::PathBuf)> {
    let mut found = Vec::new();
    for path in files(&fixture("compat")) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (name, version) = stem.rsplit_once("-v").unwrap_or_else(|| panic!("{stem} is not named <name>-v<N>"));
        found.push((name.to_owned(), version.parse().expect("a version"), path.clone()));
    }
    found
}

#[test]
fn every_frozen_table_has_an_old_file_that_opens_with_its_columns() {
    let old = compat();
    for (name, version, path) in &old {
        let (schema, rows) = parquet(path);
        let has = serde_json::to_value(schema_json::table(name, *version, &schema)).unwrap();
        let frozen = fs::read(root().join(format!("schemas/{name}/v{version}.json"))).expect("a frozen schema");
        assert_eq!(has, serde_json::from_slice::<Value>(&frozen).unwrap(), "{}", path.display());
        assert!(rows.iter().map(|batch| batch.num_rows()).sum::<usize>() > 0, "{} has no rows", path.display());
        assert!(fs::metadata(path).unwrap().len() < 20_000, "{} is not tiny", path.display());
    }
    for path in files(&root().join("schemas")) {
        let name = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let frozen: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let (Some(version), true) = (frozen["version"].as_u64(), frozen["columns"].is_array()) else { continue };
        let has = old.iter().any(|(old, v, _)| *old == name && u64::from(*v) == version);
        assert!(has, "fixtures/compat has no {name}-v{version}.parquet; run the ignored test freeze_compat_fixtures");
    }
}

/// Raw lines that leave something in every table: copies, near copies, a snapshot, answers to one
/// prompt, personal data, a broken line. Ids as in `fixtures/README.md`.
const CHOSEN: [&str; 11] = [
    "chatcmpl-32120af8a23e",
    "chatcmpl-da5f5870f576",
    "chatcmpl-2030ee925206",
    "chatcmpl-727c341f57ac",
    "chatcmpl-104d3c67e9d9",
    "chatcmpl-b64f592ba3a6",
    "chatcmpl-c1b3e9590cc3",
    "chatcmpl-dc227a32c064",
    "chatcmpl-7b23d7b5e7bb",
    "chatcmpl-a8ba33e6f9bd",
    "chatcmpl-broken-role",
];

/// Writes what `fixtures/compat` does not have yet, from a small run. A file that is there stays.
#[test]
#[ignore = "freezes fixtures; run by hand after a new layer or table version"]
fn freeze_compat_fixtures() {
    let folder = tempfile::tempdir().unwrap();
    let (pipeline, store) = (tiny(folder.path()), folder.path().join("store"));
    run(&pipeline, &store, &["--until", "redact"]).expect(0);
    let parts = glob::glob(&format!("{}/layers/redacted/*/part-*.parquet", store.display())).unwrap();
    // Some point into one direction; all would be one side of a split.
    let rows = parts.flat_map(|part| texts_of(&part.unwrap(), "conversation_id")).map(|id| (id, vec![0.6, 0.8]));
    vectors(&folder.path().join("vectors.parquet"), &rows.take(6).collect::<Vec<_>>());
    run(&pipeline, &store, &["--until", "sample"]).expect(0);
    answer(&store, &folder.path().join("labels.jsonl"));
    run(&pipeline, &store, &[]).expect(0);
    let tables = BTreeMap::from([
        ("redacted", "layers/redacted/*/part-*"),
        ("rejects", "layers/redacted/*/rejects-*"),
        ("findings", "layers/redacted/*/findings-*"),
        ("fragments", "layers/redacted/*/fragments-*"),
        ("joined", "layers/redacted/*/joined-*"),
        ("sketch", "layers/sketch/*/part-*"),
        ("overlap", "layers/overlap/*/part-*"),
        ("deduped", "layers/deduped/*/part-*"),
        ("decisions", "layers/deduped/*/decisions*"),
        ("edges", "layers/deduped/*/edges*"),
        ("semantic", "layers/deduped/*/semantic*"),
        ("sampled", "layers/sampled/*/part-*"),
        ("labeled", "layers/labeled/*/part-*"),
        ("refused", "layers/labeled/*/refused*"),
        ("sft", "datasets/all-sft/v0001/data/train-*"),
        ("preference", "datasets/all-preference/v0001/data/train-*"),
        ("lineage", "evidence/all-sft/v0001/lineage/rows*"),
    ]);
    fs::create_dir_all(fixture("compat")).unwrap();
    for (name, below) in tables {
        let version = gristmill(["schema", name]).expect(0).json()["version"].as_u64().unwrap();
        let target = fixture("compat").join(format!("{name}-v{version}.parquet"));
        let made = glob::glob(&format!("{}/{below}.parquet", store.display())).unwrap().map(Result::unwrap);
        let made = made.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap_or_else(|| panic!("no {below}"));
        if !target.exists() {
            fs::copy(made, target).unwrap();
        }
    }
}

fn tiny(folder: &Path) -> std::path::PathBuf {
    let raw = String::from_utf8_lossy(&fs::read(fixture("raw/gateway-2026-10-01.jsonl")).unwrap()).into_owned();
    let lines: Vec<&str> = raw.lines().filter(|line| CHOSEN.iter().any(|id| line.contains(id))).collect();
    assert_eq!(lines.len(), CHOSEN.len());
    let chats = write(&folder.join("chats.jsonl"), lines.join("\n"));
    let pairs = fs::read_to_string(fixture("raw/preferences.jsonl")).unwrap();
    let pairs = write(&folder.join("pairs.jsonl"), pairs.lines().take(8).collect::<Vec<_>>().join("\n"));
    let rubric = root().join("pipelines/rubrics/support-quality.toml");
    let benchmark = format!(
        "\n[dedup.against]\naction = \"tag\"\n[[dedup.against.benchmarks]]\nname = \"support-eval\"\nsources = [{{ path = {:?} }}]\n",
        fixture("evals/support-eval.jsonl").display().to_string()
    );
    let more = format!(
        "{benchmark}\n[dedup.semantic]\nvectors = \"vectors.parquet\"\n\n[[sample]]\nname = \"quality\"\nrubric = {:?}\nrows = 5\n\n[label]\nfiles = [{:?}]\nmin_annotations = 1\n{FROM_LOGS}",
        rubric.display().to_string(),
        folder.join("labels.jsonl").display().to_string()
    );
    write(&folder.join("labels.jsonl"), "");
    write(
        &folder.join("tiny.toml"),
        pipeline("tiny", &[(chats, "openai-chat"), (pairs, "hh"), (fixture("formats/azure-apim.jsonl"), "azure-apim")])
            + &more,
    )
}

/// One rating for each task, and one for a task that nobody was given.
fn answer(store: &Path, file: &Path) {
    let tasks = files(&store.join("batches")).into_iter().find(|path| path.ends_with("tasks.jsonl")).expect("tasks");
    let mut ids: Vec<String> = fs::read_to_string(tasks)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["task_id"].as_str().unwrap().to_owned())
        .collect();
    ids.push("0".repeat(32));
    let line = |(i, id): (usize, &String)| {
        format!("{{\"task_id\":{id:?},\"annotation_id\":\"a{i}\",\"annotator_id\":\"ann\",\"value\":4}}\n")
    };
    write(file, ids.iter().enumerate().map(line).collect::<String>());
}
