//! ingest and redact, one step: every source that has no `redacted` folder gets one, and with it
//! its sketches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{AsArray, RecordBatch};

use super::dedup::sketch_key;
use super::outcome::RejectPlace;
use super::sample::clear_tmp;
use super::sink::text;
use super::{Job, StageOutcome};
use crate::canon;
use crate::config::Loaded;
use crate::engine::Sink;
use crate::engine::scan::{LogScan, ScanSpec};
use crate::engine::sources::SourceFile;
use crate::engine::written::{FIRST_REJECTS, Folders, Written};
use crate::error::{Error, Result};
use crate::layer::{Layer, Made, Redacted, Sketch};
use crate::record::ProjectKey;
use crate::stages::ingest::{self, READER_VERSION};
use crate::stages::redact::{self, RULES_VERSION, Refusal};
use crate::store::log::Event;
use crate::store::{FileInfo, Manifest, Staged, manifest};

impl Job<'_> {
    pub(super) async fn ingest(&mut self, sources: &[SourceFile]) -> Result<Vec<Made<Redacted>>> {
        let began = Instant::now();
        let (made, cached, places) = self.redacted(sources).await?;
        let mut stage = summary("ingest", &made);
        let findings = std::mem::take(&mut stage.counts);
        stage.cached = cached;
        stage.first_rejects = places;
        let kept = stage.kept;
        self.told(stage, began);
        let redact =
            StageOutcome { stage: "redact", records_read: kept, kept, counts: findings, cached, ..Default::default() };
        self.told(redact, Instant::now());
        Ok(made)
    }

    /// A redacted folder for each source; whether all were there, and the first rejects of the others.
    pub(super) async fn redacted(
        &mut self,
        sources: &[SourceFile],
    ) -> Result<(Vec<Made<Redacted>>, bool, Vec<RejectPlace>)> {
        let keyed: Vec<(String, &SourceFile)> =
            sources.iter().map(|source| (redacted_key(self.loaded, &self.key, source), source)).collect();
        let mut missing = Vec::new();
        for (key, source) in &keyed {
            if self.made::<Redacted>(key)?.is_none() {
                missing.push((key.clone(), *source));
            }
        }
        let bytes: u64 = missing.iter().map(|(_, source)| source.bytes).sum();
        let places = self.scan(&missing, bytes).await?;
        let made: Vec<Made<Redacted>> = keyed
            .iter()
            .map(|(key, _)| self.made::<Redacted>(key)?.ok_or_else(|| Error::damaged(key.clone(), "was not committed")))
            .collect::<Result<_>>()?;
        Ok((made, missing.is_empty(), places))
    }

    async fn scan(&mut self, missing: &[(String, &SourceFile)], bytes: u64) -> Result<Vec<RejectPlace>> {
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        self.canaries()?;
        let staged: Vec<NewSource> = missing.iter().map(|(key, _)| self.stage_source(key)).collect::<Result<_>>()?;
        let folder =
            |(_, source): &(String, &SourceFile), one: &NewSource| Ok((source.source_id.clone(), one.folders()?));
        let folders = missing.iter().zip(&staged).map(|(source, one)| folder(source, one)).collect::<Result<_>>()?;
        let spec = ScanSpec {
            limits: self.loaded.pipeline.ingest.limits,
            tokenizer: self.loaded.pipeline.ingest.tokenizer,
            redact: self.loaded.pipeline.redact.clone(),
            key_fingerprint: self.key.fingerprint().to_string(),
            batch_rows: self.batch_rows,
            sketch: self.settings(),
            folders,
        };
        let splits = missing.iter().flat_map(|(_, source)| source.splits.clone()).collect();
        let scan = LogScan::new(spec, splits, Some(self.key.clone()));
        self.progress.begin("ingest", bytes, Arc::clone(&scan.bytes_read));
        let plan = self.engine.logs(scan)?;
        let parts = self.engine.drain("ingest", plan, true, |_| Ok(Told::default())).await?;
        let mut written: BTreeMap<String, Written> = BTreeMap::new();
        for (source_id, part) in parts.into_iter().flatten() {
            written.entry(source_id).or_default().add(part);
        }
        let (mut made, mut places) = (Vec::new(), Vec::new());
        for (key, source) in missing {
            let mut one = written.remove(&source.source_id).unwrap_or_default();
            places.extend(one.first_rejects.iter().map(|place| reject_place(source, place)));
            let sketches = std::mem::take(&mut one.sketches);
            made.push((self.redacted_manifest(key, source, one)?, sketches));
        }
        self.check_rejects(made.iter().map(|(manifest, _)| manifest))?;
        self.commit(staged, made, "ingest")?;
        places.truncate(4 * FIRST_REJECTS);
        Ok(places)
    }

    /// The text is in hand, so sketches are made on the way, if there are none yet.
    pub(super) fn stage_source(&mut self, key: &str) -> Result<NewSource> {
        let rows = self.store.stage(format!("layers/{}/{key}", Redacted::NAME))?;
        let vault = self.loaded.pipeline.redact.vault.as_ref().map(|folder| folder.join(key));
        let key = sketch_key(self.loaded, key);
        let sketch = match self.made::<Sketch>(&key)? {
            Some(_) => None,
            None => Some(self.store.stage(format!("layers/{}/{key}", Sketch::NAME))?),
        };
        Ok(NewSource { rows, sketch: sketch.map(|staged| (key, staged)), vault })
    }

    pub(super) fn commit(
        &mut self,
        staged: Vec<NewSource>,
        made: Vec<(Manifest, Vec<FileInfo>)>,
        stage: &str,
    ) -> Result<()> {
        let mut all = Vec::new();
        for (source, (manifest, sketches)) in staged.into_iter().zip(made) {
            // Of tasks that a cluster gave up.
            clear_tmp(&source.rows.staging)?;
            manifest.write(&source.rows.staging)?;
            all.push(source.rows);
            if let Some((key, staged)) = source.sketch {
                clear_tmp(&staged.staging)?;
                self.sketch_manifest(&key, &manifest, sketches)?.write(&staged.staging)?;
                all.push(staged);
            }
        }
        self.store.publish(&all, Event::Layers { run_id: self.run_id(), stage: stage.to_owned() })
    }

    fn redacted_manifest(&self, key: &str, source: &SourceFile, mut one: Written) -> Result<Manifest> {
        if one.splits != source.splits.len() as u64 {
            let what = format!("{} of {} splits came to their end", one.splits, source.splits.len());
            return Err(Error::damaged(source.location.to_string(), what));
        }
        let books = &mut one.books;
        books.bytes = source.bytes;
        // Cut before anything was judged; ids show that none of the kept came twice.
        books.records_read = one.cut + one.extra;
        books.balance("ingest", one.distinct + books.rejects() + books.drops())?;
        one.files.sort_by(|a, b| a.path.cmp(&b.path));
        // So that a trace from another folder finds the file.
        let absolute = source.location.absolute().map_err(|err| Error::reading(&source.location, &err))?;
        Ok(Manifest {
            layer: Redacted::NAME.to_owned(),
            layer_version: Redacted::VERSION,
            key: key.to_owned(),
            inputs: vec![source.source_id.clone()],
            settings: serde_json::json!({
                "path": absolute.to_string(), "bytes": source.bytes, "compression": source.compression,
                "redact": redact::settings(&self.loaded.pipeline.redact, &self.key), "limits": self.loaded.pipeline.ingest.limits,
                "tokenizer": self.loaded.pipeline.ingest.tokenizer,
                "canaries": self.outcome.canaries.as_ref().map(|recall| recall.all),
            }),
            books: one.books,
            counts: one.counts,
            files: one.files,
        })
    }

    /// Stops before anything is committed if too much of the new sources cannot be read.
    pub(super) fn check_rejects<'m>(&self, new: impl Iterator<Item = &'m Manifest>) -> Result<()> {
        let mut books = crate::store::Books::default();
        new.for_each(|manifest| books.add(&manifest.books));
        let share = books.rejects() as f64 / books.records_read.max(1) as f64;
        if share <= self.loaded.pipeline.ingest.max_reject_share {
            return Ok(());
        }
        let most = books.rejected.iter().max_by_key(|(_, n)| **n).map(|(reason, n)| format!("{reason} ({n})"));
        Err(Error::TooManyRejects {
            rejected: books.rejects(),
            records: books.records_read,
            share: share * 100.0,
            most: most.unwrap_or_default(),
        })
    }
}

