//! A run that is killed anywhere leaves nothing half-done, and the next run ends as if nothing had been.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::help::*;

/// A corpus, and what an undisturbed run makes of it and how long that takes here.
struct Lab {
    folder: TempDir,
    pipeline: PathBuf,
    undisturbed: std::collections::BTreeMap<String, String>,
    takes: Duration,
    commits: usize,
}

impl Lab {
    fn of(folder: TempDir, pipeline: PathBuf) -> Lab {
        let store = folder.path().join("undisturbed");
        let began = Instant::now();
        run(&pipeline, &store, &[]).expect(0);
        let takes = began.elapsed();
        let (undisturbed, commits) = (release_hashes(&store), log_entries(&store));
        Lab { folder, pipeline, undisturbed, takes, commits }
    }
}

/// 1,000 records, published as they are.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let raw = folder.path().join("raw");
        corpus(&raw, &["--rows", "1000", "--seed", "9"]);
        let pipeline = write(&folder.path().join("corpus.toml"), corpus_pipeline("corpus", &raw));
        Lab::of(folder, pipeline)
    })
}

fn start(lab: &Lab, store: &Path) -> Child {
    run_command(&lab.pipeline, store).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("gristmill starts")
}

/// What stands in a store after a crash is whole, and one more run ends like an undisturbed one.
fn heals(lab: &Lab, store: &Path, moment: &str) {
    nothing_half_visible(store);
    let ran = run(&lab.pipeline, store, &[]);
    assert_eq!(ran.code, 0, "rerun after a kill {moment}: {}", ran.err);
    assert_eq!(release_hashes(store), lab.undisturbed, "after a kill {moment}");
    verify(store);
    fs::remove_dir_all(store).unwrap();
}

/// Every folder where published things stand has what makes it whole.
fn nothing_half_visible(store: &Path) {
    for kind in ["layers", "evidence"] {
        for group in folders(&store.join(kind)) {
            for folder in folders(&group) {
                assert!(folder.join("manifest.json").exists(), "{} is half there", folder.display());
            }
        }
    }
    for kind in ["batches", "labels"] {
        for folder in folders(&store.join(kind)) {
            assert!(folder.join("manifest.json").exists(), "{} is half there", folder.display());
        }
    }
    for dataset in folders(&store.join("datasets")) {
        for version in folders(&dataset) {
            let names: Vec<_> = files(&version).iter().map(|path| relative(path, &version)).collect();
            assert_eq!(names, ["data/test-00000-of-00001.parquet", "data/train-00000-of-00001.parquet"]);
        }
    }
}

fn folders(below: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(below) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

/// Twenty moments spread over the time that a run takes, each with a store of its own. A run that
/// was done before its moment came only teaches how long runs take now.
#[test]
fn kill_9_at_any_time() {
    let lab = lab();
    let (mut takes, mut killed) = (lab.takes, 0);
    for attempt in 0..60 {
        // Multiples of the golden ratio spread evenly, however many are used.
        let share = (f64::from(attempt) * 0.618_034 + 0.5).fract();
        let store = lab.folder.path().join(format!("killed-{attempt}"));
        match kill_after(start(lab, &store), takes.mul_f64(share)) {
            Some(done) => takes = done,
            None => {
                killed += 1;
                heals(lab, &store, &format!("at {share:.2} of {takes:?}"));
            }
        }
        if killed == 20 {
            return;
        }
    }
    panic!("only {killed} runs could be killed before their end");
}

/// Kills after `wait`; if the process ended before, says how long it took.
fn kill_after(mut child: Child, wait: Duration) -> Option<Duration> {
    let began = Instant::now();
    while began.elapsed() < wait {
        if child.try_wait().unwrap().is_some() {
            return Some(began.elapsed());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    let ended = child.wait().unwrap();
    ended.success().then(|| began.elapsed())
}

/// Right behind each commit point, where moving into place may still be to do.
fn kill_9_behind_commits(lab: &Lab) {
    for commit in 1..=lab.commits {
        let store = lab.folder.path().join(format!("committed-{commit}"));
        let entry = store.join(format!("log/{commit:012}.json"));
        let mut child = start(lab, &store);
        let until = Instant::now() + Duration::from_secs(60);
        while !entry.exists() && Instant::now() < until {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(entry.exists(), "commit {commit} of {} came", lab.commits);
        heals(lab, &store, &format!("behind commit {commit}"));
    }
}

#[test]
fn kill_9_behind_every_commit() {
    kill_9_behind_commits(lab());
}

/// With batches, imported labels and verdicts.
#[test]
fn kill_9_behind_every_commit_of_the_quickstart() {
    let lab = Lab::of(tempfile::tempdir().unwrap(), root().join("pipelines/quickstart.toml"));
    assert!(lab.commits >= 10, "ingest, dedup, batches, labels, verdicts and releases, not {}", lab.commits);
    kill_9_behind_commits(&lab);
}

#[test]
fn signals_end_a_run_with_their_codes() {
    let lab = lab();
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let store = lab.folder.path().join(format!("signal-{signal}"));
        let child = run_command(&lab.pipeline, &store).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // Under way: the first bytes of a layer are being written aside.
        let until = Instant::now() + Duration::from_secs(60);
        while files(&store.join("staging")).is_empty() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status().unwrap();
        assert!(sent.success(), "the run ended before its signal");
        let ended = child.wait_with_output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(code), "{signal}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.contains("stopped by signal") && told.contains("run again"), "{told}");
        heals(lab, &store, signal);
    }
}
