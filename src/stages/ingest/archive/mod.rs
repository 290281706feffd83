//! Walks the entries of a tar or zip archive without unpacking it to disk.
//!
//! A whole archive is one source, and its places count in one stream: of a tar the decompressed
//! archive itself, headers included; of a zip the contents of its kept entries, one behind the
//! other in the order of the central directory. `line` counts within the entry.
//!
//! Not here: archives and compressed files inside an archive. They are rejects, never followed.
//!
//! Always: every regular file is an entry or a reject; names are told, never opened; memory is
//! bounded by one buffer (and the list of entries, for a zip).

mod directory;
mod tar;
#[cfg(test)]
mod tests;
mod zip;

#[cfg(test)]
pub(crate) use tests::zip_of;

use std::io::{Cursor, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

use super::Reason;
use super::decode::{self, Bounds, Compression};
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

/// Bytes of an entry that are looked at before it is read.
const ENTRY_HEAD_BYTES: u64 = 4096;

/// A regular file inside an archive.
pub struct Entry {
    pub name: String,
    /// Where its bytes begin in the archive's stream.
    pub start_byte: u64,
    pub bytes: u64,
    /// The first bytes, which `reader` gives too.
    pub head: Vec<u8>,
    /// To be read to its end: damage is told here and not again by the walk.
    pub reader: Box<dyn Read + Send>,
}

pub enum Item {
    File(Entry),
    /// Not read; the hash is of the bytes at `place`, keyed like a record hash.
    Reject {
        name: String,
        place: Place,
        reason: Reason,
        hash: blake3::Hash,
    },
}

impl Entry {
    fn new(name: String, start_byte: u64, bytes: u64, mut reader: Box<dyn Read + Send>) -> Entry {
        let mut head = Vec::new();
        let error = reader.by_ref().take(ENTRY_HEAD_BYTES).read_to_end(&mut head).err();
        let reader = Box::new(Headed { head: Cursor::new(head.clone()), error, rest: reader });
        Entry { name, start_byte, bytes, head, reader }
    }

    /// Whether it is packed once more.
    fn is_nested(&self) -> bool {
        Compression::of(&self.head) != Compression::None || Archive::of(&self.head) != Archive::None
    }
}

/// A reader whose first bytes were looked at, and perhaps the error behind them.
struct Headed {
    head: Cursor<Vec<u8>>,
    error: Option<std::io::Error>,
    rest: Box<dyn Read + Send>,
}

impl Read for Headed {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
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

/// The entries of an archive in the order of its stream.
pub struct Entries {
    walk: Walk,
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
        let walk = match archive {
            Archive::Zip => Walk::Zip(Box::new(zip::Zip::open(Box::new(input), bounds, hasher)?)),
            Archive::Tar | Archive::None => {
                input.rewind()?;
                Walk::Tar(Box::new(tar::Tar::new(decode::bounded(Box::new(input), compression, bounds)?, hasher)))
            }
        };
        Ok(Entries { walk })
    }

    /// Links, devices and the like, which hold no bytes.
    pub fn skipped(&self) -> u64 {
        match &self.walk {
            Walk::Tar(tar) => tar.skipped,
            Walk::Zip(zip) => zip.skipped(),
        }
    }
}

impl Iterator for Entries {
    type Item = Item;

    /// The next entry; what is left of the last one is passed over.
    fn next(&mut self) -> Option<Item> {
        match &mut self.walk {
            Walk::Tar(tar) => tar.next(),
            Walk::Zip(zip) => zip.next(),
        }
    }
}

/// The stream in which places count, from `start_byte` on; empty if it ends before.
///
/// Plain files are sought; of a zip only the entry that holds `start_byte` is run through.
pub fn stream_at<R: Read + Seek + Send + 'static>(
    mut file: R,
    (compression, archive): (Compression, Archive),
    start_byte: u64,
) -> std::io::Result<Box<dyn Read + Send>> {
    if archive == Archive::Zip {
        return Ok(Box::new(zip::Concat::open(Box::new(file), start_byte)?));
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

/// The whole stream in which places count.
pub fn stream<R: Read + Seek + Send + 'static>(
    file: R,
    compression: Compression,
    archive: Archive,
) -> std::io::Result<Box<dyn Read + Send>> {
    stream_at(file, (compression, archive), 0)
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
