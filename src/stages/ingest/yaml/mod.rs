//! Cuts a YAML stream into records: the elements of a list that stands at the top of a document, or
//! whole documents (`---` between them).
//!
//! Not here: what a record says; each is given out as JSON. An element is read on its own, so an
//! alias of another element's anchor is a reject.
//!
//! Always: only lines are followed to cut, so an element that is no YAML costs nothing but itself;
//! memory is one record; the hash of a record is of its bytes as they stand in the stream.

mod json;

use std::io::{BufRead, BufReader, Read};

use super::{BOM, Body, Cutter, Raw, Reason};
use crate::record::Place;

const BUFFER_BYTES: usize = 64 << 10;

pub struct YamlElements<'a> {
    input: BufReader<Box<dyn Read + Send + 'a>>,
    /// The line behind the record so far, with its end; its first byte is at `offset`.
    line: Vec<u8>,
    line_bytes: u64,
    /// `line` goes on a line that was too long to hold whole.
    goes_on: bool,
    offset: u64,
    line_number: u64,
    /// Column of the dashes of the list at the top of this document; nothing in other documents.
    dashes: Option<usize>,
    max_bytes: u64,
    hasher: blake3::Hasher,
    record: Record,
    json: String,
    ended: Option<Result<(), Reason>>,
}

/// The record that is being gathered.
struct Record {
    text: Vec<u8>,
    start_byte: u64,
    end_byte: u64,
    line: u64,
    /// Of all bytes, once they are too many to keep.
    long: Option<blake3::Hasher>,
}

impl Record {
    fn at(start_byte: u64, line: u64) -> Record {
        Record { text: Vec::new(), start_byte, end_byte: start_byte, line, long: None }
    }
}

/// What a line is where a record may begin or end.
#[derive(Clone, Copy, PartialEq)]
enum Line {
    /// Nothing, or a comment.
    Blank,
    /// `---` or `...` without content.
    Border,
    Directive,
    Content,
}

impl<'a> YamlElements<'a> {
    /// `start` is byte and line of the stream's beginning.
    pub fn new(
        input: Box<dyn Read + Send + 'a>,
        (offset, line_number): (u64, u64),
        max_bytes: u64,
        hasher: blake3::Hasher,
    ) -> Self {
        YamlElements {
            input: BufReader::with_capacity(BUFFER_BYTES, input),
            line: Vec::new(),
            line_bytes: 0,
            goes_on: false,
            offset,
            line_number,
            dashes: None,
            max_bytes,
            hasher,
            record: Record::at(offset, line_number),
            json: String::new(),
            ended: None,
        }
    }

    /// Reads the next line behind the one that is held; false at the end, and where the stream broke.
    fn advance(&mut self) -> bool {
        self.offset += self.line_bytes;
        self.goes_on = self.line_bytes > 0 && !self.line.ends_with(b"\n");
        self.line_number += u64::from(self.line_bytes > 0 && !self.goes_on);
        self.line.clear();
        while self.ended.is_none() {
            let buffer = match self.input.fill_buf() {
                Err(err) if err.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(err) => {
                    self.ended = Some(Err(super::decode::reason(&err)));
                    break;
                }
                Ok([]) => {
                    self.ended = Some(Ok(()));
                    break;
                }
                Ok(buffer) => buffer,
            };
            let newline = memchr::memchr(b'\n', buffer);
            let taken = newline.map_or(buffer.len(), |at| at + 1);
            self.line.extend_from_slice(&buffer[..taken]);
            self.input.consume(taken);
            // What is left of a line that is too long comes as the next.
            if newline.is_some() || self.line.len() as u64 > self.max_bytes {
                break;
            }
        }
        self.line_bytes = self.line.len() as u64;
        self.line_bytes > 0 && !matches!(self.ended, Some(Err(_)))
    }

    /// Keeps the line that is held as part of the record.
    fn take(&mut self) {
        let record = &mut self.record;
        if let Some(hasher) = &mut record.long {
            hasher.update(&self.line);
        } else {
            record.text.extend_from_slice(&self.line);
            if record.text.len() as u64 > self.max_bytes {
                record.long = Some(self.hasher.clone().update(&record.text).clone());
                record.text = Vec::new();
            }
        }
        record.end_byte = self.offset + self.line_bytes;
    }

