//! Exports that come with manifests, as Langfuse writes them to blob storage: a file counts once a
//! manifest lists it, because until then it may still be written
//! (langfuse-docs, export-to-blob-storage).
//!
//! Always: what a manifest lists lies in the manifest's own bucket, or below a folder that the
//! manifest lies in; unknown fields of a manifest are passed over.

use std::io::Read;
use std::path::{Component, Path};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::input::Location;

#[derive(Deserialize)]
struct Manifest {
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    key: String,
}

/// A manifest lists the files of an hour or a day; this is far more.
const MANIFEST_BYTES: u64 = 64 << 20;

/// Folder of what people and models said of observations; no conversations.
const SCORES: &str = "scores";

/// What a manifest lists, without scores.
pub fn listed(manifest: &Location) -> Result<Vec<Location>> {
    let damaged = |what: &str| Error::damaged(manifest.to_string(), format!("is no manifest of an export: {what}"));
    let mut text = Vec::new();
    let input = manifest.open().map_err(|err| Error::reading(manifest, &err))?;
    input.take(MANIFEST_BYTES).read_to_end(&mut text).map_err(|err| Error::reading(manifest, &err))?;
    let Manifest { files } = serde_json::from_slice(&text).map_err(|_| damaged("files[].key is missing"))?;
    let mut found = Vec::new();
    for Listed { key } in files.iter().filter(|file| !file.key.split('/').any(|part| part == SCORES)) {
        let stays = Path::new(key).components().all(|part| matches!(part, Component::Normal(_)));
        if !stays {
            return Err(damaged("a key leads out of the export"));
        }
        let missing = || damaged("it lists a file that is not there");
        found.push(beside(manifest, key).ok_or_else(missing)?);
    }
    Ok(found)
}

/// The place of a key: keys count from the bucket, and a copy of an export keeps the folders below.
fn beside(manifest: &Location, key: &str) -> Option<Location> {
    match manifest {
        Location::Object(url) => {
            let root = url.match_indices('/').nth(2).map(|(at, _)| at + 1)?;
            Some(Location::Object(format!("{}{key}", &url[..root])))
        }
        Location::File(path) => {
            path.ancestors().skip(1).map(|folder| folder.join(key)).find(|path| path.is_file()).map(Location::File)
        }
        Location::Stdin => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_manifest_lists_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let below = |name: &str| folder.path().join("p/proj").join(name);
        for name in ["manifests", "observations_v2", "scores"] {
            std::fs::create_dir_all(below(name)).unwrap();
        }
        std::fs::write(below("observations_v2/1.jsonl"), "{}\n").unwrap();
        let manifest = |keys: &str| {
            let path = below("manifests/1.json");
            std::fs::write(&path, format!("{{\"version\":1,\"files\":[{keys}]}}")).unwrap();
            listed(&Location::File(path))
        };
        let observations = r#"{"key":"p/proj/observations_v2/1.jsonl","rows":1}"#;
        let scores = r#"{"key":"p/proj/scores/1.jsonl"}"#;
        assert_eq!(
            manifest(&format!("{observations},{scores}")).unwrap(),
            [Location::File(folder.path().join("p/proj/observations_v2/1.jsonl"))]
        );
        for (keys, hint) in [
            (r#"{"key":"p/proj/observations_v2/2.jsonl"}"#, "not there"),
            (r#"{"key":"../../etc/passwd"}"#, "leads out"),
            (r#"{"key":"/etc/passwd"}"#, "leads out"),
            (r#"{"name":"x"}"#, "files[].key"),
        ] {
            assert!(manifest(keys).unwrap_err().to_string().contains(hint), "{keys}");
        }
        let url = Location::parse("s3://bucket/p/proj/manifests/1.json");
        assert_eq!(beside(&url, "p/proj/o/1.jsonl"), Some(Location::parse("s3://bucket/p/proj/o/1.jsonl")));
    }
}
