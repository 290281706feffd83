//! Candidate pairs of one bucket.
//!
//! Always: a hot bucket gives pairs with its first `limit` members only; what that skips is
//! counted, not silent.

/// Pairs (i, j), i < j, of `members` members with i < `limit`, and how many pairs were skipped.
pub fn pairs(members: usize, limit: usize) -> (Vec<(usize, usize)>, u64) {
    let firsts = members.min(limit);
    let made: Vec<_> = (0..firsts).flat_map(|i| (i + 1..members).map(move |j| (i, j))).collect();
    let all = (members as u64) * (members as u64).saturating_sub(1) / 2;
    let skipped = all - made.len() as u64;
    (made, skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hot_buckets_are_bounded_and_counted() {
        assert_eq!(pairs(0, 2), (vec![], 0));
        assert_eq!(pairs(3, 9), (vec![(0, 1), (0, 2), (1, 2)], 0));
        let (made, skipped) = pairs(1000, 50);
        assert_eq!((made.len() as u64 + skipped, skipped), (499_500, 950 * 949 / 2));
    }
}
