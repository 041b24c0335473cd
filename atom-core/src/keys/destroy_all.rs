//! Destroy the data keys of a workspace that ends: nothing that it sealed opens any more, also in copies of the database.

use super::{nobody, store};
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::crypto::INSTALLATION;
use crate::events::{self, WorkspaceKeyDestroyed};
use crate::{Error, Result, WorkspaceId};

/// Destroys them at once, where `reseal` would wait for the records that need them. Other processes may hold a key that they have used until
/// they end.
pub(crate) async fn run(inner: &Inner, workspace: WorkspaceId) -> Result<()> {
    if workspace == INSTALLATION {
        return Err(Error::internal("installation_keys", "the keys of the installation itself are not destroyed"));
    }
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    for key in store::destroy_all(&mut tx, workspace, now).await? {
        let subject = Some(key.to_string());
        let entry = Entry { workspace, actor: nobody(), action: AuditAction::DataKeyDestroyed, subject, details: &[] };
        audit::append(&mut tx, entry, now).await?;
        events::append(&mut tx, workspace, WorkspaceKeyDestroyed { key_id: key }, now).await?;
    }
    tx.commit().await?;
    inner.keys.forget(workspace);
    Ok(())
}
