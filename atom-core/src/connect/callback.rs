//! Complete a connection.
//!
//! The order matters: the state is taken first, for this user and session only; then everything that the callback says about
//! itself is compared with what was begun; only then is the code sent anywhere (RFC 9700 §4.4, RFC 9207).

use super::keep::{self, Kept};
use super::methods::{Ask, Way};
use super::start::{KIND, Pending, binding, place};
use super::{App, Connection, Connections, registered};
use crate::oauth;
use crate::storage::once;
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// What a callback is recognized by: the state of OAuth 2, the token of OAuth 1, and the one that its user declined.
const KEYS: [&str; 3] = ["state", "oauth_token", "denied"];

pub(super) async fn run(connections: &Connections, callback_url: String) -> Result<Connection> {
    let (callback, answer) = oauth::parse(&callback_url)?;
    let key = KEYS.iter().find_map(|key| answer.get(*key)).ok_or_else(unknown)?;
    let (pending, app) = take(connections, key).await?;
    // An answer that arrives at another provider's URI is a mix-up.
    if !oauth::is_at(&callback, &pending.redirect_uri) {
        return Err(Error::invalid(
            "wrong_redirect_uri",
            "the callback came to another URL than the one that was begun: start again",
        ));
    }
    finish(connections, app, pending, answer).await
}

fn unknown() -> Error {
    let text = "this consent was used, has expired, or was begun by someone else or in another session: start again";
    Error::invalid("state_unknown", text)
}

/// Takes what was begun under a key: once, and only for whoever began it.
pub(super) async fn take(connections: &Connections, key: &str) -> Result<(Pending, Arc<App>)> {
    let inner = &connections.inner;
    let db = inner.db()?;
    let what = once::SingleUse { kind: KIND, key: key.as_bytes(), binding: &binding(&connections.principal) };
    let sealed = once::consume_once(db, what, inner.now()).await?.ok_or_else(unknown)?;
    let plain = inner.keys.open_record(db, &place(key.as_bytes()), &sealed).await?;
    let pending: Pending = serde_json::from_slice(&plain).map_err(|_| unknown())?;
    let app = registered::begun(inner, connections.principal.workspace_id, &pending.provider, pending.registration).await?;
    Ok((pending, app))
}

/// Exchanges the answer and stores what comes of it.
pub(super) async fn finish(
    connections: &Connections,
    app: Arc<App>,
    pending: Pending,
    answer: HashMap<String, String>,
) -> Result<Connection> {
    let connections = connections.clone();
    // From here on a grant may exist at the provider: a caller that goes away must not leave it half stored.
    let finish = tokio::spawn(async move {
        let (method, account_id, inputs) = (pending.method.clone(), pending.account_id.clone(), pending.inputs.clone());
        let ask = Ask { inner: &connections.inner, app: &app, facts: &inputs };
        let granted = Way::find(&app, &method)?.how.complete(ask, pending, &answer).await;
        let granted = granted.map_err(|e| e.with_provider(&app.manifest.name))?.knowing(&inputs);
        let kept = Kept { method: &method, account_id: account_id.as_deref(), device_flow: None };
        keep::run(&connections, &app, kept, granted).await
    });
    finish
        .await
        .map_err(|e| Error::internal("connect_lost", "completing the connection ended without a result").with_source(e))?
}
