//! Made-up values that stand for real ones and look like them.
//!
//! Not here: which type gets one (`policy`).
//!
//! Always: a surrogate lies in a range that is reserved for examples, or has a form that no real
//! value has, so it reaches nobody and is known again without the key ([`is_surrogate`]). Few
//! values are reserved for some types (cards, SSNs): different people may share one. `Hash` or
//! `pseudonym` tells them apart.

use std::net::{IpAddr, Ipv6Addr};

use super::kind::Kind;

/// RFC 2606.
const DOMAINS: [&str; 3] = ["example.com", "example.org", "example.net"];

/// Area codes in use since the plan of 1947; 555-0100 to 555-0199 are fictitious in each of them.
const AREAS: [u16; 60] = [
    201, 202, 203, 205, 206, 207, 208, 212, 213, 214, 215, 216, 217, 218, 219, 225, 228, 229, 231, 234, 239, 240, 248,
    251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302, 303, 304, 305, 307, 308, 309, 310, 312, 313,
    314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330, 334, 336, 337,
];

/// Numbers that card networks and payment services publish for tests, longest first.
const CARDS: [&str; 14] = [
    "4242424242424242",
    "4111111111111111",
    "4012888888881881",
    "5555555555554444",
    "5105105105105100",
    "2223003122003222",
    "6011111111111117",
    "6011000990139424",
    "3530111333300000",
    "3566002020360505",
    "378282246310005",
    "371449635398431",
    "30569309025904",
    "38520000023237",
];

/// The examples of the SWIFT IBAN registry; the check digits are right, the accounts are nobody's.
const IBANS: [&str; 20] = [
    "AT611904300234573201",
    "BE68539007547034",
    "CH9300762011623852957",
    "CZ6508000000192000145399",
    "DE89370400440532013000",
    "DK5000400440116243",
    "ES9121000418450200051332",
    "FI2112345600000785",
    "FR1420041010050500013M02606",
    "GB29NWBK60161331926819",
    "GR1601101250000000012300695",
    "IE29AIBK93115212345678",
    "IT60X0542811101000000123456",
    "LU280019400644750000",
    "NL91ABNA0417164300",
    "NO9386011117947",
    "PL61109010140000071219812874",
    "PT50000201231234567890154",
    "SE4550000000058398257466",
    "SI56263300012039086",
];

const GIVEN_NAMES: [&str; 32] = [
    "Alex", "Robin", "Kim", "Sam", "Jamie", "Casey", "Jordan", "Taylor", "Morgan", "Riley", "Avery", "Quinn", "Rowan",
    "Sasha", "Noor", "Ariel", "Dana", "Ellis", "Frankie", "Jules", "Kai", "Lee", "Marlo", "Nico", "Pat", "Remy",
    "Shay", "Toni", "Val", "Wren", "Yael", "Zion",
];

/// Family names are put together from these two, so that nobody bears them.
const SURNAME_HEADS: [&str; 6] = ["Example", "Sample", "Specimen", "Placehold", "Mockup", "Dummy"];
const SURNAME_TAILS: [&str; 8] = ["ton", "ford", "wood", "well", "field", "worth", "bury", "ham"];

const USER: &str = "user-";
const STREET: &str = "Example Street";

/// Crockford's base32 in lower case.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

pub fn exists(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Email
            | Kind::Phone
            | Kind::Address
            | Kind::Ip
            | Kind::Mac
            | Kind::Card
            | Kind::Iban
            | Kind::Ssn
            | Kind::Person
            | Kind::Username
    )
}

/// The surrogate of a value whose keyed hash these bits are.
pub fn surrogate(kind: Kind, raw: &str, bits: [u8; 16]) -> Option<String> {
    let n = u64::from_le_bytes([bits[0], bits[1], bits[2], bits[3], bits[4], bits[5], bits[6], bits[7]]) as usize;
    let pick = |list: &[&'static str], n: usize| list[n % list.len()];
    Some(match kind {
        Kind::Email => format!("{USER}{}@{}", word(&bits), pick(&DOMAINS, usize::from(bits[15]))),
        Kind::Username => format!("{USER}{}", word(&bits)),
        Kind::Phone => format!("+1 {}-555-01{:02}", AREAS[n / 100 % AREAS.len()], n % 100),
        Kind::Address => format!("{} {STREET}", 1 + n % 9999),
        Kind::Ip => ip(raw, &bits, n),
        // RFC 7042: 00-00-5E-00-53-00 to FF are for documentation.
        Kind::Mac => format!("00:00:5E:00:53:{:02X}", bits[0]),
        Kind::Card => card(raw, n).to_owned(),
        Kind::Iban => iban(raw, n).to_owned(),
        // Ten numbers that the Social Security Administration set apart for advertisements.
        Kind::Ssn => format!("987-65-432{}", n % 10),
        Kind::Person => {
            let (given, rest) = (pick(&GIVEN_NAMES, n), n / GIVEN_NAMES.len());
            format!("{given} {}{}", pick(&SURNAME_HEADS, rest), pick(&SURNAME_TAILS, rest / SURNAME_HEADS.len()))
        }
        _ => return None,
    })
}

/// 8 characters out of 40 bits.
fn word(bits: &[u8; 16]) -> String {
    bits[..8].iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

/// RFC 5737 and RFC 3849.
fn ip(raw: &str, bits: &[u8; 16], n: usize) -> String {
    if raw.contains(':') {
        let [a, b, c, d, e, f, ..] = *bits;
        let part = |high: u8, low: u8| u16::from(high) << 8 | u16::from(low);
        return Ipv6Addr::new(0x2001, 0xdb8, part(a, b) | 1, part(c, d), 0, 0, 0, part(e, f) | 1).to_string();
    }
    format!("{}.{}", ["192.0.2", "198.51.100", "203.0.113"][n % 3], 1 + n / 3 % 254)
}

/// One of the same length, and of the same network if there is one.
fn card(raw: &str, n: usize) -> &'static str {
    let digits: Vec<u8> = raw.bytes().filter(u8::is_ascii_digit).collect();
    let like = |card: &&&str| card.len() == digits.len() && card.as_bytes().first() == digits.first();
    let same: Vec<&&str> = CARDS.iter().filter(like).collect();
    same.get(n % same.len().max(1)).map_or(CARDS[n % 6], |card| card)
}

/// That of the same country, if it is listed.
fn iban(raw: &str, n: usize) -> &'static str {
    let country = |iban: &&&str| raw.get(..2).is_some_and(|country| country.eq_ignore_ascii_case(&iban[..2]));
    IBANS.iter().find(country).map_or(IBANS[n % IBANS.len()], |iban| iban)
}

