//! Secrets: keys, tokens, passwords. Two cheap gates run over the whole text, for rows that a
//! token could be and for stems of names; all else happens around their hits.
//!
//! Not here: whether a credential still works (asking would send it out).
//!
//! Always: only the secret itself is covered, not its name; where two rules find in one place the
//! surer one stays; the work is linear in the text.

mod address;
mod check;
mod clues;
mod format;
mod formats;
mod grammar;
mod label;
mod name;
mod pairs;
mod scan;
mod sealed;
pub(in super::super) mod seed;
#[cfg(test)]
mod tests;
mod value;
mod words;

use super::{Kind, Rule, Span, edge};
use crate::stages::redact::glance::Glance;

/// All rules of secrets.
pub(super) fn rules() -> impl Iterator<Item = &'static Rule> {
    let few: [&'static [&'static Rule]; 6] =
        [&pairs::RULES, &sealed::RULES, &seed::RULES, &address::RULES, &grammar::RULES, &label::RULES];
    few.into_iter().flatten().copied().chain(formats::all().map(|format| &format.rule))
}

pub(super) struct Secrets {
    wanted: Vec<Kind>,
}

impl Secrets {
    pub(super) fn new(enabled: impl Fn(Kind) -> bool) -> Result<Secrets, String> {
        scan::ready()?;
        clues::ready()?;
        let wanted = Kind::ALL.iter().copied().filter(|kind| kind.is_secret() && enabled(*kind)).collect();
        Ok(Secrets { wanted })
    }

    pub(super) fn find(&self, text: &str, glance: Glance, out: &mut Vec<Span>) {
        if self.wanted.is_empty() {
            return;
        }
        let mut found = Vec::new();
        scan::tokens(text, &mut found);
        clues::find(text, glance, &mut found);
        found.retain(|span| self.wanted.contains(&span.kind));
        if found.len() > 1 {
            surest(&mut found);
        }
        out.append(&mut found);
    }
}

/// Of findings in one place keeps the surest, whatever its length: a label covers the dot behind a
/// token, a row the quote. Whole keys go before what stands in them.
fn surest(found: &mut Vec<Span>) {
    found.sort_by(|a, b| {
        (b.kind == Kind::PrivateKey)
            .cmp(&(a.kind == Kind::PrivateKey))
            .then(b.score.total_cmp(&a.score))
            .then((b.end_byte - b.start_byte).cmp(&(a.end_byte - a.start_byte)))
            .then(a.start_byte.cmp(&b.start_byte))
    });
    let mut kept: std::collections::BTreeMap<u32, Span> = std::collections::BTreeMap::new();
    for span in found.drain(..) {
        let left = kept.range(..span.end_byte).next_back();
        if left.is_none_or(|(_, left)| left.end_byte <= span.start_byte) {
            kept.insert(span.start_byte, span);
        }
    }
    found.extend(kept.into_values());
}

/// How many bytes from `at` belong to the class.
fn run(text: &str, at: usize, class: impl Fn(u8) -> bool) -> usize {
    text.as_bytes()[at..].iter().take_while(|byte| class(**byte)).count()
}

fn url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}
