//! Serde's view of a [`Json`] tree, so that what is written for JSON text reads trees as well, with
//! the same answers.
//!
//! Always: a value that text would refuse is refused here too.

use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::tree::Json;

impl<'de> Deserializer<'de> for &'de Json<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (_, Some(number)) => visitor.visit_i64(number),
                _ => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::Text(text) => visitor.visit_borrowed_str(text),
            Json::List(items) => {
                let mut items = SeqDeserializer::new(items.iter());
                let value = visitor.visit_seq(&mut items)?;
                items.end().map(|()| value)
            }
            Json::Object(entries) => {
                let mut entries = MapDeserializer::new(entries.iter().map(|(key, value)| (key.as_ref(), value)));
                let value = visitor.visit_map(&mut entries)?;
                entries.end().map(|()| value)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if *self == Json::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    /// The one such type that is read is serde_json's raw value, which asks for its text by a map
    /// whose only key is the name of the type.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name.starts_with("$serde_json") {
            return visitor.visit_map(MapDeserializer::new(std::iter::once((name, self.json()))));
        }
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

impl<'de> IntoDeserializer<'de, Error> for &'de Json<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Shape {
        text: Option<String>,
        list: Option<Vec<f64>>,
        raw: Option<Box<RawValue>>,
    }

    #[test]
    fn trees_are_read_as_their_text_is() {
        for text in [
            r#"{"text":"a","list":[1,-2,0.5],"raw":{"b":[null,"é"]},"more":[{}]}"#,
            r#"{"text":null,"list":[],"raw":"x"}"#,
            r#"["a",[1],2]"#,
            r#"["a",[1],2,3]"#,
            r#"{"text":1}"#,
            r#"{"list":["a"]}"#,
            "null",
            "5",
        ] {
            let tree: Json = serde_json::from_str(text).unwrap();
            let told =
                |shape: Shape| format!("{:?} {:?} {:?}", shape.text, shape.list, shape.raw.map(|raw| raw.to_string()));
            let of_text = serde_json::from_str::<Shape>(text).ok().map(told);
            assert_eq!(Shape::deserialize(&tree).ok().map(told), of_text, "{text}");
        }
    }
}
