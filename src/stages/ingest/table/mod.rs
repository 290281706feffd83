//! Delimited text (CSV, TSV, semicolons) as JSON objects, one for each row.
//!
//! The format is RFC 4180 with two liberties that real files need: any of four delimiters, and
//! any of the line ends LF, CRLF and CR. Not here: what the columns mean (`mapping`).
//!
//! Always: memory is one buffer and at most one row; bytes and lines count in the stream as it
//! was read; a row is given out whole or rejected whole, and a blank one is counted.

mod row;

use std::io::Read;

use super::lines::more;
use super::{Body, Cutter, Raw, Reason};
use crate::record::Place;
use row::{State, blank, fields, names, object};

/// Read size; chosen by feel.
const CHUNK_BYTES: usize = 1 << 16;
/// Delimiters that are looked for; at a tie the earlier one wins.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
const BOM: &[u8] = b"\xef\xbb\xbf";

/// One row that is not blank.
#[derive(Debug)]
pub struct Row<'a> {
    /// From the first byte of the row to its last; the line end is outside.
    pub place: Place,
    /// The bytes of `place`; empty if they were too many to keep.
    pub raw: &'a [u8],
    /// The row as a JSON object whose values are all strings, or why there is none.
    pub json: Result<String, Reason>,
    /// Hash of the bytes where they were too many to keep; keyed like a record hash.
    pub hash: Option<blake3::Hash>,
}

/// A row as it was cut, in bounds of the buffer.
struct Cut {
    place: Place,
    bounds: (usize, usize),
    /// Hash of a row that was too long to keep.
    hash: Option<blake3::Hash>,
    /// A quote was open when the stream ended.
    open: bool,
    /// The stream broke off in this row.
    broken: Option<Reason>,
}

/// Reads rows from a stream. The first row that is not blank names the columns.
pub struct Table<R: Read> {
    input: R,
    buffer: Vec<u8>,
    /// Unread part of `buffer`.
    from: usize,
    to: usize,
    /// Offset in the stream of `buffer[from]`, and its line.
    offset: u64,
    line: u64,
    max_bytes: u64,
    delimiter: Option<u8>,
    columns: Vec<String>,
    blank_rows: u64,
    hasher: blake3::Hasher,
    ended: Option<Result<(), Reason>>,
    /// The last row ended with a CR that was the last byte of the buffer.
    after_cr: bool,
    /// The header was rejected, so what follows has no names.
    headless: bool,
}

/// Rows of a table as records: the JSON of a row is what is read, its own bytes are what is hashed.
pub struct TableRows<'a> {
    table: Table<Box<dyn Read + Send + 'a>>,
    hasher: blake3::Hasher,
    json: String,
}

impl<'a> TableRows<'a> {
    pub fn new(input: Box<dyn Read + Send + 'a>, max_bytes: u64, hasher: blake3::Hasher) -> Self {
        TableRows { table: Table::new(input, None, max_bytes, hasher.clone()), hasher, json: String::new() }
    }
}

impl Cutter for TableRows<'_> {
    fn next(&mut self) -> Option<Raw<'_>> {
        let row = self.table.next()?;
        let hash = row.hash.unwrap_or_else(|| self.hasher.clone().update(row.raw).finalize());
        let (place, json) = (row.place, row.json);
        let body = json.map(|json| {
            self.json = json;
            Body::Bytes(self.json.as_bytes())
        });
        Some(Raw { place, body, hash: Some(hash) })
    }
}

impl<R: Read> Table<R> {
    /// Without a delimiter the header decides. `max_bytes` is the limit of one row; `hasher` hashes
    /// rows that are over it.
    pub fn new(input: R, delimiter: Option<u8>, max_bytes: u64, hasher: blake3::Hasher) -> Table<R> {
        Table {
            input,
            buffer: vec![0; CHUNK_BYTES],
            from: 0,
            to: 0,
            offset: 0,
            line: 1,
            max_bytes,
            delimiter,
            columns: Vec::new(),
            blank_rows: 0,
            hasher,
            ended: None,
            after_cr: false,
            headless: false,
        }
    }

    /// Rows without a byte or with nothing but empty fields, so far.
    pub fn blank_rows(&self) -> u64 {
        self.blank_rows
    }

    /// Names of the columns; empty before the first call of `next`.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The delimiter, once it is known.
    pub fn delimiter(&self) -> Option<u8> {
        self.delimiter
    }

