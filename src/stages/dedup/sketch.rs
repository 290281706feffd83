//! What dedup needs to know of a conversation, as hashes: its exact form, the chain of its
//! prefixes, and MinHash bands.
//!
//! The sketch is Fast Similarity Sketching (Dahlgaard, Knudsen, Thorup 2017, arXiv 1704.04370):
//! unbiased like classic MinHash, but O(n + K log K); standard error at J = 0.8 and K = 128 is
//! sqrt(0.8 * 0.2 / 128) = 0.035, which is why every candidate is verified exactly.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_secret};

use super::shingle::{Shingler, Side, scramble};
use crate::canon;
use crate::record::{Id, ProjectKey};
use crate::stages::redact::mask_tokens;

/// Version of everything in this file and in `shingle`; part of every sketch key.
/// - 1: first release.
/// - 2: with the opening; an answer counts as one only if a user spoke before it; faster hashes.
/// - 3: short conversations have one band, of their normalised text; symbols count in it.
pub const VERSION: u32 = 3;

/// How texts are cut and sketched; travels in the plan as literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Settings {
    pub shingle_words: u32,
    pub bands: u32,
    pub rows_per_band: u32,
    pub short_tokens: u32,
}

/// A message as dedup sees it.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    pub role: &'a str,
    pub content: &'a str,
    pub tool_calls: Option<&'a str>,
}

/// The role of a text that nobody speaks; it is compared as a user's is.
pub const TEXT: &str = "text";

/// A proper prefix, and the message that follows it if an assistant answers a user there (else 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    pub hash: u64,
    pub next: u64,
    pub messages: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sketch {
    pub exact_key: Id,
    pub head: u64,
    /// Hash of all before the first answer to a user; of the whole if nobody answered.
    pub opening: u64,
    pub messages: u32,
    pub prefixes: Vec<Prefix>,
    pub tokens: u32,
    /// One hash a band. A short conversation has one alone, of all it says in normal form (case and
    /// white space folded): it is nobody's near-duplicate but of one that says just that. None where
    /// nothing is said.
    pub bands: Vec<u64>,
}

/// Makes sketches; keeps its buffers.
pub struct Sketcher {
    settings: Settings,
    /// From the project key, so that nobody without it can make two conversations look alike.
    secret: [u8; 192],
    canonical: Vec<u8>,
    shingler: Shingler,
    slots: Vec<u64>,
}

impl Sketcher {
    pub fn new(settings: Settings, key: &ProjectKey) -> Sketcher {
        let slots = (settings.bands * settings.rows_per_band) as usize;
        Sketcher {
            settings,
            secret: key.secret("chain"),
            canonical: Vec::new(),
            shingler: Shingler::new(settings.shingle_words as usize),
            slots: vec![u64::MAX; slots],
        }
    }

    pub fn sketch(&mut self, turns: &[Turn]) -> Sketch {
        let (exact_key, mut prefixes) = self.chain(turns);
        let (tokens, bands) = self.tokens_and_bands(turns);
        let opening = opening(&prefixes);
        let head = prefixes.pop().map_or(0, |whole| whole.hash);
        Sketch { exact_key, head, opening, messages: turns.len() as u32, prefixes, tokens, bands }
    }

    /// What near-duplicates are found by; equal conversations have equal ones.
    pub fn tokens_and_bands(&mut self, turns: &[Turn]) -> (u32, Vec<u64>) {
        // Unsorted and with repeats: a minimum does not mind.
        let (user, assistant) = self.gather::<false>(turns);
        let tokens = user.tokens + assistant.tokens;
        let is_short = tokens < self.settings.short_tokens;
        (tokens, if is_short { self.normal(turns) } else { self.bands(&user, &assistant) })
    }

    /// The exact key, and the hash of every prefix, the whole last.
    pub fn chain(&mut self, turns: &[Turn]) -> (Id, Vec<Prefix>) {
        let mut prefixes: Vec<Prefix> = Vec::with_capacity(turns.len());
        let mut exact_key = Id([0; 16]);
        let mut asked = false;
        for (i, turn) in turns.iter().enumerate() {
            exact_key = self.link(exact_key, turn);
            let hash = short(exact_key);
            // What an assistant says before any user did (a greeting) answers nothing.
            if let (Some(before), "assistant", true) = (prefixes.last_mut(), turn.role, asked) {
                before.next = hash;
            }
            asked |= turn.role == "user";
            prefixes.push(Prefix { hash, next: 0, messages: i as u32 + 1 });
        }
        (exact_key, prefixes)
    }

