//! What bands and rows find: the S-curve.

/// How likely a pair of a Jaccard shares a band, if slots agree independently with that chance:
/// `1 - (1 - s^r)^b` (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4.2).
pub fn found(jaccard: f64, bands: u32, rows: u32) -> f64 {
    1.0 - (1.0 - jaccard.powi(rows as i32)).powi(bands as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

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
