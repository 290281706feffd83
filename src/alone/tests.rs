//! The command as a whole, over small files.

use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::*;

fn options(inputs: &[&Path], out: &Path) -> Options {
    Options {
        inputs: inputs.iter().map(|input| Location::File(input.to_path_buf())).collect(),
        out: out.to_owned(),
        decisions: out.join("decisions.jsonl"),
        settings: Settings { shingle_words: 3, bands: 16, rows_per_band: 8, short_tokens: 10 },
        min_jaccard: 0.8,
        keep_answers: false,
        bucket_limit: 50,
        threads: 2,
        chunk_bytes: CHUNK_BYTES,
        guards: Guards::default(),
        index: None,
        against: None,
    }
}

#[test]
fn a_run_that_cannot_begin_leaves_the_last_one_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.jsonl"), folder.path().join("out"));
    std::fs::write(&input, chat("a", &["Hello there"])).unwrap();
    let good = options(&[&input], &out);
    assert!(run(&good).unwrap().1.is_none());
    for bad in [
        options(&[&input, &folder.path().join("missing.jsonl")], &out),
        options(&[&out.join("kept.jsonl")], &out),
        Options { decisions: out.join("kept.jsonl"), ..options(&[&input], &out) },
        Options { decisions: out.clone(), ..options(&[&input], &out) },
    ] {
        assert!(run(&bad).is_err());
        assert!(
            ["kept.jsonl", "edges.jsonl", "report.json", "decisions.jsonl"].iter().all(|name| out.join(name).is_file())
        );
    }
}

fn words(from: u32, to: u32) -> String {
    let letters = |n: u32| -> String { n.to_string().bytes().map(|digit| (b'a' + digit - b'0') as char).collect() };
    (from..to).map(|n| format!("w{} ", letters(n))).collect()
}

fn chat(id: &str, turns: &[&str]) -> String {
    let role = |at: usize| if at.is_multiple_of(2) { "user" } else { "assistant" };
    let turns: Vec<_> =
        turns.iter().enumerate().map(|(at, text)| serde_json::json!({"role": role(at), "content": text})).collect();
    serde_json::json!({"id": id, "messages": turns}).to_string()
}

fn decided(folder: &Path) -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(folder.join("decisions.jsonl")).unwrap();
    let one = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        (line["id"].to_string(), line["fate"].as_str().unwrap().to_owned(), line["winner"].to_string())
    };
    text.lines().map(one).collect()
}

/// Lines to decisions: id, fate, winner.
fn decide(lines: &[String]) -> Vec<(String, String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let out = folder.path().join("out");
    let (report, refusal) = run(&options(&[&file], &out)).unwrap();
    assert!(refusal.is_none());
    let kept = std::fs::read_to_string(out.join("kept.jsonl")).unwrap();
    let decisions = decided(&out);
    let stays: Vec<&str> =
        lines.iter().zip(&decisions).filter(|(_, one)| one.1 == "keep").map(|(line, _)| line.as_str()).collect();
    assert_eq!(kept.lines().collect::<Vec<_>>(), stays);
    assert_eq!(report.read, report.kept + report.exact + report.prefix + report.near + report.rejected);
    decisions
}

#[test]
fn what_becomes_of_a_record_and_why() {
    let (long, other) = (words(0, 60), words(100, 160));
    let near = long.replacen("wda ", "changed ", 1);
    let text = |id: u32, text: &str| serde_json::json!({"id": id, "text": text}).to_string();
    let lines = [
        chat("a", &[&long, &long]),
        chat("a copy", &[&long, &long]),
        chat("a near", &[&near, &near]),
        chat("near in the answer", &[&long, &near]),
        chat("other answer", &[&long, &other]),
        chat("went on", &[&other, "yes", "and then", &long]),
        chat("snapshot", &[&other, "yes"]),
        chat("short", &["Good day to you", "And to you"]),
        chat("short, case", &["good  day to YOU", "and to you"]),
        chat("short, other", &["good day to us", "and to you"]),
        chat("digits", &[&format!("{other} 12"), &other]),
        chat("digits, other", &[&format!("{other} 13"), &other]),
        text(1, &long),
        text(2, &near),
        text(3, "hello"),
        "{\"messages\":[".to_owned(),
        "{\"note\":1}".to_owned(),
    ];
    let got = decide(&lines);
    let fates: Vec<(&str, &str, &str)> =
        got.iter().map(|(id, fate, winner)| (id.trim_matches('"'), fate.as_str(), winner.trim_matches('"'))).collect();
    assert_eq!(
        fates,
        [
            ("a", "keep", "null"),
            ("a copy", "exact", "a"),
            ("a near", "near", "a"),
            ("near in the answer", "near", "a"),
            ("other answer", "keep", "null"),
            ("went on", "keep", "null"),
            ("snapshot", "prefix", "went on"),
            ("short", "keep", "null"),
            ("short, case", "near", "short"),
            ("short, other", "keep", "null"),
            ("digits", "keep", "null"),
            ("digits, other", "keep", "null"),
            ("1", "keep", "null"),
            ("2", "near", "1"),
            ("3", "keep", "null"),
            ("16", "reject", "null"),
            ("17", "reject", "null"),
        ]
    );
}

