//! HH transcripts: `\n\nHuman: …\n\nAssistant: …` in one string (Bai et al. 2022, arXiv 2204.05862).

use super::Reason;
use crate::record::{Message, Role};

const MARKS: [(&str, Role); 2] = [("\n\nHuman:", Role::User), ("\n\nAssistant:", Role::Assistant)];

/// The messages of one transcript. Text before the first mark makes it no transcript.
pub(super) fn messages(transcript: &str) -> Result<Vec<Message>, Reason> {
    let mut messages = Vec::new();
    let mut rest = transcript;
    let (mut role, at) = next_mark(rest).ok_or(Reason::BadShape)?;
    if !rest[..at.0].trim().is_empty() {
        return Err(Reason::BadShape);
    }
    rest = &rest[at.1..];
    loop {
        let next = next_mark(rest);
        let end = next.map_or(rest.len(), |(_, at)| at.0);
        messages.push(Message::text(role, rest[..end].trim()));
        let Some((next_role, at)) = next else { return Ok(messages) };
        role = next_role;
        rest = &rest[at.1..];
    }
}

/// The first mark: whose it is, where it begins and ends.
fn next_mark(text: &str) -> Option<(Role, (usize, usize))> {
    MARKS
        .iter()
        .filter_map(|(mark, role)| {
            memchr::memmem::find(text.as_bytes(), mark.as_bytes()).map(|at| (*role, (at, at + mark.len())))
        })
        .min_by_key(|(_, at)| at.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transcripts() {
        let got = messages("\n\nHuman: hi\n\nAssistant: hello\nthere\n\nHuman: bye\n\nAssistant:").unwrap();
        let roles: Vec<_> = got.iter().map(|m| (m.role, m.content.as_str())).collect();
        let (user, assistant) = (Role::User, Role::Assistant);
        assert_eq!(roles, [(user, "hi"), (assistant, "hello\nthere"), (user, "bye"), (assistant, "")]);
        assert_eq!(messages("no marks"), Err(Reason::BadShape));
        assert_eq!(messages("before\n\nHuman: x"), Err(Reason::BadShape));
    }
}
