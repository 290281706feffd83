//! Reads a record's bytes again at their source; of Parquet the text of its row.
//!
//! Always (a law): the range read again has the recorded hash, or the trace says so. The bytes go
//! into the hash and nowhere else.

use std::io::Read;

use super::facts::Place;
use crate::error::{Error, Result};
use crate::input::{Input, Location};
use crate::record::{Id, Place as Range, ProjectKey, record_id};
use crate::stages::ingest::archive::{self, Archive};
use crate::stages::ingest::columnar;
use crate::stages::ingest::decode::Compression;

/// Whether the source has these bytes, or why that cannot be told.
pub fn has_record(place: &Place, key: &ProjectKey) -> std::result::Result<bool, String> {
    match hash(place, key) {
        Ok(Some(found)) => Ok(found.to_string() == place.record_hash),
        Ok(None) => Err("it ends before this record does".to_owned()),
        // The kind alone: what a decoder says about bytes is not for a report.
        Err(err) => Err(format!("it cannot be read ({})", err.kind())),
    }
}

/// Keyed hash of the recorded range of the source's stream; none if the stream is shorter.
fn hash(place: &Place, key: &ProjectKey) -> std::io::Result<Option<Id>> {
    let mut file = Location::parse(&place.source).open()?;
    let kind = archive::kind(&mut file)?;
    if kind == (Compression::None, Archive::None) && starts_as_parquet(&mut file)? {
        let hash = |text: String| Id::of(key.hasher("record").update(text.as_bytes()).finalize());
        return Ok(columnar::row_text(file, place.start_byte).map(hash));
    }
    let mut stream = archive::stream_at(file, kind, place.start_byte)?;
    let (mut hasher, length) = (key.hasher("record"), place.end_byte.saturating_sub(place.start_byte));
    let read = pour(&mut stream, length, |bytes| {
        hasher.update(bytes);
    })?;
    Ok((read == length).then(|| Id::of(hasher.finalize())))
}

/// Leaves the file at its beginning.
fn starts_as_parquet(file: &mut dyn Input) -> std::io::Result<bool> {
    let mut head = Vec::new();
    file.take(columnar::HEAD_BYTES).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(columnar::is_parquet(&head))
}

/// Reads up to `bytes` and says how many there were.
fn pour(stream: &mut dyn Read, bytes: u64, mut see: impl FnMut(&[u8])) -> std::io::Result<u64> {
    let (mut chunk, mut left) = (vec![0; 1 << 18], bytes);
    while left > 0 {
        let most = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        match stream.read(&mut chunk[..most]) {
            Ok(0) => break,
            Ok(n) => {
                see(&chunk[..n]);
                left -= n as u64;
            }
            Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    Ok(bytes - left)
}

/// A wrong key would make every source look changed; record ids tell it at once.
pub fn check_key(record: &str, place: &Place, key: &ProjectKey) -> Result<()> {
    let Place { start_byte, end_byte, line, .. } = *place;
    let element = u32::try_from(place.element).unwrap_or(u32::MAX);
    let range = Range { start_byte, end_byte, line, element };
    if record_id(key, &place.source_id, range).to_string() == record {
        return Ok(());
    }
    Err(Error::Usage(
        "the project key given is not the one this record was read with; sources cannot be checked".to_owned(),
    ))
}
