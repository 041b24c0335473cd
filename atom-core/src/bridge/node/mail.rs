//! Mail that JavaScript sends.
//!
//! What arrives here is what `mail.js` made of the host's object: its `send` as a function of a mail and of another, `settle`, which it calls once
//! with the receipt as JSON text or with what was thrown.
#![allow(unsafe_code)] // the conversion traits of napi are declared unsafe

use super::callback::{Callback, Question};
use super::field;
use super::hook::{Outcome, outcome};
use crate::crypto::BoxFuture;
use crate::mail::failed;
use crate::{HostMailSender, MailReceipt, MailSender, OutgoingMail, Result};
use napi::bindgen_prelude::{FromNapiValue, FunctionCallContext, Object, ToNapiValue};
use napi::sys;

impl Question for OutgoingMail {
    type Answer = Outcome;

    fn arguments(self, env: sys::napi_env) -> napi::Result<Vec<sys::napi_value>> {
        // SAFETY: napi calls this with the environment of the thread that it runs on.
        Ok(vec![unsafe { Self::to_napi_value(env, self) }?])
    }

    fn answer(settled: &FunctionCallContext<'_>) -> napi::Result<Outcome> {
        outcome(settled, failed)
    }
}

struct JsSender(Callback<OutgoingMail, true>);

impl FromNapiValue for HostMailSender {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller vouches for `env` and `value`.
        let object = unsafe { Object::from_napi_value(env, value) }?;
        Ok(Self::new(JsSender(Callback::new(&field(&object, "the mail sender", "send")?)?)))
    }
}

impl MailSender for JsSender {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<MailReceipt>> {
        Box::pin(async move {
            let outcome = self.0.ask(mail.clone()).await.ok_or_else(|| failed("its JavaScript thread has ended"))?;
            let receipt_id = serde_json::from_str(&outcome?).map_err(|_| failed("it returned no text"))?;
            Ok(MailReceipt { receipt_id })
        })
    }
}
