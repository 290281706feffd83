//! Columns of a batch by name, in the type that is asked for, whatever the engine chose.
//!
//! Always: an error names the column and never a value.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{Field, SchemaRef};

use crate::error::{Error, Result, arrow_kind};

/// The columns of `schema`, by name, cast where the engine chose another width.
pub fn project(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let fit = |field: &Arc<Field>| fitted(column(batch, field.name())?, field);
    let columns = schema.fields().iter().map(fit).collect::<Result<_>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|err| arrow_error("engine", &err))
}

pub fn fitted(found: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    if found.data_type() == field.data_type() {
        return Ok(Arc::clone(found));
    }
    arrow::compute::cast(found, field.data_type()).map_err(|err| arrow_error("engine", &err))
}

pub fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| Error::damaged(name, "column is missing"))
}

/// A column as plain strings, whatever string type the engine chose.
pub fn text(batch: &RecordBatch, name: &str) -> Result<ArrayRef> {
    arrow::compute::cast(column(batch, name)?, &arrow::datatypes::DataType::Utf8).map_err(|err| arrow_error(name, &err))
}

/// A column of numbers, whatever width the engine chose.
pub fn numbers<T: ArrowPrimitiveType>(batch: &RecordBatch, name: &str) -> Result<PrimitiveArray<T>> {
    let cast = arrow::compute::cast(column(batch, name)?, &T::DATA_TYPE).map_err(|err| arrow_error(name, &err))?;
    Ok(cast.as_primitive::<T>().clone())
}

pub fn arrow_error(stage: &str, err: &arrow::error::ArrowError) -> Error {
    Error::Engine { stage: stage.to_owned(), kind: format!("columns do not fit ({})", arrow_kind(err)) }
}
