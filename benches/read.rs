//! Speed of reading, one core: bytes of a log in, canonical Arrow rows out (cut, parse, language,
//! columns), beside a typed sonic-rs parse of the same file and beside decompressing alone.
//!
//! Not here: redaction, hashes of records and ids, writing (`benches/kernels.rs`, `benches/path.py`).
//! A pipeline never builds raw rows (law 2); this program does, on synthetic logs only.
//!
//! `cargo bench --bench read -- [MEGABYTES, default 64]`, or `-- --file PATH` to read one OpenAI
//! JSONL file once and say seconds, rows and bytes (for `benches/peers/read.py`).
//!
//! Always: every answer is asserted; rivals take turns, three rounds, and the best of each counts.
//! Seconds are seconds on the processor (Linux), so that other work on the machine matters less.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use arrow::array::{Array, ArrayRef, Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use arrow::record_batch::RecordBatch;
use gristmill::config::Limits;
use gristmill::layer::build::{RecordRow, StreamBuilder};
use gristmill::record::Id;
use gristmill::stages::ingest::archive::Archive;
use gristmill::stages::ingest::decode::{self, Compression};
use gristmill::stages::ingest::encoding::Encoding;
use gristmill::stages::ingest::join::Joining;
use gristmill::stages::ingest::mapping::{Mapping, Turn};
use gristmill::stages::ingest::records::{Packing, Records};
use gristmill::stages::ingest::tree::Json;
use gristmill::stages::ingest::{self, Cutter, Reading, Shape, columnar, language};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression as Codec;
use parquet::file::properties::WriterProperties;

const ROUNDS: usize = 3;
/// As in the engine.
const BATCH_ROWS: usize = 4096;
const BATCH_BYTES: usize = 4 << 20;
/// What a record of a fixture is lengthened to, about.
const LONG_BYTES: usize = 2000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    if let [flag, path] = &arguments[..]
        && flag == "--file"
    {
        let (mut rows, mut batches) = (0, Vec::new());
        let began = clock();
        read(Source::lines(Path::new(path)), |batch| batches.push(batch));
        let seconds = clock() - began;
        batches.iter().for_each(|batch| rows += batch.num_rows());
        println!("{seconds} {rows}");
        return;
    }
    let megabytes: usize = arguments.first().map_or(64, |text| text.parse().expect("a number of megabytes"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plain = corpus(folder.path(), "openai", megabytes);
    let parsed = beside_sonic(&plain);
    compressed(folder.path(), &plain, parsed);
    shapes(folder.path(), &plain);
    for format in ["sharegpt", "hh"] {
        let path = corpus(folder.path(), format, megabytes);
        Source::lines(&path).measure(&format!("{format} (corpus)"));
    }
    formats(folder.path(), megabytes);
    tables(folder.path(), megabytes);
    parquet(folder.path(), &plain);
}

/// Seconds that this thread had a processor; where no kernel says it, seconds since the start.
fn clock() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|text| text.parse::<f64>().ok());
    nanoseconds.map_or_else(|| START.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

/// Seconds and rows.
type Took = (f64, usize);

fn tell(what: &str, bytes: u64, (seconds, rows): Took) {
    println!("{what:<44} {:>7.0} MB/s {:>10.0} rows/s", bytes as f64 / 1e6 / seconds, rows as f64 / seconds);
}

fn size(path: &Path) -> u64 {
    path.metadata().expect("a file").len()
}

/// Lets rivals take turns; the best of each, whose rows must not change.
fn best<const N: usize>(mut rivals: [&mut dyn FnMut() -> usize; N]) -> [Took; N] {
    let mut best = [(f64::MAX, 0); N];
    for round in 0..ROUNDS {
        for (rival, best) in rivals.iter_mut().zip(&mut best) {
            let began = clock();
            let rows = rival();
            assert!(rows > 0 && (round == 0 || rows == best.1));
            *best = (best.0.min(clock() - began), rows);
        }
    }
    best
}

/// One file of synthetic logs.
fn corpus(folder: &Path, format: &str, megabytes: usize) -> PathBuf {
    let out = folder.join(format);
    let made = Command::new(env!("CARGO_BIN_EXE_corpus"))
        .args(["--bytes", &format!("{}K", megabytes * 1000), "--seed", "1", "--formats", format, "--out"])
        .arg(&out)
        .output()
        .expect("the corpus maker runs");
    assert!(made.status.success());
    out.join(format!("{format}-000.jsonl"))
}

/// A file and how it is read.
#[derive(Clone, Copy)]
struct Source<'a> {
    path: &'a Path,
    shape: Shape,
    compression: Compression,
    mapping: Option<&'a Mapping>,
    /// Whether the language is told; without, it is not part of what is measured.
    language: bool,
}

