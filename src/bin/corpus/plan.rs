//! How many rows of each kind a corpus has, and which kind stands on which line.
//!
//! Not what the rows say (`chat`, `canary`, `render`). Nothing is stored per row: a line number is
//! permuted into a place of one fixed layout, so memory does not grow with the corpus.
//!
//! Always: the numbers follow from (rows, formats) alone; a base carries at most one kind of plant;
//! a copy lies on a line that is independent of its base's line.

use crate::canary::KINDS;
use crate::chance::{Chance, Permutation};

/// Shares of the rows of a format, in thousandths.
const EXACT: u64 = 20;
const NEAR: u64 = 20;
const SNAPSHOTS: u64 = 20;
const REGENERATIONS: u64 = 20;
const BROKEN: u64 = 2;
/// Share of all conversations, in thousandths.
const CANARIES: u64 = 10;
const SHORT: u64 = 60;
/// One blank line for so many lines, and two more.
const LINES_A_BLANK: u64 = 50_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    OpenAi,
    ShareGpt,
    Hh,
}

impl Format {
    pub const fn name(self) -> &'static str {
        match self {
            Format::OpenAi => "openai",
            Format::ShareGpt => "sharegpt",
            Format::Hh => "hh",
        }
    }

    pub fn parse(name: &str) -> Option<Format> {
        [Format::OpenAi, Format::ShareGpt, Format::Hh].into_iter().find(|format| format.name() == name)
    }

    /// Share of the records, in tenths of a corpus of all three.
    const fn weight(self) -> u64 {
        match self {
            Format::OpenAi => 5,
            Format::ShareGpt => 3,
            Format::Hh => 2,
        }
    }

    pub const fn records_a_line(self) -> u64 {
        match self {
            Format::Hh => 2,
            _ => 1,
        }
    }
}

/// What a base is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Plain,
    Short,
    /// Has exact copies; otherwise ordinary.
    Copied,
    Near,
    /// Has this many snapshots.
    Snapshots(u64),
    Regenerated,
    /// Carries the canary of this number.
    Canary(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    Base(u64),
    Exact { base: u64 },
    Near { base: u64 },
    Snapshot { base: u64, nth: u64 },
    Regeneration { base: u64 },
    Broken(u64),
}

/// The layout of one format: bases first (by use), then the rows planted on them.
#[derive(Clone, Debug)]
pub struct Part {
    pub format: Format,
    pub lines: u64,
    pub exact: u64,
    pub near: u64,
    pub snapshots: u64,
    pub regenerations: u64,
    pub blanks: u64,
    /// Numbers of the canaries of this format.
    pub canaries: std::ops::Range<u64>,
    bases: u64,
    order: Permutation,
    seed: u64,
}

/// Copies of each of five bases in turn: 8 copies on 5 bases.
const COPIES: [u64; 5] = [1, 1, 1, 2, 3];

impl Part {
    fn new(seed: u64, format: Format, lines: u64, canaries: std::ops::Range<u64>) -> Part {
        let share = |thousandths: u64| match format {
            Format::Hh => 0,
            _ => (lines * thousandths + 500) / 1000,
        };
        // A small corpus shows each reject reason at least once.
        let broken = if share(1000) >= 200 { share(BROKEN).max(7) } else { 0 };
        let (exact, near, snapshots, regenerations) =
            (share(EXACT), share(NEAR), share(SNAPSHOTS), share(REGENERATIONS));
        let blanks = if share(1000) >= 200 { 2 + lines / LINES_A_BLANK } else { 0 };
        let bases = lines - exact - near - snapshots - regenerations - broken;
        let order = Permutation::new(Chance::new(seed, "line order", format as u64), lines);
        Part { format, lines, exact, near, snapshots, regenerations, blanks, canaries, bases, order, seed }
    }

    /// Where a line lies in the layout; also the number its envelope (id, time) is made from.
    pub fn place(&self, line: u64) -> u64 {
        self.order.apply(line)
    }

    /// Whether a blank line follows.
    pub fn blank_after(&self, place: u64) -> bool {
        place < self.blanks
    }

    pub fn row(&self, place: u64) -> Row {
        let Some(mut rest) = place.checked_sub(self.bases) else {
            return Row::Base(place);
        };
        if rest < self.exact {
            return Row::Exact { base: copied_base(rest) };
        }
        rest -= self.exact;
        if rest < self.near {
            return Row::Near { base: self.first_near() + rest };
        }
        rest -= self.near;
        if rest < self.snapshots {
            let (base, nth) = (rest / 3 * 2 + u64::from(rest % 3 > 0), u64::from(rest % 3 == 2));
            return Row::Snapshot { base: self.first_snapshot() + base, nth };
        }
        rest -= self.snapshots;
        if rest < self.regenerations {
            return Row::Regeneration { base: self.first_regenerated() + rest };
        }
        Row::Broken(rest - self.regenerations)
    }

    pub fn base_use(&self, base: u64) -> Use {
        if base < self.first_near() {
            Use::Copied
        } else if base < self.first_snapshot() {
            Use::Near
        } else if base < self.first_regenerated() {
            Use::Snapshots(1 + (base - self.first_snapshot()) % 2)
        } else if base < self.first_canary() {
            Use::Regenerated
        } else if base - self.first_canary() < self.canaries.end - self.canaries.start {
            Use::Canary(self.canaries.start + base - self.first_canary())
        } else if Chance::new(self.seed, "short chat", base).below(0, 1000) < SHORT {
            Use::Short
        } else {
            Use::Plain
        }
    }

    fn first_near(&self) -> u64 {
        self.exact.checked_sub(1).map_or(0, |last| copied_base(last) + 1)
    }

    fn first_snapshot(&self) -> u64 {
        self.first_near() + self.near
    }

    /// Bases in turn have one snapshot and two: 3 snapshots on 2 bases.
    fn first_regenerated(&self) -> u64 {
        self.first_snapshot() + self.snapshots / 3 * 2 + (self.snapshots % 3).min(2)
    }

    fn first_canary(&self) -> u64 {
        self.first_regenerated() + self.regenerations
    }
}

fn copied_base(copy: u64) -> u64 {
    let (round, mut rest) = (copy / 8, copy % 8);
    let mut base = round * COPIES.len() as u64;
    for copies in COPIES {
        if rest < copies {
            break;
        }
        rest -= copies;
        base += 1;
    }
    base
}

/// The layouts of all formats. With an odd number of rows and HH lines only, one row is left out.
pub fn parts(seed: u64, rows: u64, formats: &[Format]) -> Vec<Part> {
    let total: u64 = formats.iter().map(|format| format.weight()).sum();
    let mut lines: Vec<u64> = formats.iter().map(|f| rows * f.weight() / total / f.records_a_line()).collect();
    let made: u64 = formats.iter().zip(&lines).map(|(f, n)| n * f.records_a_line()).sum();
    match formats.iter().position(|f| *f != Format::Hh) {
        Some(first) => lines[first] += rows - made,
        None => lines[0] = rows / 2,
    }
    let all: u64 = lines.iter().sum();
    let kinds = KINDS.len() as u64;
    // As many of each kind; at least one where there is room.
    let canaries = if all < 200 { 0 } else { (all * CANARIES / 1000 / kinds).max(1) * kinds };
    let (mut seen, mut start) = (0, 0);
    let mut parts = Vec::new();
    for (format, lines) in formats.iter().zip(lines) {
        seen += lines;
        let end = (canaries * seen).checked_div(all).unwrap_or(0);
        parts.push(Part::new(seed, *format, lines, start..end));
        start = end;
    }
    parts
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
