//! The same inputs, config and version give the same release bytes, however they are worked.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::help::*;

/// A corpus of 3,000 records in seven files, and what an undisturbed run makes of it.
struct Lab {
    folder: TempDir,
    raw: PathBuf,
    pipeline: PathBuf,
    undisturbed: Release,
}

/// Hashes of the data files, and of the manifests, which also name keys, books and lineage.
#[derive(Debug, PartialEq)]
struct Release {
    data: std::collections::BTreeMap<String, String>,
    manifests: Vec<String>,
}

fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let raw = folder.path().join("raw");
        corpus(&raw, &["--rows", "3000", "--seed", "3", "--files", "7", "--compress", "mixed"]);
        let pipeline = write(&folder.path().join("corpus.toml"), labeled(&corpus_pipeline("corpus", &raw)));
        let undisturbed = release(&pipeline, &folder.path().join("undisturbed"), &["--threads", "2"]);
        Lab { folder, raw, pipeline, undisturbed }
    })
}

/// With a batch to draw, so that sampling is held to the same law.
fn labeled(pipeline: &str) -> String {
    let rubric = root().join("pipelines/rubrics/support-quality.toml");
    format!(
        "{pipeline}\n[[sample]]\nname = \"quality\"\nrubric = {:?}\nrows = 60\nstrata = [\"language\", \"turns\"]\n",
        rubric.display().to_string()
    )
}

fn release(pipeline: &Path, store: &Path, more: &[&str]) -> Release {
    let outcome = run_json(pipeline, store, more);
    let releases = outcome["releases"].as_array().unwrap();
    assert_eq!(releases.len(), 2, "two releases");
    let manifests = releases.iter().map(|release| release["manifest_sha256"].as_str().unwrap().to_owned()).collect();
    let mut data = release_hashes(store);
    // What annotators would get is held to the same law.
    for tasks in files(&store.join("batches")).iter().filter(|path| path.ends_with("tasks.jsonl")) {
        data.insert(relative(tasks, store), sha256(tasks));
    }
    assert_eq!(data.keys().filter(|path| path.ends_with(".parquet")).count(), 4, "train and test of both");
    assert!(data.keys().any(|path| path.ends_with("tasks.jsonl")), "a batch");
    Release { data, manifests }
}

#[test]
fn threads_do_not_matter() {
    let lab = lab();
    assert_eq!(release(&lab.pipeline, &lab.folder.path().join("one-thread"), &["--threads", "1"]), lab.undisturbed);
}

#[test]
fn batch_sizes_do_not_matter() {
    let lab = lab();
    for rows in ["1000", "77"] {
        let store = lab.folder.path().join(format!("batch-{rows}"));
        assert_eq!(release(&lab.pipeline, &store, &["--batch-rows", rows]), lab.undisturbed, "{rows} rows a batch");
    }
}

/// Raw files of the corpus, in the order of their names.
fn raw_files(raw: &Path) -> Vec<PathBuf> {
    let found: Vec<PathBuf> = files(raw).into_iter().filter(|path| path.to_string_lossy().contains(".jsonl")).collect();
    assert_eq!(found.len(), 7);
    found
}

#[test]
fn names_and_order_of_files_do_not_matter() {
    let lab = lab();
    let turned = lab.folder.path().join("turned");
    fs::create_dir_all(&turned).unwrap();
    for (i, path) in raw_files(&lab.raw).iter().enumerate() {
        let name = path.file_name().unwrap().to_string_lossy();
        let format = name.split('-').next().unwrap();
        fs::copy(path, turned.join(format!("{format}-{}.log", 9 - i))).unwrap();
    }
    let pipeline = write(&lab.folder.path().join("turned.toml"), labeled(&corpus_pipeline("corpus", &turned)));
    let other = release(&pipeline, &lab.folder.path().join("turned-store"), &[]);
    assert_eq!(other.data, lab.undisturbed.data);
}

