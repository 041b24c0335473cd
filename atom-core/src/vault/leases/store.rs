//! The SQL of secret leases.

use super::token::Hash;
use super::{SecretLease, SecretLeaseFilter, SecretLeasePage, unknown};
use crate::accounts::{Principal, Purpose};
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::vault::policies::SecretTarget;
use crate::{ConnectionId, Error, Result, SecretLeaseId, ServiceKeyId, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

row! {
    struct LeaseRow {
        workspace_id: Uuid,
        id: Uuid,
        user_id: Uuid,
        connection_id: Option<Uuid>,
        service_key_id: Option<Uuid>,
        target: String,
        purpose: String,
        tool: Option<String>,
        methods: Json<Vec<String>>,
        path_prefixes: Json<Vec<String>>,
        max_uses: Option<i64>,
        use_count: i64,
        last_used_at: Option<Timestamp>,
        created_at: Timestamp,
        expires_at: Timestamp,
        ends_at: Timestamp,
        revoked_at: Option<Timestamp>,
    }
}

impl LeaseRow {
    fn into_lease(self) -> SecretLease {
        let target = match self.connection_id {
            Some(id) => SecretTarget::Connection { provider: self.target, connection_id: Some(ConnectionId(id)) },
            None => SecretTarget::ServiceKey { service: self.target, service_key_id: self.service_key_id.map(ServiceKeyId) },
        };
        SecretLease {
            id: SecretLeaseId(self.id),
            user_id: UserId(self.user_id),
            target,
            purpose: Purpose { purpose: self.purpose, tool: self.tool },
            methods: self.methods.0,
            path_prefixes: self.path_prefixes.0,
            max_uses: self.max_uses,
            use_count: self.use_count,
            last_used_at: self.last_used_at.map(|at| at.0),
            created_at: self.created_at.0,
            expires_at: self.expires_at.0,
            ends_at: self.ends_at.0,
            revoked_at: self.revoked_at.map(|at| at.0),
        }
    }
}

macro_rules! columns {
    () => {
        "SELECT workspace_id, id, user_id, connection_id, service_key_id, target, purpose, tool, methods, path_prefixes, max_uses, use_count,
                last_used_at, created_at, expires_at, ends_at, revoked_at
           FROM atom_secret_leases "
    };
}

/// Leases that somebody sees: `$1` is the workspace, `$2` the user, `$3` whether they see those of all, `$4` and `$5` their one purpose and its tool.
macro_rules! visible {
    () => {
        concat!(
            columns!(),
            "WHERE workspace_id = $1 AND (user_id = $2 OR $3) AND ($4 IS NULL OR (purpose = $4 AND coalesce(tool, '') = $5))"
        )
    };
}

/// What a principal sees of the workspace's leases.
pub(super) struct Sight<'a> {
    pub(super) principal: &'a Principal,
    pub(super) sees_all: bool,
}

impl Sight<'_> {
    /// The purpose that they are limited to, and its tool.
    fn purpose(&self) -> (Option<&str>, &str) {
        let purpose = self.principal.purpose.as_ref();
        let tool = purpose.and_then(|purpose| purpose.tool.as_deref());
        (purpose.map(|purpose| purpose.purpose.as_str()), tool.unwrap_or_default())
    }
}

