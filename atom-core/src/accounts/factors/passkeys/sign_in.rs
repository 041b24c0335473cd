//! Signing in with a passkey alone: the authenticator says whose it is.

use super::challenge::{self, Purpose, relying_party};
use super::{options, prove};
use crate::accounts::factors::{PasskeyChallenge, PasskeyCredentials};
use crate::accounts::sign_in::{Proved, SignIn, begin_verification, complete};
use crate::accounts::{Client, Ground, SignInMethod, store as people};
use crate::atom::Inner;
use crate::{Error, Result};
use std::sync::Arc;

pub(in crate::accounts) async fn begin(inner: &Inner) -> Result<PasskeyChallenge> {
    let rp = relying_party(inner)?;
    let new = challenge::issue(inner, Purpose::SignIn).await?;
    let options = options::request(rp, &new.bytes, &[]);
    Ok(new.with(options))
}

pub(in crate::accounts) async fn run(inner: &Arc<Inner>, credentials: PasskeyCredentials) -> Result<SignIn> {
    let PasskeyCredentials { token, answer, workspace_id, client } = credentials;
    let client = client.map(Client::canonical).transpose()?.flatten();
    let challenge = challenge::take(inner, Purpose::SignIn, &token).await?;
    let (user, passkey) = prove::check(inner, &challenge, &answer, None).await?;
    let user = people::user(inner.db()?, user).await?.ok_or_else(|| Error::not_found("user"))?.into_user();
    let (method, ground) = (SignInMethod::Passkey, Ground::Passkey(passkey));
    if inner.email_proofs.is_required && !user.email_verified {
        return begin_verification(inner, &user, method, workspace_id).await;
    }
    complete(inner, Proved { user, method, ground, workspace_id, client, is_known_device: false }).await
}