impl<'a> Source<'a> {
    fn lines(path: &'a Path) -> Source<'a> {
        Source { path, shape: Shape::Lines, compression: Compression::None, mapping: None, language: true }
    }

    /// Measures it with and without language, and prints both.
    fn measure(self, what: &str) -> [Took; 2] {
        let both = best([&mut || count(self), &mut || count(Source { language: false, ..self })]);
        tell(what, size(self.path), both[0]);
        tell("  language aside", size(self.path), both[1]);
        both
    }
}

fn limits() -> Limits {
    Limits { decompression_ratio: u64::MAX, ..Limits::default() }
}

/// The records of a file: cut out of a stream, or rows of Parquet.
enum Cut {
    Stream(Box<Records>),
    Rows(Box<dyn Cutter + Send>),
}

impl Cut {
    fn open(path: &Path, packing: Packing) -> Cut {
        let file = File::open(path).expect("readable");
        if packing.shape == Shape::Parquet {
            return Cut::Rows(columnar::rows(file, 0..u64::MAX, &limits()));
        }
        let records = Records::open(file, packing, (0, 1), size(path), &limits(), &blake3::Hasher::new());
        Cut::Stream(Box::new(records.expect("readable")))
    }

    fn next(&mut self, row: impl FnOnce(ingest::Raw)) -> bool {
        match self {
            Cut::Stream(records) => records.next(row).is_some(),
            Cut::Rows(rows) => rows.next().map(row).is_some(),
        }
    }
}

/// Reads a file to rows of the canonical columns; answers how many records were cut and kept.
fn read(source: Source, mut done: impl FnMut(RecordBatch)) -> (usize, usize) {
    let Source { path, shape, compression, mapping, language } = source;
    let limits = limits();
    let mapping = mapping.map(|one| Arc::new(one.compile().expect("a good mapping")));
    let reading =
        Reading { format: None, messages_key: "messages".to_owned(), mapping, joining: Joining::Done, limits };
    let mut records = Cut::open(path, Packing { compression, archive: Archive::None, encoding: Encoding::Utf8, shape });
    let mut builder = StreamBuilder::default();
    let (mut cut, mut kept, mut more) = (0, 0, true);
    let id = Id([0; 16]);
    while more {
        let row = |raw: ingest::Raw| match raw.body.and_then(|body| body.parse(&reading)) {
            Err(reason) => builder.reject("", raw.place, id, reason.as_str()),
            Ok(conversations) => {
                for conversation in &conversations {
                    kept += 1;
                    let said = language.then(|| language::detect(conversation));
                    let row = RecordRow {
                        record_id: id,
                        conversation_id: id,
                        source_id: "",
                        place: raw.place,
                        record_hash: id,
                        language: said.map_or("und", |said| said.language),
                        language_confidence: said.map_or(0.0, |said| said.confidence),
                        script: said.map_or("Zyyy", |said| said.script),
                        model_tokens: None,
                        user_key: None,
                    };
                    builder.keep(&row, conversation, &[]);
                }
            }
        };
        more = records.next(row);
        cut += usize::from(more);
        if builder.rows() >= BATCH_ROWS || builder.bytes() >= BATCH_BYTES || !more {
            done(builder.finish().expect("columns of one length"));
        }
    }
    (cut, kept)
}

/// Rows kept, each batch dropped as the engine drops it once it is written.
fn count(source: Source) -> usize {
    let mut rows = 0;
    let (cut, kept) = read(source, |batch| rows += batch.num_rows());
    assert!(kept > cut * 99 / 100 && rows >= cut && kept <= rows, "{kept} of {cut} in {}", source.path.display());
    kept
}

/// The typed parse is a package of its own; its seconds are its own, without reading the file.
fn sonic() -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/sonic/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sonic");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--release", "--quiet", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(&target);
    build.status().ok()?.success().then(|| target.join("release/typed-sonic"))
}

