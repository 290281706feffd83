//! The same plans on an Apache Ballista 55 cluster (feature `cluster`).
//!
//! **What it is.** Three entry points of one binary: [`scheduler`] cuts a plan
//! into stages, [`executor`] runs them, [`connect`] gives a `SessionContext`
//! whose DataFrames run there. Two codecs carry our one scan node across
//! processes; everything else is left to Ballista's own codecs.
//!
//! **What it is not.** No second engine and no second plan: a stage asks
//! `engine` for a DataFrame and cannot tell where it runs. No secrets: the
//! project key is never in a plan, each executor reads its own key file or
//! environment. No repair of a finished job whose files are lost while the client
//! reads them: the caller runs the query again ([`is_worth_retrying`]).
//!
//! **What always holds.**
//! - Client, scheduler and executors know the same functions: all three get
//!   them from [`udf::register`].
//! - [`LogScanExec`] is no leaf. Ballista hands each task a plan whose *leaves*
//!   are cut down to the task's partitions, and it can cut only leaves it knows;
//!   one of ours would be read whole by every task. So the splits are the rows of
//!   an in-memory source below the scan, one partition per split.
//! - No stage border lies between scan and redaction, because redaction happens
//!   inside the scan. No planner setting could promise that.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use ballista_core::ConfigProducer;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::BallistaError;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::serde::{BallistaLogicalExtensionCodec, BallistaPhysicalExtensionCodec};
use ballista_core::utils::default_session_builder;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::catalog::TableProvider;
use datafusion::common::{TableReference, internal_err};
use datafusion::datasource::file_format::FileFormatFactory;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{Extension, LogicalPlan};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_proto::logical_plan::LogicalExtensionCodec;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use crate::engine::scan::{LogScan, LogScanExec};
use crate::engine::{Resources, udf};
use crate::error::Error;
use crate::record::ProjectKey;

/// Executors ask for tasks. When the scheduler hands them out, it counts free cores itself, and in
/// Ballista 55 the cores of tasks that were rolled back with a lost executor never come back to it:
/// a kill while two executors of one core were busy left the run, and every later one, waiting.
const SCHEDULING: TaskSchedulingPolicy = TaskSchedulingPolicy::PullStaged;
/// Seconds without a question before an executor's work is given to others; a busy one asks every 5.
const EXECUTOR_TIMEOUT_SECONDS: u64 = 10;
/// Seconds between two looks for dead executors.
const EXPIRE_INTERVAL_SECONDS: u64 = 1;
/// Seconds a job waits for an executor after the last one was lost.
const NO_EXECUTORS_GRACE_SECONDS: u64 = 60;
/// Seconds a finished job's shuffle files stay: the client still reads its last stage from them.
const JOB_DATA_SECONDS: u64 = 6 * 3600;
/// Tries of one task, and of one stage, before the job fails.
const MAX_FAILURES: usize = 8;
/// Largest gRPC message: a plan with some hundred thousand splits in it.
const MAX_MESSAGE_BYTES: u32 = 256 << 20;
/// How long [`connect`] and a starting executor wait for the scheduler.
const CONNECT_SECONDS: u16 = 20;

/// Marks a `LogScan` in an encoded logical plan. No protobuf message begins with `G`.
const TABLE_TAG: &[u8] = b"GRISTMILL:LogScan:1\n";
/// Marks a `LogScanExec` in an encoded physical plan.
const EXEC_TAG: &[u8] = b"GRISTMILL:LogScanExec:1\n";

/// Where a scheduler listens.
#[derive(Debug, Clone)]
pub struct SchedulerOptions {
    /// Address to bind, e.g. `127.0.0.1` or `0.0.0.0`.
    pub bind: String,
    /// Port for gRPC (clients and executors).
    pub port: u16,
    /// Host name under which executors report tasks, never `0.0.0.0`.
    pub advertise: String,
}

