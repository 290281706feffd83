//! What a pipeline says about a token classifier that lies in a local folder.
//!
//! Not here: running it (`token_classifier`), which types its labels mean (`stages::redact`).
//!
//! Always: its files and the runtime are named by digest, so the same settings give the same model.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Loaded;
use crate::error::{Error, Result};

/// The environment's name for the runtime, where the pipeline names none; as `ort` has it.
pub const RUNTIME_VARIABLE: &str = "ORT_DYLIB_PATH";

/// A token classifier (NER model) in ONNX, beside the rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Folder with `model.onnx` (and `model.onnx_data`, if its weights lie apart), `tokenizer.json`
    /// and `config.json`, whose `id2label` names the labels.
    pub path: PathBuf,
    /// `blake3:` and 64 hexadecimal digits, over these files; where it is another, nothing is read
    /// and the message says which it is.
    pub digest: String,
    /// The ONNX Runtime library (`libonnxruntime.so`); left out: `ORT_DYLIB_PATH` of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<PathBuf>,
    /// BLAKE3 of that library, written like `digest`; left out: whichever lies there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_digest: Option<String>,
    /// Entities that are less likely than this are left alone, 0 to 1.
    #[serde(default = "half")]
    pub min_score: f64,
    /// Types of labels, without their `B-` or `I-`, that are not known or mean something else here:
    /// `{ GIVENNAME = "PERSON", MISC = "none" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub scheme: Scheme,
    #[serde(default)]
    pub aggregation: Aggregation,
    /// Tokens that the model sees at once, `[CLS]` and the like included.
    #[serde(default = "window")]
    pub window_tokens: u32,
    /// Tokens of a window that the next one sees again.
    #[serde(default = "overlap")]
    pub overlap_tokens: u32,
    /// Texts that are classified at the same time; each costs the memory of the weights.
    #[serde(default = "one")]
    pub sessions: u32,
}

/// How labels tell where an entity begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// As the labels look: with `E-` and `S-` BIOES, with `B-` BIO, else IO.
    #[default]
    Auto,
    /// Begin, inside, outside, end, single; also written BILOU.
    Bioes,
    /// Every entity begins with `B-` (IOB2).
    Bio,
    /// `B-` only where an entity follows one of its type (as in CoNLL-2003).
    Iob1,
    /// Neighbours of one type are one entity.
    Io,
}

/// Which tokens of a word have a say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    #[default]
    Token,
    /// The first of each word, for models that were trained on first tokens only.
    First,
}

fn half() -> f64 {
    0.5
}

/// What BERT and most of its kin were trained with.
fn window() -> u32 {
    512
}

/// A quarter: 64 tokens on either side of a cut, which is longer than any name or address.
fn overlap() -> u32 {
    128
}

fn one() -> u32 {
    1
}

impl Loaded {
    /// Makes the paths of the model absolute, because an executor may stand in another folder, and
    /// pins the runtime: another one may give other scores.
    pub(super) fn fill_model(&self, model: &mut Model) -> Result<()> {
        let absolute = |path: PathBuf| std::path::absolute(&path).map_err(|err| Error::io(&path, &err));
        model.path = absolute(self.path(&model.path))?;
        if let Some(runtime) = &mut model.runtime {
            *runtime = absolute(self.path(&*runtime))?;
        }
        if model.runtime_digest.is_some() {
            return Ok(());
        }
        let found = model.runtime.clone().or_else(|| std::env::var_os(RUNTIME_VARIABLE).map(PathBuf::from));
        let library = found.ok_or_else(|| {
            let what = format!("redact.model.runtime is missing, and {RUNTIME_VARIABLE} is not set");
            Error::config(&self.file, what)
        })?;
        let bytes = std::fs::read(&library)
            .map_err(|err| Error::config(&self.file, format!("redact.model.runtime: {}: {err}", library.display())))?;
        model.runtime_digest = Some(format!("blake3:{}", blake3::hash(&bytes)));
        Ok(())
    }
}
