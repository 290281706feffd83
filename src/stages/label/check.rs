//! Which annotations count: each is accepted or refused with one reason.
//!
//! Not here: reading files, redaction, votes. Whether annotators agree is no reason to refuse.
//!
//! Always: at most one answer of an annotator to a task is accepted; the result does not depend
//! on the order of the input; a refusal names ids and a reason, never the answer.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{Rules, time};
use crate::task::{Annotation, Answer, CANCELLED, PAIRWISE_ANSWERS, Rubric, SUBMITTED, Task, TaskType};

/// The annotator skipped the task or took the answer back.
pub const CANCELLED_BY_ANNOTATOR: &str = "cancelled";
pub const NOT_SUBMITTED: &str = "draft";
pub const UNKNOWN_TASK: &str = "unknown_task";
/// The rubric version of the task was not handed to the merge; nothing to check the answer by.
pub const UNKNOWN_RUBRIC: &str = "unknown_rubric";
/// Made under another rubric, or another version of it, than the task.
pub const RUBRIC_VERSION: &str = "rubric_version";
pub const TASK_TYPE: &str = "task_type";
/// None, of the wrong kind, outside the scale, a word or tag not in the list, an empty rewrite.
pub const BAD_VALUE: &str = "bad_value";
/// Answered after the deadline.
pub const LATE: &str = "late";
/// Same annotator and task, different answers, and nothing says which came last: none counts.
pub const CONTRADICTORY: &str = "contradictory";
/// Same annotator and task, and a later answer (or a later withdrawal of this one) exists.
pub const SUPERSEDED: &str = "superseded";
/// Same annotator, task and answer once more.
pub const DUPLICATE: &str = "duplicate";

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Refused {
    pub annotation_id: String,
    pub task_id: String,
    pub reason: &'static str,
}

impl Refused {
    fn new(annotation: &Annotation, reason: &'static str) -> Refused {
        Refused { annotation_id: annotation.annotation_id.clone(), task_id: annotation.task_id.clone(), reason }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// Sorted by task, annotator and annotation id; answers in canonical form.
    pub accepted: Vec<Annotation>,
    pub refused: Vec<Refused>,
}

pub fn check(annotations: Vec<Annotation>, tasks: &HashMap<String, Task>, rules: &Rules) -> Checked {
    let withdrawn = withdrawals(&annotations);
    let mut checked = Checked::default();
    let mut answers: BTreeMap<(String, String), Vec<Annotation>> = BTreeMap::new();
    for mut annotation in annotations {
        match judge(&mut annotation, tasks, rules, &withdrawn) {
            Some(reason) => checked.refused.push(Refused::new(&annotation, reason)),
            None => {
                let key = (annotation.task_id.clone(), annotation.annotator_id.clone());
                answers.entry(key).or_default().push(annotation);
            }
        }
    }
    for group in answers.into_values() {
        settle(group, &mut checked);
    }
    checked.refused.sort_unstable();
    checked
}

/// By annotation and annotator: when the answer was taken back. A withdrawal without a time counts
/// as the last word, because using an answer that was taken back is the worse mistake.
fn withdrawals(annotations: &[Annotation]) -> HashMap<(String, String, String), i64> {
    let mut withdrawn = HashMap::new();
    for annotation in annotations.iter().filter(|annotation| annotation.state == CANCELLED) {
        let at = answered_us(annotation).unwrap_or(i64::MAX);
        withdrawn.entry(name_of(annotation)).and_modify(|last: &mut i64| *last = at.max(*last)).or_insert(at);
    }
    withdrawn
}

fn name_of(annotation: &Annotation) -> (String, String, String) {
    (annotation.annotation_id.clone(), annotation.task_id.clone(), annotation.annotator_id.clone())
}

/// Reasons that an annotation carries in itself, strongest first.
fn judge(
    annotation: &mut Annotation,
    tasks: &HashMap<String, Task>,
    rules: &Rules,
    withdrawn: &HashMap<(String, String, String), i64>,
) -> Option<&'static str> {
    match annotation.state.as_str() {
        SUBMITTED => {}
        CANCELLED => return Some(CANCELLED_BY_ANNOTATOR),
        _ => return Some(NOT_SUBMITTED),
    }
    let Some(task) = tasks.get(&annotation.task_id) else { return Some(UNKNOWN_TASK) };
    let differs = |said: &Option<String>, is: &str| said.as_deref().is_some_and(|said| said != is);
    if differs(&annotation.rubric_version, &task.rubric_version) || differs(&annotation.rubric, &task.rubric) {
        return Some(RUBRIC_VERSION);
    }
    if annotation.task_type.is_some_and(|said| said != task.task_type) {
        return Some(TASK_TYPE);
    }
    let Some(rubric) = rules.rubric(task) else { return Some(UNKNOWN_RUBRIC) };
    annotation.value = annotation.value.take().and_then(|value| canonical(value, task.task_type, rubric));
    if annotation.value.is_none() {
        return Some(BAD_VALUE);
    }
    let at = answered_us(annotation);
    // An answer without a time is not late: nothing says so.
    if let (Some(at), Some(deadline)) = (at, rules.deadline_us)
        && at > deadline
    {
        return Some(LATE);
    }
    let taken_back = withdrawn.get(&name_of(annotation)).is_some_and(|last| at.is_none_or(|at| at <= *last));
    taken_back.then_some(SUPERSEDED)
}

