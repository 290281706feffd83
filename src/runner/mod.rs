//! The path in order. For each stage: is its key already there? If not: plan, run, balance the
//! books, commit.
//!
//! Not here: what a stage does (`stages`), how its plans are executed (`engine`), what a person
//! sees of it (`cli`, `report`).
//!
//! Always: nothing is visible before its books balance; the same key is never made twice.

mod against;
mod card;
mod dataset;
mod dataset_rows;
pub mod decisions;
mod dedup;
mod derived;
mod from_logs;
mod gate;
mod groups;
mod guards;
pub mod import;
mod ingest;
pub mod inspect;
pub mod join;
mod label;
pub mod outcome;
pub mod plan;
pub mod redaction;
mod release;
pub mod restore;
mod rows;
mod sample;
mod semantic;
mod sink;
mod stated;
mod tasks;

use std::path::PathBuf;
use std::time::Instant;

use crate::config::Loaded;
use crate::engine::sources::{self, SourceFile};
use crate::engine::{Engine, Joins, Resources};
use crate::error::{Error, Result};
use crate::input::STDIN;
use crate::layer::{Layer, Made};
use crate::record::ProjectKey;
use crate::stages::redact::Redactor;
use crate::store::Store;
pub use outcome::{Outcome, StageOutcome};

/// Stages, as `--until` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum StageName {
    Ingest,
    Redact,
    Dedup,
    Sample,
    Label,
    Dataset,
}

/// One invocation.
pub struct Options {
    pub store: Option<PathBuf>,
    pub until: StageName,
    pub threads: usize,
    pub memory_bytes: usize,
    pub batch_rows: usize,
    pub cluster: Option<String>,
}

/// What happens while a run goes on, for whoever shows it.
pub trait Progress: Send + Sync {
    /// `total_bytes` is 0 where a stage does not know its size; `done` counts up meanwhile.
    fn begin(&self, stage: &'static str, total_bytes: u64, done: std::sync::Arc<std::sync::atomic::AtomicU64>);
    fn end(&self, stage: &StageOutcome);
}

/// A run under way.
pub struct Job<'a> {
    pub loaded: &'a Loaded,
    pub key: ProjectKey,
    pub store: Store,
    pub engine: Engine,
    pub batch_rows: usize,
    pub redactor: Redactor,
    pub outcome: Outcome,
    pub progress: &'a dyn Progress,
}

/// Tries of a run whose cluster lost an executor together with results that were already made.
const TRIES: usize = 4;

/// Until the scheduler gives up a silent executor (ten seconds, see `engine::cluster`).
const UNTIL_NOTICED: std::time::Duration = std::time::Duration::from_secs(12);

/// The whole path. Ballista repairs a running query; when a finished one's results die with their
/// executor, the run begins again and finds what is committed by its keys.
pub async fn run(loaded: &Loaded, options: &Options, progress: &dyn Progress) -> Result<Outcome> {
    for _ in 1..TRIES {
        match once(loaded, options, progress).await {
            Err(Error::ExecutorLost { .. }) => tokio::time::sleep(UNTIL_NOTICED).await,
            ended => return ended,
        }
    }
    once(loaded, options, progress).await
}

/// Stage after stage.
async fn once(loaded: &Loaded, options: &Options, progress: &dyn Progress) -> Result<Outcome> {
    if options.cluster.is_some() && loaded.pipeline.ingest.sources.iter().any(|source| source.path == STDIN) {
        return Err(Error::Usage("standard input cannot be read on a cluster: executors do not have it".to_owned()));
    }
    let sources = sources::discover(loaded, &loaded.pipeline.ingest.sources)?;
    // Records have to be redacted before somebody can make vectors of them.
    let vectors = if options.until >= StageName::Dedup { semantic::asked(loaded)? } else { None };
    let label_files = label::files(loaded)?;
    import::rules(loaded, &[])?;
    let mut job = Job::start(loaded, options, progress).await?;
    job.check_sql().await?;
    let mut redacted = job.ingest(&sources).await?; // raw → normalized (never written) → redacted
    job.join(&sources, &mut redacted).await?;
    if options.until <= StageName::Redact {
        return Ok(job.outcome);
    }
    let deduped = job.dedup(&redacted, vectors.as_ref()).await?; // redacted → deduped
    if options.until == StageName::Dedup {
        return Ok(job.outcome);
    }
    let batches = job.sample(&redacted, &deduped).await?; // deduped → sampled; people label the batches
    if options.until == StageName::Sample {
        return Ok(job.outcome);
    }
    let labeled = job.label(&label_files, &batches)?; // sampled → labeled
    if options.until == StageName::Label {
        return Ok(job.outcome);
    }
    job.come_home(options).await?;
    job.dataset(&sources, &redacted, &deduped, &batches, &labeled).await?; // labeled → release
    Ok(job.outcome)
}

