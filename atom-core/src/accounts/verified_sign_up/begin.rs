//! Begin to sign up: the account waits, sealed, until its address is proved.
//!
//! A taken address gets the same answer after the same work; its owner gets a mail that says so.

use crate::Result;
use crate::accounts::email_proof::{self, Intent, Letter, NewFlow, PendingVerification};
use crate::accounts::mail_limits::{self, Asker};
use crate::accounts::sign_up::{self, Registration};
use crate::accounts::{Client, NewAccount, email, store};
use crate::atom::Inner;
use crate::mail::Template;
use crate::mail::templates::AccountExists;
use std::sync::Arc;

pub(in crate::accounts) async fn run(inner: &Arc<Inner>, account: NewAccount) -> Result<PendingVerification> {
    let canonical = email::canonical(&account.email)?;
    sign_up::check(inner, &account).await?;
    let client = account.client.clone().map(Client::canonical).transpose()?.flatten();
    mail_limits::count(inner, &canonical, &Asker::new(client.as_ref(), None)).await?;
    let registration = Registration::new(inner, account).await?;
    let is_taken = store::user_by_email(inner.db()?, &canonical).await?.is_some();
    let exists = Template::AccountExists(AccountExists { at: inner.now() });
    let letter = if is_taken { Letter::Notice(exists) } else { Letter::Proof };
    let (email, locale) = (registration.email.clone(), registration.locale.clone());
    let new = NewFlow { locale, account: Some(registration), letter, ..NewFlow::to(Intent::SignUp, &email) };
    Ok(email_proof::begin(inner, new).await?.into())
}
