//! Small tables of the driver as Arrow batches: decisions, edges, ids.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::against::CONTAMINATED;
use super::sink::arrow_error;
use crate::error::Result;
use crate::layer::tables::Table;
use crate::stages::dedup::cluster::Edge;

/// The rule of copies, and of those whose original is dropped for what it nearly is.
pub const EXACT: &str = "same canonical form";
pub const COPY_OF_NEAR: &str = "same canonical form as a near-duplicate of the winner";
pub const COPY_OF_SEMANTIC: &str = "same canonical form as a semantic duplicate of the winner";
const PREFIX_OF_SEMANTIC: &str = "prefix of a semantic duplicate of the winner";

/// Fates of what is only nearly the winner: by its words, or by vectors.
pub const NEAR: &str = "near_duplicate";
pub const SEMANTIC: &str = "semantic_duplicate";

/// Why a record is not kept, and who stands for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub conversation_id: String,
    /// `exact_duplicate`, `near_duplicate`, `semantic_duplicate`, `superseded` or `contaminated`.
    pub fate: &'static str,
    /// Both empty where nobody stands for it.
    pub winner_record: String,
    pub winner: String,
    /// Which rule decided.
    pub rule: Cow<'static, str>,
    pub jaccard_user: Option<f64>,
    pub jaccard_assistant: Option<f64>,
    pub containment: Option<f64>,
    pub bands_hit: u32,
}

impl Decision {
    fn new(fate: &'static str, conversation_id: String, winner_record: String, winner: String) -> Decision {
        let rule = Cow::Borrowed(match fate {
            "exact_duplicate" => EXACT,
            "superseded" => "prefix of the winner",
            _ => "jaccard on both sides",
        });
        let (jaccard_user, jaccard_assistant, containment) = (None, None, None);
        Decision {
            conversation_id,
            fate,
            winner_record,
            winner,
            rule,
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

    /// By what the edge compared: words, or vectors beside what the words say.
    pub fn near(conversation_id: String, winner_record: String, winner: String, edge: &Edge) -> Decision {
        let fate = if edge.cosine.is_some() { SEMANTIC } else { NEAR };
        let decision = Decision::new(fate, conversation_id, winner_record, winner);
        Decision {
            rule: edge.cosine.map_or(decision.rule, |cosine| format!("cosine {cosine:.4} of the vectors").into()),
            jaccard_user: Some(edge.verified.jaccard_user),
            jaccard_assistant: Some(edge.verified.jaccard_assistant),
            containment: Some(edge.verified.containment),
            bands_hit: edge.bands_hit,
            ..decision
        }
    }

    /// Stands behind `step`, which was this one's winner and is none itself: its winner is this one's,
    /// and what was compared are those two.
    pub fn follow(&mut self, step: &Decision) {
        (self.winner_record, self.winner) = (step.winner_record.clone(), step.winner.clone());
        let (is_copy, is_near) = (self.fate == "exact_duplicate", step.jaccard_user.is_some());
        // Also where the step was led on itself before.
        let is_semantic = step.fate == SEMANTIC || step.rule == COPY_OF_SEMANTIC || step.rule == PREFIX_OF_SEMANTIC;
        self.rule = Cow::Borrowed(match (is_copy, is_near, is_semantic) {
            (true, _, true) => COPY_OF_SEMANTIC,
            (true, true, _) => COPY_OF_NEAR,
            (true, false, _) => "same canonical form as a prefix of the winner",
            (false, _, true) => PREFIX_OF_SEMANTIC,
            (false, ..) => "prefix of a near-duplicate of the winner",
        });
        (self.jaccard_user, self.jaccard_assistant) = (step.jaccard_user, step.jaccard_assistant);
        (self.containment, self.bands_hit) = (step.containment, step.bands_hit);
    }

    /// Repeats a benchmark, as `rule` says.
    pub fn contaminated(conversation_id: String, rule: String, overlap: f64) -> Decision {
        Decision {
            rule: rule.into(),
            containment: Some(overlap),
            ..Decision::new(CONTAMINATED, conversation_id, String::new(), String::new())
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
        Arc::new(all().map(|d| Some(d.winner.as_str()).filter(|id| !id.is_empty())).collect::<StringArray>()),
        texts(all().map(|d| &*d.rule)),
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

/// All pairs that vectors made; `decided` holds, by place, the record that went or was tagged, its
/// conversation and the one that stands for it.
pub fn semantic_batch(edges: &[Edge], decided: &BTreeMap<usize, [String; 3]>) -> Result<RecordBatch> {
    let number = |of: fn(&Edge) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(edges.iter().map(of))) };
    let named = |part: usize| -> ArrayRef {
        Arc::new((0..edges.len()).map(|i| decided.get(&i).map(|names| &names[part])).collect::<StringArray>())
    };
    let columns = vec![
        texts(edges.iter().map(|e| e.a.as_str())),
        texts(edges.iter().map(|e| e.b.as_str())),
        texts(edges.iter().map(|e| e.verified.rule.as_str())),
        number(|e| e.cosine.unwrap_or_default()),
        number(|e| e.verified.jaccard_user),
        number(|e| e.verified.jaccard_assistant),
        number(|e| e.verified.containment),
        Arc::new(UInt32Array::from_iter_values(edges.iter().map(|e| e.bands_hit))),
        named(0),
        named(1),
        named(2),
    ];
    batch(Table::Semantic.schema(), columns)
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
