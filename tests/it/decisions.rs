//! What dedup decided, looked at from the command line.

use super::help::*;

#[test]
fn decisions_are_shown_with_both_texts_and_tested_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    run(&root().join("pipelines/quickstart.toml"), &store, &["--until", "dedup"]).expect(0);
    let store = store.to_str().unwrap();
    let retest = |share: &str| gristmill(["decisions", "retest", "--min-jaccard", share, "--store", store, "--json"]);
    let same = retest("0.8").expect(0).json();
    assert_eq!(same["near_duplicates"], same["stored_near_duplicates"]);
    assert_eq!(
        (same["kept_again"].as_array().unwrap().len(), same["near_duplicates"].as_u64().unwrap() > 0),
        (0, true)
    );
    let strict = retest("0.96").expect(0).json();
    let kept = strict["kept_again"].as_array().unwrap();
    assert!(!kept.is_empty() && strict["near_duplicates"].as_u64() < same["near_duplicates"].as_u64());
    retest("0.5").expect(2).tells(&["0.5", "[dedup.near]"]);

    let id = kept[0].as_str().unwrap();
    let shown = gristmill(["decisions", "show", id, "--store", store]).expect(0).out;
    assert!(shown.contains(id) && shown.contains("[-") && shown.contains("{+") && shown.contains("Jaccard"), "{shown}");
    let json = gristmill(["decisions", "show", id, "--store", store, "--json"]).expect(0).json();
    assert_eq!(json[0]["fate"], "near_duplicate");
    assert!(!json[0]["winner_messages"].as_array().unwrap().is_empty());
    gristmill(["decisions", "show", "0000", "--store", store]).expect(2).tells(&["0000"]);
}
