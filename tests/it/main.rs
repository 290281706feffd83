//! Integration tests: the built programs over files, and what the source tree promises of itself.
//!
//! One binary, so that the library is linked once. Every test works in temporary folders of its
//! own and ends only processes that it started.

mod against;
mod alone;
mod bad_input;
mod canonical;
mod containers;
mod corpus;
mod crash;
mod decisions;
mod determinism;
mod evidence;
mod formats;
mod growing;
mod help;
mod joins;
mod policy;
mod preferences;
mod quickstart;
mod schemas;
mod semantic;
mod splits;
mod walls;
