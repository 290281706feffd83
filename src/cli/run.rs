//! `gristmill run`: the whole path, with progress on stderr and the result on stdout.
//!
//! Always: a signal ends the program at once with its own exit code. That is safe because the
//! store shows a run's work only from its commit point on, and the next run clears the rest.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::progress::{LogFormat, Shown};
use super::{args, look, out, plan};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::report;
use crate::runner::{self, Options, Outcome, Progress, StageName};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Run {
    /// The pipeline file
    #[arg(value_name = "PIPELINE.toml")]
    pipeline: PathBuf,
    /// Folder of the store; wins over the pipeline's
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Stop after this stage
    #[arg(long, value_name = "STAGE", default_value = "dataset")]
    until: StageName,
    /// Say what would be done and write nothing; the same as `gristmill plan`
    #[arg(long)]
    dry_run: bool,
    /// Worker threads; without it, one for each core
    #[arg(long, value_name = "N", value_parser = args::count())]
    threads: Option<usize>,
    /// Memory for sorts, joins and aggregates, beyond which they spill to the store's folder
    #[arg(long, value_name = "SIZE", default_value = "768MiB", value_parser = args::memory_bytes)]
    memory_limit: u64,
    /// Rows that pass through a plan at a time; results do not depend on it
    #[arg(long, value_name = "N", default_value_t = 8192, hide = true, value_parser = batch_rows())]
    batch_rows: usize,
    /// Run plans on this cluster: df://host:port of its scheduler
    #[arg(long, value_name = "URL", value_parser = args::cluster_url)]
    cluster: Option<String>,
    /// How progress is told on stderr; without it a bar on a terminal, JSON lines otherwise
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  gristmill run pipelines/quickstart.toml
  gristmill run nightly.toml --store /data/store --memory-limit 4GiB --log-format json
  gristmill run nightly.toml --until sample
  gristmill run nightly.toml --dry-run
  gristmill run nightly.toml --json | jq .releases";

fn batch_rows() -> clap::builder::RangedU64ValueParser<usize> {
    clap::builder::RangedU64ValueParser::new().range(1..=1 << 20)
}

pub fn run(args: &Run) -> Result<()> {
    let loaded = Loaded::read(&args.pipeline)?;
    if args.dry_run {
        return plan::show(&loaded, args.store.as_ref(), args.json);
    }
    let threads = args.threads.unwrap_or_else(args::available_threads);
    let options = Options {
        store: args.store.clone(),
        until: args.until,
        threads,
        memory_bytes: args.memory_limit as usize,
        batch_rows: args.batch_rows,
        cluster: args.cluster.clone(),
    };
    let runtime = runtime(threads)?;
    let progress = Arc::new(Shown::new(args.log_format));
    let ended = runtime.block_on(until_signal(work(&runtime, loaded, options, Arc::clone(&progress))?));
    progress.stop();
    // Blocking work that a signal cut short must not hold up the end.
    runtime.shutdown_background();
    let outcome = ended?;
    let row_id = look::first_row_id(&outcome);
    out::either(args.json, &outcome, |outcome| report::run::text(outcome, row_id.as_deref()))
}

pub fn runtime(threads: usize) -> Result<Runtime> {
    let built = Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    built.map_err(|err| Error::io("worker threads", &err))
}

/// Starts the run on a thread of its own: parts of it compute without ever yielding, and a signal
/// must be answered meanwhile.
fn work(
    runtime: &Runtime,
    loaded: Loaded,
    options: Options,
    progress: Arc<Shown>,
) -> Result<impl Future<Output = Result<Outcome>> + use<>> {
    let (tell, told) = oneshot::channel();
    let handle = runtime.handle().clone();
    let body = move || {
        // Nobody listens any more after a signal.
        let _ = tell.send(handle.block_on(runner::run(&loaded, &options, &*progress as &dyn Progress)));
    };
    std::thread::Builder::new().name("run".to_owned()).spawn(body).map_err(|err| Error::io("worker threads", &err))?;
    let crashed = |_| Error::Engine { stage: "run".to_owned(), kind: "a worker crashed".to_owned() };
    Ok(async move { told.await.map_err(crashed)? })
}

/// What `work` gives, or the signal that came first.
pub async fn until_signal<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let listen = |kind| signal(kind).map_err(|err| Error::io("signals", &err));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::select! {
        ended = work => ended,
        _ = interrupt.recv() => Err(Error::Signal(2)),
        _ = terminate.recv() => Err(Error::Signal(15)),
    }
}
