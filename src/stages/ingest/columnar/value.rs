//! Arrow columns as trees: what a row says, borrowed from the arrays.
//!
//! A struct's null fields are left out, because writers give every struct the fields of all; a
//! column that is null stays, so that the keys of a row are the columns of its table. Not here:
//! reading the arrays.
//!
//! Always: every value of every type gives something that JSON can say; a row is given out whole
//! or not at all.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, Float32Array, Float64Array, Int64Array, StringArray,
    StringViewArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use parquet::basic::{ConvertedType, LogicalType};
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};
use serde_json::Number;

use super::super::Reason;
use super::super::parse;
use super::super::tree::Json;

/// A decimal of more digits stays text: a JSON number would lose them.
const EXACT_DIGITS: usize = 15;
/// Bytes that are no text are written as hex up to this length (ids, hashes), beyond it only counted.
const HEX_BYTES: usize = 64;

/// A column of one batch. Arrays share their buffers, so nothing is copied.
pub enum Column {
    Null,
    Bool(BooleanArray),
    Int(Int64Array),
    Unsigned(UInt64Array),
    Single(Float32Array),
    Double(Float64Array),
    Decimal(StringArray),
    Text(StringViewArray),
    /// Text that the schema calls JSON.
    Json(StringViewArray),
    Bytes(BinaryViewArray),
    Struct(Columns, Option<NullBuffer>),
    List(OffsetBuffer<i32>, Box<Column>, Option<NullBuffer>),
    /// Keys and values.
    Map(OffsetBuffer<i32>, Box<Column>, Box<Column>, Option<NullBuffer>),
}

/// Columns of a table or a struct, by name.
pub type Columns = Vec<(String, Column)>;

/// Bytes of JSON that a row may still take, without escapes.
pub struct Left(pub u64);

impl Left {
    fn take(&mut self, bytes: usize) -> Result<(), Reason> {
        self.0 = self.0.checked_sub(bytes as u64).ok_or(Reason::LineTooLong)?;
        Ok(())
    }
}

/// The type to ask the reader for: texts and bytes as views into the pages, all else as it is.
pub fn asked(field: &FieldRef) -> FieldRef {
    let fields = |fields: &Fields| fields.iter().map(asked).collect::<Fields>();
    let kind = match field.data_type() {
        DataType::Utf8 => DataType::Utf8View,
        DataType::Binary => DataType::BinaryView,
        DataType::Struct(inner) => DataType::Struct(fields(inner)),
        DataType::List(item) => DataType::List(asked(item)),
        DataType::Map(entries, sorted) => DataType::Map(asked(entries), *sorted),
        _ => return Arc::clone(field),
    };
    Arc::new(Field::clone(field).with_data_type(kind))
}

/// Whether names stand twice in one struct, or in the row.
pub fn named_twice(fields: &Fields) -> bool {
    let mut names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    names.sort_unstable();
    names.windows(2).any(|two| two[0] == two[1])
        || fields.iter().any(|field| match field.data_type() {
            DataType::Struct(inner) => named_twice(inner),
            DataType::List(item) => named_twice(&Fields::from(vec![Arc::clone(item)])),
            DataType::Map(entries, _) => named_twice(&Fields::from(vec![Arc::clone(entries)])),
            _ => false,
        })
}

/// The columns of a batch by their names.
pub fn columns(batch: &RecordBatch, schema: &SchemaDescriptor) -> Result<Columns, ArrowError> {
    let mut leaves = Leaves { leaves: schema.columns().iter() };
    leaves.named(batch.schema_ref().fields(), batch.columns())
}

/// Makes columns of arrays, leaf by leaf, in the order of the Parquet schema.
struct Leaves<'s> {
    leaves: std::slice::Iter<'s, ColumnDescPtr>,
}

