//! Redacts one string: finds, writes what the policy wants in place of it, and looks again at what
//! it wrote.
//!
//! Not here: which fields of a record are redacted (`conversation`), JSON (`json`), what is written
//! (`write`).
//!
//! Always: what comes out holds no value that was found, anywhere, unless its action keeps it or
//! shows a part of it; a second redaction of it changes nothing; text in which nothing is found is
//! handed back as it is, without a copy.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::action::Action;
use super::detect::model::Model;
use super::detect::{Detector, Span, names, resolve_by};
use super::kind::{Group, Kind};
use super::memo::{self, Owner};
use super::mentions::is_full;
use super::policy::Policy;
use super::refusal::Refusal;
use super::vault::Sealed;
use super::view;
use super::write::{Output, Writer};
use crate::record::{Id, ProjectKey};

/// Replacing one value can lay bare another (a number beside a number). Every round finds at
/// least one more; texts that need a third are adversarial.
const ROUNDS_MAX: usize = 16;

/// From this round on only tokens are written: they take part in nothing that is found.
const OPAQUE_ROUND: usize = 4;

/// What the ledger keeps of a finding: never the value, never a part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub field: String,
    /// In the string before redaction (in JSON: the unescaped string).
    pub start_byte: u32,
    pub end_byte: u32,
    /// What stands in its place, in the redacted string; nothing where its message was dropped.
    pub output: Option<(u32, u32)>,
    pub kind: Kind,
    pub rule: &'static str,
    pub rule_version: u16,
    pub score: f32,
    pub action: Action,
    pub value_hash: Id,
    /// For the vault, if there is one.
    pub sealed: Option<Box<Sealed>>,
}

impl Finding {
    pub(super) fn span(&self) -> Span {
        let Finding { start_byte, end_byte, kind, rule, rule_version, score, .. } = *self;
        Span { start_byte, end_byte, kind, rule, rule_version, score }
    }
}

/// Immutable, and cheap to clone: what it is made of is shared.
#[derive(Clone)]
pub struct Redactor {
    detector: Arc<Detector>,
    writer: Arc<Writer>,
    /// Of what is remembered of texts.
    owner: Owner,
    /// What the texts at hand belong to.
    conversation: Id,
}

impl Redactor {
    pub fn new(
        policy: Policy,
        phone_regions: &[String],
        model: Option<Model>,
        key: &ProjectKey,
        vault: bool,
    ) -> Result<Redactor, String> {
        let detector = Detector::new(&policy.kinds(), phone_regions)?
            .with_floors(policy.floors())
            .with_deny(policy.deny().cloned())
            .with_model(model)
            .with_kept(policy.kept());
        let writer = Writer::new(policy, phone_regions, key, vault)?;
        let (detector, writer) = (Arc::new(detector), Arc::new(writer));
        Ok(Redactor { detector, writer, owner: Owner::new(), conversation: Id([0; 16]) })
    }

    /// The same for texts of a conversation.
    pub fn within(&self, conversation: Id) -> Redactor {
        Redactor { conversation, ..self.clone() }
    }

    pub fn policy(&self) -> &Policy {
        &self.writer.policy
    }

    /// See [`Writer::tokens`].
    pub fn tokens(&self, kind: Kind, value: &str, conversation: Id) -> Vec<String> {
        self.writer.tokens(kind, value, conversation)
    }

    /// What is found and has to be answered, in the order of the text. `known` lies in it, too. A
    /// model that fails refuses the text, here and wherever texts are searched.
    pub(super) fn find(&self, text: &str, known: Vec<view::Hit>) -> Result<Vec<Hit>, Refusal> {
        match known.is_empty() {
            true => memo::found(self.owner, text, || self.search(text, known)),
            false => self.search(text, known),
        }
    }

    fn search(&self, text: &str, known: Vec<view::Hit>) -> Result<Vec<Hit>, Refusal> {
        let parts: Vec<Range<u32>> = known.iter().map(|hit| hit.span.start_byte..hit.span.end_byte).collect();
        let mut spans = Vec::new();
        let narrow = |text: &str, out: &mut Vec<Span>| self.policy().filter(text, out);
        let decoded = self.detector.find_by(&narrow, text, known, &mut spans)?;
        if spans.is_empty() {
            return Ok(Vec::new());
        }
        let mut values: HashMap<u32, String> = decoded.into_iter().map(|one| (one.start_byte, one.value)).collect();
        let part = |span: &Span| parts.iter().any(|part| part.start < span.end_byte && span.start_byte < part.end);
        let hit = |span: Span| Hit { value: values.remove(&span.start_byte), part: part(&span), ..Hit::of(span) };
        Ok(spans.into_iter().map(hit).collect())
    }

