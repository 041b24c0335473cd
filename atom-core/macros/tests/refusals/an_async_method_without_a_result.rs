//! A call that crosses a border can always be cancelled, so it can always fail.
use atom_macros::api;

#[api]
impl Files {
    pub async fn count(&self) -> i64 {
        0
    }
}

fn main() {}
