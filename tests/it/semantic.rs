//! The semantic pass: what says in other words what another says is tagged or dropped by vectors that the
//! user brings; what is wrong with those is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, Float64Array, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type};
use serde_json::Value;

use super::help::*;

const ASK: &str = "How can I set a new password for my account when I no longer know the one that I had before today?";
const OTHER: &str = "I forgot what I log in with and need to pick a fresh one, what am I to do?";
const HELP: &str =
    "Open the settings, choose security, then follow the link that we send to you by mail within a minute.";
const ALSO: &str = "Go to security in your settings and take the link that comes in our mail.";

/// Chats by their own ids. `b` says `a` in other words, `copy` says `b`; `c` is another answer to the
/// prompt of `a`; `paid` and `sent` differ in an amount; `far` is about something else, `none` gets no
/// vector.
fn chats() -> Vec<(&'static str, String, String)> {
    let text = |words: &str| words.to_owned();
    let money = "We have sent you 12 euros back, they will be on your account by the end of the week.";
    let refund = "Where is the money that I was promised for the parcel that never came to my door?";
    vec![
        ("a", text(ASK), text(HELP)),
        ("b", text(OTHER), text(ALSO)),
        ("copy", text(OTHER), text(ALSO)),
        ("c", text(ASK), text("Please write to the support desk, and somebody will help you within a day or two.")),
        ("paid", text(refund), text(money)),
        (
            "sent",
            text("My parcel was lost and you said I would get my money, when will it be here?"),
            money.replace("12", "90"),
        ),
        (
            "far",
            text("Which of your shops are open on a Sunday in the old town near the river?"),
            text("None of them is."),
        ),
        (
            "none",
            text("Tell me a short story about a fox that lives in a library."),
            text("Once there was a fox who read."),
        ),
    ]
}

/// Angles in degrees, by chat; `far` stands at a right angle to all others.
fn angles() -> BTreeMap<&'static str, Vec<f64>> {
    let at = |degrees: f64| vec![degrees.to_radians().cos(), degrees.to_radians().sin(), 0.0, 0.0];
    let money = |degrees: f64| vec![0.0, 0.0, degrees.to_radians().cos(), degrees.to_radians().sin()];
    BTreeMap::from([
        ("a", at(0.0)),
        ("b", at(14.0)),
        ("copy", at(14.0)),
        ("c", at(-14.0)),
        ("paid", money(0.0)),
        ("sent", money(3.0)),
        ("far", money(90.0)),
    ])
}

/// A folder with the chats, redacted, so that ids are known.
struct Lab {
    folder: tempfile::TempDir,
    /// Record and conversation id by the chat's own.
    ids: BTreeMap<String, (String, String)>,
}

