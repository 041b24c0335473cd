//! `new` is a syntax error in the declarations for TypeScript.
use atom_macros::api;

#[api]
impl Files {
    pub async fn rename(&self, new: String) -> Result<()> {
        Ok(())
    }
}

fn main() {}
