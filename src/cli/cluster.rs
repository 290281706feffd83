//! `gristmill cluster`: the scheduler and the executors of a cluster, from this same binary.
//!
//! Always: without the feature `cluster` every command here says how to get it; an executor's
//! project key comes from the environment or a file, never from a plan, and a scheduler has none.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args;
use crate::error::{Error, Result};

#[derive(Debug, Subcommand)]
pub enum Cluster {
    /// Cut plans into stages and give them to executors
    Scheduler(Scheduler),
    /// Run stages
    Executor(Executor),
}

#[derive(Debug, Args)]
#[command(after_help = SCHEDULER_EXAMPLES)]
pub struct Scheduler {
    /// Address to listen at; nothing here is encrypted, so keep it inside a trusted network
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Port for runs and executors
    #[arg(long, value_name = "PORT", default_value_t = 50050)]
    port: u16,
    /// Host name by which executors reach this scheduler; without it, the address above
    #[arg(long, value_name = "HOST")]
    advertise: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = EXECUTOR_EXAMPLES)]
pub struct Executor {
    /// The scheduler
    #[arg(long, value_name = "HOST:PORT", value_parser = scheduler_address)]
    scheduler: (String, u16),
    /// Address to listen at
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Host name by which others reach this executor; without it, the address it comes from
    #[arg(long, value_name = "HOST")]
    advertise: Option<String>,
    /// Port for shuffle reads
    #[arg(long, value_name = "PORT", default_value_t = 50051)]
    port: u16,
    /// Tasks at a time; without it, one for each core
    #[arg(long, value_name = "N", value_parser = args::count())]
    threads: Option<usize>,
    /// Folder for shuffle and spill files; made if missing
    #[arg(long, value_name = "DIR")]
    work_dir: PathBuf,
    /// Memory for all tasks together, beyond which they spill
    #[arg(long, value_name = "SIZE", default_value = "768MiB", value_parser = args::memory_bytes)]
    memory_limit: u64,
    /// File with the project key; the environment's GRISTMILL_KEY wins over it
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

const SCHEDULER_EXAMPLES: &str = "\
Examples:
  gristmill cluster scheduler
  gristmill cluster scheduler --bind 0.0.0.0 --advertise node0 --port 50050";

const EXECUTOR_EXAMPLES: &str = "\
Examples:
  gristmill cluster executor --scheduler node0:50050 --bind 0.0.0.0 --work-dir /scratch/gristmill --key-file project.key
  gristmill cluster executor --scheduler 127.0.0.1:50050 --port 50061 --threads 2 --work-dir w2";

fn scheduler_address(written: &str) -> std::result::Result<(String, u16), String> {
    args::host_and_port(written).ok_or_else(|| format!("{written:?} is no scheduler; write host:port"))
}

#[cfg(not(feature = "cluster"))]
pub fn run(args: &Cluster) -> Result<()> {
    let command = match args {
        Cluster::Scheduler(_) => "cluster scheduler",
        Cluster::Executor(_) => "cluster executor",
    };
    let what =
        format!("{command}: this gristmill was built without the feature `cluster`; build with --features cluster");
    Err(Error::Usage(what))
}

#[cfg(feature = "cluster")]
pub use with_feature::run;

#[cfg(feature = "cluster")]
mod with_feature {
    use super::super::run::{runtime, until_signal};
    use super::*;
    use crate::engine::cluster::{self, ExecutorOptions, SchedulerOptions};
    use crate::record::ProjectKey;
    use crate::runner::KEY_VARIABLE;

    pub fn run(args: &Cluster) -> Result<()> {
        match args {
            Cluster::Scheduler(args) => scheduler(args),
            Cluster::Executor(args) => executor(args),
        }
    }

    fn scheduler(args: &Scheduler) -> Result<()> {
        let advertise = args.advertise.clone().unwrap_or_else(|| args.bind.to_string());
        if advertise.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_unspecified()) {
            return Err(Error::Usage(format!(
                "--bind {}: nobody can be told this address; add --advertise HOST",
                args.bind
            )));
        }
        free(args.bind, args.port)?;
        let options = SchedulerOptions { bind: args.bind.to_string(), port: args.port, advertise };
        let runtime = runtime(args::available_threads())?;
        let served = async { cluster::scheduler(options).await.map_err(|err| Error::engine("scheduler", &err)) };
        let ended = runtime.block_on(until_signal(served));
        runtime.shutdown_background();
        ended
    }

    /// Signals are the executor's own business: it tells the scheduler before it goes.
    fn executor(args: &Executor) -> Result<()> {
        let key = key(args.key_file.as_ref())?;
        free(args.bind, args.port)?;
        let threads = args.threads.unwrap_or_else(args::available_threads);
        let (scheduler_host, scheduler_port) = args.scheduler.clone();
        let options = ExecutorOptions {
            scheduler_host,
            scheduler_port,
            bind: args.bind.to_string(),
            advertise: args.advertise.clone(),
            port: args.port,
            vcores: threads,
            work_dir: args.work_dir.clone(),
            memory: args.memory_limit,
        };
        let ended = runtime(threads)?.block_on(cluster::executor(options, key));
        ended.map_err(|err| Error::engine("executor", &err))
    }

    /// Asked first, because the error of the server itself is hidden by the engine's.
    fn free(ip: IpAddr, port: u16) -> Result<()> {
        let taken = |err| Error::io(format!("{ip} port {port}"), &err);
        std::net::TcpListener::bind((ip, port)).map(drop).map_err(taken)
    }

    fn key(file: Option<&PathBuf>) -> Result<ProjectKey> {
        if let Some(key) = args::key_of_environment()? {
            return Ok(key);
        }
        let Some(file) = file else {
            return Err(Error::Usage(format!("no project key: set {KEY_VARIABLE} or name --key-file FILE")));
        };
        let secret =
            std::fs::read_to_string(file).map_err(|err| Error::config(file, format!("cannot be read: {err}")))?;
        ProjectKey::from_secret(&secret).ok_or_else(|| Error::config(file, "holds fewer than 16 characters"))
    }
}
