//! What there is to read: what the pipeline's names stand for, content ids, and cuts.
//!
//! Always: a source is known by its content, so a renamed or re-delivered copy is the same
//! source; cuts depend on the content alone, never on the number of cores or what was read before.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::exports;
use super::scan::Split;
use crate::config::{Loaded, Source};
use crate::error::{Error, Result};
use crate::input::{self, Input, Location};
use crate::record::Id;
use crate::stages::ingest::archive;
use crate::stages::ingest::decode::{self, Compression, LFS_HEAD};
use crate::stages::ingest::records::{self, Packing};
use crate::stages::ingest::{Named, Shape, columnar};

/// Logs of lines are cut at the first newline after this many bytes. Chosen so that two cores
/// stay busy on 100 MB and a part file stays below 20 MB.
const SPLIT_BYTES: u64 = 32 << 20;
const READ_BYTES: usize = 4 << 20;

/// Compressed logs unpack to about this many times their size (gzip on JSON text).
const UNPACKED: u64 = 4;
/// What is looked at to tell arrays from lines, and how long records are.
const HEAD_BYTES: usize = 64 << 10;

/// One content, under one or more names, read in one way. A log of lines is cut into pieces, each
/// a source of its own: so of a log that grew only the last piece is new, and a piece has the same
/// id whether it was read on the day it was written or with all that came behind it.
#[derive(Clone, Debug)]
pub struct SourceFile {
    pub source_id: String,
    /// The first name in byte order; a re-delivered copy has others too.
    pub location: Location,
    pub bytes: u64,
    pub compression: Compression,
    pub settings: Source,
    pub splits: Vec<Split>,
    /// Bytes of a record, as far as the first of them tell.
    bytes_per_record: f64,
}

impl SourceFile {
    /// A guess from the first records.
    pub fn rows_expected(&self) -> u64 {
        let unpacked = match self.compression {
            Compression::None => self.bytes,
            _ => self.bytes * UNPACKED,
        };
        (unpacked as f64 / self.bytes_per_record).ceil() as u64
    }
}

/// Every source that a list of the pipeline names, without re-delivered copies, in the order of their ids.
pub fn discover(loaded: &Loaded, sources: &[Source]) -> Result<Vec<SourceFile>> {
    let mut named: Vec<(Location, &Source)> = Vec::new();
    for source in sources {
        let mut found = locate(loaded, &source.path)?;
        if source.manifests {
            found = found.par_iter().map(exports::listed).collect::<Result<Vec<_>>>()?.concat();
        }
        named.extend(found.into_iter().map(|location| (location, source)));
    }
    named.sort_by(|a, b| a.0.cmp(&b.0));
    named.dedup_by(|a, b| a.0 == b.0);
    let read: Vec<Vec<SourceFile>> =
        named.par_iter().map(|(location, source)| examine(location, source)).collect::<Result<_>>()?;
    let mut by_content: BTreeMap<String, SourceFile> = BTreeMap::new();
    for piece in read.into_iter().flatten() {
        by_content.entry(piece.source_id.clone()).or_insert(piece);
    }
    Ok(by_content.into_values().collect())
}

/// What a pipeline file names: files, objects, or standard input.
pub(super) fn locate(loaded: &Loaded, written: &str) -> Result<Vec<Location>> {
    if written == input::STDIN {
        return Ok(vec![Location::Stdin]);
    }
    if !input::is_object(written) {
        return Ok(expand(loaded, written)?.into_iter().map(Location::File).collect());
    }
    let urls = input::list(written).map_err(|err| Error::reading(written, &err))?;
    if urls.is_empty() {
        return Err(Error::config(&loaded.file, format!("{written}: matches no object")));
    }
    Ok(urls.into_iter().map(Location::Object).collect())
}

/// Whether there is what a pipeline file names; none of it is read.
pub(super) fn is_there(loaded: &Loaded, written: &str) -> Result<bool> {
    if !input::is_object(written) {
        return Ok(!matching(loaded, written)?.is_empty());
    }
    let failed = |err: std::io::Error| Error::reading(written, &err);
    match input::list(written).map_err(failed)?.as_slice() {
        // Without a pattern it is itself, whether it is there or not.
        [url] if url == written => match Location::Object(url.clone()).open() {
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(false),
            opened => opened.map(|_| true).map_err(failed),
        },
        found => Ok(!found.is_empty()),
    }
}

/// The files behind a path or glob; none is an error, because a typo must not look like a quiet day.
pub fn expand(loaded: &Loaded, written: &str) -> Result<Vec<PathBuf>> {
    let paths = matching(loaded, written)?;
    if paths.is_empty() {
        let text = pattern(loaded, written);
        return Err(Error::config(&loaded.file, format!("{written}: matches no file (looked for {text})")));
    }
    Ok(paths)
}

