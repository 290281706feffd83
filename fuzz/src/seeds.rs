//! What the fuzzer begins with: the fixtures, cut up and packed as each check wants its input.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::checks::CHECKS;
use crate::checks::parsed::{FORMATS, MAPPING_LINES};
use crate::config::Format;

/// Longer ones slow every run down.
const MOST_BYTES: usize = 8000;

pub fn write(folder: &Path) {
    for (name, _) in CHECKS {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).expect("the folder can be made");
        let mut seeds = of(name);
        seeds.retain(|seed| seed.len() <= MOST_BYTES);
        assert!(!seeds.is_empty(), "{name} has no seed");
        for (i, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{i}")), seed).expect("the folder can be written");
        }
    }
}

fn of(name: &str) -> Vec<Vec<u8>> {
    match name {
        "chat" => lines().into_iter().map(|(_, line)| line).collect(),
        "formats" => {
            lines().into_iter().flat_map(|(format, line)| [named(None, &line), named(format, &line)]).collect()
        }
        "mapping" => mapping(),
        "join" => lines().into_iter().map(|(_, line)| line).chain(texts()).chain(parts()).collect(),
        "guess" => lines().into_iter().map(|(_, line)| line).chain(texts()).collect(),
        "encoding" => texts().iter().flat_map(|text| (0..2).map(|kind| utf16(kind, text))).collect(),
        "decode" => packed().into_iter().map(|(_, bytes)| bytes).collect(),
        "tar" => archives().into_iter().map(|files| [&[1], &tar(&files)[..]].concat()).collect(),
        "zip" => archives().into_iter().map(|files| zip(&files)).collect(),
        "records" => records(),
        _ => texts(),
    }
}

/// From where `fuzz/run.sh` starts the program, not where it was built: clones share built programs.
fn root() -> PathBuf {
    PathBuf::from("../fixtures")
}

/// All fixtures by name.
fn files() -> Vec<(String, Vec<u8>)> {
    let folders = ["formats", "bad", "raw"].map(|name| fs::read_dir(root().join(name)).expect("fixtures"));
    let mut files: Vec<_> = folders.into_iter().flatten().map(|entry| entry.expect("a fixture").path()).collect();
    files.sort();
    let file = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        (name, fs::read(path).expect("a fixture"))
    };
    files.iter().map(file).collect()
}

/// The records of all fixtures that lie in lines.
fn lines() -> Vec<(Option<Format>, Vec<u8>)> {
    let of = |(name, bytes): (String, Vec<u8>)| {
        let format = Format::parse(&name);
        bytes.split(|byte| *byte == b'\n').take(14).map(|line| (format, line.to_vec())).collect::<Vec<_>>()
    };
    files().into_iter().flat_map(of).filter(|(_, line)| line.len() > 1).collect()
}

fn named(format: Option<Format>, line: &[u8]) -> Vec<u8> {
    let at = FORMATS.iter().position(|one| Some(*one) == format).unwrap_or(FORMATS.len());
    [&[at as u8], line].concat()
}

/// Beginnings of whole files, and texts of all shapes.
fn texts() -> Vec<Vec<u8>> {
    let made = [
        "{\"a\":1}\n\n  {\"b\":\"x\"}\r\n",
        "\u{feff}[1,\n{\"b\":[2,\"]\\\"\"]} , \"s\"]\n[3]",
        "{\n \"a\": {\"b\": [1]}\n}\n{\n\"c\":2}\n",
        "\u{feff}q;a\r\n\"x\ny\";\"say \"\"hi\"\"\"\r\n;\r\n1;2",
        "a\tb\r1\t2\r3\t\"4\r",
        "é,\u{1f600}\n1,2\n",
        "{\"turns\":[{\"who\":\"user\",\"text\":\"hi\"},{\"who\":\"bot\",\"text\":\"ho\"}]}\n{\"question\":\"q\",\"answer\":\"a\"}",
    ];
    let first = |(_, bytes): (String, Vec<u8>)| {
        let end = bytes.iter().take(2500).rposition(|byte| *byte == b'\n').map_or(bytes.len().min(2500), |at| at + 1);
        bytes[..end].to_vec()
    };
    files().into_iter().map(first).chain(made.map(|text| text.as_bytes().to_vec())).collect()
}

