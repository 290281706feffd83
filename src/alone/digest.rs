//! Turns the records of a chunk into hashes.

use std::sync::Mutex;

use xxhash_rust::xxh3::xxh3_128;

use super::against::{self, Known, turns};
use super::chunk::Chunk;
use super::lines;
use super::said::{self, Said};
use super::table::{Kind, NONE, Row};
use crate::record::{Conversation, Preference, ProjectKey};
use crate::stages::dedup::against::{Finder, Hit};
use crate::stages::dedup::hashed::Set;
use crate::stages::dedup::sketch::{Settings, Sketcher, opening};
use crate::stages::ingest::Reading;

/// The rows of a chunk; places of bands and lines count from its beginning.
#[derive(Default)]
pub struct Digest {
    pub rows: Vec<Row>,
    pub bands: Vec<u32>,
    pub normal: Vec<u64>,
    pub prefixes: Vec<u64>,
    pub openings: Vec<u64>,
    pub ids: Vec<u8>,
    pub id_ends: Vec<u32>,
    pub newlines: u32,
    pub counts_lines: bool,
    /// Rows of benchmarks that records repeat, by the record's place.
    pub hits: Vec<(u32, Hit)>,
}

/// Makes digests; keeps its buffers.
pub struct Digester<'a> {
    sketcher: Sketcher,
    settings: Settings,
    reading: &'a Reading,
    seen: &'a Seen,
    finder: Option<Finder<'a>>,
}

/// Exact keys of all records so far, whoever read them. Who comes second with one is not sketched;
/// which of two that come at once is the second does not show, because both would say the same.
#[derive(Default)]
pub struct Seen {
    shards: [Mutex<Set<u128>>; 32],
}

impl Seen {
    /// Whether the key is new.
    fn insert(&self, key: [u64; 2]) -> bool {
        let shard = &self.shards[(key[1] >> 59) as usize];
        // A thread that panicked has left a set that is whole.
        let whole = u128::from(key[0]) << 64 | u128::from(key[0] ^ key[1]);
        shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(whole)
    }
}

impl<'a> Digester<'a> {
    pub fn new(settings: Settings, key: &ProjectKey, reading: &'a Reading, seen: &'a Seen) -> Digester<'a> {
        Digester { sketcher: Sketcher::new(settings, key), settings, reading, seen, finder: None }
    }

    /// Looks for rows of benchmarks, too.
    pub fn against(self, known: Option<&'a Known>) -> Digester<'a> {
        Digester { finder: known.map(|known| Finder::new(&known.index)), ..self }
    }

    pub fn digest(&mut self, chunk: &Chunk, stream: u16) -> Digest {
        let mut digest = Digest { counts_lines: chunk.items.is_none(), ..Digest::default() };
        let line_bytes = self.reading.limits.line_bytes;
        digest.newlines = lines::each(chunk, line_bytes, |line| {
            let bytes = line.bytes.unwrap_or_default();
            let mut row = Row {
                exact: [0; 2],
                created_at_us: i64::MAX,
                offset: line.offset,
                bytes: bytes.len() as u32,
                line: line.line,
                tokens: 0,
                messages: 0,
                bands: NONE,
                stream,
                kind: Kind::Several,
                is_short: false,
                is_copy: false,
            };
            let (said, id) = match line.bytes {
                Ok(bytes) => said::read(bytes, self.reading),
                Err(reason) => (Err(reason), None),
            };
            match said {
                Ok(said) => {
                    self.meet(&said, &mut digest);
                    self.sketch(&said, &mut row, &mut digest);
                }
                Err(reason) => row.kind = Kind::Reject(reason),
            }
            digest.rows.push(row);
            digest.ids.extend_from_slice(id.unwrap_or_default().as_bytes());
            digest.id_ends.push(digest.ids.len() as u32);
        });
        digest
    }

    fn meet(&mut self, said: &Said, digest: &mut Digest) {
        let Some(finder) = &mut self.finder else { return };
        let row = digest.rows.len() as u32;
        against::each(said, |turns| digest.hits.extend(finder.find(turns).into_iter().map(|hit| (row, hit))));
    }

    fn sketch(&mut self, said: &Said, row: &mut Row, digest: &mut Digest) {
        row.kind = match said {
            Said::Several(conversations) => {
                row.exact = self.several(conversations);
                return;
            }
            Said::Text(_) => Kind::Text,
            Said::Chat { created_at_us, .. } => {
                row.created_at_us = created_at_us.unwrap_or(i64::MAX);
                Kind::Chat
            }
        };
        let turns = said.turns();
        let (exact, chain) = self.sketcher.chain(&turns);
        row.exact = halves(u128::from_le_bytes(exact.0));
        row.messages = turns.len() as u32;
        if row.kind == Kind::Chat {
            digest.openings.push(opening(&chain));
        }
        row.is_copy = !self.seen.insert(row.exact);
        if row.is_copy {
            return;
        }
        if row.kind == Kind::Chat {
            digest.prefixes.extend(chain.iter().rev().skip(1).rev().map(|prefix| prefix.hash));
        }
        let (tokens, bands) = self.sketcher.tokens_and_bands(&turns);
        (row.tokens, row.is_short) = (tokens, tokens < self.settings.short_tokens);
        if bands.is_empty() {
            return;
        }
        if row.is_short {
            row.bands = digest.normal.len() as u32;
            digest.normal.extend(bands);
        } else {
            row.bands = (digest.bands.len() / self.settings.bands as usize) as u32;
            // Half of the bits: who meets by chance does not verify.
            digest.bands.extend(bands.iter().map(|band| (band ^ (band >> 32)) as u32));
        }
    }

    /// The exact key of several conversations: of all in order, and of which side is which.
    fn several(&mut self, conversations: &[Conversation]) -> [u64; 2] {
        let mut bytes = Vec::with_capacity(conversations.len() * 17);
        for one in conversations {
            let calls: Vec<_> = one.messages.iter().map(crate::layer::build::tool_calls_json).collect();
            let turns = turns(&one.messages, &calls);
            bytes.extend_from_slice(&self.sketcher.chain(&turns).0.0);
            bytes.push(match one.preference {
                None => 0,
                Some(Preference::Chosen) => 1,
                Some(Preference::Rejected) => 2,
            });
        }
        halves(xxh3_128(&bytes))
    }
}

fn halves(key: u128) -> [u64; 2] {
    [key as u64, (key >> 64) as u64]
}
