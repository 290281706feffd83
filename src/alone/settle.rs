//! From verified pairs to who stays.
//!
//! Always: who is dropped has a winner that stays.

use super::check::Checked;
use super::exact::{Fate, Fates, Numbers};
use super::table::{NONE, Table};
use crate::stages::dedup::cluster::{Link, stars};

/// Drops near-duplicates for their representatives.
pub fn near(table: &Table, fates: &mut Fates, order: &[u32], checked: &Checked) {
    let mut places: Vec<u32> = vec![NONE; table.rows.len()];
    for (place, &row) in order.iter().enumerate() {
        places[row as usize] = place as u32;
    }
    let link = |edge: &super::check::Edge| Link {
        a: places[edge.a as usize],
        b: places[edge.b as usize],
        weight: edge.verified.jaccard_user.min(edge.verified.jaccard_assistant),
    };
    let links: Vec<Link> = checked.near.iter().map(link).collect();
    for (place, link) in stars(order.len(), &links) {
        let (row, edge) = (order[place as usize], &checked.near[link]);
        let winner = if edge.a == row { edge.b } else { edge.a };
        (fates.fate[row as usize], fates.winner[row as usize]) = (Fate::Near, winner);
        fates.numbers.insert(row, Numbers::of(&edge.verified));
    }
}

/// Leads who was dropped for a record that was dropped itself to the one that stays; the numbers are
/// those of the last step. What stands in the way is a near-duplicate at most once.
pub fn follow(fates: &mut Fates) {
    for at in 0..fates.fate.len() {
        let mut numbers = None;
        let mut last = fates.winner[at];
        while last != NONE && fates.winner[last as usize] != NONE {
            numbers = fates.numbers.get(&last).copied().or(numbers);
            last = fates.winner[last as usize];
        }
        fates.winner[at] = last;
        if let Some(numbers) = numbers {
            fates.numbers.insert(at as u32, numbers);
        }
    }
}
