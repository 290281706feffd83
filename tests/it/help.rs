//! What the tests share: running the programs, small pipelines, looking into a store.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use arrow::array::{Array, ArrayData, ArrayRef, AsArray, ListArray, StringArray};
use arrow::datatypes::{DataType, Field, Float32Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use sha2::{Digest, Sha256};

pub const GRISTMILL: &str = env!("CARGO_BIN_EXE_gristmill");
pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

pub fn root() -> &'static Path {
    Path::new(ROOT)
}

pub fn fixture(name: &str) -> PathBuf {
    root().join("fixtures").join(name)
}

/// An ended program.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    pub fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "exit code; stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// One line on stderr that has all of `parts` in it.
    pub fn tells(&self, parts: &[&str]) {
        assert_eq!(self.err.lines().count(), 1, "one message, not:\n{}", self.err);
        for part in parts {
            assert!(self.err.contains(part), "{part:?} is not named in: {}", self.err);
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|err| panic!("{err}: {}", self.out))
    }
}

/// The program, without a key in its environment and without input.
pub fn command() -> Command {
    let mut command = Command::new(GRISTMILL);
    command.env_remove("GRISTMILL_KEY").stdin(Stdio::null());
    command
}

pub fn gristmill<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    Ran::of(command().args(args).output().expect("gristmill starts"))
}

pub fn run(pipeline: &Path, store: &Path, more: &[&str]) -> Ran {
    Ran::of(run_command(pipeline, store).args(more).output().expect("gristmill starts"))
}

/// A run that tells nobody its progress.
pub fn run_command(pipeline: &Path, store: &Path) -> Command {
    let mut command = machine(pipeline, store);
    command.args(["--log-format", "text"]);
    command
}

/// A run as a scheduled job starts it: stderr is no terminal, so progress is JSON lines.
pub fn machine(pipeline: &Path, store: &Path) -> Command {
    let mut command = command();
    command.arg("run").arg(pipeline).arg("--store").arg(store);
    command
}

pub fn run_json(pipeline: &Path, store: &Path, more: &[&str]) -> Value {
    run(pipeline, store, &[&["--json"], more].concat()).expect(0).json()
}

/// One stage of what `run --json` says.
pub fn stage<'a>(outcome: &'a Value, name: &str) -> &'a Value {
    let stages = outcome["stages"].as_array().expect("stages");
    stages.iter().find(|stage| stage["stage"] == name).unwrap_or_else(|| panic!("no stage {name}"))
}

/// Counts by name, as the program writes them.
pub fn counts(value: &Value) -> BTreeMap<String, u64> {
    let entries = value.as_object().expect("an object of counts");
    entries.iter().map(|(name, n)| (name.clone(), n.as_u64().expect("a count"))).collect()
}

/// `datasets verify` finds nothing.
pub fn verify(store: &Path) {
    let verified = gristmill(["datasets", "verify", "--json", "--store", store.to_str().unwrap()]).expect(0).json();
    assert_eq!(verified["problems"], serde_json::json!([]));
}

