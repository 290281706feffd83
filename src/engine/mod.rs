//! Where plans run: in this process, or on a cluster of our own executors.
//!
//! Not here: what the plans say (`stages`), where results are kept (`store`).
//!
//! Always: results do not depend on the place, the number of threads or the batch size; memory is
//! bounded by a pool, beyond which sorts, joins and aggregates spill to the store's own folder.

pub mod against;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod columns;
mod exports;
pub mod join;
pub mod rows;
pub mod scan;
pub mod semantic;
pub mod sources;
pub mod udf;
pub mod vault;
pub mod vectors;
pub mod written;

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::config::ConfigNonZeroUsize;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;
use tokio::task::JoinSet;
use url::Url;

use crate::error::{Error, Result};
use crate::record::ProjectKey;

/// What a run may use.
#[derive(Clone, Debug)]
pub struct Resources {
    pub threads: usize,
    pub memory_bytes: usize,
    pub spill: PathBuf,
    pub batch_rows: usize,
    /// `df://host:port` of a scheduler.
    pub cluster: Option<String>,
}

pub struct Engine {
    ctx: SessionContext,
    threads: usize,
    batch_rows: usize,
    remote: bool,
}

/// How a plan brings rows together. A hash join is faster and cannot spill: its build side (the
/// left one) must be small. Sort-merge joins spill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joins {
    /// Narrow rows: ids and numbers.
    Hash,
    /// Rows that carry text, sorted but joined to something small.
    HashWide,
    /// Rows that carry text on both sides of a join.
    Sort,
}

/// A sorter reserves whole batches: 8192 rows of 4 KB are 34 MB, too many for its share.
const WIDE_BATCH_ROWS: usize = 1024;

/// Takes the rows of one partition, in order.
pub trait Sink: Send + 'static {
    type Done: Send;
    fn write(&mut self, batch: RecordBatch) -> Result<()>;
    fn finish(self) -> Result<Self::Done>;
}

/// Settings that plans rely on, alike in every process.
pub fn session_config(config: SessionConfig, threads: usize, batch_rows: usize) -> SessionConfig {
    let mut config = config.with_target_partitions(threads).with_batch_size(batch_rows).with_information_schema(false);
    let options = config.options_mut();
    // One string type everywhere: what a file says is what a plan sees.
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    // Raw rows leave the scan redacted, and still nothing may stand between it and the writer.
    options.optimizer.enable_round_robin_repartition = false;
    options.execution.collect_statistics = true;
    // It copies calls of ours into every place that reads a field of their result, and on a
    // cluster it loses the names it gives them ("No field named __datafusion_extracted_5").
    options.optimizer.enable_leaf_expression_pushdown = false;
    config
}

