//! One input file: how its records are cut, and where its bytes can be read again.
//!
//! A file of plain lines is read again where it lies. Whatever else there is (packed, an array, a
//! table, standard input) is written as lines to a file without a name beside the output, once.
//!
//! Always: the file without a name is gone when the process ends, however it ends.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::Options;
use super::chunk::{Chunk, Chunks, Item};
use crate::config::Limits;
use crate::error::{Error, Result};
use crate::input::Location;
use crate::stages::ingest::archive::{self, Archive};
use crate::stages::ingest::decode::{self, Bounds, Compression, LFS_HEAD};
use crate::stages::ingest::encoding::Encoding;
use crate::stages::ingest::records::{self, Packing, Records};
use crate::stages::ingest::tree::Json;
use crate::stages::ingest::{Named, Reading, Reason, Shape, guess};

/// A file whose records were read: where they are found again, and how they are read.
pub struct Stream {
    pub name: String,
    /// The rows of the table that are its records.
    pub rows: Range<usize>,
    pub reading: Reading,
    file: Arc<File>,
}

impl Stream {
    /// The bytes of a record.
    pub fn bytes(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(bytes, offset).map_err(|err| Error::reading(&self.name, &err))
    }
}

/// A file to be read once, from the first record to the last.
pub struct Source {
    cutter: Cutter,
    stream: Stream,
    /// Where what was read is written.
    spool: Option<Arc<File>>,
}

enum Cutter {
    Lines(Chunks<Box<dyn Read + Send>>),
    Records { records: Box<Records>, seen: u32, offset: u64, chunk_bytes: usize },
}

/// The first bytes tell how records lie in a file.
const HEAD_BYTES: u64 = 64 << 10;

impl Source {
    pub fn open(input: &Location, options: &Options) -> Result<Source> {
        let failed = |err: std::io::Error| Error::reading(input, &err);
        if matches!(input, Location::File(path) if path.is_dir()) {
            return Err(Error::Usage(format!("{input}: a folder; name the files in it")));
        }
        let mut file = input.open().map_err(failed)?;
        let (compression, archive) = archive::kind(&mut file).map_err(failed)?;
        let mut head = Vec::new();
        if let Ok(stream) = decode::reader(Box::new(&mut file), compression) {
            // What is broken is told by the walk.
            let _ = stream.take(HEAD_BYTES).read_to_end(&mut head);
        }
        let (encoding, shape) = records::told(&head, Named::of(&input.name()));
        let packing = Packing { compression, archive, encoding, shape };
        if head.starts_with(LFS_HEAD) {
            return Err(Error::Usage(format!("{input}: {}", Reason::LfsPointer.advice())));
        }
        let reading = reading(input, packing)?;
        let limits = reading.limits;
        let is_lines = archive == Archive::None && encoding == Encoding::Utf8 && shape == Shape::Lines;
        let in_place = match input {
            Location::File(path) if is_lines && compression == Compression::None && path.is_file() => {
                Some(File::open(path).map_err(failed)?)
            }
            _ => None,
        };
        let spool = if in_place.is_some() { None } else { Some(Arc::new(nameless(&options.out)?)) };
        let cutter = if is_lines {
            let plain: Box<dyn Read + Send> = match in_place.as_ref().map(File::try_clone) {
                Some(file) => Box::new(file.map_err(failed)?),
                None => unpacked(input, compression, &limits).map_err(failed)?,
            };
            Cutter::Lines(Chunks::new(plain, options.chunk_bytes, limits.line_bytes))
        } else {
            let records = Box::new(open(input, packing, &limits)?);
            Cutter::Records { records, seen: 0, offset: 0, chunk_bytes: options.chunk_bytes }
        };
        let file = match (in_place, &spool) {
            (Some(file), _) => Arc::new(file),
            (None, Some(spool)) => Arc::clone(spool),
            (None, None) => return Err(Error::damaged(input.to_string(), "is read neither here nor there")),
        };
        let stream = Stream { name: input.to_string(), rows: 0..0, reading, file };
        Ok(Source { cutter, stream, spool })
    }

    /// The hash of a file of plain lines; of others none, for what they hold must be unpacked anyway.
    pub fn content(&self) -> Result<Option<blake3::Hash>> {
        if self.spool.is_some() {
            return Ok(None);
        }
        let failed = |err: std::io::Error| Error::reading(&self.stream.name, &err);
        let (mut hasher, mut bytes, mut at) = (blake3::Hasher::new(), vec![0; 1 << 20], 0);
        loop {
            match self.stream.file.read_at(&mut bytes, at).map_err(failed)? {
                0 => return Ok(Some(hasher.finalize())),
                read => {
                    hasher.update(&bytes[..read]);
                    at += read as u64;
                }
            }
        }
    }