    /// `field` names the string in findings; it is asked only when something is found.
    pub fn redact_text<'a>(
        &self,
        field: &dyn Fn() -> String,
        text: &'a str,
        findings: &mut Vec<Finding>,
    ) -> Result<Cow<'a, str>, Refusal> {
        let hits = self.find(text, Vec::new())?;
        self.replace(field, text, hits, findings)
    }

    /// The value at the end of one text that goes on at the beginning of the next: its part in
    /// each. Spaces at the cut go with it.
    pub(super) fn across(&self, before: &str, after: &str) -> Option<(view::Hit, view::Hit)> {
        let (head, rest) = (before.trim_end(), after.trim_start());
        let found = self.detector.find_across(&|text, out| self.policy().filter(text, out), head, rest)?;
        if self.keeps(&found.span) {
            return None;
        }
        let part = |place: Range<usize>| view::Hit::new(found.span, place, &found.value);
        let left = part(head.len() - found.before_bytes..before.trim_end_matches('\n').len());
        let start = after.len() - rest.len();
        let from = after[..start].trim_end_matches(' ').len();
        Some((left, part(from..start + found.after_bytes)))
    }

    /// A name of a place, a group or a firm may begin at the end of one text and end at the beginning of
    /// the next.
    pub(super) fn may_cut_name(&self, before: &str, after: &str) -> bool {
        self.detector.wants_names_of_all() && view::may_be_name(before, after)
    }

    /// What is found in a value that stands under a name: `"ssn": "…"` says more than the value alone.
    pub(super) fn find_labelled(&self, label: &str, text: &str, known: Vec<view::Hit>) -> Result<Vec<Hit>, Refusal> {
        /// Longer ones are prose and carry their own context.
        const VALUE_MAX_BYTES: usize = 64;
        let mut hits = self.find(text, known)?;
        if let Some(span) = self.detector.labelled_name(label, text) {
            let mut name = vec![span];
            self.policy().filter(text, &mut name);
            hits.extend(name.into_iter().map(Hit::of));
            resolve_by(&mut hits, |hit| &hit.span);
        }
        let told = hits.is_empty()
            && (3..=VALUE_MAX_BYTES).contains(&text.len())
            && !label.is_empty()
            && label.len() <= VALUE_MAX_BYTES
            && text.bytes().any(|byte| byte.is_ascii_digit() || !byte.is_ascii());
        if told {
            let line = format!("{label}: {text}");
            let offset_bytes = (label.len() + 2) as u32;
            hits = self.find(&line, Vec::new())?;
            hits.retain_mut(|Hit { span, .. }| {
                let inside = span.start_byte >= offset_bytes;
                if inside {
                    (span.start_byte, span.end_byte) = (span.start_byte - offset_bytes, span.end_byte - offset_bytes);
                }
                inside
            });
        }
        Ok(hits)
    }

    /// See `json`.
    pub fn redact_json<'a>(
        &self,
        field: &dyn Fn() -> String,
        json: &'a str,
        findings: &mut Vec<Finding>,
    ) -> Result<Cow<'a, str>, Refusal> {
        super::json::redact(self, field, json, findings)
    }

    /// Writes what the policy wants in place of hits, and of what is found when they are gone.
    pub(super) fn replace<'a>(
        &self,
        field: &dyn Fn() -> String,
        text: &'a str,
        mut hits: Vec<Hit>,
        findings: &mut Vec<Finding>,
    ) -> Result<Cow<'a, str>, Refusal> {
        if hits.is_empty() {
            return Ok(Cow::Borrowed(text));
        }
        let mut written = Written::of(self, text, &hits);
        for round in 0..ROUNDS_MAX {
            let mut more = self.find(&written.text, Vec::new())?;
            let mut changed = written.to_source(&mut more, &mut hits);
            written.repeats(text, &hits, &mut more);
            changed |= self.merge(&mut hits, more);
            if !changed {
                break;
            }
            if round >= OPAQUE_ROUND {
                hits.iter_mut().for_each(|hit| hit.opaque = true);
            }
            written = Written::of(self, text, &hits);
        }
        let field = field();
        findings.extend(hits.iter().zip(written.outputs).map(|(Hit { span, .. }, (at, output))| Finding {
            field: field.clone(),
            start_byte: span.start_byte,
            end_byte: span.end_byte,
            output: Some((at as u32, (at + output.text.len()) as u32)),
            kind: span.kind,
            rule: span.rule,
            rule_version: span.rule_version,
            score: span.score,
            action: self.policy().action(span.kind),
            value_hash: output.value_hash,
            sealed: output.sealed,
        }));
        Ok(match written.text == text {
            true => Cow::Borrowed(text),
            false => Cow::Owned(written.text),
        })
    }

    /// Whether what is written for a hit may be a part of some value.
    pub(super) fn shows(&self, hit: &Hit) -> bool {
        !hit.opaque && self.policy().action(hit.span.kind).shows_value()
    }

    pub(super) fn keeps(&self, span: &Span) -> bool {
        self.policy().action(span.kind) == Action::Keep
    }

    /// Puts spans of the source among the hits; they take the place of those that they overlap.
    /// Whether there is a new one: what is kept is found again in every round.
    fn merge(&self, hits: &mut Vec<Hit>, mut more: Vec<Hit>) -> bool {
        let overlaps = |a: &Span, b: &Span| a.start_byte < b.end_byte && b.start_byte < a.end_byte;
        let known = |span: &Span, hits: &[Hit]| {
            let first = hits.partition_point(|hit| hit.span.end_byte <= span.start_byte);
            let mut over = hits[first..].iter().take_while(|hit| overlaps(&hit.span, span)).peekable();
            over.peek().is_some() && self.keeps(span) || over.any(|hit| hit.span == *span)
        };
        more.retain(|hit| !known(&hit.span, hits));
        if more.is_empty() {
            return false;
        }
        resolve_by(&mut more, |hit| &hit.span);
        let mut new = more.iter().map(|hit| hit.span).peekable();
        hits.retain(|hit| {
            while new.next_if(|span| span.end_byte <= hit.span.start_byte).is_some() {}
            !new.peek().is_some_and(|span| overlaps(span, &hit.span))
        });
        hits.append(&mut more);
        hits.sort_by_key(|hit| hit.span.start_byte);
        true
    }
}

