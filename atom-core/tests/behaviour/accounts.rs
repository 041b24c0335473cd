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
        "begin_social" => accounts.begin_social(args.next()).await.map(|flow| Thing::plain(social_flow(&flow))),
        "complete_social" => {
            let (token, callback) = (args.secret(), args.next());
            accounts.complete_social(token, callback, args.next()).await.map(|s| Thing::plain(sign_in(&s)))
        }
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

pub(super) async fn identities_method(identities: &Identities, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list" => identities.list().await.map(Thing::plain),
        "link" => identities.link(args.secret()).await.map(Thing::plain),
        "begin_link" => identities.begin_link(args.next()).await.map(|flow| Thing::plain(social_flow(&flow))),
        "complete_link" => {
            let token = args.secret();
            identities.complete_link(token, args.next()).await.map(Thing::plain)
        }
        "unlink" => identities.unlink(args.next()).await.map(Thing::plain),
        _ => panic!("identities have no method `{method}`"),
    }
}

fn social_flow(flow: &SocialFlow) -> Value {
    json!({ "url": flow.url, "flow_token": flow.flow_token.expose(), "expires_at": flow.expires_at })
}

fn sign_in(step: &SignIn) -> Value {
    match step {
        SignIn::SignedIn { session: signed_in } => json!({ "type": "signed_in", "session": session(signed_in) }),
        SignIn::LinkRequired { pending } => json!({
            "type": "link_required",
            "pending": {
                "link_token": pending.link_token.expose(), "provider": pending.provider, "email": pending.email, "expires_at": pending.expires_at,
            },
        }),
    }
}

fn session(session: &Session) -> Value {
    json!({
        "id": session.id, "user": session.user, "workspace": session.workspace, "role": session.role,
        "access_token": session.access_token.expose(), "access_expires_at": session.access_expires_at,
        "refresh_token": session.refresh_token.expose(), "refresh_expires_at": session.refresh_expires_at,
    })
}
