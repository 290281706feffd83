//! Sums that made-up numbers need in order to look real; only canaries are made with them.
//!
//! Always: values are given as written; what is not of the right length does not hold.

use super::super::check::packed;

fn value(byte: u8) -> u32 {
    char::from(byte).to_digit(36).unwrap_or(0)
}

fn sum(number: &[u8], weights: &[u32]) -> u32 {
    number.iter().zip(weights).map(|(byte, weight)| value(*byte) * weight).sum()
}

fn digit_sums(number: &[u8], weights: &[u32]) -> u32 {
    let products = number.iter().zip(weights).map(|(byte, weight)| value(*byte) * weight);
    products.map(|product| product / 10 + product % 10).sum()
}

/// Letters as two digits: A is 01.
fn spelled(number: &[u8]) -> Vec<u8> {
    let spell = |byte: &u8| match byte {
        b'A'..=b'Z' => format!("{:02}", byte - b'A' + 1).into_bytes(),
        _ => vec![*byte],
    };
    number.iter().flat_map(spell).collect()
}

fn last_is(number: &[u8], check: u32) -> bool {
    number.last().is_some_and(|last| value(*last) == check)
}

pub fn iso_11_10(raw: &str) -> bool {
    let id = packed(raw);
    let digits: Vec<u8> = id.iter().copied().filter(u8::is_ascii_digit).collect();
    let Some((_, body)) = digits.split_last() else { return false };
    let product = body.iter().fold(10, |product, digit| match (product + value(*digit)) % 10 {
        0 => 20 % 11,
        rest => rest * 2 % 11,
    });
    last_is(&digits, (11 - product) % 10)
}

/// One digit stands two or three times among the first ten, the others once at most.
pub fn tax_id(raw: &str) -> bool {
    let id = packed(raw);
    let times = |digit: u8| id.iter().take(10).filter(|byte| **byte == digit).count();
    let many: Vec<usize> = (b'0'..=b'9').map(times).filter(|times| *times > 1).collect();
    iso_11_10(raw) && matches!(many[..], [2 | 3])
}

