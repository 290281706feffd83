//! The semantic pass of dedup: pairs of records that are still in the race, whose vectors have a high
//! cosine and whose texts do not speak against it.
//!
//! Not here: planes, cosines and what texts say (`stages::dedup::semantic`); finding and checking the
//! files of vectors (`engine::vectors`); who wins (`stages::dedup::cluster`).
//!
//! Always: vectors stay in plans and files, this process holds pairs of ids and counts; a vector that
//! cannot be used, and a record without one, is counted and changes nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Float64Type, UInt32Type, UInt64Type};

use super::Job;
use super::dedup::{Decisions, STAGE};
use super::groups::{self, Branch};
use super::rows::{SEMANTIC, candidates_schema, ids_batch, semantic_batch};
use super::sink::{TableSink, arrow_error, numbers, text};
use crate::config::{Loaded, Semantic, SemanticAction};
use crate::engine::vectors::Vectors;
use crate::engine::{Joins, Sink};
use crate::error::{Error, Result};
use crate::layer::tables::Table;
use crate::layer::{Deduped, Layer, Made};
use crate::stages::dedup::cluster::{Edge, Rank, other, representatives};
use crate::stages::dedup::curve;
use crate::stages::dedup::semantic::hyperplanes::Settings;
use crate::stages::dedup::semantic::{VERSION, plan};
use crate::store::FileInfo;

/// Of pairs at `min_cosine`; those above are found more surely.
const RECALL: f64 = 0.99;

/// Bits of a band where the pipeline names none: as many as there is room for. Vectors of one model lie in a
/// narrow cone, so strangers share short bands often: at a cosine of 0.75 and bands for 0.95, 30 of 100 pairs
/// share one of 16 bits, and 14 one of 22, in buckets of a fifth of the size.
const BITS: RangeInclusive<u32> = 16..=32;
const PLANES: u32 = 1024;

/// Above this share of pairs that were skipped in their buckets, it is said that recall is lost. By feel.
const SKIPPED_PERCENT: u64 = 10;

/// More bands are more passes and longer signatures than a run should have.
const BANDS_MAX: u32 = 256;
const BITS_MAX: u32 = 4096;

/// The user's vectors and how they are cut: all that the pass depends on beside the records.
pub(super) struct Asked {
    vectors: Vectors,
    planes: Settings,
}

/// Vectors of the pipeline, if it names some, checked before anything is done.
pub(super) fn asked(loaded: &Loaded) -> Result<Option<Asked>> {
    let Some(semantic) = &loaded.pipeline.dedup.semantic else { return Ok(None) };
    Ok(Some(Asked { planes: planes(loaded, semantic)?, vectors: Vectors::discover(loaded, semantic)? }))
}

/// What `plan` knows of the vectors.
#[derive(Default)]
pub(super) struct Planned {
    pub key: Option<String>,
    /// Nobody has made them yet.
    pub missing: bool,
}

/// Vectors that are still to be made are no error yet: what they are made of is redacted first. They are
/// read only if they may decide, that is, if nothing else is `new`.
pub(super) fn planned(loaded: &Loaded, new: bool) -> Result<Planned> {
    let Some(semantic) = &loaded.pipeline.dedup.semantic else { return Ok(Planned::default()) };
    planes(loaded, semantic)?;
    let missing = !Vectors::are_there(loaded, semantic)?;
    let asked = if missing || new { None } else { asked(loaded)? };
    Ok(Planned { key: asked.map(|asked| asked.key()), missing })
}

fn planes(loaded: &Loaded, semantic: &Semantic) -> Result<Settings> {
    let min_cosine = semantic.min_cosine;
    let bits = semantic.bits_per_band.unwrap_or_else(|| curve::bits_for(min_cosine, RECALL, BITS, PLANES));
    let bands = curve::bands_for(min_cosine, bits, RECALL);
    if bands > BANDS_MAX || bands * bits > BITS_MAX {
        let what = format!(
            "dedup.semantic: to find 99 % of pairs at min_cosine {min_cosine} with {bits} bits_per_band takes {bands} \
             bands, and {BANDS_MAX} bands or {BITS_MAX} bits are the most; lower bits_per_band"
        );
        return Err(Error::config(&loaded.file, what));
    }
    Ok(Settings { seed: loaded.pipeline.pipeline.seed, bands, bits })
}

impl Asked {
    /// What else decides, as a part of the key.
    pub fn key(&self) -> String {
        let Settings { seed, bands, bits } = self.planes;
        format!("vectors {} seed {seed} bands {bands} bits {bits} version {VERSION}", self.vectors.digest)
    }

