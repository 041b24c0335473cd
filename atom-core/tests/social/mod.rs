//! Signing in with accounts at providers.

mod answers;
mod factors;
mod flows;
mod identities;
mod matrix;
mod presets;
mod races;
mod relying_party;

use crate::support::*;
use atom_core::testing::IssuerStandIn;
use atom_core::*;
use serde_json::{Value, json};

/// An installation that knows an issuer of its own, whose word for addresses it takes.
async fn open(database: &Database) -> (Atom, IssuerStandIn) {
    let issuer = IssuerStandIn::start().await.unwrap();
    let provider = SignInProvider { trust_email: Some(true), ..issuer.provider() };
    (database.builder().sign_in_provider(provider).open().await.unwrap(), issuer)
}

fn at(provider: &str) -> SocialStart {
    SocialStart { provider: provider.into(), ..Default::default() }
}

fn verified(sub: &str, email: &str) -> Value {
    json!({"sub": sub, "email": email, "email_verified": true})
}

fn unverified(sub: &str, email: &str) -> Value {
    json!({"sub": sub, "email": email, "email_verified": false})
}

/// Somebody goes to a provider and comes back.
async fn go(atom: &Atom, issuer: &IssuerStandIn, provider: &str, claims: Value) -> Result<SignIn> {
    let flow = atom.accounts().begin_social(at(provider)).await?;
    let callback = issuer.decide(&flow.url, Some(claims))?;
    atom.accounts().complete_social(flow.flow_token, callback, None).await
}

async fn signed_in(atom: &Atom, issuer: &IssuerStandIn, provider: &str, claims: Value) -> Session {
    go(atom, issuer, provider, claims).await.unwrap().signed_in().unwrap()
}

/// What is pending where both sides do not vouch for the address.
async fn link_required(atom: &Atom, issuer: &IssuerStandIn, provider: &str, claims: Value) -> PendingLink {
    match go(atom, issuer, provider, claims).await.unwrap() {
        SignIn::LinkRequired { pending } => pending,
        _ => panic!("the provider's word was taken"),
    }
}

/// Has the address of an account count as verified.
async fn verify(database: &Database, email: &str) {
    let verified = |now: &str| format!("UPDATE atom_users SET email_verified_at = {now} WHERE email = '{email}'");
    sql(database, verified("1"), verified("now()")).await;
}

async fn scope_of(atom: &Atom, session: &Session) -> Scope {
    atom.authenticate(session.access_token.clone()).await.unwrap()
}
