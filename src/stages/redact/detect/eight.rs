//! Looks at eight bytes at once: which of them are letters.
//!
//! Not here: which end of the number they lie at, which is up to whoever read it.
//!
//! Always: an answer is the high bit of each byte that is one, and nothing else.

const ONES: u64 = 0x0101_0101_0101_0101;
pub(in super::super) const HIGH: u64 = ONES << 7;
/// Sets the bit that parts small letters from capitals.
pub(in super::super) const SMALL: u64 = ONES * 0x20;

/// Small ASCII letters.
#[inline]
pub(super) fn small_letters(eight: u64) -> u64 {
    let low = eight & !HIGH;
    (low + ONES * (0x80 - b'a' as u64)) & !(low + ONES * (0x7f - b'z' as u64)) & !eight & HIGH
}

/// ASCII letters.
#[inline]
pub(super) fn letters(eight: u64) -> u64 {
    small_letters(eight | SMALL)
}

/// Capitals right behind small letters. The first byte lies lowest; what stands before it is not seen.
#[inline]
pub(in super::super) fn humps(eight: u64) -> u64 {
    small_letters(eight) << 8 & letters(eight) & !small_letters(eight)
}

/// Bytes that are this one, which is ASCII.
#[inline]
pub(super) fn same(eight: u64, byte: u8) -> u64 {
    let other = (eight & !HIGH) ^ (ONES * u64::from(byte));
    !(other + ONES * 0x7f) & !eight & HIGH
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
