//! Decontamination: benchmarks are read and redacted as sources are, and each source's records that
//! repeat a row of one are found once and kept as the layer `overlap`.
//!
//! Not here: what counts as repeated (`stages::dedup::against`), the function of the plan
//! (`engine::against`).
//!
//! Always: a benchmark is known by its redacted content, so a changed one is decided anew; of its rows
//! nothing is stored but what was redacted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type, Schema};

use super::Job;
use super::dedup::{Decisions, folder_manifest};
use super::ingest::redacted_key;
use super::rows::Decision;
use super::sink::{arrow_error, numbers, text};
use crate::config::{Action, Against, Exact, Loaded};
use crate::engine::against::Benchmarks;
use crate::engine::sources;
use crate::engine::written::FRAGMENTS;
use crate::error::{Error, Result};
use crate::layer::{Layer, Made, Overlap, Redacted};
use crate::record::ProjectKey;
use crate::stages::dedup::against::{Rule, VERSION, surest};
use crate::stages::dedup::plan;
use crate::store::{Books, FileInfo, Manifest, manifest, parquet};

/// The fate of what repeats a benchmark.
pub(super) const CONTAMINATED: &str = "contaminated";

/// Key in the settings of an overlap folder: rows of each benchmark.
const ROWS: &str = "rows";

impl Job<'_> {
    /// What repeats benchmarks, for every source on its own; nothing if there are none.
    pub(super) async fn overlaps(&mut self, redacted: &[Made<Redacted>]) -> Result<Vec<Made<Overlap>>> {
        let Some(against) = self.loaded.pipeline.dedup.against.clone() else { return Ok(Vec::new()) };
        let (mut files, mut rows, mut keys) = (Vec::new(), BTreeMap::new(), Vec::new());
        for benchmark in &against.benchmarks {
            let sources = sources::discover(self.loaded, &benchmark.sources)?;
            let made = self.redacted(&sources).await?.0;
            if made.iter().any(|one| !one.files(FRAGMENTS).is_empty()) {
                let what = format!("dedup.against, {}: its rows lie in several records each", benchmark.name);
                return Err(Error::config(&self.loaded.file, what));
            }
            let kept = made.iter().map(|one| one.manifest.books.kept).sum::<u64>();
            if kept == 0 {
                let what = format!("dedup.against, {}: holds no row that can be read", benchmark.name);
                return Err(Error::config(&self.loaded.file, what));
            }
            let absolute = |path| std::path::absolute(&path).map_err(|err| Error::io(&path, &err));
            let parts = made.iter().flat_map(|one| one.files("part")).map(absolute).collect::<Result<Vec<_>>>()?;
            files.push((benchmark.name.clone(), parts));
            rows.insert(benchmark.name.clone(), kept);
            keys.push((benchmark.name.clone(), made.into_iter().map(|one| one.manifest.key).collect()));
        }
        self.progress.begin("dedup", 0, Arc::default());
        let told = serde_json::json!({ "against": against, "benchmarks": keys, ROWS: rows });
        let keys = redacted.iter().map(|one| overlap_key(&against, &keys, &one.manifest.key)).collect();
        let spec = serde_json::to_string(&spec(&against, files)).map_err(|err| Error::Usage(err.to_string()))?;
        let manifest = |_: &Self, key: &str, one: &Manifest, files: Vec<FileInfo>| {
            let hits = files.iter().map(|file| file.rows).sum();
            // Every record was looked at; how many rows of benchmarks were met is another number.
            let books = Books { records_read: one.books.kept, kept: one.books.kept, ..Default::default() };
            let counts = BTreeMap::from([("overlaps".to_owned(), hits)]);
            Ok(folder_manifest::<Overlap>(key, vec![one.key.clone()], told.clone(), books, counts, files))
        };
        self.derived(redacted, keys, &plan::overlaps(&spec), manifest).await
    }

    /// Decisions about records that repeat a benchmark, where they are to be dropped.
    pub(super) fn barred(&self, repeats: &Repeats) -> Decisions {
        let action = self.loaded.pipeline.dedup.against.as_ref().map(|against| against.action);
        if action != Some(Action::Drop) {
            return Decisions::new();
        }
        let decided = |(record, one): (&String, &Repeat)| (record.clone(), one.decision());
        repeats.records.iter().map(decided).collect()
    }
}

fn spec(against: &Against, files: Vec<(String, Vec<std::path::PathBuf>)>) -> Benchmarks {
    let asked = |what: Exact| against.exact.contains(&what);
    Benchmarks {
        prompt: asked(Exact::Prompt),
        answer: asked(Exact::Answer),
        ngram_words: against.ngram_words,
        min_overlap: against.min_overlap,
        files,
    }
}

/// Keys of the redacted folders of each benchmark, in the order of the pipeline.
type Keys = Vec<(String, Vec<String>)>;

