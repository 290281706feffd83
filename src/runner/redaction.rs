//! What redaction did, out of the tables of a store: counts by type, rule, action, source and
//! language, and a few places as they read now.
//!
//! Not here: how it reads on a terminal (`report`).
//!
//! Always: samples are cut from redacted text, around what was written in place of a value; of
//! several redactions of a source the one committed last counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::UInt32Type;
use serde::Serialize;

use super::sink::{column, numbers, text};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::gate::Gate;
use crate::gate::canary::{self, Count};
use crate::layer::{Layer, Redacted};
use crate::stages::redact::Redactor;
use crate::store::{Manifest, Store, manifest, parquet, release};

/// Samples of one type.
const SAMPLES: usize = 2;
/// Characters before and behind what was written.
const AROUND: usize = 40;

pub type Counts = BTreeMap<String, u64>;

#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub store: String,
    /// Records that were read, and those in which something was found.
    pub records: u64,
    pub records_with_findings: u64,
    pub findings: u64,
    pub types: Counts,
    pub actions: Counts,
    pub rules: Counts,
    /// By source, then by type.
    pub sources: BTreeMap<String, Counts>,
    /// By language of the conversation, then by type.
    pub languages: BTreeMap<String, Counts>,
    pub dropped: Counts,
    pub rejected: Counts,
    pub canaries: Option<Canaries>,
    pub samples: Vec<Sample>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Canaries {
    pub planted: u64,
    pub gone: u64,
    /// Planted and gone by type; empty where only the sum is known.
    pub types: BTreeMap<String, Count>,
}

/// A place as it reads after redaction.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    pub r#type: String,
    pub rule: String,
    pub action: String,
    pub record_id: String,
    pub field: String,
    pub text: String,
}

/// A finding whose text is still to be read.
struct Pick {
    sample: Sample,
    message: usize,
    output: (usize, usize),
}

