//! IP addresses: shaped by hand, decided by the standard library's parser.
//!
//! Not here: MAC addresses, host names.
//!
//! Always: private, loopback, link-local, multicast, unspecified and reserved addresses are not
//! reported, since they say nothing about a person; the documentation ranges are, since they
//! stand for public addresses in tests and examples.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::edge::{before, glued_after, glued_before, said_before};
use super::numbers::{Run, Sep};
use super::{Kind, Rule, Span};

pub(super) static RULES: [&Rule; 2] = [&V4, &V6];

static V4: Rule = Rule {
    id: "ip.v4",
    version: 2,
    kind: Kind::Ip,
    country: "",
    score: 0.9,
    check: "parses; not private, loopback, link-local, shared, multicast or reserved; no version number",
    context: &[],
    source: "RFC 791, RFC 6890",
    finds: &["from ‹203.0.113.25› today", "‹198.51.100.7›:8080"],
    passes: &["127.0.0.1 and 192.168.1.20", "version 1.2.3.4", "1.2.3.4.5", "256.1.1.1", "ES2016 section 19.1.2.6"],
};

static V6: Rule = Rule {
    id: "ip.v6",
    version: 2,
    kind: Kind::Ip,
    country: "",
    score: 0.9,
    check: "parses; not loopback, private, link-local or multicast",
    context: &[],
    source: "RFC 4291, RFC 6890",
    finds: &["from ‹2001:db8::1›.", "[‹2001:DB8:0:0:8:800:200C:417A›]:443", "‹::ffff:203.0.113.5›"],
    passes: &["::1 and fe80::1", "12:34:56", "std::mem::take", "arn:aws:ec2::${Account}"],
};

/// `0000:…` eight groups with a dotted tail: 45 characters.
const V6_MAX_BYTES: usize = 45;

/// Reports the IPv4 addresses of a cluster.
pub(super) fn v4(text: &str, runs: &[Run], out: &mut Vec<Span>) {
    for (place, four) in runs.windows(4).enumerate() {
        let dotted = four[1..].iter().all(|run| run.sep == Sep::Dot);
        let longer = four[0].sep == Sep::Dot || runs.get(place + 4).is_some_and(|next| next.sep == Sep::Dot);
        let (start, end) = (four[0].start, four[3].end);
        if !dotted || longer || glued_before(text, start) || glued_after(text, end) || version(text, start) {
            continue;
        }
        // A fifth group may be cut off from the cluster: `1.2.3.4.x`.
        if place == 0 && before(text, start) == Some('.') {
            continue;
        }
        if text[start..end].parse().is_ok_and(is_personal_v4) {
            out.push(V4.at(start, end));
        }
    }
}

fn version(text: &str, start: usize) -> bool {
    said_before(text, start, 12, &["version", "ver.", "v.", "release", "build", "firmware", "section", "clause", "oid"])
}

fn is_personal_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && b & 0xc0 == 64;
    // 0/8 is "this network", 224/4 multicast, 240/4 reserved (and netmasks).
    a != 0 && a < 224 && !shared && !address.is_loopback() && !address.is_private() && !address.is_link_local()
}

fn is_personal_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_personal_v4(mapped);
    }
    let first = address.segments()[0];
    // Under 0x100: loopback, unspecified, and slices such as `[1::2]`. fc00/7 is private,
    // fe80/10 link-local, fec0/10 site-local, ff00/8 multicast.
    (0x100..0xfc00).contains(&first)
}

/// The IPv6 address around the run at `at`, and the byte after it. `None` if there is none;
/// an address that is not personal moves the scan on but is not reported.
pub(super) fn v6(text: &str, run: Run, out: &mut Vec<Span>) -> Option<usize> {
    let bytes = text.as_bytes();
    let hex = |byte: &&u8| byte.is_ascii_hexdigit();
    let before = bytes[..run.start].iter().rev().take(5).take_while(hex).count();
    let after = bytes[run.start..].iter().take(5).take_while(hex).count();
    let colon = |at: Option<usize>| at.and_then(|at| bytes.get(at)) == Some(&b':');
    // A group has at most four digits and a colon beside it; this ends hashes and most words.
    if before + after > 4 || !(colon(Some(run.start + after)) || colon((run.start - before).checked_sub(1))) {
        return None;
    }
    let part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let left = bytes[..run.start].iter().rev().take(V6_MAX_BYTES).take_while(|byte| part(byte)).count();
    let right = bytes[run.start..].iter().take(V6_MAX_BYTES + 1).take_while(|byte| part(byte)).count();
    let mut start = run.start - left;
    let mut end = run.start + right;
    // `IP:2001:db8::1` and `2001:db8::1: down`: one colon outside is punctuation, two are zeros.
    let single = |token: &str| token.starts_with(':') && !token.starts_with("::");
    if single(&text[start..end]) {
        start += 1;
    }
    let loose = |token: &str| token.ends_with('.') || (token.ends_with(':') && !token.ends_with("::"));
    while loose(&text[start..end]) {
        end -= 1;
    }
    let token = &text[start..end];
    if token.len() > V6_MAX_BYTES || token.bytes().filter(|byte| *byte == b':').count() < 2 {
        return None;
    }
    // `arn:${Partition}:ec2::${Account}`
    let part_of_path = text[end..].starts_with("${");
    if glued_before(text, start) || glued_after(text, end) || part_of_path {
        return None;
    }
    let address = token.parse::<IpAddr>().ok()?;
    if let IpAddr::V6(address) = address
        && is_personal_v6(address)
    {
        out.push(V6.at(start, end));
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use crate::stages::redact::detect::tests::finds;
    use crate::stages::redact::kind::Kind;

    #[test]
    fn addresses() {
        for (text, found) in [
            ("from 203.0.113.25 today", &["203.0.113.25"][..]),
            ("203.0.113.25", &["203.0.113.25"]),
            ("198.51.100.7:8080, 192.0.2.1/24.", &["198.51.100.7", "192.0.2.1"]),
            ("http://81.2.69.142/x?ip=81.2.69.160", &["81.2.69.142", "81.2.69.160"]),
            (r"\n81.2.69.142", &["81.2.69.142"]),
            ("from 2001:db8::1.", &["2001:db8::1"]),
            ("[2001:DB8:0:0:8:800:200C:417A]:443", &["2001:DB8:0:0:8:800:200C:417A"]),
            ("ip:2001:db8::1: down", &["2001:db8::1"]),
            ("::ffff:203.0.113.5", &["::ffff:203.0.113.5"]),
        ] {
            finds(text, Kind::Ip, found);
        }
    }

    #[test]
    fn not_addresses() {
        for text in [
            "version 1.2.3.4.5",
            "version 1.2.3.4",
            "v1.2.3.4",
            "v. 1.2.3.4",
            "at 10.0.0.1",
            "127.0.0.1",
            "0.0.0.0",
            "192.168.1.10",
            "172.16.0.1",
            "169.254.1.1",
            "255.255.255.0",
            "224.0.0.1",
            "256.1.1.1",
            "1.2.3",
            "01.02.03.04",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "a[1::2]",
            "10:30:00",
            "00:1a:2b:3c:4d:5e",
            "std::vec2::x",
            "12:34:56:78",
            "x1.2.3.4",
            "1.2.3.4x",
        ] {
            finds(text, Kind::Ip, &[]);
        }
    }
}