    /// For the manifest.
    pub fn told(&self) -> serde_json::Value {
        serde_json::json!({ "vectors": self.vectors.digest, "bands": self.planes.bands, "bits": self.planes.bits })
    }
}

/// Pairs that vectors made.
#[derive(Default)]
pub(super) struct Alike {
    pub edges: Vec<Edge>,
    pub counts: BTreeMap<String, u64>,
    is_tag: bool,
    /// By place in `edges`: who went or was tagged, its conversation, and the one that stands for it.
    decided: BTreeMap<usize, [String; 3]>,
}

impl Alike {
    /// Edges as far as they may drop somebody.
    pub fn dropping(&self) -> &[Edge] {
        if self.is_tag { &[] } else { &self.edges }
    }

    /// Notes which pairs decided: of those who went the pair with their winner; or the tags, which only
    /// kept records get and give.
    pub fn settle(&mut self, decisions: &Decisions, ranks: &HashMap<String, Rank>) {
        let kept = |record: &String| !decisions.contains_key(record);
        let pairs: Vec<(String, usize)> = if self.is_tag {
            let open = |(_, edge): &(usize, &Edge)| kept(&edge.a) && kept(&edge.b);
            let (places, open): (Vec<usize>, Vec<Edge>) =
                self.edges.iter().enumerate().filter(open).map(|(at, edge)| (at, edge.clone())).unzip();
            representatives(&open, ranks).into_iter().map(|(record, at)| (record, places[at])).collect()
        } else {
            let went = |record: &String, edge: &Edge| {
                let decision = decisions.get(record).filter(|decision| decision.fate == SEMANTIC);
                decision.is_some_and(|decision| decision.winner_record == other(edge, record))
            };
            let gone = |(at, edge): (usize, &Edge)| {
                [&edge.a, &edge.b].into_iter().find(|record| went(record, edge)).map(|record| (record.clone(), at))
            };
            self.edges.iter().enumerate().filter_map(gone).collect()
        };
        let id = |record: &str| ranks.get(record).map(|rank| rank.conversation_id.clone()).unwrap_or_default();
        for (record, at) in pairs {
            let (conversation, winner) = (id(&record), id(other(&self.edges[at], &record)));
            self.decided.insert(at, [record, conversation, winner]);
        }
        if self.is_tag {
            self.counts.insert("semantic_tags".to_owned(), self.decided.len() as u64);
        }
    }

    pub fn batch(&self) -> Result<RecordBatch> {
        semantic_batch(&self.edges, &self.decided)
    }
}

/// The first row of each record. Copies of a conversation, and a vector that lies in two files, give a
/// record many rows, all with one vector, as their digests say; both ends of a pair would multiply them.
/// An aggregate would hold the vectors; this holds ids.
struct Once<S> {
    seen: HashSet<String>,
    sink: S,
}

impl<S: Sink> Sink for Once<S> {
    type Done = S::Done;

    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let records = text(&batch, "record_id")?;
        let records = records.as_string::<i32>().iter();
        let first: BooleanArray = records
            .map(|record| {
                Some(record.is_some_and(|record| !self.seen.contains(record) && self.seen.insert(record.to_owned())))
            })
            .collect();
        self.sink.write(filter_record_batch(&batch, &first).map_err(|err| arrow_error(STAGE, &err))?)
    }

    fn finish(self) -> Result<S::Done> {
        self.sink.finish()
    }
}

