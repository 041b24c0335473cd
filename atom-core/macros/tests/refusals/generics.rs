//! Kotlin and Python would need one class per use, so the declaration has to be one per use.
use atom_macros::{api, handle, model};

#[model]
pub struct Page<T> {
    pub items: Vec<T>,
}

#[handle]
pub struct Reader<'a> {
    source: &'a str,
}

#[api]
impl Files {
    pub async fn store<T>(&self, value: T) -> Result<()> {
        Ok(())
    }
}

fn main() {}
