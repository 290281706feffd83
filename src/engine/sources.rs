//! What there is to read: files behind the pipeline's globs, their content ids and their cuts.
//!
//! Always: a source is known by its content, so a renamed or re-delivered copy is the same
//! source; cuts depend on the content alone, never on the number of cores.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::scan::Split;
use crate::config::{Loaded, Source};
use crate::error::{Error, Result};
use crate::record::Id;
use crate::stages::ingest::Shape;
use crate::stages::ingest::archive;
use crate::stages::ingest::decode::{Compression, LFS_HEAD};
use crate::stages::ingest::encoding::Encoding;
use crate::stages::ingest::records::{self, Packing};

/// Plain files are cut at the first newline after each multiple of this. Chosen so that two cores
/// stay busy on 100 MB and a part file stays below 20 MB.
const SPLIT_BYTES: u64 = 32 << 20;
const READ_BYTES: usize = 4 << 20;

/// Compressed logs unpack to about this many times their size (gzip on JSON text).
const UNPACKED: u64 = 4;
/// What is looked at to tell arrays from lines, and how long records are.
const HEAD_BYTES: usize = 64 << 10;

/// One content, under one or more paths, read in one way.
#[derive(Clone, Debug)]
pub struct SourceFile {
    pub source_id: String,
    /// The first path in byte order; a re-delivered copy has others too.
    pub path: PathBuf,
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

/// Every file that the pipeline names, without re-delivered copies, in the order of their ids.
pub fn discover(loaded: &Loaded) -> Result<Vec<SourceFile>> {
    let mut named: Vec<(PathBuf, &Source)> = Vec::new();
    for source in &loaded.pipeline.ingest.sources {
        let paths = expand(loaded, &source.path)?;
        named.extend(paths.into_iter().map(|path| (path, source)));
    }
    named.sort_by(|a, b| a.0.cmp(&b.0));
    named.dedup_by(|a, b| a.0 == b.0);
    let read: Vec<SourceFile> = named.par_iter().map(|(path, source)| examine(path, source)).collect::<Result<_>>()?;
    let mut by_content: BTreeMap<String, SourceFile> = BTreeMap::new();
    for file in read {
        by_content.entry(file.source_id.clone()).or_insert(file);
    }
    Ok(by_content.into_values().collect())
}

/// The files behind a path or glob; none is an error, because a typo must not look like a quiet day.
pub fn expand(loaded: &Loaded, written: &str) -> Result<Vec<PathBuf>> {
    let text = pattern(loaded, written);
    let paths = glob::glob(&text).map_err(|err| Error::config(&loaded.file, format!("{written}: {}", err.msg)))?;
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|err| Error::io(err.path(), err.error()))?;
        found.extend(path.is_file().then_some(path));
    }
    let paths = found;
    if paths.is_empty() {
        return Err(Error::config(&loaded.file, format!("{written}: matches no file (looked for {text})")));
    }
    Ok(paths)
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

/// One pass over the bytes: content id, kind of container, cuts with their line numbers.
fn examine(path: &Path, settings: &Source) -> Result<SourceFile> {
    let failed = |err: std::io::Error| Error::io(path, &err);
    let mut file = File::open(path).map_err(failed)?;
    let mut chunk = vec![0; READ_BYTES];
    let mut hasher = blake3::Hasher::new();
    let (mut offset, mut head, mut cuts) = (0u64, Vec::new(), Cuts::default());
    loop {
        let n = file.read(&mut chunk).map_err(failed)?;
        if n == 0 {
            break;
        }
        let bytes = &chunk[..n];
        if head.is_empty() {
            head = bytes[..n.min(HEAD_BYTES)].to_vec();
        }
        hasher.update(bytes);
        cuts.see(offset, bytes);
        offset += n as u64;
    }
    let (compression, archive) = archive::kind(&mut file).map_err(failed)?;
    let text = if compression == Compression::None { head.clone() } else { peek(path, compression) };
    let (encoding, shape) = records::told(&text);
    let table = encoding == Encoding::Utf8 && (settings.mapping.is_some() || may_be_table(path));
    let shape = if table { Shape::of_table(&text) } else { shape };
    let packing = Packing { compression, archive, encoding, shape };
    let whole = !packing.is_plain() || shape != Shape::Lines;
    let cuts = if whole { vec![(0, 1)] } else { cuts.done(offset) };
    let source_id = Id::of(hasher.finalize()).to_string();
    // An executor may stand in another folder.
    let absolute = std::path::absolute(path).map_err(failed)?;
    let split = |(i, (start_byte, first_line)): (usize, &(u64, u64))| Split {
        path: absolute.clone(),
        source_id: source_id.clone(),
        ordinal: i,
        packing,
        lfs_pointer: head.starts_with(LFS_HEAD),
        format: settings.format,
        messages_key: settings.messages_key.clone().unwrap_or_else(|| "messages".to_owned()),
        mapping: settings.mapping.clone(),
        start_byte: *start_byte,
        end_byte: cuts.get(i + 1).map_or(offset, |next| next.0),
        first_line: *first_line,
    };
    let splits = cuts.iter().enumerate().map(split).collect();
    Ok(SourceFile {
        source_id,
        path: path.to_path_buf(),
        bytes: offset,
        compression,
        settings: settings.clone(),
        splits,
        bytes_per_record: bytes_per_record(&text, shape),
    })
}

