//! The methods of accounts and what belongs to them, by their names in the suite.

use super::{Args, Thing, field};
use atom_core::*;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

impl Args {
    fn account(&mut self) -> NewAccount {
        let mut fields: Map<String, Value> = self.next();
        let mut take = |name: &str| fields.remove(name).and_then(|v| v.as_str().map(str::to_owned));
        NewAccount {
            email: take("email").unwrap(),
            password: take("password").unwrap().into(),
            display_name: take("display_name"),
            workspace_name: take("workspace_name"),
            locale: take("locale"),
            client: field(&fields, "client"),
        }
    }

    fn accept_invitation(&mut self) -> AcceptInvitation {
        let fields: Map<String, Value> = self.next();
        AcceptInvitation {
            token: field::<String>(&fields, "token").unwrap().into(),
            password: field::<String>(&fields, "password").unwrap().into(),
            display_name: field(&fields, "display_name"),
            client: field(&fields, "client"),
        }
    }

    fn credentials(&mut self) -> Credentials {
        let fields: Map<String, Value> = self.next();
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        Credentials {
            email: text("email").unwrap().into(),
            password: text("password").unwrap().into(),
            workspace_id: field(&fields, "workspace_id"),
            client: field(&fields, "client"),
            known_device: text("known_device").map(Secret::from),
        }
    }
}

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
        "sign_in_with_passkey" => accounts.sign_in_with_passkey(args.passkey()).await.map(|s| Thing::plain(sign_in(&s))),
        "refresh" => accounts.refresh(args.secret()).await.map(|s| Thing::plain(session(&s))),
        "refresh_from" => accounts.refresh_from(args.secret(), args.next()).await.map(|s| Thing::plain(session(&s))),
        "request_password_reset" => accounts.request_password_reset(args.next()).await.map(Thing::plain),
        "reset_password" => accounts.reset_password(args.secret(), args.secret()).await.map(Thing::plain),
        "begin_sign_up" => {
            let pending = accounts.begin_sign_up(args.account()).await?;
            Ok(flow(&pending.flow_token, pending.expires_at))
        }
        "confirm_sign_up" => accounts.confirm_sign_up(proof(&mut args)).await.map(|s| Thing::plain(sign_in(&s))),
        "verify_email" => accounts.verify_email(proof(&mut args)).await.map(|s| Thing::plain(sign_in(&s))),
        "request_code" => accounts.request_code(email_sign_in(&mut args)).await.map(|p| flow(&p.flow_token, p.expires_at)),
        "sign_in_with_code" => accounts.sign_in_with_code(proof(&mut args)).await.map(|s| Thing::plain(sign_in(&s))),
        "request_magic_link" => {
            accounts.request_magic_link(email_sign_in(&mut args)).await.map(|p| flow(&p.flow_token, p.expires_at))
        }
        "magic_link" => accounts.magic_link(args.secret()).await.map(Thing::plain),
        "sign_in_with_link" => accounts.sign_in_with_link(link(&mut args)).await.map(|s| Thing::plain(sign_in(&s))),
        "begin_social" => accounts.begin_social(args.next()).await.map(|flow| Thing::plain(social_flow(&flow))),
        "complete_social" => {
            let (token, callback) = (args.secret(), args.next());
            accounts.complete_social(token, callback, args.next()).await.map(|s| Thing::plain(sign_in(&s)))
        }
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
        "request_code" => step_up.request_code().await.map(|p| flow(&p.flow_token, p.expires_at)),
        "with_code" => step_up.with_code(args.secret(), args.secret()).await.map(Thing::plain),
        "with_totp" => step_up.with_totp(args.secret()).await.map(Thing::plain),
        "begin_passkey" => step_up.begin_passkey().await.map(|c| Thing::plain(challenge(&c))),
        "with_passkey" => step_up.with_passkey(args.secret(), args.next()).await.map(Thing::plain),
        "with_recovery_code" => step_up.with_recovery_code(args.secret()).await.map(Thing::plain),
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
        "list" => users.list(args.next()).await.map(Thing::plain),
        "get" => users.get(args.next()).await.map(Thing::plain),
        "get_by_email" => users.get_by_email(args.next()).await.map(Thing::plain),
        "update" => users.update(args.next(), args.next()).await.map(Thing::plain),
        "disable" => users.disable(args.next(), args.next()).await.map(Thing::plain),
        "enable" => users.enable(args.next()).await.map(Thing::plain),
        "export_user" => users.export_user(args.next()).await.map(Thing::plain),
        "erase" => users.erase(args.next()).await.map(Thing::plain),
        _ => panic!("users have no method `{method}`"),
    }
}

