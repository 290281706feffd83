//! The six stages. A stage is pure: it knows no store, no engine, no clock and no other stage.

pub mod dataset;
pub mod dedup;
pub mod ingest;
pub mod label;
pub mod redact;
pub mod sample;
