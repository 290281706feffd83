//! What `pipelines/*.toml` may say. Serde types without logic; `check` holds what serde cannot say.
//!
//! Not here: defaults of the machine (threads, memory), which are flags of the command line.
//!
//! Always: an unknown key or a wrong type is an error that names file, line and key; paths are
//! relative to the pipeline file's folder.

mod against;
mod check;
mod dedup;
mod lists;
mod model;
mod redact;
mod semantic;

use std::path::{Component, Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use against::{Action, Against, Benchmark, Exact};
pub use dedup::{Dedup, Guards, Method, Near, NearPreset};
pub use model::{Aggregation, Model, RUNTIME_VARIABLE, Scheme};
pub use redact::{Deny, Preset, Redact, RedactLimits, Scope};
pub use semantic::{Semantic, SemanticAction};

use crate::error::{Error, Result};
use crate::stages::ingest::join::Join;
use crate::stages::ingest::mapping::Mapping;
use crate::task::Rubric;

/// One pipeline file: one job.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    pub pipeline: About,
    pub ingest: Ingest,
    #[serde(default)]
    pub redact: Redact,
    #[serde(default)]
    pub dedup: Dedup,
    /// Labeling batches to draw, in order; a later one never takes what an earlier one holds.
    #[serde(default)]
    pub sample: Vec<Sample>,
    #[serde(default)]
    pub label: Label,
    #[serde(default)]
    pub dataset: Vec<Dataset>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// All chance comes from this number.
    pub seed: u64,
    /// File with the project's secret; the environment's `GRISTMILL_KEY` wins over it.
    pub key_file: Option<PathBuf>,
    /// Where the store lies; `--store` wins over it.
    pub store: Option<PathBuf>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ingest {
    pub sources: Vec<Source>,
    /// Share of rejected records from which the run stops before anything is committed.
    #[serde(default = "one")]
    pub max_reject_share: f64,
    #[serde(default)]
    pub limits: Limits,
    /// Counts `model_tokens` of each conversation; without it that column is empty.
    pub tokenizer: Option<Tokenizer>,
}

/// Vocabularies of OpenAI's models, under the names that tiktoken gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Tokenizer {
    #[serde(rename = "cl100k_base")]
    Cl100kBase,
    #[serde(rename = "o200k_base")]
    O200kBase,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// A file or a glob, the URL of an object (`s3://`, `gs://`, `az://`; globs too), or `-` for
    /// standard input. What a file is packed in is told by its content, not by its name.
    pub path: String,
    /// Without it each record is told by its keys.
    pub format: Option<Format>,
    /// Key that holds the messages, where it is not `messages`.
    pub messages_key: Option<String>,
    /// How to read a log of no known format: JSON, or a table (CSV, TSV) if it holds no JSON.
    pub mapping: Option<Mapping>,
    /// Which records make one conversation together, for a mapping over `records`.
    pub join: Option<Join>,
    /// The path names manifests of an export (Langfuse): what they list is read, and nothing else.
    #[serde(default)]
    pub manifests: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `{"messages": [{"role", "content", "tool_calls"…}]}`
    OpenaiChat,
    /// `{"conversations": [{"from", "value"}]}`
    Sharegpt,
    /// `{"chosen": "\n\nHuman: …", "rejected": …}`: two records a line.
    Hh,
    /// A request to the chat completions API with its response, batch input, stored completions.
    OpenaiExchange,
    /// The Responses API: `input` and `output` items.
    OpenaiResponses,
    /// The Messages API: `system` outside `messages`, content blocks.
    Anthropic,
    /// LiteLLM's standard logging payload.
    Litellm,
    /// OpenInference spans (Phoenix, Arize).
    Openinference,
    /// OpenTelemetry spans in OTLP JSON with GenAI or OpenInference attributes.
    Otel,
    /// Langfuse observations and trace exports.
    Langfuse,
    /// OASST message trees, or rows of one message each: a conversation for each path to a leaf.
    Oasst,
    /// Rows of Azure API Management's `ApiManagementGatewayLlmLog`, joined by `CorrelationId`.
    AzureApim,
    /// WildChat rows.
    Wildchat,
    /// Chatbot Arena pairs with their vote.
    Arena,
    /// Instruction and answer in columns (Alpaca, Dolly and the like).
    Instruction,
    /// TRL rows: prompt with completion, or with chosen and rejected.
    Trl,
    /// Benchmark questions and judged answers (MT-bench, PandaLM).
    Judged,
    /// Calls of Amazon Bedrock: its model invocation log, recorded exchanges.
    Bedrock,
    /// Recorded HTTP with calls of known APIs: HAR files, cassettes of VCR.
    HttpRecording,
}

impl Format {
    /// As the pipeline file writes it.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }

    pub fn parse(name: &str) -> Option<Format> {
        serde_json::from_value(serde_json::Value::from(name)).ok()
    }
}

