//! The SQL of accounts.

use super::{Role, User, Workspace};
use crate::storage::{Db, OpenTx, Timestamp, Tx, on, row};
use crate::{Error, ErrorKind, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

row! {
    /// A user with the password hash.
    pub(super) struct UserRow {
        id: Uuid,
        email: String,
        email_verified_at: Option<Timestamp>,
        display_name: Option<String>,
        locale: Option<String>,
        password_hash: Option<String>,
        created_at: Timestamp,
        disabled_at: Option<Timestamp>,
    }
}

/// The rows of users.
macro_rules! users {
    ($($rest:literal),+) => {
        concat!(
            "SELECT id, email, email_verified_at, display_name, locale, password_hash, created_at, disabled_at FROM atom_users ",
            $($rest),+
        )
    };
}
pub(super) use users;

impl UserRow {
    pub(super) fn into_user(self) -> User {
        User {
            id: UserId(self.id),
            email: self.email,
            email_verified: self.email_verified_at.is_some(),
            display_name: self.display_name,
            locale: self.locale,
            created_at: self.created_at.0,
        }
    }
}

row! {
    struct MemberRow { workspace_id: Uuid, name: String, created_at: Timestamp, role: String }
}

pub(super) async fn insert_user(tx: &mut Tx, user: &User, canonical: &str, password_hash: Option<&str>) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_users (id, email, email_canonical, email_verified_at, display_name, locale, password_hash, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(user.id.0).bind(&user.email).bind(canonical).bind(user.email_verified.then(|| Timestamp::from(user.created_at)))
        .bind(&user.display_name).bind(&user.locale).bind(password_hash).bind(Timestamp::from(user.created_at))
        .execute(c).await.map(drop))?)
}

pub(super) async fn insert_workspace(tx: &mut Tx, workspace: &Workspace) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("INSERT INTO atom_workspaces (id, name, created_at) VALUES ($1, $2, $3)")
        .bind(workspace.id.0).bind(&workspace.name).bind(Timestamp::from(workspace.created_at)).execute(c).await.map(drop))?)
}

pub(super) async fn insert_membership(
    tx: &mut Tx,
    workspace: WorkspaceId,
    user: UserId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<()> {
    Ok(
        on!(tx: tx, c => sqlx::query("INSERT INTO atom_memberships (workspace_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)")
        .bind(workspace.0).bind(user.0).bind(role.as_str()).bind(Timestamp::from(now)).execute(c).await.map(drop))?,
    )
}

/// Whoever has an address, disabled or not: what comes of a proof of theirs is said after it.
pub(super) async fn user_by_email(db: &Db, canonical: &str) -> Result<Option<UserRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, UserRow>(
        users!("WHERE email_canonical = $1"))
        .bind(canonical).fetch_optional(c).await)?)
}

/// An active user.
pub(super) async fn user(db: &Db, id: UserId) -> Result<Option<UserRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, UserRow>(
        users!("WHERE id = $1 AND disabled_at IS NULL"))
        .bind(id.0).fetch_optional(c).await)?)
}

/// An active user as they are now. Until the transaction ends nobody changes how they sign in, and nobody else holds them, active or not: so it comes before a
/// workspace is held, and before anything is appended to a log.
pub(super) async fn hold_user(tx: &mut Tx, id: UserId) -> Result<Option<UserRow>> {
    // On SQLite there is one writer anyway.
    let is_locked = matches!(tx.open, OpenTx::Pg(_));
    let sql = if is_locked { users!("WHERE id = $1", " FOR NO KEY UPDATE") } else { users!("WHERE id = $1") };
    let found = on!(tx: tx, c => sqlx::query_as::<_, UserRow>(sql).bind(id.0).fetch_optional(c).await)?;
    Ok(found.filter(|user| user.disabled_at.is_none()))
}

/// Refuses a user who is disabled or gone, until the transaction ends: whoever disables or erases them waits that long, and then finds what was stored here.
///
/// Fails with `forbidden` (`user_disabled`).
pub(super) async fn keep_active(tx: &mut Tx, id: UserId) -> Result<()> {
    hold_user(tx, id).await?.map(drop).ok_or_else(user_disabled)
}

/// What a disabled user is told who has proved who they are. Nobody else is.
pub(super) fn user_disabled() -> Error {
    let text = "the account is disabled: let its user ask whoever runs the application";
    Error::new(ErrorKind::Forbidden, "user_disabled", text)
}

/// Notes that the address is the user's; false if that was known.
pub(super) async fn verify_email(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> Result<bool> {
    let verified: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_users SET email_verified_at = $2 WHERE id = $1 AND email_verified_at IS NULL RETURNING id")
        .bind(user.0).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(verified.is_some())
}

/// Takes the password from a user.
pub(super) async fn remove_password(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_users SET password_hash = NULL WHERE id = $1").bind(user.0)
        .execute(c).await.map(drop))?)
}

/// Another address for a user, which is proved.
pub(super) struct NewAddress<'a> {
    /// The canonical form of the one that they have.
    pub(super) before: &'a str,
    pub(super) email: &'a str,
    pub(super) canonical: &'a str,
}

