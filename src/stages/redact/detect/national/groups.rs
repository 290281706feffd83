//! Groups of letters and digits around a cluster of digits, and what stands beside them.
//!
//! Not here: which groups make a number (`form`, tables).
//!
//! Always: a chain holds a bounded number of groups; `next` lies behind every start that was
//! handed out, so a text is walked once.

use super::super::edge::{escape_before, glued_after, glued_before};
use super::form::GROUPS_MAX;
use super::{Run, Sep};
use crate::stages::redact::detect::numbers;

/// Longer groups are hashes, base64 and the like. CURP has 18 characters.
pub(super) const GROUP_MAX_BYTES: usize = 20;

const CHAIN_MAX: usize = 32;

/// What stands between two groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    First,
    Is(Sep),
    Plus,
    Bracket,
}

impl Joint {
    /// Used to part the groups of any number.
    pub(super) fn parts_groups(self) -> bool {
        matches!(self, Joint::Is(Sep::Space | Sep::Hyphen | Sep::Dot))
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) joint: Joint,
    /// Bit n: character n is a letter.
    pub(super) letters: u32,
}

impl Group {
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    fn is_word(&self) -> bool {
        self.letters.count_ones() as usize == self.len()
    }
}

/// Cheap test of a cluster: could it be part of any form? Prices, years, times and counts end here.
pub(super) fn worth_a_look(bytes: &[u8], runs: &[Run]) -> bool {
    let digits: usize = runs.iter().map(Run::digits).sum();
    if digits >= 6 {
        return true;
    }
    let (start, end) = (runs[0].start, runs[runs.len() - 1].end);
    let left = start > 0 && bytes[start - 1].is_ascii_alphabetic();
    let right = bytes.get(end).is_some_and(u8::is_ascii_alphabetic);
    if !left && !right {
        return false;
    }
    if digits >= 4 || (left && right) {
        return true;
    }
    let alnum = |byte: &&u8| byte.is_ascii_alphanumeric();
    let before = bytes[..start].iter().rev().take(GROUP_MAX_BYTES).take_while(alnum).count();
    let after = bytes[end..].iter().take(GROUP_MAX_BYTES).take_while(alnum).count();
    // The shortest such numbers: German id cards; 1EG4-TE5-MK73 begins with a group of four.
    before + after + (end - start) >= 9 || (before == 0 && after == 3 && bytes.get(end + after) == Some(&b'-'))
}

#[derive(Default)]
pub(super) struct Chain {
    pub(super) groups: Vec<Group>,
    /// How many of them numbers may begin with; the others stand for what follows.
    pub(super) starts: usize,
    /// Where the next chain begins.
    pub(super) next: usize,
}

