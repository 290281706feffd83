//! ShareGPT turns: `{"from": "human", "value": "…"}`.

use serde::Deserialize;

use super::Reason;
use super::said::Says;
use super::tree::Key;
use crate::record::{Message, Role};

#[derive(Deserialize)]
pub(super) struct Turn<'a> {
    #[serde(borrow)]
    from: Option<Key<'a>>,
    value: Option<String>,
}

impl Says for Turn<'_> {
    fn message(self) -> Result<Message, Reason> {
        let from = self.from.ok_or(Reason::MissingRole)?;
        let role = Role::parse(&from.0).ok_or(Reason::UnknownRole)?;
        Ok(Message::text(role, self.value.ok_or(Reason::BadShape)?))
    }
}
