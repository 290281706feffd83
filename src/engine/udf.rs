//! Our kernels as functions of the engine. One list for local runs, schedulers and executors.
//!
//! Parameters travel as literal arguments; the project key does not travel, every process brings
//! its own.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, ListArray, ListBuilder, StringArray, StringBuilder, StructArray,
    StructBuilder, UInt32Array, UInt32Builder, UInt64Array, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Fields, UInt32Type, UInt64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::prelude::SessionContext;

use super::{against, semantic};
use crate::error::Error;
use crate::record::{ProjectKey, chance};
use crate::stages::dedup::plan::RANK_DIGITS;
use crate::stages::dedup::semantic::{hyperplanes, judge};
use crate::stages::dedup::shingle::Side;
use crate::stages::dedup::sketch::{Settings, Sketch, Sketcher, Turn};
use crate::stages::dedup::{pairs, verify};

/// Makes a session know every function of ours. Without a key, as on a scheduler, they can be
/// planned with but those that need it cannot run.
pub fn register(ctx: &SessionContext, key: Option<&ProjectKey>) {
    for kernel in Kernel::ALL {
        ctx.register_udf(ScalarUDF::from(Function::new(kernel, key.cloned())));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kernel {
    /// `sketch(messages, words, bands, rows, short)`
    Sketch,
    /// `sides(messages, words, bands, rows, short)`
    Sides,
    /// `verify(side, side, min_jaccard, short)`
    Verify,
    /// `bucket_pairs(ranked ids, limit)`
    BucketPairs,
    /// `chance(seed, purpose, id)`
    Chance,
    /// `overlap(messages, benchmarks)`: rows of benchmarks that a conversation repeats.
    Overlap,
    /// `json_text(json, key)`: a top-level value of a JSON object as text.
    JsonText,
    /// `vector_signature(vector, seed, bands, bits)`: flaw, length, digest and bits.
    VectorSignature,
    /// `signature_bands(digits, bands, bits)`
    SignatureBands,
    /// `vector_digest(vector)`
    VectorDigest,
    /// `exact_cosine(vector, vector)`
    ExactCosine,
    /// `judge(side, side, min_jaccard, short)`: as `verify`, of a pair whose cosine is high enough.
    Judge,
}

impl Kernel {
    const ALL: [Kernel; 12] = [
        Kernel::Sketch,
        Kernel::Sides,
        Kernel::Verify,
        Kernel::BucketPairs,
        Kernel::Chance,
        Kernel::Overlap,
        Kernel::JsonText,
        Kernel::VectorSignature,
        Kernel::SignatureBands,
        Kernel::VectorDigest,
        Kernel::ExactCosine,
        Kernel::Judge,
    ];

    const fn name(self) -> &'static str {
        match self {
            Kernel::Sketch => "sketch",
            Kernel::Sides => "sides",
            Kernel::Verify => "verify",
            Kernel::BucketPairs => "bucket_pairs",
            Kernel::Chance => "chance",
            Kernel::Overlap => "overlap",
            Kernel::JsonText => "json_text",
            Kernel::VectorSignature => "vector_signature",
            Kernel::SignatureBands => "signature_bands",
            Kernel::VectorDigest => "vector_digest",
            Kernel::ExactCosine => "exact_cosine",
            Kernel::Judge => "judge",
        }
    }

    fn returns(self) -> DataType {
        match self {
            Kernel::Sketch => DataType::Struct(sketch_fields()),
            Kernel::Sides => DataType::Struct(sides_fields()),
            Kernel::Verify | Kernel::Judge => DataType::Struct(verify_fields()),
            Kernel::BucketPairs => list(DataType::Struct(pair_fields())),
            Kernel::Chance => DataType::UInt64,
            Kernel::Overlap => list(DataType::Struct(against::fields())),
            Kernel::JsonText | Kernel::VectorDigest => DataType::Utf8,
            Kernel::VectorSignature => DataType::Struct(semantic::signature_fields()),
            Kernel::SignatureBands => list(DataType::UInt64),
            Kernel::ExactCosine => DataType::Float64,
        }
    }
}

#[derive(Debug)]
struct Function {
    kernel: Kernel,
    key: Option<ProjectKey>,
    signature: Signature,
    /// Benchmarks as they were read last, so that they are read once a process.
    benchmarks: against::Cache,
}

impl Function {
    fn new(kernel: Kernel, key: Option<ProjectKey>) -> Function {
        let signature = Signature::variadic_any(Volatility::Immutable);
        Function { kernel, key, signature, benchmarks: against::Cache::default() }
    }

    fn key(&self) -> Result<&ProjectKey> {
        let none = || Error::Usage("this process has no project key; set GRISTMILL_KEY as on the client".to_owned());
        self.key.as_ref().ok_or_else(|| DataFusionError::External(Box::new(none())))
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        let key = |function: &Function| function.key.as_ref().map(ProjectKey::fingerprint);
        self.kernel == other.kernel && key(self) == key(other)
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kernel.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.kernel.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.kernel.returns())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let column = |i: usize| args.args.get(i).ok_or_else(|| wrong(self.kernel))?.clone().into_array(rows);
        let array = match self.kernel {
            Kernel::Sketch => sketch_rows(&column(0)?, settings(&args.args)?, self.key()?)?,
            Kernel::Sides => sides_rows(&column(0)?, settings(&args.args)?, self.key()?)?,
            Kernel::Verify => verify_rows(verify::verify, &column(0)?, &column(1)?, limits(&args.args)?)?,
            Kernel::Judge => verify_rows(judge, &column(0)?, &column(1)?, limits(&args.args)?)?,
            Kernel::BucketPairs => pair_rows(&column(0)?, number(&args.args, 1)? as usize)?,
            Kernel::Chance => chance_rows(number(&args.args, 0)? as u64, &word(&args.args, 1)?, &column(2)?)?,
            Kernel::Overlap => self.benchmarks.get(&word(&args.args, 1)?)?.rows(&column(0)?)?,
            Kernel::JsonText => json_rows(&column(0)?, &word(&args.args, 1)?)?,
            Kernel::VectorSignature => semantic::signature_rows(&column(0)?, &planes(&args.args, 1)?)?,
            Kernel::SignatureBands => semantic::band_rows(&column(0)?, &planes(&args.args, 0)?)?,
            Kernel::VectorDigest => semantic::digest_rows(&column(0)?)?,
            Kernel::ExactCosine => semantic::cosine_rows(&column(0)?, &column(1)?)?,
        };
        Ok(ColumnarValue::Array(array))
    }
}

