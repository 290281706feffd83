//! The files of a model's folder, read whole and held to their digest.
//!
//! Always: nothing of a file is used before the digest of all of them was right, and what is used
//! are the bytes that were hashed.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

pub const GRAPH: &str = "model.onnx";
/// Weights beside the graph, under the names that exporters give them.
pub const WEIGHTS: [&str; 2] = ["model.onnx.data", "model.onnx_data"];
const TOKENIZER: &str = "tokenizer.json";
const CONFIG: &str = "config.json";

pub struct Files {
    pub graph: Vec<u8>,
    /// By name.
    pub weights: Vec<(&'static str, Arc<[u8]>)>,
    pub tokenizer: Vec<u8>,
    /// Names of labels, in the order of the scores.
    pub labels: Vec<String>,
}

/// Reads them; the error names the file, or the digest that they have.
pub fn read(folder: &Path, digest: &str) -> Result<Files, String> {
    let read =
        |name: &str| std::fs::read(folder.join(name)).map_err(|err| format!("{}: {err}", folder.join(name).display()));
    let (config, graph, tokenizer) = (read(CONFIG)?, read(GRAPH)?, read(TOKENIZER)?);
    let beside = WEIGHTS.into_iter().filter(|name| folder.join(name).exists());
    let weights = beside.map(|name| Ok((name, read(name)?))).collect::<Result<Vec<_>, String>>()?;
    let mut all = vec![(CONFIG, &config), (GRAPH, &graph)];
    all.extend(weights.iter().map(|(name, bytes)| (*name, bytes)));
    all.push((TOKENIZER, &tokenizer));
    let found = digest_of(&all);
    if found != digest {
        return Err(format!("{}: its digest is {found}, not the pipeline's {digest}", folder.display()));
    }
    let weights = weights.into_iter().map(|(name, bytes)| (name, Arc::from(bytes))).collect();
    let labels = labels(&config).ok_or_else(|| {
        format!("{}: has no id2label with a name for each number from 0 on", folder.join(CONFIG).display())
    })?;
    Ok(Files { graph, weights, tokenizer, labels })
}

/// Over names and contents, in the order of names.
fn digest_of(files: &[(&str, &Vec<u8>)]) -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in files {
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }
    format!("blake3:{}", hasher.finalize())
}

/// `{"id2label": {"0": "O", "1": "B-PER", …}}`
fn labels(config: &[u8]) -> Option<Vec<String>> {
    let config: Value = serde_json::from_slice(config).ok()?;
    let names = config.get("id2label")?.as_object()?;
    (0..names.len()).map(|id| names.get(&id.to_string())?.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_byte_is_another_model() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        for (name, text) in [(GRAPH, "graph"), (TOKENIZER, "{}"), (CONFIG, r#"{"id2label":{"1":"B-A","0":"O"}}"#)] {
            let error = read(folder.path(), "").err().unwrap();
            assert!(error.contains(folder.path().to_str().unwrap()), "{error}");
            write(name, text);
        }
        let error = read(folder.path(), "blake3:00").err().unwrap();
        let digest = error.split("digest is ").nth(1).unwrap().split(',').next().unwrap().to_owned();
        assert_eq!(digest.len(), "blake3:".len() + 64);
        assert_eq!(read(folder.path(), &digest).unwrap().labels, ["O", "B-A"]);
        write(WEIGHTS[1], "weights");
        let error = read(folder.path(), &digest).err().unwrap();
        assert!(error.contains(&digest) && error.contains("its digest is blake3:"), "{error}");
    }

    #[test]
    fn labels_are_numbered_from_zero_on() {
        for (config, expected) in [
            (r#"{"id2label":{"0":"O","2":"B-A"}}"#, None),
            (r#"{"id2label":["O"]}"#, None),
            ("{}", None),
            (r#"{"id2label":{"10":"x","0":"O"}}"#, None),
            (r#"{"id2label":{"0":"O"}}"#, Some(vec!["O".to_owned()])),
        ] {
            assert_eq!(labels(config.as_bytes()), expected, "{config}");
        }
    }
}
