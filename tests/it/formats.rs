//! Every format that gristmill reads: its example pipeline over its synthetic fixture, and what
//! comes out of it, row by row.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use serde_json::Value;

use super::help::*;

/// The pipelines under `pipelines/examples`, by name.
fn examples() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("pipelines/examples"))
        .expect("examples")
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn text<'b>(batch: &'b RecordBatch, name: &str, row: usize) -> Option<&'b str> {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}")).as_string::<i32>();
    column.is_valid(row).then(|| column.value(row))
}

/// What a layer holds of a source, for people: places, facts, messages.
fn canonical(store: &Path, books: &Value) -> String {
    let mut page = format!("rejected {}\n", books["rejected"]);
    for file in files(&store.join("layers/redacted")) {
        if !file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("part")) {
            continue;
        }
        for batch in parquet(&file).1 {
            for row in 0..batch.num_rows() {
                conversation(&batch, row, &mut page);
            }
        }
    }
    page
}

fn conversation(batch: &RecordBatch, row: usize, page: &mut String) {
    let number = |name: &str| {
        let column = arrow::compute::cast(batch.column_by_name(name).unwrap(), &arrow::datatypes::DataType::Utf8);
        let column = column.unwrap();
        if column.is_valid(row) { column.as_string::<i32>().value(row).to_owned() } else { "-".to_owned() }
    };
    writeln!(
        page,
        "\nline {} element {} bytes {}..{}",
        number("line"),
        number("element"),
        number("start_byte"),
        number("end_byte")
    )
    .unwrap();
    for name in ["model", "external_id", "preference", "language", "script", "user_key", "surface", "tools", "metadata"]
    {
        if let Some(value) = text(batch, name, row) {
            writeln!(page, "  {name} {value}").unwrap();
        }
    }
    for name in ["created_at", "input_tokens", "output_tokens"] {
        if number(name) != "-" {
            writeln!(page, "  {name} {}", number(name)).unwrap();
        }
    }
    let messages = batch.column_by_name("messages").unwrap().as_list::<i32>().value(row);
    let messages = messages.as_struct();
    for i in 0..messages.len() {
        let field = |name: &str| {
            let column = messages.column_by_name(name).unwrap().as_string::<i32>();
            column.is_valid(i).then(|| column.value(i).to_owned())
        };
        let more: String = ["name", "tool_call_id", "tool_calls"]
            .iter()
            .filter_map(|name| field(name).map(|value| format!(" {name}={value}")))
            .collect();
        writeln!(page, "    {}{more}: {:?}", field("role").unwrap(), field("content").unwrap()).unwrap();
    }
}

#[test]
fn every_format_is_read_as_its_example_says() {
    let names = examples();
    assert!(!names.is_empty(), "no examples");
    for name in names {
        let folder = tempfile::tempdir().unwrap();
        let pipeline = root().join(format!("pipelines/examples/{name}.toml"));
        let outcome = run_json(&pipeline, folder.path(), &["--until", "redact"]);
        let books = stage(&outcome, "ingest");
        let rejected: u64 = counts(&books["rejected"]).values().sum();
        let answered = books["kept"].as_u64().zip(books["folded"].as_u64()).map(|(kept, folded)| kept + folded);
        assert_eq!(books["records_read"].as_u64(), answered.map(|answered| answered + rejected), "{name}");
        insta::assert_snapshot!(format!("format-{name}"), canonical(folder.path(), books));
        verify(folder.path());
    }
}

#[test]
fn inspect_says_what_a_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    let call = r#"{"request":{"method":"GET","url":"https://x.example/"},"response":{"status":200,"content":{}}}"#;
    for (name, text, holds, format) in [
        ("texts.jsonl", "\"Where is the atlas?\"\n\"Sing.\"\n{}\n".to_owned(), "texts", None),
        ("texts.json", r#"["Where is the atlas?","Sing."]"#.to_owned(), "texts", None),
        (
            "seeds.json",
            r#"[{"user_message_id":"b","parent_message_id":"a","role":"assistant","text":"yes"}]"#.to_owned(),
            "parts",
            Some("oasst"),
        ),
        ("pages.har", format!(r#"{{"log":{{"entries":[{call}]}}}}"#), "no_conversations", None),
    ] {
        let file = write(&folder.path().join(name), text);
        let told = gristmill(["sources", "inspect", file.to_str().unwrap(), "--json"]).expect(0).json();
        assert_eq!((told["holds"].as_str(), told["format"].as_str()), (Some(holds), format), "{name}");
        assert!(told["mapping"].is_null(), "{name}");
    }
    let file = fixture("formats/transcript.jsonl");
    let told = gristmill(["sources", "inspect", file.to_str().unwrap(), "--json"]).expect(0).json();
    let mapping = serde_json::json!({"transcript": "shown.dialogue"});
    assert_eq!((&told["mapping"], &told["holds"]), (&mapping, &"conversations".into()));
}

#[test]
fn texts_are_read_as_prompts_where_a_mapping_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let raw = write(&folder.path().join("raw.jsonl"), "\"Where is the atlas?\"\n\" \"\n");
    let source = "{ path = \"raw.jsonl\", mapping = { turns = [{ role = \"user\", content = \"$\" }] } }";
    let toml = pipeline("prompts", &[]).replace("sources = [\n]", &format!("sources = [{source}]"));
    assert!(raw.exists() && toml.contains("turns"), "{toml}");
    let file = write(&folder.path().join("p.toml"), toml);
    let outcome = run_json(&file, &folder.path().join("store"), &["--until", "redact"]);
    let books = stage(&outcome, "ingest");
    assert_eq!((&books["kept"], &books["rejected"]), (&1.into(), &serde_json::json!({"no_messages": 1})));
}
