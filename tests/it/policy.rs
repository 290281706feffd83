//! Policies through the whole path: what a preset says is what stands in the store, in the books
//! and in the ledger of findings.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::datatypes::UInt32Type;
use gristmill::stages::redact::{expand, mask_tokens};

use super::help::*;

const MAIL: &str = "jane.roe@corp.example";
const PHONE: &str = "(202) 456-1414";
const ADDRESS: &str = "81.2.69.142";
const CARD: &str = "4539 5787 6362 1486";

fn secret() -> String {
    expand("ghp_{b62:36}")
}

fn said() -> String {
    format!("I am {MAIL}, {PHONE}, at {ADDRESS}; card {CARD}, token {}.", secret())
}

fn chat(asked: &str, answered: &str) -> String {
    let message = |role: &str, text: &str| serde_json::json!({"role": role, "content": text});
    serde_json::json!({"messages": [message("user", asked), message("assistant", answered)]}).to_string()
}

/// A job over these records, with this policy.
fn job(folder: &Path, records: &[String], policy: &str) -> PathBuf {
    let raw = write(&folder.join("raw.jsonl"), records.join("\n"));
    write(&folder.join("job.toml"), pipeline("policy", &[(raw, "")]) + "\n" + policy)
}

/// Kind, action, and where what was written lies.
type Found = (String, String, Option<(u32, u32)>);

/// What became of records.
struct Kept {
    texts: Vec<String>,
    findings: Vec<Found>,
    books: BTreeMap<String, u64>,
}

fn tables(store: &Path, name: &str) -> Vec<arrow::record_batch::RecordBatch> {
    let named = |path: &PathBuf| path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(name));
    files(&store.join("layers/redacted")).into_iter().filter(named).flat_map(|path| parquet(&path).1).collect()
}

fn redacted(folder: &Path, records: &[String], policy: &str) -> Kept {
    let store = folder.join("store");
    let outcome = run_json(&job(folder, records, policy), &store, &["--until", "redact"]);
    let mut texts = Vec::new();
    for batch in tables(&store, "part") {
        let messages = batch.column_by_name("messages").unwrap().as_list::<i32>().values().clone();
        let contents = messages.as_struct().column_by_name("content").unwrap().as_string::<i32>().clone();
        texts.extend(contents.iter().flatten().map(str::to_owned));
    }
    let mut findings = Vec::new();
    for batch in tables(&store, "findings") {
        let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        let number = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<UInt32Type>().clone();
        let (kinds, actions) = (text("type"), text("action"));
        let (starts, ends) = (number("output_start_byte"), number("output_end_byte"));
        for row in 0..batch.num_rows() {
            let output = starts.is_valid(row).then(|| (starts.value(row), ends.value(row)));
            findings.push((kinds.value(row).to_owned(), actions.value(row).to_owned(), output));
        }
    }
    let mut books = counts(&stage(&outcome, "ingest")["dropped"]);
    books.extend(counts(&stage(&outcome, "ingest")["rejected"]));
    assert_absent(&[CARD.to_owned(), secret()], &readable(&store));
    verify(&store);
    Kept { texts, findings, books }
}

#[test]
fn a_preset_does_what_it_says_through_the_whole_path() {
    let cases = [
        ("", "I am [EMAIL], [PHONE], at [IP]; card [CARD], token [GITHUB_TOKEN]."),
        ("[redact]\npreset = \"strict\"", "I am [EMAIL], [PHONE], at [IP]; card [CARD], token [GITHUB_TOKEN]."),
        ("[redact]\npreset = \"gdpr\"", "I am [EMAIL], [PHONE], at [IP]; card [CARD], token [GITHUB_TOKEN]."),
        (
            "[redact]\npreset = \"hipaa-safe-harbor\"\n[redact.actions]\nIP = \"generalise\"\nPHONE = \"mask:4\"\nCARD = \"mask\"",
            "I am [EMAIL], (***) ***-1414, at 81.2.69.0/24; card **** **** **** ****, token [GITHUB_TOKEN].",
        ),
    ];
    for (policy, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let kept = redacted(folder.path(), &[chat(&said(), "ok")], policy);
        assert_eq!(mask_tokens(&kept.texts[0]), expected, "{policy}");
        let keyed = kept.texts[0].contains("[EMAIL:");
        assert_eq!(keyed, policy.is_empty() || policy.contains("gdpr"), "{policy}: {}", kept.texts[0]);
        assert_eq!(kept.findings.len(), 5, "{policy}: {:?}", kept.findings);
        for (kind, action, output) in &kept.findings {
            let (start, end) = output.unwrap();
            let written = &kept.texts[0][start as usize..end as usize];
            let token = written.starts_with(&format!("[{kind}"));
            assert_eq!(token, matches!(action.as_str(), "replace" | "pseudonym"), "{kind} {action} {written}");
        }
    }
}

