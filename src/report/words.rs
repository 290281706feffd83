//! Numbers, sizes and counts as people read them.

use std::collections::BTreeMap;

/// `1,234,567`.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number in a table, where zero says less than nothing.
pub fn cell(n: u64) -> String {
    if n == 0 { "-".to_owned() } else { number(n) }
}

/// Decimal, as disks and rates are sold: `82.4 MB`.
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "bytes";
    // 999.95 would round to 1000.0 of the smaller unit.
    for larger in ["kB", "MB", "GB", "TB"] {
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    if unit == "bytes" { format!("{bytes} bytes") } else { format!("{value:.1} {unit}") }
}

pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.2}"),
        s => format!("{s:.0}"),
    }
}

/// MB/s, or nothing where either is not known.
pub fn rate(bytes: u64, seconds: f64) -> String {
    if bytes == 0 || seconds <= 0.0 { "-".to_owned() } else { format!("{:.1}", bytes as f64 / 1e6 / seconds) }
}

/// `near_duplicate 12, exact_duplicate 3`: most first, then by name.
pub fn counts(counts: &BTreeMap<String, u64>) -> String {
    let mut sorted: Vec<_> = counts.iter().filter(|(_, n)| **n > 0).collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    sorted.iter().map(|(name, n)| format!("{name} {}", number(**n))).collect::<Vec<_>>().join(", ")
}

/// In the order of their names.
pub fn splits(splits: &BTreeMap<String, u64>) -> String {
    splits.iter().map(|(name, rows)| format!("{name} {}", number(*rows))).collect::<Vec<_>>().join(", ")
}

/// A word that a shell takes as one, as it stands.
pub fn shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes() {
        assert_eq!([0, 12, 999, 1000, 1234567].map(number), ["0", "12", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 999, 1000, 999_949, 999_950, 82_400_000].map(size),
            ["0 bytes", "999 bytes", "1.0 kB", "999.9 kB", "1.0 MB", "82.4 MB"]
        );
        assert_eq!(
            (rate(2_000_000, 0.5), rate(0, 1.0), rate(1, 0.0)),
            ("4.0".to_owned(), "-".to_owned(), "-".to_owned())
        );
    }

    #[test]
    fn words_for_a_shell() {
        assert_eq!(["/a/b-1", "a b", "it's", ""].map(shell), ["/a/b-1", "'a b'", r"'it'\''s'", "''"]);
    }
}
