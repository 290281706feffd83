//! Finds conversations that say the same: exactly, as a snapshot of a longer one, nearly, or in other
//! words as vectors of the user's tell.
//!
//! Not here: running the plans (`runner`); making vectors; deletion of popular prompts.
//!
//! Always: different answers to one prompt are never duplicates; a near-duplicate is verified exactly
//! before anything is dropped, on both sides or by its cosine; who is dropped has a winner that was kept.

pub mod against;
pub mod cluster;
pub mod curve;
pub mod hashed;
pub mod pairs;
pub mod plan;
pub mod semantic;
pub mod shingle;
pub mod sketch;
pub mod verify;
