//! Accounts from beginning to end: a proved address, a second factor, a colleague, a lost device, and what the log says of it all.
//!
//! ```text
//! cargo run -p accounts
//! ```
//!
//! It works on a database in memory and leaves nothing behind. What a user would see in a browser and in a mailbox stands here in the program.
#![allow(clippy::print_stdout)] // showing is what this program is for

mod mailbox;

use atom_core::testing::totp_code;
use atom_core::{
    AcceptInvitation, Atom, AuditFilter, Client, Credentials, EmailProof, LocalKey, MailKind, NewAccount, NewInvitation, Role,
    Secret, Session, SignIn,
};
use chrono::Utc;
use mailbox::Mailbox;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";
const PASSWORD: &str = "an engine of brass and thought";

#[tokio::main]
async fn main() -> Outcome {
    let mail = Mailbox::new();
    let builder = Atom::builder("memory:").key(LocalKey::generate()?);
    let builder = builder.app_name("Acme").app_url("https://acme.example").mail_from("Acme <no-reply@acme.example>");
    let atom = builder.mail_sender(mail.clone()).open().await?;

    let session = sign_up(&atom, &mail).await?;
    let (app, recovery_codes) = add_authenticator(&atom, &session).await?;
    let laptop = sign_in(&atom, &mail, &app).await?;
    invite(&atom, &mail, &laptop).await?;
    lose_a_phone(&atom, &session, &laptop, recovery_codes).await?;
    tell(&atom, &laptop).await?;
    atom.shut_down().await?;
    Ok(())
}

/// The account is made when its address is proved, so nobody can sign up with the address of somebody else.
async fn sign_up(atom: &Atom, mail: &Mailbox) -> Outcome<Session> {
    println!("1. Sign up     {ADA}");
    let account = NewAccount {
        email: ADA.into(),
        password: PASSWORD.into(),
        display_name: Some("Ada".into()),
        client: Some(device("Ada's phone")),
        ..Default::default()
    };
    let pending = atom.accounts().begin_sign_up(account).await?;
    let code = mail.read(MailKind::VerifyEmail).await.code();
    let proof = EmailProof { flow_token: pending.flow_token, code, client: Some(device("Ada's phone")), ..Default::default() };
    let session = atom.accounts().confirm_sign_up(proof).await?.signed_in()?;
    println!("               {} owns the workspace \"{}\"", session.user.email, session.workspace.name);
    Ok(session)
}

/// Show `setup.otpauth_uri` as a QR code. Here, the secret itself plays the app.
async fn add_authenticator(atom: &Atom, session: &Session) -> Outcome<(Secret, Vec<Secret>)> {
    let factors = atom.authenticate(session.access_token.clone()).await?.factors();
    let setup = factors.begin_totp(Some("phone".into())).await?;
    let added = factors.confirm_totp(setup.id, totp_code(&setup.secret, Utc::now())).await?;
    println!("2. Factor      an authenticator app, and {} recovery codes", added.recovery_codes.len());
    Ok((setup.secret, added.recovery_codes))
}

/// A password alone leads to a pending sign-in, which is a type of its own: it cannot be taken for a session.
async fn sign_in(atom: &Atom, mail: &Mailbox, app: &Secret) -> Outcome<Session> {
    mail.read(MailKind::FactorChanged).await;
    let credentials =
        Credentials { email: ADA.into(), password: PASSWORD.into(), client: Some(device("Ada's laptop")), ..Default::default() };
    let SignIn::FactorRequired { pending } = atom.accounts().sign_in(credentials).await? else {
        return Err("the second factor was not asked for".into());
    };
    println!("3. Sign in     the password was right; asked for one of {:?}", pending.factors);
    // A code is good for one time, and the one of this half minute has confirmed the app.
    let next = totp_code(app, Utc::now() + chrono::TimeDelta::seconds(30));
    let session = atom.accounts().complete_with_totp(pending.token, next).await?.signed_in()?;
    mail.read(MailKind::NewDevice).await;
    Ok(session)
}

/// Only the account with the address that an invitation went to can accept it.
async fn invite(atom: &Atom, mail: &Mailbox, session: &Session) -> Outcome {
    println!("4. Invitation  {GRACE}, as a member");
    let scope = atom.authenticate(session.access_token.clone()).await?;
    let invitation = NewInvitation { email: GRACE.into(), role: Role::Member, locale: None };
    scope.invitations().create(invitation).await?;
    let token = mail.read(MailKind::Invite).await.token();
    let accepted = AcceptInvitation {
        token,
        password: "a compiler of her own making".into(),
        display_name: Some("Grace".into()),
        client: None,
    };
    let grace = atom.accounts().accept_invitation(accepted).await?;
    println!("               {} joined \"{}\" as {}", grace.user.email, grace.workspace.name, grace.role.as_str());
    let hers = atom.authenticate(grace.access_token.clone()).await?;
    let refused = hers.workspaces().rename("Grace & Co".into()).await.err().ok_or("a member renamed the workspace")?;
    println!("               she may not rename it: {refused}");
    scope.members().set_role(grace.user.id, Role::Admin).await?;
    // An access token says what she was when it was made; `authenticate_live` asks what she is.
    let hers = atom.authenticate_live(grace.access_token).await?;
    let renamed = hers.workspaces().rename("Ada & Grace".into()).await?;
    println!("               as an admin she may: \"{}\"", renamed.name);
    Ok(())
}

/// Whatever lets nobody wait for the end of an access token asks `authenticate_live`.
async fn lose_a_phone(atom: &Atom, phone: &Session, laptop: &Session, recovery_codes: Vec<Secret>) -> Outcome {
    let scope = atom.authenticate(laptop.access_token.clone()).await?;
    for session in scope.sessions().list().await? {
        let device = session.client.and_then(|client| client.device_name).unwrap_or_else(|| "unknown".into());
        println!("5. Device      {device}{}", if session.id == laptop.id { ", this one" } else { "" });
    }
    scope.sessions().revoke(phone.id).await?;
    let refused = atom.authenticate_live(phone.access_token.clone()).await.err().ok_or("the phone is still signed in")?;
    println!("               the phone is signed out at once: {}", refused.reason());

    // The app was on the phone. A recovery code proves who acts, and the app is removed.
    let code = recovery_codes.into_iter().next().ok_or("no recovery codes")?;
    scope.step_up().with_recovery_code(code).await?;
    for factor in scope.factors().list().await? {
        scope.factors().remove(factor.id).await?;
    }
    println!("               and its authenticator app removed, with a recovery code");
    Ok(())
}

/// Every act above is in the log, in the transaction that did it.
async fn tell(atom: &Atom, session: &Session) -> Outcome {
    let trail = atom.authenticate(session.access_token.clone()).await?.audit();
    for entry in trail.list(AuditFilter::default()).await?.items.iter().rev() {
        println!("6. Log         {:>2}  {}", entry.sequence, entry.action.as_str());
    }
    let report = trail.verify(None).await?;
    println!("               {} entries intact, problem: {:?}", report.intact_entries, report.problem);
    Ok(())
}

fn device(name: &str) -> Client {
    Client { ip: Some("192.0.2.7".into()), device_name: Some(name.into()), ..Default::default() }
}
