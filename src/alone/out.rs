//! What is written: the records that stay, a decision for each record, the edges, the report.
//!
//! Always: a file appears whole or not at all; of a conversation nothing is written but the raw
//! lines of those that stay.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Options;
use super::against::Known;
use super::check::Edge;
use super::exact::{Fate, Fates, Numbers};
use super::source::Stream;
use super::table::{Kind, NONE, Row, Table};
use super::tell::Report;
use crate::error::{Error, Result};
use crate::input::Location;
use crate::stages::dedup::against::{Hit, surest};

const KEPT: &str = "kept.jsonl";
const EDGES: &str = "edges.jsonl";
const REPORT: &str = "report.json";

/// The folder is there, and no input, nor one output, is what another output will be written over.
pub fn check(options: &Options) -> Result<()> {
    if options.inputs.is_empty() {
        return Err(Error::Usage("name the files to be deduplicated".to_owned()));
    }
    fs::create_dir_all(&options.out).map_err(|err| Error::io(&options.out, &err))?;
    let written = written(options);
    let [others @ .., decisions] = &written;
    let place = |path: &Path| Some((path.parent()?.canonicalize().ok()?, path.file_name()?.to_owned()));
    if place(decisions).is_some_and(|own| others.iter().any(|other| place(other).as_ref() == Some(&own))) {
        return Err(Error::Usage(format!("--decisions {}: another output has this name", decisions.display())));
    }
    // A device or a folder would give way to a file.
    if fs::symlink_metadata(decisions).is_ok_and(|meta| !meta.is_file()) {
        return Err(Error::Usage(format!("--decisions {}: no regular file", decisions.display())));
    }
    for path in &written {
        let Ok(own) = path.canonicalize() else { continue };
        let is_input = |input: &&Location| matches!(input, Location::File(file) if file.canonicalize().is_ok_and(|file| file == own));
        let benchmarks = options.against.iter().flat_map(|against| &against.benchmarks).map(|(_, file)| file);
        if let Some(input) = options.inputs.iter().chain(benchmarks).find(is_input) {
            return Err(Error::Usage(format!("{input}: would be written over; choose another --out")));
        }
    }
    Ok(())
}

fn written(options: &Options) -> [PathBuf; 4] {
    let [kept, edges, report] = [KEPT, EDGES, REPORT].map(|name| options.out.join(name));
    [kept, edges, report, options.decisions.clone()]
}

/// Takes away what a former run wrote: from here on this one's results come, or none.
pub fn clear(options: &Options) -> Result<()> {
    for path in written(options).iter().filter(|path| path.exists()) {
        fs::remove_file(path).map_err(|err| Error::io(path, &err))?;
    }
    Ok(())
}

/// A file under another name until it is whole.
pub struct Whole {
    path: PathBuf,
    temporary: PathBuf,
    to: BufWriter<File>,
}

impl Whole {
    pub fn create(path: &Path) -> Result<Whole> {
        let mut name = path.as_os_str().to_owned();
        name.push(".tmp");
        let temporary = PathBuf::from(name);
        let file = File::create(&temporary).map_err(|err| Error::io(&temporary, &err))?;
        Ok(Whole { path: path.to_owned(), temporary, to: BufWriter::with_capacity(1 << 18, file) })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.to.write_all(bytes).map_err(|err| Error::io(&self.temporary, &err))
    }

    pub fn finish(mut self) -> Result<()> {
        self.to.flush().map_err(|err| Error::io(&self.temporary, &err))?;
        fs::rename(&self.temporary, &self.path).map_err(|err| Error::io(&self.path, &err))
    }
}

/// Verified pairs, as they are found.
pub struct Edges<'a> {
    table: &'a Table,
    to: Whole,
    line: Vec<u8>,
}

