//! Searches files for what a policy would redact: `gristmill scan`.
//!
//! Always: never the value; places count in the unescaped string of a record (`field` is its
//! path), in plain text in the file; what could not be searched is counted as a problem.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::pieces::{Piece, Pieces, Run, Shape};
use crate::error::{Error, Result};
use crate::stages::redact::{Redactor, Sighting};

/// Larger files are searched alone, and told piece by piece.
const SMALL_BYTES: u64 = 8 << 20;
const SMALL_AT_ONCE: usize = 64;

/// One thing found in a file.
#[derive(Debug)]
pub struct Found {
    /// 1-based: of the record, or of the line in which it begins.
    pub line: u64,
    /// In characters from the line's beginning, 1-based; 0 in records, which name a field.
    pub column: usize,
    pub seen: Sighting,
}

/// Why a file or a line was not searched.
#[derive(Debug)]
pub struct Problem {
    pub path: PathBuf,
    pub line: Option<u64>,
    pub why: &'static str,
}

/// What was looked at.
#[derive(Debug, Default)]
pub struct Summary {
    pub files: u64,
    pub bytes: u64,
    pub found: BTreeMap<&'static str, u64>,
    pub problems: Vec<Problem>,
}

impl Summary {
    pub fn total(&self) -> u64 {
        self.found.values().sum()
    }
}

/// Searches files in their order; `tell` gets every finding, in order.
pub fn scan(
    files: &[PathBuf],
    redactor: &Redactor,
    limit: u64,
    tell: &mut dyn FnMut(&Path, &Found) -> Result<()>,
) -> Result<Summary> {
    let mut summary = Summary::default();
    let size = |path: &PathBuf| std::fs::metadata(path).map_or(u64::MAX, |data| data.len());
    let mut rest = files;
    while let Some(first) = rest.first() {
        let small = rest.iter().take(SMALL_AT_ONCE).take_while(|path| size(path) < SMALL_BYTES).count();
        if small == 0 {
            let mut searched = Searched::default();
            search(first, redactor, limit, &mut |found| tell(first, found), &mut searched)?;
            summary.add(first, searched);
            rest = &rest[1..];
            continue;
        }
        let batch: Vec<Result<(Searched, Vec<Found>)>> =
            rest[..small].par_iter().map(|path| held(path, redactor, limit)).collect();
        for (path, done) in rest.iter().zip(batch) {
            let (searched, found) = done?;
            found.iter().try_for_each(|found| tell(path, found))?;
            summary.add(path, searched);
        }
        rest = &rest[small..];
    }
    Ok(summary)
}

