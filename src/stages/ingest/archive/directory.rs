//! What a zip says it holds: its central directory.
//!
//! Source: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5. If the directory is cut off, entries are
//! found by their own headers as far as these tell their lengths.

use std::io::{BufReader, ErrorKind, Read, Result, Seek, SeekFrom};

use super::is_safe;
use crate::stages::ingest::Reason;

pub(super) trait File: Read + Seek + Send {}
impl<T: Read + Seek + Send> File for T {}

pub(super) const LOCAL_BYTES: usize = 30;
const CENTRAL_BYTES: usize = 46;
const END_BYTES: usize = 22;
const END64_BYTES: usize = 56;
const LOCATOR_BYTES: usize = 20;
/// A file's kind in Unix modes (`S_IFMT`), and what a regular file and a folder have there.
const MODE_KIND: u32 = 0o170_000;
const MODE_FILE: u32 = 0o100_000;
const MODE_FOLDER: u32 = 0o040_000;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes[at..].first_chunk().map_or(0, |field| u16::from_le_bytes(*field))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |field| u32::from_le_bytes(*field))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |field| u64::from_le_bytes(*field))
}

/// One regular file of the archive, kept or not.
pub(super) struct Listed {
    pub(super) name: Vec<u8>,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed_bytes: u64,
    pub(super) bytes: u64,
    pub(super) header_at: u64,
    pub(super) refused: Option<Reason>,
}

/// All that the archive says it holds.
#[derive(Default)]
pub(super) struct Directory {
    pub(super) listed: Vec<Listed>,
    pub(super) skipped: u64,
    pub(super) damaged: bool,
}

impl Directory {
    pub(super) fn read(file: &mut dyn File) -> Result<Directory> {
        let mut directory = Directory::default();
        let length = file.seek(SeekFrom::End(0))?;
        let Some((at, count)) = find_directory(file, length)? else {
            directory.damaged = true;
            directory.read_local(file, length)?;
            return Ok(directory);
        };
        file.seek(SeekFrom::Start(at))?;
        let mut input = BufReader::with_capacity(64 << 10, file);
        for _ in 0..count {
            let mut fixed = [0; CENTRAL_BYTES];
            let whole = read_all(&mut input, &mut fixed)? && fixed.starts_with(b"PK\x01\x02");
            let (name, extra, comment) = (u16_at(&fixed, 28), u16_at(&fixed, 30), u16_at(&fixed, 32));
            let mut rest = vec![0; usize::from(name) + usize::from(extra) + usize::from(comment)];
            if !whole || !read_all(&mut input, &mut rest)? {
                directory.damaged = true;
                break;
            }
            let (name, rest) = rest.split_at(usize::from(name));
            directory.add_central(&fixed, name, &rest[..usize::from(extra)]);
        }
        Ok(directory)
    }

    fn add_central(&mut self, fixed: &[u8], name: &[u8], extra: &[u8]) {
        let unix = fixed[5] == 3;
        let mode = (u32_at(fixed, 38) >> 16) & MODE_KIND;
        if name.ends_with(b"/") || unix && mode == MODE_FOLDER {
            return;
        }
        if unix && mode != 0 && mode != MODE_FILE {
            self.skipped += 1;
            return;
        }
        let mut sizes = [24, 20, 42].map(|at| u64::from(u32_at(fixed, at)));
        widen(&mut sizes, extra);
        let [bytes, packed_bytes, header_at] = sizes;
        let listed = Listed {
            name: name.to_vec(),
            method: u16_at(fixed, 10),
            crc: u32_at(fixed, 16),
            packed_bytes,
            bytes,
            header_at,
            refused: None,
        };
        self.add(listed, u16_at(fixed, 8));
    }

    fn add(&mut self, mut listed: Listed, flags: u16) {
        let readable = flags & 1 == 0 && matches!(listed.method, 0 | 8);
        listed.refused = if !is_safe(&listed.name) {
            Some(Reason::UnsafeEntryName)
        } else {
            (!readable).then_some(Reason::UnsupportedEntry)
        };
        self.listed.push(listed);
    }

