//! Guards against losing more than was meant.

use super::tell::Report;
use crate::config::Guards;
use crate::error::Error;

/// Shares of fewer records say nothing: of three equal rows two are lost.
pub const LEAST_RECORDS: u64 = 100;

/// What is to be warned of.
pub fn warnings(report: &Report, guards: &Guards) -> Vec<String> {
    let mut warnings = Vec::new();
    let enough = |records: u64| records >= LEAST_RECORDS;
    for file in report.files.iter().filter(|file| enough(file.read) && file.share > guards.warn_lost) {
        warnings.push(format!("{} loses {:.1} % of its records", file.file, 100.0 * file.share));
    }
    for cluster in &report.clusters {
        let share = cluster.records as f64 / report.read.max(1) as f64;
        if enough(report.read) && share > guards.warn_cluster && cluster.records > 10 {
            let (records, id) = (cluster.records, &cluster.id);
            warnings.push(format!("{records} records ({:.1} % of the input) are one: {id}", 100.0 * share));
        }
    }
    warnings
}

/// Why nothing is kept, if so.
pub fn refusal(report: &Report, guards: &Guards) -> Option<Error> {
    let too_much = report.read >= LEAST_RECORDS && report.lost_share > guards.stop_lost;
    (too_much && !guards.allow_wipeout).then(|| Error::Gate {
        gate: "dedup".to_owned(),
        why: format!(
            "{:.1} % of the records would be dropped as near-duplicates, above {:.0} %; kept.jsonl was not written, the decisions were. \
             If that is right, say --allow-wipeout or a higher --stop-lost",
            100.0 * report.lost_share,
            100.0 * guards.stop_lost
        ),
    })
}