    /// Gathers the lines of the next record; false at the end of the stream.
    fn gather(&mut self) -> bool {
        loop {
            if self.line_bytes == 0 && !self.advance() {
                return false;
            }
            match kind(&self.line) {
                Line::Content => break,
                Line::Border => self.dashes = None,
                Line::Blank | Line::Directive => {}
            }
            if !self.advance() {
                return false;
            }
        }
        let mark = if self.offset == 0 && self.line.starts_with(BOM) { BOM.len() } else { 0 };
        self.line.drain(..mark);
        (self.offset, self.line_bytes) = (self.offset + mark as u64, self.line_bytes - mark as u64);
        if self.line.starts_with(b"---") {
            self.dashes = None;
        }
        self.dashes = self.dashes.or(dash(&self.line));
        self.record = Record::at(self.offset, self.line_number);
        loop {
            self.take();
            if !self.advance() {
                return true;
            }
            let is_element = self.dashes.is_some() && dash(&self.line) == self.dashes;
            if !self.goes_on && (is_element || is_border(&self.line)) {
                return true;
            }
        }
    }

    /// What a broken stream left behind is one reject, from the last whole record to the break.
    fn broken(&mut self, reason: Reason) -> Raw<'_> {
        self.ended = Some(Ok(()));
        if self.record.end_byte != self.offset {
            self.record = Record::at(self.offset, self.line_number);
        }
        self.take();
        self.line_bytes = 0;
        self.line.clear();
        let Record { text, start_byte, end_byte, line, long } = &self.record;
        let hash = long.clone().unwrap_or_else(|| self.hasher.clone().update(text).clone()).finalize();
        let place = Place { start_byte: *start_byte, end_byte: *end_byte, line: *line, element: 0 };
        Raw { place, body: Err(reason), hash: Some(hash) }
    }

    /// The record as JSON; that of an element is the only item of a list.
    fn read(&self) -> Result<String, Reason> {
        if self.record.long.is_some() {
            return Err(Reason::LineTooLong);
        }
        let text = std::str::from_utf8(&self.record.text).map_err(|_| Reason::InvalidUtf8)?;
        let json = json::json(text, self.max_bytes)?;
        if self.dashes.is_none() || self.record.text.starts_with(b"---") {
            return Ok(json);
        }
        let item = json.strip_prefix('[').and_then(|json| json.strip_suffix(']'));
        item.filter(|item| !item.is_empty()).map(str::to_owned).ok_or(Reason::InvalidYaml)
    }
}

/// Column of the dash that begins an element, if the line begins one.
fn dash(line: &[u8]) -> Option<usize> {
    let column = line.iter().position(|byte| *byte != b' ')?;
    let behind = line[column..].strip_prefix(b"-")?;
    behind.first().is_none_or(u8::is_ascii_whitespace).then_some(column)
}

/// Whether a document begins or ends with this line, with or without content behind.
fn is_border(line: &[u8]) -> bool {
    let behind = line.strip_prefix(b"---").or_else(|| line.strip_prefix(b"..."));
    behind.is_some_and(|behind| behind.first().is_none_or(u8::is_ascii_whitespace))
}

fn kind(line: &[u8]) -> Line {
    let line = line.strip_prefix(BOM).unwrap_or(line);
    let content = |text: &[u8]| !matches!(text.trim_ascii_start().first(), None | Some(b'#'));
    if is_border(line) {
        return if content(&line[3..]) { Line::Content } else { Line::Border };
    }
    match line.first() {
        Some(b'%') => Line::Directive,
        _ if content(line) => Line::Content,
        _ => Line::Blank,
    }
}

