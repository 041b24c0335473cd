//! Files: one shape for Drive and, later, every other file service.

mod model;

pub use model::{FilePage, ListFiles, NewFile, RemoteFile};

use super::engine;
use crate::connect::Connection;
use crate::{Bytes, Error, Result};
use atom_macros::{api, handle};
use serde_json::json;

/// The files of a connected account.
#[handle]
pub struct Files {
    pub(crate) connection: Connection,
}

#[api]
impl Files {
    /// Lists files, a page at a time: pass `next_cursor` back as `cursor` for the next one.
    pub async fn list(&self, filter: ListFiles) -> Result<FilePage> {
        let page = engine::list(&self.connection, "files.list", 1000, &filter).await?;
        Ok(FilePage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One file's description.
    pub async fn get(&self, id: String) -> Result<RemoteFile> {
        engine::one(&self.connection, "files.get", &json!({ "id": id })).await
    }

    /// One file's content, at most 64 MiB.
    pub async fn download(&self, id: String) -> Result<Bytes> {
        engine::bytes(&self.connection, "files.download", &json!({ "id": id })).await.map(Bytes)
    }

    /// Stores a new file. Repeating the call stores it again.
    pub async fn upload(&self, file: NewFile) -> Result<RemoteFile> {
        if file.name.is_empty() {
            return Err(Error::invalid("missing_input", "a file needs a name"));
        }
        engine::one(&self.connection, "files.upload", &file).await
    }
}
