//! One conversation for all formats: who called, from where, with how many tokens, with what media.

use std::fs;
use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float32Type, UInt64Type};

use super::help::*;

/// No mail address, no number: nothing that a detector would find.
const USER: &str = "quince-tapir-otter";

/// The same person in logs of many formats.
fn logs(folder: &Path) -> Vec<(std::path::PathBuf, &'static str)> {
    let asked = r#"[{"role":"user","content":"Where is the order that I made last week?"}]"#;
    let answer = r#"{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"On its way."}}],"usage":{"prompt_tokens":11,"completion_tokens":4}}"#;
    let image = r#"[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,aGVsbG8="}}]}]"#;
    let lines = [
        (
            "chat",
            "openai-chat",
            format!(r#"{{"messages":{image},"user":"{USER}","metadata":{{"surface":"web","note":"{USER} again"}}}}"#),
        ),
        (
            "exchange",
            "openai-exchange",
            format!(r#"{{"request":{{"messages":{asked},"user":"{USER}"}},"response":{answer}}}"#),
        ),
        (
            "anthropic",
            "anthropic",
            format!(
                r#"{{"request":{{"system":"s","messages":{asked},"metadata":{{"user_id":"{USER}"}}}},"response":{{"type":"message","role":"assistant","content":[{{"type":"text","text":"Soon."}}],"usage":{{"input_tokens":9,"cache_read_input_tokens":2,"output_tokens":4}}}}}}"#
            ),
        ),
        (
            "litellm",
            "litellm",
            format!(
                r#"{{"id":"1","call_type":"acompletion","startTime":1.5,"messages":{asked},"response":{answer},"end_user":"{USER}","metadata":{{"user_api_key_end_user_id":"{USER}"}},"prompt_tokens":11,"completion_tokens":4}}"#
            ),
        ),
        (
            "langfuse",
            "langfuse",
            format!(
                r#"{{"id":"o","trace_id":"t","type":"GENERATION","environment":"production","user_id":"{USER}","input":{asked},"output":"Soon.","usage_details":{{"input":11,"output":4}}}}"#
            ),
        ),
        (
            "otel",
            "otel",
            format!(
                r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"desk"}}}}]}},"scopeSpans":[{{"spans":[{{"spanId":"s","attributes":[{{"key":"gen_ai.prompt","value":{{"stringValue":"Where is it, and when will it come?"}}}},{{"key":"user.id","value":{{"stringValue":"{USER}"}}}},{{"key":"gen_ai.usage.input_tokens","value":{{"intValue":"11"}}}},{{"key":"gen_ai.usage.output_tokens","value":{{"intValue":"4"}}}}]}}]}}]}}]}}"#
            ),
        ),
        (
            "wildchat",
            "wildchat",
            format!(
                r#"{{"conversation_hash":"h","model":"m","conversation":[{{"role":"user","content":"Where is that shop?","hashed_ip":"{USER}"}}]}}"#
            ),
        ),
    ];
    lines.map(|(name, format, line)| (write(&folder.join(format!("{name}.jsonl")), line + "\n"), format)).to_vec()
}

fn rows(store: &Path, layer: &str) -> Vec<RecordBatch> {
    let parts = files(&store.join("layers").join(layer));
    parts
        .iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "parquet"))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("part")))
        .flat_map(|path| parquet(path).1)
        .collect()
}

