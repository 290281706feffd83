//! dedup: sketches for every source that has none, then one decision over all of them.
//!
//! The driver holds ids, edges and ranks of records that have a duplicate, never text.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, TimestampMicrosecondType, UInt32Type, UInt64Type};

use super::against::Repeats;
use super::groups::{self, Branch};
use super::rows::{Decision, decisions_batch, edges_batch, ids_batch};
use super::sample::clear_tmp;
use super::semantic::{Alike, Asked};
use super::sink::{TableSink, numbers, text};
use super::{Job, StageOutcome};
use crate::config::{Loaded, Method, Near};
use crate::engine::{Joins, Sink};
use crate::error::{Error, Result};
use crate::layer::tables::Table;
use crate::layer::{Deduped, Layer, Made, Overlap, Redacted, Sketch};
use crate::stages::dedup::cluster::{Edge, Rank, other, representatives};
use crate::stages::dedup::plan;
use crate::stages::dedup::sketch::{Settings, VERSION};
use crate::stages::dedup::verify::{Rule, Verified};
use crate::store::log::Event;
use crate::store::{Books, FileInfo, Manifest, manifest};

pub(super) const STAGE: &str = "dedup";

/// Decisions by record id; a record without one is kept.
pub(super) type Decisions = BTreeMap<String, Decision>;

