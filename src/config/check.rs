//! What serde cannot say about a pipeline file: ranges, names, and parts that must fit together.
//!
//! Always: the message names the key.

use super::{Against, Dataset, From, Kind, Near, Pipeline, Sample, Semantic, Source};
use crate::task::{Rubric, TaskType};

type Checked = std::result::Result<(), String>;

impl Pipeline {
    pub(super) fn check(&self) -> Checked {
        name("pipeline.name", &self.pipeline.name)?;
        if self.ingest.sources.is_empty() {
            return Err("ingest.sources is empty; name at least one { path = \"…\" }".to_owned());
        }
        self.ingest.sources.iter().try_for_each(check_source)?;
        share("ingest.max_reject_share", self.ingest.max_reject_share)?;
        check_near(&self.dedup.near)?;
        self.dedup.against.as_ref().map_or(Ok(()), check_against)?;
        self.dedup.semantic.as_ref().map_or(Ok(()), check_semantic)?;
        let guards = &self.dedup.guards;
        share("dedup.guards.warn_lost", guards.warn_lost)?;
        share("dedup.guards.stop_lost", guards.stop_lost)?;
        share("dedup.guards.warn_cluster", guards.warn_cluster)?;
        unique("sample", self.sample.iter().map(|sample| &sample.name))?;
        unique("dataset", self.dataset.iter().map(|dataset| &dataset.name))?;
        self.sample.iter().try_for_each(check_sample)?;
        self.dataset.iter().try_for_each(check_dataset)
    }
}

impl Rubric {
    /// A rubric must say all that its task needs, and nothing that it does not.
    pub fn check(&self) -> Checked {
        name("name", &self.name)?;
        match (self.task, self.scale, self.tags.is_empty()) {
            (TaskType::Rate, None, _) => Err("scale is missing; a rate rubric needs { min, max }".to_owned()),
            (TaskType::Rate, Some(scale), _) if scale.min >= scale.max => {
                Err(format!("scale.min is {}, expected less than scale.max ({})", scale.min, scale.max))
            }
            (TaskType::Tag, _, true) => Err("tags is empty; a tag rubric needs at least one".to_owned()),
            _ => Ok(()),
        }
    }
}

fn check_source(source: &Source) -> Checked {
    let place = format!("sources, {}", source.path);
    if let Some(join) = &source.join {
        join.compile().map(|_| ()).map_err(|what| format!("{place}: join.{what}"))?;
        if source.mapping.is_none() {
            return Err(format!("{place}: join needs a mapping, which reads {{\"records\": [..]}}"));
        }
    }
    let Some(mapping) = &source.mapping else { return Ok(()) };
    if source.format.is_some() || source.messages_key.is_some() {
        return Err(format!("{place}: a mapping says it all; leave format and messages_key out"));
    }
    mapping.compile().map(|_| ()).map_err(|what| format!("{place}: mapping.{what}"))
}

fn check_near(near: &Near) -> Checked {
    share("dedup.near.min_jaccard", near.min_jaccard)?;
    for (key, value, most) in [
        ("shingle_words", near.shingle_words, 16),
        ("bands", near.bands, 256),
        ("rows_per_band", near.rows_per_band, 64),
        ("bucket_limit", near.bucket_limit, 10_000),
    ] {
        if value == 0 || value > most {
            return Err(format!("dedup.near.{key} is {value}, expected 1 to {most}"));
        }
    }
    if near.short_tokens < near.shingle_words {
        return Err("dedup.near.short_tokens is below shingle_words; a text shorter than a shingle has none".to_owned());
    }
    Ok(())
}

fn check_against(against: &Against) -> Checked {
    let Against { benchmarks, ngram_words, min_overlap, .. } = against;
    unique("dedup.against.benchmarks", benchmarks.iter().map(|one| &one.name))?;
    for one in benchmarks {
        name("dedup.against.benchmarks.name", &one.name)?;
        one.sources.iter().try_for_each(check_source)?;
        // Standard input is read once, and the logs may lie there.
        if one.sources.is_empty() || one.sources.iter().any(|source| source.path == "-" || source.join.is_some()) {
            return Err(format!("dedup.against, {}: sources must name files, whose rows are whole", one.name));
        }
    }
    share("dedup.against.min_overlap", *min_overlap)?;
    if !(5..=64).contains(ngram_words) {
        return Err(format!(
            "dedup.against.ngram_words is {ngram_words}, expected 5 to 64; fewer words meet by chance"
        ));
    }
    Ok(())
}

fn check_semantic(semantic: &Semantic) -> Checked {
    let Semantic { vectors, min_cosine, bits_per_band, bucket_limit, .. } = semantic;
    if vectors == "-" {
        return Err("dedup.semantic.vectors is standard input; it must name Parquet files".to_owned());
    }
    if !(0.5..=1.0).contains(min_cosine) {
        return Err(format!("dedup.semantic.min_cosine is {min_cosine}, expected 0.5 to 1"));
    }
    // Fewer bits than 8 put nearly everybody into a bucket with everybody.
    let limits = [("bits_per_band", bits_per_band.as_ref(), 8, 64), ("bucket_limit", Some(bucket_limit), 1, 10_000)];
    for (key, value, least, most) in limits {
        if let Some(value) = value.filter(|value| !(least..=most).contains(*value)) {
            return Err(format!("dedup.semantic.{key} is {value}, expected {least} to {most}"));
        }
    }
    Ok(())
}

fn check_sample(sample: &Sample) -> Checked {
    name("sample.name", &sample.name)?;
    if sample.rows == 0 {
        return Err(format!("sample {}: rows is 0", sample.name));
    }
    Ok(())
}

fn check_dataset(dataset: &Dataset) -> Checked {
    name("dataset.name", &dataset.name)?;
    if !(0.0..1.0).contains(&dataset.test_share) {
        return Err(format!("dataset {}: test_share is {}, expected 0 to below 1", dataset.name, dataset.test_share));
    }
    if dataset.min_rating.is_some() && (dataset.kind, dataset.from) != (Kind::Sft, From::Labels) {
        return Err(format!("dataset {}: min_rating needs kind = \"sft\" and from = \"labels\"", dataset.name));
    }
    if dataset.filter.is_some() && dataset.from != From::Logs {
        return Err(format!("dataset {}: where needs from = \"logs\"", dataset.name));
    }
    Ok(())
}

/// Names become folders.
fn name(key: &str, name: &str) -> Checked {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err(format!("{key} is {name:?}, expected 1 to 64 of a-z, 0-9, - and _"));
    }
    Ok(())
}

fn share(key: &str, value: f64) -> Checked {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(format!("{key} is {value}, expected a share from 0 to 1")) }
}

fn unique<'a>(key: &str, names: impl Iterator<Item = &'a String>) -> Checked {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{key} {name:?} is named twice"));
        }
    }
    Ok(())
}
