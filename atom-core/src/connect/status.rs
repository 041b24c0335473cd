//! What a user has connected, and what it can be used for.

use super::{
    AccountStatus, App, ConnectedAccount, ConnectionState, Connections, ProviderStatus, ServiceStatus, registered, store,
};
use crate::Result;

pub(super) async fn run(connections: &Connections) -> Result<Vec<ProviderStatus>> {
    let mut accounts = store::list(connections.inner.db()?, &connections.principal).await?;
    let own = registered::all(&connections.inner, connections.principal.workspace_id).await?;
    Ok(connections
        .inner
        .apps
        .all()
        .into_iter()
        .chain(own.iter().map(|app| &**app))
        .map(|app| {
            let name = app.manifest.name.as_str();
            let id = app.registration().map(|(id, _)| id);
            let is_here = |account: &mut ConnectedAccount| account.provider == name && account.provider_id == id;
            let here: Vec<_> = accounts.extract_if(.., is_here).collect();
            let latest = here.iter().filter(|account| account.state == ConnectionState::Active).max_by_key(|a| a.connected_at);
            ProviderStatus {
                provider: name.to_owned(),
                title: app.manifest.title.clone(),
                is_connected: latest.is_some(),
                email: latest.and_then(|account| account.email.clone()),
                last_connected_at: here.iter().map(|account| account.connected_at).max(),
                accounts: here.into_iter().map(|account| status(app, account)).collect(),
            }
        })
        .collect())
}

fn status(app: &App, account: ConnectedAccount) -> AccountStatus {
    let services = app.manifest.services.iter().map(|(name, service)| {
        let missing = service.scopes.iter().filter(|scope| !account.scopes.contains(scope));
        let missing_scopes: Vec<_> = missing.cloned().collect();
        ServiceStatus {
            name: name.clone(),
            is_available: account.state == ConnectionState::Active && missing_scopes.is_empty(),
            missing_scopes,
            operations: service.named().map(|(name, _)| name.to_owned()).collect(),
        }
    });
    let services = services.collect();
    AccountStatus { account, services }
}
