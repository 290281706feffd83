//! Walks the entries of a tar or zip archive without unpacking it to disk.
//!
//! A whole archive is one source, and its places count in one stream: the contents of its entries,
//! one behind the other in the order of the walk, each as it reads once it is unpacked. An entry that
//! is refused has no bytes in it. `line` counts within the entry.
//!
//! An entry that is packed (`.jsonl.gz` in a tar) is unpacked once, within the same bounds as the
//! archive itself. Not here: archives inside an archive, which are rejects, never followed.
//!
//! Always: every regular file is an entry or a reject; names are told, never opened; memory is
//! bounded by some buffers (and the list of entries, for a zip).

mod directory;
mod entry;
mod tar;
#[cfg(test)]
mod tests;
mod zip;

#[cfg(test)]
pub(crate) use tests::zip_of;

use std::io::{Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

use super::Reason;
use super::decode::{self, Bounds, Compression, Meter};
use crate::record::Place;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Archive {
    None,
    Tar,
    Zip,
}

/// Of the decompressed stream; a tar header is one block.
const HEAD_BYTES: usize = tar::BLOCK_BYTES;

impl Archive {
    /// Told by the first [`HEAD_BYTES`] of the decompressed stream.
    pub fn of(head: &[u8]) -> Archive {
        match head {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Archive::Zip,
            head if tar::is_header(head) => Archive::Tar,
            _ => Archive::None,
        }
    }
}

/// What a file is; leaves it at its beginning. A zip inside a compressed file is not an archive
/// that can be read, because it needs seeking.
pub fn kind<R: Read + Seek + Send>(input: &mut R) -> std::io::Result<(Compression, Archive)> {
    input.rewind()?;
    let mut head = Vec::new();
    input.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    input.rewind()?;
    let compression = Compression::of(&head);
    if compression == Compression::None {
        return Ok((compression, Archive::of(&head)));
    }
    head.clear();
    // A broken stream is the walk's to report; whatever came out before is enough here.
    if let Ok(stream) = decode::reader(Box::new(&mut *input), compression) {
        let _ = stream.take(HEAD_BYTES as u64).read_to_end(&mut head);
    }
    input.rewind()?;
    let archive = if tar::is_header(&head) { Archive::Tar } else { Archive::None };
    Ok((compression, archive))
}

/// A regular file inside an archive.
pub struct Entry {
    pub name: String,
    /// Where its bytes begin in the archive's stream.
    pub start_byte: u64,
    /// The first bytes, which `reader` gives too.
    pub head: Vec<u8>,
    /// To be read to its end: damage is told here and not again by the walk.
    pub reader: Box<dyn Read + Send>,
}

/// A file as the walk of its archive comes to it: how many bytes it has there and how to read them,
/// or why it is not read.
struct Found {
    name: String,
    content: Result<(u64, Box<dyn Read + Send>), Reason>,
}

impl Found {
    /// No file: from here on nothing is understood.
    fn damaged(reason: Reason) -> Found {
        Found { name: String::new(), content: Err(reason) }
    }
}

pub enum Item {
    File(Entry),
    /// Not in the stream, so without bytes; the hash is of none, keyed like a record hash.
    Reject {
        name: String,
        place: Place,
        reason: Reason,
        hash: blake3::Hash,
    },
}

/// The entries of an archive in the order of its stream.
pub struct Entries {
    walk: Walk,
    bounds: Bounds,
    meter: Meter,
    hasher: blake3::Hasher,
    /// Where the next entry begins, but for what is still to come out of the last.
    start_byte: u64,
    last: Option<entry::Unpacked>,
    refused: u32,
}

enum Walk {
    Tar(Box<tar::Tar>),
    Zip(Box<zip::Zip>),
}

impl Entries {
    /// `input` is the file itself, at any position. `hasher` is keyed like record hashes.
    pub fn open<R: Read + Seek + Send + 'static>(
        mut input: R,
        (compression, archive): (Compression, Archive),
        bounds: Bounds,
        hasher: blake3::Hasher,
    ) -> std::io::Result<Entries> {
        let meter = Meter::default();
        let walk = match archive {
            Archive::Zip => Walk::Zip(Box::new(zip::Zip::open(Box::new(input), bounds, meter.clone())?)),
            Archive::Tar | Archive::None => {
                input.rewind()?;
                let stream = decode::metered(Box::new(input), compression, bounds, &meter)?;
                Walk::Tar(Box::new(tar::Tar::new(stream)))
            }
        };
        Ok(Entries { walk, bounds, meter, hasher, start_byte: 0, last: None, refused: 0 })
    }

    /// Links, devices and the like, which hold no bytes.
    pub fn skipped(&self) -> u64 {
        match &self.walk {
            Walk::Tar(tar) => tar.skipped,
            Walk::Zip(zip) => zip.skipped(),
        }
    }

    /// `element` tells it from all records, and from other rejects at the same place.
    fn reject(&mut self, name: String, reason: Reason) -> Item {
        let (at, element) = (self.start_byte, u32::MAX - self.refused);
        self.refused += 1;
        let place = Place { start_byte: at, end_byte: at, line: 1, element };
        Item::Reject { name, place, reason, hash: self.hasher.finalize() }
    }
}

