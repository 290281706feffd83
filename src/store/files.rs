//! Files and folders that survive a power cut: written whole, synced, hashed.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Writes a file under another name, syncs it, and renames it into place.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let aside = path.with_extension("tmp");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)
    };
    write().map_err(|err| Error::io(path, &err))?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// Writes a file that must not exist yet; true if it was this call that made it.
pub fn put_if_absent(path: &Path, bytes: &[u8]) -> Result<bool> {
    let aside = path.with_extension(format!("tmp-{}", std::process::id()));
    let put = || -> std::io::Result<bool> {
        let mut file = File::create(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // A hard link fails if the name is taken; a rename would replace it.
        let linked = match fs::hard_link(&aside, path) {
            Ok(()) => true,
            Err(err) if err.kind() == std::io::ErrorKind::AlreadyExists => false,
            Err(err) => return Err(err),
        };
        fs::remove_file(&aside)?;
        Ok(linked)
    };
    let made = put().map_err(|err| Error::io(path, &err))?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))?;
    Ok(made)
}

pub fn sync_dir(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|err| Error::io(dir, &err))
}

/// Syncs every file and folder below `dir`, and `dir`.
pub fn sync_tree(dir: &Path) -> Result<()> {
    let failed = |err: std::io::Error| Error::io(dir, &err);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            sync_tree(&path)?;
        } else {
            File::open(&path).and_then(|file| file.sync_all()).map_err(|err| Error::io(&path, &err))?;
        }
    }
    sync_dir(dir)
}

pub fn blake3_hex(path: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    each_chunk(path, |chunk| {
        hasher.update(chunk);
    })?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// SHA-256, for tools outside: `sha256sum`, Croissant, in-toto.
pub fn sha256_hex(path: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    each_chunk(path, |chunk| hasher.update(chunk))?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn each_chunk(path: &Path, mut see: impl FnMut(&[u8])) -> Result<()> {
    let failed = |err: std::io::Error| Error::io(path, &err);
    let mut file = File::open(path).map_err(failed)?;
    let mut chunk = vec![0; 1 << 20];
    loop {
        match file.read(&mut chunk).map_err(failed)? {
            0 => return Ok(()),
            n => see(&chunk[..n]),
        }
    }
}