fn wrong(kernel: Kernel) -> DataFusionError {
    DataFusionError::Plan(format!("{} got arguments that do not fit", kernel.name()))
}

pub(super) fn list(of: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", of, true)))
}

fn fields(named: Vec<(&str, DataType)>) -> Fields {
    named.into_iter().map(|(name, of)| Field::new(name, of, true)).collect()
}

fn sketch_fields() -> Fields {
    let link = fields(vec![("hash", DataType::UInt64), ("next", DataType::UInt64), ("messages", DataType::UInt32)]);
    fields(vec![
        ("exact_key", DataType::Utf8),
        ("head", DataType::UInt64),
        ("opening", DataType::UInt64),
        ("messages", DataType::UInt32),
        ("last_role", DataType::Utf8),
        ("prefixes", list(DataType::Struct(link))),
        ("tokens", DataType::UInt32),
        ("bands", list(DataType::UInt64)),
    ])
}

fn sides_fields() -> Fields {
    fields(vec![
        ("user", list(DataType::UInt64)),
        ("assistant", list(DataType::UInt64)),
        ("user_tokens", DataType::UInt32),
        ("assistant_tokens", DataType::UInt32),
        ("user_text", DataType::UInt64),
        ("user_skeleton", DataType::UInt64),
        ("assistant_text", DataType::UInt64),
        ("assistant_skeleton", DataType::UInt64),
        ("user_digits", DataType::UInt64),
        ("assistant_digits", DataType::UInt64),
    ])
}