impl Cutter for YamlElements<'_> {
    fn next(&mut self) -> Option<Raw<'_>> {
        let found = self.gather();
        if let Some(Err(reason)) = self.ended {
            return Some(self.broken(reason));
        }
        if !found {
            return None;
        }
        let json = self.read();
        let record = &self.record;
        let (end_byte, hash) = match &record.long {
            Some(hasher) => (record.end_byte, hasher.finalize()),
            None => {
                let text = record.text.trim_ascii_end();
                (record.start_byte + text.len() as u64, self.hasher.clone().update(text).finalize())
            }
        };
        let place = Place { start_byte: record.start_byte, end_byte, line: record.line, element: 0 };
        let bytes = json.map(|json| {
            self.json = json;
            self.json.as_bytes()
        });
        Some(Raw { place, body: bytes.map(Body::Bytes), hash: Some(hash) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Cut = (String, u64, Result<String, Reason>);

    /// The bytes, line and JSON of each record.
    fn cut(text: &str) -> Vec<Cut> {
        let mut cutter = YamlElements::new(Box::new(text.as_bytes()), (0, 1), 200, blake3::Hasher::new());
        let mut out = Vec::new();
        while let Some(raw) = cutter.next() {
            let range = &text[raw.place.start_byte as usize..raw.place.end_byte as usize];
            assert_eq!(raw.hash, Some(blake3::hash(range.as_bytes())));
            let json = raw.body.map(|body| String::from_utf8_lossy(&body.text()).into_owned());
            out.push((range.to_owned(), raw.place.line, json));
        }
        out
    }

    fn ok(text: &str, line: u64, json: &str) -> Cut {
        (text.to_owned(), line, Ok(json.to_owned()))
    }

    #[test]
    fn elements_of_a_list_are_cut_at_their_dashes() {
        let text = "\u{feff}# made by hand\n- a: >-\n    one\n\n    - two\n  b: []\n\n- a: x # c\n-\n  a: y\n";
        assert_eq!(
            cut(text),
            [
                ok("- a: >-\n    one\n\n    - two\n  b: []", 2, r#"{"a":"one\n- two","b":[]}"#),
                ok("- a: x # c", 8, r#"{"a":"x"}"#),
                ok("-\n  a: y", 9, r#"{"a":"y"}"#),
            ]
        );
        assert_eq!(cut("  - 1\r\n  - 2"), [ok("- 1", 1, "1"), ok("- 2", 2, "2")].map(indented));
        assert_eq!(cut("# nothing\n"), []);
    }

    /// A place begins with its line.
    fn indented((text, line, json): Cut) -> Cut {
        (format!("  {text}"), line, json)
    }

    #[test]
    fn documents_are_cut_at_their_borders() {
        let text = "%YAML 1.2\n---\na:\n- 1\n- 2\n...\n--- {b: c}\n---\n- x\n- y\n--- # last\nz: |\n  - w\n";
        assert_eq!(
            cut(text),
            [
                ok("a:\n- 1\n- 2", 3, r#"{"a":[1,2]}"#),
                ok("--- {b: c}", 7, r#"{"b":"c"}"#),
                ok("- x", 9, r#""x""#),
                ok("- y", 10, r#""y""#),
                ok("z: |\n  - w", 12, r#"{"z":"- w\n"}"#),
            ]
        );
    }

    #[test]
    fn a_bad_element_costs_only_itself() {
        let long = format!("- {}\n", "x".repeat(300));
        let got = cut(&format!("- a: [1\n- b: 2\nstray\n- *x\n{long}- c: 3\n"));
        let ends: Vec<_> = got.iter().map(|cut| cut.2.clone()).collect();
        let bad = Err(Reason::InvalidYaml);
        assert_eq!(ends, [bad.clone(), bad.clone(), bad, Err(Reason::LineTooLong), Ok(r#"{"c":3}"#.to_owned())]);
    }

    #[test]
    fn a_broken_stream_gives_what_is_whole_and_one_reject() {
        let bytes = zstd::encode_all("- a: 1\n".repeat(100_000).as_bytes(), 1).unwrap();
        let cut = std::io::Cursor::new(bytes[..bytes.len() - 3].to_vec());
        let input = super::super::decode::reader(Box::new(cut), super::super::decode::Compression::Zstd).unwrap();
        let mut cutter = YamlElements::new(input, (0, 1), 200, blake3::Hasher::new());
        let mut ends = Vec::new();
        while let Some(raw) = cutter.next() {
            ends.push(raw.body.is_ok());
        }
        assert_eq!(ends.iter().filter(|ok| !**ok).count(), 1);
        assert_eq!(ends.last(), Some(&false));
    }
}
