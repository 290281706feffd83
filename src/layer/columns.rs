//! Arrow schemas of the layers. Ids are 32 hex digits; bytes are half-open ranges.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, false)
}

fn maybe(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn number(name: &str, of: DataType) -> Field {
    Field::new(name, of, false)
}

fn maybe_number(name: &str, of: DataType) -> Field {
    Field::new(name, of, true)
}

fn list(name: &str, of: DataType) -> Field {
    Field::new(name, list_of(of), false)
}

fn list_of(of: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", of, true)))
}

fn schema(fields: Vec<Field>) -> SchemaRef {
    Arc::new(Schema::new(fields))
}

/// `role, content, name?, tool_call_id?, tool_calls?`; tool calls are a JSON array as text, so
/// that no reader unifies the keys of different tools (`datasets` fills them with nulls).
pub fn message_fields() -> Fields {
    Fields::from(vec![text("role"), text("content"), maybe("name"), maybe("tool_call_id"), maybe("tool_calls")])
}

pub fn messages_type() -> DataType {
    list_of(DataType::Struct(message_fields()))
}

fn finding_fields() -> Fields {
    Fields::from(vec![
        text("field"),
        number("start_byte", DataType::UInt32),
        number("end_byte", DataType::UInt32),
        text("type"),
        text("rule"),
        number("rule_version", DataType::UInt32),
        number("score", DataType::Float32),
        text("value_hash"),
        // Of what was written in its place; null where its message was dropped.
        maybe_number("output_start_byte", DataType::UInt32),
        maybe_number("output_end_byte", DataType::UInt32),
        text("action"),
    ])
}

/// Where a record lies.
fn place() -> Vec<Field> {
    vec![
        text("source_id"),
        number("start_byte", DataType::UInt64),
        number("end_byte", DataType::UInt64),
        number("line", DataType::UInt64),
        number("element", DataType::UInt32),
        text("record_hash"),
    ]
}

/// Columns to select and stratify by.
fn facts() -> Vec<Field> {
    vec![
        maybe("model"),
        Field::new("created_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        maybe("external_id"),
        maybe("metadata"),
        maybe("preference"),
        text("language"),
        // How sure `language` is, 0 to 1; 0 where it is `und`.
        number("language_confidence", DataType::Float32),
        // ISO 15924; Zyyy where there are no letters.
        text("script"),
        number("turns", DataType::UInt32),
        number("content_bytes", DataType::UInt64),
        number("finding_count", DataType::UInt32),
        // As the log states them, for the whole call.
        maybe_number("input_tokens", DataType::UInt64),
        maybe_number("output_tokens", DataType::UInt64),
        // Contents and tool calls, redacted, by the tokenizer that the pipeline names.
        maybe_number("model_tokens", DataType::UInt64),
        // Keyed hash of who called.
        maybe("user_key"),
        maybe("surface"),
    ]
}

fn ids() -> Vec<Field> {
    vec![text("record_id"), text("conversation_id")]
}

pub(super) fn redacted() -> SchemaRef {
    let body = vec![list("messages", DataType::Struct(message_fields())), maybe("tools")];
    schema([ids(), place(), facts(), body].concat())
}

/// What the scan of raw logs yields: rows of `redacted`, with their fate and findings. A reject
/// has its place and reason and nothing else.
pub fn stream_fields() -> SchemaRef {
    let extra = vec![maybe("reject"), list("findings", DataType::Struct(finding_fields()))];
    let rows = redacted();
    let rows = rows.fields().iter().map(|field| field.as_ref().clone()).collect();
    schema([rows, extra].concat())
}

pub(super) fn sketch() -> SchemaRef {
    let link = Fields::from(vec![
        number("hash", DataType::UInt64),
        number("next", DataType::UInt64),
        number("messages", DataType::UInt32),
    ]);
    let hashes = vec![
        // Exact form: equal for conversations that say the same.
        text("exact_key"),
        // Hash of all messages in order, and of each proper prefix with what follows it if that
        // answers a user (else 0).
        number("head", DataType::UInt64),
        // Hash of all before the first answer to a user; of the whole if nobody answered.
        number("opening", DataType::UInt64),
        number("messages", DataType::UInt32),
        text("last_role"),
        list("prefixes", DataType::Struct(link)),
        number("tokens", DataType::UInt32),
        list("bands", DataType::UInt64),
    ];
    schema([ids(), place(), facts(), hashes].concat())
}

pub(super) fn deduped() -> SchemaRef {
    let groups = vec![
        number("messages", DataType::UInt32),
        text("last_role"),
        number("tokens", DataType::UInt32),
        // Records that say exactly this, itself included.
        number("copies", DataType::UInt32),
        // Conversations that share a prompt and part at an assistant message; null if none do.
        maybe("prompt_group"),
        // Messages before they part.
        number("prompt_messages", DataType::UInt32),
        // Tells the answers of a prompt group apart.
        number("answer", DataType::UInt64),
        // What may not be torn apart by a train/test split.
        text("split_group"),
        // The benchmark that it repeats a row of; null if it does not, and of all that were asked to be dropped.
        maybe("benchmark"),
    ];
    schema([ids(), place(), facts(), groups].concat())
}

pub(super) fn overlap() -> SchemaRef {
    schema(vec![
        text("record_id"),
        text("conversation_id"),
        text("benchmark"),
        // The row's own id, or its line; and its record, which can be traced.
        text("row"),
        text("row_record"),
        // benchmark_conversation, benchmark_prompt, benchmark_answer, benchmark_ngrams.
        text("rule"),
        // Share of the row's n-grams that the record holds; 1 for the others.
        number("overlap", DataType::Float64),
    ])
}

pub(super) fn sampled() -> SchemaRef {
    schema(vec![
        text("task_id"),
        text("batch_id"),
        text("task_type"),
        text("rubric"),
        text("rubric_version"),
        text("stratum"),
        number("inclusion_probability", DataType::Float64),
        list("record_ids", DataType::Utf8),
        list("conversation_ids", DataType::Utf8),
        number("prompt_messages", DataType::UInt32),
        text("split_group"),
        maybe("language"),
    ])
}

/// Lines of `annotations.jsonl`; see [`crate::task::Annotation`].
pub(super) fn labels() -> SchemaRef {
    let fields = ["annotation_id", "task_id", "annotator_id", "state"].map(text).to_vec();
    let more = ["batch_id", "task_type", "value", "justification", "rubric", "rubric_version", "created_at"]
        .map(maybe)
        .to_vec();
    schema([fields, more, vec![Field::new("lead_time_s", DataType::Float64, true)]].concat())
}

pub(super) fn labeled() -> SchemaRef {
    schema(vec![
        text("task_id"),
        text("batch_id"),
        text("task_type"),
        text("rubric"),
        text("rubric_version"),
        text("outcome"),
        number("votes", DataType::UInt32),
        number("votes_for", DataType::UInt32),
        number("votes_left", DataType::UInt32),
        number("votes_right", DataType::UInt32),
        number("votes_tie", DataType::UInt32),
        number("votes_both_bad", DataType::UInt32),
        Field::new("mean_rating", DataType::Float64, true),
        number("margin", DataType::Float64),
        maybe("text"),
        list("tags", DataType::Utf8),
        list("annotators", DataType::Utf8),
        list("annotation_ids", DataType::Utf8),
        Field::new("agreement", DataType::Float64, true),
    ])
}

/// Side tables and published tables, by name.
pub(super) mod side {
    use super::*;

    pub fn rejects() -> SchemaRef {
        schema([place(), vec![text("reason")]].concat())
    }

    pub fn findings() -> SchemaRef {
        let fields = finding_fields().iter().map(|field| field.as_ref().clone()).collect();
        schema([ids(), fields].concat())
    }

    pub fn fragments() -> SchemaRef {
        let joined = vec![
            // Of the key that the parts of one conversation share.
            text("group_id"),
            // Whether it means the same in every source, or only within one entry of the pipeline.
            number("is_global", DataType::Boolean),
            // What reads the whole; null where a mapping does.
            maybe("format"),
            number("order", DataType::Int64),
            number("finding_count", DataType::UInt32),
            // The record as JSON, redacted.
            text("body"),
        ];
        schema([vec![text("record_id")], place(), joined].concat())
    }

    pub fn joined() -> SchemaRef {
        // The conversation, and a record that it was joined from.
        let part = vec![text("record_id"), text("part_record_id"), number("part", DataType::UInt32)];
        schema([part, place()].concat())
    }

    pub fn decisions() -> SchemaRef {
        schema(vec![
            text("record_id"),
            text("conversation_id"),
            // exact_duplicate, near_duplicate, semantic_duplicate, contaminated: dropped; superseded: folded.
            text("fate"),
            // Null for what repeats a benchmark: nobody stands for it.
            maybe("winner"),
            text("rule"),
            Field::new("jaccard_user", DataType::Float64, true),
            Field::new("jaccard_assistant", DataType::Float64, true),
            Field::new("containment", DataType::Float64, true),
            number("bands_hit", DataType::UInt32),
        ])
    }

    pub fn edges() -> SchemaRef {
        schema(vec![
            text("a"),
            text("b"),
            text("rule"),
            number("jaccard_user", DataType::Float64),
            number("jaccard_assistant", DataType::Float64),
            number("containment", DataType::Float64),
            number("bands_hit", DataType::UInt32),
        ])
    }

    pub fn semantic() -> SchemaRef {
        schema(vec![
            text("a"),
            text("b"),
            // semantic_duplicate; same_prompt, boilerplate_answer, digits_differ: kept, whatever the vectors say.
            text("rule"),
            number("cosine", DataType::Float64),
            number("jaccard_user", DataType::Float64),
            number("jaccard_assistant", DataType::Float64),
            number("containment", DataType::Float64),
            number("bands_hit", DataType::UInt32),
            // The one of the two that was dropped or tagged for the other, and the other's conversation;
            // null where this pair decided nothing.
            maybe("record_id"),
            maybe("conversation_id"),
            maybe("winner"),
        ])
    }

    pub fn refused() -> SchemaRef {
        schema(vec![text("annotation_id"), text("task_id"), text("reason")])
    }

    pub fn sft() -> SchemaRef {
        schema(vec![
            text("example_id"),
            list("messages", DataType::Struct(message_fields())),
            maybe("tools"),
            text("conversation_id"),
            text("language"),
            maybe("model"),
            number("weight", DataType::Float32),
            // human, or log where nobody labeled.
            text("label_source"),
            maybe("task_type"),
            maybe("rubric"),
            maybe("rubric_version"),
            Field::new("rating", DataType::Float64, true),
            list("tags", DataType::Utf8),
            text("split_group"),
        ])
    }

    pub fn preference() -> SchemaRef {
        schema(vec![
            text("pair_id"),
            list("prompt", DataType::Struct(message_fields())),
            list("chosen", DataType::Struct(message_fields())),
            list("rejected", DataType::Struct(message_fields())),
            maybe("tools"),
            number("margin", DataType::Float32),
            number("n_votes", DataType::Int32),
            number("n_for", DataType::Int32),
            number("n_tie", DataType::Int32),
            Field::new("agreement", DataType::Float32, true),
            maybe("chosen_model"),
            maybe("rejected_model"),
            text("language"),
            text("label_source"),
            maybe("rubric"),
            maybe("rubric_version"),
            text("split_group"),
        ])
    }

    pub fn lineage() -> SchemaRef {
        schema(vec![
            text("row_id"),
            text("split"),
            number("row", DataType::UInt64),
            // chosen, rejected or example: which part of the row this record stands behind.
            text("part"),
            text("conversation_id"),
            text("record_id"),
            text("source"),
            text("source_id"),
            number("start_byte", DataType::UInt64),
            number("end_byte", DataType::UInt64),
            number("line", DataType::UInt64),
            number("element", DataType::UInt32),
            text("record_hash"),
            maybe("task_id"),
            maybe("batch_id"),
            list("annotation_ids", DataType::Utf8),
            maybe("rubric"),
            maybe("rubric_version"),
        ])
    }
}
