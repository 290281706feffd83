//! `gristmill dedup`: one decision over files of records, in this process, without a store.
//!
//! Not here: how records are read (`stages::ingest`), what makes a duplicate (`stages::dedup`), how
//! the result is printed (`cli`).
//!
//! Always: every record has one decision, in the order of the input; who is dropped has a winner
//! that is kept; neither threads nor chunks show in the result; of a record only hashes stay in
//! memory, and its place.

mod against;
mod check;
mod chunk;
mod digest;
mod exact;
mod gate;
mod index;
mod lines;
mod near;
mod out;
mod said;
mod settle;
mod source;
mod table;
mod tell;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::input::Location;
use crate::record::ProjectKey;
use crate::stages::dedup::curve;

pub use crate::config::Guards;
pub use crate::stages::dedup::against::Settings as Looking;
pub use crate::stages::dedup::sketch::Settings;
pub use against::Against;
pub use tell::{Benchmark, Cluster, Lost, Report};

use against::Known;
use source::Stream;
use table::Table;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    pub inputs: Vec<Location>,
    pub out: PathBuf,
    pub decisions: PathBuf,
    pub settings: Settings,
    pub min_jaccard: f64,
    /// Two answers to one prompt stay, also where they are nearly the same.
    pub keep_answers: bool,
    pub bucket_limit: u32,
    pub threads: usize,
    /// Bytes that are read and looked at together.
    pub chunk_bytes: usize,
    pub guards: Guards,
    /// Where sketches are kept for the next run.
    pub index: Option<PathBuf>,
    /// Benchmarks that no record may repeat.
    pub against: Option<Against>,
}

/// Bytes of a chunk where nothing else is asked for: small enough for the cache of one core.
pub const CHUNK_BYTES: usize = 1 << 20;

/// Hashes need a key. Those of this command never leave the process, so it may be known.
fn key() -> ProjectKey {
    ProjectKey::from_bytes(*blake3::hash(b"gristmill dedup: hashes that never leave the process").as_bytes())
}

/// The chance that a pair of a Jaccard is found with these bands and rows.
pub fn found(jaccard: f64, settings: &Settings) -> f64 {
    curve::found(jaccard, settings.bands, settings.rows_per_band)
}

/// Reads all inputs, decides, writes. An error of a gate comes after the evidence was written.
pub fn run(options: &Options) -> Result<(Report, Option<Error>)> {
    out::check(options)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    let pool = pool.map_err(|err| Error::Usage(format!("--threads {}: {err}", options.threads)))?;
    let key = key();
    let known = options.against.as_ref().map(|against| Known::read(against, options)).transpose()?;
    let mut table = Table::new(options.settings.bands as usize);
    let streams = pool.install(|| read(&mut table, options, &key, known.as_ref()))?;
    out::clear(options)?;
    pool.install(|| {
        let mut fates = exact::decide(&mut table, options.against.as_ref().is_some_and(|against| against.drop));
        let order = near::order(&table, &fates);
        let buckets = near::Buckets::new(&mut table, &order, options.bucket_limit as usize);
        let mut sink = out::Edges::create(options, &table)?;
        let checked = check::all(&table, &streams, &order, &buckets, options, &key, &mut sink)?;
        drop(buckets);
        sink.finish()?;
        settle::near(&table, &mut fates, &order, &checked);
        settle::follow(&mut fates);
        check::containments(&table, &streams, &mut fates, options, &key)?;
        out::decisions(options, &table, &fates, known.as_ref())?;
        let mut report = tell::report(options, &table, &streams, &fates, &checked);
        report.benchmarks = tell::benchmarks(&table, known.as_ref());
        let refusal = gate::refusal(&report, &options.guards);
        if refusal.is_none() {
            out::kept(options, &table, &streams, &fates)?;
        }
        out::report(options, &report)?;
        Ok((report, refusal))
    })
}

/// Reads all inputs, or takes what is known of them.
fn read(table: &mut Table, options: &Options, key: &ProjectKey, known: Option<&Known>) -> Result<Vec<Stream>> {
    let mut index = options.index.as_ref().map(|folder| index::Index::open(folder, options, key)).transpose()?;
    let (mut streams, seen) = (Vec::new(), digest::Seen::default());
    for input in &options.inputs {
        let (number, first) = (streams.len(), table.rows.len());
        let source = source::Source::open(input, options)?;
        let content = index.as_ref().map_or(Ok(None), |_| source.content())?;
        let (Some(index), Some(content)) = (&mut index, content) else {
            streams.push(table.read(source, number, options, key, (&seen, known))?);
            continue;
        };
        let (part, mut stream) = match index.find(content)? {
            Some(part) => (part, source.split().1),
            None => {
                // Whole by itself: what other files hold must not show.
                let (mut part, own) = (Table::new(options.settings.bands as usize), digest::Seen::default());
                let stream = part.read(source, 0, options, key, (&own, None))?;
                index.keep(content, &part)?;
                (part, stream)
            }
        };
        stream.rows = first..first + part.rows.len();
        table.append(part, number)?;
        streams.push(stream);
    }
    index.map_or(Ok(()), index::Index::finish)?;
    Ok(streams)
}
