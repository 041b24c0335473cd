//! Integrations: unified operations, carried out as a provider's manifest says.
//!
//! [`engine`] turns an operation and its input into requests and the answers into unified records; [`failure`] turns a vendor's no
//! into our error. A folder per capability holds its typed models and its handle.

pub(crate) mod calendar;
mod engine;
pub(crate) mod failure;
pub(crate) mod files;
pub(crate) mod mail;