#[test]
fn public_dates_stay_unless_a_policy_is_about_them() {
    let text = "Seen on March 12, 2024, again on 2024-03-19.";
    for (policy, expected) in [
        ("", text),
        ("[redact]\npreset = \"gdpr\"", text),
        ("[redact]\npreset = \"hipaa-safe-harbor\"", "Seen on 2024, again on 2024."),
        ("[redact]\npreset = \"strict\"", "Seen on [DATE], again on [DATE]."),
    ] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(redacted(folder.path(), &[chat(text, "ok")], policy).texts[0], expected, "{policy}");
    }
    let folder = tempfile::tempdir().unwrap();
    let moved =
        redacted(folder.path(), &[chat(text, "ok")], "[redact.actions]\nDATE = \"date-shift:3\"").texts.remove(0);
    let day = |date: &str| date.trim_end_matches('.').rsplit('-').next().unwrap().parse::<i32>().unwrap();
    let first = moved["Seen on March ".len()..].split(',').next().unwrap().parse::<i32>().unwrap();
    assert!(moved.contains(", 2424,") && day(&moved) - first == 7 && first != 12, "{moved}");
}

#[test]
fn made_up_values_take_the_place_of_real_ones() {
    let folder = tempfile::tempdir().unwrap();
    let policy = "[redact]\npreset = \"dev\"\nallow = [\"help@corp.example\"]";
    let records = [chat(&said(), "ask help@corp.example"), chat(&format!("{MAIL} again"), "ok")];
    let kept = redacted(folder.path(), &records, policy);
    let words: Vec<&str> = kept.texts[0].split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
    assert!(words[2].starts_with("user-") && words[2].contains("@example."), "{}", kept.texts[0]);
    assert!(kept.texts[0].contains("-555-01") && !kept.texts[0].contains(ADDRESS), "{}", kept.texts[0]);
    assert!(kept.texts[2].starts_with(words[2]), "the same value has the same surrogate: {:?}", kept.texts);
    assert_eq!(kept.texts[1], "ask help@corp.example");
}

#[test]
fn records_that_the_policy_drops_are_counted_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let records = [
        chat(&format!("my card is {CARD}"), "thanks"),
        chat(&secret(), "thanks"),
        chat("one", "two"),
        chat(&"long ".repeat(400), "two"),
        chat("mine is a@corp.example", "b@corp.example c@corp.example d@corp.example"),
    ];
    let policy = "[redact]\nlimits = { text_bytes = 1000, findings = 3 }\n[redact.actions]\nCARD = \"drop-conversation\"\n\
        secret = \"drop-message\"";
    let kept = redacted(folder.path(), &records, policy);
    assert_eq!(kept.texts, ["one", "two"]);
    let expected = ["policy_drop", "policy_nothing_left", "text_too_long", "too_many_findings"];
    assert_eq!(kept.books, expected.map(|reason| (reason.to_owned(), 1)).into());
}

#[test]
fn a_policy_that_makes_no_sense_stops_the_run_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    for (policy, parts) in [
        ("[redact.actions]\nCARD = \"mask:4\"", &["redact.actions.CARD", "use mask"][..]),
        ("[redact]\npreset = \"lax\"", &["preset", "hipaa-safe-harbor"]),
        ("[redact]\nallow_files = [\"none.txt\"]", &["none.txt"]),
        ("[redact]\nvault = \"vault\"", &["redact.vault", "vault SECRET"]),
    ] {
        let pipeline = job(folder.path(), &[chat("a", "b")], policy);
        run(&pipeline, &folder.path().join("store"), &[]).expect(2).tells(parts);
    }
}