fn answered_us(annotation: &Annotation) -> Option<i64> {
    annotation.created_at.as_deref().and_then(time::parse_us)
}

/// The answer in the one form in which equal answers are equal, or nothing if it does not fit.
fn canonical(value: Answer, task_type: TaskType, rubric: &Rubric) -> Option<Answer> {
    match (task_type, value) {
        (TaskType::Pairwise, Answer::Text(word)) => {
            PAIRWISE_ANSWERS.contains(&word.as_str()).then_some(Answer::Text(word))
        }
        (TaskType::Rate, Answer::Number(number)) => {
            let scale = rubric.scale?;
            (i64::from(scale.min)..=i64::from(scale.max)).contains(&number).then_some(Answer::Number(number))
        }
        (TaskType::Rewrite, Answer::Text(text)) => {
            // White space at the start can be code; at the end it is where the cursor was.
            let text = text.replace("\r\n", "\n");
            let text = text.trim_end();
            (!text.is_empty()).then(|| Answer::Text(text.to_owned()))
        }
        (TaskType::Tag, Answer::List(mut tags)) => {
            tags.sort_unstable();
            tags.dedup();
            tags.iter().all(|tag| rubric.tags.contains(tag)).then_some(Answer::List(tags))
        }
        _ => None,
    }
}

/// All answers of one annotator to one task. Those that could be the last one are the ones with
/// the latest time and the ones without a time. If they agree, one of them counts; if not, none.
/// Answers that are certainly earlier are superseded either way.
fn settle(mut group: Vec<Annotation>, checked: &mut Checked) {
    // The whole record is the key: with equal keys it does not matter which one stays.
    group.sort_by_cached_key(|annotation| {
        (annotation.annotation_id.clone(), serde_json::to_string(annotation).unwrap_or_default())
    });
    let latest = group.iter().filter_map(answered_us).max();
    let (last, earlier): (Vec<_>, Vec<_>) =
        group.into_iter().partition(|annotation| answered_us(annotation).is_none_or(|at| Some(at) == latest));
    checked.refused.extend(earlier.iter().map(|annotation| Refused::new(annotation, SUPERSEDED)));
    if last.windows(2).any(|pair| pair[0].value != pair[1].value) {
        checked.refused.extend(last.iter().map(|annotation| Refused::new(annotation, CONTRADICTORY)));
        return;
    }
    let mut last = last.into_iter();
    checked.accepted.extend(last.next());
    checked.refused.extend(last.map(|annotation| Refused::new(&annotation, DUPLICATE)));
}

#[cfg(test)]
pub(super) mod fixtures {
    use crate::task::{Annotation, Answer, Rubric, SUBMITTED, Scale, TASK_SCHEMA_VERSION, Task, TaskType};

    pub fn rubric(task: TaskType) -> Rubric {
        Rubric {
            // The rubric of pairwise tasks is called "r", the others by their kind.
            name: if task == TaskType::Pairwise { "r" } else { task.as_str() }.into(),
            version: "1".into(),
            task,
            instructions: String::new(),
            scale: (task == TaskType::Rate).then_some(Scale { min: 1, max: 5 }),
            tags: ["a", "b", "c"].map(String::from).into(),
        }
    }

