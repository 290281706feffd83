//! What stands behind a row, and whether all that is kept is still what was written.
//!
//! Not here: making layers or releases (`runner`), showing the answers (`cli`).
//!
//! Always: read-only. Answers hold ids, places, counts and hashes, never conversation text; the
//! columns that hold text are not even read.

mod facts;
mod find;
mod integrity;
mod known;
mod page;
mod scan;
mod source;
mod tasks;
#[cfg(test)]
mod testing;
pub mod trace;
pub mod verify;

pub use facts::{Decision, Evidence, FindingCount, Folded, Kind, Occurrence, Place, Record, Standing, Task, Verdict};
