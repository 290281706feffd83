//! Amazon's event streams: frames of headers and a payload, as recordings of HTTP hold them in hex
//! or base64.
//!
//! Source: Amazon Transcribe developer guide, "Event stream encoding". Not here: what the events of
//! a service say.
//!
//! Always: a stream is read whole or not at all. The sums in the frames are not looked at: a length
//! that is wrong, or a payload that is no text, tells a broken stream.

use super::super::media;

/// One frame.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// `chunk`, `messageStart` and the like; of an exception, its name.
    pub kind: String,
    pub payload: String,
    /// The service says that it failed.
    pub is_exception: bool,
}

/// Lengths of a frame, of its headers, and a sum of the two, all before the headers; another sum
/// ends the frame.
const PRELUDE: usize = 12;
const SUM: usize = 4;

/// The events of a stream; nothing if the text is none.
pub fn events(text: &str) -> Option<Vec<Event>> {
    let bytes = decoded(text)?;
    let mut rest = &bytes[..];
    let mut events = Vec::new();
    while !rest.is_empty() {
        let (length, headers) = (number(rest, 0)?, number(rest, 4)?);
        let frame = rest.get(..length)?;
        let body = PRELUDE.checked_add(headers)?;
        events.push(event(frame.get(PRELUDE..body)?, frame.get(body..length.checked_sub(SUM)?)?)?);
        rest = &rest[length..];
    }
    (!events.is_empty()).then_some(events)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    if text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        for pair in text.as_bytes().chunks_exact(2) {
            bytes.push(u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?);
        }
    } else {
        media::base64(text, &mut |piece| bytes.extend_from_slice(piece))?;
    }
    Some(bytes)
}

/// The four bytes at a place, the highest first.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(four)).ok()
}

fn event(mut headers: &[u8], payload: &[u8]) -> Option<Event> {
    let mut event =
        Event { kind: String::new(), payload: std::str::from_utf8(payload).ok()?.to_owned(), is_exception: false };
    while let Some((name, value)) = header(&mut headers)? {
        match name {
            ":event-type" | ":exception-type" | ":error-code" => event.kind = value.unwrap_or_default().to_owned(),
            ":message-type" => event.is_exception = value != Some("event"),
            _ => {}
        }
    }
    Some(event)
}

/// Takes the next header: its name and, if it is a text, its value.
fn header<'h>(headers: &mut &'h [u8]) -> Option<Option<(&'h str, Option<&'h str>)>> {
    const TEXT: u8 = 7;
    if headers.is_empty() {
        return Some(None);
    }
    let length = usize::from(take(headers, 1)?[0]);
    let name = std::str::from_utf8(take(headers, length)?).ok()?;
    let kind = take(headers, 1)?[0];
    let length = match kind {
        // True and false.
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        // A long number, a time.
        5 | 8 => 8,
        // Bytes, a text.
        6 | TEXT => {
            let length = take(headers, 2)?;
            usize::from(length[0]) << 8 | usize::from(length[1])
        }
        9 => 16,
        _ => return None,
    };
    let value = take(headers, length)?;
    let text = if kind == TEXT { Some(std::str::from_utf8(value).ok()?) } else { None };
    Some(Some((name, text)))
}

fn take<'h>(bytes: &mut &'h [u8], count: usize) -> Option<&'h [u8]> {
    let (first, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(first)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A stream of events in hex, without sums.
    pub fn hex(events: &[(&str, &str)]) -> String {
        let mut bytes = Vec::new();
        for (kind, payload) in events {
            let mut headers = Vec::new();
            for (name, value) in [(":event-type", *kind), (":message-type", "event")] {
                headers.push(name.len() as u8);
                headers.extend_from_slice(name.as_bytes());
                headers.extend_from_slice(&[7, 0, value.len() as u8]);
                headers.extend_from_slice(value.as_bytes());
            }
            let length = PRELUDE + headers.len() + payload.len() + SUM;
            bytes.extend_from_slice(&(length as u32).to_be_bytes());
            bytes.extend_from_slice(&(headers.len() as u32).to_be_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&headers);
            bytes.extend_from_slice(payload.as_bytes());
            bytes.extend_from_slice(&[0; 4]);
        }
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn frames_are_read_to_the_last_byte_or_not_at_all() {
        let text = hex(&[("chunk", "{}"), ("trace", "\u{e9}")]);
        let event = |kind: &str, payload: &str| Event {
            kind: kind.to_owned(),
            payload: payload.to_owned(),
            is_exception: false,
        };
        assert_eq!(events(&text), Some(vec![event("chunk", "{}"), event("trace", "\u{e9}")]));
        for broken in ["", "0000", "ffffffff00000000000000", &text[2..], &text[..text.len() - 2], "plain words", "AAAA"]
        {
            assert_eq!(events(broken), None, "{broken}");
        }
        assert_eq!(events(&text.replacen("07", "0b", 2)), None, "an unknown kind of header");
        for at in 0..text.len() / 2 {
            let mut twisted = text.clone();
            twisted.replace_range(2 * at..2 * at + 2, "ff");
            events(&twisted);
        }
    }
}
