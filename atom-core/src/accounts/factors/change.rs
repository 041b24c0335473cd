//! What every change of a factor leaves behind: an audit entry, an event, and a notice to the user.

use super::{Factor, Factors};
use crate::accounts::{Principal, notice, sessions, store as people};
use crate::audit::{self, AuditAction, Entry};
use crate::events::{self, FactorAdded, FactorRemoved, RecoveryCodesRenewed};
use crate::mail::Prepared;
use crate::mail::templates::{FactorChanged, Template};
use crate::storage::{Db, Tx};
use crate::{Error, FactorId, Result};
use chrono::{DateTime, Utc};

/// A change that is about to be stored.
pub(super) struct Change {
    principal: Principal,
    notice: Option<Prepared>,
    at: DateTime<Utc>,
}

impl Change {
    /// Prepares the notice. `factor` is what it says of it: `totp`, `recovery_codes`, …
    pub(super) async fn prepare(factors: &Factors, principal: Principal, factor: &'static str, is_added: bool) -> Result<Self> {
        let inner = &factors.inner;
        let user = people::user(inner.db()?, principal.user_id).await?.ok_or_else(|| Error::not_found("user"))?.into_user();
        let at = inner.now();
        let template = Template::FactorChanged(FactorChanged { at, factor, is_added });
        let notice = notice::prepare(inner, &user, template).await?;
        Ok(Self { principal, notice, at })
    }

    /// Begins the transaction of the change. Changes of one user's factors take turns, and none is made in a session that has ended meanwhile.
    ///
    /// Fails with `unauthenticated` (`session_revoked`).
    pub(super) async fn begin(&self, db: &Db) -> Result<Tx> {
        let mut tx = db.begin_durable().await?;
        sessions::hold(&mut tx, &self.principal).await?;
        Ok(tx)
    }

    /// Commits the addition of a factor.
    pub(super) async fn added(self, mut tx: Tx, factor: &Factor) -> Result<()> {
        let (user_id, kind) = (self.principal.user_id, factor.kind.as_str());
        self.log(&mut tx, AuditAction::FactorAdded, Some(factor.id), &[("factor", kind)]).await?;
        let event = FactorAdded { factor_id: factor.id, user_id, factor: kind.to_owned() };
        events::append(&mut tx, self.principal.workspace_id, event, self.at).await?;
        self.commit(tx).await
    }

    /// Commits the removal of a factor.
    pub(super) async fn removed(self, mut tx: Tx, id: FactorId, kind: &'static str) -> Result<()> {
        let user_id = self.principal.user_id;
        self.log(&mut tx, AuditAction::FactorRemoved, Some(id), &[("factor", kind)]).await?;
        let event = FactorRemoved { factor_id: id, user_id, factor: kind.to_owned() };
        events::append(&mut tx, self.principal.workspace_id, event, self.at).await?;
        self.commit(tx).await
    }

    /// Commits new recovery codes.
    pub(super) async fn renewed(self, mut tx: Tx) -> Result<()> {
        let user_id = self.principal.user_id;
        self.log(&mut tx, AuditAction::RecoveryCodesRenewed, None, &[]).await?;
        events::append(&mut tx, self.principal.workspace_id, RecoveryCodesRenewed { user_id }, self.at).await?;
        self.commit(tx).await
    }

    async fn log(&self, tx: &mut Tx, action: AuditAction, id: Option<FactorId>, details: &[(&'static str, &str)]) -> Result<()> {
        let (workspace, actor) = (self.principal.workspace_id, self.principal.actor());
        let subject = Some(id.map_or_else(|| self.principal.user_id.to_string(), |id| id.to_string()));
        audit::append(tx, Entry { workspace, actor, action, subject, details }, self.at).await
    }

    async fn commit(self, mut tx: Tx) -> Result<()> {
        if let Some(notice) = self.notice {
            notice.queue(&mut tx).await?;
        }
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::fixtures::on_each;
    use crate::accounts::verified;
    use std::sync::Arc;

    #[tokio::test]
    async fn p11_whoever_changes_a_factor_while_the_owner_of_the_address_comes_changes_nothing() {
        on_each(async |atom, makers| {
            let inner = atom.inner();
            let db = inner.db().expect("open");
            let factors = Factors { inner: Arc::clone(&inner), principal: makers.clone() };
            let change = Change::prepare(&factors, makers.clone(), "totp", true).await.expect("prepared");
            change.begin(db).await.expect("until then");
            let row = people::user(db, makers.user_id).await.expect("read").expect("there");
            verified::adopt(&inner, row.into_user()).await.expect("adopted");
            assert_eq!(change.begin(db).await.err().expect("refused").reason(), "session_revoked");
        })
        .await;
    }
}
