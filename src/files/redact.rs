//! Redacts one file into another of the same shape: `gristmill redact`.
//!
//! Always: the output appears whole or not at all; its lines are those of the input, in order, less
//! what must not be kept or could not be redacted, each counted with its reason; the input is
//! never changed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::pieces::{Piece, Pieces, Run, Shape};
use crate::error::{Error, Result};
use crate::stages::redact::{Finding, Redactor, Refusal};

/// A finding and the line of its record, or of where its text begins.
#[derive(Debug)]
pub struct Told {
    pub line: u64,
    /// Where the string that the finding's places count in begins in the file; 0 in records.
    pub offset_bytes: u64,
    pub finding: Finding,
}

/// What became of the file.
#[derive(Debug, Default)]
pub struct Summary {
    /// Lines that are not blank; of plain text all lines.
    pub lines: u64,
    pub kept: u64,
    /// Records that the policy drops.
    pub dropped: u64,
    pub rejected: BTreeMap<&'static str, u64>,
    /// The first lines that were rejected, with their reason.
    pub places: Vec<(u64, &'static str)>,
    pub found: BTreeMap<&'static str, u64>,
    pub bytes: u64,
}

/// How many places of rejects are named.
const PLACES_MAX: usize = 20;

/// What is asked for.
pub struct Job<'a> {
    pub input: &'a Path,
    /// A file that appears once it is whole; its ending says how it is packed.
    pub output: &'a Path,
    /// Bytes of the longest line.
    pub limit: u64,
    /// More rejects than this share of the lines: no output, exit 12.
    pub max_reject_share: f64,
}

/// One line of the output: nothing where the line is not kept.
struct Line<'a> {
    text: Option<Cow<'a, str>>,
    findings: Vec<Finding>,
    refused: Option<&'static str>,
    dropped: bool,
}

/// `stream`, if there is one, is written to in place of the output file.
pub fn redact(
    job: &Job,
    stream: Option<Box<dyn Write>>,
    redactor: &Redactor,
    tell: &mut dyn FnMut(&Told) -> Result<()>,
) -> Result<Summary> {
    let failed = |err: std::io::Error| Error::reading(job.input.display(), &err);
    let mut pieces = Pieces::open(job.input, job.limit)?
        .map_err(|skip| Error::Usage(format!("{}: {}", job.input.display(), skip.as_str())))?;
    let mut output = Output::create(job.output, stream)?;
    let mut summary = Summary::default();
    while let Some(piece) = pieces.next().map_err(failed)? {
        match piece {
            Piece::TooLong { line } => summary.reject(line, Refusal::TextTooLong.as_str()),
            Piece::Run(run) if pieces.shape == Shape::Records => {
                records(&run, redactor, &mut output, &mut summary, tell)?
            }
            Piece::Run(run) => text(job, &run, redactor, &mut output, &mut summary, tell)?,
        }
    }
    let rejected: u64 = summary.rejected.values().sum();
    let share = rejected as f64 / summary.lines.max(1) as f64;
    if share > job.max_reject_share {
        let most = summary.rejected.iter().max_by_key(|(_, n)| **n).map_or("", |(reason, _)| reason).to_owned();
        return Err(Error::TooManyRejects { rejected, records: summary.lines, share: share * 100.0, most });
    }
    output.finish()?;
    Ok(summary)
}

impl Summary {
    fn reject(&mut self, line: u64, reason: &'static str) {
        self.lines += 1;
        *self.rejected.entry(reason).or_default() += 1;
        if self.places.len() < PLACES_MAX {
            self.places.push((line, reason));
        }
    }

    fn found(&mut self, findings: &[Finding]) {
        for finding in findings {
            *self.found.entry(finding.kind.as_str()).or_default() += 1;
        }
    }
}

fn records(
    run: &Run,
    redactor: &Redactor,
    output: &mut Output,
    summary: &mut Summary,
    tell: &mut dyn FnMut(&Told) -> Result<()>,
) -> Result<()> {
    summary.bytes += run.bytes.len() as u64;
    let lines: Vec<&[u8]> = run.bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let done: Vec<Line> = lines.par_iter().with_min_len(16).map(|line| record(line, redactor)).collect();
    for (n, line) in done.into_iter().enumerate() {
        let at = run.first_line + n as u64;
        match (line.text, line.refused) {
            (_, Some(reason)) => summary.reject(at, reason),
            (None, None) => {
                summary.lines += 1;
                summary.dropped += u64::from(line.dropped);
            }
            (Some(text), None) => {
                let blank = u64::from(!text.trim().is_empty());
                summary.lines += blank;
                summary.kept += blank;
                summary.found(&line.findings);
                output.write(text.as_bytes())?;
                line.findings.into_iter().try_for_each(|finding| tell(&Told { line: at, offset_bytes: 0, finding }))?;
            }
        }
    }
    Ok(())
}

