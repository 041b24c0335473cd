//! The mail of an installation: that it is sent once its act is committed, what becomes of it, and what nobody gets to see of it.

mod configuring;
mod crash;
mod log;
mod retries;
mod sending;

use crate::support::*;
use atom_core::testing::queue_mail;
use atom_core::*;
use chrono::TimeDelta;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What is done with a mail.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Take,
    /// Later, please.
    Defer,
    /// Never.
    Refuse,
    Panic,
    /// It takes so long.
    Dawdle(Duration),
}

/// A sender that keeps the letters and does with each what it was told, and what it was told last with all others.
#[derive(Clone)]
pub(crate) struct Letters {
    taken: Arc<Mutex<Vec<OutgoingMail>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Letters {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { taken: Arc::default(), answers: Arc::new(Mutex::new(answers.into_iter().collect())) }
    }

    /// An installation whose mail nobody takes.
    pub(crate) fn refusing(builder: Builder) -> Builder {
        Self::new([Answer::Defer]).on(builder)
    }

    /// Keeps all letters.
    pub(crate) fn taking() -> Self {
        Self::new([Answer::Take])
    }

    /// The last of so many letters of a kind, once they are here, and there must not be more.
    pub(crate) async fn nth(&self, kind: MailKind, count: usize) -> OutgoingMail {
        let of_kind = || self.taken().into_iter().filter(|letter| letter.kind == kind).collect::<Vec<_>>();
        for _ in 0..1000 {
            if of_kind().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut letters = of_kind();
        assert_eq!(letters.len(), count, "letters of {kind:?}");
        letters.pop().unwrap()
    }

    pub(crate) fn on(&self, builder: Builder) -> Builder {
        let builder = builder.app_name("Acme").app_url("https://acme.example").mail_from("Acme <no-reply@acme.example>");
        builder.mail_sender(self.clone())
    }

    pub(crate) fn taken(&self) -> Vec<OutgoingMail> {
        self.taken.lock().unwrap().clone()
    }
}

impl MailSender for Letters {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<MailReceipt>> {
        Box::pin(async move {
            let answer = {
                let mut answers = self.answers.lock().unwrap();
                if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0] }
            };
            if let Answer::Dawdle(time) = answer {
                tokio::time::sleep(time).await;
            }
            self.taken.lock().unwrap().push(mail.clone());
            match answer {
                Answer::Take | Answer::Dawdle(_) => Ok(MailReceipt { receipt_id: Some(format!("letter-{}", mail.id)) }),
                Answer::Defer => Err(Error::new(ErrorKind::Unavailable, "post_office_closed", "the post office is closed")),
                Answer::Refuse => Err(Error::new(ErrorKind::Provider, "mailbox_unknown", "there is no such mailbox")),
                Answer::Panic => panic!("the bag is torn"),
            }
        })
    }
}

/// Ada's installation and its post.
struct Post {
    atom: Atom,
    clock: TestClock,
    letters: Letters,
    scope: Scope,
    session: Session,
}

impl Post {
    async fn open(database: &Database, answers: impl IntoIterator<Item = Answer>) -> Self {
        let (letters, clock) = (Letters::new(answers), TestClock::new());
        let atom = letters.on(database.builder()).clock(clock.clone()).open().await.unwrap();
        let (session, scope) = sign_up(&atom, "ada@example.com").await;
        Self { atom, clock, letters, scope, session }
    }

    /// Queues a mail about Ada's workspace.
    async fn queue(&self, to: &str) -> MailId {
        queue_mail(&self.atom, &self.scope, to, true).await.unwrap()
    }

    /// Waits until a mail stands somewhere.
    async fn until(&self, id: MailId, fits: impl Fn(&MailDelivery) -> bool) -> MailDelivery {
        self.wait(id, fits, TimeDelta::zero()).await
    }

    /// Waits while hours pass.
    async fn in_time(&self, id: MailId, fits: impl Fn(&MailDelivery) -> bool) -> MailDelivery {
        self.wait(id, fits, TimeDelta::minutes(2)).await
    }

    async fn wait(&self, id: MailId, fits: impl Fn(&MailDelivery) -> bool, passes: TimeDelta) -> MailDelivery {
        let began = Instant::now();
        loop {
            let mail = self.atom.mail().get(id).await.unwrap();
            if fits(&mail) {
                return mail;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{mail:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.clock.advance(passes);
        }
    }

    async fn test(&self, kind: MailKind) -> MailDelivery {
        self.atom.mail().send_test("ada@example.com".into(), kind, None).await.unwrap()
    }

    async fn events(&self) -> Vec<Event> {
        let names = Some(vec!["mail.*".to_owned()]);
        self.scope.events().list(EventFilter { names, ..Default::default() }).await.unwrap().items
    }
}

/// A worker that looks after mail.
async fn worker(atom: &Atom) -> Worker {
    atom.start_worker(Default::default(), None).await.unwrap()
}

fn is_over(mail: &MailDelivery) -> bool {
    mail.state != MailDeliveryState::Queued
}

/// No text of the mail and no address is in the database.
async fn assert_nothing_left(database: &Database, canaries: &[&str]) {
    for text in dump(database).await {
        for canary in canaries {
            assert!(!text.contains(canary), "`{canary}` is in the database");
        }
    }
}