/// Prints ours beside the typed parse; answers the seconds of that parse and of ours.
fn beside_sonic(path: &Path) -> (Option<f64>, f64) {
    let sonic = sonic();
    let mut typed: Option<Took> = None;
    let mut ours = [(f64::MAX, 0); 2];
    for _ in 0..ROUNDS {
        if let Some(program) = &sonic {
            let ran = Command::new(program).arg(path).output().expect("the typed parse runs");
            let text = String::from_utf8_lossy(&ran.stdout).into_owned();
            let mut numbers = text.split_whitespace();
            let mut next = || numbers.next().and_then(|text| text.parse::<f64>().ok()).expect("two numbers");
            let (seconds, rows) = (next(), next() as usize);
            typed = Some((typed.map_or(seconds, |best| best.0.min(seconds)), rows));
        }
        let source = Source::lines(path);
        let took = best([&mut || count(source), &mut || count(Source { language: false, ..source })]);
        ours = [0, 1].map(|i| (took[i].0.min(ours[i].0), took[i].1));
    }
    match typed {
        Some(took) => tell("typed sonic-rs, file in memory", size(path), took),
        None => println!("typed sonic-rs: skipped, it could not be built"),
    }
    tell("openai-chat to Arrow", size(path), ours[0]);
    tell("  language aside", size(path), ours[1]);
    if let Some((seconds, rows)) = typed {
        // The corpus plants broken lines; some of them a typed parse does not see.
        assert!(rows >= ours[0].1 && rows - ours[0].1 <= rows / 100, "{rows} and {}", ours[0].1);
        println!("  {:.2} x sonic-rs, {:.2} x with the language aside", seconds / ours[0].0, seconds / ours[1].0);
    }
    (typed.map(|took| took.0), ours[0].0)
}

fn pack(path: &Path, compression: Compression) -> PathBuf {
    let raw = std::fs::read(path).expect("readable");
    let (ending, packed) = match compression {
        Compression::Gzip => {
            let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            to.write_all(&raw).expect("memory");
            ("gz", to.finish().expect("memory"))
        }
        _ => ("zst", zstd::encode_all(&raw[..], 3).expect("memory")),
    };
    let packed_path = path.with_extension(ending);
    std::fs::write(&packed_path, packed).expect("space on the disk");
    packed_path
}

fn compressed(folder: &Path, plain: &Path, (typed, ours): (Option<f64>, f64)) {
    assert!(plain.starts_with(folder));
    for compression in [Compression::Gzip, Compression::Zstd] {
        let path = pack(plain, compression);
        let mut alone = || {
            let mut input = decode::reader(Box::new(File::open(&path).expect("readable")), compression).expect("whole");
            let (mut buffer, mut all) = (vec![0; 1 << 20], 0);
            while let Ok(n @ 1..) = input.read(&mut buffer) {
                all += n;
            }
            assert_eq!(all as u64, size(plain));
            all
        };
        let [alone, all] = best([&mut alone, &mut || count(Source { compression, ..Source::lines(&path) })]);
        let name = format!("{compression:?}").to_lowercase();
        tell(&format!("{name} decompressed alone"), size(plain), (alone.0, 0));
        tell(&format!("{name} to Arrow"), size(plain), all);
        print!("  {:.2} x (alone + our parse)", all.0 / (alone.0 + ours));
        typed.into_iter().for_each(|typed| print!(", {:.2} x (alone + sonic-rs)", all.0 / (alone.0 + typed)));
        println!();
    }
}

