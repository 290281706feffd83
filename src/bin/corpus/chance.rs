//! Chance by hash: numbers from (seed, purpose, id), and permutations keyed the same way.
//!
//! Not a generator: nothing here has state that walks along, so any row can be made alone, in any
//! order, on any thread.
//!
//! Always: equal arguments give equal numbers; a `Permutation` of n is a bijection on 0..n.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A key from which numbers are read by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64, purpose: &str, id: u64) -> Chance {
        Chance(seed).sub(purpose, id)
    }

    /// A key of its own for a part of what this key stands for.
    pub fn sub(self, purpose: &str, id: u64) -> Chance {
        Chance(xxh3_64_with_seed(purpose.as_bytes(), self.0)).step(id)
    }

    /// As `sub`, where the position alone tells parts apart; cheaper, for sentences and words.
    pub fn step(self, n: u64) -> Chance {
        Chance(self.at(n))
    }

    pub fn at(self, n: u64) -> u64 {
        xxh3_64_with_seed(&n.to_le_bytes(), self.0)
    }

    /// The n-th number, in 0..limit. Multiply and shift: no division on the hot path.
    pub fn below(self, n: u64, limit: u64) -> u64 {
        ((u128::from(self.at(n)) * u128::from(limit)) >> 64) as u64
    }

    pub fn pick<T>(self, n: u64, items: &[T]) -> &T {
        &items[self.below(n, items.len() as u64) as usize]
    }

    /// As `pick`, for items that are cheap to copy.
    pub fn choose<T: Copy>(self, n: u64, items: &[T]) -> T {
        *self.pick(n, items)
    }

    /// Text of `len` characters of an ASCII alphabet.
    pub fn string(self, len: usize, alphabet: &[u8]) -> String {
        (0..len).map(|n| char::from(self.choose(n as u64, alphabet))).collect()
    }
}

/// A keyed bijection on 0..n: a four-round Feistel network over the next even power of two, walked
/// until the value falls inside. It shuffles lines without a table in memory.
#[derive(Clone, Copy, Debug)]
pub struct Permutation {
    key: Chance,
    n: u64,
    half_bits: u32,
}

impl Permutation {
    pub fn new(key: Chance, n: u64) -> Permutation {
        let bits = (64 - n.saturating_sub(1).leading_zeros()).max(2);
        Permutation { key, n, half_bits: bits.div_ceil(2) }
    }

    /// `i` must be below n; ends because a bijection's cycle through `i` comes back inside.
    pub fn apply(&self, i: u64) -> u64 {
        debug_assert!(i < self.n);
        let mut value = self.scramble(i);
        while value >= self.n {
            value = self.scramble(value);
        }
        value
    }

    fn scramble(&self, value: u64) -> u64 {
        let mask = (1u64 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for round in 0..4u64 {
            let mixed = left ^ (self.key.at((round << 40) | right) & mask);
            (left, right) = (right, mixed);
        }
        (left << self.half_bits) | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutations_are_bijections() {
        for n in [1u64, 2, 3, 5, 17, 1000, 4097] {
            let permutation = Permutation::new(Chance::new(7, "test", n), n);
            let mut seen: Vec<u64> = (0..n).map(|i| permutation.apply(i)).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn purpose_and_id_matter() {
        let base = Chance::new(1, "a", 1);
        assert_eq!(base, Chance::new(1, "a", 1));
        assert_ne!(base, Chance::new(1, "b", 1));
        assert_ne!(base, Chance::new(1, "a", 2));
        assert_ne!(base, Chance::new(2, "a", 1));
        assert!((0..1000).all(|n| base.below(n, 7) < 7));
    }
}
