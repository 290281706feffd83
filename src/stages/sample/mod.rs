//! Draws stratified batches of tasks for people to label.
//!
//! Not here: which rows earlier batches hold (the runner says), what annotators answer (`label`).
//!
//! Always: who is drawn depends on the seed and the row's id, never on the order of rows; the
//! numbers drawn per stratum add up exactly.

pub mod allocate;
pub mod labelstudio;
pub mod plan;
