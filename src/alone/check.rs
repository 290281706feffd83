//! Compares candidates exactly, from their bytes read again.
//!
//! Always: a near-duplicate is verified on both sides; two answers to one prompt are duplicates
//! only if they are one answer; edges come in an order that threads do not change.

use std::collections::HashMap;
use std::rc::Rc;

use rayon::prelude::*;

use super::Options;
use super::exact::{Fate, Fates, Numbers};
use super::near::{Buckets, Candidate};
use super::out::Edges;
use super::said::{self, Said};
use super::source::Stream;
use super::table::{Row, Table};
use crate::error::Result;
use crate::record::ProjectKey;
use crate::stages::dedup::shingle::Side;
use crate::stages::dedup::sketch::{Prefix, Sketcher, parting};
use crate::stages::dedup::verify::{Rule, Verified, same_answer, verify};

/// A verified pair: the later record, the earlier one, by rows of the table.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    pub a: u32,
    pub b: u32,
    pub verified: Verified,
    pub bands_hit: u32,
}

/// What comparing gave: near-duplicates, and the number of everything else.
#[derive(Default)]
pub struct Checked {
    pub near: Vec<Edge>,
    pub compared: u64,
    pub same_prompt: u64,
    pub boilerplate: u64,
    pub digits: u64,
    pub hot_buckets: u64,
    pub skipped_pairs: u64,
}

/// Later records that are compared before their edges are written.
const WAVE: usize = 1 << 14;
/// Bytes of hashes that one thread keeps of records it may meet again.
const CACHE_BYTES: usize = 24 << 20;

pub fn all(
    table: &Table,
    streams: &[Stream],
    order: &[u32],
    buckets: &Buckets,
    options: &Options,
    key: &ProjectKey,
    sink: &mut Edges,
) -> Result<Checked> {
    let mut checked = Checked { hot_buckets: buckets.hot, skipped_pairs: buckets.skipped_pairs, ..Checked::default() };
    for wave in buckets.later().chunks(WAVE) {
        // Pieces of their own, so that who shares a first record stays with one thread.
        let pieces: Vec<(Vec<Edge>, u64)> = wave
            .par_chunks(wave.len().div_ceil(8 * options.threads).max(16))
            .map_init(
                || Comparer::new(table, streams, options, key),
                |comparer, piece| {
                    comparer.forget();
                    comparer.piece(piece, order, buckets)
                },
            )
            .collect::<Result<_>>()?;
        for (edges, compared) in pieces {
            checked.compared += compared;
            for edge in edges {
                match edge.verified.rule {
                    Rule::NearDuplicate => checked.near.push(edge),
                    Rule::SamePrompt => checked.same_prompt += 1,
                    Rule::BoilerplateAnswer => checked.boilerplate += 1,
                    Rule::DigitsDiffer => checked.digits += 1,
                    // Nobody brings vectors here.
                    Rule::Different | Rule::Semantic => continue,
                }
                sink.write(&edge)?;
            }
        }
    }
    Ok(checked)
}

/// How much of each dropped snapshot stands in its winner, where that is not the chat it begins.
pub fn containments(
    table: &Table,
    streams: &[Stream],
    fates: &mut Fates,
    options: &Options,
    key: &ProjectKey,
) -> Result<()> {
    let missing: Vec<u32> = (0..fates.fate.len() as u32)
        .filter(|at| fates.fate[*at as usize] == Fate::Prefix && fates.numbers.contains_key(at))
        .collect();
    let mut comparer = Comparer::new(table, streams, options, key);
    for at in missing {
        let (one, other) = (comparer.known(at)?, comparer.known(fates.winner[at as usize])?);
        let numbers = comparer.sides(&one, &other);
        fates.numbers.insert(at, Numbers::of(&numbers));
    }
    Ok(())
}

impl Numbers {
    pub fn of(verified: &Verified) -> Numbers {
        Numbers {
            user: verified.jaccard_user as f32,
            assistant: verified.jaccard_assistant as f32,
            containment: verified.containment as f32,
        }
    }
}

/// What is compared of a record.
struct Known {
    user: Side,
    assistant: Side,
    /// Where an assistant answered a user.
    prefixes: Vec<Prefix>,
}

impl Known {
    fn bytes(&self) -> usize {
        8 * (self.user.shingles.len() + self.assistant.shingles.len()) + 24 * self.prefixes.len() + 160
    }
}

