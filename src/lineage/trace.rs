//! From an id back to raw lines, and forward to releases.
//!
//! Not here: how the answer is gathered (`known`, `find`, `tasks`), how it looks on paper (`page`).
//!
//! Always: the answer depends on the store alone; with `verify_source` it also says whether the
//! bytes at the recorded place still have the recorded hash.

use rayon::prelude::*;
use serde::Serialize;

use super::facts::{Kind, Record, Standing, Task};
use super::known::{Known, decide};
use super::{page, source, tasks};
use crate::error::{Error, Result};
use crate::record::ProjectKey;
use crate::store::Store;

/// What to do beside reading the store.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub key: Option<ProjectKey>,
    /// Read the records' bytes at their sources again; needs the key.
    pub verify_source: bool,
}

/// Everything known about an id.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    pub id: String,
    pub is: Vec<Kind>,
    pub releases: Vec<Standing>,
    pub records: Vec<Record>,
    pub tasks: Vec<Task>,
}

impl Trace {
    /// A page for people.
    pub fn to_text(&self) -> String {
        page::page(self)
    }
}

pub fn trace(store: &Store, id: &str, options: Options) -> Result<Trace> {
    let key = match (&options.key, options.verify_source) {
        (None, true) => {
            return Err(Error::Usage(
                "checking sources needs the project key: set GRISTMILL_KEY or name the --pipeline".to_owned(),
            ));
        }
        (key, true) => key.as_ref(),
        (_, false) => None,
    };
    let known = Known::gather(store, id)?;
    let is = known.kinds(id);
    if is.is_empty() {
        return Err(Error::Usage(format!("{}: no release row, conversation, record or task has this id", shown(id))));
    }
    let decisions = decide(&known.folders, &known.redactions)?;
    let mut records = Vec::new();
    for name in known.behind(id, &is, &decisions) {
        records.extend(known.record(&name, &decisions)?);
    }
    if let Some(key) = key {
        check_sources(&mut records, key)?;
    }
    let releases = known.releases(store, id, &records)?;
    let mut tasks = known.tasks;
    tasks::add_verdicts(&known.folders, &mut tasks)?;
    Ok(Trace { id: id.to_owned(), is, releases, records, tasks })
}

/// Ids are quoted; anything else that was given may be text.
fn shown(id: &str) -> &str {
    let like_an_id = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte));
    if like_an_id { id } else { "what was given" }
}

