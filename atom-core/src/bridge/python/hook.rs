//! Operations that Python carries out: a plain function or a coroutine function of a connection and an input.

use super::handler::{Arguments, Function, Output, call};
use crate::crypto::BoxFuture;
use crate::integrations::hooks::{OperationHook, failed};
use crate::{Connection, HostHook, Json, Result};
use pyo3::prelude::*;
use std::sync::Arc;

struct PythonHook(Arc<Function>);

impl<'a, 'py> FromPyObject<'a, 'py> for HostHook {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self::new(PythonHook(Arc::new(Function::new(&object, "a hook")?))))
    }
}

impl OperationHook for PythonHook {
    fn run<'a>(&'a self, connection: &'a Connection, input: Json) -> BoxFuture<'a, Result<Json>> {
        Box::pin(async move {
            let arguments = Arguments::Hook(connection.clone(), input);
            match call(Arc::clone(&self.0), arguments, std::future::pending()).await {
                Ok(Output::Json(output)) => Ok(output),
                Ok(Output::Refusal(error)) => Err(error),
                Ok(Output::Bytes(_) | Output::Text(_)) => Err(failed("it returned no JSON")),
                Err(failure) if failure.is_gone() => Err(failed("its event loop is closed")),
                Err(failure) => Err(failed(&failure.reason)),
            }
        })
    }
}
