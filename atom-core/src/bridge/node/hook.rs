//! JavaScript functions that carry out operations.
//!
//! What arrives here is not the function itself but what `handlers.js` made of it: a function of the connection, the input and of another,
//! `settle`, which it calls once with the output as JSON text or with what was thrown.
#![allow(unsafe_code)] // the conversion traits of napi are declared unsafe

use super::callback::{Callback, Question};
use super::field;
use crate::bridge::returned::Returned;
use crate::crypto::BoxFuture;
use crate::integrations::hooks::{OperationHook, failed};
use crate::{Connection, Error, HostHook, Json, Result};
use napi::bindgen_prelude::{FromNapiValue, Function, FunctionCallContext, Object, ToNapiValue};
use napi::sys;

/// What a function came to: its output as JSON text.
pub(super) type Outcome = Result<String>;

struct Call {
    connection: Connection,
    input: Json,
}

impl Question for Call {
    type Answer = Outcome;

    fn arguments(self, env: sys::napi_env) -> napi::Result<Vec<sys::napi_value>> {
        // SAFETY: napi calls this with the environment of the thread that it runs on.
        let connection = unsafe { Connection::to_napi_value(env, self.connection) }?;
        // SAFETY: as above.
        let input = unsafe { Json::to_napi_value(env, self.input) }?;
        Ok(vec![connection, input])
    }

    fn answer(settled: &FunctionCallContext<'_>) -> napi::Result<Outcome> {
        outcome(settled, failed)
    }
}

struct JsHook(Callback<Call, true>);

impl FromNapiValue for HostHook {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller vouches for `env` and `value`.
        let function = unsafe { Function::from_napi_value(env, value) }?;
        Ok(Self::new(JsHook(Callback::new(&function)?)))
    }
}

/// Reads the arguments of `settle`: the output, or `undefined` and what was thrown. `failed` makes an error of what is none of ours.
pub(super) fn outcome(settled: &FunctionCallContext<'_>, failed: fn(&str) -> Error) -> napi::Result<Outcome> {
    if let Some(output) = settled.get::<Option<String>>(0)? {
        return Ok(Ok(output));
    }
    let thrown = settled.get::<Object<'_>>(1)?;
    let reason: String = field(&thrown, "failure", "reason")?;
    // Only an error of ours has a kind.
    let Some(code) = field(&thrown, "failure", "code")? else { return Ok(Err(failed(&reason))) };
    let returned = Returned {
        code,
        reason,
        text: field(&thrown, "failure", "text")?,
        provider: field(&thrown, "failure", "provider")?,
        status: field::<Option<u32>>(&thrown, "failure", "status")?.and_then(|status| status.try_into().ok()),
        retry_after: field(&thrown, "failure", "retryAfter")?,
    };
    Ok(Err(returned.error()))
}

impl OperationHook for JsHook {
    fn run<'a>(&'a self, connection: &'a Connection, input: Json) -> BoxFuture<'a, Result<Json>> {
        Box::pin(async move {
            let outcome = self.0.ask(Call { connection: connection.clone(), input }).await;
            let output = outcome.ok_or_else(|| failed("its JavaScript thread has ended"))??;
            serde_json::from_str(&output).map(Json).map_err(|_| failed("malformed_output"))
        })
    }
}
