//! As a result, as a field, and as the record itself.
use atom_macros::{api, model};

#[api]
impl Files {
    pub async fn first(&self) -> Result<(String, i64)> {
        Ok((String::new(), 0))
    }
}

#[model]
pub struct Route {
    pub stops: Vec<(f64, f64)>,
}

#[model]
pub struct Pair(String, String);

fn main() {}
