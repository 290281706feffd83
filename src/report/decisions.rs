//! Decisions of dedup for people: what differs between two conversations, word by word.
//!
//! Always: texts are redacted texts; `[-…-]` stands only in the one that was dropped, `{+…+}` only
//! in the winner.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

use crate::runner::decisions::{Retest, Shown};
use crate::task::TaskMessage;

/// How many ids of a retest are listed.
const IDS_MAX: usize = 20;

pub fn shown(all: &[Shown]) -> String {
    let mut text = String::new();
    for one in all {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} (record {}, conversation {})", one.fate, one.record_id, one.conversation_id);
        let winner = one.winner.as_deref();
        let _ = winner.map_or(Ok(()), |id| writeln!(text, "  winner        conversation {id}"));
        let rule = one.rule.as_deref().filter(|rule| *rule != one.fate);
        let _ = rule.map_or(Ok(()), |rule| writeln!(text, "  rule          {rule}"));
        let _ = one.cosine.map_or(Ok(()), |cosine| writeln!(text, "  vectors       cosine {cosine:.6}"));
        for (name, share) in [("user", one.jaccard_user), ("assistant", one.jaccard_assistant)] {
            let _ = share.map_or(Ok(()), |share| writeln!(text, "  {:<13} Jaccard {share:.3}", name));
        }
        if let (Some(containment), Some(bands)) = (one.containment, one.bands_hit) {
            let _ = writeln!(text, "  containment   {containment:.3}, {bands} bands shared");
        }
        both(&one.messages, &one.winner_messages, &mut text);
        text.push('\n');
    }
    text
}

fn both(dropped: &[TaskMessage], winner: &[TaskMessage], text: &mut String) {
    for i in 0..dropped.len().max(winner.len()) {
        let side = |messages: &[TaskMessage]| messages.get(i).map(said).unwrap_or_default();
        let role = dropped.get(i).or(winner.get(i)).map_or("", |message| message.role.as_str());
        let line = words(&side(dropped), &side(winner));
        let _ = writeln!(text, "  {role:<10}{}", line.replace('\n', "\n            "));
    }
}

fn said(message: &TaskMessage) -> String {
    match &message.tool_calls {
        Some(calls) if message.content.is_empty() => calls.clone(),
        Some(calls) => format!("{}\n{calls}", message.content),
        None => message.content.clone(),
    }
}

/// As `git diff --word-diff` marks words.
fn words(a: &str, b: &str) -> String {
    let diff = TextDiff::from_words(a, b);
    let (mut text, mut open) = (String::new(), ChangeTag::Equal);
    let mark = |tag: ChangeTag, ends: bool| match (tag, ends) {
        (ChangeTag::Equal, _) => "",
        (ChangeTag::Delete, false) => "[-",
        (ChangeTag::Delete, true) => "-]",
        (ChangeTag::Insert, false) => "{+",
        (ChangeTag::Insert, true) => "+}",
    };
    for change in diff.iter_all_changes() {
        if change.tag() != open {
            text.push_str(mark(open, true));
            open = change.tag();
            text.push_str(mark(open, false));
        }
        text.push_str(change.value());
    }
    text + mark(open, true)
}

pub fn retest(one: &Retest) -> String {
    let mut text = format!(
        "at {} instead of {}: {} near-duplicates instead of {} ({} edges between records in the race)\n",
        one.min_jaccard, one.stored_min_jaccard, one.near_duplicates, one.stored_near_duplicates, one.edges
    );
    for (name, ids) in [("kept again", &one.kept_again), ("dropped instead", &one.dropped_now)] {
        if !ids.is_empty() {
            let more = if ids.len() > IDS_MAX { " …" } else { "" };
            let _ = writeln!(text, "  {name} ({}): {}{more}", ids.len(), ids[..ids.len().min(IDS_MAX)].join(" "));
        }
    }
    text + "Nothing was changed; a run with [dedup.near] min_jaccard does it.\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_differ_are_marked() {
        for (a, b, marked) in [
            ("one two three", "one four three", "one [-two-]{+four+} three"),
            ("same", "same", "same"),
            ("", "all new", "{+all new+}"),
        ] {
            assert_eq!(words(a, b), marked);
        }
    }
}