/// The leases that fit, oldest first.
pub(super) async fn list(db: &Db, sight: &Sight<'_>, filter: &SecretLeaseFilter, now: DateTime<Utc>) -> Result<SecretLeasePage> {
    let size = filter.page_size.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(Error::invalid("malformed_page_size", "page_size is between 1 and 1000"));
    }
    let malformed = |_| Error::invalid("malformed_cursor", "pass the cursor as the last page returned it");
    let after: Option<SecretLeaseId> = filter.cursor.as_deref().map(str::parse).transpose().map_err(malformed)?;
    let (principal, (purpose, tool)) = (sight.principal, sight.purpose());
    let rows = on!(db, c => sqlx::query_as::<_, LeaseRow>(concat!(visible!(),
        " AND ($6 IS NULL OR id > $6)
          AND ($7 IS NULL OR (revoked_at IS NULL AND expires_at > $8 AND (max_uses IS NULL OR use_count < max_uses)) = $7)
          ORDER BY id LIMIT $9"))
        .bind(principal.workspace_id.0).bind(principal.user_id.0).bind(sight.sees_all).bind(purpose).bind(tool)
        .bind(after.map(|id| id.0)).bind(filter.active).bind(Timestamp::from(now)).bind(i64::from(size) + 1).fetch_all(c).await)?;
    let more = rows.len() > usize::try_from(size).unwrap_or_default();
    let mut items: Vec<_> = rows.into_iter().map(LeaseRow::into_lease).collect();
    if more {
        items.pop();
    }
    let next_cursor = items.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(SecretLeasePage { items, next_cursor })
}

pub(super) async fn get(db: &Db, sight: &Sight<'_>, id: SecretLeaseId) -> Result<SecretLease> {
    let (principal, (purpose, tool)) = (sight.principal, sight.purpose());
    let row = on!(db, c => sqlx::query_as::<_, LeaseRow>(concat!(visible!(), " AND id = $6"))
        .bind(principal.workspace_id.0).bind(principal.user_id.0).bind(sight.sees_all).bind(purpose).bind(tool).bind(id.0)
        .fetch_optional(c).await)?;
    row.map(LeaseRow::into_lease).ok_or_else(|| Error::not_found("secret lease"))
}

/// The lease of a token.
pub(super) async fn by_token(db: &Db, hash: &Hash) -> Result<Option<(WorkspaceId, SecretLease)>> {
    let row = on!(db, c => sqlx::query_as::<_, LeaseRow>(concat!(columns!(), "WHERE token_hash = $1"))
        .bind(&hash[..]).fetch_optional(c).await)?;
    Ok(row.map(|row| (WorkspaceId(row.workspace_id), row.into_lease())))
}

/// A lease, for who has shown its token.
pub(super) async fn of_holder(db: &Db, workspace: WorkspaceId, id: SecretLeaseId) -> Result<SecretLease> {
    let row = on!(db, c => sqlx::query_as::<_, LeaseRow>(concat!(columns!(), "WHERE workspace_id = $1 AND id = $2"))
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    row.map(LeaseRow::into_lease).ok_or_else(unknown)
}

pub(super) async fn insert(tx: &mut Tx, workspace: WorkspaceId, lease: &SecretLease, hash: &Hash) -> Result<()> {
    let (target, connection, key) = match &lease.target {
        SecretTarget::Connection { provider, connection_id } => (provider, *connection_id, None),
        SecretTarget::ServiceKey { service, service_key_id } => (service, None, *service_key_id),
    };
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_secret_leases
            (workspace_id, id, user_id, token_hash, connection_id, service_key_id, target, purpose, tool, methods, path_prefixes, max_uses, use_count,
             created_at, expires_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14, $15)")
        .bind(workspace.0).bind(lease.id.0).bind(lease.user_id.0).bind(&hash[..]).bind(connection.map(|id| id.0))
        .bind(key.map(|id| id.0)).bind(target).bind(&lease.purpose.purpose).bind(&lease.purpose.tool).bind(Json(&lease.methods))
        .bind(Json(&lease.path_prefixes)).bind(lease.max_uses).bind(Timestamp::from(lease.created_at))
        .bind(Timestamp::from(lease.expires_at)).bind(Timestamp::from(lease.ends_at)).execute(c).await.map(drop))?)
}

/// Counts a use, if the lease still lets one through: `$3` is now.
const COUNT: &str = "UPDATE atom_secret_leases SET use_count = use_count + 1, last_used_at = $3
      WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL AND expires_at > $3 AND (max_uses IS NULL OR use_count < max_uses)
  RETURNING use_count";

/// Counts a use, and says which one it is; none if the lease lets none through any more.
pub(super) async fn count(tx: &mut Tx, workspace: WorkspaceId, id: SecretLeaseId, now: DateTime<Utc>) -> Result<Option<i64>> {
    let counted: Option<(i64,)> = on!(tx: tx, c => sqlx::query_as(COUNT)
        .bind(workspace.0).bind(id.0).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(counted.map(|(count,)| count))
}

/// The same, where nothing else is to be written.
pub(super) async fn count_one(db: &Db, workspace: WorkspaceId, id: SecretLeaseId, now: DateTime<Utc>) -> Result<Option<i64>> {
    let counted: Option<(i64,)> = on!(write: db, c => sqlx::query_as(COUNT)
        .bind(workspace.0).bind(id.0).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(counted.map(|(count,)| count))
}

/// False if the lease has ended.
pub(super) async fn renew(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: SecretLeaseId,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let renewed: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_secret_leases SET expires_at = $3
          WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL AND expires_at > $4 AND (max_uses IS NULL OR use_count < max_uses)
      RETURNING id")
        .bind(workspace.0).bind(id.0).bind(Timestamp::from(expires_at)).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(renewed.is_some())
}

/// False if it was revoked before.
pub(super) async fn revoke(tx: &mut Tx, workspace: WorkspaceId, id: SecretLeaseId, now: DateTime<Utc>) -> Result<bool> {
    let revoked: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_secret_leases SET revoked_at = $3 WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING id")
        .bind(workspace.0).bind(id.0).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(revoked.is_some())
}

/// Deletes leases that ended before a moment.
pub(super) async fn delete_ended(db: &Db, before: DateTime<Utc>) -> Result<()> {
    Ok(on!(write: db, c => sqlx::query("DELETE FROM atom_secret_leases WHERE expires_at < $1")
        .bind(Timestamp::from(before)).execute(c).await.map(drop))?)
}
