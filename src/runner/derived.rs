//! Layers that are made of each `redacted` folder on its own: sketches, overlaps with benchmarks.
//!
//! Their folders are keyed by the one that they are made of and by settings, so a new source costs
//! only its own, and nothing that was made is made again.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::Job;
use super::dedup::STAGE;
use super::sink::{SourceTables, TableSink};
use crate::engine::Joins;
use crate::error::{Error, Result};
use crate::layer::{Layer, Made, Redacted};
use crate::store::log::Event;
use crate::store::{FileInfo, Manifest, Staged};

fn is_joined(redacted: &Manifest) -> bool {
    redacted.settings.get(super::join::SOURCES).is_some()
}

impl Job<'_> {
    /// A folder of `L` for each of `redacted`, under these keys; `sql` makes its rows of the table
    /// `redacted`. What is there already is left alone.
    pub(super) async fn derived<L: Layer>(
        &mut self,
        redacted: &[Made<Redacted>],
        keys: Vec<String>,
        sql: &str,
        manifest: impl Fn(&Self, &str, &Manifest, Vec<FileInfo>) -> Result<Manifest>,
    ) -> Result<Vec<Made<L>>> {
        let mut missing = Vec::new();
        for (key, one) in keys.iter().zip(redacted) {
            if self.made::<L>(key)?.is_none() {
                missing.push((key, one));
            }
        }
        let (joined, own): (Vec<_>, Vec<_>) = missing.into_iter().partition(|(_, one)| is_joined(&one.manifest));
        let mut all = self.by_source::<L>(&own, sql).await?;
        for (key, one) in &joined {
            all.push(self.together::<L>(key, one, sql).await?);
        }
        let mut staged = Vec::new();
        for ((key, one), (folder, files)) in own.iter().chain(&joined).zip(all) {
            manifest(self, key, &one.manifest, files)?.write(&folder.staging)?;
            staged.push(folder);
        }
        if !staged.is_empty() {
            self.store.publish(&staged, Event::Layers { run_id: self.run_id(), stage: L::NAME.to_owned() })?;
        }
        let gone = |key: &String| Error::damaged(key, "was not committed");
        keys.iter().map(|key| self.made::<L>(key)?.ok_or_else(|| gone(key))).collect()
    }

    /// All sources in one plan: rows go to the folder of their source.
    async fn by_source<L: Layer>(
        &self,
        missing: &[(&String, &Made<Redacted>)],
        sql: &str,
    ) -> Result<Vec<(Staged, Vec<FileInfo>)>> {
        let stage = |key: &String| self.store.stage(format!("layers/{}/{key}", L::NAME));
        let staged: Vec<Staged> = missing.iter().map(|(key, _)| stage(key)).collect::<Result<_>>()?;
        let source = |one: &Made<Redacted>| one.manifest.inputs.first().cloned().unwrap_or_default();
        let folders: Arc<HashMap<String, PathBuf>> = Arc::new(
            missing.iter().zip(&staged).map(|((_, one), staged)| (source(one), staged.staging.clone())).collect(),
        );
        let files: Vec<PathBuf> = missing.iter().flat_map(|(_, one)| one.files("part")).collect();
        let mut written: HashMap<String, Vec<FileInfo>> = HashMap::new();
        if !files.is_empty() {
            self.engine.table("redacted", Redacted::schema(), &files)?;
            let plan = self.engine.sql(STAGE, sql, Joins::Hash).await?;
            let sink = |partition| Ok(SourceTables::new(Arc::clone(&folders), L::schema(), partition));
            for (source_id, file) in self.engine.drain(STAGE, plan, false, sink).await?.into_iter().flatten() {
                written.entry(source_id).or_default().push(file);
            }
        }
        let files = missing.iter().map(|(_, one)| written.remove(&source(one)).unwrap_or_default());
        Ok(staged.into_iter().zip(files.collect::<Vec<_>>()).collect())
    }

    /// Rows of a joined folder come from many sources and go to one place.
    async fn together<L: Layer>(&self, key: &str, one: &Made<Redacted>, sql: &str) -> Result<(Staged, Vec<FileInfo>)> {
        let staged = self.store.stage(format!("layers/{}/{key}", L::NAME))?;
        self.engine.table("redacted", Redacted::schema(), &one.files("part"))?;
        let plan = self.engine.sql(STAGE, sql, Joins::Hash).await?;
        let part = |partition| TableSink::create(&staged.staging, &format!("part-{partition:05}"), &L::schema());
        let files = self.engine.drain(STAGE, plan, false, part).await?;
        Ok((staged, files))
    }
}
