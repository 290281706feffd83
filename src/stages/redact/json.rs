//! Redacts JSON that stands as text: every string, every key, every number that looks like data.
//!
//! Not here: detection and replacement (`text`); what of it are messages (`turns`); JSON inside a
//! string is text like any other.
//!
//! Always: valid JSON stays valid; what is not replaced keeps its bytes (order of keys, spelling
//! of numbers, white space, doubled keys); text that is not JSON is redacted as text, never
//! skipped; paths hold redacted keys only.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::value::RawValue;

use super::refusal::Refusal;
use super::text::{Finding, Hit, Redactor};
use super::{mentions, turns};

pub(super) fn redact<'a>(
    redactor: &Redactor,
    field: &dyn Fn() -> String,
    json: &'a str,
    findings: &mut Vec<Finding>,
) -> Result<Cow<'a, str>, Refusal> {
    if serde_json::from_str::<&RawValue>(json).is_err() {
        return redactor.redact_text(field, json, findings);
    }
    let mut document = Document::default();
    document.read(redactor, field, json, findings)?;
    document.replace(redactor, field, findings)?;
    Ok(document.written(json))
}

/// What is found in JSON that stands as text, by its path; in text that is not JSON, by no path.
pub(super) fn find(
    redactor: &Redactor,
    field: &dyn Fn() -> String,
    json: &str,
) -> Result<Vec<(String, Vec<Hit>)>, Refusal> {
    if serde_json::from_str::<&RawValue>(json).is_err() {
        return Ok(vec![(String::new(), redactor.find(json, Vec::new())?)]);
    }
    let (mut document, mut keys) = (Document::default(), Vec::new());
    document.read(redactor, field, json, &mut keys)?;
    let of_key = |finding: Finding| (finding.field.clone(), vec![Hit::of(finding.span())]);
    let of_item = |(item, hits): (&Item, Vec<Hit>)| (path_text(&document.nodes, item.node, field()), hits);
    let found = document.find(redactor)?;
    let found = document.items.iter().zip(found).filter(|(_, hits)| !hits.is_empty()).map(of_item);
    Ok(keys.into_iter().map(of_key).chain(found).collect())
}

#[derive(Clone, Debug)]
pub(super) enum Step<'a> {
    /// The redacted key.
    Key(Cow<'a, str>),
    Index(usize),
}

/// A step of a path; the root is before the first.
pub(super) struct Node<'a> {
    pub above: Option<u32>,
    pub step: Step<'a>,
}

/// A string that is no key, or a number of many digits.
pub(super) struct Item<'a> {
    from: usize,
    to: usize,
    /// None: the document is this one value.
    pub node: Option<u32>,
    pub is_text: bool,
    pub text: Cow<'a, str>,
}

/// An object or array that is open.
struct Level<'a> {
    node: Option<u32>,
    step: Step<'a>,
    /// The node of `step`, once something in it asked for it.
    made: Option<u32>,
}

/// What stands in a document, in its order, without a tree of it.
#[derive(Default)]
pub(super) struct Document<'a> {
    nodes: Vec<Node<'a>>,
    pub items: Vec<Item<'a>>,
    open: Vec<Level<'a>>,
    /// What is written in place of which bytes.
    writes: Vec<(usize, usize, String)>,
}

