//! Mail through a server that someone else wrote: encrypted, with a sign-in, and with every fault that a server can have.

use super::browser::http;
use super::server::{Server, Visit};
use super::skipped;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use serde_json::Value;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The mail servers, and what they have taken.
struct Post {
    visit: Visit,
    about: Value,
}

impl Post {
    async fn find() -> Option<Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        let Some(server) = SERVER.get_or_init(|| Server::start("smtp.py")) else {
            skipped();
            return None;
        };
        let visit = Visit(server);
        let about = http().get(&server.url).send().await.unwrap().text().await.unwrap();
        Some(Self { visit, about: serde_json::from_str(&about).unwrap() })
    }

    /// One of the servers: `plain`, `ascii`, `start_tls`, `tls`.
    fn server(&self, which: &str) -> SmtpOptions {
        let port = i32::try_from(self.about["ports"][which].as_i64().unwrap()).unwrap();
        let is_encrypted = which.ends_with("tls");
        let authority = self.about["authority"].as_str().unwrap().to_owned();
        let security = match which {
            "start_tls" => SmtpSecurity::StartTls,
            "tls" => SmtpSecurity::Tls,
            _ => SmtpSecurity::Plain,
        };
        SmtpOptions {
            host: "localhost".into(),
            port: Some(port),
            security: Some(security),
            user_name: is_encrypted.then(|| "acme".into()),
            password: is_encrypted.then(|| "a password".into()),
            ca_certificate: is_encrypted.then_some(authority),
            hello_name: None,
        }
    }

    /// What was taken for an address.
    async fn taken(&self, to: &str) -> Vec<Value> {
        let mails = http().get(format!("{}/mails", self.visit.0.url)).send().await.unwrap().text().await.unwrap();
        let mails: Vec<Value> = serde_json::from_str(&mails).unwrap();
        mails.into_iter().filter(|mail| mail["to"][0] == to).collect()
    }
}

fn builder(database: &Database, smtp: SmtpOptions) -> Builder {
    let from = "\"Acme, \\\"Inc\\\" – Grüße\" <no-reply@acme.example>";
    database.builder().app_name("Acme").app_url("https://acme.example").mail_from(from).smtp(smtp)
}

async fn send(smtp: SmtpOptions, to: &str) -> MailDelivery {
    let database = Database::sqlite();
    let atom = builder(&database, smtp).open().await.unwrap();
    let mail = atom.mail().send_test(to.into(), MailKind::Invite, None).await.unwrap();
    atom.shut_down().await.unwrap();
    mail
}