impl Lab {
    fn new() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let line = |(id, ask, answer): (&str, String, String)| {
            let messages =
                serde_json::json!([{"role": "user", "content": ask}, {"role": "assistant", "content": answer}]);
            serde_json::json!({"id": id, "messages": messages}).to_string() + "\n"
        };
        write(&folder.path().join("chats.jsonl"), chats().into_iter().map(line).collect::<String>());
        let mut lab = Lab { folder, ids: BTreeMap::new() };
        // Before there are vectors: somebody has to read what was redacted to make them.
        run(&lab.job(""), &lab.store(), &["--until", "redact"]).expect(0);
        for row in lab.rows("redacted", "part", &["external_id", "record_id", "conversation_id"]) {
            lab.ids.insert(row[0].clone(), (row[1].clone(), row[2].clone()));
        }
        assert_eq!(lab.ids.len(), chats().len());
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path("store")
    }

    fn job(&self, more: &str) -> PathBuf {
        let logs = [(self.path("chats.jsonl"), "openai-chat")];
        let text = pipeline("semantic", &logs) + "\n[dedup.semantic]\nvectors = \"vectors*.parquet\"\n" + more;
        write(&self.path("job.toml"), text)
    }

    /// Vectors by conversation id, of some chats.
    fn named(&self, chats: &[&str]) -> Vec<(String, Vec<f64>)> {
        chats.iter().map(|chat| (self.ids[*chat].1.clone(), angles()[chat].clone())).collect()
    }

    fn vectors(&self) -> PathBuf {
        let all: Vec<&str> = angles().into_keys().collect();
        vectors(&self.path("vectors.parquet"), &self.named(&all))
    }

    fn dedup(&self, more: &str) -> Value {
        stage(&run_json(&self.job(more), &self.store(), &["--until", "dedup"]), "dedup").clone()
    }

    fn refused(&self, more: &str) -> Ran {
        run(&self.job(more), &self.store(), &["--until", "dedup"]).expect(2)
    }

    fn rows(&self, layer: &str, table: &str, columns: &[&str]) -> Vec<Vec<String>> {
        lists(&self.store(), layer, table, columns)
    }

    /// Pairs by the chats' own ids: rule, cosine, and who was decided on.
    fn pairs(&self) -> Vec<String> {
        let name = |id: &str| {
            let of = |(_, (record, conversation)): &(&String, &(String, String))| record == id || conversation == id;
            self.ids.iter().find(of).map_or(String::new(), |(name, _)| name.clone())
        };
        let row = |row: Vec<String>| {
            let mut ends = [name(&row[0]), name(&row[1])];
            ends.sort();
            let decided =
                if row[4].is_empty() { String::new() } else { format!(": {} for {}", name(&row[4]), name(&row[5])) };
            format!("{} {} {} {}{decided}", ends[0], ends[1], row[2], row[3])
        };
        let rows = self.rows("deduped", "semantic", &["a", "b", "rule", "cosine", "record_id", "winner"]);
        let mut pairs: Vec<String> = rows.into_iter().map(row).collect();
        pairs.sort();
        pairs
    }
}

/// Columns of a table of the newest folder of a layer; null is empty.
fn lists(store: &Path, layer: &str, table: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let made = |path: &PathBuf| fs::metadata(path.join("manifest.json")).unwrap().modified().unwrap();
    let folders = fs::read_dir(store.join("layers").join(layer)).unwrap().map(|entry| entry.unwrap().path());
    let mut rows = Vec::new();
    for file in files(&folders.max_by_key(made).unwrap()) {
        if !file.file_name().unwrap().to_string_lossy().starts_with(table) {
            continue;
        }
        for batch in parquet(&file).1 {
            let cell = |name: &&str, i: usize| {
                let column = batch.column_by_name(name).unwrap();
                match column.data_type() {
                    DataType::Float64 => format!("{:.4}", column.as_primitive::<Float64Type>().value(i)),
                    _ if column.is_null(i) => String::new(),
                    _ => column.as_string::<i32>().value(i).to_owned(),
                }
            };
            rows.extend((0..batch.num_rows()).map(|i| columns.iter().map(|name| cell(name, i)).collect::<Vec<_>>()));
        }
    }
    rows.sort();
    rows
}

