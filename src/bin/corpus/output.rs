//! Files: which lines each holds, and their bytes, streamed in chunks.
//!
//! Always: bytes do not depend on the number of threads; memory holds two batches of chunks, however
//! large the corpus. A compressed file is one member (gzip) or frame (zstd) per chunk, as logs that
//! were appended to are; readers must read on after the first.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use rayon::prelude::*;

use crate::broken;
use crate::canary::KINDS;
use crate::chat::Maker;
use crate::plan::{Format, Part, Row};
use crate::prose::Prose;
use crate::render::{Renderer, pair};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const LINES_A_CHUNK: u64 = 1024;
const CHUNKS_A_BATCH: u64 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    pub const fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gz",
            Compression::Zstd => "zst",
        }
    }
}

/// What was written, counted line by line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub records: u64,
    pub blanks: u64,
    pub rejected: [u64; broken::REASONS.len()],
    pub exact: u64,
    pub near: u64,
    pub snapshots: u64,
    pub prompt_groups: u64,
    pub findings: [u64; KINDS.len()],
    /// Bytes before compression, and in the file.
    pub plain_bytes: u64,
    pub bytes: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Tally) {
        self.records += other.records;
        self.blanks += other.blanks;
        self.exact += other.exact;
        self.near += other.near;
        self.snapshots += other.snapshots;
        self.prompt_groups += other.prompt_groups;
        self.plain_bytes += other.plain_bytes;
        self.bytes += other.bytes;
        self.rejected.iter_mut().zip(other.rejected).for_each(|(sum, n)| *sum += n);
        self.findings.iter_mut().zip(other.findings).for_each(|(sum, n)| *sum += n);
    }
}

/// Makes lines of one part.
pub struct Writer<'a> {
    maker: Maker<'a>,
    renderer: &'a Renderer,
}

impl<'a> Writer<'a> {
    pub fn new(seed: u64, prose: &'a Prose, part: &'a Part, renderer: &'a Renderer) -> Writer<'a> {
        Writer { maker: Maker { seed, prose, part }, renderer }
    }

    /// The plain bytes of some lines.
    pub fn lines(&self, lines: Range<u64>) -> Result<(Vec<u8>, Tally), Failure> {
        let mut out = Vec::with_capacity((lines.end - lines.start) as usize * 2600);
        let mut tally = Tally::default();
        for line in lines {
            self.line(&mut out, line, &mut tally)?;
        }
        tally.plain_bytes = out.len() as u64;
        Ok((out, tally))
    }

    fn line(&self, out: &mut Vec<u8>, line: u64, tally: &mut Tally) -> Result<(), Failure> {
        let Maker { seed, prose, part } = self.maker;
        let place = part.place(line);
        let row = part.row(place);
        tally.records += part.format.records_a_line();
        match row {
            Row::Broken(n) => {
                broken::line(out, prose, seed, part.format, n);
                tally.rejected[broken::reason(n)] += 1;
            }
            _ => {
                let chat = self.maker.chat(row)?;
                if let Some(kind) = chat.canary {
                    tally.findings[kind] += 1;
                }
                match part.format {
                    Format::Hh => pair(out, &chat, &self.maker.last_answer(self.maker.key("rejected", place)))?,
                    format => self.renderer.line(out, format, place, &chat)?,
                }
            }
        }
        match row {
            Row::Exact { .. } => tally.exact += 1,
            Row::Near { .. } => tally.near += 1,
            Row::Snapshot { .. } => tally.snapshots += 1,
            Row::Regeneration { .. } => tally.prompt_groups += 1,
            Row::Base(_) => tally.prompt_groups += u64::from(part.format == Format::Hh),
            Row::Broken(_) => {}
        }
        out.push(b'\n');
        if part.blank_after(place) {
            out.extend_from_slice(if place % 2 == 0 { b"\n" } else { b"  \n" });
            tally.blanks += 1;
        }
        Ok(())
    }

    fn chunk(&self, lines: Range<u64>, compression: Compression) -> Result<(Vec<u8>, Tally), Failure> {
        let (plain, mut tally) = self.lines(lines)?;
        let bytes = match compression {
            Compression::None => plain,
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&plain)?;
                encoder.finish()?
            }
            Compression::Zstd => zstd::bulk::compress(&plain, 1)?,
        };
        tally.bytes = bytes.len() as u64;
        Ok((bytes, tally))
    }

    /// Writes one file. Rayon makes a batch while a thread of its own writes the one before.
    pub fn file(&self, path: &Path, lines: Range<u64>, compression: Compression) -> Result<Tally, Failure> {
        let mut file = File::create(path)?;
        let mut total = Tally::default();
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(0);
            let writing = scope.spawn(move || write_all(&mut file, &receiver));
            for start in lines.clone().step_by((LINES_A_CHUNK * CHUNKS_A_BATCH) as usize) {
                let batch = (0..CHUNKS_A_BATCH)
                    .into_par_iter()
                    .map(|n| {
                        let from = lines.end.min(start + n * LINES_A_CHUNK);
                        self.chunk(from..lines.end.min(from + LINES_A_CHUNK), compression)
                    })
                    .filter(|chunk| chunk.as_ref().map_or(true, |(_, tally)| tally.records > 0))
                    .collect::<Result<Vec<_>, Failure>>()?;
                batch.iter().for_each(|(_, tally)| total.add(tally));
                // The writer hangs up only on an error, which `join` below returns.
                if sender.send(batch.into_iter().map(|(bytes, _)| bytes).collect::<Vec<_>>()).is_err() {
                    break;
                }
            }
            drop(sender);
            match writing.join() {
                Ok(result) => result.map_err(Failure::from),
                Err(_) => Err("the writing thread panicked".into()),
            }
        })?;
        Ok(total)
    }
}

fn write_all(file: &mut File, batches: &Receiver<Vec<Vec<u8>>>) -> std::io::Result<()> {
    for batch in batches {
        batch.iter().try_for_each(|chunk| file.write_all(chunk))?;
    }
    file.flush()
}

/// The bytes of a record in a pilot of `rows` rows, for a corpus of a wanted size.
pub fn bytes_a_record(seed: u64, prose: &Prose, parts: &[Part], renderer: &Renderer) -> Result<f64, Failure> {
    const SAMPLE: u64 = 2000;
    let (mut bytes, mut records) = (0.0, 0.0);
    for part in parts {
        let sample = part.lines.min(SAMPLE);
        let (_, tally) = Writer::new(seed, prose, part, renderer).lines(0..sample)?;
        bytes += tally.plain_bytes as f64 * part.lines as f64 / sample.max(1) as f64;
        records += (part.lines * part.format.records_a_line()) as f64;
    }
    Ok(bytes / f64::max(records, 1.0))
}
