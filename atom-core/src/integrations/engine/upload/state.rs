//! The state of an upload, sealed for its workspace and connection: it holds an address that is its own credential.

use super::Progress;
use crate::connect::Connection;
use crate::crypto::{Place, base64url, from_base64url};
use crate::{Error, Result};
use zeroize::Zeroizing;

fn place(connection: &Connection) -> Place<'_> {
    let row = connection.id.0.as_bytes();
    Place { workspace: connection.principal.workspace_id, table: "upload", row, field: "state", version: 1 }
}

pub(super) async fn seal(connection: &Connection, progress: &Progress) -> Result<String> {
    let plain = serde_json::to_vec(progress).map(Zeroizing::new);
    let plain = plain.map_err(|e| Error::internal("upload_state", "an upload cannot be serialized").with_source(e))?;
    let inner = &connection.inner;
    inner.keys.seal_record(inner.db()?, &place(connection), &plain).await.map(base64url)
}

pub(super) async fn open(connection: &Connection, state: &str) -> Result<Progress> {
    let sealed = from_base64url(state).ok_or_else(malformed)?;
    let inner = &connection.inner;
    let plain = inner.keys.open_record(inner.db()?, &place(connection), &sealed).await;
    let plain = plain.map_err(|e| if e.is_retryable() { e } else { malformed() })?;
    serde_json::from_slice(&plain).map_err(|_| malformed())
}

pub(super) fn malformed() -> Error {
    let text = "this is no state of an upload of this connection: pass on the text that `state` gave, or begin again";
    Error::invalid("malformed_upload_state", text)
}
