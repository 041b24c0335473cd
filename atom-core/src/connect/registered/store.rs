//! The SQL of a workspace's providers.

use super::WorkspaceProviderFilter;
use crate::storage::{Db, OpenTx, Timestamp, Tx, on, row};
use crate::{Error, Result, WorkspaceId, WorkspaceProviderId};
use uuid::Uuid;

row! {
    /// A provider as it is stored.
    pub(super) struct ProviderRow {
        id: Uuid,
        name: String,
        sealed: Vec<u8>,
        revision: i64,
        created_by: Uuid,
        created_at: Timestamp,
        updated_by: Uuid,
        updated_at: Timestamp,
    }
}

pub(super) struct Page {
    pub(super) rows: Vec<ProviderRow>,
    pub(super) next_cursor: Option<String>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, sealed, revision, created_by, created_at, updated_by, updated_at FROM atom_workspace_providers WHERE workspace_id = $1 ",
            $rest
        )
    };
}

pub(super) async fn list(db: &Db, workspace: WorkspaceId, filter: &WorkspaceProviderFilter) -> Result<Page> {
    let size = filter.page_size.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(Error::invalid("malformed_page_size", "page_size is between 1 and 1000"));
    }
    let malformed = |_| Error::invalid("malformed_cursor", "pass the cursor as the last page returned it");
    let after: Option<WorkspaceProviderId> = filter.cursor.as_deref().map(str::parse).transpose().map_err(malformed)?;
    let mut rows = on!(db, c => sqlx::query_as::<_, ProviderRow>(select!("AND ($2 IS NULL OR id > $2) ORDER BY id LIMIT $3"))
        .bind(workspace.0).bind(after.map(|id| id.0)).bind(i64::from(size) + 1).fetch_all(c).await)?;
    let more = rows.len() > usize::try_from(size).unwrap_or_default();
    if more {
        rows.pop();
    }
    let next_cursor = rows.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(Page { rows, next_cursor })
}

pub(super) async fn get(db: &Db, workspace: WorkspaceId, id: WorkspaceProviderId) -> Result<Option<ProviderRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, ProviderRow>(select!("AND id = $2"))
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?)
}

pub(super) async fn id_of(db: &Db, workspace: WorkspaceId, name: &str) -> Result<Option<WorkspaceProviderId>> {
    // Nothing has such a name, and PostgreSQL would take it for an error of ours.
    if name.contains('\0') {
        return Ok(None);
    }
    let found: Option<(Uuid,)> = on!(db, c => sqlx::query_as("SELECT id FROM atom_workspace_providers WHERE workspace_id = $1 AND name = $2")
        .bind(workspace.0).bind(name).fetch_optional(c).await)?;
    Ok(found.map(|(id,)| WorkspaceProviderId(id)))
}

pub(super) async fn ids(db: &Db, workspace: WorkspaceId) -> Result<Vec<WorkspaceProviderId>> {
    let found: Vec<(Uuid,)> = on!(db, c => sqlx::query_as("SELECT id FROM atom_workspace_providers WHERE workspace_id = $1 ORDER BY name")
        .bind(workspace.0).fetch_all(c).await)?;
    Ok(found.into_iter().map(|(id,)| WorkspaceProviderId(id)).collect())
}

pub(super) async fn insert(tx: &mut Tx, workspace: WorkspaceId, row: &ProviderRow) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_workspace_providers (workspace_id, id, name, sealed, revision, created_by, created_at, updated_by, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(workspace.0).bind(row.id).bind(&row.name).bind(&row.sealed).bind(row.revision).bind(row.created_by).bind(row.created_at)
        .bind(row.updated_by).bind(row.updated_at).execute(c).await.map(drop))?)
}

pub(super) async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    let (count,): (i64,) = on!(tx: tx, c => sqlx::query_as("SELECT count(*) FROM atom_workspace_providers WHERE workspace_id = $1")
        .bind(workspace.0).fetch_one(c).await)?;
    Ok(count)
}

/// Stores what has changed, for the one writer that read the revision before.
pub(super) async fn replace(tx: &mut Tx, workspace: WorkspaceId, row: &ProviderRow) -> Result<bool> {
    let done: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_workspace_providers SET sealed = $4, revision = $3, updated_by = $5, updated_at = $6
          WHERE workspace_id = $1 AND id = $2 AND revision = $3 - 1 RETURNING id")
        .bind(workspace.0).bind(row.id).bind(row.revision).bind(&row.sealed).bind(row.updated_by).bind(row.updated_at)
        .fetch_optional(c).await)?;
    Ok(done.is_some())
}

/// False if it was removed before.
pub(super) async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: WorkspaceProviderId) -> Result<bool> {
    let done: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "DELETE FROM atom_workspace_providers WHERE workspace_id = $1 AND id = $2 RETURNING id")
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    Ok(done.is_some())
}

/// The revision of a provider, which nobody changes before the transaction has ended.
pub(super) async fn hold(tx: &mut Tx, workspace: WorkspaceId, id: WorkspaceProviderId) -> Result<Option<i64>> {
    // On SQLite there is one writer anyway.
    let sql = match &tx.open {
        OpenTx::Sqlite(_) => "SELECT revision FROM atom_workspace_providers WHERE workspace_id = $1 AND id = $2",
        OpenTx::Pg(_) => "SELECT revision FROM atom_workspace_providers WHERE workspace_id = $1 AND id = $2 FOR SHARE",
    };
    let found: Option<(i64,)> = on!(tx: tx, c => sqlx::query_as(sql).bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    Ok(found.map(|(revision,)| revision))
}

/// Whether a member has a connection at it that has not ended.
pub(super) async fn is_in_use(tx: &mut Tx, workspace: WorkspaceId, id: WorkspaceProviderId) -> Result<bool> {
    let found: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "SELECT id FROM atom_connections WHERE workspace_id = $1 AND provider_id = $2 AND state <> 'revoked' LIMIT 1")
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// The connections at it that have not ended, and whose they are.
pub(super) async fn connected(db: &Db, workspace: WorkspaceId, id: WorkspaceProviderId) -> Result<Vec<(Uuid, Uuid)>> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT id, user_id FROM atom_connections WHERE workspace_id = $1 AND provider_id = $2 AND state <> 'revoked' ORDER BY id")
        .bind(workspace.0).bind(id.0).fetch_all(c).await)?)
}
