//! The catalogue of redaction rules, for people.

use std::fmt::Write;

use super::table::{Side::Left, Side::Right, Table};
use crate::stages::redact::{Rule, expand};

pub fn list(rules: &[&Rule]) -> String {
    let head =
        [("type", Left), ("rule", Left), ("version", Right), ("country", Left), ("score", Right), ("checks", Left)];
    let mut table = Table::new(head);
    for rule in rules {
        table.row([
            rule.kind.as_str().to_owned(),
            rule.id.to_owned(),
            rule.version.to_string(),
            if rule.country.is_empty() { "-".to_owned() } else { rule.country.to_owned() },
            format!("{:.2}", rule.score),
            rule.check.to_owned(),
        ]);
    }
    format!("{}\n{} rules\n", table.text(), rules.len())
}

/// What it finds is between ‹ and ›. Examples are made up; those of secrets are made here and now.
pub fn explain(rule: &Rule) -> String {
    let mut text = format!("{} version {}: finds {}\n", rule.id, rule.version, rule.kind.as_str());
    let country = if rule.country.is_empty() { "none in particular" } else { rule.country };
    let context = if rule.context.is_empty() { "none".to_owned() } else { rule.context.join(", ") };
    for (name, value) in [
        ("country", country),
        ("checks", rule.check),
        ("words", &context),
        ("source", rule.source),
        ("score", &format!("{:.2}", rule.score)),
    ] {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<8} {value}");
    }
    for (name, texts) in [("finds", rule.finds), ("leaves alone", rule.passes)] {
        let _ = writeln!(text, "  {name}");
        for one in texts {
            let _ = writeln!(text, "    {}", expand(one).replace('\n', "⏎"));
        }
    }
    text
}
