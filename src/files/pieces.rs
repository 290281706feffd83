//! Cuts a file into runs of whole lines that fit into memory.
//!
//! Not here: archives; formats of logs.
//!
//! Always: the runs, one behind the other, are the (unpacked) file, byte by byte; a line that is
//! too long for memory is told, not cut.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::stages::ingest::archive::{self, Archive};
use crate::stages::ingest::decode;

/// What is read at once. A run of text is searched as one, so that names are known all over it.
const RUN_BYTES: usize = 8 << 20;

/// What tells the shape of a file.
const HEAD_BYTES: u64 = 64 << 10;

/// How a file lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A JSON object or array in each line.
    Records,
    Text,
}

/// Whole lines, and where they lie in the unpacked file.
pub struct Run {
    pub bytes: Vec<u8>,
    pub start_byte: u64,
    /// 1-based.
    pub first_line: u64,
}

pub enum Piece {
    Run(Run),
    /// The line that begins here is longer than the limit.
    TooLong {
        line: u64,
    },
}

/// Why a file is not looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    Binary,
    Archive,
    Utf16,
}

impl Skip {
    pub const fn as_str(self) -> &'static str {
        match self {
            Skip::Binary => "binary",
            Skip::Archive => "an archive; unpack it",
            Skip::Utf16 => "UTF-16; convert it to UTF-8",
        }
    }
}

pub struct Pieces {
    input: Box<dyn Read + Send>,
    pub shape: Shape,
    limit: usize,
    /// Read, and not given out yet.
    rest: Vec<u8>,
    start_byte: u64,
    line: u64,
    ended: bool,
}

impl Pieces {
    /// `limit`: bytes of the longest line.
    pub fn open(path: &Path, limit: u64) -> Result<std::result::Result<Pieces, Skip>> {
        let failed = |err: std::io::Error| Error::reading(path.display(), &err);
        let input: Box<dyn Read + Send> = if path.as_os_str() == "-" {
            Box::new(std::io::stdin())
        } else {
            let mut file = File::open(path).map_err(failed)?;
            let (compression, archive) = archive::kind(&mut file).map_err(failed)?;
            if archive != Archive::None {
                return Ok(Err(Skip::Archive));
            }
            decode::reader(Box::new(file), compression).map_err(failed)?
        };
        Pieces::of(input, &path.to_string_lossy(), limit).map_err(failed)
    }

    fn of(
        mut input: Box<dyn Read + Send>,
        name: &str,
        limit: u64,
    ) -> std::io::Result<std::result::Result<Pieces, Skip>> {
        let mut head = Vec::new();
        input.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
        if matches!(head.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
            return Ok(Err(Skip::Utf16));
        }
        if head.contains(&0) {
            return Ok(Err(Skip::Binary));
        }
        let shape = told(&head, name);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let input = Box::new(Cursor::new(head).chain(input));
        Ok(Ok(Pieces { input, shape, limit, rest: Vec::new(), start_byte: 0, line: 1, ended: false }))
    }

    /// The next piece; none at the end.
    pub fn next(&mut self) -> std::io::Result<Option<Piece>> {
        loop {
            let cut = if self.ended { Some(self.rest.len()) } else { self.cut() };
            if let Some(cut) = cut {
                return Ok((cut > 0).then(|| Piece::Run(self.give(cut))));
            }
            if self.rest.len() > self.limit {
                return self.too_long().map(Some);
            }
            self.read(RUN_BYTES)?;
        }
    }

    /// Behind the last line that is whole, once there is enough of them.
    fn cut(&self) -> Option<usize> {
        if self.rest.len() < RUN_BYTES {
            return None;
        }
        memchr::memrchr(b'\n', &self.rest).map(|end| end + 1)
    }

    fn read(&mut self, bytes: usize) -> std::io::Result<()> {
        let read = self.input.by_ref().take(bytes as u64).read_to_end(&mut self.rest)?;
        self.ended = read < bytes;
        Ok(())
    }

    fn give(&mut self, cut: usize) -> Run {
        let rest = self.rest.split_off(cut);
        let bytes = std::mem::replace(&mut self.rest, rest);
        let run = Run { start_byte: self.start_byte, first_line: self.line, bytes };
        self.start_byte += run.bytes.len() as u64;
        self.line += memchr::memchr_iter(b'\n', &run.bytes).count() as u64;
        run
    }

    /// Passes over the rest of the line that is too long.
    fn too_long(&mut self) -> std::io::Result<Piece> {
        let piece = Piece::TooLong { line: self.line };
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.rest) {
                drop(self.give(end + 1));
                return Ok(piece);
            }
            self.start_byte += self.rest.len() as u64;
            self.rest.clear();
            if self.ended {
                return Ok(piece);
            }
            self.read(RUN_BYTES)?;
        }
    }
}

/// By the name; else the first line that is not empty is a whole record, or is none.
fn told(head: &[u8], name: &str) -> Shape {
    let lower = name.to_lowercase();
    let plain = [".gz", ".zst", ".bz2", ".xz"].iter().find_map(|ending| lower.strip_suffix(ending)).unwrap_or(&lower);
    if plain.ends_with(".jsonl") || plain.ends_with(".ndjson") {
        return Shape::Records;
    }
    let first = head.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    let whole =
        first.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(first).is_ok();
    if whole { Shape::Records } else { Shape::Text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(bytes: &[u8], name: &str, limit: u64) -> std::result::Result<Pieces, Skip> {
        Pieces::of(Box::new(Cursor::new(bytes.to_vec())), name, limit).unwrap()
    }

    #[test]
    fn shapes_are_told() {
        for (bytes, name, shape) in [
            (&b"{\"a\":1}\n{\"b\":2}\n"[..], "x.log", Ok(Shape::Records)),
            (b"{\n\"a\":1}\n", "x.json", Ok(Shape::Text)),
            (b"[1,2]\n", "x.json", Ok(Shape::Text)),
            (b"hello", "x.jsonl.gz", Ok(Shape::Records)),
            (b"\xef\xbb\xbf{\"a\":1}\n", "x", Ok(Shape::Records)),
            (b"", "x", Ok(Shape::Text)),
            (b"a\0b", "x.bin", Err(Skip::Binary)),
            (b"\xff\xfea\0", "x.txt", Err(Skip::Utf16)),
        ] {
            assert_eq!(pieces(bytes, name, 1 << 20).map(|pieces| pieces.shape), shape, "{name}");
        }
    }

    #[test]
    fn runs_are_the_file_and_long_lines_are_told() {
        let line = |n: usize, len: usize| format!("{n}{}\n", "x".repeat(len));
        let text: String = (0..300).map(|n| line(n, 100_000)).collect::<String>() + &line(300, 20 << 20) + "last";
        let mut pieces = pieces(text.as_bytes(), "x", 12 << 20).unwrap();
        let (mut seen, mut long) = (Vec::new(), Vec::new());
        while let Some(piece) = pieces.next().unwrap() {
            match piece {
                Piece::Run(run) => {
                    let start = run.start_byte as usize;
                    assert_eq!(&text.as_bytes()[start..start + run.bytes.len()], run.bytes);
                    assert_eq!(run.first_line, 1 + text[..start].matches('\n').count() as u64);
                    seen.push(run.bytes.len());
                }
                Piece::TooLong { line } => long.push(line),
            }
        }
        assert_eq!(long, [301]);
        assert_eq!(seen.iter().sum::<usize>(), text.len() - line(300, 20 << 20).len());
    }
}
