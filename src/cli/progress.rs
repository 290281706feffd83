//! Progress of a run on stderr: a bar for people, JSON lines for machines, or nothing.
//!
//! Always: only stage names, counts and times are told; the thread that moves a bar ends with its
//! stage, and with the run at the latest.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::out;
use crate::runner::{Progress, StageOutcome};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// A bar, if stderr is a terminal
    Text,
    /// One JSON object a line
    Json,
}

/// Who is watching.
pub enum Shown {
    Nobody,
    Machine,
    Person(Mutex<Option<Bar>>),
}

impl Shown {
    /// A bar on a terminal, JSON lines otherwise, unless the user said which.
    pub fn new(format: Option<LogFormat>) -> Shown {
        match (format, std::io::stderr().is_terminal()) {
            (Some(LogFormat::Json), _) | (None, false) => Shown::Machine,
            (Some(LogFormat::Text), false) => Shown::Nobody,
            (Some(LogFormat::Text) | None, true) => Shown::Person(Mutex::new(None)),
        }
    }

    /// Takes away whatever is still shown.
    pub fn stop(&self) {
        self.show(None);
    }

    fn show(&self, next: Option<Bar>) {
        if let Shown::Person(bar) = self {
            // A bar holds nothing that a panic elsewhere could have left half-done.
            let before = std::mem::replace(&mut *bar.lock().unwrap_or_else(PoisonError::into_inner), next);
            drop(before);
        }
    }
}

impl Progress for Shown {
    fn begin(&self, stage: &'static str, total_bytes: u64, done: Arc<AtomicU64>) {
        match self {
            Shown::Nobody => {}
            Shown::Machine => {
                out::note(&json!({"event": "stage_begin", "stage": stage, "total_bytes": total_bytes}).to_string())
            }
            Shown::Person(_) => {
                self.stop();
                self.show(Bar::start(stage, total_bytes, done));
            }
        }
    }

    fn end(&self, stage: &StageOutcome) {
        match self {
            Shown::Nobody => {}
            Shown::Machine => out::note(&ended(stage).to_string()),
            Shown::Person(_) => self.stop(),
        }
    }
}

fn ended(stage: &StageOutcome) -> serde_json::Value {
    json!({
        "event": "stage_end",
        "stage": stage.stage,
        "cached": stage.cached,
        "records_read": stage.records_read,
        "kept": stage.kept,
        "folded": stage.folded,
        "dropped": stage.dropped,
        "rejected": stage.rejected,
        "counts": stage.counts,
        "bytes": stage.bytes,
        "seconds": stage.seconds,
    })
}

/// A bar and the thread that moves it; both are gone once it is dropped.
pub struct Bar {
    bar: ProgressBar,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

const TICK: Duration = Duration::from_millis(100);
const WITH_BYTES: &str =
    "{prefix:<8} [{bar:30}] {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
const WITHOUT: &str = "{prefix:<8} {spinner} {elapsed}";

impl Bar {
    /// None if no thread can be had: a run goes on without being watched.
    fn start(stage: &'static str, total_bytes: u64, done: Arc<AtomicU64>) -> Option<Bar> {
        let (bar, template) = match total_bytes {
            0 => (ProgressBar::new_spinner(), WITHOUT),
            _ => (ProgressBar::new(total_bytes), WITH_BYTES),
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(stage);
        let (stop, stopped) = mpsc::channel::<()>();
        let shown = bar.clone();
        let body = move || {
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                shown.set_position(done.load(Ordering::Relaxed));
                shown.tick();
            }
        };
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(body).ok()?;
        Some(Bar { bar, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_ends_with_its_stage() {
        let shown = Shown::Person(Mutex::new(None));
        let done = Arc::new(AtomicU64::new(0));
        shown.begin("ingest", 100, Arc::clone(&done));
        assert_eq!(Arc::strong_count(&done), 2);
        shown.end(&StageOutcome { stage: "ingest", ..Default::default() });
        assert_eq!(Arc::strong_count(&done), 1);
        shown.begin("dedup", 0, Arc::clone(&done));
        shown.stop();
        assert_eq!(Arc::strong_count(&done), 1);
    }

    #[test]
    fn machines_are_told_counts_and_no_places() {
        let told = ended(&StageOutcome { stage: "ingest", records_read: 3, ..Default::default() });
        assert_eq!((told["event"].as_str(), told["records_read"].as_u64()), (Some("stage_end"), Some(3)));
        assert!(told.get("first_rejects").is_none());
    }
}
