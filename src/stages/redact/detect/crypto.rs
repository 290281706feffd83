//! Addresses of crypto-currencies: Bitcoin by its checksums, Ethereum by its shape and a word near.
//!
//! Not here: private keys and seed phrases. EIP-55 is not verified: no Keccak is in the tree.
//!
//! Always: at most 90 bytes around one digit are read.

use sha2::{Digest, Sha256};

use super::edge::{glued_after, glued_before, said_before};
use super::numbers::Run;
use super::{Kind, Rule, Span};

pub(super) static RULES: [&Rule; 3] = [&BASE58, &BECH32, &ETHEREUM];

const BASE58: Rule = Rule {
    id: "crypto.base58check",
    version: 1,
    kind: Kind::CryptoAddress,
    country: "",
    score: 0.98,
    check: "Base58Check: version and the first four bytes of a double SHA-256",
    context: &[],
    source: "Bitcoin wiki, Base58Check encoding",
    finds: &["pay ‹1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2›.", "‹3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy›"],
    passes: &[
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLz",
        "1111111111111111111111111111",
    ],
};

const BECH32: Rule = Rule {
    id: "crypto.bech32",
    check: "checksum of bech32 or bech32m",
    source: "BIP 173, BIP 350",
    finds: &[
        "to ‹bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4›",
        "‹bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0›!",
    ],
    passes: &["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "abc1234 bc1"],
    ..BASE58
};

const ETHEREUM: Rule = Rule {
    id: "crypto.ethereum",
    score: 0.75,
    check: "`0x`, forty hex digits and a word near",
    context: &WORDS,
    source: "EIP-55",
    finds: &["my ETH wallet: ‹0x52908400098527886E0F7030069857D2E4169EE7›"],
    passes: &[
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "eth 0x5290",
        "commit 0x52908400098527886E0F7030069857D2E4169EE7",
    ],
    ..BASE58
};

const WORDS: [&str; 11] =
    ["eth", "wallet", "erc20", "erc-20", "metamask", "crypto", "usdt", "usdc", "payout", "deposit", "blockchain"];

/// Reports the address around the first run of a cluster.
pub(super) fn find(text: &str, run: Run, out: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let at = run.start;
    match bytes[at] {
        b'0' if bytes.get(at + 1) == Some(&b'x') => {
            let hex = bytes[at + 2..].iter().take(41).take_while(|byte| byte.is_ascii_hexdigit()).count();
            let end = at + 2 + hex;
            if hex == 40 && !glued_before(text, at) && !glued_after(text, end) && said_before(text, at, 48, &WORDS) {
                out.push(ETHEREUM.at(at, end));
            }
        }
        b'1' if at >= 2 && matches!(&bytes[at - 2..at], b"bc" | b"tb" | b"BC") => {
            let start = at - 2;
            let len = bytes[start..].iter().take(91).take_while(|byte| byte.is_ascii_alphanumeric()).count();
            if (14..=90).contains(&len) && !glued_before(text, start) && bech32(&text[start..start + len]) {
                out.push(BECH32.at(start, start + len));
            }
        }
        b'1' | b'3' if !glued_before(text, at) => {
            let len = bytes[at..].iter().take(36).take_while(|byte| byte.is_ascii_alphanumeric()).count();
            if (26..=35).contains(&len) && !glued_after(text, at + len) && base58check(&bytes[at..at + len]) {
                out.push(BASE58.at(at, at + len));
            }
        }
        _ => {}
    }
}

/// Twenty-five bytes: version, hash of a key or a script, four of checksum.
fn base58check(text: &[u8]) -> bool {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut number = [0u8; 25];
    for c in text {
        let Some(digit) = ALPHABET.iter().position(|known| known == c) else { return false };
        let mut carry = digit as u32;
        for byte in number.iter_mut().rev() {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            return false;
        }
    }
    let check = Sha256::digest(Sha256::digest(&number[..21]));
    matches!(number[0], 0 | 5) && number[1..21].iter().any(|byte| *byte != 0) && check[..4] == number[21..]
}

fn bech32(text: &str) -> bool {
    const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATORS: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    const BECH32M: u32 = 0x2bc8_30a3;
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) && text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return false;
    }
    let text = text.to_ascii_lowercase();
    let (human, data) = text.as_bytes().split_at(2);
    let mut sum = 1u32;
    let mut add = |value: u8| {
        let top = sum >> 25;
        sum = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        for (bit, generator) in GENERATORS.iter().enumerate() {
            if top >> bit & 1 == 1 {
                sum ^= generator;
            }
        }
    };
    human.iter().for_each(|byte| add(byte >> 5));
    add(0);
    human.iter().for_each(|byte| add(byte & 31));
    for c in &data[1..] {
        let Some(value) = ALPHABET.iter().position(|known| known == c) else { return false };
        add(value as u8);
    }
    matches!(sum, 1 | BECH32M)
}