impl Job<'_> {
    pub(super) async fn dedup(
        &mut self,
        redacted: &[Made<Redacted>],
        vectors: Option<&Asked>,
    ) -> Result<Made<Deduped>> {
        let began = Instant::now();
        self.progress.begin(STAGE, 0, Arc::new(AtomicU64::new(0)));
        let sketches = self.sketch(redacted).await?;
        let overlaps = self.overlaps(redacted).await?;
        let inputs = sketches.iter().map(|one| &one.manifest).chain(overlaps.iter().map(|one| &one.manifest));
        let asked = vectors.map(Asked::key);
        let inputs = inputs.map(|one| one.key.as_str()).chain(asked.as_deref());
        let key = deduped_key(self.loaded, inputs.collect());
        let cached = self.made::<Deduped>(&key)?;
        let made = match &cached {
            Some(made) => made.clone(),
            None => self.decide(&key, redacted, (&sketches, &overlaps), vectors).await?,
        };
        let mut stage = StageOutcome::of(STAGE, &made.manifest.books, made.manifest.counts.clone());
        stage.cached = cached.is_some();
        self.told(stage, began);
        Ok(made)
    }

    pub(super) fn settings(&self) -> Settings {
        settings(self.loaded)
    }

    /// Text to hashes, for every source on its own. New sources got theirs with their rows; what is
    /// missing here was sketched with other settings.
    async fn sketch(&mut self, redacted: &[Made<Redacted>]) -> Result<Vec<Made<Sketch>>> {
        let sql = plan::sketches(&self.settings());
        let keys = redacted.iter().map(|one| sketch_key(self.loaded, &one.manifest.key)).collect();
        self.derived(redacted, keys, &sql, |job, key, one, files| job.sketch_manifest(key, one, files)).await
    }

    pub(super) fn sketch_manifest(&self, key: &str, redacted: &Manifest, files: Vec<FileInfo>) -> Result<Manifest> {
        let rows = files.iter().map(|file| file.rows).sum();
        let books = Books { records_read: redacted.books.kept, kept: rows, ..Default::default() };
        books.balance("sketch", rows)?;
        let settings = serde_json::json!(format!("{:?}", self.settings()));
        let inputs = vec![redacted.key.clone()];
        Ok(folder_manifest::<Sketch>(key, inputs, settings, books, BTreeMap::new(), files))
    }

    async fn decide(
        &mut self,
        key: &str,
        redacted: &[Made<Redacted>],
        (sketches, overlaps): (&[Made<Sketch>], &[Made<Overlap>]),
        vectors: Option<&Asked>,
    ) -> Result<Made<Deduped>> {
        let staged = self.store.stage(format!("layers/{}/{key}", Deduped::NAME))?;
        self.engine.table("sketch", Sketch::schema(), &parts(sketches))?;
        self.engine.table("redacted", Redacted::schema(), &parts(redacted))?;
        let repeats = Repeats::read(overlaps)?;
        let mut decisions = self.barred(&repeats);
        self.temporary(&staged.staging, "barred", &ids_batch(decisions.keys())?)?;
        let copies = self.exact(&mut decisions).await?;
        self.fold(&mut decisions).await?;
        let branches = self.branches().await?;
        let (mut edges, skipped) = self.near(&staged.staging, &decisions, &branches).await?;
        let mut alike = self.alike(&staged.staging, &decisions, &branches, vectors).await?;
        self.race(&staged.staging, &mut decisions, &edges, alike.as_mut()).await?;
        let warned = self.guard(&staged.staging, &decisions, redacted).await?;
        let groups = groups::assign(&branches, &decisions);
        let found = edges.len() as u64;
        let mut files = Vec::new();
        if let Some(alike) = &alike {
            files.push(write_one(&staged.staging, "semantic", Table::Semantic, &alike.batch()?)?);
        }
        files.push(write_one(&staged.staging, "decisions", Table::Decisions, &decisions_batch(&decisions)?)?);
        files.push(write_one(&staged.staging, "edges", Table::Edges, &edges_batch(&edges)?)?);
        edges.extend(alike.iter().flat_map(|alike| alike.edges.iter().cloned()));
        let ties = self.ties(&staged.staging, &decisions, &edges).await?;
        let tags = repeats.tags(&decisions)?;
        let beside =
            [("groups", groups::batch(&groups, &copies)?), ("ties", groups::ties_batch(&ties)?), ("tags", tags)];
        let part = self.write_kept(&staged.staging, &decisions, beside).await?;
        let books = books(sketches, &decisions, part.rows);
        books.balance(STAGE, part.rows + decisions.len() as u64)?;
        files.insert(0, part);
        let mut counts = BTreeMap::from([("skipped_pairs".to_owned(), skipped), ("edges".to_owned(), found)]);
        counts.insert("prompt_groups".to_owned(), groups::count(&groups));
        counts.extend(warned);
        counts.extend(repeats.counts(overlaps));
        counts.extend(alike.into_iter().flat_map(|alike| alike.counts));
        let inputs = sketches.iter().map(|one| one.manifest.key.clone()).collect();
        let mut settings = serde_json::json!(self.loaded.pipeline.dedup);
        if let Some(vectors) = vectors {
            settings["vectors"] = vectors.told();
        }
        let manifest = folder_manifest::<Deduped>(key, inputs, settings, books, counts, files);
        manifest.write(&staged.staging)?;
        self.store.publish(&[staged], Event::Layers { run_id: self.run_id(), stage: STAGE.to_owned() })?;
        Ok(Made::of_committed(self.store.layer_dir(Deduped::NAME, key), manifest))
    }

    /// Drops who is nearly another that stays, by words or by vectors, and leads the others' winners on.
    async fn race(
        &self,
        folder: &Path,
        decisions: &mut Decisions,
        near: &[Edge],
        alike: Option<&mut Alike>,
    ) -> Result<()> {
        let brought = alike.as_ref().map_or(&[][..], |alike| &alike.edges);
        let ranks = self.ranks(folder, &both(near, brought)).await?;
        let dropping = alike.as_ref().map_or(&[][..], |alike| alike.dropping());
        near_decisions(decisions, &both(near, dropping), &ranks);
        follow(decisions);
        if let Some(alike) = alike {
            alike.settle(decisions, &ranks);
        }
        Ok(())
    }

    /// Exact duplicates; and for winners how many records say the same. The oldest wins, then one
    /// that is there for itself and not as a side of a stated preference, then the smallest ids;
    /// records without a time come last.
    async fn exact(&self, decisions: &mut Decisions) -> Result<HashMap<String, u32>> {
        type Copy = ((bool, i64), bool, String, String);
        let mut same: BTreeMap<String, Vec<Copy>> = BTreeMap::new();
        for batch in self.engine.collect(STAGE, plan::COPIES).await? {
            let [keys, records, ids] = ["exact_key", "record_id", "conversation_id"].map(|name| text(&batch, name));
            let (keys, records, ids) = (keys?, records?, ids?);
            let times = numbers::<TimestampMicrosecondType>(&batch, "created_at")?;
            let preferences = text(&batch, "preference")?;
            for i in 0..batch.num_rows() {
                let at = |column: &arrow::array::ArrayRef| column.as_string::<i32>().value(i).to_owned();
                let time = times.is_valid(i).then(|| times.value(i));
                let time = (time.is_none(), time.unwrap_or_default());
                let copy = (time, preferences.is_valid(i), at(&ids), at(&records));
                if !decisions.contains_key(&copy.3) {
                    same.entry(at(&keys)).or_default().push(copy);
                }
            }
        }
        let mut copies = HashMap::new();
        for mut group in same.into_values() {
            group.sort_unstable();
            let n = group.len() as u32;
            let mut group = group.into_iter();
            let Some((.., winner, winner_record)) = group.next() else { continue };
            for (.., id, record) in group {
                decisions.insert(record, Decision::exact(id, winner_record.clone(), winner.clone()));
            }
            copies.insert(winner_record, n);
        }
        Ok(copies)
    }

    /// Snapshots fold into the longest conversation that begins with them.
    async fn fold(&self, decisions: &mut Decisions) -> Result<()> {
        for batch in self.engine.collect(STAGE, plan::SNAPSHOTS).await? {
            let [records, ids, longest] = ["record_id", "conversation_id", "longest"].map(|name| text(&batch, name));
            let (records, ids, longest) = (records?, ids?, longest?);
            for i in 0..batch.num_rows() {
                let at = |column: &arrow::array::ArrayRef| column.as_string::<i32>().value(i).to_owned();
                if decisions.contains_key(&at(&records)) {
                    continue;
                }
                let longest = at(&longest);
                let unread = || Error::damaged(at(&records), "the longest conversation that holds it has no id");
                let (longer, longer_record) = plan::longest(&longest).ok_or_else(unread)?;
                // The longest may itself be a copy: its winner says the same.
                let winner = match decisions.get(longer_record) {
                    Some(copy) => (copy.winner_record.clone(), copy.winner.clone()),
                    None => (longer_record.to_owned(), longer.to_owned()),
                };
                decisions.insert(at(&records), Decision::superseded(at(&ids), winner.0, winner.1));
            }
        }
        Ok(())
    }

    /// Pairs that are nearly the same in words, and how many were skipped.
    async fn near(&self, folder: &Path, gone: &Decisions, branches: &[Branch]) -> Result<(Vec<Edge>, u64)> {
        let (settings, near) = (self.settings(), &self.loaded.pipeline.dedup.near);
        if near.method == Method::Off {
            return Ok((Vec::new(), 0));
        }
        self.temporary(folder, "gone", &ids_batch(gone.keys())?)?;
        let Some(skipped) = self.proposed(folder, "sketch", settings.bands, near.bucket_limit).await? else {
            return Ok((Vec::new(), 0));
        };
        let mut edges = self.compared(folder, "sides.tmp", "verify").await?;
        groups::spare_answers(&mut edges, branches);
        Ok((edges, skipped))
    }

    /// What the texts of `candidates` say of each pair, by a kernel of `plan::compared`; in the order of ids.
    /// Their sides lie in `file` until the end.
    pub(super) async fn compared(&self, folder: &Path, file: &str, kernel: &str) -> Result<Vec<Edge>> {
        let (settings, near) = (self.settings(), &self.loaded.pipeline.dedup.near);
        let plan = self.engine.sql(STAGE, &plan::sides(&settings), Joins::HashWide).await?;
        let schema = Arc::new(plan.schema().as_arrow().clone());
        let sink = TableSink::create(folder, file, &schema)?;
        let written = self.engine.drain_ordered(STAGE, plan, sink).await?;
        self.engine.table("sides", schema, &[folder.join(written.path)])?;
        let mut edges = Vec::new();
        let plan = self.engine.sql(STAGE, &plan::compared(kernel, &settings, near.min_jaccard), Joins::Sort).await?;
        for batch in plan.collect().await.map_err(|err| Error::engine(STAGE, &err))? {
            edges.extend(read_edges(&batch)?);
        }
        edges.sort_by(|x, y| (&x.a, &x.b).cmp(&(&y.a, &y.b)));
        Ok(edges)
    }

    /// Candidate pairs of what is cut into bands, as the table `candidates`, and how many were skipped;
    /// nothing if there are none. `gone` holds who is out of the race.
    pub(super) async fn proposed(&self, folder: &Path, of: &str, bands: u32, bucket_limit: u32) -> Result<Option<u64>> {
        let schema = super::rows::candidates_schema();
        let mut files = Vec::new();
        for first in (1..=bands).step_by(plan::BANDS_AT_ONCE as usize) {
            let plan = self.engine.sql(STAGE, &plan::candidates(of, first, bucket_limit), Joins::Hash).await?;
            let sink = TableSink::create(folder, &format!("{of}-candidates-{first:05}.tmp"), &schema)?;
            let written = self.engine.drain_ordered(STAGE, plan, sink).await?;
            files.extend((written.rows > 0).then(|| folder.join(written.path)));
        }
        if files.is_empty() {
            return Ok(None);
        }
        self.engine.table("candidates", schema, &files)?;
        Ok(Some(self.skipped().await?))
    }

    async fn skipped(&self) -> Result<u64> {
        self.count("select cast(coalesce(sum(skipped), 0) as bigint unsigned) as n from candidates").await
    }

    /// The only number of a result.
    pub(super) async fn count(&self, sql: &str) -> Result<u64> {
        let counted = self.engine.collect(STAGE, sql).await?;
        Ok(counted.first().map_or(0, |batch| batch.column(0).as_primitive::<UInt64Type>().value(0)))
    }

    async fn ranks(&self, folder: &Path, edges: &[Edge]) -> Result<HashMap<String, Rank>> {
        let mut ranks = HashMap::new();
        if edges.is_empty() {
            return Ok(ranks);
        }
        let file = write_one(folder, "edges.tmp", Table::Edges, &edges_batch(edges)?)?;
        let file = folder.join(file.path);
        self.engine.table("edges", Table::Edges.schema(), std::slice::from_ref(&file))?;
        for batch in self.engine.collect(STAGE, plan::RANKS).await? {
            read_ranks(&batch, &|_| true, &mut ranks)?;
        }
        Ok(ranks)
    }

    async fn branches(&self) -> Result<Vec<Branch>> {
        let mut branches = Vec::new();
        for batch in self.engine.collect(STAGE, plan::BRANCHES).await? {
            let records = text(&batch, "record_id")?;
            let large = |name| numbers::<UInt64Type>(&batch, name);
            let (hashes, nexts) = (large("hash")?, large("next")?);
            let messages = numbers::<UInt32Type>(&batch, "messages")?;
            for i in 0..batch.num_rows() {
                let record_id = records.as_string::<i32>().value(i).to_owned();
                let (hash, next, messages) = (hashes.value(i), nexts.value(i), messages.value(i));
                branches.push(Branch { record_id, hash, next, messages });
            }
        }
        Ok(branches)
    }

    /// Openings that a duplicate links, or a pair that differs in digits only and is kept. Exact copies
    /// have the same one.
    async fn ties(&self, folder: &Path, decisions: &Decisions, edges: &[Edge]) -> Result<BTreeMap<u64, u64>> {
        let links = groups::links(decisions, edges);
        let ends: BTreeSet<&String> = links.iter().flat_map(|(one, other)| [*one, *other]).collect();
        self.temporary(folder, "ends", &ids_batch(ends.into_iter())?)?;
        let mut openings = HashMap::new();
        for batch in self.engine.collect(STAGE, plan::OPENINGS).await? {
            let records = text(&batch, "record_id")?;
            let hashes = numbers::<UInt64Type>(&batch, "opening")?;
            let records = records.as_string::<i32>().iter().flatten().map(str::to_owned);
            openings.extend(records.zip(hashes.values().iter().copied()));
        }
        Ok(groups::ties(&openings, &links))
    }

    async fn write_kept(
        &self,
        folder: &Path,
        decisions: &Decisions,
        beside: [(&str, arrow::array::RecordBatch); 3],
    ) -> Result<FileInfo> {
        self.temporary(folder, "gone", &ids_batch(decisions.keys())?)?;
        beside.iter().try_for_each(|(name, batch)| self.temporary(folder, name, batch))?;
        let plan = self.engine.sql(STAGE, &plan::kept(), Joins::Hash).await?;
        let sink = TableSink::create(folder, "part-00000", &Deduped::schema())?;
        let written = self.engine.drain_ordered(STAGE, plan, sink).await?;
        clear_tmp(folder)?;
        Ok(written)
    }
}

