//! JavaScript functions that run jobs.
//!
//! What arrives here is not the function itself but what `handlers.js` made of it: a function of the job and of another, `settle`, which
//! it calls once with the output as JSON text or with the failure.
#![allow(unsafe_code)] // the conversion traits of napi are declared unsafe

use super::callback::{Callback, Question};
use super::field;
use crate::{Handler, JobFailure, Json, RunningJob};
use napi::bindgen_prelude::{FromNapiValue, Function, FunctionCallContext, Object, ToNapiValue};
use napi::sys;
use std::sync::Arc;
use std::time::Duration;

/// What a handler came to: its output as JSON text.
type Outcome = Result<String, JobFailure>;

impl Question for RunningJob {
    type Answer = Outcome;

    fn arguments(self, env: sys::napi_env) -> napi::Result<Vec<sys::napi_value>> {
        // SAFETY: napi calls this with the environment of the thread that it runs on.
        Ok(vec![unsafe { Self::to_napi_value(env, self) }?])
    }

    fn answer(settled: &FunctionCallContext<'_>) -> napi::Result<Outcome> {
        outcome(settled)
    }
}

/// It keeps the process alive for as long as a worker has it, as a server does.
type JsFunction = Callback<RunningJob, false>;

impl FromNapiValue for Handler {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller vouches for `env` and `value`.
        let function = unsafe { Function::from_napi_value(env, value) }?;
        let function = Arc::new(JsFunction::new(&function)?);
        Ok(Self::new(move |job| run(Arc::clone(&function), job)))
    }
}

/// Reads the arguments of `settle`: the output, or `undefined` and the failure.
fn outcome(settled: &FunctionCallContext<'_>) -> napi::Result<Outcome> {
    if let Some(output) = settled.get::<Option<String>>(0)? {
        return Ok(Ok(output));
    }
    let failure = settled.get::<Object<'_>>(1)?;
    let retry_after: Option<f64> = field(&failure, "failure", "retryAfter")?;
    Ok(Err(JobFailure {
        reason: field(&failure, "failure", "reason")?,
        text: field(&failure, "failure", "text")?,
        retryable: field(&failure, "failure", "retryable")?,
        retry_after: retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    }))
}

async fn run(function: Arc<JsFunction>, job: RunningJob) -> Result<Json, JobFailure> {
    let outcome = function.ask(job).await;
    let output = outcome.ok_or_else(|| JobFailure::gone("the JavaScript thread of the handler has ended"))??;
    serde_json::from_str(&output).map(Json).map_err(|why| JobFailure::fatal("malformed_output", why.to_string()))
}