/// Chosen and rejected of one record, and answers to one prompt in two records, share pseudonyms;
/// another conversation does not.
#[test]
fn sides_of_a_pair_share_pseudonyms_and_strangers_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let transcript = |answer: &str| format!("\n\nHuman: I am {MAIL}\n\nAssistant: {answer}, {MAIL}");
    let pair = serde_json::json!({"chosen": transcript("Hello"), "rejected": transcript("Go away")}).to_string();
    let records = [pair, chat(&format!("I am {MAIL}"), &format!("Yes, {MAIL}")), chat("Who?", MAIL)];
    let kept = redacted(folder.path(), &records, "[redact]\npseudonym_scope = \"conversation\"");
    let tokens: Vec<&str> = kept.texts.iter().filter_map(|text| text.find('[').map(|at| &text[at..])).collect();
    assert_eq!(tokens.len(), 7, "{:?}", kept.texts);
    assert!(tokens[..6].iter().all(|token| *token == tokens[0]), "{tokens:?}");
    assert_ne!(tokens[6], tokens[0]);
}

#[test]
fn another_pseudonym_key_changes_tokens_and_no_ids() {
    let folder = tempfile::tempdir().unwrap();
    let mut texts = Vec::new();
    let own = fs::read_to_string(fixture("demo.key")).unwrap();
    for (name, more) in [("old", "pseudonym 2026 aaaaaaaaaaaaaaaaaaaa"), ("new", "pseudonym 2027 bbbbbbbbbbbbbbbbbbbb")]
    {
        let folder = folder.path().join(name);
        fs::create_dir(&folder).unwrap();
        let key = write(&folder.join("project.key"), format!("{}\n{more}\n", own.trim()));
        let job = job(&folder, &[chat(MAIL, "ok")], "");
        let text = fs::read_to_string(&job).unwrap();
        write(&job, text.replace(&fixture("demo.key").display().to_string(), &key.display().to_string()));
        run_json(&job, &folder.join("store"), &["--until", "redact"]);
        let batch = tables(&folder.join("store"), "part").remove(0);
        let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().value(0).to_owned();
        let messages = format!("{:?}", batch.column_by_name("messages").unwrap());
        texts.push((text("record_id"), messages));
        let manifest = files(&folder.join("store")).into_iter().find(|path| path.ends_with("manifest.json")).unwrap();
        assert!(fs::read_to_string(manifest).unwrap().contains(more.split(' ').nth(1).unwrap()));
    }
    assert!(texts[0].0 == texts[1].0 && texts[0].1 != texts[1].1, "{texts:?}");
}

#[test]
fn the_vault_lies_apart_and_holds_nothing_that_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let key = format!("{}\nvault {}\n", fs::read_to_string(fixture("demo.key")).unwrap().trim(), "v".repeat(24));
    let key = write(&folder.path().join("project.key"), key);
    let job = job(folder.path(), &[chat(&said(), "ok")], "[redact]\nvault = \"vault\"");
    let text = fs::read_to_string(&job).unwrap();
    write(&job, text.replace(&fixture("demo.key").display().to_string(), &key.display().to_string()));
    run_json(&job, &folder.path().join("store"), &["--until", "redact"]);
    let vault = files(&folder.path().join("vault"));
    let rows: String = vault.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    assert_eq!(rows.lines().count(), 5);
    assert!(rows.contains("[EMAIL:") && !rows.contains("jane") && !rows.contains("456"));
    let loaded = gristmill::config::Loaded::read(&job).unwrap();
    let key = gristmill::record::ProjectKey::from_secret(&fs::read_to_string(&key).unwrap()).unwrap();
    let restorer = gristmill::runner::restore::Restorer::of(&loaded, &key).unwrap();
    let batch = tables(&folder.path().join("store"), "part").remove(0);
    let messages = batch.column_by_name("messages").unwrap().as_list::<i32>().values().clone();
    let content = messages.as_struct().column_by_name("content").unwrap().as_string::<i32>().value(0).to_owned();
    assert_eq!(restorer.restore(&content, "test", "to see that it can be done").unwrap().0, said());
}
