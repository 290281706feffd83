//! OpenAI chat messages: content as string, null or parts; tool calls; tool results.
//!
//! Fields of a message that are not named here are dropped: nothing unscanned passes through.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Reason;
use super::formats::messages;
use super::said::Says;
use super::tree::{Json, Key};
use crate::record::{Message, Role, ToolCall};

#[derive(Deserialize)]
pub(super) struct RawMessage<'a> {
    #[serde(borrow)]
    role: Option<Key<'a>>,
    /// Whose message it is where LangChain wrote it.
    #[serde(borrow, rename = "type")]
    kind: Option<Key<'a>>,
    additional_kwargs: Option<Kwargs>,
    #[serde(default)]
    content: Content,
    name: Option<String>,
    tool_call_id: Option<String>,
    tool_calls: Option<Vec<RawCall>>,
    function_call: Option<RawFunction>,
}

/// What LangChain keeps of a maker's answer.
#[derive(Deserialize)]
struct Kwargs {
    tool_calls: Option<Vec<RawCall>>,
}

/// In OpenAI's form, or in LangChain's, without `function`.
#[derive(Deserialize)]
struct RawCall {
    id: Option<String>,
    function: Option<RawFunction>,
    name: Option<String>,
    args: Option<Box<RawValue>>,
}

impl RawCall {
    fn call(self) -> Result<ToolCall, Reason> {
        let own = |(name, arguments)| RawFunction { name, arguments };
        let function = self.function.or_else(|| self.name.zip(Some(self.args)).map(own));
        function.ok_or(Reason::BadShape)?.call(self.id.unwrap_or_default())
    }
}

#[derive(Deserialize)]
struct RawFunction {
    name: String,
    arguments: Option<Box<RawValue>>,
}

impl Says for RawMessage<'_> {
    fn message(self) -> Result<Message, Reason> {
        let of_langchain = |kind: &str| match kind {
            "human" => Some("user"),
            "ai" => Some("assistant"),
            "system" => Some("system"),
            "tool" | "function" => Some("tool"),
            _ => None,
        };
        let role = self.role.as_ref().map(|role| &*role.0);
        let role = role.or_else(|| self.kind.as_ref().and_then(|kind| of_langchain(&kind.0)));
        let role = Role::parse(role.ok_or(Reason::MissingRole)?).ok_or(Reason::UnknownRole)?;
        let listed = self.tool_calls.filter(|calls| !calls.is_empty());
        let listed = listed.or_else(|| self.additional_kwargs.and_then(|more| more.tool_calls));
        let mut tool_calls = listed.into_iter().flatten().map(RawCall::call).collect::<Result<Vec<_>, _>>()?;
        if let Some(function) = self.function_call {
            tool_calls.push(function.call(String::new())?);
        }
        let content = match self.content {
            Content::Text(text) => text,
            Content::Unknown => return Err(Reason::BadShape),
        };
        Ok(Message { role, content, name: self.name, tool_call_id: self.tool_call_id, tool_calls })
    }
}

impl RawFunction {
    /// Arguments are a JSON string by the API's contract; some loggers write the object itself.
    fn call(self, id: String) -> Result<ToolCall, Reason> {
        let arguments = match self.arguments {
            None => String::new(),
            Some(raw) if raw.get().starts_with('"') => {
                serde_json::from_str(raw.get()).map_err(|_| Reason::InvalidJson)?
            }
            Some(raw) => raw.get().to_owned(),
        };
        Ok(ToolCall { id, name: self.name, arguments })
    }
}

/// Content as plain text; parts that are not text become typed placeholders.
enum Content {
    Text(String),
    Unknown,
}

impl Default for Content {
    fn default() -> Self {
        Content::Text(String::new())
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = Content;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a string, null or a list of parts")
            }
            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }
            fn visit_string<E>(self, text: String) -> Result<Content, E> {
                Ok(Content::Text(text))
            }
            fn visit_unit<E>(self) -> Result<Content, E> {
                Ok(Content::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
                let mut text = String::new();
                let mut known = true;
                while let Some(part) = parts.next_element::<Json>()? {
                    let piece = messages::part(&part);
                    known &= piece.is_ok();
                    if !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(&piece.unwrap_or_default());
                }
                Ok(if known { Content::Text(text) } else { Content::Unknown })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
                while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
                Ok(Content::Unknown)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Content, E> {
                Ok(Content::Unknown)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Content, E> {
                Ok(Content::Unknown)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Content, E> {
                Ok(Content::Unknown)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Content, E> {
                Ok(Content::Unknown)
            }
        }
        deserializer.deserialize_any(Shapes)
    }
}