/// With the pipeline the canaries are planted anew; without, what the store says of them counts.
pub fn report(store: &Store, loaded: Option<&Loaded>) -> Result<Report> {
    let mut report = Report { store: store.root().display().to_string(), ..Report::default() };
    for (folder, manifest) in folders(store)? {
        folder_of(&folder, &manifest, &mut report)?;
    }
    report.canaries = match loaded {
        Some(loaded) => Some(planted(loaded)?),
        None => report.canaries.take().map_or_else(|| released(store), |known| Ok(Some(known)))?,
    };
    report.samples.sort_by(|a, b| (&a.r#type, &a.record_id, &a.field).cmp(&(&b.r#type, &b.record_id, &b.field)));
    Ok(report)
}

/// The newest redaction of each source, and of what was joined.
fn folders(store: &Store) -> Result<Vec<(PathBuf, Manifest)>> {
    let below = format!("layers/{}/", Redacted::NAME);
    let (mut known, mut folders) = (BTreeSet::new(), Vec::new());
    for step in store.log().entries()?.into_iter().rev().flat_map(|entry| entry.moves) {
        let folder = store.root().join(&step.to);
        if !step.to.starts_with(&below) || !folder.is_dir() {
            continue;
        }
        let manifest = Manifest::read(&folder.join(manifest::FILE))?;
        let joined = manifest.settings.get(super::join::SOURCES).is_some();
        let of = if joined { "joined".to_owned() } else { manifest.inputs.first().cloned().unwrap_or_default() };
        if known.insert(of) {
            folders.push((folder, manifest));
        }
    }
    Ok(folders)
}

fn folder_of(folder: &std::path::Path, manifest: &Manifest, report: &mut Report) -> Result<()> {
    let files = |table: &str| -> Vec<PathBuf> {
        manifest.table(table).filter(|file| file.rows > 0).map(|file| folder.join(&file.path)).collect()
    };
    report.records += manifest.books.records_read;
    add(&mut report.dropped, &manifest.books.dropped);
    add(&mut report.rejected, &manifest.books.rejected);
    if report.canaries.is_none() {
        let count = |name: &str| manifest.settings.get("canaries")?.get(name)?.as_u64();
        report.canaries = count("planted").zip(count("gone")).map(|(planted, gone)| Canaries {
            planted,
            gone,
            ..Canaries::default()
        });
    }
    let source = manifest.settings.get("path").and_then(|path| path.as_str()).unwrap_or("joined records").to_owned();
    let mut languages = HashMap::new();
    for file in files("part") {
        parquet::read(&file, &["record_id", "language"], &mut |batch| {
            let (ids, names) = (text(&batch, "record_id")?, text(&batch, "language")?);
            let pairs = ids.as_string::<i32>().iter().flatten().zip(names.as_string::<i32>().iter().flatten());
            languages.extend(pairs.map(|(id, name)| (id.to_owned(), name.to_owned())));
            Ok(())
        })?;
    }
    let (mut picks, mut records) = (HashMap::<String, Vec<Pick>>::new(), BTreeSet::new());
    let columns = ["record_id", "field", "type", "rule", "action", "output_start_byte", "output_end_byte"];
    for file in files("findings") {
        parquet::read(&file, &columns, &mut |batch| {
            count(&batch, &source, &languages, report, &mut records, &mut picks)
        })?;
    }
    report.records_with_findings += records.len() as u64;
    for file in files("part") {
        if picks.is_empty() {
            break;
        }
        parquet::read(&file, &["record_id", "messages"], &mut |batch| read(&batch, &mut picks, report))?;
    }
    Ok(())
}

fn count(
    batch: &RecordBatch,
    source: &str,
    languages: &HashMap<String, String>,
    report: &mut Report,
    records: &mut BTreeSet<String>,
    picks: &mut HashMap<String, Vec<Pick>>,
) -> Result<()> {
    let named = |name: &str| text(batch, name);
    let (ids, fields, kinds) = (named("record_id")?, named("field")?, named("type")?);
    let (rules, actions) = (named("rule")?, named("action")?);
    let starts = numbers::<UInt32Type>(batch, "output_start_byte")?;
    let ends = numbers::<UInt32Type>(batch, "output_end_byte")?;
    for row in 0..batch.num_rows() {
        let at = |column: &ArrayRef| column.as_string::<i32>().value(row).to_owned();
        let (id, kind, action) = (at(&ids), at(&kinds), at(&actions));
        let language = languages.get(&id).map_or("of no row", String::as_str);
        report.findings += 1;
        for counts in [
            report.sources.entry(source.to_owned()).or_default(),
            report.languages.entry(language.to_owned()).or_default(),
            &mut report.types,
        ] {
            *counts.entry(kind.clone()).or_default() += 1;
        }
        *report.actions.entry(action.clone()).or_default() += 1;
        *report.rules.entry(at(&rules)).or_default() += 1;
        records.insert(id.clone());
        let chosen = report.samples.iter().chain(picks.values().flatten().map(|pick| &pick.sample));
        let enough = action == "keep" || chosen.filter(|sample| sample.r#type == kind).count() >= SAMPLES;
        let field = at(&fields);
        let message = field.strip_prefix("messages[").and_then(|rest| rest.strip_suffix("].content"));
        if let Some(message) = message.and_then(|n| n.parse().ok()).filter(|_| !enough && starts.is_valid(row)) {
            let output = (starts.value(row) as usize, ends.value(row) as usize);
            let sample =
                Sample { r#type: kind, rule: at(&rules), action, record_id: id.clone(), field, text: String::new() };
            picks.entry(id).or_default().push(Pick { sample, message, output });
        }
    }
    Ok(())
}

/// Cuts the samples of a batch out of its messages.
fn read(batch: &RecordBatch, picks: &mut HashMap<String, Vec<Pick>>, report: &mut Report) -> Result<()> {
    let (ids, messages) = (text(batch, "record_id")?, column(batch, "messages")?);
    for row in 0..batch.num_rows() {
        let Some(picked) = picks.remove(ids.as_string::<i32>().value(row)) else { continue };
        let list = messages.as_list::<i32>().value(row);
        let Some(contents) = list.as_struct().column_by_name("content").cloned() else { continue };
        for Pick { mut sample, message, output } in picked {
            // Messages that a policy dropped stand no more in the list that fields count by.
            if message < contents.len() {
                sample.text = around(contents.as_string::<i32>().value(message), output);
            }
            if !sample.text.is_empty() {
                report.samples.push(sample);
            }
        }
    }
    Ok(())
}

/// What was written, with the characters around it, on one line.
fn around(text: &str, (start, end): (usize, usize)) -> String {
    let (Some(before), Some(written), Some(behind)) = (text.get(..start), text.get(start..end), text.get(end..)) else {
        return String::new();
    };
    let cut = before.char_indices().rev().nth(AROUND - 1).map_or(0, |(at, _)| at);
    let rest = behind.char_indices().nth(AROUND).map_or(behind.len(), |(at, _)| at);
    let dots = |cut: bool| if cut { "…" } else { "" };
    let sample =
        format!("{}{}{written}{}{}", dots(cut > 0), &before[cut..], &behind[..rest], dots(rest < behind.len()));
    sample.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn add(sum: &mut Counts, more: &Counts) {
    more.iter().for_each(|(name, n)| *sum.entry(name.clone()).or_default() += n);
}

fn planted(loaded: &Loaded) -> Result<Canaries> {
    let (key, redact) = (super::project_key(loaded)?, &loaded.pipeline.redact);
    let wrong = |what| Error::config(&loaded.file, what);
    let (gate, redactor) = (Gate::new(redact, &key).map_err(wrong)?, Redactor::new(redact, &key).map_err(wrong)?);
    let recall = canary::plant(&gate, &redactor, &key);
    let types = recall.types.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
    Ok(Canaries { planted: recall.all.planted, gone: recall.all.gone, types })
}

/// What the newest release that says anything of canaries says.
fn released(store: &Store) -> Result<Option<Canaries>> {
    let known = release::list(store)?.into_iter().rev().find_map(|release| {
        let count = |name: &str| release.counts.get(name).copied();
        Some(Canaries { planted: count("canaries_planted")?, gone: count("canaries_gone")?, types: BTreeMap::new() })
    });
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_short_and_on_one_line() {
        let long = "word ".repeat(30);
        let text = format!("{long}\nby [EMAIL:k7f3a9q2],\n{long}");
        let start = text.find('[').unwrap();
        let sample = around(&text, (start, start + 16));
        assert!(
            sample.starts_with('…') && sample.ends_with('…') && sample.contains("by [EMAIL:k7f3a9q2], word"),
            "{sample}"
        );
        assert!(sample.chars().count() <= 2 * AROUND + 18);
        assert_eq!(around("[IP] x", (0, 4)), "[IP] x");
        assert_eq!(around("é", (0, 1)), "");
        assert_eq!(around("", (4, 9)), "");
    }
}
