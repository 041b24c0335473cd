//! Everything that is held about a user, in one document.

use super::store;
use super::told::By;
use crate::accounts::{email, factors, invitations, sessions, social, workspaces};
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::crypto::INSTALLATION;
use crate::value::written;
use crate::{Json, Result, UserId, WorkspaceId, events, jobs, mail};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The document. Whoever asks for it is in the audit log.
pub(in crate::accounts) async fn run(inner: &Arc<Inner>, user: UserId, by: By) -> Result<Json> {
    let (db, now) = (inner.db()?, inner.now());
    let account = store::account(db, user).await?;
    let mut memberships = Vec::new();
    for membership in workspaces::of_user(db, user).await? {
        let workspace = membership.workspace.id;
        let held = (inner.holdings.export)(Arc::clone(inner), workspace, user).await?;
        memberships.push(joined(written(&membership)?, held));
    }
    let address = email::identifier(&account.user.email);
    let document = json!({
        "exported_at": now,
        "account": written(&account)?,
        "workspaces": memberships,
        "sessions": sessions::all(inner, user).await?,
        "factors": written(&factors::of_user(db, user).await?)?,
        "recovery_codes_left": factors::recovery_codes_left(db, user).await?,
        "identities": written(&social::of_user(db, user).await?)?,
        "invitations": placed(&invitations::store::to_address(db, &address, now).await?)?,
        "mails": written(&mail::of_user(db, user).await?)?,
        "jobs": written(&jobs::of_user(db, user).await?)?,
        "events": placed(&events::of_user(db, user).await?)?,
        "audit": placed(&audit::of_user(db, user).await?)?,
    });
    note(inner, user, by).await?;
    Ok(Json(document))
}

/// Notes it, where whatever is done with the user is told.
async fn note(inner: &Inner, user: UserId, by: By) -> Result<()> {
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    let mut places = store::workspaces(&mut tx, user).await?;
    if places.is_empty() {
        places.push(INSTALLATION);
    }
    for workspace in places {
        let (actor, action, subject) = (by.actor_in(workspace), AuditAction::UserExported, Some(user.to_string()));
        audit::append(&mut tx, Entry { workspace, actor, action, subject, details: &[] }, now).await?;
    }
    tx.commit().await
}

/// Records with the workspace that each is in.
fn placed(records: &[(WorkspaceId, impl Serialize)]) -> Result<Vec<Value>> {
    records.iter().map(|(workspace, record)| Ok(joined(json!({ "workspace_id": workspace }), written(record)?))).collect()
}

/// One object of two.
fn joined(mut object: Value, more: Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}
