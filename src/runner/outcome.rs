//! What a run did, as `run --json` prints it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::config::Loaded;
use crate::gate::canary::Recall;
use crate::store::Books;

#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    pub run_id: String,
    pub pipeline: String,
    pub store: String,
    pub stages: Vec<StageOutcome>,
    pub batches: Vec<BatchOutcome>,
    pub releases: Vec<ReleaseOutcome>,
    /// What became of the canaries, if any were planted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canaries: Option<Recall>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct StageOutcome {
    pub stage: &'static str,
    pub records_read: u64,
    pub kept: u64,
    pub folded: u64,
    pub dropped: BTreeMap<String, u64>,
    pub rejected: BTreeMap<String, u64>,
    pub bytes: u64,
    pub seconds: f64,
    /// Nothing was to be done: every key was there.
    pub cached: bool,
    /// Further counts by name: findings by type, skipped pairs and the like.
    pub counts: BTreeMap<String, u64>,
    /// The first places of rejects: file, line, reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first_rejects: Vec<RejectPlace>,
}

#[derive(Clone, Debug, Serialize)]
pub struct RejectPlace {
    pub source: String,
    pub line: u64,
    pub start_byte: u64,
    pub end_byte: u64,
    pub reason: String,
    /// What can be done about it.
    pub advice: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
pub struct BatchOutcome {
    pub batch_id: String,
    pub name: String,
    pub task_type: String,
    pub tasks: u64,
    pub path: String,
    pub new: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct ReleaseOutcome {
    pub dataset: String,
    pub version: u32,
    pub rows: u64,
    pub splits: BTreeMap<String, u64>,
    pub path: String,
    pub manifest_sha256: String,
    /// What the gate checked, and what became of canaries.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
    pub new: bool,
}

impl Outcome {
    pub fn new(loaded: &Loaded, store: &Path) -> Outcome {
        // Unique enough to tell runs apart in logs; nothing is derived from it.
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Outcome {
            run_id: format!("{:x}-{:x}", since.as_millis(), std::process::id()),
            pipeline: loaded.pipeline.pipeline.name.clone(),
            store: store.display().to_string(),
            stages: Vec::new(),
            batches: Vec::new(),
            releases: Vec::new(),
            canaries: None,
        }
    }
}

impl StageOutcome {
    pub fn of(stage: &'static str, books: &Books, counts: BTreeMap<String, u64>) -> StageOutcome {
        let Books { records_read, kept, folded, dropped, rejected, bytes } = books.clone();
        StageOutcome { stage, records_read, kept, folded, dropped, rejected, bytes, counts, ..Default::default() }
    }
}
