//! Cuts the elements out of a top-level JSON array, or JSON objects that go over lines; streamed.
//!
//! Not here: whether an element is good JSON; only brackets and strings are followed.
//!
//! Always: an array that ends early gives its whole elements and one reject for the rest.

use std::io::Read;

use super::{Body, Cutter, Raw, Reason};
use crate::record::Place;

const CHUNK_BYTES: usize = 1 << 20;

pub struct Elements<'a> {
    input: Box<dyn Read + Send + 'a>,
    chunk: Vec<u8>,
    from: usize,
    to: usize,
    offset: u64,
    line: u64,
    /// The element being gathered.
    element: Vec<u8>,
    max_bytes: u64,
    hasher: blake3::Hasher,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Before the `[`.
    Before,
    /// Between elements.
    Between,
    /// Between objects that stand in no array.
    Documents,
    /// Behind a `]`: another array may follow, anything else is a reject.
    After,
    Ended,
}

impl<'a> Elements<'a> {
    /// Of an array; or of objects one after another, with white space between them.
    pub fn new(
        input: Box<dyn Read + Send + 'a>,
        (offset, line): (u64, u64),
        max_bytes: u64,
        hasher: blake3::Hasher,
        in_array: bool,
    ) -> Self {
        Elements {
            input,
            chunk: vec![0; CHUNK_BYTES],
            from: 0,
            to: 0,
            offset,
            line,
            element: Vec::new(),
            max_bytes,
            hasher,
            state: if in_array { State::Before } else { State::Documents },
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, Reason> {
        if self.from == self.to {
            self.from = 0;
            self.to = self.input.read(&mut self.chunk).map_err(|err| super::decode::reason(&err))?;
            if self.to == 0 {
                return Ok(None);
            }
        }
        Ok(Some(self.chunk[self.from]))
    }

    fn bump(&mut self) {
        self.line += u64::from(self.chunk[self.from] == b'\n');
        self.from += 1;
        self.offset += 1;
    }

    /// Goes to the first byte of the next element; `None` at the end of the array.
    fn seek(&mut self) -> Result<Option<()>, Reason> {
        while let Some(byte) = self.peek()? {
            match (self.state, byte) {
                (State::Before | State::After, b'[') => self.state = State::Between,
                (State::After, byte) if !byte.is_ascii_whitespace() => return Err(Reason::InvalidJson),
                (State::Before | State::After, _) => {}
                (State::Documents, b'{') => return Ok(Some(())),
                // A byte order mark, if it stands first.
                (State::Documents, 0xef | 0xbb | 0xbf) if self.offset < 3 => {}
                (State::Documents, byte) if !byte.is_ascii_whitespace() => return Err(Reason::InvalidJson),
                (_, b']') => self.state = State::After,
                (_, b',' | b' ' | b'\t' | b'\r' | b'\n') => {}
                // No element begins with it; taken for one, it would be cut for ever.
                (_, b'}') => return Err(Reason::InvalidJson),
                _ => return Ok(Some(())),
            }
            self.bump();
        }
        if matches!(self.state, State::After | State::Documents) { Ok(None) } else { Err(Reason::InvalidJson) }
    }

    /// Gathers one element; its bytes beyond the limit only go into the hash.
    fn gather(&mut self) -> Result<Option<blake3::Hash>, Reason> {
        let mut open = Open::default();
        let mut long: Option<blake3::Hasher> = None;
        self.element.clear();
        loop {
            if self.peek()?.is_none() {
                return Err(Reason::InvalidJson);
            }
            let bytes = &self.chunk[self.from..self.to];
            let (taken, ended) = open.follow(bytes);
            let bytes = &bytes[..taken];
            self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
            self.offset += taken as u64;
            self.from += taken;
            match &mut long {
                Some(hasher) => {
                    hasher.update(bytes);
                }
                None => self.element.extend_from_slice(bytes),
            }
            if long.is_none() && self.element.len() as u64 > self.max_bytes {
                long = Some(self.hasher.clone().update(&self.element).clone());
                self.element = Vec::new();
            }
            if ended {
                return Ok(long.map(|hasher| hasher.finalize()));
            }
        }
    }
}

/// What is open in an element, between stretches of its bytes.
#[derive(Default)]
struct Open {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Open {
    /// How many of `bytes` belong to the element, and whether it ends there.
    fn follow(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < bytes.len() {
            if self.escaped {
                self.escaped = false;
                at += 1;
                continue;
            }
            if self.in_string {
                let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else { return (bytes.len(), false) };
                at += found + 1;
                self.escaped = bytes[at - 1] == b'\\';
                self.in_string = self.escaped;
                if !self.in_string && self.depth == 0 {
                    return (at, true);
                }
                continue;
            }
            match bytes[at] {
                b',' | b']' | b'}' if self.depth == 0 => return (at, true),
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
            at += 1;
            if self.depth == 0 && matches!(bytes[at - 1], b'}' | b']') {
                return (at, true);
            }
        }
        (at, false)
    }
}

impl Cutter for Elements<'_> {
    fn next(&mut self) -> Option<Raw<'_>> {
        if self.state == State::Ended {
            return None;
        }
        let (start_byte, line) = match self.seek() {
            Ok(None) => {
                self.state = State::Ended;
                return None;
            }
            Ok(Some(())) => (self.offset, self.line),
            Err(reason) => {
                let (start_byte, line) = (self.offset, self.line);
                self.drain();
                return Some(self.broken(start_byte, line, reason));
            }
        };
        match self.gather() {
            Err(reason) => Some(self.broken(start_byte, line, reason)),
            Ok(Some(hash)) => {
                let place = Place { start_byte, end_byte: self.offset, line, element: 0 };
                Some(Raw { place, body: Err(Reason::LineTooLong), hash: Some(hash) })
            }
            Ok(None) => {
                let bytes = self.element.trim_ascii_end();
                let place = Place { start_byte, end_byte: start_byte + bytes.len() as u64, line, element: 0 };
                Some(Raw { place, body: Ok(Body::Bytes(bytes)), hash: None })
            }
        }
    }
}

impl Elements<'_> {
    /// Runs to the end of what can be read, so that a reject covers all that was not understood.
    fn drain(&mut self) {
        while let Ok(Some(_)) = self.peek() {
            self.bump();
        }
    }

    fn broken(&mut self, start_byte: u64, line: u64, reason: Reason) -> Raw<'_> {
        self.state = State::Ended;
        let place = Place { start_byte, end_byte: self.offset, line, element: 0 };
        let hash = self.hasher.clone().update(&self.element).finalize();
        Raw { place, body: Err(reason), hash: Some(hash) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Cut = (u64, u64, u64, Result<String, Reason>);

    fn cut(text: &str) -> Vec<Cut> {
        let hasher = blake3::Hasher::new();
        let mut elements = Elements::new(Box::new(text.as_bytes()), (0, 1), 30, hasher, text.starts_with('['));
        let mut out = Vec::new();
        while let Some(raw) = elements.next() {
            let bytes = raw.body.map(|body| String::from_utf8_lossy(&body.text()).into_owned());
            out.push((raw.place.start_byte, raw.place.end_byte, raw.place.line, bytes));
        }
        out
    }

    #[test]
    fn elements_are_cut_at_their_brackets() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(cut("[]"), []);
        assert_eq!(
            cut("[\n {\"a\":[1,\"]\\\"},\"]} ,\n2]"),
            [(3, 20, 2, ok("{\"a\":[1,\"]\\\"},\"]}")), (23, 24, 3, ok("2"))]
        );
    }

    #[test]
    fn objects_that_go_over_lines_are_cut_at_their_brackets() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(cut("{\n \"a\":1\n}\n{}\n"), [(0, 10, 1, ok("{\n \"a\":1\n}")), (11, 13, 4, ok("{}"))]);
        assert_eq!(cut("{\n \"a\":"), [(0, 7, 1, Err(Reason::InvalidJson))]);
        assert_eq!(cut("{}\n] {}"), [(0, 2, 1, ok("{}")), (3, 7, 2, Err(Reason::InvalidJson))]);
    }