    /// The hash of a prefix from the one before and a message. 128 bits of keyed xxh3: ten times
    /// as fast as BLAKE3, and nothing outside this project sees it.
    fn link(&mut self, before: Id, turn: &Turn) -> Id {
        self.canonical.clear();
        self.canonical.extend_from_slice(&before.0);
        self.canonical.push(canon::VERSION);
        let mut hash = |bytes: &[u8]| self.canonical.extend_from_slice(bytes);
        canon::feed(&mut hash, turn.role, &mask_tokens(turn.content), turn.tool_calls.map(mask_tokens).as_deref());
        Id(xxh3_128_with_secret(&self.canonical, &self.secret).to_le_bytes())
    }

    /// What users say and what assistants say (tool calls included). System prompts, tool schemas
    /// and tool results stay out: templates make unrelated conversations look alike.
    pub fn sides(&mut self, turns: &[Turn]) -> (Side, Side) {
        let (mut user, mut assistant) = self.gather::<true>(turns);
        user.finish();
        assistant.finish();
        (user, assistant)
    }

    fn gather<const HASHED: bool>(&mut self, turns: &[Turn]) -> (Side, Side) {
        let (mut user, mut assistant) = (Side::default(), Side::default());
        for turn in turns {
            match turn.role {
                "user" | TEXT => self.shingler.add::<HASHED>(turn.content, &mut user),
                "assistant" => {
                    self.shingler.add::<HASHED>(turn.content, &mut assistant);
                    if let Some(calls) = turn.tool_calls {
                        self.shingler.add::<HASHED>(calls, &mut assistant);
                    }
                }
                _ => {}
            }
        }
        (user, assistant)
    }

    /// The normal form of a short conversation as its only band. All messages count: what templates
    /// do to long conversations they cannot do where nothing but an equal is found.
    fn normal(&mut self, turns: &[Turn]) -> Vec<u64> {
        let mut said = false;
        let mut bytes = Vec::with_capacity(turns.len() * 16);
        for turn in turns {
            let mut side = Side::default();
            self.shingler.add::<true>(turn.content, &mut side);
            if let Some(calls) = turn.tool_calls {
                self.shingler.add::<true>(calls, &mut side);
            }
            said |= side.tokens > 0;
            bytes.extend_from_slice(&xxh3_64_with_seed(turn.role.as_bytes(), 0).to_le_bytes());
            bytes.extend_from_slice(&side.text.to_le_bytes());
        }
        if said { vec![xxh3_64_with_seed(&bytes, u64::MAX)] } else { Vec::new() }
    }

    /// What one message says, ready to compare.
    pub fn message(&mut self, turn: &Turn) -> Side {
        let mut side = Side::default();
        self.shingler.add::<true>(turn.content, &mut side);
        if let Some(calls) = turn.tool_calls {
            self.shingler.add::<true>(calls, &mut side);
        }
        side.finish();
        side
    }

    fn bands(&mut self, user: &Side, assistant: &Side) -> Vec<u64> {
        fill(&mut self.slots, &[&user.shingles, &assistant.shingles]);
        let rows = self.settings.rows_per_band as usize;
        let band = |(i, rows): (usize, &[u64])| {
            let mut bytes = Vec::with_capacity(rows.len() * 8);
            rows.iter().for_each(|slot| bytes.extend_from_slice(&slot.to_le_bytes()));
            xxh3_64_with_seed(&bytes, i as u64)
        };
        self.slots.chunks(rows).enumerate().map(band).collect()
    }
}

/// Of a chain that ends with the whole: what stands before the first answer to a user.
pub fn opening(chain: &[Prefix]) -> u64 {
    let whole = chain.last().map_or(0, |whole| whole.hash);
    chain.iter().find(|prefix| prefix.next != 0).map_or(whole, |prefix| prefix.hash)
}

/// The place of the answers in which two conversations part: behind the longest prefix that both
/// have, if an assistant answered a user there in two ways.
pub fn parting(a: &[Prefix], b: &[Prefix]) -> Option<usize> {
    let shared = a.iter().zip(b).take_while(|(one, other)| one.hash == other.hash).last();
    let parts = shared.filter(|(one, other)| one.next != 0 && other.next != 0 && one.next != other.next);
    parts.map(|(one, _)| one.messages as usize)
}

/// What stands for a whole conversation among prefixes.
pub fn short(id: Id) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&id.0[..8]);
    // 0 means "no such message".
    u64::from_le_bytes(bytes).max(1)
}

/// Fast Similarity Sketching: in round i < K every element goes to a hashed slot, in round i >= K
/// to slot i - K; a slot keeps its smallest (round, hash). Stops when all slots are full. Without
/// elements all stay `u64::MAX`; elements are hashes already.
pub fn fill(slots: &mut [u64], sets: &[&[u64]]) {
    slots.fill(u64::MAX);
    let count = slots.len() as u64;
    let mut empty = slots.len();
    if sets.iter().all(|set| set.is_empty()) {
        return;
    }
    for round in 0..2 * count {
        let salt = scramble(round + 1);
        for &element in sets.iter().copied().flatten() {
            let hash = fold(element ^ salt);
            let slot = if round < count { ((hash >> 32) * count) >> 32 } else { round - count };
            let value = (round << 32) | (hash & 0xffff_ffff);
            let slot = &mut slots[slot as usize];
            empty -= usize::from(*slot == u64::MAX);
            *slot = (*slot).min(value);
        }
        if empty == 0 {
            return;
        }
    }
}