pub(super) async fn profile_method(profile: &Profile, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "get" => profile.get().await.map(Thing::plain),
        "update" => profile.update(args.next()).await.map(Thing::plain),
        "export_data" => profile.export_data().await.map(Thing::plain),
        "delete_account" => profile.delete_account().await.map(Thing::plain),
        _ => panic!("a profile has no method `{method}`"),
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

pub(super) async fn email_method(email: &EmailAddress, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "request_verification" => email.request_verification().await.map(|p| flow(&p.flow_token, p.expires_at)),
        "verify" => email.verify(args.secret(), args.next::<Option<String>>().map(Secret::from)).await.map(Thing::plain),
        "request_change" => email.request_change(args.next()).await.map(|p| flow(&p.flow_token, p.expires_at)),
        "confirm_change" => {
            email.confirm_change(args.secret(), args.next::<Option<String>>().map(Secret::from)).await.map(Thing::plain)
        }
        _ => panic!("an address has no method `{method}`"),
    }
}

fn flow(flow_token: &Secret, expires_at: DateTime<Utc>) -> Thing {
    Thing::plain(json!({ "flow_token": flow_token.expose(), "expires_at": expires_at }))
}

/// Records with secrets cannot be deserialized, on purpose.
fn proof(args: &mut Args) -> EmailProof {
    let fields: Value = args.next();
    let text = |name: &str| Secret::from(fields[name].as_str().unwrap_or_default());
    EmailProof {
        flow_token: text("flow_token"),
        code: text("code"),
        workspace_id: serde_json::from_value(fields["workspace_id"].clone()).unwrap(),
        client: serde_json::from_value(fields["client"].clone()).unwrap(),
    }
}

fn email_sign_in(args: &mut Args) -> EmailSignIn {
    let fields: Map<String, Value> = args.next();
    EmailSignIn {
        email: field(&fields, "email").unwrap(),
        locale: field(&fields, "locale"),
        client: field(&fields, "client"),
        known_device: field::<String>(&fields, "known_device").map(Secret::from),
    }
}

fn link(args: &mut Args) -> LinkSignIn {
    let fields: Value = args.next();
    LinkSignIn {
        token: fields["token"].as_str().unwrap_or_default().into(),
        flow_token: fields["flow_token"].as_str().map(Secret::from),
        workspace_id: serde_json::from_value(fields["workspace_id"].clone()).unwrap(),
        client: serde_json::from_value(fields["client"].clone()).unwrap(),
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
            factors
                .confirm_passkey(token, answer, args.next())
                .await
                .map(|added| Thing::plain(json!({ "factor": added.factor, "recovery_codes": texts(&added.recovery_codes) })))
        }
        "remove" => factors.remove(args.next()).await.map(Thing::plain),
        "new_recovery_codes" => factors.new_recovery_codes().await.map(|new| Thing::plain(json!({ "codes": texts(&new.codes) }))),
        _ => panic!("factors have no method `{method}`"),
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

fn challenge(challenge: &PasskeyChallenge) -> Value {
    json!({ "token": challenge.token.expose(), "options": challenge.options.0, "expires_at": challenge.expires_at })
}

fn sign_in(step: &SignIn) -> Value {
    match step {
        SignIn::SignedIn { session: signed_in } => json!({ "type": "signed_in", "session": session(signed_in) }),
        SignIn::VerificationRequired { pending } => {
            let pending = json!({ "flow_token": pending.flow_token.expose(), "expires_at": pending.expires_at });
            json!({ "type": "verification_required", "pending": pending })
        }
        SignIn::FactorRequired { pending } => json!({
            "type": "factor_required",
            "pending": { "token": pending.token.expose(), "factors": pending.factors, "expires_at": pending.expires_at },
        }),
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
