//! ShareGPT turns: `{"from": "human", "value": "…"}`.

use serde::Deserialize;

use super::Reason;
use crate::record::{Message, Role};

#[derive(Deserialize)]
pub(super) struct Turn {
    from: Option<String>,
    value: Option<String>,
}

impl Turn {
    pub(super) fn message(self) -> Result<Message, Reason> {
        let from = self.from.ok_or(Reason::MissingRole)?;
        let role = Role::parse(&from).ok_or(Reason::UnknownRole)?;
        Ok(Message::text(role, self.value.ok_or(Reason::BadShape)?))
    }
}
