//! A pipeline's own lists: values to leave alone, and values never to let through.
//!
//! Not here: reading their files (`config`).
//!
//! Always: an allowed value is left alone only if it is the whole finding; a denied one is found
//! wherever no letter or digit is glued to it; one pass over the text, however long the lists are.

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, MatchKind};

use super::detect::Span;
use super::kind::Kind;
use crate::config;

/// Values and domains that are left alone, in lower case.
#[derive(Debug, Default)]
pub struct Allow {
    values: HashSet<String>,
    domains: HashSet<String>,
}

impl Allow {
    pub fn new(written: &[String]) -> Result<Allow, String> {
        let mut allow = Allow::default();
        for entry in written {
            let lower = entry.trim().to_lowercase();
            match lower.strip_prefix("*.") {
                Some(domain) if domain.contains('.') && !domain.contains(['*', '@']) && !domain.starts_with('.') => {
                    allow.domains.insert(domain.to_owned());
                }
                None if !lower.is_empty() && !lower.contains('*') => {
                    allow.values.insert(lower);
                }
                _ => {
                    return Err(format!(
                        "redact.allow holds {entry:?}, expected a whole value (support@example.com) or a domain of at \
                         least two parts with all below it (*.example.com)"
                    ));
                }
            }
        }
        Ok(allow)
    }

    pub fn has(&self, kind: Kind, value: &str) -> bool {
        if self.values.is_empty() && self.domains.is_empty() {
            return false;
        }
        let value = value.to_lowercase();
        self.values.contains(&value) || (kind == Kind::Email && self.has_domain(&value))
    }

    fn has_domain(&self, address: &str) -> bool {
        let mut rest = address.rsplit('@').next();
        while let Some(domain) = rest {
            if self.domains.contains(domain) {
                return true;
            }
            rest = domain.split_once('.').map(|(_, above)| above);
        }
        false
    }
}

/// Lists of what must not stand in any text.
#[derive(Clone, Debug)]
pub struct Deny {
    values: AhoCorasick,
    /// The list of each value.
    lists: Vec<&'static str>,
}

impl Deny {
    /// Nothing if no list is named.
    pub fn new(lists: &[config::Deny]) -> Result<Option<Deny>, String> {
        let (mut values, mut names) = (Vec::new(), Vec::new());
        for list in lists {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
            if list.name.is_empty() || list.name.len() > 64 || !list.name.chars().all(fits) {
                return Err(format!("redact.deny.name is {:?}, expected 1 to 64 of a-z, 0-9, - and _", list.name));
            }
            if list.values.is_empty() {
                return Err(format!("redact.deny {} holds no values; name values or files", list.name));
            }
            // Rules are named by the program; these few are named by the pipeline, and are kept as
            // long: once for each redactor, not for each finding.
            let name: &'static str = String::leak(list.name.clone());
            for value in &list.values {
                let value = value.trim();
                if value.chars().count() < 2 {
                    return Err(format!("redact.deny {} holds a value of fewer than two characters", list.name));
                }
                // Other alphabets have no case that the search knows.
                for spelling in [value.to_owned(), value.to_lowercase(), value.to_uppercase()] {
                    values.push(spelling);
                    names.push(name);
                }
            }
        }
        if values.is_empty() {
            return Ok(None);
        }
        let built = AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(&values);
        let values = built.map_err(|err| format!("redact.deny is too long: {err}"))?;
        Ok(Some(Deny { values, lists: names }))
    }

    /// Adds what is found; `out` is no longer sorted.
    pub fn find(&self, text: &str, out: &mut Vec<Span>) {
        for hit in self.values.find_overlapping_iter(text) {
            if !glued(text, hit.start(), hit.end()) {
                out.push(Span {
                    start_byte: hit.start() as u32,
                    end_byte: hit.end() as u32,
                    kind: Kind::Custom,
                    rule: self.lists[hit.pattern().as_usize()],
                    rule_version: 1,
                    score: 1.0,
                });
            }
        }
    }
}

/// A letter or digit goes on beyond an end of the value that is one itself.
fn glued(text: &str, start: usize, end: usize) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let inside = (text[start..end].chars().next(), text[start..end].chars().next_back());
    word(inside.0) && word(text[..start].chars().next_back()) || word(inside.1) && word(text[end..].chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(written: &[&str]) -> Result<Allow, String> {
        Allow::new(&written.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn whole_values_and_domains_are_allowed() {
        let allow = allow(&["Support@Our.com", "*.corp.example.org", "+1 202 555 0173"]).unwrap();
        for (kind, value, expected) in [
            (Kind::Email, "support@our.com", true),
            (Kind::Email, "SUPPORT@OUR.COM", true),
            (Kind::Email, "xsupport@our.com", false),
            (Kind::Email, "jane@corp.example.org", true),
            (Kind::Email, "jane@mail.corp.example.org", true),
            (Kind::Email, "jane@evilcorp.example.org", false),
            (Kind::Email, "jane@corp.example.org.evil.com", false),
            (Kind::Email, "jane@example.org", false),
            (Kind::Password, "x.corp.example.org", false),
            (Kind::Phone, "+1 202 555 0173", true),
        ] {
            assert_eq!(allow.has(kind, value), expected, "{value}");
        }
    }

    #[test]
    fn entries_that_would_allow_too_much_are_refused() {
        for wrong in ["*", "*.com", "", " ", "a*@b.co", "*.a@b.co", "*..com"] {
            assert!(allow(&[wrong]).unwrap_err().contains("redact.allow"), "{wrong}");
        }
    }

    fn deny(values: &[&str]) -> Result<Option<Deny>, String> {
        let values = values.iter().map(|one| (*one).to_owned()).collect();
        Deny::new(&[config::Deny { name: "projects".into(), values, files: Vec::new() }])
    }

    #[test]
    fn denied_values_are_found_whole() {
        let deny = deny(&["acme", "Acme Corp", "Łódź plan", "#42"]).unwrap().unwrap();
        let found = |text: &str| {
            let mut spans = Vec::new();
            deny.find(text, &mut spans);
            super::super::detect::resolve(&mut spans);
            assert!(spans.iter().all(|span| span.rule == "projects" && span.kind == Kind::Custom));
            spans
                .iter()
                .map(|span| text[span.start_byte as usize..span.end_byte as usize].to_owned())
                .collect::<Vec<_>>()
        };
        for (text, expected) in [
            ("ACME corp and acme", &["ACME corp", "acme"][..]),
            ("acme corpse", &["acme"]),
            ("acmes pacme", &[]),
            ("der łódź plan, ŁÓDŹ PLAN", &["łódź plan", "ŁÓDŹ PLAN"]),
            ("no#42, #421 #42.", &["#42", "#42"]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn lists_that_make_no_sense_are_refused() {
        assert!(deny(&[]).unwrap_err().contains("redact.deny projects holds no values"));
        assert!(deny(&["x"]).unwrap_err().contains("fewer than two"));
        let named = config::Deny { name: "Not this".into(), values: vec!["xy".into()], files: Vec::new() };
        assert!(Deny::new(&[named]).unwrap_err().contains("redact.deny.name"));
        assert!(Deny::new(&[]).unwrap().is_none());
    }
}
