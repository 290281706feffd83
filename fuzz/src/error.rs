//! Stands in for the product's errors, which know Arrow; `config` needs one kind of them.

use std::path::Path;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug)]
pub struct Error;

impl Error {
    pub fn io(_: impl Into<std::path::PathBuf>, _: &std::io::Error) -> Error {
        Error
    }

    pub fn config(_: impl AsRef<Path>, _: impl Into<String>) -> Error {
        Error
    }
}
