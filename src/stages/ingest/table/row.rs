//! The syntax of one row: its fields, and the object they make.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::super::Reason;
use super::super::tree::Json;

/// Where in the syntax of a row a byte lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted field: the end of the field, or half of a doubled quote.
    Closed,
    End,
}

impl State {
    pub fn after(self, byte: u8, delimiter: u8) -> State {
        match (self, byte) {
            (State::Quoted, b'"') => State::Closed,
            (State::Quoted, _) | (State::Start | State::Closed, b'"') => State::Quoted,
            (_, b'\n' | b'\r') => State::End,
            (_, byte) if byte == delimiter => State::Start,
            _ => State::Plain,
        }
    }
}

/// No bytes, or nothing but empty fields; white space says nothing.
pub fn blank(text: &str, delimiter: u8) -> bool {
    let could_be = |byte: u8| byte == delimiter || byte == b'"' || byte.is_ascii_whitespace();
    text.bytes().all(could_be)
        && fields(text, delimiter).is_some_and(|fields| fields.iter().all(|field| field.trim().is_empty()))
}

/// The fields of one row; nothing if text stands behind a closing quote.
pub fn fields(text: &str, delimiter: u8) -> Option<Vec<Cow<'_, str>>> {
    let mut fields = Vec::new();
    let (mut state, mut start) = (State::Start, 0);
    for (at, byte) in text.bytes().enumerate() {
        let next = state.after(byte, delimiter);
        if state == State::Closed && next == State::Plain {
            return None;
        }
        if next == State::Start {
            fields.push(field(&text[start..at]));
            start = at + 1;
        }
        state = next;
    }
    fields.push(field(&text[start..]));
    Some(fields)
}

/// One field without its quotes.
fn field(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inside) if inside.contains('"') => Cow::Owned(inside.replace("\"\"", "\"")),
        Some(inside) => Cow::Borrowed(inside),
        None => Cow::Borrowed(text),
    }
}

/// Names of the columns. One without a name is called by its place (`column_1`), and one that
/// comes again gets a number, since an object may not have a key twice.
pub fn names(header: &[Cow<'_, str>]) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    // Where counting goes on for a name; from 2 each time, many equal names would take for ever.
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::with_capacity(header.len());
    for (at, name) in header.iter().enumerate() {
        let plain = if name.trim().is_empty() { format!("column_{}", at + 1) } else { name.trim().to_owned() };
        let mut own = plain.clone();
        while !taken.insert(own.clone()) {
            let number = numbers.entry(plain.clone()).or_insert(2);
            own = format!("{plain}_{number}");
            *number += 1;
        }
        names.push(own);
    }
    names
}

pub fn object(text: &str, delimiter: u8, columns: &[String]) -> Result<String, Reason> {
    let fields = fields(text, delimiter).filter(|fields| fields.len() == columns.len()).ok_or(Reason::BadShape)?;
    let entries = columns.iter().zip(fields).map(|(name, field)| (Cow::Borrowed(name.as_str()), Json::Text(field)));
    Ok(Json::Object(entries.collect()).json())
}
