//! Reads the files that `[redact]` names: lists of values to leave alone, or never to let through.
//!
//! Not here: how they are looked for (`stages::redact::lists`).
//!
//! Always: a list that cannot be read, or holds nothing, is an error; a policy that was meant to
//! redact must not become one that lets through.

use std::path::Path;

use super::{Loaded, Scope};
use crate::error::{Error, Result};
use crate::stages::redact;

impl Loaded {
    /// Puts what the files hold beside what the pipeline file itself says, names the dataset, and
    /// looks whether the policy makes sense.
    pub(super) fn fill_lists(&mut self) -> Result<()> {
        let mut redact = self.pipeline.redact.clone();
        for file in &redact.allow_files {
            redact.allow.extend(lines(&self.path(file))?);
        }
        for deny in &mut redact.deny {
            for file in &deny.files {
                deny.values.extend(lines(&self.path(file))?);
            }
        }
        if redact.pseudonym_scope == Scope::Dataset {
            redact.pseudonym_dataset.get_or_insert_with(|| self.pipeline.pipeline.name.clone());
        }
        if let Some(folder) = &mut redact.vault {
            let path = self.path(&*folder);
            *folder = std::path::absolute(&path).map_err(|err| Error::io(&path, &err))?;
        }
        redact::check(&redact).map_err(|what| Error::config(&self.file, what))?;
        if let Some(model) = &mut redact.model {
            self.fill_model(model)?;
        }
        self.pipeline.redact = redact;
        Ok(())
    }
}

fn lines(file: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file).map_err(|err| Error::config(file, format!("cannot be read: {err}")))?;
    let values: Vec<String> = text
        .lines()
        .map(|line| line.trim_start_matches('\u{feff}').trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    if values.is_empty() {
        return Err(Error::config(file, "holds no values; a list of redact has one a line"));
    }
    Ok(values)
}