#[test]
fn who_follows_a_near_duplicate_ends_where_it_does() {
    let (long, end) = (words(0, 200), words(300, 340));
    let near = long.replacen("wda ", "changed ", 1);
    let lines = [
        chat("near", &["hello", &near, &end, &end]),
        chat("copy of near", &["hello", &near, &end, &end]),
        chat("snapshot of near", &["hello", &near]),
        chat("longest", &["hello", &format!("{long} and more"), &end, &end]),
    ];
    let got = decide(&lines);
    let fates: Vec<&str> = got.iter().map(|one| one.1.as_str()).collect();
    assert_eq!(fates, ["near", "exact", "prefix", "keep"]);
    assert!(got[..3].iter().all(|one| one.2 == "\"longest\""), "{got:?}");
}

#[test]
fn packed_files_and_arrays_give_the_same_decisions() {
    let long = words(0, 60);
    let lines: Vec<String> =
        (0..40).map(|n| chat(&n.to_string(), &[&format!("{long} {}", words(n % 7, n % 7 + 3)), &long])).collect();
    let (text, array) = (lines.join("\n"), format!("[\n{}\n]", lines.join(",\n")));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let expected = decide(&lines);
    for (name, bytes) in [
        ("a.jsonl.gz", gzip.finish().unwrap()),
        ("a.jsonl.zst", zstd::encode_all(text.as_bytes(), 1).unwrap()),
        ("a.json", array.into_bytes()),
    ] {
        let (file, out) = (folder.path().join(name), folder.path().join("out"));
        std::fs::write(&file, bytes).unwrap();
        run(&options(&[&file], &out)).unwrap();
        assert_eq!(decided(&out), expected, "{name}");
        let kept = std::fs::read_to_string(out.join("kept.jsonl")).unwrap();
        assert!(kept.lines().all(|line| lines.iter().any(|one| one == line)), "{name}");
    }
}

#[test]
fn losing_most_is_refused_unless_it_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("in.jsonl"), folder.path().join("out"));
    // Copies are certain, and no reason to refuse.
    std::fs::write(&file, vec![chat("x", &["all", "the same"]); 120].join("\n")).unwrap();
    let (report, refusal) = run(&options(&[&file], &out)).unwrap();
    assert_eq!((report.kept, report.exact, refusal.is_none()), (1, 119, true));
    std::fs::remove_file(out.join("kept.jsonl")).unwrap();
    let asked = |n: u32| format!("{} {}", words(0, 60), words(500 + n, 501 + n));
    let near: Vec<String> = (0..120).map(|n| chat("x", &[asked(n).as_str(), "the same"])).collect();
    std::fs::write(&file, near.join("\n")).unwrap();
    let mut options = options(&[&file], &out);
    let (report, refusal) = run(&options).unwrap();
    assert!(report.near > 100, "{}", report.near);
    assert_eq!(refusal.unwrap().exit() as i32, 10);
    assert!(!out.join("kept.jsonl").exists() && out.join("decisions.jsonl").exists());
    assert_eq!(report.warnings.len(), 2);
    options.guards.allow_wipeout = true;
    assert!(run(&options).unwrap().1.is_none());
    assert!(out.join("kept.jsonl").exists());
    let own = Options { inputs: vec![Location::File(out.join("kept.jsonl"))], ..options };
    assert!(run(&own).is_err(), "an input is never written over");
}

