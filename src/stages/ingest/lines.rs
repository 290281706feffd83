//! Cuts a stream at newlines.
//!
//! Always: memory is one buffer and at most one record; a longer line is skipped, hashed on the
//! way and answered with `LineTooLong`.

use std::io::Read;

use super::{BOM, Body, Cutter, Raw, Reason};
use crate::record::Place;

/// Read size; measured best between 256 KiB and 4 MiB on the page cache, flat above.
const CHUNK_BYTES: usize = 1 << 20;

pub struct Lines<'a> {
    input: Box<dyn Read + Send + 'a>,
    buffer: Vec<u8>,
    /// Unread part of `buffer`.
    from: usize,
    to: usize,
    /// Offset in the stream of `buffer[from]`, and its line.
    offset: u64,
    line: u64,
    max_bytes: u64,
    hasher: blake3::Hasher,
    ended: Option<Result<(), Reason>>,
}

impl<'a> Lines<'a> {
    /// `offset` and `line` say where in the source the stream begins: 0 and 1 for a whole file.
    pub fn new(
        input: Box<dyn Read + Send + 'a>,
        offset: u64,
        line: u64,
        max_bytes: u64,
        hasher: blake3::Hasher,
    ) -> Self {
        Lines { input, buffer: vec![0; CHUNK_BYTES], from: 0, to: 0, offset, line, max_bytes, hasher, ended: None }
    }

    /// Reads more behind the unread part; false at the end of the stream.
    fn fill(&mut self) -> bool {
        if self.ended.is_some() {
            return false;
        }
        self.ended = more(&mut self.input, &mut self.buffer, &mut self.from, &mut self.to);
        self.ended.is_none()
    }

    /// Drops `n` bytes of the unread part, `newline` when they end a line.
    fn advance(&mut self, n: usize, newline: bool) {
        self.from += n;
        self.offset += n as u64;
        self.line += u64::from(newline);
    }

    /// Bounds in `buffer` of the next line and whether a newline ends it; `None` if it is too long.
    fn find(&mut self) -> Option<(usize, bool)> {
        let mut seen = 0;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.from + seen..self.to]) {
                let length = seen + at;
                return (length as u64 <= self.max_bytes).then_some((length, true));
            }
            seen = self.to - self.from;
            if seen as u64 > self.max_bytes {
                return None;
            }
            if !self.fill() {
                return Some((seen, false));
            }
        }
    }

    /// Runs to the end of a line that is too long, keeping only its hash.
    fn skip(&mut self) -> (Place, blake3::Hash) {
        let (start_byte, line) = (self.offset, self.line);
        let mut hasher = self.hasher.clone();
        loop {
            let unread = &self.buffer[self.from..self.to];
            if let Some(at) = memchr::memchr(b'\n', unread) {
                hasher.update(&unread[..at]);
                let end_byte = self.offset + at as u64;
                self.advance(at + 1, true);
                return (Place { start_byte, end_byte, line, element: 0 }, hasher.finalize());
            }
            hasher.update(unread);
            self.advance(unread.len(), false);
            if !self.fill() {
                return (Place { start_byte, end_byte: self.offset, line, element: 0 }, hasher.finalize());
            }
        }
    }

    /// What a broken stream left behind is one reject, from the last whole record to the break.
    fn broken(&mut self) -> Option<Raw<'_>> {
        let Some(Err(reason)) = self.ended else { return None };
        self.ended = Some(Ok(()));
        let length = self.to - self.from;
        let place =
            Place { start_byte: self.offset, end_byte: self.offset + length as u64, line: self.line, element: 0 };
        let hash = self.hasher.clone().update(&self.buffer[self.from..self.to]).finalize();
        self.advance(length, false);
        Some(Raw { place, body: Err(reason), hash: Some(hash) })
    }
}