/// What one record may be at most; more is a counted reject.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub line_bytes: u64,
    pub nesting_depth: u32,
    pub messages: u32,
    /// Bytes that may come out of one compressed file or archive.
    pub decompressed_bytes: u64,
    /// Bytes that may come out for each byte that went in, once 64 MiB are out.
    pub decompression_ratio: u64,
}

impl Default for Limits {
    /// Chosen by feel: the longest public chat records are a few MB, tool schemas nest below 30.
    fn default() -> Self {
        Limits {
            line_bytes: 16 << 20,
            nesting_depth: 64,
            messages: 4096,
            // Text packs 3 to 10 times; a day of equal lines perhaps 200 times.
            decompressed_bytes: 1 << 40,
            decompression_ratio: 1000,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Name of the batch series.
    pub name: String,
    /// Rubric file; it says which task this is.
    pub rubric: PathBuf,
    /// Tasks to draw at most.
    pub rows: u64,
    /// SQL expressions over the columns of the deduped layer; their values together are the stratum.
    #[serde(default)]
    pub strata: Vec<String>,
    /// SQL condition over the same columns.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    #[serde(default)]
    pub allocation: Allocation,
    /// Each stratum gets at least this many rows, or all it has.
    #[serde(default)]
    pub min_per_stratum: u64,
}

/// How rows are shared out over strata (Cochran, "Sampling Techniques", ch. 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Allocation {
    #[default]
    Proportional,
    Equal,
    Sqrt,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Label {
    /// Label files that lie ready: our JSONL or Label Studio's JSON export; globs allowed.
    pub files: Vec<String>,
    /// Fewer accepted annotations than this give no verdict.
    pub min_annotations: u32,
    /// RFC 3339; annotations made later are refused as `late`.
    pub deadline: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    pub name: String,
    pub kind: Kind,
    /// `labels`: what people decided; `logs`: what the logs hold (for `preference`: the choice
    /// that the log itself states).
    pub from: From,
    /// `sft` from `rate` labels: the lowest median rating that goes in.
    pub min_rating: Option<u8>,
    /// `sft` from `logs`: SQL condition over the deduped layer.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Share of prompt groups that go to the test split.
    #[serde(default = "tenth")]
    pub test_share: f64,
    /// Publish though one split is empty (that split is then left out).
    #[serde(default)]
    pub allow_empty_split: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Sft,
    Preference,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum From {
    Labels,
    Logs,
}

fn one() -> f64 {
    1.0
}

fn tenth() -> f64 {
    0.1
}

/// A pipeline file, read and checked, with its rubrics.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub file: PathBuf,
    pub folder: PathBuf,
    pub pipeline: Pipeline,
    /// One for each `[[sample]]`, in order.
    pub rubrics: Vec<Rubric>,
}

impl Loaded {
    pub fn read(file: &Path) -> Result<Loaded> {
        let mut pipeline: Pipeline = parse(file)?;
        pipeline.dedup.near.fill().map_err(|what| Error::config(file, what))?;
        let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
        pipeline.check().map_err(|what| Error::config(file, what))?;
        let rubrics =
            pipeline.sample.iter().map(|sample| rubric(&folder.join(&sample.rubric))).collect::<Result<_>>()?;
        let mut loaded = Loaded { file: file.to_path_buf(), folder, pipeline, rubrics };
        loaded.fill_lists()?;
        Ok(loaded)
    }

    /// A path of the file, seen from the working folder, without needless `..`.
    pub fn path(&self, written: impl AsRef<Path>) -> PathBuf {
        let mut clean = PathBuf::new();
        for part in self.folder.join(written).components() {
            match part {
                Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                    clean.pop();
                }
                Component::CurDir => {}
                part => clean.push(part),
            }
        }
        clean
    }
}

fn rubric(file: &Path) -> Result<Rubric> {
    let rubric: Rubric = parse(file)?;
    rubric.check().map_err(|what| Error::config(file, what))?;
    Ok(rubric)
}

/// TOML to a type; the error names file, line, column and key.
fn parse<T: for<'de> Deserialize<'de>>(file: &Path) -> Result<T> {
    let text = std::fs::read_to_string(file).map_err(|err| match err.kind() {
        std::io::ErrorKind::NotFound => Error::config(file, "no such file"),
        _ => Error::config(file, format!("cannot be read: {err}")),
    })?;
    toml::from_str(&text).map_err(|err| {
        let line = err.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        let what = match err.span().and_then(|span| key_at(&text, span.start)) {
            Some(key) if !err.message().contains('`') || err.message().starts_with("unknown variant") => {
                format!("{key}: {}", err.message())
            }
            _ => err.message().to_owned(),
        };
        Error::config(format!("{}:{line}", file.display()), what)
    })
}

/// The key of the line that a byte lies in.
fn key_at(text: &str, byte: usize) -> Option<&str> {
    let before = text.get(..byte)?;
    let line = &text[before.rfind('\n').map_or(0, |at| at + 1)..];
    let key = line.split('=').next()?.trim();
    (line.contains('=') && !key.is_empty() && !key.contains(['\n', '{'])).then_some(key)
}
