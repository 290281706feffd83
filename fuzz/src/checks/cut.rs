//! Checks of what cuts text into records: the bytes of every place, nothing lost in between.

use super::{Drip, LIMITS, hash, hasher};
use crate::record::Place;
use crate::stages::ingest::encoding::{Encoding, Lone, Utf16, Utf16Cutter};
use crate::stages::ingest::{Cutter, Named, Raw, Reason, Shape, advice, cutter, records};

/// A raw record of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    pub place: Place,
    pub bytes: Result<Vec<u8>, Reason>,
    pub hash: blake3::Hash,
}

impl Cut {
    pub fn of(raw: Raw) -> Cut {
        let bytes = raw.body.map(|body| body.text().into_owned());
        let hash = raw.hash.unwrap_or_else(|| hash(bytes.as_deref().unwrap_or_default()));
        Cut { place: raw.place, bytes, hash }
    }
}

/// Everything a cutter gives; it must end by itself.
fn all(mut cutter: impl Cutter, length: usize) -> Vec<Cut> {
    let mut cuts = Vec::new();
    while let Some(raw) = cutter.next() {
        cuts.push(Cut::of(raw));
        assert!(cuts.len() <= length + 1, "more records than bytes");
    }
    assert!(cutter.next().is_none(), "a record behind the end");
    cuts
}

impl Cutter for Box<dyn Cutter + Send + '_> {
    fn next(&mut self) -> Option<Raw<'_>> {
        (**self).next()
    }
}

/// Places ascend, do not overlap, lie in the stream; what has a hash has that of its place.
pub fn ascending(cuts: &[Cut]) {
    let mut last = 0;
    for Cut { place, bytes, .. } in cuts {
        assert!(last <= place.start_byte && place.start_byte <= place.end_byte, "{last}: {place:?}");
        last = place.end_byte;
        match bytes {
            Ok(bytes) => assert!(!bytes.is_empty(), "an empty record: {place:?}"),
            Err(reason) => assert_eq!(advice(reason.as_str()), Some(reason.advice())),
        }
    }
}

/// What lies at a place in the stream that was cut.
fn at(place: Place, stream: &[u8]) -> &[u8] {
    &stream[place.start_byte as usize..place.end_byte as usize]
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// Cuts `stream` whole and in drips and checks both.
fn check(stream: &[u8], shape: Shape) -> Vec<Cut> {
    let whole = all(cutter(Box::new(stream), shape, (0, 1), &LIMITS, hasher()), stream.len());
    for most in [1, 7] {
        let drip = Box::new(Drip::new(stream, most));
        let dripped = all(cutter(drip, shape, (0, 1), &LIMITS, hasher()), stream.len());
        assert_eq!(whole, dripped, "{most} bytes a read");
    }
    ascending(&whole);
    let (mut line, mut counted) = (1, 0);
    for cut in &whole {
        let start = cut.place.start_byte as usize;
        line += newlines(&stream[counted..start]);
        counted = start;
        assert_eq!(cut.place.line, line, "{:?}", cut.place);
        assert_eq!(cut.hash, hash(at(cut.place, stream)), "{:?} {:?}", cut.place, cut.bytes);
        if let (Ok(bytes), false) = (&cut.bytes, shape == Shape::Table) {
            assert_eq!(bytes, at(cut.place, stream));
            assert!(bytes.len() as u64 <= LIMITS.line_bytes);
        }
    }
    whole
}

/// Bytes in no place are ones that say nothing.
fn complete(stream: &[u8], cuts: &[Cut], nothing: &[u8]) {
    let mut from = if stream.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let end = Place { start_byte: stream.len() as u64, end_byte: 0, line: 0, element: 0 };
    for place in cuts.iter().map(|cut| cut.place).chain([end]) {
        let between = &stream[from.min(place.start_byte as usize)..place.start_byte as usize];
        let said = between.iter().find(|byte| !byte.is_ascii_whitespace() && !nothing.contains(byte));
        assert_eq!(said, None, "nobody answers for it, before byte {}", place.start_byte);
        from = place.end_byte as usize;
    }
}

/// Cut in one piece or in several, at any newline, lines are the same.
pub fn lines(data: &[u8]) {
    let whole = check(data, Shape::Lines);
    complete(data, &whole, b"");
    let (mut pieces, mut start, mut line) = (Vec::new(), 0, 1);
    for newline in memchr::memchr_iter(b'\n', data).step_by(3).chain([data.len()]) {
        let end = data.len().min(newline + 1);
        let piece = cutter(Box::new(&data[start..end]), Shape::Lines, (start as u64, line), &LIMITS, hasher());
        pieces.extend(all(piece, end - start));
        line += newlines(&data[start..end]);
        start = end;
    }
    assert_eq!(whole, pieces);
}

pub fn elements(data: &[u8]) {
    let documents = check(data, Shape::Documents);
    let array = check(data, Shape::Array);
    match Shape::of(data) {
        Shape::Documents => complete(data, &documents, b""),
        Shape::Array => complete(data, &array, b"[],"),
        Shape::Lines | Shape::Table | Shape::Yaml | Shape::Parquet => {}
    }
}

pub fn table(data: &[u8]) {
    for row in check(data, Shape::Table) {
        let Ok(json) = row.bytes else { continue };
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&json).expect("a row is JSON");
        assert!(!object.is_empty() && object.values().all(serde_json::Value::is_string));
    }
}