    /// Its chunks, and where they can be read again.
    pub fn split(self) -> (Reader, Stream) {
        (Reader { cutter: self.cutter, spool: self.spool, name: self.stream.name.clone() }, self.stream)
    }
}

/// Reads the chunks of a source in order.
pub struct Reader {
    cutter: Cutter,
    spool: Option<Arc<File>>,
    name: String,
}

impl Iterator for Reader {
    type Item = Result<Chunk>;

    fn next(&mut self) -> Option<Result<Chunk>> {
        let chunk = match &mut self.cutter {
            Cutter::Lines(chunks) => chunks.next()?,
            Cutter::Records { records, seen, offset, chunk_bytes } => cut(records, seen, offset, *chunk_bytes)?,
        };
        if let Some(spool) = &self.spool
            && let Err(err) = spool.write_all_at(&chunk.bytes, chunk.offset)
        {
            return Some(Err(Error::reading(&self.name, &err)));
        }
        Some(Ok(chunk))
    }
}

/// The next records as lines. They are numbered: of an array all may lie in one line.
fn cut(records: &mut Records, seen: &mut u32, offset: &mut u64, chunk_bytes: usize) -> Option<Chunk> {
    let (mut bytes, mut items) = (Vec::with_capacity(chunk_bytes), Vec::new());
    while bytes.len() < chunk_bytes {
        let refused = records.next(|raw| match raw.body {
            Ok(body) => {
                let from = bytes.len();
                bytes.extend_from_slice(&body.text());
                // Outside of JSON's strings a newline is a blank; inside it cannot stand.
                bytes[from..].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
                None
            }
            Err(reason) => Some(reason),
        });
        let Some(refused) = refused else { break };
        bytes.push(b'\n');
        *seen += 1;
        items.push(Item { line: *seen, refused });
    }
    if items.is_empty() {
        return None;
    }
    let begin = *offset;
    *offset += bytes.len() as u64;
    Some(Chunk { offset: begin, bytes, items: Some(items), broken: None })
}

fn unpacked(input: &Location, compression: Compression, limits: &Limits) -> std::io::Result<Box<dyn Read + Send>> {
    let bounds = Bounds { decompressed_bytes: limits.decompressed_bytes, ratio: limits.decompression_ratio };
    decode::bounded(Box::new(input.open()?), compression, bounds)
}

fn open(input: &Location, packing: Packing, limits: &Limits) -> Result<Records> {
    let file = input.open().map_err(|err| Error::reading(input, &err))?;
    Records::open(file, packing, (0, 1), u64::MAX, limits, &blake3::Hasher::new())
        .map_err(|err| Error::reading(input, &err))
}

/// Records that a mapping is looked for in, and proposed from.
const LOOKED_AT: usize = 1000;
const PROPOSED_FROM: usize = 50;

/// How the records of a file are read: as their keys say; by a mapping that its first records
/// suggest, where no format fits any of them.
fn reading(input: &Location, packing: Packing) -> Result<Reading> {
    let mut reading = Reading::default();
    let mut records = open(input, packing, &reading.limits)?;
    let mut texts: Vec<String> = Vec::new();
    for _ in 0..LOOKED_AT {
        let text = records.next(|raw| raw.body.ok().map(|body| body.text().into_owned()));
        let Some(text) = text else { break };
        let Some(text) = text.and_then(|text| String::from_utf8(text).ok()) else { continue };
        let said = super::said::read(text.as_bytes(), &reading).0;
        if matches!(said, Ok(_) | Err(Reason::PartOfMore | Reason::FailedCall | Reason::NotAGeneration)) {
            return Ok(reading);
        }
        if texts.len() < PROPOSED_FROM && serde_json::from_str::<Json>(&text).is_ok() {
            texts.push(text);
        }
    }
    let samples: Vec<Json> = texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
    if let Some((mapping, _)) = guess::propose(&samples) {
        reading.mapping = Some(Arc::new(mapping.compile().map_err(Error::Usage)?));
    }
    Ok(reading)
}

/// A file in a folder whose name is taken away at once.
fn nameless(folder: &Path) -> Result<File> {
    let path = folder.join(format!(".unpacked-{}.tmp", std::process::id()));
    let failed = |err: std::io::Error| Error::io(&path, &err);
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).map_err(failed)?;
    std::fs::remove_file(&path).map_err(failed)?;
    Ok(file)
}
