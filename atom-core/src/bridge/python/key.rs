//! Keys that Python keeps: any object with a `fingerprint` and the functions `wrap` and `unwrap`, plain or coroutine functions.

use super::handler::{Arguments, Function, Output, call};
use crate::bridge::key_failed;
use crate::crypto::{BoxFuture, KeyProvider};
use crate::{HostKey, Result};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use std::sync::Arc;
use zeroize::Zeroizing;

struct PythonKey {
    fingerprint: String,
    wrap: Arc<Function>,
    unwrap: Arc<Function>,
}

impl<'a, 'py> FromPyObject<'a, 'py> for HostKey {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let lacks = |_| PyTypeError::new_err("a key provider has a `fingerprint`, a text, and the functions `wrap` and `unwrap`");
        let function = |name: &str| Function::new(&object.getattr(name).map_err(lacks)?, name).map(Arc::new);
        Ok(Self::new(PythonKey {
            fingerprint: object.getattr("fingerprint").and_then(|text| text.extract()).map_err(lacks)?,
            wrap: function("wrap")?,
            unwrap: function("unwrap")?,
        }))
    }
}

impl PythonKey {
    async fn call(&self, function: &Arc<Function>, input: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let arguments = Arguments::Key(Zeroizing::new(input.to_vec()), context.to_vec());
        match call(Arc::clone(function), arguments, std::future::pending()).await {
            Ok(Output::Bytes(output)) => Ok(output),
            Ok(Output::Json(_) | Output::Text(_) | Output::Refusal(_)) => Err(key_failed("it returned no bytes")),
            Err(failure) => Err(key_failed(&failure.reason)),
        }
    }
}

impl KeyProvider for PythonKey {
    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn wrap<'a>(&'a self, data_key: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move { self.call(&self.wrap, data_key, context).await.map(|wrapped| wrapped.to_vec()) })
    }

    fn unwrap<'a>(&'a self, wrapped: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>>> {
        Box::pin(self.call(&self.unwrap, wrapped, context))
    }
}