/// Where an executor listens and what it may use.
#[derive(Debug, Clone)]
pub struct ExecutorOptions {
    /// Host of the scheduler.
    pub scheduler_host: String,
    /// Port of the scheduler.
    pub scheduler_port: u16,
    /// Address to bind.
    pub bind: String,
    /// Host name others reach this executor by; `None`: the address it connects from.
    pub advertise: Option<String>,
    /// Port for shuffle reads (Arrow Flight).
    pub port: u16,
    /// Tasks' partitions at a time.
    pub vcores: usize,
    /// Folder for shuffle and spill files, made if missing.
    pub work_dir: PathBuf,
    /// Bytes for all tasks together; each vcore gets an equal share and spills beyond it.
    pub memory: u64,
}

/// Runs a scheduler until the process ends.
pub async fn scheduler(options: SchedulerOptions) -> Result<()> {
    let address: SocketAddr = format!("{}:{}", options.bind, options.port)
        .parse()
        .map_err(|e| DataFusionError::Configuration(format!("scheduler address: {e}")))?;
    let config = SchedulerConfig {
        bind_host: options.bind,
        bind_port: options.port,
        external_host: options.advertise,
        scheduling_policy: SCHEDULING,
        executor_timeout_seconds: EXECUTOR_TIMEOUT_SECONDS,
        expire_dead_executor_interval_seconds: EXPIRE_INTERVAL_SECONDS,
        no_executors_grace_period_seconds: NO_EXECUTORS_GRACE_SECONDS,
        finished_job_data_clean_up_interval_seconds: JOB_DATA_SECONDS,
        finished_job_state_clean_up_interval_seconds: JOB_DATA_SECONDS,
        task_max_failures: MAX_FAILURES,
        stage_max_failures: MAX_FAILURES,
        grpc_server_max_decoding_message_size: MAX_MESSAGE_BYTES,
        grpc_server_max_encoding_message_size: MAX_MESSAGE_BYTES,
        grpc_client_max_message_size: MAX_MESSAGE_BYTES,
        override_config_producer: Some(config_producer()),
        override_session_builder: Some(Arc::new(|config| session_state(config, None))),
        override_logical_codec: Some(Arc::new(LogicalCodec::new(None))),
        override_physical_codec: Some(Arc::new(PhysicalCodec::new(None))),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await.map_err(external)?;
    start_server(cluster, address, Arc::new(config)).await.map_err(external)
}

/// Runs an executor until SIGTERM, Ctrl-C or the scheduler's order to stop.
pub async fn executor(options: ExecutorOptions, key: ProjectKey) -> Result<()> {
    tokio::fs::create_dir_all(&options.work_dir).await?;
    let Some(work_dir) = options.work_dir.to_str().map(str::to_owned) else {
        return Err(DataFusionError::Configuration("work dir is not UTF-8".into()));
    };
    let state = session_state(session_config(), Some(&key))?;
    let config = ExecutorProcessConfig {
        bind_host: options.bind,
        external_host: options.advertise,
        port: options.port,
        task_scheduling_policy: SCHEDULING,
        grpc_port: 0, // an executor that asks for its tasks listens for none
        scheduler_host: options.scheduler_host,
        scheduler_port: options.scheduler_port,
        scheduler_connect_timeout_seconds: CONNECT_SECONDS,
        vcores: options.vcores,
        work_dir: Some(work_dir),
        job_data_ttl_seconds: JOB_DATA_SECONDS,
        grpc_max_decoding_message_size: MAX_MESSAGE_BYTES,
        grpc_max_encoding_message_size: MAX_MESSAGE_BYTES,
        memory_pool_size: Some(options.memory),
        override_config_producer: Some(config_producer()),
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(&state))),
        override_logical_codec: Some(Arc::new(LogicalCodec::new(Some(key.clone())))),
        override_physical_codec: Some(Arc::new(PhysicalCodec::new(Some(key.clone())))),
        ..ExecutorProcessConfig::default()
    };
    start_executor_process(Arc::new(config)).await.map_err(external)
}

