//! Arguments that several commands share, and how their values are read.

use std::path::PathBuf;

use clap::{Args, builder::RangedU64ValueParser};

use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::record::ProjectKey;
use crate::runner::{self, KEY_VARIABLE};
use crate::store::Store;

/// Which store a command reads: named, or the one of a pipeline.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct StoreArgs {
    /// Folder of the store
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Pipeline file whose store (and project key) to use; --store wins over its store
    #[arg(long, value_name = "PIPELINE.toml")]
    pipeline: Option<PathBuf>,
}

impl StoreArgs {
    /// The store, open for reading only.
    pub fn open(&self) -> Result<Store> {
        match (&self.store, self.loaded()?) {
            (Some(root), _) => Store::read(root),
            (None, Some(loaded)) => Store::read(&runner::store_root(&loaded, None)),
            (None, None) => Err(Error::Usage("name a store with --store DIR or --pipeline PIPELINE.toml".to_owned())),
        }
    }

    pub fn loaded(&self) -> Result<Option<Loaded>> {
        self.pipeline.as_ref().map(|file| Loaded::read(file)).transpose()
    }
}

/// The project key from the environment, if it is set there.
pub fn key_of_environment() -> Result<Option<ProjectKey>> {
    let Ok(secret) = std::env::var(KEY_VARIABLE) else { return Ok(None) };
    let short = || Error::Usage(format!("{KEY_VARIABLE} holds fewer than 16 characters"));
    ProjectKey::from_secret(&secret).map(Some).ok_or_else(short)
}

/// A key for this call alone: pseudonyms that nobody has to find again.
pub fn passing_key() -> ProjectKey {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    // Where things lie in memory differs from call to call as well.
    let place = &raw const now as usize;
    let hash = blake3::hash(format!("{now} {} {place}", std::process::id()).as_bytes());
    ProjectKey::from_bytes(*hash.as_bytes())
}

/// `--threads` and the like: 1 to 1024, the upper end only to catch slips of the finger.
pub fn count() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1024)
}

pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Below this even one batch of rows does not fit; it is surely a forgotten unit.
const LEAST_MEMORY_BYTES: u64 = 1 << 20;

/// `4GiB`, `768 MiB`, `1073741824`: whole numbers, powers of 1024.
pub fn memory_bytes(written: &str) -> std::result::Result<u64, String> {
    let wrong = || format!("{written:?} is no amount of memory; write bytes, KiB, MiB or GiB, such as 768MiB or 4GiB");
    let trimmed = written.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    let bytes = number.checked_mul(factor).filter(|bytes| usize::try_from(*bytes).is_ok()).ok_or_else(wrong)?;
    if bytes < LEAST_MEMORY_BYTES {
        return Err(format!(
            "{written:?} is {bytes} bytes, too little to work with; the least is 1MiB (write the unit: 4GiB)"
        ));
    }
    Ok(bytes)
}

/// `df://host:port`, as Ballista spells its schedulers.
pub fn cluster_url(written: &str) -> std::result::Result<String, String> {
    let rest = written.strip_prefix("df://").and_then(host_and_port);
    rest.map(|_| written.to_owned()).ok_or_else(|| format!("{written:?} is no cluster; write df://host:port"))
}

/// `host:port`, both given.
pub fn host_and_port(written: &str) -> Option<(String, u16)> {
    let (host, port) = written.rsplit_once(':')?;
    let port = port.parse().ok()?;
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_limits() {
        for (written, bytes) in [
            ("4GiB", 4 << 30),
            ("768 MiB", 768 << 20),
            ("2048KiB", 2 << 20),
            ("1073741824", 1 << 30),
            (" 1048576B ", 1 << 20),
        ] {
            assert_eq!(memory_bytes(written), Ok(bytes), "{written}");
        }
        for written in ["", "GiB", "4GB", "4gib", "-1GiB", "1.5GiB", "99999999999999GiB", "4", "0", "4 Gi B"] {
            assert!(memory_bytes(written).is_err(), "{written}");
        }
        assert!(memory_bytes("4GB").unwrap_err().contains("such as"));
        assert!(memory_bytes("4").unwrap_err().contains("1MiB"));
    }

    #[test]
    fn cluster_addresses() {
        assert!(cluster_url("df://localhost:50050").is_ok());
        for written in ["localhost:50050", "df://localhost", "df://:1", "df://h:99999", "http://h:1"] {
            assert!(cluster_url(written).is_err(), "{written}");
        }
    }
}
