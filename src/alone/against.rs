//! Benchmarks that records must not repeat: read once, before the records.
//!
//! Always: every row is read as a record of the input would be; a file without a readable row is an
//! error, because a benchmark that was meant to be looked for must not be missed silently.

use super::Options;
use super::lines;
use super::said::{self, Said};
use super::source::Source;
use crate::error::{Error, Result};
use crate::input::Location;
pub use crate::stages::dedup::against::Hit;
use crate::stages::dedup::against::{Index, Settings};
use crate::stages::dedup::sketch::Turn;

/// What is looked for, and what becomes of a record that repeats it.
#[derive(Clone, Debug)]
pub struct Against {
    /// Names and files; a name may have several.
    pub benchmarks: Vec<(String, Location)>,
    pub settings: Settings,
    /// Else it is kept, and its decision says what it repeats.
    pub drop: bool,
}

/// Rows of benchmarks, ready to be looked for.
pub struct Known {
    pub index: Index,
    pub names: Vec<String>,
    /// Of each benchmark, rows that cannot be read.
    pub unread: Vec<u64>,
    rows: Vec<Row>,
}

/// Of which benchmark, and its own id as JSON or the number of its line.
struct Row {
    benchmark: usize,
    name: String,
}

impl Known {
    /// Files of one name follow one another, in the order in which the names came first.
    pub fn read(against: &Against, options: &Options) -> Result<Known> {
        let mut known =
            Known { index: Index::new(against.settings), names: Vec::new(), unread: Vec::new(), rows: Vec::new() };
        for (name, _) in &against.benchmarks {
            if !known.names.contains(name) {
                known.names.push(name.clone());
            }
        }
        known.unread = vec![0; known.names.len()];
        for benchmark in 0..known.names.len() {
            let name = known.names[benchmark].clone();
            for (_, file) in against.benchmarks.iter().filter(|(of, _)| *of == name) {
                known.file(benchmark, file, options)?;
            }
            known.index.end();
        }
        Ok(known)
    }

    fn file(&mut self, benchmark: usize, file: &Location, options: &Options) -> Result<()> {
        let (before, mut newlines) = (self.rows.len(), 0);
        let (chunks, stream) = Source::open(file, options)?.split();
        for chunk in chunks {
            let chunk = chunk?;
            let line_bytes = stream.reading.limits.line_bytes;
            let first = if chunk.items.is_none() { newlines + 1 } else { 0 };
            newlines += lines::each(&chunk, line_bytes, |line| {
                let read = line.bytes.map(|bytes| said::read(bytes, &stream.reading));
                let Ok((Ok(said), id)) = read else {
                    self.unread[benchmark] += 1;
                    return;
                };
                let name = id.map_or_else(|| (first + line.line).to_string(), str::to_owned);
                each(&said, |turns| {
                    self.index.row(turns);
                    self.rows.push(Row { benchmark, name: name.clone() });
                });
            });
        }
        if self.rows.len() == before {
            return Err(Error::Usage(format!("--against {file}: holds no row that can be read as a chat or a text")));
        }
        Ok(())
    }

    /// Number of the benchmark, and name of the row.
    pub fn row(&self, row: u32) -> (usize, &str) {
        let Row { benchmark, name } = &self.rows[row as usize];
        (*benchmark, name)
    }

    /// Rows of a benchmark.
    pub fn rows(&self, benchmark: usize) -> u64 {
        self.rows.iter().filter(|row| row.benchmark == benchmark).count() as u64
    }
}

/// The turns of each conversation of a record.
pub fn each(said: &Said, mut see: impl FnMut(&[Turn])) {
    let Said::Several(conversations) = said else { return see(&said.turns()) };
    for one in conversations {
        let calls: Vec<_> = one.messages.iter().map(crate::layer::build::tool_calls_json).collect();
        see(&turns(&one.messages, &calls));
    }
}

/// Messages with their calls as JSON.
pub fn turns<'m>(messages: &'m [crate::record::Message], calls: &'m [Option<String>]) -> Vec<Turn<'m>> {
    let turn = |(message, calls): (&'m crate::record::Message, &'m Option<String>)| Turn {
        role: message.role.as_str(),
        content: &message.content,
        tool_calls: calls.as_deref(),
    };
    messages.iter().zip(calls).map(turn).collect()
}
