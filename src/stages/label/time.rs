//! RFC 3339 times to microseconds and back, as far as labels need them.
//!
//! Not here: any clock. Leap seconds count as the second after.
//!
//! Always: what is not a full RFC 3339 time with an offset is `None`, never a guess.

/// Microseconds since 1970-01-01 UTC. Digits after the sixth are cut.
pub fn parse_us(text: &str) -> Option<i64> {
    let b = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if b.len() < 20 || separators.iter().any(|(at, c)| b[*at] != *c) || !matches!(b[10], b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (number(&b[..4])?, number(&b[5..7])?, number(&b[8..10])?);
    let (hour, minute, second) = (number(&b[11..13])?, number(&b[14..16])?, number(&b[17..19])?);
    let in_range = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let (fraction_us, rest) = fraction(&b[19..])?;
    let offset_min = offset(rest)?;
    let minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute - offset_min;
    in_range.then_some((minutes * 60 + second) * 1_000_000 + fraction_us)
}

/// Whole seconds since 1970 as RFC 3339 in UTC, for years 0 to 9999.
pub fn from_secs(secs: i64) -> Option<String> {
    let (mut days, of_day) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
    // Shifted to 0000-03-01, where leap days end the year; inverse of `days_since_1970`.
    days += 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    (0..=9999).contains(&year).then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, c| c.is_ascii_digit().then(|| sum * 10 + i64::from(c - b'0')))
}

fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else { return Some((0, text)) };
    let digits = text.iter().take_while(|c| c.is_ascii_digit()).count();
    let kept = digits.min(6);
    let scale = 10_i64.pow(6 - kept as u32);
    (digits > 0).then_some((number(&text[..kept])? * scale, &text[digits..]))
}

fn offset(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            let east = hours * 60 + minutes;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -east } else { east })
        }
        _ => None,
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T01:00:00.5+01:00", Some(500_000)),
            ("1969-12-31 23:59:59z", Some(-1_000_000)),
            ("2021-03-09T21:52:49.513742Z", Some(1_615_326_769_513_742)),
            ("2024-02-29T00:00:00.123456789-00:30", Some(1_709_166_600_123_456)),
            ("2023-02-29T00:00:00Z", None),
            ("2023-02-09T24:00:00Z", None),
            ("2023-02-09T00:00:00", None),
            ("2023-02-09T00:00:00.Z", None),
            ("2023-02-09", None),
            ("2023-02-09T00:00:00+1:00", None),
            ("20230209T000000Z00000", None),
            ("", None),
            ("ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ", None),
        ] {
            assert_eq!(parse_us(text), expected, "{text}");
        }
    }

    #[test]
    fn seconds_round_trip() {
        for secs in [0, -1, 951_782_400, 1_615_326_769, 4_102_444_799, -2_208_988_800] {
            let text = from_secs(secs).unwrap();
            assert_eq!(parse_us(&text), Some(secs * 1_000_000), "{text}");
        }
        assert_eq!(from_secs(951_782_400).as_deref(), Some("2000-02-29T00:00:00Z"));
        assert_eq!(from_secs(i64::MAX / 2), None);
    }
}
