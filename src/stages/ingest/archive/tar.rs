//! Reads tar as one stream: ustar, pax and GNU headers, and the old headers before them.
//!
//! Sources: POSIX.1-2017 `pax`, "ustar Interchange Format" and "pax Extended Header"; GNU tar
//! manual, "Basic Tar Format". Not read: sparse files and archives over several volumes.
//!
//! Always: blocks of zeros are passed over wherever they stand, so archives in a row are one; a
//! stream that ends without such a block was cut.

use std::io::{BufRead, BufReader, ErrorKind, Read, Result};
use std::sync::{Arc, Mutex};

use super::{Found, is_safe};
use crate::stages::ingest::{Reason, decode};

pub(super) const BLOCK_BYTES: usize = 512;
const BUFFER_BYTES: usize = 128 << 10;
/// Long names and pax records; GNU tar and libarchive write some hundred bytes. Chosen by feel.
const EXTENSION_BYTES: u64 = 1 << 20;

type Block = [u8; BLOCK_BYTES];

/// Whether the first block of a stream is a tar header: its checksum holds.
pub(super) fn is_header(head: &[u8]) -> bool {
    head.first_chunk().is_some_and(checksum_holds) || head.get(257..262) == Some(b"ustar")
}

/// The sum of all bytes, the field itself as blanks. Some old writers summed signed bytes.
fn checksum_holds(block: &Block) -> bool {
    let with = |value: fn(u8) -> i64| -> i64 {
        let at = |(i, byte): (usize, &u8)| value(if (148..156).contains(&i) { b' ' } else { *byte });
        block.iter().enumerate().map(at).sum()
    };
    let written = number(&block[148..156]).and_then(|sum| i64::try_from(sum).ok());
    block[0] != 0 && written.is_some_and(|sum| sum == with(i64::from) || sum == with(|byte| i64::from(byte as i8)))
}

/// Octal digits between blanks or NULs, or GNU's big-endian binary with the high bit set.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let positive = field[0] == 0x80;
        let join = |sum: u64, byte: &u8| sum.checked_mul(256)?.checked_add(u64::from(*byte));
        return if positive { field[1..].iter().try_fold(0, join) } else { None };
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches(|letter| letter == ' ' || letter == '\0');
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The stream, shared between the walk and the entry that is being read.
struct Stream {
    input: BufReader<Box<dyn Read + Send>>,
    offset: u64,
    /// Bytes and padding left of the entry, and which one that is.
    left: u64,
    padding: u64,
    entry: u64,
    /// An error was told; nothing after it can be trusted.
    broken: bool,
}

impl Stream {
    fn fail<T>(&mut self, err: std::io::Error) -> Result<T> {
        self.broken |= err.kind() != ErrorKind::Interrupted;
        Err(err)
    }

    fn read_entry(&mut self, entry: u64, buf: &mut [u8]) -> Result<usize> {
        if self.broken || entry != self.entry {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let most = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        match self.input.read(&mut buf[..most]) {
            Ok(0) => self.fail(ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                self.offset += n as u64;
                self.left -= n as u64;
                Ok(n)
            }
            Err(err) => self.fail(err),
        }
    }

    /// Passes over up to `bytes` and shows them; fewer only at the end of the stream.
    fn pass(&mut self, bytes: u64, mut see: impl FnMut(&[u8])) -> Result<u64> {
        let mut left = bytes;
        while left > 0 {
            let chunk = match self.input.fill_buf() {
                Err(err) if err.kind() == ErrorKind::Interrupted => continue,
                Err(err) => return self.fail(err),
                Ok([]) => break,
                Ok(chunk) => chunk,
            };
            let n = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            see(&chunk[..n]);
            self.input.consume(n);
            self.offset += n as u64;
            left -= n as u64;
        }
        Ok(bytes - left)
    }

    fn pass_exactly(&mut self, bytes: u64, see: impl FnMut(&[u8])) -> Result<()> {
        match self.pass(bytes, see)? == bytes {
            true => Ok(()),
            false => self.fail(ErrorKind::UnexpectedEof.into()),
        }
    }

    /// What is left of the entry.
    fn finish(&mut self, see: impl FnMut(&[u8])) -> Result<()> {
        let (left, padding) = (std::mem::take(&mut self.left), std::mem::take(&mut self.padding));
        self.pass_exactly(left, see)?;
        self.pass_exactly(padding, |_| ())
    }

    fn begin(&mut self, bytes: u64) {
        self.left = bytes;
        self.padding = bytes.wrapping_neg() % BLOCK_BYTES as u64;
        self.entry += 1;
    }
}

/// The bytes of one entry.
struct Body {
    stream: Arc<Mutex<Stream>>,
    entry: u64,
}

impl Read for Body {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let mut stream = self.stream.lock().map_err(|_| std::io::Error::from(ErrorKind::Other))?;
        stream.read_entry(self.entry, buf)
    }
}

