//! The words of labeling: rubrics, tasks handed to annotators, annotations, verdicts.
//!
//! Not here: how tasks are chosen (`stages::sample`), how answers are read and merged
//! (`stages::label`), where batches lie (`store`).
//!
//! Always: a task carries the rubric version it was made under, and an annotation names the task
//! it answers, so that answers under two rubric versions are never pooled silently (law 7).

use serde::{Deserialize, Serialize};

/// Version of the lines in `tasks.jsonl`.
/// - 1: first release.
pub const TASK_SCHEMA_VERSION: u32 = 1;

/// What an annotator is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TaskType {
    /// Which of two answers to one prompt is better: left, right, tie, both-bad.
    Pairwise,
    /// A whole number from `rate.min` to `rate.max`.
    Rate,
    /// A better last answer, as text.
    Rewrite,
    /// Any number of the rubric's tags.
    Tag,
}

impl TaskType {
    pub const fn as_str(self) -> &'static str {
        match self {
            TaskType::Pairwise => "pairwise",
            TaskType::Rate => "rate",
            TaskType::Rewrite => "rewrite",
            TaskType::Tag => "tag",
        }
    }

    /// The inverse of [`TaskType::as_str`].
    pub fn parse(word: &str) -> Option<TaskType> {
        [TaskType::Pairwise, TaskType::Rate, TaskType::Rewrite, TaskType::Tag]
            .into_iter()
            .find(|task_type| task_type.as_str() == word)
    }
}

/// The four answers to `pairwise`, as `value` spells them.
pub const LEFT: &str = "left";
pub const RIGHT: &str = "right";
pub const TIE: &str = "tie";
pub const BOTH_BAD: &str = "both-bad";
pub const PAIRWISE_ANSWERS: [&str; 4] = [LEFT, RIGHT, TIE, BOTH_BAD];

/// Names of the controls in our Label Studio configuration. `stages::sample` writes them,
/// `stages::label` finds the answers by them; neither imports the other.
pub mod control {
    pub const PREFERENCE: &str = "preference";
    /// Label Studio's Pairwise knows only left and right; this choice overrides it.
    pub const TIE: &str = "tie";
    pub const RATING: &str = "rating";
    pub const REWRITE: &str = "rewrite";
    pub const TAGS: &str = "tags";
    pub const JUSTIFICATION: &str = "justification";
}

/// Keys of `data` in a Label Studio task. All of them come back in the full JSON export.
pub mod data_key {
    pub const TASK_ID: &str = "task_id";
    pub const BATCH_ID: &str = "batch_id";
    pub const RUBRIC: &str = "rubric";
    pub const RUBRIC_VERSION: &str = "rubric_version";
    pub const TASK_SCHEMA_VERSION: &str = "task_schema_version";
    pub const TASK_TYPE: &str = "task_type";
    pub const STRATUM: &str = "stratum";
    /// What is shown, as a list of `role` and `content`.
    pub const DIALOGUE: &str = "dialogue";
    /// `pairwise` only: the two answers as text.
    pub const LEFT: &str = "left";
    pub const RIGHT: &str = "right";
    /// `rewrite` only: what the text box starts with.
    pub const LAST_ANSWER: &str = "last_answer";
}

/// States of an annotation; only submitted answers count.
pub const SUBMITTED: &str = "submitted";
pub const CANCELLED: &str = "cancelled";
pub const DRAFT: &str = "draft";

/// `pipelines/rubrics/*.toml`: what the label means, with a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rubric {
    pub name: String,
    pub version: String,
    pub task: TaskType,
    /// Shown above the answers.
    pub instructions: String,
    /// `rate` only: lowest and highest value.
    pub scale: Option<Scale>,
    /// `tag` only: the closed list.
    #[serde(default)]
    pub tags: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    pub min: u8,
    pub max: u8,
}

/// A message as tasks show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskMessage {
    pub role: String,
    pub content: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// JSON array as text, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<String>,
}

/// One answer to the prompt; `messages` runs to the end of the assistant's turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    pub conversation_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    pub messages: Vec<TaskMessage>,
}

/// One line of `tasks.jsonl`: the whole question, redacted. `responses` holds two for `pairwise`
/// (the first is left, the second right; which is which was drawn by keyed hash), else one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub task_id: String,
    pub batch_id: String,
    pub task_schema_version: u32,
    pub task_type: TaskType,
    pub rubric: String,
    pub rubric_version: String,
    pub stratum: String,
    /// Rows drawn from the stratum / rows in it, in (0, 1].
    pub inclusion_probability: f64,
    pub split_group: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<String>,
    pub prompt: Vec<TaskMessage>,
    pub responses: Vec<Response>,
}

/// `batch.json`: what was handed out. The rubric goes along whole, as it was that day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchInfo {
    pub batch_id: String,
    pub name: String,
    pub pipeline: String,
    pub rubric: Rubric,
    pub task_schema_version: u32,
    pub tasks: u64,
    pub strata: Vec<StratumPlan>,
}

/// How many of how many, for one stratum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StratumPlan {
    pub stratum: String,
    pub available: u64,
    pub drawn: u64,
}

/// What one annotator said. Unified over our JSONL and Label Studio's export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    pub annotation_id: String,
    pub task_id: String,
    #[serde(default)]
    pub batch_id: Option<String>,
    pub annotator_id: String,
    #[serde(default)]
    pub task_type: Option<TaskType>,
    pub value: Option<Answer>,
    /// `submitted`, `cancelled` or `draft`; only submitted answers count.
    #[serde(default = "submitted")]
    pub state: String,
    #[serde(default)]
    pub justification: Option<String>,
    #[serde(default)]
    pub rubric: Option<String>,
    #[serde(default)]
    pub rubric_version: Option<String>,
    /// RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    #[serde(default)]
    pub lead_time_s: Option<f64>,
}

fn submitted() -> String {
    SUBMITTED.to_owned()
}

/// The answer itself. In JSON: a word for `pairwise`, a number for `rate`, text for `rewrite`,
/// a list for `tag`; which one is right is checked against the task, not guessed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    Number(i64),
    Text(String),
    List(Vec<String>),
}