fn verify_fields() -> Fields {
    fields(vec![
        ("rule", DataType::Utf8),
        ("jaccard_user", DataType::Float64),
        ("jaccard_assistant", DataType::Float64),
        ("containment", DataType::Float64),
    ])
}

fn pair_fields() -> Fields {
    fields(vec![("a", DataType::Utf8), ("b", DataType::Utf8), ("skipped", DataType::UInt64)])
}

fn scalar(args: &[ColumnarValue], i: usize) -> Result<&ScalarValue> {
    match args.get(i) {
        Some(ColumnarValue::Scalar(value)) => Ok(value),
        _ => Err(DataFusionError::Plan(format!("argument {} must be a literal", i + 1))),
    }
}

fn number(args: &[ColumnarValue], i: usize) -> Result<f64> {
    match scalar(args, i)?.cast_to(&DataType::Float64)? {
        ScalarValue::Float64(Some(number)) => Ok(number),
        _ => Err(DataFusionError::Plan(format!("argument {} must be a number", i + 1))),
    }
}

fn word(args: &[ColumnarValue], i: usize) -> Result<String> {
    match scalar(args, i)?.cast_to(&DataType::Utf8)? {
        ScalarValue::Utf8(Some(word)) => Ok(word),
        _ => Err(DataFusionError::Plan(format!("argument {} must be text", i + 1))),
    }
}

fn settings(args: &[ColumnarValue]) -> Result<Settings> {
    let number = |i| number(args, i).map(|n| n as u32);
    Ok(Settings { shingle_words: number(1)?, bands: number(2)?, rows_per_band: number(3)?, short_tokens: number(4)? })
}

/// Smallest Jaccard, and tokens of a short side.
fn limits(args: &[ColumnarValue]) -> Result<(f64, u32)> {
    Ok((number(args, 2)?, number(args, 3)? as u32))
}

/// How vectors are cut. The seed is text, because not every one fits a 64 bit float; where only bands
/// are cut out of bits there is none.
fn planes(args: &[ColumnarValue], seed: usize) -> Result<hyperplanes::Settings> {
    let wrong = || DataFusionError::Plan("the seed must be a number".to_owned());
    let (bands, bits) = (number(args, seed + 1)? as u32, number(args, seed + 2)? as u32);
    let seed = if seed == 0 { 0 } else { word(args, seed)?.parse().map_err(|_| wrong())? };
    Ok(hyperplanes::Settings { seed, bands, bits })
}

/// Calls `see` with the turns of every row.
pub(super) fn each_row(messages: &ArrayRef, mut see: impl FnMut(&[Turn])) -> Result<()> {
    let rows = messages.as_list_opt::<i32>().ok_or_else(|| wrong(Kernel::Sketch))?;
    let items = rows.values().as_struct_opt().ok_or_else(|| wrong(Kernel::Sketch))?;
    let text = |name: &str| -> Result<ArrayRef> {
        let column = items.column_by_name(name).ok_or_else(|| wrong(Kernel::Sketch))?;
        Ok(arrow::compute::cast(column, &DataType::Utf8)?)
    };
    let (roles, contents, calls) = (text("role")?, text("content")?, text("tool_calls")?);
    let (roles, contents, calls) = (roles.as_string::<i32>(), contents.as_string::<i32>(), calls.as_string::<i32>());
    let mut turns = Vec::new();
    for row in 0..rows.len() {
        let offsets = rows.value_offsets();
        turns.clear();
        turns.extend((offsets[row] as usize..offsets[row + 1] as usize).map(|i| Turn {
            role: roles.value(i),
            content: contents.value(i),
            tool_calls: calls.is_valid(i).then(|| calls.value(i)),
        }));
        see(&turns);
    }
    Ok(())
}

#[derive(Default)]
struct SketchColumns {
    exact_key: StringBuilder,
    last_role: StringBuilder,
    head: UInt64Builder,
    opening: UInt64Builder,
    messages: UInt32Builder,
    tokens: UInt32Builder,
    bands: ListBuilder<UInt64Builder>,
    links: Vec<(u64, u64, u32)>,
    link_ends: Vec<i32>,
}

