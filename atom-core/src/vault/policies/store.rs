//! The SQL of secret policies.

use super::SecretPolicy;
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Error, Result, WorkspaceId};
use sqlx::types::Json;

row! {
    struct PolicyRow { policy: Json<SecretPolicy>, created_at: Timestamp, updated_at: Timestamp }
}

impl PolicyRow {
    fn into_policy(self) -> SecretPolicy {
        SecretPolicy { created_at: self.created_at.0, updated_at: self.updated_at.0, ..self.policy.0 }
    }
}

/// The policies of a workspace, by name.
pub(super) async fn list(db: &Db, workspace: WorkspaceId) -> Result<Vec<SecretPolicy>> {
    let rows = on!(db, c => sqlx::query_as::<_, PolicyRow>(
        "SELECT policy, created_at, updated_at FROM atom_secret_policies WHERE workspace_id = $1 ORDER BY name")
        .bind(workspace.0).fetch_all(c).await)?;
    Ok(rows.into_iter().map(PolicyRow::into_policy).collect())
}

pub(super) async fn get(db: &Db, workspace: WorkspaceId, name: &str) -> Result<SecretPolicy> {
    let unknown = || Error::not_found("secret policy");
    // Nothing has such a name, and PostgreSQL would take it for an error of ours.
    if name.contains('\0') {
        return Err(unknown());
    }
    let row = on!(db, c => sqlx::query_as::<_, PolicyRow>(
        "SELECT policy, created_at, updated_at FROM atom_secret_policies WHERE workspace_id = $1 AND name = $2")
        .bind(workspace.0).bind(name).fetch_optional(c).await)?;
    row.map(PolicyRow::into_policy).ok_or_else(unknown)
}

/// Stores a policy, or replaces the one of its name.
pub(super) async fn put(tx: &mut Tx, workspace: WorkspaceId, policy: &SecretPolicy) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_secret_policies (workspace_id, name, policy, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
         ON CONFLICT (workspace_id, name) DO UPDATE SET policy = excluded.policy, updated_at = excluded.updated_at")
        .bind(workspace.0).bind(&policy.name).bind(Json(policy)).bind(Timestamp::from(policy.created_at))
        .execute(c).await.map(drop))?)
}

/// Removes a policy, and says whether it was there.
pub(super) async fn delete(tx: &mut Tx, workspace: WorkspaceId, name: &str) -> Result<bool> {
    if name.contains('\0') {
        return Ok(false);
    }
    let done = on!(tx: tx, c => sqlx::query("DELETE FROM atom_secret_policies WHERE workspace_id = $1 AND name = $2")
        .bind(workspace.0).bind(name).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}
