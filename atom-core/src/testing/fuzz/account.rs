//! Accounts that nobody connected, for answers that nobody asked for.

use crate::accounts::{Principal, Role};
use crate::atom::{Atom, Inner};
use crate::connect::{App, Connection};
use crate::http_client::{Response, is_loopback};
use crate::integrations::engine;
use crate::providers::{self, Manifest};
use crate::{ConnectionId, Error, Result, UserId, WorkspaceId};
use serde_json::Value;
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Runtime};
use url::Url;
use uuid::Uuid;

/// An account at a provider.
pub(super) fn account(manifest: Manifest) -> Connection {
    let (user_id, workspace_id) = (UserId(Uuid::nil()), WorkspaceId(Uuid::nil()));
    let principal = Principal { user_id, workspace_id, role: Role::Owner, session_id: None, purpose: None };
    let app = Arc::new(App::unregistered(Arc::new(manifest)));
    Connection { inner: installation(), principal, id: ConnectionId(Uuid::nil()), app }
}

/// One at every built-in provider, by name.
pub(super) fn accounts() -> &'static [Connection] {
    static ACCOUNTS: OnceLock<Vec<Connection>> = OnceLock::new();
    ACCOUNTS.get_or_init(|| providers::names().map(|name| account(built_in(name))).collect())
}

fn built_in(name: &str) -> Manifest {
    providers::built_in(name).expect("it is listed").expect("it is well-formed")
}

fn installation() -> Arc<Inner> {
    static INSTALLATION: OnceLock<(Runtime, Atom)> = OnceLock::new();
    let open = || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let atom = runtime.block_on(Atom::builder("memory:").open()).expect("an installation");
        (runtime, atom)
    };
    INSTALLATION.get_or_init(open).1.inner()
}

/// Has an account read an answer, and returns its records. Wherever the answer leads, the next request goes to the provider and to nobody else.
pub(super) fn read(account: &Connection, operation: &str, at: Option<i64>, answer: Response) -> Result<Vec<Value>> {
    let read = engine::rehearse(account, operation, at, answer)?;
    if let Some(next) = read.next {
        assert!(is_of(&account.app.manifest, &next), "`{operation}` goes on at {next}");
    }
    Ok(read.records)
}

/// Whether an address is one of the provider's. Asked in other words than the engine's, which is what is tried.
fn is_of(manifest: &Manifest, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is_host = |known: &str| match (known.strip_prefix('*'), known.rsplit_once('}')) {
        (Some(end), _) | (None, Some((_, end))) => host.len() > end.len() && host.ends_with(end),
        (None, None) => known == host,
    };
    let is_safe = url.scheme() == "https" || is_loopback(url);
    is_safe && url.username().is_empty() && url.password().is_none() && manifest.hosts.iter().any(|known| is_host(known.text()))
}

/// What vendors say stays out of our errors: their texts may name people, and an address of one has this sign in it.
pub(super) fn check_text(error: &Error) {
    let text = format!("{error:?}");
    assert!(!text.contains('@'), "a vendor's words are in the error: {text}");
}
