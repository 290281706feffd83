//! The tables of published shapes, by family.
//!
//! Not here: how a shape is looked for (`super::format`, `super::scan`).
//!
//! Always: ids are unique, and no two rows of one family find the same by the same words.

mod cloud;
mod data;
mod forges;
mod messaging;
mod models;
mod payment;
mod services;

use super::format::Format;

/// All shapes, in the order of their families.
pub(super) fn all() -> impl Iterator<Item = &'static Format> {
    let families: [&'static [Format]; 7] = [
        &cloud::FORMATS,
        &forges::FORMATS,
        &models::FORMATS,
        &messaging::FORMATS,
        &payment::FORMATS,
        &data::FORMATS,
        &services::FORMATS,
    ];
    families.into_iter().flatten()
}
