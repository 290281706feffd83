//! Rows of datasets: SFT examples and preference pairs.
//!
//! Not here: which verdicts there are (`label`), how rows are written and where (`runner`, `store`).
//!
//! Always: a prompt ends before an assistant speaks; chosen and rejected differ; ties make no
//! pair; which split a row is in depends on its split group alone.

pub mod pair;
pub mod split;
