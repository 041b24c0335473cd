//! Mail that JavaScript sends.
//!
//! What arrives here is what `mail.js` made of the host's object: its `send` as a function of a mail and of another, `settle`, which it calls once
//! with the receipt as JSON text or with what was thrown.
#![allow(unsafe_code)] // the conversion traits of napi are declared unsafe

use super::field;
use super::hook::{Outcome, outcome};
use crate::crypto::BoxFuture;
use crate::mail::failed;
use crate::{HostMailSender, MailReceipt, MailSender, OutgoingMail, Result};
use napi::bindgen_prelude::{
    FromNapiValue, Function, FunctionCallContext, JsValue, JsValuesTupleIntoVec, Object, ToNapiValue, Unknown,
};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, sys};
use std::sync::{Mutex, PoisonError};
use tokio::sync::{oneshot, watch};

struct Call {
    mail: OutgoingMail,
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
        let mail = unsafe { OutgoingMail::to_napi_value(env, self.mail) }?;
        let settle: Function<'_, (), ()> = settle?;
        Ok(vec![mail, settle.raw()])
    }
}

/// It does not keep the process alive: what waits for it does.
type Calls = ThreadsafeFunction<Call, Unknown<'static>, Call, Status, false, true>;

struct JsSender {
    calls: Calls,
    /// Closed when the function's thread has ended.
    alive: watch::Receiver<()>,
}

impl FromNapiValue for HostMailSender {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller vouches for `env` and `value`.
        let object = unsafe { Object::from_napi_value(env, value) }?;
        let function: Function<'_, Call, Unknown<'static>> = field(&object, "the mail sender", "send")?;
        let (thread, alive) = watch::channel(());
        let calls = function.build_threadsafe_function::<Call>().weak::<true>().build_callback(move |context| {
            let _ = &thread;
            Ok(context.value)
        })?;
        Ok(Self::new(JsSender { calls, alive }))
    }
}

impl MailSender for JsSender {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<MailReceipt>> {
        Box::pin(async move {
            let (answer, outcome) = oneshot::channel();
            let status = self.calls.call(Call { mail: mail.clone(), answer }, ThreadsafeFunctionCallMode::NonBlocking);
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
            let receipt_id = serde_json::from_str(&output).map_err(|_| failed("it returned no text"))?;
            Ok(MailReceipt { receipt_id })
        })
    }
}
