//! What a provider granted: an access token, how long it lasts, and how to get the next one.

use super::{Lease, TokenCache};
use crate::atom::Inner;
use crate::crypto::{Place, length_prefixed};
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{ConnectionId, Error, Result, Secret, WorkspaceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use std::borrow::Cow;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The name of a connection's token set where the provider has only one.
pub(super) const DEFAULT: &str = "default";

/// A token set in memory.
#[derive(Clone)]
pub(crate) struct TokenSet {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// A token set with the revision that the next writer must name.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) tokens: TokenSet,
    pub(crate) revision: i64,
    pub(crate) obtained_at: DateTime<Utc>,
    /// The provider is not to be asked before, because it failed.
    pub(crate) retry_at: Option<DateTime<Utc>>,
}

/// The secret part, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    access_token: Cow<'a, str>,
    refresh_token: Option<Cow<'a, str>>,
}

row! {
    struct TokenSetRow {
        revision: i64,
        sealed: Vec<u8>,
        scopes: Json<Vec<String>>,
        expires_at: Option<Timestamp>,
        updated_at: Timestamp,
        retry_at: Option<Timestamp>,
    }
}

fn row_key(connection: ConnectionId) -> Vec<u8> {
    length_prefixed([&connection.0.as_bytes()[..], DEFAULT.as_bytes()])
}

fn place(workspace: WorkspaceId, row: &[u8], revision: i64) -> Place<'_> {
    Place { workspace, table: "atom_token_sets", row, field: "sealed", version: revision }
}

impl TokenSet {
    /// What the provider answered, on top of what is known: a refresh token or scopes that it left out are kept.
    pub(crate) fn over(mut self, older: TokenSet) -> Self {
        self.refresh_token = self.refresh_token.or(older.refresh_token);
        if self.scopes.is_empty() {
            self.scopes = older.scopes;
        }
        self
    }

    async fn seal(&self, inner: &Inner, workspace: WorkspaceId, connection: ConnectionId, revision: i64) -> Result<Vec<u8>> {
        let secret = Sealed {
            access_token: self.access_token.expose().into(),
            refresh_token: self.refresh_token.as_ref().map(|token| token.expose().into()),
        };
        let plain = serde_json::to_vec(&secret).map(Zeroizing::new);
        let plain = plain.map_err(|e| Error::internal("token_set", "a token set cannot be serialized").with_source(e))?;
        inner.keys.seal_record(inner.db()?, &place(workspace, &row_key(connection), revision), &plain).await
    }
}

/// The token set of a connection.
pub(crate) async fn load(inner: &Inner, workspace: WorkspaceId, connection: ConnectionId) -> Result<Option<Stored>> {
    let db = inner.db()?;
    let row = on!(db, c => sqlx::query_as::<_, TokenSetRow>(
        "SELECT revision, sealed, scopes, expires_at, updated_at, retry_at FROM atom_token_sets WHERE workspace_id = $1 AND connection_id = $2 AND name = $3")
        .bind(workspace.0).bind(connection.0).bind(DEFAULT).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    let plain = inner.keys.open_record(db, &place(workspace, &row_key(connection), row.revision), &row.sealed).await?;
    let damaged = |_| Error::sealed("token_set_damaged", "a stored token set is malformed: connect the account again");
    let secret: Sealed<'_> = serde_json::from_slice(&plain).map_err(damaged)?;
    let tokens = TokenSet {
        access_token: secret.access_token.into_owned().into(),
        refresh_token: secret.refresh_token.map(|token| token.into_owned().into()),
        scopes: row.scopes.0,
        expires_at: row.expires_at.map(|at| at.0),
    };
    let retry_at = row.retry_at.map(|at| at.0);
    Ok(Some(Stored { tokens, revision: row.revision, obtained_at: row.updated_at.0, retry_at }))
}

/// A token set that is sealed for a revision of a connection and waits for its transaction.
pub(crate) struct Stamped {
    cache: TokenCache,
    workspace: WorkspaceId,
    connection: ConnectionId,
    revision: i64,
    sealed: Vec<u8>,
    scopes: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
    /// When the grant is to be used, lest the provider end it as forgotten.
    pub(crate) keep_alive_at: Option<DateTime<Utc>>,
}

impl TokenSet {
    /// Seals the set for a revision, before the transaction that stores it.
    pub(crate) async fn stamp(
        &self,
        inner: &Inner,
        workspace: WorkspaceId,
        connection: ConnectionId,
        revision: i64,
    ) -> Result<Stamped> {
        let sealed = self.seal(inner, workspace, connection, revision).await?;
        let (scopes, expires_at) = (self.scopes.clone(), self.expires_at);
        let cache = inner.token_cache.clone();
        Ok(Stamped { cache, workspace, connection, revision, sealed, scopes, expires_at, keep_alive_at: None })
    }
}

/// Stores the first token set of a connection.
pub(crate) async fn insert(tx: &mut Tx, set: Stamped, now: DateTime<Utc>) -> Result<()> {
    set.cache.forget_after(tx, set.workspace, set.connection);
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_token_sets (workspace_id, connection_id, name, revision, sealed, scopes, expires_at, updated_at, keep_alive_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(set.workspace.0).bind(set.connection.0).bind(DEFAULT).bind(set.revision).bind(set.sealed).bind(Json(set.scopes))
        .bind(set.expires_at.map(Timestamp::from)).bind(Timestamp::from(now)).bind(set.keep_alive_at.map(Timestamp::from))
        .execute(c).await.map(drop))?)
}

