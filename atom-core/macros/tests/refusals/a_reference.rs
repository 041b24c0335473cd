//! Nobody beyond the border keeps the value alive.
use atom_macros::{api, model};

#[api]
impl Files {
    pub async fn open(&self, path: &str) -> Result<()> {
        Ok(())
    }
}

#[model]
pub struct Tree {
    pub left: Box<Tree>,
}

fn main() {}