/// A context whose DataFrames run on the cluster at `url` (`df://host:port`).
///
/// Fails at once when nobody listens there; Ballista would only at the first query.
pub async fn connect(url: &str, resources: &Resources, key: &ProjectKey) -> crate::error::Result<SessionContext> {
    let failed = |err: DataFusionError| Error::Io { path: format!("--cluster {url}"), what: err.to_string() };
    probe(url).await.map_err(failed)?;
    let config = super::session_config(session_config(), resources.threads, resources.batch_rows)
        .with_ballista_logical_extension_codec(Arc::new(LogicalCodec::new(Some(key.clone()))))
        .with_ballista_physical_extension_codec(Arc::new(PhysicalCodec::new(Some(key.clone()))));
    let state = SessionStateBuilder::new().with_default_features().with_config(config).build();
    // What `remote_with_state` keeps of the state are not its functions; the engine registers ours.
    SessionContext::remote_with_state(url, state).await.map_err(failed)
}

/// Whether a failed query may succeed when run again: executors or their
/// finished shuffle files were lost. An error of the plan or of a kernel is not.
pub fn is_worth_retrying(error: &DataFusionError) -> bool {
    if let DataFusionError::External(inner) = error.find_root()
        && let Some(lost) = inner.downcast_ref::<BallistaError>()
    {
        return matches!(
            lost,
            BallistaError::FetchFailed(..)
                | BallistaError::GrpcError(_)
                | BallistaError::GrpcActionError(_)
                | BallistaError::GrpcConnectionError(_)
                | BallistaError::TonicError(_)
                | BallistaError::IoError(_)
        );
    }
    // A stream of results that broke off: kernels' own errors come as text from the executor.
    if let DataFusionError::ArrowError(arrow, _) = error.find_root()
        && matches!(**arrow, ArrowError::IpcError(_) | ArrowError::ExternalError(_) | ArrowError::IoError(..))
    {
        return true;
    }
    // Ballista's client turns some errors into text before we see them.
    let text = error.to_string();
    LOST.iter().any(|sign| text.contains(sign))
}

/// How a lost executor shows in an error that is only text.
const LOST: [&str; 7] = [
    "FetchFailed",
    "GrpcConnectionError",
    "GrpcActionError",
    "TonicError",
    "transport error",
    "all executors were lost",
    "rejected by executor",
];

/// Settings that all three roles start from. The client's travel as key and value with
/// each query to the planner and with each task to the executor; codecs do not travel.
fn session_config() -> SessionConfig {
    // `new_with_ballista` sets: no round-robin repartition, no string views, sort-merge
    // joins, scalar subqueries as joins, no dynamic filters.
    SessionConfig::new_with_ballista()
        .with_repartition_file_scans(false)
        .with_collect_statistics(false)
        // Adaptive planning (Ballista's default) hangs for ever on `UNION ALL`
        // under `ORDER BY`: the replan fails its sanity check and nobody fails the job.
        .with_ballista_adaptive_query_planner(false)
        .with_ballista_grpc_client_max_message_size(MAX_MESSAGE_BYTES as usize)
}

fn config_producer() -> ConfigProducer {
    Arc::new(session_config)
}

/// Ballista's session with our functions added.
fn session_state(config: SessionConfig, key: Option<&ProjectKey>) -> Result<SessionState> {
    let ctx = SessionContext::new_with_state(default_session_builder(config)?);
    udf::register(&ctx, key);
    Ok(ctx.state())
}

/// Fails when nobody listens at `url`.
async fn probe(url: &str) -> Result<()> {
    let bad = |e: String| DataFusionError::Configuration(format!("cluster url {url}: {e}"));
    let parsed = url::Url::parse(url).map_err(|e| bad(e.to_string()))?;
    let host = parsed.host_str().ok_or_else(|| bad("no host".into()))?;
    let port = parsed.port().unwrap_or(50050);
    let attempt = tokio::net::TcpStream::connect((host, port));
    match tokio::time::timeout(Duration::from_secs(u64::from(CONNECT_SECONDS)), attempt).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(e)) => Err(DataFusionError::IoError(e)),
        Err(_) => Err(DataFusionError::IoError(std::io::ErrorKind::TimedOut.into())),
    }
}