/// A record with its line end.
fn record<'a>(line: &'a [u8], redactor: &Redactor) -> Line<'a> {
    let refused = |reason, dropped| Line { text: None, findings: Vec::new(), refused: reason, dropped };
    let Ok(text) = std::str::from_utf8(line) else { return refused(Some("invalid_utf8"), false) };
    if text.trim().is_empty() {
        return Line { text: Some(Cow::Borrowed(text)), findings: Vec::new(), refused: None, dropped: false };
    }
    let body = text.trim_end_matches(['\n', '\r']);
    let mut findings = Vec::new();
    match redactor.document(body, &mut findings) {
        Ok(Cow::Borrowed(_)) => Line { text: Some(Cow::Borrowed(text)), findings, refused: None, dropped: false },
        Ok(Cow::Owned(redacted)) => {
            let text = Some(Cow::Owned(redacted + &text[body.len()..]));
            Line { text, findings, refused: None, dropped: false }
        }
        Err(refusal) if refusal.is_policy() => refused(None, true),
        Err(refusal) => refused(Some(refusal.as_str()), false),
    }
}

/// Plain text has no records that could be left out: what cannot be redacted stops the command.
fn text(
    job: &Job,
    run: &Run,
    redactor: &Redactor,
    output: &mut Output,
    summary: &mut Summary,
    tell: &mut dyn FnMut(&Told) -> Result<()>,
) -> Result<()> {
    let place = format!("{}: line {} and those behind it", job.input.display(), run.first_line);
    let refused = |why: String| Error::Gate { gate: "redact".to_owned(), why };
    let text = std::str::from_utf8(&run.bytes).map_err(|err| {
        refused(format!("{}: byte {} is no UTF-8", job.input.display(), run.start_byte + err.valid_up_to() as u64))
    })?;
    let mut findings = Vec::new();
    let redacted = redactor
        .plain(text, &mut findings)
        .map_err(|refusal| refused(format!("{place}: {} ({})", refusal.as_str(), refusal.advice())))?;
    let lines = memchr::memchr_iter(b'\n', &run.bytes).count() as u64 + u64::from(!run.bytes.ends_with(b"\n"));
    (summary.lines, summary.kept) = (summary.lines + lines, summary.kept + lines);
    summary.bytes += run.bytes.len() as u64;
    summary.found(&findings);
    output.write(redacted.as_bytes())?;
    let (mut line, mut at) = (run.first_line, 0);
    for finding in findings {
        let start = finding.start_byte as usize;
        line += memchr::memchr_iter(b'\n', &run.bytes[at..start]).count() as u64;
        at = start;
        tell(&Told { line, offset_bytes: run.start_byte, finding })?;
    }
    Ok(())
}

/// Written aside, then moved to its name.
struct Output {
    path: PathBuf,
    aside: Option<PathBuf>,
    /// Gone once it was ended.
    writer: Option<Box<dyn Packed>>,
}

/// A writer that has something to write at its end.
trait Packed: Write {
    fn end(self: Box<Self>) -> std::io::Result<()>;
}

impl Packed for BufWriter<File> {
    fn end(self: Box<Self>) -> std::io::Result<()> {
        self.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
    }
}

impl Packed for flate2::write::GzEncoder<BufWriter<File>> {
    fn end(self: Box<Self>) -> std::io::Result<()> {
        Box::new(self.finish()?).end()
    }
}

impl Packed for zstd::stream::write::Encoder<'static, BufWriter<File>> {
    fn end(self: Box<Self>) -> std::io::Result<()> {
        Box::new(self.finish()?).end()
    }
}

impl Packed for BufWriter<Box<dyn Write>> {
    fn end(mut self: Box<Self>) -> std::io::Result<()> {
        self.flush()
    }
}