/// A finding on its way.
#[derive(Clone)]
pub(super) struct Hit {
    pub(super) span: Span,
    /// What it says, where that is not what stands there: in disguise, or cut in two.
    value: Option<String>,
    /// It goes on in another text: what stands there is no value by itself.
    part: bool,
    /// What the action writes would be found again, beside what stands around it.
    opaque: bool,
}

impl Hit {
    pub(super) fn of(span: Span) -> Hit {
        Hit { span, value: None, part: false, opaque: false }
    }

    /// Has a token written, whatever the action.
    pub(super) fn close(&mut self) {
        self.opaque = true;
    }

    /// Of memory.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Hit>() + self.value.as_ref().map_or(0, String::len)
    }

    /// What stands there.
    pub(super) fn raw<'a>(&self, text: &'a str) -> &'a str {
        raw(text, &self.span)
    }
}

fn raw<'a>(text: &'a str, span: &Span) -> &'a str {
    &text[span.start_byte as usize..span.end_byte as usize]
}

/// A redacted text and how its untouched parts lie in the source.
struct Written {
    text: String,
    /// One for each hit, in order, with its start.
    outputs: Vec<(usize, Output)>,
    /// Start in `text`, start in the source, length.
    parts: Vec<(usize, usize, usize)>,
}

impl Written {
    fn of(redactor: &Redactor, source: &str, hits: &[Hit]) -> Written {
        let mut written = Written { text: String::with_capacity(source.len()), outputs: Vec::new(), parts: Vec::new() };
        let mut copied = 0;
        for hit in hits {
            let (start, end) = (hit.span.start_byte as usize, hit.span.end_byte as usize);
            written.copy(source, copied, start);
            copied = end;
            let value = hit.value.as_deref().unwrap_or(&source[start..end]);
            let output = redactor.writer.write(hit.span.kind, value, redactor.conversation, hit.opaque);
            let at = written.text.len();
            match redactor.keeps(&hit.span) {
                true => written.copy(source, start, end),
                false => written.text.push_str(&output.text),
            }
            written.outputs.push((at, output));
        }
        written.copy(source, copied, source.len());
        written
    }

    /// Parts that touch become one, so that a span over both has its place.
    fn copy(&mut self, source: &str, from: usize, to: usize) {
        let at = self.text.len();
        self.text.push_str(&source[from..to]);
        match self.parts.last_mut() {
            Some((start, in_source, len)) if *start + *len == at && *in_source + *len == from => *len += to - from,
            _ => self.parts.push((at, from, to - from)),
        }
    }

