//! One declaration, four languages.
//!
//! | attribute | on | gives |
//! | --- | --- | --- |
//! | [`macro@model`] | a record or an enum | a value in Python, TypeScript, Kotlin and Swift |
//! | [`macro@id`] | a unit struct | a typed id, a string in the other languages |
//! | [`macro@handle`] | a clonable struct | an object in the other languages |
//! | [`macro@api`] | the `impl` of a handle | its methods, with their documentation |
//!
//! Each bridge is behind a cargo feature of the crate that uses the attributes (`python`, `node`, `mobile`); without
//! them only plain Rust is left. What some language cannot say is refused here, at the declaration.

#![allow(clippy::needless_pass_by_value)] // the compiler hands its tokens over; nobody else wants them

use proc_macro::TokenStream;
use syn::parse_macro_input;

mod api;
mod check;
mod id;
mod model;

/// A plain record or enum that crosses every language border by value.
///
/// Records derive `Clone`, `Debug`, `PartialEq` and serde; in Python they are frozen classes with keyword arguments,
/// where an `Option` field defaults to `None`. Enums without fields are string enums (`snake_case` on the wire); enums
/// with named fields are tagged by `type`.
///
/// `#[model(secret)]` is for records that hold a `Secret`: they cannot be printed or serialized in any language.
/// `#[model(default)]` is for inputs: in Rust they are written with `..Default::default()`.
#[proc_macro_attribute]
pub fn model(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::DeriveInput);
    model::expand(args.into(), item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// A typed identifier over a time-ordered UUID: `#[id] pub struct UserId;`.
#[proc_macro_attribute]
pub fn id(_: TokenStream, item: TokenStream) -> TokenStream {
    id::expand(parse_macro_input!(item as syn::ItemStruct)).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// A cheap, clonable handle that other languages see as an object. Its fields stay private to Rust.
#[proc_macro_attribute]
pub fn handle(_: TokenStream, item: TokenStream) -> TokenStream {
    api::expand_handle(parse_macro_input!(item as syn::ItemStruct)).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// The public methods of a handle, offered to every language with the same documentation.
///
/// - `pub async fn f(&self, …) -> Result<T>` is a coroutine, a promise, a `suspend fun`, an `async` method; Python also
///   gets `f_blocking`.
/// - `pub fn f(&self) -> T` is a property (a method on mobile).
/// - `pub async fn f(…) -> Result<Self>` is a static constructor.
/// - `pub async fn next(&self) -> Result<Option<T>>` makes the handle a stream, which each language iterates in its own way. A caller
///   may go away while it waits, so `next` must lose nothing then.
/// - `pub async fn stop(&self) -> Result<()>`, or `shut_down`, ends what the handle stands for: `async with` of Python and `await using` of
///   TypeScript call it.
/// - An argument of type `Handler` is a function of the host, also inside a map.
/// - An argument of type `HostKey` is an object of the host that keeps a key, also inside a list.
/// - An argument of type `HostHook` is a function of the host that carries out an operation, inside a map.
/// - An argument of type `HostMailSender` is an object of the host that sends mail.
///
/// Private methods are left alone.
#[proc_macro_attribute]
pub fn api(_: TokenStream, item: TokenStream) -> TokenStream {
    api::expand(parse_macro_input!(item as syn::ItemImpl)).unwrap_or_else(syn::Error::into_compile_error).into()
}