/// What became of one file.
#[derive(Default)]
struct Searched {
    bytes: u64,
    found: BTreeMap<&'static str, u64>,
    problems: Vec<(Option<u64>, &'static str)>,
}

impl Summary {
    fn add(&mut self, path: &Path, searched: Searched) {
        self.files += 1;
        self.bytes += searched.bytes;
        for (kind, n) in searched.found {
            *self.found.entry(kind).or_default() += n;
        }
        let problem = |(line, why)| Problem { path: path.to_owned(), line, why };
        self.problems.extend(searched.problems.into_iter().map(problem));
    }
}

fn held(path: &Path, redactor: &Redactor, limit: u64) -> Result<(Searched, Vec<Found>)> {
    let (mut searched, mut all) = (Searched::default(), Vec::new());
    let mut keep = |found: Found| {
        all.push(found);
        Ok(())
    };
    search_into(path, redactor, limit, &mut keep, &mut searched)?;
    Ok((searched, all))
}

fn search(
    path: &Path,
    redactor: &Redactor,
    limit: u64,
    tell: &mut dyn FnMut(&Found) -> Result<()>,
    searched: &mut Searched,
) -> Result<()> {
    search_into(path, redactor, limit, &mut |found| tell(&found), searched)
}

fn search_into(
    path: &Path,
    redactor: &Redactor,
    limit: u64,
    tell: &mut dyn FnMut(Found) -> Result<()>,
    searched: &mut Searched,
) -> Result<()> {
    let mut pieces = match Pieces::open(path, limit)? {
        Ok(pieces) => pieces,
        Err(skip) => {
            searched.problems.push((None, skip.as_str()));
            return Ok(());
        }
    };
    loop {
        let piece = match pieces.next() {
            Ok(piece) => piece,
            // A packed file that breaks: what came before was searched.
            Err(err) if path.as_os_str() != "-" => {
                let broken = matches!(err.kind(), std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData);
                if !broken {
                    return Err(Error::reading(path.display(), &err));
                }
                searched.problems.push((None, "the packed stream is broken"));
                return Ok(());
            }
            Err(err) => return Err(Error::reading(path.display(), &err)),
        };
        let answers = match piece {
            None => return Ok(()),
            Some(Piece::TooLong { line }) => vec![Err((line, "a line is too long"))],
            Some(Piece::Run(run)) => {
                searched.bytes += run.bytes.len() as u64;
                match pieces.shape {
                    Shape::Records => records(&run, redactor),
                    Shape::Text => text(&run, redactor),
                }
            }
        };
        for answer in answers {
            match answer {
                Ok(found) => {
                    *searched.found.entry(found.seen.kind.as_str()).or_default() += 1;
                    tell(found)?;
                }
                Err((line, why)) => searched.problems.push((Some(line), why)),
            }
        }
    }
}

type Answer = std::result::Result<Found, (u64, &'static str)>;

fn records(run: &Run, redactor: &Redactor) -> Vec<Answer> {
    let lines: Vec<&[u8]> = run.bytes.split(|byte| *byte == b'\n').collect();
    let one = |(n, line): (usize, &&[u8])| -> Vec<Answer> {
        let line_number = run.first_line + n as u64;
        match redactor.record_sightings(&readable(line)) {
            Ok(seen) => seen.into_iter().map(|seen| Ok(Found { line: line_number, column: 0, seen })).collect(),
            Err(refusal) => vec![Err((line_number, refusal.as_str()))],
        }
    };
    lines.par_iter().enumerate().with_min_len(16).flat_map_iter(one).collect()
}

fn text(run: &Run, redactor: &Redactor) -> Vec<Answer> {
    let text = readable(&run.bytes);
    let seen = match redactor.sightings(&text) {
        Ok(seen) => seen,
        Err(refusal) => return vec![Err((run.first_line, refusal.as_str()))],
    };
    let (mut line, mut line_start, mut at) = (run.first_line, 0, 0);
    let place = |mut seen: Sighting| {
        for end in memchr::memchr_iter(b'\n', &text.as_bytes()[at..seen.start_byte]) {
            line += 1;
            line_start = at + end + 1;
        }
        at = seen.start_byte;
        let column = text[line_start..seen.start_byte].chars().count() + 1;
        seen.start_byte += run.start_byte as usize;
        seen.end_byte += run.start_byte as usize;
        Ok(Found { line, column, seen })
    };
    seen.into_iter().map(place).collect()
}

/// Bytes that are no UTF-8 become signs of one byte each, so that places stay.
fn readable(bytes: &[u8]) -> Cow<'_, str> {
    const SIGN: char = '\u{1a}';
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n(SIGN, chunk.invalid().len()));
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Redact;
    use crate::record::ProjectKey;

    /// Line, column, field, first byte, byte behind.
    type Place = (u64, usize, String, usize, usize);

    fn scanned(name: &str, bytes: &[u8]) -> (Vec<Place>, Summary) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        let redactor = Redactor::new(&Redact::default(), &key).unwrap();
        let mut all = Vec::new();
        let mut tell = |_: &Path, found: &Found| {
            let seen = &found.seen;
            all.push((found.line, found.column, seen.field.clone(), seen.start_byte, seen.end_byte));
            Ok(())
        };
        let summary = scan(&[path], &redactor, 1 << 20, &mut tell).unwrap();
        (all, summary)
    }

    #[test]
    fn places_count_in_the_file_or_in_the_string() {
        let (found, summary) = scanned("a.txt", b"one\nmail \xff jane@example.com\nx bob@example.org");
        assert_eq!(found, [(2, 8, String::new(), 11, 27), (3, 3, String::new(), 30, 45)]);
        assert_eq!((summary.files, summary.total()), (1, 2));
        let lines = "{\"text\":\"\\u00e9 jane@example.com\"}\n\nnot json bob@example.org\n";
        let (found, _) = scanned("a.jsonl", lines.as_bytes());
        assert_eq!(found, [(1, 0, "$.text".to_owned(), 3, 19), (3, 0, String::new(), 9, 24)]);
    }

    #[test]
    fn what_is_not_searched_is_told() {
        for (name, bytes) in [("a.bin", &b"a\0b"[..]), ("a.zip", b"PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")] {
            assert_eq!(scanned(name, bytes).1.problems.len(), 1, "{name}");
        }
        assert_eq!(scanned("long.txt", "x".repeat(9 << 20).as_bytes()).1.problems[0].why, "a line is too long");
    }
}
