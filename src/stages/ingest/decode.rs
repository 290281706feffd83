//! Compression, told by the first bytes and never by the name.
//!
//! Always: a stream that ends early is an error, never a quiet end; several members, frames or
//! streams in a row are one stream. What unpacks without bound is stopped by [`Limited`].

use std::fmt;
use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::Reason;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    None,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

/// Bytes that [`Compression::of`] must see to know all kinds.
pub const HEAD_BYTES: usize = 10;

/// First block of a bzip2 stream, and the end of one without blocks. The three letters before
/// them are too likely in text to stand alone.
const BZIP2_BLOCK: &[u8] = &[0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
const BZIP2_END: &[u8] = &[0x17, 0x72, 0x45, 0x38, 0x50, 0x90];

impl Compression {
    pub fn of(head: &[u8]) -> Compression {
        match head {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            // A skippable frame; parallel writers begin with one (RFC 8878, 3.1.2).
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
                if rest.starts_with(BZIP2_BLOCK) || rest.starts_with(BZIP2_END) =>
            {
                Compression::Bzip2
            }
            _ => Compression::None,
        }
    }
}

/// The first words of a git-LFS pointer file (git-lfs specification, "The Pointer").
pub const LFS_HEAD: &[u8] = b"version https://git-lfs";

const BUFFER_BYTES: usize = 1 << 18;
/// What an xz stream may ask for: as much as the largest zstd window.
const XZ_MEMORY_BYTES: u64 = 1 << 31;

/// Reads the decompressed stream; several gzip members or zstd frames in a row are one stream.
pub fn reader<'a>(
    input: Box<dyn Read + Send + 'a>,
    compression: Compression,
) -> std::io::Result<Box<dyn Read + Send + 'a>> {
    let buffered = |input| BufReader::with_capacity(BUFFER_BYTES, input);
    Ok(match compression {
        Compression::None => input,
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(buffered(input))),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(buffered(input))),
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_BYTES, liblzma::stream::CONCATENATED)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(buffered(input), stream))
        }
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(input)?;
            // 2^31 is the largest window a 64-bit zstd accepts (`--long=31`).
            decoder.window_log_max(31)?;
            Box::new(decoder)
        }
    })
}

/// [`reader`] for files that nobody has looked at yet.
pub fn bounded<'a>(
    input: Box<dyn Read + Send + 'a>,
    compression: Compression,
    bounds: Bounds,
) -> std::io::Result<Box<dyn Read + Send + 'a>> {
    metered(input, compression, bounds, &Meter::default())
}

/// The same, counted together with all else that the meter counts.
pub fn metered<'a>(
    input: Box<dyn Read + Send + 'a>,
    compression: Compression,
    bounds: Bounds,
    meter: &Meter,
) -> std::io::Result<Box<dyn Read + Send + 'a>> {
    let counted = Box::new(meter.count(input));
    if compression == Compression::None {
        return Ok(counted);
    }
    Ok(Box::new(Limited::new(reader(counted, compression)?, meter.clone(), bounds)))
}

/// How much may come out of one compressed file.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub decompressed_bytes: u64,
    /// Decompressed bytes for each compressed byte, once [`FREE_BYTES`] are out.
    pub ratio: u64,
}

impl Bounds {
    pub const NONE: Bounds = Bounds { decompressed_bytes: u64::MAX, ratio: u64::MAX };
}

/// Below this no ratio is looked at: small files of equal lines pack very well. Chosen by feel.
pub const FREE_BYTES: u64 = 64 << 20;

/// Bytes that went in and came out so far; shared by all entries of one archive.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    compressed: Arc<AtomicU64>,
    decompressed: Arc<AtomicU64>,
    /// The bounds were met; nothing more comes out, of whichever entry.
    spent: Arc<AtomicBool>,
}

impl Meter {
    /// Counts what is read as compressed bytes.
    pub fn count<R>(&self, input: R) -> Counted<R> {
        Counted { input, count: Arc::clone(&self.compressed) }
    }
}

pub struct Counted<R> {
    input: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.input.read(buf)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Fails with [`Reason::TooMuchDecompressed`] where its bounds end, and at every read after that.
pub struct Limited<R> {
    input: R,
    meter: Meter,
    bounds: Bounds,
}

impl<R> Limited<R> {
    pub fn new(input: R, meter: Meter, bounds: Bounds) -> Self {
        Limited { input, meter, bounds }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.meter.spent.load(Ordering::Relaxed) {
            return Err(Fault::error(Reason::TooMuchDecompressed, None));
        }
        let seen = self.meter.decompressed.load(Ordering::Relaxed);
        let left = self.bounds.decompressed_bytes.saturating_sub(seen);
        // At the bound one byte more tells a stream that ends there from one that goes on.
        let most = buf.len().min(usize::try_from(left.max(1)).unwrap_or(usize::MAX));
        let n = self.input.read(&mut buf[..most])?;
        let seen = self.meter.decompressed.fetch_add(n as u64, Ordering::Relaxed) + n as u64;
        let by_ratio = self.meter.compressed.load(Ordering::Relaxed).saturating_mul(self.bounds.ratio);
        if seen > self.bounds.decompressed_bytes || seen > by_ratio.max(FREE_BYTES) {
            self.meter.spent.store(true, Ordering::Relaxed);
            return Err(Fault::error(Reason::TooMuchDecompressed, None));
        }
        Ok(n)
    }
}

/// An error that our own readers raise, so that [`reason`] can tell it from damage.
#[derive(Debug)]
pub struct Fault {
    pub reason: Reason,
    /// Where in the reader's input, if the reader knows.
    pub offset_bytes: Option<u64>,
}

impl Fault {
    pub fn error(reason: Reason, offset_bytes: Option<u64>) -> std::io::Error {
        std::io::Error::other(Fault { reason, offset_bytes })
    }

