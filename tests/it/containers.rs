//! One log in every container that gristmill opens: the same conversations, and places whose bytes
//! are found again.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::help::*;

/// A regular file in a tar of the old kind (POSIX.1-1988 ustar).
fn tar_entry(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = [0u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    header[154] = 0;
    let mut entry = [&header[..], bytes].concat();
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes: Vec<u8> = entries.iter().flat_map(|(name, bytes)| tar_entry(name, bytes)).collect();
    bytes.extend([0; 1024]);
    bytes
}

/// Stored entries (PKWARE APPNOTE 6.3.10, 4.3).
fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let length = (content.len() as u32).to_le_bytes();
        let shared = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &crc.sum().to_le_bytes(),
            &length,
            &length,
            &(name.len() as u16).to_le_bytes(),
            &[0, 0],
        ]
        .concat();
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&shared);
        directory.extend([0; 10]);
        directory.extend((bytes.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&shared);
        bytes.extend(name.as_bytes());
        bytes.extend(*content);
    }
    let (count, start) = ((entries.len() as u16).to_le_bytes(), (bytes.len() as u32).to_le_bytes());
    let size = (directory.len() as u32).to_le_bytes();
    [&bytes[..], &directory, b"PK\x05\x06\0\0\0\0", &count, &count, &size, &start, &[0, 0]].concat()
}

fn packed(log: &[u8]) -> BTreeMap<&'static str, Vec<u8>> {
    let half = log.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let entries: [(&str, &[u8]); 3] = [("day/a.jsonl", &log[..half]), ("empty", b""), ("day/b.jsonl", &log[half..])];
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(log).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(log).unwrap();
    let (first, second) = (gzip(&log[..half]), zstd::encode_all(&log[half..], 1).unwrap());
    let packed_entries: [(&str, &[u8]); 3] =
        [("day/a.jsonl.gz", &first), ("readme.gz", &gzip(b"")), ("day/b.jsonl.zst", &second)];
    let text = std::str::from_utf8(log).unwrap();
    let utf16 = std::iter::once(0xfeff).chain(text.encode_utf16());
    BTreeMap::from([
        ("plain.jsonl", log.to_vec()),
        ("gzip, two members", [gzip(&log[..half]), gzip(&log[half..])].concat()),
        (
            "zstd, two frames",
            [zstd::encode_all(&log[..half], 1).unwrap(), zstd::encode_all(&log[half..], 1).unwrap()].concat(),
        ),
        ("bzip2", bzip2.finish().unwrap()),
        ("xz", xz.finish().unwrap()),
        ("utf-16le", utf16.clone().flat_map(u16::to_le_bytes).collect()),
        ("utf-16be", utf16.flat_map(u16::to_be_bytes).collect()),
        ("tar", tar(&entries)),
        ("tar.gz", gzip(&tar(&entries))),
        ("zip", zip(&entries)),
        ("tar of packed", tar(&packed_entries)),
        ("tar.gz of packed", gzip(&tar(&packed_entries))),
        ("zip of packed", zip(&packed_entries)),
    ])
}

/// Ids of what is kept: of records, and of what they say.
fn ids(store: &Path) -> (Vec<String>, Vec<String>) {
    let (mut records, mut conversations) = (Vec::new(), Vec::new());
    for file in files(&store.join("layers/redacted")) {
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("part")) {
            for batch in parquet(&file).1 {
                for (name, ids) in [("record_id", &mut records), ("conversation_id", &mut conversations)] {
                    let column = batch.column_by_name(name).unwrap().as_string::<i32>();
                    ids.extend(column.iter().flatten().map(str::to_owned));
                }
            }
        }
    }
    (records, conversations)
}

/// The bytes of every record are found again in its source.
fn verified(file: &Path, store: &Path, records: &[String]) {
    for record in records {
        let (pipeline, store) = (file.to_str().unwrap(), store.to_str().unwrap());
        let traced =
            gristmill(["trace", record, "--pipeline", pipeline, "--store", store, "--verify-source", "--json"]);
        assert_eq!(traced.expect(0).json()["records"][0]["source_ok"], true, "{}: {record}", file.display());
    }
}

