//! Serde's view of JSON text, quick where logs are long: in strings.
//!
//! Not here: why a text is no JSON. Who is refused asks serde_json, which also reads the numbers
//! that are no small integers.
//!
//! Always: what is read here, serde_json reads with the same answers; whatever is in doubt is
//! refused.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, MapDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::tree::{Entries, Json};

/// As deep as serde_json reads.
pub(super) const DEEPEST: u32 = 127;

/// The text is no JSON, deeper than wanted, or not what the caller reads.
#[derive(Debug)]
pub(super) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

impl Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Refused {
        Refused
    }
}

/// A text that is one JSON value, whose lists and objects nest no deeper than `deepest`.
pub(super) fn read<'de, S: DeserializeSeed<'de>>(text: &'de str, deepest: u32, seed: S) -> Result<S::Value, Refused> {
    let mut reader = TextReader::new(text, deepest);
    let value = seed.deserialize(&mut reader)?;
    if reader.peek().is_some() { Err(Refused) } else { Ok(value) }
}

/// The same as a tree, without serde between.
pub(super) fn tree(text: &str, deepest: u32) -> Result<Json<'_>, Refused> {
    let mut reader = TextReader::new(text, deepest);
    let value = reader.json()?;
    if reader.peek().is_some() { Err(Refused) } else { Ok(value) }
}

struct TextReader<'de> {
    text: &'de str,
    at: usize,
    /// Levels that may still open.
    room: u32,
    /// It holds no control byte, as a line does: one look at all of it spares looking in each string.
    is_line: bool,
}

impl<'de> TextReader<'de> {
    fn new(text: &'de str, deepest: u32) -> TextReader<'de> {
        let is_line = text.bytes().fold(u8::MAX, u8::min) >= b' ';
        TextReader { text, at: 0, room: deepest.min(DEEPEST), is_line }
    }

    /// The next byte that is no white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.text.as_bytes().get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Refused> {
        if self.peek() != Some(byte) {
            return Err(Refused);
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), Refused> {
        let there = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        self.at += word.len();
        if there { Ok(()) } else { Err(Refused) }
    }

    fn slice(&self, from: usize, to: usize) -> Result<&'de str, Refused> {
        self.text.get(from..to).ok_or(Refused)
    }