impl Leaves<'_> {
    fn named(&mut self, fields: &Fields, arrays: &[ArrayRef]) -> Result<Columns, ArrowError> {
        fields.iter().zip(arrays).map(|(field, array)| Ok((field.name().clone(), self.column(array)?))).collect()
    }

    fn column(&mut self, array: &ArrayRef) -> Result<Column, ArrowError> {
        match array.data_type() {
            DataType::Struct(fields) => {
                let inner = array.as_struct();
                Ok(Column::Struct(self.named(fields, inner.columns())?, inner.nulls().cloned()))
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Ok(Column::List(list.offsets().clone(), Box::new(self.column(list.values())?), list.nulls().cloned()))
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let (keys, values) = (self.column(map.keys())?, self.column(map.values())?);
                Ok(Column::Map(map.offsets().clone(), Box::new(keys), Box::new(values), map.nulls().cloned()))
            }
            _ => {
                let json = self.leaves.next().is_some_and(|leaf| {
                    leaf.logical_type_ref() == Some(&LogicalType::Json) || leaf.converted_type() == ConvertedType::JSON
                });
                leaf(array, json)
            }
        }
    }
}

fn leaf(array: &ArrayRef, json: bool) -> Result<Column, ArrowError> {
    Ok(match array.data_type() {
        DataType::Null => Column::Null,
        DataType::Boolean => Column::Bool(array.as_boolean().clone()),
        DataType::UInt64 => Column::Unsigned(array.as_primitive().clone()),
        kind if kind.is_integer() => Column::Int(cast(array, &DataType::Int64)?.as_primitive().clone()),
        DataType::Float16 | DataType::Float32 => {
            Column::Single(cast(array, &DataType::Float32)?.as_primitive().clone())
        }
        DataType::Float64 => Column::Double(array.as_primitive().clone()),
        kind if kind.is_decimal() => Column::Decimal(cast(array, &DataType::Utf8)?.as_string().clone()),
        DataType::Utf8View if json => Column::Json(array.as_string_view().clone()),
        DataType::Utf8View => Column::Text(array.as_string_view().clone()),
        DataType::BinaryView => Column::Bytes(array.as_binary_view().clone()),
        DataType::FixedSizeBinary(_) => {
            let hex = array.as_fixed_size_binary().iter().map(|bytes| bytes.map(hex));
            Column::Text(hex.collect())
        }
        // A time without a zone is taken for UTC, as readers of texts take it.
        DataType::Timestamp(unit, _) => Column::Text(texts(&cast(array, &utc(*unit))?)?),
        _ => Column::Text(texts(array)?),
    })
}

fn texts(array: &dyn Array) -> Result<StringViewArray, ArrowError> {
    Ok(cast(array, &DataType::Utf8View)?.as_string_view().clone())
}

fn utc(unit: TimeUnit) -> DataType {
    DataType::Timestamp(unit, Some(Arc::from("+00:00")))
}

