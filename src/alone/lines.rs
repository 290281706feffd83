//! The records of one chunk: its lines without blanks around them.

use super::chunk::Chunk;
use crate::stages::ingest::Reason;

/// One record: where it lies in its stream, its bytes, or why it is none.
pub struct Line<'a> {
    pub offset: u64,
    /// Newlines before it in the chunk, or the line that it was given.
    pub line: u32,
    pub bytes: Result<&'a [u8], Reason>,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Shows every record of a chunk; answers how many newlines it holds.
pub fn each<'a>(chunk: &'a Chunk, line_bytes: u64, mut see: impl FnMut(Line<'a>)) -> u32 {
    if let Some(reason) = chunk.broken {
        see(Line { offset: chunk.offset, line: 0, bytes: Err(reason) });
        return 1;
    }
    let (mut from, mut line) = (0, 0u32);
    while from < chunk.bytes.len() {
        let rest = &chunk.bytes[from..];
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let bom = if chunk.offset == 0 && from == 0 && rest.starts_with(BOM) { BOM.len() } else { 0 };
        let begun = rest[bom.min(length)..length].trim_ascii_start();
        let offset = chunk.offset + (from + length - begun.len()) as u64;
        let bytes = begun.trim_ascii_end();
        match chunk.items.as_ref().map(|items| &items[line as usize]) {
            Some(item) => {
                see(Line { offset, line: item.line, bytes: item.refused.map_or(Ok(bytes), Err) });
            }
            None if bytes.is_empty() => {}
            None if bytes.len() as u64 > line_bytes => see(Line { offset, line, bytes: Err(Reason::LineTooLong) }),
            None => see(Line { offset, line, bytes: Ok(bytes) }),
        }
        from += length + 1;
        line += 1;
    }
    line
}
