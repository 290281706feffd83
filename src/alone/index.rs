//! Sketches of files that were read before: one immutable segment a file, named by the hash of its
//! content.
//!
//! It is a cache and no state: decisions are made over all files that are named, whatever is known of
//! them. So runs over one more file each decide as one run over all, and a changed file (a conversation
//! was erased) is another content with another segment. Segments are neither merged nor sorted: all
//! their hashes are sorted together when it is decided.
//!
//! Not here: words. What is compared exactly is read again from the files.
//!
//! Always: a segment whose parameters differ is refused, a damaged one is an error; what the last run
//! did not name is gone, so no hash of an erased conversation stays.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Options;
use super::out::Whole;
use super::table::{Kind, Row, Table};
use crate::canon;
use crate::error::{Error, Result};
use crate::record::ProjectKey;
use crate::stages::dedup::sketch::{Settings, VERSION};
use crate::stages::ingest::{READER_VERSION, Reason};

/// Version of the bytes of a segment.
/// - 1: first release.
const FORMAT: u32 = 1;
const ENDING: &str = "segment";
/// More than a header has.
const HEADER_BYTES: u64 = 4096;

/// All that hashes depend on, beside the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Parameters {
    format: u32,
    /// Sketches, the canonical form, and how records are read.
    versions: [u32; 3],
    settings: Settings,
    /// Fingerprint of the key that seeds the hashes.
    seed: String,
}

/// The first line of a segment.
#[derive(Serialize, Deserialize)]
struct Header {
    gristmill_dedup_segment: Parameters,
    records: u64,
    /// Of all bytes behind this line.
    blake3: String,
}

pub struct Index {
    folder: PathBuf,
    parameters: Parameters,
    named: BTreeSet<PathBuf>,
}

impl Index {
    pub fn open(folder: &Path, options: &Options, key: &ProjectKey) -> Result<Index> {
        fs::create_dir_all(folder).map_err(|err| Error::io(folder, &err))?;
        let versions = [VERSION, u32::from(canon::VERSION), READER_VERSION];
        let seed = key.fingerprint().to_string();
        let parameters = Parameters { format: FORMAT, versions, settings: options.settings, seed };
        let index = Index { folder: folder.to_owned(), parameters, named: BTreeSet::new() };
        // Before anything is read: a preset that was changed by mistake costs a second, not an hour.
        for path in index.segments()? {
            let (mut head, failed) = (Vec::new(), |err: std::io::Error| Error::io(&path, &err));
            File::open(&path).and_then(|file| file.take(HEADER_BYTES).read_to_end(&mut head)).map_err(failed)?;
            index.header(&path, &head)?;
        }
        Ok(index)
    }

    fn segments(&self) -> Result<Vec<PathBuf>> {
        let failed = |err: std::io::Error| Error::io(&self.folder, &err);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            found.extend(path.extension().is_some_and(|ending| ending == ENDING).then_some(path));
        }
        Ok(found)
    }

    fn path(&self, content: blake3::Hash) -> PathBuf {
        self.folder.join(format!("{content}.{ENDING}"))
    }

    /// What was read of a file with this content.
    pub fn find(&mut self, content: blake3::Hash) -> Result<Option<Table>> {
        let path = self.path(content);
        self.named.insert(path.clone());
        if !path.exists() {
            return Ok(None);
        }
        let bytes = read(&path)?;
        let (header, body) = self.header(&path, &bytes)?;
        let table =
            (blake3::hash(body).to_hex().as_str() == header.blake3).then(|| decode(body, self.width())).flatten();
        let table = table.filter(|table| table.rows.len() as u64 == header.records);
        table.map(Some).ok_or_else(|| damaged(&path))
    }

    fn width(&self) -> usize {
        self.parameters.settings.bands as usize
    }

    fn header<'b>(&self, path: &Path, bytes: &'b [u8]) -> Result<(Header, &'b [u8])> {
        let end = memchr::memchr(b'\n', bytes).ok_or_else(|| damaged(path))?;
        let header: Header = serde_json::from_slice(&bytes[..end]).map_err(|_| damaged(path))?;
        if header.gristmill_dedup_segment != self.parameters {
            let what = "was made with other settings, or by another version; use those, or another --index";
            return Err(Error::Usage(format!("{}: {what}", path.display())));
        }
        Ok((header, &bytes[end + 1..]))
    }

    pub fn keep(&self, content: blake3::Hash, table: &Table) -> Result<()> {
        let path = self.path(content);
        let body = encode(table);
        let header = Header {
            gristmill_dedup_segment: self.parameters.clone(),
            records: table.rows.len() as u64,
            blake3: blake3::hash(&body).to_string(),
        };
        let header = serde_json::to_vec(&header).map_err(|_| damaged(&path))?;
        let mut to = Whole::create(&path)?;
        [&header[..], b"\n", &body].into_iter().try_for_each(|bytes| to.write(bytes))?;
        to.finish()
    }

    /// Removes what no file of this run has.
    pub fn finish(self) -> Result<()> {
        let mut left = self.segments()?.into_iter().filter(|path| !self.named.contains(path));
        left.try_for_each(|path| fs::remove_file(&path).map_err(|err| Error::io(&path, &err)))
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|err| Error::io(path, &err))
}

