//! What bands and rows find: the S-curve, over slots of a sketch and over bits of random planes.
//!
//! Not here: making sketches (`sketch`) and bits (`semantic::hyperplanes`).
//!
//! Always: what is found is a chance; who is near is decided exactly elsewhere.

use std::ops::RangeInclusive;

/// How likely a pair of a Jaccard shares a band, if slots agree independently with that chance:
/// `1 - (1 - s^r)^b` (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4.2).
pub fn found(jaccard: f64, bands: u32, rows: u32) -> f64 {
    1.0 - (1.0 - jaccard.powi(rows as i32)).powi(bands as i32)
}

/// How likely two vectors of a cosine lie on one side of a random plane: `1 - θ/π` (Charikar 2002, 3).
pub fn agrees(cosine: f64) -> f64 {
    1.0 - cosine.clamp(-1.0, 1.0).acos() / std::f64::consts::PI
}

/// The fewest bands that find vectors of a cosine with this chance or a better one.
pub fn bands_for(cosine: f64, bits: u32, recall: f64) -> u32 {
    let shared = agrees(cosine).powi(bits as i32);
    // Of equal vectors one band finds all: the logarithm of nothing is minus infinity.
    ((1.0 - recall).ln() / (1.0 - shared).ln()).ceil().max(1.0) as u32
}

/// The most bits of a band, out of those that may be, whose bands for this recall have no more planes than
/// `planes`; the fewest if none has.
pub fn bits_for(cosine: f64, recall: f64, bits: RangeInclusive<u32>, planes: u32) -> u32 {
    let fewest = *bits.start();
    bits.rev().find(|&bits| bands_for(cosine, bits, recall).saturating_mul(bits) <= planes).unwrap_or(fewest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_bits_as_the_planes_have_room_for() {
        for (cosine, bits, bands) in [(1.0, 32, 1), (0.98, 30, 31), (0.95, 22, 46), (0.9, 16, 53), (0.8, 16, 178)] {
            let found = bits_for(cosine, 0.99, 16..=32, 1024);
            assert_eq!((found, bands_for(cosine, found, 0.99)), (bits, bands), "{cosine}");
        }
        // Strangers at 0.75 share a band less often than with 16 bits.
        let shared = |bits: u32| found(agrees(0.75), bands_for(0.95, bits, 0.99), bits);
        assert!(shared(22) < 0.15 && shared(16) > 0.25, "{} {}", shared(22), shared(16));
    }

    #[test]
    fn as_many_bands_as_the_recall_needs() {
        for (cosine, bits, bands) in [(0.95, 16, 23), (0.9, 16, 53), (0.98, 16, 11), (1.0, 16, 1), (0.95, 12, 15)] {
            assert_eq!(bands_for(cosine, bits, 0.99), bands, "{cosine} {bits}");
            assert!(found(agrees(cosine), bands, bits) >= 0.99);
            assert!(bands == 1 || found(agrees(cosine), bands - 1, bits) < 0.99);
        }
        assert!((agrees(0.0) - 0.5).abs() < 1e-12 && (agrees(1.0) - 1.0).abs() < 1e-12);
    }

    /// The table of section 6.2 of the design's reference on dedup.
    #[test]
    fn the_curve_of_the_default() {
        for (jaccard, chance) in [(0.5, 0.061), (0.6, 0.237), (0.7, 0.613), (0.8, 0.947), (0.85, 0.994), (1.0, 1.0)] {
            assert!((found(jaccard, 16, 8) - chance).abs() < 0.0006, "{jaccard}");
        }
        assert!((found(0.8, 26, 11) - 0.903).abs() < 0.0006);
        assert!((found(0.8, 32, 8) - 0.997).abs() < 0.0006);
    }
}