/// Gives a user another address, if they still have the one before. Fails with `conflict` where somebody else has it.
pub(super) async fn change_email(tx: &mut Tx, user: UserId, new: NewAddress<'_>, now: DateTime<Utc>) -> Result<bool> {
    let changed: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_users SET email = $3, email_canonical = $4, email_verified_at = $5 WHERE id = $1 AND email_canonical = $2 RETURNING id")
        .bind(user.0).bind(new.before).bind(new.email).bind(new.canonical).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(changed.is_some())
}

/// The workspace of a member and the role there: the named one, or the one joined first.
pub(super) async fn membership(db: &Db, user: UserId, workspace: Option<WorkspaceId>) -> Result<Option<(Workspace, Role)>> {
    let row = on!(db, c => sqlx::query_as::<_, MemberRow>(
        "SELECT m.workspace_id, w.name, w.created_at, m.role
           FROM atom_memberships m JOIN atom_workspaces w ON w.id = m.workspace_id
          WHERE m.user_id = $1 AND ($2 IS NULL OR m.workspace_id = $2) AND m.leaving_at IS NULL AND w.closing_at IS NULL
          ORDER BY m.created_at, m.workspace_id LIMIT 1")
        .bind(user.0).bind(workspace.map(|w| w.0)).fetch_optional(c).await)?;
    let into = |row: MemberRow| {
        let workspace = Workspace { id: WorkspaceId(row.workspace_id), name: row.name, created_at: row.created_at.0 };
        Ok((workspace, row.role.parse()?))
    };
    row.map(into).transpose()
}

/// The role of an active member, as it is now.
pub(super) async fn role(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<Option<Role>> {
    let row: Option<(String,)> = on!(tx: tx, c => sqlx::query_as(
        "SELECT m.role FROM atom_memberships m JOIN atom_users u ON u.id = m.user_id JOIN atom_workspaces w ON w.id = m.workspace_id
          WHERE m.workspace_id = $1 AND m.user_id = $2 AND m.leaving_at IS NULL AND w.closing_at IS NULL AND u.disabled_at IS NULL")
        .bind(workspace.0).bind(user.0).fetch_optional(c).await)?;
    row.map(|(role,)| role.parse()).transpose()
}

/// How many active owners and admins a workspace has beside somebody.
pub(super) async fn other_admins(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<i64> {
    let (count,): (i64,) = on!(tx: tx, c => sqlx::query_as(
        "SELECT count(*) FROM atom_memberships m JOIN atom_users u ON u.id = m.user_id
          WHERE m.workspace_id = $1 AND m.user_id <> $2 AND m.role IN ('owner', 'admin')
            AND m.leaving_at IS NULL AND u.disabled_at IS NULL")
        .bind(workspace.0).bind(user.0).fetch_one(c).await)?;
    Ok(count)
}

/// Counts an attempt, and returns how many there are now and until when no attempt is let through. The row stays locked until the transaction
/// ends.
pub(super) async fn count_attempt(
    tx: &mut Tx,
    key: &str,
    now: DateTime<Utc>,
    resets_at: DateTime<Utc>,
) -> Result<(i64, DateTime<Utc>)> {
    let (attempts, until): (i64, Timestamp) = on!(tx: tx, c => sqlx::query_as(
        "INSERT INTO atom_throttles (key, attempts, blocked_until, resets_at) VALUES ($1, 1, $4, $3)
         ON CONFLICT (key) DO UPDATE SET
            attempts = CASE WHEN atom_throttles.resets_at <= $2 THEN 1 ELSE atom_throttles.attempts + 1 END,
            blocked_until = CASE WHEN atom_throttles.resets_at <= $2 THEN $4 ELSE atom_throttles.blocked_until END,
            resets_at = $3
         RETURNING attempts, blocked_until")
        .bind(key).bind(Timestamp::from(now)).bind(Timestamp::from(resets_at)).bind(Timestamp(DateTime::UNIX_EPOCH))
        .fetch_one(c).await)?;
    Ok((attempts, until.0))
}

/// How many attempts there are.
pub(super) async fn attempts(tx: &mut Tx, key: &str) -> Result<i64> {
    let row: Option<(i64,)> = on!(tx: tx, c => sqlx::query_as("SELECT attempts FROM atom_throttles WHERE key = $1")
        .bind(key).fetch_optional(c).await)?;
    Ok(row.map_or(0, |(attempts,)| attempts))
}

/// Lets no attempt through until then, or until later if that was said before.
pub(super) async fn block_attempts(tx: &mut Tx, key: &str, until: DateTime<Utc>) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_throttles SET blocked_until = $2 WHERE key = $1 AND blocked_until < $2")
        .bind(key).bind(Timestamp::from(until)).execute(c).await.map(drop))?)
}

/// Begins anew.
pub(super) async fn forget_attempts(tx: &mut Tx, key: &str) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_throttles WHERE key = $1").bind(key).execute(c).await.map(drop))?)
}

/// Takes one attempt back.
pub(super) async fn give_attempt_back(tx: &mut Tx, key: &str) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_throttles SET attempts = attempts - 1 WHERE key = $1 AND attempts > 0")
        .bind(key).execute(c).await.map(drop))?)
}

/// Deletes counts that are over.
pub(super) async fn sweep_attempts(db: &Db, now: DateTime<Utc>) -> Result<()> {
    Ok(on!(write: db, c => sqlx::query("DELETE FROM atom_throttles WHERE resets_at <= $1")
        .bind(Timestamp::from(now)).execute(c).await.map(drop))?)
}
