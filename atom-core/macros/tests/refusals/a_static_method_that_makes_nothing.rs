//! Not async in one case, not of the type itself in the other.
use atom_macros::api;

#[api]
impl Files {
    pub fn limit() -> i64 {
        10
    }
}

#[api]
impl Folders {
    pub async fn root() -> Result<String> {
        Ok(String::new())
    }
}

fn main() {}
