//! The SQL of service keys.

use super::{KeyPlacement, ServiceKey, ServiceKeyFilter, ServiceKeyOwner, ServiceKeyPage};
use crate::accounts::{Principal, Role};
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Error, ErrorKind, Result, ServiceKeyId, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

row! {
    struct KeyRow {
        id: Uuid,
        user_id: Option<Uuid>,
        service: String,
        name: String,
        hint: Option<String>,
        placement: Json<KeyPlacement>,
        hosts: Json<Vec<String>>,
        exportable: bool,
        revision: i64,
        expires_at: Option<Timestamp>,
        rotate_every_days: Option<i32>,
        use_count: i64,
        last_used_at: Option<Timestamp>,
        created_at: Timestamp,
        updated_at: Timestamp,
        rotated_at: Timestamp,
        previous_until: Option<Timestamp>,
    }
}

impl KeyRow {
    fn into_key(self) -> ServiceKey {
        let moment = |at: Option<Timestamp>| at.map(|at| at.0);
        ServiceKey {
            id: ServiceKeyId(self.id),
            service: self.service,
            name: self.name,
            user_id: self.user_id.map(UserId),
            hint: self.hint,
            placement: self.placement.0,
            hosts: self.hosts.0,
            is_exportable: self.exportable,
            revision: self.revision,
            expires_at: moment(self.expires_at),
            rotate_every_days: self.rotate_every_days,
            rotation_due_at: self.rotate_every_days.map(|days| self.rotated_at.0 + TimeDelta::days(days.into())),
            previous_until: moment(self.previous_until),
            use_count: self.use_count,
            last_used_at: moment(self.last_used_at),
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            rotated_at: self.rotated_at.0,
        }
    }
}

/// Keys that a principal may see: `$1` is the workspace, `$2` the user, `$3` whether they see what is the workspace's.
macro_rules! visible {
    () => {
        "SELECT k.id, k.user_id, k.service, k.name, k.hint, k.placement, k.hosts, k.exportable, k.revision, k.expires_at, k.rotate_every_days,
                k.use_count, k.last_used_at, k.created_at, k.updated_at, k.rotated_at,
                (SELECT max(v.expires_at) FROM atom_service_key_values v WHERE v.workspace_id = k.workspace_id AND v.key_id = k.id) AS previous_until
           FROM atom_service_keys k
          WHERE k.workspace_id = $1 AND (k.user_id = $2 OR (k.user_id IS NULL AND $3))"
    };
}

fn sees_shared(principal: &Principal) -> bool {
    principal.role != Role::Guest
}