impl Output {
    fn create(path: &Path, stream: Option<Box<dyn Write>>) -> Result<Output> {
        if let Some(stream) = stream {
            let writer = Some(Box::new(BufWriter::new(stream)) as Box<dyn Packed>);
            return Ok(Output { path: path.to_owned(), aside: None, writer });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let aside = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let failed = |err: std::io::Error| Error::io(path, &err);
        let file = BufWriter::with_capacity(1 << 18, File::create(&aside).map_err(failed)?);
        let writer: Box<dyn Packed> = match path.extension().and_then(|ending| ending.to_str()) {
            Some("gz") => Box::new(flate2::write::GzEncoder::new(file, flate2::Compression::default())),
            Some("zst") => Box::new(zstd::stream::write::Encoder::new(file, 3).map_err(failed)?),
            _ => Box::new(file),
        };
        Ok(Output { path: path.to_owned(), aside: Some(aside), writer: Some(writer) })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.write_all(bytes).map_err(|err| Error::io(&self.path, &err))
    }

    fn finish(mut self) -> Result<()> {
        let failed = |err: std::io::Error| Error::io(&self.path, &err);
        self.writer.take().map_or(Ok(()), Packed::end).map_err(failed)?;
        match self.aside.take() {
            Some(aside) => std::fs::rename(aside, &self.path).map_err(failed),
            None => Ok(()),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(aside) = &self.aside {
            // Nothing half-done stays; that it could not be removed changes nothing.
            let _ = std::fs::remove_file(aside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Redact;
    use crate::record::ProjectKey;
    use crate::stages::redact::mask_tokens;

    fn run(name: &str, bytes: &[u8], out: &str, policy: &str, share: f64) -> Result<(Vec<u8>, Summary, Vec<Told>)> {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join(name), folder.path().join(out));
        std::fs::write(&input, bytes).unwrap();
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        let redactor = Redactor::new(&toml::from_str::<Redact>(policy).unwrap(), &key).unwrap();
        let job = Job { input: &input, output: &output, limit: 1 << 20, max_reject_share: share };
        let mut told = Vec::new();
        let mut tell = |one: &Told| {
            told.push(Told { line: one.line, offset_bytes: one.offset_bytes, finding: one.finding.clone() });
            Ok(())
        };
        let done = redact(&job, None, &redactor, &mut tell);
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1 + usize::from(done.is_ok()), "nothing half-done stays");
        done.map(|summary| (std::fs::read(&output).unwrap(), summary, told))
    }

    #[test]
    fn files_keep_their_shape() {
        let lines = b"{\"text\": \"a jane@example.com\"}\r\n\n{\"n\": [1]}\nno json bob@example.org";
        let (out, summary, told) = run("a.jsonl", lines, "b.jsonl", "", 0.0).unwrap();
        let out = mask_tokens(std::str::from_utf8(&out).unwrap()).into_owned();
        assert_eq!(out, "{\"text\": \"a [EMAIL]\"}\r\n\n{\"n\": [1]}\nno json [EMAIL]");
        assert_eq!((summary.lines, summary.kept, told.len(), told[1].line), (3, 3, 2, 4));
        let (out, ..) = run("a.txt", b"x\nmail jane@example.com\n", "b.txt", "preset = 'strict'", 0.0).unwrap();
        assert_eq!(out, b"x\nmail [EMAIL]\n");
    }

    #[test]
    fn packed_files_stay_packed() {
        use std::io::Read;
        let (out, ..) = run("a.txt", b"x jane@example.com", "b.txt.gz", "preset = 'strict'", 0.0).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&out[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "x [EMAIL]");
        let (out, ..) = run("a.txt", b"x jane@example.com", "b.zst", "preset = 'strict'", 0.0).unwrap();
        assert_eq!(zstd::decode_all(&out[..]).unwrap(), b"x [EMAIL]");
    }

    #[test]
    fn failure_is_closed() {
        let lines = b"{\"a\": \"\xff\"}\n{\"a\": 1}\n{\"k\": \"ssn 123-45-6789\"}\n";
        let policy = "actions = { SSN = 'drop-conversation' }";
        let (out, summary, told) = run("a.jsonl", lines, "b", policy, 0.5).unwrap();
        assert_eq!((out.as_slice(), summary.dropped, told.len()), (&b"{\"a\": 1}\n"[..], 1, 0));
        assert_eq!((summary.lines, summary.places), (3, vec![(1, "invalid_utf8")]));
        assert!(matches!(run("a.jsonl", lines, "b", policy, 0.1), Err(Error::TooManyRejects { .. })));
        assert!(matches!(run("a.txt", b"a \xff", "b", "", 1.0), Err(Error::Gate { .. })));
    }
}