fn mapping() -> Vec<Vec<u8>> {
    let heads = [
        [
            "",
            "turns[*]",
            "speaker",
            "utterance",
            "",
            "",
            "dialogue_id",
            "",
            "opened",
            "%d.%m.%Y %H:%M",
            "",
            "",
            "USER=user,SYSTEM=assistant",
        ],
        ["d[*]", "m[*]", "$.who", "p[*].t", "by", "system", "id", "model", "t", "unix", "tools", "turns[*].n", "=tool"],
        ["", "", "question", "answer", "", "system", "", "", "created", "", "", "", ""],
        ["", "$", "\"from\"", "a.b[0]", "$.name", "", "", "", "t", "unix_ms", "f", "$", "x=system"],
    ];
    let own = "{\"v\":1,\"t\":7,\"f\":[{\"name\":\"g\"}],\"d\":[{\"who\":\"user\",\"m\":[{\"p\":[{\"t\":\"a\"},{\"t\":2}],\"by\":\"Ann\"}]}]}";
    let records = files()
        .into_iter()
        .filter(|(name, _)| name == "mapping")
        .flat_map(|(_, bytes)| bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>());
    let records: Vec<_> = records
        .chain(
            [own, "{\"question\":\"q\",\"answer\":2,\"created\":\"2024-05-29 13:46:19\"}"]
                .map(|text| text.as_bytes().to_vec()),
        )
        .collect();
    let with = |head: &[&str; MAPPING_LINES], record: &[u8]| [head.join("\n").as_bytes(), b"\n", record].concat();
    heads.iter().flat_map(|head| records.iter().map(|record| with(head, record))).collect()
}

/// Records that are parts of more.
fn parts() -> Vec<Vec<u8>> {
    let made = [
        r#"{"CorrelationId":"c1","SequenceNumber":0,"RequestMessages":[{"role":"user","content":"hi"}],"ResponseMessages":[]}
{"CorrelationId":"c1","SequenceNumber":1,"RequestMessages":[],"ResponseMessages":[{"role":"assistant","content":"ho"}]}"#,
        r#"{"message_id":"m","parent_id":null,"message_tree_id":"t","text":"a","role":"prompter"}
{"message_id":"n","parent_id":"m","message_tree_id":"t","text":"b","role":"assistant","rank":0}
{"message_id":"o","parent_id":"m","message_tree_id":"t","text":"c","role":"assistant","rank":1}"#,
        r#"{"custom_id":"r1","url":"/v1/chat/completions","body":{"messages":[{"role":"user","content":"hi"}]}}
{"custom_id":"r1","response":{"status_code":200,"body":{"object":"chat.completion","choices":[{"message":{"role":"assistant","content":"ho"}}]}},"error":null}"#,
        r#"{"custom_id":"a1","params":{"messages":[{"role":"user","content":"hi"}]}}
{"custom_id":"a1","result":{"type":"succeeded","message":{"role":"assistant","type":"message","content":[{"type":"text","text":"ho"}]}}}"#,
        r#"{"id":"chatcmpl-9","object":"chat.completion","choices":[{"message":{"role":"assistant","content":"ho"}}]}
{"object":"list","data":[{"id":"chatcmpl-9-0","role":"user","content":"hi"}],"has_more":false}"#,
    ];
    made.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// UTF-8 text as input of the check of UTF-16.
fn utf16(kind: u8, text: &[u8]) -> Vec<u8> {
    let units = String::from_utf8_lossy(text).encode_utf16().take(1500).collect::<Vec<_>>();
    let bytes = |unit: u16| if kind & 1 == 0 { unit.to_le_bytes() } else { unit.to_be_bytes() };
    std::iter::once(kind).chain(units.into_iter().flat_map(bytes)).collect()
}

/// Some texts in all compressions, once and twice in a row.
fn packed() -> Vec<(Vec<u8>, Vec<u8>)> {
    type Pack = fn(&[u8]) -> std::io::Result<Vec<u8>>;
    let packs: [Pack; 4] = [
        |text| {
            let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            to.write_all(text).and_then(|()| to.finish())
        },
        |text| {
            let mut to = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            to.write_all(text).and_then(|()| to.finish())
        },
        |text| {
            let mut to = liblzma::write::XzEncoder::new(Vec::new(), 1);
            to.write_all(text).and_then(|()| to.finish())
        },
        |text| zstd::encode_all(text, 3),
    ];
    let many: Vec<u8> = (0..300).flat_map(|i| format!("{{\"n\":{}}}\n", i * 7919 % 1000).into_bytes()).collect();
    let tar = tar(&archives()[0]);
    let mut packed = Vec::new();
    for text in [&b""[..], b"{\"a\":1}\n", &many, &[b'x'; 200_000], &tar] {
        for pack in packs {
            let one = pack(text).expect("memory can be written");
            packed.push((text.to_vec(), [&one[..], &one].concat()));
            packed.push((text.to_vec(), one));
        }
    }
    packed
}

type Files = Vec<(&'static str, Vec<u8>)>;

/// What archives hold.
fn archives() -> Vec<Files> {
    let utf16 = [&[0xff, 0xfe][..], &utf16(0, b"{\"a\":1}\nx")[1..]].concat();
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        vec![("a.json", text("[1,\n{\"b\":2}]")), ("d/b.jsonl", text("one\n\ntwo")), ("c.txt", utf16)],
        vec![("../x", text("no")), ("e", Vec::new()), ("n.gz", vec![0x1f, 0x8b, 8, 0, 0]), ("z", text("end"))],
        vec![("d.json", text("{\n \"a\":1\n}\n{\"b\":\n2}"))],
        Vec::new(),
    ]
}

/// Headers with the checksum left open where the check makes it right.
fn tar(files: &Files) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, (name, bytes)) in files.iter().enumerate() {
        if i == 1 {
            let pax = b"16 path=renamed\n";
            entry(&mut out, "pax", b'x', pax);
            entry(&mut out, "././@LongLink", b'L', b"a/long/name\0");
        }
        entry(&mut out, name, b'0', bytes);
    }
    out.extend([0; 1024]);
    out
}