#[test]
fn five_incremental_runs_end_as_one() {
    let lab = lab();
    let growing = lab.folder.path().join("growing");
    fs::create_dir_all(&growing).unwrap();
    let pipeline = write(&lab.folder.path().join("growing.toml"), labeled(&corpus_pipeline("corpus", &growing)));
    let store = lab.folder.path().join("growing-store");
    let raw = raw_files(&lab.raw);
    // Each format has a file from the first day on: an empty glob is an error. Last names come first.
    let first: Vec<&PathBuf> = ["hh-000", "openai-002", "sharegpt-001"]
        .map(|name| raw.iter().find(|path| path.to_string_lossy().contains(name)).unwrap())
        .to_vec();
    let later: Vec<&PathBuf> = raw.iter().filter(|path| !first.contains(path)).rev().collect();
    for days in 0..=later.len() {
        let arrived = if days == 0 { first.clone() } else { vec![later[days - 1]] };
        for path in arrived {
            fs::copy(path, growing.join(path.file_name().unwrap())).unwrap();
        }
        run(&pipeline, &store, &["--until", "dedup"]).expect(0);
    }
    assert_eq!(later.len() + 1, 5, "five runs");
    assert_eq!(release(&pipeline, &store, &[]).data, lab.undisturbed.data);
}

/// Files of the newest deduped folder by name, as hashes; rows of `part` may lie in any order.
fn decided(store: &Path) -> (String, std::collections::BTreeMap<String, String>) {
    let folders: Vec<PathBuf> =
        fs::read_dir(store.join("layers/deduped")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let made = |path: &PathBuf| fs::metadata(path.join("manifest.json")).unwrap().modified().unwrap();
    let newest = folders.into_iter().max_by_key(made).unwrap();
    let tables = ["decisions.parquet", "edges.parquet"].map(|name| (name.to_owned(), sha256(&newest.join(name))));
    (newest.file_name().unwrap().to_string_lossy().into_owned(), tables.into())
}

/// Folders of a layer, with the time at which each was written.
fn written(store: &Path, layer: &str) -> std::collections::BTreeMap<PathBuf, std::time::SystemTime> {
    files(&store.join("layers").join(layer))
        .into_iter()
        .map(|path| (path.clone(), fs::metadata(&path).unwrap().modified().unwrap()))
        .collect()
}

#[test]
fn six_days_decide_as_one_and_sketch_no_day_again() {
    let lab = lab();
    let days = lab.folder.path().join("days");
    corpus(&days, &["--rows", "1200", "--seed", "8", "--files", "6", "--formats", "openai"]);
    let raw: Vec<PathBuf> = files(&days).into_iter().filter(|path| path.to_string_lossy().contains(".jsonl")).collect();
    assert_eq!(raw.len(), 6);
    let arrived = lab.folder.path().join("arrived");
    fs::create_dir_all(&arrived).unwrap();
    let against = format!(
        "\n[dedup.against]\n[[dedup.against.benchmarks]]\nname = \"support-eval\"\nsources = [{{ path = {:?} }}]\n",
        fixture("evals/support-eval.jsonl").display().to_string()
    );
    let text = pipeline("days", &[(arrived.join("*"), "openai-chat")]) + &against + FROM_LOGS;
    let text = text.split("[[dataset]]\nname = \"all-preference\"").next().unwrap().to_owned();
    let job = write(&lab.folder.path().join("days.toml"), text);
    let (store, cold) = (lab.folder.path().join("days-store"), lab.folder.path().join("days-cold"));
    let mut before: [std::collections::BTreeMap<_, _>; 2] = Default::default();
    for (day, path) in raw.iter().enumerate() {
        fs::copy(path, arrived.join(path.file_name().unwrap())).unwrap();
        run(&job, &store, &["--until", "dedup"]).expect(0);
        let now = ["sketch", "overlap"].map(|layer| written(&store, layer));
        for (before, now) in before.iter().zip(&now) {
            assert!(before.iter().all(|(path, time)| now[path] == *time), "day {day} made an earlier day again");
        }
        before = now;
    }
    run(&job, &store, &[]).expect(0);
    run(&job, &cold, &[]).expect(0);
    assert_eq!(decided(&store), decided(&cold), "key, decisions and edges, byte for byte");
    assert_eq!(release_hashes(&store), release_hashes(&cold));
    let folder = store.join("layers/deduped").join(decided(&store).0);
    let kept = texts_of(&folder.join("part-00000.parquet"), "conversation_id");
    let winners = texts_of(&folder.join("decisions.parquet"), "winner");
    assert!(winners.len() > 10 && winners.is_subset(&kept), "who is dropped has a winner that is kept");
}

#[test]
fn the_label_path_does_not_depend_on_threads_and_batches_either() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = root().join("pipelines/quickstart.toml");
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    run(&pipeline, &one, &["--threads", "2"]).expect(0);
    run(&pipeline, &two, &["--threads", "1", "--batch-rows", "77"]).expect(0);
    assert_eq!(release_hashes(&one), release_hashes(&two));
}
