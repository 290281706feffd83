//! Law 8: what belongs together is on one side of a train/test split.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow::array::AsArray;
use serde_json::json;

use super::help::*;

const OPENINGS: usize = 40;

fn line(messages: &[(&str, String)]) -> String {
    let messages: Vec<_> = messages.iter().map(|(role, content)| json!({"role": role, "content": content})).collect();
    json!({"messages": messages}).to_string() + "\n"
}

/// Long enough for near-duplicate detection, and different for every `n`.
fn prose(n: usize, words: usize) -> String {
    (0..words).map(|i| format!("word{}", (n * 7919 + i * 104_729) % 99_991)).collect::<Vec<_>>().join(" ")
}

/// A number in letters.
fn letters(n: usize) -> String {
    n.to_string().bytes().map(|digit| (b'a' + digit - b'0') as char).collect()
}

/// The same without digits.
fn plain_prose(n: usize, words: usize) -> String {
    prose(n + 20_000, words)
        .bytes()
        .map(|b| if b.is_ascii_digit() { (b'a' + b - b'0') as char } else { b as char })
        .collect()
}

/// Sides on which the openings stand: the user's first words, by split.
fn sides(store: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut sides: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files(&store.join("datasets")) {
        let split = file.file_name().unwrap().to_string_lossy().split('-').next().unwrap().to_owned();
        for batch in parquet(&file).1 {
            let messages = batch.column_by_name("messages").unwrap().as_list::<i32>();
            for row in 0..batch.num_rows() {
                let row = messages.value(row);
                let content = row.as_struct().column_by_name("content").unwrap().as_string::<i32>();
                let first = content.value(0).split(' ').next().unwrap();
                sides.entry(first.to_owned()).or_default().insert(split.clone());
            }
        }
    }
    sides
}

#[test]
fn conversations_that_open_alike_or_that_a_duplicate_links_are_on_one_side() {
    let folder = tempfile::tempdir().unwrap();
    let mut raw = String::new();
    for n in 0..OPENINGS {
        let opening = ("user", format!("opening{n} {}", prose(n, 30)));
        let answer = ("assistant", prose(1000 + n, 30));
        // The same first answer, another question behind it; and another first answer.
        for m in 0..3 {
            let question = ("user", prose(2000 + 3 * n + m, 30));
            let end = ("assistant", prose(3000 + 3 * n + m, 30));
            raw += &line(&[opening.clone(), answer.clone(), question, end]);
        }
        raw += &line(&[opening.clone(), ("assistant", prose(4000 + n, 30))]);
        // A near copy with one word more in its opening is dropped, and links the opening of its
        // own other answer to this one.
        let (long, reply) = (prose(5000 + n, 120), prose(6000 + n, 120));
        let (plain, more) = (format!("twin{n} {long}"), format!("twin{n} {long} indeed"));
        raw += &line(&[("user", plain.clone()), ("assistant", reply.clone())]);
        raw += &line(&[("user", more.clone()), ("assistant", format!("{reply} too"))]);
        raw += &line(&[("user", plain), ("assistant", prose(7000 + n, 120))]);
        raw += &line(&[("user", more), ("assistant", prose(8000 + n, 120))]);
        // Two that differ in digits only are both kept, and nearly the same all the same.
        for amount in [100 + n, 700 + n] {
            let question = format!("bill{} {} pay {amount}", letters(n), letters(n).repeat(3) + &plain_prose(n, 60));
            raw += &line(&[("user", question), ("assistant", format!("{} {amount}", plain_prose(n + 500, 60)))]);
        }
    }
    let raw = write(&folder.path().join("raw.jsonl"), raw);
    let text = pipeline("splits", &[(raw, "")])
        + "[[dataset]]\nname = \"all\"\nkind = \"sft\"\nfrom = \"logs\"\ntest_share = 0.5\n";
    let (file, store) = (write(&folder.path().join("splits.toml"), text), folder.path().join("store"));
    let outcome = run_json(&file, &store, &[]);
    assert_eq!(counts(&stage(&outcome, "dedup")["dropped"])["near_duplicate"], OPENINGS as u64);
    let sides = sides(&store);
    assert_eq!(sides.len(), 3 * OPENINGS);
    let torn: Vec<_> = sides.iter().filter(|(_, splits)| splits.len() > 1).collect();
    assert!(torn.is_empty(), "{torn:?}");
    for split in ["train", "test"] {
        let here = sides.values().filter(|splits| splits.contains(split)).count();
        assert!(here > OPENINGS / 2, "{here} openings in {split}");
    }
}