/// Runs the corpus maker.
pub fn corpus(folder: &Path, args: &[&str]) {
    let made = Command::new(env!("CARGO_BIN_EXE_corpus")).args(args).arg("--out").arg(folder).output();
    let made = made.expect("corpus starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

pub fn write(path: &Path, text: impl AsRef<[u8]>) -> PathBuf {
    fs::write(path, text).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    path.to_path_buf()
}

/// The head of a test pipeline: name, seed, key, sources. More sections may follow.
pub fn pipeline(name: &str, sources: &[(PathBuf, &str)]) -> String {
    let line = |(path, format): &(PathBuf, &str)| {
        let format = if format.is_empty() { String::new() } else { format!(", format = {format:?}") };
        format!("    {{ path = {:?}{format} }},\n", path.display().to_string())
    };
    let sources: String = sources.iter().map(line).collect();
    let key = fixture("demo.key");
    format!(
        "[pipeline]\nname = {name:?}\nseed = 11\nkey_file = {:?}\n\n[ingest]\nsources = [\n{sources}]\n",
        key.display().to_string()
    )
}

/// Sections that publish everything the logs hold.
pub const FROM_LOGS: &str = r#"
[[dataset]]
name = "all-sft"
kind = "sft"
from = "logs"

[[dataset]]
name = "all-preference"
kind = "preference"
from = "logs"
test_share = 0.2
"#;

/// A pipeline over a folder that the corpus maker filled.
pub fn corpus_pipeline(name: &str, folder: &Path) -> String {
    let of = |part: &str| folder.join(format!("{part}-*"));
    let sources = [(of("openai"), "openai-chat"), (of("sharegpt"), "sharegpt"), (of("hh"), "hh")];
    pipeline(name, &sources) + FROM_LOGS
}

/// Every file below a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// SHA-256 of every file below `store/datasets`, by its path there; never empty.
pub fn release_hashes(store: &Path) -> BTreeMap<String, String> {
    let below = store.join("datasets");
    let hashes: BTreeMap<String, String> =
        files(&below).iter().map(|path| (relative(path, &below), sha256(path))).collect();
    assert!(!hashes.is_empty(), "{} has no releases; comparing them would show nothing", store.display());
    hashes
}

pub fn relative(path: &Path, below: &Path) -> String {
    path.strip_prefix(below).expect("a path below").display().to_string()
}

pub fn sha256(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn log_entries(store: &Path) -> usize {
    files(&store.join("log")).len()
}

/// A file's schema and rows.
pub fn parquet(path: &Path) -> (SchemaRef, Vec<RecordBatch>) {
    let file = File::open(path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    let schema = reader.schema().clone();
    let batches = reader.build().and_then(|rows| Ok(rows.collect::<Result<Vec<_>, _>>()?));
    (schema, batches.unwrap_or_else(|err| panic!("{}: {err}", path.display())))
}

/// Values of a text column that are there.
pub fn texts_of(file: &Path, column: &str) -> BTreeSet<String> {
    let batches = parquet(file).1;
    let values = batches.iter().flat_map(|batch| batch.column_by_name(column).unwrap().as_string::<i32>());
    values.flatten().map(str::to_owned).collect()
}

/// Writes vectors as users bring them: ids, and lists of 32 bit floats.
pub fn vectors(path: &Path, rows: &[(String, Vec<f64>)]) -> PathBuf {
    let numbers = |row: &(String, Vec<f64>)| Some(row.1.iter().map(|x| Some(*x as f32)).collect::<Vec<_>>());
    let lists = ListArray::from_iter_primitive::<Float32Type, _, _>(rows.iter().map(numbers));
    let ids = StringArray::from_iter_values(rows.iter().map(|row| &row.0));
    table(path, vec![("id", Arc::new(ids)), ("vector", Arc::new(lists))])
}

/// Writes a Parquet file of these columns.
pub fn table(path: &Path, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    let fields = columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batch = RecordBatch::try_new(schema.clone(), columns.into_iter().map(|(_, column)| column).collect()).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path.to_path_buf()
}

/// Everything readable in a store: each file's bytes, and what Parquet files hold decoded.
pub fn readable(store: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut texts = Vec::new();
    for path in files(store) {
        let mut bytes = fs::read(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
        if path.extension().is_some_and(|ending| ending == "parquet") {
            for batch in parquet(&path).1 {
                batch.columns().iter().for_each(|column| text(&column.to_data(), &mut bytes));
            }
        }
        texts.push((path, bytes));
    }
    texts
}

/// Appends the values of every string column, nested ones too.
fn text(data: &ArrayData, out: &mut Vec<u8>) {
    match data.data_type() {
        DataType::Utf8 | DataType::Binary | DataType::LargeUtf8 | DataType::LargeBinary => {
            out.extend_from_slice(data.buffers()[1].as_slice());
            out.push(b'\n');
        }
        DataType::Utf8View | DataType::BinaryView => panic!("views are not searched; teach this function"),
        _ => data.child_data().iter().for_each(|child| text(child, out)),
    }
}

/// Asserts that none of `needles` can be read in any of `texts`; names the place, not the needle.
pub fn assert_absent(needles: &[String], texts: &[(PathBuf, Vec<u8>)]) {
    assert!(!needles.is_empty() && !texts.is_empty(), "nothing to look for, or nowhere");
    let finder = aho_corasick::AhoCorasick::new(needles).expect("needles");
    for (place, bytes) in texts {
        if let Some(found) = finder.find(bytes) {
            panic!(
                "{}: holds needle {} raw: {}",
                place.display(),
                found.pattern().as_usize(),
                needles[found.pattern()]
            );
        }
    }
}
