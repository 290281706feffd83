//! Where everything lies: plain immutable folders, a lock, and a log whose entries commit.
//!
//! Not here: what the files mean (`layer`), when to write them (`runner`).
//!
//! Always: what is published appears whole or not at all. It is written to `staging/`, synced,
//! then one log entry, put only if absent, commits it; moving it into place can be redone from
//! that entry by any later run. A folder that is in place is never changed.

pub mod files;
pub mod log;
pub mod manifest;
pub mod parquet;
pub mod release;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use log::{Entry, Event, Log};
pub use manifest::{Books, FileInfo, Manifest};

/// Version of the folder layout.
/// - 1: first release.
const STORE_VERSION: u32 = 1;
const MARK: &str = "gristmill.json";
const LOCK: &str = "lock";
const STAGING: &str = "staging";

#[derive(Serialize, Deserialize)]
struct Mark {
    store_version: u32,
}

/// An open store. With a lock it can publish; without, it only reads.
pub struct Store {
    root: PathBuf,
    log: Log,
    /// Held as long as the store is open for writing.
    _lock: Option<File>,
}

/// A folder written aside, and where it goes.
pub struct Staged {
    pub staging: PathBuf,
    /// Below the root.
    pub target: PathBuf,
}

impl Store {
    /// Opens for writing: creates what is missing, takes the lock, finishes what a crash left.
    pub fn open(root: &Path) -> Result<Store> {
        fs::create_dir_all(root).map_err(|err| Error::io(root, &err))?;
        check_version(root)?;
        let lock = lock(root)?;
        if !root.join(MARK).exists() {
            files::write_whole(&root.join(MARK), &to_json(&Mark { store_version: STORE_VERSION })?)?;
        }
        let log = Log::open(&root.join("log"))?;
        let store = Store { root: root.to_path_buf(), log, _lock: Some(lock) };
        store.recover()?;
        Ok(store)
    }

