//! Which vectors may be near each other: bits of random hyperplanes, cut into bands.
//!
//! A bit says on which side of a plane through the origin a vector lies. Two vectors at an angle θ
//! lie on one side of a random plane with probability 1 - θ/π (Charikar 2002, "Similarity Estimation
//! Techniques from Rounding Algorithms", 3), so they share all `bits` of at least one of `bands` bands
//! with 1 - (1 - (1 - θ/π)^bits)^bands. `curve` has the formula.
//!
//! Not here: what is near (`super::cosine`): bits only propose.
//!
//! Always: planes come from the seed alone, and only from additions of random bits, so they are the
//! same on every machine; a vector's signature depends on nothing but the vector and the planes.

use std::fmt::Write;

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

/// How vectors are cut; travels in the plan as literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub seed: u64,
    pub bands: u32,
    /// Bits of a band: at most 64.
    pub bits: u32,
}

/// Digits of a vector's digest, with which its signature begins.
pub const DIGEST_DIGITS: usize = 32;

impl Settings {
    /// Digits of the bits, which follow the digest.
    pub fn bit_digits(&self) -> usize {
        (self.bands as usize * self.bits as usize).div_ceil(4)
    }
}

/// Random bytes behind one component of a plane.
const COMPONENT_BYTES: usize = 12;

/// The planes, as far as vectors were long.
pub struct Planes {
    planes: usize,
    chance: blake3::OutputReader,
    /// First component of every plane, then the second of every plane, and so on.
    components: Vec<f32>,
    sums: Vec<f64>,
}

impl Planes {
    pub fn new(settings: &Settings) -> Planes {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&settings.seed.to_le_bytes()).update(b"dedup/hyperplanes");
        let planes = (settings.bands * settings.bits) as usize;
        Planes { planes, chance: hasher.finalize_xof(), components: Vec::new(), sums: vec![0.0; planes] }
    }

    /// Digest and bits, as hexadecimal digits.
    pub fn signature(&mut self, vector: &[f64]) -> String {
        self.reach(vector.len());
        self.sums.fill(0.0);
        // One component after the other for all planes: sums that do not wait for each other.
        for (x, row) in vector.iter().zip(self.components.chunks_exact(self.planes)) {
            self.sums.iter_mut().zip(row).for_each(|(sum, component)| *sum += x * f64::from(*component));
        }
        let mut text = digest(vector);
        for four in self.sums.chunks(4) {
            let digit = four.iter().rev().fold(0, |digit, sum| digit << 1 | u8::from(*sum >= 0.0));
            // Writing to a string cannot fail.
            let _ = write!(text, "{digit:x}");
        }
        text
    }

    fn reach(&mut self, length: usize) {
        let mut bytes = [0; COMPONENT_BYTES];
        while self.components.len() < length * self.planes {
            self.chance.fill(&mut bytes);
            self.components.push(component(bytes));
        }
    }
}

/// A number that is nearly normally distributed: how many of 64 coins fell on heads, and a fraction,
/// so that a plane has no component that is exactly 0. A sum of coins needs no logarithm, whose last
/// digit differs between mathematics libraries.
fn component(bytes: [u8; COMPONENT_BYTES]) -> f32 {
    let (coins, fraction) = bytes.split_at(8);
    let heads: u32 = coins.iter().map(|byte| byte.count_ones()).sum();
    let mut four = [0; 4];
    four.copy_from_slice(fraction);
    (f64::from(heads) - 32.5 + f64::from(u32::from_le_bytes(four)) / (1u64 << 32) as f64) as f32
}

/// Tells vectors of one id apart.
pub fn digest(vector: &[f64]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    format!("{:032x}", xxh3_128(&bytes))
}

