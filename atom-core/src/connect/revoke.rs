//! End a connection: here at once, at the provider as soon as it can be reached.

use super::authenticate::secret_header;
use super::methods::{self, Way};
use super::{App, Connection, ConnectionState, Connections, store, token_endpoint, upkeep};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::crypto::Place;
use crate::events::{self, ConnectionRevoked};
use crate::http_client::Request;
use crate::integrations::failure;
use crate::providers::{Facts, Revoke, TokenBody, Vars};
use crate::storage::Tx;
use crate::vault::{self, TokenSet};
use crate::{Error, Result, Secret, WorkspaceId};
use chrono::TimeDelta;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use zeroize::Zeroizing;

/// How long a worker goes on asking a provider to withdraw a grant.
const GIVE_UP: TimeDelta = TimeDelta::days(1);
const TIMEOUT: Duration = Duration::from_secs(20);

/// What is to be withdrawn, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Grant<'a> {
    token: Cow<'a, str>,
    hint: Cow<'a, str>,
    /// For a request that needs the other one, too.
    #[serde(default)]
    access_token: Option<Cow<'a, str>>,
    /// What is known of the account, for the address.
    #[serde(default)]
    facts: Facts,
}

/// Destroys the tokens here, and then has the provider withdraw the grant: now, or by a worker when it can be reached.
pub(super) async fn run(connection: &Connection) -> Result<()> {
    let (inner, workspace) = (&connection.inner, connection.principal.workspace_id);
    let mut withdrawals = Vec::new();
    for name in vault::names(inner.db()?, workspace, connection.id).await? {
        // A set that was made of the first one's grant ends with it.
        let is_own = methods::source(&connection.app, &name) == name;
        let stored = if is_own { vault::load(inner, workspace, connection.id, &name).await? } else { None };
        if let Some(stored) = stored {
            withdrawals.extend(pending(connection, &stored.tokens).await?);
        }
    }
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    for pending in &withdrawals {
        keep(connection, &mut tx, pending).await?;
    }
    vault::delete_all(&mut tx, inner, workspace, connection.id).await?;
    if store::set_state(&mut tx, &connection.principal, connection.id, ConnectionState::Revoked, None, now).await? {
        let details = [("provider", connection.app.manifest.name.as_str())];
        audit::append(&mut tx, connection.entry(AuditAction::Disconnected, &details), now).await?;
        let (user_id, provider) = (connection.principal.user_id, connection.app.manifest.name.clone());
        let revoked = ConnectionRevoked { connection_id: connection.id, user_id, provider };
        events::append(&mut tx, workspace, revoked, now).await?;
    }
    tx.commit().await?;
    for pending in withdrawals {
        at_once(inner, workspace, pending.id).await;
    }
    Ok(())
}

/// Ends all connections of the user, or those at one provider.
pub(super) async fn all(connections: &Connections, provider: Option<String>) -> Result<i64> {
    let mut ended = 0;
    for account in store::list(connections.inner.db()?, &connections.principal).await? {
        let is_meant = provider.as_ref().is_none_or(|provider| *provider == account.provider);
        if is_meant && account.state != ConnectionState::Revoked {
            run(&connections.connection(&account)?).await?;
            ended += 1;
        }
    }
    Ok(ended)
}

/// Withdraws a grant that was made for a connection that has ended meanwhile.
pub(super) async fn withdraw(connection: &Connection, tokens: &TokenSet) -> Result<()> {
    let Some(pending) = pending(connection, tokens).await? else { return Ok(()) };
    let mut tx = connection.inner.db()?.begin_durable().await?;
    keep(connection, &mut tx, &pending).await?;
    tx.commit().await?;
    at_once(&connection.inner, connection.principal.workspace_id, pending.id).await;
    Ok(())
}

/// A grant to withdraw, sealed; none where the provider has no way to.
async fn pending(connection: &Connection, tokens: &TokenSet) -> Result<Option<store::Revocation>> {
    let (inner, workspace_id) = (&connection.inner, connection.principal.workspace_id);
    let auth = connection.app.manifest.auth.as_ref();
    // What the user gave is the user's to withdraw.
    let is_consent = Way::find(&connection.app, &tokens.method).is_ok_and(|way| way.how.is_consent());
    if !is_consent || auth.is_none_or(|auth| auth.revoke_url.is_none() && auth.revoke.is_none()) {
        return Ok(None);
    }
    let (token, hint) = match (&tokens.refresh_token, &tokens.access_token) {
        (Some(token), _) => (token, "refresh_token"),
        (None, Some(token)) => (token, "access_token"),
        (None, None) => return Ok(None),
    };
    let access_token = tokens.access_token.as_ref().map(|token| token.expose().into());
    let grant = Grant { token: token.expose().into(), hint: hint.into(), access_token, facts: connection.facts().await? };
    let plain = serde_json::to_vec(&grant).map(Zeroizing::new);
    let plain = plain.map_err(|e| Error::internal("revocation", "a grant cannot be serialized").with_source(e))?;
    let id = Uuid::now_v7();
    let sealed = inner.keys.seal_record(inner.db()?, &place(workspace_id, id.as_bytes()), &plain).await?;
    Ok(Some(store::Revocation {
        id,
        connection_id: connection.id.0,
        user_id: connection.principal.user_id.0,
        provider: connection.app.manifest.name.clone(),
        sealed,
        created_at: inner.now().into(),
    }))
}

/// Stores a grant to withdraw, with the job that sees to it.
async fn keep(connection: &Connection, tx: &mut Tx, pending: &store::Revocation) -> Result<()> {
    store::insert_revocation(tx, connection.principal.workspace_id, pending).await?;
    upkeep::enqueue_revocation(&connection.inner, tx, connection.principal.workspace_id, pending.id).await
}

