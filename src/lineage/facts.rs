//! The words of a trace, as JSON gives them to programs.
//!
//! Always: ids, places, counts and rule names; a field that could hold text is not here.

use serde::Serialize;

/// What an id names. One id may be several: an example may carry the id of its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    ReleaseRow,
    Conversation,
    Record,
    Task,
}

/// A row of a release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Standing {
    pub dataset: String,
    pub version: u32,
    pub split: String,
    pub row: u64,
    pub row_id: String,
    pub part: String,
    pub conversation_id: String,
    pub record_id: String,
    /// The id stands here only through the conversation that dedup kept in its place.
    pub through_winner: bool,
}

/// Where a record lies in its source; bytes count in the decompressed stream, and of Parquet rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    pub source: String,
    pub source_id: String,
    pub line: u64,
    pub element: u64,
    pub start_byte: u64,
    pub end_byte: u64,
    pub record_hash: String,
}

/// One record behind the id.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    pub record_id: String,
    pub conversation_id: String,
    #[serde(flatten)]
    pub place: Place,
    /// Key of the redacted layer it stands in; none if that layer is no longer kept.
    pub redacted: Option<String>,
    pub findings: Vec<FindingCount>,
    /// The records that it was joined from, in their order, itself included; empty if it stands alone.
    pub joined_from: Vec<Place>,
    /// None if dedup has not judged it.
    pub dedup: Option<Decision>,
    /// Other records that say exactly this.
    pub occurrences: Vec<Occurrence>,
    /// Whether the source still has these bytes; none if not asked or not readable.
    pub source_ok: Option<bool>,
    /// Why the source could not be read.
    pub source_problem: Option<String>,
}

/// What redaction found in a record, by type and rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FindingCount {
    #[serde(rename = "type")]
    pub kind: String,
    pub rule: String,
    pub rule_version: u64,
    pub count: u64,
}

/// What dedup decided, in the newest layer that knows the record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// Key of that layer.
    pub deduped: String,
    /// `kept`, `exact_duplicate`, `near_duplicate`, `semantic_duplicate`, `superseded` or `contaminated`.
    pub fate: String,
    /// Conversation that stands for this one.
    pub winner: Option<String>,
    #[serde(flatten)]
    pub evidence: Evidence,
    /// Whom it is like by vectors, if it was tagged for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like: Option<Like>,
    /// Records that were dropped or folded in favour of this one.
    pub stands_for: Vec<Folded>,
}

/// The one that a kept record is tagged to be like.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Like {
    pub conversation_id: String,
    pub cosine: f64,
}

/// Why two conversations were held for one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evidence {
    pub rule: Option<String>,
    pub jaccard_user: Option<f64>,
    pub jaccard_assistant: Option<f64>,
    pub containment: Option<f64>,
}

/// A record for which another conversation stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Folded {
    pub record_id: String,
    pub conversation_id: String,
    pub fate: String,
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// Another record with the same conversation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Occurrence {
    #[serde(flatten)]
    pub place: Place,
    pub record_id: String,
    pub fate: Option<String>,
}

/// A task that people got, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    pub task_id: String,
    pub batch_id: String,
    pub task_type: String,
    pub rubric: String,
    pub rubric_version: String,
    pub stratum: String,
    pub inclusion_probability: f64,
    pub conversation_ids: Vec<String>,
    pub record_ids: Vec<String>,
    /// None if nobody has answered yet.
    pub verdict: Option<Verdict>,
}

/// The merged answer; a rewritten answer itself is text and stays in its layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Key of the labeled layer.
    pub labeled: String,
    pub outcome: String,
    pub votes: u64,
    pub votes_for: u64,
    pub votes_left: u64,
    pub votes_right: u64,
    pub votes_tie: u64,
    pub votes_both_bad: u64,
    pub mean_rating: Option<f64>,
    pub agreement: Option<f64>,
    pub annotators: Vec<String>,
    pub annotation_ids: Vec<String>,
}
