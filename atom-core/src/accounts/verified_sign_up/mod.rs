//! Signing up with an address that is proved first: the account waits for that, and is made then.

mod begin;
mod confirm;

pub(super) use begin::run as begin;
pub(super) use confirm::run as confirm;
