//! MAC addresses: six pairs of hex digits.
//!
//! Not here: IP addresses (`network`), MACs without a single decimal digit (one in two hundred).
//!
//! Always: neither broadcast nor the zero address, nor a longer row of pairs.

use super::edge::{after, before, glued_after, glued_before};
use super::numbers::Run;
use super::{Kind, Rule, Span};

pub(super) static RULES: [&Rule; 1] = [&PAIRS];

const PAIRS: Rule = Rule {
    id: "mac.pairs",
    version: 1,
    kind: Kind::Mac,
    country: "",
    score: 0.9,
    check: "six pairs of hex digits with one separator; maker's half neither all 0 nor all F",
    context: &[],
    source: "IEEE 802",
    finds: &["at ‹00:1a:2b:3c:4d:5e›.", "‹A4-5E-60-C1-D2-E3›", "mac=‹ac:de:48:00:11:22›"],
    passes: &["00:00:00:00:00:01", "ff:ff:ff:ff:ff:f0", "12:34:56:78", "00:1a:2b:3c:4d:5e:6f", "01-02-03"],
};

const LEN: usize = 17;

/// Reports the address around the first run of a cluster.
pub(super) fn find(text: &str, run: Run, out: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let part = |byte: &&u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'-');
    let after_pair = [1, 2].iter().any(|more| matches!(bytes.get(run.start + more), Some(b':' | b'-')));
    let before_pair = run.start > 0 && matches!(bytes[run.start - 1], b':' | b'-');
    if !after_pair && !before_pair {
        return;
    }
    let head = bytes[..run.start].iter().rev().take(LEN).take_while(part).count();
    let start = run.start - head;
    let Some(row) = bytes.get(start..start + LEN) else { return };
    let separator = row[2];
    let shaped = matches!(separator, b':' | b'-')
        && row
            .iter()
            .enumerate()
            .all(|(at, byte)| if at % 3 == 2 { *byte == separator } else { byte.is_ascii_hexdigit() });
    let maker = &row[..8];
    let real = maker.iter().any(|byte| byte.is_ascii_hexdigit() && *byte != b'0')
        && maker.iter().any(|byte| byte.is_ascii_hexdigit() && !byte.eq_ignore_ascii_case(&b'f'));
    let free = |c: Option<char>| !c.is_some_and(|c| c == ':' || c == '-');
    if shaped
        && real
        && !glued_before(text, start)
        && !glued_after(text, start + LEN)
        && free(before(text, start))
        && free(after(text, start + LEN))
    {
        out.push(PAIRS.at(start, start + LEN));
    }
}
