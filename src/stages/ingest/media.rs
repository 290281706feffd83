//! Images, sounds, films and files in messages: the placeholder that stands for each, such as
//! `[image image/png 12345B blake3_0123456789abcdef]`.
//!
//! Kind, media type, size of the bytes, and the first 64 bits of their BLAKE3 hash, as far as the
//! log holds them; bytes that cannot be decoded have the type `invalid` and are counted as they
//! stand. The hash has no key, so that equal images are told equal in every project and by readers
//! of a release; that lets anybody test a guess, which for pictures and sounds is no harm. Text
//! could be guessed, so files of text get no hash.
//!
//! Size and hash are glued to a letter and an underscore: redaction takes digits that run into a
//! word for no card, phone number or account, so a placeholder survives it whatever its digits.
//!
//! Always: no copy of the bytes is made; an address is not part of the placeholder, because it may
//! hold secrets: it stays in what is left of the part, which goes to the metadata.

use std::borrow::Cow;

use super::tree::Json;

/// An image, a sound, a film or a file that a part of a message holds.
#[derive(Debug)]
pub struct Medium<'p, 'a> {
    kind: &'static str,
    media_type: Option<String>,
    payload: Option<&'p str>,
    /// What the part says besides; not its bytes.
    pub left: Entries<'a>,
}

type Entries<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

/// Types of parts that are media, in all dialects.
const PARTS: [&str; 21] = [
    "image_url",
    "image",
    "input_image",
    "output_image",
    "image_file",
    "input_audio",
    "output_audio",
    "audio",
    "audio_url",
    "input_video",
    "video",
    "video_url",
    "file",
    "input_file",
    "document",
    "container_upload",
    "media",
    "blob",
    "uri",
    "inline_data",
    "file_data",
];

/// Keys of Gemini's parts, which have no type.
const UNTYPED: [&str; 4] = ["inline_data", "inlineData", "file_data", "fileData"];

/// Keys behind which an object may hold the medium, or a text be it.
const HOLDERS: [&str; 14] = [
    "image_url",
    "input_audio",
    "image",
    "audio",
    "video",
    "video_url",
    "audio_url",
    "file",
    "source",
    "document",
    "inline_data",
    "inlineData",
    "file_data",
    "fileData",
];
const BYTES: [&str; 4] = ["data", "base64", "b64_json", "url"];
const TYPES: [&str; 5] = ["media_type", "mime_type", "mediaType", "mimeType", "format"];

/// Objects nest at most so deep around the bytes (OpenInference: `image.image.url`).
const DEPTH: u32 = 4;

impl<'p, 'a> Medium<'p, 'a> {
    /// The medium of a part; nothing if the part is none.
    pub fn of(part: &'p Json<'a>) -> Option<Medium<'p, 'a>> {
        let entries = part.entries()?;
        let kind = part.text_of("type");
        let typed = kind.filter(|kind| PARTS.contains(kind));
        if typed.is_none() && (kind.is_some() || !UNTYPED.iter().any(|key| part.get(key).is_some())) {
            return None;
        }
        let mut found = Medium { kind: "file", media_type: None, payload: None, left: Vec::new() };
        let is_blob = kind == Some("blob");
        let left = found.walk(entries, is_blob, DEPTH);
        found.left = left.into_iter().filter(|(key, _)| key != "type").collect();
        let of_type = found.media_type.as_deref().and_then(|of| of.split('/').next());
        let told = [typed, part.text_of("modality"), of_type];
        let kinds = ["image", "audio", "video"];
        let kind = told.into_iter().flatten().find_map(|told| kinds.into_iter().find(|kind| told.contains(kind)));
        found.kind = kind.unwrap_or("file");
        Some(found)
    }

    /// Bytes that stand in a log outside of a part, as base64.
    pub fn bare(kind: &'static str, base64: Option<&'p str>) -> Medium<'p, 'a> {
        Medium { kind, media_type: None, payload: base64, left: Vec::new() }
    }

