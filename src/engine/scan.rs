//! The scan of raw logs: bytes in, Parquet parts of redacted rows out.
//!
//! Ingest and redact are fused here (law 2): a conversation is redacted before it becomes a row,
//! so raw text is never in an Arrow array, and with it in no spill, shuffle or Parquet file.
//!
//! Not here: which files are read and where they are cut ([`super::sources`]).
//!
//! Always: one partition a split; rows in the order of the file; places are those of the whole
//! source, whatever the cut.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::StreamExt;
use serde::{Deserialize, Serialize};

use super::rows::{Batch, Rows};
use super::written::{Folders, SplitSink, Written};
use crate::config::{Limits, Redact, Tokenizer};
use crate::error::Error;
use crate::input::{Input, Location};
use crate::record::ProjectKey;
use crate::stages::dedup::sketch::Settings;
use crate::stages::ingest::join::Join;
use crate::stages::ingest::mapping::Mapping;
use crate::stages::ingest::records::Packing;
use crate::stages::redact::Redactor;

/// A stretch of a file that one core reads: a source, or a part of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Split {
    pub location: Location,
    pub source_id: String,
    /// Tells the splits of a source apart.
    pub ordinal: usize,
    pub packing: Packing,
    pub lfs_pointer: bool,
    pub format: Option<crate::config::Format>,
    pub messages_key: String,
    pub mapping: Option<Mapping>,
    pub join: Option<Join>,
    /// Bytes of the file as it lies, or rows of Parquet; a compressed file is one split.
    pub start_byte: u64,
    pub end_byte: u64,
    /// Line in which `start_byte` lies, from 1.
    pub first_line: u64,
}

/// How every split is read: all that an executor must know, but for the key and the splits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ScanSpec {
    pub limits: Limits,
    pub tokenizer: Option<Tokenizer>,
    pub redact: Redact,
    /// Of the project key: another process must hold the same one.
    pub key_fingerprint: String,
    pub batch_rows: usize,
    pub sketch: Settings,
    /// Where the rows of each source go, by its id.
    pub folders: BTreeMap<String, Folders>,
}

/// Raw logs as a table. A scheduler holds it without a key: it plans, and reads nothing.
#[derive(Clone)]
pub struct LogScan {
    pub spec: Arc<ScanSpec>,
    pub splits: Arc<Vec<Split>>,
    pub key: Option<ProjectKey>,
    /// Bytes read so far, for progress bars of this process.
    pub bytes_read: Arc<AtomicU64>,
}

/// The scan's node in a physical plan. It is no leaf: its input is an in-memory source that holds
/// one split a partition, because Ballista cuts down to a task only leaves that it knows.
pub struct LogScanExec {
    spec: Arc<ScanSpec>,
    key: Option<ProjectKey>,
    bytes_read: Arc<AtomicU64>,
    redactor: OnceLock<Arc<Redactor>>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

/// What travels of the node; the splits travel as rows of its input.
#[derive(Serialize, Deserialize)]
struct ExecJson<'a> {
    spec: Cow<'a, ScanSpec>,
}

fn plan_error(err: serde_json::Error) -> DataFusionError {
    DataFusionError::Plan(err.to_string())
}

fn split_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("split", DataType::Utf8, false)]))
}

impl LogScan {
    pub fn new(spec: ScanSpec, splits: Vec<Split>, key: Option<ProjectKey>) -> LogScan {
        LogScan { spec: Arc::new(spec), splits: Arc::new(splits), key, bytes_read: Arc::default() }
    }

    pub fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(&(self.spec.as_ref(), self.splits.as_ref())).map_err(plan_error)
    }

    pub fn from_json(bytes: &[u8], key: Option<ProjectKey>) -> Result<LogScan> {
        let (spec, splits) = serde_json::from_slice(bytes).map_err(plan_error)?;
        Ok(LogScan::new(spec, splits, key))
    }

    fn exec(&self) -> Result<LogScanExec> {
        let row = |split: &Split| -> Result<Vec<RecordBatch>> {
            let json = serde_json::to_string(split).map_err(plan_error)?;
            let column = Arc::new(StringArray::from(vec![json]));
            Ok(vec![RecordBatch::try_new(split_schema(), vec![column])?])
        };
        let parts = self.splits.iter().map(row).collect::<Result<Vec<_>>>()?;
        let input = MemorySourceConfig::try_new_exec(&parts, split_schema(), None)?;
        let mut exec = LogScanExec::new(Arc::clone(&self.spec), self.key.clone(), input)?;
        exec.bytes_read = Arc::clone(&self.bytes_read);
        Ok(exec)
    }
}

#[async_trait]
impl TableProvider for LogScan {
    fn schema(&self) -> SchemaRef {
        written_schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(self.exec()?))
    }
}

