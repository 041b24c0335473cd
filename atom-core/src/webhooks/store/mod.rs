//! The SQL of webhooks.

mod deliveries;
mod endpoints;

pub(super) use deliveries::*;
pub(super) use endpoints::*;