    /// Takes the bytes and their type; gives back all else.
    fn walk(&mut self, entries: &'p [(Cow<'a, str>, Json<'a>)], is_blob: bool, depth: u32) -> Entries<'a> {
        // Anthropic's documents of plain text say so; the text stays where redaction sees it.
        let is_text = entries.iter().any(|(key, value)| key == "type" && value.text() == Some("text"));
        let mut left = Vec::new();
        for (key, value) in entries.iter().filter(|(_, value)| *value != Json::Null) {
            let name = key.as_ref();
            let is_bytes = BYTES.contains(&name) || (is_blob && name == "content");
            match value {
                Json::Text(text) if TYPES.contains(&name) && self.media_type.is_none() => match media_type(text) {
                    Some(known) => self.media_type = Some(known),
                    None => left.push((key.clone(), value.clone())),
                },
                Json::Text(text) if !is_text && (is_bytes || HOLDERS.contains(&name)) => {
                    let is_name = name.ends_with("url") || ["source", "document", "file"].contains(&name);
                    let is_inline = text.starts_with("data:") || !(is_name || is_address(text));
                    if self.payload.is_none() && is_inline {
                        self.payload = Some(text.as_ref());
                    } else {
                        left.push((key.clone(), value.clone()));
                    }
                }
                Json::Object(inner) if depth > 0 && HOLDERS.contains(&name) => {
                    let inner = self.walk(inner, is_blob, depth - 1);
                    if inner.iter().any(|(key, _)| key != "type") {
                        left.push((key.clone(), Json::Object(inner)));
                    }
                }
                _ => left.push((key.clone(), value.clone())),
            }
        }
        left
    }

    /// What stands for it in the text.
    pub fn placeholder(&self) -> String {
        let payload = self.payload.map(Payload::of);
        let own = payload.as_ref().and_then(|payload| payload.media_type.clone());
        let whole = |of: String| if of.contains('/') { of } else { format!("{}/{of}", self.kind) };
        let media_type = own.or_else(|| self.media_type.clone()).map(whole);
        let mut words = vec![self.kind.to_owned()];
        let read = payload.map(|payload| payload.read());
        match &read {
            Some(Read { valid: false, .. }) => words.push("invalid".to_owned()),
            _ => words.extend(media_type.clone()),
        }
        if let Some(Read { bytes, hash, .. }) = read {
            words.push(format!("{bytes}B"));
            if !media_type.is_some_and(|of| is_text(&of)) {
                words.push(format!("blake3_{}", &hash.to_hex()[..16]));
            }
        }
        format!("[{}]", words.join(" "))
    }
}

/// A media type without its parameters, or a bare format (`wav`); nothing if it is neither.
fn media_type(text: &str) -> Option<String> {
    const LONGEST: usize = 80;
    let name = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"/.+-".contains(&c);
    (!name.is_empty() && name.len() <= LONGEST && name.bytes().all(fits)).then_some(name)
}

/// Types whose bytes are text that somebody may guess.
fn is_text(of: &str) -> bool {
    let named = |application: &str| ["json", "xml", "yaml", "csv"].iter().any(|name| application.ends_with(name));
    of.starts_with("text/") || of.strip_prefix("application/").is_some_and(named)
}

/// An address, or a name for bytes that lie elsewhere (`@@@langfuseMedia:…@@@`).
fn is_address(text: &str) -> bool {
    text.is_empty() || text.contains("://") || text.starts_with("@@@")
}

/// Bytes as a log writes them: base64, alone or in a `data:` URL.
struct Payload<'p> {
    media_type: Option<String>,
    text: &'p str,
    is_base64: bool,
}

/// What the bytes are, read without keeping them.
struct Read {
    bytes: u64,
    hash: blake3::Hash,
    valid: bool,
}

impl<'p> Payload<'p> {
    fn of(text: &'p str) -> Payload<'p> {
        let Some((head, data)) = text.strip_prefix("data:").and_then(|url| url.split_once(',')) else {
            return Payload { media_type: None, text, is_base64: true };
        };
        Payload { media_type: media_type(head), text: data, is_base64: head.ends_with(";base64") }
    }

    fn read(&self) -> Read {
        let mut hasher = blake3::Hasher::new();
        let mut feed = |piece: &[u8]| {
            hasher.update(piece);
        };
        let decoded = if self.is_base64 { base64(self.text, &mut feed) } else { percent(self.text, &mut feed) };
        match decoded {
            Some(bytes) => Read { bytes, hash: hasher.finalize(), valid: true },
            None => Read { bytes: self.text.len() as u64, hash: blake3::hash(self.text.as_bytes()), valid: false },
        }
    }
}

/// Hands on what base64 says, piece by piece; its length, or nothing if it is no base64.
/// Both alphabets, with line ends and without padding too.
pub fn base64(text: &str, feed: &mut impl FnMut(&[u8])) -> Option<u64> {
    let (mut piece, mut filled, mut bytes) = ([0u8; 3 << 10], 0, 0u64);
    let (mut bits, mut sextets, mut padding) = (0u32, 0, 0);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                padding += 1;
                continue;
            }
            b'\r' | b'\n' | b' ' => continue,
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        bits = bits << 6 | u32::from(six);
        sextets += 1;
        if sextets == 4 {
            piece[filled..filled + 3].copy_from_slice(&bits.to_be_bytes()[1..]);
            (bits, sextets, filled) = (0, 0, filled + 3);
            if filled == piece.len() {
                feed(&piece);
                (bytes, filled) = (bytes + filled as u64, 0);
            }
        }
    }
    feed(&piece[..filled]);
    // What is left over of the last four.
    let tail = match (sextets, padding) {
        (0, 0) => 0,
        (2, 0 | 2) => 1,
        (3, 0 | 1) => 2,
        _ => return None,
    };
    feed(&(bits << (6 * (4 - sextets))).to_be_bytes()[1..1 + tail]);
    let bytes = bytes + (filled + tail) as u64;
    (bytes > 0).then_some(bytes)
}

/// The same for the text of a `data:` URL that is not base64.
fn percent(text: &str, feed: &mut impl FnMut(&[u8])) -> Option<u64> {
    let mut bytes = 0;
    for (at, part) in text.split('%').enumerate() {
        let plain = if at == 0 {
            part
        } else {
            let byte = u8::from_str_radix(part.get(..2)?, 16).ok()?;
            feed(&[byte]);
            bytes += 1;
            &part[2..]
        };
        feed(plain.as_bytes());
        bytes += plain.len() as u64;
    }
    Some(bytes)
}

#[cfg(test)]
#[path = "media_tests.rs"]
pub mod tests;
