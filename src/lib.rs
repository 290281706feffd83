//! gristmill: raw LLM conversation logs in; training-ready, audited SFT and preference datasets out.
//!
//! ```text
//! raw ──ingest──▶ normalized ──redact──▶ redacted ──dedup──▶ deduped ──sample──▶ sampled ──(people)──label──▶ labeled ──dataset──▶ release
//! ```
//!
//! | stage | brings rows together by | what may become of a row |
//! |---|---|---|
//! | ingest, redact | nothing (one fused scan) | kept, rejected |
//! | dedup | exact key, prefix hash, band hash | kept, folded, dropped |
//! | sample | stratum | drawn, left |
//! | label | task id | accepted, refused |
//! | dataset | record id | in a split, dropped |
//!
//! What this is not: a labeling tool, a trainer, a general dataflow engine. The path is fixed;
//! pipeline files give parameters.

pub mod alone;
pub mod canon;
pub mod cli;
pub mod config;
mod eight;
pub mod engine;
pub mod error;
pub mod files;
pub mod gate;
pub mod input;
pub mod layer;
pub mod lineage;
pub mod record;
pub mod report;
pub mod runner;
pub mod stages;
pub mod store;
pub mod task;
pub mod token_classifier;