/// A hash for each band, from the digits behind the digest.
pub fn bands(digits: &str, settings: &Settings) -> Vec<u64> {
    let digit = |at: usize| digits.as_bytes().get(at).and_then(|&byte| (byte as char).to_digit(16)).unwrap_or_default();
    let bit = |at: usize| u64::from(digit(at / 4) >> (at % 4) & 1);
    let bits = settings.bits as usize;
    let band = |i: usize| {
        let word = (i * bits..(i + 1) * bits).fold(0u64, |word, at| word << 1 | bit(at));
        xxh3_64_with_seed(&word.to_le_bytes(), i as u64)
    };
    (0..settings.bands as usize).map(band).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{cosine, flaw};
    use super::*;
    use crate::record::chance;
    use crate::stages::dedup::curve;

    const SETTINGS: Settings = Settings { seed: 7, bands: 23, bits: 16 };

    /// Numbers from -1 to 1 that depend on nothing but their names.
    fn vector(name: u64, length: usize) -> Vec<f64> {
        let number = |i: usize| chance(name, "test", &i.to_string()) as f64 / u64::MAX as f64 * 2.0 - 1.0;
        (0..length).map(number).collect()
    }

    fn shared(a: &[u64], b: &[u64]) -> usize {
        a.iter().zip(b).filter(|(x, y)| x == y).count()
    }

    fn cut(planes: &mut Planes, vector: &[f64], settings: &Settings) -> Vec<u64> {
        bands(&planes.signature(vector)[DIGEST_DIGITS..], settings)
    }

    /// A vector at exactly this cosine to another, which has the length 1 as it has.
    fn at_cosine(name: u64, cosine: f64, length: usize) -> (Vec<f64>, Vec<f64>) {
        let unit = |vector: Vec<f64>| {
            let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
            vector.into_iter().map(|x| x / length).collect::<Vec<_>>()
        };
        let a = unit(vector(name, length));
        let other = vector(name + 1_000_000, length);
        let along: f64 = a.iter().zip(&other).map(|(x, y)| x * y).sum();
        let across = unit(other.iter().zip(&a).map(|(x, y)| x - along * y).collect());
        let sine = (1.0 - cosine * cosine).sqrt();
        let b = a.iter().zip(&across).map(|(x, y)| cosine * x + sine * y).collect();
        (a, b)
    }

    #[test]
    fn bits_agree_as_often_as_the_formula_says() {
        let settings = Settings { seed: 3, bands: 64, bits: 64 };
        let mut planes = Planes::new(&settings);
        for (cosine, length) in [(0.95, 8), (0.5, 64), (0.0, 64), (-0.5, 64)] {
            let (mut agree, mut all) = (0, 0);
            for name in 0..20 {
                let (a, b) = at_cosine(name, cosine, length);
                let (a, b) = (planes.signature(&a), planes.signature(&b));
                let digits = a[DIGEST_DIGITS..].chars().zip(b[DIGEST_DIGITS..].chars());
                for (x, y) in digits {
                    agree += 4 - (x.to_digit(16).unwrap() ^ y.to_digit(16).unwrap()).count_ones();
                    all += 4;
                }
            }
            let (share, expected) = (f64::from(agree) / f64::from(all), curve::agrees(cosine));
            assert!((share - expected).abs() < 0.01, "{cosine}: {share} instead of {expected}");
        }
    }

    #[test]
    fn pairs_at_the_threshold_are_found_as_often_as_the_curve_says() {
        let bands = curve::bands_for(0.95, SETTINGS.bits, 0.99);
        assert_eq!(bands, SETTINGS.bands);
        let mut found = [0; 2];
        for name in 0..400 {
            // Planes anew each time, as pairs under the same planes are found together.
            let settings = Settings { seed: name, ..SETTINGS };
            let mut planes = Planes::new(&settings);
            for (found, cosine) in found.iter_mut().zip([0.95, 0.8]) {
                let (a, b) = at_cosine(name, cosine, 48);
                let (a, b) = (cut(&mut planes, &a, &settings), cut(&mut planes, &b, &settings));
                *found += usize::from(shared(&a, &b) > 0);
            }
        }
        // Three standard deviations of 400 tries below 0.99 are 0.015; at 0.8 the curve says 0.45.
        assert!(found[0] as f64 / 400.0 >= 0.975, "{found:?}");
        let expected = curve::found(curve::agrees(0.8), SETTINGS.bands, SETTINGS.bits);
        assert!((found[1] as f64 / 400.0 - expected).abs() < 0.08, "{found:?}, {expected}");
    }

    #[test]
    fn brute_force_finds_no_more_than_the_curve_lets_go() {
        let mut planes = Planes::new(&SETTINGS);
        // Three hundred vectors around forty centres, so that some hundreds of pairs are near.
        let around = |i: u64| -> Vec<f64> {
            let (centre, own) = (vector(i % 40, 32), vector(1000 + i, 32));
            let far = 0.05 + (i / 40) as f64 * 0.04;
            centre.iter().zip(&own).map(|(x, y)| x + far * y).collect()
        };
        let vectors: Vec<_> = (0..300).map(around).collect();
        let cuts: Vec<_> = vectors.iter().map(|vector| cut(&mut planes, vector, &SETTINGS)).collect();
        let (mut near, mut missed, mut pairs) = (0, 0, 0);
        for i in 0..vectors.len() {
            for j in 0..i {
                pairs += 1;
                if cosine(&vectors[i], &vectors[j]) >= 0.95 {
                    near += 1;
                    missed += usize::from(shared(&cuts[i], &cuts[j]) == 0);
                }
            }
        }
        assert!(near > 300 && pairs == 300 * 299 / 2, "{near}");
        assert!(missed as f64 <= near as f64 * 0.01 + 3.0, "{missed} of {near}");
    }

    #[test]
    fn a_longer_vector_goes_on_with_the_same_planes() {
        let mut planes = Planes::new(&SETTINGS);
        let long = planes.signature(&vector(1, 40));
        let short = planes.signature(&vector(2, 7));
        let mut fresh = Planes::new(&SETTINGS);
        assert_eq!((fresh.signature(&vector(2, 7)), fresh.signature(&vector(1, 40))), (short.clone(), long));
        assert_eq!(short.len(), DIGEST_DIGITS + SETTINGS.bit_digits());
        let other = Planes::new(&Settings { seed: 8, ..SETTINGS }).signature(&vector(2, 7));
        assert!(other != short && other[..DIGEST_DIGITS] == short[..DIGEST_DIGITS]);
    }

    proptest! {
        #[test]
        fn directions_have_bits_and_lengths_have_none(
            numbers in prop::collection::vec(-1e3..1e3f64, 2..40),
            bits in 1..65u32,
            bands in 1..9u32,
        ) {
            prop_assume!(flaw(&numbers).is_none());
            let settings = Settings { seed: 1, bands, bits };
            let mut planes = Planes::new(&settings);
            let own = cut(&mut planes, &numbers, &settings);
            // Doubling is exact, so no sum changes its sign.
            let doubled: Vec<f64> = numbers.iter().map(|x| x * 2.0).collect();
            prop_assert_eq!(&own, &cut(&mut planes, &doubled, &settings));
            prop_assert_eq!(own.len(), bands as usize);
            prop_assert!(cosine(&numbers, &doubled) > 1.0 - 1e-12);
        }
    }
}