fn hex(bytes: &[u8]) -> String {
    if bytes.len() > HEX_BYTES {
        return format!("[{} bytes]", bytes.len());
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn number(value: f64) -> Json<'static> {
    Number::from_f64(value).map_or(Json::Null, Json::Number)
}

impl Column {
    fn is_null(&self, row: usize) -> bool {
        match self {
            Column::Null => true,
            Column::Bool(array) => array.is_null(row),
            Column::Int(array) => array.is_null(row),
            Column::Unsigned(array) => array.is_null(row),
            Column::Single(array) => array.is_null(row),
            Column::Double(array) => array.is_null(row),
            Column::Decimal(array) => array.is_null(row),
            Column::Text(array) | Column::Json(array) => array.is_null(row),
            Column::Bytes(array) => array.is_null(row),
            Column::Struct(_, nulls) | Column::List(_, _, nulls) | Column::Map(_, _, _, nulls) => {
                nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
            }
        }
    }

    /// What stands in a row.
    pub fn value(&self, row: usize, left: &mut Left) -> Result<Json<'_>, Reason> {
        // The shortest that any value takes, and what parts it from the next.
        left.take(2)?;
        if self.is_null(row) {
            return Ok(Json::Null);
        }
        Ok(match self {
            Column::Null => Json::Null,
            Column::Bool(array) => Json::Bool(array.value(row)),
            Column::Int(array) => Json::Number(array.value(row).into()),
            Column::Unsigned(array) => Json::Number(array.value(row).into()),
            // Through its shortest text: 0.1 stays 0.1.
            Column::Single(array) => number(array.value(row).to_string().parse().unwrap_or(f64::NAN)),
            Column::Double(array) => number(array.value(row)),
            Column::Decimal(array) => decimal(array.value(row)),
            Column::Text(array) => text(array.value(row), left)?,
            Column::Json(array) => json(array.value(row), left)?,
            Column::Bytes(array) => match std::str::from_utf8(array.value(row)) {
                Ok(found) => text(found, left)?,
                Err(_) => Json::Text(Cow::Owned(hex(array.value(row)))),
            },
            Column::Struct(columns, _) => object(columns, row, left)?,
            Column::List(offsets, values, _) => {
                let items = range(offsets, row).map(|item| values.value(item, left));
                Json::List(items.collect::<Result<_, _>>()?)
            }
            Column::Map(offsets, keys, values, _) => {
                let mut entries: Vec<(Cow<str>, Json)> = Vec::new();
                for entry in range(offsets, row) {
                    let key = match keys.value(entry, left)? {
                        Json::Text(text) => text,
                        other => Cow::Owned(other.json()),
                    };
                    entries.push((key, values.value(entry, left)?));
                }
                let mut names: Vec<&str> = entries.iter().map(|(key, _)| key.as_ref()).collect();
                names.sort_unstable();
                if names.windows(2).any(|two| two[0] == two[1]) {
                    return Err(Reason::DuplicateKey);
                }
                Json::Object(entries)
            }
        })
    }
}

fn range(offsets: &OffsetBuffer<i32>, row: usize) -> std::ops::Range<usize> {
    offsets[row] as usize..offsets[row + 1] as usize
}

/// A struct without its null fields.
fn object<'a>(columns: &'a [(String, Column)], row: usize, left: &mut Left) -> Result<Json<'a>, Reason> {
    let mut entries = Vec::with_capacity(columns.len());
    for (name, column) in columns {
        if !column.is_null(row) {
            left.take(name.len() + 3)?;
            entries.push((Cow::Borrowed(name.as_str()), column.value(row, left)?));
        }
    }
    Ok(Json::Object(entries))
}

/// A row of a table: all columns, null or not.
pub fn row<'a>(columns: &'a [(String, Column)], row: usize, left: &mut Left) -> Result<Json<'a>, Reason> {
    let mut entries = Vec::with_capacity(columns.len());
    for (name, column) in columns {
        left.take(name.len() + 3)?;
        entries.push((Cow::Borrowed(name.as_str()), column.value(row, left)?));
    }
    Ok(Json::Object(entries))
}

fn text<'a>(text: &'a str, left: &mut Left) -> Result<Json<'a>, Reason> {
    left.take(text.len())?;
    Ok(Json::Text(Cow::Borrowed(text)))
}

/// A tree where the text is JSON, as its schema says; else the text.
fn json<'a>(found: &'a str, left: &mut Left) -> Result<Json<'a>, Reason> {
    match parse::tree(found, u32::MAX) {
        Ok(tree) => {
            left.take(found.len())?;
            Ok(tree)
        }
        Err(Reason::DuplicateKey) => Err(Reason::DuplicateKey),
        Err(_) => text(found, left),
    }
}

fn decimal(text: &str) -> Json<'_> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let exact = (digits <= EXACT_DIGITS).then_some(text);
    let whole = exact.and_then(|text| text.parse::<i64>().ok()).map(|value| Json::Number(value.into()));
    let broken = || exact.and_then(|text| text.parse().ok()).map(number);
    whole.or_else(broken).unwrap_or(Json::Text(Cow::Borrowed(text)))
}