/// Staged folders of a source that is read for the first time.
pub(super) struct NewSource {
    pub rows: Staged,
    /// With the key of the sketches.
    sketch: Option<(String, Staged)>,
    vault: Option<std::path::PathBuf>,
}

impl NewSource {
    /// Absolute: an executor may stand in another folder.
    pub fn folders(&self) -> Result<Folders> {
        let absolute =
            |staged: &Staged| std::path::absolute(&staged.staging).map_err(|err| Error::io(&staged.staging, &err));
        let sketch = self.sketch.as_ref().map(|(_, staged)| absolute(staged)).transpose()?;
        Ok(Folders { rows: absolute(&self.rows)?, sketch, vault: self.vault.clone() })
    }
}

/// Takes what the scan says of the splits that it wrote.
#[derive(Default)]
struct Told(Vec<(String, Written)>);

impl Sink for Told {
    type Done = Vec<(String, Written)>;

    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let (sources, written) = (text(&batch, "source_id")?, text(&batch, "written")?);
        for (source_id, json) in
            sources.as_string::<i32>().iter().flatten().zip(written.as_string::<i32>().iter().flatten())
        {
            let unread = |_| Error::damaged(source_id, "the scan's account of it cannot be read");
            self.0.push((source_id.to_owned(), serde_json::from_str(json).map_err(unread)?));
        }
        Ok(())
    }

    fn finish(self) -> Result<Self::Done> {
        Ok(self.0)
    }
}

