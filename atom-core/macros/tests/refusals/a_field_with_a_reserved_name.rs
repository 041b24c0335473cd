//! `from` is a keyword of Python, `in` of Kotlin; a raw identifier does not help them.
use atom_macros::model;

#[model]
pub struct Period {
    pub from: i64,
}

#[model]
pub struct Search {
    pub r#in: String,
}

fn main() {}
