//! Rows of the scan, built record by record.
//!
//! Always: columns are those of [`stream_fields`], in their order; a reject leaves every column
//! but its place, hash and reason at null or empty.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, Float32Builder, ListArray, ListBuilder, RecordBatch, StringArray, StringBuilder,
    StructArray, StructBuilder, TimestampMicrosecondBuilder, UInt32Builder, UInt64Builder,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use arrow::error::ArrowError;

use super::columns::{message_fields, stream_fields};
use crate::record::{Conversation, Id, Message, Place, ToolCall};

/// Reason that marks the end of a split instead of a reject.
pub const SPLIT_END: &str = "#end";

/// What reasons begin with that are no fault of a record: the pipeline's policy drops it.
pub const BY_POLICY: &str = "policy_";

/// One finding, as the table of findings says it.
pub struct FindingRow<'a> {
    pub field: &'a str,
    pub start_byte: u32,
    pub end_byte: u32,
    pub kind: &'static str,
    pub rule: &'static str,
    pub rule_version: u32,
    pub score: f32,
    pub value_hash: Id,
    /// What was written in its place, in the redacted string; nothing where its message was dropped.
    pub output: Option<(u32, u32)>,
    pub action: &'static str,
}

/// What the scan knows about a record beside its conversation.
pub struct RecordRow<'a> {
    pub record_id: Id,
    pub conversation_id: Id,
    pub source_id: &'a str,
    pub place: Place,
    pub record_hash: Id,
    pub language: &'static str,
    pub language_confidence: f32,
    pub script: &'static str,
    pub model_tokens: Option<u64>,
    pub user_key: Option<Id>,
}

pub struct StreamBuilder {
    texts: Texts,
    places: Places,
    created_at: TimestampMicrosecondBuilder,
    counts: Counts,
    messages: Messages,
    findings: ListBuilder<StructBuilder>,
    rows: usize,
    bytes: usize,
}

#[derive(Default)]
struct Texts {
    record_id: StringBuilder,
    conversation_id: StringBuilder,
    source_id: StringBuilder,
    record_hash: StringBuilder,
    model: StringBuilder,
    external_id: StringBuilder,
    metadata: StringBuilder,
    preference: StringBuilder,
    language: StringBuilder,
    script: StringBuilder,
    user_key: StringBuilder,
    surface: StringBuilder,
    tools: StringBuilder,
    reject: StringBuilder,
}

#[derive(Default)]
struct Counts {
    language_confidence: Float32Builder,
    turns: UInt32Builder,
    content_bytes: UInt64Builder,
    finding_count: UInt32Builder,
    input_tokens: UInt64Builder,
    output_tokens: UInt64Builder,
    model_tokens: UInt64Builder,
}

#[derive(Default)]
struct Places {
    start_byte: UInt64Builder,
    end_byte: UInt64Builder,
    line: UInt64Builder,
    element: UInt32Builder,
}

/// Nearly all bytes of a row are here, so its columns are filled without asking for their types.
#[derive(Default)]
struct Messages {
    /// In the order of [`message_fields`].
    texts: [StringBuilder; 5],
    /// Messages of each row.
    counts: Vec<usize>,
}

impl Messages {
    fn append(&mut self, messages: &[Message]) {
        let [role, content, name, tool_call_id, tool_calls] = &mut self.texts;
        for message in messages {
            role.append_value(message.role.as_str());
            content.append_value(&message.content);
        }
        // Most conversations have none of these.
        let all = |column: &mut StringBuilder, of: fn(&Message) -> Option<&str>| {
            if messages.iter().all(|message| of(message).is_none()) {
                return column.append_nulls(messages.len());
            }
            messages.iter().for_each(|message| column.append_option(of(message)));
        };
        all(name, |message| message.name.as_deref());
        all(tool_call_id, |message| message.tool_call_id.as_deref());
        match messages.iter().any(|message| !message.tool_calls.is_empty()) {
            true => messages.iter().for_each(|message| tool_calls.append_option(tool_calls_json(message))),
            false => tool_calls.append_nulls(messages.len()),
        }
        self.counts.push(messages.len());
    }

    fn finish(&mut self) -> Result<ListArray, ArrowError> {
        let texts = self.texts.iter_mut().map(|text| Arc::new(finish_alike(text)) as ArrayRef).collect();
        let structs = StructArray::try_new(message_fields(), texts, None)?;
        let item = Arc::new(Field::new("item", structs.data_type().clone(), true));
        let rows = OffsetBuffer::from_lengths(std::mem::take(&mut self.counts));
        ListArray::try_new(item, rows, Arc::new(structs), None)
    }
}

