//! The mail that Atom sends: codes, links, invitations and notices.
//!
//! A mail is queued in the transaction of the act that it tells of ([`prepare`], [`Prepared::queue`](queue::Prepared::queue)), so that there is
//! one exactly if there was the act. It is a row with the rendered mail as a sealed record, because it holds a secret; when it was sent or has
//! failed, that is erased. The row is its own queue: the process that wrote it makes the first attempt ([`deliver`]) and has a lease for it, so
//! that in nearly all cases there is no job at all. One is made where the first attempt fails or its process dies ([`upkeep`]).

mod address;
mod deliver;
mod later;
mod model;
mod queue;
mod report;
mod send_test;
mod sender;
mod settings;
mod smtp;
mod store;
pub(crate) mod templates;
mod upkeep;

pub(crate) use address::masked;
pub(crate) use deliver::{handler, kind};
pub(crate) use later::later;
pub use model::{
    MailDelivery, MailDeliveryFilter, MailDeliveryPage, MailDeliveryState, MailKind, MailPreview, MailReport, MailTemplate,
    OutgoingMail, SmtpOptions, SmtpSecurity,
};
pub(crate) use queue::{NewMail, Prepared, prepare};
#[cfg(any(feature = "python", feature = "node", feature = "mobile"))]
pub(crate) use sender::failed;
pub use sender::{HostMailSender, MailReceipt, MailSender};
pub(crate) use settings::Outbox;
pub(crate) use store::{forget_user, of_user};
pub(crate) use templates::Template;
pub(crate) use upkeep::{CHORE, sweep};

use crate::atom::Inner;
use crate::crypto::{INSTALLATION, Place};
use crate::{MailId, Result};
use atom_macros::{api, handle};
use std::sync::Arc;

/// The kind of the jobs that make attempts.
const KIND: &str = "atom.mail";

/// Where a mail is sealed. It is the installation's and no workspace's: many are to people who are in none.
fn place(id: &MailId) -> Place<'_> {
    Place { workspace: INSTALLATION, table: "atom_mails", row: id.0.as_bytes(), field: "sealed", version: 1 }
}

/// The mail of the installation, for its operator: what became of it, and a way to try it.
///
/// The first attempt at a mail is made at once by the process that queued it, without a worker. Further attempts need a worker, in a process
/// that was opened with the same way to send mail: with growing delays, for more than two hours, and never after what the mail says is no longer true.
///
/// ```
/// use atom_core::{Atom, BoxFuture, LocalKey, MailDeliveryFilter, MailKind, MailReceipt, MailSender, OutgoingMail, Result};
///
/// struct Console;
///
/// impl MailSender for Console {
///     fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<MailReceipt>> {
///         Box::pin(async move { Ok(MailReceipt { receipt_id: Some(format!("console-{}", mail.id)) }) })
///     }
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let atom = Atom::builder("memory:")
///     .app_name("Acme")
///     .app_url("https://acme.example")
///     .mail_from("Acme <no-reply@acme.example>")
///     .mail_sender(Console)
///     .open()
///     .await?;
/// let sent = atom.mail().send_test("ada@example.com".into(), MailKind::SignInCode, None).await?;
/// assert_eq!((sent.state.as_str(), sent.to.as_str()), ("sent", "a***@example.com"));
/// assert_eq!(atom.mail().list(MailDeliveryFilter::default()).await?.items, [sent]);
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Mail {
    pub(crate) inner: Arc<Inner>,
}

#[api]
impl Mail {
    /// What became of the mails, newest first, a page at a time. They are kept for `keep_mail_days`.
    ///
    /// Fails with `invalid` (`malformed_page_size`, `malformed_cursor`).
    pub async fn list(&self, filter: MailDeliveryFilter) -> Result<MailDeliveryPage> {
        store::list(self.inner.db()?, &filter).await
    }

    /// What became of one mail. Fails with `not_found`.
    pub async fn get(&self, id: MailId) -> Result<MailDelivery> {
        store::get(self.inner.db()?, id).await
    }

    /// Takes what a service says about a mail that it took: it came back, or its recipient called it spam. Call it where the service's webhook
    /// arrives, after you have verified that. The first report counts; another changes nothing. The mail's workspace gets the event `mail.bounced`.
    ///
    /// Fails with `not_found` (no mail of this installation, or one that is forgotten) or `invalid` (`malformed_mail_report`).
    pub async fn report(&self, report: MailReport) -> Result<MailDelivery> {
        report::run(&self.inner, report).await
    }

    /// A mail as its recipient would see it, with made-up data: to look at templates.
    ///
    /// Fails with `unsupported` (`mail_not_configured`).
    pub async fn preview(&self, kind: MailKind, locale: Option<String>) -> Result<MailPreview> {
        let [sample, _] = Template::samples(kind);
        self.inner.mail.settings()?.render(&sample, locale.as_deref(), Some("Ada"))
    }

    /// Sends a mail with made-up data to an address, as every other mail is sent, and returns what came of the first attempt: to try the
    /// configuration. The codes and links in it are good for nothing.
    ///
    /// Fails with `unsupported` (`mail_not_configured`) or `invalid` (`malformed_email`). A server that refuses is an outcome, not an error.
    pub async fn send_test(&self, to: String, kind: MailKind, locale: Option<String>) -> Result<MailDelivery> {
        send_test::run(&self.inner, to, kind, locale).await
    }
}
