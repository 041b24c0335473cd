//! Sealed secrets: the token sets of connections.

mod lease;
mod token_set;

pub(crate) use lease::{Failure, Lease};
pub(crate) use token_set::{Stored, TokenSet, delete_all, idle, insert, load, put_off, replace};
