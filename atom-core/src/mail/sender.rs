//! Who sends mail: the server of `smtp`, or the host.

use super::OutgoingMail;
use crate::crypto::BoxFuture;
use crate::{Error, Result};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// How long one attempt may take. The lease of a mail is twice as long.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a sender got for a mail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MailReceipt {
    /// What the service called the mail, so that its reports can be told apart: at most 200 characters.
    pub receipt_id: Option<String>,
}

/// Sends mail: through a service's API, a queue of the host's, a server of its own.
///
/// A mail may come again after a crash, under the same `id` and `Message-ID`: a service that takes an idempotency key gets the first. An error that is
/// retryable ([`Error::is_retryable`](crate::Error::is_retryable)) leaves the mail for another attempt; any other gives it up, so fail with
/// `unavailable` or `rate_limited` where the service is at fault and with `provider` or `invalid` where it refuses the mail. A sender that panics
/// or takes longer than 30 seconds is tried again (`mail_sender_failed`, `mail_sender_timeout`). An error's text is kept with the mail for the operator: put no
/// address and no part of the mail into it.
pub trait MailSender: Send + Sync + 'static {
    /// Makes one attempt.
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<MailReceipt>>;
}

/// A mail sender of the host's, behind a pointer: what `Atom.open_with_hooks` takes in every language.
///
/// In Python and JavaScript it is any object with a function `send`, plain or async, that gets an `OutgoingMail` and returns what the service called it, a text
/// or nothing; in Kotlin and Swift it implements `MailSender`. In Rust, [`Builder::mail_sender`](crate::Builder::mail_sender) takes the sender itself.
///
/// What such a function throws becomes `unavailable` (`mail_sender_failed`), with its class and without its text, and the mail is tried again, unless it is an
/// error of Atom: then its kind decides, as everywhere.
///
/// ```
/// use atom_core::{Atom, BoxFuture, HostMailSender, MailReceipt, MailSender, OpenOptions, OutgoingMail, Result};
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
/// let options = OpenOptions {
///     database_url: "memory:".into(),
///     app_url: Some("https://acme.example".into()),
///     mail_from: Some("Acme <no-reply@acme.example>".into()),
///     ..Default::default()
/// };
/// let atom = Atom::open_with_hooks(options, Default::default(), None, None, Some(HostMailSender::new(Console))).await?;
/// # drop(atom);
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct HostMailSender(pub(crate) Arc<dyn MailSender>);

impl HostMailSender {
    /// Wraps a sender of any type.
    pub fn new(sender: impl MailSender) -> Self {
        Self(Arc::new(sender))
    }
}

/// Makes one attempt. A sender may be the host's code: it may panic, or never come back.
pub(super) async fn send(sender: &dyn MailSender, mail: &OutgoingMail) -> Result<MailReceipt> {
    guarded(PATIENCE, async { sender.send(mail).await }).await
}

async fn guarded<T>(patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(patience, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Error::unavailable(FAILED, "the mail sender panicked: correct it; the mail is tried again")),
        Err(_) => {
            let text = format!("the mail was not taken within {patience:?}: it is tried again, and may arrive twice");
            Err(Error::unavailable("mail_sender_timeout", text))
        }
    }
}

const FAILED: &str = "mail_sender_failed";

/// A sender of another language threw something. Its text may hold the mail, so only its name is passed on.
#[cfg(any(feature = "python", feature = "node", feature = "mobile"))]
pub(crate) fn failed(thrown: &str) -> Error {
    let thrown: String = thrown.chars().filter(|c| !c.is_control()).take(100).collect();
    let text = format!("the host's mail sender failed ({thrown}): see the host's own log; the mail is tried again");
    Error::unavailable(FAILED, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[tokio::test]
    async fn a_sender_that_never_ends_or_panics_is_tried_again_and_its_own_error_passes() {
        let patience = Duration::from_millis(20);
        let error = guarded::<()>(patience, std::future::pending()).await.expect_err("too slow");
        assert_eq!((error.reason(), error.is_retryable()), ("mail_sender_timeout", true));
        let error = guarded::<()>(patience, async { panic!("a canary") }).await.expect_err("it panics");
        assert_eq!((error.reason(), error.is_retryable()), (FAILED, true));
        assert!(!error.to_string().contains("canary"));
        let own = Error::new(ErrorKind::Provider, "mailbox_unknown", "no such mailbox");
        let error = guarded::<()>(patience, async { Err(own) }).await.expect_err("its own");
        assert_eq!((error.reason(), error.is_retryable()), ("mailbox_unknown", false));
    }
}