/// Stores the next token set, for the one writer that read the revision before it and, after a refresh, still holds the lease.
pub(crate) async fn replace(tx: &mut Tx, set: Stamped, lease: Option<&Lease>, now: DateTime<Utc>) -> Result<bool> {
    set.cache.forget_after(tx, set.workspace, set.connection);
    let written: Option<(i64,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_token_sets
            SET revision = $4, sealed = $5, scopes = $6, expires_at = $7, updated_at = $8, keep_alive_at = $9,
                lease_owner = NULL, lease_until = NULL, asked_at = NULL, failures = 0, retry_at = NULL
          WHERE workspace_id = $1 AND connection_id = $2 AND name = $3 AND revision = $4 - 1 AND ($10 IS NULL OR lease_owner = $10)
      RETURNING revision")
        .bind(set.workspace.0).bind(set.connection.0).bind(DEFAULT).bind(set.revision).bind(set.sealed).bind(Json(set.scopes))
        .bind(set.expires_at.map(Timestamp::from)).bind(Timestamp::from(now)).bind(set.keep_alive_at.map(Timestamp::from))
        .bind(lease.map(|lease| lease.owner)).fetch_optional(c).await)?;
    Ok(written.is_some())
}

row! {
    /// A connection whose grant is to be used now.
    pub(crate) struct Idle { workspace_id: Uuid, connection_id: Uuid }
}

/// The connections whose grants nobody has used for long, the longest first.
pub(crate) async fn idle(db: &Db, now: DateTime<Utc>, limit: i64) -> Result<Vec<Idle>> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT workspace_id, connection_id FROM atom_token_sets WHERE keep_alive_at <= $1 ORDER BY keep_alive_at LIMIT $2")
        .bind(Timestamp::from(now)).bind(limit).fetch_all(c).await)?)
}

/// Puts off the next use of an idle grant. False if somebody else did, or used it.
pub(crate) async fn put_off(tx: &mut Tx, idle: &Idle, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<bool> {
    let moved: Option<(i64,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_token_sets SET keep_alive_at = $4
          WHERE workspace_id = $1 AND connection_id = $2 AND keep_alive_at <= $3 RETURNING revision")
        .bind(idle.workspace_id).bind(idle.connection_id).bind(Timestamp::from(now)).bind(Timestamp::from(until)).fetch_optional(c).await)?;
    Ok(moved.is_some())
}

/// Forgets the token sets of a connection.
pub(crate) async fn delete_all(tx: &mut Tx, inner: &Inner, workspace: WorkspaceId, connection: ConnectionId) -> Result<()> {
    inner.token_cache.forget_after(tx, workspace, connection);
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_token_sets WHERE workspace_id = $1 AND connection_id = $2")
        .bind(workspace.0).bind(connection.0).execute(c).await.map(drop))?)
}
