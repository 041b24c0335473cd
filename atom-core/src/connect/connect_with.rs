//! Connect an account with what the user gives, without a browser.

use super::keep::{self, Kept};
use super::methods::{Ask, Way, credentials_refused};
use super::{ConnectFlow, ConnectWith, Connection, Connections, registered, start};
use crate::{Error, ErrorKind, Result};
use std::sync::Arc;

pub(super) async fn run(connections: &Connections, request: ConnectWith) -> Result<Connection> {
    let inner = &connections.inner;
    let app = registered::find(inner, connections.principal.workspace_id, &request.provider).await?;
    let named = |e: Error| e.with_provider(&app.manifest.name);
    let way = Way::choose(&app, request.method.as_deref(), ConnectFlow::Fields)?;
    let (fields, facts) = way.check(&app, request.fields).map_err(named)?;
    // Whoever may call this may not use it to try out passwords at the provider.
    start::count(inner, &connections.principal).await?;
    let (connections, app, method) = (connections.clone(), Arc::clone(&app), way.name.to_owned());
    // A caller that goes away must not leave it half done.
    let connecting = tokio::spawn(async move {
        let way = Way::find(&app, &method)?;
        let refused = |error: Error| sort(error).with_provider(&app.manifest.name);
        let ask = Ask { inner: &connections.inner, app: &app, facts: &facts };
        let granted = way.how.obtain(ask, fields, request.scopes).await.map_err(refused)?.knowing(&facts);
        let kept = Kept { method: &method, account_id: None, device_flow: None };
        keep::run(&connections, &app, kept, granted).await.map_err(refused)
    });
    connecting.await.map_err(|e| Error::internal("connect_lost", "connecting ended without a result").with_source(e))?
}

/// The provider does not know the credentials: a wrong input, not a grant that has ended.
fn sort(error: Error) -> Error {
    match (error.kind(), error.status()) {
        (ErrorKind::ReauthRequired, _) | (ErrorKind::Provider, Some(401 | 403)) => credentials_refused(),
        _ => error,
    }
}
