//! Counting what is covered, and the table of goals.
//!
//! Always: ranges are bytes of one text; a figure is printed with the counts it is made of.

use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes that belong to at least one range, as a bit per byte.
pub struct Cover(Vec<bool>);

impl Cover {
    pub fn of<'a>(len: usize, ranges: impl Iterator<Item = &'a Range<usize>>) -> Cover {
        let mut cover = vec![false; len];
        for range in ranges {
            cover[range.start.min(len)..range.end.min(len)].fill(true);
        }
        Cover(cover)
    }

    /// Characters of `text[range]` that are covered, and all that are there.
    pub fn chars(&self, text: &str, range: &Range<usize>) -> (usize, usize) {
        let mut covered = 0;
        let mut all = 0;
        for (at, c) in text[range.clone()].char_indices() {
            // White space at a line end hides nothing and tells nothing.
            if !c.is_whitespace() {
                all += 1;
                covered += usize::from(self.0[range.start + at]);
            }
        }
        (covered, all)
    }

    pub fn touches(&self, range: &Range<usize>) -> bool {
        self.0[range.clone()].iter().any(|covered| *covered)
    }
}

/// Counts for one type of gold or found spans.
#[derive(Clone, Copy, Default)]
pub struct Count {
    pub hit: usize,
    pub all: usize,
    pub chars_hit: usize,
    pub chars: usize,
}

impl Count {
    pub fn add(&mut self, hit: bool, (chars_hit, chars): (usize, usize)) {
        self.hit += usize::from(hit);
        self.all += 1;
        self.chars_hit += chars_hit;
        self.chars += chars;
    }

    pub fn share(&self) -> f64 {
        self.hit as f64 / self.all.max(1) as f64
    }

    pub fn char_share(&self) -> f64 {
        self.chars_hit as f64 / self.chars.max(1) as f64
    }
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Count>>(counts: I) -> Count {
        counts.fold(Count::default(), |a, b| Count {
            hit: a.hit + b.hit,
            all: a.all + b.all,
            chars_hit: a.chars_hit + b.chars_hit,
            chars: a.chars + b.chars,
        })
    }
}

/// Prints counts by type under a heading: spans wholly covered and characters covered.
pub fn print_types(heading: &str, counts: &BTreeMap<String, Count>) {
    println!("{heading}");
    for (kind, count) in counts {
        println!(
            "  {kind:<20} {:>5}/{:<5} {:.3}   characters {:.3}",
            count.hit,
            count.all,
            count.share(),
            count.char_share()
        );
    }
}

struct Row {
    what: String,
    is: f64,
    goal: f64,
    /// More is better.
    up: bool,
    counts: String,
}

#[derive(Default)]
pub struct Table(Vec<Row>);

impl Table {
    pub fn at_least(&mut self, what: impl Into<String>, is: f64, goal: f64, counts: impl Into<String>) {
        self.0.push(Row { what: what.into(), is, goal, up: true, counts: counts.into() });
    }

    pub fn at_most(&mut self, what: impl Into<String>, is: f64, goal: f64, counts: impl Into<String>) {
        self.0.push(Row { what: what.into(), is, goal, up: false, counts: counts.into() });
    }

    /// Prints the rows; says whether all goals are met.
    pub fn print(&self) -> bool {
        println!("\n| what | measured | goal | | counts |\n|---|---|---|---|---|");
        for row in &self.0 {
            let sign = if row.up { "≥" } else { "≤" };
            let met = if row.met() { "met" } else { "MISSED" };
            println!("| {} | {:.3} | {sign} {} | {met} | {} |", row.what, row.is, row.goal, row.counts);
        }
        self.0.iter().all(Row::met)
    }
}

impl Row {
    fn met(&self) -> bool {
        if self.up { self.is >= self.goal } else { self.is <= self.goal }
    }
}

/// Byte ranges of code point ranges.
pub fn bytes_of(text: &str, start: usize, end: usize) -> Range<usize> {
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let from = starts.nth(start).unwrap_or(text.len());
    let to = if end > start { starts.nth(end - start - 1).unwrap_or(text.len()) } else { from };
    from..to
}