/// The first byte says which UTF-16; the mark is put before the rest.
pub fn encoding(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let (encoding, mark) =
        if kind & 1 == 0 { (Encoding::Utf16Le, [0xff, 0xfe]) } else { (Encoding::Utf16Be, [0xfe, 0xff]) };
    let stream = [&mark[..], rest].concat();
    let (told, shape) = records::told(&stream, Named::Nothing);
    // With two NULs behind it, it is the mark of UTF-32.
    let shape = if told == encoding { shape } else { Shape::Lines };
    let unit = |pair: &[u8]| match (encoding, pair) {
        (Encoding::Utf16Be, [high, low]) => u16::from_be_bytes([*high, *low]),
        (_, [low, high]) => u16::from_le_bytes([*low, *high]),
        // Half a unit, which nothing can follow.
        _ => 0xd800,
    };
    let text = |bytes: &[u8]| String::from_utf16(&bytes.chunks(2).map(unit).collect::<Vec<_>>()).ok();
    let make = |input| cutter(input, shape, (0, 1), &LIMITS, hasher());
    let cut = |most| {
        let input = Box::new(Drip::new(std::io::Cursor::new(stream.clone()), most));
        all(Utf16Cutter::new(input, encoding, hasher(), make), stream.len())
    };
    let whole = cut(usize::MAX);
    for most in [1, 7] {
        assert_eq!(whole, cut(most), "{most} bytes a read");
    }
    ascending(&whole);
    for cut in &whole {
        assert!(cut.place.start_byte % 2 == 0 && cut.place.start_byte >= 2, "{:?}", cut.place);
        let before = &stream[2..cut.place.start_byte as usize];
        let line = 1 + before.chunks(2).filter(|pair| unit(pair) == u16::from(b'\n')).count() as u64;
        assert_eq!(cut.place.line, line, "{:?}", cut.place);
        let own = at(cut.place, &stream);
        if let Ok(bytes) = &cut.bytes {
            assert_eq!(cut.hash, hash(own), "{:?}", cut.place);
            assert_eq!(std::str::from_utf8(bytes).ok(), text(own).as_deref());
        }
    }
    decoded(&stream, encoding, text(&stream[2..]));
}

/// The plain decoder gives all of a text that is whole, or ends with an error.
fn decoded(stream: &[u8], encoding: Encoding, expected: Option<String>) {
    let mut out = Vec::new();
    let end = std::io::Read::read_to_end(&mut Utf16::new(Drip::new(stream, 3), encoding, Lone::Fail), &mut out);
    let got = String::from_utf8(out).expect("what comes out is UTF-8");
    assert_eq!(end.is_ok(), expected.is_some());
    if let Some(expected) = expected {
        assert_eq!(got, expected.trim_start_matches('\u{feff}'));
    }
}
