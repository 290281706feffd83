//! Counts votes per task, on Polars.
//!
//! Not here: which annotations count (`check`), what the counts come to (`verdict`). No other file
//! of this stage names Polars.
//!
//! Always: one [`Counts`] a task that has an answer, sorted by task id, lists sorted; the same for
//! the same annotations in any order.

use polars::prelude::*;

use crate::error::{Error, Result};
use crate::task::{Annotation, Answer};

/// What was said about one task.
pub(super) struct Counts {
    pub task_id: String,
    pub votes: u32,
    /// Ordered pairs of annotators with the same answer.
    pub agreeing: u64,
    /// [`key`] of each answer and its votes, sorted.
    pub by_answer: Vec<(String, u32)>,
    /// Sorted.
    pub ratings: Vec<i64>,
    pub mean_rating: Option<f64>,
    /// Tags that more than half of the annotators gave, sorted.
    pub tags: Vec<String>,
    pub annotators: Vec<String>,
    pub annotation_ids: Vec<String>,
}

pub(super) fn tally(accepted: &[Annotation]) -> Result<Vec<Counts>> {
    let read = || {
        let frame = plan(accepted)?.collect()?;
        (0..frame.height()).map(|row| Counts::read(&frame, row)).collect::<PolarsResult<_>>()
    };
    read().map_err(|error| engine(&error))
}

/// One row a task: its votes by answer, its tags with a majority, its ratings, who answered.
fn plan(accepted: &[Annotation]) -> PolarsResult<LazyFrame> {
    let answers = answers(accepted)?.lazy();
    let by_id = || [col("task_id")];
    let pairs = || col("n") * (col("n") - lit(1i64));
    let votes = answers
        .clone()
        .group_by([col("task_id"), col("answer")])
        .agg([len().cast(DataType::Int64).alias("n")])
        .group_by(by_id())
        .agg([
            col("answer").sort_by([col("answer")], SortMultipleOptions::default()),
            col("n").sort_by([col("answer")], SortMultipleOptions::default()),
            col("n").sum().alias("votes"),
            pairs().sum().alias("agreeing"),
        ]);
    let people = answers.group_by(by_id()).agg([
        col("annotator_id").sort(SortOptions::default()),
        col("annotation_id").sort(SortOptions::default()),
        col("rating").sort(SortOptions::default()),
        col("rating").mean().alias("mean_rating"),
    ]);
    let left = || JoinArgs::new(JoinType::Left);
    let winners = tags(accepted)?
        .lazy()
        .group_by([col("task_id"), col("tag")])
        .agg([len().cast(DataType::Int64).alias("given")])
        .join(votes.clone(), by_id(), by_id(), left())
        .filter((col("given") * lit(2i64)).gt(col("votes")))
        .group_by(by_id())
        .agg([col("tag").sort(SortOptions::default())]);
    Ok(votes
        .join(people, by_id(), by_id(), left())
        .join(winners, by_id(), by_id(), left())
        .sort(["task_id"], SortMultipleOptions::default()))
}

fn answers(accepted: &[Annotation]) -> PolarsResult<DataFrame> {
    let strings = |field: fn(&Annotation) -> String| accepted.iter().map(field).collect::<Vec<String>>();
    df!(
        "task_id" => strings(|annotation| annotation.task_id.clone()),
        "annotator_id" => strings(|annotation| annotation.annotator_id.clone()),
        "annotation_id" => strings(|annotation| annotation.annotation_id.clone()),
        "answer" => strings(|annotation| annotation.value.as_ref().map_or_else(String::new, key)),
        "rating" => accepted.iter().map(|annotation| match annotation.value {
            Some(Answer::Number(rating)) => Some(rating),
            _ => None,
        }).collect::<Vec<Option<i64>>>(),
    )
}

fn tags(accepted: &[Annotation]) -> PolarsResult<DataFrame> {
    let given = accepted.iter().flat_map(|annotation| match &annotation.value {
        Some(Answer::List(tags)) => tags.iter().map(|tag| (annotation.task_id.as_str(), tag.as_str())).collect(),
        _ => Vec::new(),
    });
    let (ids, tags): (Vec<&str>, Vec<&str>) = given.unzip();
    df!("task_id" => ids, "tag" => tags)
}

/// Equal answers to one task have equal keys, and other answers other keys.
pub(super) fn key(answer: &Answer) -> String {
    match answer {
        Answer::Text(text) => text.clone(),
        Answer::Number(number) => number.to_string(),
        Answer::List(tags) => tags.iter().map(|tag| format!("{}:{tag}", tag.len())).collect(),
    }
}

impl Counts {
    fn read(frame: &DataFrame, row: usize) -> PolarsResult<Counts> {
        let number = |name: &str| Ok::<_, PolarsError>(frame.column(name)?.i64()?.get(row).unwrap_or_default());
        let list = |name: &str| Ok::<_, PolarsError>(frame.column(name)?.list()?.get_as_series(row));
        let strings = |name: &str| -> PolarsResult<Vec<String>> {
            let Some(items) = list(name)? else { return Ok(Vec::new()) };
            Ok(items.str()?.iter().flatten().map(str::to_owned).collect())
        };
        let numbers = |name: &str| -> PolarsResult<Vec<i64>> {
            let Some(items) = list(name)? else { return Ok(Vec::new()) };
            Ok(items.i64()?.iter().flatten().collect())
        };
        let by_answer = strings("answer")?.into_iter().zip(numbers("n")?.into_iter().map(count));
        Ok(Counts {
            task_id: frame.column("task_id")?.str()?.get(row).unwrap_or_default().to_owned(),
            votes: count(number("votes")?),
            agreeing: number("agreeing")?.unsigned_abs(),
            by_answer: by_answer.collect(),
            ratings: numbers("rating")?,
            mean_rating: frame.column("mean_rating")?.f64()?.get(row),
            tags: strings("tag")?,
            annotators: strings("annotator_id")?,
            annotation_ids: strings("annotation_id")?,
        })
    }
}

fn count(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Keeps the kind and drops the text, which can quote values.
fn engine(error: &PolarsError) -> Error {
    let kind = match error {
        PolarsError::ColumnNotFound(_) | PolarsError::SchemaFieldNotFound(_) => "a column is missing",
        PolarsError::SchemaMismatch(_) | PolarsError::ShapeMismatch(_) => "columns do not fit",
        PolarsError::InvalidOperation(_) => "an operation does not fit its columns",
        _ => "internal",
    };
    Error::Engine { stage: "label".to_owned(), kind: kind.to_owned() }
}
