//! Integrations: operations of providers, carried out as their manifests say.
//!
//! [`engine`] turns an operation and its input into requests and the answers into unified records; [`failure`] turns a vendor's no
//! into our error; [`hooks`] are functions for what a manifest cannot say. A folder per capability holds its typed models and its
//! handle; [`shared`] holds what they have in common.

pub(crate) mod accounting;
pub(crate) mod automation;
pub(crate) mod calendar;
pub(crate) mod chat;
pub(crate) mod code;
pub(crate) mod commerce;
pub(crate) mod crm;
pub(crate) mod design;
pub(crate) mod documents;
pub(crate) mod engine;
pub(crate) mod failure;
pub(crate) mod files;
pub(crate) mod hooks;
pub(crate) mod mail;
pub(crate) mod meetings;
pub(crate) mod payments;
pub(crate) mod push;
pub(crate) mod shared;
pub(crate) mod social;
pub(crate) mod support;
pub(crate) mod tasks;
