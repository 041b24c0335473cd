//! A synchronous method is a property, and a property takes no arguments.
use atom_macros::api;

#[api]
impl Files {
    pub fn contains(&self, name: String) -> bool {
        name.is_empty()
    }
}

fn main() {}