/// A column of all rows as text, nulls as `-`, sorted.
fn column(rows: &[RecordBatch], name: &str) -> Vec<String> {
    let texts = |batch: &RecordBatch| {
        let column =
            arrow::compute::cast(batch.column_by_name(name).unwrap(), &arrow::datatypes::DataType::Utf8).unwrap();
        column.as_string::<i32>().iter().map(|text| text.unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };
    let mut all: Vec<String> = rows.iter().flat_map(texts).collect();
    all.sort();
    all
}

#[test]
fn one_person_has_one_key_in_all_formats_and_their_id_is_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut sources = pipeline("who", &logs(folder.path()));
    let table = write(&folder.path().join("table.csv"), format!("customer,app,q,a\n{USER},kiosk,Where is it?,Here.\n"));
    let mapped = format!(
        "    {{ path = {:?}, mapping = {{ user = \"customer\", surface = \"app\", turns = [{{ role = \"user\", content = \"q\" }}, {{ role = \"assistant\", content = \"a\" }}] }} }},\n",
        table.display().to_string()
    );
    sources = sources.replacen("sources = [\n", &format!("sources = [\n{mapped}"), 1);
    let pipeline = write(&folder.path().join("who.toml"), sources);
    let ran = Ran::of(machine(&pipeline, &store).args(["--json", "--until", "dedup"]).output().unwrap()).expect(0);
    let rows = rows(&store, "redacted");
    let keys = column(&rows, "user_key");
    assert_eq!(keys.len(), 8);
    assert!(keys.iter().all(|key| *key == keys[0] && key.len() == 32), "{keys:?}");
    assert_eq!(column(&rows, "surface"), ["-", "-", "-", "acompletion", "desk", "kiosk", "production", "web"]);
    assert_eq!(column(&rows, "input_tokens"), ["-", "-", "-", "11", "11", "11", "11", "11"]);
    assert_eq!(column(&rows, "output_tokens"), ["-", "-", "-", "4", "4", "4", "4", "4"]);
    let mut texts = readable(&store);
    texts.push(("stdout".into(), ran.out.into_bytes()));
    texts.push(("stderr".into(), ran.err.into_bytes()));
    assert_absent(&[USER.to_owned()], &texts);
}

#[test]
fn tokens_scripts_and_callers_choose_what_goes_into_a_dataset() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let asked = |user: &str, text: &str| {
        format!(
            r#"{{"messages":[{{"role":"user","content":"{text}"}},{{"role":"assistant","content":"hello world"}}],"user":"{user}"}}"#
        ) + "\n"
    };
    let lines: String =
        (0..40).map(|n| asked(&format!("u{n}"), &format!("Number {n}, please, and what is it?"))).collect();
    let more = asked("x", "Где мой заказ номер семь") + &asked("x", "hi") + &lines;
    let source = write(&folder.path().join("chats.jsonl"), more);
    let config = pipeline("tokens", &[(source, "openai-chat")])
        + "\n[[dataset]]\nname = \"long\"\nkind = \"sft\"\nfrom = \"logs\"\ntest_share = 0.2\n\
           where = \"script = 'Latn' and model_tokens > 6 and user_key is not null and language_confidence > 0.5\"\n";
    let at = |tokenizer: &str| {
        let text = config.replacen("[ingest]\n", &format!("[ingest]\n{tokenizer}"), 1);
        write(&folder.path().join("tokens.toml"), text)
    };
    let outcome = run_json(&at("tokenizer = \"o200k_base\"\n"), &store, &[]);
    assert_eq!(stage(&outcome, "dataset")["kept"], 40, "{outcome}");
    let found = rows(&store, "deduped");
    let tokens: Vec<u64> = found
        .iter()
        .flat_map(|batch| batch.column_by_name("model_tokens").unwrap().as_primitive::<UInt64Type>().values().to_vec())
        .collect();
    // `hi` and `hello world`: 1 + 2.
    assert_eq!((tokens.len(), tokens.iter().min()), (42, Some(&3)));
    let sure = found[0].column_by_name("language_confidence").unwrap().as_primitive::<Float32Type>();
    assert!(sure.iter().flatten().all(|sure| (0.0..=1.0).contains(&sure)));
    assert!(column(&found, "script").contains(&"Cyrl".to_owned()));
    let manifest =
        files(&store.join("layers/redacted")).into_iter().find(|path| path.ends_with("manifest.json")).unwrap();
    assert!(fs::read_to_string(manifest).unwrap().contains("\"tokenizer\": \"o200k_base\""));

    // Another tokenizer, or none, is another layer.
    let other = run_json(&at(""), &folder.path().join("none"), &["--until", "redact"]);
    assert_eq!(stage(&other, "ingest")["cached"], false);
    assert!(column(&rows(&folder.path().join("none"), "redacted"), "model_tokens").iter().all(|count| count == "-"));
    let again = run_json(&at("tokenizer = \"cl100k_base\"\n"), &store, &["--until", "redact"]);
    assert_eq!(stage(&again, "ingest")["cached"], false);
    run(&at("tokenizer = \"p50k\"\n"), &store, &[]).expect(2).tells(&["tokens.toml:7", "p50k", "o200k_base"]);
}
