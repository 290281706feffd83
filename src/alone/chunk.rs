//! Cuts a stream of lines into chunks of whole lines.
//!
//! Always: a chunk ends behind a newline, or at the end of the stream; a line that is too long is a
//! chunk of its own, without its bytes.

use std::io::Read;

use crate::stages::ingest::Reason;

/// Whole lines, one behind the other, and where they lie in their stream.
pub struct Chunk {
    pub offset: u64,
    pub bytes: Vec<u8>,
    /// Of records that were cut already, one a line of `bytes`; else lines are cut and counted.
    pub items: Option<Vec<Item>>,
    /// In place of lines: why there are none. It counts as one line.
    pub broken: Option<Reason>,
}

/// A record that was cut: the line that it had, or why it is none.
pub struct Item {
    pub line: u32,
    pub refused: Option<Reason>,
}

pub struct Chunks<R> {
    input: R,
    /// Bytes behind the last newline.
    rest: Vec<u8>,
    offset: u64,
    chunk_bytes: usize,
    line_bytes: usize,
    /// Why nothing more comes, once nothing does.
    ended: Option<Option<Reason>>,
}

impl<R: Read> Chunks<R> {
    pub fn new(input: R, chunk_bytes: usize, line_bytes: u64) -> Chunks<R> {
        let line_bytes = usize::try_from(line_bytes).unwrap_or(usize::MAX);
        Chunks { input, rest: Vec::new(), offset: 0, chunk_bytes: chunk_bytes.max(1), line_bytes, ended: None }
    }

    /// Reads some more; false at the end.
    fn fill(&mut self, bytes: &mut Vec<u8>) -> bool {
        if self.ended.is_some() {
            return false;
        }
        let from = bytes.len();
        match self.input.by_ref().take(self.chunk_bytes as u64).read_to_end(bytes) {
            Ok(_) if bytes.len() == from => self.ended = Some(None),
            Ok(_) => {}
            Err(err) => {
                bytes.truncate(from);
                self.ended = Some(Some(crate::stages::ingest::decode::reason(&err)));
            }
        }
        self.ended.is_none()
    }

    /// Passes over a line that is too long, the beginning of which was read.
    fn skip(&mut self, mut bytes: Vec<u8>) -> Chunk {
        let offset = self.offset;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &bytes) {
                self.offset += at as u64 + 1;
                self.rest = bytes.split_off(at + 1);
                break;
            }
            self.offset += bytes.len() as u64;
            bytes.clear();
            if !self.fill(&mut bytes) {
                break;
            }
        }
        Chunk { offset, bytes: Vec::new(), items: None, broken: Some(Reason::LineTooLong) }
    }
}

impl<R: Read> Iterator for Chunks<R> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let mut bytes = Vec::with_capacity(self.rest.len() + self.chunk_bytes);
        bytes.append(&mut self.rest);
        let mut seen = 0;
        loop {
            let more = self.fill(&mut bytes);
            let end = memchr::memrchr(b'\n', &bytes[seen..]).map(|at| seen + at + 1);
            seen = bytes.len();
            match end {
                Some(end) => {
                    self.rest = bytes.split_off(end);
                    break;
                }
                None if more && bytes.len() > self.line_bytes => return Some(self.skip(bytes)),
                None if more => {}
                None => {
                    // What a broken stream left behind its last newline is no record.
                    if let Some(Some(reason)) = self.ended {
                        self.ended = Some(None);
                        let offset = self.offset;
                        return Some(Chunk { offset, bytes: Vec::new(), items: None, broken: Some(reason) });
                    }
                    break;
                }
            }
        }
        if bytes.is_empty() {
            return None;
        }
        let offset = self.offset;
        self.offset += bytes.len() as u64;
        Some(Chunk { offset, bytes, items: None, broken: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_lines_in_chunks_of_any_size() {
        let text = b"one\n\ntwo three\nlonger than the others\n123456789012345678901234567890\nlast";
        for size in 1..80 {
            let (mut lines, mut long) = (Vec::new(), 0);
            for chunk in Chunks::new(&text[..], size, 24) {
                let at = chunk.offset as usize;
                assert_eq!(&text[at..at + chunk.bytes.len()], chunk.bytes);
                long += usize::from(chunk.broken.is_some());
                lines.extend(chunk.bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
            }
            lines.retain(|line| !line.is_empty());
            // A chunk may hold the whole of a line that is too long: then who cuts it says so.
            long += lines.iter().filter(|line| line.len() > 24).count();
            lines.retain(|line| line.len() <= 24);
            assert_eq!((lines.len(), long), (4, 1), "{size}");
            assert_eq!(lines[3], b"last");
        }
    }
}
