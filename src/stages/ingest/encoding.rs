//! UTF-16 logs, read as UTF-8, with places that count in the file as it is.
//!
//! Only what begins with a byte order mark is UTF-16 here; a UTF-8 mark is the cutters' matter.
//!
//! Always: memory is one buffer; a place is exact bytes of the UTF-16 stream, and the hash of a
//! whole record is of those bytes, so that a range read again can be compared without decoding.

use std::io::{ErrorKind, Read};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::decode::Fault;
use super::{Body, Cutter, Raw, Reason};
use crate::record::Place;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    pub fn of(head: &[u8]) -> Encoding {
        match head {
            // With two NULs behind it the mark is that of UTF-32, which nobody logs in.
            [0xff, 0xfe, 0, 0, ..] => Encoding::Utf8,
            [0xff, 0xfe, ..] => Encoding::Utf16Le,
            [0xfe, 0xff, ..] => Encoding::Utf16Be,
            _ => Encoding::Utf8,
        }
    }

    pub(super) fn unit(self, bytes: [u8; 2]) -> u16 {
        if self == Encoding::Utf16Be { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn bytes(self, unit: u16) -> [u8; 2] {
        if self == Encoding::Utf16Be { unit.to_be_bytes() } else { unit.to_le_bytes() }
    }
}

/// What to do with half of a surrogate pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lone {
    /// End the stream with [`Reason::InvalidUtf16`] at the byte where it stands.
    Fail,
    /// Write it as three bytes that are not UTF-8, so that only its own record is lost.
    Mark,
}

const CHUNK_BYTES: usize = 64 << 10;
pub(super) const MARK: u16 = 0xfeff;
const MARK_BYTES: u64 = 2;

/// UTF-8 out of a UTF-16 stream that begins with its byte order mark.
pub struct Utf16<R> {
    input: R,
    encoding: Encoding,
    lone: Lone,
    raw: Vec<u8>,
    /// Half a unit left over from the last chunk.
    half: Option<u8>,
    high: Option<u16>,
    /// Something but marks was seen.
    marked: bool,
    /// Decoded and not yet handed out from `from` on.
    out: Vec<u8>,
    from: usize,
    /// Offsets behind all of `out`; a pending `high` is not in it.
    utf8_bytes: u64,
    utf16_bytes: u64,
    window: Arc<Mutex<Window>>,
    /// Told once all of `out` is handed out.
    fault: Option<std::io::Error>,
    ended: bool,
}

/// What was decoded last. A cutter reads on only when no record ends in what it has, so the end
/// of every record lies in here.
#[derive(Debug, Default)]
struct Window {
    utf8_start: u64,
    utf16_start: u64,
    /// Where the first letter lies in the UTF-16: behind the mark, or several.
    first: u64,
    text: Vec<u8>,
}

/// Code units that a UTF-8 text (or one with marked surrogates) has in UTF-16.
fn units(text: &[u8]) -> u64 {
    text.iter().map(|byte| u64::from(*byte & 0xc0 != 0x80) + u64::from(*byte >= 0xf0)).sum()
}

impl Window {
    /// The UTF-16 offset of a UTF-8 offset.
    fn at(&self, utf8: u64) -> u64 {
        let inside = usize::try_from(utf8.saturating_sub(self.utf8_start)).unwrap_or(usize::MAX);
        self.utf16_start + 2 * units(&self.text[..inside.min(self.text.len())])
    }
}

impl<R: Read> Utf16<R> {
    pub fn new(input: R, encoding: Encoding, lone: Lone) -> Self {
        Utf16 {
            input,
            encoding,
            lone,
            raw: vec![0; CHUNK_BYTES],
            half: None,
            high: None,
            marked: false,
            out: Vec::new(),
            from: 0,
            utf8_bytes: 0,
            utf16_bytes: 0,
            window: Arc::default(),
            fault: None,
            ended: false,
        }
    }

    /// Decodes one more chunk into `out`.
    fn refill(&mut self) -> std::io::Result<()> {
        self.out.clear();
        self.from = 0;
        let kept = usize::from(self.half.is_some());
        let n = self.input.read(&mut self.raw[kept..])?;
        let utf8_start = self.utf8_bytes;
        if n == 0 {
            self.end();
        } else {
            self.raw[0] = self.half.take().unwrap_or(self.raw[0]);
            self.decode(kept + n);
        }
        self.utf8_bytes += self.out.len() as u64;
        if let Ok(mut window) = self.window.lock() {
            let utf16_start = self.utf16_bytes - 2 * units(&self.out);
            if utf8_start == 0 {
                window.first = utf16_start;
            }
            if !self.out.is_empty() {
                (window.utf8_start, window.utf16_start) = (utf8_start, utf16_start);
                window.text.clone_from(&self.out);
            }
        }
        Ok(())
    }

    fn decode(&mut self, length: usize) {
        let raw = std::mem::take(&mut self.raw);
        let (pairs, rest) = raw[..length].as_chunks::<2>();
        self.half = rest.first().copied();
        // Files that were put together may begin with several marks.
        let is_mark = |pair: &&[u8; 2]| !self.marked && self.encoding.unit(**pair) == MARK;
        let skip = pairs.iter().take_while(is_mark).count();
        self.marked |= skip < pairs.len();
        self.utf16_bytes += skip as u64 * MARK_BYTES;
        for pair in &pairs[skip..] {
            let unit = self.encoding.unit(*pair);
            if unit < 0x80 && self.high.is_none() {
                self.out.push(unit as u8);
                self.utf16_bytes += 2;
            } else if !self.push(unit) {
                break;
            }
        }
        self.raw = raw;
    }

