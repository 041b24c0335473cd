//! Begin a connection for which the user goes to the provider.

use super::methods::{self, Ask, Opening, Way};
use super::{App, Authorization, ConnectFlow, Connection, Connections, StartConnection, registered};
use crate::accounts::Principal;
use crate::atom::Inner;
use crate::crypto::{INSTALLATION, Place, length_prefixed};
use crate::providers::{Facts, Manifest};
use crate::storage::once;
use crate::vault;
use crate::{Error, Result, WorkspaceProviderId};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How long the user may take.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How many connections one user may begin in that time.
const STARTS: i64 = 60;

pub(super) const KIND: &str = "connect_state";

/// What must be remembered until the user comes back.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) provider: String,
    /// Which of the workspace's it is, and as of when.
    #[serde(default)]
    pub(super) registration: Option<(WorkspaceProviderId, i64)>,
    pub(super) method: String,
    pub(super) redirect_uri: String,
    /// What is needed to use the answer: the PKCE verifier, or the secret of a request token.
    pub(super) secret: String,
    pub(super) scopes: Vec<String>,
    /// The only account that is meant, where one is connected again.
    pub(super) account_id: Option<String>,
    /// What was said about the account.
    #[serde(default)]
    pub(super) inputs: Facts,
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

/// Counts one more beginning of the user's.
pub(super) async fn count(inner: &Inner, principal: &Principal) -> Result<()> {
    let key = format!("connect_start/{}", principal.user_id);
    once::bump_counter(inner.db()?, &key, STARTS, LIFETIME, inner.now()).await.map(drop)
}

pub(super) async fn run(connections: &Connections, request: StartConnection) -> Result<Authorization> {
    let app = registered::find(&connections.inner, connections.principal.workspace_id, &request.provider).await?;
    let way = Way::choose(&app, request.method.as_deref(), ConnectFlow::Browser)?;
    let scopes = scopes(&app.manifest, request.services.as_deref(), request.scopes.as_deref())?;
    let redirect_uri = app.redirect_uris.choose(request.redirect_uri).map_err(|e| e.with_provider(&app.manifest.name))?;
    let inputs = methods::inputs(&app, request.inputs.unwrap_or_default())?;
    let wish = Wish { scopes, redirect_uri, login_hint: request.login_hint, account_id: None, inputs };
    begin(connections, &app, &way, wish).await
}

/// The same account with the same scopes once more.
pub(super) async fn again(connection: &Connection) -> Result<Authorization> {
    let (account, app) = (connection.account().await?, &connection.app);
    let way = Way::choose(app, Some(&account.method), ConnectFlow::Browser)?;
    // Without tokens there is no record of what was granted: ask for everything.
    let mut scopes = if account.scopes.is_empty() { scopes(&app.manifest, None, None)? } else { account.scopes };
    for set in vault::names(connection.inner.db()?, connection.principal.workspace_id, connection.id).await? {
        scopes.extend(app.manifest.scopes_of(&set).filter(|_| set != vault::DEFAULT).cloned());
    }
    let redirect_uri = app.redirect_uris.choose(None)?;
    let is_input = |name: &String| app.manifest.inputs.contains_key(name);
    let said = account.facts.into_iter().filter(|(name, _)| is_input(name)).collect();
    let inputs = methods::inputs(app, said)?;
    let wish = Wish { scopes, redirect_uri, login_hint: account.email, account_id: Some(account.account_id), inputs };
    let connections = Connections { inner: connection.inner.clone(), principal: connection.principal.clone() };
    begin(&connections, app, &way, wish).await
}

/// What is asked for.
struct Wish {
    scopes: Vec<String>,
    redirect_uri: String,
    login_hint: Option<String>,
    account_id: Option<String>,
    inputs: Facts,
}

async fn begin(connections: &Connections, app: &App, way: &Way<'_>, wish: Wish) -> Result<Authorization> {
    let (inner, principal) = (&connections.inner, &connections.principal);
    let (db, now) = (inner.db()?, inner.now());
    count(inner, principal).await?;
    let opening = Opening {
        redirect_uri: &wish.redirect_uri,
        scopes: &wish.scopes,
        login_hint: wish.login_hint.as_deref(),
        user: principal.user_id,
    };
    let opened =
        way.how.open(Ask { inner, app, facts: &wish.inputs }, opening).await.map_err(|e| e.with_provider(&app.manifest.name))?;
    let pending = Pending {
        provider: app.manifest.name.clone(),
        registration: app.registration(),
        method: way.name.to_owned(),
        redirect_uri: wish.redirect_uri,
        secret: opened.secret.expose().to_owned(),
        scopes: wish.scopes,
        account_id: wish.account_id,
        inputs: wish.inputs,
    };
    let plain = serde_json::to_vec(&pending).map(zeroize::Zeroizing::new);
    let plain =
        plain.map_err(|e| Error::internal("pending_state", "a pending connection cannot be serialized").with_source(e))?;
    let key = opened.key.as_bytes();
    let sealed = inner.keys.seal_record(db, &place(key), &plain).await?;
    let what = once::SingleUse { kind: KIND, key, binding: &binding(principal) };
    once::issue(db, what, &sealed, now + LIFETIME).await?;
    Ok(Authorization { url: opened.url.unwrap_or_default(), link_token: opened.link_token, expires_at: now + LIFETIME })
}

/// The base scopes, those of the services, and those asked for; each once.
pub(super) fn scopes(manifest: &Manifest, services: Option<&[String]>, more: Option<&[String]>) -> Result<Vec<String>> {
    let mut scopes: Vec<&String> = manifest.auth.iter().flat_map(|auth| &auth.base_scopes).collect();
    match services {
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
    scopes.extend(more.into_iter().flatten());
    let mut seen = BTreeSet::new();
    Ok(scopes.into_iter().filter(|scope| seen.insert(scope.as_str())).cloned().collect())
}
