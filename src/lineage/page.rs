//! A trace as a page for people.
//!
//! Always: everything of the trace that a person needs to go further, long lists cut short with
//! their length said.

use std::fmt::Write;

use super::facts::{Decision, Evidence, Kind, Place, Record, Standing, Task, Verdict};
use super::trace::Trace;

/// Entries of a list before it is cut short; JSON has all.
const MANY: usize = 10;

pub fn page(trace: &Trace) -> String {
    let names = trace.is.iter().map(|kind| match kind {
        Kind::ReleaseRow => "a row of a release",
        Kind::Conversation => "a conversation",
        Kind::Record => "a record of a source",
        Kind::Task => "a task",
    });
    let mut page = Page(String::new());
    page.line(0, format_args!("{} is {}", trace.id, names.collect::<Vec<_>>().join(" and ")));
    page.line(0, format_args!("\nreleases"));
    if trace.releases.is_empty() {
        page.line(1, format_args!("in none"));
    }
    page.many(1, &trace.releases, |page, one| page.standing(one));
    for record in &trace.records {
        page.record(record);
    }
    if trace.records.is_empty() {
        page.line(0, format_args!("\nrecords\n  none is left in the store's layers"));
    }
    page.line(0, format_args!("\ntasks"));
    if trace.tasks.is_empty() {
        page.line(1, format_args!("never handed to annotators"));
    }
    page.many(1, &trace.tasks, |page, task| page.task(task));
    page.0
}

struct Page(String);

