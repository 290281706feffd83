//! What gives itself away by its form: the plain search of the gate over one text.
//!
//! Not here: disguises (`decode`), what redaction itself writes (`mod`), values of the ledger.
//!
//! Always: linear in the text: marks (`@`, digits, beginnings of keys) are looked for in all of it,
//! everything else only around one.

use std::ops::Range;

use regex::Regex;

use super::number::Numbers;
use super::secret::Secrets;
use crate::stages::redact::Kind;

/// Something that looks like a value. Bytes, half-open, on character boundaries.
pub struct Hit {
    pub place: Range<usize>,
    pub kind: Kind,
    pub name: &'static str,
}

pub struct Patterns {
    numbers: Numbers,
    secrets: Secrets,
    mail: Regex,
}

/// Not top-level domains, but what follows the last dot in `icon@2x.png`.
const FILES: [&str; 22] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "json", "html", "htm", "txt", "exe", "pdf", "xml",
    "zip", "git", "jar", "conf", "log", "local",
];

impl Patterns {
    pub fn new(regions: &[String]) -> Result<Patterns, String> {
        let mail =
            r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}";
        let mail = Regex::new(mail).map_err(|err| err.to_string())?;
        Ok(Patterns { numbers: Numbers::new(regions)?, secrets: Secrets::new()?, mail })
    }

    pub fn find(&self, text: &str, add: &mut dyn FnMut(Hit)) {
        self.mails(text, add);
        self.numbers.find(text, add);
        self.secrets.find(text, add);
    }

    fn mails(&self, text: &str, add: &mut dyn FnMut(Hit)) {
        const LOCAL_MAX: usize = 64;
        const DOMAIN_MAX: usize = 255;
        let mut free = 0;
        for at in memchr::memchr_iter(b'@', text.as_bytes()) {
            let from = text.ceil_char_boundary(at.saturating_sub(LOCAL_MAX).max(free));
            let to = text.floor_char_boundary((at + DOMAIN_MAX).min(text.len()));
            let Some(hit) = self.mail.find(&text[from.min(at)..to]).filter(|hit| from + hit.start() < at) else {
                continue;
            };
            let place = from + hit.start()..from + hit.end();
            if !place.contains(&at) {
                continue;
            }
            free = place.end;
            let ending = hit.as_str().rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
            // `git@github.com:org/repo`, `user@host` of a shell prompt's path.
            let host = text[place.end..].starts_with(':') && hit.as_str().starts_with("git@");
            let more = text[place.end..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '('));
            if !FILES.contains(&ending.as_str()) && !host && !more {
                add(Hit { place, kind: Kind::Email, name: "email" });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let (patterns, mut hits) = (Patterns::new(&[]).unwrap(), Vec::new());
        patterns.mails(text, &mut |hit| hits.push(text[hit.place].to_owned()));
        hits
    }

    #[test]
    fn mail_addresses_are_found_and_look_alikes_are_not() {
        for (text, mails) in [
            ("jane.doe+x@mail.corp.com, <bob@corp.de>.", &["jane.doe+x@mail.corp.com", "bob@corp.de"][..]),
            (r#"{"to":"jane@corp.co.uk"}"#, &["jane@corp.co.uk"]),
            ("é@corp.com jane@é.com", &[]),
            ("icon@2x.png git@github.com:org/repo lodash@4.17.21 user@localhost @ a@b", &[]),
            ("[EMAIL:k7f3a9q2]@corp.com", &[]),
            ("@@@@@@@@ a@@b.com", &[]),
        ] {
            assert_eq!(found(text), mails, "{text}");
        }
    }
}
