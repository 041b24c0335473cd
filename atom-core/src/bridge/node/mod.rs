//! Futures in, promises out; errors are built on the JavaScript thread, because only there can they carry a `code`.
#![allow(unsafe_code)] // the conversion traits of napi are declared unsafe

mod callback;
mod handler;
mod hook;
mod key;
mod mail;
mod record;

pub(crate) use record::{Maker, Member, optional, raw};

use super::{at_once, guarded};
use crate::{Bytes, Error, Json, RawRecord, Result};
use napi::bindgen_prelude::{
    Buffer, FromNapiValue, JsObjectValue, JsValue, Object, PromiseRaw, ToNapiValue, TypeName, ValidateNapiValue,
    within_runtime_if_available,
};
use napi::{Env, ValueType, sys};

/// Runs `work` on napi's runtime and returns a promise that rejects with a JavaScript `Error` carrying our fields.
pub(crate) fn promise<'env, T>(
    env: &'env Env,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> napi::Result<PromiseRaw<'env, T>>
where
    T: ToNapiValue + Send + 'static,
{
    let mut work = Box::pin(guarded(work));
    match within_runtime_if_available(|| at_once(work.as_mut())) {
        Some(Ok(value)) => PromiseRaw::resolve(env, value).or_else(|failure| PromiseRaw::reject(env, failure)),
        Some(Err(error)) => PromiseRaw::reject(env, to_js(env, &error)),
        None => env.spawn_future_with_callback(async move { Ok(work.await) }, |env, result| result.map_err(|e| to_js(env, &e))),
    }
}

/// The JavaScript error for an error of ours.
pub(crate) fn to_js(env: &Env, error: &Error) -> napi::Error {
    let build = || -> napi::Result<napi::Error> {
        let mut object = env.create_error(napi::Error::from_reason(error.to_string()))?;
        object.set("name", "AtomError")?;
        object.set("code", error.code())?;
        object.set("reason", error.reason())?;
        object.set("retryable", error.is_retryable())?;
        if let Some(provider) = error.provider() {
            object.set("provider", provider)?;
        }
        if let Some(status) = error.status() {
            object.set("status", u32::from(status))?;
        }
        if let Some(wait) = error.retry_after() {
            object.set("retryAfter", wait.as_secs_f64())?;
        }
        Ok(napi::Error::from(object.to_unknown()))
    };
    build().unwrap_or_else(|broken| broken)
}

/// Reads a field of a record: `undefined` and `null` are both no value.
pub(crate) fn field<T: FromNapiValue>(object: &Object<'_>, record: &str, name: &str) -> napi::Result<T> {
    object.get_named_property_unchecked(name).map_err(|mut error: napi::Error| {
        error.reason = format!("{} on {record}.{name}", error.reason);
        error
    })
}

impl TypeName for Bytes {
    fn type_name() -> &'static str {
        "Buffer"
    }
    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ValidateNapiValue for Bytes {}

impl ToNapiValue for Bytes {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        // SAFETY: the caller vouches for `env`.
        unsafe { Buffer::to_napi_value(env, value.0.into()) }
    }
}

impl FromNapiValue for Bytes {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller vouches for `env` and `value`.
        Ok(Self(unsafe { Buffer::from_napi_value(env, value) }?.to_vec()))
    }
}

impl TypeName for Json {
    fn type_name() -> &'static str {
        "unknown"
    }
    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ValidateNapiValue for Json {}

impl ToNapiValue for Json {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        // SAFETY: the caller vouches for `env`.
        unsafe { serde_json::Value::to_napi_value(env, value.0) }
    }
}

impl FromNapiValue for Json {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller vouches for `env` and `value`.
        Ok(Self(unsafe { serde_json::Value::from_napi_value(env, value) }?))
    }
}

impl TypeName for RawRecord {
    fn type_name() -> &'static str {
        "unknown"
    }
    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ValidateNapiValue for RawRecord {}

/// By JavaScript's own reader, which is faster than one call per member.
impl ToNapiValue for RawRecord {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        let global = napi::Env::from_raw(env).get_global()?;
        let json: napi::bindgen_prelude::Object<'_> = global.get_named_property("JSON")?;
        let parse: napi::bindgen_prelude::Function<'_, String, napi::bindgen_prelude::Unknown<'_>> =
            json.get_named_property("parse")?;
        let read = parse.call(value.text().to_owned())?;
        // SAFETY: the caller vouches for `env`.
        unsafe { napi::bindgen_prelude::Unknown::to_napi_value(env, read) }
    }
}

impl FromNapiValue for RawRecord {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller vouches for `env` and `value`.
        Ok(Self::new(&unsafe { serde_json::Value::from_napi_value(env, value) }?))
    }
}

/// Makes a Rust type a `string` in JavaScript.
macro_rules! string_like {
    ($name:ident, $parse:expr, $print:expr) => {
        #[allow(unsafe_code)] // the conversion traits of napi are declared unsafe
        const _: () = {
            use ::napi::bindgen_prelude::{FromNapiValue, ToNapiValue, TypeName, ValidateNapiValue};

            impl TypeName for $name {
                fn type_name() -> &'static str {
                    stringify!($name)
                }
                fn value_type() -> ::napi::ValueType {
                    ::napi::ValueType::String
                }
            }

            impl ValidateNapiValue for $name {}

            impl ToNapiValue for $name {
                unsafe fn to_napi_value(env: ::napi::sys::napi_env, value: Self) -> ::napi::Result<::napi::sys::napi_value> {
                    let print: fn($name) -> String = $print;
                    // SAFETY: the caller vouches for `env`.
                    unsafe { String::to_napi_value(env, print(value)) }
                }
            }

            impl FromNapiValue for $name {
                unsafe fn from_napi_value(env: ::napi::sys::napi_env, value: ::napi::sys::napi_value) -> ::napi::Result<Self> {
                    let parse: fn(String) -> ::std::result::Result<$name, $crate::Error> = $parse;
                    // Napi's own refusal prints the value, which may be a secret in the wrong wrapping.
                    let refuse = |e: ::napi::Error| ::napi::Error::new(e.status, "a string is expected");
                    // SAFETY: the caller vouches for `env` and `value`.
                    let text = unsafe { String::from_napi_value(env, value) }.map_err(refuse)?;
                    parse(text).map_err(|e| $crate::bridge::node::to_js(&::napi::Env::from_raw(env), &e))
                }
            }
        };
    };
}
pub(crate) use string_like;
