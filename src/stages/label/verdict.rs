//! What the votes on a task come to.
//!
//! Not here: which annotations count (`check`), counting them (`tally`), agreement over a batch,
//! models of annotators. A verdict never replaces the annotations it was made from.
//!
//! Always: an outcome needs more than half of the votes. A split vote is said to be split
//! (`no-majority`) and goes to adjudication; no rule breaks it. One verdict a task, sorted by
//! task id; the same annotations give the same verdicts in any order.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::tally::{Counts, key, tally};
use crate::error::{Error, Result};
use crate::task::{Annotation, Answer, BOTH_BAD, LEFT, RIGHT, TIE, Task, TaskType};

/// Fewer answers than asked for: nothing is decided, the counts stand.
pub const TOO_FEW: &str = "too-few";
/// No answer has more than half of the votes.
pub const NO_MAJORITY: &str = "no-majority";
/// `rewrite`: more than half wrote the same text (with one annotator: that text).
pub const REWRITTEN: &str = "rewritten";
/// `tag`: at least one tag has a majority, or none has.
pub const TAGGED: &str = "tagged";
pub const UNTAGGED: &str = "untagged";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub task_id: String,
    pub task_type: TaskType,
    /// `pairwise`: left, right, tie, both-bad; `rate`: the lower median, as text; `rewrite`:
    /// rewritten; `tag`: tagged, untagged. `too-few` for all, `no-majority` for `pairwise` and
    /// `rewrite`.
    pub outcome: String,
    /// Accepted annotations, one an annotator.
    pub votes: u32,
    /// How many gave exactly the outcome (for `tag`: exactly this set). 0 where nothing was decided.
    pub votes_for: u32,
    pub votes_left: u32,
    pub votes_right: u32,
    pub votes_tie: u32,
    pub votes_both_bad: u32,
    /// `rate` only.
    pub mean_rating: Option<f64>,
    /// `pairwise`: (left - right) / votes, from -1 to 1; else 0.
    pub margin: f64,
    /// `rewrite` only, and only if it has the majority: of several different texts none is chosen.
    pub text: Option<String>,
    /// `tag`: the tags that more than half of the annotators gave, sorted.
    pub tags: Vec<String>,
    /// As given, sorted.
    pub annotators: Vec<String>,
    pub annotation_ids: Vec<String>,
    /// Share of the pairs of annotators who gave the same answer (for `tag`: the same set);
    /// `None` with one annotator.
    pub agreement: Option<f64>,
}

/// `accepted` as [`super::check::check`] leaves it: one answer an annotator, in canonical form.
pub fn verdicts(accepted: &[Annotation], tasks: &HashMap<String, Task>, min_annotations: u32) -> Result<Vec<Verdict>> {
    let decide = |counts: Counts| {
        let task = tasks.get(&counts.task_id).ok_or_else(|| Error::Engine {
            stage: "label".to_owned(),
            kind: format!("task {}: accepted answers, but no such task", counts.task_id),
        })?;
        Ok(counts.verdict(task.task_type, min_annotations))
    };
    tally(accepted)?.into_iter().map(decide).collect()
}

impl Counts {
    fn votes_for(&self, answer: &str) -> u32 {
        self.by_answer.iter().find(|(given, _)| given == answer).map_or(0, |(_, votes)| *votes)
    }

    fn majority(&self) -> Option<&(String, u32)> {
        self.by_answer.iter().find(|(_, votes)| votes * 2 > self.votes)
    }

    /// Outcome, votes for it, and the text of a rewrite.
    fn outcome(&self, task_type: TaskType) -> (String, u32, Option<String>) {
        let undecided = || (NO_MAJORITY.to_owned(), 0, None);
        match task_type {
            TaskType::Pairwise => {
                self.majority().map_or_else(undecided, |(answer, votes)| (answer.clone(), *votes, None))
            }
            TaskType::Rewrite => self
                .majority()
                .map_or_else(undecided, |(text, votes)| (REWRITTEN.to_owned(), *votes, Some(text.clone()))),
            TaskType::Rate => {
                // The lower median: always a rating that somebody gave.
                let median = self.ratings.get(self.ratings.len().saturating_sub(1) / 2);
                let median = median.map_or_else(String::new, ToString::to_string);
                let votes = self.votes_for(&median);
                (median, votes, None)
            }
            TaskType::Tag => {
                let word = if self.tags.is_empty() { UNTAGGED } else { TAGGED };
                (word.to_owned(), self.votes_for(&key(&Answer::List(self.tags.clone()))), None)
            }
        }
    }