fn settings(loaded: &Loaded) -> Settings {
    let Near { shingle_words, bands, rows_per_band, short_tokens, .. } = loaded.pipeline.dedup.near;
    Settings { shingle_words, bands, rows_per_band, short_tokens }
}

/// Of the sketches of a `redacted` folder, from that one's key.
pub(super) fn sketch_key(loaded: &Loaded, redacted: &str) -> String {
    let settings = format!("{:?}", settings(loaded));
    manifest::key(&[Sketch::NAME, &Sketch::VERSION.to_string(), redacted, &settings, &VERSION.to_string()])
}

/// Of the decision over sketches and overlaps, from their keys in any order.
pub(super) fn deduped_key(loaded: &Loaded, mut inputs: Vec<&str>) -> String {
    inputs.sort_unstable();
    let settings = serde_json::json!(loaded.pipeline.dedup).to_string();
    let version = format!("{}.{VERSION}", Deduped::VERSION);
    manifest::key(&[&[Deduped::NAME, &version, &settings], inputs.as_slice()].concat())
}

/// The row files of several folders.
fn parts<L: Layer>(made: &[Made<L>]) -> Vec<PathBuf> {
    made.iter().flat_map(|one| one.files("part")).collect()
}

/// Not copied where there is only one, as without vectors.
fn both<'e>(near: &'e [Edge], alike: &[Edge]) -> Cow<'e, [Edge]> {
    if alike.is_empty() { Cow::Borrowed(near) } else { Cow::Owned([near, alike].concat()) }
}

