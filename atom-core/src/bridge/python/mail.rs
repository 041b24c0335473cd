//! Mail that Python sends: any object with a function `send`, plain or coroutine function.

use super::handler::{Arguments, Function, Output, call};
use crate::crypto::BoxFuture;
use crate::mail::failed;
use crate::{HostMailSender, MailReceipt, MailSender, OutgoingMail, Result};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use std::sync::Arc;

struct PythonSender(Arc<Function>);

impl<'a, 'py> FromPyObject<'a, 'py> for HostMailSender {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let send = object.getattr("send").map_err(|_| PyTypeError::new_err("a mail sender has a function `send`"))?;
        Ok(Self::new(PythonSender(Arc::new(Function::new(&send, "send")?))))
    }
}

impl MailSender for PythonSender {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<MailReceipt>> {
        Box::pin(async move {
            match call(Arc::clone(&self.0), Arguments::Mail(Box::new(mail.clone())), std::future::pending()).await {
                Ok(Output::Text(receipt_id)) => Ok(MailReceipt { receipt_id }),
                Ok(Output::Refusal(error)) => Err(error),
                Ok(Output::Json(_) | Output::Bytes(_)) => Err(failed("it returned no text")),
                Err(failure) if failure.is_gone() => Err(failed("its event loop is closed")),
                Err(failure) => Err(failed(&failure.reason)),
            }
        })
    }
}
