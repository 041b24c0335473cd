//! Queueing a mail in the transaction of the act that it tells of.

use super::deliver::First;
use super::store::{self, NewRow};
use super::templates::Template;
use super::{OutgoingMail, address, place};
use crate::atom::Inner;
use crate::storage::Tx;
use crate::{Error, MailId, Result, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::runtime::Handle;

/// A mail to be sent.
pub(crate) struct NewMail {
    pub(crate) template: Template,
    /// The language, as the user or the browser said it; anything that there is no text for is English.
    pub(crate) locale: Option<String>,
    /// The address, and nothing else.
    pub(crate) to: String,
    /// How the recipient is called.
    pub(crate) name: Option<String>,
    pub(crate) user: Option<UserId>,
    pub(crate) workspace: Option<WorkspaceId>,
}

/// A mail that is rendered and sealed, and not queued yet.
pub(crate) struct Prepared {
    inner: Arc<Inner>,
    row: NewRow,
    mail: OutgoingMail,
}

/// What is sealed of a mail: all that only its sender may see. The rest is in the row, or the same for all.
#[derive(Serialize, Deserialize)]
pub(super) struct Body {
    to: String,
    subject: String,
    text: String,
    html: Option<String>,
}

impl Body {
    /// The mail as it goes out.
    pub(super) fn into_mail(self, row: &store::Known, inner: &Inner) -> Result<OutgoingMail> {
        let settings = inner.mail.settings()?;
        let Self { to, subject, text, html } = self;
        let headers = HashMap::from([
            ("Message-ID".to_owned(), format!("<{}@{}>", row.id.0.simple(), settings.domain)),
            ("Auto-Submitted".to_owned(), "auto-generated".to_owned()),
        ]);
        let (sender, reply_to) = (settings.from.clone(), settings.reply_to.clone());
        Ok(OutgoingMail { id: row.id, kind: row.kind, sender, to, reply_to, subject, text, html, headers })
    }
}

/// Renders and seals a mail. It comes before the transaction, because sealing may have to count in the database; whether there is a
/// recipient makes no difference to how long it takes.
///
/// Fails with `unsupported` (`mail_not_configured`) and `invalid` (`malformed_email`), before anything has happened.
pub(crate) async fn prepare(inner: &Arc<Inner>, new: NewMail) -> Result<Prepared> {
    let NewMail { template, locale, to, name, user, workspace } = new;
    let settings = inner.mail.settings()?;
    let (id, kind, now) = (MailId::generate(), template.kind(), inner.now());
    let to = address::check(&to)?;
    let text = settings.render(&template, locale.as_deref(), name.as_deref())?;
    let masked = address::masked(&to);
    let body = Body { to, subject: text.subject, text: text.text, html: text.html };
    let plain = serde_json::to_vec(&body).map_err(|e| Error::internal("mail_body", "a mail cannot be written").with_source(e))?;
    let sealed = inner.keys.seal_record(inner.db()?, &place(&id), &zeroize::Zeroizing::new(plain)).await?;
    let known = store::Known { id, kind, user, workspace };
    let mail = body.into_mail(&known, inner)?;
    let row = NewRow { known, locale: text.locale, to: masked, sealed, created_at: now, expires_at: now + template.lifetime() };
    Ok(Prepared { inner: Arc::clone(inner), row, mail })
}

impl Prepared {
    /// Stores the mail in the transaction of the act. When that commits, the first attempt is made at once, on a task of its own: an application without
    /// a worker sends its mail, too. When it does not, nothing is sent.
    pub(crate) async fn queue(self, tx: &mut Tx) -> Result<MailId> {
        let Self { inner, row, mail } = self;
        store::insert(tx, &row).await?;
        let (runtime, first) = (Handle::current(), First::new(inner, mail));
        // However the transaction ends: the attempt looks whether the mail is there.
        tx.at_end(move || drop(runtime.spawn(first.run())));
        Ok(row.known.id)
    }
}
