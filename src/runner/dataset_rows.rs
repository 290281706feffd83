//! Rows of releases as Arrow, from Rust values: examples and pairs.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Array, Float64Array, Int32Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
    StructBuilder,
};
use arrow::datatypes::{DataType, Field};

use super::sink::arrow_error;
use crate::error::Result;
use crate::layer::message_fields;
use crate::layer::tables::Table;
use crate::task::TaskMessage;

const STAGE: &str = "dataset";

/// One SFT row.
#[derive(Clone, Debug, Default)]
pub struct Example {
    pub example_id: String,
    pub messages: Vec<TaskMessage>,
    pub tools: Option<String>,
    pub conversation_id: String,
    pub language: String,
    pub model: Option<String>,
    pub label_source: &'static str,
    pub task_type: Option<String>,
    pub rubric: Option<String>,
    pub rubric_version: Option<String>,
    pub rating: Option<f64>,
    pub tags: Vec<String>,
    pub split_group: String,
}

/// One preference row.
#[derive(Clone, Debug, Default)]
pub struct PairRow {
    pub pair_id: String,
    pub prompt: Vec<TaskMessage>,
    pub chosen: Vec<TaskMessage>,
    pub rejected: Vec<TaskMessage>,
    pub tools: Option<String>,
    pub margin: f64,
    pub votes: u32,
    pub votes_for: u32,
    pub votes_tie: u32,
    pub agreement: Option<f64>,
    pub chosen_model: Option<String>,
    pub rejected_model: Option<String>,
    pub language: String,
    pub label_source: &'static str,
    pub rubric: Option<String>,
    pub rubric_version: Option<String>,
    pub split_group: String,
}

fn words<'r, T>(rows: &'r [T], of: impl Fn(&'r T) -> &'r str) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
}

fn maybe<'r, T>(rows: &'r [T], of: impl Fn(&'r T) -> Option<&'r str>) -> ArrayRef {
    Arc::new(rows.iter().map(of).collect::<StringArray>())
}

fn talks<T>(rows: &[T], of: impl Fn(&T) -> &Vec<TaskMessage>) -> ArrayRef {
    let item = Arc::new(Field::new("item", DataType::Struct(message_fields()), true));
    let mut builder = ListBuilder::new(StructBuilder::from_fields(message_fields(), 0)).with_field(item);
    for row in rows {
        for message in of(row) {
            let values = [
                Some(message.role.as_str()),
                Some(message.content.as_str()),
                message.name.as_deref(),
                message.tool_call_id.as_deref(),
                message.tool_calls.as_deref(),
            ];
            for (i, value) in values.into_iter().enumerate() {
                if let Some(column) = builder.values().field_builder::<StringBuilder>(i) {
                    column.append_option(value);
                }
            }
            builder.values().append(true);
        }
        builder.append(true);
    }
    Arc::new(builder.finish())
}

pub fn examples_batch(rows: &[Example]) -> Result<RecordBatch> {
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in rows {
        row.tags.iter().for_each(|tag| tags.values().append_value(tag));
        tags.append(true);
    }
    let columns: Vec<ArrayRef> = vec![
        words(rows, |r| &r.example_id),
        talks(rows, |r| &r.messages),
        maybe(rows, |r| r.tools.as_deref()),
        words(rows, |r| &r.conversation_id),
        words(rows, |r| &r.language),
        maybe(rows, |r| r.model.as_deref()),
        Arc::new(Float32Array::from_iter_values(rows.iter().map(|_| 1.0))),
        words(rows, |r| r.label_source),
        maybe(rows, |r| r.task_type.as_deref()),
        maybe(rows, |r| r.rubric.as_deref()),
        maybe(rows, |r| r.rubric_version.as_deref()),
        Arc::new(rows.iter().map(|r| r.rating).collect::<Float64Array>()),
        Arc::new(tags.finish()),
        words(rows, |r| &r.split_group),
    ];
    RecordBatch::try_new(Table::Sft.schema(), columns).map_err(|err| arrow_error(STAGE, &err))
}

pub fn pairs_batch(rows: &[PairRow]) -> Result<RecordBatch> {
    let counts = |of: fn(&PairRow) -> u32| -> ArrayRef {
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|r| of(r) as i32)))
    };
    let columns: Vec<ArrayRef> = vec![
        words(rows, |r| &r.pair_id),
        talks(rows, |r| &r.prompt),
        talks(rows, |r| &r.chosen),
        talks(rows, |r| &r.rejected),
        maybe(rows, |r| r.tools.as_deref()),
        Arc::new(Float32Array::from_iter_values(rows.iter().map(|r| r.margin as f32))),
        counts(|r| r.votes),
        counts(|r| r.votes_for),
        counts(|r| r.votes_tie),
        Arc::new(rows.iter().map(|r| r.agreement.map(|a| a as f32)).collect::<Float32Array>()),
        maybe(rows, |r| r.chosen_model.as_deref()),
        maybe(rows, |r| r.rejected_model.as_deref()),
        words(rows, |r| &r.language),
        words(rows, |r| r.label_source),
        maybe(rows, |r| r.rubric.as_deref()),
        maybe(rows, |r| r.rubric_version.as_deref()),
        words(rows, |r| &r.split_group),
    ];
    RecordBatch::try_new(Table::Preference.schema(), columns).map_err(|err| arrow_error(STAGE, &err))
}
