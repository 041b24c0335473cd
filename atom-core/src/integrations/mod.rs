//! Integrations: operations of providers, carried out as their manifests say.
//!
//! [`engine`] turns an operation and its input into requests and the answers into unified records; [`failure`] turns a vendor's no
//! into our error; [`hooks`] are functions for what a manifest cannot say. A folder per capability holds its typed models and its handle.

pub(crate) mod calendar;
pub(crate) mod engine;
pub(crate) mod failure;
pub(crate) mod files;
pub(crate) mod hooks;
pub(crate) mod mail;
