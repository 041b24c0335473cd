//! Mail that Kotlin, Swift and UniFFI's Python send.

use super::{AtomError, hook};
use crate::crypto::BoxFuture;
use crate::mail::{self, failed};
use crate::{HostMailSender, MailReceipt, OutgoingMail, Result};
use std::sync::Arc;

/// Sends mail: through a service's API, a queue, a server of the host's own.
#[::uniffi::export(with_foreign)]
#[::async_trait::async_trait]
pub trait MailSender: Send + Sync {
    /// Makes one attempt, and returns what the service called the mail, if it said so. A mail may come again after a crash, under the same `id`.
    ///
    /// What is thrown becomes `Unavailable` (`mail_sender_failed`) with its class and without its text, and the mail is tried again; so it is
    /// after 30 seconds. An error of Atom that is thrown is kept as it is: one that is not retryable gives the mail up.
    async fn send(&self, mail: OutgoingMail) -> Result<Option<String>, AtomError>;
}

::uniffi::custom_type!(HostMailSender, Arc<dyn MailSender>, {
    lower: |sender| Arc::new(sender),
    try_lift: |foreign| Ok(HostMailSender::new(Foreign(foreign)))
});

/// A sender that came from Rust can be used from elsewhere.
#[::async_trait::async_trait]
impl MailSender for HostMailSender {
    async fn send(&self, mail: OutgoingMail) -> Result<Option<String>, AtomError> {
        Ok(self.0.send(&mail).await?.receipt_id)
    }
}

struct Foreign(Arc<dyn MailSender>);

impl mail::MailSender for Foreign {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<MailReceipt>> {
        Box::pin(async move {
            let receipt_id = self.0.send(mail.clone()).await.map_err(|thrown| hook::error(&thrown, failed))?;
            Ok(MailReceipt { receipt_id })
        })
    }
}

/// What a `MailSender` throws for a failure that is none of Atom's, by the name of its class.
#[::uniffi::export]
pub fn mail_error(thrown: &str) -> AtomError {
    failed(thrown).into()
}
