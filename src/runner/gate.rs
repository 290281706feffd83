//! Canaries before a run reads anything, and the gate before a release is published.
//!
//! Not here: what a leak is (`gate`).
//!
//! Always: every string of every row of a release is checked (but ids, which are keyed hashes), against
//! what is found by form and against every value that the ledger of the release's layers knows; a
//! refusal says where and what kind, never the value.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Float32Type};

use super::Job;
use super::release::Origin;
use super::sink::{numbers, text};
use crate::error::{Error, Result};
use crate::gate::canary::{self, Recall};
use crate::gate::ledger::{Reach, Value, reach};
use crate::gate::{Gate, Leak};
use crate::layer::{Made, Redacted};
use crate::record::Id;
use crate::stages::dataset::split::Split;
use crate::stages::redact::Kind;
use crate::store::parquet;

/// Places that a refusal names; more are counted.
const PLACES_MAX: usize = 20;

/// Columns of ids that are keyed hashes of ours.
const IDS: [&str; 4] = ["example_id", "pair_id", "conversation_id", "split_group"];

/// The gate with what the ledger knows.
pub(super) struct Watch {
    gate: Gate,
    /// Values that must not stand in rows of the record they were found in.
    own: HashMap<Id, Vec<Value>>,
}

impl Job<'_> {
    /// Plants the canaries, once a run. What comes through is published; a value of [`CORE`] stops
    /// the run. Values depend on the key: a rare type must not lock a project out for ever.
    pub(super) fn canaries(&mut self) -> Result<Recall> {
        if let Some(recall) = &self.outcome.canaries {
            return Ok(recall.clone());
        }
        let recall = canary::plant(&self.gate()?, &self.redactor, &self.key);
        let core: Vec<&str> = recall.missed.iter().copied().filter(|kind| CORE.contains(kind)).collect();
        if !core.is_empty() {
            let why = format!(
                "redaction did not find made-up values of {}; nothing was read or written. This is a fault of the \
                 program or of a policy that it misunderstands; report it with [redact] of the pipeline file",
                core.join(", ")
            );
            return Err(Error::Gate { gate: "canaries".to_owned(), why });
        }
        self.outcome.canaries = Some(recall.clone());
        Ok(recall)
    }

    fn gate(&self) -> Result<Gate> {
        Gate::new(&self.loaded.pipeline.redact, &self.key).map_err(|what| Error::config(&self.loaded.file, what))
    }

    /// The gate for releases made of these layers.
    pub(super) fn watch(&self, redacted: &[Made<Redacted>]) -> Result<Watch> {
        let mut watch = Watch { gate: self.gate()?, own: HashMap::new() };
        for file in redacted.iter().flat_map(|one| one.files("findings")) {
            parquet::read(&file, &["record_id", "type", "score", "value_hash", "action"], &mut |batch| {
                watch.learn(&batch, &file)
            })?;
        }
        Ok(watch)
    }
}

impl Watch {
    fn learn(&mut self, batch: &RecordBatch, file: &Path) -> Result<()> {
        let odd = || Error::damaged(file.display().to_string(), "holds a finding that cannot be read");
        let (records, kinds) = (text(batch, "record_id")?, text(batch, "type")?);
        let (hashes, actions) = (text(batch, "value_hash")?, text(batch, "action")?);
        let scores: Float32Array = numbers::<Float32Type>(batch, "score")?;
        for row in 0..batch.num_rows() {
            let at = |column: &ArrayRef| column.as_string::<i32>().value(row).to_owned();
            let kind = Kind::parse(&at(&kinds)).ok_or_else(odd)?;
            if at(&actions) == "keep" || !self.gate.answers(kind) {
                continue;
            }
            let value = (kind, Id::parse(&at(&hashes)).ok_or_else(odd)?);
            match reach(kind, scores.value(row)) {
                Reach::Everywhere => self.gate.remember(value),
                Reach::Own => self.own.entry(Id::parse(&at(&records)).ok_or_else(odd)?).or_default().push(value),
                Reach::Nowhere => {}
            }
        }
        Ok(())
    }

    fn own(&self, origin: &Origin) -> HashSet<Value> {
        let ids = origin.records.iter().filter_map(|behind| Id::parse(&behind.record_id));
        ids.filter_map(|id| self.own.get(&id)).flatten().copied().collect()
    }
}

/// Types without which nothing is redacted at all.
const CORE: [&str; 7] = ["EMAIL", "PHONE", "CARD", "IBAN", "SSN", "IP", "PRIVATE_KEY"];

/// What was checked of a release, and what was found.
#[derive(Default)]
pub(super) struct Checked {
    rows: u64,
    strings: u64,
    bytes: u64,
    hashes: HashSet<Value>,
    leaks: u64,
    places: Vec<String>,
}

impl Checked {
    /// Rows with what stands behind each; the first column is the row's id.
    pub fn rows(&mut self, watch: &Watch, rows: &RecordBatch, splits: &[Split], origins: &[Origin]) {
        let schema = rows.schema();
        let ids = rows.column(0).as_string_opt::<i32>();
        for row in 0..rows.num_rows() {
            let own = origins.get(row).map(|origin| watch.own(origin)).unwrap_or_default();
            self.rows += 1;
            for (field, column) in schema.fields().iter().zip(rows.columns()) {
                // Keyed hashes: nothing that anybody said.
                if IDS.contains(&field.name().as_str()) {
                    continue;
                }
                walk(column, row, &mut field.name().clone(), &mut |path, text| {
                    self.strings += 1;
                    self.bytes += text.len() as u64;
                    let mut leaks = Vec::new();
                    watch.gate.check(text, &own, &mut leaks);
                    self.leaks += leaks.len() as u64;
                    for leak in leaks.iter().take(PLACES_MAX.saturating_sub(self.places.len())) {
                        let id = ids.map_or("", |ids: &StringArray| ids.value(row));
                        self.places.push(place(splits.get(row), id, path, leak));
                    }
                });
            }
            self.hashes.extend(own);
        }
    }

