//! `gristmill batches`: what was handed to annotators, and handing it out.
//!
//! Always: an export copies and never replaces a file that says something else.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::args::StoreArgs;
use super::out;
use crate::error::{Error, Result};
use crate::report;
use crate::store::{Store, files};
use crate::task::BatchInfo;

#[derive(Debug, Subcommand)]
pub enum Batches {
    /// List the batches of a store
    List(List),
    /// Copy a batch's files to a folder, to load them into a labeling tool
    Export(Export),
}

#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub struct List {
    #[command(flatten)]
    store: StoreArgs,
    /// Print one JSON array instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub struct Export {
    /// The batch, or the first letters of its id
    batch_id: String,
    /// Folder to copy to; made if missing
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
}

const LIST_EXAMPLES: &str = "\
Examples:
  gristmill batches list --store /data/store
  gristmill batches list --pipeline pipelines/quickstart.toml --json";

const EXPORT_EXAMPLES: &str = "\
Examples:
  gristmill batches export 3f2a --to handout --store /data/store
  gristmill batches export 3f2a --to handout --pipeline pipelines/quickstart.toml

Load handout/labeling-config.xml and handout/labelstudio*.json into Label Studio, or give
handout/tasks.jsonl to a tool of your own.";

const INFO: &str = "batch.json";

/// A batch, and where it lies.
#[derive(Debug, Serialize)]
pub struct Listed {
    #[serde(flatten)]
    pub info: BatchInfo,
    pub path: String,
}

pub fn run(args: &Batches) -> Result<()> {
    match args {
        Batches::List(list) => {
            let store = list.store.open()?;
            let listed: Vec<Listed> = folders(&store)?.iter().map(|folder| read(folder)).collect::<Result<_>>()?;
            out::either(list.json, &listed, |listed| {
                report::lists::batches(listed.iter().map(|one| (&one.info, one.path.as_str())))
            })
        }
        Batches::Export(export) => {
            let written = copy(&find(&export.store.open()?, &export.batch_id)?, &export.to)?;
            out::text(&written.iter().map(|path| format!("{}\n", path.display())).collect::<String>())
        }
    }
}

/// Folders of batches, by id.
fn folders(store: &Store) -> Result<Vec<PathBuf>> {
    let root = store.root().join("batches");
    if !root.exists() {
        return Ok(Vec::new());
    }
    let mut folders = entries(&root)?;
    folders.retain(|folder| folder.join(INFO).is_file());
    Ok(folders)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |err: std::io::Error| Error::io(folder, &err);
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

fn read(folder: &Path) -> Result<Listed> {
    let file = folder.join(INFO);
    let bytes = fs::read(&file).map_err(|err| Error::io(&file, &err))?;
    let damaged = |err: serde_json::Error| Error::damaged(file.display().to_string(), format!("line {}", err.line()));
    Ok(Listed { info: serde_json::from_slice(&bytes).map_err(damaged)?, path: folder.display().to_string() })
}

/// The folder of a batch, by its id or by the beginning of exactly one.
fn find(store: &Store, batch_id: &str) -> Result<PathBuf> {
    let id = |folder: &PathBuf| folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let all = folders(store)?;
    let mut fitting: Vec<&PathBuf> = all.iter().filter(|folder| id(folder).starts_with(batch_id)).collect();
    if fitting.iter().any(|folder| id(folder) == batch_id) {
        fitting.retain(|folder| id(folder) == batch_id);
    }
    match fitting[..] {
        [one] => Ok(one.clone()),
        [] => Err(Error::Usage(format!(
            "no batch {batch_id} in {}; see `gristmill batches list`",
            store.root().display()
        ))),
        _ => Err(Error::Usage(format!("{batch_id} fits {} batches; write more of the id", fitting.len()))),
    }
}

/// What a labeling tool needs; the store's own tables stay behind.
fn is_handed_out(name: &str) -> bool {
    matches!(name, INFO | "tasks.jsonl" | "labeling-config.xml")
        || (name.starts_with("labelstudio") && name.ends_with(".json"))
}

fn copy(batch: &Path, to: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(to).map_err(|err| Error::io(to, &err))?;
    let name = |file: &PathBuf| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut sources = entries(batch)?;
    sources.retain(|file| is_handed_out(&name(file)));
    // All are looked at before the first is written, so that two batches never mix.
    let mut copies = Vec::new();
    for source in &sources {
        let target = to.join(name(source));
        let bytes = fs::read(source).map_err(|err| Error::io(source, &err))?;
        if target.exists() && fs::read(&target).map_err(|err| Error::io(&target, &err))? != bytes {
            return Err(Error::Usage(format!(
                "{} is there already and differs; choose another folder",
                target.display()
            )));
        }
        copies.push((target, bytes));
    }
    for (target, bytes) in &copies {
        files::write_whole(target, bytes)?;
    }
    Ok(copies.into_iter().map(|(target, _)| target).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_copies_what_is_handed_out_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two, to) = (folder.path().join("b1"), folder.path().join("b2"), folder.path().join("to"));
        for (batch, text) in [(&one, "1"), (&two, "2")] {
            fs::create_dir(batch).unwrap();
            for name in
                [INFO, "tasks.jsonl", "labelstudio.json", "labeling-config.xml", "part-0.parquet", "manifest.json"]
            {
                fs::write(batch.join(name), text).unwrap();
            }
        }
        assert_eq!(copy(&one, &to).unwrap().len(), 4);
        assert_eq!(copy(&one, &to).unwrap().len(), 4);
        assert!(matches!(copy(&two, &to), Err(Error::Usage(_))));
        assert_eq!(fs::read_to_string(to.join("tasks.jsonl")).unwrap(), "1");
        assert_eq!(entries(&to).unwrap().len(), 4);
    }

    #[test]
    fn a_batch_is_found_by_the_beginning_of_its_id() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for id in ["ab1", "ab12", "cd"] {
            let batch = folder.path().join("batches").join(id);
            fs::create_dir_all(&batch).unwrap();
            fs::write(batch.join(INFO), "{}").unwrap();
        }
        assert!(find(&store, "c").unwrap().ends_with("cd"));
        assert!(find(&store, "ab1").unwrap().ends_with("ab1"));
        for id in ["a", "x", "../batches/cd"] {
            assert!(matches!(find(&store, id), Err(Error::Usage(_))), "{id}");
        }
    }
}
