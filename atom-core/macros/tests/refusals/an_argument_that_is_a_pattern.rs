//! Callers beyond the border pass it by name.
use atom_macros::api;

#[api]
impl Files {
    pub async fn list(&self, ListFiles { limit }: ListFiles) -> Result<()> {
        Ok(())
    }
}

fn main() {}
