//! A process that dies with a mail in its hands: the mail is sent at least once, and its status is right.

use super::*;
use crate::process::{Assignment, Process, assignment, say, unwanted};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const PROCESS: &str = "mail::crash::process";

/// Where a process dies.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Dies {
    /// The server has the mail, and nobody has written that.
    AfterSending,
    /// The mail is queued, and nobody has tried it.
    BeforeSending,
}

#[derive(Clone, Serialize, Deserialize)]
struct Part {
    url: String,
    folder: PathBuf,
    dies: Dies,
}

impl Assignment for Part {
    fn test(&self) -> &'static str {
        PROCESS
    }

    fn number(&self) -> i64 {
        1
    }

    fn log(&self) -> std::fs::File {
        std::fs::File::options().create(true).append(true).open(self.folder.join("1.log")).unwrap()
    }
}

/// Says that it has a mail, and never returns.
struct Stuck(Dies);

impl MailSender for Stuck {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<MailReceipt>> {
        Box::pin(async move {
            if self.0 == Dies::AfterSending {
                say(format!("sent {} {}", mail.id, mail.headers["Message-ID"]));
            }
            std::future::pending().await
        })
    }
}

/// The other process: it queues a mail and is killed. Run among the other tests it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process() {
    let Some(Part { url, dies, .. }) = assignment::<Part>(PROCESS) else { return };
    let builder = Atom::builder(url).key(LocalKey::from_base64(&KEY.into()).unwrap());
    let builder = builder.app_url("https://acme.example").mail_from("no-reply@acme.example").mail_sender(Stuck(dies));
    let atom = builder.open().await.unwrap();
    let (_, scope) = sign_up(&atom, "bob@example.com").await;
    let id = queue_mail(&atom, &scope, "grace@example.com", true).await.unwrap();
    if dies == Dies::BeforeSending {
        say(format!("queued {id} -"));
    }
    unwanted().await;
}

/// The leases of the dead are over: a test does not wait for a minute.
pub(super) async fn lapse(database: &Database) {
    let sql = "UPDATE atom_mails SET lease_until = ";
    crate::support::sql(database, format!("{sql}0"), format!("{sql}'epoch'")).await;
}

async fn dies(database: &Database, dies: Dies) -> (Post, MailId, String) {
    let post = Post::open(database, [Answer::Take]).await;
    let part = Part { url: database.url.clone(), folder: database.folder.path().into(), dies };
    let mut process = Process::start(&part);
    let heard = process.hear().await;
    process.kill().await;
    let [_, id, message_id] = heard.split(' ').collect::<Vec<_>>().try_into().unwrap();
    (post, id.parse().unwrap(), message_id.to_owned())
}

on_both!(a_mail_of_a_process_killed_before_it_could_write_is_sent_again_under_the_same_name, |database| async move {
    let (post, id, message_id) = dies(&database, Dies::AfterSending).await;
    let mail = post.atom.mail().get(id).await.unwrap();
    assert_eq!((mail.state, mail.attempts), (MailDeliveryState::Queued, 1));
    worker(&post.atom).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(post.letters.taken().is_empty(), "the dead process has its lease");
    lapse(&database).await;
    let mail = post.until(id, is_over).await;
    assert_eq!((mail.state, mail.attempts), (MailDeliveryState::Sent, 2));
    let [sent] = post.letters.taken().try_into().ok().unwrap();
    assert_eq!((sent.id, sent.to.as_str()), (id, "grace@example.com"));
    assert_eq!(sent.headers["Message-ID"], message_id);
});

on_both!(a_mail_of_a_process_killed_before_it_could_send_is_sent, |database| async move {
    let (post, id, _) = dies(&database, Dies::BeforeSending).await;
    lapse(&database).await;
    worker(&post.atom).await;
    assert_eq!(post.until(id, is_over).await.state, MailDeliveryState::Sent);
    assert_eq!(post.letters.taken().len(), 1);
});

on_both!(an_attempt_that_has_lost_its_mail_writes_nothing, |database| async move {
    let post = Post::open(&database, [Answer::Dawdle(Duration::from_secs(3)), Answer::Refuse]).await;
    let id = post.queue("grace@example.com").await;
    post.until(id, |mail| mail.attempts == 1).await;
    // As if the process had been frozen for longer than its lease.
    lapse(&database).await;
    worker(&post.atom).await;
    let mail = post.until(id, is_over).await;
    assert_eq!((mail.state, mail.attempts), (MailDeliveryState::Failed, 2));
    let began = Instant::now();
    while post.letters.taken().len() < 2 && began.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(post.atom.mail().get(id).await.unwrap(), mail);
    assert_eq!(post.events().await.len(), 1);
});
