//! Commands that need no pipeline: scan, redact, rules.

use std::fs;

use serde_json::Value;

use super::help::{Ran, command, fixture, gristmill, root, write};

fn lines(ran: &Ran) -> Vec<Value> {
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn scan_names_places_and_never_values() {
    let folder = tempfile::tempdir().unwrap();
    let chat = r#"{"id":1,"messages":[{"role":"user","content":"my ssn is 123-45-"},{"role":"assistant","content":"go on"},{"role":"user","content":"6789"}],"user":{"email":"jane\u0040corp.example"}}"#;
    let file = write(&folder.path().join("chats.jsonl"), format!("{{\"text\":\"nothing\"}}\n{chat}\n"));
    let ran = gristmill(["scan", file.to_str().unwrap(), "--json"]).expect(10);
    let found: Vec<_> = lines(&ran)
        .iter()
        .map(|one| {
            let keys: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(
                keys.iter().collect::<std::collections::BTreeSet<_>>(),
                ["path", "line", "field", "start_byte", "end_byte", "type", "rule", "rule_version", "score"]
                    .iter()
                    .collect()
            );
            (
                one["line"].as_u64().unwrap(),
                one["field"].as_str().unwrap().to_owned(),
                one["type"].as_str().unwrap().to_owned(),
                one["start_byte"].as_u64().unwrap(),
                one["end_byte"].as_u64().unwrap(),
            )
        })
        .collect();
    let at = |field: &str, kind: &str, start, end| (2, field.to_owned(), kind.to_owned(), start, end);
    assert_eq!(
        found,
        [
            at("$.messages[0].content", "SSN", 10, 17),
            at("$.messages[2].content", "SSN", 0, 4),
            at("$.user.email", "EMAIL", 0, 17),
        ]
    );
    for form in [&[][..], &["--json"], &["--sarif"]] {
        let ran = gristmill([&["scan", file.to_str().unwrap()], form].concat()).expect(10);
        assert!(!ran.out.contains("jane") && !ran.out.contains("123-45") && !ran.err.contains("jane"), "{}", ran.out);
    }
    gristmill(["scan", file.to_str().unwrap(), "--types", "CARD"]).expect(0);
    gristmill(["scan", file.to_str().unwrap(), "--exit-zero"]).expect(0);
}

#[test]
fn scan_reads_packed_files_folders_and_standard_input() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    write(&folder.path().join("a/notes.txt"), "call jane@corp.example\n");
    write(&folder.path().join("clean.md"), "nothing here\n");
    let packed = zstd::encode_all(&b"{\"t\":\"jane@corp.example\"}\n"[..], 3).unwrap();
    write(&folder.path().join("log.jsonl.zst"), packed);
    let ran = gristmill(["scan", folder.path().to_str().unwrap(), "--json"]).expect(10);
    let fields: Vec<_> = lines(&ran).iter().map(|one| one["field"].as_str().unwrap().to_owned()).collect();
    assert_eq!(fields, ["", "$.t"]);
    let mut child = command()
        .args(["scan", "-", "--json"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"mail jane@corp.example").unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap()).expect(10);
    assert_eq!(lines(&ran)[0]["start_byte"], 5);
}

/// What of this repository may hold values is named in `.gristmillignore`, with the reason.
#[test]
fn scan_of_this_repository_is_clean() {
    let tracked = std::process::Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let Some(tracked) = tracked.ok().filter(|ran| ran.status.success()) else {
        return eprintln!("SKIP: no git, so what belongs to the repository is not known");
    };
    // A copy without what builds leave behind.
    let folder = tempfile::tempdir().unwrap();
    for name in String::from_utf8(tracked.stdout).unwrap().split_terminator('\0') {
        let (from, to) = (root().join(name), folder.path().join(name));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        if from.is_file() {
            fs::copy(from, to).unwrap();
        }
    }
    let ran = gristmill(["scan", folder.path().to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn redact_keeps_the_shape_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.jsonl");
    let ledger = folder.path().join("ledger.jsonl");
    let input = fixture("formats/openai-chat.jsonl");
    let redact = |out: &std::path::Path| {
        let mut command = command();
        command.args(["redact", input.to_str().unwrap(), "-o", out.to_str().unwrap(), "--json"]);
        command.args(["--findings", ledger.to_str().unwrap()]).env("GRISTMILL_KEY", "a key for this test alone");
        Ran::of(command.output().unwrap()).expect(0).json()
    };
    let summary = redact(&out);
    let (raw, redacted) = (fs::read_to_string(&input).unwrap(), fs::read_to_string(&out).unwrap());
    assert_eq!(raw.lines().count(), redacted.lines().count());
    let keys = |line: &str| -> Option<Vec<String>> {
        let value: Value = serde_json::from_str(line).ok()?;
        Some(value.as_object()?.keys().cloned().collect())
    };
    for (raw, redacted) in raw.lines().zip(redacted.lines()) {
        assert_eq!(keys(raw), keys(redacted));
    }
    let rows = fs::read_to_string(&ledger).unwrap().lines().count() as u64;
    let counted: u64 = summary["findings"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert!(rows > 0 && rows == counted, "{rows} rows, {counted} counted");
    let again = folder.path().join("again.jsonl");
    redact(&again);
    assert_eq!(fs::read(&again).unwrap(), redacted.as_bytes(), "the same key gives the same file");
    gristmill(["scan", out.to_str().unwrap()]).expect(0);
    gristmill(["redact", input.to_str().unwrap(), "-o", input.to_str().unwrap()]).expect(2).tells(&["one file"]);
}

#[test]
fn rules_are_listed_explained_and_hold() {
    let all = lines(&gristmill(["rules", "list", "--json"]).expect(0));
    let secrets = all.iter().filter(|rule| rule["group"] == "secret").count();
    assert!(secrets >= 220, "{secrets}");
    // What a model finds is the model's: its rules have no texts of ours.
    let (models, own): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|rule| rule["id"].as_str().is_some_and(|id| id.starts_with("model.")));
    assert!(own.iter().all(|rule| rule["examples"].as_u64() > Some(0) && rule["look_alikes"].as_u64() > Some(0)));
    assert!(!models.is_empty() && models.iter().all(|rule| rule["examples"] == 0));
    let explained = gristmill(["rules", "explain", all[0]["id"].as_str().unwrap()]).expect(0).out;
    assert!(explained.contains("source") && explained.contains("leaves alone"), "{explained}");
    gristmill(["rules", "explain", "no.such"]).expect(2).tells(&["no.such"]);
    let tested = gristmill(["rules", "test", "--json"]).expect(0).json();
    assert_eq!(tested["rules"].as_u64().unwrap() as usize, own.len());
}
