//! What was found in texts that were searched before. Logs repeat themselves: each request brings the
//! whole history again, one system prompt stands before all of them, JSON has the same keys everywhere.
//!
//! Not here: searching (`text`), what the model of names knows of words (`detect::names`).
//!
//! Always: an answer is that for the very same text, compared byte by byte, of the very same redactor;
//! a thread keeps a bounded number of bytes and forgets the oldest first.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64;

use super::text::Hit;

/// Bytes of text that a thread keeps. Most repeats are near: the next request of a conversation.
const KEPT_BYTES: usize = 2 << 20;
/// Shorter ones are searched nearly as quickly as they are remembered.
const TEXT_MIN_BYTES: usize = 24;
/// Longer ones would drive out all others.
const TEXT_MAX_BYTES: usize = KEPT_BYTES / 16;
const SLOTS: usize = 1 << 12;
/// Answers that take more are not kept, for a slot keeps its own until another needs it. So all of a
/// thread take 8 MiB at most.
const ANSWER_MAX_BYTES: usize = 2 << 10;

/// Whose answers they are. No two redactors share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner(u64);

impl Owner {
    pub(super) fn new() -> Owner {
        static OWNERS: AtomicU64 = AtomicU64::new(1);
        Owner(OWNERS.fetch_add(1, Ordering::Relaxed))
    }
}

/// What was found in this text, from `search` if that is not known any more.
pub(super) fn found<E>(owner: Owner, text: &str, search: impl FnOnce() -> Result<Vec<Hit>, E>) -> Result<Vec<Hit>, E> {
    thread_local! {
        static MEMO: RefCell<Memo> = RefCell::default();
    }
    if !(TEXT_MIN_BYTES..=TEXT_MAX_BYTES).contains(&text.len()) {
        return search();
    }
    let slot = xxh3_64(text.as_bytes()) as usize % SLOTS;
    if let Some(known) = MEMO.with_borrow(|memo| memo.get(slot, owner, text)) {
        return Ok(known);
    }
    let hits = search()?;
    MEMO.with_borrow_mut(|memo| memo.keep(slot, owner, text, &hits));
    Ok(hits)
}

#[derive(Default)]
struct Memo {
    slots: Vec<Option<Answer>>,
    /// A ring: the byte that was written as the n-th lies at n modulo its length.
    texts: Vec<u8>,
    /// Bytes that were written in all, those that were skipped at the end of the ring too.
    written: u64,
}

struct Answer {
    owner: Owner,
    /// The first of its bytes, as `written` counts.
    start: u64,
    len: usize,
    hits: Vec<Hit>,
}

impl Memo {
    fn get(&self, slot: usize, owner: Owner, text: &str) -> Option<Vec<Hit>> {
        let answer = self.slots.get(slot)?.as_ref()?;
        let there = self.written - answer.start <= KEPT_BYTES as u64;
        let at = answer.start as usize % KEPT_BYTES;
        let same = there && answer.owner == owner && self.texts.get(at..at + answer.len)? == text.as_bytes();
        same.then(|| answer.hits.clone())
    }

    fn keep(&mut self, slot: usize, owner: Owner, text: &str, hits: &[Hit]) {
        if hits.iter().map(Hit::bytes).sum::<usize>() > ANSWER_MAX_BYTES {
            return;
        }
        self.slots.resize_with(SLOTS, || None);
        let len = text.len();
        let room = KEPT_BYTES - self.written as usize % KEPT_BYTES;
        if room < len {
            self.written += room as u64;
        }
        let (start, at) = (self.written, self.written as usize % KEPT_BYTES);
        if self.texts.len() < at + len {
            self.texts.resize(at + len, 0);
        }
        self.texts[at..at + len].copy_from_slice(text.as_bytes());
        self.written += len as u64;
        self.slots[slot] = Some(Answer { owner, start, len, hits: hits.to_vec() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::redact::detect::Span;
    use crate::stages::redact::kind::Kind;

    fn hit(start_byte: u32) -> Hit {
        let span =
            Span { start_byte, end_byte: start_byte + 1, kind: Kind::Email, rule: "x", rule_version: 1, score: 1.0 };
        Hit::of(span)
    }

    fn places(hits: &[Hit]) -> Vec<u32> {
        hits.iter().map(|hit| hit.span.start_byte).collect()
    }

    #[test]
    fn a_text_is_searched_once_for_each_owner() {
        let (one, other) = (Owner::new(), Owner::new());
        let mut searches = 0;
        let [a, b, c] = ["a", "b", "c"].map(|letter| letter.repeat(TEXT_MIN_BYTES));
        for (owner, text, place) in
            [(one, &a, 1), (one, &a, 1), (other, &a, 2), (other, &a, 2), (one, &b, 3), (one, &b, 3)]
        {
            let found = found(owner, text, || {
                searches += 1;
                Ok::<_, ()>(vec![hit(place)])
            });
            assert_eq!(places(&found.unwrap()), [place], "{text}");
        }
        assert_eq!(searches, 3);
        assert_eq!(found(one, &c, || Err(())).err(), Some(()));
        assert!(found(one, &c, || Ok::<_, ()>(Vec::new())).unwrap().is_empty(), "a failure is no answer");
    }

    #[test]
    fn the_ring_forgets_the_oldest_and_never_mixes() {
        let (owner, mut memo) = (Owner::new(), Memo::default());
        let text = |n: usize| format!("{n} {}", "x".repeat(n * 7919 % TEXT_MAX_BYTES));
        for n in 0..2_000 {
            memo.keep(n % SLOTS, owner, &text(n), &[hit(n as u32)]);
            assert!(memo.texts.len() <= KEPT_BYTES);
            for back in [0, 1, 5, 60] {
                let Some(before) = n.checked_sub(back) else { continue };
                match memo.get(before % SLOTS, owner, &text(before)) {
                    Some(known) => assert_eq!(places(&known), [before as u32]),
                    None => assert!(back > 5, "{back}"),
                }
                assert!(memo.get(before % SLOTS, owner, &text(before + 1)).is_none());
            }
        }
        assert!(memo.get(0, owner, &text(0)).is_none());
    }

    #[test]
    fn long_answers_are_not_kept() {
        let (owner, mut memo) = (Owner::new(), Memo::default());
        for (n, kept) in [(ANSWER_MAX_BYTES / hit(0).bytes(), true), (ANSWER_MAX_BYTES / hit(0).bytes() + 1, false)] {
            memo.keep(n, owner, "text", &vec![hit(0); n]);
            assert_eq!(memo.get(n, owner, "text").is_some(), kept);
        }
    }
}
