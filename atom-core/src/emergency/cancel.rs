//! Withdrawing one's own request.

use super::{EmergencyAccess, EmergencyRequest, EmergencyState, store};
use crate::audit::AuditAction;
use crate::events::{self, EmergencyCancelled};
use crate::{EmergencyRequestId, Result};

pub(super) async fn run(access: &EmergencyAccess, id: EmergencyRequestId) -> Result<EmergencyRequest> {
    let (workspace, now) = (access.principal.workspace_id, access.inner.now());
    access.own(id).await?;
    let mut tx = access.inner.db()?.begin_durable().await?;
    let Some(row) = store::take_back(&mut tx, workspace, id, EmergencyState::Cancelled, now).await? else {
        drop(tx);
        return Err(super::decided(access.read(id).await?.state));
    };
    access.log(&mut tx, AuditAction::EmergencyCancelled, Some(id), &[], now).await?;
    let cancelled = EmergencyCancelled { request_id: id, requester_id: row.requester(), user_id: row.owner() };
    events::append(&mut tx, workspace, cancelled, now).await?;
    tx.commit().await?;
    access.read(id).await
}