impl Job<'_> {
    /// Pairs of records that are in no decision yet.
    pub(super) async fn alike(
        &self,
        folder: &Path,
        gone: &Decisions,
        branches: &[Branch],
        asked: Option<&Asked>,
    ) -> Result<Option<Alike>> {
        let (Some(semantic), Some(asked)) = (&self.loaded.pipeline.dedup.semantic, asked) else { return Ok(None) };
        let columns = plan::Columns { id: &semantic.id_column, vector: &semantic.vector_column };
        self.engine.table("vectors", asked.vectors.schema.clone(), &asked.vectors.files(folder)?)?;
        self.temporary(folder, "gone", &ids_batch(gone.keys())?)?;
        let rows = self.aside(folder, "hashes", &plan::hashes(columns, &asked.planes), Joins::HashWide).await?;
        if rows != asked.vectors.rows {
            asked.vectors.unchanged()?;
            let what = format!("{rows} rows were read, and its files hold {}", asked.vectors.rows);
            return Err(Error::damaged("dedup.semantic.vectors", what));
        }
        let mut counts = self.vectors().await?;
        let race = self.aside(folder, "race", plan::RACE, Joins::Hash).await?;
        let points = self.aside(folder, "points", &plan::points(&asked.planes), Joins::Sort).await?;
        counts.insert("records_without_vector".to_owned(), race - points);
        let proposed = self.proposed(folder, "points", asked.planes.bands, semantic.bucket_limit).await?;
        let skipped = proposed.unwrap_or_default();
        counts.insert("semantic_skipped_pairs".to_owned(), skipped);
        if skipped > 0 {
            let compared = self.count(plan::COMPARED).await?;
            let percent = skipped.saturating_mul(100) / skipped.saturating_add(compared);
            let many = percent > SKIPPED_PERCENT;
            counts
                .extend(many.then(|| ("percent of semantic pairs skipped, too many to find most".to_owned(), percent)));
        }
        let mut alike = Alike { counts, is_tag: semantic.action == SemanticAction::Tag, ..Alike::default() };
        if proposed.is_some() {
            let once = |sink| Once { seen: HashSet::new(), sink };
            self.aside_to(folder, "picked", &plan::picked(columns), Joins::HashWide, once).await?;
            alike.edges = self.judged(folder, semantic.min_cosine).await?;
            groups::spare_answers(&mut alike.edges, branches);
        }
        // Nothing reads the files any more: was it them that the key names?
        asked.vectors.unchanged()?;
        alike.counts.insert("semantic_edges".to_owned(), alike.edges.len() as u64);
        Ok(Some(alike))
    }

    /// The rows of a plan as a temporary table; how many there are.
    async fn aside(&self, folder: &Path, name: &str, sql: &str, joins: Joins) -> Result<u64> {
        self.aside_to(folder, name, sql, joins, |sink| sink).await
    }

    /// The same, of the rows that a sink before the table lets pass.
    async fn aside_to<S: Sink<Done = FileInfo>>(
        &self,
        folder: &Path,
        name: &str,
        sql: &str,
        joins: Joins,
        through: impl FnOnce(TableSink) -> S,
    ) -> Result<u64> {
        let plan = self.engine.sql(STAGE, sql, joins).await?;
        let schema = Arc::new(plan.schema().as_arrow().clone());
        let sink = TableSink::create(folder, &format!("semantic-{name}.tmp"), &schema)?;
        let written = self.engine.drain_ordered(STAGE, plan, through(sink)).await?;
        let file = folder.join(&written.path);
        self.engine.table(name, schema, if written.rows == 0 { &[] } else { std::slice::from_ref(&file) })?;
        Ok(written.rows)
    }

    /// What is told of the vectors; an error if they cannot be compared, or none belongs to a record.
    async fn vectors(&self) -> Result<BTreeMap<String, u64>> {
        let mut lengths: BTreeMap<u32, u64> = BTreeMap::new();
        let (mut usable, mut counts) = (0, BTreeMap::new());
        for batch in self.engine.collect(STAGE, plan::LENGTHS).await? {
            let (flaws, sizes) = (text(&batch, "flaw")?, numbers::<UInt32Type>(&batch, "length")?);
            let rows = numbers::<UInt64Type>(&batch, "n")?;
            for i in 0..batch.num_rows() {
                if flaws.is_valid(i) {
                    *counts.entry(format!("vectors_{}", flaws.as_string::<i32>().value(i))).or_default() +=
                        rows.value(i);
                } else {
                    *lengths.entry(sizes.value(i)).or_default() += rows.value(i);
                    usable += rows.value(i);
                }
            }
        }
        let wrong = |what: String| Err(Error::config(&self.loaded.file, format!("dedup.semantic.vectors: {what}")));
        if lengths.len() > 1 {
            let told: Vec<String> =
                lengths.iter().map(|(length, n)| format!("{length} numbers ({n} vectors)")).collect();
            return wrong(format!("vectors have {}; those of one model have one length", told.join(" and ")));
        }
        let (strangers, repeated) = (self.count(plan::STRANGERS).await?, self.count(plan::REPEATED).await?);
        if strangers == usable {
            let unusable: u64 = counts.values().sum();
            return wrong(format!(
                "none has the id of a record or conversation of this store, of {usable} and {unusable} that cannot be \
                 used; ids are `record_id` and `conversation_id` of its tables and releases"
            ));
        }
        counts.insert("vectors".to_owned(), usable);
        counts.insert("vectors_without_record".to_owned(), strangers);
        counts.insert("ids_with_several_vectors".to_owned(), repeated);
        Ok(counts)
    }

    /// Candidates to edges: cosines first, then the texts of what is left.
    async fn judged(&self, folder: &Path, min_cosine: f64) -> Result<Vec<Edge>> {
        let plan = self.engine.sql(STAGE, &plan::alike(min_cosine), Joins::Sort).await?;
        let mut cosines: BTreeMap<(String, String), (u32, f64)> = BTreeMap::new();
        let mut rows = 0;
        for batch in plan.collect().await.map_err(|err| Error::engine(STAGE, &err))? {
            let (a, b) = (text(&batch, "a")?, text(&batch, "b")?);
            let (bands, found) =
                (numbers::<UInt32Type>(&batch, "bands_hit")?, numbers::<Float64Type>(&batch, "cosine")?);
            let at = |column: &ArrayRef, i: usize| column.as_string::<i32>().value(i).to_owned();
            rows += batch.num_rows();
            cosines.extend((0..batch.num_rows()).map(|i| ((at(&a, i), at(&b, i)), (bands.value(i), found.value(i)))));
        }
        if rows > cosines.len() {
            // As many as copies of the one times copies of the other.
            return Err(Error::damaged(STAGE, format!("{rows} rows of {} pairs of vectors", cosines.len())));
        }
        if cosines.is_empty() {
            return Ok(Vec::new());
        }
        self.temporary(folder, "candidates", &pairs_batch(&cosines)?)?;
        let mut edges = self.compared(folder, "semantic-sides.tmp", "judge").await?;
        for edge in &mut edges {
            edge.cosine = cosines.remove(&(edge.a.clone(), edge.b.clone())).map(|(_, cosine)| cosine);
        }
        let lost = || Error::damaged(STAGE, "the text of a pair is gone");
        if cosines.is_empty() { Ok(edges) } else { Err(lost()) }
    }

    /// The table `deduped`, for SQL of the pipeline, out of a committed folder or empty; where records are
    /// tagged it has one column more.
    pub(super) async fn deduped_table(&self, deduped: Option<&Made<Deduped>>) -> Result<()> {
        let files = |table: &str| -> Vec<PathBuf> { deduped.map(|made| made.files(table)).unwrap_or_default() };
        let semantic = self.loaded.pipeline.dedup.semantic.as_ref();
        if semantic.is_none_or(|semantic| semantic.action != SemanticAction::Tag) {
            return self.engine.table("deduped", Deduped::schema(), &files("part"));
        }
        self.engine.table("untagged", Deduped::schema(), &files("part"))?;
        self.engine.table("semantic", Table::Semantic.schema(), &files("semantic"))?;
        self.engine.view(STAGE, "deduped", plan::TAGGED).await
    }
}

