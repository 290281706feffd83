//! Candidates: records that share a band.
//!
//! Records are numbered in the fixed order (longest, oldest, first); a bucket links its members to
//! the first of them only, up to a limit, and what that skips is counted.
//!
//! Always: a pair is looked at once, however many bands it shares.

use rayon::prelude::*;

use super::exact::{Fate, Fates};
use super::table::{NONE, Table};

/// Rows that may be near-duplicates, in the fixed order.
pub fn order(table: &Table, fates: &Fates) -> Vec<u32> {
    let mut order: Vec<u32> = (0..table.rows.len() as u32)
        .filter(|&at| fates.fate[at as usize] == Fate::Keep && table.rows[at as usize].bands != NONE)
        .collect();
    order.par_sort_unstable_by_key(|&at| {
        let row = &table.rows[at as usize];
        (std::cmp::Reverse(row.tokens), row.created_at_us, at)
    });
    order
}

/// Who shares what, by places in the order.
pub struct Buckets {
    /// Members of all buckets with more than one, bucket by bucket, each in the order.
    members: Vec<u32>,
    /// For each place and band where its bucket begins; [`NONE`] where it is alone.
    starts: Vec<u32>,
    width: usize,
    limit: usize,
    pub hot: u64,
    pub skipped_pairs: u64,
}

/// A place in the order that may be a duplicate of another, and in how many bands they meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub place: u32,
    pub bands_hit: u32,
}

impl Buckets {
    /// Takes the bands out of the table.
    pub fn new(table: &mut Table, order: &[u32], limit: usize) -> Buckets {
        let (bands, width) = (std::mem::take(&mut table.bands), table.width);
        let starts = vec![NONE; order.len() * width];
        let mut buckets = Buckets { members: Vec::new(), starts, width, limit, hot: 0, skipped_pairs: 0 };
        let row = |place: usize| &table.rows[order[place] as usize];
        let mut keyed: Vec<u64> = Vec::new();
        for band in 0..width {
            let long = (0..order.len()).into_par_iter().filter(|&place| !row(place).is_short);
            let keyed_by = |place: usize| bands[row(place).bands as usize * width + band];
            keyed.par_extend(long.map(|place| u64::from(keyed_by(place)) << 32 | place as u64));
            buckets.gather(&mut keyed, band);
        }
        let short = (0..order.len()).into_par_iter().filter(|&place| row(place).is_short);
        // Its other half is compared with the text itself.
        let keyed_by = |place: usize| table.normal[row(place).bands as usize] >> 32;
        keyed.par_extend(short.map(|place| keyed_by(place) << 32 | place as u64));
        buckets.gather(&mut keyed, 0);
        buckets
    }

    /// Of a hash in the upper half and a place in the lower.
    fn gather(&mut self, keyed: &mut Vec<u64>, band: usize) {
        keyed.par_sort_unstable();
        for bucket in keyed.chunk_by(|one, other| one >> 32 == other >> 32).filter(|bucket| bucket.len() > 1) {
            let start = self.members.len() as u32;
            for &one in bucket {
                let place = one as u32;
                self.starts[place as usize * self.width + band] = start;
                self.members.push(place);
            }
            let behind = bucket.len().saturating_sub(self.limit) as u64;
            self.hot += u64::from(behind > 0);
            self.skipped_pairs += behind * behind.saturating_sub(1) / 2;
        }
        keyed.clear();
    }

    /// The earlier members of its buckets that a place is compared with, in the order.
    pub fn candidates(&self, place: u32, found: &mut Vec<Candidate>) {
        found.clear();
        for &start in self.of(place).iter().filter(|&&start| start != NONE) {
            let earlier = self.members[start as usize..].iter().take(self.limit).take_while(|&&one| one != place);
            found.extend(earlier.map(|&place| Candidate { place, bands_hit: 1 }));
        }
        found.sort_unstable_by_key(|one| one.place);
        found.dedup_by(|next, one| {
            let same = next.place == one.place;
            one.bands_hit += u32::from(same);
            same
        });
    }

    /// Places that have an earlier one to be compared with: those with the same first one together,
    /// so that it is read once.
    pub fn later(&self) -> Vec<u32> {
        let places = (self.starts.len() / self.width) as u32;
        let first = |place: u32| {
            let starts = self.of(place).iter().filter(|&&start| start != NONE);
            starts.map(|&start| self.members[start as usize]).min().filter(|&first| first != place)
        };
        let mut later: Vec<(u32, u32)> =
            (0..places).into_par_iter().filter_map(|place| Some((first(place)?, place))).collect();
        later.par_sort_unstable();
        later.into_iter().map(|(_, place)| place).collect()
    }

    fn of(&self, place: u32) -> &[u32] {
        &self.starts[place as usize * self.width..][..self.width]
    }
}