/// The same records as elements of one array.
fn shapes(folder: &Path, plain: &Path) {
    let text = std::fs::read(plain).expect("readable");
    let good = |line: &&[u8]| serde_json::from_slice::<Json>(line).is_ok();
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').filter(good).collect();
    let array = folder.join("array.json");
    std::fs::write(&array, [b"[", &lines.join(&b",\n"[..])[..], b"]"].concat()).expect("space on the disk");
    Source { shape: Shape::Array, ..Source::lines(&array) }.measure("openai-chat as one array");
    std::fs::remove_file(array).expect("was there");
}

/// Repeats every text of a record that reads like one. Times and JSON in text stay as they are.
fn lengthen(value: &mut Json, times: usize) {
    match value {
        Json::Text(text) => {
            let prose =
                text.len() > 15 && text.contains(' ') && !text.starts_with(|c: char| "[{0123456789".contains(c));
            if prose {
                *text = vec![text.as_ref(); times].join(" ").into();
            }
        }
        Json::List(items) => items.iter_mut().for_each(|item| lengthen(item, times)),
        Json::Object(entries) => entries.iter_mut().for_each(|(_, value)| lengthen(value, times)),
        _ => {}
    }
}

/// Records of a fixture that are read, and how many rows they give.
fn good_lines(text: &str, mapping: Option<&Mapping>) -> Vec<String> {
    let mapping = mapping.map(|one| Arc::new(one.compile().expect("a good mapping")));
    let reading = Reading {
        format: None,
        messages_key: "messages".to_owned(),
        mapping,
        joining: Joining::Done,
        limits: Limits::default(),
    };
    text.lines().filter(|line| ingest::parse(line.as_bytes(), &reading).is_ok()).map(str::to_owned).collect()
}

/// Writes the lines again and again, each time with other ids.
fn repeat(lines: &[String], to: &Path, megabytes: usize) {
    const IDS: [&str; 6] = ["id", "trace_id", "question_id", "custom_id", "message_id", "dialogue_id"];
    let marks: Vec<String> = IDS.iter().map(|id| format!("\"{id}\":\"")).collect();
    let (mut out, mut number, mut bytes) = (std::io::BufWriter::new(File::create(to).expect("writable")), 0, 0);
    let mut line = String::new();
    while bytes < megabytes * 1_000_000 {
        for one in lines {
            number += 1;
            line.clear();
            match marks.iter().find_map(|mark| one.find(mark.as_str()).map(|at| at + mark.len())) {
                Some(at) => write!(line, "{}{number}-{}", &one[..at], &one[at..]).expect("memory"),
                None => line.push_str(one),
            }
            line.push('\n');
            out.write_all(line.as_bytes()).expect("space on the disk");
            bytes += line.len();
        }
    }
    out.flush().expect("space on the disk");
}

/// Every format from its fixture: short records as they stand there, and with longer texts.
fn formats(folder: &Path, megabytes: usize) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats");
    let mut names: Vec<String> = std::fs::read_dir(&fixtures)
        .expect("the fixtures")
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().strip_suffix(".jsonl")?.to_owned()))
        .filter(|name| name != "mapping")
        .collect();
    names.sort();
    let dialogues = Mapping {
        messages: Some("turns[*]".to_owned()),
        role: Some("speaker".to_owned()),
        content: Some("utterance".to_owned()),
        id: Some("dialogue_id".to_owned()),
        roles: [("USER", "user"), ("SYSTEM", "assistant")].map(|(from, to)| (from.to_owned(), to.to_owned())).into(),
        ..Mapping::default()
    };
    let cases = names.iter().map(|name| (name.as_str(), None)).chain([("mapping", Some(&dialogues))]);
    for (name, mapping) in cases {
        let text = std::fs::read_to_string(fixtures.join(format!("{name}.jsonl"))).expect("readable");
        let short = good_lines(&text, mapping);
        if short.is_empty() {
            println!("{name}: skipped, no line of it is a record of its own");
            continue;
        }
        let mean = short.iter().map(String::len).sum::<usize>() / short.len();
        let long = |line: &String| {
            let mut tree: Json = serde_json::from_str(line).expect("was read");
            lengthen(&mut tree, (2 * LONG_BYTES).div_ceil(mean));
            tree.json()
        };
        let long = good_lines(&short.iter().map(long).collect::<Vec<_>>().join("\n"), mapping);
        assert_eq!(long.len(), short.len(), "{name}");
        for lines in [short, long] {
            let path = folder.join("format.jsonl");
            repeat(&lines, &path, megabytes);
            let mean = lines.iter().map(String::len).sum::<usize>() / lines.len();
            Source { mapping, ..Source::lines(&path) }.measure(&format!("{name}, records of {mean} bytes"));
        }
    }
}

