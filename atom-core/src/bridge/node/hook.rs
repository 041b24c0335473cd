//! JavaScript functions that carry out operations.
//!
//! What arrives here is not the function itself but what `handlers.js` made of it: a function of the connection, the input and of another,
//! `settle`, which it calls once with the output as JSON text or with what was thrown.
#![allow(unsafe_code)] // the conversion traits of napi are declared unsafe

use super::field;
use crate::bridge::returned::Returned;
use crate::crypto::BoxFuture;
use crate::integrations::hooks::{OperationHook, failed};
use crate::{Connection, Error, HostHook, Json, Result};
use napi::bindgen_prelude::{
    FromNapiValue, Function, FunctionCallContext, JsValue, JsValuesTupleIntoVec, Object, ToNapiValue, Unknown,
};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, sys};
use std::sync::{Mutex, PoisonError};
use tokio::sync::{oneshot, watch};

/// What a function came to: its output as JSON text.
pub(super) type Outcome = Result<String>;

struct Call {
    connection: Connection,
    input: Json,
    answer: oneshot::Sender<Outcome>,
}

impl JsValuesTupleIntoVec for Call {
    fn into_vec(self, env: sys::napi_env) -> napi::Result<Vec<sys::napi_value>> {
        let answer = Mutex::new(Some(self.answer));
        let env_of_thread = Env::from_raw(env);
        let settle = env_of_thread.create_function_from_closure("settle", move |settled: FunctionCallContext<'_>| {
            if let Some(answer) = answer.lock().unwrap_or_else(PoisonError::into_inner).take() {
                let _ = answer.send(outcome(&settled, failed)?);
            }
            Ok(())
        });
        // SAFETY: napi calls this with the environment of the thread that it runs on.
        let connection = unsafe { Connection::to_napi_value(env, self.connection) }?;
        // SAFETY: as above.
        let input = unsafe { Json::to_napi_value(env, self.input) }?;
        let settle: Function<'_, (), ()> = settle?;
        Ok(vec![connection, input, settle.raw()])
    }
}

/// It does not keep the process alive: what waits for it does.
type Calls = ThreadsafeFunction<Call, Unknown<'static>, Call, Status, false, true>;

struct JsHook {
    calls: Calls,
    /// Closed when the function's thread has ended.
    alive: watch::Receiver<()>,
}

impl FromNapiValue for HostHook {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller vouches for `env` and `value`.
        let function = unsafe { Function::<Call, Unknown<'static>>::from_napi_value(env, value) }?;
        let (thread, alive) = watch::channel(());
        let calls = function.build_threadsafe_function::<Call>().weak::<true>().build_callback(move |context| {
            let _ = &thread;
            Ok(context.value)
        })?;
        Ok(Self::new(JsHook { calls, alive }))
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
            let (answer, outcome) = oneshot::channel();
            let call = Call { connection: connection.clone(), input, answer };
            let status = self.calls.call(call, ThreadsafeFunctionCallMode::NonBlocking);
            let mut alive = self.alive.clone();
            let answered = tokio::select! {
                biased;
                answered = outcome => answered.ok(),
                _ = alive.changed() => None,
            };
            let output = match answered {
                Some(outcome) if status == Status::Ok => outcome?,
                _ => return Err(failed("its JavaScript thread has ended")),
            };
            serde_json::from_str(&output).map(Json).map_err(|_| failed("malformed_output"))
        })
    }
}
