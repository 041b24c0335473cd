//! Python has no place for a default there.
use atom_macros::api;

#[api]
impl Files {
    pub async fn list(&self, after: Option<String>, limit: i64) -> Result<()> {
        Ok(())
    }
}

fn main() {}
