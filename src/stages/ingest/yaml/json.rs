//! One YAML document as JSON text.
//!
//! Scalars are resolved by the core schema of YAML 1.2.2 (10.3.2). Not here: cutting a stream into
//! documents. Tags are passed over, but for `!!str`; `<<` is a key like any other.
//!
//! Always: what aliases unfold to is bounded by the same limit as the text; a key that stands
//! twice is written twice, so that the reader of the JSON rejects it.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::super::Reason;

/// The JSON of the only document in `text`, at most `max_bytes` of it.
pub fn json(text: &str, max_bytes: u64) -> Result<String, Reason> {
    // The scanner takes a NUL for the end.
    if text.contains('\0') {
        return Err(Reason::NulByte);
    }
    let mut writer = Writer { max_bytes, ..Writer::default() };
    let mut documents = 0;
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, _) = event.map_err(|_| Reason::InvalidYaml)?;
        documents += u32::from(matches!(event, Event::DocumentStart(_)));
        writer.write(&event)?;
        if writer.out.len() as u64 > max_bytes {
            return Err(Reason::LineTooLong);
        }
    }
    if documents == 1 { Ok(writer.out) } else { Err(Reason::InvalidYaml) }
}

#[derive(Default)]
struct Writer {
    out: String,
    open: Vec<Open>,
    /// The JSON of what stands behind an anchor.
    anchors: HashMap<usize, Range<usize>>,
    max_bytes: u64,
}

/// A list or an object that is being written.
struct Open {
    is_object: bool,
    /// Keys and values, or items, so far.
    parts: u64,
    anchor: usize,
    from: usize,
}

impl Writer {
    fn write(&mut self, event: &Event) -> Result<(), Reason> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_key = self.before()?;
                let from = self.out.len();
                match plain(text, *style, tag.as_deref()).filter(|_| !is_key) {
                    Some(value) => self.out.push_str(&value),
                    None => self.out.push_str(&serde_json::to_string(text).map_err(|_| Reason::InvalidYaml)?),
                }
                self.note(*anchor, from);
            }
            Event::Alias(anchor) => {
                let is_key = self.before()?;
                // An alias inside of what it names has no end.
                let known = self.anchors.get(anchor).cloned().ok_or(Reason::InvalidYaml)?;
                if is_key && !self.out[known.clone()].starts_with('"') {
                    return Err(Reason::BadShape);
                }
                if (self.out.len() + known.len()) as u64 > self.max_bytes {
                    return Err(Reason::LineTooLong);
                }
                self.out.extend_from_within(known);
            }
            Event::SequenceStart(anchor, _) => self.begin(false, *anchor)?,
            Event::MappingStart(anchor, _) => self.begin(true, *anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Err(Reason::InvalidYaml) };
                self.out.push(if open.is_object { '}' } else { ']' });
                self.note(open.anchor, open.from);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, is_object: bool, anchor: usize) -> Result<(), Reason> {
        if self.before()? {
            // A key that is a list or an object.
            return Err(Reason::BadShape);
        }
        self.open.push(Open { is_object, parts: 0, anchor, from: self.out.len() });
        self.out.push(if is_object { '{' } else { '[' });
        Ok(())
    }

    /// Writes what stands before the next part and answers whether that is a key.
    fn before(&mut self) -> Result<bool, Reason> {
        let Some(open) = self.open.last_mut() else { return Ok(false) };
        let is_key = open.is_object && open.parts % 2 == 0;
        if open.parts > 0 {
            self.out.push(if open.is_object && !is_key { ':' } else { ',' });
        }
        open.parts += 1;
        Ok(is_key)
    }

    fn note(&mut self, anchor: usize, from: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, from..self.out.len());
        }
    }
}

/// A plain scalar that is no string, as JSON.
fn plain(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Option<String> {
    if style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str") {
        return None;
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some("null".to_owned()),
        "true" | "True" | "TRUE" => return Some("true".to_owned()),
        "false" | "False" | "FALSE" => return Some("false".to_owned()),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let based = |prefix, base| unsigned.strip_prefix(prefix).and_then(|digits| u64::from_str_radix(digits, base).ok());
    if let Some(number) = based("0x", 16).or_else(|| based("0o", 8)).filter(|_| unsigned == text) {
        return Some(number.to_string());
    }
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let is_number = digits(whole)
        && digits(fraction)
        && digits(exponent)
        && !exponent.is_empty()
        && !(whole.is_empty() && fraction.is_empty());
    if !is_number {
        return None;
    }
    // As written, if JSON writes it so too: no digit is lost.
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Some(text.to_owned()),
        Err(_) => {
            let whole = text.parse::<i64>().ok().map(|number| number.to_string());
            whole.or_else(|| Some(serde_json::Number::from_f64(text.parse().ok()?)?.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn get(text: &str) -> Result<String, Reason> {
        json(text, 1000)
    }

    #[test]
    fn scalars_are_resolved_by_the_core_schema() {
        let text = "{a: ~, b: true, c: 12, d: 007, e: -1.50e3, f: .5, g: 0x1F, h: '12', i: !!str 12, j: 1.2.3, k: .inf, \
            l: yes, m: 2026-11-01, n: 1_000, o: +5, p: +, q: e5}";
        let want = r#"{"a":null,"b":true,"c":12,"d":7,"e":-1.50e3,"f":0.5,"g":31,"h":"12","i":"12","j":"1.2.3","k":".inf",
            "l":"yes","m":"2026-11-01","n":"1_000","o":5,"p":"+","q":"e5"}"#;
        assert_eq!(get(text), Ok(want.replace("\n            ", "")));
    }

    #[test]
    fn collections_blocks_and_aliases() {
        for (text, want) in [
            ("- a: >-\n    one\n    two\n  b: |\n    x\n    y\n", r#"[{"a":"one two","b":"x\ny\n"}]"#),
            ("a: &x [1, {b: c}]\nd: *x\n", r#"{"a":[1,{"b":"c"}],"d":[1,{"b":"c"}]}"#),
            ("&k key: *k\n", r#"{"key":"key"}"#),
            ("5: a\n", r#"{"5":"a"}"#),
            ("a: 1\na: 2\n", r#"{"a":1,"a":2}"#),
            ("\"tab\\t\\u00e9\"", r#""tab\té""#),
        ] {
            assert_eq!(get(text).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn hostile_documents_are_rejects() {
        let laughs: String =
            (1..60).map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(","))).collect();
        let laughs = format!("a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n{laughs}");
        assert_eq!(json(&laughs, 1 << 20), Err(Reason::LineTooLong));
        let deep = "[".repeat(100_000);
        assert!(json(&deep, 1 << 30).is_err());
        for (text, reason) in [
            ("a: *b", Reason::InvalidYaml),
            ("a: &b [*b]", Reason::InvalidYaml),
            ("a: [", Reason::InvalidYaml),
            ("? [a]\n: b", Reason::BadShape),
            ("a: b\n---\nc: d\n", Reason::InvalidYaml),
            ("", Reason::InvalidYaml),
            ("a: x\0y", Reason::NulByte),
        ] {
            assert_eq!(get(text), Err(reason), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_json_or_a_reason(text in "[-a:\\[\\]{}&*|> \n\t\"'#,?!%0-9.]{0,60}") {
            if let Ok(json) = get(&text) {
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok(), "{} gives {}", text, json);
            }
        }
    }
}
