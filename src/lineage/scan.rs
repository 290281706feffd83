//! Looks ids up in Parquet files: all files at once, only the row groups and columns that matter.
//!
//! Not here: what the columns mean (`find`).
//!
//! Always: a row is decoded beyond its id columns only if one of them holds a wanted id.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, UInt32Type, UInt64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter};
use parquet::file::metadata::RowGroupMetaData;
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Ids to look for.
pub type Ids = BTreeSet<String>;

/// Rows of one file that were found.
pub struct Found {
    pub file: PathBuf,
    pub batch: RecordBatch,
}

/// Rows whose text, or a member of whose list, in any of `keys` is wanted, in the order of `files`.
pub fn rows(files: &[PathBuf], keys: &[&str], wanted: &Ids, columns: &[&str]) -> Result<Vec<Found>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = Arc::new(wanted.clone());
    let found: Vec<Vec<Found>> =
        files.par_iter().map(|file| one(file, keys, &wanted, columns)).collect::<Result<_>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn one(file: &Path, keys: &[&str], wanted: &Arc<Ids>, columns: &[&str]) -> Result<Vec<Found>> {
    // Parquet and Arrow errors can quote values, so only the fact goes out.
    let broken = || Error::damaged(file.display().to_string(), "cannot be read as Parquet");
    let input = File::open(file).map_err(|err| Error::io(file, &err))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(input).map_err(|_| broken())?;
    let groups: Vec<usize> = builder
        .metadata()
        .row_groups()
        .iter()
        .enumerate()
        .filter(|(_, group)| keys.iter().any(|key| may_hold(group, key, wanted)))
        .map(|(at, _)| at)
        .collect();
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let schema = builder.parquet_schema();
    let read = ProjectionMask::columns(schema, columns.iter().copied());
    let ids = ProjectionMask::columns(schema, keys.iter().copied());
    let set = Arc::clone(wanted);
    let wants = ArrowPredicateFn::new(ids, move |batch: RecordBatch| Ok(matches(&batch, &set)));
    let filter = RowFilter::new(vec![Box::new(wants)]);
    let reader = builder.with_row_groups(groups).with_projection(read).with_row_filter(filter).build();
    let mut found = Vec::new();
    for batch in reader.map_err(|_| broken())? {
        found.push(Found { file: file.to_path_buf(), batch: batch.map_err(|_| broken())? });
    }
    Ok(found)
}

/// By the statistics of the column; without any it may hold everything. A shortened minimum is
/// still a lower bound and a shortened maximum an upper one.
fn may_hold(group: &RowGroupMetaData, key: &str, wanted: &Ids) -> bool {
    let Some(column) =
        group.columns().iter().find(|column| column.column_path().parts().first().is_some_and(|part| part == key))
    else {
        return true;
    };
    match column.statistics().map(|known| (known.min_bytes_opt(), known.max_bytes_opt())) {
        Some((Some(min), Some(max))) => wanted.iter().any(|id| (min..=max).contains(&id.as_bytes())),
        _ => true,
    }
}

fn matches(batch: &RecordBatch, wanted: &Ids) -> BooleanArray {
    let has = |column: &ArrayRef, row: usize| match column.data_type() {
        DataType::Utf8 => column.is_valid(row) && wanted.contains(column.as_string::<i32>().value(row)),
        DataType::List(_) if column.is_valid(row) => {
            let members = column.as_list::<i32>().value(row);
            members.as_string_opt::<i32>().is_some_and(|members| members.iter().flatten().any(|id| wanted.contains(id)))
        }
        _ => false,
    };
    (0..batch.num_rows()).map(|row| Some(batch.columns().iter().any(|column| has(column, row)))).collect()
}

impl Found {
    pub fn rows(&self) -> std::ops::Range<usize> {
        0..self.batch.num_rows()
    }