    /// A string, from its first quote; borrowed if it has no escapes.
    #[inline]
    fn string(&mut self) -> Result<Cow<'de, str>, Refused> {
        self.expect(b'"')?;
        let from = self.at;
        match self.plain()? {
            b'"' => self.slice(from, self.at - 1).map(Cow::Borrowed),
            _ => self.unescaped(from).map(Cow::Owned),
        }
    }

    /// Goes behind the next quote or backslash and answers which it was.
    #[inline]
    fn plain(&mut self) -> Result<u8, Refused> {
        let rest = self.text.as_bytes().get(self.at..).ok_or(Refused)?;
        let length = if self.is_line { plain_bytes_of_line(rest) } else { plain_bytes(rest) };
        self.at += length + 1;
        // Control bytes must be escaped.
        rest.get(length).copied().filter(|byte| *byte >= b' ').ok_or(Refused)
    }

    /// A string whose first backslash was just passed.
    fn unescaped(&mut self, from: usize) -> Result<String, Refused> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        // Seldom a quote that is escaped: then it grows.
        let mut text = String::with_capacity(self.at - from + memchr::memchr(b'"', rest).unwrap_or_default());
        let mut run = from;
        loop {
            text.push_str(self.slice(run, self.at - 1)?);
            text.push(self.escape()?);
            run = self.at;
            if self.plain()? == b'"' {
                text.push_str(self.slice(run, self.at - 1)?);
                return Ok(text);
            }
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<char, Refused> {
        let byte = *self.text.as_bytes().get(self.at).ok_or(Refused)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => match self.hex()? {
                high @ 0xd800..0xdc00 => {
                    self.word("\\u")?;
                    let low = self.hex()?.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or(Refused)?;
                    char::from_u32(0x10000 + ((high - 0xd800) << 10 | low)).ok_or(Refused)?
                }
                unit => char::from_u32(unit).ok_or(Refused)?,
            },
            _ => return Err(Refused),
        })
    }

    fn hex(&mut self) -> Result<u32, Refused> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Refused)?;
        self.at += 4;
        let digit = |value: u32, c: char| Some(value << 4 | c.to_digit(16)?);
        digits.chars().try_fold(0, digit).ok_or(Refused)
    }

    /// A number as it stands there.
    fn number(&mut self) -> Result<&'de str, Refused> {
        let (from, bytes) = (self.at, self.text.as_bytes());
        let mut at = from + usize::from(bytes.get(from) == Some(&b'-'));
        let whole = digits(bytes, &mut at);
        if whole == 0 || (whole > 1 && bytes[at - whole] == b'0') {
            return Err(Refused);
        }
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            if digits(bytes, &mut at) == 0 {
                return Err(Refused);
            }
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            if digits(bytes, &mut at) == 0 {
                return Err(Refused);
            }
        }
        self.at = at;
        self.slice(from, at)
    }

    fn json(&mut self) -> Result<Json<'de>, Refused> {
        match self.peek().ok_or(Refused)? {
            b'"' => self.string().map(Json::Text),
            b'{' => self.nested(b'}', |items| {
                let mut entries = Entries::default();
                while items.more()? {
                    let key = items.reader.string()?;
                    if !entries.is_new(&key) {
                        return Err(Refused);
                    }
                    items.reader.expect(b':')?;
                    entries.all.push((key, items.reader.json()?));
                }
                Ok(Json::Object(entries.all))
            }),
            b'[' => self.nested(b']', |items| {
                let mut list = Vec::new();
                while items.more()? {
                    list.push(items.reader.json()?);
                }
                Ok(Json::List(list))
            }),
            b'n' => self.word("null").map(|()| Json::Null),
            b't' => self.word("true").map(|()| Json::Bool(true)),
            b'f' => self.word("false").map(|()| Json::Bool(false)),
            _ => {
                let number = self.number()?;
                match number.parse::<u64>() {
                    Ok(number) => Ok(Json::Number(number.into())),
                    Err(_) => serde_json::from_str(number).map_err(|_| Refused),
                }
            }
        }
    }

    /// Passes over a string, from behind its first quote.
    fn skip_string(&mut self) -> Result<(), Refused> {
        while self.plain()? != b'"' {
            self.escape()?;
        }
        Ok(())
    }

    /// Passes over one value.
    fn skip(&mut self) -> Result<(), Refused> {
        match self.peek().ok_or(Refused)? {
            b'"' => {
                self.at += 1;
                self.skip_string()
            }
            b'[' => self.nested(b']', |items| {
                while items.more()? {
                    items.reader.skip()?;
                }
                Ok(())
            }),
            b'{' => self.nested(b'}', |items| {
                while items.more()? {
                    items.reader.expect(b'"')?;
                    items.reader.skip_string()?;
                    items.reader.expect(b':')?;
                    items.reader.skip()?;
                }
                Ok(())
            }),
            b'n' => self.word("null"),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            _ => self.number().map(|_| ()),
        }
    }

    /// Reads a list or an object, whose bracket was seen.
    fn nested<V>(
        &mut self,
        close: u8,
        visit: impl FnOnce(&mut Items<'_, 'de>) -> Result<V, Refused>,
    ) -> Result<V, Refused> {
        self.at += 1;
        self.room = self.room.checked_sub(1).ok_or(Refused)?;
        let mut items = Items { reader: self, close, first: true, ended: false };
        let value = visit(&mut items)?;
        if items.more()? {
            return Err(Refused);
        }
        self.room += 1;
        Ok(value)
    }
}

