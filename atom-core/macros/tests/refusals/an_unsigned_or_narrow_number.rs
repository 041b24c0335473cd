//! The refusal looks inside lists and options.
use atom_macros::{api, model};

#[model]
pub struct Size {
    pub bytes: u64,
}

#[model]
pub struct Batch {
    pub sizes: Option<Vec<u32>>,
}

#[model]
pub struct Port {
    pub number: i16,
}

#[api]
impl Files {
    pub async fn quota(&self) -> Result<f32> {
        Ok(0.5)
    }
}

fn main() {}
