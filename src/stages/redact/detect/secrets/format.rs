//! One published shape of a secret: the words that announce it, its pattern, what is verified.
//!
//! Not here: the shapes themselves (`formats`); where in a text they are tried (`scan`).
//!
//! Always: a pattern is tried only where one of its words stands, over a bounded window, in linear
//! time; it is compiled when it is first needed, once.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::check::{Verdict, climbs, placeholder};
use crate::stages::redact::detect::Span;
use crate::stages::redact::detect::edge::varied;
use crate::stages::redact::kind::Kind;
use crate::stages::redact::rule::Rule;

/// How far a pattern sees; a token that reaches further goes on to the end of its row.
const WINDOW_BYTES: usize = 512;
/// How far before its word a value may begin, for words that stand inside of it.
const BEFORE_BYTES: usize = 100;

/// Where the word stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Place {
    /// The value begins with it.
    Head,
    /// Inside the value.
    Inside,
    /// In the name before the value: `DATADOG_API_KEY=`.
    Label,
}

pub(in super::super) struct Format {
    pub(super) rule: Rule,
    pub(super) place: Place,
    pub(super) words: &'static [&'static str],
    pattern: &'static str,
    /// Fewer different characters are a placeholder.
    distinct: u32,
    verdict: fn(&str) -> Verdict,
    options: Options,
    compiled: OnceLock<Option<Regex>>,
}

#[derive(Clone, Copy)]
struct Options {
    /// Letters may stand before it (`bot123:AA…`).
    glued: bool,
    /// Goes on to the end of its row of base64.
    grows: bool,
    needs_digit: bool,
    not_before: &'static [u8],
}

/// A value that begins with one of `words`.
pub(super) const fn token(
    id: &'static str,
    words: &'static [&'static str],
    pattern: &'static str,
    finds: &'static [&'static str],
    passes: &'static [&'static str],
) -> Format {
    Format {
        rule: Rule {
            id,
            version: 1,
            kind: Kind::ApiKey,
            country: "",
            score: 0.95,
            check: "variety; no placeholder",
            context: &[],
            source: "the provider's documentation; public lists of secret shapes (gitleaks.toml, MIT)",
            finds,
            passes,
        },
        place: Place::Head,
        words,
        pattern,
        distinct: 8,
        verdict: |_| Verdict::Plain,
        options: Options { glued: false, grows: false, needs_digit: false, not_before: b"" },
        compiled: OnceLock::new(),
    }
}

/// A value that has one of `words` somewhere inside.
pub(super) const fn inside(
    id: &'static str,
    words: &'static [&'static str],
    pattern: &'static str,
    finds: &'static [&'static str],
    passes: &'static [&'static str],
) -> Format {
    let mut format = token(id, words, pattern, finds, passes);
    format.place = Place::Inside;
    format
}

/// A value without a mark of its own, behind a name that holds one of `words` (lower case) and
/// says that it is a key.
pub(super) const fn labelled(
    id: &'static str,
    words: &'static [&'static str],
    pattern: &'static str,
    finds: &'static [&'static str],
    passes: &'static [&'static str],
) -> Format {
    let mut format = token(id, words, pattern, finds, passes);
    format.place = Place::Label;
    format.rule.score = 0.9;
    format.rule.context = words;
    format.rule.check = "variety; behind a name that says key, token or secret";
    format
}

impl Format {
    pub(super) const fn kind(mut self, kind: Kind) -> Format {
        self.rule.kind = kind;
        self
    }

    pub(super) const fn score(mut self, score: f32) -> Format {
        self.rule.score = score;
        self
    }

    pub(super) const fn distinct(mut self, distinct: u32) -> Format {
        self.distinct = distinct;
        self
    }

    pub(super) const fn proved_by(mut self, verdict: fn(&str) -> Verdict, check: &'static str) -> Format {
        self.verdict = verdict;
        self.rule.check = check;
        self
    }

