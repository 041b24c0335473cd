//! Sealed secrets: the token sets of connections, and the API keys of other services.

mod cache;
mod lease;
mod refusal;
pub(crate) mod service_keys;
mod token_set;

pub(crate) use cache::TokenCache;
pub(crate) use lease::{Failure, Lease};
pub(crate) use refusal::{forget_refusals, is_refused, note_refusal};
pub(crate) use token_set::{
    DEFAULT, Fields, Stored, TokenSet, delete, delete_all, idle, insert, load, names, put_off, replace, set_lifetime,
};
