//! Compression, told by the first bytes and never by the name.

use std::io::{BufReader, Read};

use serde::{Deserialize, Serialize};

use super::Reason;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    pub fn of(head: &[u8]) -> Compression {
        match head {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            _ => Compression::None,
        }
    }
}

/// The first words of a git-LFS pointer file (git-lfs specification, "The Pointer").
pub const LFS_HEAD: &[u8] = b"version https://git-lfs";

/// Reads the decompressed stream; several gzip members or zstd frames in a row are one stream.
pub fn reader<'a>(
    input: Box<dyn Read + Send + 'a>,
    compression: Compression,
) -> std::io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match compression {
        Compression::None => input,
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(1 << 18, input))),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(input)?;
            // 2^31 is the largest window a 64-bit zstd accepts (`--long=31`).
            decoder.window_log_max(31)?;
            Box::new(decoder)
        }
    })
}

/// A failed read inside a compressed stream is damage; the disk's own errors are told apart.
pub(super) fn reason(err: &std::io::Error) -> Reason {
    match err.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::NotFound => Reason::Unreadable,
        _ => Reason::DamagedCompression,
    }
}
