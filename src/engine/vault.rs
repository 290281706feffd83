//! Files of the vault: one a split, JSON lines of a token and its sealed value.
//!
//! Not here: sealing (`stages::redact::vault`), restoring (`runner::restore`).
//!
//! Always: the vault lies apart from the store, so that it can be kept, or destroyed, by others; a
//! file appears whole or not at all; nothing in it can be read without the vault's key.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::stages::redact::vault::{Sealed, Vault};

const ENDING: &str = "jsonl";

/// `prefix` is the folder with the beginning of the file's name, `ordinal` tells splits apart.
pub fn write(prefix: &Path, ordinal: usize, rows: &BTreeMap<String, String>) -> Result<()> {
    let (folder, name) = (prefix.parent().unwrap_or(prefix), prefix.file_name().unwrap_or_default().to_string_lossy());
    fs::create_dir_all(folder).map_err(|err| Error::io(folder, &err))?;
    let path = folder.join(format!("{name}-{ordinal:05}.{ENDING}"));
    let aside = folder.join(format!("{name}-{ordinal:05}.{}.tmp", std::process::id()));
    let mut lines = Vec::new();
    for (token, sealed) in rows {
        let row = Sealed { token: token.clone(), sealed: sealed.clone() };
        serde_json::to_writer(&mut lines, &row)
            .map_err(|err| Error::damaged(path.display().to_string(), err.to_string()))?;
        lines.push(b'\n');
    }
    let written = fs::File::create(&aside).and_then(|mut file| {
        private(&file)?;
        file.write_all(&lines)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&aside, &path)).map_err(|err| Error::io(&path, &err))
}

/// For the owner's eyes only, where the system knows such a thing.
#[cfg(unix)]
fn private(file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn private(_: &fs::File) -> std::io::Result<()> {
    Ok(())
}

/// All values by their token. A row that does not open is an error: another key, or a changed file.
pub fn read(folder: &Path, vault: &Vault) -> Result<std::collections::HashMap<String, String>> {
    let failed = |err: std::io::Error| Error::io(folder, &err);
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut files = entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect::<Result<Vec<PathBuf>>>()?;
    files.retain(|path| path.extension().is_some_and(|ending| ending == ENDING));
    files.sort();
    let mut values = std::collections::HashMap::new();
    for path in files {
        let text = fs::read_to_string(&path).map_err(|err| Error::io(&path, &err))?;
        for (i, line) in text.lines().enumerate() {
            let row = serde_json::from_str::<Sealed>(line).ok();
            let opened = row.and_then(|row| vault.open(&row).map(|value| (row.token, value)));
            let (token, value) = opened.ok_or_else(|| {
                let place = format!("{}:{}", path.display(), i + 1);
                Error::damaged(place, "does not open with this vault key; it is another key, or the line was changed")
            })?;
            values.entry(token).or_insert(value);
        }
    }
    Ok(values)
}
