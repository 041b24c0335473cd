//! The SQL of the audit log: it inserts and reads, and has no statement that changes or deletes an entry.

use super::chain::Hash;
use super::{AuditEntry, AuditFilter, AuditPage};
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Error, Result, SessionId, UserId, WorkspaceId};
use uuid::Uuid;

row! {
    /// One entry as it is stored.
    pub(super) struct AuditRow {
        workspace_id: Uuid,
        sequence: i64,
        at: Timestamp,
        action: String,
        user_id: Option<Uuid>,
        session_id: Option<Uuid>,
        subject: Option<String>,
        details: String,
        hash: Vec<u8>,
    }
}

macro_rules! entries {
    ($rest:literal) => {
        concat!("SELECT workspace_id, sequence, at, action, user_id, session_id, subject, details, hash FROM atom_audit ", $rest)
    };
}

impl AuditRow {
    fn into_entry(self) -> Result<AuditEntry> {
        let damaged = |e| Error::sealed("audit_damaged", "an audit entry is malformed: verify the log").with_source(e);
        Ok(AuditEntry {
            sequence: self.sequence,
            at: self.at.0,
            action: self.action.parse()?,
            user_id: self.user_id.map(UserId),
            session_id: self.session_id.map(SessionId),
            subject: self.subject,
            details: serde_json::from_str(&self.details).map_err(damaged)?,
            hash: crate::crypto::hex(&self.hash),
        })
    }
}

/// Takes the next place in a chain, and with it the right to append until the transaction ends.
pub(super) async fn next(tx: &mut Tx, workspace: WorkspaceId, genesis: &Hash) -> Result<(i64, Vec<u8>)> {
    const NEXT: &str = "UPDATE atom_audit_heads SET sequence = sequence + 1 WHERE workspace_id = $1 RETURNING sequence, hash";
    let taken: Option<(i64, Vec<u8>)> = on!(tx: tx, c => sqlx::query_as(NEXT).bind(workspace.0).fetch_optional(c).await)?;
    if let Some(taken) = taken {
        return Ok(taken);
    }
    on!(tx: tx, c => sqlx::query("INSERT INTO atom_audit_heads (workspace_id, sequence, hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING")
        .bind(workspace.0).bind(&genesis[..]).execute(c).await.map(drop))?;
    Ok(on!(tx: tx, c => sqlx::query_as(NEXT).bind(workspace.0).fetch_one(c).await)?)
}

/// Stores an entry and makes it the end of its chain.
pub(super) async fn insert(tx: &mut Tx, row: &AuditRow) -> Result<()> {
    on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_audit (workspace_id, sequence, at, action, user_id, session_id, subject, details, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(row.workspace_id).bind(row.sequence).bind(row.at).bind(&row.action).bind(row.user_id).bind(row.session_id)
        .bind(&row.subject).bind(&row.details).bind(&row.hash).execute(c).await.map(drop))?;
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_audit_heads SET hash = $2 WHERE workspace_id = $1")
        .bind(row.workspace_id).bind(&row.hash).execute(c).await.map(drop))?)
}

/// The end of a chain, as the head row says.
pub(super) async fn head(db: &Db, workspace: WorkspaceId) -> Result<Option<(i64, Vec<u8>)>> {
    Ok(on!(db, c => sqlx::query_as("SELECT sequence, hash FROM atom_audit_heads WHERE workspace_id = $1")
        .bind(workspace.0).fetch_optional(c).await)?)
}

/// The entries after a place, in order.
pub(super) async fn after(db: &Db, workspace: WorkspaceId, sequence: i64, limit: i64) -> Result<Vec<AuditRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, AuditRow>(
        entries!("WHERE workspace_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3"))
        .bind(workspace.0).bind(sequence).bind(limit).fetch_all(c).await)?)
}

/// The entries that fit, newest first.
pub(crate) async fn list(db: &Db, workspace: WorkspaceId, filter: &AuditFilter) -> Result<AuditPage> {
    let size = filter.page_size.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(Error::invalid("malformed_page_size", "page_size is between 1 and 1000"));
    }
    let malformed = |_| Error::invalid("malformed_cursor", "pass the cursor as the last page returned it");
    let before: Option<i64> = filter.cursor.as_deref().map(str::parse).transpose().map_err(malformed)?;
    let rows = on!(db, c => sqlx::query_as::<_, AuditRow>(
        entries!(
        "WHERE workspace_id = $1 AND ($2 IS NULL OR sequence < $2) AND ($3 IS NULL OR action = $3)
            AND ($4 IS NULL OR user_id = $4) AND ($5 IS NULL OR subject = $5)
          ORDER BY sequence DESC LIMIT $6"))
        .bind(workspace.0).bind(before).bind(filter.action.map(|a| a.as_str())).bind(filter.user_id.map(|u| u.0))
        .bind(&filter.subject).bind(i64::from(size) + 1).fetch_all(c).await)?;
    let more = rows.len() > usize::try_from(size).unwrap_or_default();
    let mut items = rows.into_iter().map(AuditRow::into_entry).collect::<Result<Vec<_>>>()?;
    if more {
        items.pop();
    }
    let next_cursor = items.last().filter(|_| more).map(|last| last.sequence.to_string());
    Ok(AuditPage { items, next_cursor })
}

/// Deletes the chain of a workspace that is gone.
pub(crate) async fn forget_workspace(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    for table in ["DELETE FROM atom_audit WHERE workspace_id = $1", "DELETE FROM atom_audit_heads WHERE workspace_id = $1"] {
        on!(tx: tx, c => sqlx::query(table).bind(workspace.0).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// What a user did, and what was done to them, in all workspaces. It looks at every entry, so this is for what is rare.
pub(crate) async fn of_user(db: &Db, user: UserId) -> Result<Vec<(WorkspaceId, AuditEntry)>> {
    let rows: Vec<AuditRow> = on!(db, c => sqlx::query_as(
        entries!("WHERE user_id = $1 OR subject = $2 ORDER BY workspace_id, sequence"))
        .bind(user.0).bind(user.to_string()).fetch_all(c).await)?;
    rows.into_iter().map(|row| Ok((WorkspaceId(row.workspace_id), row.into_entry()?))).collect()
}