    /// Moves hits of `self.text` to where they lie in the source. One that begins or ends within
    /// what was written has no place there; what was written is made a token then, if it is none
    /// (into a token no span cuts, `detect` sees to it). Whether any was.
    fn to_source(&self, more: &mut Vec<Hit>, hits: &mut [Hit]) -> bool {
        let mut changed = false;
        more.retain_mut(|Hit { span, .. }| {
            let (start, end) = (span.start_byte as usize, span.end_byte as usize);
            let (Some(from), Some(to)) = (self.place(start), self.place(end - 1)) else {
                let first = self.outputs.partition_point(|(at, output)| at + output.text.len() <= start);
                for ((at, output), hit) in self.outputs.iter().zip(hits.iter_mut()).skip(first) {
                    if *at >= end {
                        break;
                    }
                    changed |= !output.opaque && !hit.opaque;
                    hit.opaque = true;
                }
                return false;
            };
            (span.start_byte, span.end_byte) = (from as u32, to as u32 + 1);
            true
        });
        changed
    }

    /// Where a byte of an untouched part lies in the source.
    fn place(&self, byte: usize) -> Option<usize> {
        let part = self.parts.partition_point(|(at, ..)| *at <= byte).checked_sub(1)?;
        let (at, source, len) = self.parts[part];
        (byte < at + len).then(|| source + byte - at)
    }

    /// Adds the other places where a value that was found stands as it is: glued to letters, say.
    fn repeats(&self, source: &str, hits: &[Hit], more: &mut Vec<Hit>) {
        let repeats = |(hit, (_, output)): &(&Hit, &(usize, Output))| {
            let raw = raw(source, &hit.span);
            !hit.part && is_distinct(hit.span.kind, raw) && output.text != raw
        };
        let mut values: Vec<&Hit> = hits.iter().zip(&self.outputs).filter(repeats).map(|(hit, _)| hit).collect();
        if values.is_empty() {
            return;
        }
        values.sort_by_key(|hit| raw(source, &hit.span));
        values.dedup_by_key(|hit| raw(source, &hit.span));
        let mut found = Vec::new();
        let grounds = LazyCell::new(|| names::Grounds::of(&self.text));
        let mut add = |hit: &Hit, start: usize, end: usize| {
            // "Sam" in "same" is no mention of a name.
            if hit.span.kind.group() == Group::Name {
                let code = || !is_full(&self.text[start..end], hit.span.kind) && grounds.is_code(start);
                if !is_word(&self.text, start, end) || code() {
                    return;
                }
            }
            let span = Span { start_byte: start as u32, end_byte: end as u32, rule: "repeat", ..hit.span };
            found.push(Hit { span, opaque: false, ..hit.clone() });
        };
        let mut search = AhoCorasick::builder();
        // Built for one text: a table of all transitions would cost more than it saves.
        search.match_kind(MatchKind::LeftmostLongest).kind(Some(AhoCorasickKind::ContiguousNFA));
        // A few values are quicker to look for one by one; many would make that quadratic.
        let words = (values.len() > 4)
            .then(|| values.iter().map(|hit| raw(source, &hit.span)))
            .and_then(|words| search.build(words).ok());
        match words {
            Some(words) => {
                for hit in words.find_iter(&self.text) {
                    add(values[hit.pattern().as_usize()], hit.start(), hit.end());
                }
            }
            None => {
                for hit in values {
                    let value = raw(source, &hit.span);
                    for start in memchr::memmem::find_iter(self.text.as_bytes(), value.as_bytes()) {
                        add(hit, start, start + value.len());
                    }
                }
            }
        }
        // Those within what was written are part of it: a network holds the address it began with.
        found.retain_mut(|Hit { span, .. }| {
            let place = (self.place(span.start_byte as usize), self.place(span.end_byte as usize - 1));
            let (Some(from), Some(to)) = place else { return false };
            let whole = (to + 1 - from) as u32 == span.end_byte - span.start_byte;
            (span.start_byte, span.end_byte) = (from as u32, to as u32 + 1);
            whole
        });
        more.append(&mut found);
    }
}

/// A value that means the same wherever it stands, glued to others too; names as words of their
/// own ("Will" in "Will you" is no mention of a name). Ages and short numbers are parts of others.
fn is_distinct(kind: Kind, value: &str) -> bool {
    const DISTINCT_MIN_BYTES: usize = 6;
    let weak = matches!(kind, Kind::Address | Kind::Postcode | Kind::Cvv | Kind::CardExpiry | Kind::Pin);
    let vague = kind == Kind::Age || kind.group() == Group::Date;
    match kind.group() {
        Group::Name => names::tells_apart(value),
        _ => value.len() >= DISTINCT_MIN_BYTES && !weak && !vague,
    }
}

/// No letter or digit stands right before or behind.
pub(super) fn is_word(text: &str, start: usize, end: usize) -> bool {
    !text[..start].ends_with(char::is_alphanumeric) && !text[end..].starts_with(char::is_alphanumeric)
}

#[cfg(test)]
pub(super) mod tests;
