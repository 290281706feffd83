//! What a run found, in numbers.
//!
//! Always: records read are those kept, dropped for a reason, and rejected; the first number comes
//! from the cutter, the others from the decisions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::against::Known;
use super::check::Checked;
use super::exact::{Fate, Fates};
use super::gate;
use super::source::Stream;
use super::table::{Kind, NONE, Table};
use super::{Options, Settings};

#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub read: u64,
    pub kept: u64,
    pub exact: u64,
    pub prefix: u64,
    pub near: u64,
    pub contaminated: u64,
    pub rejected: u64,
    /// Of the records that were read, those lost to near-duplicates; copies and snapshots are certain.
    pub lost_share: f64,
    pub rejects: BTreeMap<&'static str, u64>,
    pub files: Vec<Lost>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub benchmarks: Vec<Benchmark>,
    /// The largest first: who stays, and how many records that one stands for, itself included.
    pub clusters: Vec<Cluster>,
    pub edges: BTreeMap<&'static str, u64>,
    pub pairs_compared: u64,
    pub hot_buckets: u64,
    pub skipped_pairs: u64,
    /// First prompts that several kept chats share, and how many share the commonest.
    pub prompts_shared: u64,
    pub prompt_freq_max: u64,
    pub settings: Option<Settings>,
    pub min_jaccard: f64,
    pub bytes: u64,
    pub warnings: Vec<String>,
}

/// What records repeat of one benchmark.
#[derive(Clone, Debug, Serialize)]
pub struct Benchmark {
    pub name: String,
    pub rows: u64,
    /// Rows that cannot be read, and so are not looked for.
    pub rows_unread: u64,
    /// Rows that a record repeats, and records that repeat one.
    pub rows_met: u64,
    pub records: u64,
}

pub fn benchmarks(table: &Table, known: Option<&Known>) -> Vec<Benchmark> {
    let Some(known) = known else { return Vec::new() };
    let told = |(number, name): (usize, &String)| {
        let own = || table.hits.iter().filter(|(_, hit)| known.row(hit.row).0 == number);
        Benchmark {
            name: name.clone(),
            rows: known.rows(number),
            rows_unread: known.unread[number],
            rows_met: own().map(|(_, hit)| hit.row).collect::<BTreeSet<_>>().len() as u64,
            records: own().map(|(record, _)| record).collect::<BTreeSet<_>>().len() as u64,
        }
    };
    known.names.iter().enumerate().map(told).collect()
}

#[derive(Clone, Debug, Serialize)]
pub struct Lost {
    pub file: String,
    pub read: u64,
    pub dropped: u64,
    pub rejected: u64,
    pub share: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Cluster {
    /// As JSON: the record's own id, or the number of its line.
    pub id: String,
    pub records: u64,
}

/// Clusters that are told.
const CLUSTERS: usize = 10;

pub fn report(options: &Options, table: &Table, streams: &[Stream], fates: &Fates, checked: &Checked) -> Report {
    let count = |fate: Fate| fates.fate.iter().filter(|one| **one == fate).count() as u64;
    let read = table.rows.len() as u64;
    let mut report = Report {
        read,
        kept: count(Fate::Keep),
        exact: count(Fate::Exact),
        prefix: count(Fate::Prefix),
        near: count(Fate::Near),
        contaminated: count(Fate::Contaminated),
        rejected: count(Fate::Reject),
        clusters: clusters(table, fates),
        files: streams.iter().map(|stream| lost(stream, fates)).collect(),
        edges: BTreeMap::from([
            ("near_duplicate", checked.near.len() as u64),
            ("same_prompt", checked.same_prompt),
            ("boilerplate_answer", checked.boilerplate),
            ("digits_differ", checked.digits),
        ]),
        pairs_compared: checked.compared,
        hot_buckets: checked.hot_buckets,
        skipped_pairs: checked.skipped_pairs,
        settings: Some(options.settings),
        min_jaccard: options.min_jaccard,
        bytes: table.rows.iter().map(|row| u64::from(row.bytes)).sum(),
        ..Report::default()
    };
    for row in &table.rows {
        if let Kind::Reject(reason) = row.kind {
            *report.rejects.entry(reason.as_str()).or_default() += 1;
        }
    }
    report.lost_share = report.near as f64 / read.max(1) as f64;
    (report.prompts_shared, report.prompt_freq_max) = prompts(table, fates);
    report.warnings = gate::warnings(&report, &options.guards);
    report
}

fn clusters(table: &Table, fates: &Fates) -> Vec<Cluster> {
    let mut sizes: HashMap<u32, u64> = HashMap::new();
    fates.winner.iter().filter(|&&winner| winner != NONE).for_each(|&winner| *sizes.entry(winner).or_insert(1) += 1);
    let mut sizes: Vec<(u64, u32)> = sizes.into_iter().map(|(row, size)| (size, row)).collect();
    sizes.sort_unstable_by_key(|&(size, row)| (std::cmp::Reverse(size), row));
    let cluster = |&(records, row): &(u64, u32)| Cluster { id: table.id(row as usize).into_owned(), records };
    sizes.iter().take(CLUSTERS).map(cluster).collect()
}

fn lost(stream: &Stream, fates: &Fates) -> Lost {
    let own = &fates.fate[stream.rows.clone()];
    let rejected = own.iter().filter(|fate| **fate == Fate::Reject).count() as u64;
    let kept = own.iter().filter(|fate| **fate == Fate::Keep).count() as u64;
    let read = own.len() as u64;
    let dropped = read - kept - rejected;
    Lost { file: stream.name.clone(), read, dropped, rejected, share: dropped as f64 / read.max(1) as f64 }
}

fn prompts(table: &Table, fates: &Fates) -> (u64, u64) {
    let chats = (0..table.rows.len()).filter(|&at| table.rows[at].kind == Kind::Chat);
    let kept = chats.zip(&table.openings).filter(|(at, _)| fates.fate[*at] == Fate::Keep);
    let mut openings: Vec<u64> = kept.map(|(_, opening)| *opening).collect();
    openings.sort_unstable();
    let sizes = openings.chunk_by(|one, other| one == other).map(<[u64]>::len).filter(|size| *size > 1);
    sizes.fold((0, 0), |(shared, most), size| (shared + 1, most.max(size as u64)))
}
