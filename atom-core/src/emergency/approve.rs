//! Approving: by a member, or with the offline key. The approval that makes them enough grants the request, in the same transaction.

use super::{EmergencyAccess, EmergencyRequest, EmergencyState, challenge, offline_key, rights, store};
use crate::audit::AuditAction;
use crate::crypto::{from_hex, is_signed};
use crate::events::{self, Draft, EmergencyApproved, EmergencyGranted};
use crate::storage::Topic;
use crate::{ConnectionId, EmergencyRequestId, Error, ErrorKind, Result, ServiceKeyId, UserId};
use chrono::TimeDelta;

const SIGNATURE: usize = 64;

/// Who approves.
enum Approver {
    Member(UserId),
    /// In hexadecimal.
    Key(String),
}

pub(super) async fn run(access: &EmergencyAccess, id: EmergencyRequestId) -> Result<EmergencyRequest> {
    access.check_judge(id, "approve emergency requests").await?;
    record(access, id, Approver::Member(access.principal.user_id)).await
}

pub(super) async fn offline(access: &EmergencyAccess, id: EmergencyRequestId, signature: &str) -> Result<EmergencyRequest> {
    let (db, now) = (access.inner.db()?, access.inner.now());
    let signature = offline_key::bytes(signature, SIGNATURE).ok_or_else(|| {
        Error::invalid("malformed_signature", "a signature is 64 bytes, in base64 or hexadecimal: pass what the offline key gave")
    })?;
    let row = store::get(db, &access.principal, id).await?;
    let key = store::key(db, access.principal.workspace_id).await?;
    let key = key.and_then(|key| offline_key::present(&key, now)).ok_or_else(|| {
        let text = "the workspace has no offline key that counts yet: an owner sets one with `set_offline_key`, a day before";
        Error::new(ErrorKind::Conflict, "no_offline_key", text)
    })?;
    let text = challenge::of(&row, &access.reason(&row).await?);
    if !is_signed(&from_hex(&key).unwrap_or_default(), text.as_bytes(), &signature) {
        let text =
            "the signature is not one of the workspace's offline key over this request's `challenge`: sign exactly its bytes";
        return Err(Error::new(ErrorKind::Forbidden, "wrong_signature", text));
    }
    record(access, id, Approver::Key(key)).await
}

async fn record(access: &EmergencyAccess, id: EmergencyRequestId, approver: Approver) -> Result<EmergencyRequest> {
    let (inner, workspace, now) = (&access.inner, access.principal.workspace_id, access.inner.now());
    let (name, approver_id, by) = match approver {
        Approver::Member(user) => (user.to_string(), Some(user), "member"),
        Approver::Key(key) => (key, None, "offline_key"),
    };
    let mut tx = inner.db()?.begin_durable().await?;
    let Some(row) = store::lock(&mut tx, workspace, id, now).await? else {
        drop(tx);
        return decided(access, id, approver_id).await;
    };
    if approver_id.is_some() {
        rights::check_admin(&mut tx, &access.principal, "approve emergency requests").await?;
    }
    let mut told = Vec::new();
    if store::approve(&mut tx, &row, &name, now).await? {
        access.log(&mut tx, AuditAction::EmergencyApproved, Some(id), &[("by", by)], now).await?;
        told.push((workspace, Draft::of(&EmergencyApproved { request_id: id, approver_id, user_id: row.owner() })?));
    }
    if rights::are_enough(&mut tx, &row, now).await? {
        let expires_at = now + TimeDelta::minutes(row.minutes.into());
        store::grant(&mut tx, &row, now, expires_at).await?;
        access.log(&mut tx, AuditAction::EmergencyGranted, Some(id), &[], now).await?;
        let granted = EmergencyGranted {
            request_id: id,
            requester_id: row.requester(),
            connection_id: row.connection_id.map(ConnectionId),
            service_key_id: row.service_key_id.map(ServiceKeyId),
            user_id: row.owner(),
            expires_at,
        };
        told.push((workspace, Draft::of(&granted)?));
        tx.wakes(Topic::Schedules);
    }
    events::append_all(&mut tx, told, now).await?;
    tx.commit().await?;
    access.read(id).await
}

/// What is said where there is nothing to approve: nothing to whoever has approved it, and why to everybody else.
async fn decided(access: &EmergencyAccess, id: EmergencyRequestId, approver: Option<UserId>) -> Result<EmergencyRequest> {
    let request = access.read(id).await?;
    let has_approved = request.approvals.iter().any(|approval| approval.user_id == approver);
    match request.state {
        EmergencyState::Granted if has_approved => Ok(request),
        state => Err(super::decided(state)),
    }
}
