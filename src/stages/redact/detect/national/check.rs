//! Checksums and dates that national numbers are built of.
//!
//! Not here: which number uses which (the tables beside this file); Luhn (`finance`).
//!
//! Always: values are ASCII digits and upper-case letters without separators; nothing panics,
//! whatever the length.

pub(super) use crate::stages::redact::detect::finance::luhn;

/// A digit's value; letters count on from 10, as in ICAO 9303 and ISO 7064.
pub(super) fn value(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        _ => 0,
    }
}

pub(super) fn is_digits(number: &[u8]) -> bool {
    number.iter().all(u8::is_ascii_digit)
}

pub(super) fn is_letters(number: &[u8]) -> bool {
    number.iter().all(u8::is_ascii_uppercase)
}

/// As a number; at most 18 digits are asked for.
pub(super) fn decimal(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |all, digit| all.wrapping_mul(10).wrapping_add(u64::from(value(*digit))))
}

/// Sum of value times weight, as far as both reach.
pub(super) fn weighted(number: &[u8], weights: &[u32]) -> u32 {
    number.iter().zip(weights).map(|(byte, weight)| value(*byte) * weight).sum()
}

/// The same, each product replaced by the sum of its digits.
pub(super) fn weighted_digit_sums(number: &[u8], weights: &[u32]) -> u32 {
    number
        .iter()
        .zip(weights)
        .map(|(byte, weight)| value(*byte) * weight)
        .map(|product| product / 100 + product / 10 % 10 + product % 10)
        .sum()
}

/// The last digit makes the weighted sum of all divisible by 11 (10 has no digit); the weights
/// are those of the digits before it.
pub(super) fn mod_11(number: &[u8], weights: &[u32]) -> bool {
    let check = (11 - weighted(number, weights) % 11) % 11;
    number.len() == weights.len() + 1 && check == value(number[weights.len()])
}

/// As `mod_11`, but remainders that would give 10 (or 11) are written 0: Brazil, Portugal, Japan.
pub(super) fn mod_11_or_zero(number: &[u8], weights: &[u32]) -> bool {
    let check = match weighted(number, weights) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    number.len() == weights.len() + 1 && check == value(number[weights.len()])
}

/// The last digit makes the weighted sum end in 0.
pub(super) fn mod_10(number: &[u8], weights: &[u32]) -> bool {
    let check = (10 - weighted(number, weights) % 10) % 10;
    number.len() == weights.len() + 1 && check == value(number[weights.len()])
}

