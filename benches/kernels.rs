//! Speed of the kernels alone, one core, on the synthetic corpus: MB/s and rows/s.
//!
//! `cargo bench --bench kernels`. Every part asserts its answer. Ratios between parts of one run
//! are worth more than the numbers: machines are shared.

use std::hint::black_box;
use std::io::{Cursor, Read};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, ListBuilder, RecordBatch, StringBuilder, StructBuilder};
use arrow::datatypes::{DataType, Field, Fields};
use gristmill::config::{Limits, Redact, Tokenizer};
use gristmill::record::{Conversation, ProjectKey};
use gristmill::stages::dedup::shingle::{Shingler, Side};
use gristmill::stages::dedup::sketch::{Settings, Sketcher, Turn, fill};
use gristmill::stages::ingest::tokens::Counter;
use gristmill::stages::ingest::{self, Reading, columnar, language};
use gristmill::stages::redact::{Outcome, Redactor, mask_tokens};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

const ROWS: usize = 30_000;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = Command::new(env!("CARGO_BIN_EXE_corpus"))
        .args(["--rows", &ROWS.to_string(), "--seed", "1", "--formats", "openai", "--out"])
        .arg(folder.path())
        .output()
        .expect("the corpus maker runs");
    assert!(made.status.success());
    let mut raw = Vec::new();
    for entry in std::fs::read_dir(folder.path()).expect("readable").flatten() {
        if entry.path().extension().is_some_and(|ext| ext == "jsonl") {
            std::fs::File::open(entry.path()).and_then(|mut f| f.read_to_end(&mut raw)).expect("readable");
        }
    }
    let lines: Vec<&[u8]> = raw.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let megabytes = raw.len() as f64 / 1e6;
    let tell = |part: &str, began: Instant, rows: usize| {
        let seconds = began.elapsed().as_secs_f64();
        println!("{part:<28} {:>8.0} MB/s {:>10.0} rows/s", megabytes / seconds, rows as f64 / seconds);
    };

    let began = Instant::now();
    let skipped = lines.iter().filter(|line| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()).count();
    tell("json skipped (floor)", began, skipped);

    let reading = Reading::default();
    let began = Instant::now();
    let mut conversations: Vec<Conversation> =
        lines.iter().filter_map(|line| ingest::parse(line, &reading).ok()).flatten().collect();
    tell("parse", began, conversations.len());
    assert!(conversations.len() > ROWS * 99 / 100 && conversations.len() <= ROWS);

    for (name, compression) in [
        ("parquet (snappy)", Compression::SNAPPY),
        ("parquet (zstd)", Compression::ZSTD(ZstdLevel::default())),
        ("parquet (plain)", Compression::UNCOMPRESSED),
    ] {
        let file = parquet_of(&conversations, compression);
        let began = Instant::now();
        let mut rows = columnar::rows(Cursor::new(file), 0..u64::MAX, &Limits::default());
        let mut read: Vec<Conversation> = Vec::with_capacity(conversations.len());
        while let Some(row) = rows.next() {
            read.extend(row.body.and_then(|body| body.parse(&reading)).expect("a chat"));
        }
        let seconds = began.elapsed().as_secs_f64();
        let text: usize = conversations.iter().flat_map(|it| &it.messages).map(|it| it.content.len()).sum();
        let speed = text as f64 / 1e6 / seconds;
        println!("{name:<28} {speed:>8.0} MB/s {:>10.0} rows/s, of text", read.len() as f64 / seconds);
        assert!(read.iter().zip(&conversations).all(|(one, other)| one.messages == other.messages), "{name}");
        assert_eq!(read.len(), conversations.len());
    }

    let began = Instant::now();
    let english = conversations.iter().filter(|c| language::detect(c).language == "eng").count();
    tell("language", began, conversations.len());
    assert!(english > 0);

    let key = ProjectKey::from_secret("benches are not secret at all").expect("long enough");
    let redactor = Redactor::new(&Redact::default(), &key).expect("defaults are good");
    let mut findings = Vec::new();
    let began = Instant::now();
    for conversation in &mut conversations {
        let scope = redactor.scope(conversation);
        assert_eq!(redactor.conversation(conversation, scope, &mut findings), Outcome::Kept);
    }
    tell("redact", began, conversations.len());
    assert!(!findings.is_empty());

    let counter = Counter::new(Tokenizer::O200kBase);
    let began = Instant::now();
    let tokens: u64 = conversations.iter().filter_map(|conversation| counter.count(conversation)).sum();
    tell("tokens (o200k_base)", began, conversations.len());
    assert!(tokens > conversations.len() as u64);

    let settings = Settings { shingle_words: 3, bands: 16, rows_per_band: 8, short_tokens: 10 };
    let mut sketcher = Sketcher::new(settings, &key);
    let turns: Vec<Vec<Turn>> = conversations
        .iter()
        .map(|c| {
            c.messages.iter().map(|m| Turn { role: m.role.as_str(), content: &m.content, tool_calls: None }).collect()
        })
        .collect();
    let began = Instant::now();
    turns.iter().for_each(|turns| drop(black_box(sketcher.sides(turns))));
    tell("shingle", began, turns.len());
    let began = Instant::now();
    let bands: usize = turns.iter().map(|turns| sketcher.sketch(turns).bands.len()).sum();
    tell("sketch (chain + shingle + 128)", began, turns.len());
    assert!(bands > 0 && bands.is_multiple_of(16));
    shingles_of_ascii(&conversations);
    slots_of_shingles();
}