impl Iterator for Entries {
    type Item = Item;

    /// The next entry; what is left of the last one is passed over.
    fn next(&mut self) -> Option<Item> {
        self.start_byte += self.last.take().map_or(0, |last| last.length());
        let Found { name, content } = match &mut self.walk {
            Walk::Tar(tar) => tar.next(),
            Walk::Zip(zip) => zip.next(),
        }?;
        let opened = content.and_then(|(bytes, content)| Ok((bytes, entry::open(content, self.bounds, &self.meter)?)));
        let (bytes, opened) = match opened {
            Ok(opened) => opened,
            Err(reason) => return Some(self.reject(name, reason)),
        };
        let start_byte = self.start_byte;
        match opened.unpacked {
            Some(unpacked) => self.last = Some(unpacked),
            // Its length is known, and holds also where the entry breaks off.
            None => match start_byte.checked_add(bytes) {
                Some(end) => self.start_byte = end,
                // A length that is a lie; no place could be told behind it.
                None => return Some(self.reject(name, Reason::DamagedCompression)),
            },
        }
        Some(Item::File(Entry { name, start_byte, head: opened.head, reader: opened.reader }))
    }
}

/// The stream in which places count, from `start_byte` on; empty if it ends before.
///
/// Plain files are sought; of an archive, entries before `start_byte` are passed over.
pub fn stream_at<R: Read + Seek + Send + 'static>(
    mut file: R,
    (compression, archive): (Compression, Archive),
    start_byte: u64,
) -> std::io::Result<Box<dyn Read + Send>> {
    if archive != Archive::None {
        let entries = Entries::open(file, (compression, archive), Bounds::NONE, blake3::Hasher::new())?;
        return Ok(Box::new(Concat { entries, from: start_byte, current: Box::new(std::io::empty()) }));
    }
    if compression == Compression::None {
        file.seek(SeekFrom::Start(start_byte))?;
        return Ok(Box::new(file));
    }
    file.rewind()?;
    let mut stream = decode::reader(Box::new(file), compression)?;
    pass(&mut stream, start_byte)?;
    Ok(stream)
}

/// The contents of all entries in a row, from somewhere on.
struct Concat {
    entries: Entries,
    from: u64,
    current: Box<dyn Read + Send>,
}

impl Read for Concat {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.current.read(buf) {
                // A packed entry ends where it breaks: so its bytes were counted.
                Err(_) if self.entries.last.is_some() => {}
                Ok(0) if !buf.is_empty() => {}
                read => return read,
            }
            self.current = match self.entries.next() {
                None => return Ok(0),
                Some(Item::Reject { .. }) => continue,
                // Known to end before, so not read.
                Some(Item::File(_)) if self.entries.last.is_none() && self.entries.start_byte <= self.from => continue,
                Some(Item::File(mut entry)) => {
                    // If it breaks on the way, what is wanted stands in a later entry.
                    let _ = pass(&mut entry.reader, self.from.saturating_sub(entry.start_byte));
                    entry.reader
                }
            };
        }
    }
}

fn pass(stream: &mut dyn Read, bytes: u64) -> std::io::Result<u64> {
    std::io::copy(&mut stream.take(bytes), &mut std::io::sink())
}

/// Whether a name stays inside the archive, on any system. Nothing is ever opened by it, but
/// whoever made such an archive meant harm or made a mistake.
fn is_safe(name: &[u8]) -> bool {
    let drive = matches!(name, [letter, b':', ..] if letter.is_ascii_alphabetic());
    let mut parts = name.split(|byte| matches!(byte, b'/' | b'\\'));
    !name.is_empty()
        && !matches!(name[0], b'/' | b'\\')
        && !drive
        && !name.contains(&0)
        && parts.all(|part| part != b"..")
}
