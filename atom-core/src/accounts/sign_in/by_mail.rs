//! Sign in with a code or a link that is mailed.
//!
//! An address that nobody has gets the same answer after the same work, and no mail, unless it may become an account.

use super::{Proved, SignIn, complete};
use crate::accounts::email_proof::{
    self, Begun, EmailProof, EmailSignIn, Intent, Letter, LinkSignIn, MagicLink, NewFlow, Pending, Shown,
};
use crate::accounts::mail_limits::{self, Asker};
use crate::accounts::sign_up::{self, Registration};
use crate::accounts::store::{self, UserRow};
use crate::accounts::{Client, Ground, SignInMethod, email, sessions, verified};
use crate::atom::Inner;
use crate::{Result, Secret, WorkspaceId, mail};
use std::sync::Arc;

/// Mails a code or a link, to whoever is known at the address.
pub(in crate::accounts) async fn request(inner: &Arc<Inner>, intent: Intent, request: EmailSignIn) -> Result<Begun> {
    let EmailSignIn { email, locale, client, known_device } = request;
    let canonical = email::canonical(&email)?;
    let client = client.map(Client::canonical).transpose()?.flatten();
    let user = store::user_by_email(inner.db()?, &canonical).await?.map(UserRow::into_user);
    let device = sessions::known_device(inner, known_device.as_ref(), user.as_ref().map(|user| user.id)).await?;
    let asker = Asker::new(client.as_ref(), device);
    mail_limits::count(inner, &canonical, &asker).await?;
    let letter = if user.is_some() || inner.email_proofs.signs_up { Letter::Proof } else { Letter::Nothing };
    email_proof::begin(inner, NewFlow { user: user.as_ref(), asker, locale, letter, ..NewFlow::to(intent, &email) }).await
}

pub(in crate::accounts) async fn with_code(inner: &Arc<Inner>, proof: EmailProof) -> Result<SignIn> {
    let EmailProof { flow_token, code, workspace_id, client } = proof;
    let client = client.map(Client::canonical).transpose()?.flatten();
    let shown = Shown { intent: Intent::SignInCode, flow: Some(&flow_token), code: &code, user: None };
    let pending = email_proof::take(inner, shown).await?;
    enter(inner, pending, SignInMethod::EmailCode, workspace_id, client).await
}

pub(in crate::accounts) async fn with_link(inner: &Arc<Inner>, link: LinkSignIn) -> Result<SignIn> {
    let LinkSignIn { token, flow_token, workspace_id, client } = link;
    let client = client.map(Client::canonical).transpose()?.flatten();
    let shown = Shown { intent: Intent::MagicLink, flow: flow_token.as_ref(), code: &token, user: None };
    let pending = email_proof::take(inner, shown).await?;
    enter(inner, pending, SignInMethod::MagicLink, workspace_id, client).await
}

/// What a link is for. Scanners of mail open links, so looking at one does not use it up.
pub(in crate::accounts) async fn look_at_link(inner: &Inner, token: &Secret) -> Result<MagicLink> {
    let (pending, expires_at) = email_proof::look_at_link(inner, Intent::MagicLink, token).await?;
    Ok(MagicLink { email: mail::masked(&pending.email), expires_at })
}

/// Lets in whoever has proved an address: as the user who has it now.
async fn enter(
    inner: &Arc<Inner>,
    pending: Pending,
    method: SignInMethod,
    workspace_id: Option<WorkspaceId>,
    client: Option<Client>,
) -> Result<SignIn> {
    let Pending { email, user_id, locale, .. } = pending;
    let found = store::user_by_email(inner.db()?, &email::identifier(&email)).await?.map(UserRow::into_user);
    match found {
        // The address may have got to somebody else meanwhile.
        Some(user) if user_id.is_none_or(|id| id == user.id) => {
            let user = verified::adopt(inner, user).await?;
            let ground = Ground::address(&email);
            complete(inner, Proved { user, method, ground, workspace_id, client, is_known_device: false }).await
        }
        None if user_id.is_none() && inner.email_proofs.signs_up => {
            let session = sign_up::register(inner, Registration::verified(email, locale), method, client).await?;
            Ok(SignIn::SignedIn { session })
        }
        _ => Err(email_proof::spent()),
    }
}