impl Engine {
    pub async fn start(resources: &Resources, key: &ProjectKey) -> Result<Engine> {
        let ctx = match &resources.cluster {
            None => local(resources)?,
            #[cfg(feature = "cluster")]
            Some(url) => cluster::connect(url, resources, key).await?,
            #[cfg(not(feature = "cluster"))]
            Some(_) => {
                let what =
                    "--cluster: this gristmill was built without the feature `cluster`; build with --features cluster";
                return Err(Error::Usage(what.to_owned()));
            }
        };
        udf::register(&ctx, Some(key));
        Ok(Engine {
            ctx,
            threads: resources.threads,
            batch_rows: resources.batch_rows,
            remote: resources.cluster.is_some(),
        })
    }

    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Makes Parquet files a table of this session; the same name again replaces it. Each file is read, and
    /// no other: a name is neither a glob (`[` in it would match nothing) nor filtered by its ending, and
    /// the engine says nothing of files that it leaves out.
    pub fn table(&self, name: &str, schema: SchemaRef, files: &[PathBuf]) -> Result<()> {
        let failed = |err| Error::engine(name, &err);
        let url = |path: &PathBuf| {
            let path = std::path::absolute(path).map_err(|err| Error::io(path, &err))?;
            let no_url = |()| Error::io(&path, &std::io::ErrorKind::InvalidFilename.into());
            ListingTableUrl::try_new(Url::from_file_path(&path).map_err(no_url)?, None).map_err(failed)
        };
        self.ctx.deregister_table(name).map_err(failed)?;
        if files.is_empty() {
            let empty = datafusion::datasource::empty::EmptyTable::new(schema);
            self.ctx.register_table(name, Arc::new(empty)).map_err(failed)?;
            return Ok(());
        }
        let urls = files.iter().map(url).collect::<Result<Vec<_>>>()?;
        let options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension("");
        let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options).with_schema(schema);
        let table = ListingTable::try_new(config).map_err(failed)?;
        self.ctx.register_table(name, Arc::new(table)).map_err(failed)?;
        Ok(())
    }

    /// Makes a query a table: plans over it take the query in its place, so it runs wherever they do.
    pub async fn view(&self, stage: &str, name: &str, sql: &str) -> Result<()> {
        let failed = |err| Error::engine(stage, &err);
        let view = self.ctx.sql(sql).await.map_err(failed)?.into_view();
        self.ctx.deregister_table(name).map_err(failed)?;
        self.ctx.register_table(name, view).map_err(failed)?;
        Ok(())
    }

    /// Raw logs, to be read and written; see [`scan`].
    pub fn logs(&self, scan: scan::LogScan) -> Result<DataFrame> {
        self.ctx.read_table(Arc::new(scan)).map_err(|err| Error::engine("ingest", &err))
    }

    pub async fn sql(&self, stage: &str, sql: &str, joins: Joins) -> Result<DataFrame> {
        {
            let state = self.ctx.state_ref();
            let mut state = state.write();
            let options = state.config_mut().options_mut();
            options.optimizer.prefer_hash_join = joins != Joins::Sort;
            let rows = if joins == Joins::Hash { self.batch_rows } else { self.batch_rows.min(WIDE_BATCH_ROWS) };
            let rows = ConfigNonZeroUsize::try_new(rows.max(1)).map_err(|err| Error::engine(stage, &err))?;
            options.execution.batch_size = rows;
        }
        self.ctx.sql(sql).await.map_err(|err| Error::engine(stage, &err))
    }

    /// All rows of a result that is known to be small: ids, counts, edges.
    pub async fn collect(&self, stage: &str, sql: &str) -> Result<Vec<RecordBatch>> {
        self.sql(stage, sql, Joins::Hash).await?.collect().await.map_err(|err| Error::engine(stage, &err))
    }

    /// Runs a plan and hands every partition to its own sink. `independent` says that partitions
    /// need not run at the same time, so only as many as there are threads do.
    pub async fn drain<S: Sink>(
        &self,
        stage: &str,
        plan: DataFrame,
        independent: bool,
        make: impl Fn(usize) -> Result<S>,
    ) -> Result<Vec<S::Done>> {
        let task = Arc::new(plan.task_ctx());
        let plan = plan.create_physical_plan().await.map_err(|err| Error::engine(stage, &err))?;
        let partitions = plan.properties().output_partitioning().partition_count();
        let at_once = if independent && !self.remote { self.threads } else { partitions };
        let mut waiting = (0..partitions).rev().collect::<Vec<_>>();
        let (mut running, mut done) = (JoinSet::new(), Vec::new());
        loop {
            while running.len() < at_once.max(1)
                && let Some(partition) = waiting.pop()
            {
                let stream = plan.execute(partition, Arc::clone(&task)).map_err(|err| Error::engine(stage, &err))?;
                running.spawn(pour(stage.to_owned(), partition, stream, make(partition)?));
            }
            let Some(finished) = running.join_next().await else { break };
            // A panic of ours in a task: its message may quote data, so only the fact goes out.
            let crashed = |_| Error::Engine { stage: stage.to_owned(), kind: "a worker crashed".to_owned() };
            done.push(finished.map_err(crashed)??);
        }
        done.sort_by_key(|(partition, _)| *partition);
        Ok(done.into_iter().map(|(_, sink)| sink).collect())
    }

    /// Rows in their final order, one batch after another, to one sink.
    pub async fn drain_ordered<S: Sink>(&self, stage: &str, plan: DataFrame, sink: S) -> Result<S::Done> {
        let stream = plan.execute_stream().await.map_err(|err| Error::engine(stage, &err))?;
        Ok(pour(stage.to_owned(), 0, stream, sink).await?.1)
    }
}

async fn pour<S: Sink>(
    stage: String,
    partition: usize,
    mut stream: datafusion::execution::SendableRecordBatchStream,
    mut sink: S,
) -> Result<(usize, S::Done)> {
    while let Some(batch) = stream.next().await {
        sink.write(batch.map_err(|err| Error::engine(&stage, &err))?)?;
    }
    Ok((partition, sink.finish()?))
}

fn local(resources: &Resources) -> Result<SessionContext> {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(resources.memory_bytes)))
        .with_temp_file_path(&resources.spill)
        .build_arc()
        .map_err(|err| Error::engine("engine", &err))?;
    let config = session_config(SessionConfig::new(), resources.threads, resources.batch_rows);
    Ok(SessionContext::new_with_config_rt(config, runtime))
}