fn entry(out: &mut Vec<u8>, name: &str, kind: u8, bytes: &[u8]) {
    let mut block = [0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
    block[148..156].fill(b' ');
    block[156] = kind;
    block[257..263].copy_from_slice(b"ustar\0");
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend(block);
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(512), 0);
}

/// Every other entry is deflated.
fn zip(files: &Files) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (i, (name, bytes)) in files.iter().enumerate() {
        let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        let (method, packed) = match i % 2 {
            0 => (0u16, bytes.clone()),
            _ => (8, deflate.write_all(bytes).and_then(|()| deflate.finish()).expect("memory can be written")),
        };
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let at = out.len() as u32;
        let sizes = [crc.sum(), packed.len() as u32, bytes.len() as u32].map(u32::to_le_bytes).concat();
        let common =
            [&[0, 0][..], &method.to_le_bytes(), &[0; 4], &sizes, &(name.len() as u16).to_le_bytes(), &[0; 2]].concat();
        out.extend([&b"PK\x03\x04\x14\0"[..], &common, name.as_bytes(), &packed].concat());
        let behind = [&[0; 10][..], &at.to_le_bytes(), name.as_bytes()].concat();
        directory.extend([&b"PK\x01\x02\x14\0\x14\0"[..], &common, &behind].concat());
    }
    let count = (files.len() as u16).to_le_bytes();
    let (length, at) = ((directory.len() as u32).to_le_bytes(), (out.len() as u32).to_le_bytes());
    [out, directory, b"PK\x05\x06\0\0\0\0".to_vec(), [&count[..], &count, &length, &at, &[0; 2]].concat()].concat()
}

fn records() -> Vec<Vec<u8>> {
    let with = |first: u8, bytes: Vec<u8>| [&[first], &bytes[..]].concat();
    let mut seeds: Vec<_> = texts().into_iter().flat_map(|text| [with(0, text.clone()), with(1, text)]).collect();
    seeds.extend(packed().into_iter().map(|(_, bytes)| with(0, bytes)));
    seeds.extend(archives().iter().flat_map(|files| [with(0, tar(files)), with(0, zip(files))]));
    for kind in 0..4 {
        let mark = if kind & 1 == 0 { vec![0xff, 0xfe] } else { vec![0xfe, 0xff] };
        seeds.push(with(0, [mark, utf16(kind, &texts()[usize::from(kind)])[1..].to_vec()].concat()));
    }
    seeds
}