    /// A refusal, if anything was found.
    pub fn refuse(&self, dataset: &str) -> Result<()> {
        if self.leaks == 0 {
            return Ok(());
        }
        let more = self.leaks - self.places.len() as u64;
        let more = if more == 0 { String::new() } else { format!("\n  and {more} more") };
        let why = format!(
            "{} values in {} rows must not be published; nothing was. Mend redaction, leave the rows out (where), or \
             name a value that may stand in [redact] allow:\n  {}{more}",
            self.leaks,
            self.rows,
            self.places.join("\n  ")
        );
        Err(Error::Gate { gate: format!("release gate of dataset {dataset}"), why })
    }

    /// As the manifest and the card say it.
    pub fn counts(&self, watch: &Watch) -> BTreeMap<String, u64> {
        let hashes = (watch.gate.remembered() + self.hashes.len()) as u64;
        let counts = [
            ("gate_rows", self.rows),
            ("gate_strings", self.strings),
            ("gate_bytes", self.bytes),
            ("gate_hashes", hashes),
            ("gate_leaks", self.leaks),
        ];
        counts.map(|(name, n)| (name.to_owned(), n)).into()
    }
}

/// Counts of canaries by type.
pub(super) fn canary_counts(recall: &Recall) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let mut add = |name: String, count: canary::Count| {
        counts.insert(format!("canaries{name}_planted"), count.planted);
        counts.insert(format!("canaries{name}_gone"), count.gone);
    };
    add(String::new(), recall.all);
    recall.types.iter().for_each(|(kind, count)| add(format!("_{kind}"), *count));
    counts
}

fn place(split: Option<&Split>, id: &str, path: &str, leak: &Leak) -> String {
    let Leak { place, kind, how, decoders } = leak;
    let through = if decoders.is_empty() { String::new() } else { format!(" through {}", decoders.join(", ")) };
    let split = split.map_or("", |split| split.as_str());
    format!("{split} row {id}, {path}, bytes {} to {}: {} ({how}{through})", place.start, place.end, kind.as_str())
}

/// Every string below a value, with its path.
fn walk(column: &ArrayRef, row: usize, path: &mut String, each: &mut dyn FnMut(&str, &str)) {
    if column.is_null(row) {
        return;
    }
    let len = path.len();
    match column.data_type() {
        DataType::Utf8 => each(path, column.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => each(path, column.as_string::<i64>().value(row)),
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            for item in 0..items.len() {
                path.push_str(&format!("[{item}]"));
                walk(&items, item, path, each);
                path.truncate(len);
            }
        }
        DataType::Struct(fields) => {
            for (field, column) in fields.iter().zip(column.as_struct().columns()) {
                path.push('.');
                path.push_str(field.name());
                walk(column, row, path, each);
                path.truncate(len);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::dataset_rows::{Example, examples_batch};
    use super::*;
    use crate::config::Redact;
    use crate::record::ProjectKey;
    use crate::task::TaskMessage;

    fn watch() -> Watch {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        Watch { gate: Gate::new(&Redact::default(), &key).unwrap(), own: HashMap::new() }
    }

    fn rows(contents: &[&str]) -> RecordBatch {
        let message = |content: &&str| TaskMessage {
            role: "user".to_owned(),
            content: (*content).to_owned(),
            name: None,
            tool_call_id: None,
            tool_calls: Some(format!("[{{\"arguments\":\"{content}\"}}]")),
        };
        let messages: Vec<TaskMessage> = contents.iter().map(message).collect();
        examples_batch(&[Example { example_id: "r1".to_owned(), messages, label_source: "log", ..Default::default() }])
            .unwrap()
    }

    #[test]
    fn a_refusal_says_where_and_never_what() {
        let mut checked = Checked::default();
        checked.rows(&watch(), &rows(&["hello", "I am jane@corp.com"]), &[Split::Train], &[Origin::default()]);
        let error = checked.refuse("sft").unwrap_err().to_string();
        for part in [
            "release gate of dataset sft",
            "2 values in 1 rows",
            "train row r1, messages[1].content, bytes 5 to 18: EMAIL (email)",
            "messages[1].tool_calls",
        ] {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains("jane") && !error.contains("corp.com"), "{error}");
    }

    #[test]
    fn places_are_few_and_leaks_are_counted() {
        let many: Vec<&str> = std::iter::repeat_n("jane@corp.com bob@corp.com", 40).collect();
        let mut checked = Checked::default();
        checked.rows(&watch(), &rows(&many), &[Split::Test], &[]);
        let error = checked.refuse("sft").unwrap_err().to_string();
        assert_eq!((error.matches("test row r1").count(), checked.leaks), (PLACES_MAX, 160));
        assert!(error.contains("and 140 more"), "{error}");
    }

    #[test]
    fn clean_rows_pass_and_are_counted() {
        let mut checked = Checked::default();
        checked.rows(&watch(), &rows(&["I am [EMAIL:k7f3a9q2]"]), &[Split::Train], &[Origin::default()]);
        assert!(checked.refuse("sft").is_ok());
        let counts = checked.counts(&watch());
        assert_eq!((counts["gate_rows"], counts["gate_leaks"], counts["gate_hashes"]), (1, 0, 0));
        assert!(counts["gate_strings"] >= 5 && counts["gate_bytes"] > 40, "{counts:?}");
        let column: ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![1]));
        walk(&column, 0, &mut String::new(), &mut |_, _| panic!("no string"));
    }
}
