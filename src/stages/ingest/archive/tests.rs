//! Archives made by hand and by the tools at hand, walked and read again at their places.

use std::io::{Cursor, Write};
use std::process::Command;

use super::*;

type Seen = (String, u64, Result<Vec<u8>, Reason>);

fn walk(bytes: &[u8]) -> Vec<Seen> {
    let mut input = Cursor::new(bytes.to_vec());
    let kind = kind(&mut input).unwrap();
    let mut out = Vec::new();
    for item in Entries::open(input, kind, Bounds::NONE, blake3::Hasher::new()).unwrap() {
        match item {
            Item::Reject { name, place, reason, .. } => out.push((name, place.start_byte, Err(reason))),
            Item::File(mut entry) => {
                let mut body = Vec::new();
                let end = entry.reader.read_to_end(&mut body);
                if !body.is_empty() || end.is_ok() {
                    out.push((entry.name.clone(), entry.start_byte, Ok(body)));
                }
                if let Err(err) = end {
                    out.push((entry.name, entry.start_byte, Err(decode::reason(&err))));
                }
            }
        }
    }
    out
}

/// Every range that the walk gave is found again.
fn check_ranges(bytes: &[u8], seen: &[Seen]) {
    for (name, start, body) in seen {
        let Ok(body) = body else { continue };
        let mut file = Cursor::new(bytes.to_vec());
        let kind = kind(&mut file).unwrap();
        let mut again = Vec::new();
        stream_at(file, kind, *start).unwrap().take(body.len() as u64).read_to_end(&mut again).unwrap();
        assert!(again == *body, "{name}");
    }
}

fn header(name: &[u8], kind: u8, bytes: usize) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name);
    block[124..135].copy_from_slice(format!("{bytes:011o}").as_bytes());
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn tar_file(name: &[u8], kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = header(name, kind, body.len());
    out.extend(body);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn tar_of(files: &[Vec<u8>]) -> Vec<u8> {
    [files.concat(), vec![0; 1024]].concat()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 1).unwrap()
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % most
    }
}

#[test]
fn every_kind_of_tar_entry_has_its_answer() {
    let long = [b"deep/".repeat(30), b"name".to_vec(), vec![0]].concat();
    let pax = b"17 path=pax/name\n";
    let bytes = tar_of(&[
        tar_file(b"d/", b'5', b""),
        tar_file(b"a", b'0', b"one\n"),
        header(b"link", b'2', 7),
        tar_file(b"../up", b'0', b"no"),
        tar_file(b"/abs", b'0', b"no"),
        tar_file(b"sparse", b'S', b"x"),
        tar_file(b"in.tar", b'0', &tar_of(&[tar_file(b"x", b'0', b"no")])),
        tar_file(b"in.zst", b'0', &zstd(b"packed\n")),
        tar_file(b"././@LongLink", b'L', &long),
        tar_file(b"deep/cut", b'0', b"two\n"),
        tar_file(b"x", b'x', pax),
        tar_file(b"short", b'0', b""),
    ]);
    let got = walk(&bytes);
    let names: Vec<&str> = got.iter().map(|seen| seen.0.as_str()).collect();
    let deep = format!("{}name", "deep/".repeat(30));
    assert_eq!(names, ["a", "../up", "/abs", "sparse", "in.tar", "in.zst", &deep, "pax/name"]);
    let ends: Vec<Option<Reason>> = got.iter().map(|seen| seen.2.as_ref().err().copied()).collect();
    let (bad, no) = (Some(Reason::UnsafeEntryName), Some(Reason::UnsupportedEntry));
    assert_eq!(ends, [None, bad, bad, no, no, None, None, None]);
    check_ranges(&bytes, &got);
    assert_eq!(walk(&zstd(&bytes)), got);
    check_ranges(&zstd(&bytes), &got);
    assert_eq!(walk(&[bytes.clone(), bytes].concat()).len(), 16);
}

#[test]
fn a_tar_cut_anywhere_gives_what_is_whole_and_one_reject() {
    let body = b"line\n".repeat(200);
    let bytes = tar_of(&[tar_file(b"a", b'0', b"one"), tar_file(b"b", b'0', &body)]);
    let whole = walk(&bytes);
    for cut in 513..bytes.len() - 1024 {
        let got = walk(&bytes[..cut]);
        let bad = got.iter().filter(|seen| seen.2.is_err()).count();
        assert_eq!(bad, 1, "cut at {cut}: {got:?}");
        assert_eq!(got.last().unwrap().2, Err(Reason::DamagedCompression));
        if cut >= 1024 {
            assert_eq!(got[0], whole[0]);
        }
    }
    let bad_pax = tar_of(&[tar_file(b"x", b'x', b"9 path=a\n\n"), tar_file(b"a", b'0', b"")]);
    assert_eq!(walk(&bad_pax).last().map(|seen| seen.2.clone()), Some(Err(Reason::DamagedCompression)));
    let mut broken = bytes.clone();
    broken[1024 + 3] ^= 1;
    assert_eq!(walk(&broken)[1..], [(String::new(), 3, Err(Reason::DamagedCompression))]);
}

