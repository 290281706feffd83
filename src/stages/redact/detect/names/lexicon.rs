//! What lists of words say about a word: is it a given name, a surname, a place; is it mostly
//! written small; which words stand in the same places.
//!
//! Not here: where the lists come from (`tools/names`, `models/ATTRIBUTION.md`).
//!
//! Always: words are kept as 16-bit fingerprints, so that about one unknown word in ten thousand is
//! taken for a known one; a feature of the model, never a finding.

/// Grades of two bits each and a word cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry(pub u16);

/// How a word is mostly written where a sentence does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Unseen,
    Small,
    Mixed,
    Capital,
}

impl Entry {
    pub const NONE: Entry = Entry(0);

    /// Grades: 0 not in the list, 1 common, 2 rare; for places 1 a part, 2 a whole name.
    pub fn new(first: u8, last: u8, place: u8, case: Case, cluster: u8) -> Entry {
        let grade = |grade: u8, place: u32| u16::from(grade & 3) << place;
        Entry(grade(first, 0) | grade(last, 2) | grade(place, 4) | grade(case as u8, 6) | u16::from(cluster) << 8)
    }

    pub fn first(self) -> u8 {
        (self.0 & 3) as u8
    }

    pub fn last(self) -> u8 {
        (self.0 >> 2 & 3) as u8
    }

    pub fn place(self) -> u8 {
        (self.0 >> 4 & 3) as u8
    }

    pub fn case(self) -> Case {
        [Case::Unseen, Case::Small, Case::Mixed, Case::Capital][usize::from(self.0 >> 6 & 3)]
    }

    /// All grades together.
    pub fn grades(self) -> u64 {
        u64::from(self.0 & 0xff)
    }

    pub fn cluster(self) -> u64 {
        u64::from(self.0 >> 8)
    }
}

/// A hash table with linear probing; empty slots hold 0.
#[derive(Debug)]
pub struct Table<T> {
    /// Fingerprint and value side by side: a look costs one line of cache.
    slots: Vec<(u16, T)>,
}

impl<T: Copy + Default> Default for Table<T> {
    fn default() -> Table<T> {
        Table { slots: vec![(0, T::default())] }
    }
}

impl<T: Copy + Default> Table<T> {
    /// Their number must be a power of two, with at least one slot free.
    pub fn from_slots(slots: Vec<(u16, T)>) -> Option<Table<T>> {
        let fits = slots.len().is_power_of_two() && slots.iter().any(|(print, _)| *print == 0);
        fits.then_some(Table { slots })
    }

    /// Of two values with one fingerprint in one place the first stays.
    pub fn build(log2_slots: u32, rows: impl Iterator<Item = (u64, T)>) -> Table<T> {
        let slots = 1usize << log2_slots;
        let mut table = Table { slots: vec![(0, T::default()); slots] };
        let mut free = slots - 1;
        for (hash, value) in rows {
            let (mut at, print) = table.place(hash);
            while table.slots[at].0 != 0 && table.slots[at].0 != print {
                at = (at + 1) & (slots - 1);
            }
            if table.slots[at].0 == 0 && free > 0 {
                free -= 1;
                table.slots[at] = (print, value);
            }
        }
        table
    }

    fn place(&self, hash: u64) -> (usize, u16) {
        ((hash >> 16) as usize & (self.slots.len() - 1), (hash >> 48) as u16 | 1)
    }

    #[inline]
    pub fn get(&self, hash: u64) -> Option<&T> {
        let (mut at, print) = self.place(hash);
        loop {
            let (found, value) = &self.slots[at];
            if *found == print {
                return Some(value);
            }
            if *found == 0 {
                return None;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    pub fn slots(&self) -> &[(u16, T)] {
        &self.slots
    }
}

/// Which hashes are among a few hundred: says yes of all of those, and of few others.
#[derive(Debug)]
pub struct Filter([u64; 256]);

impl Filter {
    pub fn of(hashes: impl Iterator<Item = u64>) -> Filter {
        let mut bits = [0; 256];
        hashes.for_each(|hash| bits[(hash >> 6 & 255) as usize] |= 1 << (hash & 63));
        Filter(bits)
    }

    /// Says yes wherever one of the two does.
    pub fn or(&self, other: &Filter) -> Filter {
        Filter(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    #[inline]
    pub fn may_hold(&self, hash: u64) -> bool {
        self.0[(hash >> 6 & 255) as usize] >> (hash & 63) & 1 == 1
    }
}

#[derive(Debug, Default)]
pub struct Lexicon(pub Table<u16>);

impl Lexicon {
    /// Asks memory for what [`Lexicon::entry`] will look at.
    #[inline]
    pub fn touch(&self, hash: u64) -> u16 {
        let (at, _) = self.0.place(hash.wrapping_mul(0xff51_afd7_ed55_8ccd));
        self.0.slots.get(at).map_or(0, |(print, _)| *print)
    }

    pub fn entry(&self, hash: u64) -> Entry {
        Entry(self.0.get(hash.wrapping_mul(0xff51_afd7_ed55_8ccd)).copied().unwrap_or_default())
    }

    pub fn build(log2_slots: u32, rows: impl Iterator<Item = (u64, Entry)>) -> Lexicon {
        let rows = rows.map(|(hash, entry)| (hash.wrapping_mul(0xff51_afd7_ed55_8ccd), entry.0));
        Lexicon(Table::build(log2_slots, rows))
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::hash_of;
    use super::*;

    #[test]
    fn entries_hold_their_grades() {
        let entry = Entry::new(1, 2, 0, Case::Capital, 200);
        assert_eq!((entry.first(), entry.last(), entry.place(), entry.case()), (1, 2, 0, Case::Capital));
        assert_eq!(entry.cluster(), 200);
    }

    #[test]
    fn what_was_put_in_is_found_and_little_else() {
        let hash = |n: u32| hash_of(&format!("word{n}"));
        let lexicon =
            Lexicon::build(12, (0..3000).map(|n| (hash(n), Entry::new(1, 0, 0, Case::Small, (n % 256) as u8))));
        let right = (0..3000u32).filter(|n| lexicon.entry(hash(*n)).cluster() == u64::from(n % 256)).count();
        assert!(right >= 2995, "{right}");
        let taken = (3000..33_000u32).filter(|n| lexicon.entry(hash(*n)) != Entry::NONE).count();
        assert!(taken < 15, "{taken}");
        assert_eq!(Lexicon::default().entry(hash(1)), Entry::NONE);
    }
}
