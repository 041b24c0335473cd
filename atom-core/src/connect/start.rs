//! Begin a connection.

use super::oauth::OAuth;
use super::{App, Authorization, Connection, Connections, StartConnection};
use crate::accounts::Principal;
use crate::atom::Inner;
use crate::crypto::{INSTALLATION, Place, base64url, length_prefixed, random};
use crate::storage::once;
use crate::{Error, Result};
use chrono::TimeDelta;
use oauth2::{CsrfToken, PkceCodeChallenge};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How long the user may take.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How many consents one user may begin in that time.
const STARTS: i64 = 60;

pub(super) const KIND: &str = "connect_state";

/// What must be remembered until the user comes back.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) provider: String,
    pub(super) redirect_uri: String,
    pub(super) verifier: String,
    pub(super) scopes: Vec<String>,
    /// The only account that is meant, where one is connected again.
    #[serde(default)]
    pub(super) account_id: Option<String>,
}

/// Who may use a state: this user, in this workspace, in this session.
pub(super) fn binding(principal: &Principal) -> Vec<u8> {
    let session = principal.session_id.map(|s| s.0.into_bytes());
    let session = session.as_ref().map_or(&[][..], |s| &s[..]);
    length_prefixed([&b"connect"[..], principal.workspace_id.0.as_bytes(), principal.user_id.0.as_bytes(), session])
}

/// The place of a sealed [`Pending`]. It is the installation's: the workspace is in the binding.
pub(super) fn place(state: &[u8]) -> Place<'_> {
    Place { workspace: INSTALLATION, table: "atom_single_use", row: state, field: "payload", version: 1 }
}

pub(super) async fn run(connections: &Connections, request: StartConnection) -> Result<Authorization> {
    let app = connections.inner.apps.get(&request.provider)?;
    let scopes = scopes(&app.manifest, &request)?;
    begin(&connections.inner, &connections.principal, &app, scopes, request.login_hint, None).await
}

/// The same account with the same scopes once more.
pub(super) async fn again(connection: &Connection) -> Result<Authorization> {
    let account = connection.account().await?;
    // Without tokens there is no record of what was granted: ask for everything.
    let scopes =
        if account.scopes.is_empty() { scopes(&connection.app.manifest, &StartConnection::default())? } else { account.scopes };
    begin(&connection.inner, &connection.principal, &connection.app, scopes, account.email, Some(account.account_id)).await
}

async fn begin(
    inner: &Inner,
    principal: &Principal,
    app: &App,
    scopes: Vec<String>,
    login_hint: Option<String>,
    account_id: Option<String>,
) -> Result<Authorization> {
    let (db, now) = (inner.db()?, inner.now());
    once::bump_counter(db, &format!("connect_start/{}", principal.user_id), STARTS, LIFETIME, now).await?;

    let state = base64url(random::<32>()?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let oauth = OAuth::new(app, &inner.http)?;
    let mut url = oauth.client().authorize_url(|| CsrfToken::new(state.clone())).set_pkce_challenge(challenge);
    for (name, value) in &app.manifest.auth.authorize_query {
        url = url.add_extra_param(name.clone(), value.clone());
    }
    if let Some(hint) = login_hint {
        url = url.add_extra_param("login_hint", hint);
    }
    // Joined here, because not every vendor separates scopes with a space.
    let (url, _) = url.add_extra_param("scope", scopes.join(&app.manifest.auth.scope_separator)).url();

    let pending = Pending {
        provider: app.manifest.name.clone(),
        redirect_uri: app.redirect_uri.clone(),
        verifier: verifier.secret().clone(),
        scopes,
        account_id,
    };
    let plain = serde_json::to_vec(&pending).map(zeroize::Zeroizing::new);
    let plain =
        plain.map_err(|e| Error::internal("pending_state", "a pending connection cannot be serialized").with_source(e))?;
    let sealed = inner.keys.seal_record(db, &place(state.as_bytes()), &plain).await?;
    let what = once::SingleUse { kind: KIND, key: state.as_bytes(), binding: &binding(principal) };
    once::issue(db, what, &sealed, now + LIFETIME).await?;
    Ok(Authorization { url: url.into(), expires_at: now + LIFETIME })
}

/// The base scopes, those of the services, and those asked for; each once.
fn scopes(manifest: &crate::providers::Manifest, request: &StartConnection) -> Result<Vec<String>> {
    let mut scopes: Vec<&String> = manifest.auth.base_scopes.iter().collect();
    match &request.services {
        None => scopes.extend(manifest.services.values().flat_map(|service| &service.scopes)),
        Some(names) => {
            for name in names {
                let service = manifest.services.get(name).ok_or_else(|| {
                    let known: Vec<_> = manifest.services.keys().map(String::as_str).collect();
                    Error::invalid(
                        "unknown_service",
                        format!("{} has no service of this name: use {}", manifest.title, known.join(", ")),
                    )
                })?;
                scopes.extend(&service.scopes);
            }
        }
    }
    scopes.extend(request.scopes.iter().flatten());
    let mut seen = BTreeSet::new();
    Ok(scopes.into_iter().filter(|scope| seen.insert(scope.as_str())).cloned().collect())
}
