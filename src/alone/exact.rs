//! Equal records, and snapshots of longer ones.
//!
//! Always: of equal records the oldest stays, then the first; a snapshot folds into the longest chat
//! that begins with it, then the first.

use std::collections::HashMap;

use rayon::prelude::*;

use super::table::{Kind, NONE, Row, Table};

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    Keep,
    Exact,
    Prefix,
    Near,
    /// Repeats a row of a benchmark.
    Contaminated,
    Reject,
}

impl Fate {
    pub const fn as_str(self) -> &'static str {
        match self {
            Fate::Keep => "keep",
            Fate::Exact => "exact",
            Fate::Prefix => "prefix",
            Fate::Near => "near",
            Fate::Contaminated => "contaminated",
            Fate::Reject => "reject",
        }
    }
}

/// Numbers of a comparison, in 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Numbers {
    pub user: f32,
    pub assistant: f32,
    pub containment: f32,
}

/// One decision a record.
pub struct Fates {
    pub fate: Vec<Fate>,
    /// [`NONE`] for who stays.
    pub winner: Vec<u32>,
    /// Of near-duplicates, and of snapshots whose longer form is dropped for a near one.
    pub numbers: HashMap<u32, Numbers>,
}

/// Fates of all records before near-duplicates are looked for. Who repeats a benchmark is out first,
/// if that is asked for, and stands for nobody.
pub fn decide(table: &mut Table, drops_contaminated: bool) -> Fates {
    let rows = table.rows.len();
    let mut fates = Fates { fate: vec![Fate::Keep; rows], winner: vec![NONE; rows], numbers: HashMap::new() };
    for (at, _) in table.hits.iter().filter(|_| drops_contaminated) {
        fates.fate[*at as usize] = Fate::Contaminated;
    }
    let mut heads: Vec<(u64, u32)> = Vec::with_capacity(rows);
    for (at, row) in table.rows.iter().enumerate() {
        match row.kind {
            Kind::Reject(_) => fates.fate[at] = Fate::Reject,
            _ if fates.fate[at] == Fate::Contaminated => {}
            _ => heads.push((head(row.exact), at as u32)),
        }
    }
    heads.par_sort_unstable();
    for group in heads.chunk_by_mut(|one, other| one.0 == other.0) {
        equal(table, group, &mut fates);
    }
    fold(table, &heads, &mut fates);
    fates
}

/// What stands for a whole chat among the prefixes of others (`sketch::short`).
fn head(exact: [u64; 2]) -> u64 {
    exact[0].max(1)
}

fn equal(table: &mut Table, group: &mut [(u64, u32)], fates: &mut Fates) {
    // Chats, texts and others never have one key: what is fed to the hash tells them apart.
    group.sort_unstable_by_key(|&(_, at)| {
        let row = &table.rows[at as usize];
        (row.exact, row.created_at_us, at)
    });
    let exact: Vec<[u64; 2]> = group.iter().map(|one| table.rows[one.1 as usize].exact).collect();
    let mut from = 0;
    for equals in exact.chunk_by(|one, other| one == other) {
        let equals = &group[from..from + equals.len()];
        from += equals.len();
        let first = equals[0].1;
        for &(_, at) in &equals[1..] {
            (fates.fate[at as usize], fates.winner[at as usize]) = (Fate::Exact, first);
        }
        let sketched = equals.iter().map(|one| one.1 as usize).find(|&at| !table.rows[at].is_copy);
        if let Some(Row { tokens, bands, is_short, .. }) = sketched.map(|at| table.rows[at].clone()) {
            let row = &mut table.rows[first as usize];
            (row.tokens, row.bands, row.is_short) = (tokens, bands, is_short);
        }
    }
}

/// Looks every proper prefix up among the whole chats.
fn fold(table: &Table, heads: &[(u64, u32)], fates: &mut Fates) {
    let index = Index::new(heads);
    let mut from = 0;
    for (at, row) in table.rows.iter().enumerate() {
        let has_own = row.kind == Kind::Chat && !row.is_copy;
        let prefixes = if has_own { row.messages.saturating_sub(1) as usize } else { 0 };
        let own = &table.prefixes[from..from + prefixes];
        from += prefixes;
        if fates.fate[at] == Fate::Contaminated {
            continue;
        }
        // The one that stands for its equals.
        let at = if fates.fate[at] == Fate::Exact { fates.winner[at] as usize } else { at };
        for &prefix in own {
            for &(_, whole) in index.find(heads, prefix) {
                let whole = whole as usize;
                let stays = fates.fate[whole] != Fate::Exact && table.rows[whole].kind == Kind::Chat;
                let longer = match fates.winner[whole] {
                    NONE => true,
                    winner => (row.messages, winner) > (table.rows[winner as usize].messages, at as u32),
                };
                if stays && longer {
                    (fates.fate[whole], fates.winner[whole]) = (Fate::Prefix, at as u32);
                }
            }
        }
    }
}

/// Where hashes begin in their sorted list, by their first bits.
struct Index {
    starts: Vec<u32>,
    shift: u32,
}

impl Index {
    fn new(sorted: &[(u64, u32)]) -> Index {
        let bits = (sorted.len() / 2).max(2).ilog2();
        let shift = 64 - bits;
        let mut starts = vec![0u32; (1 << bits) + 1];
        for &(hash, _) in sorted {
            starts[(hash >> shift) as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Index { starts, shift }
    }

    fn find<'a>(&self, sorted: &'a [(u64, u32)], hash: u64) -> impl Iterator<Item = &'a (u64, u32)> + use<'a> {
        let slot = (hash >> self.shift) as usize;
        sorted[self.starts[slot] as usize..self.starts[slot + 1] as usize].iter().filter(move |one| one.0 == hash)
    }
}
