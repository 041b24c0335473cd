//! Sealed secrets: the token sets of connections.

mod token_set;

pub(crate) use token_set::{Stored, TokenSet, delete_all, insert, lease, load, release, replace};
