//! Checks of what unpacks: never more than allowed, and each record again where it was found.

use std::io::{Cursor, ErrorKind, Read};

use super::cut::{Cut, ascending};
use super::parsed::{answer, reading};
use super::{Drip, LIMITS, hash, hasher};
use crate::stages::ingest::archive::{Archive, kind, stream_at};
use crate::stages::ingest::decode::{Bounds, Compression, HEAD_BYTES, bounded};
use crate::stages::ingest::encoding::Encoding;
use crate::stages::ingest::records::{Packing, Records, told};
use crate::stages::ingest::{Named, Reason, Shape, guess};

/// Records of one input whose places are read again; each time costs a walk from its beginning.
const READ_AGAIN: usize = 12;

/// All that comes out before the end or the first error.
fn read(input: &mut dyn Read) -> (Vec<u8>, Result<(), String>) {
    let (mut out, mut piece) = (Vec::new(), vec![0; 5000]);
    loop {
        match input.read(&mut piece) {
            Ok(0) => return (out, Ok(())),
            Ok(n) => out.extend(&piece[..n]),
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) => return (out, Err(err.to_string())),
        }
        assert!(out.len() as u64 <= LIMITS.decompressed_bytes, "more than the bound");
    }
}

pub fn decode(data: &[u8]) {
    let compression = Compression::of(&data[..data.len().min(HEAD_BYTES)]);
    let bounds = Bounds { decompressed_bytes: LIMITS.decompressed_bytes, ratio: LIMITS.decompression_ratio };
    if compression == Compression::None {
        return;
    }
    let open = |most| bounded(Box::new(Drip::new(data, most)), compression, bounds).expect("nothing is read yet");
    let (whole, end) = read(&mut *open(usize::MAX));
    let (dripped, again) = read(&mut *open(3));
    // zstd checks less where it sees less of a frame at once (its size, for one), so there only
    // what comes out is compared.
    assert!(compression == Compression::Zstd || end.is_ok() == again.is_ok(), "{end:?}, in drips {again:?}");
    let common = whole.len().min(dripped.len());
    assert!(whole[..common] == dripped[..common] && (whole == dripped || end.is_err()));
}

/// The packing as the engine finds it out.
fn found(data: &[u8], may_be_table: bool) -> Packing {
    let (compression, archive) = kind(&mut Cursor::new(data)).expect("memory can be read");
    let mut head = Vec::new();
    // A broken stream is the cutter's to report.
    let _ = crate::stages::ingest::decode::reader(Box::new(data), compression)
        .and_then(|input| input.take(4096).read_to_end(&mut head));
    let (encoding, shape) = told(&head, if may_be_table { Named::Table } else { Named::Nothing });
    Packing { compression, archive, encoding, shape }
}

/// The first byte says what the rest is held for: what it seems to be, or anything else.
pub fn records(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let mut packing = found(rest, first & 1 == 1);
    match first >> 1 & 7 {
        1 if packing.encoding == Encoding::Utf8 => packing.shape = Shape::Array,
        2 if packing.encoding == Encoding::Utf8 => packing.shape = Shape::Documents,
        3 => packing.archive = Archive::Tar,
        _ => {}
    }
    check(rest, packing);
}

pub fn zip(data: &[u8]) {
    check(data, archive_of(Archive::Zip));
}

/// With an odd first byte the checksums of headers are made right, which chance hardly does.
pub fn tar(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let mut stream = rest.to_vec();
    if first & 1 == 1 {
        for block in stream.chunks_exact_mut(512).filter(|block| &block[257..262] == b"ustar") {
            block[148..156].fill(b' ');
            let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    check(&stream, archive_of(Archive::Tar));
}

fn archive_of(archive: Archive) -> Packing {
    Packing { compression: Compression::None, archive, encoding: Encoding::Utf8, shape: Shape::Lines }
}

/// All records with the name of their entry; nothing if the file cannot be opened at all.
fn cuts(data: &[u8], packing: Packing, most: usize) -> Option<Vec<(String, Cut)>> {
    let file = Drip::new(Cursor::new(data.to_vec()), most);
    let mut records = Records::open(file, packing, (0, 1), data.len() as u64, &LIMITS, &hasher()).ok()?;
    let mut cuts = Vec::new();
    while let Some(cut) = records.next(Cut::of) {
        cuts.push((records.entry().to_owned(), cut));
        let bytes = data.len() as u64 + LIMITS.decompressed_bytes;
        assert!(cuts.len() as u64 <= bytes, "more records than bytes");
    }
    Some(cuts)
}

fn check(data: &[u8], packing: Packing) {
    let whole = cuts(data, packing, usize::MAX);
    let dripped = cuts(data, packing, 5);
    assert_eq!(whole.is_some(), dripped.is_some());
    let (Some(whole), Some(dripped)) = (whole, dripped) else { return };
    // How much comes out before damage hangs on how much the decoder sees at once.
    let damaged = |cuts: &[(String, Cut)]| cuts.iter().any(|(_, cut)| cut.bytes == Err(Reason::DamagedCompression));
    if !damaged(&whole) && !damaged(&dripped) {
        assert_eq!(whole, dripped);
    }
    let (names, whole): (Vec<String>, Vec<Cut>) = whole.into_iter().unzip();
    assert!(packing.archive != Archive::None || names.iter().all(String::is_empty));
    ascending(&whole);
    for (i, cut) in whole.iter().enumerate() {
        let Ok(bytes) = &cut.bytes else { continue };
        if i < READ_AGAIN {
            let length = cut.place.end_byte - cut.place.start_byte;
            let kind = (packing.compression, packing.archive);
            let stream = stream_at(Cursor::new(data.to_vec()), kind, cut.place.start_byte);
            let (again, _) = read(&mut stream.expect("it was read before").take(length));
            assert_eq!(hash(&again), cut.hash, "{:?}: {:?}", names[i], cut.place);
            answer(bytes, &reading(None));
        }
    }
    let samples: Vec<_> =
        whole.iter().filter_map(|cut| serde_json::from_slice(cut.bytes.as_ref().ok()?).ok()).collect();
    drop(guess::propose(&samples[..samples.len().min(4)]));
}
