//! What a raw file is, for people.

use std::fmt::Write;

use super::words::{number, size};
use crate::runner::inspect::{Holds, Inspection, Sample};
use crate::stages::ingest::Shape;
use crate::stages::ingest::archive::Archive;
use crate::stages::ingest::decode::Compression;

/// Characters of a message that are shown.
const SHOWN_CHARS: usize = 160;

pub fn text(looked: &Inspection) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let mut line = |what: String| {
        let _ = writeln!(page, "{what}");
    };
    line(format!("{}: {}", looked.path, size(looked.bytes)));
    line(format!("  container   {}", container(looked)));
    format(looked).into_iter().for_each(&mut line);
    if let Some(words) = holds(looked.holds) {
        line(format!("  holds       {words}"));
    }
    if looked.formats.len() > 1 {
        line(format!("  mixed       {}", counted(looked.formats.iter().map(|(name, n)| (name.as_str(), *n)))));
    }
    line(format!("  would read  {} conversations, {} messages", number(looked.conversations), number(looked.messages)));
    for (name, counts) in
        [("rejects", &looked.rejected), ("findings", &looked.findings), ("languages", &looked.languages)]
    {
        if !counts.is_empty() {
            line(format!("  {name:<11} {}", counted(counts.iter().map(|(name, n)| (*name, *n)))));
        }
    }
    for reason in looked.rejected.keys() {
        if let Some(advice) = crate::stages::ingest::advice(reason) {
            line(format!("    {reason}: {advice}"));
        }
    }
    looked.samples.iter().for_each(|sample| line(shown(sample)));
    if let Some(format) = looked.format.filter(|_| looked.holds == Holds::Conversations) {
        line(format!(
            "\nIn the pipeline file:\n  sources = [{{ path = {:?}, format = {:?} }}]",
            looked.path,
            format.name()
        ));
    }
    if let Some(mapping) = &looked.mapping {
        // A mapping is made of strings, lists and maps of strings: TOML can hold it.
        let source = serde_json::json!({"ingest": {"sources": [{"path": looked.path, "mapping": mapping}]}});
        line(format!("\nIn the pipeline file:\n{}", toml::to_string(&source).unwrap_or_default().trim_end()));
    }
    page
}

/// The line on the format; nothing where there are no records.
fn format(looked: &Inspection) -> Option<String> {
    let records = number(looked.records);
    let share = || format!("{:.0} % of {records} records", 100.0 * looked.sure);
    let words = match looked.format {
        Some(format) if looked.holds == Holds::Parts => {
            format!("{} ({}), but only parts of conversations", format.name(), share())
        }
        Some(format) => format!("{} ({})", format.name(), share()),
        None if looked.mapping.is_some() => {
            format!("none that gristmill knows; a mapping reads it (sure: {:.2})", looked.mapping_sure)
        }
        None if looked.records == 0 => return None,
        None => format!("none that gristmill knows fits {records} records"),
    };
    Some(format!("  format      {words}"))
}

/// What must be opened to come to the records, and how they lie there.
fn container(looked: &Inspection) -> String {
    let records = match looked.shape {
        Shape::Lines => "one record a line",
        Shape::Array => "a JSON array",
        Shape::Documents => "JSON objects over lines",
        Shape::Table => "a table",
        Shape::Yaml => "YAML",
        Shape::Parquet => "rows of Parquet",
    };
    let mut layers = vec![records.to_owned()];
    if looked.archive != Archive::None {
        layers.insert(0, word(&looked.archive));
    }
    if looked.compression != Compression::None {
        layers.insert(0, word(&looked.compression));
    }
    layers.join(" of ")
}

/// What is to be said where there are no conversations.
fn holds(holds: Holds) -> Option<&'static str> {
    match holds {
        Holds::Conversations => None,
        Holds::Parts => Some("no conversations by themselves: answers, verdicts or spans that need others to be one"),
        Holds::Texts => Some(
            "texts of which nothing says who speaks; if all are prompts, this reads them: \
             mapping = { turns = [{ role = \"user\", content = \"$\" }] }",
        ),
        Holds::NoConversations => Some("records in which no messages are found, such as settings, scores or rewards"),
        Holds::NoRecords => Some("nothing that reads as JSON, a table or YAML"),
        Holds::Nothing => Some("no records: the file is empty"),
        Holds::Pointer => Some("a git-LFS pointer in place of the data"),
    }
}

fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn counted<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    counts.map(|(name, n)| format!("{name} {}", number(n))).collect::<Vec<_>>().join(", ")
}

fn shown(sample: &Sample) -> String {
    let mut text = format!("\nline {}, redacted:", sample.line);
    for said in &sample.messages {
        let content: String = said.content.chars().take(SHOWN_CHARS).collect();
        let more = if content.len() < said.content.len() { "…" } else { "" };
        let calls = if said.tool_calls > 0 { format!(" [{} tool calls]", said.tool_calls) } else { String::new() };
        let _ = write!(text, "\n  {:<9} {}{more}{calls}", said.role, content.replace(['\n', '\r'], " "));
    }
    text
}