/// Moves the unread part of a buffer to its front and reads behind it, in a larger buffer if it is
/// full. Answers how the stream ended, once it has.
pub(super) fn more(
    input: &mut impl Read,
    buffer: &mut Vec<u8>,
    from: &mut usize,
    to: &mut usize,
) -> Option<Result<(), Reason>> {
    if *from > 0 {
        buffer.copy_within(*from..*to, 0);
        *to -= *from;
        *from = 0;
    }
    if *to == buffer.len() {
        buffer.resize(buffer.len() * 2, 0);
    }
    match input.read(&mut buffer[*to..]) {
        Ok(0) => return Some(Ok(())),
        Ok(n) => *to += n,
        Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
        Err(err) => return Some(Err(super::decode::reason(&err))),
    }
    None
}

impl Cutter for Lines<'_> {
    fn next(&mut self) -> Option<Raw<'_>> {
        loop {
            let Some((length, newline)) = self.find() else {
                let (place, hash) = self.skip();
                return Some(Raw { place, body: Err(Reason::LineTooLong), hash: Some(hash) });
            };
            if !newline && matches!(self.ended, Some(Err(_))) {
                return self.broken();
            }
            if !newline && length == 0 {
                return None;
            }
            let (begin, line, offset) = (self.from, self.line, self.offset);
            self.advance(length + usize::from(newline), newline);
            let (skipped, kept) = trim(&self.buffer[begin..begin + length], offset == 0);
            if kept > 0 {
                let start_byte = offset + skipped as u64;
                let place = Place { start_byte, end_byte: start_byte + kept as u64, line, element: 0 };
                let bytes = &self.buffer[begin + skipped..begin + skipped + kept];
                return Some(Raw { place, body: Ok(Body::Bytes(bytes)), hash: None });
            }
        }
    }
}

/// Leading bytes to leave out (BOM at the start of the file, white space) and bytes to keep.
fn trim(line: &[u8], first: bool) -> (usize, usize) {
    let bom = if first && line.starts_with(BOM) { BOM.len() } else { 0 };
    let kept = line[bom..].trim_ascii_start();
    (line.len() - kept.len(), kept.trim_ascii_end().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte at a time, then perhaps an error.
    struct Drip(Vec<u8>, usize, bool);

    impl Read for Drip {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            if self.1 == self.0.len() {
                return if self.2 { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(0) };
            }
            buf[0] = self.0[self.1];
            self.1 += 1;
            Ok(1)
        }
    }

    type Cut = (u64, u64, u64, Result<Vec<u8>, Reason>);

    fn cut(text: &[u8], max: u64, fail: bool) -> Vec<Cut> {
        let mut lines = Lines::new(Box::new(Drip(text.to_vec(), 0, fail)), 0, 1, max, blake3::Hasher::new());
        let mut out = Vec::new();
        while let Some(raw) = lines.next() {
            out.push((
                raw.place.start_byte,
                raw.place.end_byte,
                raw.place.line,
                raw.body.map(|body| body.text().into_owned()),
            ));
        }
        out
    }

    #[test]
    fn lines_have_exact_places() {
        let ok = |text: &str| Ok(text.as_bytes().to_vec());
        assert_eq!(cut(b"", 9, false), []);
        assert_eq!(cut(b"a\nbb", 9, false), [(0, 1, 1, ok("a")), (2, 4, 2, ok("bb"))]);
        assert_eq!(cut(b"\n \r\n x \r\n", 9, false), [(5, 6, 3, ok("x"))]);
        assert_eq!(cut(b"\xef\xbb\xbfa\nb\n", 9, false), [(3, 4, 1, ok("a")), (5, 6, 2, ok("b"))]);
    }

    #[test]
    fn a_long_line_is_one_reject_and_the_next_line_is_read() {
        let got = cut(b"123456\nok\n1234567", 5, false);
        assert_eq!(got[0], (0, 6, 1, Err(Reason::LineTooLong)));
        assert_eq!(got[1].3, Ok(b"ok".to_vec()));
        assert_eq!(got[2], (10, 17, 3, Err(Reason::LineTooLong)));
    }

    #[test]
    fn a_broken_stream_is_one_reject_after_what_was_read() {
        let got = cut(b"a\nhalf", 9, true);
        assert_eq!(got, [(0, 1, 1, Ok(b"a".to_vec())), (2, 6, 2, Err(Reason::DamagedCompression))]);
    }
}