pub(super) struct Tar {
    stream: Arc<Mutex<Stream>>,
    pub(super) skipped: u64,
    ended: bool,
}

/// What the headers before a file's own say about it.
#[derive(Default)]
struct Extension {
    name: Option<Vec<u8>>,
    bytes: Option<u64>,
    sparse: bool,
}

/// A header that is to be answered.
struct Header {
    name: Vec<u8>,
    bytes: u64,
    kind: u8,
    sparse: bool,
}

/// What stands at a place in the stream.
enum Next {
    Header(Header),
    End,
    /// Not a header: from here to the end nothing is understood.
    Garbage,
}

impl Tar {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Tar {
        let input = BufReader::with_capacity(BUFFER_BYTES, input);
        let stream = Stream { input, offset: 0, left: 0, padding: 0, entry: 0, broken: false };
        Tar { stream: Arc::new(Mutex::new(stream)), skipped: 0, ended: false }
    }

    pub(super) fn next(&mut self) -> Option<Found> {
        let shared = Arc::clone(&self.stream);
        loop {
            let Ok(mut stream) = shared.lock() else { return None };
            if self.ended || stream.broken {
                return None;
            }
            let header = match stream.finish(|_| ()).and_then(|()| next_header(&mut stream)) {
                Ok(Next::Header(header)) => header,
                Ok(Next::End) => {
                    self.ended = true;
                    return None;
                }
                Ok(Next::Garbage) => {
                    self.ended = true;
                    return Some(Found::damaged(Reason::DamagedCompression));
                }
                Err(err) => return Some(Found::damaged(decode::reason(&err))),
            };
            match header.kind {
                b'5' => {}
                b'1'..=b'6' => self.skipped += 1,
                _ if header.kind == 0 && header.name.ends_with(b"/") => {}
                // Volume labels and lists of deleted files say nothing about a file.
                b'V' | b'D' => stream.begin(header.bytes),
                _ => {
                    stream.begin(header.bytes);
                    drop(stream);
                    return Some(self.file(&header));
                }
            }
        }
    }

    fn file(&self, header: &Header) -> Found {
        let name = String::from_utf8_lossy(&header.name).into_owned();
        let refused = |reason| Found { name: name.clone(), content: Err(reason) };
        let Ok(entry) = self.stream.lock().map(|stream| stream.entry) else { return refused(Reason::Unreadable) };
        if !is_safe(&header.name) {
            return refused(Reason::UnsafeEntryName);
        }
        if header.sparse || !matches!(header.kind, 0 | b'0' | b'7') {
            return refused(Reason::UnsupportedEntry);
        }
        Found { name, content: Ok((header.bytes, Box::new(Body { stream: Arc::clone(&self.stream), entry }))) }
    }
}

