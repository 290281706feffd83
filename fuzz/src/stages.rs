//! The one stage that is fuzzed, under the name it has in the product.

#[path = "../../src/stages/ingest/mod.rs"]
pub mod ingest;
