//! Complete a connection.
//!
//! The order matters: the state is taken first, for this user and session only; then everything that the callback says about
//! itself is compared with what was begun; only then is the code sent anywhere (RFC 9700 §4.4, RFC 9207).

use super::oauth::{OAuth, printable};
use super::start::{KIND, Pending, binding, place};
use super::{App, Connection, Connections, identity, store};
use crate::audit::{self, AuditAction, Entry};
use crate::events::{self, ConnectionConnected};
use crate::storage::once;
use crate::vault;
use crate::{Error, ErrorKind, Result, Secret};
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

pub(super) async fn run(connections: &Connections, callback_url: String) -> Result<Connection> {
    let callback = Url::parse(&callback_url).map_err(|_| {
        Error::invalid("malformed_callback", "this is not a URL: pass the whole URL that the provider sent the user back to")
    })?;
    let params: HashMap<String, String> = callback.query_pairs().into_owned().collect();
    let (pending, app) = take(connections, &callback, &params).await?;
    check_issuer(&app, &params)?;
    if let Some(error) = params.get("error") {
        return Err(refusal(&app, error));
    }
    let code =
        params.get("code").ok_or_else(|| Error::invalid("malformed_callback", "the callback has neither a code nor an error"))?;

    // From here on the grant exists at the provider: a caller that goes away must not leave it half stored.
    let (connections, code) = (connections.clone(), code.clone());
    let finish = tokio::spawn(async move { finish(&connections, app, pending, code).await });
    finish
        .await
        .map_err(|e| Error::internal("connect_lost", "completing the connection ended without a result").with_source(e))?
}

async fn take(connections: &Connections, callback: &Url, params: &HashMap<String, String>) -> Result<(Pending, Arc<App>)> {
    let unknown = || {
        let text = "this consent was used, has expired, or was begun by someone else or in another session: start again";
        Error::invalid("state_unknown", text)
    };
    let inner = &connections.inner;
    let (db, state) = (inner.db()?, params.get("state").ok_or_else(unknown)?);
    let what = once::SingleUse { kind: KIND, key: state.as_bytes(), binding: &binding(&connections.principal) };
    let sealed = once::consume_once(db, what, inner.now()).await?.ok_or_else(unknown)?;
    let plain = inner.keys.open_record(db, &place(state.as_bytes()), &sealed).await?;
    let pending: Pending = serde_json::from_slice(&plain).map_err(|_| unknown())?;

    // One redirect URI per provider: an answer that arrives at another provider's URI is a mix-up.
    let mut arrived_at = callback.clone();
    arrived_at.set_query(None);
    arrived_at.set_fragment(None);
    let mut expected = Url::parse(&pending.redirect_uri).map_err(|_| unknown())?;
    expected.set_query(None);
    if arrived_at != expected {
        return Err(Error::invalid(
            "wrong_redirect_uri",
            "the callback came to another URL than the one that was begun: start again",
        ));
    }
    let app = inner.apps.get(&pending.provider)?;
    Ok((pending, app))
}

/// RFC 9207: compared as text, whether the callback is a code or an error.
fn check_issuer(app: &App, params: &HashMap<String, String>) -> Result<()> {
    let auth = &app.manifest.auth;
    let fine = match (params.get("iss"), &auth.issuer) {
        (Some(said), Some(known)) => said == known,
        (None, _) => !auth.issuer_required,
        (Some(_), None) => true,
    };
    if fine {
        return Ok(());
    }
    let text = "the callback names another issuer than the provider that was begun: do not continue, start again";
    Err(Error::invalid("wrong_issuer", text).with_provider(&app.manifest.name))
}

fn refusal(app: &App, error: &str) -> Error {
    let error = if error == "access_denied" {
        Error::new(ErrorKind::Cancelled, "consent_declined", "the user declined: ask again when they want to connect")
    } else {
        Error::new(
            ErrorKind::Provider,
            "consent_refused",
            format!("the provider refused the consent with `{}`", printable(error)),
        )
    };
    error.with_provider(&app.manifest.name)
}

async fn finish(connections: &Connections, app: Arc<App>, pending: Pending, code: String) -> Result<Connection> {
    let (inner, principal) = (&connections.inner, &connections.principal);
    let verifier: Secret = pending.verifier.into();
    let exchanged = OAuth::new(&app, &inner.http)?.exchange(code, &verifier, inner.now()).await;
    let mut tokens = exchanged.map_err(|error| match error.kind() {
        // There is no grant yet that could be renewed: this code is spent, expired or another's.
        ErrorKind::ReauthRequired => {
            Error::invalid("code_refused", "the provider refused the code: start again").with_provider(&app.manifest.name)
        }
        _ => error,
    })?;
    if tokens.scopes.is_empty() {
        // RFC 6749 §5.1: an answer without scopes granted what was asked for.
        tokens.scopes = pending.scopes;
    }
    let identity = identity::probe(inner, &app, &tokens.access_token).await?;
    if pending.account_id.is_some_and(|expected| expected != identity.account_id) {
        let text = "another account was chosen than the one to connect again: start again and choose that one, or connect this one as new";
        return Err(Error::new(ErrorKind::Conflict, "other_account", text).with_provider(&app.manifest.name));
    }

    let (db, workspace, now) = (inner.db()?, principal.workspace_id, inner.now());
    loop {
        let known = store::find(db, principal, &app.manifest.name, &identity.account_id).await?;
        let older = match known {
            Some(id) => vault::load(inner, workspace, id).await?,
            None => None,
        };
        let id = known.unwrap_or_else(crate::ConnectionId::generate);
        let revision = older.as_ref().map(|o| o.revision);
        let merged = match older {
            Some(older) => tokens.clone().over(older.tokens),
            None => tokens.clone(),
        };
        let mut stamped = merged.stamp(inner, workspace, id, revision.unwrap_or_default() + 1).await?;
        stamped.keep_alive_at = app.keep_alive_at(&merged, now);
        let mut tx = db.begin_durable().await?;
        let stored_id = store::upsert(&mut tx, principal, id, &app.manifest.name, &identity, now).await?;
        let stored = match revision {
            _ if stored_id != id => false,
            Some(_) => vault::replace(&mut tx, stamped, None, now).await?,
            None => vault::insert(&mut tx, stamped, now).await.is_ok(),
        };
        if stored {
            let details = [("provider", app.manifest.name.as_str())];
            let entry = Entry {
                workspace,
                actor: principal.actor(),
                action: AuditAction::Connected,
                subject: Some(id.to_string()),
                details: &details,
            };
            audit::append(&mut tx, entry, now).await?;
            let provider = app.manifest.name.clone();
            let connected = ConnectionConnected { connection_id: id, user_id: principal.user_id, provider };
            events::append(&mut tx, workspace, connected, now).await?;
            tx.commit().await?;
            return Ok(Connection { inner: Arc::clone(inner), principal: principal.clone(), id, app });
        }
        // Another process connected or refreshed the same account meanwhile: look again.
    }
}
