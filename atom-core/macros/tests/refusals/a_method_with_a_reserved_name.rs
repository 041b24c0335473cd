//! `delete` is a keyword of JavaScript, `_refresh` is private in Python, and every object of Kotlin has a `close`.
use atom_macros::api;

#[api]
impl Files {
    pub async fn delete(&self, id: String) -> Result<()> {
        Ok(())
    }
}

#[api]
impl Sessions {
    pub async fn _refresh(&self) -> Result<()> {
        Ok(())
    }
}

#[api]
impl Stream {
    pub async fn close(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
