//! Tests of `chat`: what the plants promise, on rows of a small corpus.

use super::*;
use crate::near::{MIN_JACCARD, MIN_SIDE_WORDS, jaccard, side, tokens};
use crate::plan::parts;

fn each_row(check: impl Fn(&Maker, Row)) {
    let prose = Prose::new(11);
    for part in &parts(11, 3000, &[Format::OpenAi, Format::ShareGpt, Format::Hh]) {
        let maker = Maker { seed: 11, prose: &prose, part };
        (0..part.lines).for_each(|line| check(&maker, part.row(part.place(line))));
    }
}

fn messages(chat: &Chat) -> Vec<String> {
    let turns = chat.turns.iter().flat_map(|turn| [turn.user.clone(), turn.answer.clone()]);
    chat.system.iter().cloned().chain(turns).collect()
}

#[test]
fn planted_rows_are_what_they_are_called() {
    each_row(|maker, row| match row {
        Row::Near { base } => {
            let (near, base) = (maker.chat(row).unwrap(), maker.base(base));
            for assistant in [false, true] {
                let (a, b) = (side(&near, assistant), side(&base, assistant));
                assert!(jaccard(&a, &b) >= MIN_JACCARD && a.len() >= MIN_SIDE_WORDS);
                assert_eq!(a.iter().zip(&b).filter(|(x, y)| x != y).count(), usize::from(!assistant));
            }
        }
        Row::Snapshot { base, .. } => {
            let (cut, base) = (messages(&maker.chat(row).unwrap()), messages(&maker.base(base)));
            assert!(cut.len() >= 2 && cut.len() < base.len() && base.starts_with(&cut));
        }
        Row::Regeneration { base } => {
            let (other, base) = (maker.chat(row).unwrap(), maker.base(base));
            assert_eq!(other.turns.len(), base.turns.len());
            assert_eq!(other.turns.last().unwrap().user, base.turns.last().unwrap().user);
            let answer = |chat: &Chat| tokens(&chat.turns.last().unwrap().answer);
            assert!(jaccard(&answer(&other), &answer(&base)) < 0.05);
            assert!(jaccard(&side(&other, true), &side(&base, true)) < 0.4);
        }
        _ => {}
    });
}

#[test]
fn two_snapshots_of_a_base_have_distinct_lengths() {
    each_row(|maker, row| {
        if let Row::Snapshot { base, nth: 1 } = row {
            let length = |nth| maker.chat(Row::Snapshot { base, nth }).unwrap().turns.len();
            assert_ne!(length(0), length(1));
        }
    });
}

#[test]
fn snapshots_are_no_near_copies() {
    each_row(|maker, row| {
        if let Row::Snapshot { base, .. } = row {
            let (cut, base) = (maker.chat(row).unwrap(), maker.base(base));
            let sides = [false, true].map(|which| jaccard(&side(&cut, which), &side(&base, which)));
            assert!(sides.iter().any(|likeness| *likeness < 0.8), "{sides:?}");
        }
    });
}

#[test]
fn only_carriers_have_canaries() {
    each_row(|maker, row| {
        if let Row::Base(base) = row {
            let carries = matches!(maker.part.base_use(base), Use::Canary(_));
            assert_eq!(maker.chat(row).unwrap().canary.is_some(), carries);
        }
    });
}
