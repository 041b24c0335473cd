//! What a provider granted, or what the user gave: how requests are authenticated, how long that lasts, and how to get the next one.

use super::{Lease, TokenCache};
use crate::atom::Inner;
use crate::crypto::{Place, length_prefixed};
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{ConnectionId, Error, Result, Secret, WorkspaceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The name of a connection's token set where the provider has only one.
pub(crate) const DEFAULT: &str = "default";

/// Parts of a credential, by name: what the user gave, or what else the provider gave.
pub(crate) type Fields = BTreeMap<String, Secret>;

/// A token set in memory.
#[derive(Clone, Default)]
pub(crate) struct TokenSet {
    /// The method that it was obtained with: it decides where the credential goes in a request.
    pub(crate) method: String,
    pub(crate) access_token: Option<Secret>,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) fields: Fields,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// What is known of the account beside: what an answer told, or what is needed to withdraw the grant. It is no part of a stored set.
    pub(crate) captured: HashMap<String, String>,
}

/// The method of the records from before there were others.
fn first_method() -> Cow<'static, str> {
    "oauth2".into()
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
    #[serde(default = "first_method")]
    method: Cow<'a, str>,
    access_token: Option<Cow<'a, str>>,
    refresh_token: Option<Cow<'a, str>>,
    #[serde(default)]
    fields: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    captured: HashMap<String, String>,
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

fn row_key(connection: ConnectionId, name: &str) -> Vec<u8> {
    length_prefixed([&connection.0.as_bytes()[..], name.as_bytes()])
}

fn place(workspace: WorkspaceId, row: &[u8], revision: i64) -> Place<'_> {
    Place { workspace, table: "atom_token_sets", row, field: "sealed", version: revision }
}

impl TokenSet {
    /// What the provider answered, on top of what is known: a refresh token or scopes that it left out are kept. Nothing is kept of another
    /// method's credential.
    pub(crate) fn over(mut self, older: TokenSet) -> Self {
        if self.method != older.method {
            return self;
        }
        if self.fields.is_empty() {
            self.fields = older.fields;
        }
        self.refresh_token = self.refresh_token.or(older.refresh_token);
        if self.scopes.is_empty() {
            self.scopes = older.scopes;
        }
        self
    }

    /// The secret part, to be sealed.
    pub(crate) fn secret_part(&self) -> Result<Zeroizing<Vec<u8>>> {
        let secret = Sealed {
            method: self.method.as_str().into(),
            access_token: self.access_token.as_ref().map(|token| token.expose().into()),
            refresh_token: self.refresh_token.as_ref().map(|token| token.expose().into()),
            fields: self.fields.iter().map(|(name, value)| (name.as_str().into(), value.expose().into())).collect(),
            captured: self.captured.clone(),
        };
        let plain = serde_json::to_vec(&secret).map(Zeroizing::new);
        plain.map_err(|e| Error::internal("token_set", "a token set cannot be serialized").with_source(e))
    }

    /// A token set of which only the secret part is known.
    pub(crate) fn of_secret_part(plain: &[u8]) -> Result<Self> {
        let damaged = |_| Error::sealed("token_set_damaged", "a stored token set is malformed: connect the account again");
        let secret: Sealed<'_> = serde_json::from_slice(plain).map_err(damaged)?;
        Ok(Self {
            method: secret.method.into_owned(),
            access_token: secret.access_token.map(|token| token.into_owned().into()),
            refresh_token: secret.refresh_token.map(|token| token.into_owned().into()),
            fields: secret.fields.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect(),
            captured: secret.captured,
            ..Self::default()
        })
    }
}

