//! Operations that data cannot describe, as named functions. A manifest says `hook = "name"`.

use crate::connect::Connection;
use crate::crypto::BoxFuture;
use crate::{Error, Json, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// Carries out an operation of a manifest that names it.
///
/// It gets the operation's inputs and gives what the vendor would have answered: the manifest's `items`, `item` and `record` are applied to
/// that. What it sends through [`Connection::request`] or [`Connection::call`] is authenticated and limited like everything else.
pub trait OperationHook: Send + Sync + 'static {
    /// Runs the operation once.
    fn run<'a>(&'a self, connection: &'a Connection, input: Json) -> BoxFuture<'a, Result<Json>>;
}

/// The hooks of an installation, by name: the host's.
#[derive(Clone, Default)]
pub(crate) struct Hooks(HashMap<String, Arc<dyn OperationHook>>);

impl Hooks {
    pub(crate) fn add(&mut self, name: String, hook: Arc<dyn OperationHook>) {
        self.0.insert(name, hook);
    }

    pub(crate) fn get(&self, name: &str) -> Result<Arc<dyn OperationHook>> {
        let unknown = || {
            let text = format!("the manifest names a hook `{name}` that is not here: give it to the builder");
            Error::invalid("unknown_hook", text)
        };
        self.0.get(name).cloned().ok_or_else(unknown)
    }
}