fn address(name: &str) -> String {
    format!("{name}@{}.example.com", uuid::Uuid::now_v7().simple())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_arrives_encrypted_and_signed_in_with_both_texts() {
    let Some(post) = Post::find().await else { return };
    for (which, is_encrypted) in [("start_tls", true), ("tls", true), ("plain", false)] {
        let to = address("ada");
        let mail = send(post.server(which), &to).await;
        assert_eq!((mail.state, mail.reason.as_deref()), (MailDeliveryState::Sent, None), "{which}: {:?}", mail.explanation);
        assert!(mail.receipt_id.as_deref().is_some_and(|id| id.ends_with("A7")), "{which}: {:?}", mail.receipt_id);
        let [taken] = post.taken(&to).await.try_into().ok().unwrap();
        assert_eq!((&taken["encrypted"], &taken["signed_in"]), (&is_encrypted.into(), &is_encrypted.into()), "{which}");
        assert_eq!(taken["from"], "no-reply@acme.example");
        let data = taken["data"].as_str().unwrap();
        for header in [
            "Message-ID: <",
            "Auto-Submitted: auto-generated",
            "Date: ",
            "Subject: Ada Lovelace invites you",
            "MIME-Version: 1.0",
        ] {
            assert!(data.contains(header), "no {header} in\n{data}");
        }
        assert!(data.contains("text/plain") && data.contains("text/html"), "{data}");
        assert!(data.contains(&mail.id.to_string().replace('-', "")), "{data}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_be_trusted_gets_neither_the_password_nor_the_mail() {
    let Some(post) = Post::find().await else { return };
    let to = address("ada");
    let strange = SmtpOptions { ca_certificate: None, ..post.server("tls") };
    let no_tls = SmtpOptions { security: Some(SmtpSecurity::StartTls), ..post.server("plain") };
    let by_address = SmtpOptions { host: "127.0.0.1".into(), ..post.server("start_tls") };
    for (smtp, reason) in
        [(strange, "mail_server_insecure"), (no_tls, "mail_server_unsuitable"), (by_address, "mail_server_insecure")]
    {
        let mail = send(smtp, &to).await;
        assert_eq!((mail.state, mail.reason.as_deref()), (MailDeliveryState::Queued, Some(reason)), "{:?}", mail.explanation);
    }
    assert!(post.taken(&to).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_the_operators_mistake_and_gives_no_mail_up() {
    let Some(post) = Post::find().await else { return };
    let smtp = SmtpOptions { password: Some("another".into()), ..post.server("start_tls") };
    let mail = send(smtp, &address("ada")).await;
    assert_eq!((mail.state, mail.reason.as_deref()), (MailDeliveryState::Queued, Some("mail_server_sign_in")));
    assert!(mail.explanation.unwrap().contains("535"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_refused_is_given_up_without_the_servers_words() {
    let Some(post) = Post::find().await else { return };
    let mail = send(post.server("start_tls"), &address("never")).await;
    assert_eq!((mail.state, mail.reason.as_deref()), (MailDeliveryState::Failed, Some("mail_refused")));
    let explanation = mail.explanation.unwrap();
    assert!(explanation.contains("550") && !explanation.contains("never@"), "{explanation}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_deferred_or_cut_off_is_tried_again() {
    let Some(post) = Post::find().await else { return };
    for (name, first) in [("later", "mail_deferred"), ("drop", "mail_server_unreachable")] {
        let (database, clock, to) = (Database::sqlite(), TestClock::new(), address(name));
        let atom = builder(&database, post.server("start_tls")).clock(clock.clone()).open().await.unwrap();
        let mail = atom.mail().send_test(to.clone(), MailKind::PasswordChanged, None).await.unwrap();
        assert_eq!((mail.state, mail.reason.as_deref()), (MailDeliveryState::Queued, Some(first)), "{:?}", mail.explanation);
        let worker = atom.start_worker(Default::default(), None).await.unwrap();
        clock.advance(TimeDelta::minutes(1));
        let began = Instant::now();
        let end = loop {
            let now = atom.mail().get(mail.id).await.unwrap();
            let is_tried = now.attempts > 1 && (now.state == MailDeliveryState::Sent || name == "drop");
            if is_tried || began.elapsed() > Duration::from_secs(30) {
                break now;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        worker.stop().await.unwrap();
        let expected = if name == "later" { MailDeliveryState::Sent } else { MailDeliveryState::Queued };
        assert!(end.state == expected && end.attempts > 1, "{end:?}");
        assert_eq!(post.taken(&to).await.len(), usize::from(name == "later"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_given_up_for_this_time() {
    let Some(post) = Post::find().await else { return };
    let began = Instant::now();
    let mail = send(post.server("plain"), &address("hang")).await;
    assert_eq!((mail.state, mail.reason.as_deref()), (MailDeliveryState::Queued, Some("mail_sender_timeout")));
    assert!(began.elapsed() < Duration::from_secs(45));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_tried_again() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let security = Some(SmtpSecurity::Plain);
    let smtp = SmtpOptions { host: "127.0.0.1".into(), port: Some(port.into()), security, ..Default::default() };
    let mail = send(smtp, &address("ada")).await;
    assert_eq!((mail.state, mail.reason.as_deref()), (MailDeliveryState::Queued, Some("mail_server_unreachable")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_in_unicode_is_sent_where_the_server_can_and_refused_where_it_cannot() {
    let Some(post) = Post::find().await else { return };
    let domain = uuid::Uuid::now_v7().simple().to_string();
    let to = format!("zoë@{domain}.example.com");
    let mail = send(post.server("plain"), &to).await;
    assert_eq!(mail.state, MailDeliveryState::Sent, "{:?}", mail.explanation);
    assert_eq!(post.taken(&to).await.len(), 1);
    let mail = send(post.server("ascii"), &to).await;
    assert_eq!((mail.state, mail.reason.as_deref()), (MailDeliveryState::Failed, Some("mail_address_unsupported")));
    // A domain in Unicode has a form in ASCII, which every server takes.
    let mail = send(post.server("ascii"), &format!("ada@ü{domain}.example.com")).await;
    assert_eq!(mail.state, MailDeliveryState::Sent, "{:?}", mail.explanation);
}

impl Post {
    /// The text of the next mail to an address that nobody has read.
    async fn read(&self, to: &str, read: &mut usize) -> String {
        let began = Instant::now();
        loop {
            if let Some(mail) = self.taken(to).await.into_iter().nth(*read) {
                *read += 1;
                let (_, text) = mail["data"].as_str().unwrap().split_once("text/plain").unwrap();
                let text = text.split("text/html").next().unwrap();
                // A long line, such as a link, is quoted-printable.
                return text.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
            }
            assert!(began.elapsed() < Duration::from_secs(60), "mail {read} did not come");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_signs_up_signs_in_and_moves_with_mail_that_was_really_sent() {
    let Some(post) = Post::find().await else { return };
    let code = |text: &str| -> Secret {
        let is_code = |word: &&str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_digit());
        text.split_whitespace().find(is_code).unwrap_or_else(|| panic!("no code in {text}")).into()
    };
    let token = |text: &str| -> Secret {
        let (_, rest) = text.split_once("?token=").unwrap_or_else(|| panic!("no link in {text}"));
        rest.split_whitespace().next().unwrap().into()
    };
    let shown = |flow_token: Secret, code: Secret| EmailProof { flow_token, code, ..Default::default() };
    let database = Database::sqlite();
    let atom = builder(&database, post.server("start_tls")).require_verified_email(true).open().await.unwrap();
    let (accounts, ada, grace) = (atom.accounts(), address("ada"), address("grace"));
    let (mut read, mut moved) = (0, 0);

    let pending = accounts.begin_sign_up(account(&ada)).await.unwrap();
    let mail = post.read(&ada, &mut read).await;
    let session = accounts.confirm_sign_up(shown(pending.flow_token, code(&mail))).await.unwrap().signed_in().unwrap();
    assert!(session.user.email_verified);

    let pending = accounts.request_code(EmailSignIn { email: ada.clone(), ..Default::default() }).await.unwrap();
    let mail = post.read(&ada, &mut read).await;
    let again = accounts.sign_in_with_code(shown(pending.flow_token, code(&mail))).await.unwrap().signed_in().unwrap();
    assert_eq!(again.user.id, session.user.id);

    accounts.request_magic_link(EmailSignIn { email: ada.clone(), ..Default::default() }).await.unwrap();
    let token_of_link = token(&post.read(&ada, &mut read).await);
    assert!(accounts.magic_link(token_of_link.clone()).await.unwrap().email.starts_with("a***@"));
    let link = LinkSignIn { token: token_of_link, ..Default::default() };
    let again = accounts.sign_in_with_link(link).await.unwrap().signed_in().unwrap();

    let email = atom.authenticate(again.access_token).await.unwrap().email();
    email.request_change(grace.clone()).await.unwrap();
    assert!(post.read(&ada, &mut read).await.contains("asked to give it another"));
    let mail = post.read(&grace, &mut moved).await;
    assert_eq!(email.confirm_change(token(&mail), None).await.unwrap().email, grace);
    assert!(post.read(&ada, &mut read).await.contains("has had another e-mail address"));
    accounts.sign_in(credentials(&grace, PASSWORD)).await.unwrap().signed_in().unwrap();
    atom.shut_down().await.unwrap();
}
