//! Notices: mails that tell users what was done with their account.

use super::User;
use crate::Result;
use crate::atom::Inner;
use crate::mail::{self, NewMail, Prepared, Template};
use std::sync::Arc;

/// Prepares a notice to the address that a user has now: queue it in the transaction of the act. There is none where the installation sends no
/// mail, and nothing is less done for that.
pub(super) async fn prepare(inner: &Arc<Inner>, user: &User, template: Template) -> Result<Option<Prepared>> {
    if !inner.mail.is_configured() {
        tracing::debug!(user.id = %user.id, "no mail is configured, so a notice was not sent");
        return Ok(None);
    }
    let (locale, name) = (user.locale.clone(), user.display_name.clone());
    let mail = NewMail { template, locale, to: user.email.clone(), name, user: Some(user.id), workspace: None };
    mail::prepare(inner, mail).await.map(Some)
}