/// Of what one source's records repeat. The action is no part of it: it decides later.
fn overlap_key(against: &Against, benchmarks: &Keys, redacted: &str) -> String {
    let Against { exact, ngram_words, min_overlap, .. } = against;
    let settings = serde_json::json!([exact, ngram_words, min_overlap, benchmarks, VERSION]).to_string();
    manifest::key(&[Overlap::NAME, &Overlap::VERSION.to_string(), redacted, &settings])
}

/// The same before anything is made, from what the files hold.
pub(super) fn overlap_keys(loaded: &Loaded, key: &ProjectKey, redacted: &[String]) -> Result<Vec<String>> {
    let Some(against) = &loaded.pipeline.dedup.against else { return Ok(Vec::new()) };
    let mut keys = Keys::new();
    for one in &against.benchmarks {
        let sources = sources::discover(loaded, &one.sources)?;
        keys.push((one.name.clone(), sources.iter().map(|source| redacted_key(loaded, key, source)).collect()));
    }
    Ok(redacted.iter().map(|one| overlap_key(against, &keys, one)).collect())
}

/// The row that a record repeats most surely.
struct Repeat {
    conversation_id: String,
    benchmark: String,
    row: String,
    rule: Rule,
    overlap: f64,
}

impl Repeat {
    fn is_surer(&self, than: &Repeat) -> bool {
        surest((self.rule, self.overlap), (than.rule, than.overlap)).is_lt()
    }

    fn decision(&self) -> Decision {
        let how = match self.rule {
            Rule::Conversation => "same conversation as".to_owned(),
            Rule::Prompt => "same prompt as".to_owned(),
            Rule::Answer => "same answer as".to_owned(),
            Rule::Ngrams => format!("holds {:.0} % of the n-grams of", 100.0 * self.overlap),
        };
        let rule = format!("{how} row {} of {}", self.row, self.benchmark);
        Decision::contaminated(self.conversation_id.clone(), rule, self.overlap)
    }
}

/// What all sources repeat.
#[derive(Default)]
pub(super) struct Repeats {
    records: BTreeMap<String, Repeat>,
    /// Records and rows of each benchmark that met.
    met: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>,
}

impl Repeats {
    pub fn read(overlaps: &[Made<Overlap>]) -> Result<Repeats> {
        let mut repeats = Repeats::default();
        for file in overlaps.iter().flat_map(|one| one.files("part")) {
            let names = ["record_id", "conversation_id", "benchmark", "row", "row_record", "rule", "overlap"];
            parquet::read(&file, &names, &mut |batch| repeats.add(&batch))?;
        }
        Ok(repeats)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let named = |name| text(batch, name);
        let (records, ids, benchmarks) = (named("record_id")?, named("conversation_id")?, named("benchmark")?);
        let (rows, row_records, rules) = (named("row")?, named("row_record")?, named("rule")?);
        let overlaps = numbers::<Float64Type>(batch, "overlap")?;
        let at = |column: &ArrayRef, i: usize| column.as_string::<i32>().value(i).to_owned();
        for i in 0..batch.num_rows() {
            let (record, benchmark) = (at(&records, i), at(&benchmarks, i));
            let met = self.met.entry(benchmark.clone()).or_default();
            met.0.insert(record.clone());
            met.1.insert(at(&row_records, i));
            let (row, overlap) = (at(&rows, i), overlaps.value(i));
            let rule =
                Rule::parse(&at(&rules, i)).ok_or_else(|| Error::damaged(&record, "repeats by an unknown rule"))?;
            let repeat = Repeat { conversation_id: at(&ids, i), benchmark, row, rule, overlap };
            // Rows come in the order of the pipeline's benchmarks, so the first of the surest stays.
            if self.records.get(&record).is_none_or(|before| repeat.is_surer(before)) {
                self.records.insert(record, repeat);
            }
        }
        Ok(())
    }

    /// Rows of each benchmark, those that were met, and the records that met them.
    pub fn counts(&self, overlaps: &[Made<Overlap>]) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let Some(rows) = overlaps.first().and_then(|one| one.manifest.settings[ROWS].as_object()) else {
            return counts;
        };
        for (name, rows) in rows {
            let met = self.met.get(name).map_or((0, 0), |(records, rows)| (records.len(), rows.len()));
            counts.insert(format!("{name}: rows"), rows.as_u64().unwrap_or_default());
            counts.insert(format!("{name}: rows met"), met.1 as u64);
            counts.insert(format!("{name}: records"), met.0 as u64);
        }
        counts
    }

    /// The table `tags` that the plan of kept rows joins.
    pub fn tags(&self, decisions: &Decisions) -> Result<RecordBatch> {
        let kept = || self.records.iter().filter(|(record, _)| !decisions.contains_key(*record));
        let fields = ["b_record", "b_name"].map(|name| Field::new(name, DataType::Utf8, false));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(kept().map(|(record, _)| record))),
            Arc::new(StringArray::from_iter_values(kept().map(|(_, one)| &one.benchmark))),
        ];
        RecordBatch::try_new(Arc::new(Schema::new(fields.to_vec())), columns).map_err(|err| arrow_error("dedup", &err))
    }
}
