//! A file handle as the Parquet reader wants it: pages by their place, from any thread.
//!
//! Always: nothing is allocated for bytes that the file does not have; a page that unpacks to more
//! than the bounds allow is refused before it is unpacked.

use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use tokio_util::bytes::Bytes;

use super::super::Reason;
use super::super::decode::{self, Bounds, FREE_BYTES, Fault};
use super::thrift;

/// What is read at once where a page header lies; most are far shorter.
const HEADER_BYTES: u64 = 1 << 10;
/// What one page may unpack to. Writers cut pages at 1 MiB, or behind 1,024 values of any length:
/// chosen by feel.
const PAGE_BYTES: u64 = 512 << 20;

pub struct Input<R> {
    state: Arc<Mutex<State<R>>>,
    bytes: u64,
}

struct State<R> {
    file: R,
    bounds: Bounds,
    compressed: u64,
    decompressed: u64,
    /// Why reading failed, because the Parquet reader passes on a text only.
    fault: Option<Reason>,
}

impl<R> Clone for Input<R> {
    fn clone(&self) -> Self {
        Input { state: Arc::clone(&self.state), bytes: self.bytes }
    }
}

impl<R: Read + Seek> Input<R> {
    pub fn new(mut file: R, bounds: Bounds) -> Result<Self> {
        let bytes = file.seek(SeekFrom::End(0))?;
        let state = State { file, bounds, compressed: 0, decompressed: 0, fault: None };
        Ok(Input { state: Arc::new(Mutex::new(state)), bytes })
    }

    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Why the last read failed, if it was not the content.
    pub fn fault(&self) -> Option<Reason> {
        self.with(|state| state.fault.take())
    }

    fn with<T>(&self, act: impl FnOnce(&mut State<R>) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The bytes of a range, all or none.
    pub fn range(&self, start: u64, length: u64) -> Result<Vec<u8>> {
        let within = start.checked_add(length).is_some_and(|end| end <= self.bytes);
        let capacity = usize::try_from(length).ok().filter(|_| within).ok_or(ErrorKind::UnexpectedEof)?;
        self.with(|state| {
            let mut bytes = Vec::with_capacity(capacity);
            let read = state.file.seek(SeekFrom::Start(start));
            let read = read.and_then(|_| state.file.by_ref().take(length).read_to_end(&mut bytes));
            let read = read.and_then(|n| if n < capacity { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) });
            read.inspect_err(|err| state.fault = Some(decode::reason(err)))
        })
    }
}

impl<R> State<R> {
    /// Counts a page, or refuses it.
    fn count(&mut self, page: thrift::Page) -> Result<()> {
        self.compressed += page.compressed_bytes;
        self.decompressed += page.uncompressed_bytes.max(page.values);
        let by_ratio = self.compressed.saturating_mul(self.bounds.ratio);
        let free = self.bounds.decompressed_bytes.min(by_ratio.max(FREE_BYTES));
        if page.uncompressed_bytes <= PAGE_BYTES && page.claimed_bytes <= PAGE_BYTES && self.decompressed <= free {
            return Ok(());
        }
        self.fault = Some(Reason::TooMuchDecompressed);
        Err(Fault::error(Reason::TooMuchDecompressed, None))
    }
}

fn external(err: Error) -> ParquetError {
    ParquetError::External(Box::new(err))
}

impl<R: Read + Seek + Send> Length for Input<R> {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl<R: Read + Seek + Send + 'static> ChunkReader for Input<R> {
    type T = Stretch<R>;

    /// Asked for where a page header lies.
    fn get_read(&self, start: u64) -> parquet::errors::Result<Stretch<R>> {
        let mut stretch = Stretch { input: self.clone(), next: start, chunk: Vec::new(), from: 0 };
        stretch.fill().map_err(external)?;
        if let Some(page) = thrift::page(&stretch.chunk) {
            self.with(|state| state.count(page)).map_err(external)?;
        }
        Ok(stretch)
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        self.range(start, length as u64).map(Bytes::from).map_err(external)
    }
}

/// The bytes from some place on, read piece by piece.
pub struct Stretch<R> {
    input: Input<R>,
    next: u64,
    chunk: Vec<u8>,
    /// Unread part of `chunk`.
    from: usize,
}

impl<R: Read + Seek> Stretch<R> {
    fn fill(&mut self) -> Result<()> {
        let length = HEADER_BYTES.min(self.input.bytes.saturating_sub(self.next));
        (self.chunk, self.from) = (self.input.range(self.next, length)?, 0);
        self.next += length;
        Ok(())
    }
}

impl<R: Read + Seek> Read for Stretch<R> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        if self.from == self.chunk.len() {
            self.fill()?;
        }
        let n = (&self.chunk[self.from..]).read(buf)?;
        self.from += n;
        Ok(n)
    }
}