/// What is found, whatever is done with it: `c` answers the prompt of `a`, the amounts differ.
fn found(decided: &str) -> Vec<String> {
    [&format!("a b semantic_duplicate 0.9703: {decided}"), "a c same_prompt 0.9703", "paid sent digits_differ 0.9986"]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn paraphrases_are_tagged_and_other_answers_and_amounts_are_not() {
    let lab = Lab::new();
    lab.vectors();
    let dedup = lab.dedup(FROM_LOGS);
    let told = counts(&dedup["counts"]);
    let count = |name: &str| told.get(name).copied().unwrap_or_default();
    // `copy` says what `b` says, so both have one conversation id, which stands twice.
    assert_eq!((count("vectors"), count("vectors_without_record"), count("records_without_vector")), (7, 0, 1));
    assert_eq!((count("semantic_edges"), count("semantic_tags"), count("ids_with_several_vectors")), (3, 1, 0));
    assert_eq!(counts(&dedup["dropped"]), BTreeMap::from([("exact_duplicate".to_owned(), 1)]));
    let pairs = lab.pairs();
    let tagged = if pairs[0].contains(": b ") { "b for a" } else { "copy for a" };
    assert_eq!(pairs, found(tagged));

    // A tagged record can be left out, and be looked at.
    let tag = lab.rows("deduped", "semantic", &["record_id", "conversation_id", "winner"]).pop().unwrap();
    let store = lab.store();
    let store = store.to_str().unwrap();
    for id in &tag {
        let shown = gristmill(["decisions", "show", id, "--store", store]).expect(0).out;
        assert!(shown.contains("tagged") && shown.contains("cosine 0.970") && shown.contains("{+"), "{shown}");
    }
    let traced = gristmill(["trace", &tag[0], "--store", store]).expect(0).out;
    assert!(traced.contains("cosine 0.970") && traced.contains(&tag[2]), "{traced}");
    let all = "\n[[dataset]]\nname = \"all\"\nkind = \"sft\"\nfrom = \"logs\"\nallow_empty_split = true\n";
    let job = lab.job(&format!("{all}where = \"semantic_of is null\"\n"));
    let dataset = stage(&run_json(&job, &lab.store(), &[]), "dataset").clone();
    assert_eq!((dataset["kept"].as_u64(), counts(&dataset["dropped"])["not_wanted"]), (Some(6), 1));
    verify(&lab.store());
    let plan = Ran::of(command().arg("plan").arg(&job).args(["--store", store, "--json"]).output().unwrap());
    assert_eq!(plan.expect(0).json()["stages"][2]["runs"], false);
}

#[test]
fn with_drop_the_winner_is_kept_and_the_evidence_is_told() {
    let lab = Lab::new();
    lab.vectors();
    let dedup = lab.dedup("action = \"drop\"\n");
    assert_eq!(
        counts(&dedup["dropped"]),
        BTreeMap::from([("exact_duplicate".to_owned(), 1), ("semantic_duplicate".to_owned(), 1)])
    );
    let decided = lab.rows("deduped", "decisions", &["fate", "rule", "winner", "record_id"]);
    let winner = &lab.ids["a"].1;
    let expected = [
        ("exact_duplicate", "same canonical form as a semantic duplicate of the winner"),
        ("semantic_duplicate", "cosine 0.9703 of the vectors"),
    ];
    for (row, (fate, rule)) in decided.iter().zip(expected) {
        assert_eq!((row[0].as_str(), row[1].as_str(), &row[2]), (fate, rule, winner));
    }
    let pairs = lab.pairs();
    assert_eq!(pairs.len(), 3);
    let store = lab.store();
    let store = store.to_str().unwrap();
    let shown = gristmill(["decisions", "show", &decided[1][3], "--store", store]).expect(0).out;
    assert!(shown.contains("semantic_duplicate") && shown.contains("cosine 0.970"), "{shown}");
    gristmill(["trace", &decided[1][3], "--store", store]).expect(0);
    let retest =
        gristmill(["decisions", "retest", "--min-jaccard", "0.9", "--store", store, "--json"]).expect(0).json();
    assert_eq!((&retest["near_duplicates"], &retest["stored_near_duplicates"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(retest["kept_again"], serde_json::json!([]));
    // `semantic_of` is a column of tags only.
    lab.refused(&format!("action = \"drop\"\n{FROM_LOGS}where = \"semantic_of is null\"\n"));
}

#[test]
fn files_order_threads_and_kinds_of_lists_decide_nothing() {
    let lab = Lab::new();
    let decided = |lab: &Lab| (lab.pairs(), lab.rows("deduped", "decisions", &["record_id", "winner", "rule"]));
    lab.vectors();
    assert_eq!(lab.dedup("")["cached"], false);
    let first = decided(&lab);
    // The same content under another name is the same vectors.
    fs::rename(lab.path("vectors.parquet"), lab.path("vectors-moved.parquet")).unwrap();
    assert_eq!(lab.dedup("")["cached"], true);
    fs::remove_file(lab.path("vectors-moved.parquet")).unwrap();
    // Two files in another order, one id with two vectors in both, and other sizes of batches.
    let mut rows = lab.named(&["sent", "far", "paid", "c", "b", "a"]);
    let mut strange = rows[5].clone();
    strange.1 = vec![1.0, 0.0, 0.0, 0.0];
    vectors(&lab.path("vectors-1.parquet"), &rows[..3]);
    rows.push(strange);
    vectors(&lab.path("vectors-2.parquet"), &rows[3..]);
    let outcome = run_json(&lab.job(""), &lab.store(), &["--until", "dedup", "--threads", "1", "--batch-rows", "2"]);
    assert_eq!(stage(&outcome, "dedup")["cached"], false);
    assert_eq!(decided(&lab), first);
    // Fixed lists of 64 bit floats, by record id, under other names.
    for name in ["vectors-1.parquet", "vectors-2.parquet"] {
        fs::remove_file(lab.path(name)).unwrap();
    }
    let chats: Vec<&str> = angles().into_keys().collect();
    let ids = StringArray::from_iter_values(chats.iter().map(|chat| &lab.ids[*chat].0));
    let flat: Float64Array = chats.iter().flat_map(|chat| angles()[chat].clone()).collect();
    let item = Arc::new(Field::new("item", DataType::Float64, true));
    let lists = arrow::array::FixedSizeListArray::try_new(item, 4, Arc::new(flat), None).unwrap();
    table(&lab.path("vectors.parquet"), vec![("record", Arc::new(ids)), ("embedding", Arc::new(lists))]);
    let named = "id_column = \"record\"\nvector_column = \"embedding\"\n";
    lab.dedup(named);
    assert_eq!(decided(&lab), first);
    // Here words find nothing that vectors do not.
    assert_eq!(lab.dedup(&format!("{named}[dedup.near]\nmethod = \"off\"\n"))["cached"], false);
    assert_eq!(decided(&lab), first);
}

#[test]
fn copies_of_a_greeting_with_a_vector_each_are_one_pair() {
    let lab = Lab::new();
    let copies = 150;
    let chat = |i: usize| ["a", "b"][i % 2];
    let line = |i: usize| {
        let (ask, help) = if chat(i) == "a" { (ASK, HELP) } else { (OTHER, ALSO) };
        let messages = serde_json::json!([{"role": "user", "content": ask}, {"role": "assistant", "content": help}]);
        serde_json::json!({"id": i.to_string(), "messages": messages}).to_string() + "\n"
    };
    write(&lab.path("chats.jsonl"), (0..2 * copies).map(line).collect::<String>());
    // One row a record, as `select conversation_id … from redacted` gives them.
    let rows: Vec<_> = (0..2 * copies).flat_map(|i| lab.named(&[chat(i)])).collect();
    vectors(&lab.path("vectors.parquet"), &rows);
    // A pair that came more than once would be an error: 22,500 rows of one pair.
    let told = counts(&lab.dedup("")["counts"]);
    assert_eq!((told["vectors"], told["semantic_edges"], told["semantic_tags"]), (300, 1, 1));
    assert_eq!(told["records_without_vector"], 0);
}

#[test]
fn every_file_is_read_whatever_its_name_and_its_writer() {
    let lab = Lab::new();
    vectors(&lab.path("vectors [1].parquet"), &lab.named(&["a", "paid"]));
    vectors(&lab.path("vectors-a=b#c%20?.pq"), &lab.named(&["b", "far"]));
    // As some writers name what is in a list.
    let chats = ["c", "sent"];
    let flat: Float64Array = chats.iter().flat_map(|chat| angles()[chat].clone()).collect();
    let ends = arrow::buffer::OffsetBuffer::from_lengths([4, 4]);
    let item = Arc::new(Field::new("element", DataType::Float64, false));
    let lists = arrow::array::ListArray::try_new(item, ends, Arc::new(flat), None).unwrap();
    let ids = StringArray::from_iter_values(chats.iter().map(|chat| &lab.ids[*chat].1));
    table(&lab.path("vectors"), vec![("id", Arc::new(ids)), ("vector", Arc::new(lists))]);
    let text = fs::read_to_string(lab.job("")).unwrap().replace("vectors*.parquet", "vectors*");
    let outcome = run_json(&write(&lab.path("job.toml"), text), &lab.store(), &["--until", "dedup"]);
    let told = counts(&stage(&outcome, "dedup")["counts"]);
    assert_eq!((told["vectors"], told["records_without_vector"], told["semantic_edges"]), (6, 1, 3));
}

#[test]
fn every_pair_has_its_exact_cosine_and_few_are_missed() {
    let folder = tempfile::tempdir().unwrap();
    let letters = |n: usize| -> String { n.to_string().bytes().map(|digit| (b'a' + digit - b'0') as char).collect() };
    let words = |from: usize| (0..14).map(|i| format!("w{} ", letters(from * 31 + i))).collect::<String>();
    let line = |i: usize| {
        let messages = serde_json::json!([
            {"role": "user", "content": words(i)}, {"role": "assistant", "content": words(1000 + i)}
        ]);
        serde_json::json!({"id": i.to_string(), "messages": messages}).to_string() + "\n"
    };
    let logs = write(&folder.path().join("chats.jsonl"), (0..240).map(line).collect::<String>());
    let text = pipeline("brute", &[(logs, "openai-chat")]) + "\n[dedup.semantic]\nvectors = \"vectors.parquet\"\n";
    let (job, store) = (write(&folder.path().join("job.toml"), text), folder.path().join("store"));
    run(&job, &store, &["--until", "redact"]).expect(0);
    let rows = lists(&store, "redacted", "part", &["record_id", "conversation_id"]);
    assert_eq!(rows.len(), 240);
    // Forty directions, each with some that lie around it.
    let number = |name: usize, i: usize| {
        gristmill::record::chance(name as u64, "test", &i.to_string()) as f64 / u64::MAX as f64 - 0.5
    };
    let vector = |i: usize| -> Vec<f64> {
        let far = 0.05 + (i / 40) as f64 * 0.04;
        // As they are stored: 32 bits.
        (0..24).map(|at| f64::from((number(i % 40, at) + far * number(100 + i, at)) as f32)).collect()
    };
    let named: Vec<(String, Vec<f64>)> = rows.iter().enumerate().map(|(i, row)| (row[1].clone(), vector(i))).collect();
    vectors(&folder.path().join("vectors.parquet"), &named);
    run(&job, &store, &["--until", "dedup"]).expect(0);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let mut expected = BTreeMap::new();
    for (i, (_, a)) in named.iter().enumerate() {
        for (j, (_, b)) in named.iter().enumerate().skip(i + 1) {
            let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
            if cosine >= 0.95 {
                let mut ends = [rows[i][0].clone(), rows[j][0].clone()];
                ends.sort();
                expected.insert(ends, format!("{cosine:.4}"));
            }
        }
    }
    let found = lists(&store, "deduped", "semantic", &["a", "b", "cosine"]);
    for row in &found {
        assert_eq!(expected.get(&[row[0].clone(), row[1].clone()]), Some(&row[2]), "a pair that brute force has");
    }
    // 99 of 100 at the threshold, more above.
    assert!(expected.len() > 200 && expected.len() - found.len() <= 1 + expected.len() / 100, "{}", found.len());
    // What a bound on buckets costs is told.
    let text = fs::read_to_string(&job).unwrap();
    let bound = run_json(&write(&job, format!("{text}bucket_limit = 1\n")), &store, &["--until", "dedup"]);
    let told = counts(&stage(&bound, "dedup")["counts"]);
    assert!(told["semantic_skipped_pairs"] > 0 && told["semantic_edges"] < found.len() as u64, "{told:?}");
    assert!(told["percent of semantic pairs skipped, too many to find most"] > 10, "{told:?}");
    write(&job, text);
    drops_for_who_stays(&job, &store, &expected);
}

/// Six records around each direction: more would go than the guards let pass; who goes has a winner that
/// stays and whose own cosine is high enough.
fn drops_for_who_stays(job: &Path, store: &Path, expected: &BTreeMap<[String; 2], String>) {
    let text = fs::read_to_string(job).unwrap() + "action = \"drop\"\n";
    let stopped = run(&write(job, &text), store, &["--until", "dedup"]).expect(10);
    stopped.tells(&["stop_lost", "near-duplicates"]);
    run(&write(job, text + "[dedup.guards]\nallow_wipeout = true\n"), store, &["--until", "dedup"]).expect(0);
    let kept: BTreeMap<String, String> = lists(store, "deduped", "part", &["conversation_id", "record_id"])
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let gone = lists(store, "deduped", "decisions", &["record_id", "winner", "fate"]);
    assert_eq!((kept.len() + gone.len(), gone.len() > 100), (240, true));
    for row in gone {
        let mut ends = [row[0].clone(), kept[&row[1]].clone()];
        ends.sort();
        assert!(row[2] == "semantic_duplicate" && expected.contains_key(&ends), "{row:?}");
    }
}

#[test]
fn what_cannot_be_used_is_counted() {
    let lab = Lab::new();
    let mut rows = lab.named(&["a", "b", "c"]);
    rows.extend([
        (lab.ids["paid"].1.clone(), vec![0.0; 4]),
        (lab.ids["sent"].1.clone(), vec![f64::NAN, 0.0, 0.0, 1.0]),
        ("0".repeat(32), vec![1.0, 0.0, 0.0, 0.0]),
        // What cannot be an id is not looked at, and not written anywhere either.
        ("somebody else".to_owned(), vec![1.0, 0.0, 0.0, 0.0]),
        ("how can I set a new password now?".to_owned(), vec![1.0, 0.0, 0.0, 0.0]),
        // Of two vectors of one id one counts, and it is told.
        (lab.ids["far"].1.clone(), vec![0.0, 0.0, 1.0, 0.0]),
        (lab.ids["far"].1.clone(), vec![0.0, 0.0, 0.0, 1.0]),
    ]);
    vectors(&lab.path("vectors.parquet"), &rows);
    let told = counts(&lab.dedup("")["counts"]);
    let named = [
        "vectors",
        "vectors_zero",
        "vectors_not_finite",
        "vectors_no_id",
        "vectors_without_record",
        "ids_with_several_vectors",
    ];
    assert_eq!(named.map(|name| told[name]), [6, 1, 1, 2, 1, 1]);
    assert_eq!(told["records_without_vector"], 3);
    assert_eq!(lab.pairs().len(), 2);
}

#[test]
fn what_is_wrong_with_vectors_is_told_by_file_and_column() {
    let lab = Lab::new();
    lab.refused("").tells(&["vectors*.parquet", "matches no file"]);
    let job = lab.job("");
    for store in [lab.store(), lab.path("empty")] {
        let plan = command().arg("plan").arg(&job).arg("--store").arg(store).arg("--json").output().unwrap();
        let dedup = Ran::of(plan).expect(0).json()["stages"][2].clone();
        assert!(dedup["runs"] == true && dedup["why"].as_str().unwrap().contains("vectors: not there yet"), "{dedup}");
    }
    write(&lab.path("vectors.parquet"), "no parquet");
    lab.refused("").tells(&["vectors.parquet", "no Parquet"]);
    let ids = || -> ArrayRef { Arc::new(StringArray::from(vec!["x"])) };
    table(&lab.path("vectors.parquet"), vec![("id", ids()), ("text", ids())]);
    lab.refused("").tells(&["vectors.parquet", "\"vector\"", "vector_column", "text"]);
    table(&lab.path("vectors.parquet"), vec![("id", ids()), ("vector", Arc::new(Float32Array::from(vec![1.0])))]);
    lab.refused("").tells(&["vectors.parquet", "Float32", "lists"]);
    let mut rows = lab.named(&["a", "b"]);
    rows[1].1.pop();
    vectors(&lab.path("vectors.parquet"), &rows);
    lab.refused("").tells(&["job.toml", "3 numbers (1 vectors)", "4 numbers"]);
    vectors(&lab.path("vectors.parquet"), &[("x".to_owned(), vec![1.0])]);
    lab.refused("").tells(&["job.toml", "none has the id", "of 0 and 1 that cannot be"]);
    for (more, told) in [
        ("min_cosine = 0.3", "min_cosine"),
        ("min_cosine = 0.6", "bits_per_band"),
        ("bits_per_band = 65", "bits_per_band"),
        ("bits_per_band = 7", "expected 8 to 64"),
        ("bucket_limit = 0", "bucket_limit"),
        ("action = \"fold\"", "action"),
        ("vector = \"v\"", "vector"),
    ] {
        lab.refused(more).tells(&[told]);
    }
    // Nothing of it was decided.
    assert!(!lab.store().join("layers/deduped").exists());
}
