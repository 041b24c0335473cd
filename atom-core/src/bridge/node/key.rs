//! Keys that JavaScript keeps.
//!
//! What arrives here is what `keys.js` made of the host's object: its `fingerprint`, and `wrap` and `unwrap` as functions of two buffers and
//! of another, `settle`, which they call once with a buffer or with the name of what was thrown.
#![allow(unsafe_code)] // the conversion traits of napi are declared unsafe

use super::field;
use crate::bridge::key_failed;
use crate::crypto::{BoxFuture, KeyProvider};
use crate::{HostKey, Result};
use napi::bindgen_prelude::{
    Buffer, FromNapiValue, Function, FunctionCallContext, JsValue, JsValuesTupleIntoVec, Object, ToNapiValue, Unknown,
};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, sys};
use std::sync::{Mutex, PoisonError};
use tokio::sync::{oneshot, watch};
use zeroize::Zeroizing;

type Answer = std::result::Result<Zeroizing<Vec<u8>>, String>;

struct Call {
    input: Zeroizing<Vec<u8>>,
    context: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

impl JsValuesTupleIntoVec for Call {
    fn into_vec(self, env: sys::napi_env) -> napi::Result<Vec<sys::napi_value>> {
        let answer = Mutex::new(Some(self.answer));
        let env_of_thread = Env::from_raw(env);
        let settle = env_of_thread.create_function_from_closure("settle", move |settled: FunctionCallContext<'_>| {
            if let Some(answer) = answer.lock().unwrap_or_else(PoisonError::into_inner).take() {
                let _ = answer.send(match settled.get::<Option<Buffer>>(0)? {
                    Some(output) => Ok(Zeroizing::new(output.to_vec())),
                    None => Err(settled.get::<String>(1)?),
                });
            }
            Ok(())
        });
        let settle: Function<'_, (), ()> = settle?;
        // SAFETY: napi calls this with the environment of the thread that it runs on.
        let buffer = |bytes: &[u8]| unsafe { Buffer::to_napi_value(env, bytes.to_vec().into()) };
        Ok(vec![buffer(&self.input)?, buffer(&self.context)?, settle.raw()])
    }
}

/// It does not keep the process alive: what waits for it does.
type Calls = ThreadsafeFunction<Call, Unknown<'static>, Call, Status, false, true>;

struct JsFunction {
    calls: Calls,
    /// Closed when the function's thread has ended.
    alive: watch::Receiver<()>,
}

impl JsFunction {
    fn of(object: &Object<'_>, name: &str) -> napi::Result<Self> {
        let function: Function<'_, Call, Unknown<'static>> = field(object, "the key provider", name)?;
        let (thread, alive) = watch::channel(());
        let calls = function.build_threadsafe_function::<Call>().weak::<true>().build_callback(move |context| {
            let _ = &thread;
            Ok(context.value)
        })?;
        Ok(Self { calls, alive })
    }

    async fn call(&self, input: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (answer, outcome) = oneshot::channel();
        let call = Call { input: Zeroizing::new(input.to_vec()), context: context.to_vec(), answer };
        let status = self.calls.call(call, ThreadsafeFunctionCallMode::NonBlocking);
        let mut alive = self.alive.clone();
        let answered = tokio::select! {
            biased;
            answered = outcome => answered.ok(),
            _ = alive.changed() => None,
        };
        match answered {
            Some(answer) if status == Status::Ok => answer.map_err(|thrown| key_failed(&thrown)),
            _ => Err(key_failed("its JavaScript thread has ended")),
        }
    }
}

struct JsProvider {
    fingerprint: String,
    wrap: JsFunction,
    unwrap: JsFunction,
}

impl FromNapiValue for HostKey {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller vouches for `env` and `value`.
        let object = unsafe { Object::from_napi_value(env, value) }?;
        Ok(Self::new(JsProvider {
            fingerprint: field(&object, "the key provider", "fingerprint")?,
            wrap: JsFunction::of(&object, "wrap")?,
            unwrap: JsFunction::of(&object, "unwrap")?,
        }))
    }
}

impl KeyProvider for JsProvider {
    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn wrap<'a>(&'a self, data_key: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move { self.wrap.call(data_key, context).await.map(|wrapped| wrapped.to_vec()) })
    }

    fn unwrap<'a>(&'a self, wrapped: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>>> {
        Box::pin(self.unwrap.call(wrapped, context))
    }
}
