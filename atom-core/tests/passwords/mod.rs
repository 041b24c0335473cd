//! Passwords: what they have to be, how they are changed and reset, and how those of another system come over.

mod change;
mod import;
mod policy;
mod reset;

use crate::mail::Letters;
use crate::support::*;
use atom_core::*;

const NEW: &str = "a loom of leaves and flowers";

/// What a sign-in comes to.
async fn sign_in(atom: &Atom, password: &str) -> Result<Session, Error> {
    atom.accounts().sign_in(credentials("ada@example.com", password)).await?.signed_in()
}

/// How a password was changed, each time, as the audit log and the events say it.
async fn told(scope: &Scope) -> (Vec<String>, Vec<String>) {
    let filter = AuditFilter { action: Some(AuditAction::PasswordChanged), ..Default::default() };
    let mut entries = scope.audit().list(filter).await.unwrap().items;
    entries.reverse();
    let filter = EventFilter { names: Some(vec!["user.password_changed".into()]), ..Default::default() };
    let events = scope.events().list(filter).await.unwrap().items;
    let how = |event: &Event| event.data.0["how"].as_str().unwrap().to_owned();
    (entries.into_iter().map(|entry| entry.details["how"].clone()).collect(), events.iter().map(how).collect())
}
