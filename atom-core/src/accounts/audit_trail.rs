//! The audit log of a workspace, for those who run it.

use super::Principal;
use crate::Result;
use crate::atom::Inner;
use crate::audit::{self, AuditFilter, AuditPage, AuditReport};
use atom_macros::{api, handle};
use std::sync::Arc;

/// What was done in the workspace. Entries are written with the act itself and can be neither changed nor removed unnoticed.
///
/// Its owners and admins may read it; everyone else gets `forbidden`.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, AuditAction, AuditFilter, LocalKey, NewAccount};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let audit = atom.authenticate(session.access_token).await?.audit();
/// assert_eq!(audit.list(AuditFilter::default()).await?.items[0].action, AuditAction::SignedUp);
///
/// let checkpoint = audit.checkpoint().await?; // keep it where the database is not
/// assert_eq!(audit.verify(Some(vec![checkpoint])).await?.problem, None);
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct AuditTrail {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl AuditTrail {
    /// Lists entries, newest first, a page at a time. Paging from the first to the last page exports the log.
    pub async fn list(&self, filter: AuditFilter) -> Result<AuditPage> {
        self.check_role()?;
        audit::list(self.inner.db()?, self.principal.workspace_id, &filter).await
    }

    /// The end of the log as a signed text. Keep some of them outside the database: they show even a log that was rewritten as a whole.
    pub async fn checkpoint(&self) -> Result<String> {
        self.check_role()?;
        let Inner { signing, keys, .. } = &*self.inner;
        audit::checkpoint(self.inner.db()?, (signing, keys), self.principal.workspace_id, self.inner.now()).await
    }

    /// Walks the whole log and compares it with checkpoints that were kept. A broken log is a report, not an error.
    ///
    /// Fails with `invalid` (`unknown_checkpoint`).
    pub async fn verify(&self, checkpoints: Option<Vec<String>>) -> Result<AuditReport> {
        self.check_role()?;
        let checkpoints = checkpoints.unwrap_or_default();
        audit::verify(self.inner.db()?, &self.inner.signing, self.principal.workspace_id, &checkpoints).await
    }

    fn check_role(&self) -> Result<()> {
        self.principal.check_admin("read its audit log")
    }
}
