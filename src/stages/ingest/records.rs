//! The records of one split, whatever holds them: a stretch of a file, or an archive.
//!
//! Always: places count in the source's stream (see [`super::archive`]); `line` counts within the
//! entry of an archive.

use std::io::{Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

use super::archive::{Archive, Entries, Entry, Item};
use super::decode::{self, Bounds, Compression};
use super::encoding::{self, Encoding, Utf16Cutter};
use super::{Cutter, Named, Raw, Shape, columnar, cutter};
use crate::config::Limits;

/// What lies between the bytes of a file and its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packing {
    pub compression: Compression,
    pub archive: Archive,
    pub encoding: Encoding,
    /// Of an archive: the shape that its entries are given where neither their names nor their
    /// first bytes tell another.
    pub shape: Shape,
}

impl Packing {
    /// Whether the bytes of the file are the bytes of its text.
    pub fn is_plain(self) -> bool {
        (self.compression, self.archive, self.encoding) == (Compression::None, Archive::None, Encoding::Utf8)
    }
}

pub struct Records {
    current: Option<Box<dyn Cutter + Send>>,
    /// Where the current entry begins in the source's stream.
    base: u64,
    name: String,
    entries: Option<Entries>,
    shape: Option<Shape>,
    /// What is believed of entries whose own names say nothing.
    named: Named,
    limits: Limits,
    hasher: blake3::Hasher,
}

impl Records {
    /// Of the bytes of a file from `start` (byte, line) to `end_byte`; an archive is read whole. Of
    /// Parquet both count rows.
    pub fn open<R: Read + Seek + Send + 'static>(
        mut file: R,
        packing: Packing,
        start: (u64, u64),
        end_byte: u64,
        limits: &Limits,
        hasher: &blake3::Hasher,
    ) -> std::io::Result<Records> {
        let Packing { compression, archive, encoding, shape } = packing;
        let bounds = Bounds { decompressed_bytes: limits.decompressed_bytes, ratio: limits.decompression_ratio };
        if archive != Archive::None {
            let entries = Entries::open(file, (compression, archive), bounds, hasher.clone())?;
            return Ok(Records::of_archive(entries, shape.named(), *limits, hasher.clone()));
        }
        if shape == Shape::Parquet && packing.is_plain() {
            return Ok(Records::of(columnar::rows(file, start.0..end_byte, limits), *limits, hasher.clone()));
        }
        file.seek(SeekFrom::Start(start.0))?;
        let input = decode::bounded(Box::new(file.take(end_byte - start.0)), compression, bounds)?;
        Ok(Records::of(text_cutter(input, encoding, shape, start, limits, hasher), *limits, hasher.clone()))
    }

    /// Of one stream that is not an archive.
    fn of(only: Box<dyn Cutter + Send>, limits: Limits, hasher: blake3::Hasher) -> Records {
        let named = Named::Nothing;
        Records { current: Some(only), base: 0, name: String::new(), entries: None, shape: None, named, limits, hasher }
    }

    fn of_archive(entries: Entries, named: Named, limits: Limits, hasher: blake3::Hasher) -> Records {
        Records {
            current: None,
            base: 0,
            name: String::new(),
            entries: Some(entries),
            shape: None,
            named,
            limits,
            hasher,
        }
    }

    /// Name of the entry whose record was seen last; empty outside archives.
    pub fn entry(&self) -> &str {
        &self.name
    }

    /// How records lie in the entry that was begun last; nothing outside archives.
    pub fn shape(&self) -> Option<Shape> {
        self.shape
    }

    /// Shows the next record, or answers nothing at the end.
    pub fn next<T>(&mut self, see: impl FnOnce(Raw) -> T) -> Option<T> {
        loop {
            if let Some(mut raw) = self.current.as_mut().and_then(|current| current.next()) {
                raw.place.start_byte += self.base;
                raw.place.end_byte += self.base;
                return Some(see(raw));
            }
            self.current = None;
            match self.entries.as_mut()?.next()? {
                Item::File(entry) => self.begin(entry),
                Item::Reject { name, place, reason, hash } => {
                    self.name = name;
                    return Some(see(Raw { place, body: Err(reason), hash: Some(hash) }));
                }
            }
        }
    }

    fn begin(&mut self, entry: Entry) {
        (self.base, self.name) = (entry.start_byte, entry.name);
        let (encoding, shape) = told(&entry.head, Named::of(&self.name).or(self.named));
        self.shape = Some(shape);
        self.current = Some(text_cutter(entry.reader, encoding, shape, (0, 1), &self.limits, &self.hasher));
    }
}