impl LogScanExec {
    fn new(spec: Arc<ScanSpec>, key: Option<ProjectKey>, input: Arc<dyn ExecutionPlan>) -> Result<LogScanExec> {
        let partitions = input.properties().output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(written_schema()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let (bytes_read, redactor, properties) = (Arc::default(), OnceLock::new(), Arc::new(properties));
        Ok(LogScanExec { spec, key, bytes_read, redactor, input, properties })
    }

    pub fn to_json(&self) -> Result<Vec<u8>> {
        let json = ExecJson { spec: Cow::Borrowed(&self.spec) };
        serde_json::to_vec(&json).map_err(plan_error)
    }

    pub fn from_json(bytes: &[u8], key: Option<ProjectKey>, input: Arc<dyn ExecutionPlan>) -> Result<LogScanExec> {
        let json: ExecJson = serde_json::from_slice(bytes).map_err(plan_error)?;
        LogScanExec::new(Arc::new(json.spec.into_owned()), key, input)
    }

    /// The key of this process, if it is the one the plan was made with.
    fn key(&self) -> Result<&ProjectKey> {
        let refused = |why: &str| DataFusionError::External(Box::new(Error::Usage(why.to_owned())));
        match &self.key {
            None => Err(refused("this process has no project key; set GRISTMILL_KEY as on the client")),
            Some(key) if key.fingerprint().to_string() != self.spec.key_fingerprint => {
                Err(refused("this executor holds another project key than the client; set GRISTMILL_KEY alike"))
            }
            Some(key) => Ok(key),
        }
    }

    /// Made once a process and plan: compiling the rules costs milliseconds.
    fn redactor(&self, key: &ProjectKey) -> Result<Arc<Redactor>> {
        if let Some(redactor) = self.redactor.get() {
            return Ok(Arc::clone(redactor));
        }
        let made = Redactor::new(&self.spec.redact, key);
        let made = made.map_err(|what| DataFusionError::External(Box::new(Error::Usage(what))))?;
        Ok(Arc::clone(self.redactor.get_or_init(|| Arc::new(made))))
    }
}

impl fmt::Debug for LogScan {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "LogScan: splits={}", self.splits.len())
    }
}

impl fmt::Debug for LogScanExec {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("LogScanExec")
    }
}

impl DisplayAs for LogScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("LogScanExec")
    }
}

impl ExecutionPlan for LogScanExec {
    fn name(&self) -> &str {
        "LogScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().ok_or_else(|| DataFusionError::Plan("LogScanExec has one input".to_owned()))?;
        let mut exec = LogScanExec::new(Arc::clone(&self.spec), self.key.clone(), input)?;
        exec.bytes_read = Arc::clone(&self.bytes_read);
        Ok(Arc::new(exec))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let key = self.key()?.clone();
        let redactor = self.redactor(&key)?;
        let reader = SplitReader { spec: Arc::clone(&self.spec), key, redactor, count: Arc::clone(&self.bytes_read) };
        let splits = self.input.execute(partition, context)?;
        let written = splits.then(move |rows| reader.clone().read_all(rows));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), written)))
    }
}

/// What the node says of each split when it is written: its source, and [`Written`] as JSON.
fn written_schema() -> SchemaRef {
    let fields = ["source_id", "written"].map(|name| Field::new(name, DataType::Utf8, false));
    Arc::new(Schema::new(fields.to_vec()))
}

#[derive(Clone)]
struct SplitReader {
    spec: Arc<ScanSpec>,
    key: ProjectKey,
    redactor: Arc<Redactor>,
    count: Arc<AtomicU64>,
}

impl SplitReader {
    /// Reads and writes every split that a batch of the input names.
    async fn read_all(self, splits: Result<RecordBatch>) -> Result<RecordBatch> {
        let splits = splits?;
        let (mut sources, mut written) = (Vec::new(), Vec::new());
        for json in splits.column(0).as_string::<i32>().iter().flatten() {
            let split: Split = serde_json::from_str(json).map_err(plan_error)?;
            written.push(serde_json::to_string(&self.read(&split).await?).map_err(plan_error)?);
            sources.push(split.source_id);
        }
        let columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(sources)), Arc::new(StringArray::from(written))];
        Ok(RecordBatch::try_new(written_schema(), columns)?)
    }

    async fn read(&self, split: &Split) -> Result<Written> {
        let external = |err: Error| DataFusionError::External(Box::new(err));
        let input = split.location.open().map_err(|err| external(Error::reading(&split.location, &err)))?;
        let file = Counted { input, count: Arc::clone(&self.count) };
        let rows = Rows::new(&self.spec, split, &self.key, Arc::clone(&self.redactor), file).map_err(external)?;
        let unknown = || external(Error::damaged(split.source_id.clone(), "has no folder to go to"));
        let folders = self.spec.folders.get(&split.source_id).ok_or_else(unknown)?.clone();
        let mut sink = SplitSink::create(folders, split.ordinal, &self.key, self.spec.sketch).map_err(external)?;
        for batch in rows {
            match batch? {
                Batch::Rows(rows) => sink.write(&rows),
                Batch::Fragments(fragments) => sink.fragments(&fragments),
                Batch::Sealed(rows) => sink.seal(&rows),
            }
            .map_err(external)?;
            // Others (signals, heartbeats) get their turn.
            tokio::task::yield_now().await;
        }
        sink.finish().map_err(external)
    }
}

/// An input whose bytes are counted as they are read.
pub struct Counted {
    input: Box<dyn Input>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.input.read(buf)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.input.seek(to)
    }
}