    pub fn task(id: &str, task_type: TaskType) -> Task {
        Task {
            task_id: id.into(),
            batch_id: "b".into(),
            task_schema_version: TASK_SCHEMA_VERSION,
            task_type,
            rubric: rubric(task_type).name,
            rubric_version: "1".into(),
            stratum: "s".into(),
            inclusion_probability: 1.0,
            split_group: "g".into(),
            language: None,
            tools: None,
            prompt: Vec::new(),
            responses: Vec::new(),
        }
    }

    pub fn said(annotation_id: &str, task_id: &str, annotator_id: &str, value: Answer) -> Annotation {
        Annotation {
            annotation_id: annotation_id.into(),
            task_id: task_id.into(),
            batch_id: None,
            annotator_id: annotator_id.into(),
            task_type: None,
            value: Some(value),
            state: SUBMITTED.into(),
            justification: None,
            rubric: None,
            rubric_version: None,
            created_at: None,
            lead_time_s: None,
        }
    }

    pub fn text(word: &str) -> Answer {
        Answer::Text(word.into())
    }

    pub fn list(words: &[&str]) -> Answer {
        Answer::List(words.iter().map(|word| (*word).into()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::fixtures::{list, rubric, said, task, text};
    use super::*;
    use crate::task::DRAFT;
    use proptest::prelude::*;

    const KINDS: [TaskType; 4] = [TaskType::Pairwise, TaskType::Rate, TaskType::Rewrite, TaskType::Tag];

    /// Task ids are the names of the kinds.
    fn checked(annotations: Vec<Annotation>) -> Checked {
        let tasks = KINDS.map(|kind| (kind.as_str().to_owned(), task(kind.as_str(), kind))).into();
        let rules = Rules::new(KINDS.map(rubric).into(), Some("2026-11-30T00:00:00Z"), 1).unwrap();
        check(annotations, &tasks, &rules)
    }

    fn at(time: &str, annotation: Annotation) -> Annotation {
        Annotation { created_at: Some(format!("2026-11-{time}:00:00Z")), ..annotation }
    }

    #[test]
    fn one_annotation() {
        let left = || said("1", "pairwise", "p", text("left"));
        for (annotation, expected) in [
            (left(), None),
            (Annotation { state: CANCELLED.into(), ..left() }, Some("cancelled")),
            (Annotation { state: DRAFT.into(), ..left() }, Some("draft")),
            (said("1", "gone", "p", text("left")), Some("unknown_task")),
            (Annotation { rubric_version: Some("1".into()), rubric: Some("r".into()), ..left() }, None),
            (Annotation { rubric_version: Some("2".into()), ..left() }, Some("rubric_version")),
            (Annotation { rubric: Some("other".into()), ..left() }, Some("rubric_version")),
            (Annotation { task_type: Some(TaskType::Rate), ..left() }, Some("task_type")),
            (Annotation { value: None, ..left() }, Some("bad_value")),
            (at("30T00", left()), None),
            (at("30T01", left()), Some("late")),
        ] {
            let case = format!("{annotation:?}");
            let checked = checked(vec![annotation]);
            assert_eq!(checked.refused.first().map(|refused| refused.reason), expected, "{case}");
            assert_eq!(checked.accepted.len() + checked.refused.len(), 1);
        }
    }

    #[test]
    fn values_fit_their_task() {
        for (task_id, value, expected) in [
            ("pairwise", text("both-bad"), Some(text("both-bad"))),
            ("pairwise", text("Left"), None),
            ("pairwise", Answer::Number(1), None),
            ("rate", Answer::Number(1), Some(Answer::Number(1))),
            ("rate", Answer::Number(5), Some(Answer::Number(5))),
            ("rate", Answer::Number(0), None),
            ("rate", Answer::Number(6), None),
            ("rate", text("3"), None),
            ("rewrite", text("  x\r\ny \n"), Some(text("  x\ny"))),
            ("rewrite", text(" \n"), None),
            ("tag", list(&["b", "a", "b"]), Some(list(&["a", "b"]))),
            ("tag", list(&[]), Some(list(&[]))),
            ("tag", list(&["a", "z"]), None),
            ("tag", text("a"), None),
        ] {
            let case = format!("{task_id} {value:?}");
            let checked = checked(vec![said("1", task_id, "p", value)]);
            assert_eq!(checked.accepted.into_iter().next().and_then(|a| a.value), expected, "{case}");
        }
    }

    #[test]
    fn several_answers_of_one_annotator() {
        let word = |id: &str, word: &str| said(id, "pairwise", "p", text(word));
        let cancelled = |annotation: Annotation| Annotation { state: CANCELLED.into(), ..annotation };
        for (answers, accepted, refused) in [
            (vec![word("1", "left"), word("2", "right")], "", "1 contradictory, 2 contradictory"),
            (
                vec![at("01T10", word("1", "left")), at("01T10", word("2", "right"))],
                "",
                "1 contradictory, 2 contradictory",
            ),
            (vec![at("01T10", word("1", "left")), at("02T10", word("2", "right"))], "2", "1 superseded"),
            (vec![at("01T10", word("1", "left")), word("2", "right")], "", "1 contradictory, 2 contradictory"),
            (vec![at("01T10", word("1", "left")), word("2", "left")], "1", "2 duplicate"),
            // Whenever 3 was given, the last answer is "right".
            (
                vec![at("01T10", word("1", "left")), at("02T10", word("2", "right")), word("3", "right")],
                "2",
                "1 superseded, 3 duplicate",
            ),
            (vec![word("1", "left"), word("1", "left")], "1", "1 duplicate"),
            (
                vec![word("1", "left"), word("2", "left"), word("3", "tie")],
                "",
                "1 contradictory, 2 contradictory, 3 contradictory",
            ),
            (
                vec![at("01T10", word("1", "left")), cancelled(at("02T10", word("1", "left")))],
                "",
                "1 cancelled, 1 superseded",
            ),
            (vec![at("03T10", word("1", "left")), cancelled(at("02T10", word("1", "left")))], "1", "1 cancelled"),
            (vec![word("1", "tie"), cancelled(at("02T10", word("1", "tie")))], "", "1 cancelled, 1 superseded"),
            (vec![at("02T10", word("1", "tie")), cancelled(word("1", "tie"))], "", "1 cancelled, 1 superseded"),
            (vec![word("1", "tie"), cancelled(word("1", "tie"))], "", "1 cancelled, 1 superseded"),
            (vec![at("03T10", word("1", "left")), cancelled(at("04T10", word("2", "left")))], "1", "2 cancelled"),
            // What is refused for itself supersedes nothing.
            (vec![at("01T10", word("1", "left")), at("02T10", word("2", "wrong"))], "1", "2 bad_value"),
            (vec![word("1", "left"), said("2", "pairwise", "q", text("right"))], "1 2", ""),
        ] {
            let case = format!("{answers:?}");
            let checked = checked(answers);
            let ids: Vec<_> = checked.accepted.iter().map(|a| a.annotation_id.as_str()).collect();
            let reasons: Vec<_> = checked.refused.iter().map(|r| format!("{} {}", r.annotation_id, r.reason)).collect();
            assert_eq!((ids.join(" ").as_str(), reasons.join(", ").as_str()), (accepted, refused), "{case}");
        }
    }

    fn any_annotation() -> impl Strategy<Value = Annotation> {
        let word = prop::sample::select(vec!["left", "right", "tie", "wrong"]);
        (0..4u8, 0..2u8, word, prop::option::of(1..4u8), 0..6u8).prop_map(|(id, annotator, word, day, state)| {
            let annotation = said(&id.to_string(), "pairwise", &annotator.to_string(), text(word));
            let state = if state == 0 { CANCELLED } else { SUBMITTED }.to_owned();
            Annotation { created_at: day.map(|day| format!("2026-11-0{day}T00:00:00Z")), state, ..annotation }
        })
    }

    proptest! {
        #[test]
        fn order_changes_nothing_and_everything_is_answered_for(
            (given, shuffled) in prop::collection::vec(any_annotation(), 0..12)
                .prop_flat_map(|given| (Just(given.clone()), Just(given).prop_shuffle()))
        ) {
            let (one, other) = (checked(given.clone()), checked(shuffled));
            prop_assert_eq!(&one, &other);
            prop_assert_eq!(one.accepted.len() + one.refused.len(), given.len());
            let mut voters: Vec<_> = one.accepted.iter().map(|a| (&a.task_id, &a.annotator_id)).collect();
            voters.dedup();
            prop_assert_eq!(voters.len(), one.accepted.len());
        }
    }
}
