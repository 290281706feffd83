//! One entry of an archive: its first bytes, its content, unpacked if it is packed.
//!
//! Always: where an entry breaks, the same bytes came out of it before, however they are asked for.
//! Places of the entries behind it depend on that.

use std::io::{Cursor, ErrorKind, Read, Result};
use std::sync::{Arc, Mutex};

use super::Archive;
use crate::stages::ingest::Reason;
use crate::stages::ingest::decode::{self, Bounds, Compression, Meter};

/// Bytes of an entry that are looked at before it is read.
const HEAD_BYTES: u64 = 4096;
const CHUNK_BYTES: usize = 64 << 10;

/// The content of an entry from its first byte on, and what these bytes are.
pub(super) struct Opened {
    pub(super) head: Vec<u8>,
    pub(super) reader: Box<dyn Read + Send>,
    /// Of a packed entry: counts what came out of it.
    pub(super) unpacked: Option<Unpacked>,
}

/// Opens what stands in an entry; a packed one is unpacked once, and an archive is none of ours.
pub(super) fn open(
    content: Box<dyn Read + Send>,
    bounds: Bounds,
    meter: &Meter,
) -> std::result::Result<Opened, Reason> {
    let (head, reader) = headed(content);
    let compression = Compression::of(&head);
    let opened = if compression == Compression::None {
        Opened { head, reader, unpacked: None }
    } else {
        let packed = decode::reader(reader, compression).map_err(|err| decode::reason(&err))?;
        let unpacked = Unpacked::new(Box::new(decode::Limited::new(packed, meter.clone(), bounds)));
        let (head, reader) = headed(Box::new(unpacked.clone()));
        Opened { head, reader, unpacked: Some(unpacked) }
    };
    let is_packed_again = opened.unpacked.is_some() && Compression::of(&opened.head) != Compression::None;
    if is_packed_again || Archive::of(&opened.head) != Archive::None {
        return Err(Reason::UnsupportedEntry);
    }
    Ok(opened)
}

/// The first bytes of a reader, and a reader that gives them too.
fn headed(mut rest: Box<dyn Read + Send>) -> (Vec<u8>, Box<dyn Read + Send>) {
    let mut head = Vec::new();
    let error = rest.by_ref().take(HEAD_BYTES).read_to_end(&mut head).err();
    (head.clone(), Box::new(Headed { head: Cursor::new(head), error, rest }))
}

/// A reader whose first bytes were looked at, and perhaps the error behind them.
struct Headed {
    head: Cursor<Vec<u8>>,
    error: Option<std::io::Error>,
    rest: Box<dyn Read + Send>,
}

impl Read for Headed {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let n = self.head.read(buf)?;
        if n > 0 || buf.is_empty() {
            return Ok(n);
        }
        match self.error.take() {
            Some(err) => Err(err),
            None => self.rest.read(buf),
        }
    }
}

/// What comes out of a decompressor, shared between who reads it and who counts it.
#[derive(Clone)]
pub(super) struct Unpacked(Arc<Mutex<Chunk>>);

/// The decompressor is always asked for whole chunks, so that it breaks at the same byte for all.
struct Chunk {
    input: Box<dyn Read + Send>,
    bytes: Vec<u8>,
    from: usize,
    /// All that was unpacked.
    total: u64,
    ended: Option<Result<()>>,
}

impl Unpacked {
    fn new(input: Box<dyn Read + Send>) -> Unpacked {
        Unpacked(Arc::new(Mutex::new(Chunk { input, bytes: Vec::new(), from: 0, total: 0, ended: None })))
    }

    /// Bytes of the whole entry, as far as it can be unpacked.
    pub(super) fn length(&self) -> u64 {
        let Ok(mut chunk) = self.0.lock() else { return 0 };
        while chunk.ended.is_none() {
            chunk.fill();
        }
        chunk.total
    }
}

impl Chunk {
    fn fill(&mut self) {
        self.bytes.resize(CHUNK_BYTES, 0);
        self.from = 0;
        let mut filled = 0;
        while filled < CHUNK_BYTES && self.ended.is_none() {
            match self.input.read(&mut self.bytes[filled..]) {
                Ok(0) => self.ended = Some(Ok(())),
                Ok(n) => filled += n,
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => self.ended = Some(Err(err)),
            }
        }
        self.bytes.truncate(filled);
        self.total += filled as u64;
    }
}

impl Read for Unpacked {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let mut chunk = self.0.lock().map_err(|_| std::io::Error::from(ErrorKind::Other))?;
        if chunk.from == chunk.bytes.len() && chunk.ended.is_none() {
            chunk.fill();
        }
        let from = chunk.from;
        let n = buf.len().min(chunk.bytes.len() - from);
        if n > 0 {
            buf[..n].copy_from_slice(&chunk.bytes[from..from + n]);
            chunk.from += n;
            return Ok(n);
        }
        match chunk.ended.replace(Ok(())) {
            Some(Err(err)) if !buf.is_empty() => Err(err),
            ended => {
                chunk.ended = ended;
                Ok(0)
            }
        }
    }
}
