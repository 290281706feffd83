//! A bad pipeline or rubric file stops the run at once: exit 2, and file, line and key are named.

use std::fs;

use super::super::help::*;
use super::Lab;

#[test]
fn a_glob_that_matches_nothing_stops_the_run() {
    let lab = Lab::new();
    let pipeline = lab.pipeline(&lab.path("typo-*.jsonl"), FROM_LOGS);
    lab.stops(&pipeline, 2, &["bad.toml", "typo-*.jsonl", "matches no file"]);
}

#[test]
fn a_missing_pipeline_file_is_named() {
    let lab = Lab::new();
    lab.stops(&lab.path("none.toml"), 2, &["none.toml", "no such file"]);
}

/// A line that does not belong into the pipeline file: the error names file, line and key.
fn wrong_line(after: &str, wrong: &str, key: &str) {
    let lab = Lab::new();
    let good = fs::read_to_string(lab.pipeline(&fixture("bad/noeol.jsonl"), FROM_LOGS)).unwrap()
        + "\n[redact]\nphone_regions = [\"US\"]\n\n[dedup.near]\nmethod = \"minhash\"\n\n[label]\nmin_annotations = 1\n";
    let line = good.lines().position(|line| line == after).expect("the line before") + 2;
    let mut lines: Vec<&str> = good.lines().collect();
    lines.insert(line - 1, wrong);
    let pipeline = write(&lab.path("wrong.toml"), lines.join("\n"));
    lab.stops(&pipeline, 2, &[&format!("wrong.toml:{line}: "), key]);
}

#[test]
fn an_unknown_key_of_pipeline_is_named() {
    wrong_line("[pipeline]", "sede = 3", "`sede`");
}

#[test]
fn an_unknown_key_of_ingest_is_named() {
    wrong_line("[ingest]", "max_rejects = 0.1", "`max_rejects`");
}

#[test]
fn an_unknown_key_of_redact_is_named() {
    wrong_line("[redact]", "kinds = []", "`kinds`");
}

#[test]
fn an_unknown_key_of_dedup_is_named() {
    wrong_line("method = \"minhash\"", "min_jacard = 0.9", "`min_jacard`");
}

#[test]
fn an_unknown_key_of_a_dataset_is_named() {
    wrong_line("name = \"all-sft\"", "min_ratings = 3", "`min_ratings`");
}

#[test]
fn an_unknown_section_is_named() {
    wrong_line("method = \"minhash\"", "[export]", "`export`");
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_its_key() {
    wrong_line("[ingest]", "max_reject_share = \"few\"", "max_reject_share");
}

#[test]
fn a_line_that_is_no_toml_is_named() {
    wrong_line("[label]", "deadline = ", "");
}

/// `method = "off"` has no settings; one that stands there was meant for something.
#[test]
fn a_setting_beside_near_off_is_unknown() {
    let lab = Lab::new();
    let more = format!("{FROM_LOGS}\n[dedup.near]\nmethod = \"off\"\nmin_jacard = 0.9\n");
    let pipeline = lab.pipeline(&fixture("bad/noeol.jsonl"), &more);
    lab.stops(&pipeline, 2, &["bad.toml:", "`min_jacard`"]);
}

#[test]
fn an_unknown_key_of_a_rubric_is_named() {
    let lab = Lab::new();
    write(&lab.path("rubric.toml"), "name = \"r\"\nversion = \"1\"\ntask = \"rewrite\"\ninstruction = \"Write.\"\n");
    let more = format!("{FROM_LOGS}\n[[sample]]\nname = \"w\"\nrubric = \"rubric.toml\"\nrows = 3\n");
    let pipeline = lab.pipeline(&fixture("bad/noeol.jsonl"), &more);
    lab.stops(&pipeline, 2, &["rubric.toml:4: ", "`instruction`"]);
}

#[test]
fn sql_that_cannot_be_read_names_its_key_and_nothing_of_the_data() {
    let lab = Lab::new();
    let more = format!("{FROM_LOGS}\nwhere = \"lengthy(content > 3\"\n");
    let more = more
        .replace("[[dataset]]\nname = \"all-preference\"", "[[dataset]]\nname = \"chosen-sft\"")
        .replace("kind = \"preference\"", "kind = \"sft\"");
    let pipeline = lab.pipeline(&fixture("bad/noeol.jsonl"), &more);
    let ran = run(&pipeline, &lab.store(), &[]).expect(2);
    ran.tells(&["bad.toml", "dataset chosen-sft: where"]);
    assert_eq!(release_hashes(&lab.store()), lab.before, "a bad config publishes nothing");
    lab.still_whole();
}

/// A config that cannot be right stops the run before its first commit, not after hours.
#[test]
fn bad_settings_of_a_late_stage_stop_the_run_at_once() {
    for (wrong, told) in [
        ("[label]\nfiles = [\"none/*.jsonl\"]\n", "none/*.jsonl"),
        ("[label]\ndeadline = \"tomorrow\"\n", "label.deadline"),
    ] {
        let lab = Lab::new();
        let pipeline = lab.pipeline(&fixture("bad/noeol.jsonl"), wrong);
        lab.stops(&pipeline, 2, &["bad.toml", told]);
    }
}

/// Letters that mean something in a glob may stand in the name of the pipeline's folder.
#[test]
fn a_folder_with_brackets_is_a_folder() {
    let lab = Lab::new();
    let folder = lab.path("logs[2026]");
    fs::create_dir(&folder).unwrap();
    fs::copy(fixture("bad/noeol.jsonl"), folder.join("a.jsonl")).unwrap();
    let text = pipeline("brackets", &[("a.jsonl".into(), "openai-chat")]);
    let outcome = run_json(&write(&folder.join("p.toml"), text), &lab.path("other-store"), &["--until", "redact"]);
    assert_eq!(stage(&outcome, "ingest")["kept"], 3);
}
