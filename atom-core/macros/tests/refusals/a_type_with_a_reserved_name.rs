//! `Operator` differs from Swift's keyword by its first letter alone, and a generator may lower it.
use atom_macros::{handle, id};

#[id]
pub struct Package;

#[handle]
pub struct Operator {}

fn main() {}
