//! Maps and sets whose keys are hashes already, so that nothing has to hash them again.
//!
//! Always: keys come from a good hash; whoever can choose them freely can make these slow.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

pub type Map<K, V> = HashMap<K, V, BuildHasherDefault<Own>>;
pub type Set<K> = HashSet<K, BuildHasherDefault<Own>>;

/// The key itself, or its lower half.
#[derive(Default)]
pub struct Own(u64);

impl Hasher for Own {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |sum, byte| sum.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}