impl<'a> Job<'a> {
    async fn start(loaded: &'a Loaded, options: &Options, progress: &'a dyn Progress) -> Result<Job<'a>> {
        let key = project_key(loaded)?;
        let redactor =
            Redactor::new(&loaded.pipeline.redact, &key).map_err(|what| Error::config(&loaded.file, what))?;
        let root = store_root(loaded, options.store.as_ref());
        let store = Store::open(&root)?;
        let engine = Engine::start(&resources(options, &store, options.cluster.clone()), &key).await?;
        let outcome = Outcome::new(loaded, store.root());
        Ok(Job { loaded, key, store, engine, batch_rows: options.batch_rows, redactor, outcome, progress })
    }

    /// From here on in this process: a release is written by one, in one order, so sorting its text
    /// elsewhere would only carry it twice.
    async fn come_home(&mut self, options: &Options) -> Result<()> {
        if options.cluster.is_some() {
            self.engine = Engine::start(&resources(options, &self.store, None), &self.key).await?;
        }
        Ok(())
    }

    /// A committed folder, its files as long as its manifest says.
    fn made<L: Layer>(&self, key: &str) -> Result<Option<Made<L>>> {
        let folder = self.store.layer_dir(L::NAME, key);
        let Some(manifest) = self.store.layer(L::NAME, key)? else { return Ok(None) };
        for file in &manifest.files {
            let path = folder.join(&file.path);
            let bytes = std::fs::metadata(&path).map(|meta| meta.len()).unwrap_or_default();
            if bytes != file.bytes {
                let what = format!(
                    "is damaged: {bytes} bytes instead of {}; restore it, or delete its folder to make it again",
                    file.bytes
                );
                return Err(Error::damaged(path.display().to_string(), what));
            }
        }
        Ok(Some(Made::of_committed(folder, manifest)))
    }

    /// SQL of the pipeline file is tried on an empty table before anything is done.
    async fn check_sql(&self) -> Result<()> {
        self.deduped_table(None).await?;
        let pipeline = &self.loaded.pipeline;
        let samples = pipeline
            .sample
            .iter()
            .map(|one| (format!("sample {}: strata or where", one.name), one.strata.join(", "), &one.filter));
        let datasets =
            pipeline.dataset.iter().map(|one| (format!("dataset {}: where", one.name), String::new(), &one.filter));
        for (place, columns, filter) in samples.chain(datasets) {
            let columns = if columns.is_empty() { "1" } else { &columns };
            let filter = filter.as_deref().unwrap_or("true");
            let sql = format!("select {columns} from deduped where ({filter})");
            if self.engine.sql("check", &sql, Joins::Hash).await.is_err() {
                let what =
                    format!("{place} is not SQL over the deduped layer; its columns: `gristmill schema deduped`");
                return Err(Error::config(&self.loaded.file, what));
            }
        }
        Ok(())
    }

    fn told(&mut self, mut stage: StageOutcome, began: Instant) {
        stage.seconds = began.elapsed().as_secs_f64();
        self.progress.end(&stage);
        self.outcome.stages.push(stage);
    }

    fn run_id(&self) -> String {
        self.outcome.run_id.clone()
    }
}

fn resources(options: &Options, store: &Store, cluster: Option<String>) -> Resources {
    Resources {
        threads: options.threads,
        memory_bytes: options.memory_bytes,
        spill: store.root().join("staging"),
        batch_rows: options.batch_rows,
        cluster,
    }
}

/// `--store`, else the pipeline's, else beside the pipeline file.
pub fn store_root(loaded: &Loaded, named: Option<&PathBuf>) -> PathBuf {
    match (named, &loaded.pipeline.pipeline.store) {
        (Some(path), _) => path.clone(),
        (None, Some(path)) => loaded.path(path),
        (None, None) => loaded.path("gristmill-store"),
    }
}

/// The environment's key wins over the file's; there is no default, because a guessable key
/// protects nothing.
pub fn project_key(loaded: &Loaded) -> Result<ProjectKey> {
    if let Ok(secret) = std::env::var(KEY_VARIABLE) {
        let short = || Error::Usage(format!("{KEY_VARIABLE} holds fewer than 16 characters"));
        return ProjectKey::from_secret(&secret).ok_or_else(short);
    }
    let Some(file) = &loaded.pipeline.pipeline.key_file else {
        let what = format!(
            "pipeline.key_file is missing and {KEY_VARIABLE} is not set; one of them must give the project key"
        );
        return Err(Error::config(&loaded.file, what));
    };
    let path = loaded.path(file);
    let secret =
        std::fs::read_to_string(&path).map_err(|err| Error::config(&path, format!("cannot be read: {err}")))?;
    ProjectKey::from_secret(&secret).ok_or_else(|| Error::config(&path, "holds fewer than 16 characters"))
}

/// Where the project key comes from, if not from a file.
pub const KEY_VARIABLE: &str = "GRISTMILL_KEY";

pub use sources::expand;
pub type Sources = [SourceFile];
