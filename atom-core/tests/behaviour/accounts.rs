//! The methods of accounts and what belongs to them, by their names in the suite.

use super::{Args, Thing};
use atom_core::*;
use serde_json::{Value, json};

pub(super) async fn accounts_method(accounts: &Accounts, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "sign_up" => accounts.sign_up(args.account()).await.map(|s| Thing::plain(session(&s))),
        "sign_in" => accounts.sign_in(args.credentials()).await.map(|s| Thing::plain(sign_in(&s))),
        "complete_with_totp" => {
            accounts.complete_with_totp(args.secret(), args.secret()).await.map(|s| Thing::plain(sign_in(&s)))
        }
        "complete_with_recovery_code" => {
            accounts.complete_with_recovery_code(args.secret(), args.secret()).await.map(|s| Thing::plain(sign_in(&s)))
        }
        "begin_passkey_sign_in" => accounts.begin_passkey_sign_in().await.map(|c| Thing::plain(challenge(&c))),
        "begin_passkey_factor" => accounts.begin_passkey_factor(args.secret()).await.map(|c| Thing::plain(challenge(&c))),
        "complete_with_passkey" => {
            let (pending, token) = (args.secret(), args.secret());
            accounts.complete_with_passkey(pending, token, args.next()).await.map(|s| Thing::plain(sign_in(&s)))
        }
        "sign_in_with_passkey" => {
            accounts.sign_in_with_passkey(args.passkey()).await.map(|s| Thing::plain(sign_in(&s)))
        }
        "refresh" => accounts.refresh(args.secret()).await.map(|s| Thing::plain(session(&s))),
        "refresh_from" => accounts.refresh_from(args.secret(), args.next()).await.map(|s| Thing::plain(session(&s))),
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
        "with_totp" => step_up.with_totp(args.secret()).await.map(Thing::plain),
        "begin_passkey" => step_up.begin_passkey().await.map(|c| Thing::plain(challenge(&c))),
        "with_passkey" => step_up.with_passkey(args.secret(), args.next()).await.map(Thing::plain),
        "with_recovery_code" => step_up.with_recovery_code(args.secret()).await.map(Thing::plain),
        _ => panic!("a step-up has no method `{method}`"),
    }
}

pub(super) async fn factors_method(factors: &Factors, method: &str, mut args: Args) -> Result<Thing> {
    let texts = |codes: &[Secret]| codes.iter().map(|code| code.expose().to_owned()).collect::<Vec<_>>();
    match method {
        "list" => factors.list().await.map(Thing::plain),
        "recovery_codes_left" => factors.recovery_codes_left().await.map(Thing::plain),
        "begin_totp" => factors.begin_totp(args.next()).await.map(|setup| {
            Thing::plain(json!({
                "id": setup.id, "secret": setup.secret.expose(), "otpauth_uri": setup.otpauth_uri.expose(),
                "expires_at": setup.expires_at,
            }))
        }),
        "confirm_totp" => factors
            .confirm_totp(args.next(), args.secret())
            .await
            .map(|added| Thing::plain(json!({ "factor": added.factor, "recovery_codes": texts(&added.recovery_codes) }))),
        "begin_passkey" => factors.begin_passkey().await.map(|c| Thing::plain(challenge(&c))),
        "confirm_passkey" => {
            let (token, answer) = (args.secret(), args.next());
            factors.confirm_passkey(token, answer, args.next()).await.map(|added| {
                Thing::plain(json!({ "factor": added.factor, "recovery_codes": texts(&added.recovery_codes) }))
            })
        }
        "remove" => factors.remove(args.next()).await.map(Thing::plain),
        "new_recovery_codes" => factors.new_recovery_codes().await.map(|new| Thing::plain(json!({ "codes": texts(&new.codes) }))),
        _ => panic!("factors have no method `{method}`"),
    }
}

fn challenge(challenge: &PasskeyChallenge) -> Value {
    json!({ "token": challenge.token.expose(), "options": challenge.options.0, "expires_at": challenge.expires_at })
}

fn sign_in(step: &SignIn) -> Value {
    match step {
        SignIn::SignedIn { session: signed_in } => json!({ "type": "signed_in", "session": session(signed_in) }),
        SignIn::FactorRequired { pending } => json!({
            "type": "factor_required",
            "pending": { "token": pending.token.expose(), "factors": pending.factors, "expires_at": pending.expires_at },
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
