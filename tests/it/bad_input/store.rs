//! A store that is in use, newer, damaged or full is left as it was.

use std::fs::{self, File};
use std::path::Path;

use super::super::help::*;
use super::{Lab, good};

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let lab = Lab::new();
    let pipeline = lab.pipeline(&fixture("bad/noeol.jsonl"), FROM_LOGS);
    let mark = lab.store().join("gristmill.json");
    let mine = fs::read(&mark).unwrap();
    write(&mark, r#"{"store_version": 99, "new_thing": true}"#);
    let before: Vec<_> = files(&lab.store()).iter().map(|path| sha256(path)).collect();
    let told = ["store", "newer gristmill", "99"];
    run(&pipeline, &lab.store(), &[]).expect(2).tells(&told);
    gristmill(["datasets", "list", "--store", lab.store().to_str().unwrap()]).expect(2).tells(&told);
    assert_eq!(files(&lab.store()).iter().map(|path| sha256(path)).collect::<Vec<_>>(), before, "nothing was touched");
    write(&mark, mine);
    lab.still_whole();
}

#[test]
fn a_store_in_use_is_not_written_by_another() {
    let lab = Lab::new();
    let pipeline = lab.pipeline(&fixture("bad/noeol.jsonl"), FROM_LOGS);
    let lock = File::options().read(true).write(true).open(lab.store().join("lock")).unwrap();
    lock.try_lock().unwrap();
    lab.stops(&pipeline, 20, &["store", "in use by", "run again"]);
    let list = gristmill(["datasets", "list", "--store", lab.store().to_str().unwrap()]).expect(0);
    assert!(list.out.contains("all-sft"), "readers are not in the way");
    drop(lock);
    run(&pipeline, &lab.store(), &[]).expect(0);
}

/// A store that cannot be made. That a folder is read-only by its mode or mount is not tested: it
/// does not bind root, whom containers run tests as. Both end in the same error of the system.
#[test]
fn a_store_that_cannot_be_written_is_an_io_error() {
    let lab = Lab::new();
    let pipeline = lab.pipeline(&fixture("bad/noeol.jsonl"), FROM_LOGS);
    let file = write(&lab.path("file"), "no folder");
    run(&pipeline, &file.join("store"), &[]).expect(21).tells(&["file/store", "Not a directory"]);
    assert_eq!(fs::read_to_string(file).unwrap(), "no folder");
    lab.still_whole();
}

/// A limit on the size of files stands in for a full disk: writing fails in the middle.
#[test]
fn a_write_that_fails_stops_the_run_before_the_commit() {
    let lab = Lab::new();
    let pipeline = lab.pipeline(&fixture("raw/gateway-2026-10-01.jsonl"), FROM_LOGS);
    let entries = log_entries(&lab.store());
    // The signal that goes with the limit would end the program before it could say anything.
    let limited = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 20; exec \"$@\"", "sh", GRISTMILL, "run", "--log-format", "text"])
        .args([&pipeline, Path::new("--store"), &lab.store()])
        .output()
        .unwrap();
    let told = String::from_utf8(limited.stderr).unwrap();
    assert_eq!(limited.status.code(), Some(21), "{told}");
    assert!(told.lines().count() == 1 && told.contains("staging/") && told.contains("File too large"), "{told}");
    assert_eq!(log_entries(&lab.store()), entries, "nothing was committed");
    assert_eq!(release_hashes(&lab.store()), lab.before);
    lab.still_whole();
    run(&pipeline, &lab.store(), &[]).expect(0);
    lab.still_whole();
}

/// A damaged release is never built upon silently.
#[test]
fn a_changed_data_file_is_found() {
    let lab = Lab::new();
    let data = lab.store().join("datasets/all-sft/v0001/data/train-00000-of-00001.parquet");
    let mut bytes = fs::read(&data).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    write(&data, bytes);
    let ran = gristmill(["datasets", "verify", "--store", lab.store().to_str().unwrap()]).expect(11);
    assert!(ran.out.contains("datasets/all-sft/v0001/data/train-00000-of-00001.parquet"), "{}", ran.out);
}

/// A layer that was damaged on disk and is needed again.
#[test]
fn a_damaged_layer_stops_the_run_and_is_named() {
    let lab = Lab::new();
    let damaged = files(&lab.store().join("layers/redacted"))
        .into_iter()
        .filter(|path| relative(path, &lab.store()).contains("/part-"))
        .max_by_key(|path| fs::metadata(path).unwrap().len())
        .unwrap();
    let whole = fs::read(&damaged).unwrap();
    write(&damaged, &whole[..whole.len() - 100]);
    let again = FROM_LOGS.replace("all-sft", "other-sft");
    let pipeline = write(&lab.path("again.toml"), pipeline("good", &good()) + &again);
    run(&pipeline, &lab.store(), &[]).expect(11).tells(&[&relative(&damaged, &lab.store()), "damaged"]);
    assert_eq!(release_hashes(&lab.store()), lab.before);
    write(&damaged, whole);
    lab.still_whole();
}
