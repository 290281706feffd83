//! Preferences that logs state themselves: ranks of message trees, votes of an arena.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use serde_json::{Value, json};

use super::help::*;

const DATASETS: &str = r#"
[[dataset]]
name = "all-sft"
kind = "sft"
from = "logs"
test_share = 0.5
allow_empty_split = true

[[dataset]]
name = "all-preference"
kind = "preference"
from = "logs"
test_share = 0.5
allow_empty_split = true
"#;

/// Runs over the logs given; what it says, and its store.
fn published(folder: &Path, name: &str, sources: &[(PathBuf, &str)]) -> (Value, PathBuf) {
    let file = write(&folder.join(format!("{name}.toml")), pipeline(name, sources) + DATASETS);
    let store = folder.join(name);
    let outcome = run_json(&file, &store, &[]);
    verify(&store);
    (outcome, store)
}

/// Rows of a release: its split, and the columns asked for. Messages become `role: content`.
fn rows(store: &Path, dataset: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for file in files(&store.join("datasets").join(dataset)) {
        let split = file.file_name().unwrap().to_string_lossy().split('-').next().unwrap().to_owned();
        for batch in parquet(&file).1 {
            for row in 0..batch.num_rows() {
                let cell = |name: &&str| match batch.column_by_name(name).unwrap() {
                    column if column.data_type().is_nested() => talk(&column.as_list::<i32>().value(row)),
                    column => column.as_string::<i32>().value(row).to_owned(),
                };
                rows.push([split.clone()].into_iter().chain(columns.iter().map(cell)).collect());
            }
        }
    }
    rows.sort();
    rows
}

fn talk(messages: &dyn Array) -> String {
    let field = |name: &str| messages.as_struct().column_by_name(name).unwrap().as_string::<i32>().clone();
    let (roles, contents) = (field("role"), field("content"));
    let line = |i| format!("{}: {}", roles.value(i), contents.value(i));
    (0..messages.len()).map(line).collect::<Vec<_>>().join(" / ")
}

fn release_books(store: &Path, dataset: &str) -> Value {
    let manifest = std::fs::read(store.join("evidence").join(dataset).join("v0001/manifest.json")).unwrap();
    serde_json::from_slice::<Value>(&manifest).unwrap()["books"].take()
}

/// Pairs for people, and what their release dropped.
fn page(store: &Path, pairs: &[Vec<String>]) -> String {
    let books = release_books(store, "all-preference");
    let pairs: String =
        pairs.iter().map(|row| format!("{}\n  chosen   {}\n  rejected {}\n", row[1], row[2], row[3])).collect();
    format!("{pairs}read {} dropped {}\n", books["records_read"], books["dropped"])
}

/// A tree of one question; replies by rank.
fn tree(question: &str, replies: &[(&str, u32)]) -> String {
    let reply = |(text, rank): &(&str, u32)| json!({"role": "assistant", "text": text, "rank": rank, "replies": []});
    let replies: Vec<Value> = replies.iter().map(reply).collect();
    let root = json!({"role": "prompter", "text": question, "replies": replies});
    json!({"message_tree_id": question, "prompt": root}).to_string() + "\n"
}

/// Beside the fixture: the same question ranked both ways, equal replies, one pair twice, and an
/// answer that users went on with in three ways.
fn trees() -> String {
    let words = ["Thanks.", "Thank you.", "OK."].map(|text| json!({"role": "prompter", "text": text}));
    let answer = json!({"role": "assistant", "text": "To the left.", "rank": 0, "replies": words});
    let root = json!({"role": "prompter", "text": "Which way?", "replies": [answer]});
    [
        json!({"message_tree_id": "way", "prompt": root}).to_string() + "\n",
        tree("Is tea better?", &[("Yes, tea.", 0), ("No, coffee.", 1)]),
        tree("Is tea better?", &[("No, coffee.", 0), ("Yes, tea.", 1)]),
        tree("Say hello.", &[("Hello.", 0), ("Hello.", 1)]),
        tree("Which lamp?", &[("The blue one.", 4), ("None.", 7)]),
        tree("Which lamp?", &[("None.", 1), ("The blue one.", 0), ("Lamp", 2)]),
    ]
    .concat()
}

#[test]
fn ranks_become_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let more = write(&folder.path().join("more.jsonl"), trees());
    let sources = [(fixture("formats/oasst.jsonl"), "oasst"), (more, "oasst")];
    let (_, store) = published(folder.path(), "ranked", &sources);
    let columns = ["prompt", "chosen", "rejected", "label_source", "split_group"];
    let pairs = rows(&store, "all-preference", &columns);
    let sides: BTreeSet<_> = pairs.iter().map(|row| (&row[1], &row[2], &row[3])).collect();
    assert_eq!(sides.len(), pairs.len(), "no pair comes twice");
    assert!(pairs.iter().all(|row| row[2] != row[3]));
    insta::assert_snapshot!("preferences-ranks", page(&store, &pairs));
    // Conversations that open alike are on one side, also where both sides of a pair were folded.
    let splits: BTreeSet<_> = pairs.iter().map(|row| (&row[5], &row[0])).collect();
    let groups: BTreeSet<_> = pairs.iter().map(|row| &row[5]).collect();
    assert_eq!(splits.len(), groups.len());
    let sft = rows(&store, "all-sft", &["messages", "split_group"]);
    for pair in &pairs {
        let opening = pair[1].split(" / ").next().unwrap();
        for row in sft.iter().filter(|row| row[1].starts_with(opening)) {
            assert_eq!((&row[0], &row[2]), (&pair[0], &pair[5]), "{opening}");
        }
    }
}

