//! What a privacy officer asks for: canaries through the whole path, a gate that refuses, a report.

use std::collections::BTreeSet;
use std::fs;

use gristmill::config::Redact;
use gristmill::gate::Gate;
use gristmill::gate::canary::{Canary, canaries, is_gone};
use gristmill::record::ProjectKey;
use gristmill::stages::redact::{Disguise, Kind, Redactor, expand};
use serde_json::json;

use super::help::*;

/// All rows on one side, if they fall so.
const SFT: &str = "\n[[dataset]]\nname = \"all-sft\"\nkind = \"sft\"\nfrom = \"logs\"\nallow_empty_split = true\n";

fn message(role: &str, text: &str) -> serde_json::Value {
    json!({"role": role, "content": text})
}

/// Each in a conversation of its own.
fn record(canary: &Canary) -> String {
    let mut messages: Vec<_> = canary.texts.iter().map(|text| message("user", text)).collect();
    messages.push(message(
        "assistant",
        &format!("I understand; {} in {}.", canary.kind.as_str(), canary.disguise.as_str()),
    ));
    json!({"messages": messages}).to_string()
}

/// Canaries of every type in every disguise: none in the store, logs, batches or releases.
#[test]
fn no_canary_comes_through_the_whole_path() {
    let folder = tempfile::tempdir().unwrap();
    let secret = fs::read_to_string(fixture("demo.key")).unwrap();
    let (config, key) = (Redact::default(), ProjectKey::from_secret(&secret).unwrap());
    let (gate, redactor) = (Gate::new(&config, &key).unwrap(), Redactor::new(&config, &key).unwrap());
    let all: Vec<Canary> = canaries(&gate, &key).collect();
    let kinds: BTreeSet<&str> = all.iter().map(|canary| canary.kind.as_str()).collect();
    let asked = Kind::ALL.iter().filter(|kind| gate.answers(**kind) && **kind != Kind::Custom).count();
    let disguises: BTreeSet<&str> = all.iter().map(|canary| canary.disguise.as_str()).collect();
    assert_eq!((kinds.len(), disguises.len()), (asked, Disguise::ALL.len()));

    // What redaction is known to miss (values of a weak form cut in two, names in disguise) is counted,
    // and published as such; all else must be gone.
    let (gone, missed): (Vec<_>, Vec<_>) = all.iter().partition(|canary| is_gone(&redactor, canary));
    assert!(missed.len() * 5 < all.len(), "{} of {} are missed", missed.len(), all.len());
    let raw =
        write(&folder.path().join("raw.jsonl"), gone.iter().map(|canary| record(canary) + "\n").collect::<String>());
    let rubric = root().join("pipelines/rubrics/support-quality.toml");
    let sections = format!(
        "{FROM_LOGS}\n[[sample]]\nname = \"quality\"\nrubric = {:?}\nrows = 200\n",
        rubric.display().to_string()
    );
    let job = write(&folder.path().join("job.toml"), pipeline("canaries", &[(raw, "")]) + &sections);
    let store = folder.path().join("store");
    let ran = Ran::of(machine(&job, &store).arg("--json").output().expect("gristmill starts")).expect(0);
    let outcome = ran.json();
    assert_eq!(outcome["canaries"]["planted"], all.len());
    assert_eq!(outcome["canaries"]["gone"], gone.len());

    // Short ones stand anywhere by chance: an age, a PIN.
    let long = gone.iter().flat_map(|canary| &canary.needles).filter(|needle| needle.len() >= 8);
    let needles: Vec<String> =
        long.cloned().collect::<BTreeSet<_>>().into_iter().filter(|one| !one.contains("T10:")).collect();
    assert!(needles.len() > 1000, "{}", needles.len());
    let mut texts = readable(&store);
    texts.push(("stdout".into(), ran.out.into_bytes()));
    texts.push(("stderr".into(), ran.err.into_bytes()));
    assert_absent(&needles, &texts);
    let released = outcome["releases"].as_array().unwrap();
    assert!(released.iter().any(|release| release["counts"]["gate_rows"].as_u64() > Some(500)), "{released:?}");
    assert!(released.iter().all(|release| release["counts"]["gate_leaks"] == 0), "{released:?}");
    verify(&store);
}

/// Somebody's rewrite holds an address that the policy does not look for in logs, but the gate does
/// once the policy is a stricter one: the release is refused and says where.
#[test]
fn a_release_with_a_leak_is_refused_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let token = expand("k3y-{hex:20}");
    let asked = |text: &str| json!({"messages": [message("user", text), message("assistant", "ok, done")]}).to_string();
    // The label tells one; the other is the same value where nothing tells it.
    let lines = [asked(&format!("api_key = \"{token}\"")), asked(&format!("what is {token} good for"))];
    let raw = write(&folder.path().join("raw.jsonl"), lines.join("\n"));
    let job = write(&folder.path().join("job.toml"), pipeline("leak", &[(raw, "")]) + SFT);
    let store = folder.path().join("store");
    let ran = run(&job, &store, &[]).expect(10);
    for part in ["release gate of dataset all-sft", "messages[0].content, bytes 8 to", "API_KEY (ledger)", "train row "]
    {
        assert!(ran.err.contains(part), "{part:?} is not named in: {}", ran.err);
    }
    assert!(!ran.err.contains(&token) && !store.join("datasets/all-sft").exists());
    // The value is allowed: the ledger of the same rows refuses no more.
    let allowed = format!("\n[redact]\nallow = [{token:?}]\n");
    let text = fs::read_to_string(&job).unwrap();
    write(&job, text + &allowed);
    run(&job, &store, &[]).expect(0);
    assert!(store.join("datasets/all-sft/v0001/data").is_dir());
}

#[test]
fn a_report_tells_what_redaction_did() {
    let folder = tempfile::tempdir().unwrap();
    let asked = |text: &str| json!({"messages": [message("user", text), message("assistant", "ok, done")]}).to_string();
    let lines =
        [asked("Please write to jane@corp.example about my order."), asked("My phone is (202) 456-1414, thanks.")];
    let raw = write(&folder.path().join("raw.jsonl"), lines.join("\n"));
    let job = write(&folder.path().join("job.toml"), pipeline("report", &[(raw, "")]) + SFT);
    let store = folder.path().join("store");
    let said = run(&job, &store, &[]).expect(0).out;
    assert!(said.contains("Canaries: ") && said.contains("Release gate: all-sft v0001: no leak"), "{said}");
    let card = fs::read_to_string(store.join("evidence/all-sft/v0001/README.md")).unwrap();
    assert!(card.contains("canaries: ") && card.contains("2 rows: 0 leaks"), "{card}");
    let job = job.to_str().unwrap();
    let report = gristmill(["report", "redaction", "--json", "--pipeline", job, "--store", store.to_str().unwrap()]);
    let report = report.expect(0).json();
    assert_eq!(counts(&report["types"]), [("EMAIL".to_owned(), 1), ("PHONE".to_owned(), 1)].into());
    assert_eq!((&report["findings"], &report["records"]), (&json!(2), &json!(2)));
    assert!(report["canaries"]["types"]["EMAIL"]["planted"].as_u64() > Some(10), "{report}");
    let samples = report["samples"].as_array().unwrap();
    assert_eq!(samples.len(), 2);
    assert!(samples[0]["text"].as_str().unwrap().starts_with("Please write to [EMAIL:"), "{samples:?}");
    let text = gristmill(["report", "redaction", "--store", store.to_str().unwrap()]).expect(0).out;
    assert!(text.contains("Canaries: ") && text.contains("about my order.") && !text.contains("jane"), "{text}");
}