fn tables(folder: &Path, megabytes: usize) {
    let turn = |role: &str, content: &str| Turn { role: role.to_owned(), content: content.to_owned() };
    let mapping = Mapping {
        id: Some("ticket".to_owned()),
        turns: vec![turn("user", "question"), turn("assistant", "answer")],
        ..Mapping::default()
    };
    let path = folder.join("table.csv");
    let mut out = std::io::BufWriter::new(File::create(&path).expect("writable"));
    writeln!(out, "ticket;question;answer;channel").expect("space on the disk");
    let question = "My card was charged \"\"twice\"\"; why is that, and when do I get it back? ".repeat(6);
    let answer = "One of the two is only reserved.\nIt goes back in three days, and you need not call. ".repeat(12);
    let mut bytes = 0;
    for number in 0.. {
        let row = format!("t-{number};\"{question}\";\"{answer}\";mail\n");
        bytes += row.len();
        out.write_all(row.as_bytes()).expect("space on the disk");
        if bytes > megabytes * 1_000_000 {
            break;
        }
    }
    out.flush().expect("space on the disk");
    let source = Source { shape: Shape::Table, mapping: Some(&mapping), ..Source::lines(&path) };
    source.measure("CSV by a mapping, rows of 1.4 KB");
}

/// The same chats as columns: id, model, time, and a list of messages of role and content.
fn parquet(folder: &Path, plain: &Path) {
    let text = std::fs::read(plain).expect("readable");
    // The corpus plants broken lines.
    let chat = |line| Json::of(std::str::from_utf8(line).ok()?).ok();
    let chats: Vec<Json> = text.split(|byte| *byte == b'\n').filter_map(chat).collect();
    let texts = |key: &str| Arc::new(chats.iter().map(|chat| chat.text_of(key)).collect::<StringArray>()) as ArrayRef;
    let created = chats.iter().map(|chat| chat.get("created").and_then(Json::number).map(|at| at as i64));
    let talks: Vec<&[Json]> = chats.iter().map(|chat| chat.list_of("messages").unwrap_or_default()).collect();
    let said = |key: &str| {
        let said = talks.iter().flat_map(|talk| talk.iter()).map(|one| one.text_of(key));
        (Arc::new(Field::new(key, DataType::Utf8, true)), Arc::new(said.collect::<StringArray>()) as ArrayRef)
    };
    let messages = StructArray::from(vec![said("role"), said("content")]);
    let item = Arc::new(Field::new("item", messages.data_type().clone(), true));
    let lengths = OffsetBuffer::from_lengths(talks.iter().map(|talk| talk.len()));
    let messages = Arc::new(ListArray::new(item, lengths, Arc::new(messages), None));
    let columns: [(&str, ArrayRef); 4] = [
        ("id", texts("id")),
        ("model", texts("model")),
        ("created", Arc::new(created.collect::<Int64Array>())),
        ("messages", messages),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    for codec in [Codec::UNCOMPRESSED, Codec::SNAPPY, Codec::ZSTD(Default::default())] {
        let path = folder.join("chats.parquet");
        let file = File::create(&path).expect("writable");
        let properties = WriterProperties::builder().set_compression(codec).build();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a schema");
        writer.write(&batch).expect("space on the disk");
        writer.close().expect("space on the disk");
        let source = Source { shape: Shape::Parquet, ..Source::lines(&path) };
        source.measure(&format!("Parquet, {codec}, {} MB", size(&path) / 1_000_000));
    }
}
