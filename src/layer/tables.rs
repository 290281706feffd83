//! Side tables of layers and tables of releases: names, versions, schemas.
//!
//! Always: a table here has its file under `schemas/`, as the layers have.

use arrow::datatypes::SchemaRef;

use super::columns::side;
use super::{Deduped, Labeled, Layer, Overlap, Redacted, Sampled, Sketch};

/// One kind of file that stands beside the rows of a layer, or in a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Rejects,
    Findings,
    Fragments,
    Joined,
    Decisions,
    Edges,
    Semantic,
    Refused,
    Sft,
    Preference,
    Lineage,
}

impl Table {
    pub const ALL: [Table; 11] = [
        Table::Rejects,
        Table::Findings,
        Table::Fragments,
        Table::Joined,
        Table::Decisions,
        Table::Edges,
        Table::Semantic,
        Table::Refused,
        Table::Sft,
        Table::Preference,
        Table::Lineage,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Table::Rejects => "rejects",
            Table::Findings => "findings",
            Table::Fragments => "fragments",
            Table::Joined => "joined",
            Table::Decisions => "decisions",
            Table::Edges => "edges",
            Table::Semantic => "semantic",
            Table::Refused => "refused",
            Table::Sft => "sft",
            Table::Preference => "preference",
            Table::Lineage => "lineage",
        }
    }

    /// - 1: first release, all tables.
    /// - 2: `findings` with what was done and where it is written; `decisions` without a winner
    ///   where a benchmark decided.
    pub const fn version(self) -> u32 {
        match self {
            Table::Findings | Table::Decisions => 2,
            _ => 1,
        }
    }

    pub fn schema(self) -> SchemaRef {
        match self {
            Table::Rejects => side::rejects(),
            Table::Findings => side::findings(),
            Table::Fragments => side::fragments(),
            Table::Joined => side::joined(),
            Table::Decisions => side::decisions(),
            Table::Edges => side::edges(),
            Table::Semantic => side::semantic(),
            Table::Refused => side::refused(),
            Table::Sft => side::sft(),
            Table::Preference => side::preference(),
            Table::Lineage => side::lineage(),
        }
    }
}

/// Everything that has a file under `schemas/`: name, version, schema.
pub fn all() -> Vec<(&'static str, u32, SchemaRef)> {
    fn one<L: Layer>() -> (&'static str, u32, SchemaRef) {
        (L::NAME, L::VERSION, L::schema())
    }
    let layers =
        [one::<Redacted>(), one::<Sketch>(), one::<Overlap>(), one::<Deduped>(), one::<Sampled>(), one::<Labeled>()];
    layers.into_iter().chain(Table::ALL.map(|table| (table.name(), table.version(), table.schema()))).collect()
}