impl<'a> Document<'a> {
    /// Goes over the tokens of valid JSON once. Keys are redacted at once, for paths hold them.
    fn read(
        &mut self,
        redactor: &Redactor,
        field: &dyn Fn() -> String,
        json: &'a str,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Refusal> {
        /// Shorter numbers say nothing, whatever they are called.
        const DIGITS_MIN: usize = 7;
        let bytes = json.as_bytes();
        let (mut at, mut key_next) = (0, false);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'{' | b'[' => {
                    key_next = *byte == b'{';
                    let step = if key_next { Step::Key(Cow::Borrowed("")) } else { Step::Index(0) };
                    let node = self.here();
                    self.open.push(Level { node, step, made: None });
                }
                b'}' | b']' => drop(self.open.pop()),
                b',' => {
                    key_next = true;
                    self.next_element();
                }
                b':' => key_next = false,
                b'"' => {
                    let end = string_end(bytes, at);
                    let text = decode(&json[at..end]);
                    match self.open.last().is_some_and(|level| key_next && matches!(level.step, Step::Key(_))) {
                        true => self.key(redactor, field, (at, end), text, findings)?,
                        false => self.item(at, end, true, text),
                    }
                    at = end;
                    continue;
                }
                b'-' | b'0'..=b'9' => {
                    let number = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
                    let end = at + bytes[at..].iter().take_while(number).count();
                    if end - at >= DIGITS_MIN {
                        self.item(at, end, false, Cow::Borrowed(&json[at..end]));
                    }
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        Ok(())
    }

    fn next_element(&mut self) {
        if let Some(level) = self.open.last_mut() {
            level.made = None;
            if let Step::Index(index) = &mut level.step {
                *index += 1;
            }
        }
    }

    /// The node of what stands here.
    fn here(&mut self) -> Option<u32> {
        let level = self.open.last_mut()?;
        if level.made.is_none() {
            self.nodes.push(Node { above: level.node, step: level.step.clone() });
            level.made = Some(self.nodes.len() as u32 - 1);
        }
        level.made
    }

    fn item(&mut self, from: usize, to: usize, is_text: bool, text: Cow<'a, str>) {
        let node = self.here();
        self.items.push(Item { from, to, node, is_text, text });
    }

    fn key(
        &mut self,
        redactor: &Redactor,
        field: &dyn Fn() -> String,
        (from, to): (usize, usize),
        text: Cow<'a, str>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Refusal> {
        let Some(level) = self.open.last_mut() else { return Ok(()) };
        level.made = None;
        // A key in which something is found has no name of its own yet: `metadata.(key)`.
        let above = level.node;
        let path = || path_text(&self.nodes, above, field()) + ".(key)";
        let redacted = redactor.redact_text(&path, &text, findings)?.into_owned();
        let same = redacted == text;
        if !same {
            self.writes.push((from, to, redacted.clone()));
        }
        level.step = Step::Key(if same { text } else { Cow::Owned(redacted) });
        Ok(())
    }

    pub fn node(&self, node: u32) -> &Node<'a> {
        &self.nodes[node as usize]
    }

    /// The nearest key above: what an element of `"phones": […]` is called, too.
    pub fn label(&self, mut node: Option<u32>) -> &str {
        while let Some(Node { above, step }) = node.map(|node| self.node(node)) {
            match step {
                Step::Key(key) => return key,
                Step::Index(_) => node = *above,
            }
        }
        ""
    }

    /// What is found in each item.
    fn find(&self, redactor: &Redactor) -> Result<Vec<Vec<Hit>>, Refusal> {
        let texts: Vec<&str> = self.items.iter().map(|item| item.text.as_ref()).collect();
        let cut = turns::across(redactor, self);
        let find = |(item, cut): (&Item, _)| redactor.find_labelled(self.label(item.node), &item.text, cut);
        let mut found: Vec<_> = self.items.iter().zip(cut).map(find).collect::<Result<_, _>>()?;
        mentions::share(&texts, &mut found, |span| redactor.keeps(span));
        Ok(found)
    }

