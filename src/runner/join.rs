//! Conversations that lie in several records: the fragments of all sources, brought together by
//! their keys, become one more redacted folder.
//!
//! It is keyed by the folders that hold fragments: when one is added, all are joined again, because
//! any of them may complete a conversation.
//!
//! Always: fragments were redacted when they were read, and the whole is redacted once more (law 2).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use super::sink::arrow_error;
use super::{Job, StageOutcome};
use crate::canon;
use crate::config::Loaded;
use crate::engine::Joins;
use crate::engine::join::Joiner;
use crate::engine::sources::SourceFile;
use crate::engine::written::{FRAGMENTS, Written};
use crate::error::{Error, Result};
use crate::layer::tables::Table;
use crate::layer::{Layer, Made, Redacted};
use crate::stages::ingest::READER_VERSION;
use crate::stages::redact::{self, RULES_VERSION, Redactor};
use crate::store::{Manifest, manifest};

const STAGE: &str = "join";

/// Key in the settings of a joined folder: the path of each source by its id.
pub const SOURCES: &str = "sources";

impl Job<'_> {
    /// Adds the folder of joined conversations, if any source has parts of such.
    pub(super) async fn join(&mut self, sources: &[SourceFile], redacted: &mut Vec<Made<Redacted>>) -> Result<()> {
        let began = Instant::now();
        let parts: Vec<Made<Redacted>> =
            redacted.iter().filter(|one| !one.files(FRAGMENTS).is_empty()).cloned().collect();
        if parts.is_empty() {
            return Ok(());
        }
        let key = joined_key(self.loaded, parts.iter().map(|one| one.manifest.key.as_str()));
        let cached = self.made::<Redacted>(&key)?;
        let made = match &cached {
            Some(made) => made.clone(),
            None => self.joined(&key, sources, &parts).await?,
        };
        let mut stage = StageOutcome::of(STAGE, &made.manifest.books, made.manifest.counts.clone());
        stage.cached = cached.is_some();
        self.told(stage, began);
        redacted.push(made);
        Ok(())
    }

    async fn joined(&mut self, key: &str, sources: &[SourceFile], parts: &[Made<Redacted>]) -> Result<Made<Redacted>> {
        self.progress.begin(STAGE, 0, Arc::default());
        let staged = self.stage_source(key)?;
        let files: Vec<_> = parts.iter().flat_map(|one| one.files(FRAGMENTS)).collect();
        self.engine.table(FRAGMENTS, Table::Fragments.schema(), &files)?;
        self.temporary(&staged.rows.staging, "entries", &entries(sources)?)?;
        let sql = "select f.*, case when f.is_global then '' else e.entry end as scope from fragments f \
            join entries e on f.source_id = e.of_source \
            order by group_id, scope, \"order\", start_byte, source_id, element";
        let plan = self.engine.sql(STAGE, sql, Joins::HashWide).await?;
        let pipeline = &self.loaded.pipeline;
        let redactor =
            Redactor::new(&pipeline.redact, &self.key).map_err(|what| Error::config(&self.loaded.file, what))?;
        let joiner =
            Joiner::create(&pipeline.ingest, Arc::new(redactor), &self.key, (staged.folders()?, self.settings()))?;
        let mut written = self.engine.drain_ordered(STAGE, plan, joiner).await?;
        let sketches = std::mem::take(&mut written.sketches);
        let paths: HashMap<&str, String> =
            sources.iter().map(|source| (source.source_id.as_str(), source.location.to_string())).collect();
        let made = self.joined_manifest(key, parts, written, &paths)?;
        self.check_rejects(std::iter::once(&made))?;
        self.commit(vec![staged], vec![(made, sketches)], STAGE)?;
        self.made::<Redacted>(key)?.ok_or_else(|| Error::damaged(key, "was not committed"))
    }

    fn joined_manifest(
        &self,
        key: &str,
        parts: &[Made<Redacted>],
        mut one: Written,
        paths: &HashMap<&str, String>,
    ) -> Result<Manifest> {
        let books = &mut one.books;
        let fragments: u64 = parts.iter().flat_map(|one| one.manifest.table(FRAGMENTS)).map(|file| file.rows).sum();
        // What lies in the files, not what came out of the plan.
        books.records_read = fragments + one.extra;
        books.balance(STAGE, one.distinct + books.folded + books.rejects() + books.drops())?;
        one.files.sort_by(|a, b| a.path.cmp(&b.path));
        let sources: BTreeMap<&str, &str> = parts
            .iter()
            .filter_map(|one| one.manifest.inputs.first())
            .map(|id| (id.as_str(), paths.get(id.as_str()).map_or("", String::as_str)))
            .collect();
        Ok(Manifest {
            layer: Redacted::NAME.to_owned(),
            layer_version: Redacted::VERSION,
            key: key.to_owned(),
            inputs: parts.iter().map(|one| one.manifest.key.clone()).collect(),
            settings: serde_json::json!({
                SOURCES: sources, "redact": redact::settings(&self.loaded.pipeline.redact, &self.key), "limits": self.loaded.pipeline.ingest.limits,
                "tokenizer": self.loaded.pipeline.ingest.tokenizer,
            }),
            books: one.books,
            counts: one.counts,
            files: one.files,
        })
    }
}

/// Which entry of the pipeline names a source.
fn entries(sources: &[SourceFile]) -> Result<RecordBatch> {
    let fields = ["of_source", "entry"].map(|name| Field::new(name, DataType::Utf8, false));
    let column =
        |of: fn(&SourceFile) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(sources.iter().map(of))) };
    let columns = vec![column(|source| &source.source_id), column(|source| &source.settings.path)];
    RecordBatch::try_new(Arc::new(Schema::new(fields.to_vec())), columns).map_err(|err| arrow_error(STAGE, &err))
}

/// The folders with fragments, what they are joined by, and under which rules.
pub(super) fn joined_key<'k>(loaded: &Loaded, parts: impl Iterator<Item = &'k str>) -> String {
    let mut parts: Vec<&str> = parts.collect();
    parts.sort_unstable();
    let entries: Vec<_> =
        loaded.pipeline.ingest.sources.iter().map(|one| (&one.path, &one.join, &one.mapping)).collect();
    let settings = serde_json::json!([
        entries,
        loaded.pipeline.ingest.limits,
        loaded.pipeline.ingest.tokenizer,
        READER_VERSION,
        RULES_VERSION,
        canon::VERSION
    ]);
    manifest::key(&[Redacted::NAME, STAGE, &parts.join(" "), &settings.to_string()])
}
