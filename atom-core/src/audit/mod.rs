//! The audit log: who did what, when, in a chain that shows every later change.
//!
//! [`append`] writes an entry in the transaction of the act, so that there is no act without its entry and no entry without its act.
//! Each entry's hash covers the entry before it; [`verify`] walks the chain. Whoever can rewrite the whole database can rewrite the
//! whole chain too: a signed checkpoint that was kept elsewhere shows even that.

mod chain;
mod model;
mod store;
mod verify;

pub(crate) use chain::{Actor, Entry, append};
pub use model::{AuditAction, AuditEntry, AuditFilter, AuditPage, AuditProblem, AuditReport};
pub(crate) use store::{forget_workspace, list, of_user};
pub(crate) use verify::{checkpoint, verify};
