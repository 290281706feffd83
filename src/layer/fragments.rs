//! Parts of conversations that lie in several records: redacted records, until they are joined.
//!
//! Always: the body is the record as JSON text after redaction; its findings go to the table of
//! findings under the part's own record id.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Int64Builder, ListBuilder, RecordBatch, StringBuilder, StructBuilder, UInt32Builder,
    UInt64Builder,
};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::build::{FindingRow, push_finding, struct_list};
use super::columns::stream_fields;
use super::tables::Table;
use crate::record::{Id, Place};

/// One part.
pub struct FragmentRow<'a> {
    pub record_id: Id,
    /// Of the key that the parts of one conversation share.
    pub group_id: Id,
    pub source_id: &'a str,
    pub place: Place,
    pub record_hash: Id,
    /// Whether the key means the same in every source, or only among those that one entry of the
    /// pipeline names.
    pub is_global: bool,
    /// What reads the whole; nothing where a mapping does.
    pub format: Option<&'a str>,
    pub order: i64,
    pub body: &'a str,
}

pub struct FragmentBuilder {
    texts: [StringBuilder; 4],
    is_global: BooleanBuilder,
    format: StringBuilder,
    body: StringBuilder,
    bytes: [UInt64Builder; 3],
    element: UInt32Builder,
    order: Int64Builder,
    finding_count: UInt32Builder,
    findings: ListBuilder<StructBuilder>,
    rows: usize,
    text_bytes: usize,
}

impl Default for FragmentBuilder {
    fn default() -> Self {
        FragmentBuilder {
            texts: Default::default(),
            is_global: BooleanBuilder::new(),
            format: StringBuilder::new(),
            body: StringBuilder::new(),
            bytes: Default::default(),
            element: UInt32Builder::new(),
            order: Int64Builder::new(),
            finding_count: UInt32Builder::new(),
            findings: struct_list("findings"),
            rows: 0,
            text_bytes: 0,
        }
    }
}

/// Rows of the table and, behind them, their findings.
pub fn fragment_stream() -> SchemaRef {
    let mut fields: Vec<Field> =
        Table::Fragments.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.extend(stream_fields().field_with_name("findings").cloned());
    Arc::new(Schema::new(fields))
}

impl FragmentBuilder {
    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn bytes(&self) -> usize {
        self.text_bytes
    }

    pub fn push(&mut self, row: &FragmentRow, findings: &[FindingRow]) {
        let (place, hash) = (row.place, row.record_hash.to_string());
        let texts = [&row.record_id.to_string(), row.source_id, &hash, &row.group_id.to_string()];
        self.texts.iter_mut().zip(texts).for_each(|(column, text)| column.append_value(text));
        let bytes = [place.start_byte, place.end_byte, place.line];
        self.bytes.iter_mut().zip(bytes).for_each(|(column, number)| column.append_value(number));
        self.element.append_value(place.element);
        self.is_global.append_value(row.is_global);
        self.format.append_option(row.format);
        self.order.append_value(row.order);
        self.finding_count.append_value(findings.len() as u32);
        self.body.append_value(row.body);
        findings.iter().for_each(|finding| push_finding(self.findings.values(), finding));
        self.findings.append(true);
        (self.rows, self.text_bytes) = (self.rows + 1, self.text_bytes + row.body.len());
    }

    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let [record_id, source_id, record_hash, group_id] = &mut self.texts;
        let [start_byte, end_byte, line] = &mut self.bytes;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(record_id.finish()),
            Arc::new(source_id.finish()),
            Arc::new(start_byte.finish()),
            Arc::new(end_byte.finish()),
            Arc::new(line.finish()),
            Arc::new(self.element.finish()),
            Arc::new(record_hash.finish()),
            Arc::new(group_id.finish()),
            Arc::new(self.is_global.finish()),
            Arc::new(self.format.finish()),
            Arc::new(self.order.finish()),
            Arc::new(self.finding_count.finish()),
            Arc::new(self.body.finish()),
            Arc::new(self.findings.finish()),
        ];
        (self.rows, self.text_bytes) = (0, 0);
        RecordBatch::try_new(fragment_stream(), columns)
    }
}
