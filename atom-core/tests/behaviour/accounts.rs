//! The methods of accounts and what belongs to them, by their names in the suite.

use super::{Args, Thing, field};
use atom_core::*;
use serde_json::{Map, Value, json};

pub(super) async fn accounts_method(accounts: &Accounts, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "sign_up" => accounts.sign_up(args.account()).await.map(|s| Thing::plain(session(&s))),
        "sign_in" => accounts.sign_in(args.credentials()).await.map(|s| Thing::plain(sign_in(&s))),
        "refresh" => accounts.refresh(args.secret()).await.map(|s| Thing::plain(session(&s))),
        "refresh_from" => accounts.refresh_from(args.secret(), args.next()).await.map(|s| Thing::plain(session(&s))),
        "request_password_reset" => accounts.request_password_reset(args.next()).await.map(Thing::plain),
        "reset_password" => accounts.reset_password(args.secret(), args.secret()).await.map(Thing::plain),
        "sign_out" => accounts.sign_out(args.secret()).await.map(Thing::plain),
        _ => panic!("accounts have no method `{method}`"),
    }
}

pub(super) async fn sessions_method(sessions: &Sessions, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list" => sessions.list().await.map(Thing::plain),
        "revoke" => sessions.revoke(args.next()).await.map(Thing::plain),
        "revoke_others" => sessions.revoke_others().await.map(Thing::plain),
        "revoke_all" => sessions.revoke_all().await.map(Thing::plain),
        _ => panic!("sessions have no method `{method}`"),
    }
}

pub(super) async fn step_up_method(step_up: &StepUp, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "is_fresh" => step_up.is_fresh().await.map(Thing::plain),
        "require" => step_up.require().await.map(Thing::plain),
        "with_password" => step_up.with_password(args.secret()).await.map(Thing::plain),
        _ => panic!("a step-up has no method `{method}`"),
    }
}

pub(super) async fn password_method(password: &Password, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "is_set" => password.is_set().await.map(Thing::plain),
        "change" => password.change(args.secret(), args.secret()).await.map(Thing::plain),
        "set" => password.set(args.secret()).await.map(Thing::plain),
        _ => panic!("a password has no method `{method}`"),
    }
}

pub(super) async fn users_method(users: &Users, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "import_user" => users.import_user(imported_user(&args.next())).await.map(Thing::plain),
        "import_users" => users.import_users(args.next::<Vec<_>>().iter().map(imported_user).collect()).await.map(Thing::plain),
        _ => panic!("users have no method `{method}`"),
    }
}

/// Records with secrets cannot be deserialized, on purpose.
fn imported_user(fields: &Map<String, Value>) -> ImportedUser {
    ImportedUser {
        email: field(fields, "email").unwrap(),
        email_verified: field(fields, "email_verified"),
        password_hash: field::<String>(fields, "password_hash").map(Secret::from),
        display_name: field(fields, "display_name"),
        workspace_name: field(fields, "workspace_name"),
        locale: field(fields, "locale"),
        created_at: field(fields, "created_at"),
    }
}

fn sign_in(step: &SignIn) -> Value {
    match step {
        SignIn::SignedIn { session: signed_in } => json!({ "type": "signed_in", "session": session(signed_in) }),
    }
}

fn session(session: &Session) -> Value {
    json!({
        "id": session.id, "user": session.user, "workspace": session.workspace, "role": session.role,
        "access_token": session.access_token.expose(), "access_expires_at": session.access_expires_at,
        "refresh_token": session.refresh_token.expose(), "refresh_expires_at": session.refresh_expires_at,
    })
}
