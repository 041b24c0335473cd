//! Sealed secrets: the token sets of connections, and the API keys of other services; who may use them for what ([`policies`]), and the right to
//! use one of them that can be handed on ([`leases`]).

mod cache;
mod lease;
pub(crate) mod leases;
pub(crate) mod policies;
mod refusal;
pub(crate) mod service_keys;
mod token_set;

pub(crate) use cache::{Cache, TokenCache};
pub(crate) use lease::{Failure, Lease};
pub(crate) use refusal::{forget_refusals, is_refused, note_refusal};
pub(crate) use token_set::{
    DEFAULT, Fields, Stored, TokenSet, delete, delete_all, idle, insert, load, names, put_off, replace, set_lifetime,
};
