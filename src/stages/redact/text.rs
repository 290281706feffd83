//! Redacts one string: finds, replaces by pseudonyms, and looks again at what it wrote.
//!
//! Not here: which fields of a record are redacted (`kernel`), JSON (`json`).
//!
//! Always: what comes out holds no value that was found, anywhere, and a second redaction of it
//! finds nothing; text in which nothing is found is handed back as it is, without a copy.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};

use super::detect::{Detector, Span, resolve};
use super::kind::Kind;
use super::pseudonym::{Pseudonyms, token_of};
use crate::record::{Id, ProjectKey};

/// Replacing one value can lay bare another (a number beside a number). Every round finds at
/// least one more; texts that need a third are adversarial.
const ROUNDS_MAX: usize = 16;

/// What the ledger keeps of a finding: never the value, never a part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub field: String,
    /// In the string before redaction (in JSON: the unescaped string).
    pub start_byte: u32,
    pub end_byte: u32,
    pub kind: Kind,
    pub rule: &'static str,
    pub rule_version: u16,
    pub score: f32,
    pub value_hash: Id,
}

/// Immutable: share one among threads.
pub struct Redactor {
    detector: Detector,
    pseudonyms: Pseudonyms,
}

impl Redactor {
    pub fn new(kinds: &[Kind], phone_regions: &[String], key: &ProjectKey) -> Result<Redactor, String> {
        Ok(Redactor {
            detector: Detector::new(kinds, phone_regions)?,
            pseudonyms: Pseudonyms::new(key, phone_regions)?,
        })
    }

    /// `field` names the string in findings; it is asked only when something is found.
    pub fn redact_text<'a>(
        &self,
        field: &dyn Fn() -> String,
        text: &'a str,
        findings: &mut Vec<Finding>,
    ) -> Cow<'a, str> {
        let mut spans = Vec::new();
        self.detector.find(text, &mut spans);
        self.replace(field, text, spans, findings)
    }

    /// The same for a value that stands under a name: `"ssn": "…"` says more than the value alone.
    pub(super) fn redact_labelled<'a>(
        &self,
        field: &dyn Fn() -> String,
        label: &str,
        text: &'a str,
        findings: &mut Vec<Finding>,
    ) -> Cow<'a, str> {
        /// Longer ones are prose and carry their own context.
        const VALUE_MAX_BYTES: usize = 64;
        let mut spans = Vec::new();
        self.detector.find(text, &mut spans);
        let told = spans.is_empty()
            && (3..=VALUE_MAX_BYTES).contains(&text.len())
            && !label.is_empty()
            && label.len() <= VALUE_MAX_BYTES
            && text.bytes().any(|byte| byte.is_ascii_digit());
        if told {
            let line = format!("{label}: {text}");
            let offset_bytes = (label.len() + 2) as u32;
            self.detector.find(&line, &mut spans);
            spans.retain(|span| span.start_byte >= offset_bytes);
            for span in &mut spans {
                span.start_byte -= offset_bytes;
                span.end_byte -= offset_bytes;
            }
        }
        self.replace(field, text, spans, findings)
    }

    /// See `json`.
    pub fn redact_json<'a>(
        &self,
        field: &dyn Fn() -> String,
        json: &'a str,
        findings: &mut Vec<Finding>,
    ) -> Cow<'a, str> {
        super::json::redact(self, field, json, findings)
    }

    fn replace<'a>(
        &self,
        field: &dyn Fn() -> String,
        text: &'a str,
        mut spans: Vec<Span>,
        findings: &mut Vec<Finding>,
    ) -> Cow<'a, str> {
        if spans.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut written = Written::of(self, text, &spans);
        let mut more = Vec::new();
        for _ in 0..ROUNDS_MAX {
            self.detector.find(&written.text, &mut more);
            written.to_source(&mut more);
            written.repeats(text, &spans, &mut more);
            if more.is_empty() {
                break;
            }
            spans.append(&mut more);
            spans.sort_by_key(|span| span.start_byte);
            written = Written::of(self, text, &spans);
        }
        let field = field();
        findings.extend(spans.iter().zip(&written.hashes).map(|(span, value_hash)| Finding {
            field: field.clone(),
            start_byte: span.start_byte,
            end_byte: span.end_byte,
            kind: span.kind,
            rule: span.rule,
            rule_version: span.rule_version,
            score: span.score,
            value_hash: *value_hash,
        }));
        Cow::Owned(written.text)
    }
}

fn raw<'a>(text: &'a str, span: &Span) -> &'a str {
    &text[span.start_byte as usize..span.end_byte as usize]
}

/// A redacted text and how its untouched parts lie in the source.
struct Written {
    text: String,
    /// One for each span, in order.
    hashes: Vec<Id>,
    /// Start in `text`, start in the source, length.
    parts: Vec<(usize, usize, usize)>,
}

impl Written {
    fn of(redactor: &Redactor, source: &str, spans: &[Span]) -> Written {
        let mut written = Written { text: String::with_capacity(source.len()), hashes: Vec::new(), parts: Vec::new() };
        let mut copied = 0;
        for span in spans {
            written.copy(source, copied, span.start_byte as usize);
            copied = span.end_byte as usize;
            let hash = redactor.pseudonyms.value_hash(span.kind, raw(source, span));
            written.text.push_str(&token_of(span.kind, hash));
            written.hashes.push(hash);
        }
        written.copy(source, copied, source.len());
        written
    }

    fn copy(&mut self, source: &str, from: usize, to: usize) {
        self.parts.push((self.text.len(), from, to - from));
        self.text.push_str(&source[from..to]);
    }