fn near_decisions(decisions: &mut Decisions, edges: &[Edge], ranks: &HashMap<String, Rank>) {
    for (record, edge) in representatives(edges, ranks) {
        let edge = &edges[edge];
        let id = |record: &str| ranks.get(record).map(|rank| rank.conversation_id.clone()).unwrap_or_default();
        let winner = other(edge, &record).to_owned();
        let decision = Decision::near(id(&record), winner.clone(), id(&winner), edge);
        decisions.insert(record, decision);
    }
}

/// Leads who was dropped for a record that was dropped itself to the one that is kept: a copy of a
/// snapshot, a copy or a snapshot of a near-duplicate.
fn follow(decisions: &mut Decisions) {
    let records: Vec<String> = decisions.keys().cloned().collect();
    for record in records {
        // Near-duplicates are dropped for what is kept, so steps are few and end.
        while let Some(step) = decisions.get(&record).and_then(|one| decisions.get(&one.winner_record)).cloned() {
            if let Some(decision) = decisions.get_mut(&record) {
                decision.follow(&step);
            }
        }
    }
}

fn books(sketches: &[Made<Sketch>], decisions: &Decisions, kept: u64) -> Books {
    let records_read = sketches.iter().map(|one| one.manifest.books.kept).sum();
    let mut books = Books { records_read, kept, ..Default::default() };
    for decision in decisions.values() {
        match decision.fate {
            "superseded" => books.folded += 1,
            reason => *books.dropped.entry(reason.to_owned()).or_default() += 1,
        }
    }
    books
}

