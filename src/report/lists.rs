//! What a store holds: batches, imported labels, releases, and what a check of it found.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::table::{Side::Left, Side::Right, Table};
use super::words::{counts, number, shell, size, splits};
use crate::lineage::verify::Verified;
use crate::runner::import::Imported;
use crate::store::release::{ReleaseManifest, version_name};
use crate::task::BatchInfo;

/// Batches, each with its folder.
pub fn batches<'a>(batches: impl Iterator<Item = (&'a BatchInfo, &'a str)>) -> String {
    let head = [
        ("batch", Left),
        ("name", Left),
        ("pipeline", Left),
        ("task", Left),
        ("rubric", Left),
        ("tasks", Right),
        ("path", Left),
    ];
    let mut table = Table::new(head);
    let mut none = true;
    for (batch, path) in batches {
        none = false;
        table.row([
            batch.batch_id.clone(),
            batch.name.clone(),
            batch.pipeline.clone(),
            batch.rubric.task.as_str().to_owned(),
            format!("{} {}", batch.rubric.name, batch.rubric.version),
            number(batch.tasks),
            path.to_owned(),
        ]);
    }
    if none { "No batches yet; a run draws them where its pipeline has [[sample]].\n".to_owned() } else { table.text() }
}

/// Imported label files: what was read, and why answers do not count.
pub fn imported(imported: &Imported) -> String {
    let mut text = String::new();
    for file in &imported.files {
        let new = if file.new { "new" } else { "known already" };
        let _ = writeln!(text, "{} ({new})", file.file);
        let _ = writeln!(text, "  read {}, accepted {}", number(file.read), number(file.accepted));
        for (what, of) in [("refused", &file.refused), ("unreadable", &file.unreadable)] {
            let counted = counts(of);
            if !counted.is_empty() {
                let _ = writeln!(text, "  {what}: {counted}");
            }
        }
    }
    text + "The next run merges them into verdicts.\n"
}

fn folder(release: &ReleaseManifest, store: &Path) -> PathBuf {
    store.join("datasets").join(&release.dataset).join(version_name(release.version))
}

pub fn releases(releases: &[ReleaseManifest], store: &Path) -> String {
    if releases.is_empty() {
        return "No releases yet; a run makes them where its pipeline has [[dataset]].\n".to_owned();
    }
    let mut table = Table::new([
        ("dataset", Left),
        ("version", Left),
        ("kind", Left),
        ("rows", Right),
        ("splits", Left),
        ("path", Left),
    ]);
    for release in releases {
        table.row([
            release.dataset.clone(),
            version_name(release.version),
            release.kind.clone(),
            number(release.rows),
            splits(&release.splits),
            folder(release, store).display().to_string(),
        ]);
    }
    table.text()
}

/// One release in full, and how to load it.
pub fn release(release: &ReleaseManifest, store: &Path) -> String {
    let folder = folder(release, store);
    let mut files = Table::new([("file", Left), ("rows", Right), ("size", Right), ("sha256", Left)]);
    for file in &release.files {
        files.row([file.path.clone(), number(file.rows), size(file.bytes), file.sha256.clone().unwrap_or_default()]);
    }
    let mut columns = Table::new([("column", Left), ("type", Left)]);
    for column in &release.columns {
        columns.row([column.name.clone(), column.r#type.clone()]);
    }
    let path = folder.display().to_string();
    format!(
        "{} {}: {}, {} rows ({}), made by pipeline {} with gristmill {}\n{path}\n\n{}\n{}\nTo load it:\n  \
         python -c 'import sys, datasets; print(datasets.load_dataset(sys.argv[1]))' {}\nTo check it:\n  \
         gristmill datasets verify {} --store {}\n",
        release.dataset,
        version_name(release.version),
        release.kind,
        number(release.rows),
        splits(&release.splits),
        release.pipeline,
        release.gristmill_version,
        files.text(),
        columns.text(),
        shell(&path),
        release.dataset,
        shell(&store.display().to_string()),
    )
}

pub fn verified(verified: &Verified) -> String {
    let mut text = format!(
        "Files checked: {} ({}). Log entries: {}\n",
        number(verified.checked_files),
        size(verified.checked_bytes),
        number(verified.log_entries),
    );
    match verified.problems.len() {
        0 => text.push_str("All as it was written\n"),
        n => {
            let _ = writeln!(text, "Problems: {}", number(n as u64));
            verified.problems.iter().for_each(|problem| text.push_str(&format!("  {problem}\n")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_lists_every_problem() {
        let mut found = Verified { checked_files: 2, checked_bytes: 1000, log_entries: 1, problems: Vec::new() };
        assert_eq!(verified(&found), "Files checked: 2 (1.0 kB). Log entries: 1\nAll as it was written\n");
        found.problems = vec!["a: changed".to_owned(), "b: missing".to_owned()];
        assert!(verified(&found).ends_with("Problems: 2\n  a: changed\n  b: missing\n"));
    }

    #[test]
    fn an_empty_store_says_how_to_fill_it() {
        assert!(releases(&[], Path::new("s")).contains("[[dataset]]"));
        assert!(batches(std::iter::empty()).contains("[[sample]]"));
    }
}