/// Finishes a column and leaves room for one a little longer: growing would copy it.
fn finish_alike(text: &mut StringBuilder) -> StringArray {
    let (rows, bytes) = (text.len(), text.values_slice().len());
    let array = text.finish();
    *text = StringBuilder::with_capacity(rows + rows / 8, bytes + bytes / 8);
    array
}

fn append_shown(text: &mut StringBuilder, id: Id) {
    text.append_value(id.shown(&mut [0; 32]));
}

pub(super) fn struct_list(field: &str) -> ListBuilder<StructBuilder> {
    let schema = stream_fields();
    let fields = match schema.field_with_name(field).map(Field::data_type) {
        Ok(DataType::List(item)) => match item.data_type() {
            DataType::Struct(fields) => fields.clone(),
            _ => Fields::empty(),
        },
        _ => Fields::empty(),
    };
    let item = Arc::new(Field::new("item", DataType::Struct(fields.clone()), true));
    ListBuilder::new(StructBuilder::from_fields(fields, 0)).with_field(item)
}

impl Default for StreamBuilder {
    fn default() -> Self {
        StreamBuilder {
            texts: Texts::default(),
            places: Places::default(),
            created_at: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            counts: Counts::default(),
            messages: Messages::default(),
            findings: struct_list("findings"),
            rows: 0,
            bytes: 0,
        }
    }
}

/// The `i`-th field of a struct under construction as text.
fn field(builder: &mut StructBuilder, i: usize) -> Option<&mut StringBuilder> {
    builder.field_builder::<StringBuilder>(i)
}

impl StreamBuilder {
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of text appended so far: batches are cut by it, so that long rows do not pile up.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn keep(&mut self, row: &RecordRow, conversation: &Conversation, findings: &[FindingRow]) {
        self.head(row.source_id, row.place, row.record_hash);
        let texts = &mut self.texts;
        append_shown(&mut texts.record_id, row.record_id);
        append_shown(&mut texts.conversation_id, row.conversation_id);
        texts.model.append_option(conversation.model.as_deref());
        texts.external_id.append_option(conversation.external_id.as_deref());
        texts.metadata.append_option(conversation.metadata.as_deref());
        texts.preference.append_option(conversation.preference.map(|p| p.as_str()));
        texts.language.append_value(row.language);
        texts.script.append_value(row.script);
        match row.user_key {
            Some(key) => append_shown(&mut texts.user_key, key),
            None => texts.user_key.append_null(),
        }
        texts.surface.append_option(conversation.surface.as_deref());
        texts.tools.append_option(conversation.tools.as_deref());
        texts.reject.append_null();
        self.created_at.append_option(conversation.created_at_us);
        let users = conversation.messages.iter().filter(|m| m.role == crate::record::Role::User).count();
        let bytes: usize = conversation.messages.iter().map(|m| m.content.len()).sum();
        let counts = &mut self.counts;
        counts.language_confidence.append_value(row.language_confidence);
        counts.turns.append_value(users as u32);
        counts.content_bytes.append_value(bytes as u64);
        counts.finding_count.append_value(findings.len() as u32);
        counts.input_tokens.append_option(conversation.input_tokens);
        counts.output_tokens.append_option(conversation.output_tokens);
        counts.model_tokens.append_option(row.model_tokens);
        self.bytes += bytes;
        self.messages.append(&conversation.messages);
        findings.iter().for_each(|finding| push_finding(self.findings.values(), finding));
        self.findings.append(true);
    }

    pub fn reject(&mut self, source_id: &str, place: Place, record_hash: Id, reason: &str) {
        self.head(source_id, place, record_hash);
        let texts = &mut self.texts;
        texts.record_id.append_value("");
        texts.conversation_id.append_value("");
        for column in [
            &mut texts.model,
            &mut texts.external_id,
            &mut texts.metadata,
            &mut texts.preference,
            &mut texts.user_key,
            &mut texts.surface,
            &mut texts.tools,
        ] {
            column.append_null();
        }
        texts.language.append_value("");
        texts.script.append_value("");
        texts.reject.append_value(reason);
        self.created_at.append_null();
        let counts = &mut self.counts;
        counts.language_confidence.append_value(0.0);
        counts.turns.append_value(0);
        counts.content_bytes.append_value(0);
        counts.finding_count.append_value(0);
        for column in [&mut counts.input_tokens, &mut counts.output_tokens, &mut counts.model_tokens] {
            column.append_null();
        }
        self.messages.append(&[]);
        self.findings.append(true);
    }