    /// The next row that is not blank, or nothing at the end. A header that cannot be read is one
    /// reject and all that follows another: without names there are no rows.
    #[allow(clippy::should_implement_trait)] // a row borrows the buffer
    pub fn next(&mut self) -> Option<Row<'_>> {
        if self.headless {
            return self.drain();
        }
        if self.columns.is_empty() {
            self.delimiter = Some(self.delimiter.unwrap_or_else(|| self.detect()));
            let cut = self.said()?;
            match self.text(&cut).and_then(|text| fields(text, self.split_at()).ok_or(Reason::BadShape)) {
                Ok(fields) => self.columns = names(&fields),
                Err(reason) => {
                    self.headless = true;
                    return Some(self.row(cut, Err(reason)));
                }
            }
        }
        let cut = self.said()?;
        let json = self.text(&cut).and_then(|text| object(text, self.split_at(), &self.columns));
        Some(self.row(cut, json))
    }

    fn row(&self, cut: Cut, json: Result<String, Reason>) -> Row<'_> {
        Row { place: cut.place, raw: &self.buffer[cut.bounds.0..cut.bounds.1], json, hash: cut.hash }
    }

    fn split_at(&self) -> u8 {
        self.delimiter.unwrap_or(DELIMITERS[0])
    }

    /// The text of a row, or what is wrong with its bytes.
    fn text(&self, cut: &Cut) -> Result<&str, Reason> {
        if let Some(reason) = cut.broken {
            return Err(reason);
        }
        if cut.hash.is_some() {
            return Err(Reason::LineTooLong);
        }
        let text = std::str::from_utf8(&self.buffer[cut.bounds.0..cut.bounds.1]).map_err(|_| Reason::InvalidUtf8)?;
        if text.contains('\0') {
            return Err(Reason::NulByte);
        }
        if cut.open { Err(Reason::BadShape) } else { Ok(text) }
    }

    /// Cuts rows until one is not blank.
    fn said(&mut self) -> Option<Cut> {
        loop {
            let cut = self.cut()?;
            let nothing = self.text(&cut).is_ok_and(|text| blank(text, self.split_at()));
            if !nothing {
                return Some(cut);
            }
            self.blank_rows += 1;
        }
    }

    /// Cuts one row off the stream, blank or not.
    fn cut(&mut self) -> Option<Cut> {
        self.begin_row();
        let delimiter = self.split_at();
        let (mut state, mut seen, mut newlines) = (State::Start, 0, 0);
        let mut gone: Option<(u64, blake3::Hasher)> = None;
        loop {
            while self.from + seen < self.to && state != State::End {
                let byte = self.buffer[self.from + seen];
                state = state.after(byte, delimiter);
                seen += usize::from(state != State::End);
                newlines += u64::from(byte == b'\n' && state != State::End);
            }
            if gone.is_some() || seen as u64 > self.max_bytes {
                let (bytes, hasher) = gone.get_or_insert_with(|| (0, self.hasher.clone()));
                hasher.update(&self.buffer[self.from..self.from + seen]);
                *bytes += seen as u64;
                self.from += seen;
                seen = 0;
            }
            if state == State::End || !self.fill() {
                break;
            }
        }
        let bytes = gone.as_ref().map_or(seen as u64, |(bytes, _)| *bytes);
        let broken = self.ended.and_then(Result::err).filter(|_| state != State::End);
        if bytes == 0 && state != State::End && broken.is_none() {
            return None;
        }
        if broken.is_some() {
            // Told once; the next call ends the stream.
            self.ended = Some(Ok(()));
        }
        let place = Place { start_byte: self.offset, end_byte: self.offset + bytes, line: self.line, element: 0 };
        let bounds = (self.from, self.from + seen);
        self.advance(seen, newlines);
        self.offset = place.end_byte;
        if state == State::End {
            self.end_row();
        }
        let hash = gone.map(|(_, hasher)| hasher.finalize());
        Some(Cut { place, bounds, hash, open: state == State::Quoted, broken })
    }

    /// Drops `n` bytes of the unread part.
    fn advance(&mut self, n: usize, newlines: u64) {
        self.from += n;
        self.offset += n as u64;
        self.line += newlines;
    }

    /// Takes LF, CRLF or CR. The LF of a CR at the end of the buffer is left for `begin_row`, so
    /// that the row stays where it is.
    fn end_row(&mut self) {
        let cr = self.buffer[self.from] == b'\r';
        self.advance(1, u64::from(!cr));
        self.after_cr = cr && self.from == self.to;
        if cr && self.buffer[self.from..self.to].first() == Some(&b'\n') {
            self.advance(1, 1);
        }
    }

    fn begin_row(&mut self) {
        if std::mem::take(&mut self.after_cr) {
            while self.from == self.to && self.fill() {}
            if self.buffer[self.from..self.to].first() == Some(&b'\n') {
                self.advance(1, 1);
            }
        }
        while self.offset == 0 && self.to - self.from < BOM.len() && self.fill() {}
        if self.offset == 0 && self.buffer[self.from..self.to].starts_with(BOM) {
            self.advance(BOM.len(), 0);
        }
    }

    /// The delimiter that is commonest in the header, outside of quotes.
    fn detect(&mut self) -> u8 {
        while self.to < CHUNK_BYTES && self.fill() {}
        let (mut counts, mut quoted, mut said) = ([0; DELIMITERS.len()], false, false);
        for byte in &self.buffer[self.from..self.to] {
            quoted ^= *byte == b'"';
            if b"\r\n".contains(byte) && said && !quoted {
                break;
            }
            said |= !byte.is_ascii_whitespace();
            if let Some(at) = DELIMITERS.iter().position(|one| one == byte).filter(|_| !quoted) {
                counts[at] += 1;
            }
        }
        let most = counts.iter().max().copied().unwrap_or_default();
        counts.iter().position(|count| *count == most).map_or(DELIMITERS[0], |at| DELIMITERS[at])
    }

    /// All that is left, as one reject.
    fn drain(&mut self) -> Option<Row<'_>> {
        self.begin_row();
        let mut place = Place { start_byte: self.offset, end_byte: self.offset, line: self.line, element: 0 };
        let mut hasher = self.hasher.clone();
        loop {
            hasher.update(&self.buffer[self.from..self.to]);
            self.advance(self.to - self.from, 0);
            if !self.fill() {
                break;
            }
        }
        place.end_byte = self.offset;
        let reason = self.ended.and_then(Result::err).unwrap_or(Reason::BadShape);
        self.ended = Some(Ok(()));
        let some = place.end_byte > place.start_byte || reason != Reason::BadShape;
        some.then(|| Row { place, raw: &[], json: Err(reason), hash: Some(hasher.finalize()) })
    }

    /// Reads more behind the unread part; false at the end of the stream.
    fn fill(&mut self) -> bool {
        if self.ended.is_some() {
            return false;
        }
        self.ended = more(&mut self.input, &mut self.buffer, &mut self.from, &mut self.to);
        self.ended.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::super::decode::reason;
    use super::*;

    /// Hands out a few bytes at a time, then perhaps an error.
    struct Drip<'a>(&'a [u8], usize, bool);

    impl Read for Drip<'_> {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(self.0.len()).min(buf.len());
            if n == 0 && self.2 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            buf[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    type Said = (u64, u64, u64, Result<String, Reason>);

    /// Rows and count of blank ones; checks the ranges, for several sizes of read.
    fn read_with(bytes: &[u8], max_bytes: u64, breaks: bool) -> (Vec<Said>, u64) {
        let mut answers = Vec::new();
        for size in [1, 2, 3, 7, 1 << 20] {
            let mut table = Table::new(Drip(bytes, size, breaks), None, max_bytes, blake3::Hasher::new());
            let mut rows = Vec::new();
            while let Some(row) = table.next() {
                let (start, end) = (row.place.start_byte, row.place.end_byte);
                let range = &bytes[start as usize..end as usize];
                match row.hash {
                    Some(hash) => assert_eq!((hash, row.raw), (blake3::hash(range), &[][..])),
                    None => assert_eq!(row.raw, range),
                }
                let lines = bytes[..start as usize].iter().filter(|byte| **byte == b'\n').count() as u64;
                assert_eq!(row.place.line, lines + 1);
                rows.push((start, end, row.place.line, row.json));
            }
            assert!(table.next().is_none());
            answers.push((rows, table.blank_rows()));
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "depends on the size of reads");
        answers.remove(0)
    }

    fn read(text: &str) -> Vec<Said> {
        read_with(text.as_bytes(), 1000, false).0
    }

    fn values(text: &str) -> Vec<Result<String, Reason>> {
        read(text).into_iter().map(|(.., json)| json).collect()
    }

    #[test]
    fn rows_are_objects_of_strings() {
        let one = |json: &str| vec![Ok(json.to_owned())];
        for (text, json) in [
            ("a,b\n1,x\n", r#"{"a":"1","b":"x"}"#),
            ("a;b\r\n1;x,y\r\n", r#"{"a":"1","b":"x,y"}"#),
            ("a\tb\r1\tx\r", r#"{"a":"1","b":"x"}"#),
            ("a|b\n1|", r#"{"a":"1","b":""}"#),
            ("a,b\n\"1,2\",\"say \"\"hi\"\"\"\n", r#"{"a":"1,2","b":"say \"hi\""}"#),
            ("a,b\n\"one\r\ntwo\",\"\"\n", r#"{"a":"one\r\ntwo","b":""}"#),
            ("a,b\n5\" disk,x\n", r#"{"a":"5\" disk","b":"x"}"#),
            ("\u{feff}\"a;x\",b\n1,é", r#"{"a;x":"1","b":"é"}"#),
            (",a,a,a_2\n1,2,3,4", r#"{"column_1":"1","a":"2","a_2":"3","a_2_2":"4"}"#),
            ("\n\r\nonly\nx\n", r#"{"only":"x"}"#),
            ("a,b\n\"\"\"\",\n", r#"{"a":"\"","b":""}"#),
        ] {
            assert_eq!(values(text), one(json), "{text:?}");
        }
        assert_eq!(values(""), []);
        assert_eq!(values("a,b\n"), []);
    }

    #[test]
    fn names_that_come_again_get_numbers_that_are_free() {
        let names = |header: &[&str]| names(&header.iter().map(|name| (*name).into()).collect::<Vec<_>>());
        assert_eq!(names(&["a", "a_2", "a", "a", "a_2"]), ["a", "a_2", "a_3", "a_4", "a_2_2"]);
        assert_eq!(names(&["a"; 100_000])[99_999], "a_100000");
    }

    #[test]
    fn places_count_bytes_and_physical_lines() {
        let text = "\u{feff}a,b\r\n\"x\ny\",1\r\n;\r\n\r\nz,2";
        let json = |text: &str| Ok(text.to_owned());
        assert_eq!(
            read(text),
            [
                (8, 15, 2, json(r#"{"a":"x\ny","b":"1"}"#)),
                (17, 18, 4, Err(Reason::BadShape)),
                (22, 25, 6, json(r#"{"a":"z","b":"2"}"#)),
            ]
        );
    }

    #[test]
    fn blank_rows_are_counted() {
        let (rows, blank) = read_with(b"a;b\r\n;\r\n\r\n\"\";  \r\n   \r\n1;2\r\n;\r\n", 1000, false);
        assert_eq!((rows.len(), blank), (1, 5));
    }

    #[test]
    fn each_reject_has_its_reason_and_the_next_row_is_read() {
        for (row, reason) in [
            (&b"1,2,3"[..], Reason::BadShape),
            (b"1", Reason::BadShape),
            (b"\"1\"x,2", Reason::BadShape),
            (b"\xff,2", Reason::InvalidUtf8),
            (b"1,\0", Reason::NulByte),
            (b"1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Reason::LineTooLong),
            (b"1,\"aaaaaaaaaaaaaaaaaa\r\naaaaaaaaaaaaaaaa\"", Reason::LineTooLong),
        ] {
            let bytes = [b"a,b\r\n", row, b"\r\n3,4\r\n"].concat();
            let (rows, _) = read_with(&bytes, 30, false);
            assert_eq!(rows.len(), 2, "{row:?}");
            assert_eq!((rows[0].0, rows[0].1, &rows[0].3), (5, 5 + row.len() as u64, &Err(reason)), "{row:?}");
            assert!(rows[1].3.is_ok());
        }
    }

    #[test]
    fn an_open_quote_rejects_what_is_left() {
        assert_eq!(read("a,b\n1,2\n\"3,4\n5,6\n")[1], (8, 17, 3, Err(Reason::BadShape)));
    }

    #[test]
    fn without_a_header_there_are_no_rows() {
        let (rows, _) = read_with(b"a\xff,b\r\n1,2\n3,4\n", 1000, false);
        assert_eq!(rows, [(0, 4, 1, Err(Reason::InvalidUtf8)), (6, 14, 2, Err(Reason::BadShape))]);
    }

    #[test]
    fn a_stream_that_breaks_off_is_told_once() {
        let (rows, _) = read_with(b"a,b\n1,2\n3", 1000, true);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1], (8, 9, 3, Err(Reason::DamagedCompression)));
        assert_eq!(reason(&ErrorKind::NotFound.into()), Reason::Unreadable);
    }

    #[test]
    fn memory_stays_near_the_limit() {
        let text = [b"a\n".to_vec(), vec![b'x'; 4 << 20], b"\r\ny\r\n".to_vec()].concat();
        let mut table = Table::new(&text[..], Some(b','), 1000, blake3::Hasher::new());
        while table.next().is_some() {}
        assert!(table.buffer.len() <= 2 * CHUNK_BYTES);
    }
}