impl Chain {
    /// The groups from `at` on and up to three short ones before it, but none before `floor`.
    pub(super) fn gather(&mut self, text: &str, at: usize, floor: usize) {
        let bytes = text.as_bytes();
        self.groups.clear();
        let mut start = leftmost(text, at, floor);
        let mut joint = Joint::First;
        loop {
            let end = start + bytes[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            if end - start > GROUP_MAX_BYTES {
                self.next = end;
                break;
            }
            if end == start || self.groups.len() == CHAIN_MAX {
                self.next = start;
                break;
            }
            let letters = bytes[start..end]
                .iter()
                .enumerate()
                .fold(0, |all, (place, byte)| all | u32::from(!byte.is_ascii_digit()) << place);
            self.groups.push(Group { start, end, joint, letters });
            let Some((found, len)) = joint_at(&bytes[end..]) else {
                self.next = end;
                break;
            };
            (joint, start) = (found, end + len);
            // Prose follows: three words in a row without digits end a chain.
            let words = self.groups.iter().rev().take(3).filter(|group| group.start > at && group.is_word());
            if words.count() == 3 {
                self.next = start;
                break;
            }
        }
        let full = self.groups.len() == CHAIN_MAX;
        self.starts = if full { CHAIN_MAX - GROUPS_MAX } else { self.groups.len() };
        if full {
            self.next = self.groups[self.starts].start;
        }
        self.next = self.next.max(at + 1);
    }
}

/// The separator at the start of `rest` if a letter or digit follows it.
fn joint_at(rest: &[u8]) -> Option<(Joint, usize)> {
    let (joint, len) = match rest.first()? {
        b'+' => (Joint::Plus, 1),
        b'(' => (Joint::Bracket, 1),
        b')' => return None,
        _ => {
            let (sep, len) = numbers::one(rest)?;
            (Joint::Is(sep), len)
        }
    };
    rest.get(len).is_some_and(u8::is_ascii_alphanumeric).then_some((joint, len))
}

/// The start of the group at `at`, or of one of three short groups before it.
fn leftmost(text: &str, at: usize, floor: usize) -> usize {
    let bytes = text.as_bytes();
    let group_start = |end: usize| {
        let len = bytes[floor.min(end)..end]
            .iter()
            .rev()
            .take(GROUP_MAX_BYTES + 1)
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        let start = end - len;
        // The letter of `\n` is no part of a group.
        if start < end && escape_before(text, start + 1) { start + 1 } else { start }
    };
    let mut start = group_start(at);
    for _ in 0..3 {
        // Numbers begin with letters and a space, like `MORGA 657054 SM9IJ`; six at most.
        let Some(end) = start.checked_sub(1).filter(|end| *end > floor && matches!(bytes[*end], b' ' | b'-' | b'.'))
        else {
            break;
        };
        let before = group_start(end);
        if before == end || end - before > 6 {
            break;
        }
        start = before;
    }
    start
}

/// How a number stands among its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// Part of something longer, or an amount.
    Tied,
    /// A word and a sign lead to it: it may be a part of a name or a path.
    Led,
    Free,
}

/// Tied is what has a letter, a sign or a further part of a date, a version, a decimal number, a
/// UUID or a path directly beside it.
pub(super) fn stands(text: &str, start: usize, end: usize) -> Stand {
    if glued_before(text, start) || glued_after(text, end) {
        return Stand::Tied;
    }
    let bytes = text.as_bytes();
    let next_is = |at: usize, test: fn(&u8) -> bool| bytes.get(at).is_some_and(test);
    let tied_after = match bytes.get(end) {
        Some(b'-' | b'/') => next_is(end + 1, u8::is_ascii_alphanumeric),
        Some(b'.') => next_is(end + 1, u8::is_ascii_digit),
        Some(b'%') => true,
        _ => false,
    };
    if tied_after {
        return Stand::Tied;
    }
    let Some(sign) = start.checked_sub(1).map(|at| bytes[at]) else { return Stand::Free };
    match sign {
        b'+' | b'$' | b'%' => Stand::Tied,
        b'-' | b'.' | b'/' => {
            let before =
                bytes[..start - 1].iter().rev().take(GROUP_MAX_BYTES).take_while(|b| b.is_ascii_alphanumeric());
            let (len, digits) =
                before.fold((0, 0), |(len, digits), b| (len + 1, digits + usize::from(b.is_ascii_digit())));
            // A word may lead: `CPF-111.444.777-35`, `No.123`. A lone sign is a minus.
            if digits == 0 && (len >= 2 || sign == b'/') { Stand::Led } else { Stand::Tied }
        }
        _ if text[..start].ends_with(['€', '£', '¥', '₹']) => Stand::Tied,
        _ => Stand::Free,
    }
}

/// A number written in groups stands among other groups of digits: a table, not a number.
pub(super) fn in_row(text: &str, groups: &[Group], used: usize, end: usize) -> bool {
    if used < 2 || !groups[1..used].iter().any(|group| group.joint == Joint::Is(Sep::Space)) {
        return false;
    }
    let bytes = text.as_bytes();
    let start = groups[0].start;
    let digit_before = start >= 2 && bytes[start - 1] == b' ' && bytes[start - 2].is_ascii_digit();
    let digit_after = bytes.get(end) == Some(&b' ') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
    digit_before || digit_after
}
