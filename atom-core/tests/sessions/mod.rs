//! Sessions: their tokens, their list, their end.

mod listing;
mod live;
pub(crate) mod processes;
mod rotation;
mod signing_keys;

use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;

/// A client at an address.
pub(crate) fn client(ip: &str, device_name: &str) -> Client {
    Client { ip: Some(ip.into()), device_name: Some(device_name.into()), ..Default::default() }
}

/// A session of Ada's on another device.
async fn device(atom: &Atom, client: Client) -> Session {
    let credentials = Credentials { client: Some(client), ..credentials("ada@example.com", PASSWORD) };
    atom.accounts().sign_in(credentials).await.unwrap().signed_in().unwrap()
}

/// The actions in a workspace's audit log, oldest first, with what they were done to.
async fn acts(scope: &Scope) -> Vec<(AuditAction, String)> {
    let mut items = scope.audit().list(AuditFilter::default()).await.unwrap().items;
    items.reverse();
    items.into_iter().map(|entry| (entry.action, entry.subject.unwrap_or_default())).collect()
}

/// The sessions that ended in a workspace, and why.
async fn endings(scope: &Scope) -> Vec<(String, String)> {
    let filter = EventFilter { names: Some(vec!["session.ended".into()]), ..Default::default() };
    let items = scope.events().list(filter).await.unwrap().items;
    let text = |event: &Event, name: &str| event.data.0[name].as_str().unwrap().to_owned();
    items.iter().map(|event| (text(event, "session_id"), text(event, "reason"))).collect()
}
