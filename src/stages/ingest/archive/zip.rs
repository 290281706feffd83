//! Reads zip by its central directory; stored and deflated entries.
//!
//! Source: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5. Not read: encrypted entries, other methods,
//! archives over several disks.
//!
//! Always: an entry is right only if its length and CRC are.

use std::io::{BufReader, Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::sync::{Arc, Mutex};

use flate2::bufread::DeflateDecoder;

use super::Found;
use super::directory::{Directory, File, LOCAL_BYTES, Listed, read_all, u16_at};
use crate::stages::ingest::Reason;
use crate::stages::ingest::decode::{Bounds, Limited, Meter};

type Shared = Arc<Mutex<Box<dyn File>>>;

const BUFFER_BYTES: usize = 64 << 10;

/// A stretch of the file; other stretches may be read in between.
struct Section {
    file: Shared,
    at: u64,
    left: u64,
}

impl Read for Section {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let most = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let mut file = self.file.lock().map_err(|_| Error::from(ErrorKind::Other))?;
        file.seek(SeekFrom::Start(self.at))?;
        let n = file.read(&mut buf[..most])?;
        self.at += n as u64;
        self.left -= n as u64;
        Ok(n)
    }
}

/// Content of an entry; an error where its length or CRC is not as written.
struct Checked {
    input: Box<dyn Read + Send>,
    crc: flate2::Crc,
    expected: u32,
    left: u64,
}

impl Read for Checked {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            let more = self.input.read(&mut [0])?;
            return if more == 0 && self.crc.sum() == self.expected {
                Ok(0)
            } else {
                Err(ErrorKind::InvalidData.into())
            };
        }
        let most = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let n = self.input.read(&mut buf[..most])?;
        if n == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.crc.update(&buf[..n]);
        self.left -= n as u64;
        Ok(n)
    }
}

/// The file and how it is read.
struct Source {
    file: Shared,
    meter: Meter,
    bounds: Bounds,
}

impl Source {
    fn content(&self, listed: &Listed) -> Result<Box<dyn Read + Send>> {
        let mut local = [0; LOCAL_BYTES];
        {
            let mut file = self.file.lock().map_err(|_| Error::from(ErrorKind::Other))?;
            file.seek(SeekFrom::Start(listed.header_at))?;
            if !read_all(&mut **file, &mut local)? || !local.starts_with(b"PK\x03\x04") {
                return Err(ErrorKind::InvalidData.into());
            }
        }
        let names = u64::from(u16_at(&local, 26)) + u64::from(u16_at(&local, 28));
        let at = listed.header_at.saturating_add(LOCAL_BYTES as u64 + names);
        let section = Section { file: Arc::clone(&self.file), at, left: listed.packed_bytes };
        let packed = self.meter.count(section);
        let input: Box<dyn Read + Send> = match listed.method {
            0 => Box::new(Limited::new(packed, self.meter.clone(), self.bounds)),
            _ => {
                let inflated = DeflateDecoder::new(BufReader::with_capacity(BUFFER_BYTES, packed));
                Box::new(Limited::new(inflated, self.meter.clone(), self.bounds))
            }
        };
        Ok(Box::new(Checked { input, crc: flate2::Crc::new(), expected: listed.crc, left: listed.bytes }))
    }
}

pub(super) struct Zip {
    source: Source,
    directory: Directory,
    next: usize,
}

impl Zip {
    pub(super) fn open(mut file: Box<dyn File>, bounds: Bounds, meter: Meter) -> Result<Zip> {
        let directory = Directory::read(&mut *file)?;
        Ok(Zip { source: Source { file: Arc::new(Mutex::new(file)), meter, bounds }, directory, next: 0 })
    }

    pub(super) fn skipped(&self) -> u64 {
        self.directory.skipped
    }

    pub(super) fn next(&mut self) -> Option<Found> {
        let Some(listed) = self.directory.listed.get(self.next) else {
            let damaged = std::mem::take(&mut self.directory.damaged);
            return damaged.then(|| Found::damaged(Reason::DamagedCompression));
        };
        self.next += 1;
        let content = match listed.refused {
            Some(reason) => Err(reason),
            None => self.source.content(listed).map_err(|_| Reason::DamagedCompression),
        };
        let name = String::from_utf8_lossy(&listed.name).into_owned();
        Some(Found { name, content: content.map(|content| (listed.bytes, content)) })
    }
}