    fn replace(
        &mut self,
        redactor: &Redactor,
        field: &dyn Fn() -> String,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Refusal> {
        let found = self.find(redactor)?;
        for (item, found) in self.items.iter().zip(found).filter(|(_, found)| !found.is_empty()) {
            let path = || path_text(&self.nodes, item.node, field());
            if let Cow::Owned(redacted) = redactor.replace(&path, &item.text, found, findings)? {
                self.writes.push((item.from, item.to, redacted));
            }
        }
        Ok(())
    }

    /// A number in which something was found becomes a string.
    fn written(mut self, json: &'a str) -> Cow<'a, str> {
        if self.writes.is_empty() {
            return Cow::Borrowed(json);
        }
        self.writes.sort_unstable_by_key(|(from, ..)| *from);
        let (mut written, mut copied) = (String::with_capacity(json.len()), 0);
        for (from, to, text) in self.writes {
            written.push_str(&json[copied..from]);
            written.push_str(&serde_json::Value::from(text).to_string());
            copied = to;
        }
        written.push_str(&json[copied..]);
        Cow::Owned(written)
    }
}

/// `messages[2].tool_calls[0].name`, behind what it stands in.
fn path_text(nodes: &[Node], node: Option<u32>, mut path: String) -> String {
    let mut steps = Vec::new();
    let mut at = node;
    while let Some(Node { above, step }) = at.and_then(|at| nodes.get(at as usize)) {
        steps.push(step);
        at = *above;
    }
    for step in steps.into_iter().rev() {
        match step {
            Step::Key(key) => path.extend([".", key.as_ref()]),
            // Writing to a string cannot fail.
            Step::Index(index) => write!(path, "[{index}]").unwrap_or_default(),
        }
    }
    path
}

/// The byte after the closing quote of the string that opens at `from`.
fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(place) = memchr::memchr2(b'"', b'\\', &bytes[at..]) {
        at += place;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// The text of a JSON string with its quotes.
fn decode(quoted: &str) -> Cow<'_, str> {
    let inner = &quoted[1..quoted.len() - 1];
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    match serde_json::from_str(quoted) {
        Ok(text) => Cow::Owned(text),
        // Half a surrogate pair is valid JSON but no text. Every surrogate escape becomes the
        // replacement character, and only if something is found does that reach the output.
        Err(_) => Cow::Owned(serde_json::from_str(&without_surrogates(quoted)).unwrap_or_else(|_| inner.to_owned())),
    }
}

fn without_surrogates(quoted: &str) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some(place) = memchr::memchr(b'\\', rest.as_bytes()) {
        let escape = rest.as_bytes();
        let surrogate = escape.get(place + 1) == Some(&b'u')
            && matches!(escape.get(place + 2), Some(b'd' | b'D'))
            && matches!(escape.get(place + 3), Some(b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F'));
        let (len, written) = if surrogate { (6, "\\ufffd") } else { (2, &rest[place..place + 2]) };
        text.push_str(&rest[..place]);
        text.push_str(written);
        rest = rest.get(place + len..).unwrap_or("");
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stages::redact::pseudonym::mask_tokens;
    use crate::stages::redact::text::tests::redactor;

    fn redacted(json: &str) -> (String, Vec<String>) {
        let mut findings = Vec::new();
        let out = redactor().redact_json(&|| "root".to_owned(), json, &mut findings).unwrap().into_owned();
        (mask_tokens(&out).into_owned(), findings.into_iter().map(|finding| finding.field).collect())
    }

    #[test]
    fn walks_everything() {
        for (json, out, fields) in [
            (
                r#"{"a":{"email":"jane@example.com"},"b":1}"#,
                r#"{"a":{"email":"[EMAIL]"},"b":1}"#,
                &["root.a.email"][..],
            ),
            (r#"{"z":1.50,"a":[0,{"t":["a@b.co"]}]}"#, r#"{"z":1.50,"a":[0,{"t":["[EMAIL]"]}]}"#, &["root.a[1].t[0]"]),
            (r#"{"card":4111111111111111}"#, r#"{"card":"[CARD]"}"#, &["root.card"]),
            (r#"{"jane@example.com":{"ip":"203.0.113.5"}}"#, r#"{"[EMAIL]":{"ip":"[IP]"}}"#, &["root.(key)", ""]),
            (
                r#"{"ssn":"123456789","ssn_of":{"x":123456789}}"#,
                r#"{"ssn":"[SSN]","ssn_of":{"x":123456789}}"#,
                &["root.ssn"],
            ),
            (r#"{"ssn":[123456789]}"#, r#"{"ssn":["[SSN]"]}"#, &["root.ssn[0]"]),
            (r#"["say \"jane\u0040example.com\" \n"]"#, r#"["say \"[EMAIL]\" \n"]"#, &["root[0]"]),
            (r#"["\ud83d jane@example.com"]"#, "[\"\u{fffd} [EMAIL]\"]", &["root[0]"]),
            (r#""jane@example.com""#, r#""[EMAIL]""#, &["root"]),
            ("not json: jane@example.com", "not json: [EMAIL]", &["root"]),
            (r#"{"cut":"jane@example.com"#, r#"{"cut":"[EMAIL]"#, &["root"]),
            (r#"{"args":"{\"email\":\"jane@example.com\"}"}"#, r#"{"args":"{\"email\":\"[EMAIL]\"}"}"#, &["root.args"]),
        ] {
            let (found, paths) = redacted(json);
            assert_eq!(found, out);
            for (path, expected) in paths.iter().zip(fields) {
                assert!(expected.is_empty() || path == expected, "{path} is not {expected}");
            }
            assert_eq!(paths.len(), fields.len(), "{json}");
            assert!(paths.iter().all(|path| !path.contains('@')));
        }
    }

    #[test]
    fn clean_json_keeps_its_bytes() {
        let mut findings = Vec::new();
        let json = r#" {"b": 1.10, "a": [true, null, 12345678901234567890123], "b": "é\u00e9\ud83d"} "#;
        let out = redactor().redact_json(&|| panic!("not asked"), json, &mut findings).unwrap();
        assert!(matches!(out, Cow::Borrowed(same) if same == json));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn stays_json(strings in proptest::collection::vec("\\PC{0,8}(a@b.co|4111111111111111|)\\PC{0,4}", 0..6)) {
            let json = serde_json::json!({ "list": strings, "in": { "first": strings.first() } }).to_string();
            let mut findings = Vec::new();
            let out = redactor().redact_json(&String::new, &json, &mut findings).unwrap();
            prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
            let again = redactor().redact_json(&String::new, &out, &mut Vec::new()).unwrap().into_owned();
            prop_assert_eq!(again, out);
        }
    }
}