/// Content of the source, how it is read, what is looked for, and whose key: all that rows depend on.
pub(super) fn redacted_key(loaded: &Loaded, key: &ProjectKey, source: &SourceFile) -> String {
    let pipeline = &loaded.pipeline;
    let settings = serde_json::json!([
        source.settings.format,
        source.settings.messages_key,
        source.settings.mapping,
        source.settings.join,
        pipeline.ingest.limits,
        pipeline.ingest.tokenizer,
        redact::settings(&pipeline.redact, key),
        READER_VERSION,
        RULES_VERSION,
        canon::VERSION,
        key.fingerprint().to_string(),
    ]);
    manifest::key(&[Redacted::NAME, &Redacted::VERSION.to_string(), &source.source_id, &settings.to_string()])
}

fn reject_place(source: &SourceFile, place: &(u64, u64, u64, String)) -> RejectPlace {
    let (line, start_byte, end_byte, reason) = place.clone();
    let advice = ingest::advice(&reason).or_else(|| Refusal::parse(&reason).map(Refusal::advice));
    RejectPlace { source: source.location.to_string(), line, start_byte, end_byte, reason, advice }
}

/// Books and counts of several folders as one stage.
fn summary(stage: &'static str, made: &[Made<Redacted>]) -> StageOutcome {
    let mut books = crate::store::Books::default();
    let mut counts = BTreeMap::new();
    for one in made {
        books.add(&one.manifest.books);
        for (name, n) in &one.manifest.counts {
            *counts.entry(name.clone()).or_default() += n;
        }
    }
    StageOutcome::of(stage, &books, counts)
}