impl<'a> Edges<'a> {
    pub fn create(options: &Options, table: &'a Table) -> Result<Edges<'a>> {
        Ok(Edges { table, to: Whole::create(&options.out.join(EDGES))?, line: Vec::new() })
    }

    pub fn write(&mut self, edge: &Edge) -> Result<()> {
        let Edge { a, b, verified, bands_hit } = edge;
        self.line.clear();
        let (a, b) = (self.table.id(*a as usize), self.table.id(*b as usize));
        put(&mut self.line, format_args!(r#"{{"a":{a},"b":{b},"rule":"{}""#, verified.rule.as_str()));
        let numbers = Numbers::of(verified);
        numbers_of(&mut self.line, Some(numbers.user), Some(numbers.assistant), Some(numbers.containment));
        put(&mut self.line, format_args!(",\"bands_hit\":{bands_hit}}}\n"));
        self.to.write(&self.line)
    }

    pub fn finish(self) -> Result<()> {
        self.to.finish()
    }
}

/// Into memory nothing fails.
fn put(line: &mut Vec<u8>, text: std::fmt::Arguments) {
    let _ = line.write_fmt(text);
}

fn numbers_of(line: &mut Vec<u8>, user: Option<f32>, assistant: Option<f32>, containment: Option<f32>) {
    for (name, number) in [("jaccard_user", user), ("jaccard_assistant", assistant), ("containment", containment)] {
        match number {
            None => put(line, format_args!(",\"{name}\":null")),
            // Rounded down: what is not 1 does not look like it.
            Some(number) => put(line, format_args!(",\"{name}\":{}", (f64::from(number) * 1e4).floor() / 1e4)),
        }
    }
}

/// One line for each record, in the order of the input.
pub fn decisions(options: &Options, table: &Table, fates: &Fates, known: Option<&Known>) -> Result<()> {
    let mut hits = table.hits.chunk_by(|one, other| one.0 == other.0).peekable();
    let mut to = Whole::create(&options.decisions)?;
    let mut line = Vec::new();
    for (at, row) in table.rows.iter().enumerate() {
        line.clear();
        put(&mut line, format_args!(r#"{{"id":{},"fate":"{}","winner":"#, table.id(at), fates.fate[at].as_str()));
        match fates.winner[at] {
            NONE => put(&mut line, format_args!("null")),
            winner => put(&mut line, format_args!("{}", table.id(winner as usize))),
        }
        let (user, assistant, containment) = numbers(at, row, fates);
        numbers_of(&mut line, user, assistant, containment);
        if let (Some(hit), Some(known)) = (hits.next_if(|hits| hits[0].0 == at as u32), known) {
            repeats(&mut line, hit, known);
        }
        if let Kind::Reject(reason) = row.kind {
            put(&mut line, format_args!(",\"reason\":\"{}\"", reason.as_str()));
        }
        if options.inputs.len() > 1 {
            // Ids and lines of two files may be the same.
            put(&mut line, format_args!(",\"file\":{},\"line\":{}", row.stream + 1, row.line));
        }
        line.extend_from_slice(b"}\n");
        to.write(&line)?;
    }
    to.finish()
}

/// The row of a benchmark that a record repeats most surely.
fn repeats(line: &mut Vec<u8>, hits: &[(u32, Hit)], known: &Known) {
    let surest = hits
        .iter()
        .map(|(_, hit)| hit)
        .min_by(|a, b| surest((a.rule, a.overlap), (b.rule, b.overlap)).then(a.row.cmp(&b.row)));
    let Some(Hit { row, rule, overlap }) = surest else { return };
    let (benchmark, row) = known.row(*row);
    let (name, rule) = (&known.names[benchmark], rule.as_str());
    put(line, format_args!(",\"benchmark\":\"{name}\",\"benchmark_row\":{row},\"rule\":\"{rule}\""));
    put(line, format_args!(",\"overlap\":{}", (overlap * 1e4).floor() / 1e4));
}

/// A text has one side only; a snapshot is contained, whatever its sides share.
fn numbers(at: usize, row: &Row, fates: &Fates) -> (Option<f32>, Option<f32>, Option<f32>) {
    let found = fates.numbers.get(&(at as u32)).copied();
    let all = Numbers { user: 1.0, assistant: 1.0, containment: 1.0 };
    let (user, assistant, containment) = match (fates.fate[at], found) {
        (Fate::Keep | Fate::Contaminated | Fate::Reject, _) => (None, None, None),
        (Fate::Prefix, found) => (None, None, Some(found.map_or(1.0, |found| found.containment))),
        (_, found) => {
            let Numbers { user, assistant, containment } = found.unwrap_or(all);
            (Some(user), Some(assistant), Some(containment))
        }
    };
    (user, assistant.filter(|_| row.kind != Kind::Text), containment)
}

/// The raw lines of the records that stay.
pub fn kept(options: &Options, table: &Table, streams: &[Stream], fates: &Fates) -> Result<()> {
    let mut to = Whole::create(&options.out.join(KEPT))?;
    let mut buffer = Vec::new();
    for stream in streams {
        let stays: Vec<usize> = stream.rows.clone().filter(|&at| fates.fate[at] == Fate::Keep).collect();
        for run in stays.chunk_by(|&one, &next| follows(&table.rows[one], &table.rows[next])) {
            // Lines that lie side by side are copied together.
            for piece in run.chunks(COPIED_TOGETHER) {
                let (first, last) = (&table.rows[piece[0]], &table.rows[piece[piece.len() - 1]]);
                let bytes = last.offset + u64::from(last.bytes) - first.offset;
                buffer.resize(bytes as usize, 0);
                stream.bytes(first.offset, &mut buffer)?;
                buffer.push(b'\n');
                to.write(&buffer)?;
            }
        }
    }
    to.finish()
}

const COPIED_TOGETHER: usize = 256;

/// Nothing but a newline lies between.
fn follows(one: &Row, next: &Row) -> bool {
    one.offset + u64::from(one.bytes) + 1 == next.offset
}

pub fn report(options: &Options, report: &Report) -> Result<()> {
    let path = options.out.join(REPORT);
    let mut to = Whole::create(&path)?;
    let json =
        serde_json::to_vec_pretty(report).map_err(|err| Error::damaged(path.display().to_string(), err.to_string()))?;
    to.write(&json)?;
    to.write(b"\n")?;
    to.finish()
}
