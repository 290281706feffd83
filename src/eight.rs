//! Looks at eight bytes at once: which of them are letters, where capitals stand behind small ones,
//! and what is known of a short word.
//!
//! Not here: which end of the number they lie at, but where it is said.
//!
//! Always: of the eight bytes, an answer is the high bit of each that is one, and nothing else.

const ONES: u64 = 0x0101_0101_0101_0101;
pub(crate) const HIGH: u64 = ONES << 7;
/// Sets the bit that parts small letters from capitals.
pub(crate) const SMALL: u64 = ONES * 0x20;

/// What a number is multiplied with to spread its bits: 2^64 divided by the golden ratio.
pub(crate) const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Small ASCII letters.
#[inline]
pub(crate) fn small_letters(eight: u64) -> u64 {
    let low = eight & !HIGH;
    (low + ONES * (0x80 - b'a' as u64)) & !(low + ONES * (0x7f - b'z' as u64)) & !eight & HIGH
}

/// ASCII letters.
#[inline]
pub(crate) fn letters(eight: u64) -> u64 {
    small_letters(eight | SMALL)
}

/// Capitals right behind small letters. The first byte lies lowest; what stands before it is not seen.
#[inline]
fn humps(eight: u64) -> u64 {
    small_letters(eight) << 8 & letters(eight) & !small_letters(eight)
}

/// Bytes that are this one, which is ASCII.
#[inline]
pub(crate) fn same(eight: u64, byte: u8) -> u64 {
    let other = (eight & !HIGH) ^ (ONES * u64::from(byte));
    !(other + ONES * 0x7f) & !eight & HIGH
}

/// The eight bytes that a row begins with, the first lowest; zeros behind its end.
#[inline]
pub(crate) fn first(bytes: &[u8]) -> u64 {
    let padded = || bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte));
    bytes.first_chunk().map_or_else(padded, |eight| u64::from_le_bytes(*eight))
}

/// How long the word is that begins here, and its letters, small ones, if they fill no more than a register.
#[inline]
pub(crate) fn word_at(bytes: &[u8]) -> (usize, Option<u64>) {
    const EIGHT: usize = size_of::<u64>();
    let eight = first(bytes);
    let ascii = letters(eight);
    let letters = ascii | same(eight, b'\'') | eight & HIGH;
    let small = eight | ascii >> 2;
    match (!letters & HIGH).trailing_zeros() as usize / 8 {
        EIGHT => {
            let letter = |byte: &&u8| byte.is_ascii_alphabetic() || **byte == b'\'' || **byte >= 0x80;
            let more = bytes[EIGHT..].iter().take_while(letter).count();
            (EIGHT + more, (more == 0).then_some(small))
        }
        len => (len, Some(small & !(u64::MAX << (8 * len)))),
    }
}

/// What is known of words of up to eight bytes: open addressing, at most half full. A look into a
/// `HashMap` takes several times as long.
pub(crate) struct Words<T, const SLOTS: usize>([(u64, T); SLOTS]);

impl<T: Copy + Default, const SLOTS: usize> Words<T, SLOTS> {
    pub(crate) fn new() -> Self {
        Words([(0, T::default()); SLOTS])
    }

    /// Of a word that may be new; more than `SLOTS` do not fit.
    pub(crate) fn entry(&mut self, word: &str) -> &mut T {
        let word = first(word.as_bytes());
        let slot = self.slot(word);
        self.0[slot].0 = word;
        &mut self.0[slot].1
    }

    /// Of a word as [`word_at`] has it.
    #[inline]
    pub(crate) fn get(&self, word: u64) -> T {
        self.0[self.slot(word)].1
    }

    #[inline]
    fn slot(&self, word: u64) -> usize {
        let mut slot = (word.wrapping_mul(SPREAD) >> 32) as usize % SLOTS;
        while self.0[slot].0 != word && self.0[slot].0 != 0 {
            slot = (slot + 1) % SLOTS;
        }
        slot
    }
}

/// The next capital behind a small letter. Blocks overlap by a byte.
pub(crate) fn next_hump(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from.saturating_sub(1);
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        match humps(u64::from_le_bytes(*eight)) {
            0 => at += 7,
            humps => return Some(at + humps.trailing_zeros() as usize / 8),
        }
    }
    let two = |two: &[u8]| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase();
    bytes.get(at..)?.windows(2).position(two).map(|place| at + place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn humps_are_capitals_behind_small_letters() {
        for (eight, places) in [(b"abCdEFgH", vec![2, 4, 7]), (b"ABCDefgh", vec![]), (b"a B1Cz[Z", vec![])] {
            let bits = humps(u64::from_le_bytes(*eight));
            assert_eq!((0..8).filter(|place| bits >> (8 * place) & 0x80 != 0).collect::<Vec<_>>(), places);
        }
    }

    #[test]
    fn humps_are_found_in_every_place() {
        for at in 0..40 {
            for len in 0..40 - at {
                let text = format!("{}{}", "ab ".repeat(20).get(..at).unwrap_or(""), "xY".repeat(len));
                let all = |at: usize| next_hump(text.as_bytes(), at);
                let found: Vec<usize> = std::iter::successors(all(0), |hump| all(hump + 1)).collect();
                assert_eq!(found, (0..len).map(|n| at + 2 * n + 1).collect::<Vec<_>>(), "{text}");
            }
        }
    }

    #[test]
    fn words_of_all_lengths() {
        for (text, len, key) in [
            ("", 0, Some("")),
            (" the", 0, Some("")),
            ("The", 3, Some("the")),
            ("I'm, and", 3, Some("i'm")),
            ("não é", 4, Some("não")),
            ("obrigado", 8, Some("obrigado")),
            ("OBRIGADO!", 8, Some("obrigado")),
            ("obrigados e", 9, None),
        ] {
            let letters = |word: &str| word.bytes().rev().fold(0, |key, byte| key << 8 | u64::from(byte));
            assert_eq!(word_at(text.as_bytes()), (len, key.map(letters)), "{text}");
        }
    }

    #[test]
    fn words_are_known_by_their_letters() {
        let names = || (0..60).map(|n| format!("w{n}"));
        let mut words = Words::<usize, 128>::new();
        names().enumerate().for_each(|(n, word)| *words.entry(&word) += n + 1);
        let get = |word: &str| words.get(first(word.as_bytes()));
        assert!(names().enumerate().all(|(n, word)| get(&word) == n + 1));
        assert_eq!((get(""), get("w60"), get("W1")), (0, 0, 0));
    }

    #[test]
    fn each_byte_is_answered_by_itself() {
        for byte in 0..=255u8 {
            for place in 0..8 {
                for beside in [0, b'a', b'Z', 0x7f, 0xff] {
                    let mut eight = [beside; 8];
                    eight[place] = byte;
                    let bits =
                        |is: fn(u8) -> bool| u64::from_le_bytes(eight.map(|byte| if is(byte) { 0x80 } else { 0 }));
                    let number = u64::from_le_bytes(eight);
                    assert_eq!(small_letters(number), bits(|byte| byte.is_ascii_lowercase()), "{eight:?}");
                    assert_eq!(letters(number), bits(|byte| byte.is_ascii_alphabetic()), "{eight:?}");
                    assert_eq!(same(number, b'\''), bits(|byte| byte == b'\''), "{eight:?}");
                }
            }
        }
    }
}
