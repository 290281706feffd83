//! One JSON value as a borrowed tree, for formats whose shape is not known before it is read.
//!
//! Not here: the three commonest formats, which `parse` reads without a tree.
//!
//! Always: a key that stands twice in one object is an error, because which of the two was meant
//! cannot be known; keys keep their order; strings without escapes are borrowed from the text.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::text_reader::{self, DEEPEST};

#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// Keys up to which a linear search for a second one is quicker than a set.
const FEW_KEYS: usize = 24;

/// What written JSON takes at first: most metadata needs no more.
const FIRST_BYTES: usize = 256;

/// The keys of one object so far. Searching them one by one for each key would take hours for
/// an object of a million keys.
#[derive(Default)]
pub struct Seen<'a> {
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Seen<'a> {
    /// Whether the key is new.
    pub fn insert(&mut self, key: Cow<'a, str>) -> bool {
        if self.many.is_empty() && self.few.len() < FEW_KEYS {
            let new = !self.few.contains(&key);
            self.few.push(key);
            return new;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(key)
    }
}

/// Where keys stand in a list of entries that only grows.
#[derive(Debug, Default)]
pub struct Places {
    known: HashMap<String, usize>,
    seen: usize,
}

impl Places {
    /// The first entry of a key.
    pub fn find<T>(&mut self, entries: &[(Cow<str>, T)], key: &str) -> Option<usize> {
        if entries.len() <= FEW_KEYS {
            return entries.iter().position(|(name, _)| name == key);
        }
        for (at, (name, _)) in entries.iter().enumerate().skip(self.seen) {
            self.known.entry(name.clone().into_owned()).or_insert(at);
        }
        self.seen = entries.len();
        self.known.get(key).copied()
    }
}

impl<'a> Json<'a> {
    /// A value of an object; nothing if there is no such key, or it is null.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        let Json::Object(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value).filter(|value| **value != Json::Null)
    }

    /// Whether an object has the key, also with null behind it.
    pub fn has(&self, key: &str) -> bool {
        matches!(self, Json::Object(entries) if entries.iter().any(|(name, _)| name == key))
    }

    /// `get` along several keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Json<'a>> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// `get` along the names of a dotted path.
    pub fn along(&self, path: &str) -> Option<&Json<'a>> {
        // Names are short: cutting bytes is quicker here than searching a text.
        path.as_bytes().split(|byte| *byte == b'.').try_fold(self, |value, name| {
            let entry = value.entries()?.iter().find(|(key, _)| key.as_bytes() == name);
            entry.map(|(_, value)| value).filter(|value| **value != Json::Null)
        })
    }

    pub fn text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    pub fn list(&self) -> Option<&[Json<'a>]> {
        if let Json::List(items) = self { Some(items) } else { None }
    }

    pub fn entries(&self) -> Option<&[(Cow<'a, str>, Json<'a>)]> {
        if let Json::Object(entries) = self { Some(entries) } else { None }
    }

    pub fn number(&self) -> Option<f64> {
        if let Json::Number(number) = self { number.as_f64() } else { None }
    }

    /// The text of an object's value.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Json::text)
    }

    pub fn list_of(&self, key: &str) -> Option<&[Json<'a>]> {
        self.get(key).and_then(Json::list)
    }

    /// A scalar as text: numbers and booleans as JSON writes them, strings as they are.
    pub fn scalar(&self) -> Option<String> {
        match self {
            Json::Text(text) => Some(text.clone().into_owned()),
            Json::Number(number) => Some(number.to_string()),
            Json::Bool(value) => Some(value.to_string()),
            Json::Null | Json::List(_) | Json::Object(_) => None,
        }
    }

    /// Whether lists and objects nest deeper than a limit.
    pub fn is_deeper_than(&self, limit: u32) -> bool {
        let below = |limit: Option<u32>, value: &Json| limit.is_none_or(|limit| value.is_deeper_than(limit));
        match self {
            Json::List(items) => limit == 0 || items.iter().any(|item| below(limit.checked_sub(1), item)),
            Json::Object(entries) => limit == 0 || entries.iter().any(|(_, value)| below(limit.checked_sub(1), value)),
            _ => false,
        }
    }

    /// As compact JSON text, with the escapes of serde_json.
    pub fn json(&self) -> String {
        let mut text = String::with_capacity(FIRST_BYTES);
        self.write(&mut text);
        text
    }

    /// The same of an object that is not put together before.
    pub fn object_json<'v>(entries: impl Iterator<Item = (&'v str, &'v Json<'a>)>) -> String
    where
        'a: 'v,
    {
        let mut text = String::with_capacity(FIRST_BYTES);
        write_object(entries, &mut text);
        text
    }

    fn write(&self, to: &mut String) {
        match self {
            Json::Null => to.push_str("null"),
            Json::Bool(true) => to.push_str("true"),
            Json::Bool(false) => to.push_str("false"),
            // Into a string everything can be written.
            Json::Number(number) => drop(write!(to, "{number}")),
            Json::Text(text) => write_text(text, to),
            Json::List(items) => {
                to.push('[');
                for (at, item) in items.iter().enumerate() {
                    to.push_str(if at > 0 { "," } else { "" });
                    item.write(to);
                }
                to.push(']');
            }
            Json::Object(entries) => write_object(entries.iter().map(|(key, value)| (key.as_ref(), value)), to),
        }
    }

    /// Text that holds JSON, as gateways and exports write it, as a tree of its own.
    pub fn parsed(text: &str) -> Option<Json<'_>> {
        matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'[')).then(|| Json::of(text).ok())?
    }

    /// Text that is one JSON value.
    pub fn of(text: &str) -> serde_json::Result<Json<'_>> {
        text_reader::tree(text, DEEPEST).or_else(|_| serde_json::from_str(text))
    }
}

