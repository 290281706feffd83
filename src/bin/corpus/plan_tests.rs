//! Tests of `plan`: the layout is a partition, and plants stand on bases made for them.

use super::*;
use std::collections::HashMap;

const ALL: [Format; 3] = [Format::OpenAi, Format::ShareGpt, Format::Hh];

#[test]
fn every_row_is_planned_once_and_plants_meet_their_bases() {
    for rows in [1u64, 2, 13, 100, 499, 1000, 7777, 20_000] {
        let parts = parts(9, rows, &ALL);
        let records: u64 = parts.iter().map(|p| p.lines * p.format.records_a_line()).sum();
        assert_eq!(records, rows);
        for part in &parts {
            check(part);
        }
    }
}

fn check(part: &Part) {
    let mut snapshots: HashMap<u64, Vec<u64>> = HashMap::new();
    let mut counts = [0u64; 6];
    let mut bases = HashMap::new();
    for line in 0..part.lines {
        let row = part.row(part.place(line));
        let kind = match row {
            Row::Base(base) => {
                assert_eq!(bases.insert(base, part.base_use(base)), None);
                0
            }
            Row::Exact { base } => {
                assert_eq!(part.base_use(base), Use::Copied);
                1
            }
            Row::Near { base } => {
                assert_eq!(part.base_use(base), Use::Near);
                2
            }
            Row::Snapshot { base, nth } => {
                snapshots.entry(base).or_default().push(nth);
                3
            }
            Row::Regeneration { base } => {
                assert_eq!(part.base_use(base), Use::Regenerated);
                4
            }
            Row::Broken(_) => 5,
        };
        counts[kind] += 1;
    }
    assert_eq!(counts[1..5], [part.exact, part.near, part.snapshots, part.regenerations]);
    assert_eq!(counts[5], part.lines - counts[..5].iter().sum::<u64>());
    assert_eq!(counts[5] > 0, part.blanks > 0);
    let carriers = bases.values().filter(|u| matches!(u, Use::Canary(_))).count() as u64;
    assert_eq!(carriers, part.canaries.end - part.canaries.start);
    for (base, mut nths) in snapshots {
        let Use::Snapshots(most) = part.base_use(base) else { panic!("snapshot of another base") };
        nths.sort_unstable();
        assert!(nths.len() as u64 <= most && nths.iter().copied().eq(0..nths.len() as u64));
    }
}

#[test]
fn canaries_are_equally_many_of_each_kind() {
    let parts = parts(1, 20_000, &ALL);
    let end = parts.last().map_or(0, |p| p.canaries.end);
    assert!(end > 0 && end.is_multiple_of(KINDS.len() as u64));
    assert!(parts.windows(2).all(|pair| pair[0].canaries.end == pair[1].canaries.start));
}

#[test]
fn only_hh_lines_make_an_even_number() {
    assert_eq!(parts(1, 11, &[Format::Hh])[0].lines, 5);
}