    /// Name of the folder the file lies in: the key of a layer.
    pub fn folder(&self) -> String {
        let name = self.file.parent().and_then(Path::file_name);
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn misfit(&self, name: &str) -> Error {
        Error::damaged(self.file.display().to_string(), format!("column {name} is missing or of another type"))
    }

    fn column(&self, name: &str) -> Result<&ArrayRef> {
        self.batch.column_by_name(name).ok_or_else(|| self.misfit(name))
    }

    pub fn maybe(&self, name: &str, row: usize) -> Result<Option<String>> {
        let column = self.column(name)?.as_string_opt::<i32>().ok_or_else(|| self.misfit(name))?;
        Ok(column.is_valid(row).then(|| column.value(row).to_owned()))
    }

    pub fn text(&self, name: &str, row: usize) -> Result<String> {
        self.maybe(name, row)?.ok_or_else(|| self.misfit(name))
    }

    pub fn number(&self, name: &str, row: usize) -> Result<u64> {
        let column = self.column(name)?;
        match (column.as_primitive_opt::<UInt64Type>(), column.as_primitive_opt::<UInt32Type>()) {
            (Some(long), _) => Ok(long.value(row)),
            (_, Some(short)) => Ok(u64::from(short.value(row))),
            _ => Err(self.misfit(name)),
        }
    }

    pub fn fraction(&self, name: &str, row: usize) -> Result<Option<f64>> {
        let column = self.column(name)?.as_primitive_opt::<Float64Type>().ok_or_else(|| self.misfit(name))?;
        Ok(column.is_valid(row).then(|| column.value(row)))
    }

    pub fn list(&self, name: &str, row: usize) -> Result<Vec<String>> {
        let column = self.column(name)?.as_list_opt::<i32>().ok_or_else(|| self.misfit(name))?;
        let members = column.value(row);
        let members = members.as_string_opt::<i32>().ok_or_else(|| self.misfit(name))?;
        Ok(members.iter().flatten().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Layer, Sampled};
    use crate::store::parquet::{ROW_GROUP_ROWS, TableWriter};
    use arrow::array::{Float64Array, ListArray, StringArray, UInt32Array};
    use arrow::buffer::OffsetBuffer;

    /// Rows with ids `000000`, `000001`, … and the same as the only member of their lists.
    fn file(folder: &Path, rows: usize) -> PathBuf {
        let schema = Sampled::schema();
        let ids: Vec<String> = (0..rows).map(|row| format!("{row:06}")).collect();
        let text: ArrayRef = Arc::new(StringArray::from(ids));
        let columns = schema.fields().iter().map(|field| -> ArrayRef {
            match field.data_type() {
                DataType::List(item) => {
                    let each = OffsetBuffer::from_lengths(std::iter::repeat_n(1, rows));
                    Arc::new(ListArray::new(Arc::clone(item), each, Arc::clone(&text), None))
                }
                DataType::Float64 => Arc::new(Float64Array::from(vec![0.5; rows])),
                DataType::UInt32 => Arc::new(UInt32Array::from(vec![7; rows])),
                _ => Arc::clone(&text),
            }
        });
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap();
        let path = folder.join("part.parquet");
        let mut writer = TableWriter::create(&path, &schema).unwrap();
        writer.write(&batch).unwrap();
        writer.finish(folder, false).unwrap();
        path
    }

    #[test]
    fn ids_are_found_in_any_row_group_by_text_and_by_member() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), 2 * ROW_GROUP_ROWS + 5);
        let ends = [0, ROW_GROUP_ROWS - 1, ROW_GROUP_ROWS, 2 * ROW_GROUP_ROWS + 4];
        let wanted: Ids = ends.iter().map(|row| format!("{row:06}")).chain(["absent".to_owned()]).collect();
        for keys in [["task_id", "stratum"], ["record_ids", "conversation_ids"]] {
            let found =
                rows(std::slice::from_ref(&path), &keys, &wanted, &["batch_id", "prompt_messages", "record_ids"])
                    .unwrap();
            let got: Vec<String> =
                found.iter().flat_map(|one| one.rows().map(|row| one.text("batch_id", row).unwrap())).collect();
            assert_eq!(got, ends.map(|row| format!("{row:06}")));
            assert_eq!(
                (found[0].number("prompt_messages", 0).unwrap(), found[0].list("record_ids", 0).unwrap()),
                (7, vec!["000000".to_owned()])
            );
            assert!(matches!(found[0].text("stratum", 0), Err(Error::Damaged { .. })));
        }
        let none =
            rows(std::slice::from_ref(&path), &["task_id"], &Ids::from(["zz".to_owned()]), &["batch_id"]).unwrap();
        assert!(none.is_empty());
    }

    #[test]
    fn statistics_leave_groups_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), 2 * ROW_GROUP_ROWS);
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
        let wanted = Ids::from(["000001".to_owned()]);
        for key in ["task_id", "record_ids"] {
            let may: Vec<bool> =
                builder.metadata().row_groups().iter().map(|group| may_hold(group, key, &wanted)).collect();
            assert_eq!(may, [true, false], "{key}");
        }
    }
}
