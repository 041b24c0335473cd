//! Denying a request, or taking a grant back that was not used yet.

use super::{EmergencyAccess, EmergencyRequest, EmergencyState, rights, store};
use crate::audit::AuditAction;
use crate::events::{self, EmergencyDenied};
use crate::{EmergencyRequestId, Result};

pub(super) async fn run(access: &EmergencyAccess, id: EmergencyRequestId) -> Result<EmergencyRequest> {
    const ACT: &str = "deny emergency requests";
    let (principal, now) = (&access.principal, access.inner.now());
    access.check_judge(id, ACT).await?;
    let mut tx = access.inner.db()?.begin_durable().await?;
    rights::check_admin(&mut tx, principal, ACT).await?;
    let Some(row) = store::take_back(&mut tx, principal.workspace_id, id, EmergencyState::Denied, now).await? else {
        drop(tx);
        return Err(super::decided(access.read(id).await?.state));
    };
    access.log(&mut tx, AuditAction::EmergencyDenied, Some(id), &[], now).await?;
    let denied = EmergencyDenied { request_id: id, denier_id: principal.user_id, user_id: row.owner() };
    events::append(&mut tx, principal.workspace_id, denied, now).await?;
    tx.commit().await?;
    access.read(id).await
}