#[test]
fn names_that_lead_out_are_unsafe() {
    for name in [&b""[..], b"/a", b"\\a", b"..", b"a/../b", b"a\\..\\b", b"C:\\a", b"a\0b"] {
        assert!(!is_safe(name), "{name:?}");
    }
    for name in [&b"a"[..], b"./a", b"a..b/c", b"ab:c/..d"] {
        assert!(is_safe(name), "{name:?}");
    }
}

/// Writes random files to a folder of their own and gives it with their contents by name.
fn folder(random: &mut Random, tag: &str) -> (std::path::PathBuf, Vec<(String, Vec<u8>)>) {
    let folder = std::env::temp_dir().join(format!("gristmill-archive-{}-{tag}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let mut files = Vec::new();
    for i in 0..1 + random.below(6) {
        let name = format!("{i}{}.jsonl", "n".repeat(random.below(150) as usize));
        let length = [0, 1, 511, 512, 513, 4096, 70_000, 300_000][random.below(8) as usize];
        let body: Vec<u8> = (0..length).map(|_| b' ' + random.below(90) as u8).collect();
        std::fs::File::create(folder.join(&name)).unwrap().write_all(&body).unwrap();
        files.push((name, body));
    }
    (folder, files)
}

fn check_tool(tag: &str, program: &str, options: &[&str]) {
    let mut random = Random(7);
    for round in 0..6 {
        let (folder, files) = folder(&mut random, &format!("{tag}{round}"));
        let names = files.iter().map(|file| file.0.as_str());
        let Ok(done) = Command::new(program).args(options).args(names).current_dir(&folder).output() else { return };
        assert!(done.status.success(), "{done:?}");
        let bytes = std::fs::read(folder.join("out")).unwrap();
        let got = walk(&bytes);
        let bodies: Vec<(String, Vec<u8>)> = got.iter().map(|s| (s.0.clone(), s.2.clone().unwrap())).collect();
        assert!(bodies == files, "{program} {options:?}");
        check_ranges(&bytes, &got);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn archives_of_the_usual_tools_are_read() {
    for (tag, options) in [
        ("gnu", &["--format=gnu", "-cf", "out"][..]),
        ("pax", &["--format=pax", "-cf", "out"]),
        ("old", &["--format=oldgnu", "-cf", "out"]),
        ("gz", &["-czf", "out"]),
        ("bz", &["-cjf", "out"]),
        ("xz", &["-cJf", "out"]),
    ] {
        check_tool(tag, "tar", options);
    }
    let zip = "zip -q made.zip \"$@\" && mv made.zip out";
    check_tool("zip", "sh", &["-c", zip, "sh"]);
    let script = "import sys,zipfile\nz=zipfile.ZipFile('out','w')\n\
        for i,n in enumerate(sys.argv[1:]):\n z.open(zipfile.ZipInfo(n),'w',force_zip64=i%2==0).write(open(n,'rb').read()) if i%2==0 else z.write(n,compress_type=8)\nz.close()";
    check_tool("py", "python3", &["-c", script]);
}

/// A zip of stored entries, built by hand; `flags` of each.
pub(crate) fn zip_of(files: &[(&str, u16, &[u8])]) -> Vec<u8> {
    let (mut out, mut central) = (Vec::new(), Vec::new());
    for (name, flags, body) in files {
        let mut crc = flate2::Crc::new();
        crc.update(body);
        let mut common = vec![20, 0];
        common.extend(flags.to_le_bytes());
        common.extend([0; 6]);
        common.extend(crc.sum().to_le_bytes());
        common.extend((body.len() as u32).to_le_bytes().repeat(2));
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        central.extend(b"PK\x01\x02\x14\x00");
        central.extend(&common);
        central.extend([0; 10]);
        central.extend((out.len() as u32).to_le_bytes());
        central.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(*body);
    }
    let at = out.len() as u32;
    out.extend(&central);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend((files.len() as u16).to_le_bytes().repeat(2));
    out.extend((central.len() as u32).to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    out
}

#[test]
fn zip_entries_that_cannot_be_read_are_rejects() {
    let files: &[(&str, u16, &[u8])] = &[
        ("a", 0, b"one"),
        ("../b", 0, b"no"),
        ("c", 1, b"no"),
        ("d/", 0, b""),
        ("e.zip", 0, b"PK\x03\x04"),
        ("f", 0, b"two"),
    ];
    let bytes = zip_of(files);
    let got = walk(&bytes);
    type Told = Vec<(&'static str, u64, Result<Vec<u8>, Reason>)>;
    let expected: Told = vec![
        ("a", 0, Ok(b"one".to_vec())),
        ("../b", 3, Err(Reason::UnsafeEntryName)),
        ("c", 3, Err(Reason::UnsupportedEntry)),
        ("e.zip", 3, Err(Reason::UnsupportedEntry)),
        ("f", 3, Ok(b"two".to_vec())),
    ];
    assert_eq!(got, expected.into_iter().map(|s| (s.0.to_owned(), s.1, s.2)).collect::<Vec<_>>());
    check_ranges(&bytes, &got);
}

#[test]
fn a_damaged_zip_gives_what_is_whole_and_one_reject() {
    let bytes = zip_of(&[("a", 0, b"one"), ("b", 0, b"two"), ("c", 0, b"six")]);
    let mut broken = bytes.clone();
    broken[34 + 31] ^= 1;
    let ends: Vec<bool> = walk(&broken).iter().map(|seen| seen.2.is_ok()).collect();
    assert_eq!(ends, [true, true, false, true]);
    for cut in 40..bytes.len() {
        let got = walk(&bytes[..cut]);
        assert_eq!(got[0].2, Ok(b"one".to_vec()));
        assert_eq!(got.iter().filter(|seen| seen.2.is_err()).count(), 1, "cut at {cut} of {}: {got:?}", bytes.len());
    }
}

/// Packed entries between plain ones, one of them broken, one packed twice: places go on behind what came out.
#[test]
fn packed_entries_are_unpacked_and_found_again() {
    let line = b"packed line of text\n".repeat(9_000);
    let whole = zstd(&line);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&line).unwrap();
    let gzip = gzip.finish().unwrap();
    let cut = &gzip[..gzip.len() - 9];
    let twice = zstd(&zstd(b"no"));
    let files: [(&str, &[u8]); 6] =
        [("a", b"one"), ("b.zst", &whole), ("c.gz", cut), ("d", b"two"), ("e.zst.zst", &twice), ("f.gz", &gzip)];
    let tar = tar_of(&files.map(|(name, body)| tar_file(name.as_bytes(), b'0', body)));
    let zip = zip_of(&files.map(|(name, body)| (name, 0, body)));
    for bytes in [zstd(&tar), tar, zip] {
        let got = walk(&bytes);
        let names: Vec<&str> = got.iter().map(|seen| seen.0.as_str()).collect();
        assert_eq!(names, ["a", "b.zst", "c.gz", "c.gz", "d", "e.zst.zst", "f.gz"]);
        assert!(got[1].2 == Ok(line.clone()) && got[6].2 == Ok(line.clone()));
        assert_eq!((got[1].1, got[2].1), (3, 3 + line.len() as u64));
        assert_eq!((&got[3].2, &got[4].2), (&Err(Reason::DamagedCompression), &Ok(b"two".to_vec())));
        assert_eq!(got[5].2, Err(Reason::UnsupportedEntry));
        check_ranges(&bytes, &got);
    }
}

#[test]
fn bounds_hold_over_both_levels_and_all_entries() {
    let zeros = zstd(&vec![b' '; 40 << 20]);
    let bytes = tar_of(&["a", "b", "c"].map(|name| tar_file(name.as_bytes(), b'0', &zeros)));
    for bounds in
        [Bounds { decompressed_bytes: 50 << 20, ratio: u64::MAX }, Bounds { decompressed_bytes: u64::MAX, ratio: 100 }]
    {
        for bytes in [bytes.clone(), zstd(&bytes)] {
            let mut input = Cursor::new(bytes);
            let kind = kind(&mut input).unwrap();
            let ends = Entries::open(input, kind, bounds, blake3::Hasher::new()).unwrap().map(|item| match item {
                Item::File(mut entry) => {
                    std::io::copy(&mut entry.reader, &mut std::io::sink()).map_err(|err| decode::reason(&err)).err()
                }
                Item::Reject { reason, .. } => Some(reason),
            });
            let ends: Vec<Option<Reason>> = ends.collect();
            assert_eq!(ends[0], None);
            assert!(
                ends.len() > 1 && ends[1..].iter().all(|end| *end == Some(Reason::TooMuchDecompressed)),
                "{ends:?}"
            );
        }
    }
}
