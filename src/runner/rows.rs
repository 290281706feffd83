//! Small tables of the driver as Arrow batches: decisions, edges, ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::sink::arrow_error;
use crate::error::Result;
use crate::layer::tables::Table;
use crate::stages::dedup::cluster::Edge;

/// Why a record is not kept, and who stands for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub conversation_id: String,
    /// `exact_duplicate`, `near_duplicate` or `superseded`.
    pub fate: &'static str,
    pub winner_record: String,
    pub winner: String,
    pub jaccard_user: Option<f64>,
    pub jaccard_assistant: Option<f64>,
    pub containment: Option<f64>,
    pub bands_hit: u32,
}

impl Decision {
    fn new(fate: &'static str, conversation_id: String, winner_record: String, winner: String) -> Decision {
        let (jaccard_user, jaccard_assistant, containment) = (None, None, None);
        Decision {
            conversation_id,
            fate,
            winner_record,
            winner,
            jaccard_user,
            jaccard_assistant,
            containment,
            bands_hit: 0,
        }
    }

    pub fn exact(conversation_id: String, winner_record: String, winner: String) -> Decision {
        Decision::new("exact_duplicate", conversation_id, winner_record, winner)
    }

    pub fn superseded(conversation_id: String, winner_record: String, winner: String) -> Decision {
        Decision::new("superseded", conversation_id, winner_record, winner)
    }

    pub fn near(conversation_id: String, winner_record: String, winner: String, edge: &Edge) -> Decision {
        Decision {
            jaccard_user: Some(edge.verified.jaccard_user),
            jaccard_assistant: Some(edge.verified.jaccard_assistant),
            containment: Some(edge.verified.containment),
            bands_hit: edge.bands_hit,
            ..Decision::new("near_duplicate", conversation_id, winner_record, winner)
        }
    }

    /// Which rule decided.
    fn rule(&self) -> &'static str {
        match self.fate {
            "exact_duplicate" => "same canonical form",
            "superseded" => "prefix of the winner",
            _ => "jaccard on both sides",
        }
    }
}

fn texts<'t>(values: impl Iterator<Item = &'t str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn batch(schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(schema, columns).map_err(|err| arrow_error("dedup", &err))
}

pub fn decisions_batch(decisions: &BTreeMap<String, Decision>) -> Result<RecordBatch> {
    let all = || decisions.values();
    let number = |of: fn(&Decision) -> Option<f64>| -> ArrayRef { Arc::new(all().map(of).collect::<Float64Array>()) };
    let columns = vec![
        texts(decisions.keys().map(String::as_str)),
        texts(all().map(|d| d.conversation_id.as_str())),
        texts(all().map(|d| d.fate)),
        texts(all().map(|d| d.winner.as_str())),
        texts(all().map(Decision::rule)),
        number(|d| d.jaccard_user),
        number(|d| d.jaccard_assistant),
        number(|d| d.containment),
        Arc::new(UInt32Array::from_iter_values(all().map(|d| d.bands_hit))),
    ];
    batch(Table::Decisions.schema(), columns)
}

pub fn edges_batch(edges: &[Edge]) -> Result<RecordBatch> {
    let number = |of: fn(&Edge) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(edges.iter().map(of))) };
    let columns = vec![
        texts(edges.iter().map(|e| e.a.as_str())),
        texts(edges.iter().map(|e| e.b.as_str())),
        texts(edges.iter().map(|e| e.verified.rule.as_str())),
        number(|e| e.verified.jaccard_user),
        number(|e| e.verified.jaccard_assistant),
        number(|e| e.verified.containment),
        Arc::new(UInt32Array::from_iter_values(edges.iter().map(|e| e.bands_hit))),
    ];
    batch(Table::Edges.schema(), columns)
}

pub fn ids_batch<'i>(ids: impl Iterator<Item = &'i String>) -> Result<RecordBatch> {
    let schema = Schema::new(vec![Field::new("record_id", DataType::Utf8, false)]);
    batch(Arc::new(schema), vec![texts(ids.map(String::as_str))])
}

/// Candidate pairs, between two plans.
pub fn candidates_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("a", DataType::Utf8, false),
        Field::new("b", DataType::Utf8, false),
        Field::new("bands_hit", DataType::UInt32, false),
        Field::new("skipped", DataType::UInt64, false),
    ]))
}