/// How many digits stand at a place, which goes behind them.
fn digits(bytes: &[u8], at: &mut usize) -> usize {
    let count = bytes.get(*at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    *at += count;
    count
}

/// Bytes before the first quote, backslash or control byte.
#[inline]
pub(super) fn plain_bytes(bytes: &[u8]) -> usize {
    if let Some(at) = soon(bytes) {
        return at;
    }
    let from = plain_blocks(bytes);
    let (words, _) = bytes[from..].as_chunks();
    match words.iter().map(|word| marked(*word)).enumerate().find(|(_, marks)| *marks != 0) {
        Some((at, marks)) => from + 8 * at + marks.trailing_zeros() as usize / 8,
        None => {
            let from = from + 8 * words.len();
            bytes[from..].iter().position(|byte| special(*byte)).map_or(bytes.len(), |at| from + at)
        }
    }
}

/// The same where there is no control byte.
#[inline]
fn plain_bytes_of_line(bytes: &[u8]) -> usize {
    soon(bytes).or_else(|| memchr::memchr2(b'"', b'\\', bytes)).unwrap_or(bytes.len())
}

/// Where such a byte stands among the first eight: keys and names end there.
#[inline]
fn soon(bytes: &[u8]) -> Option<usize> {
    let marks = bytes.first_chunk().map(|word| marked(*word)).filter(|marks| *marks != 0)?;
    Some(marks.trailing_zeros() as usize / 8)
}

fn special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < b' '
}

/// Bytes of whole blocks before the block that holds such a byte.
fn plain_blocks(bytes: &[u8]) -> usize {
    const BLOCK: usize = 64;
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    // Counted, not found: so the compiler looks at many bytes at once.
    let any = |block: &[u8; BLOCK]| block.iter().map(|byte| u8::from(special(*byte))).sum::<u8>() > 0;
    BLOCK * blocks.iter().position(any).unwrap_or(blocks.len())
}

/// The highest bit of the first of eight bytes that is a quote, a backslash or a control byte; bits
/// behind it mean nothing.
#[inline]
fn marked(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    const ONES: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (is(b'"') | is(b'\\') | below(word, b' ')) & (ONES << 7)
}

