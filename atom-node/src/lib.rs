//! The native module of the npm package `atom-node`: linking the core registers every class.

pub use atom_core::*;