/// Tries at once, because there may be no worker. What fails is left to one.
async fn at_once(inner: &Arc<Inner>, workspace: WorkspaceId, id: Uuid) {
    let inner = Arc::clone(inner);
    // A caller who goes away leaves it running.
    let trying = tokio::spawn(async move {
        if let Err(error) = attempt(&inner, workspace, id).await {
            tracing::warn!(revocation.id = %id, reason = error.reason(), "a grant is still to be withdrawn at its provider");
        }
    });
    let _ = trying.await;
}

/// Asks the provider to withdraw a grant. Fails if it is to be asked again.
pub(super) async fn attempt(inner: &Arc<Inner>, workspace: WorkspaceId, id: Uuid) -> Result<()> {
    let db = inner.db()?;
    let Some(pending) = store::revocation(db, workspace, id).await? else { return Ok(()) };
    let plain = inner.keys.open_record(db, &place(workspace, id.as_bytes()), &pending.sealed).await?;
    let damaged = |_| Error::sealed("revocation_damaged", "a stored revocation is malformed: end the grant at the provider");
    let grant: Grant<'_> = serde_json::from_slice(&plain).map_err(damaged)?;
    let asked = match inner.apps.get(&pending.provider) {
        Ok(app) => ask(inner, &app, &grant).await,
        Err(error) => Err(error),
    };
    let (now, is_old) = (inner.now(), inner.now() - pending.created_at.0 > GIVE_UP);
    let refused = match asked {
        Ok(()) => None,
        Err(error) if error.is_retryable() && !is_old => return Err(error),
        Err(error) => Some(error),
    };
    let mut tx = db.begin().await?;
    if store::delete_revocation(&mut tx, workspace, id).await?
        && let Some(error) = refused
    {
        tracing::warn!(connection.id = %pending.connection_id, provider = pending.provider, reason = error.reason(), "a provider did not withdraw a grant");
        let details = [("provider", pending.provider.as_str()), ("reason", error.reason())];
        let entry = Entry {
            workspace,
            actor: Actor { user: crate::UserId(pending.user_id), session: None },
            action: AuditAction::RevocationFailed,
            subject: Some(crate::ConnectionId(pending.connection_id).to_string()),
            details: &details,
        };
        audit::append(&mut tx, entry, now).await?;
    }
    tx.commit().await
}

/// The place of a sealed [`Grant`].
fn place(workspace: WorkspaceId, row: &[u8]) -> Place<'_> {
    Place { workspace, table: "atom_revocations", row, field: "sealed", version: 1 }
}

/// RFC 7009. A token that the provider does not know is as good as revoked.
async fn ask(inner: &Inner, app: &App, grant: &Grant<'_>) -> Result<()> {
    let Some(auth) = &app.manifest.auth else { return Ok(()) };
    let request = match (&auth.revoke, &auth.revoke_url) {
        (Some(revoke), _) => own_request(app, revoke, grant)?,
        (None, Some(url)) => {
            let mut headers = HeaderMap::new();
            let mut form = vec![("token", &*grant.token), ("token_type_hint", &*grant.hint)];
            token_endpoint::authenticate(auth.client_auth, &app.client_id, app.client_secret.as_ref(), &mut headers, &mut form)?;
            let body = token_endpoint::encode(TokenBody::Form, &form, &mut headers);
            Request { method: Method::POST, url: app.place(url, &grant.facts)?, headers, body, timeout: TIMEOUT }
        }
        (None, None) => return Ok(()),
    };
    let answer = inner.http.send(request).await.map_err(|e| e.with_provider(&app.manifest.name))?;
    match answer.status {
        200..=299 => Ok(()),
        400 if is_unknown_token(&answer.body) => Ok(()),
        _ => Err(failure::classify(&app.manifest, "revoke", &answer)),
    }
}

/// The request that a manifest describes.
fn own_request(app: &App, revoke: &Revoke, grant: &Grant<'_>) -> Result<Request> {
    let refresh_token = Some(&*grant.token).filter(|_| grant.hint == "refresh_token");
    let known = [
        ("token", Some(&*grant.token)),
        ("access_token", grant.access_token.as_deref()),
        ("refresh_token", refresh_token),
        ("client_id", Some(app.client_id.as_str())),
        ("client_secret", app.client_secret.as_ref().map(Secret::expose)),
    ];
    let facts = grant.facts.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let known = known.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let vars: Vars = facts.chain(known).map(|(name, value)| (name.to_owned(), value.into())).collect();
    let missing = || Error::invalid("malformed_manifest", "a part of the request that withdraws a grant has no value");
    let url = app.place_with(&revoke.url, vars.clone(), &grant.facts)?;
    let mut headers = HeaderMap::new();
    for (name, template) in &revoke.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| missing())?;
        headers.insert(name, secret_header(&template.render(&vars, str::to_owned).ok_or_else(missing)?)?);
    }
    let params = revoke.params.iter();
    let params: Vec<_> =
        params.filter_map(|(name, template)| Some((name.as_str(), template.render(&vars, str::to_owned)?))).collect();
    let mut form: Vec<_> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
    token_endpoint::authenticate(revoke.client_auth, &app.client_id, app.client_secret.as_ref(), &mut headers, &mut form)?;
    let body = token_endpoint::encode(revoke.encoding, &form, &mut headers);
    Ok(Request { method: revoke.method.into(), url, headers, body, timeout: TIMEOUT })
}

/// What Google and others answer where RFC 7009 §2.2 wants a 200.
fn is_unknown_token(body: &[u8]) -> bool {
    let error = serde_json::from_slice::<serde_json::Value>(body).unwrap_or_default();
    matches!(error["error"].as_str(), Some("invalid_token" | "invalid_grant"))
}