/// The keys that fit, oldest first.
pub(super) async fn list(db: &Db, principal: &Principal, filter: &ServiceKeyFilter) -> Result<ServiceKeyPage> {
    let size = filter.page_size.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(Error::invalid("malformed_page_size", "page_size is between 1 and 1000"));
    }
    let malformed = |_| Error::invalid("malformed_cursor", "pass the cursor as the last page returned it");
    let after: Option<ServiceKeyId> = filter.cursor.as_deref().map(str::parse).transpose().map_err(malformed)?;
    // Nothing has such a name, and PostgreSQL would take it for an error of ours.
    if [&filter.service, &filter.name].into_iter().flatten().any(|name| name.contains('\0')) {
        return Ok(ServiceKeyPage { items: Vec::new(), next_cursor: None });
    }
    let is_shared = filter.owner.map(|owner| owner == ServiceKeyOwner::Workspace);
    let rows = on!(db, c => sqlx::query_as::<_, KeyRow>(concat!(visible!(),
        " AND ($4 IS NULL OR k.id > $4) AND ($5 IS NULL OR k.service = $5) AND ($6 IS NULL OR k.name = $6)
          AND ($7 IS NULL OR (k.user_id IS NULL) = $7) ORDER BY k.id LIMIT $8"))
        .bind(principal.workspace_id.0).bind(principal.user_id.0).bind(sees_shared(principal)).bind(after.map(|id| id.0))
        .bind(&filter.service).bind(&filter.name).bind(is_shared).bind(i64::from(size) + 1).fetch_all(c).await)?;
    let more = rows.len() > usize::try_from(size).unwrap_or_default();
    let mut items: Vec<_> = rows.into_iter().map(KeyRow::into_key).collect();
    if more {
        items.pop();
    }
    let next_cursor = items.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(ServiceKeyPage { items, next_cursor })
}

pub(super) async fn get(db: &Db, principal: &Principal, id: ServiceKeyId) -> Result<ServiceKey> {
    let row = on!(db, c => sqlx::query_as::<_, KeyRow>(concat!(visible!(), " AND k.id = $4"))
        .bind(principal.workspace_id.0).bind(principal.user_id.0).bind(sees_shared(principal)).bind(id.0).fetch_optional(c).await)?;
    row.map(KeyRow::into_key).ok_or_else(|| Error::not_found("service key"))
}

/// Whose a key is, whoever asks: none if it is not there, and nobody in particular if it is the workspace's.
pub(super) async fn owner(db: &Db, workspace: WorkspaceId, id: ServiceKeyId) -> Result<Option<Option<UserId>>> {
    let row: Option<(Option<Uuid>,)> = on!(db, c => sqlx::query_as("SELECT user_id FROM atom_service_keys WHERE workspace_id = $1 AND id = $2")
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    Ok(row.map(|(user,)| user.map(UserId)))
}

/// An owner has one key of a name for a service.
fn taken(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Conflict => {
            let text = "there is a service key of this name for the service: give this one another name, or rotate that one";
            Error::new(ErrorKind::Conflict, "service_key_exists", text)
        }
        _ => error,
    }
}

pub(super) async fn insert(tx: &mut Tx, workspace: WorkspaceId, key: &ServiceKey) -> Result<()> {
    let done: Result<(), sqlx::Error> = on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_service_keys
            (workspace_id, id, user_id, service, name, hint, placement, hosts, exportable, revision, expires_at, rotate_every_days,
             use_count, created_at, updated_at, rotated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $13, $13)")
        .bind(workspace.0).bind(key.id.0).bind(key.user_id.map(|id| id.0)).bind(&key.service).bind(&key.name).bind(&key.hint)
        .bind(Json(&key.placement)).bind(Json(&key.hosts)).bind(key.is_exportable).bind(key.revision)
        .bind(key.expires_at.map(Timestamp::from)).bind(key.rotate_every_days).bind(Timestamp::from(key.created_at))
        .execute(c).await.map(drop));
    done.map_err(|e| taken(e.into()))
}

/// Stores what has changed of a key, for the one writer that read the revision before.
pub(super) async fn replace(tx: &mut Tx, workspace: WorkspaceId, key: &ServiceKey) -> Result<bool> {
    let done: Result<Option<(Uuid,)>, sqlx::Error> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_service_keys SET name = $4, hint = $5, placement = $6, hosts = $7, exportable = $8, revision = $3, expires_at = $9,
                rotate_every_days = $10, updated_at = $11, rotated_at = $12
          WHERE workspace_id = $1 AND id = $2 AND revision = $3 - 1 RETURNING id")
        .bind(workspace.0).bind(key.id.0).bind(key.revision).bind(&key.name).bind(&key.hint).bind(Json(&key.placement))
        .bind(Json(&key.hosts)).bind(key.is_exportable).bind(key.expires_at.map(Timestamp::from)).bind(key.rotate_every_days)
        .bind(Timestamp::from(key.updated_at)).bind(Timestamp::from(key.rotated_at)).fetch_optional(c).await);
    Ok(done.map_err(|e| taken(e.into()))?.is_some())
}

/// Removes a key with its values, and says whether it was there.
pub(super) async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: ServiceKeyId) -> Result<bool> {
    let done: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "DELETE FROM atom_service_keys WHERE workspace_id = $1 AND id = $2 RETURNING id")
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    Ok(done.is_some())
}

row! {
    /// A value as it is stored.
    pub(super) struct ValueRow { revision: i64, sealed: Vec<u8> }
}

/// The values of a key that serve now, the newest first.
pub(super) async fn values(db: &Db, workspace: WorkspaceId, id: ServiceKeyId, now: DateTime<Utc>) -> Result<Vec<ValueRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, ValueRow>(
        "SELECT revision, sealed FROM atom_service_key_values
          WHERE workspace_id = $1 AND key_id = $2 AND (expires_at IS NULL OR expires_at > $3) ORDER BY revision DESC")
        .bind(workspace.0).bind(id.0).bind(Timestamp::from(now)).fetch_all(c).await)?)
}

/// Stores the newest value.
pub(super) async fn insert_value(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: ServiceKeyId,
    revision: i64,
    sealed: &[u8],
) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_service_key_values (workspace_id, key_id, revision, sealed) VALUES ($1, $2, $3, $4)")
        .bind(workspace.0).bind(id.0).bind(revision).bind(sealed).execute(c).await.map(drop))?)
}