/// Sides of pairs are copies of paths or their beginnings: they change nothing but the pairs.
#[test]
fn ranks_change_no_example() {
    let folder = tempfile::tempdir().unwrap();
    let raw = std::fs::read_to_string(fixture("formats/oasst.jsonl")).unwrap() + &trees();
    let unranked = write(&folder.path().join("unranked.jsonl"), raw.replace("\"rank\"", "\"order\""));
    let ranked = write(&folder.path().join("ranked.jsonl"), raw);
    let (with, with_store) = published(folder.path(), "with", &[(ranked, "oasst")]);
    let (without, without_store) = published(folder.path(), "without", &[(unranked, "oasst")]);
    let columns = ["example_id", "messages", "split_group"];
    let examples = rows(&with_store, "all-sft", &columns);
    assert_eq!(examples, rows(&without_store, "all-sft", &columns));
    let ids: BTreeSet<_> = examples.iter().map(|row| &row[1]).collect();
    let said: BTreeSet<_> = examples.iter().map(|row| &row[2]).collect();
    assert_eq!((ids.len(), said.len()), (examples.len(), examples.len()), "no row comes twice");
    // Three paths end with another word of thanks behind the same answer.
    assert_eq!(release_books(&with_store, "all-sft")["dropped"]["same_answers"], 2);
    assert_eq!(said.iter().filter(|said| said.contains("Which way?")).count(), 1);
    assert!(examples.len() > 10);
    let [with, without] = [&with, &without].map(|outcome| stage(outcome, "dedup"));
    assert_eq!(with["kept"], without["kept"]);
    assert!(with["records_read"].as_u64() > without["records_read"].as_u64());
    assert!(!without_store.join("datasets/all-preference").exists());
}

/// A vote on two answers, in the form of the Arena set or of the Kaggle set.
fn votes() -> String {
    let chat = |question: &str, answer: &str| json!([{"role": "user", "content": question}, {"role": "assistant", "content": answer}]);
    let arena = |question: &str, winner: &str| {
        json!({"question_id": question, "model_a": "x", "model_b": "y", "winner": winner,
            "conversation_a": chat(question, "Answer a."), "conversation_b": chat(question, "Answer b.")})
    };
    let kaggle = |question: &str, [a, b, tie]: [u8; 3]| {
        json!({"id": question, "model_a": "x", "model_b": "y", "prompt": json!([question]).to_string(),
            "response_a": "[\"Answer a.\"]", "response_b": "[\"Answer b.\"]",
            "winner_model_a": a, "winner_model_b": b, "winner_tie": tie})
    };
    let votes = [
        arena("Arena won by b?", "model_b"),
        arena("Arena tie?", "tie"),
        arena("Arena both bad?", "tie (bothbad)"),
        kaggle("Kaggle won by a?", [1, 0, 0]),
        kaggle("Kaggle tie?", [0, 0, 1]),
        arena("Both ways?", "model_a"),
        arena("Both ways?", "model_b"),
    ];
    votes.map(|vote| vote.to_string() + "\n").concat()
}

#[test]
fn ties_of_an_arena_are_no_pairs_but_can_be_sampled() {
    let folder = tempfile::tempdir().unwrap();
    let raw = write(&folder.path().join("votes.jsonl"), votes());
    let rubric = root().join("pipelines/rubrics/support-helpfulness.toml");
    let sample = format!("\n[[sample]]\nname = \"pairs\"\nrubric = {:?}\nrows = 20\n", rubric.display().to_string());
    let file = write(&folder.path().join("arena.toml"), pipeline("arena", &[(raw, "arena")]) + &sample + DATASETS);
    let store = folder.path().join("store");
    run_json(&file, &store, &[]);
    verify(&store);
    let pairs = rows(&store, "all-preference", &["prompt", "chosen", "rejected"]);
    insta::assert_snapshot!("preferences-arena", page(&store, &pairs));
    let ties = ["Arena tie?", "Arena both bad?", "Kaggle tie?"];
    let tasks = files(&store.join("batches")).into_iter().find(|path| path.ends_with("tasks.jsonl")).expect("tasks");
    let tasks = std::fs::read_to_string(tasks).unwrap();
    for tie in ties {
        let task: Vec<_> = tasks.lines().filter(|task| task.contains(tie)).collect();
        assert_eq!(task.len(), 1, "{tie}");
        assert!(task[0].contains("Answer a.") && task[0].contains("Answer b."), "{tie}");
    }
    // The vote is still to be read, and nobody is preferred.
    for file in files(&store.join("layers/deduped")).iter().filter(|file| file.to_string_lossy().contains("part-")) {
        for batch in parquet(file).1 {
            let column = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
            let (metadata, preferences) = (column("metadata"), column("preference"));
            for row in 0..batch.num_rows() {
                let is_tie = metadata.value(row).contains("\"tie") || metadata.value(row).contains("\"winner_tie\":1");
                assert_eq!(is_tie, preferences.is_null(row), "{}", metadata.value(row));
            }
        }
    }
}