impl SketchColumns {
    fn push(&mut self, sketch: Sketch, last_role: &str) {
        self.exact_key.append_value(sketch.exact_key.to_string());
        self.last_role.append_value(last_role);
        self.head.append_value(sketch.head);
        self.opening.append_value(sketch.opening);
        self.messages.append_value(sketch.messages);
        self.tokens.append_value(sketch.tokens);
        sketch.bands.iter().for_each(|&band| self.bands.values().append_value(band));
        self.bands.append(true);
        self.links.extend(sketch.prefixes.iter().map(|p| (p.hash, p.next, p.messages)));
        self.link_ends.push(self.links.len() as i32);
    }

    fn finish(mut self) -> Result<ArrayRef> {
        let DataType::List(item) = sketch_fields()[5].data_type().clone() else { return Err(wrong(Kernel::Sketch)) };
        let DataType::Struct(link) = item.data_type().clone() else { return Err(wrong(Kernel::Sketch)) };
        let links: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from_iter_values(self.links.iter().map(|l| l.0))),
            Arc::new(UInt64Array::from_iter_values(self.links.iter().map(|l| l.1))),
            Arc::new(UInt32Array::from_iter_values(self.links.iter().map(|l| l.2))),
        ];
        let offsets = arrow::buffer::OffsetBuffer::new(std::iter::once(0).chain(self.link_ends).collect());
        let prefixes = ListArray::try_new(item, offsets, Arc::new(StructArray::try_new(link, links, None)?), None)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.exact_key.finish()),
            Arc::new(self.head.finish()),
            Arc::new(self.opening.finish()),
            Arc::new(self.messages.finish()),
            Arc::new(self.last_role.finish()),
            Arc::new(prefixes),
            Arc::new(self.tokens.finish()),
            Arc::new(self.bands.finish()),
        ];
        Ok(Arc::new(StructArray::try_new(sketch_fields(), columns, None)?))
    }
}

/// Sketches of a `messages` column, as a struct column.
pub fn sketch_rows(messages: &ArrayRef, settings: Settings, key: &ProjectKey) -> Result<ArrayRef> {
    let (mut sketcher, mut columns) = (Sketcher::new(settings, key), SketchColumns::default());
    each_row(messages, |turns| {
        let last_role = turns.last().map_or("", |turn| turn.role).to_owned();
        columns.push(sketcher.sketch(turns), &last_role);
    })?;
    columns.finish()
}

fn sides_rows(messages: &ArrayRef, settings: Settings, key: &ProjectKey) -> Result<ArrayRef> {
    let mut sketcher = Sketcher::new(settings, key);
    let mut rows: Vec<(Side, Side)> = Vec::with_capacity(messages.len());
    each_row(messages, |turns| rows.push(sketcher.sides(turns)))?;
    let lists = |of: fn(&(Side, Side)) -> &Side| -> ArrayRef {
        let mut builder = ListBuilder::new(UInt64Builder::new());
        for row in &rows {
            builder.values().append_slice(&of(row).shingles);
            builder.append(true);
        }
        Arc::new(builder.finish())
    };
    let small =
        |of: fn(&(Side, Side)) -> u32| -> ArrayRef { Arc::new(UInt32Array::from_iter_values(rows.iter().map(of))) };
    let large =
        |of: fn(&(Side, Side)) -> u64| -> ArrayRef { Arc::new(UInt64Array::from_iter_values(rows.iter().map(of))) };
    let columns = vec![
        lists(|row| &row.0),
        lists(|row| &row.1),
        small(|row| row.0.tokens),
        small(|row| row.1.tokens),
        large(|row| row.0.text),
        large(|row| row.0.skeleton),
        large(|row| row.1.text),
        large(|row| row.1.skeleton),
        large(|row| row.0.digits),
        large(|row| row.1.digits),
    ];
    Ok(Arc::new(StructArray::try_new(sides_fields(), columns, None)?))
}