fn pairs_batch(cosines: &BTreeMap<(String, String), (u32, f64)>) -> Result<RecordBatch> {
    let texts = |of: fn(&(String, String)) -> &String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(cosines.keys().map(of)))
    };
    let bands = UInt32Array::from_iter_values(cosines.values().map(|(bands, _)| *bands));
    let skipped = UInt64Array::from_iter_values(cosines.values().map(|_| 0));
    let columns = vec![texts(|(a, _)| a), texts(|(_, b)| b), Arc::new(bands), Arc::new(skipped)];
    RecordBatch::try_new(candidates_schema(), columns).map_err(|err| arrow_error(STAGE, &err))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Kept(Vec<String>);

    impl Sink for Kept {
        type Done = Vec<String>;

        fn write(&mut self, batch: RecordBatch) -> Result<()> {
            self.0.extend(text(&batch, "record_id")?.as_string::<i32>().iter().flatten().map(str::to_owned));
            Ok(())
        }

        fn finish(self) -> Result<Vec<String>> {
            Ok(self.0)
        }
    }

    #[test]
    fn a_record_passes_once_whatever_batches_it_comes_in() {
        let mut once = Once { seen: HashSet::new(), sink: Kept(Vec::new()) };
        for batch in [vec!["a", "a", "b"], vec!["b", "b"], vec!["c", "a"]] {
            let ids: ArrayRef = Arc::new(StringArray::from(batch));
            once.write(RecordBatch::try_from_iter([("record_id", ids)]).unwrap()).unwrap();
        }
        assert_eq!(once.finish().unwrap(), ["a", "b", "c"]);
    }
}
