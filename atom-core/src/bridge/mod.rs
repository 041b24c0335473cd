//! The borders: how values, results and errors reach Python, Node, Kotlin and Swift.
//!
//! Everything domain-specific comes from `#[model]`, `#[handle]`, `#[api]` and `#[id]`; a bridge only knows futures, errors
//! and the few value types that those attributes cannot describe.

#[cfg(feature = "mobile")]
pub mod mobile;
#[cfg(feature = "node")]
pub mod node;
#[cfg(feature = "python")]
pub mod python;

/// Makes a Rust type appear as a string in every other language.
macro_rules! string_like {
    ($name:ident, $parse:expr, $print:expr) => {
        #[cfg(feature = "python")]
        $crate::bridge::python::string_like!($name, $parse, $print);
        #[cfg(feature = "node")]
        $crate::bridge::node::string_like!($name, $parse, $print);
        #[cfg(feature = "mobile")]
        $crate::bridge::mobile::string_like!($name, $parse, $print);
    };
}
pub(crate) use string_like;
