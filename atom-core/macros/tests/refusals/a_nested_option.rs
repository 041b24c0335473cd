//! "Leave it" and "clear it" would both be null.
use atom_macros::model;

#[model]
pub struct Change {
    pub note: Option<Option<String>>,
}

fn main() {}
