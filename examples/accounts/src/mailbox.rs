//! The mailboxes of everybody in this example. Yours are behind a mail server: `Builder::smtp`.

use atom_core::{BoxFuture, MailKind, MailReceipt, MailSender, OutgoingMail, Result, Secret};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};

/// What Atom sends its mail with, and where the example reads it.
#[derive(Clone)]
pub(crate) struct Mailbox {
    sent: mpsc::UnboundedSender<OutgoingMail>,
    come: Arc<Mutex<mpsc::UnboundedReceiver<OutgoingMail>>>,
}

impl Mailbox {
    pub(crate) fn new() -> Self {
        let (sent, come) = mpsc::unbounded_channel();
        Self { sent, come: Arc::new(Mutex::new(come)) }
    }

    /// Waits for a mail of a kind, and prints what comes.
    pub(crate) async fn read(&self, kind: MailKind) -> Letter {
        let mut come = self.come.lock().await;
        loop {
            let mail = come.recv().await.expect("the sender is part of this");
            println!("               mail to {}: \"{}\"", mail.to, mail.subject);
            if mail.kind == kind {
                return Letter(mail);
            }
        }
    }
}

impl MailSender for Mailbox {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<MailReceipt>> {
        Box::pin(async move {
            // Nobody reads any more when the example ends.
            let _ = self.sent.send(mail.clone());
            Ok(MailReceipt { receipt_id: None })
        })
    }
}

/// A mail that came.
pub(crate) struct Letter(OutgoingMail);

impl Letter {
    /// The code that its reader types.
    pub(crate) fn code(&self) -> Secret {
        let code = self.0.text.split_whitespace().find(|word| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit()));
        code.expect("a code").into()
    }

    /// The token of the link that its reader opens.
    pub(crate) fn token(&self) -> Secret {
        let (_, rest) = self.0.text.split_once("token=").expect("a link");
        rest.split_whitespace().next().expect("a token").into()
    }
}