#[test]
fn the_same_conversations_come_out_of_every_container() {
    let log = std::fs::read(fixture("formats/openai-chat.jsonl")).unwrap();
    let mut first: Option<Vec<String>> = None;
    for (name, bytes) in packed(&log) {
        let folder = tempfile::tempdir().unwrap();
        let raw = folder.path().join(format!("log of {name}"));
        write(&raw, bytes);
        let file = write(&folder.path().join("p.toml"), pipeline("containers", &[(raw, "")]));
        let store = folder.path().join("store");
        let outcome = run_json(&file, &store, &["--until", "redact"]);
        assert_eq!(counts(&stage(&outcome, "ingest")["rejected"]).len(), 2, "{name}");
        let (records, conversations) = ids(&store);
        assert_eq!(&conversations, first.get_or_insert_with(|| conversations.clone()), "{name}");
        verified(&file, &store, &records);
    }
    assert_eq!(first.map(|ids| ids.len()), Some(5));
}

#[test]
fn what_an_archive_hides_is_a_reject() {
    let folder = tempfile::tempdir().unwrap();
    let nested = zstd::encode_all(&zstd::encode_all(&b"{}"[..], 1).unwrap()[..], 1).unwrap();
    let log = std::fs::read(fixture("formats/openai-chat.jsonl")).unwrap();
    for (name, bytes) in [
        ("bad.tar", tar(&[("../../etc/passwd", b"x\n"), ("a.jsonl", &log), ("b.jsonl.zst.zst", &nested)])),
        ("bad.zip", zip(&[("/etc/passwd", b"x\n"), ("a.jsonl", &log), ("b.jsonl.zst.zst", &nested)])),
    ] {
        let raw = write(&folder.path().join(name), bytes);
        let file = write(&folder.path().join("p.toml"), pipeline("hidden", &[(raw, "")]));
        let outcome = run_json(&file, &folder.path().join(format!("store of {name}")), &["--until", "redact"]);
        let rejected = counts(&stage(&outcome, "ingest")["rejected"]);
        assert_eq!((rejected["unsafe_entry_name"], rejected["unsupported_entry"]), (1, 1), "{name}: {rejected:?}");
        assert_eq!(stage(&outcome, "ingest")["kept"], 5, "{name}");
    }
}

#[test]
fn tables_and_yaml_in_archives_are_told_by_the_names_of_their_entries() {
    let folder = tempfile::tempdir().unwrap();
    let csv = b"id,question,answer\n1,\"what, then?\",nothing\n2,who?,nobody\n";
    let yaml = b"# by hand\n- question: where?\n  answer: |\n    here\n    there\n- question: when?\n  answer: now\n";
    let tsv = zstd::encode_all(&b"question\tanswer\nwhy?\tbecause\n"[..], 1).unwrap();
    let entries: [(&str, &[u8]); 3] = [("a/rows.csv", csv), ("b.yaml", yaml), ("c.tsv.zst", &tsv)];
    for (name, bytes) in [("rows.tar", tar(&entries)), ("rows.zip", zip(&entries))] {
        let raw = write(&folder.path().join(name), bytes);
        let file = write(&folder.path().join("p.toml"), pipeline("rows", &[(raw, "")]));
        let store = folder.path().join(format!("store of {name}"));
        let outcome = run_json(&file, &store, &["--until", "redact"]);
        assert_eq!(stage(&outcome, "ingest")["kept"], 5, "{name}: {outcome}");
        let (records, _) = ids(&store);
        assert_eq!(records.len(), 5);
        verified(&file, &store, &records);
    }
}

#[test]
fn a_bomb_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing is bounded below 64 MiB.
    let line = format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{}\"}}]}}\n", "again ".repeat(10_000));
    let bomb = zstd::encode_all(line.repeat(1_600).as_bytes(), 1).unwrap();
    let raw = write(&folder.path().join("bomb.jsonl.zst"), bomb);
    let text = pipeline("bomb", &[(raw, "")]).replace("[ingest]", "[ingest]\nlimits = { decompression_ratio = 100 }");
    let file = write(&folder.path().join("p.toml"), text);
    let outcome = run_json(&file, &folder.path().join("store"), &["--until", "redact"]);
    assert_eq!(counts(&stage(&outcome, "ingest")["rejected"])["decompression_limit"], 1);
    assert!(stage(&outcome, "ingest")["kept"].as_u64().unwrap() < 1_300);
}