impl Page {
    fn line(&mut self, depth: usize, what: std::fmt::Arguments) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{:1$}{what}", "", depth * 2);
    }

    /// A fact: its name in a column of its own.
    fn fact(&mut self, name: &str, what: std::fmt::Arguments) {
        self.line(1, format_args!("{name:<13} {what}"));
    }

    fn many<T>(&mut self, depth: usize, all: &[T], mut one: impl FnMut(&mut Page, &T)) {
        all.iter().take(MANY).for_each(|entry| one(self, entry));
        if all.len() > MANY {
            self.line(depth, format_args!("… and {} more; the JSON form has all", all.len() - MANY));
        }
    }

    fn standing(&mut self, one: &Standing) {
        let Standing { dataset, version, split, row, part, row_id, .. } = one;
        let through = if one.through_winner { ", through the conversation that dedup kept in its place" } else { "" };
        self.line(1, format_args!("{dataset} v{version:04}, {split} row {row}, as {part} (row id {row_id}){through}"));
    }

    fn record(&mut self, record: &Record) {
        self.line(0, format_args!("\nrecord {}", record.record_id));
        self.fact("conversation", format_args!("{}", record.conversation_id));
        self.fact("source", format_args!("{} (source id {})", record.place.source, record.place.source_id));
        self.fact("place", format_args!("{}", Spot(&record.place)));
        self.fact("record hash", format_args!("{}", record.place.record_hash));
        if record.joined_from.len() > 1 {
            self.fact("joined from", format_args!("{} records", record.joined_from.len()));
            self.many(2, &record.joined_from, |page, part| {
                page.line(2, format_args!("{}, {}", part.source, Spot(part)));
            });
        }
        match (record.source_ok, &record.source_problem) {
            (Some(true), _) => self.fact("source check", format_args!("the source still has these bytes")),
            (Some(false), _) => {
                self.fact("source check", format_args!("CHANGED: the source has other bytes there now"))
            }
            (None, Some(why)) => self.fact("source check", format_args!("not possible: {why}")),
            (None, None) => {}
        }
        self.findings(record);
        match &record.dedup {
            Some(decision) => self.decision(decision),
            None => self.fact("dedup", format_args!("not judged")),
        }
        if !record.occurrences.is_empty() {
            self.fact("also at", format_args!("{} other places with the same conversation", record.occurrences.len()));
        }
        self.many(2, &record.occurrences, |page, other| {
            let fate = other.fate.as_deref().unwrap_or("not judged");
            page.line(
                2,
                format_args!("{}, {} (record {}, {fate})", other.place.source, Spot(&other.place), other.record_id),
            );
        });
    }

    fn findings(&mut self, record: &Record) {
        let Some(key) = &record.redacted else {
            return self.fact("redacted", format_args!("its redacted layer is no longer in the store"));
        };
        let count: u64 = record.findings.iter().map(|one| one.count).sum();
        self.fact("redacted", format_args!("{count} findings (layer {key})"));
        self.many(2, &record.findings, |page, one| {
            page.line(
                2,
                format_args!("{} x {} by rule {} version {}", one.count, one.kind, one.rule, one.rule_version),
            );
        });
    }

    fn decision(&mut self, decision: &Decision) {
        let of = &decision.deduped;
        match &decision.winner {
            Some(winner) => {
                let evidence = Why(&decision.evidence);
                self.fact(
                    "dedup",
                    format_args!("{}: conversation {winner} stands for it{evidence} (layer {of})", decision.fate),
                );
            }
            None if decision.evidence.rule.is_some() => {
                self.fact("dedup", format_args!("{}{} (layer {of})", decision.fate, Why(&decision.evidence)));
            }
            None => {
                let count = decision.stands_for.len();
                let others = if count == 1 { "other" } else { "others" };
                self.fact("dedup", format_args!("{}, stands for {count} {others} (layer {of})", decision.fate));
                if let Some(like) = &decision.like {
                    let told =
                        format_args!("conversation {}, cosine {:.4} (tagged)", like.conversation_id, like.cosine);
                    self.fact("is like", told);
                }
            }
        }
        self.many(2, &decision.stands_for, |page, one| {
            page.line(
                2,
                format_args!(
                    "{}: record {}, conversation {}{}",
                    one.fate,
                    one.record_id,
                    one.conversation_id,
                    Why(&one.evidence)
                ),
            );
        });
    }

    fn task(&mut self, task: &Task) {
        self.line(1, format_args!("task {} of batch {}", task.task_id, task.batch_id));
        let share = task.inclusion_probability * 100.0;
        self.line(2, format_args!("{}, rubric {} version {}", task.task_type, task.rubric, task.rubric_version));
        self.line(2, format_args!("drawn from stratum {} with probability {share:.2} %", task.stratum));
        match &task.verdict {
            Some(verdict) => self.verdict(verdict),
            None => self.line(2, format_args!("no verdict yet")),
        }
    }

    fn verdict(&mut self, verdict: &Verdict) {
        let mut words = format!("verdict {}, {} votes", verdict.outcome, verdict.votes);
        let counts = [
            ("left", verdict.votes_left),
            ("right", verdict.votes_right),
            ("tie", verdict.votes_tie),
            ("both bad", verdict.votes_both_bad),
        ];
        for (name, votes) in counts.into_iter().filter(|(_, votes)| *votes > 0) {
            let _ = write!(words, ", {votes} {name}");
        }
        for (name, value) in [("mean rating", verdict.mean_rating), ("agreement", verdict.agreement)] {
            if let Some(value) = value {
                let _ = write!(words, ", {name} {value:.3}");
            }
        }
        self.line(2, format_args!("{words} (layer {})", verdict.labeled));
        self.many(3, &verdict.annotation_ids, |page, id| page.line(3, format_args!("annotation {id}")));
        if !verdict.annotators.is_empty() {
            self.line(3, format_args!("by {}", verdict.annotators.join(", ")));
        }
    }
}

struct Spot<'a>(&'a Place);

impl std::fmt::Display for Spot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Place { line, start_byte, end_byte, element, .. } = self.0;
        write!(f, "line {line}, bytes {start_byte}..{end_byte}")?;
        if *element > 0 { write!(f, ", element {element}") } else { Ok(()) }
    }
}

struct Why<'a>(&'a Evidence);

impl std::fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Evidence { rule, jaccard_user, jaccard_assistant, containment } = self.0;
        if let Some(rule) = rule {
            write!(f, ", {rule}")?;
        }
        for (name, value) in [("user", jaccard_user), ("assistant", jaccard_assistant), ("containment", containment)] {
            if let Some(value) = value {
                write!(f, ", {name} {value:.3}")?;
            }
        }
        Ok(())
    }
}