fn write_object<'v, 'a: 'v>(entries: impl Iterator<Item = (&'v str, &'v Json<'a>)>, to: &mut String) {
    to.push('{');
    for (at, (key, value)) in entries.enumerate() {
        to.push_str(if at > 0 { "," } else { "" });
        write_text(key, to);
        to.push(':');
        value.write(to);
    }
    to.push('}');
}

fn write_text(mut text: &str, to: &mut String) {
    to.reserve(text.len() + 2);
    to.push('"');
    loop {
        let (plain, rest) = text.split_at(text_reader::plain_bytes(text.as_bytes()));
        to.push_str(plain);
        let mut rest = rest.chars();
        match rest.next() {
            None => break,
            Some('\n') => to.push_str("\\n"),
            Some('"') => to.push_str("\\\""),
            Some('\\') => to.push_str("\\\\"),
            Some('\t') => to.push_str("\\t"),
            Some('\r') => to.push_str("\\r"),
            Some('\u{8}') => to.push_str("\\b"),
            Some('\u{c}') => to.push_str("\\f"),
            Some(control) => drop(write!(to, "\\u{:04x}", u32::from(control))),
        }
        text = rest.as_str();
    }
    to.push('"');
}

/// Keys and values of an object that is being read.
pub(super) struct Entries<'a> {
    pub(super) all: Vec<(Cow<'a, str>, Json<'a>)>,
    many: HashSet<String>,
}

impl Default for Entries<'_> {
    /// With room for as many as most objects have.
    fn default() -> Self {
        Entries { all: Vec::with_capacity(8), many: HashSet::new() }
    }
}