fn matching(loaded: &Loaded, written: &str) -> Result<Vec<PathBuf>> {
    let text = pattern(loaded, written);
    let paths = glob::glob(&text).map_err(|err| Error::config(&loaded.file, format!("{written}: {}", err.msg)))?;
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|err| Error::io(err.path(), err.error()))?;
        found.extend(path.is_file().then_some(path));
    }
    Ok(found)
}

/// The glob as seen from the working folder. Only what the pipeline wrote is a pattern: brackets
/// in the names of the folders above it are brackets.
fn pattern(loaded: &Loaded, written: &str) -> String {
    let (mut folder, mut rest) = (loaded.path(""), Path::new(written));
    if rest.is_absolute() {
        return written.to_owned();
    }
    while let Ok(below) = rest.strip_prefix("..") {
        if !matches!(folder.components().next_back(), Some(Component::Normal(_))) {
            break;
        }
        folder.pop();
        rest = below;
    }
    let folder = glob::Pattern::escape(&folder.to_string_lossy());
    Path::new(&folder).join(rest).to_string_lossy().into_owned()
}

/// One pass over the bytes: kind of container, pieces with their ids and line numbers.
fn examine(location: &Location, settings: &Source) -> Result<Vec<SourceFile>> {
    let failed = |err: std::io::Error| Error::reading(location, &err);
    let mut input = location.open().map_err(failed)?;
    let (compression, archive) = archive::kind(&mut input).map_err(failed)?;
    let lfs_pointer = head(&mut input).map_err(failed)?.starts_with(LFS_HEAD);
    let text = peek(location.open().map_err(failed)?, compression);
    let by_mapping = if settings.mapping.is_some() { Named::Table } else { Named::Nothing };
    let (encoding, shape) = records::told(&text, Named::of(&location.name()).or(by_mapping));
    let packing = Packing { compression, archive, encoding, shape };
    let mut pieces = Pieces::new(packing.is_plain() && shape == Shape::Lines);
    let mut chunk = vec![0; READ_BYTES];
    loop {
        let n = input.read(&mut chunk).map_err(failed)?;
        if n == 0 {
            break;
        }
        pieces.see(&chunk[..n]);
    }
    let rows = if packing.is_plain() && shape == Shape::Parquet { Some(row_splits(input)) } else { None };
    // An executor may stand in another folder.
    let absolute = location.absolute().map_err(failed)?;
    let bytes_per_record = bytes_per_record(&text, shape);
    let source = |piece: Piece| {
        let split = |(ordinal, (start_byte, end_byte, first_line)): (usize, &(u64, u64, u64))| Split {
            location: absolute.clone(),
            source_id: piece.id.clone(),
            ordinal,
            packing,
            lfs_pointer,
            format: settings.format,
            messages_key: settings.messages_key.clone().unwrap_or_else(|| "messages".to_owned()),
            mapping: settings.mapping.clone(),
            join: settings.join.clone(),
            start_byte: *start_byte,
            end_byte: *end_byte,
            first_line: *first_line,
        };
        let whole = [(piece.start_byte, piece.end_byte, piece.first_line)];
        SourceFile {
            location: location.clone(),
            bytes: piece.end_byte - piece.start_byte,
            compression,
            settings: settings.clone(),
            splits: rows.as_deref().unwrap_or(&whole).iter().enumerate().map(split).collect(),
            bytes_per_record: match rows.as_ref().and_then(|rows| rows.last()) {
                Some(last) => piece.end_byte as f64 / last.1.max(1) as f64,
                None => bytes_per_record,
            },
            source_id: piece.id.clone(),
        }
    };
    Ok(pieces.done().into_iter().map(source).collect())
}

/// The first bytes; the input is at its beginning before and after.
fn head(input: &mut dyn Input) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    input.take(LFS_HEAD.len() as u64).read_to_end(&mut head)?;
    input.rewind()?;
    Ok(head)
}

/// First row, end and line of each split of a Parquet file: rows stand for bytes.
fn row_splits(input: Box<dyn Input>) -> Vec<(u64, u64, u64)> {
    let ranges = columnar::cuts(input);
    // What cannot be cut is the scan's to reject.
    if ranges.is_empty() {
        return vec![(0, 0, 1)];
    }
    ranges.into_iter().map(|rows| (rows.start, rows.end, rows.start + 1)).collect()
}