/// A conversation out of few pieces, so that all kinds of duplicates come up.
fn some_chat() -> impl Strategy<Value = Vec<String>> {
    let text = (0u32..4, 0u32..3, prop::bool::ANY).prop_map(|(from, change, short)| {
        let long = if short { words(from, from + 4) } else { words(from * 100, from * 100 + 40) };
        match change {
            0 => long,
            1 => long.to_uppercase(),
            _ => format!("{long} {change}"),
        }
    });
    prop::collection::vec(text, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn neither_threads_nor_chunks_show(chats in prop::collection::vec(some_chat(), 1..60)) {
        let lines: Vec<String> = chats
            .iter()
            .enumerate()
            .map(|(n, turns)| chat(&n.to_string(), &turns.iter().map(String::as_str).collect::<Vec<_>>()))
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let (file, out) = (folder.path().join("in.jsonl"), folder.path().join("out"));
        std::fs::write(&file, lines.join("\n")).unwrap();
        let mut first: Option<Vec<Vec<u8>>> = None;
        for (threads, chunk_bytes) in [(1, 1 << 20), (2, 64), (8, 4096), (8, 1)] {
            run(&Options {
                threads,
                chunk_bytes,
                guards: Guards { allow_wipeout: true, ..Guards::default() },
                ..options(&[&file], &out)
            })
            .unwrap();
            let written = ["decisions.jsonl", "edges.jsonl", "kept.jsonl"].map(|name| std::fs::read(out.join(name)).unwrap());
            let first = first.get_or_insert(written.to_vec());
            prop_assert_eq!(&written.to_vec(), first);
        }
        // Who is dropped has a winner that stays; and of what stays nothing more is to be dropped.
        let decisions = decided(&out);
        let kept: Vec<&String> = decisions.iter().filter(|one| one.1 == "keep").map(|one| &one.0).collect();
        prop_assert!(decisions.iter().all(|one| one.1 == "keep" || kept.contains(&&one.2)));
        let again = folder.path().join("again");
        let (report, _) = run(&options(&[&out.join("kept.jsonl")], &again)).unwrap();
        prop_assert_eq!((report.exact, report.prefix, report.near), (0, 0, 0));
    }
}

#[test]
fn records_that_repeat_a_benchmark_are_dropped_or_told() {
    let folder = tempfile::tempdir().unwrap();
    let (question, other) = (words(0, 40), words(200, 240));
    let bench = folder.path().join("bench.jsonl");
    let rows = [
        chat("q1", &[&question, "Yes."]),
        serde_json::json!({"id": 7, "text": other}).to_string(),
        chat("q3", &["never asked", "x"]),
        "{\"messages\": [".to_owned(),
    ];
    std::fs::write(&bench, rows.join("\n")).unwrap();
    let lines = [
        chat("a", &["something else", "fine"]),
        chat("b", &[&question.to_uppercase(), "An answer of its own"]),
        chat("c", &[&format!("please translate: {other} thanks"), "done"]),
        chat("b2", &[&question.to_uppercase(), "An answer of its own"]),
        // A snapshot of what is dropped stays where it repeats nothing itself.
        chat("s", &["well then", "go on"]),
        chat("l", &["well then", "go on", &question, "so"]),
    ];
    let file = folder.path().join("in.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let out = folder.path().join("out");
    let settings = Looking { prompt: true, answer: true, ngram_words: 13, min_overlap: 0.5 };
    let benchmarks = vec![("eval".to_owned(), Location::File(bench))];
    let against = Against { benchmarks, settings, drop: true };
    let options = Options { against: Some(against.clone()), ..options(&[&file], &out) };
    let (report, _) = run(&options).unwrap();
    assert_eq!((report.kept, report.contaminated), (2, 4));
    let told = &report.benchmarks[0];
    assert_eq!((told.rows, told.rows_unread, told.rows_met, told.records), (3, 1, 2, 4));
    let fates: Vec<_> = decided(&out).into_iter().map(|one| one.1).collect();
    assert_eq!(fates, ["keep", "contaminated", "contaminated", "contaminated", "keep", "contaminated"]);
    let decisions = std::fs::read_to_string(out.join("decisions.jsonl")).unwrap();
    let line = |at: usize| serde_json::from_str::<serde_json::Value>(decisions.lines().nth(at).unwrap()).unwrap();
    assert_eq!((&line(1)["benchmark_row"], &line(1)["rule"]), (&"q1".into(), &"benchmark_prompt".into()));
    assert_eq!((&line(2)["benchmark_row"], &line(2)["rule"]), (&7.into(), &"benchmark_ngrams".into()));
    assert!(line(0).get("benchmark").is_none() && line(1)["winner"].is_null());
    let (report, _) = run(&Options { against: Some(Against { drop: false, ..against }), ..options }).unwrap();
    assert_eq!((report.contaminated, report.exact, report.prefix), (0, 1, 1));
    assert!(
        std::fs::read_to_string(out.join("decisions.jsonl")).unwrap().contains("\"fate\":\"keep\",\"winner\":null")
    );
}

/// Chats of one day: some of them copies, snapshots or near copies of other days'.
fn day(number: u32) -> String {
    let mut lines = Vec::new();
    for n in 0..8 {
        let (shared, own) =
            (words(n * 50, n * 50 + 40), words(1000 * (number + 1) + n * 50, 1000 * (number + 1) + n * 50 + 40));
        lines.push(match (n + number) % 5 {
            0 => {
                chat(&format!("{number}-{n}"), &[&shared, "Fine.", &own, "So it is."][..2 + 2 * (number % 2) as usize])
            }
            1 => chat(&format!("{number}-{n}"), &[&shared, &*shared]),
            2 => chat(&format!("{number}-{n}"), &[&format!("{shared} too"), &shared]),
            3 => chat(&format!("{number}-{n}"), &[&own, &own]),
            _ => "{\"broken\": ".to_owned(),
        });
    }
    lines.join("\n")
}

/// What was written, without the report, which names files.
fn written(out: &Path) -> Vec<String> {
    ["decisions.jsonl", "edges.jsonl", "kept.jsonl"].map(|name| std::fs::read_to_string(out.join(name)).unwrap()).into()
}

#[test]
fn days_with_an_index_decide_as_one_run_without() {
    let folder = tempfile::tempdir().unwrap();
    let (index, out, cold) = (folder.path().join("index"), folder.path().join("out"), folder.path().join("cold"));
    let segments = || {
        let entries = std::fs::read_dir(&index).unwrap().map(|entry| entry.unwrap());
        let time = |entry: std::fs::DirEntry| (entry.path(), entry.metadata().unwrap().modified().unwrap());
        entries.map(time).collect::<std::collections::BTreeMap<_, _>>()
    };
    let mut files: Vec<std::path::PathBuf> = Vec::new();
    let mut before = std::collections::BTreeMap::new();
    for number in 0..6 {
        let file = folder.path().join(format!("day{number}.jsonl"));
        std::fs::write(&file, day(number)).unwrap();
        files.push(file);
        let inputs: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
        run(&Options { index: Some(index.clone()), ..options(&inputs, &out) }).unwrap();
        run(&options(&inputs, &cold)).unwrap();
        assert_eq!(written(&out), written(&cold), "day {number}");
        let now = segments();
        assert!(before.iter().all(|(path, time)| now.get(path) == Some(time)), "an earlier day was made again");
        assert_eq!(now.len(), number as usize + 1);
        before = now;
    }
    let fates: Vec<_> = decided(&out).into_iter().map(|one| one.1).collect();
    assert!(
        ["keep", "exact", "prefix", "near", "reject"].iter().all(|fate| fates.iter().any(|one| one == fate)),
        "{fates:?}"
    );
    // A conversation is erased: its file has another segment, and the old one is gone.
    let rest = day(2).lines().skip(1).collect::<Vec<_>>().join("\n");
    std::fs::write(&files[2], rest).unwrap();
    let inputs: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
    run(&Options { index: Some(index.clone()), ..options(&inputs, &out) }).unwrap();
    run(&options(&inputs, &cold)).unwrap();
    assert_eq!(written(&out), written(&cold));
    let now = segments();
    assert_eq!((now.len(), now.keys().filter(|path| before.contains_key(*path)).count()), (6, 5));
}

#[test]
fn an_index_of_other_parameters_is_refused_and_a_damaged_one_told() {
    let folder = tempfile::tempdir().unwrap();
    let (index, out, file) = (folder.path().join("index"), folder.path().join("out"), folder.path().join("a.jsonl"));
    std::fs::write(&file, day(0)).unwrap();
    let options = Options { index: Some(index.clone()), ..options(&[&file], &out) };
    run(&options).unwrap();
    let other = Options { settings: Settings { bands: 32, ..options.settings }, ..options.clone() };
    assert!(matches!(run(&other), Err(Error::Usage(what)) if what.contains("other settings")));
    let segment = std::fs::read_dir(&index).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&segment).unwrap();
    assert!(!String::from_utf8_lossy(&whole).contains("broken"), "no text in it");
    for at in [3, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&segment, bytes).unwrap();
        assert!(matches!(run(&options), Err(Error::Damaged { .. } | Error::Usage(_))), "{at}");
    }
    std::fs::write(&segment, &whole[..whole.len() - 9]).unwrap();
    assert!(matches!(run(&options), Err(Error::Damaged { .. })));
    std::fs::remove_file(&segment).unwrap();
    run(&options).unwrap();
}