/// Whether a value that was found has a form that only surrogates have, whatever type it was found
/// as: a rule may take a reserved value for something else.
pub fn is_surrogate(value: &str) -> bool {
    let digits: String = value.bytes().filter(u8::is_ascii_digit).map(char::from).collect();
    is_user(value)
        || CARDS.contains(&digits.as_str())
        || digits.strip_prefix("1").filter(|rest| rest.len() == 10).unwrap_or(&digits).get(3..8) == Some("55501")
            && matches!(digits.len(), 10 | 11)
        || (digits.len() == 9 && digits.starts_with("98765432"))
        || is_iban(value)
        || is_ip(value)
        || (value.len() == 17 && value.get(..15).is_some_and(|head| head.eq_ignore_ascii_case("00:00:5e:00:53:")))
        || is_person(value)
        || value.strip_suffix(STREET).is_some_and(|number| number.trim_end().bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_user(value: &str) -> bool {
    let (local, domain) = value.split_once('@').unwrap_or((value, DOMAINS[0]));
    let word = local.strip_prefix(USER).unwrap_or("");
    word.len() == 8 && word.bytes().all(|byte| ALPHABET.contains(&byte)) && DOMAINS.contains(&domain)
}

fn is_iban(value: &str) -> bool {
    value.len() < 64 && {
        let plain: String = value.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        IBANS.iter().any(|iban| iban.eq_ignore_ascii_case(&plain))
    }
}

fn is_ip(value: &str) -> bool {
    match value.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => matches!(v4.octets(), [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _]),
        Ok(IpAddr::V6(v6)) => matches!(v6.segments(), [0x2001, 0xdb8, ..]),
        Err(_) => false,
    }
}

fn is_person(value: &str) -> bool {
    let last = value.rsplit(' ').next().unwrap_or(value);
    SURNAME_HEADS.iter().any(|head| last.strip_prefix(head).is_some_and(|tail| SURNAME_TAILS.contains(&tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_are_known_again_and_depend_on_the_hash() {
        for kind in Kind::ALL {
            let made: Vec<Option<String>> = (0..200u32)
                .map(|n| {
                    let mut bits = [0; 16];
                    bits.copy_from_slice(&blake3::hash(&n.to_le_bytes()).as_bytes()[..16]);
                    surrogate(*kind, "10.0.0.1", bits)
                })
                .collect();
            assert_eq!(made[0].is_some(), exists(*kind), "{kind:?}");
            let mut made: Vec<String> = made.into_iter().flatten().collect();
            assert!(made.iter().all(|value| is_surrogate(value)), "{made:?}");
            made.sort();
            made.dedup();
            assert!(made.is_empty() || made.len() >= 6, "{kind:?} {made:?}");
        }
    }

    #[test]
    fn real_values_are_not_taken_for_surrogates() {
        for real in [
            "jane@example.com",
            "user@example.com",
            "user-k7f3a9q2@corp.com",
            "+1 202-555-1143",
            "212-444-0143",
            "4539578763621486",
            "DE44500105175407324931",
            "192.0.3.1",
            "8.8.8.8",
            "2001:db9::1",
            "123-45-6789",
            "Alex Morgan",
            "Example",
            "12 High Street",
            "",
        ] {
            assert!(!is_surrogate(real), "{real}");
        }
    }

    #[test]
    fn reserved_numbers_pass_their_checks() {
        for card in CARDS {
            let sum: u32 = card
                .bytes()
                .rev()
                .enumerate()
                .map(|(i, digit)| {
                    let digit = u32::from(digit - b'0');
                    if i % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
                })
                .sum();
            assert_eq!(sum % 10, 0, "{card}");
        }
        for known in IBANS {
            assert!(known.parse::<iban::Iban>().is_ok(), "{known}");
        }
    }

    #[test]
    fn the_form_of_the_value_is_kept() {
        let bits = [7; 16];
        assert_eq!(surrogate(Kind::Card, "3714 496353 98431", bits).unwrap().len(), 15);
        assert!(surrogate(Kind::Iban, "fr76 3000 6000 0112 3456 7890 189", bits).unwrap().starts_with("FR14"));
        assert!(surrogate(Kind::Ip, "fe80::1", bits).unwrap().starts_with("2001:db8:"));
        assert!(surrogate(Kind::Ip, "8.8.8.8", bits).unwrap().parse::<std::net::Ipv4Addr>().is_ok());
    }
}