/// Row `i` of a `sides` column.
fn side_pair(sides: &StructArray, i: usize) -> (Side, Side) {
    let shingles = |c: usize| sides.column(c).as_list::<i32>().value(i).as_primitive::<UInt64Type>().values().to_vec();
    let small = |c: usize| sides.column(c).as_primitive::<UInt32Type>().value(i);
    let large = |c: usize| sides.column(c).as_primitive::<UInt64Type>().value(i);
    let side = |n: usize| Side {
        shingles: shingles(n),
        tokens: small(2 + n),
        text: large(4 + 2 * n),
        skeleton: large(5 + 2 * n),
        digits: large(8 + n),
    };
    (side(0), side(1))
}

type Judge = fn((&Side, &Side), (&Side, &Side), f64, u32) -> verify::Verified;

fn verify_rows(judge: Judge, a: &ArrayRef, b: &ArrayRef, limits: (f64, u32)) -> Result<ArrayRef> {
    let (Some(a), Some(b)) = (a.as_struct_opt(), b.as_struct_opt()) else { return Err(wrong(Kernel::Verify)) };
    let judged: Vec<_> = (0..a.len())
        .map(|i| {
            let (x, y) = (side_pair(a, i), side_pair(b, i));
            judge((&x.0, &x.1), (&y.0, &y.1), limits.0, limits.1)
        })
        .collect();
    let column = |of: fn(&verify::Verified) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(judged.iter().map(of)))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(judged.iter().map(|v| v.rule.as_str()))),
        column(|v| v.jaccard_user),
        column(|v| v.jaccard_assistant),
        column(|v| v.containment),
    ];
    Ok(Arc::new(StructArray::try_new(verify_fields(), columns, None)?))
}

fn pair_rows(ids: &ArrayRef, limit: usize) -> Result<ArrayRef> {
    let rows = ids.as_list_opt::<i32>().ok_or_else(|| wrong(Kernel::BucketPairs))?;
    let mut builder = ListBuilder::new(StructBuilder::from_fields(pair_fields(), 0)).with_field(Arc::new(Field::new(
        "item",
        DataType::Struct(pair_fields()),
        true,
    )));
    for i in 0..rows.len() {
        let ids = arrow::compute::cast(&rows.value(i), &DataType::Utf8)?;
        // Ranked text sorts the longest conversation first, then by id; the rank is cut off again.
        let mut ids: Vec<&str> = ids.as_string::<i32>().iter().flatten().collect();
        ids.sort_unstable();
        let ids: Vec<&str> = ids.into_iter().map(|ranked| ranked.get(RANK_DIGITS..).unwrap_or_default()).collect();
        let (made, skipped) = pairs::pairs(ids.len(), limit);
        for (n, (x, y)) in made.into_iter().enumerate() {
            // The smaller id first, so that a pair is the same pair in every bucket.
            let (a, b) = (ids[x].min(ids[y]), ids[x].max(ids[y]));
            let pair = builder.values();
            for (c, id) in [a, b].into_iter().enumerate() {
                if let Some(column) = pair.field_builder::<StringBuilder>(c) {
                    column.append_value(id);
                }
            }
            if let Some(column) = pair.field_builder::<UInt64Builder>(2) {
                column.append_value(if n == 0 { skipped } else { 0 });
            }
            pair.append(true);
        }
        builder.append(true);
    }
    Ok(Arc::new(builder.finish()))
}

fn chance_rows(seed: u64, purpose: &str, ids: &ArrayRef) -> Result<ArrayRef> {
    let ids = arrow::compute::cast(ids, &DataType::Utf8)?;
    let drawn: UInt64Array = ids.as_string::<i32>().iter().map(|id| id.map(|id| chance(seed, purpose, id))).collect();
    Ok(Arc::new(drawn))
}

fn json_rows(json: &ArrayRef, key: &str) -> Result<ArrayRef> {
    let json = arrow::compute::cast(json, &DataType::Utf8)?;
    let value = |text: &str| {
        let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
        match object.remove(key)? {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    };
    let texts: StringArray = json.as_string::<i32>().iter().map(|text| text.and_then(value)).collect();
    Ok(Arc::new(texts))
}
