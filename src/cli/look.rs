//! An id of a released row, so that the command shown after a run can be run as it stands.
//!
//! Always: nothing depends on it; where it cannot be had, the command names a placeholder.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::runner::Outcome;

/// The first column of a release names its row: `example_id`, `pair_id`.
pub fn first_row_id(outcome: &Outcome) -> Option<String> {
    outcome.releases.iter().find_map(|release| {
        let folder = Path::new(&release.path);
        [folder.join("data"), folder.to_path_buf()]
            .iter()
            .flat_map(|folder| parquet_files(folder))
            .find_map(|file| first_id(&file))
    })
}

fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "parquet"));
    files.sort();
    files
}

fn first_id(file: &Path) -> Option<String> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(file).ok()?).ok()?;
    let mask = ProjectionMask::leaves(builder.parquet_schema(), [0]);
    let batch = builder.with_projection(mask).with_limit(1).build().ok()?.next()?.ok()?;
    let ids = batch.columns().first()?.as_string_opt::<i32>()?;
    (!ids.is_empty()).then(|| ids.value(0).to_owned())
}
