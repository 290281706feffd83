//! `gristmill run pipelines/quickstart.toml`: what a stranger runs first, and what it promises.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use arrow::array::AsArray;
use gristmill::lineage::trace::{Options, trace};
use gristmill::record::ProjectKey;
use gristmill::store::Store;
use serde_json::Value;
use tempfile::TempDir;

use super::help::*;

/// One run that all tests here look at.
struct Shown {
    _folder: TempDir,
    pipeline: PathBuf,
    store: PathBuf,
    first: Ran,
}

fn shown() -> &'static Shown {
    static SHOWN: OnceLock<Shown> = OnceLock::new();
    SHOWN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let (pipeline, store) = (root().join("pipelines/quickstart.toml"), folder.path().join("store"));
        let first = Ran::of(machine(&pipeline, &store).arg("--json").output().expect("gristmill starts")).expect(0);
        Shown { _folder: folder, pipeline, store, first }
    })
}

#[test]
fn it_ends_with_these_numbers() {
    let shown = shown();
    let mut outcome = shown.first.json();
    assert_eq!(outcome["releases"].as_array().map(Vec::len), Some(2), "two releases");
    outcome["run_id"] = "<run>".into();
    for stage in outcome["stages"].as_array_mut().unwrap() {
        stage["seconds"] = 0.into();
    }
    for release in outcome["releases"].as_array_mut().unwrap() {
        // It holds absolute paths of sources.
        release["manifest_sha256"] = "<sha256>".into();
    }
    let text = serde_json::to_string_pretty(&sorted(outcome)).unwrap();
    let text = text.replace(&shown.store.display().to_string(), "<store>").replace(ROOT, "<root>");
    insta::assert_snapshot!("quickstart", text);
}

/// Keys in byte order, which `serde_json` keeps only as long as no dependency asks for another.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries: BTreeMap<String, Value> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[test]
fn a_second_run_finds_everything_done() {
    let folder = tempfile::tempdir().unwrap();
    let (pipeline, store) = (root().join("pipelines/quickstart.toml"), folder.path().join("store"));
    let first = run_json(&pipeline, &store, &[]);
    let entries = log_entries(&store);
    let second = run_json(&pipeline, &store, &[]);
    for stage in second["stages"].as_array().unwrap() {
        assert_eq!(stage["cached"], true, "{}", stage["stage"]);
    }
    assert_eq!(log_entries(&store), entries, "nothing was committed");
    assert_eq!(ids(&first), ids(&second));
    assert!(second["releases"].as_array().unwrap().iter().all(|release| release["new"] == false));
}

fn ids(outcome: &Value) -> Vec<(String, u64, String)> {
    let releases = outcome["releases"].as_array().unwrap();
    assert_eq!(releases.len(), 2, "two releases");
    let one = |release: &Value| {
        let text = |key: &str| release[key].as_str().unwrap().to_owned();
        (text("dataset"), release["version"].as_u64().unwrap(), text("manifest_sha256"))
    };
    releases.iter().map(one).collect()
}

#[test]
fn what_it_published_verifies() {
    verify(&shown().store);
}

#[test]
fn the_books_of_every_manifest_balance() {
    let mut seen = BTreeSet::new();
    for path in files(&shown().store).iter().filter(|path| path.ends_with("manifest.json")) {
        let manifest: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let books = &manifest["books"];
        let sum = |key: &str| counts(&books[key]).values().sum::<u64>();
        let answered =
            books["kept"].as_u64().unwrap() + books["folded"].as_u64().unwrap() + sum("dropped") + sum("rejected");
        assert_eq!(books["records_read"].as_u64().unwrap(), answered, "{}", path.display());
        seen.insert(relative(path, &shown().store).split('/').take(2).collect::<Vec<_>>().join("/"));
    }
    let layers = ["deduped", "labeled", "redacted", "sampled"].map(|layer| format!("layers/{layer}"));
    assert!(layers.iter().all(|layer| seen.contains(layer)), "manifests of {seen:?} only");
}

/// Row ids of all data files of a store, by dataset.
fn row_ids(store: &Path) -> BTreeMap<String, Vec<String>> {
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files(&store.join("datasets")) {
        let dataset = relative(&path, &store.join("datasets")).split('/').next().unwrap().to_owned();
        for batch in parquet(&path).1 {
            ids.entry(dataset.clone())
                .or_default()
                .extend(batch.column(0).as_string::<i32>().iter().flatten().map(str::to_owned));
        }
    }
    ids
}