/// A table of three columns: of a pipeline's mapping, in row groups of two rows.
fn table(rows: &[(&str, &str)]) -> Vec<u8> {
    let texts = |texts: Vec<String>| Arc::new(StringArray::from(texts)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([
        ("ticket", texts((0..rows.len()).map(|n| format!("t{n}")).collect())),
        ("user", texts(rows.iter().map(|(user, _)| (*user).to_owned()).collect())),
        ("assistant", texts(rows.iter().map(|(_, assistant)| (*assistant).to_owned()).collect())),
    ]);
    let batch = batch.unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn rows_of_parquet_are_mapped_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [("Is it oak?", "It is ash."), ("And the legs?", "Beech."), ("Thanks!", "Gladly."), ("Bye", "Bye.")];
    let raw = write(&folder.path().join("chats"), table(&rows));
    let turn = |role: &str| format!("{{ role = \"{role}\", content = \"{role}\" }}");
    let mapping = format!("mapping = {{ id = \"ticket\", turns = [{}, {}] }}", turn("user"), turn("assistant"));
    let text = pipeline("columns", &[(raw.clone(), "")]).replace("\" },\n]", &format!("\", {mapping} }},\n]"));
    let file = write(&folder.path().join("p.toml"), text);
    let store = folder.path().join("store");
    let outcome = run_json(&file, &store, &["--until", "redact"]);
    assert_eq!(stage(&outcome, "ingest")["kept"], 4);
    let (records, _) = ids(&store);
    assert_eq!(records.len(), 4);
    let (pipeline, shop) = (file.to_str().unwrap(), store.to_str().unwrap());
    let trace = |record: &String| {
        gristmill(["trace", record, "--pipeline", pipeline, "--store", shop, "--verify-source", "--json"])
            .expect(0)
            .json()["records"][0]
            .clone()
    };
    let places: Vec<u64> = records.iter().map(|record| trace(record)["start_byte"].as_u64().unwrap()).collect();
    assert_eq!(places, [0, 1, 2, 3]);
    assert!(records.iter().all(|record| trace(record)["source_ok"] == true));
    // Another answer in the third row: a source that changed has that row changed and no other.
    let mut other = rows;
    other[2].1 = "You are welcome.";
    write(&raw, table(&other));
    let found: Vec<bool> = records.iter().map(|record| trace(record)["source_ok"] == true).collect();
    assert_eq!(found, [true, true, false, true]);
}

#[test]
fn packed_parquet_is_a_reject_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(fixture("formats/chat.parquet")).unwrap();
    let log = std::fs::read(fixture("formats/openai-chat.jsonl")).unwrap();
    for (name, bytes, kept) in [
        ("chat.parquet.zst", zstd::encode_all(&bytes[..], 1).unwrap(), 0),
        ("chat.tar", tar(&[("a.parquet", &bytes), ("b.jsonl", &log)]), 5),
        ("chat.zip", zip(&[("a.parquet", &bytes), ("b.jsonl", &log)]), 5),
    ] {
        let raw = write(&folder.path().join(name), bytes);
        let file = write(&folder.path().join("p.toml"), pipeline("packed", &[(raw, "")]));
        let outcome = run_json(&file, &folder.path().join(format!("store of {name}")), &["--until", "redact"]);
        let books = stage(&outcome, "ingest");
        assert_eq!((counts(&books["rejected"])["unsupported_entry"], &books["kept"]), (1, &kept.into()), "{name}");
    }
    let plain = fixture("formats/chat.parquet");
    let told = gristmill(["sources", "inspect", plain.to_str().unwrap(), "--json"]);
    let told = told.expect(0).json();
    assert_eq!(
        (&told["shape"], &told["format"], &told["records"]),
        (&"parquet".into(), &"openai-chat".into(), &6.into())
    );
}