fn damaged(path: &Path) -> Error {
    Error::damaged(path.display().to_string(), "is no whole segment; remove it to have it made again")
}

/// Columns one behind the other, each behind the number of its bytes.
fn encode(table: &Table) -> Vec<u8> {
    let rows = &table.rows;
    let wide = |of: fn(&Row) -> u64| rows.iter().flat_map(|row| of(row).to_le_bytes()).collect::<Vec<u8>>();
    let small = |of: fn(&Row) -> u32| rows.iter().flat_map(|row| of(row).to_le_bytes()).collect::<Vec<u8>>();
    let kinds = rows.iter().map(|row| match row.kind {
        Kind::Chat => 0,
        Kind::Text => 1,
        Kind::Several => 2,
        Kind::Reject(_) => 3,
    });
    let reason = |row: &Row| if let Kind::Reject(reason) = row.kind { Some(reason) } else { None };
    let reasons: Vec<Reason> = rows.iter().filter_map(reason).collect();
    let wides = |values: &[u64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let (ids, id_ends) = table.ids();
    let columns = [
        wide(|row| row.exact[0]),
        wide(|row| row.exact[1]),
        wide(|row| row.created_at_us as u64),
        wide(|row| row.offset),
        small(|row| row.bytes),
        small(|row| row.line),
        small(|row| row.tokens),
        small(|row| row.messages),
        small(|row| row.bands),
        kinds.collect(),
        rows.iter().map(|row| u8::from(row.is_short) | u8::from(row.is_copy) << 1).collect(),
        // Into memory nothing fails.
        serde_json::to_vec(&reasons).unwrap_or_default(),
        table.bands.iter().flat_map(|band| band.to_le_bytes()).collect(),
        wides(&table.normal),
        wides(&table.prefixes),
        wides(&table.openings),
        ids.to_vec(),
        wides(id_ends),
    ];
    let column = |column: Vec<u8>| [&(column.len() as u64).to_le_bytes()[..], &column].concat();
    columns.into_iter().flat_map(column).collect()
}

/// Columns in the order in which they were written.
struct Columns<'b>(&'b [u8]);

impl<'b> Columns<'b> {
    fn bytes(&mut self) -> Option<&'b [u8]> {
        let (length, rest) = self.0.split_first_chunk::<8>()?;
        let (column, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        self.0 = rest;
        Some(column)
    }

    fn wide(&mut self) -> Option<Vec<u64>> {
        Some(self.bytes()?.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect())
    }

    fn small(&mut self) -> Option<Vec<u32>> {
        Some(self.bytes()?.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
    }
}

fn decode(body: &[u8], width: usize) -> Option<Table> {
    let mut columns = Columns(body);
    let [exact, other, times, offsets] = [columns.wide()?, columns.wide()?, columns.wide()?, columns.wide()?];
    let [bytes, lines, tokens] = [columns.small()?, columns.small()?, columns.small()?];
    let [messages, bands] = [columns.small()?, columns.small()?];
    let (kinds, flags) = (columns.bytes()?, columns.bytes()?);
    let mut reasons = serde_json::from_slice::<Vec<Reason>>(columns.bytes()?).ok()?.into_iter();
    let mut table = Table::new(width);
    for (at, &first) in exact.iter().enumerate() {
        table.rows.push(Row {
            exact: [first, *other.get(at)?],
            created_at_us: *times.get(at)? as i64,
            offset: *offsets.get(at)?,
            bytes: *bytes.get(at)?,
            line: *lines.get(at)?,
            tokens: *tokens.get(at)?,
            messages: *messages.get(at)?,
            bands: *bands.get(at)?,
            stream: 0,
            kind: match kinds.get(at)? {
                0 => Kind::Chat,
                1 => Kind::Text,
                2 => Kind::Several,
                _ => Kind::Reject(reasons.next()?),
            },
            is_short: flags.get(at)? & 1 > 0,
            is_copy: flags.get(at)? & 2 > 0,
        });
    }
    (table.bands, table.normal) = (columns.small()?, columns.wide()?);
    (table.prefixes, table.openings) = (columns.wide()?, columns.wide()?);
    table.set_ids(columns.bytes()?.to_vec(), columns.wide()?);
    Some(table)
}
