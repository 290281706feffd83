//! The report of redaction: what was found, by what, where, and how it reads now.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::table::{Side::Left, Side::Right, Table};
use super::words::{counts, number};
use crate::runner::redaction::{Counts, Report};

/// Rules and languages that are shown; JSON has all.
const MANY: usize = 12;

pub fn text(report: &Report) -> String {
    let head = format!(
        "Redaction in {}\n  {} findings in {} of {} records\n",
        report.store,
        number(report.findings),
        number(report.records_with_findings),
        number(report.records)
    );
    let parts = [
        head,
        listed("Types:", "type", &report.types, usize::MAX),
        listed("Rules that found most:", "rule", &report.rules, MANY),
        one_line("Actions", &report.actions),
        by("Sources:", "source", &report.sources),
        by("Languages:", "language", &report.languages),
        one_line("Dropped by the policy", &report.dropped),
        one_line("Rejected", &report.rejected),
        canaries(report),
        samples(report),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn most_first(counts: &Counts) -> Vec<(&String, u64)> {
    let mut sorted: Vec<_> = counts.iter().map(|(name, n)| (name, *n)).collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    sorted
}

fn listed(title: &str, of: &str, counts: &Counts, most: usize) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let mut table = Table::new([(of, Left), ("findings", Right)]);
    for (name, n) in most_first(counts).into_iter().take(most) {
        table.row([name.clone(), number(n)]);
    }
    format!("{title}\n{}", table.text())
}

fn one_line(title: &str, of: &Counts) -> String {
    if of.is_empty() { String::new() } else { format!("{title}: {}\n", counts(of)) }
}

/// The sum of each, and its types.
fn by(title: &str, of: &str, all: &BTreeMap<String, Counts>) -> String {
    if all.is_empty() {
        return String::new();
    }
    let sums: Counts = all.iter().map(|(name, counts)| (name.clone(), counts.values().sum())).collect();
    let mut table = Table::new([(of, Left), ("findings", Right), ("types", Left)]);
    for (name, n) in most_first(&sums).into_iter().take(MANY) {
        table.row([name.clone(), number(n), counts(&all[name])]);
    }
    format!("{title}\n{}", table.text())
}

fn canaries(report: &Report) -> String {
    let Some(canaries) = &report.canaries else { return String::new() };
    let mut text = format!("Canaries: {} of {} gone\n", number(canaries.gone), number(canaries.planted));
    for (kind, count) in canaries.types.iter().filter(|(_, count)| count.gone < count.planted) {
        let _ = writeln!(text, "  {kind} {} of {}", count.gone, count.planted);
    }
    text
}

fn samples(report: &Report) -> String {
    if report.samples.is_empty() {
        return String::new();
    }
    let mut text = "Samples, as they read after redaction:\n".to_owned();
    for sample in &report.samples {
        let _ = writeln!(text, "  {} by {} ({})\n    {}", sample.r#type, sample.rule, sample.action, sample.text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::canary::Count;
    use crate::runner::redaction::{Canaries, Sample};

    #[test]
    fn a_report_says_what_was_found_and_by_what() {
        let map = |pairs: &[(&str, u64)]| pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<Counts>();
        let report = Report {
            store: "/s".to_owned(),
            records: 1200,
            records_with_findings: 7,
            findings: 9,
            types: map(&[("EMAIL", 6), ("PHONE", 3)]),
            actions: map(&[("pseudonym", 9)]),
            rules: map(&[("email.address", 6), ("phone.said", 3)]),
            sources: [("a.jsonl".to_owned(), map(&[("EMAIL", 6), ("PHONE", 3)]))].into(),
            languages: [("eng".to_owned(), map(&[("EMAIL", 6), ("PHONE", 3)]))].into(),
            dropped: map(&[("policy_drop", 2)]),
            rejected: Counts::new(),
            canaries: Some(Canaries {
                planted: 20,
                gone: 19,
                types: [("AGE".to_owned(), Count { planted: 5, gone: 4 })].into(),
            }),
            samples: vec![Sample {
                r#type: "EMAIL".to_owned(),
                rule: "email.address".to_owned(),
                action: "pseudonym".to_owned(),
                record_id: "r".to_owned(),
                field: "messages[0].content".to_owned(),
                text: "mail [EMAIL:k7f3a9q2] now".to_owned(),
            }],
        };
        let expected = "\
Redaction in /s
  9 findings in 7 of 1,200 records

Types:
  type   findings
  EMAIL         6
  PHONE         3

Rules that found most:
  rule           findings
  email.address         6
  phone.said            3

Actions: pseudonym 9

Sources:
  source   findings  types
  a.jsonl         9  EMAIL 6, PHONE 3

Languages:
  language  findings  types
  eng              9  EMAIL 6, PHONE 3

Dropped by the policy: policy_drop 2

Canaries: 19 of 20 gone
  AGE 4 of 5

Samples, as they read after redaction:
  EMAIL by email.address (pseudonym)
    mail [EMAIL:k7f3a9q2] now
";
        assert_eq!(text(&report), expected);
        assert_eq!(text(&Report::default()), "Redaction in \n  0 findings in 0 of 0 records\n");
    }
}
