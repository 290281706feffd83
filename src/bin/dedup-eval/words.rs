//! Chance and prose without meaning: words of letters only, the same for the same seed.

/// A stream of numbers that depends on nothing but its seed.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64, case: u64, pair: u64) -> Chance {
        // Scrambled, so that no stream is another one's, some steps on.
        let mut chance = Chance(seed ^ case.rotate_left(48) ^ pair.rotate_left(8));
        Chance(chance.next())
    }

    /// SplitMix64.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    pub fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to - from + 1)
    }

    /// A word of two to four syllables, from some 40,000 of which the short ones are common.
    pub fn word(&mut self) -> String {
        const HEADS: [&str; 20] =
            ["b", "br", "c", "d", "dr", "f", "g", "gl", "h", "k", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "v"];
        const VOWELS: [&str; 6] = ["a", "e", "i", "o", "u", "ea"];
        const TAILS: [&str; 8] = ["", "", "n", "r", "s", "l", "nd", "ck"];
        let syllables = 1 + self.below(3);
        let mut word = String::new();
        for _ in 0..syllables {
            word.push_str(HEADS[self.below(20)]);
            word.push_str(VOWELS[self.below(6)]);
        }
        word.push_str(TAILS[self.below(8)]);
        word
    }

    pub fn words(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.word()).collect()
    }

    /// Sentences of so many words.
    pub fn prose(&mut self, count: usize) -> Vec<String> {
        let mut words = self.words(count);
        let mut at = 0;
        while at < count {
            if let Some(first) = words[at].get(..1).map(str::to_uppercase) {
                words[at].replace_range(..1, &first);
            }
            at += self.between(6, 14);
            words[at.min(count) - 1].push(if self.below(5) == 0 { '?' } else { '.' });
        }
        words
    }
}
