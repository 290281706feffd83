//! UTF-16 texts, cut and read again at their places.

use super::super::{Shape, cutter};
use super::*;
use crate::config::Limits;

fn utf16(text: &str, encoding: Encoding) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(|unit| encoding.bytes(unit)).collect()
}

fn read(bytes: &[u8], lone: Lone) -> (Vec<u8>, Option<u64>) {
    let mut out = Vec::new();
    let end = Utf16::new(bytes, Encoding::of(bytes), lone).read_to_end(&mut out);
    (out, end.err().map(|err| Fault::of(&err).unwrap().offset_bytes.unwrap()))
}

const BOTH: [Encoding; 2] = [Encoding::Utf16Le, Encoding::Utf16Be];

#[test]
fn text_comes_out_as_it_went_in() {
    for encoding in BOTH {
        for text in ["", "a", "plain\n", "äöü €", "日本語\n😀", "\u{10ffff}\u{feff}"] {
            let bytes = utf16(text, encoding);
            assert_eq!(Encoding::of(&bytes), encoding);
            assert_eq!(read(&bytes, Lone::Fail), (text.as_bytes().to_vec(), None));
        }
        let long = "x😀é日".repeat(50_000);
        assert_eq!(read(&utf16(&long, encoding), Lone::Fail).0, long.as_bytes());
    }
}

#[test]
fn half_a_pair_is_an_error_at_its_byte() {
    let le = |units: &[u16]| -> Vec<u8> { [0xfeff].iter().chain(units).flat_map(|unit| unit.to_le_bytes()).collect() };
    let cases: [(&[u16], u64); 4] =
        [(&[0x61, 0xd83d], 4), (&[0x61, 0xde00, 0x62], 4), (&[0xd83d, 0x61], 2), (&[0xd83d, 0xd83d, 0xde00], 2)];
    for (units, at) in cases {
        assert_eq!(read(&le(units), Lone::Fail).1, Some(at), "{units:x?}");
        assert_eq!(read(&le(units), Lone::Mark).1, None);
    }
    let odd = [le(&[0x61]), vec![0x62]].concat();
    assert_eq!(read(&odd, Lone::Mark), (b"a".to_vec(), Some(4)));
}

fn check_places(bytes: &[u8], encoding: Encoding, shape: Shape, line_bytes: u64) -> Vec<Option<Reason>> {
    let limits = Limits { line_bytes, ..Limits::default() };
    let make = |input| cutter(input, shape, (0, 1), &limits, blake3::Hasher::new());
    let input = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let mut records = Utf16Cutter::new(input, encoding, blake3::Hasher::new(), make);
    let mut out = Vec::new();
    while let Some(raw) = records.next() {
        let range = &bytes[raw.place.start_byte as usize..raw.place.end_byte as usize];
        let units: Vec<u16> = range.chunks(2).map(|pair| encoding.unit([pair[0], pair[1]])).collect();
        match &raw.body {
            Ok(body) => {
                assert_eq!(String::from_utf16(&units).unwrap().as_bytes(), body.text().as_ref());
                assert_eq!(raw.hash, Some(blake3::hash(range)));
            }
            Err(Reason::LineTooLong) if shape == Shape::Lines => {
                assert!(units.len() as u64 * 3 > line_bytes && !units.contains(&10));
                assert!(
                    bytes[raw.place.end_byte as usize..].is_empty()
                        || encoding.unit([bytes[raw.place.end_byte as usize], bytes[raw.place.end_byte as usize + 1]])
                            == 10
                );
            }
            Err(_) => {}
        }
        out.push(raw.body.err());
    }
    out
}

#[test]
fn places_are_bytes_of_the_file() {
    let mut state = 11u64;
    let mut below = |most: u64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) % most
    };
    let words = ["a", "ä", "日", "😀", " ", "\\n", "plain words "];
    for round in 0..40 {
        let line = |below: &mut dyn FnMut(u64) -> u64| -> String {
            let most = if below(9) == 0 { 60_000 } else { 60 };
            (0..below(most)).map(|_| words[below(7) as usize]).collect()
        };
        let lines: Vec<String> = (0..below(60)).map(|_| format!("\"{}\"", line(&mut below))).collect();
        let gap = ["\n", "\r\n", "\n \n\n"][below(3) as usize];
        for encoding in BOTH {
            let text = utf16(&lines.join(gap), encoding);
            let got = check_places(&text, encoding, Shape::Lines, 100_000);
            assert_eq!(got.len(), lines.len(), "round {round}");
            let array = utf16(&format!("[{}]", lines.join(&format!("{gap},"))), encoding);
            assert_eq!(check_places(&array, encoding, Shape::Array, 100_000).len(), lines.len());
        }
    }
}

#[test]
fn half_a_pair_costs_one_record() {
    let bytes: Vec<u8> = [0xfeff, 0x61, 10, 0xd83d, 10, 0x62].iter().flat_map(|u: &u16| u.to_le_bytes()).collect();
    let got = check_places(&bytes, Encoding::Utf16Le, Shape::Lines, 100);
    assert_eq!(got, [None, Some(Reason::InvalidUtf16), None]);
}

#[test]
fn marks_in_a_row_and_streams_without_a_letter_keep_their_places() {
    for (bytes, place, text) in [
        (&b"\xff\xfe\xff\xfe\xff\xfea\0"[..], (6, 8), Ok(&b"a"[..])),
        (b"\xfe\xff\xfe\xff\0\n\0b", (6, 8), Ok(b"b")),
        (b"\xff\xfea", (2, 2), Err(Reason::InvalidUtf16)),
        (b"\xff\xfe\xff\xfea", (4, 4), Err(Reason::InvalidUtf16)),
    ] {
        let make = |input| cutter(input, Shape::Lines, (0, 1), &Limits::default(), blake3::Hasher::new());
        let mut cutter = Utf16Cutter::new(Box::new(bytes), Encoding::of(bytes), blake3::Hasher::new(), make);
        let raw = cutter.next().unwrap();
        assert_eq!(((raw.place.start_byte, raw.place.end_byte), raw.body), (place, text.map(Body::Bytes)), "{bytes:?}");
        assert!(cutter.next().is_none());
    }
}
