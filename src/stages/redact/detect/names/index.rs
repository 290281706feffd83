//! The weights of the model, arranged so that a look for a feature that has none ends at once.
//!
//! Not here: the table as it lies in the file (`lexicon`): it is nearly full, so that a look there
//! walks over tens of slots.
//!
//! Always: says what the table says, to the bit, for every hash (a test compares them).

use super::lexicon::Table;

/// A row of the table: from `slot` as many slots back as `reach` no slot is empty.
#[derive(Clone, Copy, Debug)]
struct Row<T> {
    slot: u32,
    /// More than this in a row are never full: a table keeps one in eight free.
    reach: u16,
    value: T,
}

/// The rows by their fingerprint: for most fingerprints there are one or two, anywhere.
#[derive(Debug)]
pub struct Index<T> {
    /// Where the rows of each fingerprint begin, and where the last ones end.
    begins: Vec<u32>,
    rows: Vec<Row<T>>,
    mask: u32,
}

impl<T: Copy + Default> Index<T> {
    pub fn new(table: &Table<T>) -> Index<T> {
        let slots = table.slots();
        let mut found: Vec<(u16, Row<T>)> = Vec::new();
        // Begins where no row goes on from the end to the beginning.
        let empty = slots.iter().position(|(print, _)| *print == 0).unwrap_or(0);
        let mut reach = 0u16;
        for slot in (empty..slots.len()).chain(0..empty) {
            let (print, value) = slots[slot];
            if print == 0 {
                reach = 0;
                continue;
            }
            found.push((print >> 1, Row { slot: slot as u32, reach, value }));
            reach = reach.saturating_add(1);
        }
        // Of rows with one fingerprint the first met behind the home counts: they stay in this order.
        found.sort_by_key(|(print, _)| *print);
        let begin = |print: usize| found.partition_point(|(other, _)| usize::from(*other) < print) as u32;
        Index {
            begins: (0..=1 << 15).map(begin).collect(),
            rows: found.iter().map(|(_, row)| *row).collect(),
            mask: slots.len() as u32 - 1,
        }
    }

    #[inline]
    fn begin(&self, hash: u64) -> (usize, usize) {
        let print = (hash >> 49) as usize;
        (self.begins[print] as usize, self.begins[print + 1] as usize)
    }

    #[inline]
    fn row(&self, hash: u64, (from, to): (usize, usize)) -> Option<&T> {
        let home = (hash >> 16) as u32 & self.mask;
        let met = |row: &&Row<T>| row.slot.wrapping_sub(home) & self.mask <= u32::from(row.reach);
        self.rows.get(from..to)?.iter().find(met).map(|row| &row.value)
    }

    /// Hands over the values of these keys. Memory is asked for all of them before any is looked at,
    /// so that one waits while another comes.
    #[inline]
    pub fn each(&self, hashes: &[u64], mut found: impl FnMut(&T)) {
        const AT_ONCE: usize = 32;
        for hashes in hashes.chunks(AT_ONCE) {
            let mut begins = [(0, 0); AT_ONCE];
            let mut touched = 0;
            for (begin, hash) in begins.iter_mut().zip(hashes) {
                *begin = self.begin(*hash);
            }
            for (from, _) in &begins[..hashes.len()] {
                touched ^= self.rows.get(*from).map_or(0, |row| row.slot);
            }
            std::hint::black_box(touched);
            for (begin, hash) in begins.iter().zip(hashes) {
                if let Some(value) = self.row(*hash, *begin) {
                    found(value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_says_what_the_table_says() {
        let mix = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n.wrapping_mul(0xd6e8_feb8_6659_fd93) << 7;
        for rows in [0, 1, 400, 900, 1000, 1023] {
            let table = Table::build(10, (0..rows).map(|n| (mix(n), n as u32 + 1)));
            let index = Index::new(&table);
            for n in 0..200_000 {
                // Few fingerprints, so that wrong ones meet.
                let hash = if n < rows { mix(n) } else { mix(n) & !(0x7f8 << 53) };
                assert_eq!(index.row(hash, index.begin(hash)), table.get(hash), "{rows} {n}");
            }
        }
    }
}