/// Both halves of a product, as in wyhash: one multiplication mixes what is already a hash.
#[inline]
fn fold(x: u64) -> u64 {
    let product = u128::from(x) * 0x9fb2_1c65_1e98_df25;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings { shingle_words: 3, bands: 16, rows_per_band: 8, short_tokens: 10 };

    fn sketch(turns: &[(&str, &str)]) -> Sketch {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        let turns: Vec<_> = turns.iter().map(|&(role, content)| Turn { role, content, tool_calls: None }).collect();
        Sketcher::new(SETTINGS, &key).sketch(&turns)
    }

    #[test]
    fn a_snapshot_is_a_prefix_and_regenerations_part_at_the_answer() {
        let long = sketch(&[("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]);
        let snapshot = sketch(&[("user", "a"), ("assistant", "b")]);
        assert_eq!(long.prefixes[1].hash, snapshot.head);
        let other = sketch(&[("user", "a"), ("assistant", "x")]);
        assert_eq!(other.prefixes[0].hash, snapshot.prefixes[0].hash);
        assert_ne!(other.prefixes[0].next, snapshot.prefixes[0].next);
        assert_eq!(long.prefixes[1].next, 0, "a user message follows");
        assert_eq!(parting(&other.prefixes, &snapshot.prefixes), Some(1));
        assert_eq!(parting(&long.prefixes, &snapshot.prefixes), None);
    }

    #[test]
    fn the_opening_is_what_the_first_answer_answers() {
        let greeted = [("system", "s"), ("assistant", "hello"), ("user", "a")];
        let one = sketch(&[&greeted[..], &[("assistant", "b"), ("user", "c")]].concat());
        let other = sketch(&[&greeted[..], &[("assistant", "b"), ("user", "d"), ("assistant", "e")]].concat());
        assert_eq!(one.opening, other.opening, "they part at a user message");
        assert_eq!((one.opening, one.prefixes[0].next), (one.prefixes[2].hash, 0));
        assert_eq!(sketch(&greeted).opening, sketch(&greeted).head, "nobody answered");
    }

    #[test]
    fn pseudonyms_count_by_type() {
        let one = sketch(&[("user", "write to [EMAIL:bcdfgh23] please")]);
        assert_eq!(one.exact_key, sketch(&[("user", "write to [EMAIL:zzzzzz99] please")]).exact_key);
        assert_ne!(one.exact_key, sketch(&[("user", "write to [PHONE:zzzzzz99] please")]).exact_key);
    }

    #[test]
    fn a_short_conversation_has_one_band_of_its_normal_form() {
        let band = |user: &str, assistant: &str| sketch(&[("user", user), ("assistant", assistant)]).bands;
        let one = band("hi", "Hello there");
        assert_eq!(one.len(), 1);
        for (user, assistant, same) in [
            ("Hi", " hello   there", true),
            ("hi!", "Hello there.", true),
            ("hi", "hello you", false),
            ("hi 👍", "Hello there", false),
            ("hi++", "Hello there", false),
            ("hi hello", "there", false),
        ] {
            assert_eq!(band(user, assistant) == one, same, "{user}, {assistant}");
        }
        assert_ne!(sketch(&[("system", "s"), ("user", "hi"), ("assistant", "Hello there")]).bands, one);
        assert!(band("", "...").is_empty(), "nothing is said");
    }

    /// Slots agree with probability J; 200 pairs of sets with J = 0.8 and K = 128.
    #[test]
    fn the_sketch_estimates_jaccard_without_bias() {
        for size in [12u64, 60, 1000] {
            let mut equal = 0;
            for pair in 0..200u64 {
                let base = pair * 1_000_000;
                // |A ∩ B| = 8/10 of the union.
                let unit = size / 10 + 1;
                let a: Vec<u64> = (base..base + 9 * unit).map(scramble).collect();
                let b: Vec<u64> = (base + unit..base + 10 * unit).map(scramble).collect();
                let (mut one, mut other) = (vec![0; 128], vec![0; 128]);
                fill(&mut one, &[&a]);
                fill(&mut other, &[&b]);
                equal += one.iter().zip(&other).filter(|(x, y)| x == y).count();
            }
            let estimate = equal as f64 / (200.0 * 128.0);
            // Five standard errors of the mean.
            assert!((estimate - 0.8).abs() < 5.0 * (0.16f64 / (200.0 * 128.0)).sqrt() * 2.0, "{size}: {estimate}");
        }
    }
}
