//! Records as objects of JavaScript. A constructor that knows its members makes each in one call: to set them one by one from here takes several
//! times as long.
#![allow(unsafe_code)] // calls of napi are unsafe

use crate::RawRecord;
use napi::bindgen_prelude::{Function, JsValue, ToNapiValue, Unknown};
use napi::{Env, check_status, sys};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::ptr::null_mut;

/// A member of the objects of a type.
pub(crate) enum Member {
    /// One that each of them has.
    Always(&'static str),
    /// One that is left out where there is no value.
    Optional(&'static str),
    /// `raw`: the vendor's record, which is read from its text when somebody looks at it.
    Raw,
}

/// Makes the objects of a type, on one thread.
pub(crate) struct Maker {
    members: &'static [Member],
    constructor: Cell<Option<Kept>>,
}

/// A constructor that was made before.
#[derive(Clone, Copy)]
struct Kept {
    env: sys::napi_env,
    reference: sys::napi_ref,
    /// How many environments of the thread had ended by then: the address of one that has may be another's by now.
    ended: usize,
}

thread_local! {
    /// The environments of this thread that live. There are several where a test runner loads the module anew for each file.
    static LIVING: RefCell<Vec<sys::napi_env>> = const { RefCell::new(Vec::new()) };
    /// How many have ended.
    static ENDED: Cell<usize> = const { Cell::new(0) };
}

impl Maker {
    pub(crate) const fn new(members: &'static [Member]) -> Self {
        Self { members, constructor: Cell::new(None) }
    }

    /// An object with these values, in the order of the members.
    pub(crate) fn make(&self, env: sys::napi_env, values: &[sys::napi_value]) -> napi::Result<sys::napi_value> {
        let (constructor, mut object) = (self.constructor(env)?, null_mut());
        // SAFETY: `env` is the one of this call, and all values are its own.
        check_status!(unsafe { sys::napi_new_instance(env, constructor, values.len(), values.as_ptr(), &raw mut object) })?;
        Ok(object)
    }

    fn constructor(&self, env: sys::napi_env) -> napi::Result<sys::napi_value> {
        let ended = ENDED.get();
        if let Some(kept) = self.constructor.get().filter(|kept| kept.ended == ended) {
            if kept.env == env {
                let mut constructor = null_mut();
                // SAFETY: none has ended since the reference was made, so this one lives.
                check_status!(unsafe { sys::napi_get_reference_value(env, kept.reference, &raw mut constructor) })?;
                return Ok(constructor);
            }
            // SAFETY: the same.
            check_status!(unsafe { sys::napi_delete_reference(kept.env, kept.reference) })?;
        }
        self.constructor.set(None);
        watch(env)?;
        let constructor = Env::from_raw(env).run_script::<_, Function<'_, Unknown<'_>, Unknown<'_>>>(code(self.members))?.raw();
        let mut reference = null_mut();
        // SAFETY: the constructor was made just now.
        check_status!(unsafe { sys::napi_create_reference(env, constructor, 1, &raw mut reference) })?;
        self.constructor.set(Some(Kept { env, reference, ended }));
        Ok(constructor)
    }
}

/// Notices the end of an environment.
fn watch(env: sys::napi_env) -> napi::Result<()> {
    if LIVING.with_borrow(|living| living.contains(&env)) {
        return Ok(());
    }
    Env::from_raw(env).add_env_cleanup_hook(env, |env| {
        // At the end of the process the thread's own values may be gone before.
        let _ = ENDED.try_with(|ended| ended.set(ended.get() + 1));
        let _ = LIVING.try_with(|living| living.borrow_mut().retain(|other| *other != env));
    })?;
    LIVING.with_borrow_mut(|living| living.push(env));
    Ok(())
}

/// The text of the constructor.
fn code(members: &[Member]) -> String {
    let mut body = String::new();
    for (at, member) in members.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = match member {
            Member::Always(name) => write!(body, "this.{name}=a{at};"),
            Member::Optional(name) => write!(body, "if(a{at}!==undefined)this.{name}=a{at};"),
            Member::Raw => write!(body, "keep(this,a{at});"),
        };
    }
    let raw = if members.iter().any(|member| matches!(member, Member::Raw)) { include_str!("raw.js") } else { "" };
    let arguments: Vec<_> = (0..members.len()).map(|at| format!("a{at}")).collect();
    // With the prototype of plain objects, they are such.
    format!("(()=>{{{raw}function Record({}){{{body}}}Record.prototype=Object.prototype;return Record}})()", arguments.join(","))
}

/// A value that may be absent, for [`Member::Optional`].
///
/// # Safety
/// As of [`ToNapiValue::to_napi_value`].
pub(crate) unsafe fn optional<T: ToNapiValue>(env: sys::napi_env, value: Option<T>) -> napi::Result<sys::napi_value> {
    // SAFETY: the caller vouches for `env`.
    unsafe { value.map_or_else(|| ToNapiValue::to_napi_value(env, ()), |value| T::to_napi_value(env, value)) }
}

/// The text, for [`Member::Raw`].
///
/// # Safety
/// As of [`ToNapiValue::to_napi_value`].
pub(crate) unsafe fn raw(env: sys::napi_env, value: &RawRecord) -> napi::Result<sys::napi_value> {
    let (text, mut out) = (ascii(value.text()), null_mut());
    let length = text.len().cast_signed();
    // SAFETY: the caller vouches for `env`; ASCII is Latin-1.
    check_status!(unsafe { sys::napi_create_string_latin1(env, text.as_ptr().cast(), length, &raw mut out) })?;
    Ok(out)
}

/// JSON that says the same in ASCII alone, whose characters JavaScript takes as they are: beyond ASCII there are only characters of strings.
fn ascii(json: &str) -> Cow<'_, str> {
    const PIECE: usize = 64;
    if json.is_ascii() {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + PIECE);
    let mut rest = json;
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(rest.floor_char_boundary(PIECE));
        rest = more;
        if piece.is_ascii() {
            out.push_str(piece);
            continue;
        }
        for character in piece.chars() {
            if character.is_ascii() {
                out.push(character);
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn json_in_ascii_says_the_same() {
        for text in ["a", "東京", "\u{1f980} – é", &"–".repeat(100), &format!("{}é", "x".repeat(63))] {
            let value = json!({ text: [text, 1.5, "\\ \" \n \u{7f}"] });
            let json = value.to_string();
            let ascii = ascii(&json);
            assert!(ascii.is_ascii(), "{ascii}");
            assert_eq!(serde_json::from_str::<Value>(&ascii).expect("JSON"), value);
        }
    }
}