    pub fn of(err: &std::io::Error) -> Option<&Fault> {
        err.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.offset_bytes {
            Some(at) => write!(f, "{} at byte {at}", self.reason.as_str()),
            None => f.write_str(self.reason.as_str()),
        }
    }
}

impl std::error::Error for Fault {}

/// A failed read inside a compressed stream is damage; the disk's own errors and those of our own
/// readers are told apart.
pub fn reason(err: &std::io::Error) -> Reason {
    match Fault::of(err) {
        Some(fault) => fault.reason,
        None if err.raw_os_error().is_some() => Reason::Unreadable,
        None => match err.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::NotFound => Reason::Unreadable,
            _ => Reason::DamagedCompression,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        to.write_all(text).unwrap();
        to.finish().unwrap()
    }

    fn bzip2(text: &[u8]) -> Vec<u8> {
        let mut to = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::best());
        to.write_all(text).unwrap();
        to.finish().unwrap()
    }

    fn xz(text: &[u8]) -> Vec<u8> {
        let mut to = liblzma::write::XzEncoder::new(Vec::new(), 6);
        to.write_all(text).unwrap();
        to.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        ::zstd::encode_all(text, 3).unwrap()
    }

    fn read(bytes: &[u8], bounds: Bounds) -> (Vec<u8>, Result<(), Reason>) {
        let mut out = Vec::new();
        let mut input = bounded(Box::new(bytes), Compression::of(bytes), bounds).unwrap();
        let end = input.read_to_end(&mut out).map(|_| ()).map_err(|err| reason(&err));
        (out, end)
    }

    type Pack = fn(&[u8]) -> Vec<u8>;
    const PACKS: [(Pack, Compression); 4] =
        [(gzip, Compression::Gzip), (zstd, Compression::Zstd), (bzip2, Compression::Bzip2), (xz, Compression::Xz)];

    #[test]
    fn several_streams_are_one() {
        for (pack, kind) in PACKS {
            let bytes = [pack(b"one\n"), pack(b""), pack(b"two\n")].concat();
            assert_eq!(Compression::of(&bytes[..HEAD_BYTES]), kind);
            assert_eq!(read(&bytes, Bounds::NONE), (b"one\ntwo\n".to_vec(), Ok(())), "{kind:?}");
            assert_eq!(Compression::of(&pack(b"")), kind);
        }
    }

    #[test]
    fn every_cut_inside_a_stream_is_damage() {
        let text: Vec<u8> = (0..500).flat_map(|i| format!("line {}\n", i * 7919 % 1000).into_bytes()).collect();
        for (pack, kind) in PACKS {
            let first = pack(&text);
            let bytes = [first.clone(), first.clone()].concat();
            for cut in (HEAD_BYTES..bytes.len()).filter(|cut| *cut != first.len()) {
                let (out, end) = read(&bytes[..cut], Bounds::NONE);
                assert_eq!(end, Err(Reason::DamagedCompression), "{kind:?} cut at {cut} of {}", bytes.len());
                assert!([text.clone(), text.clone()].concat().starts_with(&out));
            }
        }
    }

    #[test]
    fn skippable_frames_are_skipped() {
        let skippable = [0x5au8, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9];
        let bytes = [&skippable[..], &zstd(b"a"), &skippable, &zstd(b"b")].concat();
        assert_eq!(read(&bytes, Bounds::NONE), (b"ab".to_vec(), Ok(())));
    }

    #[test]
    fn long_windows_are_read() {
        let mut to = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        to.window_log(31).unwrap();
        to.write_all(b"far").unwrap();
        assert_eq!(read(&to.finish().unwrap(), Bounds::NONE), (b"far".to_vec(), Ok(())));
    }

    #[test]
    fn text_is_not_compressed() {
        for head in [&b"BZh1 is a word"[..], b"{\"a\":1}", b"", b"BZh9", b"\xfd7zXZ"] {
            assert_eq!(Compression::of(head), Compression::None);
        }
    }

    #[test]
    fn bounds_stop_a_bomb() {
        for (pack, kind) in PACKS {
            let bytes = pack(&[b'x'; 1000]);
            let bounds = |decompressed_bytes| Bounds { decompressed_bytes, ratio: 1 };
            assert_eq!(read(&bytes, bounds(1000)).1, Ok(()), "{kind:?}");
            let (out, end) = read(&bytes, bounds(999));
            assert_eq!((out.len(), end), (999, Err(Reason::TooMuchDecompressed)), "{kind:?}");
        }
        let bomb = zstd(&vec![0; 80 << 20]);
        let (out, end) = read(&bomb, Bounds { decompressed_bytes: u64::MAX, ratio: 1000 });
        assert_eq!(end, Err(Reason::TooMuchDecompressed));
        assert!(out.len() as u64 > FREE_BYTES - (1 << 20) && out.len() as u64 <= FREE_BYTES);
        assert_eq!(read(&bomb, Bounds { decompressed_bytes: u64::MAX, ratio: 1 << 20 }).1, Ok(()));
    }

    #[test]
    fn errors_of_the_disk_are_not_damage() {
        let cases = [
            (std::io::Error::from_raw_os_error(5), Reason::Unreadable),
            (std::io::ErrorKind::PermissionDenied.into(), Reason::Unreadable),
            (std::io::ErrorKind::UnexpectedEof.into(), Reason::DamagedCompression),
            (Fault::error(Reason::InvalidUtf16, Some(7)), Reason::InvalidUtf16),
        ];
        for (err, expected) in cases {
            assert_eq!(reason(&err), expected);
        }
    }
}