/// ISO 7064 MOD 11,10.
pub(super) fn mod_11_10(number: &[u8]) -> bool {
    let Some((last, rest)) = number.split_last() else { return false };
    let product = rest.iter().fold(10, |product, digit| {
        let sum = (product + value(*digit)) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == value(*last)
}

/// ISO 7064 MOD 11-2; the check character 10 is written X.
pub(super) fn mod_11_2(number: &[u8]) -> bool {
    let Some((last, rest)) = number.split_last() else { return false };
    let sum = rest.iter().fold(0, |sum, digit| (sum + value(*digit)) * 2 % 11);
    let check = (12 - sum) % 11;
    if check == 10 { *last == b'X' } else { last.is_ascii_digit() && check == value(*last) }
}

/// Luhn's sum over base 36, from the left with weights 1 2: India's GSTIN.
pub(super) fn luhn_36(number: &[u8]) -> bool {
    let Some((last, rest)) = number.split_last() else { return false };
    let sum: u32 = rest
        .iter()
        .enumerate()
        .map(|(place, byte)| value(*byte) * (1 + place as u32 % 2))
        .map(|product| product / 36 + product % 36)
        .sum();
    (36 - sum % 36) % 36 == value(*last)
}

/// ICAO 9303: weights 7 3 1, the last character is the check digit.
pub(super) fn icao_731(number: &[u8]) -> bool {
    let Some((last, rest)) = number.split_last() else { return false };
    let sum: u32 = rest.iter().zip([7, 3, 1].into_iter().cycle()).map(|(byte, weight)| value(*byte) * weight).sum();
    last.is_ascii_digit() && sum % 10 == value(*last)
}

/// The dihedral group of the pentagon: digits below 5 turn, the others mirror.
fn dihedral(a: u32, b: u32) -> u32 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

/// Verhoeff (1969).
pub(super) fn verhoeff(number: &[u8]) -> bool {
    const PERMUTATION: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let sum = number.iter().rev().enumerate().fold(0, |sum, (place, digit)| {
        let turned = (0..place % 8).fold(value(*digit), |digit, _| PERMUTATION[digit as usize % 10]);
        dihedral(sum, turned)
    });
    sum == 0
}

/// Not all digits the same: such numbers pass many sums and are nobody's.
pub(super) fn mixed(number: &[u8]) -> bool {
    number.iter().any(|byte| *byte != number[0])
}

pub(super) fn is_month_day(month: u64, day: u64) -> bool {
    const LONGEST: [u64; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    (1..=12).contains(&month) && (1..=LONGEST[month as usize - 1]).contains(&day)
}

/// YYMMDD; the month may carry an offset, which is taken off first.
pub(super) fn is_yymmdd(digits: &[u8]) -> bool {
    digits.len() >= 6 && is_digits(&digits[..6]) && is_month_day(decimal(&digits[2..4]), decimal(&digits[4..6]))
}

pub(super) fn is_ddmmyy(digits: &[u8]) -> bool {
    digits.len() >= 6 && is_digits(&digits[..6]) && is_month_day(decimal(&digits[2..4]), decimal(&digits[..2]))
}

/// YYYYMMDD of somebody who may be alive.
pub(super) fn is_yyyymmdd(digits: &[u8]) -> bool {
    digits.len() >= 8
        && is_digits(&digits[..8])
        && (1900..2100).contains(&decimal(&digits[..4]))
        && is_yymmdd(&digits[2..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every change of one digit of a valid number is refused.
    fn refuses_single_changes(valid: &[&str], check: fn(&[u8]) -> bool) {
        for number in valid {
            let mut bytes = number.as_bytes().to_vec();
            assert!(check(&bytes), "{number}");
            for place in (0..bytes.len()).filter(|place| number.as_bytes()[*place].is_ascii_digit()) {
                for digit in (b'0'..=b'9').filter(|digit| *digit != number.as_bytes()[place]) {
                    bytes[place] = digit;
                    assert!(!check(&bytes), "{number} with {} at {place}", char::from(digit));
                }
                bytes[place] = number.as_bytes()[place];
            }
        }
    }

    #[test]
    fn published_numbers_pass_and_their_neighbours_do_not() {
        refuses_single_changes(&["4111111111111111", "79927398713"], luhn);
        refuses_single_changes(&["2363", "123451", "234123412346"], verhoeff);
        refuses_single_changes(&["07945", "86095742719", "47036892816"], mod_11_10);
        refuses_single_changes(&["07940", "079X", "11010519491231002X", "34052419800101001X"], mod_11_2);
        refuses_single_changes(&["27AAPFU0939F1ZV"], luhn_36);
        refuses_single_changes(&["7561234567897", "5901234123457"], |ean| {
            mod_10(ean, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3])
        });
        // Weights 7 and 3 have inverses modulo 10, so one wrong digit is always seen.
        refuses_single_changes(&["L898902C36", "7408122", "1204159", "T220001293", "L01X00T471"], icao_731);
    }

    #[test]
    fn impossible_days_are_refused() {
        for (digits, possible) in [
            ("000229", true),
            ("000230", false),
            ("001301", false),
            ("000100", false),
            ("991231", true),
            ("99123", false),
        ] {
            assert_eq!(is_yymmdd(digits.as_bytes()), possible, "{digits}");
        }
        assert!(is_yyyymmdd(b"20000229") && !is_yyyymmdd(b"18991231") && !is_yyyymmdd(b"2000022"));
        assert!(is_ddmmyy(b"311299") && !is_ddmmyy(b"310299"));
    }

    #[test]
    fn no_length_panics() {
        let checks: [fn(&[u8]) -> bool; 6] = [luhn, verhoeff, mod_11_10, mod_11_2, luhn_36, icao_731];
        for number in [&b""[..], b"0", b"Z", b"00", b"99999999999999999999999999"] {
            for check in checks {
                check(number);
            }
            mod_11(number, &[1, 2]);
            mod_11_or_zero(number, &[1, 2]);
            mod_10(number, &[1, 2]);
            decimal(number);
        }
    }
}
