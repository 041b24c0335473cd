//! A mail to try the installation's mail with.

use super::{MailDelivery, MailKind, NewMail, Template, prepare, store};
use crate::Result;
use crate::atom::Inner;
use std::sync::Arc;

pub(super) async fn run(inner: &Arc<Inner>, to: String, kind: MailKind, locale: Option<String>) -> Result<MailDelivery> {
    let [template, _] = Template::samples(kind);
    let new = NewMail { template, locale, to, name: None, user: None, workspace: None };
    let prepared = prepare(inner, new).await?;
    let mut tx = inner.db()?.begin().await?;
    let id = prepared.queue(&mut tx).await?;
    tx.commit().await?;
    inner.mail.tried(id).await;
    store::get(inner.db()?, id).await
}
