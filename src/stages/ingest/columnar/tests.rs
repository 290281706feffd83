//! The same records as JSON lines and as Parquet give the same conversations; damage, limits and
//! twisted files give answers.

use std::collections::HashSet;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array,
    ListArray, StringArray, StructArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{Field, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{BrotliLevel, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::schema::types::{SchemaDescriptor, Type};

use super::super::tree::Json;
use super::super::{Reading, parse};
use super::*;
use crate::config::Format;
use crate::record::{Conversation, chance};

/// Values of any JSON shape as an Arrow array; values of several types become JSON text, and their
/// path goes to `json`.
fn array(values: &[Option<&Json>], path: &str, json: &mut HashSet<String>) -> ArrayRef {
    let nulls = || NullBuffer::from_iter(values.iter().map(Option::is_some));
    let all = |is: fn(&Json) -> bool| values.iter().flatten().all(|value| is(value));
    if all(|value| value.text().is_some()) {
        return Arc::new(values.iter().map(|value| value.and_then(Json::text)).collect::<StringArray>());
    }
    if all(|value| matches!(value, Json::Bool(_))) {
        return Arc::new(values.iter().map(|value| value.map(|it| *it == Json::Bool(true))).collect::<BooleanArray>());
    }
    let whole = |value: &Json| if let Json::Number(number) = value { number.as_i64() } else { None };
    if values.iter().flatten().all(|value| whole(value).is_some()) {
        return Arc::new(values.iter().map(|value| value.and_then(whole)).collect::<Int64Array>());
    }
    if all(|value| matches!(value, Json::Number(number) if number.is_f64())) {
        return Arc::new(values.iter().map(|value| value.and_then(Json::number)).collect::<Float64Array>());
    }
    if all(|value| value.list().is_some_and(|items| items.iter().all(|item| *item != Json::Null))) {
        let lists: Vec<&[Json]> = values.iter().map(|value| value.and_then(Json::list).unwrap_or_default()).collect();
        let items: Vec<Option<&Json>> = lists.iter().flat_map(|items| items.iter()).map(Some).collect();
        let items = array(&items, &format!("{path}.list.item"), json);
        let field = Arc::new(Field::new("item", items.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths(lists.iter().map(|items| items.len()));
        return Arc::new(ListArray::new(field, offsets, items, Some(nulls())));
    }
    if all(|value| value.entries().is_some_and(|entries| !entries.is_empty())) {
        let columns = columns_of(values, &format!("{path}."), json);
        let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        return Arc::new(StructArray::new(fields.into(), arrays, Some(nulls())));
    }
    json.insert(path.to_owned());
    Arc::new(values.iter().map(|value| value.map(Json::json)).collect::<StringArray>())
}

fn columns_of(rows: &[Option<&Json>], path: &str, json: &mut HashSet<String>) -> Vec<(Arc<Field>, ArrayRef)> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten().filter_map(|row| row.entries()).flatten() {
        if !names.contains(&name.as_ref()) {
            names.push(name);
        }
    }
    let column = |name: &str| {
        let values: Vec<Option<&Json>> = rows.iter().map(|row| row.and_then(|row| row.get(name))).collect();
        let column = array(&values, &format!("{path}{name}"), json);
        (Arc::new(Field::new(name, column.data_type().clone(), true)), column)
    };
    names.into_iter().map(column).collect()
}

/// The schema with JSON marked as such.
fn marked(node: &Type, path: &str, json: &HashSet<String>) -> Type {
    let info = node.get_basic_info();
    let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match node {
        Type::GroupType { fields, .. } => {
            let fields = fields.iter().map(|field| Arc::new(marked(field, &inner(field.name()), json))).collect();
            let mut group = Type::group_type_builder(info.name())
                .with_converted_type(info.converted_type())
                .with_logical_type(info.logical_type_ref().cloned())
                .with_fields(fields);
            if info.has_repetition() {
                group = group.with_repetition(info.repetition());
            }
            group.build().unwrap()
        }
        Type::PrimitiveType { physical_type, .. } if json.contains(path) => {
            Type::primitive_type_builder(info.name(), *physical_type)
                .with_repetition(info.repetition())
                .with_logical_type(Some(parquet::basic::LogicalType::Json))
                .build()
                .unwrap()
        }
        other => other.clone(),
    }
}

fn file_of(batch: &RecordBatch, json: &HashSet<String>, properties: WriterPropertiesBuilder) -> Vec<u8> {
    let schema: SchemaRef = batch.schema();
    let plain = ArrowSchemaConverter::new().convert(&schema).unwrap();
    let schema = SchemaDescriptor::new(Arc::new(marked(plain.root_schema(), "", json)));
    let options = ArrowWriterOptions::new().with_properties(properties.build()).with_parquet_schema(schema);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new_with_options(&mut bytes, batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn table(rows: &[Json], properties: WriterPropertiesBuilder) -> Vec<u8> {
    let mut json = HashSet::new();
    let rows: Vec<Option<&Json>> = rows.iter().map(Some).collect();
    let columns = columns_of(&rows, "", &mut json);
    let batch = RecordBatch::try_from_iter(columns.into_iter().map(|(field, array)| (field.name().clone(), array)));
    file_of(&batch.unwrap(), &json, properties)
}

fn builder() -> WriterPropertiesBuilder {
    WriterProperties::builder()
}

fn reading(format: Option<Format>) -> Reading {
    Reading { format, ..Reading::default() }
}

/// Places and what is read of them.
fn read(file: &[u8], wanted: Range<u64>, limits: Limits) -> Vec<(Place, Result<String, Reason>)> {
    let mut records = rows(Cursor::new(file.to_vec()), wanted, &limits);
    let mut got = Vec::new();
    while let Some(raw) = records.next() {
        let text = raw.body.map(|body| String::from_utf8(body.text().into_owned()).unwrap());
        got.push((raw.place, text));
    }
    got
}

fn lines(file: &[u8]) -> Vec<String> {
    read(file, 0..u64::MAX, Limits::default()).into_iter().map(|(_, text)| text.unwrap()).collect()
}

/// Takes null fields out of all objects below the first level.
fn without_nulls(value: &mut Json, level: u32) {
    match value {
        Json::Object(entries) => {
            entries.retain(|(_, value)| level == 0 || *value != Json::Null);
            entries.iter_mut().for_each(|(_, value)| without_nulls(value, level + 1));
        }
        Json::List(items) => items.iter_mut().for_each(|item| without_nulls(item, level + 1)),
        _ => {}
    }
}

/// Records with the same keys, as they lie in one table.
fn tables(records: Vec<Json<'static>>) -> Vec<Vec<Json<'static>>> {
    let mut tables: std::collections::BTreeMap<String, Vec<Json>> = Default::default();
    for record in records {
        let keys: Vec<&str> = record.entries().unwrap().iter().map(|(key, _)| key.as_ref()).collect();
        tables.entry(keys.join(" ")).or_default().push(record);
    }
    tables.into_values().collect()
}

/// JSON texts in the order of their keys, since all objects of a column share one order; metadata
/// without nulls, which are all that a table has where a line has no key.
fn sorted(mut conversations: Vec<Conversation>) -> Vec<Conversation> {
    let sort = |text: &mut String| {
        if let Ok(value) = serde_json::from_str::<serde_json::Value>(text) {
            *text = value.to_string();
        }
    };
    for conversation in &mut conversations {
        if let Some(text) = &mut conversation.metadata {
            let mut tree: Json = serde_json::from_str(text).unwrap();
            without_nulls(&mut tree, 1);
            *text = tree.json();
        }
        conversation.metadata = conversation.metadata.take().filter(|text| text != "{}");
        conversation.metadata.iter_mut().chain(&mut conversation.tools).for_each(sort);
        let calls = conversation.messages.iter_mut().flat_map(|message| &mut message.tool_calls);
        calls.for_each(|call| sort(&mut call.arguments));
    }
    conversations
}

/// How many records were read, and read alike.
fn same_as_lines(records: &[Json], file: &[u8], reading: &Reading) -> usize {
    let mut same = 0;
    let mut got = rows(Cursor::new(file.to_vec()), 0..u64::MAX, &Limits::default());
    for record in records {
        let (line, body) = (record.json(), got.next().unwrap().body.unwrap());
        let expected = parse(line.as_bytes(), reading).map(sorted);
        assert_eq!(body.parse(reading).map(sorted), expected, "{line}");
        assert_eq!(body.detect(reading), super::super::detect(line.as_bytes(), reading), "{line}");
        same += usize::from(expected.is_ok());
    }
    assert!(got.next().is_none());
    same
}

#[test]
fn every_format_gives_the_same_from_parquet_as_from_lines() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats");
    let (mut same, mut files) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let parsed = |line: &'static str| serde_json::from_str::<Json>(line).ok();
        let text: &'static str = Box::leak(text.into_owned().into_boxed_str());
        let mut records: Vec<Json> = match path.extension().and_then(|ending| ending.to_str()) {
            Some("jsonl") => text.lines().filter_map(parsed).collect(),
            Some("json") => parsed(text).and_then(|all| all.list().map(<[Json]>::to_vec)).unwrap(),
            _ => continue,
        };
        records.retain(|record| record.entries().is_some());
        records.iter_mut().for_each(|record| without_nulls(record, 0));
        files += 1;
        let named = Format::parse(&path.file_stem().unwrap().to_string_lossy());
        for records in tables(records) {
            let file = table(&records, builder());
            for reading in [reading(None), reading(named)] {
                same += same_as_lines(&records, &file, &reading);
            }
        }
    }
    assert!(files > 15 && same > 150, "{files} files, {same} records");
}

#[test]
fn messages_may_be_text_of_json() {
    let row = |messages: &str| Json::Object(vec![("messages".into(), Json::Text(messages.to_owned().into()))]);
    let chat = r#"[{"role":"user","content":"hi"},{"role":"assistant","content":"yo"}]"#;
    let file = table(&[row(chat), row("plain"), row(r#"{"role":"user"}"#)], builder());
    let mut records = rows(Cursor::new(file), 0..u64::MAX, &Limits::default());
    let mut next = || records.next().unwrap().body.unwrap().parse(&reading(Some(Format::OpenaiChat)));
    assert_eq!(next().unwrap()[0].messages.len(), 2);
    assert_eq!((next(), next()), (Err(Reason::BadShape), Err(Reason::BadShape)));
}

#[test]
fn every_type_says_something() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("u64", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None]))),
        ("f32", Arc::new(Float32Array::from(vec![0.1, f32::NAN]))),
        ("price", Arc::new(Decimal128Array::from(vec![1250, 3]).with_precision_and_scale(10, 2).unwrap())),
        ("long", Arc::new(Decimal128Array::from(vec![1; 2]).with_precision_and_scale(38, 20).unwrap())),
        ("bytes", Arc::new(BinaryArray::from(vec![&b"text"[..], &[0xff, 0x01]]))),
        ("blob", Arc::new(BinaryArray::from(vec![&[0x80; 65][..], b""]))),
        ("day", Arc::new(Date32Array::from(vec![0, 20_000]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![1_500_000, 0]).with_timezone("Europe/Berlin"))),
        ("naive", Arc::new(TimestampMicrosecondArray::from(vec![0, 1]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    assert_eq!(
        lines(&file_of(&batch, &HashSet::new(), builder())),
        [
            concat!(
                r#"{"u64":18446744073709551615,"f32":0.1,"price":12.5,"long":"0.00000000000000000001","bytes":"text","#,
                r#""blob":"[65 bytes]","day":"1970-01-01","at":"1970-01-01T00:00:01.500Z","#,
                r#""naive":"1970-01-01T00:00:00Z"}"#
            ),
            concat!(
                r#"{"u64":null,"f32":null,"price":0.03,"long":"0.00000000000000000001","bytes":"ff01","blob":"","#,
                r#""day":"2024-10-04","at":"1970-01-01T00:00:00Z","naive":"1970-01-01T00:00:00.000001Z"}"#
            ),
        ]
    );
}

fn chats(rows: usize) -> Vec<Json<'static>> {
    let text = |i: usize| format!("question {i} {}", "about shelves ".repeat(i % 50));
    let row = |i| format!(r#"{{"id":"r{i}","messages":[{{"role":"user","content":"{}"}}],"n":{i}}}"#, text(i));
    (0..rows).map(|i| serde_json::from_str(Box::leak(row(i).into_boxed_str())).unwrap()).collect()
}

#[test]
fn every_codec_encoding_and_page_version_is_read() {
    let records = chats(3_000);
    let expected: Vec<String> = records.iter().map(Json::json).collect();
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        for (version, dictionary) in [(WriterVersion::PARQUET_1_0, true), (WriterVersion::PARQUET_2_0, false)] {
            let properties = builder()
                .set_compression(codec)
                .set_writer_version(version)
                .set_dictionary_enabled(dictionary)
                .set_max_row_group_row_count(Some(700));
            assert_eq!(lines(&table(&records, properties)), expected, "{codec:?}");
        }
    }
}

#[test]
fn places_are_the_same_however_the_file_is_cut() {
    let file = table(&chats(1_000), builder().set_max_row_group_row_count(Some(300)));
    let whole = read(&file, 0..u64::MAX, Limits::default());
    assert_eq!(whole.len(), 1_000);
    assert!(whole.iter().enumerate().all(|(n, (at, _))| *at == place(n as u64..n as u64 + 1)));
    for cut in [1, 299, 300, 301, 650, 999] {
        let parts = [read(&file, 0..cut, Limits::default()), read(&file, cut..1_000, Limits::default())].concat();
        assert!(parts == whole, "cut at {cut}");
    }
    assert_eq!(cuts(Cursor::new(file.clone())), std::slice::from_ref(&(0..1_000)));
    let (at, text) = &whole[650];
    assert_eq!(row_text(Cursor::new(file.clone()), at.start_byte).as_ref(), text.as_ref().ok());
    assert_eq!(row_text(Cursor::new(file), 1_000), None);
}

#[test]
fn splits_are_runs_of_row_groups() {
    // Texts that do not pack: 12 MB in each of 5 groups, so that a split ends with every third.
    let text = |n: u64| (0..750_000).map(|i| format!("{:016x}", chance(n, "text", &i.to_string()))).collect::<String>();
    let texts: StringArray = (0..5).map(|n| Some(text(n))).collect();
    let batch = RecordBatch::try_from_iter([("text", Arc::new(texts) as ArrayRef)]).unwrap();
    let properties = builder().set_max_row_group_row_count(Some(1)).set_dictionary_enabled(false);
    assert_eq!(cuts(Cursor::new(file_of(&batch, &HashSet::new(), properties))), [0..3, 3..5]);
}

#[test]
fn limits_are_rejects() {
    let file = table(&chats(100), builder());
    let limits = Limits { line_bytes: 300, ..Limits::default() };
    let got = read(&file, 0..u64::MAX, limits);
    let long = |record: &Json| record.json().len() > 300;
    let expected: Vec<bool> = chats(100).iter().map(long).collect();
    assert!(expected.contains(&true) && expected.contains(&false));
    let near = |(n, (_, text)): (usize, &(Place, Result<String, Reason>))| match text {
        Err(reason) => *reason == Reason::LineTooLong && expected[n],
        Ok(text) => text.len() < 310,
    };
    assert!(got.iter().enumerate().all(near));
    let deep = format!(r#"{{"messages":[{{"role":"user","content":"x"}}],"m":{}1{}}}"#, "[".repeat(70), "]".repeat(70));
    let deep: Json = serde_json::from_str(&deep).unwrap();
    assert_eq!(Body::Tree(deep).parse(&reading(None)), Err(Reason::TooDeep));
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let zeros = "0".repeat(90 << 20);
    let batch = RecordBatch::try_from_iter([("text", Arc::new(StringArray::from(vec![zeros])) as ArrayRef)]).unwrap();
    let properties = builder().set_compression(Compression::ZSTD(ZstdLevel::default())).set_dictionary_enabled(false);
    let file = file_of(&batch, &HashSet::new(), properties);
    let got = read(&file, 0..u64::MAX, Limits { decompression_ratio: 100, ..Limits::default() });
    assert_eq!(got, [(place(0..1), Err(Reason::TooMuchDecompressed))]);
    let long = Limits { line_bytes: 1 << 30, decompression_ratio: 1 << 30, ..Limits::default() };
    assert_eq!(read(&file, 0..u64::MAX, long)[0].1.as_ref().map(String::len), Ok((90 << 20) + 11));
}

#[test]
fn damage_costs_its_row_group_and_no_more() {
    let file = table(&chats(900), builder().set_max_row_group_row_count(Some(300)));
    let metadata = metadata(&Input::new(Cursor::new(file.clone()), Bounds::NONE).unwrap()).unwrap();
    let column = metadata.metadata().row_group(1).column(1);
    let (start, length) = column.byte_range();
    let mut broken = file.clone();
    broken[start as usize..(start + length) as usize].fill(0xff);
    let got = read(&broken, 0..u64::MAX, Limits::default());
    assert_eq!(got.len(), 601);
    assert_eq!(got[300], (place(300..600), Err(Reason::DamagedCompression)));
    assert_eq!(got[301].0, place(600..601));
    // Without its end the file has no directory.
    for cut in [4, 100, file.len() - 1] {
        let got = read(&file[..cut], 0..u64::MAX, Limits::default());
        assert_eq!(got, [(place(0..0), Err(Reason::DamagedCompression))], "{cut}");
        assert_eq!(cuts(Cursor::new(file[..cut].to_vec())), std::slice::from_ref(&(0..0)));
    }
    let mut encrypted = file.clone();
    encrypted.truncate(file.len() - 1);
    encrypted.push(b'E');
    assert_eq!(read(&encrypted, 0..9, Limits::default())[0].1, Err(Reason::UnsupportedEntry));
}

#[test]
fn twisted_files_are_answered() {
    let file = table(&chats(60), builder().set_max_row_group_row_count(Some(20)));
    for round in 0..600 {
        let dice = |purpose: &str, below: usize| (chance(round, purpose, "parquet") % below as u64) as usize;
        let mut twisted = file.clone();
        // Half of the twists go into the footer, which is where sizes and types stand.
        let tail = file.len() - 8 - 1_200;
        for twist in 0..=dice("twists", 3) {
            let at = match round % 2 {
                0 => dice(&format!("at {twist}"), file.len()),
                _ => tail + dice(&format!("at {twist}"), 1_200),
            };
            twisted[at] = dice(&format!("byte {twist}"), 256) as u8;
        }
        let got = catch_unwind(AssertUnwindSafe(|| read(&twisted, 0..u64::MAX, Limits::default())));
        let got = got.unwrap_or_else(|_| panic!("round {round}"));
        let ends: Vec<u64> = got.iter().map(|(at, _)| at.end_byte).collect();
        assert!(got.iter().skip(1).zip(&ends).all(|((at, _), end)| at.start_byte == *end), "round {round}");
    }
}

#[test]
fn names_that_stand_twice_are_refused() {
    let ones = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("a", ones()), ("a", ones())]).unwrap();
    let got = read(&file_of(&batch, &HashSet::new(), builder()), 0..9, Limits::default());
    assert_eq!(got, [(place(0..0), Err(Reason::DuplicateKey))]);
}
