//! The bytes of a source, wherever they lie: a file, an object of a store, standard input.
//!
//! Not here: what the bytes say (`stages::ingest`), which sources a pipeline names
//! (`engine::sources`).
//!
//! Always: nothing is written, and nothing but the bytes asked for is fetched; an error names the
//! place and the kind of failure, never what a server said.

mod object;

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

pub use object::list;

/// Bytes that can be sought.
pub trait Input: Read + Seek + Send {}

impl<T: Read + Seek + Send> Input for T {}

/// Where a source lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    File(PathBuf),
    /// `s3://bucket/key`, `gs://…` or `az://…`.
    Object(String),
    /// Of this process.
    Stdin,
}

/// How a pipeline file and the store name standard input.
pub const STDIN: &str = "-";

/// Standard input can be read once, so it is held: up to this many bytes.
const STDIN_BYTES: u64 = 1 << 30;

/// URL schemes of object stores.
const SCHEMES: [&str; 7] = ["s3", "s3a", "gs", "az", "azure", "abfs", "abfss"];

/// Whether a source is written as the URL of an object store.
pub fn is_object(written: &str) -> bool {
    written.split_once("://").is_some_and(|(scheme, _)| SCHEMES.contains(&scheme))
}

impl Location {
    /// As [`Location`] is displayed, and so as manifests keep it.
    pub fn parse(written: &str) -> Location {
        match written {
            STDIN => Location::Stdin,
            url if is_object(url) => Location::Object(url.to_owned()),
            path => Location::File(PathBuf::from(path)),
        }
    }

    /// The same for a process that stands in another folder.
    pub fn absolute(&self) -> io::Result<Location> {
        match self {
            Location::File(path) => std::path::absolute(path).map(Location::File),
            other => Ok(other.clone()),
        }
    }

    pub fn open(&self) -> io::Result<Box<dyn Input>> {
        Ok(match self {
            Location::File(path) => Box::new(File::open(path)?),
            Location::Object(url) => Box::new(object::Object::open(url)?),
            Location::Stdin => Box::new(Cursor::new(stdin()?)),
        })
    }

    /// The last part of its name.
    pub fn name(&self) -> String {
        let written = self.to_string();
        written.rsplit(['/', std::path::MAIN_SEPARATOR]).next().unwrap_or_default().to_owned()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::File(path) => path.display().fmt(f),
            Location::Object(url) => f.write_str(url),
            Location::Stdin => f.write_str(STDIN),
        }
    }
}

/// All of standard input, read at the first call and held from then on.
fn stdin() -> io::Result<Arc<[u8]>> {
    static HELD: OnceLock<Result<Arc<[u8]>, io::ErrorKind>> = OnceLock::new();
    let read = || {
        let mut bytes = Vec::new();
        io::stdin().lock().take(STDIN_BYTES + 1).read_to_end(&mut bytes).map_err(|err| err.kind())?;
        if bytes.len() as u64 > STDIN_BYTES { Err(io::ErrorKind::FileTooLarge) } else { Ok(Arc::from(bytes)) }
    };
    HELD.get_or_init(read).clone().map_err(|kind| match kind {
        io::ErrorKind::FileTooLarge => {
            io::Error::new(kind, "standard input holds more than 1 GiB; write it to a file and name that")
        }
        kind => kind.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_known_by_how_it_is_written() {
        for (written, location, name) in [
            ("-", Location::Stdin, "-"),
            ("logs/a.jsonl", Location::File("logs/a.jsonl".into()), "a.jsonl"),
            ("s3://bucket/day/a.jsonl.gz", Location::Object("s3://bucket/day/a.jsonl.gz".into()), "a.jsonl.gz"),
            ("http://host/a", Location::File("http://host/a".into()), "a"),
        ] {
            assert_eq!(Location::parse(written), location);
            assert_eq!((location.to_string().as_str(), location.name().as_str()), (written, name));
        }
        assert!(Location::parse("a").absolute().unwrap() != Location::parse("a"));
    }
}
