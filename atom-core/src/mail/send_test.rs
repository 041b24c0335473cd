//! A mail to try the installation's mail with.

use super::queue::{NewMail, prepare};
use super::templates::Template;
use super::{MailDelivery, MailKind, store};
use crate::atom::Inner;
use crate::{Error, Result};
use std::sync::Arc;

pub(super) async fn run(inner: &Arc<Inner>, to: String, kind: MailKind, locale: Option<String>) -> Result<MailDelivery> {
    let [template, _] = Template::samples(kind);
    let new = NewMail { template, locale, to, name: None, user: None, workspace: None };
    let prepared = prepare(inner, new).await?;
    let (id, mut tx) = (prepared.id(), inner.db()?.begin().await?);
    let first = prepared.store(&mut tx).await?;
    tx.commit().await?;
    // On a task of its own: a caller that goes away must not cut an attempt off.
    tokio::spawn(first.run()).await.map_err(|e| Error::internal("mail_attempt", "the attempt ended early").with_source(e))?;
    store::get(inner.db()?, id).await
}
