//! Codes and links that are mailed: what they prove, and what nobody can do with them.

mod addresses;
mod adoption;
mod codes;
mod links;
mod races;
mod secrecy;
mod sign_up;

use crate::sessions::client;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A mailbox for all addresses.
#[derive(Clone, Default)]
pub(crate) struct Inbox(Arc<Mutex<Vec<OutgoingMail>>>);

impl MailSender for Inbox {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<MailReceipt>> {
        Box::pin(async move {
            self.0.lock().unwrap().push(mail.clone());
            Ok(MailReceipt { receipt_id: None })
        })
    }
}

impl Inbox {
    pub(crate) fn on(&self, builder: Builder) -> Builder {
        let builder = builder.app_name("Acme").app_url("https://acme.example").mail_from("no-reply@acme.example");
        builder.mail_sender(self.clone())
    }

    /// Takes the next mail of a kind to an address out, when it has come.
    pub(crate) async fn next(&self, to: &str, kind: MailKind) -> OutgoingMail {
        let began = Instant::now();
        loop {
            {
                let mut mails = self.0.lock().unwrap();
                if let Some(i) = mails.iter().position(|mail| mail.to == to && mail.kind == kind) {
                    return mails.remove(i);
                }
            }
            assert!(began.elapsed() < Duration::from_secs(60), "no {kind:?} came to {to}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) async fn code(&self, to: &str, kind: MailKind) -> Secret {
        code_of(&self.next(to, kind).await)
    }

    pub(crate) async fn token(&self, to: &str, kind: MailKind) -> Secret {
        token_of(&self.next(to, kind).await)
    }
}

/// The code that stands in a mail.
pub(crate) fn code_of(mail: &OutgoingMail) -> Secret {
    let words = mail.text.split_whitespace();
    let code = words.into_iter().find(|word| word.len() == 8 && word.bytes().all(|b| b.is_ascii_digit()));
    code.expect("a code").into()
}

/// The token of the link in a mail.
pub(crate) fn token_of(mail: &OutgoingMail) -> Secret {
    let (_, token) = mail.text.split_once("?token=").expect("a link");
    token.split_whitespace().next().unwrap().into()
}

/// An installation with a mailbox for everyone, and a clock.
struct Post {
    atom: Atom,
    inbox: Inbox,
    clock: TestClock,
}

impl Post {
    async fn open(database: &Database) -> Self {
        Self::open_with(database, |builder| builder).await
    }

    async fn open_with(database: &Database, options: impl FnOnce(Builder) -> Builder) -> Self {
        let (inbox, clock) = (Inbox::default(), TestClock::stopped());
        let atom = options(inbox.on(database.builder()).clock(clock.clone())).open().await.unwrap();
        Self { atom, inbox, clock }
    }

    fn accounts(&self) -> Accounts {
        self.atom.accounts()
    }

    async fn request_code(&self, email: &str) -> PendingCode {
        self.accounts().request_code(at(email)).await.unwrap()
    }

    /// Signs in with a code.
    async fn sign_in(&self, email: &str) -> Session {
        let pending = self.request_code(email).await;
        let code = self.inbox.code(email, MailKind::SignInCode).await;
        self.accounts().sign_in_with_code(proof(&pending.flow_token, &code)).await.unwrap().signed_in().unwrap()
    }

    async fn scope(&self, session: &Session) -> Scope {
        self.atom.authenticate(session.access_token.clone()).await.unwrap()
    }

    /// How many mails there are of a kind.
    async fn mails(&self, kind: MailKind) -> usize {
        let filter = MailDeliveryFilter { kind: Some(kind), ..Default::default() };
        self.atom.mail().list(filter).await.unwrap().items.len()
    }
}

fn at(email: &str) -> EmailSignIn {
    EmailSignIn { email: email.into(), ..Default::default() }
}

fn proof(flow_token: &Secret, code: &Secret) -> EmailProof {
    EmailProof { flow_token: flow_token.clone(), code: code.clone(), ..Default::default() }
}

/// A code that it is not.
fn another(code: &Secret) -> Secret {
    let number: u32 = code.expose().parse().unwrap();
    format!("{:08}", (number + 1) % 100_000_000).into()
}

fn refused(result: Result<SignIn>) -> (ErrorKind, &'static str) {
    let error = result.err().expect("refused");
    (error.kind(), error.reason())
}

const WRONG: (ErrorKind, &str) = (ErrorKind::Unauthenticated, "wrong_code");
const SPENT: (ErrorKind, &str) = (ErrorKind::Unauthenticated, "proof_spent");
