//! Train or test.
//!
//! Always: all rows of a split group are on the same side, in every dataset of the project and in
//! every version, because nothing but the seed and the group decides.

use crate::record::chance;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    Train,
    Test,
}

impl Split {
    pub const fn as_str(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Test => "test",
        }
    }
}

pub fn split(seed: u64, split_group: &str, test_share: f64) -> Split {
    // 53 bits fit a float exactly.
    let drawn = (chance(seed, "dataset/split", split_group) >> 11) as f64 / (1u64 << 53) as f64;
    if drawn < test_share { Split::Test } else { Split::Train }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_as_asked_and_extremes_hold() {
        let test = (0..10_000).filter(|i| split(7, &i.to_string(), 0.1) == Split::Test).count();
        assert!((850..1150).contains(&test), "{test}");
        assert!((0..1000).all(|i| split(7, &i.to_string(), 0.0) == Split::Train));
    }
}
