//! The begin of a flow.

use super::{Intent, Pending, PendingCode, PendingMagicLink, PendingVerification, code, store};
use super::{address_hash, code_hash, flow_hash, link_hash, place};
use crate::accounts::mail_limits::Asker;
use crate::accounts::sign_up::Registration;
use crate::accounts::{SignInMethod, User, email};
use crate::atom::Inner;
use crate::mail::templates::{MagicLink, SignInCode, VerifyEmail};
use crate::mail::{self, NewMail, Prepared, Template};
use crate::{Result, Secret, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// A flow to begin.
pub(in crate::accounts) struct NewFlow<'a> {
    pub(in crate::accounts) intent: Intent,
    /// The address to prove, as it was typed.
    pub(in crate::accounts) email: &'a str,
    /// Whose flow it is.
    pub(in crate::accounts) user: Option<&'a User>,
    /// What they have shown before.
    pub(in crate::accounts) method: Option<SignInMethod>,
    /// Who asks for it: one asker's does not take the place of another's.
    pub(in crate::accounts) asker: Asker,
    pub(in crate::accounts) workspace_id: Option<WorkspaceId>,
    /// The language that was named. Default: the user's.
    pub(in crate::accounts) locale: Option<String>,
    pub(in crate::accounts) account: Option<Registration>,
    pub(in crate::accounts) letter: Letter,
    /// What else is mailed with it.
    pub(in crate::accounts) notice: Option<Prepared>,
}

impl<'a> NewFlow<'a> {
    /// Proves the address that a user has.
    pub(in crate::accounts) fn of(intent: Intent, user: &'a User) -> Self {
        Self { user: Some(user), ..Self::to(intent, &user.email) }
    }

    /// Proves an address.
    pub(in crate::accounts) fn to(intent: Intent, email: &'a str) -> Self {
        let letter = Letter::Proof;
        let (user, method, asker) = (None, None, Asker::default());
        Self { intent, email, user, method, asker, workspace_id: None, locale: None, account: None, letter, notice: None }
    }
}

/// What goes to the address.
pub(in crate::accounts) enum Letter {
    /// What proves it.
    Proof,
    /// Something else: nobody can take the flow.
    Notice(Template),
    /// Nothing at all, which takes as long.
    Nothing,
}

/// A flow that has begun.
pub(in crate::accounts) struct Begun {
    flow_token: Secret,
    expires_at: DateTime<Utc>,
}

impl From<Begun> for PendingCode {
    fn from(Begun { flow_token, expires_at }: Begun) -> Self {
        Self { flow_token, expires_at }
    }
}

impl From<Begun> for PendingMagicLink {
    fn from(Begun { flow_token, expires_at }: Begun) -> Self {
        Self { flow_token, expires_at }
    }
}

impl From<Begun> for PendingVerification {
    fn from(Begun { flow_token, expires_at }: Begun) -> Self {
        Self { flow_token, expires_at }
    }
}

/// Stores a flow and mails what proves it. The one before it, of the same intent, ends.
///
/// Fails with `unsupported` (`mail_not_configured`) or `invalid` (`malformed_email`).
pub(in crate::accounts) async fn run(inner: &Arc<Inner>, new: NewFlow<'_>) -> Result<Begun> {
    let NewFlow { intent, email, user, method, asker, workspace_id, locale, account, letter, notice } = new;
    let (db, now) = (inner.db()?, inner.now());
    let (flow_token, link, code) = (code::flow()?, code::link()?, code::code()?);
    let canonical = email::identifier(email);
    let address = address_hash(inner, &canonical);
    let flow = flow_hash(inner, &flow_token);
    let user_id = user.map(|user| user.id);
    let minutes = inner.email_proofs.minutes(intent);
    let expires_at = now + TimeDelta::minutes(minutes);

    let locale = locale.or_else(|| user.and_then(|user| user.locale.clone()));
    let pending = Pending { email: email.trim().to_owned(), user_id, method, workspace_id, locale: locale.clone(), account };
    let row = store::NewRow {
        flow,
        intent,
        address,
        asker: asker.hash(inner),
        user: user_id,
        code: intent.has_code().then(|| code_hash(inner, intent, &address, &flow, code.expose())),
        link: intent.has_link().then(|| link_hash(inner, &link)),
        sealed: inner.keys.seal_record(db, &place(&flow), &pending.plain()?).await?,
        created_at: now,
        expires_at,
    };
    let (is_mailed, template) = match letter {
        Letter::Proof => (true, proof(intent, code, link, minutes)),
        Letter::Notice(template) => (true, template),
        Letter::Nothing => (false, proof(intent, code, link, minutes)),
    };
    let mail = mail::prepare(inner, mail_to(canonical, intent, user, template, locale)).await?;

    let mut tx = db.begin().await?;
    store::replace(&mut tx, &row).await?;
    store::insert(&mut tx, &row).await?;
    if is_mailed {
        mail.queue(&mut tx).await?;
    }
    if let Some(notice) = notice {
        notice.queue(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(Begun { flow_token, expires_at })
}

/// The mail goes to the canonical form, which is what is proved: another spelling of it may be another mailbox.
fn mail_to(to: String, intent: Intent, user: Option<&User>, template: Template, locale: Option<String>) -> NewMail {
    // A name goes only where its user is known to read: whoever enters an address chooses what is written there.
    let is_known = matches!(intent, Intent::SignInCode | Intent::MagicLink | Intent::StepUp);
    let name = user.filter(|user| is_known && user.email_verified).and_then(|user| user.display_name.clone());
    let user: Option<UserId> = user.map(|user| user.id);
    NewMail { template, locale, to, name, user, workspace: None }
}

/// The mail that proves an address.
fn proof(intent: Intent, code: Secret, link: Secret, minutes: i64) -> Template {
    match intent {
        Intent::SignInCode | Intent::StepUp => Template::SignInCode(SignInCode { code, minutes }),
        Intent::MagicLink => Template::MagicLink(MagicLink { token: link, minutes }),
        Intent::SignUp | Intent::FinishSignIn | Intent::VerifyEmail | Intent::ChangeEmail => {
            Template::VerifyEmail(VerifyEmail { token: link, code: Some(code), minutes })
        }
    }
}