/// The header of the next file, with what the extension headers before it say.
fn next_header(stream: &mut Stream) -> Result<Next> {
    let mut extension = Extension::default();
    let mut zeros = stream.offset == 0;
    loop {
        let mut block = [0; BLOCK_BYTES];
        let filled = fill(stream, &mut block)?;
        if filled == 0 && zeros {
            return Ok(Next::End);
        }
        if block[..filled].iter().all(|byte| *byte == 0) && filled > 0 {
            zeros = true;
            continue;
        }
        if filled < BLOCK_BYTES && zeros || filled == BLOCK_BYTES && !checksum_holds(&block) {
            return Ok(Next::Garbage);
        }
        if filled < BLOCK_BYTES {
            return stream.fail(ErrorKind::UnexpectedEof.into());
        }
        let Some(bytes) = number(&block[124..136]) else { return stream.fail(ErrorKind::InvalidData.into()) };
        match block[156] {
            b'x' => {
                if extension.read_pax(&extension_text(stream, bytes)?).is_none() {
                    return stream.fail(ErrorKind::InvalidData.into());
                }
            }
            b'L' => extension.name = Some(until_nul(&extension_text(stream, bytes)?).to_vec()),
            b'K' | b'g' => drop(extension_text(stream, bytes)?),
            kind => {
                if kind == b'S' {
                    pass_sparse_map(stream, &block)?;
                }
                let name = extension.name.unwrap_or_else(|| name_of(&block));
                let bytes = if (b'1'..=b'6').contains(&kind) { 0 } else { extension.bytes.unwrap_or(bytes) };
                return Ok(Next::Header(Header { name, bytes, kind, sparse: extension.sparse || kind == b'S' }));
            }
        }
        zeros = false;
    }
}

fn fill(stream: &mut Stream, block: &mut Block) -> Result<usize> {
    let mut filled = 0;
    let most = block.len() as u64;
    stream.pass(most, |bytes| {
        block[filled..filled + bytes.len()].copy_from_slice(bytes);
        filled += bytes.len();
    })?;
    Ok(filled)
}

fn extension_text(stream: &mut Stream, bytes: u64) -> Result<Vec<u8>> {
    if bytes > EXTENSION_BYTES {
        return stream.fail(ErrorKind::InvalidData.into());
    }
    let mut text = Vec::new();
    stream.pass_exactly(bytes, |piece| text.extend_from_slice(piece))?;
    stream.pass_exactly(bytes.wrapping_neg() % BLOCK_BYTES as u64, |_| ())?;
    Ok(text)
}

/// The map of an old GNU sparse file goes on in blocks behind its header.
fn pass_sparse_map(stream: &mut Stream, header: &Block) -> Result<()> {
    let mut goes_on = header[482] != 0;
    while goes_on {
        let mut block = [0; BLOCK_BYTES];
        if fill(stream, &mut block)? < BLOCK_BYTES {
            return stream.fail(ErrorKind::UnexpectedEof.into());
        }
        goes_on = block[504] != 0;
    }
    Ok(())
}

/// Name and, in ustar but not in GNU headers, the folder before it.
fn name_of(block: &Block) -> Vec<u8> {
    let (name, folder) = (until_nul(&block[..100]), until_nul(&block[345..500]));
    if &block[257..263] != b"ustar\0" || folder.is_empty() {
        return name.to_vec();
    }
    [folder, b"/", name].concat()
}

impl Extension {
    /// Records are `length key=value\n`, the length counting all of it; nothing if one is not.
    fn read_pax(&mut self, text: &[u8]) -> Option<()> {
        let mut rest = text;
        while !rest.is_empty() {
            let (record, behind) = pax_record(rest)?;
            rest = behind;
            let equals = memchr::memchr(b'=', record)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"size" => self.bytes = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
                _ => self.sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
        Some(())
    }
}

fn pax_record(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = memchr::memchr(b' ', text)?;
    let length: usize = std::str::from_utf8(&text[..blank]).ok()?.parse().ok()?;
    let record = text.get(blank + 1..length)?.strip_suffix(b"\n")?;
    Some((record, &text[length..]))
}