/// Order keys of the records that are wanted.
pub(super) fn read_ranks(
    batch: &arrow::array::RecordBatch,
    wanted: &dyn Fn(&str) -> bool,
    ranks: &mut HashMap<String, Rank>,
) -> Result<()> {
    let (records, ids) = (text(batch, "record_id")?, text(batch, "conversation_id")?);
    let tokens = numbers::<UInt32Type>(batch, "tokens")?;
    let times = numbers::<TimestampMicrosecondType>(batch, "created_at")?;
    for (i, record) in records.as_string::<i32>().iter().flatten().enumerate().filter(|(_, record)| wanted(record)) {
        let time = times.is_valid(i).then(|| times.value(i));
        let rank = Rank {
            tokens: std::cmp::Reverse(tokens.value(i)),
            created_at: (time.is_none(), time.unwrap_or_default()),
            conversation_id: ids.as_string::<i32>().value(i).to_owned(),
        };
        ranks.insert(record.to_owned(), rank);
    }
    Ok(())
}

pub(super) fn read_edges(batch: &arrow::array::RecordBatch) -> Result<Vec<Edge>> {
    let (a, b, rules) = (text(batch, "a")?, text(batch, "b")?, text(batch, "rule")?);
    let number = |name| numbers::<Float64Type>(batch, name);
    let (user, assistant, containment) =
        (number("jaccard_user")?, number("jaccard_assistant")?, number("containment")?);
    let bands = numbers::<UInt32Type>(batch, "bands_hit")?;
    // Of pairs that vectors made.
    let cosines = batch.column_by_name("cosine").map(|_| number("cosine")).transpose()?;
    let rule = |name: &str| {
        [Rule::NearDuplicate, Rule::Semantic, Rule::SamePrompt, Rule::BoilerplateAnswer, Rule::DigitsDiffer]
            .into_iter()
            .find(|rule| rule.as_str() == name)
            .unwrap_or(Rule::Different)
    };
    let edge = |i: usize| Edge {
        a: a.as_string::<i32>().value(i).to_owned(),
        b: b.as_string::<i32>().value(i).to_owned(),
        verified: Verified {
            rule: rule(rules.as_string::<i32>().value(i)),
            jaccard_user: user.value(i),
            jaccard_assistant: assistant.value(i),
            containment: containment.value(i),
        },
        bands_hit: bands.value(i),
        cosine: cosines.as_ref().map(|cosines| cosines.value(i)),
    };
    Ok((0..batch.num_rows()).map(edge).collect())
}

