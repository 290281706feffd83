//! What must hold of every reader of raw input, whatever bytes it is given.
//!
//! Run by the fuzzer over what it makes up, and by the product's tests (`hostile_tests`) over
//! twisted fixtures and over all that was ever found (`fuzz/found`).
//!
//! Always: a check takes any bytes and panics only where a promise of a reader is broken.

mod cut;
mod packed;
pub mod parsed;

use crate::config::Limits;

/// Takes any bytes.
pub type Check = fn(&[u8]);

/// Every check by its name.
pub const CHECKS: [(&str, Check); 13] = [
    ("chat", parsed::chat),
    ("formats", parsed::formats),
    ("mapping", parsed::mapping),
    ("guess", parsed::guess),
    ("join", parsed::join),
    ("lines", cut::lines),
    ("elements", cut::elements),
    ("table", cut::table),
    ("encoding", cut::encoding),
    ("decode", packed::decode),
    ("tar", packed::tar),
    ("zip", packed::zip),
    ("records", packed::records),
];

pub fn named(name: &str) -> Option<Check> {
    CHECKS.iter().find(|(own, _)| *own == name).map(|(_, check)| *check)
}

/// Small, so that short inputs reach them.
const LIMITS: Limits =
    Limits { line_bytes: 1000, nesting_depth: 40, messages: 30, decompressed_bytes: 1 << 17, decompression_ratio: 100 };

/// Keyed like record hashes, so that a hash made without the key shows.
fn hasher() -> blake3::Hasher {
    blake3::Hasher::new_keyed(&[7; 32]).update(b"record\0").clone()
}

fn hash(bytes: &[u8]) -> blake3::Hash {
    hasher().update(bytes).finalize()
}

/// Gives few bytes at a time and is interrupted now and then, as a slow mount is.
struct Drip<R> {
    input: R,
    most: usize,
    reads: usize,
}

impl<R> Drip<R> {
    fn new(input: R, most: usize) -> Self {
        Drip { input, most, reads: 0 }
    }
}

impl<R: std::io::Read> std::io::Read for Drip<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.reads += 1;
        if self.reads.is_multiple_of(5) {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let most = buf.len().min(self.most);
        self.input.read(&mut buf[..most])
    }
}

impl<R: std::io::Seek> std::io::Seek for Drip<R> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.input.seek(to)
    }
}