fn check_sources(records: &mut [Record], key: &ProjectKey) -> Result<()> {
    records.par_iter_mut().try_for_each(|record| {
        source::check_key(&record.record_id, &record.place, key)?;
        let places =
            if record.joined_from.is_empty() { std::slice::from_ref(&record.place) } else { &record.joined_from };
        let checked: std::result::Result<Vec<bool>, String> =
            places.iter().map(|place| source::has_record(place, key)).collect();
        match checked {
            Ok(same) => record.source_ok = Some(same.into_iter().all(|same| same)),
            Err(why) => record.source_problem = Some(why),
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Lab, ONE, ROW, TASK, TWO};
    use super::*;

    fn of(lab: &Lab, id: &str) -> Trace {
        trace(&Store::read(&lab.root()).unwrap(), id, Options::default()).unwrap()
    }

    fn checked(lab: &Lab, id: &str) -> Result<Trace> {
        let options = Options { key: Some(lab.key.clone()), verify_source: true };
        trace(&Store::read(&lab.root()).unwrap(), id, options)
    }

    #[test]
    fn a_row_leads_to_its_record_task_and_verdict() {
        let lab = Lab::new();
        let got = of(&lab, ROW);
        assert_eq!(got.is, [Kind::ReleaseRow]);
        assert_eq!((got.releases.len(), got.releases[0].dataset.as_str(), got.releases[0].version), (1, "chat", 1));
        let record = &got.records[0];
        assert_eq!((got.records.len(), &record.record_id, record.conversation_id.as_str()), (1, &lab.records[0], ONE));
        assert!(record.place.source.ends_with("a.jsonl"));
        assert_eq!((record.findings.len(), record.findings[0].count, record.findings[0].rule_version), (1, 2, 2));
        let decision = record.dedup.as_ref().unwrap();
        assert_eq!((decision.fate.as_str(), decision.deduped.as_str()), ("kept", "d1"));
        assert_eq!(decision.stands_for[0].record_id, lab.records[2]);
        assert_eq!((record.occurrences.len(), record.occurrences[0].fate.as_deref()), (1, Some("exact_duplicate")));
        let task = &got.tasks[0];
        assert_eq!(
            (task.stratum.as_str(), task.inclusion_probability, task.rubric_version.as_str()),
            ("en", 0.25, "1.2")
        );
        assert_eq!(task.verdict.as_ref().unwrap().annotation_ids, ["a1", "a2"]);
        assert!(got.records[0].source_ok.is_none());
    }

    #[test]
    fn conversations_records_and_tasks_are_told_apart() {
        let lab = Lab::new();
        let one = of(&lab, ONE);
        assert_eq!(
            (one.is.as_slice(), one.records.len(), one.releases.len(), one.tasks.len()),
            (&[Kind::Conversation][..], 1, 1, 1)
        );
        assert_eq!(of(&lab, TWO).releases, []);
        let record = of(&lab, &lab.records[0]);
        assert_eq!((record.is.as_slice(), record.tasks.len()), (&[Kind::Record][..], 1));
        let task = of(&lab, TASK);
        assert_eq!(
            (task.is.as_slice(), task.records[0].record_id.as_str()),
            (&[Kind::Task][..], lab.records[0].as_str())
        );
        let only_in_its_batch = of(&lab, "t2");
        assert_eq!(
            (only_in_its_batch.is.as_slice(), only_in_its_batch.tasks[0].batch_id.as_str()),
            (&[Kind::Task][..], "b2")
        );
        assert_eq!(only_in_its_batch.records[0].conversation_id, TWO);
    }

    #[test]
    fn a_dropped_record_leads_to_the_rows_of_its_winner() {
        let lab = Lab::new();
        let got = of(&lab, &lab.records[2]);
        assert_eq!(got.is, [Kind::Record]);
        let decision = got.records[0].dedup.as_ref().unwrap();
        assert_eq!((decision.fate.as_str(), decision.winner.as_deref()), ("exact_duplicate", Some(ONE)));
        assert_eq!((got.releases[0].row_id.as_str(), got.releases[0].through_winner), (ROW, true));
    }

    #[test]
    fn unknown_ids_are_the_users_and_text_is_not_repeated() {
        let lab = Lab::new();
        let store = Store::read(&lab.root()).unwrap();
        let told = |id: &str| trace(&store, id, Options::default()).unwrap_err().to_string();
        assert_eq!(told("zz"), "zz: no release row, conversation, record or task has this id");
        assert!(!told("my name is Ada").contains("Ada"));
        let keyless = trace(&store, ROW, Options { key: None, verify_source: true });
        assert!(matches!(keyless, Err(Error::Usage(what)) if what.contains("GRISTMILL_KEY")));
    }

    #[test]
    fn sources_are_read_again_plain_and_compressed() {
        let lab = Lab::new();
        for id in [ROW, TWO, &lab.records[2]] {
            assert_eq!(checked(&lab, id).unwrap().records[0].source_ok, Some(true));
        }
        let plain = lab.raw("a.jsonl");
        let mut bytes = std::fs::read(&plain).unwrap();
        bytes[9] ^= 1;
        std::fs::write(&plain, &bytes).unwrap();
        assert_eq!(checked(&lab, ROW).unwrap().records[0].source_ok, Some(false));
        assert_eq!(checked(&lab, TWO).unwrap().records[0].source_ok, Some(true));
        std::fs::write(&plain, &bytes[..20]).unwrap();
        let short = checked(&lab, TWO).unwrap();
        assert_eq!((short.records[0].source_ok, short.records[0].source_problem.is_some()), (None, true));
        std::fs::remove_file(&plain).unwrap();
        assert!(checked(&lab, TWO).unwrap().to_text().contains("not possible"));
        let other = Options { key: ProjectKey::from_secret("another secret, of length"), verify_source: true };
        assert!(matches!(trace(&Store::read(&lab.root()).unwrap(), ROW, other), Err(Error::Usage(_))));
    }

    #[test]
    fn the_page_says_all_and_json_is_flat() {
        let lab = Lab::new();
        let got = checked(&lab, ROW).unwrap();
        let page = got.to_text();
        for part in [
            "chat v0001, train row 0",
            "line 1, bytes 0..13",
            "2 x email by rule email version 2",
            "stands for 1 other",
            "25.00 %",
            "annotation a2",
            "still has these bytes",
        ] {
            assert!(page.contains(part), "{part}");
        }
        let json = serde_json::to_value(&got).unwrap();
        assert_eq!(json["records"][0]["line"], 1);
        assert_eq!(json["records"][0]["findings"][0]["type"], "email");
    }
}
