//! One file against what its manifest says of it.
//!
//! Always: what is wrong is said without quoting what the file holds.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use serde::de::DeserializeOwned;

use super::find::children;
use crate::error::Error;
use crate::store::{FileInfo, files};

/// What is wrong with a file, if anything.
pub fn differs(path: &Path, info: &FileInfo) -> Option<String> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Some("is missing".to_owned()),
        Err(err) => return Some(format!("cannot be read ({})", err.kind())),
    };
    if about.len() != info.bytes {
        return Some(format!("has {} bytes instead of {}", about.len(), info.bytes));
    }
    let hashes = files::blake3_hex(path)
        .and_then(|blake3| Ok((blake3, info.sha256.as_ref().map(|_| files::sha256_hex(path)).transpose()?)));
    match hashes {
        Err(err) => Some(problem(&err)),
        Ok((blake3, _)) if blake3 != info.blake3 => Some("has other bytes than were written (BLAKE3)".to_owned()),
        Ok((_, sha256)) if sha256 != info.sha256 => Some("has another SHA-256 than its manifest says".to_owned()),
        Ok(_) if is_parquet(&info.path) => match footer_rows(path) {
            None => Some("cannot be read as Parquet".to_owned()),
            Some(rows) if rows != info.rows => Some(format!("holds {rows} rows instead of {}", info.rows)),
            Some(_) => None,
        },
        Ok(_) => None,
    }
}

/// What an error says, without the place, which the report gives.
pub fn problem(err: &Error) -> String {
    match err {
        Error::Io { what, .. } | Error::Damaged { what, .. } => what.clone(),
        _ => "cannot be read".to_owned(),
    }
}

pub fn json<T: DeserializeOwned>(file: &Path) -> std::result::Result<T, String> {
    let bytes = fs::read(file).map_err(|err| format!("cannot be read ({})", err.kind()))?;
    // The line alone: serde quotes values.
    serde_json::from_slice(&bytes).map_err(|err| format!("cannot be understood, line {}", err.line()))
}

pub fn is_parquet(path: &str) -> bool {
    path.ends_with(".parquet")
}

/// None if the file is no Parquet.
pub fn footer_rows(path: &Path) -> Option<u64> {
    let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
    u64::try_from(reader.metadata().file_metadata().num_rows()).ok()
}

/// Every file below a folder, as far as it can be read.
pub fn walk(folder: &Path) -> Vec<PathBuf> {
    let inside = |path: PathBuf| if path.is_dir() { walk(&path) } else { vec![path] };
    children(folder).unwrap_or_default().into_iter().flat_map(inside).collect()
}
