//! Mail about a workspace, for tests of how it is sent.

use crate::mail::templates::{Invite, Template};
use crate::mail::{NewMail, prepare};
use crate::{Atom, MailId, Result, Scope};

/// Queues an invitation into the scope's workspace, to its user, in a transaction that commits or does not.
///
/// # Errors
/// `unsupported` (`mail_not_configured`), `invalid` (`malformed_email`) and those of the database.
pub async fn queue_mail(atom: &Atom, scope: &Scope, to: &str, commits: bool) -> Result<MailId> {
    let (inner, principal) = (atom.inner(), scope.principal());
    let invite = Invite {
        token: "canary-token".into(),
        minutes: 7 * 24 * 60,
        inviter: "Ada Lovelace".into(),
        workspace: "Engines".into(),
        role: "member".into(),
    };
    let new = NewMail {
        template: Template::Invite(invite),
        locale: None,
        to: to.to_owned(),
        name: None,
        user: Some(principal.user_id),
        workspace: Some(principal.workspace_id),
    };
    let prepared = prepare(&inner, new).await?;
    let mut tx = inner.db()?.begin().await?;
    let id = prepared.queue(&mut tx).await?;
    if commits {
        tx.commit().await?;
    }
    Ok(id)
}