    /// Moves spans of `self.text` to where they lie in the source. A span never cuts into a token
    /// (`detect` sees to it); one that holds whole tokens (a key around an address) is dropped,
    /// as there is no one place for it.
    fn to_source(&self, spans: &mut Vec<Span>) {
        spans.retain_mut(|span| {
            let (start, end) = (span.start_byte as usize, span.end_byte as usize);
            let part = self.parts.partition_point(|(at, ..)| *at <= start) - 1;
            let (at, source, len) = self.parts[part];
            span.start_byte = (source + start - at) as u32;
            span.end_byte = (source + end - at) as u32;
            end <= at + len
        });
    }

    /// Adds the other places where a value that was found stands as it is: glued to letters, say.
    fn repeats(&self, source: &str, spans: &[Span], more: &mut Vec<Span>) {
        let mut values: Vec<&Span> = spans.iter().collect();
        values.sort_by_key(|span| raw(source, span));
        values.dedup_by_key(|span| raw(source, span));
        let mut found = Vec::new();
        let mut add = |span: &Span, start: usize, end: usize| {
            found.push(Span { start_byte: start as u32, end_byte: end as u32, rule: "repeat", ..*span });
        };
        // A few values are quicker to look for one by one; many would make that quadratic.
        let words = (values.len() > 4)
            .then(|| values.iter().map(|span| raw(source, span)))
            .and_then(|words| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(words).ok());
        match words {
            Some(words) => {
                for hit in words.find_iter(&self.text) {
                    add(values[hit.pattern().as_usize()], hit.start(), hit.end());
                }
            }
            None => {
                for span in values {
                    let value = raw(source, span);
                    for start in memchr::memmem::find_iter(self.text.as_bytes(), value.as_bytes()) {
                        add(span, start, start + value.len());
                    }
                }
            }
        }
        if !found.is_empty() {
            self.to_source(&mut found);
            more.append(&mut found);
            resolve(more);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stages::redact::pseudonym::mask_tokens;

    pub(in super::super) fn redactor() -> Redactor {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        Redactor::new(Kind::ALL, &["US".to_owned(), "GB".to_owned()], &key).unwrap()
    }

    fn redact(text: &str) -> (String, Vec<Finding>) {
        let mut findings = Vec::new();
        let redacted = redactor().redact_text(&|| "field".to_owned(), text, &mut findings).into_owned();
        (redacted, findings)
    }

    #[test]
    fn replaces_and_records() {
        let text = "Jane <Jane@Example.com>, jane@example.com, (202) 555-0173.";
        let (redacted, findings) = redact(text);
        assert_eq!(mask_tokens(&redacted), "Jane <[EMAIL]>, [EMAIL], [PHONE].");
        assert_eq!(findings.len(), 3);
        assert_eq!(findings[0].value_hash, findings[1].value_hash);
        assert_eq!(&text[findings[2].start_byte as usize..findings[2].end_byte as usize], "(202) 555-0173");
        assert_eq!(findings[2].field, "field");
    }

    #[test]
    fn nothing_found_costs_no_copy_and_no_path() {
        let mut findings = Vec::new();
        let text = "nothing to see here, 42 times";
        let redacted = redactor().redact_text(&|| panic!("not asked"), text, &mut findings);
        assert!(matches!(redacted, Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn a_value_found_once_goes_everywhere() {
        let many: String = (10..40).map(|n| format!("u{n}@example.com xu{n}@example.community ")).collect();
        assert_eq!(redact(&many).1.len(), 60);
        let (redacted, findings) = redact("4111111111111111 and id4111111111111111x");
        assert_eq!(mask_tokens(&redacted), "[CARD] and id[CARD]x");
        assert_eq!(findings[1].rule, "repeat");
    }

    #[test]
    fn what_a_replacement_lays_bare_is_found_too() {
        for text in [
            "ssn jane.with.a.very.long.address.indeed@example.com 123456789",
            "jane@example.com@example.org",
            "4111111111111111 4111111111111111 2025550173 2025550174",
        ] {
            let (redacted, _) = redact(text);
            assert_eq!(redact(&redacted).1, [], "{text}");
        }
    }

    fn piece() -> impl Strategy<Value = String> {
        let known = [
            "jane@example.com",
            "+1 202 555 0173",
            "(202) 555-0173",
            "4111 1111 1111 1111",
            "123-45-6789",
            "203.0.113.5",
            "2001:db8::1",
            "GB82WEST12345698765432",
            "GB82 WEST 1234 5698 7654 32",
            "[EMAIL:k7f3a9q2]",
            "ssn",
            "phone",
            "version",
            "é",
            "입니다",
            "\u{a0}",
            "-----BEGIN PRIVATE KEY-----",
            "secret",
            "\\n",
        ];
        prop_oneof![
            4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
            2 => "[0-9 .()/+-]{0,12}",
            1 => "[a-f0-9:@._\\[\\]]{0,10}",
            1 => "\\PC{0,6}",
            2 => "[ ,;\n\"']{1,2}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn redacted_text_is_clean(pieces in proptest::collection::vec(piece(), 0..12)) {
            let text = pieces.concat();
            let (redacted, findings) = redact(&text);
            let mut last = 0;
            for finding in &findings {
                prop_assert!(finding.start_byte >= last && finding.start_byte < finding.end_byte);
                last = finding.end_byte;
                let value = text.get(finding.start_byte as usize..finding.end_byte as usize);
                prop_assert!(value.is_some_and(|value| !redacted.contains(value)), "{text:?} -> {redacted:?}");
            }
            prop_assert!(findings.is_empty() == (redacted == text));
            let (again, more) = redact(&redacted);
            prop_assert!(more.is_empty(), "{text:?} -> {redacted:?} -> {again:?}");
        }

        #[test]
        fn any_unicode_is_survived(text in "\\PC*") {
            redact(&text);
        }
    }
}
