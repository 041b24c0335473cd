//! Verify the address that a user has.

use super::EmailAddress;
use crate::accounts::email_proof::{self, Intent, NewFlow, PendingCode, Shown};
use crate::accounts::{User, email, mail_limits, verified};
use crate::{Error, ErrorKind, Result, Secret};

pub(super) async fn request(address: &EmailAddress) -> Result<PendingCode> {
    let inner = &address.inner;
    address.standing().await?;
    let user = address.user().await?;
    if user.email_verified {
        return Err(Error::new(ErrorKind::Conflict, "email_verified", "the address is verified already"));
    }
    mail_limits::count_for_user(inner, user.id).await?;
    Ok(email_proof::begin(inner, NewFlow::of(Intent::VerifyEmail, &user)).await?.into())
}

pub(super) async fn run(address: &EmailAddress, code: &Secret, flow: Option<&Secret>) -> Result<User> {
    let inner = &address.inner;
    let principal = address.standing().await?;
    let shown = Shown { intent: Intent::VerifyEmail, flow, code, user: Some(principal.user_id) };
    let pending = email_proof::take(inner, shown).await?;
    let user = address.user().await?;
    // What was proved is the address of then.
    if email::identifier(&user.email) != email::identifier(&pending.email) {
        return Err(email_proof::spent());
    }
    verified::mark(inner, user, principal.workspace_id, principal.session_id).await
}