impl Entries<'_> {
    /// Whether the next key is a new one; asked once for each.
    #[inline]
    pub(super) fn is_new(&mut self, key: &str) -> bool {
        if self.all.len() < FEW_KEYS {
            return !self.all.iter().any(|(name, _)| name == key);
        }
        if self.many.is_empty() {
            self.many.extend(self.all.iter().map(|(name, _)| name.clone().into_owned()));
        }
        self.many.insert(key.to_owned())
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json<'de>, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Json<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Json<'de>, E> {
                Ok(Json::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
                Ok(Json::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
                Ok(Json::Number(value.into()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
                Ok(Json::Number(value.into()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
                Ok(serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number))
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
                Ok(Json::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
                Ok(Json::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Json<'de>, E> {
                Ok(Json::Text(Cow::Owned(text)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Json::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
                let mut entries = Entries::default();
                while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
                    if !entries.is_new(&key) {
                        return Err(A::Error::duplicate_field("of an object"));
                    }
                    entries.all.push((key, map.next_value()?));
                }
                Ok(Json::Object(entries.all))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A short text, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Key<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

#[cfg(test)]
mod tests {
    use serde::ser::{Serialize, SerializeMap, Serializer};

    use super::*;

    /// For serde_json, which what is written here must agree with.
    impl Serialize for Json<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self {
                Json::Null => serializer.serialize_unit(),
                Json::Bool(value) => serializer.serialize_bool(*value),
                Json::Number(number) => number.serialize(serializer),
                Json::Text(text) => serializer.serialize_str(text),
                Json::List(items) => serializer.collect_seq(items),
                Json::Object(entries) => {
                    let mut map = serializer.serialize_map(Some(entries.len()))?;
                    for (key, value) in entries {
                        map.serialize_entry(key, value)?;
                    }
                    map.end()
                }
            }
        }
    }

    #[test]
    fn what_was_read_is_what_is_written() {
        for text in [r#"{"b":[1,-2,3.5,null,true],"a":"é\n\"x\""}"#, "[]", "\"x\"", "18446744073709551615"] {
            assert_eq!(serde_json::from_str::<Json>(text).unwrap().json(), text);
        }
    }

    #[test]
    fn texts_are_escaped_as_serde_json_escapes_them() {
        let every: String = (0..300u32).filter_map(char::from_u32).chain(['\u{2028}', '😀']).collect();
        for text in [every.as_str(), "", "\n", "plain", "a quote \" in a longer text \\ and a tab \t", "\"", "é\u{1}"]
        {
            assert_eq!(Json::Text(text.into()).json(), serde_json::to_string(text).unwrap());
        }
        let tree = Json::of(r#"{"a\n":[-0.0,1e300,-5,18446744073709551615,{},[],[{}]],"":{"b":false}}"#).unwrap();
        assert_eq!(tree.json(), serde_json::to_string(&tree).unwrap());
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error_in_small_and_large_objects() {
        for keys in [2, 100] {
            let entries: Vec<String> = (0..keys).map(|i| format!(r#""k{i}":0"#)).collect();
            let (once, twice) = (format!("{{{}}}", entries.join(",")), format!(r#"{{{},"k1":0}}"#, entries.join(",")));
            assert!(serde_json::from_str::<Json>(&once).is_ok());
            let err = serde_json::from_str::<Json>(&twice).unwrap_err().to_string();
            assert!(err.starts_with("duplicate field"), "{err}");
        }
    }

    #[test]
    fn values_are_found() {
        let json: Json = serde_json::from_str(r#"{"a":{"b":["x"]},"n":null,"f":1.5}"#).unwrap();
        assert_eq!(json.at(&["a", "b"]).and_then(Json::list).map(<[Json]>::len), Some(1));
        assert_eq!((json.get("n"), json.has("n"), json.has("m")), (None, true, false));
        let along = ["a.b", "a", "", "a.", "a.b.c", "n", "f.x"].map(|path| json.along(path).is_some());
        assert_eq!(along, [true, true, false, false, false, false, false]);
        assert_eq!(json.get("f").and_then(Json::scalar).as_deref(), Some("1.5"));
        assert_eq!(Json::parsed("[1]").map(|json| json.json()).as_deref(), Some("[1]"));
        assert_eq!((Json::parsed("plain"), Json::parsed("{broken")), (None, None));
    }
}