/// As far as the first bytes tell. In an array of chats about every fourth `},` ends an element;
/// the others end messages.
fn bytes_per_record(text: &[u8], shape: Shape) -> f64 {
    let ends = match shape {
        Shape::Lines | Shape::Table => count(text) as usize,
        Shape::Array => memchr::memmem::find_iter(text, b"},").count() / 4,
        Shape::Documents => 1,
    };
    text.len().max(1) as f64 / ends.max(1) as f64
}

/// Delimited text looks like anything; the file's name (or a mapping) must say so.
pub fn may_be_table(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let named = |ending: &str| name.split('.').skip(1).any(|part| part == ending);
    named("csv") || named("tsv")
}

/// First bytes of the decompressed stream; nothing if it is broken, which the scan then reports.
fn peek(path: &Path, compression: Compression) -> Vec<u8> {
    let mut head = Vec::new();
    if let Ok(file) = File::open(path)
        && let Ok(input) = crate::stages::ingest::decode::reader(Box::new(file), compression)
    {
        // A broken stream is the scan's to report; whatever came out before is enough here.
        let _ = input.take(HEAD_BYTES as u64).read_to_end(&mut head);
    }
    head
}

/// Where to cut, found while the bytes go by.
struct Cuts {
    found: Vec<(u64, u64)>,
    target: u64,
    line: u64,
}

impl Default for Cuts {
    fn default() -> Self {
        Cuts { found: vec![(0, 1)], target: SPLIT_BYTES, line: 1 }
    }
}

impl Cuts {
    fn see(&mut self, offset: u64, bytes: &[u8]) {
        let mut from = 0;
        while self.target < offset + bytes.len() as u64 {
            let begin = self.target.saturating_sub(offset) as usize;
            let Some(newline) = memchr::memchr(b'\n', &bytes[begin.max(from)..]) else { break };
            let end = begin.max(from) + newline + 1;
            self.line += count(&bytes[from..end]);
            from = end;
            self.found.push((offset + end as u64, self.line));
            self.target = offset + end as u64 + SPLIT_BYTES;
        }
        self.line += count(&bytes[from..]);
    }

    fn done(mut self, length: u64) -> Vec<(u64, u64)> {
        self.found.retain(|cut| cut.0 < length || cut.0 == 0);
        self.found
    }
}

fn count(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_lie_behind_newlines_and_know_their_line() {
        for step in [1, 7, 1000] {
            let text: Vec<u8> = (0..1000).flat_map(|i| format!("line {i}\n").into_bytes()).collect();
            let mut cuts = Cuts { target: 100, ..Cuts::default() };
            for (i, piece) in text.chunks(step).enumerate() {
                cuts.see((i * step) as u64, piece);
            }
            let (at, line) = cuts.found[1];
            assert_eq!((at, text[at as usize - 1]), (102, b'\n'));
            assert_eq!(line, count(&text[..at as usize]) + 1);
            assert_eq!(cuts.line, 1001);
        }
    }
}