    #[test]
    fn a_cut_array_gives_its_whole_elements_first() {
        let got = cut("[{\"a\":1},{\"b\":");
        assert_eq!(got[0].3, Ok("{\"a\":1}".to_owned()));
        assert_eq!(got[1], (9, 14, 1, Err(Reason::InvalidJson)));
        assert_eq!(cut("[{\"a\":1}"), [(1, 8, 1, Ok("{\"a\":1}".to_owned())), (8, 8, 1, Err(Reason::InvalidJson))]);
    }

    #[test]
    fn what_stands_behind_an_array_is_answered_for() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(cut("[1]\n[2]\n"), [(1, 2, 1, ok("1")), (5, 6, 2, ok("2"))]);
        assert_eq!(cut("[1,} 2]"), [(1, 2, 1, ok("1")), (3, 7, 1, Err(Reason::InvalidJson))]);
        assert_eq!(cut("[1] x y"), [(1, 2, 1, ok("1")), (4, 7, 1, Err(Reason::InvalidJson))]);
    }

    #[test]
    fn a_long_element_is_one_reject() {
        let got = cut(&format!("[\"{}\",1]", "x".repeat(40)));
        assert_eq!(got[0], (1, 43, 1, Err(Reason::LineTooLong)));
        assert_eq!(got[1].3, Ok("1".to_owned()));
    }
}
