//! The events that Atom itself emits: the only place that names them.

mod accounts;
mod services;
mod workspaces;

pub(crate) use accounts::*;
pub(crate) use services::*;
pub(crate) use workspaces::*;

use super::EventType;

/// Every event that Atom emits.
pub(crate) fn catalogue() -> Vec<EventType> {
    [accounts::catalogue(), services::catalogue(), workspaces::catalogue()].concat()
}

#[cfg(test)]
mod tests;
