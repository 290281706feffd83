//! The dataset card that lies beside a release: what it is, where from, how made, how to load.

use std::fmt::Write;

use crate::store::release::ReleaseManifest;

/// Markdown. Holds counts and names, never text of a conversation.
pub fn card(manifest: &ReleaseManifest) -> String {
    let ReleaseManifest { dataset, version, kind, pipeline, rows, .. } = manifest;
    let mut card = format!(
        "# {dataset} v{version:04}\n\n\
         A {kind} dataset of {rows} rows, published by gristmill {} from the pipeline `{pipeline}`.\n\n\
         Load it: `datasets.load_dataset(\"<store>/datasets/{dataset}/v{version:04}\")`, or read `data/*.parquet` \
         with polars, pandas or duckdb.\n\n## Splits\n\n| split | rows |\n|---|---|\n",
        manifest.gristmill_version
    );
    for (split, rows) in &manifest.splits {
        // Writing to a string cannot fail.
        let _ = writeln!(card, "| {split} | {rows} |");
    }
    card.push_str(
        "\nA split is drawn by first prompt: conversations that open alike, and those that a duplicate links to \
                   them, are on one side, however they were answered.\n",
    );
    card.push_str("\n## Columns\n\n| column | type |\n|---|---|\n");
    for column in &manifest.columns {
        let _ = writeln!(card, "| {} | `{}` |", column.name, column.r#type);
    }
    card.push_str("\n## Candidates and what became of them\n\n| fate | rows |\n|---|---|\n");
    let _ = writeln!(
        card,
        "| considered | {} |\n| in the release | {} |",
        manifest.books.records_read, manifest.books.kept
    );
    for (reason, n) in &manifest.books.dropped {
        let _ = writeln!(card, "| left out: {reason} | {n} |");
    }
    card.push_str(&checks(manifest));
    card.push_str(
        "\n## Personal data\n\n\
         Text was redacted before it was written anywhere. `[EMAIL:…]` and the like are keyed pseudonyms: the same \
         value has the same token within the scope that the pipeline's policy names (by default the project). Names of \
         people are found by a model, which misses some.\n\n\
         ## Lineage\n\n\
         `lineage/rows.parquet` names, for every row, the source file, byte range, line and keyed hash of every raw \
         record behind it, and the task, annotations and rubric version. `gristmill trace <row id>` reads it for you; \
         `gristmill datasets verify` checks every hash.\n",
    );
    card
}

/// What was looked for before publishing, and what became of canaries.
fn checks(manifest: &ReleaseManifest) -> String {
    let counted = |name: &str| manifest.counts.get(name).copied().unwrap_or_default();
    let mut text = format!(
        "\n## Release gate\n\nBefore it was published, a second search of its own, with decoders three layers deep, and the keyed \
         hashes of {} values that redaction had found went over {} strings ({} bytes) of {} rows: {} leaks.\n\n\
         canaries: {} of {} gone. They are made-up values of every type that the policy looks for, each in every disguise \
         that it can be written in (full width, base64, split over messages and so on), sent through the same redaction; \
         none of them is in the data.\n",
        counted("gate_hashes"),
        counted("gate_strings"),
        counted("gate_bytes"),
        counted("gate_rows"),
        counted("gate_leaks"),
        counted("canaries_gone"),
        counted("canaries_planted"),
    );
    let missed = manifest.counts.iter().filter_map(|(name, planted)| {
        let kind = name.strip_prefix("canaries_")?.strip_suffix("_planted")?;
        let gone = counted(&format!("canaries_{kind}_gone"));
        (gone < *planted).then_some((kind, gone, planted))
    });
    let missed: Vec<_> = missed.collect();
    if !missed.is_empty() {
        text.push_str(
            "\nTypes of which not all were found in every disguise:\n\n| type | gone | planted |\n|---|---|---|\n",
        );
    }
    for (kind, gone, planted) in missed {
        let _ = writeln!(text, "| {kind} | {gone} | {planted} |");
    }
    text
}
