//! `gristmill schema`: the contracts of pipeline files, layers and tables.
//!
//! Always: the same code gives the same bytes, whatever features it was built with, so that a
//! frozen file can be compared byte by byte.

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::schema_for;
use serde_json::Value;

use super::out;
use crate::error::{Error, Result};
use crate::layer::{schema_json, tables};
use crate::store::{files, to_json};
use crate::{config, task};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SchemaArgs {
    /// Which one; without it, the list of names
    name: Option<String>,
    /// Write DIR/<name>/v<N>.json, for NAME or for all, and print the paths
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  gristmill schema
  gristmill schema pipeline > pipeline.schema.json
  gristmill schema sft
  gristmill schema --write schemas";

/// Version of what pipeline and rubric files may say.
/// - 1: first release.
const FILES_VERSION: u32 = 1;

/// A contract as it is frozen.
pub struct Contract {
    pub name: &'static str,
    pub version: u32,
    pub json: Vec<u8>,
}

pub fn run(args: &SchemaArgs) -> Result<()> {
    let mut contracts = all()?;
    if let Some(name) = &args.name {
        contracts.retain(|one| one.name == name);
        if contracts.is_empty() {
            return Err(Error::Usage(format!("no schema is called {name:?}; `gristmill schema` lists the names")));
        }
    }
    match (&args.write, &args.name) {
        (Some(folder), _) => contracts.iter().try_for_each(|one| write(folder, one)),
        (None, None) => {
            out::text(&contracts.iter().map(|one| format!("{} v{}\n", one.name, one.version)).collect::<String>())
        }
        (None, Some(_)) => contracts.iter().try_for_each(|one| out::text(&String::from_utf8_lossy(&one.json))),
    }
}

/// Pipeline and rubric files, then layers, then tables.
pub fn all() -> Result<Vec<Contract>> {
    let files = [("pipeline", schema_for!(config::Pipeline)), ("rubric", schema_for!(task::Rubric))];
    let mut contracts = Vec::new();
    for (name, schema) in files {
        contracts.push(Contract { name, version: FILES_VERSION, json: to_json(&sorted(schema.to_value()))? });
    }
    for (name, version, schema) in tables::all() {
        contracts.push(Contract { name, version, json: to_json(&schema_json::table(name, version, &schema))? });
    }
    Ok(contracts)
}

/// Keys in byte order: their own order hangs on a feature of `serde_json` that any dependency may
/// switch on.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn write(folder: &Path, contract: &Contract) -> Result<()> {
    let folder = folder.join(contract.name);
    std::fs::create_dir_all(&folder).map_err(|err| Error::io(&folder, &err))?;
    let file = folder.join(format!("v{}.json", contract.version));
    files::write_whole(&file, &contract.json)?;
    out::text(&format!("{}\n", file.display()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_contract_has_its_own_name_and_is_json() {
        let contracts = all().unwrap();
        let names: HashSet<_> = contracts.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), contracts.len());
        for one in &contracts {
            let json: Value = serde_json::from_slice(&one.json).unwrap();
            assert!(json.is_object(), "{}", one.name);
        }
        assert!(names.is_superset(&HashSet::from(["pipeline", "rubric", "redacted", "sft", "lineage"])));
    }
}
