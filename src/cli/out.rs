//! Where output leaves the program.
//!
//! Always: a reader that closes the pipe early (`gristmill … | head`) is no error, and no panic's
//! message is shown, because it may quote a conversation (law 10).

use std::io::{ErrorKind, Write};

use serde::Serialize;

use crate::error::{Error, Result};

/// Text to stdout, as it is.
pub fn text(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(err) if err.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(err) => Err(Error::io("stdout", &err)),
    }
}

/// One JSON value to stdout, on one line.
pub fn json<T: Serialize>(value: &T) -> Result<()> {
    let json = serde_json::to_string(value).map_err(|err| Error::damaged("result", err.to_string()))?;
    text(&format!("{json}\n"))
}

/// JSON where it was asked for, else text.
pub fn either<T: Serialize>(as_json: bool, value: &T, as_text: impl FnOnce(&T) -> String) -> Result<()> {
    if as_json { json(value) } else { text(&as_text(value)) }
}

/// One line to stderr. Nobody to read it is no reason to stop.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Says where a panic happened and not what it says: slicing a string quotes the string.
pub fn hush_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or("unknown place".to_owned(), |at| format!("{}:{}", at.file(), at.line()));
        note(&format!("gristmill: internal error at {place}; please report this place. Nothing half-done is visible"));
    }));
}