struct Comparer<'a> {
    table: &'a Table,
    streams: &'a [Stream],
    options: &'a Options,
    sketcher: Sketcher,
    cache: HashMap<u32, Rc<Known>>,
    cached_bytes: usize,
    buffer: Vec<u8>,
}

impl<'a> Comparer<'a> {
    fn new(table: &'a Table, streams: &'a [Stream], options: &'a Options, key: &ProjectKey) -> Comparer<'a> {
        let sketcher = Sketcher::new(options.settings, key);
        Comparer { table, streams, options, sketcher, cache: HashMap::new(), cached_bytes: 0, buffer: Vec::new() }
    }

    fn forget(&mut self) {
        self.cache.clear();
        self.cached_bytes = 0;
    }

    fn piece(&mut self, piece: &[u32], order: &[u32], buckets: &Buckets) -> Result<(Vec<Edge>, u64)> {
        let (mut edges, mut compared, mut found) = (Vec::new(), 0, Vec::new());
        for &place in piece {
            buckets.candidates(place, &mut found);
            let a = order[place as usize];
            let one = self.known(a)?;
            for &Candidate { place, bands_hit } in &found {
                let b = order[place as usize];
                if !self.comparable(a, b) {
                    continue;
                }
                compared += 1;
                let other = self.known(b)?;
                let verified = self.pair((a, &one), (b, &other))?;
                if verified.rule != Rule::Different {
                    edges.push(Edge { a, b, verified, bands_hit });
                }
            }
        }
        Ok((edges, compared))
    }

    fn row(&self, at: u32) -> &'a Row {
        &self.table.rows[at as usize]
    }

    /// Two of a kind; short ones only with one normal form, of which a bucket saw half.
    fn comparable(&self, a: u32, b: u32) -> bool {
        let (a, b) = (self.row(a), self.row(b));
        let normal = |row: &Row| row.is_short.then(|| self.table.normal[row.bands as usize]);
        a.kind == b.kind && normal(a) == normal(b)
    }

    fn sides(&self, a: &Known, b: &Known) -> Verified {
        let Options { min_jaccard, settings, .. } = self.options;
        verify((&a.user, &a.assistant), (&b.user, &b.assistant), *min_jaccard, settings.short_tokens)
    }

    fn pair(&mut self, a: (u32, &Known), b: (u32, &Known)) -> Result<Verified> {
        let mut verified = self.sides(a.1, b.1);
        if verified.rule == Rule::NearDuplicate
            && let Some(answer) = parting(&a.1.prefixes, &b.1.prefixes)
        {
            let (one, other) = (self.message(a.0, answer)?, self.message(b.0, answer)?);
            let Options { min_jaccard, settings, keep_answers, .. } = self.options;
            if *keep_answers || !same_answer(&one, &other, *min_jaccard, settings.short_tokens) {
                verified.rule = Rule::SamePrompt;
            }
        }
        Ok(verified)
    }

    fn known(&mut self, at: u32) -> Result<Rc<Known>> {
        if let Some(known) = self.cache.get(&at) {
            return Ok(Rc::clone(known));
        }
        let known = self.read(at, |sketcher, said| {
            let turns = said.turns();
            let (user, assistant) = sketcher.sides(&turns);
            let mut prefixes = sketcher.chain(&turns).1;
            prefixes.shrink_to_fit();
            Known { user, assistant, prefixes }
        })?;
        let known = Rc::new(known);
        if self.cached_bytes > CACHE_BYTES {
            self.forget();
        }
        self.cached_bytes += known.bytes();
        self.cache.insert(at, Rc::clone(&known));
        Ok(known)
    }

    /// What one message of a record says.
    fn message(&mut self, at: u32, number: usize) -> Result<Side> {
        self.read(at, |sketcher, said| said.turns().get(number).map(|turn| sketcher.message(turn)).unwrap_or_default())
    }

    fn read<T>(&mut self, at: u32, see: impl FnOnce(&mut Sketcher, &Said) -> T) -> Result<T> {
        let row = self.row(at);
        let stream = &self.streams[usize::from(row.stream)];
        self.buffer.resize(row.bytes as usize, 0);
        stream.bytes(row.offset, &mut self.buffer)?;
        let changed = |_| crate::error::Error::damaged(&stream.name, "changed while it was read; run again");
        let said = said::read(&self.buffer, &stream.reading).0.map_err(changed)?;
        Ok(see(&mut self.sketcher, &said))
    }
}