/// Encoding and shape of a text, told by its first bytes and by what its name says.
pub fn told(head: &[u8], named: Named) -> (Encoding, Shape) {
    let encoding = Encoding::of(head);
    if encoding == Encoding::Utf8 {
        return (encoding, Shape::of_named(head, named));
    }
    // Brackets and blanks are what matters; other letters only must not look like them.
    let unit = |pair: &[u8; 2]| encoding.unit(*pair);
    let units = head.as_chunks().0.iter().map(unit).skip_while(|unit| *unit == encoding::MARK);
    let text: Vec<u8> = units.map(|unit| u8::try_from(unit).unwrap_or(u8::MAX)).collect();
    // Parquet is bytes; a text that begins like it is a text.
    (encoding, if columnar::is_parquet(&text) { Shape::Lines } else { Shape::of(&text) })
}

/// The cutter for a stream of text, UTF-8 or UTF-16; `start` matters for UTF-8 only.
fn text_cutter(
    input: Box<dyn Read + Send>,
    encoding: Encoding,
    shape: Shape,
    start: (u64, u64),
    limits: &Limits,
    hasher: &blake3::Hasher,
) -> Box<dyn Cutter + Send> {
    if encoding == Encoding::Utf8 {
        return cutter(input, shape, start, limits, hasher.clone());
    }
    let make = |input| cutter(input, shape, (0, 1), limits, hasher.clone());
    Box::new(Utf16Cutter::new(input, encoding, hasher.clone(), make))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::archive::{Archive, kind, stream_at};
    use super::super::decode::Bounds;
    use super::*;

    #[test]
    fn letters_of_utf16_that_hold_the_byte_of_a_bracket_are_none() {
        for (text, shape) in [
            ("\u{feff}\u{feff} [1]", Shape::Array),
            ("\u{feff}{\n\"a\":1}", Shape::Documents),
            ("\u{feff}\u{5b66}", Shape::Lines),
            ("\u{feff}\u{55b}", Shape::Lines),
        ] {
            for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                let head: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
                assert_eq!(told(&head, Named::Nothing).1, shape, "{text:?}");
            }
        }
    }

    #[test]
    fn records_of_a_zip_are_found_again_at_their_places() {
        let utf16: Vec<u8> = "\u{feff}{\"é\":1}\nx".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let bytes = super::super::archive::zip_of(&[
            ("a.json", 0, b"\xef\xbb\xbf[1,\n{\"b\":2}]"),
            ("../b", 0, b"no"),
            ("c.txt", 0, &utf16),
            ("d.jsonl", 0, b"\xef\xbb\xbfone\n\ntwo"),
        ]);
        let mut file = Cursor::new(bytes.clone());
        let found = kind(&mut file).unwrap();
        assert_eq!(found.1, Archive::Zip);
        let entries = Entries::open(file, found, Bounds::NONE, blake3::Hasher::new()).unwrap();
        let mut records = Records::of_archive(
            entries,
            Named::Nothing,
            Limits { line_bytes: 99, ..Limits::default() },
            blake3::Hasher::new(),
        );
        let mut got = Vec::new();
        while let Some((place, text, hash)) = records
            .next(|raw| (raw.place, raw.body.map(|body| String::from_utf8_lossy(&body.text()).into_owned()), raw.hash))
        {
            if let Ok(text) = &text {
                let length = place.end_byte - place.start_byte;
                let mut again = Vec::new();
                let stream = stream_at(Cursor::new(bytes.clone()), found, place.start_byte).unwrap();
                stream.take(length).read_to_end(&mut again).unwrap();
                assert_eq!(blake3::hash(&again), hash.unwrap_or_else(|| blake3::hash(text.as_bytes())), "{text}");
            }
            got.push((records.entry().to_owned(), place.line, text));
        }
        let ok = |name: &str, line, text: &str| (name.to_owned(), line, Ok(text.to_owned()));
        assert_eq!(
            got,
            [
                ok("a.json", 1, "1"),
                ok("a.json", 2, "{\"b\":2}"),
                ("../b".to_owned(), 1, Err(super::super::Reason::UnsafeEntryName)),
                ok("c.txt", 1, "{\"é\":1}"),
                ok("c.txt", 2, "x"),
                ok("d.jsonl", 1, "one"),
                ok("d.jsonl", 3, "two"),
            ]
        );
    }
}
