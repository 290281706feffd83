//! Cuts the elements out of a top-level JSON array, or JSON objects that go over lines; streamed.
//!
//! Not here: whether an element is good JSON; only brackets and strings are followed.
//!
//! Always: an array that ends early gives its whole elements and one reject for the rest.

use std::io::{ErrorKind, Read};

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
    /// What has the hash of all its bytes, once they are too many to keep.
    long: Option<blake3::Hasher>,
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
            long: None,
            max_bytes,
            hasher,
            state: if in_array { State::Before } else { State::Documents },
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, Reason> {
        if self.from == self.to {
            // Empty also if reading fails: what was seen is not seen again.
            (self.from, self.to) = (0, 0);
            self.to = loop {
                match self.input.read(&mut self.chunk) {
                    Err(err) if err.kind() == ErrorKind::Interrupted => {}
                    read => break read.map_err(|err| super::decode::reason(&err))?,
                }
            };
            if self.to == 0 {
                return Ok(None);
            }
        }
        Ok(Some(self.chunk[self.from]))
    }

    /// Goes on by `n` bytes of the chunk.
    fn advance(&mut self, n: usize) {
        self.line += memchr::memchr_iter(b'\n', &self.chunk[self.from..self.from + n]).count() as u64;
        self.from += n;
        self.offset += n as u64;
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
                (_, byte) if byte == b',' || byte.is_ascii_whitespace() => {}
                // No element begins with it; taken for one, it would be cut for ever.
                (_, b'}') => return Err(Reason::InvalidJson),
                _ => return Ok(Some(())),
            }
            self.advance(1);
        }
        if matches!(self.state, State::After | State::Documents) { Ok(None) } else { Err(Reason::InvalidJson) }
    }

    /// Gathers one element; its bytes beyond the limit only go into the hash.
    fn gather(&mut self) -> Result<(), Reason> {
        let mut open = Open::default();
        loop {
            if self.peek()?.is_none() {
                return Err(Reason::InvalidJson);
            }
            let (taken, ended) = open.follow(&self.chunk[self.from..self.to]);
            self.keep(taken);
            if ended {
                return Ok(());
            }
        }
    }

    /// Takes `n` bytes of the chunk into the element, or into its hash.
    fn keep(&mut self, n: usize) {
        let bytes = &self.chunk[self.from..self.from + n];
        match &mut self.long {
            Some(hasher) => {
                hasher.update(bytes);
            }
            None => self.element.extend_from_slice(bytes),
        }
        if self.long.is_none() && self.element.len() as u64 > self.max_bytes {
            self.long = Some(self.hasher.clone().update(&self.element).clone());
            self.element = Vec::new();
        }
        self.advance(n);
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
        self.element.clear();
        self.long = None;
        let sought = self.seek();
        let (start_byte, line) = (self.offset, self.line);
        let gathered = match sought {
            Ok(None) => {
                self.state = State::Ended;
                return None;
            }
            Ok(Some(())) => self.gather(),
            Err(reason) => {
                self.drain(reason);
                Err(reason)
            }
        };
        match gathered {
            Err(reason) => {
                self.state = State::Ended;
                Some(self.reject(start_byte, line, reason))
            }
            Ok(()) if self.long.is_some() => Some(self.reject(start_byte, line, Reason::LineTooLong)),
            Ok(()) => {
                let bytes = self.element.trim_ascii_end();
                let place = Place { start_byte, end_byte: start_byte + bytes.len() as u64, line, element: 0 };
                Some(Raw { place, body: Ok(Body::Bytes(bytes)), hash: None })
            }
        }
    }
}

impl Elements<'_> {
    /// Runs to the end of what can be read, so that a reject covers all that was not understood.
    fn drain(&mut self, reason: Reason) {
        // Behind a failed read nothing can be trusted.
        while reason == Reason::InvalidJson && matches!(self.peek(), Ok(Some(_))) {
            self.keep(self.to - self.from);
        }
    }

    /// A reject for all that was taken since `start_byte`.
    fn reject(&mut self, start_byte: u64, line: u64, reason: Reason) -> Raw<'_> {
        let hasher = self.long.take().unwrap_or_else(|| self.hasher.clone().update(&self.element).clone());
        let place = Place { start_byte, end_byte: self.offset, line, element: 0 };
        Raw { place, body: Err(reason), hash: Some(hasher.finalize()) }
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
        assert_eq!(cut("[\x0c, 1\x0c]"), [(4, 5, 1, ok("1"))]);
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

    /// Gives one piece at a read; where a piece is missing the read fails.
    struct Pieces(Vec<Result<&'static str, ErrorKind>>);

    impl Read for Pieces {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let text = self.0.remove(0)?;
            buf[..text.len()].copy_from_slice(text.as_bytes());
            Ok(text.len())
        }
    }

    #[test]
    fn a_read_that_fails_ends_the_stream_where_it_fails_and_an_interrupted_one_does_not() {
        let (broken, again) = (Err(ErrorKind::UnexpectedEof), Err(ErrorKind::Interrupted));
        for (pieces, end, rest) in [
            (vec![Ok("[1,\n"), broken, Ok("2]")], 4, ""),
            (vec![Ok("[1,\n2"), broken, Ok("2]")], 5, "2"),
            (vec![Ok("[1,\n"), again, Ok("}"), again, Ok(" 3]"), broken], 8, "} 3]"),
        ] {
            let hasher = blake3::Hasher::new_keyed(&[1; 32]);
            let mut elements = Elements::new(Box::new(Pieces(pieces)), (0, 1), 30, hasher.clone(), true);
            assert!(elements.next().is_some_and(|raw| raw.body == Ok(Body::Bytes(b"1"))));
            let raw = elements.next().unwrap();
            assert_eq!((raw.place.start_byte, raw.place.end_byte, raw.place.line), (4, end, 2));
            assert_eq!(raw.hash, Some(hasher.clone().update(rest.as_bytes()).finalize()), "{rest}");
            assert!(raw.body.is_err() && elements.next().is_none());
        }
    }

    #[test]
    fn a_long_element_that_never_ends_has_the_hash_of_its_bytes() {
        let text = format!("[\"{}", "x".repeat(40));
        let mut elements = Elements::new(Box::new(text.as_bytes()), (0, 1), 30, blake3::Hasher::new(), true);
        let raw = elements.next().unwrap();
        assert_eq!((raw.place.start_byte, raw.place.end_byte, raw.body), (1, 42, Err(Reason::InvalidJson)));
        assert_eq!(raw.hash, Some(blake3::hash(&text.as_bytes()[1..])));
    }

    #[test]
    fn a_long_element_is_one_reject() {
        let got = cut(&format!("[\"{}\",1]", "x".repeat(40)));
        assert_eq!(got[0], (1, 43, 1, Err(Reason::LineTooLong)));
        assert_eq!(got[1].3, Ok("1".to_owned()));
    }
}
