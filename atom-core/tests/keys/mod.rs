//! Rotation of keys, and what stands in the way.

#![allow(clippy::print_stdout)] // figures of a soak, and what a process says to its test

mod bounds;
mod columns;
mod crash;
mod data_keys;
#[cfg(all(feature = "keychain", target_os = "linux"))]
mod keychain;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod processes;
mod providers;
mod wrapping;

use crate::support::*;
use atom_core::testing::{KeyPace, pace_keys};
use atom_core::*;
use chrono::TimeDelta;
use std::time::Duration;

/// The key that comes after [`KEY`].
const NEXT: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

fn local(text: &str) -> LocalKey {
    LocalKey::from_base64(&text.into()).unwrap()
}

fn name(text: &str) -> String {
    KeyProvider::fingerprint(&local(text))
}

/// An installation whose key is the first of these, and that accepts the others.
fn with_keys(database: &Database, keys: &[&str]) -> Builder {
    let builder = Atom::builder(&database.url).key(local(keys[0]));
    keys[1..].iter().fold(builder, |builder, key| builder.accept_key(local(key)))
}

/// Rotations that other processes notice at once, and data keys that are destroyed after so many milliseconds.
fn hurry(atom: &Atom, quiet_ms: i64) {
    let pace = KeyPace { look: Duration::from_millis(200), quiet: TimeDelta::milliseconds(quiet_ms), ..Default::default() };
    pace_keys(atom, &pace);
}

fn refused<T>(result: Result<T>) -> Error {
    result.err().expect("refused")
}

fn states(keys: &[DataKey]) -> Vec<DataKeyState> {
    keys.iter().map(|key| key.state).collect()
}
