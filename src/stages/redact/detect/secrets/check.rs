//! What is verified beyond the shape: checksums, inner encodings, placeholders.
//!
//! Not here: passwords and other values without a shape (`value`).
//!
//! Always: a value that could be real is let through; only a proof (a checksum that fits, an
//! encoding that decodes) makes a finding surer, and only a proof of the contrary drops one.

/// What a look inside a value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Proven,
    /// Nothing either way.
    Plain,
    Wrong,
}

/// Words that stand in examples of keys.
const EXAMPLE_WORDS: [&str; 12] = [
    "example",
    "xxxxxx",
    "placeholder",
    "your-",
    "your_",
    "changeme",
    "replaceme",
    "insert",
    "dummy",
    "redacted",
    "-here",
    "_here",
];

/// The value says itself that it is none.
pub(super) fn placeholder(value: &str) -> bool {
    let lower: Vec<u8> = value.bytes().take(256).map(|byte| byte.to_ascii_lowercase()).collect();
    EXAMPLE_WORDS.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
}

/// Holds a run such as `123456` or `abcdef`, typed by hand.
pub(super) fn climbs(value: &str) -> bool {
    const RUN: usize = 6;
    let mut run = 1;
    value.as_bytes().windows(2).any(|two| {
        let next = two[1] == two[0].wrapping_add(1) && two[1].is_ascii_alphanumeric();
        run = if next { run + 1 } else { 1 };
        run >= RUN
    })
}

/// CRC32 of all but the last six characters of the body, in base62, is those six: newer tokens of
/// GitHub, npm and others. Documents hold tokens with a wrong one, and not every kind has it, so a
/// wrong one proves nothing.
pub(super) fn crc_tail(value: &str) -> Verdict {
    const TAIL: usize = 6;
    let Some((_, body)) = value.split_once('_') else { return Verdict::Plain };
    let Some((random, tail)) = body.len().checked_sub(TAIL).and_then(|at| body.split_at_checked(at)) else {
        return Verdict::Plain;
    };
    if base62(crc32(random.as_bytes())) == tail.as_bytes() { Verdict::Proven } else { Verdict::Plain }
}

pub(super) fn github(value: &str) -> Verdict {
    crc_tail(value)
}

/// Bit by bit: tokens are short.
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    !bytes.iter().fold(u32::MAX, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 };
        }
        crc
    })
}

fn base62(mut number: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = [b'0'; 6];
    for place in out.iter_mut().rev() {
        *place = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    out
}

/// Base64 of either alphabet, with or without padding; nothing if another byte stands in it.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text);
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for four in text.chunks(4) {
        let mut bits = 0u32;
        for c in four {
            let six = match c {
                b'A'..=b'Z' => c - b'A',
                b'a'..=b'z' => c - b'a' + 26,
                b'0'..=b'9' => c - b'0' + 52,
                b'-' | b'+' => 62,
                b'_' | b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(six);
        }
        let whole = match four.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => return None,
        };
        bits <<= 6 * (4 - four.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..=whole]);
    }
    Some(bytes)
}

fn base64_head(text: &str, chars: usize) -> Option<Vec<u8>> {
    base64(&text.as_bytes()[..text.len().min(chars) / 4 * 4])
}

/// `reftkn:01:…`: a version in digits follows the name.
pub(super) fn jfrog_reference(value: &str) -> Verdict {
    let decoded = base64_head(value, 16).unwrap_or_default();
    let is_token = decoded.strip_prefix(b"reftkn:").is_some_and(|rest| rest.iter().take(2).all(u8::is_ascii_digit));
    if is_token { Verdict::Proven } else { Verdict::Wrong }
}

/// Base64 of text with the first line of a private key in it.
pub(super) fn armoured_key(value: &str) -> Verdict {
    let row = value.trim_end_matches('=');
    let decoded = (0..4).find_map(|skip| {
        let text = &row.as_bytes()[skip.min(row.len())..];
        let decoded = base64(&text[..text.len() / 4 * 4])?;
        memchr::memmem::find(&decoded, b"-----BEGIN ").map(|at| decoded[at..].to_vec())
    });
    let is_private =
        decoded.is_some_and(|key| memchr::memmem::find(&key[..key.len().min(64)], b"PRIVATE KEY").is_some());
    if is_private { Verdict::Proven } else { Verdict::Wrong }
}

/// Base58: no zero, no capital o and i, no small l.
pub(super) fn base58(value: &str) -> Verdict {
    if value.bytes().any(|byte| matches!(byte, b'0' | b'O' | b'I' | b'l')) { Verdict::Wrong } else { Verdict::Plain }
}

/// Slack's tokens hold numbers of teams and users; `xoxb-your-token-here` does not.
pub(super) fn slack(value: &str) -> Verdict {
    let digits = value.bytes().take(80).filter(u8::is_ascii_digit).count();
    let random = super::edge::varied(value.as_bytes(), 10) && value.len() >= 20;
    // Numbers that climb are as good as others here, so the common look at them is passed over.
    if digits >= 5 && random { Verdict::Proven } else { Verdict::Wrong }
}

/// An id of 15 or 18 characters in base62, not a row of hexadecimal.
pub(super) fn salesforce_id(value: &str) -> Verdict {
    let rest = &value.as_bytes()[3..];
    let beyond = rest.iter().filter(|byte| byte.is_ascii_alphabetic() && !byte.is_ascii_hexdigit()).count();
    let digits = rest.iter().filter(|byte| byte.is_ascii_digit()).count();
    if beyond >= 2 && digits >= 2 { Verdict::Plain } else { Verdict::Wrong }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_tails_are_verified_both_ways() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        for head in ["ghp_", "npm_"] {
            let body = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5";
            let tail = String::from_utf8(base62(crc32(body.as_bytes())).to_vec()).unwrap();
            assert_eq!(crc_tail(&format!("{head}{body}{tail}")), Verdict::Proven);
            let off = if tail.ends_with('0') { "1" } else { "0" };
            assert_eq!(crc_tail(&format!("{head}{body}{}{off}", &tail[..5])), Verdict::Plain);
        }
    }

    #[test]
    fn base64_decodes_both_alphabets() {
        assert_eq!(base64(b"aGk-_w==").as_deref(), Some(&[b'h', b'i', 0x3e, 0xff][..]));
        assert_eq!(base64(b"aGk+/w").as_deref(), Some(&[b'h', b'i', 0x3e, 0xff][..]));
        assert_eq!(base64(b"aGk!"), None);
        assert_eq!(base64(b"aGkaG"), None);
    }

    #[test]
    fn placeholders() {
        for value in ["AKEXAMPLE", "your-key", "xxxxxxxx", "put_here"] {
            assert!(placeholder(value), "{value}");
        }
        assert!(!placeholder("a1B2c3D4") && climbs("k_123456x") && climbs("ABCDEF") && !climbs("12345-1234"));
    }

    #[test]
    fn references_of_jfrog_have_a_version() {
        assert_eq!(jfrog_reference("cmVmdGtuOjAxOjAxMjM0"), Verdict::Proven);
        assert_eq!(jfrog_reference("cmVmdGtuOlRoZXJlIGFy"), Verdict::Wrong);
    }
}
