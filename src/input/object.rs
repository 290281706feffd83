//! Objects of S3, Google Cloud Storage and Azure Blob Storage, read in ranges as a file is read.
//!
//! Credentials and endpoints come from the environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`), as the
//! vendors' own tools read them.
//!
//! Always: ranges are asked for on threads of this module's own, one ahead of the reader; an
//! object that changes while it is read is an error, because its places would mean nothing.

use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use tokio::runtime::Runtime;
use url::Url;

/// What one request asks for: long enough that its latency does not matter.
const CHUNK_BYTES: u64 = 8 << 20;

/// One object at one version.
pub struct Object {
    store: Arc<dyn ObjectStore>,
    path: Path,
    e_tag: Option<String>,
    size: u64,
    at: u64,
    chunk: Vec<u8>,
    chunk_start: u64,
    /// The range behind the chunk, on its way.
    ahead: Option<(u64, Receiver<io::Result<Vec<u8>>>)>,
}

impl Object {
    pub fn open(url: &str) -> io::Result<Object> {
        let (store, path) = connect(url)?;
        let (asked, key) = (Arc::clone(&store), path.clone());
        let about = wait(async move { asked.head(&key).await })?;
        let (size, e_tag) = (about.size, about.e_tag);
        Ok(Object { store, path, e_tag, size, at: 0, chunk: Vec::new(), chunk_start: 0, ahead: None })
    }

    fn ask(&self, start: u64) -> io::Result<Receiver<io::Result<Vec<u8>>>> {
        let range = GetRange::Bounded(start..(start + CHUNK_BYTES).min(self.size));
        let options = GetOptions { range: Some(range), if_match: self.e_tag.clone(), ..GetOptions::default() };
        let (store, path) = (Arc::clone(&self.store), self.path.clone());
        send(async move { Ok(store.get_opts(&path, options).await?.bytes().await?.to_vec()) })
    }

    /// Makes `chunk` hold the byte at `at`.
    fn fetch(&mut self) -> io::Result<()> {
        let asked = match self.ahead.take() {
            Some((start, asked)) if start == self.at => asked,
            _ => self.ask(self.at)?,
        };
        self.chunk = received(&asked)?;
        self.chunk_start = self.at;
        let next = self.at + self.chunk.len() as u64;
        if next < self.size {
            self.ahead = Some((next, self.ask(next)?));
        }
        Ok(())
    }
}

impl Read for Object {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size || buf.is_empty() {
            return Ok(0);
        }
        let held = self.chunk_start..self.chunk_start + self.chunk.len() as u64;
        if !held.contains(&self.at) {
            self.fetch()?;
        }
        let rest = self.chunk.get((self.at - self.chunk_start) as usize..).unwrap_or_default();
        let n = rest.len().min(buf.len());
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buf[..n].copy_from_slice(&rest[..n]);
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Object {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// The URLs of the objects that a pattern names: `*`, `?` and `[…]` stay within a folder, `**`
/// crosses folders. A URL without them is itself.
pub fn list(written: &str) -> io::Result<Vec<String>> {
    let Some(first) = written.find(['*', '?', '[']) else { return Ok(vec![written.to_owned()]) };
    let root = written.match_indices('/').nth(2).map_or(written.len(), |(at, _)| at + 1);
    let pattern = glob::Pattern::new(&written[root.min(first)..]).map_err(|_| io::ErrorKind::InvalidInput)?;
    let folder = written[..first].rfind('/').map_or(first, |at| at + 1).max(root.min(first));
    let (store, prefix) = connect(&written[..folder])?;
    let found: Vec<Path> = wait(async move {
        let below = (!prefix.as_ref().is_empty()).then_some(&prefix);
        store.list(below).map_ok(|about| about.location).try_collect().await
    })?;
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    let fits = |key: &&Path| pattern.matches_with(key.as_ref(), options);
    Ok(found.iter().filter(fits).map(|key| format!("{}{}", &written[..root], escaped(key.as_ref()))).collect())
}

/// A key as part of a URL.
fn escaped(key: &str) -> String {
    key.replace('%', "%25").replace('#', "%23").replace('?', "%3F")
}

fn connect(url: &str) -> io::Result<(Arc<dyn ObjectStore>, Path)> {
    let url = Url::parse(url).map_err(|_| io::ErrorKind::InvalidInput)?;
    let vendors = ["AWS_", "GOOGLE_", "AZURE_"];
    let settings = std::env::vars()
        .filter(|(name, _)| vendors.iter().any(|vendor| name.starts_with(vendor)))
        .map(|(name, value)| (name.to_lowercase(), value));
    let (store, path) = object_store::parse_url_opts(&url, settings).map_err(failure)?;
    Ok((Arc::from(store), path))
}

/// Sends a request on its way; the answer comes through the channel.
fn send<T: Send + 'static>(
    request: impl Future<Output = object_store::Result<T>> + Send + 'static,
) -> io::Result<Receiver<io::Result<T>>> {
    let (answer, answered) = channel();
    runtime()?.spawn(async move {
        // Nobody waits for it any more if this fails.
        let _ = answer.send(request.await.map_err(failure));
    });
    Ok(answered)
}

fn received<T>(answered: &Receiver<io::Result<T>>) -> io::Result<T> {
    answered.recv().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?
}

fn wait<T: Send + 'static>(request: impl Future<Output = object_store::Result<T>> + Send + 'static) -> io::Result<T> {
    received(&send(request)?)
}

/// Threads that do nothing but wait for servers. Readers block, so they cannot share theirs.
fn runtime() -> io::Result<&'static Runtime> {
    static WAITING: OnceLock<Option<Runtime>> = OnceLock::new();
    let make =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("objects").enable_all().build();
    WAITING.get_or_init(|| make().ok()).as_ref().ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

/// The kind alone: what a server answers may quote keys and signatures.
fn failure(err: object_store::Error) -> io::Error {
    use object_store::Error as Store;
    let (kind, what) = match err {
        Store::NotFound { .. } => (io::ErrorKind::NotFound, "no such object"),
        Store::Precondition { .. } => (io::ErrorKind::InvalidData, "the object changed while it was read"),
        Store::PermissionDenied { .. } => (io::ErrorKind::PermissionDenied, "the object store refuses access"),
        Store::Unauthenticated { .. } => {
            (io::ErrorKind::PermissionDenied, "the object store does not accept the credentials of the environment")
        }
        Store::InvalidPath { .. } => (io::ErrorKind::InvalidInput, "not a path of an object"),
        _ => (io::ErrorKind::Other, "the object store does not answer as it should; are endpoint and credentials set?"),
    };
    io::Error::new(kind, what)
}
