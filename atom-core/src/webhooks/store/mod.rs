//! The SQL of webhooks.

mod deliveries;
mod endpoints;

pub(crate) use deliveries::forget_events;
pub(super) use deliveries::*;
pub(super) use endpoints::*;
