//! Give a user another address.

use super::EmailAddress;
use crate::accounts::email_proof::{self, Intent, Letter, NewFlow, PendingCode, Shown};
use crate::accounts::mail_limits::Asker;
use crate::accounts::store::{self, NewAddress};
use crate::accounts::{User, email, mail_limits, notice, sessions, step_up};
use crate::audit::{self, AuditAction, Entry};
use crate::events::{self, UserEmailChanged};
use crate::mail::Template;
use crate::mail::templates::{AccountExists, EmailChangeRequested, EmailChanged};
use crate::{Error, ErrorKind, Result, Secret};

pub(super) async fn request(address: &EmailAddress, new_email: &str) -> Result<PendingCode> {
    let inner = &address.inner;
    step_up::require(inner, &address.principal).await?;
    let canonical = email::canonical(new_email)?;
    let user = address.user().await?;
    if canonical == email::identifier(&user.email) {
        return Err(Error::invalid("same_email", "this is the address that the user has: give another one"));
    }
    mail_limits::count_for_user(inner, user.id).await?;
    mail_limits::count(inner, &canonical, &Asker::default()).await?;
    let now = inner.now();
    let is_taken = store::user_by_email(inner.db()?, &canonical).await?.is_some();
    let letter = if is_taken { Letter::Notice(Template::AccountExists(AccountExists { at: now })) } else { Letter::Proof };
    let requested = EmailChangeRequested { at: now, new_email: new_email.to_owned() };
    let notice = notice::prepare(inner, &user, Template::EmailChangeRequested(requested)).await?;
    let new = NewFlow { user: Some(&user), letter, notice, ..NewFlow::to(Intent::ChangeEmail, new_email) };
    Ok(email_proof::begin(inner, new).await?.into())
}

pub(super) async fn confirm(address: &EmailAddress, code: &Secret, flow: Option<&Secret>) -> Result<User> {
    let inner = &address.inner;
    let principal = address.standing().await?;
    let shown = Shown { intent: Intent::ChangeEmail, flow, code, user: Some(principal.user_id) };
    let new_email = email_proof::take(inner, shown).await?.email;
    let (user, now) = (address.user().await?, inner.now());
    let old = email::identifier(&user.email);
    let changed = EmailChanged { at: now, new_email: new_email.clone() };
    let notice = notice::prepare(inner, &user, Template::EmailChanged(changed)).await?;

    let mut tx = inner.db()?.begin_durable().await?;
    sessions::hold(&mut tx, &principal).await?;
    let new = NewAddress { before: &old, email: &new_email, canonical: &email::canonical(&new_email)? };
    let is_changed = store::change_email(&mut tx, user.id, new, now).await.map_err(|error| match error.kind() {
        ErrorKind::Conflict => Error::new(
            ErrorKind::Conflict,
            "email_taken",
            "another account has got this address meanwhile: use that, or another address",
        ),
        _ => error,
    })?;
    if !is_changed {
        // Another change came first.
        return Err(email_proof::spent());
    }
    email_proof::end_all(inner, &mut tx, &old, now).await?;
    let (actor, subject) = (principal.actor(), Some(user.id.to_string()));
    let entry = Entry { workspace: principal.workspace_id, actor, action: AuditAction::EmailChanged, subject, details: &[] };
    audit::append(&mut tx, entry, now).await?;
    events::append(&mut tx, principal.workspace_id, UserEmailChanged { user_id: user.id }, now).await?;
    if let Some(notice) = notice {
        notice.queue(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(User { email: new_email, email_verified: true, ..user })
}