pub(super) fn write_one(
    folder: &Path,
    name: &str,
    table: Table,
    batch: &arrow::array::RecordBatch,
) -> Result<FileInfo> {
    let mut sink = TableSink::create(folder, name, &table.schema())?;
    sink.write(batch.clone())?;
    sink.finish()
}

pub(super) fn folder_manifest<L: Layer>(
    key: &str,
    inputs: Vec<String>,
    settings: serde_json::Value,
    books: Books,
    counts: BTreeMap<String, u64>,
    files: Vec<FileInfo>,
) -> Manifest {
    let layer = L::NAME.to_owned();
    Manifest { layer, layer_version: L::VERSION, key: key.to_owned(), inputs, settings, books, counts, files }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn winners_are_followed_to_who_is_kept() {
        let name = |id: &str| id.to_owned();
        let verified =
            Verified { rule: Rule::NearDuplicate, jaccard_user: 0.9, jaccard_assistant: 0.8, containment: 0.9 };
        let edge = Edge { a: name("near"), b: name("kept"), verified, bands_hit: 3, cosine: None };
        let alike = Edge { a: name("alike"), cosine: Some(0.97314), ..edge.clone() };
        let mut decisions = Decisions::from([
            (name("alike"), Decision::near(name("ALIKE"), name("kept"), name("KEPT"), &alike)),
            (name("twin"), Decision::exact(name("TWIN"), name("alike"), name("ALIKE"))),
            (name("head"), Decision::superseded(name("HEAD"), name("alike"), name("ALIKE"))),
            (name("head twin"), Decision::exact(name("HEAD TWIN"), name("head"), name("HEAD"))),
            (name("copy"), Decision::exact(name("COPY"), name("near"), name("NEAR"))),
            (name("begins"), Decision::superseded(name("BEGINS"), name("near"), name("NEAR"))),
            (name("again"), Decision::exact(name("AGAIN"), name("begins"), name("BEGINS"))),
            (name("near"), Decision::near(name("NEAR"), name("kept"), name("KEPT"), &edge)),
            (name("other"), Decision::exact(name("OTHER"), name("kept"), name("KEPT"))),
            (name("barred"), Decision::contaminated(name("BARRED"), name("same prompt as row 1 of x"), 1.0)),
        ]);
        follow(&mut decisions);
        let told = |id: &str| (&*decisions[id].winner, decisions[id].fate, &*decisions[id].rule);
        let of_near = "same canonical form as a near-duplicate of the winner";
        assert_eq!(told("copy"), ("KEPT", "exact_duplicate", of_near));
        assert_eq!(told("again"), ("KEPT", "exact_duplicate", of_near));
        assert_eq!(told("begins"), ("KEPT", "superseded", "prefix of a near-duplicate of the winner"));
        assert_eq!(told("near"), ("KEPT", "near_duplicate", "jaccard on both sides"));
        assert_eq!(told("other"), ("KEPT", "exact_duplicate", "same canonical form"));
        assert_eq!((told("barred").0, decisions["copy"].bands_hit), ("", 3));
        let of_alike = "same canonical form as a semantic duplicate of the winner";
        assert_eq!(told("alike"), ("KEPT", "semantic_duplicate", "cosine 0.9731 of the vectors"));
        assert_eq!(told("twin"), ("KEPT", "exact_duplicate", of_alike));
        assert_eq!(told("head"), ("KEPT", "superseded", "prefix of a semantic duplicate of the winner"));
        assert_eq!(told("head twin"), ("KEPT", "exact_duplicate", of_alike));
    }
}