    /// One unit that is not plain ASCII; false if the stream ends here.
    fn push(&mut self, unit: u16) -> bool {
        if let Some(high) = self.high.take() {
            if (0xdc00..0xe000).contains(&unit) {
                let letter = 0x10000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00);
                self.write(letter, 2);
                return true;
            }
            if !self.lone(high) {
                return false;
            }
        }
        match unit {
            0xd800..0xdc00 => self.high = Some(unit),
            0xdc00..0xe000 => return self.lone(unit),
            _ => self.write(u32::from(unit), 1),
        }
        true
    }

    fn lone(&mut self, unit: u16) -> bool {
        if self.lone == Lone::Mark {
            self.write(u32::from(unit), 1);
            return true;
        }
        self.stop();
        false
    }

    fn stop(&mut self) {
        self.ended = true;
        self.fault = Some(Fault::error(Reason::InvalidUtf16, Some(self.utf16_bytes)));
    }

    /// UTF-8, also of surrogates, for which `char` has no place.
    fn write(&mut self, letter: u32, units: u64) {
        let tail = |shift: u32| 0x80 | (letter >> shift & 0x3f) as u8;
        match letter {
            0..0x80 => self.out.push(letter as u8),
            0x80..0x800 => self.out.extend([0xc0 | (letter >> 6) as u8, tail(0)]),
            0x800..0x10000 => self.out.extend([0xe0 | (letter >> 12) as u8, tail(6), tail(0)]),
            _ => self.out.extend([0xf0 | (letter >> 18) as u8, tail(12), tail(6), tail(0)]),
        }
        self.utf16_bytes += 2 * units;
    }

    /// Nothing may be left over at the end.
    fn end(&mut self) {
        self.ended = true;
        if let Some(high) = self.high.take()
            && !self.lone(high)
        {
            return;
        }
        if self.half.is_some() {
            self.stop();
        }
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        while self.from == self.out.len() && !self.ended && !buf.is_empty() {
            match self.refill() {
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                other => other?,
            }
        }
        let n = buf.len().min(self.out.len() - self.from);
        buf[..n].copy_from_slice(&self.out[self.from..self.from + n]);
        self.from += n;
        if n == 0 && !buf.is_empty() {
            return self.fault.take().map_or(Ok(0), Err);
        }
        Ok(n)
    }
}

/// Cuts UTF-16: records are handed out as UTF-8, places and hashes are of the UTF-16.
pub struct Utf16Cutter {
    inner: Box<dyn Cutter + Send>,
    encoding: Encoding,
    window: Arc<Mutex<Window>>,
    /// End of the last record in UTF-8 and in UTF-16. Between records stands only ASCII.
    last: (u64, u64),
    hasher: blake3::Hasher,
    original: Vec<u8>,
}

impl Utf16Cutter {
    /// `make` cuts the UTF-8 that it is given, from offset 0 and line 1.
    pub fn new<'a>(
        input: Box<dyn Read + Send + 'a>,
        encoding: Encoding,
        hasher: blake3::Hasher,
        make: impl FnOnce(Box<dyn Read + Send + 'a>) -> Box<dyn Cutter + Send>,
    ) -> Self {
        let utf8 = Utf16::new(input, encoding, Lone::Mark);
        let window = Arc::clone(&utf8.window);
        let inner = make(Box::new(utf8));
        Utf16Cutter { inner, encoding, window, last: (0, MARK_BYTES), hasher, original: Vec::new() }
    }
}

impl Cutter for Utf16Cutter {
    fn next(&mut self) -> Option<Raw<'_>> {
        let raw = self.inner.next()?;
        if self.last.0 == 0 {
            self.last.1 = self.window.lock().map_or(MARK_BYTES, |window| window.first);
        }
        let start_byte = self.last.1 + 2 * raw.place.start_byte.saturating_sub(self.last.0);
        let (body, end_byte, hash) = match raw.body {
            Ok(Body::Bytes(text)) => {
                encode(text, self.encoding, &mut self.original);
                let whole = std::str::from_utf8(text).is_ok();
                let hash = self.hasher.clone().update(&self.original).finalize();
                let body = if whole { Ok(Body::Bytes(text)) } else { Err(Reason::InvalidUtf16) };
                (body, start_byte + self.original.len() as u64, Some(hash))
            }
            other => {
                let end = self.window.lock().map_or(start_byte, |window| window.at(raw.place.end_byte));
                (other, end.max(start_byte), raw.hash)
            }
        };
        self.last = (raw.place.end_byte, end_byte);
        Some(Raw { place: Place { start_byte, end_byte, ..raw.place }, body, hash })
    }
}

/// The UTF-16 that a text was decoded from, surrogates marked by [`Lone::Mark`] included.
fn encode(text: &[u8], encoding: Encoding, out: &mut Vec<u8>) {
    out.clear();
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        let (length, bits) = match first {
            0..0x80 => (0, u32::from(*first)),
            0x80..0xe0 => (1, u32::from(first & 0x1f)),
            0xe0..0xf0 => (2, u32::from(first & 0x0f)),
            _ => (3, u32::from(first & 0x07)),
        };
        let (tail, next) = behind.split_at(length.min(behind.len()));
        rest = next;
        let letter = tail.iter().fold(bits, |letter, byte| letter << 6 | u32::from(byte & 0x3f));
        match letter {
            0..0x10000 => out.extend(encoding.bytes(letter as u16)),
            _ => {
                let above = letter - 0x10000;
                out.extend(encoding.bytes(0xd800 + (above >> 10) as u16));
                out.extend(encoding.bytes(0xdc00 + (above & 0x3ff) as u16));
            }
        }
    }
}

#[cfg(test)]
mod tests;
