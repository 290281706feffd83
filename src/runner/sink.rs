//! Where the rows of a plan go: Parquet parts of a staged folder.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;

use crate::engine::Sink;
pub use crate::engine::columns::{arrow_error, column, numbers, project, text};
use crate::error::{Error, Result};
use crate::store::FileInfo;
use crate::store::parquet::TableWriter;

/// Rows of any plan into one table of a staged folder.
pub struct TableSink {
    folder: PathBuf,
    schema: SchemaRef,
    writer: TableWriter,
}

impl TableSink {
    pub fn create(folder: &Path, name: &str, schema: &SchemaRef) -> Result<TableSink> {
        let writer = TableWriter::create(&folder.join(format!("{name}.parquet")), schema)?;
        Ok(TableSink { folder: folder.to_path_buf(), schema: Arc::clone(schema), writer })
    }
}

impl Sink for TableSink {
    type Done = FileInfo;

    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.writer.write(&project(&batch, &self.schema)?)
    }

    fn finish(self) -> Result<FileInfo> {
        self.writer.finish(&self.folder, false)
    }
}

/// Rows that carry a `source_id` into one table for each source.
pub struct SourceTables {
    folders: Arc<HashMap<String, PathBuf>>,
    schema: SchemaRef,
    partition: usize,
    open: BTreeMap<String, (PathBuf, TableWriter)>,
}

impl SourceTables {
    pub fn new(folders: Arc<HashMap<String, PathBuf>>, schema: SchemaRef, partition: usize) -> SourceTables {
        SourceTables { folders, schema, partition, open: BTreeMap::new() }
    }
}

impl Sink for SourceTables {
    type Done = BTreeMap<String, FileInfo>;

    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        for (source_id, rows) in runs(&batch)? {
            if !self.open.contains_key(&source_id) {
                let unknown = || Error::damaged(source_id.clone(), "rows of a source that was not asked for");
                let folder = self.folders.get(&source_id).ok_or_else(unknown)?.clone();
                let file = folder.join(format!("part-{:05}.parquet", self.partition));
                self.open.insert(source_id.clone(), (folder, TableWriter::create(&file, &self.schema)?));
            }
            if let Some((_, writer)) = self.open.get_mut(&source_id) {
                writer.write(&project(&rows, &self.schema)?)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Self::Done> {
        self.open
            .into_iter()
            .map(|(source_id, (folder, writer))| Ok((source_id, writer.finish(&folder, false)?)))
            .collect()
    }
}

/// Runs of rows of one source each.
fn runs(batch: &RecordBatch) -> Result<Vec<(String, RecordBatch)>> {
    let sources = text(batch, "source_id")?;
    let sources = sources.as_string::<i32>();
    let (mut from, mut runs) = (0, Vec::new());
    while from < batch.num_rows() {
        let source_id = sources.value(from);
        let length = (from..batch.num_rows()).take_while(|&i| sources.value(i) == source_id).count();
        runs.push((source_id.to_owned(), batch.slice(from, length)));
        from += length;
    }
    Ok(runs)
}