    fn verdict(self, task_type: TaskType, min_annotations: u32) -> Verdict {
        let enough = self.votes >= min_annotations;
        let (outcome, votes_for, text) = if enough { self.outcome(task_type) } else { (TOO_FEW.to_owned(), 0, None) };
        let pairwise = |answer| if task_type == TaskType::Pairwise { self.votes_for(answer) } else { 0 };
        let (votes_left, votes_right) = (pairwise(LEFT), pairwise(RIGHT));
        let pairs = u64::from(self.votes) * u64::from(self.votes.saturating_sub(1));
        Verdict {
            task_type,
            outcome,
            votes: self.votes,
            votes_for,
            votes_left,
            votes_right,
            votes_tie: pairwise(TIE),
            votes_both_bad: pairwise(BOTH_BAD),
            mean_rating: self.mean_rating,
            margin: (f64::from(votes_left) - f64::from(votes_right)) / f64::from(self.votes.max(1)),
            text,
            agreement: (pairs > 0).then(|| self.agreeing as f64 / pairs as f64),
            tags: if enough { self.tags } else { Vec::new() },
            task_id: self.task_id,
            annotators: self.annotators,
            annotation_ids: self.annotation_ids,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::fixtures::{list, said, task, text};
    use super::*;

    const KINDS: [TaskType; 4] = [TaskType::Pairwise, TaskType::Rate, TaskType::Rewrite, TaskType::Tag];

    fn tasks() -> HashMap<String, Task> {
        KINDS.map(|kind| (kind.as_str().to_owned(), task(kind.as_str(), kind))).into()
    }

    fn answers_to(kind: TaskType, values: &[Answer]) -> Vec<Annotation> {
        let given = values.iter().enumerate();
        given.map(|(n, value)| said(&format!("a{n}"), kind.as_str(), &format!("p{n}"), value.clone())).collect()
    }

    fn one(kind: TaskType, values: &[Answer], min_annotations: u32) -> Verdict {
        let mut found = verdicts(&answers_to(kind, values), &tasks(), min_annotations).unwrap();
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    #[test]
    fn pairwise() {
        for (words, outcome, votes_for, margin, agreement) in [
            ("left", "left", 1, 1.0, None),
            ("left left right", "left", 2, 1.0 / 3.0, Some(1.0 / 3.0)),
            ("right right right", "right", 3, -1.0, Some(1.0)),
            ("left right", "no-majority", 0, 0.0, Some(0.0)),
            ("tie tie left", "tie", 2, 1.0 / 3.0, Some(1.0 / 3.0)),
            ("both-bad both-bad right", "both-bad", 2, -1.0 / 3.0, Some(1.0 / 3.0)),
            // Most votes, but only half of them.
            ("left left right tie", "no-majority", 0, 0.25, Some(1.0 / 6.0)),
        ] {
            let values: Vec<Answer> = words.split(' ').map(text).collect();
            let verdict = one(TaskType::Pairwise, &values, 1);
            assert_eq!((verdict.outcome.as_str(), verdict.votes_for), (outcome, votes_for), "{words}");
            assert_eq!((verdict.margin, verdict.agreement), (margin, agreement), "{words}");
            let counted = verdict.votes_left + verdict.votes_right + verdict.votes_tie + verdict.votes_both_bad;
            assert_eq!((verdict.votes, counted), (values.len() as u32, values.len() as u32), "{words}");
            assert_eq!((verdict.mean_rating, verdict.text, verdict.tags), (None, None, vec![]), "{words}");
        }
    }

    #[test]
    fn ratings() {
        for (ratings, outcome, votes_for, mean, agreement) in [
            (vec![4], "4", 1, 4.0, None),
            (vec![5, 1, 4], "4", 1, 10.0 / 3.0, Some(0.0)),
            (vec![5, 2, 4, 1], "2", 1, 3.0, Some(0.0)),
            (vec![10, 9, 10], "10", 2, 29.0 / 3.0, Some(1.0 / 3.0)),
        ] {
            let values: Vec<Answer> = ratings.iter().copied().map(Answer::Number).collect();
            let verdict = one(TaskType::Rate, &values, 1);
            assert_eq!((verdict.outcome.as_str(), verdict.votes_for), (outcome, votes_for), "{ratings:?}");
            assert_eq!((verdict.mean_rating, verdict.agreement), (Some(mean), agreement), "{ratings:?}");
            assert_eq!((verdict.margin, verdict.votes_left), (0.0, 0), "{ratings:?}");
        }
    }

    #[test]
    fn rewrites() {
        for (texts, outcome, votes_for, chosen) in [
            (vec!["a"], "rewritten", 1, Some("a")),
            (vec!["a", "b"], "no-majority", 0, None),
            (vec!["a", "b", "a"], "rewritten", 2, Some("a")),
            (vec!["left"], "rewritten", 1, Some("left")),
        ] {
            let values: Vec<Answer> = texts.iter().map(|word| text(word)).collect();
            let verdict = one(TaskType::Rewrite, &values, 1);
            let found = (verdict.outcome.as_str(), verdict.votes_for, verdict.text.as_deref());
            assert_eq!(found, (outcome, votes_for, chosen), "{texts:?}");
            assert_eq!(verdict.votes_left, 0);
        }
    }

    #[test]
    fn tags() {
        for (sets, outcome, chosen, votes_for, agreement) in [
            (vec![vec!["a", "b"]], "tagged", vec!["a", "b"], 1, None),
            (vec![vec!["a", "b"], vec!["a"]], "tagged", vec!["a"], 1, Some(0.0)), // b: half is not more than half
            (vec![vec!["a", "b"], vec!["b", "c"], vec!["a"]], "tagged", vec!["a", "b"], 1, Some(0.0)),
            (vec![vec![], vec![], vec!["a"]], "untagged", vec![], 2, Some(1.0 / 3.0)),
            (vec![vec![]], "untagged", vec![], 1, None),
        ] {
            let values: Vec<Answer> = sets.iter().map(|tags| list(tags)).collect();
            let verdict = one(TaskType::Tag, &values, 1);
            assert_eq!((verdict.outcome.as_str(), verdict.votes_for), (outcome, votes_for), "{sets:?}");
            assert_eq!(
                (verdict.tags, verdict.agreement),
                (chosen.iter().map(|t| t.to_string()).collect(), agreement),
                "{sets:?}"
            );
        }
        assert_ne!(key(&list(&["a", "b"])), key(&list(&["a1:b"])));
    }

    #[test]
    fn too_few_decides_nothing_and_keeps_the_counts() {
        for (kind, value) in [
            (TaskType::Pairwise, text("left")),
            (TaskType::Rate, Answer::Number(3)),
            (TaskType::Rewrite, text("x")),
            (TaskType::Tag, list(&["a"])),
        ] {
            let verdict = one(kind, &[value.clone(), value], 3);
            assert_eq!((verdict.outcome.as_str(), verdict.votes_for, verdict.votes), ("too-few", 0, 2));
            assert_eq!((verdict.text, verdict.tags, verdict.agreement), (None, vec![], Some(1.0)));
        }
        assert_eq!(verdicts(&[], &tasks(), 1).unwrap(), vec![]);
    }

    #[test]
    fn many_tasks_in_any_order() {
        let mut given = answers_to(TaskType::Tag, &[list(&["a"]), list(&[])]);
        given.extend(answers_to(TaskType::Pairwise, &["left", "tie", "left"].map(text)));
        given.extend(answers_to(TaskType::Rate, &[3, 5].map(Answer::Number)));
        let expected = verdicts(&given, &tasks(), 1).unwrap();
        let ids: Vec<_> = expected.iter().map(|verdict| verdict.task_id.as_str()).collect();
        assert_eq!(ids, ["pairwise", "rate", "tag"]);
        assert_eq!(expected[0].annotators, ["p0", "p1", "p2"]);
        assert_eq!(expected[0].annotation_ids, ["a0", "a1", "a2"]);
        for turn in 0..given.len() {
            given.rotate_left(1);
            assert_eq!(verdicts(&given, &tasks(), 1).unwrap(), expected, "turned by {turn}");
        }
    }
}
