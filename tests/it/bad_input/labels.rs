//! Label files: every line is accepted, or refused with a counted reason.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::super::help::*;
use super::Lab;

/// A pipeline that hands out three tasks, and the ids of those tasks.
fn handed_out(lab: &Lab) -> (PathBuf, Vec<String>) {
    let rubric = root().join("pipelines/rubrics/support-quality.toml");
    let more = format!("\n[[sample]]\nname = \"quality\"\nrubric = {:?}\nrows = 3\n", rubric.display().to_string());
    let pipeline = lab.pipeline(&fixture("bad/noeol.jsonl"), &more);
    run(&pipeline, &lab.store(), &["--until", "sample"]).expect(0);
    let tasks = files(&lab.store().join("batches")).into_iter().find(|path| path.ends_with("tasks.jsonl")).unwrap();
    let lines = fs::read_to_string(tasks).unwrap();
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["task_id"].as_str().unwrap().to_owned();
    let ids: Vec<String> = lines.lines().map(id).collect();
    assert_eq!(ids.len(), 3);
    (pipeline, ids)
}

fn label(task: &str, n: usize, rubric_version: &str) -> String {
    format!(
        "{{\"task_id\":{task:?},\"annotation_id\":\"a{n}\",\"annotator_id\":\"ann\",\"value\":4,\"rubric_version\":{rubric_version:?}}}\n"
    )
}

#[test]
fn labels_of_another_rubric_version_are_refused_and_counted() {
    let lab = Lab::new();
    let (pipeline, tasks) = handed_out(&lab);
    let text =
        label(&tasks[0], 0, "1") + &label(&tasks[1], 1, "2") + "no label at all\n" + &label(&"0".repeat(32), 2, "2");
    let file = write(&lab.path("labels.jsonl"), text);
    let (store, pipeline_name) = (lab.store(), pipeline.to_str().unwrap());
    let args =
        ["labels", "import", file.to_str().unwrap(), "--pipeline", pipeline_name, "--store", store.to_str().unwrap()];
    let imported = gristmill(args.iter().chain(&["--json"])).expect(0).json();
    let one = &imported["files"][0];
    assert_eq!((&one["read"], &one["accepted"]), (&4.into(), &1.into()));
    assert_eq!(counts(&one["refused"]), [("rubric_version".to_owned(), 1), ("unknown_task".to_owned(), 1)].into());
    assert_eq!(counts(&one["unreadable"]).values().sum::<u64>(), 1);
    let told = gristmill(args).expect(0);
    assert!(told.out.contains("labels.jsonl") && told.out.contains("rubric_version 1"), "{}", told.out);

    let outcome = run_json(&pipeline, &store, &[]);
    let merged = stage(&outcome, "label");
    assert_eq!((&merged["records_read"], &merged["kept"]), (&4.into(), &1.into()));
    assert_eq!(merged["rejected"]["rubric_version"], 1);
    lab.still_whole();
}

#[test]
fn a_label_file_that_is_no_label_file_is_counted_line_by_line() {
    let lab = Lab::new();
    let (pipeline, _) = handed_out(&lab);
    let file = write(&lab.path("labels.jsonl"), "one\ntwo\n\n[1]\n");
    let store = lab.store();
    let args = ["labels", "import", file.to_str().unwrap(), "--pipeline", pipeline.to_str().unwrap()];
    let imported = gristmill(args.iter().chain(&["--store", store.to_str().unwrap(), "--json"])).expect(0).json();
    let one = &imported["files"][0];
    assert_eq!((&one["read"], &one["accepted"]), (&3.into(), &0.into()));
    assert_eq!(counts(&one["unreadable"]).values().sum::<u64>(), 3);
    lab.still_whole();
}

/// Importing labels makes no store: a typo in its name must not look like an import.
#[test]
fn labels_are_not_imported_into_a_store_that_is_not_there() {
    let lab = Lab::new();
    let (pipeline, tasks) = handed_out(&lab);
    let (file, typo) = (write(&lab.path("labels.jsonl"), label(&tasks[0], 0, "2")), lab.path("stroe"));
    let args = ["labels", "import", file.to_str().unwrap(), "--pipeline", pipeline.to_str().unwrap()];
    gristmill(args.iter().chain(&["--store", typo.to_str().unwrap()])).expect(2).tells(&["stroe", "no store"]);
    assert!(!typo.exists());
}
