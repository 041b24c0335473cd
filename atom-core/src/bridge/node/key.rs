//! Keys that JavaScript keeps.
//!
//! What arrives here is what `keys.js` made of the host's object: its `fingerprint`, and `wrap` and `unwrap` as functions of two buffers and
//! of another, `settle`, which they call once with a buffer or with the name of what was thrown.
#![allow(unsafe_code)] // the conversion traits of napi are declared unsafe

use super::callback::{Callback, Question};
use super::field;
use crate::bridge::key_failed;
use crate::crypto::{BoxFuture, KeyProvider};
use crate::{HostKey, Result};
use napi::bindgen_prelude::{Buffer, FromNapiValue, FunctionCallContext, Object, ToNapiValue};
use napi::sys;
use zeroize::Zeroizing;

struct Call {
    input: Zeroizing<Vec<u8>>,
    context: Vec<u8>,
}

impl Question for Call {
    type Answer = std::result::Result<Zeroizing<Vec<u8>>, String>;

    fn arguments(self, env: sys::napi_env) -> napi::Result<Vec<sys::napi_value>> {
        // SAFETY: napi calls this with the environment of the thread that it runs on.
        let buffer = |bytes: &[u8]| unsafe { Buffer::to_napi_value(env, bytes.to_vec().into()) };
        Ok(vec![buffer(&self.input)?, buffer(&self.context)?])
    }

    fn answer(settled: &FunctionCallContext<'_>) -> napi::Result<Self::Answer> {
        Ok(match settled.get::<Option<Buffer>>(0)? {
            Some(output) => Ok(Zeroizing::new(output.to_vec())),
            None => Err(settled.get::<String>(1)?),
        })
    }
}

async fn ask(function: &Callback<Call, true>, input: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let call = Call { input: Zeroizing::new(input.to_vec()), context: context.to_vec() };
    let answer = function.ask(call).await.ok_or_else(|| key_failed("its JavaScript thread has ended"))?;
    answer.map_err(|thrown| key_failed(&thrown))
}

struct JsProvider {
    fingerprint: String,
    wrap: Callback<Call, true>,
    unwrap: Callback<Call, true>,
}

impl FromNapiValue for HostKey {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller vouches for `env` and `value`.
        let object = unsafe { Object::from_napi_value(env, value) }?;
        let function = |name: &str| Callback::new(&field(&object, "the key provider", name)?);
        Ok(Self::new(JsProvider {
            fingerprint: field(&object, "the key provider", "fingerprint")?,
            wrap: function("wrap")?,
            unwrap: function("unwrap")?,
        }))
    }
}

impl KeyProvider for JsProvider {
    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn wrap<'a>(&'a self, data_key: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move { ask(&self.wrap, data_key, context).await.map(|wrapped| wrapped.to_vec()) })
    }

    fn unwrap<'a>(&'a self, wrapped: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>>> {
        Box::pin(ask(&self.unwrap, wrapped, context))
    }
}
