//! JavaScript functions that run jobs.
//!
//! What arrives here is not the function itself but what `handlers.js` made of it: a function of the job and of another, `settle`, which
//! it calls once with the output as JSON text or with the failure.
#![allow(unsafe_code)] // the conversion traits of napi are declared unsafe

use super::field;
use crate::{Handler, JobFailure, Json, RunningJob};
use napi::bindgen_prelude::{
    FromNapiValue, Function, FunctionCallContext, JsValue, JsValuesTupleIntoVec, Object, ToNapiValue, Unknown,
};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, sys};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// What a handler came to: its output as JSON text.
type Outcome = Result<String, JobFailure>;

struct Call {
    job: RunningJob,
    answer: oneshot::Sender<Outcome>,
}

impl JsValuesTupleIntoVec for Call {
    fn into_vec(self, env: sys::napi_env) -> napi::Result<Vec<sys::napi_value>> {
        let answer = Mutex::new(Some(self.answer));
        let env_of_thread = Env::from_raw(env);
        let settle = env_of_thread.create_function_from_closure("settle", move |settled: FunctionCallContext<'_>| {
            if let Some(answer) = answer.lock().unwrap_or_else(PoisonError::into_inner).take() {
                let _ = answer.send(outcome(&settled)?);
            }
            Ok(())
        });
        // SAFETY: napi calls this with the environment of the thread that it runs on.
        let job = unsafe { RunningJob::to_napi_value(env, self.job) }?;
        let settle: Function<'_, (), ()> = settle?;
        Ok(vec![job, settle.raw()])
    }
}

type Calls = ThreadsafeFunction<Call, Unknown<'static>, Call, Status, false>;

/// It keeps the process alive for as long as a worker has it, as a server does.
struct JsFunction {
    calls: Calls,
    /// Closed when the function's thread has ended.
    alive: watch::Receiver<()>,
}

impl FromNapiValue for Handler {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller vouches for `env` and `value`.
        let function = unsafe { Function::<Call, Unknown<'static>>::from_napi_value(env, value) }?;
        let (thread, alive) = watch::channel(());
        let calls = function.build_threadsafe_function::<Call>().build_callback(move |context| {
            let _ = &thread;
            Ok(context.value)
        })?;
        let function = Arc::new(JsFunction { calls, alive });
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
    let (answer, outcome) = oneshot::channel();
    let status = function.calls.call(Call { job, answer }, ThreadsafeFunctionCallMode::NonBlocking);
    let mut alive = function.alive.clone();
    let answered = tokio::select! {
        biased;
        answered = outcome => answered.ok(),
        _ = alive.changed() => None,
    };
    let output = match answered {
        Some(outcome) if status == Status::Ok => outcome?,
        _ => return Err(JobFailure::gone("the JavaScript thread of the handler has ended")),
    };
    serde_json::from_str(&output).map(Json).map_err(|why| JobFailure::fatal("malformed_output", why.to_string()))
}
