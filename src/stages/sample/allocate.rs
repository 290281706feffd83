//! How many rows each stratum gets.
//!
//! Largest remainders (Hamilton): shares are rounded down, and the rows left over go to the
//! largest remainders, ties to the stratum that comes first by name. So the sum is exact.

use std::collections::BTreeMap;

use crate::config::Allocation;

/// `available` rows per stratum to rows drawn. The sum is `min(rows, all available)`. Every
/// stratum gets `minimum` first (or all it has), as far as `rows` reach, smallest name first.
pub fn allocate(
    available: &BTreeMap<String, u64>,
    rows: u64,
    allocation: Allocation,
    minimum: u64,
) -> BTreeMap<String, u64> {
    let mut drawn: BTreeMap<String, u64> = BTreeMap::new();
    let mut left = rows;
    for (stratum, &count) in available {
        let first = minimum.min(count).min(left);
        left -= first;
        drawn.insert(stratum.clone(), first);
    }
    // A stratum that is full leaves its share to the others, so this may take several rounds.
    while left > 0 {
        let open: Vec<(&String, u64)> = available
            .iter()
            .map(|(stratum, &count)| (stratum, count - drawn[stratum]))
            .filter(|(_, room)| *room > 0)
            .collect();
        if open.is_empty() {
            break;
        }
        let weights: Vec<f64> = open.iter().map(|(stratum, _)| weight(allocation, available[*stratum])).collect();
        for ((stratum, room), share) in open.iter().zip(shares(&weights, left)) {
            let more = share.min(*room).min(left);
            left -= more;
            *drawn.entry((*stratum).clone()).or_default() += more;
        }
    }
    drawn
}

fn weight(allocation: Allocation, count: u64) -> f64 {
    match allocation {
        Allocation::Proportional => count as f64,
        Allocation::Equal => 1.0,
        Allocation::Sqrt => (count as f64).sqrt(),
    }
}

/// Whole shares of `rows` by weight, with exact sum.
fn shares(weights: &[f64], rows: u64) -> Vec<u64> {
    let total: f64 = weights.iter().sum();
    let exact: Vec<f64> = weights.iter().map(|weight| rows as f64 * weight / total).collect();
    let mut shares: Vec<u64> = exact.iter().map(|share| share.floor() as u64).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&i, &j| (exact[j] - exact[j].floor()).total_cmp(&(exact[i] - exact[i].floor())).then(i.cmp(&j)));
    let missing = rows.saturating_sub(shares.iter().sum());
    for &i in order.iter().cycle().take(missing as usize) {
        shares[i] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(counts: &[u64], rows: u64, allocation: Allocation, minimum: u64) -> Vec<u64> {
        let available = counts.iter().enumerate().map(|(i, &n)| (format!("{i:03}"), n)).collect();
        allocate(&available, rows, allocation, minimum).into_values().collect()
    }

    #[test]
    fn tables() {
        assert_eq!(drawn(&[50, 30, 20], 10, Allocation::Proportional, 0), [5, 3, 2]);
        assert_eq!(drawn(&[1, 1, 1], 2, Allocation::Proportional, 0), [1, 1, 0]);
        assert_eq!(drawn(&[100, 100, 4], 30, Allocation::Equal, 0), [13, 13, 4]);
        assert_eq!(drawn(&[900, 100], 8, Allocation::Sqrt, 0), [6, 2]);
        assert_eq!(drawn(&[1000, 3, 1], 10, Allocation::Proportional, 2), [7, 2, 1]);
        assert_eq!(drawn(&[5, 5], 3, Allocation::Proportional, 9), [3, 0]);
        assert_eq!(drawn(&[], 3, Allocation::Equal, 1), Vec::<u64>::new());
    }

    proptest! {
        #[test]
        fn sums_are_exact_and_no_stratum_gives_more_than_it_has(
            counts in prop::collection::vec(0u64..500, 1..12), rows in 0u64..2000, minimum in 0u64..5, kind in 0..3,
        ) {
            let allocation = [Allocation::Proportional, Allocation::Equal, Allocation::Sqrt][kind as usize];
            let got = drawn(&counts, rows, allocation, minimum);
            prop_assert_eq!(got.iter().sum::<u64>(), rows.min(counts.iter().sum()));
            prop_assert!(got.iter().zip(&counts).all(|(drawn, count)| drawn <= count));
        }
    }
}