fn external(error: BallistaError) -> DataFusionError {
    match error {
        BallistaError::DataFusionError(inner) => *inner,
        other => DataFusionError::External(Box::new(other)),
    }
}

/// Ballista's codec for logical plans, and our table provider.
#[derive(Debug)]
pub struct LogicalCodec {
    inner: BallistaLogicalExtensionCodec,
    key: Option<ProjectKey>,
}

impl LogicalCodec {
    fn new(key: Option<ProjectKey>) -> LogicalCodec {
        LogicalCodec { inner: BallistaLogicalExtensionCodec::default(), key }
    }
}

impl LogicalExtensionCodec for LogicalCodec {
    fn try_decode(&self, buf: &[u8], inputs: &[LogicalPlan], ctx: &TaskContext) -> Result<Extension> {
        self.inner.try_decode(buf, inputs, ctx)
    }

    fn try_encode(&self, node: &Extension, buf: &mut Vec<u8>) -> Result<()> {
        self.inner.try_encode(node, buf)
    }

    fn try_decode_table_provider(
        &self,
        buf: &[u8],
        table_ref: &TableReference,
        schema: SchemaRef,
        ctx: &TaskContext,
    ) -> Result<Arc<dyn TableProvider>> {
        match buf.strip_prefix(TABLE_TAG) {
            Some(json) => Ok(Arc::new(LogScan::from_json(json, self.key.clone())?)),
            None => self.inner.try_decode_table_provider(buf, table_ref, schema, ctx),
        }
    }

    fn try_encode_table_provider(
        &self,
        table_ref: &TableReference,
        node: Arc<dyn TableProvider>,
        buf: &mut Vec<u8>,
    ) -> Result<()> {
        match node.downcast_ref::<LogScan>() {
            Some(scan) => {
                buf.extend_from_slice(TABLE_TAG);
                buf.extend_from_slice(&scan.to_json()?);
                Ok(())
            }
            None => self.inner.try_encode_table_provider(table_ref, node, buf),
        }
    }

    fn try_decode_file_format(&self, buf: &[u8], ctx: &TaskContext) -> Result<Arc<dyn FileFormatFactory>> {
        self.inner.try_decode_file_format(buf, ctx)
    }

    fn try_encode_file_format(&self, buf: &mut Vec<u8>, node: Arc<dyn FileFormatFactory>) -> Result<()> {
        self.inner.try_encode_file_format(buf, node)
    }
}

/// Ballista's codec for physical plans, and our scan.
#[derive(Debug)]
pub struct PhysicalCodec {
    inner: BallistaPhysicalExtensionCodec,
    key: Option<ProjectKey>,
}

impl PhysicalCodec {
    fn new(key: Option<ProjectKey>) -> PhysicalCodec {
        PhysicalCodec { inner: BallistaPhysicalExtensionCodec::default(), key }
    }
}

impl PhysicalExtensionCodec for PhysicalCodec {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        ctx: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(json) = buf.strip_prefix(EXEC_TAG) else {
            return self.inner.try_decode(buf, inputs, ctx, converter);
        };
        match inputs {
            [splits] => Ok(Arc::new(LogScanExec::from_json(json, self.key.clone(), Arc::clone(splits))?)),
            _ => internal_err!("LogScanExec has {} inputs, not one", inputs.len()),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        match node.downcast_ref::<LogScanExec>() {
            Some(scan) => {
                buf.extend_from_slice(EXEC_TAG);
                buf.extend_from_slice(&scan.to_json()?);
                Ok(())
            }
            None => self.inner.try_encode(node, buf, converter),
        }
    }
}
