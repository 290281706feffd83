//! Lists of messages, read one by one into ours.
//!
//! Not here: what a message of a format looks like (`openai`, `sharegpt`).
//!
//! Always: a list whose values have the wrong types cannot be read; one with a message that cannot
//! be understood is read, and says why.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::Error;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::Reason;
use super::tree::Json;
use crate::record::Message;

/// Messages, or why one of them cannot be understood.
pub(super) type Talk = Result<Vec<Message>, Reason>;

/// What a log holds as a message.
pub(super) trait Says {
    fn message(self) -> Result<Message, Reason>;
}

/// Reads a list of messages, or null; one that cannot be understood is no reason to stop.
pub(super) struct Said<T>(pub(super) PhantomData<T>);

impl<'de, T: Deserialize<'de> + Says> DeserializeSeed<'de> for Said<T> {
    type Value = Option<Talk>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: Deserialize<'de> + Says> Visitor<'de> for Said<T> {
    type Value = Option<Talk>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of messages")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        // Most have no more.
        let mut said = Ok(Vec::with_capacity(8));
        while let Some(item) = items.next_element::<T>()? {
            if let Ok(messages) = &mut said {
                match item.message() {
                    Ok(message) => messages.push(message),
                    Err(reason) => said = Err(reason),
                }
            }
        }
        Ok(Some(said))
    }
}

/// Of a tree, where the list may be JSON text.
pub(super) fn messages(value: &Json, read: fn(&Json) -> Result<Option<Talk>, Error>) -> Result<Option<Talk>, Reason> {
    match value.text().and_then(Json::parsed) {
        Some(parsed) => read(&parsed),
        None => read(value),
    }
    .map_err(|_| Reason::BadShape)
}