/// As far as the first bytes tell. In an array of chats about every fourth `},` ends an element;
/// the others end messages.
fn bytes_per_record(text: &[u8], shape: Shape) -> f64 {
    let ends = match shape {
        Shape::Lines | Shape::Table => count(text) as usize,
        Shape::Array => memchr::memmem::find_iter(text, b"},").count() / 4,
        Shape::Documents | Shape::Parquet => 1,
        Shape::Yaml => memchr::memmem::find_iter(text, b"\n- ").count() + 1,
    };
    text.len().max(1) as f64 / ends.max(1) as f64
}

/// First bytes of the decompressed stream; nothing if it is broken, which the scan then reports.
fn peek(input: Box<dyn Input>, compression: Compression) -> Vec<u8> {
    let mut head = Vec::new();
    if let Ok(input) = decode::reader(Box::new(input), compression) {
        // A broken stream is the scan's to report; whatever came out before is enough here.
        let _ = input.take(HEAD_BYTES as u64).read_to_end(&mut head);
    }
    head
}

/// A stretch of a source that is known by its content and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    id: String,
    start_byte: u64,
    end_byte: u64,
    first_line: u64,
}

/// Pieces, found and hashed while the bytes go by.
struct Pieces {
    done: Vec<Piece>,
    /// Whether there may be more than one.
    cut: bool,
    target: u64,
    hasher: blake3::Hasher,
    start: (u64, u64),
    at: (u64, u64),
}

impl Pieces {
    fn new(cut: bool) -> Pieces {
        Pieces { done: Vec::new(), cut, target: SPLIT_BYTES, hasher: blake3::Hasher::new(), start: (0, 1), at: (0, 1) }
    }

    fn see(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while self.cut && self.target < self.at.0 + rest.len() as u64 {
            let begin = self.target.saturating_sub(self.at.0) as usize;
            let Some(newline) = memchr::memchr(b'\n', &rest[begin..]) else { break };
            let (ours, behind) = rest.split_at(begin + newline + 1);
            self.take(ours);
            self.end();
            rest = behind;
        }
        self.take(rest);
    }

    fn take(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.at.0 += bytes.len() as u64;
        self.at.1 += if self.cut { count(bytes) } else { 0 };
    }

    fn end(&mut self) {
        let mut hash = self.hasher.finalize();
        if self.start.0 > 0 {
            // The same bytes elsewhere have other places.
            hash = blake3::hash(format!("{hash} {} {}", self.start.0, self.start.1).as_bytes());
        }
        let (start_byte, first_line) = self.start;
        self.done.push(Piece { id: Id::of(hash).to_string(), start_byte, end_byte: self.at.0, first_line });
        self.hasher.reset();
        self.start = self.at;
        self.target = self.at.0 + SPLIT_BYTES;
    }

    fn done(mut self) -> Vec<Piece> {
        if self.at.0 > self.start.0 || self.done.is_empty() {
            self.end();
        }
        self.done
    }
}

fn count(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &[u8], target: u64, step: usize) -> Vec<Piece> {
        let mut pieces = Pieces { target, ..Pieces::new(true) };
        text.chunks(step).for_each(|chunk| pieces.see(chunk));
        pieces.done()
    }

    #[test]
    fn pieces_lie_behind_newlines_and_know_their_line() {
        let text: Vec<u8> = (0..1000).flat_map(|i| format!("line {i}\n").into_bytes()).collect();
        for step in [1, 7, 1000, text.len()] {
            let found = pieces(&text, 100, step);
            let [first, second] = &found[..] else { panic!("{found:?}") };
            let at = first.end_byte;
            assert_eq!((at, text[at as usize - 1]), (102, b'\n'));
            assert_eq!((second.start_byte, second.first_line), (at, count(&text[..at as usize]) + 1));
            assert_eq!(second.end_byte, text.len() as u64);
            assert_eq!(found, pieces(&text, 100, 3));
        }
    }

    #[test]
    fn a_log_that_grew_keeps_its_first_pieces() {
        let text: Vec<u8> = (0..1000).flat_map(|i| format!("line {i}\n").into_bytes()).collect();
        let (before, after) = (pieces(&text[..500], 100, 64), pieces(&text, 100, 64));
        assert_eq!(before[0], after[0]);
        assert_ne!(before[1].id, after[1].id);
        assert_eq!(before[1].start_byte, after[1].start_byte);
        // Equal bytes in another place are another piece; the first piece is the hash of its bytes.
        let twice = [&text[..102], &text[..102]].concat();
        let found = pieces(&twice, 100, 64);
        assert_ne!(found[0].id, found[1].id);
        assert_eq!(found[0].id, Id::of(blake3::hash(&text[..102])).to_string());
        assert_eq!(pieces(b"", 100, 1).len(), 1);
    }
}
