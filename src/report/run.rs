//! The result of a run: what became of every record, what was made, and where to look further.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::table::{Side::Left, Side::Right, Table};
use super::words::{cell, counts, number, rate, seconds, shell, splits};
use crate::runner::{Outcome, StageOutcome};

/// `row_id`: an id that the shown `trace` command can follow.
pub fn text(outcome: &Outcome, row_id: Option<&str>) -> String {
    let parts = [
        format!("Run {} of {}\n", outcome.run_id, outcome.pipeline),
        stages(&outcome.stages),
        reasons(&outcome.stages),
        benchmarks(&outcome.stages),
        first_rejects(&outcome.stages),
        batches(outcome),
        releases(outcome),
        checks(outcome),
        format!("Store: {}\n", outcome.store),
        further(outcome, row_id),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn stages(stages: &[StageOutcome]) -> String {
    let mut table = Table::new([
        ("stage", Left),
        ("read", Right),
        ("kept", Right),
        ("folded", Right),
        ("dropped", Right),
        ("rejected", Right),
        ("seconds", Right),
        ("MB/s", Right),
        ("", Left),
    ]);
    for stage in stages {
        // Ingest's scan redacts as it reads: one time for both.
        let fused = stage.stage == "redact" && !stage.cached;
        // The bytes of a cached stage were not read by this run.
        let speed = if stage.cached || fused { "-".to_owned() } else { rate(stage.bytes, stage.seconds) };
        table.row([
            stage.stage.to_owned(),
            number(stage.records_read),
            number(stage.kept),
            cell(stage.folded),
            cell(stage.dropped.values().sum()),
            cell(stage.rejected.values().sum()),
            if fused { "-".to_owned() } else { seconds(stage.seconds) },
            speed,
            match (stage.cached, fused) {
                (true, _) => "cached".to_owned(),
                (false, true) => "with ingest".to_owned(),
                (false, false) => String::new(),
            },
        ]);
    }
    table.text()
}

/// Why rows were not kept, and what else was counted; one line for each stage and kind.
fn reasons(stages: &[StageOutcome]) -> String {
    let mut text = String::new();
    for stage in stages {
        let further = match stage.stage {
            "redact" => "findings",
            "dedup" => "duplicates",
            _ => "counts",
        };
        for (what, of) in [("dropped", &stage.dropped), ("rejected", &stage.rejected), (further, &stage.counts)] {
            let of = of.iter().filter(|(name, _)| !name.contains(": ")).map(|(name, n)| (name.clone(), *n)).collect();
            let counted = counts(&of);
            if !counted.is_empty() {
                let _ = writeln!(text, "  {:<8} {what:<10} {counted}", stage.stage);
            }
        }
    }
    if text.is_empty() { text } else { format!("What was found:\n{text}") }
}

/// What records repeat of each benchmark: counts of dedup that are named `benchmark: what`.
fn benchmarks(stages: &[StageOutcome]) -> String {
    let mut text = String::new();
    for counts in stages.iter().map(|stage| &stage.counts) {
        for (name, rows) in counts.iter().filter_map(|(name, rows)| Some((name.strip_suffix(": rows")?, *rows))) {
            let of = |what: &str| number(counts.get(&format!("{name}: {what}")).copied().unwrap_or_default());
            let (met, records, rows) = (of("rows met"), of("records"), number(rows));
            let _ = writeln!(text, "  {name}: {met} of {rows} rows are repeated, by {records} records");
        }
    }
    if text.is_empty() { text } else { format!("Benchmarks:\n{text}") }
}

fn first_rejects(stages: &[StageOutcome]) -> String {
    let mut text = String::new();
    let mut told = BTreeSet::new();
    for place in stages.iter().flat_map(|stage| &stage.first_rejects) {
        let bytes = format!("bytes {} to {}", place.start_byte, place.end_byte);
        let advice = place.advice.filter(|_| told.insert(&place.reason)).map(|advice| format!(": {advice}"));
        let advice = advice.unwrap_or_default();
        let _ = writeln!(text, "  {}:{} {} ({bytes}){advice}", place.source, place.line, place.reason);
    }
    if text.is_empty() { text } else { format!("First rejects:\n{text}") }
}

fn batches(outcome: &Outcome) -> String {
    if outcome.batches.is_empty() {
        return String::new();
    }
    let mut table =
        Table::new([("batch", Left), ("name", Left), ("task", Left), ("tasks", Right), ("", Left), ("path", Left)]);
    for batch in &outcome.batches {
        table.row([
            batch.batch_id.clone(),
            batch.name.clone(),
            batch.task_type.clone(),
            number(batch.tasks),
            newness(batch.new),
            batch.path.clone(),
        ]);
    }
    format!("Batches to label:\n{}", table.text())
}

fn releases(outcome: &Outcome) -> String {
    if outcome.releases.is_empty() {
        return String::new();
    }
    let mut table = Table::new([
        ("dataset", Left),
        ("version", Left),
        ("rows", Right),
        ("splits", Left),
        ("", Left),
        ("path", Left),
    ]);
    for release in &outcome.releases {
        table.row([
            release.dataset.clone(),
            format!("v{:04}", release.version),
            number(release.rows),
            splits(&release.splits),
            newness(release.new),
            release.path.clone(),
        ]);
    }
    format!("Releases:\n{}", table.text())
}

/// What redaction made of the canaries, and what the gate went over.
fn checks(outcome: &Outcome) -> String {
    let mut text = String::new();
    if let Some(recall) = &outcome.canaries {
        let _ = writeln!(text, "Canaries: {} of {} gone", number(recall.all.gone), number(recall.all.planted));
        let missed = recall.types.iter().filter(|(_, count)| count.gone < count.planted);
        let missed: Vec<_> =
            missed.map(|(kind, count)| format!("{kind} {} of {}", count.gone, count.planted)).collect();
        if !missed.is_empty() {
            let _ = writeln!(text, "  not in every disguise: {}", missed.join(", "));
        }
    }
    for release in &outcome.releases {
        let counted = |name: &str| release.counts.get(name).copied().map(number);
        if let (Some(strings), Some(hashes)) = (counted("gate_strings"), counted("gate_hashes")) {
            let _ = writeln!(
                text,
                "Release gate: {} v{:04}: no leak in {strings} strings, none of {hashes} values that were redacted",
                release.dataset, release.version
            );
        }
    }
    text
}

fn newness(new: bool) -> String {
    if new { "new" } else { "as before" }.to_owned()
}

fn further(outcome: &Outcome, row_id: Option<&str>) -> String {
    let store = shell(&outcome.store);
    let id = row_id.map_or("ID".to_owned(), shell);
    format!(
        "To look further:\n  gristmill datasets list --store {store}\n  gristmill trace {id} --store {store}\n  \
         gristmill batches list --store {store}\n"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::gate::canary::{Count, Recall};
    use crate::runner::outcome::{BatchOutcome, RejectPlace, ReleaseOutcome};

    fn map(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
        pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
    }

    fn outcome() -> Outcome {
        let ingest = StageOutcome {
            stage: "ingest",
            records_read: 1200,
            kept: 1180,
            rejected: map(&[("bad_json", 5), ("no_messages", 15)]),
            bytes: 5_000_000,
            seconds: 0.5,
            first_rejects: vec![RejectPlace {
                source: "raw/a.jsonl".to_owned(),
                line: 12,
                start_byte: 120,
                end_byte: 340,
                reason: "bad_json".to_owned(),
                advice: Some("mend it"),
            }],
            ..Default::default()
        };
        let redact = StageOutcome {
            stage: "redact",
            records_read: 1180,
            kept: 1180,
            counts: map(&[("EMAIL", 7)]),
            ..Default::default()
        };
        let dedup = StageOutcome {
            stage: "dedup",
            records_read: 1180,
            kept: 1100,
            folded: 30,
            dropped: map(&[("exact_duplicate", 50)]),
            counts: map(&[("edges", 9), ("skipped_pairs", 0)]),
            bytes: 9,
            cached: true,
            ..Default::default()
        };
        let batch = BatchOutcome {
            batch_id: "ab12".to_owned(),
            name: "quality".to_owned(),
            task_type: "rate".to_owned(),
            tasks: 40,
            path: "/my store/batches/ab12".to_owned(),
            new: true,
        };
        let release = ReleaseOutcome {
            dataset: "sft".to_owned(),
            version: 2,
            rows: 1000,
            splits: map(&[("train", 900), ("test", 100)]),
            path: "/my store/datasets/sft/v0002".to_owned(),
            manifest_sha256: "00".to_owned(),
            counts: map(&[("gate_strings", 9000), ("gate_hashes", 7)]),
            new: false,
        };
        Outcome {
            run_id: "r-1".to_owned(),
            pipeline: "quickstart".to_owned(),
            store: "/my store".to_owned(),
            stages: vec![ingest, redact, dedup],
            batches: vec![batch],
            releases: vec![release],
            canaries: Some(recall()),
        }
    }

    fn recall() -> Recall {
        let all = Count { planted: 1300, gone: 1290 };
        let types = [("EMAIL", Count { planted: 15, gone: 15 }), ("PERSON", Count { planted: 14, gone: 4 })];
        Recall { all, types: types.into(), ..Recall::default() }
    }

    #[test]
    fn a_run_says_what_became_of_every_record() {
        let expected = "\
Run r-1 of quickstart

  stage    read   kept  folded  dropped  rejected  seconds  MB/s
  ingest  1,200  1,180       -        -        20     0.50  10.0
  redact  1,180  1,180       -        -         -        -     -  with ingest
  dedup   1,180  1,100      30       50         -     0.00     -  cached

What was found:
  ingest   rejected   no_messages 15, bad_json 5
  redact   findings   EMAIL 7
  dedup    dropped    exact_duplicate 50
  dedup    duplicates edges 9

First rejects:
  raw/a.jsonl:12 bad_json (bytes 120 to 340): mend it

Batches to label:
  batch  name     task  tasks       path
  ab12   quality  rate     40  new  /my store/batches/ab12

Releases:
  dataset  version   rows  splits                          path
  sft      v0002    1,000  test 100, train 900  as before  /my store/datasets/sft/v0002

Canaries: 1,290 of 1,300 gone
  not in every disguise: PERSON 4 of 14
Release gate: sft v0002: no leak in 9,000 strings, none of 7 values that were redacted

Store: /my store

To look further:
  gristmill datasets list --store '/my store'
  gristmill trace 0abc --store '/my store'
  gristmill batches list --store '/my store'
";
        assert_eq!(text(&outcome(), Some("0abc")), expected);
    }

    #[test]
    fn an_empty_run_leaves_empty_parts_out() {
        let mut empty = outcome();
        (empty.stages, empty.batches, empty.releases) = (Vec::new(), Vec::new(), Vec::new());
        empty.canaries = None;
        let text = text(&empty, None);
        assert!(!text.contains("Releases") && !text.contains("rejects") && !text.contains("\n\n\n"), "{text}");
        assert!(text.contains("gristmill trace ID"));
    }
}