    /// Opens for reading; takes no lock and writes nothing.
    pub fn read(root: &Path) -> Result<Store> {
        if !root.join(MARK).exists() {
            return Err(Error::config(root, "is no store; `gristmill run PIPELINE.toml` makes one"));
        }
        check_version(root)?;
        Ok(Store { root: root.to_path_buf(), log: Log::open(&root.join("log"))?, _lock: None })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    pub fn layer_dir(&self, layer: &str, key: &str) -> PathBuf {
        self.root.join("layers").join(layer).join(key)
    }

    /// A committed layer's manifest, if there is one: the same key is already done.
    pub fn layer(&self, layer: &str, key: &str) -> Result<Option<Manifest>> {
        let file = self.layer_dir(layer, key).join(manifest::FILE);
        if file.exists() { Manifest::read(&file).map(Some) } else { Ok(None) }
    }

    /// An empty folder to write `target` in; what a crashed run left there is thrown away.
    pub fn stage(&self, target: impl Into<PathBuf>) -> Result<Staged> {
        let target = target.into();
        let name = target.to_string_lossy().replace(['/', '\\'], "~");
        let staging = self.root.join(STAGING).join(name);
        if staging.exists() {
            fs::remove_dir_all(&staging).map_err(|err| Error::io(&staging, &err))?;
        }
        fs::create_dir_all(&staging).map_err(|err| Error::io(&staging, &err))?;
        Ok(Staged { staging, target })
    }

    /// The commit point: all folders or none.
    pub fn publish(&mut self, staged: &[Staged], event: Event) -> Result<()> {
        staged.iter().try_for_each(|one| files::sync_tree(&one.staging))?;
        files::sync_dir(&self.root.join(STAGING))?;
        let moves = staged.iter().map(|one| self.entry_move(one)).collect::<Result<_>>()?;
        self.log.append(Entry { moves, event })?;
        staged.iter().try_for_each(|one| self.place(&one.staging, &one.target))
    }

    fn entry_move(&self, one: &Staged) -> Result<log::Move> {
        let below = |path: &Path| path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned();
        let manifest = one.staging.join(manifest::FILE);
        let manifest_blake3 = if manifest.exists() { Some(files::blake3_hex(&manifest)?) } else { None };
        Ok(log::Move { from: below(&one.staging), to: one.target.to_string_lossy().into_owned(), manifest_blake3 })
    }

    /// Moves a committed folder into place. Done twice, it does nothing the second time.
    fn place(&self, staging: &Path, target: &Path) -> Result<()> {
        let target = self.root.join(target);
        if target.exists() {
            return Ok(());
        }
        let parent = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(|err| Error::io(parent, &err))?;
        fs::rename(staging, &target).map_err(|err| Error::io(&target, &err))?;
        files::sync_dir(parent)
    }

    /// Redoes the moves of the last entry and clears what was never committed.
    fn recover(&self) -> Result<()> {
        if let Some(last) = self.log.last()? {
            for step in &last.moves {
                let staging = self.root.join(&step.from);
                if staging.exists() {
                    self.place(&staging, Path::new(&step.to))?;
                } else if !self.root.join(&step.to).exists() {
                    let what = "is committed but gone; restore it from a copy, or begin again in another --store";
                    return Err(Error::damaged(self.root.join(&step.to).display().to_string(), what));
                }
            }
        }
        let staging = self.root.join(STAGING);
        if staging.exists() {
            fs::remove_dir_all(&staging).map_err(|err| Error::io(&staging, &err))?;
        }
        fs::create_dir_all(&staging).map_err(|err| Error::io(&staging, &err))
    }
}

fn check_version(root: &Path) -> Result<()> {
    let file = root.join(MARK);
    if !file.exists() {
        return Ok(());
    }
    let bytes = fs::read(&file).map_err(|err| Error::io(&file, &err))?;
    let mark: Mark = serde_json::from_slice(&bytes)
        .map_err(|_| Error::damaged(file.display().to_string(), "not readable as JSON"))?;
    if mark.store_version > STORE_VERSION {
        let what = format!(
            "made by a newer gristmill (store version {}, this one knows {STORE_VERSION}); use that one, or another --store",
            mark.store_version
        );
        return Err(Error::config(root, what));
    }
    Ok(())
}

/// Taken for the life of the process; the operating system frees it on any kind of end.
fn lock(root: &Path) -> Result<File> {
    let path = root.join(LOCK);
    let file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|err| Error::io(&path, &err))?;
    match file.try_lock() {
        Ok(()) => {
            // Only to say who holds it; nothing depends on it.
            let _ = fs::write(&path, format!("process {}", std::process::id()));
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).ok().filter(|text| !text.is_empty());
            let holder = holder.unwrap_or_else(|| "another process".to_owned());
            Err(Error::StoreInUse { store: root.display().to_string(), holder })
        }
        Err(TryLockError::Error(err)) => Err(Error::io(&path, &err)),
    }
}

/// JSON as the store writes it: keys in the order of the type, two spaces, a newline at the end.
pub fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|err| Error::damaged("manifest", err.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staged(store: &Store, target: &str) -> Staged {
        let staged = store.stage(target).unwrap();
        fs::write(staged.staging.join("a"), b"x").unwrap();
        staged
    }

    fn event() -> Event {
        Event::Layers { run_id: "r".to_owned(), stage: "s".to_owned() }
    }

    #[test]
    fn a_crash_before_the_commit_leaves_nothing_and_after_it_everything() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let lost = staged(&store, "layers/x/1");
        drop(store);
        let mut store = Store::open(folder.path()).unwrap();
        assert!(!lost.staging.exists() && !folder.path().join("layers/x/1").exists());

        let kept = staged(&store, "layers/x/2");
        let moves = vec![store.entry_move(&kept).unwrap()];
        store.log.append(Entry { moves, event: event() }).unwrap();
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        assert!(folder.path().join("layers/x/2/a").exists());
        drop(store);

        fs::remove_dir_all(folder.path().join("layers/x/2")).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(Error::Damaged { .. })));
    }

    #[test]
    fn a_second_writer_and_a_newer_store_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(Error::StoreInUse { .. })));
        assert!(Store::read(folder.path()).is_ok());
        drop(store);
        fs::write(folder.path().join(MARK), br#"{"store_version": 99}"#).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(Error::Config { .. })));
    }
}