    /// Entries by their own headers, up to the first that does not tell its length (flag 3).
    fn read_local(&mut self, file: &mut dyn File, length: u64) -> Result<()> {
        let mut at = 0;
        loop {
            file.seek(SeekFrom::Start(at))?;
            let mut fixed = [0; LOCAL_BYTES];
            if !read_all(file, &mut fixed)? || !fixed.starts_with(b"PK\x03\x04") || u16_at(&fixed, 6) & 8 != 0 {
                return Ok(());
            }
            let mut name = vec![0; usize::from(u16_at(&fixed, 26))];
            let mut extra = vec![0; usize::from(u16_at(&fixed, 28))];
            if !read_all(file, &mut name)? || !read_all(file, &mut extra)? {
                return Ok(());
            }
            let mut sizes = [u64::from(u32_at(&fixed, 22)), u64::from(u32_at(&fixed, 18)), at];
            widen(&mut sizes, &extra);
            let [bytes, packed_bytes, header_at] = sizes;
            at = at.saturating_add((LOCAL_BYTES + name.len() + extra.len()) as u64).saturating_add(packed_bytes);
            if !name.ends_with(b"/") {
                let (method, crc) = (u16_at(&fixed, 8), u32_at(&fixed, 14));
                let listed = Listed { name, method, crc, packed_bytes, bytes, header_at, refused: None };
                self.add(listed, u16_at(&fixed, 6));
            }
            if at > length {
                // Cut in this entry, whose reader will say so.
                self.damaged = self.listed.last().is_none_or(|last| last.refused.is_some());
                return Ok(());
            }
        }
    }
}

/// Sizes that do not fit 32 bits stand in an extra field of kind 1, in this order.
fn widen(sizes: &mut [u64; 3], mut extra: &[u8]) {
    while extra.len() >= 4 {
        let (kind, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let Some(mut field) = extra.get(4..4 + length) else { return };
        if kind == 1 {
            for size in sizes.iter_mut().filter(|size| **size == u64::from(u32::MAX)) {
                let Some((value, behind)) = field.split_first_chunk() else { return };
                (*size, field) = (u64::from_le_bytes(*value), behind);
            }
            return;
        }
        extra = &extra[4 + length..];
    }
}

/// Offset of the central directory and number of its entries.
fn find_directory(file: &mut dyn File, length: u64) -> Result<Option<(u64, u64)>> {
    let tail_at = length.saturating_sub((END_BYTES + usize::from(u16::MAX)) as u64);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(tail_at))?;
    file.take(length - tail_at).read_to_end(&mut tail)?;
    // The comment behind the end record may hold anything, so its length must fit.
    let fits =
        |at: &usize| tail.len() - at >= END_BYTES && at + END_BYTES + usize::from(u16_at(&tail, at + 20)) == tail.len();
    let Some(at) = memchr::memmem::rfind_iter(&tail, b"PK\x05\x06").find(fits) else { return Ok(None) };
    let end = &tail[at..];
    let narrow = (u64::from(u32_at(end, 16)), u64::from(u16_at(end, 10)));
    let locator = at.checked_sub(LOCATOR_BYTES).map(|from| &tail[from..at]);
    let Some(locator) = locator.filter(|bytes| bytes.starts_with(b"PK\x06\x07")) else { return Ok(Some(narrow)) };
    let mut end64 = [0; END64_BYTES];
    file.seek(SeekFrom::Start(u64_at(locator, 8)))?;
    let whole = read_all(file, &mut end64)? && end64.starts_with(b"PK\x06\x06");
    Ok(whole.then(|| (u64_at(&end64, 48), u64_at(&end64, 32))))
}

/// Fills `buf`; false if the input ends before.
pub(super) fn read_all(input: &mut (impl Read + ?Sized), buf: &mut [u8]) -> Result<bool> {
    match input.read_exact(buf) {
        Err(err) if err.kind() == ErrorKind::UnexpectedEof => Ok(false),
        other => other.map(|()| true),
    }
}