    pub(super) const fn glued(mut self) -> Format {
        self.options.glued = true;
        self
    }

    pub(super) const fn grows(mut self) -> Format {
        self.options.grows = true;
        self
    }

    pub(super) const fn needs_digit(mut self) -> Format {
        self.options.needs_digit = true;
        self
    }

    pub(super) const fn not_followed_by(mut self, bytes: &'static [u8]) -> Format {
        self.options.not_before = bytes;
        self
    }

    fn regex(&self) -> Option<&Regex> {
        let compile = || {
            let anchor = if self.place == Place::Inside { "" } else { r"\A" };
            let pattern = format!("{anchor}(?:{})", self.pattern);
            // Every pattern compiles: a test tries them all.
            RegexBuilder::new(&pattern).unicode(false).build().ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }

    /// The value whose word stands at `at` (for a label: the value that begins there).
    pub(super) fn find(&self, text: &str, at: usize) -> Option<Span> {
        let bytes = text.as_bytes();
        let from = if self.place == Place::Inside { at.saturating_sub(BEFORE_BYTES) } else { at };
        let to = bytes.len().min(at + WINDOW_BYTES);
        let found = self.regex()?.captures(&bytes[from..to])?;
        let (whole, value) = (found.get(0)?, found.get(1).or(found.get(0))?);
        let (mut start, mut end) = (from + value.start(), from + value.end());
        let value = text.get(start..end)?;
        if from + whole.start() > at || !self.is_real(value) {
            return None;
        }
        if self.options.grows {
            start -= bytes[..start].iter().rev().take_while(|byte| row(**byte)).count();
        }
        if self.options.grows || end == to {
            end += bytes[end..].iter().take_while(|byte| row(**byte)).count();
        }
        let first = if self.options.grows { start } else { from + whole.start() };
        let fits = (self.options.glued || begins(text, first)) && ends(bytes, end, self.options.not_before);
        fits.then(|| self.span(value, start, end))
    }

    fn is_real(&self, value: &str) -> bool {
        match (self.verdict)(value) {
            Verdict::Proven => true,
            Verdict::Wrong => false,
            Verdict::Plain => {
                varied(value.as_bytes(), self.distinct)
                    && !placeholder(value)
                    && !climbs(value)
                    && (!self.options.needs_digit || value.bytes().skip(3).any(|byte| byte.is_ascii_digit()))
            }
        }
    }

    fn span(&self, value: &str, start: usize, end: usize) -> Span {
        let span = self.rule.at(start, end);
        let proven = (self.verdict)(value) == Verdict::Proven;
        Span { score: if proven { span.score.max(0.99) } else { span.score }, ..span }
    }

    /// What it looks for, in one string: no two rows may be the same.
    #[cfg(test)]
    pub(super) fn shape(&self) -> String {
        format!("{:?} {} {}", self.words, self.pattern, self.place == Place::Label)
    }

    #[cfg(test)]
    pub(super) fn compiles(&self) -> bool {
        self.regex().is_some()
    }
}

/// Bytes of long tokens.
fn row(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'=' | b'/' | b'+')
}

/// No word runs into it. Escapes that end in letters or digits (`%3D`, `\u003d`, `\x3d`, `\n`)
/// are not words.
fn begins(text: &str, at: usize) -> bool {
    let before = &text.as_bytes()[..at];
    let hex = |len: usize| before.len() > len && before[before.len() - len..].iter().all(u8::is_ascii_hexdigit);
    let sign = |back: usize, sign: u8| before.len() >= back && before[before.len() - back] == sign;
    !super::edge::glued_before(text, at)
        || (hex(2) && sign(3, b'%'))
        || (hex(2) && sign(3, b'x') && sign(4, b'\\'))
        || (hex(4) && sign(5, b'u') && sign(6, b'\\'))
}

fn ends(bytes: &[u8], end: usize, not_before: &[u8]) -> bool {
    bytes.get(end).is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'_' && !not_before.contains(next))
}
