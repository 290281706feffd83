//! What stays in memory of every record: hashes, and its place.
//!
//! Always: rows stand in the order of the input, whatever chunks and threads did.

use std::sync::mpsc::sync_channel;

use rayon::prelude::*;

use super::Options;
use super::against::{Hit, Known};
use super::chunk::Chunk;
use super::digest::{Digest, Digester, Seen};
use super::source::{Source, Stream};
use crate::error::{Error, Result};
use crate::record::ProjectKey;
use crate::stages::ingest::Reason;

/// What kind of thing a record is; only the like are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Chat,
    Text,
    /// Several conversations, or sides of preferences: equal or not, nothing between.
    Several,
    Reject(Reason),
}

/// One record, in 64 bytes.
#[derive(Clone, Debug)]
pub struct Row {
    pub exact: [u64; 2],
    /// Microseconds since 1970, the largest number where nothing says.
    pub created_at_us: i64,
    pub offset: u64,
    pub bytes: u32,
    pub line: u32,
    pub tokens: u32,
    pub messages: u32,
    /// Its row among the bands; [`NONE`] where it has none. A short one's is its place in `normal`.
    pub bands: u32,
    pub stream: u16,
    pub kind: Kind,
    pub is_short: bool,
    /// An equal record has its tokens, bands and prefixes.
    pub is_copy: bool,
}

pub const NONE: u32 = u32::MAX;

#[derive(Default)]
pub struct Table {
    pub rows: Vec<Row>,
    /// `width` hashes for every record that has bands.
    pub bands: Vec<u32>,
    pub width: usize,
    /// Normal forms of short records.
    pub normal: Vec<u64>,
    /// Hashes of the proper prefixes of every chat, one row behind the other.
    pub prefixes: Vec<u64>,
    /// First prompts, for popular ones.
    pub openings: Vec<u64>,
    /// Rows of benchmarks that records repeat, in the order of the records.
    pub hits: Vec<(u32, Hit)>,
    ids: Vec<u8>,
    id_ends: Vec<u64>,
}

impl Table {
    pub fn new(width: usize) -> Table {
        Table { width, ..Table::default() }
    }

    /// The record's own id as JSON, else the number of its line.
    pub fn id(&self, row: usize) -> std::borrow::Cow<'_, str> {
        let from = row.checked_sub(1).map_or(0, |before| self.id_ends[before]) as usize;
        let own = std::str::from_utf8(&self.ids[from..self.id_ends[row] as usize]).unwrap_or_default();
        if own.is_empty() { self.rows[row].line.to_string().into() } else { own.into() }
    }

    /// Ids of all records one behind the other, and where each ends.
    pub fn ids(&self) -> (&[u8], &[u64]) {
        (&self.ids, &self.id_ends)
    }

    pub fn set_ids(&mut self, ids: Vec<u8>, id_ends: Vec<u64>) {
        (self.ids, self.id_ends) = (ids, id_ends);
    }

    /// Adds the records of another table as those of a stream.
    pub fn append(&mut self, part: Table, stream: usize) -> Result<()> {
        let stream = numbered(stream)?;
        let (bands, normal) = self.room(part.rows.len())?;
        let ids = self.ids.len() as u64;
        self.rows.extend(part.rows.into_iter().map(|row| Row { stream, ..moved(row, bands, normal) }));
        self.bands.extend(part.bands);
        self.normal.extend(part.normal);
        self.prefixes.extend(part.prefixes);
        self.openings.extend(part.openings);
        self.ids.extend(part.ids);
        self.id_ends.extend(part.id_ends.into_iter().map(|end| ids + end));
        Ok(())
    }

    /// Places of bands and normal forms that come next, if there is room for more rows.
    fn room(&self, rows: usize) -> Result<(u32, u32)> {
        if self.rows.len() + rows >= NONE as usize {
            return Err(Error::Usage("more than four thousand million records; split the input".to_owned()));
        }
        Ok(((self.bands.len() / self.width) as u32, self.normal.len() as u32))
    }

    /// Adds the records of a source. One thread reads, the others look at what was read.
    pub fn read(
        &mut self,
        source: Source,
        number: usize,
        options: &Options,
        key: &ProjectKey,
        (seen, known): (&Seen, Option<&Known>),
    ) -> Result<Stream> {
        let number = numbered(number)?;
        let first = self.rows.len();
        let (chunks, mut stream) = source.split();
        let (send, receive) = sync_channel::<Result<Chunk>>(2 * options.threads);
        let mut newlines = 0;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for chunk in chunks {
                    if send.send(chunk).is_err() {
                        break;
                    }
                }
            });
            let mut waves = receive.iter().peekable();
            while waves.peek().is_some() {
                let wave = waves.by_ref().take(options.threads).collect::<Result<Vec<Chunk>>>()?;
                let make = || Digester::new(options.settings, key, &stream.reading, seen).against(known);
                let digests: Vec<Digest> =
                    wave.par_iter().map_init(make, |digester, chunk| digester.digest(chunk, number)).collect();
                for digest in digests {
                    newlines = self.add(digest, newlines)?;
                }
            }
            Ok::<(), Error>(())
        })?;
        stream.rows = first..self.rows.len();
        Ok(stream)
    }

    fn add(&mut self, digest: Digest, lines_before: u32) -> Result<u32> {
        let (bands, normal) = self.room(digest.rows.len())?;
        let (ids, before) = (self.ids.len() as u64, self.rows.len() as u32);
        self.hits.extend(digest.hits.into_iter().map(|(row, hit)| (before + row, hit)));
        self.rows.extend(digest.rows.into_iter().map(|row| {
            let mut row = moved(row, bands, normal);
            if digest.counts_lines {
                row.line += lines_before + 1;
            }
            row
        }));
        self.bands.extend(digest.bands);
        self.normal.extend(digest.normal);
        self.prefixes.extend(digest.prefixes);
        self.openings.extend(digest.openings);
        self.ids.extend(digest.ids);
        self.id_ends.extend(digest.id_ends.into_iter().map(|end| ids + u64::from(end)));
        Ok(lines_before + digest.newlines)
    }
}

fn numbered(stream: usize) -> Result<u16> {
    u16::try_from(stream).map_err(|_| Error::Usage("more than 65,536 files; put some together".to_owned()))
}

/// A row whose bands lie behind others.
fn moved(mut row: Row, bands: u32, normal: u32) -> Row {
    if row.bands != NONE {
        row.bands += if row.is_short { normal } else { bands };
    }
    row
}
