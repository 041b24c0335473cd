//! The link for somebody who has forgotten their password.

use super::{PasswordResetRequest, reset, store};
use crate::accounts::mail_limits::{self, Asker};
use crate::accounts::store as people;
use crate::accounts::{Client, email};
use crate::atom::Inner;
use crate::crypto::{base64url, random};
use crate::mail::templates::ResetPassword;
use crate::mail::{self, NewMail, Template};
use crate::storage::once::bump_counter;
use crate::{ErrorKind, Result, Secret};
use std::sync::Arc;

/// How many links an address gets in the time that one is valid. Then the last one still is, so that nobody who floods a mailbox keeps its owner out.
const MOST: i64 = 5;

/// Mails a link, after this has returned: how long it takes does not tell whether there is somebody with the address.
pub(in crate::accounts) async fn run(inner: &Arc<Inner>, request: PasswordResetRequest) -> Result<()> {
    inner.mail.check_configured()?;
    let client = request.client.map(Client::canonical).transpose()?.flatten();
    let address = email::identifier(&request.email);
    mail_limits::count_from(inner, &address, &Asker::new(client.as_ref(), None)).await?;
    let owned = Arc::clone(inner);
    mail::later(inner, async move { send(&owned, &address, request.locale).await });
    Ok(())
}

async fn send(inner: &Arc<Inner>, address: &str, locale: Option<String>) -> Result<()> {
    let (db, now, settings) = (inner.db()?, inner.now(), &inner.passwords);
    let Some(row) = people::user_by_email(db, address).await?.filter(|row| row.disabled_at.is_none()) else { return Ok(()) };
    match bump_counter(db, &format!("password reset of {}", row.id), MOST, settings.reset_life(), now).await {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::RateLimited => return Ok(()),
        Err(error) => return Err(error),
    }
    let token = Secret::from(base64url(random::<32>()?));
    let (token_hash, binding_hash) = (reset::hash(&token), reset::binding(&row));
    let user = row.into_user();
    let template = Template::ResetPassword(ResetPassword { token, minutes: settings.reset_minutes });
    let (locale, name) = (user.locale.or(locale), user.display_name);
    // To the canonical form, which the link proves: another spelling of it may be somebody else's mailbox.
    let mail = NewMail { template, locale, to: address.to_owned(), name, user: Some(user.id), workspace: None };
    let mail = mail::prepare(inner, mail).await?;
    let mut tx = db.begin().await?;
    store::issue_reset(&mut tx, user.id, &token_hash, &binding_hash, now + settings.reset_life()).await?;
    mail.queue(&mut tx).await?;
    tx.commit().await
}