    /// The last row of a split: how many raw stretches were cut from it, counted before any was
    /// judged. So a lost row, or a lost split, shows in the books.
    pub fn end(&mut self, source_id: &str, records: u64) {
        let place = Place { start_byte: records, end_byte: 0, line: 0, element: 0 };
        self.reject(source_id, place, Id([0; 16]), SPLIT_END);
    }

    fn head(&mut self, source_id: &str, place: Place, record_hash: Id) {
        self.rows += 1;
        self.texts.source_id.append_value(source_id);
        append_shown(&mut self.texts.record_hash, record_hash);
        self.places.start_byte.append_value(place.start_byte);
        self.places.end_byte.append_value(place.end_byte);
        self.places.line.append_value(place.line);
        self.places.element.append_value(place.element);
    }

    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let (texts, places, counts) = (&mut self.texts, &mut self.places, &mut self.counts);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(finish_alike(&mut texts.record_id)),
            Arc::new(finish_alike(&mut texts.conversation_id)),
            Arc::new(finish_alike(&mut texts.source_id)),
            Arc::new(places.start_byte.finish()),
            Arc::new(places.end_byte.finish()),
            Arc::new(places.line.finish()),
            Arc::new(places.element.finish()),
            Arc::new(finish_alike(&mut texts.record_hash)),
            Arc::new(finish_alike(&mut texts.model)),
            Arc::new(self.created_at.finish()),
            Arc::new(finish_alike(&mut texts.external_id)),
            Arc::new(finish_alike(&mut texts.metadata)),
            Arc::new(finish_alike(&mut texts.preference)),
            Arc::new(finish_alike(&mut texts.language)),
            Arc::new(counts.language_confidence.finish()),
            Arc::new(finish_alike(&mut texts.script)),
            Arc::new(counts.turns.finish()),
            Arc::new(counts.content_bytes.finish()),
            Arc::new(counts.finding_count.finish()),
            Arc::new(counts.input_tokens.finish()),
            Arc::new(counts.output_tokens.finish()),
            Arc::new(counts.model_tokens.finish()),
            Arc::new(finish_alike(&mut texts.user_key)),
            Arc::new(finish_alike(&mut texts.surface)),
            Arc::new(self.messages.finish()?),
            Arc::new(finish_alike(&mut texts.tools)),
            Arc::new(finish_alike(&mut texts.reject)),
            Arc::new(self.findings.finish()),
        ];
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new(stream_fields(), columns)
    }
}

/// Tool calls in the form of the OpenAI API, or nothing. Arguments that are a JSON object stand
/// there as one, letter by letter: most chat templates iterate over them.
pub fn tool_calls_json(message: &Message) -> Option<String> {
    if message.tool_calls.is_empty() {
        return None;
    }
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let call = |call: &ToolCall| {
        let object = call.arguments.trim_start().starts_with('{')
            && serde_json::from_str::<serde::de::IgnoredAny>(&call.arguments).is_ok();
        let arguments = if object { call.arguments.clone() } else { text(&call.arguments) };
        let (id, name) = (text(&call.id), text(&call.name));
        format!(r#"{{"id":{id},"type":"function","function":{{"name":{name},"arguments":{arguments}}}}}"#)
    };
    let calls: Vec<String> = message.tool_calls.iter().map(call).collect();
    Some(format!("[{}]", calls.join(",")))
}

pub(super) fn push_finding(builder: &mut StructBuilder, finding: &FindingRow) {
    let texts = [
        (0, finding.field.to_owned()),
        (3, finding.kind.to_owned()),
        (4, finding.rule.to_owned()),
        (7, finding.value_hash.to_string()),
        (10, finding.action.to_owned()),
    ];
    for (i, value) in texts {
        if let Some(column) = field(builder, i) {
            column.append_value(value);
        }
    }
    let (start, end) = finding.output.unzip();
    let own = [(1, finding.start_byte), (2, finding.end_byte), (5, finding.rule_version)];
    for (i, value) in own.map(|(i, value)| (i, Some(value))).into_iter().chain([(8, start), (9, end)]) {
        if let Some(column) = builder.field_builder::<UInt32Builder>(i) {
            column.append_option(value);
        }
    }
    if let Some(column) = builder.field_builder::<Float32Builder>(6) {
        column.append_value(finding.score);
    }
    builder.append(true);
}