/// Keeps the newest value until a moment, before the next one is stored; without a moment it is destroyed. Older ones are destroyed.
pub(super) async fn retire_values(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: ServiceKeyId,
    until: Option<DateTime<Utc>>,
) -> Result<()> {
    on!(tx: tx, c => sqlx::query(
        "DELETE FROM atom_service_key_values WHERE workspace_id = $1 AND key_id = $2 AND (expires_at IS NOT NULL OR $3)")
        .bind(workspace.0).bind(id.0).bind(until.is_none()).execute(c).await.map(drop))?;
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_service_key_values SET expires_at = $3 WHERE workspace_id = $1 AND key_id = $2")
        .bind(workspace.0).bind(id.0).bind(until.map(Timestamp::from)).execute(c).await.map(drop))?)
}

/// Counts uses of a key, if it is still there.
pub(super) async fn count_uses(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: ServiceKeyId,
    count: i64,
    last: DateTime<Utc>,
) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "UPDATE atom_service_keys SET use_count = use_count + $3,
                last_used_at = CASE WHEN last_used_at > $4 THEN last_used_at ELSE $4 END
          WHERE workspace_id = $1 AND id = $2")
        .bind(workspace.0).bind(id.0).bind(count).bind(Timestamp::from(last)).execute(c).await.map(drop))?)
}

/// Has something told of a key at a moment, or not at all.
pub(super) async fn set_notice(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: ServiceKeyId,
    notice: &str,
    at: Option<DateTime<Utc>>,
) -> Result<()> {
    on!(tx: tx, c => sqlx::query("DELETE FROM atom_service_key_notices WHERE workspace_id = $1 AND key_id = $2 AND notice = $3")
        .bind(workspace.0).bind(id.0).bind(notice).execute(c).await.map(drop))?;
    let Some(at) = at else { return Ok(()) };
    Ok(
        on!(tx: tx, c => sqlx::query("INSERT INTO atom_service_key_notices (workspace_id, key_id, notice, at) VALUES ($1, $2, $3, $4)")
        .bind(workspace.0).bind(id.0).bind(notice).bind(Timestamp::from(at)).execute(c).await.map(drop))?,
    )
}

row! {
    /// What is to be told, with what is known of the key.
    pub(super) struct NoticeRow {
        workspace_id: Uuid,
        key_id: Uuid,
        notice: String,
        at: Timestamp,
        service: String,
        user_id: Option<Uuid>,
        expires_at: Option<Timestamp>,
    }
}

/// What is to be told by now, in its order.
pub(super) async fn due(db: &Db, now: DateTime<Utc>, limit: i64) -> Result<Vec<NoticeRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, NoticeRow>(
        "SELECT n.workspace_id, n.key_id, n.notice, n.at, k.service, k.user_id, k.expires_at
           FROM atom_service_key_notices n JOIN atom_service_keys k ON k.workspace_id = n.workspace_id AND k.id = n.key_id
          WHERE n.at <= $1 ORDER BY n.at LIMIT $2")
        .bind(Timestamp::from(now)).bind(limit).fetch_all(c).await)?)
}

/// Takes a notice as it was read: one caller gets to tell it.
pub(super) async fn take_notice(tx: &mut Tx, row: &NoticeRow) -> Result<bool> {
    let taken: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "DELETE FROM atom_service_key_notices WHERE workspace_id = $1 AND key_id = $2 AND notice = $3 AND at = $4 RETURNING key_id")
        .bind(row.workspace_id).bind(row.key_id).bind(&row.notice).bind(row.at).fetch_optional(c).await)?;
    Ok(taken.is_some())
}

/// Destroys the values whose time is over.
pub(super) async fn destroy_values(tx: &mut Tx, now: DateTime<Utc>) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_service_key_values WHERE expires_at <= $1")
        .bind(Timestamp::from(now)).execute(c).await.map(drop))?)
}

/// When something is to be told or destroyed next.
pub(super) async fn next(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let rows: Vec<(Option<Timestamp>,)> = on!(db, c => sqlx::query_as(
        "SELECT min(at) FROM atom_service_key_notices
         UNION ALL SELECT min(expires_at) FROM atom_service_key_values WHERE expires_at IS NOT NULL")
        .fetch_all(c).await)?;
    Ok(rows.into_iter().filter_map(|(at,)| at).map(|at| at.0).min())
}