/// Text to hashed word triples alone. The number of triples is counted in another way: words are
/// what stands between characters that are neither letter nor digit.
fn shingles_of_ascii(conversations: &[Conversation]) {
    let messages = conversations.iter().flat_map(|conversation| &conversation.messages);
    let texts: Vec<&str> = messages.map(|message| message.content.as_str()).filter(|text| text.is_ascii()).collect();
    let words =
        |text: &&str| mask_tokens(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).count();
    let expected: usize = texts.iter().map(words).map(|words| if words < 3 { words.min(1) } else { words - 2 }).sum();
    let megabytes = texts.iter().map(|text| text.len()).sum::<usize>() as f64 / 1e6;
    let (mut shingler, mut side, mut made) = (Shingler::new(3), Side::default(), 0);
    let seconds = best(|| {
        made = 0;
        for text in &texts {
            side.shingles.clear();
            shingler.add::<false>(text, &mut side);
            made += black_box(&side.shingles).len();
        }
    });
    assert_eq!(made, expected);
    println!(
        "{:<28} {:>8.0} MB/s of text, {:.0} M shingles/s",
        "shingle, ASCII",
        megabytes / seconds,
        made as f64 / 1e6 / seconds
    );
}

/// Hashed shingles to 128 slots alone, 200 shingles a text. Neighbours share 8 of 10 of what both
/// say, so that share of their slots must agree (within six standard errors; neighbours of
/// neighbours are not independent).
fn slots_of_shingles() {
    const TEXTS: usize = 20_000;
    const SHINGLES: usize = 200;
    // J = (200 - 22) / (200 + 22) = 0.802 with 22 new ones a step.
    const STEP: usize = 22;
    let stream: Vec<u64> =
        (0..(TEXTS * STEP + SHINGLES) as u64).map(|n| xxhash_rust::xxh3::xxh3_64(&n.to_le_bytes())).collect();
    let mut slots = vec![[0u64; 128]; TEXTS];
    let seconds = best(|| {
        for (at, slots) in slots.iter_mut().enumerate() {
            fill(black_box(slots), &[&stream[at * STEP..][..SHINGLES]]);
        }
    });
    let equal: usize = slots.windows(2).map(|two| two[0].iter().zip(&two[1]).filter(|(a, b)| a == b).count()).sum();
    let all = ((TEXTS - 1) * 128) as f64;
    let (share, jaccard) = (equal as f64 / all, (SHINGLES - STEP) as f64 / (SHINGLES + STEP) as f64);
    assert!((share - jaccard).abs() < 6.0 * (jaccard * (1.0 - jaccard) / all).sqrt(), "{share} is not {jaccard}");
    let rate = (TEXTS * SHINGLES) as f64 / 1e6 / seconds;
    println!("{:<28} {rate:>8.0} M shingles/s, {:.0} texts/s", "sketch, 128 slots of 200", TEXTS as f64 / seconds);
}

/// Seconds of the quickest of five: other programs on the machine only make it slower.
fn best(mut run: impl FnMut()) -> f64 {
    let once = |run: &mut dyn FnMut()| {
        let began = Instant::now();
        run();
        began.elapsed().as_secs_f64()
    };
    (0..5).map(|_| once(&mut run)).fold(f64::INFINITY, f64::min)
}

/// Conversations as a table with nested messages.
fn parquet_of(conversations: &[Conversation], compression: Compression) -> Vec<u8> {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let function = Fields::from(vec![text("name"), text("arguments")]);
    let call = Fields::from(vec![text("id"), Field::new("function", DataType::Struct(function), true)]);
    let calls = DataType::List(Arc::new(Field::new("item", DataType::Struct(call), true)));
    let names = ["role", "content", "name", "tool_call_id"];
    let fields: Fields = names.map(text).into_iter().chain([Field::new("tool_calls", calls, true)]).collect();
    let mut messages = ListBuilder::new(StructBuilder::from_fields(fields, 0));
    let mut ids = StringBuilder::new();
    for (n, conversation) in conversations.iter().enumerate() {
        ids.append_value(format!("row-{n}"));
        for message in &conversation.messages {
            let row = messages.values();
            let (name, call) = (message.name.as_deref(), message.tool_call_id.as_deref());
            for (at, value) in [Some(message.role.as_str()), Some(&message.content), name, call].into_iter().enumerate()
            {
                row.field_builder::<StringBuilder>(at).expect("texts").append_option(value);
            }
            let calls: &mut ListBuilder<Box<dyn arrow::array::ArrayBuilder>> = row.field_builder(4).expect("calls");
            for call in &message.tool_calls {
                let one = calls.values().as_any_mut().downcast_mut::<StructBuilder>().expect("a call");
                one.field_builder::<StringBuilder>(0).expect("an id").append_value(&call.id);
                let function = one.field_builder::<StructBuilder>(1).expect("a function");
                function.field_builder::<StringBuilder>(0).expect("a name").append_value(&call.name);
                function.field_builder::<StringBuilder>(1).expect("arguments").append_value(&call.arguments);
                function.append(true);
                one.append(true);
            }
            calls.append(!message.tool_calls.is_empty());
            row.append(true);
        }
        messages.append(true);
    }
    let columns: [(&str, ArrayRef); 2] = [("id", Arc::new(ids.finish())), ("messages", Arc::new(messages.finish()))];
    let batch = RecordBatch::try_from_iter(columns).expect("a table");
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("written");
    writer.into_inner().expect("finished")
}
