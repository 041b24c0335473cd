//! Rotate the data key of a workspace: a new one seals from now on, and a job takes over what the older ones have sealed.

use super::{DataKey, Task, job, nobody, store};
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::crypto::INSTALLATION;
use crate::events::{self, WorkspaceKeyRotated};
use crate::jobs::Jobs;
use crate::{DataKeyId, Error, ErrorKind, Result, WorkspaceId};
use chrono::TimeDelta;
use std::sync::Arc;

pub(super) async fn run(inner: &Arc<Inner>, workspace: WorkspaceId) -> Result<DataKey> {
    let (db, now) = (inner.db()?, inner.now());
    if store::data_keys(db, workspace).await?.is_empty() {
        return Err(Error::not_found("workspace"));
    }
    let key = inner.keys.new_key(workspace).await?;
    let id = DataKeyId(key.id);
    // Until then other processes may seal under the key that was the newest when they looked.
    let look = TimeDelta::from_std(inner.keys.tuning().look).unwrap_or_default();
    let task = job(&Task { workspace }, now + look * 2)?;

    let mut tx = db.begin_durable().await?;
    let generation = key.insert(&mut tx, now).await.map_err(|error| match error.kind() {
        ErrorKind::Conflict => {
            let text = "another process has rotated the key of this workspace at the same moment: nothing is left to do";
            Error::new(ErrorKind::Conflict, "rotated_meanwhile", text)
        }
        _ => error,
    })?;
    Jobs { inner: Arc::clone(inner), workspace: INSTALLATION, user: None }.enqueue_with(&mut tx, task).await?;
    let (subject, number) = (Some(id.to_string()), generation.to_string());
    let details = [("generation", number.as_str())];
    let entry = Entry { workspace, actor: nobody(), action: AuditAction::DataKeyRotated, subject, details: &details };
    audit::append(&mut tx, entry, now).await?;
    events::append(&mut tx, workspace, WorkspaceKeyRotated { key_id: id, generation }, now).await?;
    tx.commit().await?;
    inner.keys.look_again(workspace);

    let stored = store::data_keys(db, workspace).await?.into_iter().find(|key| key.id == id);
    stored.ok_or_else(|| Error::internal("data_key_lost", "a new data key did not appear"))
}