#[test]
fn every_row_leads_to_raw_bytes_with_the_recorded_hash() {
    let shown = shown();
    let secret = fs::read_to_string(fixture("demo.key")).unwrap();
    let store = Store::read(&shown.store).unwrap();
    let mut sources = BTreeMap::new();
    let ids = row_ids(&shown.store);
    assert_eq!(ids.keys().collect::<Vec<_>>(), ["support-preference", "support-sft"]);
    for (dataset, id) in ids.iter().flat_map(|(dataset, ids)| ids.iter().map(move |id| (dataset, id))) {
        let options = Options { key: ProjectKey::from_secret(&secret), verify_source: true };
        let traced = serde_json::to_value(trace(&store, id, options).unwrap()).unwrap();
        let releases = traced["releases"].as_array().unwrap();
        assert!(releases.iter().any(|release| release["dataset"] == dataset.as_str()), "{id} stands in {dataset}");
        let records = traced["records"].as_array().unwrap();
        assert!(
            records.len() >= if dataset == "support-preference" { 2 } else { 1 },
            "{id}: {} records",
            records.len()
        );
        for record in records {
            assert_eq!(record["source_ok"], true, "{id}: {}", record["source_problem"]);
            is_whole_record(record, &mut sources);
        }
    }
}

/// The named range is one line of its file, or one element of its array, and that line has the
/// number the trace says. Reads the file without the library.
fn is_whole_record(record: &Value, sources: &mut BTreeMap<String, Vec<u8>>) {
    let source = record["source"].as_str().unwrap();
    let bytes = sources.entry(source.to_owned()).or_insert_with(|| raw(Path::new(source)));
    let at = |key: &str| record[key].as_u64().unwrap() as usize;
    let (start, end) = (at("start_byte"), at("end_byte"));
    let value: Value = serde_json::from_slice(&bytes[start..end]).unwrap_or_else(|err| panic!("{source}: {err}"));
    assert!(value.is_object(), "{source}: bytes {start}..{end} are no record");
    assert_eq!(bytes[..start].iter().filter(|byte| **byte == b'\n').count() + 1, at("line"), "{source}");
}

fn raw(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
    plain
}

#[test]
fn trace_on_the_command_line_checks_the_source() {
    let shown = shown();
    for ids in row_ids(&shown.store).values() {
        let (store, pipeline) = (shown.store.to_str().unwrap(), shown.pipeline.to_str().unwrap());
        let traced =
            gristmill(["trace", &ids[0], "--store", store, "--pipeline", pipeline, "--verify-source", "--json"])
                .expect(0)
                .json();
        assert!(traced["records"].as_array().unwrap().iter().all(|record| record["source_ok"] == true));
        assert!(!traced["tasks"].as_array().unwrap().is_empty(), "a labeled row has a task");
        assert!(traced["tasks"][0]["verdict"]["annotation_ids"].as_array().is_some_and(|ids| !ids.is_empty()));
    }
}

/// Values of the fixtures, spelled as there; `fixtures/README.md` lists what they can be.
fn planted() -> Vec<String> {
    let kinds = [
        r"(?i)[a-z0-9._%+-]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.(com|org|net)",
        r"\(?202\)?[ -]555-01\d\d|\(?303[).]+ ?555[.-]01\d\d",
        r"\+44 20 7946 0\d\d\d|\+49 30 23125 ?\d{3}",
        r"203\.0\.113\.\d+|198\.51\.100\.\d+|2001:db8:[0-9a-f:]*[0-9a-f]",
        r"4242[ -]?4242[ -]?4242[ -]?4242|5555[ -]?5555[ -]?5555[ -]?4444|3782[ -]?822463[ -]?10005",
        r"DE89 ?3704 ?0044 ?0532 ?0130 ?00|GB82 ?WEST ?1234 ?5698 ?7654 ?32",
        r"219-09-9999|078-05-1120",
    ];
    let texts: Vec<String> =
        files(&fixture("raw")).iter().map(|path| String::from_utf8_lossy(&raw(path)).into_owned()).collect();
    let mut values = BTreeSet::new();
    for kind in kinds {
        let pattern = regex::Regex::new(kind).unwrap();
        let before = values.len();
        values.extend(texts.iter().flat_map(|text| pattern.find_iter(text)).map(|found| found.as_str().to_owned()));
        assert!(values.len() > before, "the fixtures hold nothing like {kind}");
    }
    values.into_iter().collect()
}

#[test]
fn no_personal_data_is_in_the_store_or_in_what_was_said() {
    let shown = shown();
    let mut texts = readable(&shown.store);
    texts.push(("stdout".into(), shown.first.out.clone().into_bytes()));
    texts.push(("stderr".into(), shown.first.err.clone().into_bytes()));
    let people = run(&shown.pipeline, &shown.store, &[]).expect(0);
    texts.push(("stdout for people".into(), people.out.into_bytes()));
    let values = planted();
    assert!(values.len() > 60, "only {} planted values were found in the fixtures", values.len());
    assert_absent(&values, &texts);
}

#[test]
fn the_search_for_personal_data_sees_inside_parquet() {
    let everything: usize = readable(&shown().store.join("datasets")).iter().map(|(_, bytes)| bytes.len()).sum();
    let compressed: u64 =
        files(&shown().store.join("datasets")).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(everything as u64 > 2 * compressed, "decoded strings were searched too");
    let texts = readable(&shown().store);
    assert!(
        texts.iter().any(|(_, bytes)| memchr::memmem::find(bytes, b"[EMAIL:").is_some()),
        "pseudonyms are readable"
    );
}