/// One of the token sets of a connection.
pub(crate) async fn load(inner: &Inner, workspace: WorkspaceId, connection: ConnectionId, name: &str) -> Result<Option<Stored>> {
    let db = inner.db()?;
    let row = on!(db, c => sqlx::query_as::<_, TokenSetRow>(
        "SELECT revision, sealed, scopes, expires_at, updated_at, retry_at FROM atom_token_sets WHERE workspace_id = $1 AND connection_id = $2 AND name = $3")
        .bind(workspace.0).bind(connection.0).bind(name).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    let plain = inner.keys.open_record(db, &place(workspace, &row_key(connection, name), row.revision), &row.sealed).await?;
    let expires_at = row.expires_at.map(|at| at.0);
    let tokens = TokenSet { scopes: row.scopes.0, expires_at, ..TokenSet::of_secret_part(&plain)? };
    let retry_at = row.retry_at.map(|at| at.0);
    Ok(Some(Stored { tokens, revision: row.revision, obtained_at: row.updated_at.0, retry_at }))
}

/// The names of the token sets that a connection has.
pub(crate) async fn names(db: &Db, workspace: WorkspaceId, connection: ConnectionId) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = on!(db, c => sqlx::query_as(
        "SELECT name FROM atom_token_sets WHERE workspace_id = $1 AND connection_id = $2 ORDER BY name")
        .bind(workspace.0).bind(connection.0).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// A token set that is sealed for a revision of a connection and waits for its transaction.
pub(crate) struct Stamped {
    cache: TokenCache,
    workspace: WorkspaceId,
    connection: ConnectionId,
    name: String,
    revision: i64,
    sealed: Vec<u8>,
    scopes: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
    /// When the grant is to be used, lest the provider end it as forgotten.
    pub(crate) keep_alive_at: Option<DateTime<Utc>>,
}

impl TokenSet {
    /// Seals the set under a name for a revision, before the transaction that stores it.
    pub(crate) async fn stamp(
        &self,
        inner: &Inner,
        workspace: WorkspaceId,
        connection: ConnectionId,
        name: &str,
        revision: i64,
    ) -> Result<Stamped> {
        let (row, plain) = (row_key(connection, name), self.secret_part()?);
        let sealed = inner.keys.seal_record(inner.db()?, &place(workspace, &row, revision), &plain).await?;
        let (name, scopes, expires_at) = (name.to_owned(), self.scopes.clone(), self.expires_at);
        let cache = inner.token_cache.clone();
        Ok(Stamped { cache, workspace, connection, name, revision, sealed, scopes, expires_at, keep_alive_at: None })
    }
}

/// Stores the first token set of a connection under a name.
pub(crate) async fn insert(tx: &mut Tx, set: Stamped, now: DateTime<Utc>) -> Result<()> {
    set.cache.forget_after(tx, (set.workspace, set.connection));
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_token_sets (workspace_id, connection_id, name, revision, sealed, scopes, expires_at, updated_at, keep_alive_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(set.workspace.0).bind(set.connection.0).bind(set.name).bind(set.revision).bind(set.sealed).bind(Json(set.scopes))
        .bind(set.expires_at.map(Timestamp::from)).bind(Timestamp::from(now)).bind(set.keep_alive_at.map(Timestamp::from))
        .execute(c).await.map(drop))?)
}

/// Stores the next token set, for the one writer that read the revision before it and, after a refresh, still holds the lease.
pub(crate) async fn replace(tx: &mut Tx, set: Stamped, lease: Option<&Lease>, now: DateTime<Utc>) -> Result<bool> {
    set.cache.forget_after(tx, (set.workspace, set.connection));
    let written: Option<(i64,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_token_sets
            SET revision = $4, sealed = $5, scopes = $6, expires_at = $7, updated_at = $8, keep_alive_at = $9,
                lease_owner = NULL, lease_until = NULL, asked_at = NULL, failures = 0, retry_at = NULL
          WHERE workspace_id = $1 AND connection_id = $2 AND name = $3 AND revision = $4 - 1 AND ($10 IS NULL OR lease_owner = $10)
      RETURNING revision")
        .bind(set.workspace.0).bind(set.connection.0).bind(set.name).bind(set.revision).bind(set.sealed).bind(Json(set.scopes))
        .bind(set.expires_at.map(Timestamp::from)).bind(Timestamp::from(now)).bind(set.keep_alive_at.map(Timestamp::from))
        .bind(lease.map(|lease| lease.owner)).fetch_optional(c).await)?;
    Ok(written.is_some())
}

row! {
    /// A token set whose grant is to be used now.
    pub(crate) struct Idle { workspace_id: Uuid, connection_id: Uuid, name: String }
}

/// The token sets whose grants nobody has used for long, the longest first.
pub(crate) async fn idle(db: &Db, now: DateTime<Utc>, limit: i64) -> Result<Vec<Idle>> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT workspace_id, connection_id, name FROM atom_token_sets WHERE keep_alive_at <= $1 ORDER BY keep_alive_at LIMIT $2")
        .bind(Timestamp::from(now)).bind(limit).fetch_all(c).await)?)
}

/// Puts off the next use of an idle grant. False if somebody else did, or used it.
pub(crate) async fn put_off(tx: &mut Tx, idle: &Idle, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<bool> {
    let moved: Option<(i64,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_token_sets SET keep_alive_at = $4
          WHERE workspace_id = $1 AND connection_id = $2 AND name = $5 AND keep_alive_at <= $3 RETURNING revision")
        .bind(idle.workspace_id).bind(idle.connection_id).bind(Timestamp::from(now)).bind(Timestamp::from(until)).bind(&idle.name)
        .fetch_optional(c).await)?;
    Ok(moved.is_some())
}

/// Notes how long a stored token set lives and what it may be used for, if it is still the one of this revision.
pub(crate) async fn set_lifetime(
    inner: &Inner,
    workspace: WorkspaceId,
    connection: ConnectionId,
    name: &str,
    stored: &Stored,
) -> Result<()> {
    let mut tx = inner.db()?.begin().await?;
    inner.token_cache.forget_after(&mut tx, (workspace, connection));
    on!(tx: &mut tx, c => sqlx::query(
        "UPDATE atom_token_sets SET expires_at = $5, scopes = $6
          WHERE workspace_id = $1 AND connection_id = $2 AND name = $3 AND revision = $4")
        .bind(workspace.0).bind(connection.0).bind(name).bind(stored.revision)
        .bind(stored.tokens.expires_at.map(Timestamp::from)).bind(Json(&stored.tokens.scopes)).execute(c).await.map(drop))?;
    tx.commit().await
}

/// Forgets one token set of a connection.
pub(crate) async fn delete(
    tx: &mut Tx,
    inner: &Inner,
    workspace: WorkspaceId,
    connection: ConnectionId,
    name: &str,
) -> Result<()> {
    inner.token_cache.forget_after(tx, (workspace, connection));
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_token_sets WHERE workspace_id = $1 AND connection_id = $2 AND name = $3")
        .bind(workspace.0).bind(connection.0).bind(name).execute(c).await.map(drop))?)
}

/// Forgets the token sets of a connection.
pub(crate) async fn delete_all(tx: &mut Tx, inner: &Inner, workspace: WorkspaceId, connection: ConnectionId) -> Result<()> {
    inner.token_cache.forget_after(tx, (workspace, connection));
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_token_sets WHERE workspace_id = $1 AND connection_id = $2")
        .bind(workspace.0).bind(connection.0).execute(c).await.map(drop))?)
}
