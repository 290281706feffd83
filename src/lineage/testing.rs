//! A store of a few rows, for tests: two sources, a duplicate, a task with a verdict, a release.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Array, Float64Array, ListArray, ListBuilder, RecordBatch, StringArray, StringBuilder, UInt32Array,
    UInt64Array, new_empty_array, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, SchemaRef};
use serde_json::{Value, json};

use crate::layer::tables::Table;
use crate::layer::{Deduped, Labeled, Labels, Layer, Redacted, Sampled};
use crate::record::record_id;
use crate::record::{Place, ProjectKey};
use crate::store::log::Event;
use crate::store::parquet::{TableWriter, file_info};
use crate::store::release::{Column, ReleaseManifest};
use crate::store::{Books, FileInfo, Manifest, Store};

pub struct Lab {
    pub folder: tempfile::TempDir,
    pub key: ProjectKey,
    /// Of the three records below, in their order.
    pub records: Vec<String>,
}

/// Two lines of the first source; the second source is compressed and repeats the first line
/// behind one that says nothing.
const FIRST: &[u8] = b"{\"raw\":\"one\"}\n{\"raw\":\"two\"}\n";
const SECOND: &[u8] = b"\n{\"raw\":\"one\"}\n";
pub const ONE: &str = "c0000000000000000000000000000001";
pub const TWO: &str = "c0000000000000000000000000000002";
pub const ROW: &str = "e0000000000000000000000000000001";
pub const TASK: &str = "t0000000000000000000000000000001";

