//! The methods of accounts and what belongs to them, by their names in the suite.

use super::{Args, Thing};
use atom_core::*;
use serde_json::{Value, json};

pub(super) async fn accounts_method(accounts: &Accounts, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "sign_up" => accounts.sign_up(args.account()).await.map(|s| Thing::plain(session(&s))),
        "sign_in" => accounts.sign_in(args.credentials()).await.map(|s| Thing::plain(sign_in(&s))),
        "refresh" => accounts.refresh(args.secret()).await.map(|s| Thing::plain(session(&s))),
        "refresh_from" => accounts.refresh_from(args.secret(), args.next()).await.map(|s| Thing::plain(session(&s))),
        "sign_out" => accounts.sign_out(args.secret()).await.map(Thing::plain),
        "invitation" => accounts.invitation(args.secret()).await.map(Thing::plain),
        "accept_invitation" => accounts.accept_invitation(args.accept_invitation()).await.map(|s| Thing::plain(session(&s))),
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

pub(super) async fn workspaces_method(workspaces: &Workspaces, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list" => workspaces.list().await.map(Thing::plain),
        "create" => workspaces.create(args.next()).await.map(Thing::plain),
        "get" => workspaces.get().await.map(Thing::plain),
        "seats" => workspaces.seats().await.map(Thing::plain),
        "rename" => workspaces.rename(args.next()).await.map(Thing::plain),
        "switch_to" => workspaces.switch_to(args.next()).await.map(|s| Thing::plain(session(&s))),
        "leave" => workspaces.leave().await.map(Thing::plain),
        "transfer_ownership" => workspaces.transfer_ownership(args.next()).await.map(Thing::plain),
        "remove" => workspaces.remove().await.map(Thing::plain),
        _ => panic!("workspaces have no method `{method}`"),
    }
}

pub(super) async fn all_workspaces_method(workspaces: &AllWorkspaces, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "set_seats" => workspaces.set_seats(args.next(), args.next()).await.map(Thing::plain),
        "remove" => workspaces.remove(args.next()).await.map(Thing::plain),
        _ => panic!("the installation's workspaces have no method `{method}`"),
    }
}

pub(super) async fn members_method(members: &Members, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list" => members.list(args.next()).await.map(Thing::plain),
        "get" => members.get(args.next()).await.map(Thing::plain),
        "set_role" => members.set_role(args.next(), args.next()).await.map(Thing::plain),
        "remove" => members.remove(args.next()).await.map(Thing::plain),
        _ => panic!("members have no method `{method}`"),
    }
}

pub(super) async fn invitations_method(invitations: &Invitations, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "create" => invitations.create(args.next()).await.map(Thing::plain),
        "list" => invitations.list(args.next()).await.map(Thing::plain),
        "resend" => invitations.resend(args.next()).await.map(Thing::plain),
        "revoke" => invitations.revoke(args.next()).await.map(Thing::plain),
        "accept" => invitations.accept(args.secret()).await.map(Thing::plain),
        _ => panic!("invitations have no method `{method}`"),
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
