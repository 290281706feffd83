//! Writes values back in place of their pseudonyms, out of a vault, and keeps a log of who asked.
//!
//! Not here: sealing and opening (`stages::redact::vault`), the command (`cli`).
//!
//! Always: a restore that cannot be logged does not happen; the log is only ever appended to, and
//! each line holds the hash of the one before, so a line that was changed or taken out is seen. It
//! names tokens, never values.

use std::borrow::Cow;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::Loaded;
use crate::engine::vault;
use crate::error::{Error, Result};
use crate::record::ProjectKey;
use crate::stages::redact::vault::{Vault, restore};

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// BLAKE3 of the line before; zeros for the first.
    pub previous_blake3: String,
    /// Seconds since 1970.
    pub at: u64,
    pub who: String,
    pub why: String,
    /// BLAKE3 of the text that was restored, as it came in.
    pub text_blake3: String,
    pub tokens: Vec<String>,
}

/// A vault that is open.
pub struct Restorer {
    values: std::collections::HashMap<String, String>,
    log: PathBuf,
}

impl Restorer {
    /// The vault of a pipeline.
    pub fn of(loaded: &Loaded, key: &ProjectKey) -> Result<Restorer> {
        let off = || Error::config(&loaded.file, "redact.vault is missing: there is no vault to restore from");
        Restorer::open(loaded.pipeline.redact.vault.as_deref().ok_or_else(off)?, key)
    }

    pub fn open(folder: &Path, key: &ProjectKey) -> Result<Restorer> {
        let missing = || Error::Usage("the key file has no line `vault SECRET`".to_owned());
        let vault = Vault::new(key.vault().ok_or_else(missing)?).map_err(Error::Usage)?;
        Ok(Restorer { values: vault::read(folder, &vault)?, log: folder.join("restores.log") })
    }

    /// Restores what the vault knows, once it stands in the log; with it, the tokens.
    pub fn restore<'t>(&self, text: &'t str, who: &str, why: &str) -> Result<(Cow<'t, str>, Vec<&'t str>)> {
        if who.trim().is_empty() || why.trim().is_empty() {
            return Err(Error::Usage("a restore is logged: say who asks for it and why".to_owned()));
        }
        let (restored, tokens) = restore(text, &self.values);
        let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let mut named: Vec<String> = tokens.iter().map(|token| (*token).to_owned()).collect();
        named.sort();
        named.dedup();
        let lines = log_lines(&self.log)?;
        let entry = Entry {
            previous_blake3: lines.last().map_or_else(|| "0".repeat(64), |line| hash(line)),
            at,
            who: who.to_owned(),
            why: why.to_owned(),
            text_blake3: hash(text),
            tokens: named,
        };
        append(&self.log, &entry)?;
        Ok((restored, tokens))
    }

    pub fn log(&self) -> &Path {
        &self.log
    }
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn log_lines(path: &Path) -> Result<Vec<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(err) => Err(Error::io(path, &err)),
    }
}

fn append(path: &Path, entry: &Entry) -> Result<()> {
    let mut line =
        serde_json::to_vec(entry).map_err(|err| Error::damaged(path.display().to_string(), err.to_string()))?;
    line.push(b'\n');
    let written = fs::OpenOptions::new().create(true).append(true).open(path).and_then(|mut file| {
        file.write_all(&line)?;
        file.sync_all()
    });
    written.map_err(|err| Error::io(path, &err))
}

/// The entries of a log whose chain is whole.
pub fn entries(path: &Path) -> Result<Vec<Entry>> {
    let mut previous = "0".repeat(64);
    let mut entries = Vec::new();
    for (i, line) in log_lines(path)?.iter().enumerate() {
        let place = || format!("{}:{}", path.display(), i + 1);
        let entry: Entry = serde_json::from_str(line).map_err(|err| Error::damaged(place(), err.to_string()))?;
        if entry.previous_blake3 != previous {
            return Err(Error::damaged(place(), "does not follow on the line before it; the log was changed"));
        }
        previous = hash(line);
        entries.push(entry);
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const TOKEN: &str = "[EMAIL:k7f3a9q2]";

    fn key(vault: &str) -> ProjectKey {
        ProjectKey::from_secret(&format!("a secret of good length\nvault {vault}")).unwrap()
    }

    fn vault_in(folder: &Path) -> ProjectKey {
        let key = key("v of good length, too".replace(' ', "-").as_str());
        let sealed = Vault::new(key.vault().unwrap()).unwrap().seal(TOKEN.to_owned(), "jane@example.com").unwrap();
        vault::write(&folder.join("k1"), 0, &BTreeMap::from([(sealed.token, sealed.sealed)])).unwrap();
        key
    }

    #[test]
    fn a_restore_is_logged_in_a_chain() {
        let folder = tempfile::tempdir().unwrap();
        let key = vault_in(folder.path());
        let restorer = Restorer::open(folder.path(), &key).unwrap();
        let text = format!("mail {TOKEN} {TOKEN}");
        assert!(restorer.restore(&text, "", "asked").is_err() && restorer.restore(&text, "ada", " ").is_err());
        for _ in 0..2 {
            let (restored, tokens) = restorer.restore(&text, "ada", "subject access request 7").unwrap();
            assert_eq!((restored.as_ref(), tokens.len()), ("mail jane@example.com jane@example.com", 2));
        }
        let log = entries(restorer.log()).unwrap();
        assert_eq!(log.len(), 2);
        assert_eq!((log[1].who.as_str(), log[1].tokens.as_slice()), ("ada", &[TOKEN.to_owned()][..]));
        let written = fs::read_to_string(restorer.log()).unwrap();
        assert!(!written.contains("jane"));
        fs::write(restorer.log(), written.replacen("\"ada\"", "\"bob\"", 1)).unwrap();
        assert!(entries(restorer.log()).is_err());
    }

    #[test]
    fn a_vault_opens_with_its_own_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let own = vault_in(folder.path());
        assert!(Restorer::open(folder.path(), &own).is_ok());
        assert!(Restorer::open(folder.path(), &key("another-key-of-length")).is_err());
        assert!(Restorer::open(folder.path(), &ProjectKey::from_secret("a secret of good length").unwrap()).is_err());
        let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        assert!(!fs::read_to_string(&file).unwrap().contains("jane"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
