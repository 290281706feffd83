//! What people read in the terminal: pure functions from results to text.
//!
//! Not here: printing (`cli`), reading stores (`store`, `lineage`), what a trace says
//! (`lineage::trace`).
//!
//! Always: the same result gives the same text; no conversation text can be in it, because no
//! result holds any (but `inspect` and `redaction`, whose samples are redacted); every text ends with a newline.

pub mod decisions;
pub mod inspect;
pub mod lists;
pub mod plan;
pub mod redaction;
pub mod rules;
pub mod run;
pub mod sarif;
mod table;
mod words;