pub fn kvnr(raw: &str) -> bool {
    let id = packed(raw);
    let all = spelled(&id);
    all.len() == 11 && last_is(&id, digit_sums(&all[..10], &[1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10)
}

pub fn rvnr(raw: &str) -> bool {
    let id = packed(raw);
    let all = spelled(&id);
    all.len() == 13 && last_is(&id, digit_sums(&all[..12], &[2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) % 10)
}

pub fn icao(raw: &str) -> bool {
    let id = packed(raw);
    let Some((_, body)) = id.split_last() else { return false };
    last_is(
        &id,
        body.iter().zip([7, 3, 1].iter().cycle()).map(|(byte, weight)| value(*byte) * weight).sum::<u32>() % 10,
    )
}

pub fn pesel(raw: &str) -> bool {
    let id = packed(raw);
    last_is(&id, (10 - sum(&id, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10)
}

pub fn fodselsnummer(raw: &str) -> bool {
    let id = packed(raw);
    id.len() == 11
        && value(id[9]) == (11 - sum(&id, &[3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11) % 11
        && value(id[10]) == (11 - sum(&id, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11
}

pub fn svnr(raw: &str) -> bool {
    let id = packed(raw);
    id.len() == 10 && sum(&id, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == value(id[3])
}

pub fn cnp(raw: &str) -> bool {
    let id = packed(raw);
    let rest = sum(&id, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    last_is(&id, if rest == 10 { 1 } else { rest })
}

pub fn bsn(raw: &str) -> bool {
    let id = packed(raw);
    id.len() == 9 && sum(&id, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == value(id[8])
}

fn eleven(raw: &str, weights: &[u32]) -> bool {
    let id = packed(raw);
    let check = match sum(&id, weights) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    id.len() == weights.len() + 1 && last_is(&id, check)
}

pub fn pt_nif(raw: &str) -> bool {
    eleven(raw, &[9, 8, 7, 6, 5, 4, 3, 2])
}

pub fn my_number(raw: &str) -> bool {
    eleven(raw, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
}

pub fn nhs(raw: &str) -> bool {
    let id = packed(raw);
    id.len() == 10 && (11 - sum(&id, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 == value(id[9])
}

pub fn pps(raw: &str) -> bool {
    let id = packed(raw);
    let letters = b"WABCDEFGHIJKLMNOPQRSTUV";
    id.len() == 8 && id[7] == letters[(sum(&id, &[8, 7, 6, 5, 4, 3, 2]) % 23) as usize]
}

pub fn tfn(raw: &str) -> bool {
    sum(&packed(raw), &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}

pub fn abn(raw: &str) -> bool {
    // The first digit counts one less.
    (sum(&packed(raw), &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) + 79).is_multiple_of(89)
}

pub fn acn(raw: &str) -> bool {
    let id = packed(raw);
    last_is(&id, (10 - sum(&id, &[8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10)
}

pub fn medicare(raw: &str) -> bool {
    let id = packed(raw);
    id.len() == 10 && sum(&id, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == value(id[8])
}

pub fn taiwan(raw: &str) -> bool {
    let id = packed(raw);
    let place = id.first().and_then(|first| b"ABCDEFGHJKLMNPQRSTUVXYWZIO".iter().position(|letter| letter == first));
    let Some(n) = place.map(|place| place as u32 + 10) else { return false };
    (n / 10 + n % 10 * 9 + sum(&id[1..], &[8, 7, 6, 5, 4, 3, 2, 1, 1])).is_multiple_of(10)
}

pub fn tckn(raw: &str) -> bool {
    let id = packed(raw);
    let odd = sum(&id, &[7, 0, 7, 0, 7, 0, 7, 0, 7]);
    let even = sum(&id, &[0, 1, 0, 1, 0, 1, 0, 1]);
    id.len() == 11 && (odd + 100 - even) % 10 == value(id[9]) && sum(&id[..10], &[1; 10]) % 10 == value(id[10])
}

pub fn kr_business(raw: &str) -> bool {
    let id = packed(raw);
    if id.len() != 10 {
        return false;
    }
    let all = sum(&id, &[1, 3, 7, 1, 3, 7, 1, 3, 5]) + value(id[8]) * 5 / 10;
    last_is(&id, (10 - all % 10) % 10)
}

pub fn uen(raw: &str) -> bool {
    let id = packed(raw);
    id.len() == 10 && id[9] == b"ZKCMDNERGWH"[(sum(&id, &[10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11) as usize]
}

pub fn utr(raw: &str) -> bool {
    let id = packed(raw);
    id.len() == 10
        && u32::from(b"21987654321"[(sum(&id[1..], &[6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11) as usize] - b'0')
            == value(id[0])
}

pub fn npi(raw: &str) -> bool {
    super::super::check::luhn(&format!("80840{raw}"))
}

pub fn epic(raw: &str) -> bool {
    super::super::check::luhn(raw.get(3..).unwrap_or_default())
}

pub fn dea(raw: &str) -> bool {
    let id = packed(raw);
    id.len() == 9 && sum(&id[2..], &[1, 2, 1, 2, 1, 2]) % 10 == value(id[8])
}

pub fn routing(raw: &str) -> bool {
    sum(&packed(raw), &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

pub fn vin(raw: &str) -> bool {
    let id = packed(raw);
    let read = |byte: &u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'H' => u32::from(byte - b'A') + 1,
        b'J'..=b'R' => u32::from(byte - b'J') + 1,
        _ => u32::from(byte - b'S') + 2,
    };
    let weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let rest = id.iter().zip(weights).map(|(byte, weight)| read(byte) * weight).sum::<u32>() % 11;
    id.len() == 17 && if rest == 10 { id[8] == b'X' } else { value(id[8]) == rest && id[8].is_ascii_digit() }
}

/// Check digits of number, date of birth, expiry, and of all together, on the second line.
pub fn mrz(raw: &str) -> bool {
    let Some(line) = raw.lines().nth(1).filter(|line| line.len() == 44) else { return false };
    let good = |parts: &[&str]| {
        let all: String = parts.concat();
        let (body, check) = all.split_at(all.len() - 1);
        let place = |c: char| if c == '<' { 0 } else { c.to_digit(36).unwrap_or(0) };
        let sum: u32 = body.chars().zip([7, 3, 1].into_iter().cycle()).map(|(c, weight)| place(c) * weight).sum();
        check.parse() == Ok(sum % 10)
    };
    good(&[&line[..10]])
        && good(&[&line[13..20]])
        && good(&[&line[21..28]])
        && good(&[&line[..10], &line[13..20], &line[21..43], &line[43..]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_hold_and_others_do_not() {
        type Row = (fn(&str) -> bool, &'static str, &'static str);
        let rows: &[Row] = &[
            (tax_id, "86095742719", "86095742718"),
            (iso_11_10, "DE136695976", "DE136695977"),
            (kvnr, "A123456780", "A123456781"),
            (rvnr, "65170839J003", "65170839J004"),
            (icao, "L01X00T471", "L01X00T472"),
            (pesel, "44051401359", "44051401358"),
            (fodselsnummer, "15108695088", "15108695089"),
            (svnr, "1237 010180", "1238 010180"),
            (cnp, "1800101221144", "1800101221145"),
            (bsn, "111222333", "111222334"),
            (pt_nif, "501964843", "501964844"),
            (my_number, "123456789018", "123456789019"),
            (nhs, "943 476 5919", "943 476 5918"),
            (pps, "1234567T", "1234567U"),
            (tfn, "123 456 782", "123 456 783"),
            (abn, "51 824 753 556", "51 824 753 557"),
            (acn, "004 085 616", "004 085 617"),
            (medicare, "2123 45670 1", "2123 45671 1"),
            (taiwan, "A123456789", "A123456788"),
            (tckn, "10000000146", "10000000147"),
            (kr_business, "116-82-00276", "116-82-00277"),
            (uen, "197401143C", "197401143D"),
            (utr, "1955839661", "2955839661"),
            (npi, "1234567893", "1234567894"),
            (epic, "WKH1186253", "WKH1186254"),
            (dea, "AB1234563", "AB1234564"),
            (routing, "021000021", "021000022"),
            (vin, "1HGCM82633A004352", "1HGCM82643A004352"),
        ];
        for (holds, good, bad) in rows {
            assert!(holds(good) && !holds(bad), "{good}");
        }
    }
}
