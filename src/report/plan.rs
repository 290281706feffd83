//! What a run would do.

use super::table::{Side::Left, Side::Right, Table};
use super::words::{number, size};
use crate::runner::plan::Plan;

pub fn text(plan: &Plan) -> String {
    let mut sources = Table::new([("source", Left), ("size", Right), ("rows", Right), ("", Left), ("why", Left)]);
    for source in &plan.sources {
        let todo = if source.done { "done" } else { "to read" };
        let cells = [
            source.path.clone(),
            size(source.bytes),
            number(source.rows_expected),
            todo.to_owned(),
            source.why.clone(),
        ];
        sources.row(cells);
    }
    let mut stages = Table::new([("stage", Left), ("", Left), ("why", Left)]);
    for stage in &plan.stages {
        let todo = if stage.runs { "runs" } else { "done" };
        stages.row([stage.stage.to_owned(), todo.to_owned(), stage.why.clone()]);
    }
    let new = plan.sources.iter().filter(|source| !source.done);
    format!(
        "Sources: {} of {} to read, {}\n{}\nStages:\n{}\nExpected to need: {} of memory, {} of disk. Nothing was written.\n",
        number(new.clone().count() as u64),
        number(plan.sources.len() as u64),
        size(new.map(|source| source.bytes).sum()),
        sources.text(),
        stages.text(),
        size(plan.memory_bytes),
        size(plan.disk_bytes),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::plan::{PlannedSource, PlannedStage};

    #[test]
    fn a_plan_says_what_is_new() {
        let source = |path: &str, done: bool| PlannedSource {
            path: path.to_owned(),
            bytes: 2_000_000,
            done,
            why: if done { "same content and rules" } else { "new content" }.to_owned(),
            rows_expected: 1500,
        };
        let plan = Plan {
            sources: vec![source("a.jsonl", true), source("b.jsonl", false)],
            stages: vec![PlannedStage { stage: "dedup", runs: true, why: "new rows".to_owned() }],
            memory_bytes: 300_000_000,
            disk_bytes: 4_000_000,
        };
        let expected = "\
Sources: 1 of 2 to read, 2.0 MB
  source     size   rows           why
  a.jsonl  2.0 MB  1,500  done     same content and rules
  b.jsonl  2.0 MB  1,500  to read  new content

Stages:
  stage        why
  dedup  runs  new rows

Expected to need: 300.0 MB of memory, 4.0 MB of disk. Nothing was written.
";
        assert_eq!(text(&plan), expected);
    }
}
