//! libFuzzer around the checks of every reader of raw input; `run.sh` builds and runs it.
//!
//! The readers come in by their paths, without the rest of the product, so that this builds in a
//! minute. `GRISTMILL_FUZZ_TARGET` names the check; with `GRISTMILL_FUZZ_SEEDS` the seeds of all
//! checks are written below that folder, and nothing is run.

#![no_main]
#![allow(dead_code)]

mod checks;
#[path = "../../src/config/mod.rs"]
mod config;
#[path = "../../src/eight.rs"]
mod eight;
mod error;
#[path = "../../src/record.rs"]
mod record;
mod seeds;
mod stages;
#[path = "../../src/task.rs"]
mod task;

use std::sync::LazyLock;

static CHECK: LazyLock<checks::Check> = LazyLock::new(|| {
    let name = std::env::var("GRISTMILL_FUZZ_TARGET").unwrap_or_default();
    checks::named(&name).unwrap_or_else(|| panic!("GRISTMILL_FUZZ_TARGET: no check {name:?}"))
});

libfuzzer_sys::fuzz_target!(
    init: {
        if let Ok(folder) = std::env::var("GRISTMILL_FUZZ_SEEDS") {
            seeds::write(folder.as_ref());
            std::process::exit(0);
        }
    },
    |data: &[u8]| CHECK(data)
);