impl<'de> Deserializer<'de> for &mut TextReader<'de> {
    type Error = Refused;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.peek().ok_or(Refused)? {
            b'"' => match self.string()? {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            b'{' => self.nested(b'}', |items| visitor.visit_map(items)),
            b'[' => self.nested(b']', |items| visitor.visit_seq(items)),
            b'n' => self.word("null").and_then(|()| visitor.visit_unit()),
            b't' => self.word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.word("false").and_then(|()| visitor.visit_bool(false)),
            _ => {
                let number = self.number()?;
                match number.parse() {
                    Ok(number) => visitor.visit_u64(number),
                    Err(_) => serde_json::Deserializer::from_str(number).deserialize_any(visitor).map_err(|_| Refused),
                }
            }
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.peek() == Some(b'n') {
            return self.word("null").and_then(|()| visitor.visit_none());
        }
        visitor.visit_some(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.skip()?;
        visitor.visit_unit()
    }

    /// serde_json's raw value asks for its text by a map whose only key is the name of the type.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Refused> {
        if !name.starts_with("$serde_json") {
            return visitor.visit_newtype_struct(self);
        }
        self.peek();
        let from = self.at;
        self.skip()?;
        let raw = BorrowedStrDeserializer::new(self.slice(from, self.at)?);
        visitor.visit_map(MapDeserializer::new(std::iter::once((name, raw))))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

/// What stands between two brackets.
struct Items<'r, 'de> {
    reader: &'r mut TextReader<'de>,
    close: u8,
    first: bool,
    ended: bool,
}

impl Items<'_, '_> {
    /// Whether there is another; it begins here.
    #[inline]
    fn more(&mut self) -> Result<bool, Refused> {
        if self.ended {
            return Ok(false);
        }
        if self.reader.peek() == Some(self.close) {
            self.reader.at += 1;
            self.ended = true;
            return Ok(false);
        }
        if !std::mem::take(&mut self.first) {
            self.reader.expect(b',')?;
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de> {
    type Error = Refused;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refused> {
        if self.more()? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for &mut Items<'_, 'de> {
    type Error = Refused;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refused> {
        if !self.more()? {
            return Ok(None);
        }
        if self.reader.peek() == Some(b'"') { seed.deserialize(&mut *self.reader).map(Some) } else { Err(Refused) }
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refused> {
        self.reader.expect(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Deserialize)]
    struct Shape<'a> {
        text: Option<String>,
        list: Option<Vec<f64>>,
        #[serde(borrow)]
        raw: Option<&'a RawValue>,
    }

    fn tree(text: &str) -> Option<Json<'_>> {
        super::tree(text, DEEPEST).ok()
    }

    fn agrees(text: &str) {
        let expected = serde_json::from_str::<Json>(text).ok();
        assert_eq!(tree(text), expected, "{text:?}");
        assert_eq!(read(text, DEEPEST, PhantomData::<Json>).ok(), expected, "{text:?}");
        let told = |shape: Shape| format!("{:?} {:?} {:?}", shape.text, shape.list, shape.raw.map(RawValue::get));
        let shape = read(text, DEEPEST, PhantomData::<Shape>).ok().map(told);
        assert_eq!(shape, serde_json::from_str(text).ok().map(told), "{text:?}");
        // What is only passed over is no less JSON.
        if read(text, DEEPEST, PhantomData::<serde::de::IgnoredAny>).is_ok() {
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn texts_are_read_as_serde_json_reads_them() {
        for text in [
            r#" {"text" : "a\"b\\ \n\u00e9\ud83d\ude00" , "list":[1,-2, 0.5,1e3],"raw" :{"b":[null, true]} }"#,
            r#"{"text":null,"list":[],"raw":"x","more":[{},[],{"a":[1]}]}"#,
            r#"["a",[1],2]"#,
            r#"["a",[1],2,3]"#,
            r#"{"text":1}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,}"#,
            "[1,]",
            "[,1]",
            "[1 2]",
            "{1:2}",
            "[1}",
            "[1",
            "\"\u{1}\"",
            "\"\t\"",
            r#""\ud800""#,
            r#""\ud800\u0041""#,
            r#""\udc00""#,
            r#""\u12g4""#,
            r#""\x""#,
            "\"\\",
            "\"open",
            "01",
            "-",
            "-0",
            "1.",
            "1e",
            "1e999",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775809",
            "123456789012345678901234567890.5",
            "tru",
            "nullx",
            "1 x",
            "",
            " ",
        ] {
            agrees(text);
        }
    }

    #[test]
    fn strings_end_wherever_a_block_ends() {
        for length in 0..200 {
            let text = "x".repeat(length);
            for (inner, expected) in [("", Some("")), ("\\n", Some("\n")), ("\u{1f}", None), ("é", Some("é"))] {
                let json = format!("\"{text}{inner}{text}\"");
                let expected = expected.map(|inner| Json::Text(format!("{text}{inner}{text}").into()));
                assert_eq!(tree(&json), expected, "{length} {inner:?}");
            }
        }
    }

    #[test]
    fn depth_has_a_limit() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        for (text, is_read) in [(nested(3), true), (nested(4), false), (format!("[{},{}]", nested(2), nested(2)), true)]
        {
            assert_eq!(read(&text, 3, PhantomData::<Json>).is_ok(), is_read, "{text}");
            assert_eq!(super::tree(&text, 3).is_ok(), is_read, "{text}");
        }
        for depth in [127, 128, 100_000] {
            agrees(&nested(depth));
        }
    }

    proptest! {
        /// One byte of good JSON changed.
        #[test]
        fn broken_texts_are_read_as_serde_json_reads_them(at in 0usize..120, byte in 0u8..128) {
            let text = r#"{"text":"a\n\u00e9 and so on until a block is full, and then \"more\"","list":[1,-2.5e3,0],"raw":{"b":[null,true]}}"#;
            let mut bytes = text.as_bytes().to_vec();
            if let Some(one) = bytes.get_mut(at) {
                *one = byte;
            }
            agrees(std::str::from_utf8(&bytes).unwrap());
        }
    }
}