impl Lab {
    pub fn new() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let key = ProjectKey::from_secret("a secret for the tests").unwrap();
        let mut lab = Lab { folder, key, records: Vec::new() };
        fs::write(lab.raw("a.jsonl"), FIRST).unwrap();
        let mut gz =
            flate2::write::GzEncoder::new(fs::File::create(lab.raw("b.jsonl.gz")).unwrap(), Default::default());
        gz.write_all(SECOND).unwrap();
        gz.finish().unwrap();
        let mut store = Store::open(&lab.root()).unwrap();
        let a = vec![lab.redacted("source-a", 0, 13, 1, ONE), lab.redacted("source-a", 14, 27, 2, TWO)];
        let b = vec![lab.redacted("source-b", 1, 14, 2, ONE)];
        lab.source(&mut store, "ra", "source-a", "a.jsonl", a.clone());
        lab.source(&mut store, "rb", "source-b", "b.jsonl.gz", b.clone());
        lab.records = a.iter().chain(&b).map(|row| row["record_id"].as_str().unwrap().to_owned()).collect();
        lab.deduped(&mut store);
        lab.labels(&mut store);
        lab.release(&mut store, &a[0]);
        lab
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub fn raw(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn redacted(&self, source: &str, start: u64, end: u64, line: u64, conversation: &str) -> Value {
        let place = Place { start_byte: start, end_byte: end, line, element: 0 };
        let bytes = if source == "source-a" { FIRST } else { SECOND };
        json!({
            "record_id": record_id(&self.key, source, place).to_string(), "conversation_id": conversation,
            "source_id": source, "start_byte": start, "end_byte": end, "line": line, "element": 0,
            "record_hash": self.key.id("record", &bytes[start as usize..end as usize]).to_string(),
        })
    }

    fn source(&self, store: &mut Store, key: &str, id: &str, file: &str, rows: Vec<Value>) {
        let found = json!({
            "record_id": rows[0]["record_id"], "conversation_id": rows[0]["conversation_id"],
            "type": "email", "rule": "email", "rule_version": 2,
        });
        let settings = json!({"path": self.raw(file).display().to_string()});
        let tables = [
            ("part-00000", Redacted::schema(), rows),
            ("findings-00000", Table::Findings.schema(), vec![found.clone(), found]),
        ];
        layer::<Redacted>(store, key, id, settings, "ingest", &tables);
    }

    fn deduped(&self, store: &mut Store) {
        let kept = [(&self.records[0], ONE), (&self.records[1], TWO)];
        let kept =
            kept.map(|(record, conversation)| json!({"record_id": record, "conversation_id": conversation})).to_vec();
        let gone = json!({
            "record_id": self.records[2], "conversation_id": ONE, "fate": "exact_duplicate", "winner": ONE, "rule": "same canonical form",
        });
        let tables = [("part-00000", Deduped::schema(), kept), ("decisions", Table::Decisions.schema(), vec![gone])];
        layer::<Deduped>(store, "d1", "ra", Value::Null, "dedup", &tables);
    }

    fn labels(&self, store: &mut Store) {
        let task = json!({
            "task_id": TASK, "batch_id": "b1", "task_type": "rate", "rubric": "helpful", "rubric_version": "1.2", "stratum": "en",
            "inclusion_probability": 0.25, "record_ids": [self.records[0]], "conversation_ids": [ONE],
        });
        layer::<Sampled>(store, "s1", "d1", Value::Null, "sample", &[("part-00000", Sampled::schema(), vec![task])]);
        let verdict = json!({
            "task_id": TASK, "outcome": "rated", "votes": 2, "mean_rating": 4.5, "annotators": ["p1", "p2"], "annotation_ids": ["a1", "a2"],
        });
        layer::<Labeled>(store, "l1", "s1", Value::Null, "label", &[("part-00000", Labeled::schema(), vec![verdict])]);
        let staged = store.stage("batches/b2").unwrap();
        let task = json!({
            "task_id": "t2", "batch_id": "b2", "task_type": "rate", "rubric": "helpful", "rubric_version": "1.2", "stratum": "de",
            "inclusion_probability": 1.0, "prompt": [], "responses": [{"conversation_id": TWO, "messages": []}],
        });
        fs::write(staged.staging.join("tasks.jsonl"), format!("{task}\n")).unwrap();
        let files = vec![file_info(&staged.staging, "tasks.jsonl".to_owned(), 0, false).unwrap()];
        manifest::<Sampled>("b2", "s2", Value::Null, 1, files).write(&staged.staging).unwrap();
        store.publish(&[staged], Event::Batch { run_id: "r".into(), batch_id: "b2".into() }).unwrap();
        let staged = store.stage(format!("{}/k1", Labels::NAME)).unwrap();
        fs::write(staged.staging.join("annotations.jsonl"), b"{}\n").unwrap();
        let files = vec![file_info(&staged.staging, "annotations.jsonl".to_owned(), 1, false).unwrap()];
        manifest::<Labels>("k1", "file", Value::Null, 1, files).write(&staged.staging).unwrap();
        store.publish(&[staged], Event::Labels { labels_key: "k1".into() }).unwrap();
    }

    fn release(&self, store: &mut Store, record: &Value) {
        let (data, evidence) =
            (store.stage("datasets/chat/v0001").unwrap(), store.stage("evidence/chat/v0001").unwrap());
        fs::create_dir(data.staging.join("data")).unwrap();
        fs::create_dir(evidence.staging.join("lineage")).unwrap();
        let example = json!({"example_id": ROW, "conversation_id": ONE});
        let mut line = record.clone();
        let extra = json!({
            "row_id": ROW, "split": "train", "row": 0, "part": "example", "source": self.raw("a.jsonl").display().to_string(),
            "task_id": TASK, "batch_id": "b1", "annotation_ids": ["a1", "a2"],
        });
        line.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let files = vec![write(&data.staging, "data/train-00000-of-00001", &Table::Sft.schema(), &[example], true)];
        let evidence_files =
            vec![write(&evidence.staging, "lineage/train-00000-of-00001", &Table::Lineage.schema(), &[line], true)];
        let manifest = ReleaseManifest {
            dataset: "chat".into(),
            version: 1,
            key: "k".into(),
            kind: "sft".into(),
            pipeline: "p".into(),
            gristmill_version: "0".into(),
            rows: 1,
            splits: BTreeMap::from([("train".to_owned(), 1)]),
            files,
            evidence_files,
            inputs: Vec::new(),
            settings: Value::Null,
            books: Books { records_read: 1, kept: 1, ..Default::default() },
            counts: BTreeMap::new(),
            columns: vec![Column { name: "example_id".into(), r#type: "string".into() }],
        };
        manifest.write(&evidence.staging).unwrap();
        let event = Event::Release { run_id: "r".into(), dataset: "chat".into(), version: 1, key: "k".into() };
        store.publish(&[data, evidence], event).unwrap();
    }
}

fn manifest<L: Layer>(key: &str, input: &str, settings: Value, rows: u64, files: Vec<FileInfo>) -> Manifest {
    let books = Books { records_read: rows, kept: rows, ..Default::default() };
    let (layer, counts, inputs) = (L::NAME.to_owned(), BTreeMap::new(), vec![input.to_owned()]);
    Manifest { layer, layer_version: L::VERSION, key: key.to_owned(), inputs, settings, books, counts, files }
}

fn layer<L: Layer>(
    store: &mut Store,
    key: &str,
    input: &str,
    settings: Value,
    stage: &str,
    tables: &[(&str, SchemaRef, Vec<Value>)],
) {
    let staged = store.stage(format!("layers/{}/{key}", L::NAME)).unwrap();
    let files: Vec<FileInfo> =
        tables.iter().map(|(name, schema, rows)| write(&staged.staging, name, schema, rows, false)).collect();
    manifest::<L>(key, input, settings, files[0].rows, files).write(&staged.staging).unwrap();
    store.publish(&[staged], Event::Layers { run_id: "r".into(), stage: stage.to_owned() }).unwrap();
}

fn write(folder: &Path, name: &str, schema: &SchemaRef, rows: &[Value], sha256: bool) -> FileInfo {
    let mut writer = TableWriter::create(&folder.join(format!("{name}.parquet")), schema).unwrap();
    let columns = schema.fields().iter().map(|field| column(field, rows)).collect();
    writer.write(&RecordBatch::try_new(Arc::clone(schema), columns).unwrap()).unwrap();
    writer.finish(folder, sha256).unwrap()
}

/// What the rows do not say is null, or empty where null may not be.
fn column(field: &Field, rows: &[Value]) -> ArrayRef {
    let values = || rows.iter().map(|row| row.get(field.name()));
    let number = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or_default();
    let empty = (!field.is_nullable()).then_some("");
    match field.data_type() {
        DataType::Utf8 => {
            Arc::new(values().map(|value| value.and_then(Value::as_str).or(empty)).collect::<StringArray>())
        }
        DataType::UInt64 => Arc::new(values().map(|value| Some(number(value))).collect::<UInt64Array>()),
        DataType::UInt32 => Arc::new(values().map(|value| Some(number(value) as u32)).collect::<UInt32Array>()),
        DataType::Float32 => Arc::new(values().map(|_| Some(0.0)).collect::<Float32Array>()),
        DataType::Float64 => {
            let zero = (!field.is_nullable()).then_some(0.0);
            Arc::new(values().map(|value| value.and_then(Value::as_f64).or(zero)).collect::<Float64Array>())
        }
        DataType::List(item) if *item.data_type() == DataType::Utf8 => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for value in values() {
                let members = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
                members.for_each(|member| lists.values().append_value(member));
                lists.append(true);
            }
            Arc::new(lists.finish())
        }
        DataType::List(item) => {
            let none = OffsetBuffer::from_lengths(std::iter::repeat_n(0, rows.len()));
            Arc::new(ListArray::new(Arc::clone(item), none, new_empty_array(item.data_type()), None))
        }
        other => new_null_array(other, rows.len()),
    }
}
