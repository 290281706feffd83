//! Guards of dedup: what near-duplicates, by words or by vectors, take from each source, before anything
//! is committed.
//!
//! Not here: deciding (`dedup`); what is allowed (`[dedup.guards]`).
//!
//! Always: no decision changes; copies and snapshots do not count, because they are certain.

use std::collections::{BTreeMap, HashMap};

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;

use super::Job;
use super::dedup::Decisions;
use super::rows::{NEAR, SEMANTIC, ids_batch};
use super::sink::{numbers, text};
use crate::config::Guards;
use crate::error::{Error, Result};
use crate::layer::{Made, Redacted};

/// Shares of fewer records say nothing.
const LEAST_RECORDS: u64 = 100;

/// What one source has, and loses to near-duplicates.
#[derive(Clone, Copy, Debug, Default)]
struct Loss {
    records: u64,
    lost: u64,
}

impl Loss {
    fn share(self) -> f64 {
        if self.records < LEAST_RECORDS { 0.0 } else { self.lost as f64 / self.records as f64 }
    }
}

impl Job<'_> {
    /// Counts of what is to be warned of, by name; an error if a source loses too much.
    pub(super) async fn guard(
        &self,
        folder: &std::path::Path,
        decisions: &Decisions,
        redacted: &[Made<Redacted>],
    ) -> Result<BTreeMap<String, u64>> {
        let guards = self.loaded.pipeline.dedup.guards;
        let near: Vec<_> = decisions.iter().filter(|(_, decision)| [NEAR, SEMANTIC].contains(&decision.fate)).collect();
        if near.is_empty() {
            return Ok(BTreeMap::new());
        }
        self.temporary(folder, "near_gone", &ids_batch(near.iter().map(|(record, _)| *record))?)?;
        let losses = self.losses().await?;
        let mut stands_for: HashMap<&str, u64> = HashMap::new();
        near.iter().for_each(|(_, decision)| *stands_for.entry(&decision.winner_record).or_default() += 1);
        let all: u64 = losses.values().map(|loss| loss.records).sum();
        judged(&guards, &losses, all, stands_for.into_values(), |source| named(redacted, source))
    }

    async fn losses(&self) -> Result<BTreeMap<String, Loss>> {
        let plan = "select s.source_id as source_id, cast(count(*) as bigint unsigned) as records, \
            cast(count(n.record_id) as bigint unsigned) as lost \
            from sketch s left join near_gone n on s.record_id = n.record_id group by s.source_id";
        let mut losses = BTreeMap::new();
        for batch in self.engine.collect("dedup", plan).await? {
            let sources = text(&batch, "source_id")?;
            let (records, lost) = (numbers::<UInt64Type>(&batch, "records")?, numbers::<UInt64Type>(&batch, "lost")?);
            for (i, source) in sources.as_string::<i32>().iter().flatten().enumerate() {
                losses.insert(source.to_owned(), Loss { records: records.value(i), lost: lost.value(i) });
            }
        }
        Ok(losses)
    }
}

/// The name of a source, as far as it is known.
fn named(redacted: &[Made<Redacted>], source: &str) -> String {
    let of = |one: &&Made<Redacted>| one.manifest.inputs.first().is_some_and(|input| input == source);
    let path = |one: &Made<Redacted>| Some(one.manifest.settings.get("path")?.as_str()?.to_owned());
    redacted.iter().find(of).and_then(path).unwrap_or_else(|| format!("source {source}"))
}

fn judged(
    guards: &Guards,
    losses: &BTreeMap<String, Loss>,
    all: u64,
    stands_for: impl Iterator<Item = u64>,
    named: impl Fn(&str) -> String,
) -> Result<BTreeMap<String, u64>> {
    let worst = losses.iter().max_by(|a, b| a.1.share().total_cmp(&b.1.share()));
    if let Some((source, loss)) = worst.filter(|(_, loss)| loss.share() > guards.stop_lost && !guards.allow_wipeout) {
        let why = format!(
            "{} loses {:.1} % of its {} records to near-duplicates, above [dedup.guards] stop_lost; nothing was \
             committed. Look at the records with `gristmill dedup`; if it is right, raise it or set allow_wipeout = true",
            named(source),
            100.0 * loss.share(),
            loss.records
        );
        return Err(Error::Gate { gate: "dedup".to_owned(), why });
    }
    let large = |count: u64| all >= LEAST_RECORDS && count as f64 / all as f64 > guards.warn_cluster && count > 10;
    let counts = [
        (
            "sources that lose many near-duplicates",
            losses.values().filter(|loss| loss.share() > guards.warn_lost).count(),
        ),
        ("records that stand for many near-duplicates", stands_for.filter(|count| large(*count)).count()),
    ];
    Ok(counts.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n as u64)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_judged_by_source() {
        let losses = |lost: u64| {
            BTreeMap::from([
                ("a".to_owned(), Loss { records: 200, lost }),
                ("b".to_owned(), Loss { records: 50, lost: 50 }),
            ])
        };
        let judged = |guards: &Guards, lost, stands: &[u64]| {
            judged(guards, &losses(lost), 1000, stands.iter().copied(), |source| source.to_uppercase())
        };
        let guards = Guards::default();
        assert!(judged(&guards, 10, &[5]).unwrap().is_empty());
        let warned = judged(&guards, 80, &[11, 10]).unwrap();
        assert_eq!(warned.values().copied().collect::<Vec<_>>(), [1, 1]);
        let error = judged(&guards, 121, &[]).unwrap_err();
        assert!(matches!(&error, Error::Gate { why, .. } if why.contains("A loses 60.5 %")), "{error}");
        assert!(judged(&Guards { allow_wipeout: true, ..guards }, 200, &[]).is_ok());
    }
}
