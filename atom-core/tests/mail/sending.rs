//! From the commit to the sender.

use super::*;

on_both!(a_mail_is_sent_at_once_without_a_worker, |database| async move {
    let post = Post::open(&database, [Answer::Take]).await;
    let id = post.queue("Grace.Hopper@example.com").await;
    let mail = post.until(id, is_over).await;
    assert_eq!((mail.state, mail.attempts, mail.to.as_str()), (MailDeliveryState::Sent, 1, "G***@example.com"));
    assert_eq!((mail.kind, mail.locale.as_str()), (MailKind::Invite, "en"));
    assert_eq!((mail.user_id, mail.workspace_id), (Some(post.session.user.id), Some(post.session.workspace.id)));
    assert_eq!((mail.receipt_id, mail.reason), (Some(format!("letter-{id}")), None));
    assert!(mail.sent_at.is_some() && mail.failed_at.is_none() && mail.expires_at > mail.created_at);
    let [sent] = post.letters.taken().try_into().ok().unwrap();
    assert_eq!(
        (sent.id, sent.to.as_str(), sent.sender.as_str()),
        (id, "Grace.Hopper@example.com", "Acme <no-reply@acme.example>")
    );
    assert_eq!(sent.subject, "Ada Lovelace invites you to Engines on Acme");
    assert!(sent.text.contains("https://acme.example/accept-invitation?token=canary-token"), "{}", sent.text);
    assert!(sent.html.unwrap().contains("<b>Engines</b>"));
    let message_id = format!("<{}@acme.example>", id.to_string().replace('-', ""));
    assert_eq!((&sent.headers["Message-ID"], sent.headers["Auto-Submitted"].as_str()), (&message_id, "auto-generated"));
});

on_both!(an_act_that_is_not_committed_sends_nothing, |database| async move {
    let post = Post::open(&database, [Answer::Take]).await;
    let id = queue_mail(&post.atom, &post.scope, "grace@example.com", false).await.unwrap();
    // The one after it is sent: its turn was over.
    let next = post.queue("grace@example.com").await;
    post.until(next, is_over).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(post.letters.taken().iter().map(|mail| mail.id).collect::<Vec<_>>(), [next]);
    assert_eq!(post.atom.mail().get(id).await.unwrap_err().kind(), ErrorKind::NotFound);
});

on_both!(a_mail_that_waits_is_sealed_and_one_that_was_sent_is_erased, |database| async move {
    let post = Post::open(&database, [Answer::Defer, Answer::Take]).await;
    let canaries = ["grace.hopper@", "canary-token", "Ada Lovelace invites"];
    let id = post.queue("grace.hopper@example.com").await;
    post.until(id, |mail| mail.reason.is_some()).await;
    assert_nothing_left(&database, &canaries).await;
    let sealed = "SELECT sealed FROM atom_mails WHERE sealed IS NOT NULL";
    assert_eq!(count(&database, sealed).await, 1);
    worker(&post.atom).await;
    post.clock.advance(TimeDelta::minutes(1));
    assert_eq!(post.until(id, is_over).await.state, MailDeliveryState::Sent);
    assert_eq!(count(&database, sealed).await, 0, "what it said is erased");
    post.atom.shut_down().await.unwrap();
    assert_nothing_left(&database, &canaries).await;
});

on_both!(an_address_that_could_be_more_than_one_is_refused_before_the_act, |database| async move {
    let post = Post::open(&database, [Answer::Take]).await;
    let long = format!("{}@example.com", "a".repeat(300));
    for to in ["", "grace", "grace@example.com\r\nBcc: eve@example.com", "grace@example.com, eve@example.com", &long] {
        let error = queue_mail(&post.atom, &post.scope, to, true).await.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, "malformed_email"), "{to}");
        let error = post.atom.mail().send_test(to.to_owned(), MailKind::NewDevice, None).await.unwrap_err();
        assert_eq!(error.reason(), "malformed_email");
    }
    assert!(post.atom.mail().list(MailDeliveryFilter::default()).await.unwrap().items.is_empty());
});

on_both!(a_test_mail_says_what_came_of_it, |database| async move {
    let post = Post::open(&database, [Answer::Take, Answer::Refuse, Answer::Defer]).await;
    let states = [MailDeliveryState::Sent, MailDeliveryState::Failed, MailDeliveryState::Queued];
    for (state, reason) in states.into_iter().zip([None, Some("mailbox_unknown"), Some("post_office_closed")]) {
        let mail = post.test(MailKind::SignInCode).await;
        assert_eq!((mail.state, mail.reason.as_deref(), mail.attempts), (state, reason, 1));
    }
    assert!(post.letters.taken()[0].text.contains("12345678"));
});

on_both!(closing_waits_for_a_mail_that_is_being_sent, |database| async move {
    let post = Post::open(&database, [Answer::Dawdle(Duration::from_millis(700))]).await;
    let id = post.queue("grace@example.com").await;
    post.atom.shut_down().await.unwrap();
    assert_eq!(post.letters.taken().len(), 1);
    let atom = database.open().await;
    assert_eq!(atom.mail().get(id).await.unwrap().state, MailDeliveryState::Sent);
});

on_both!(a_burst_is_sent_a_few_at_a_time_and_all_of_it, |database| async move {
    let post = Post::open(&database, [Answer::Dawdle(Duration::from_millis(20))]).await;
    let mut ids = Vec::new();
    for n in 0..30 {
        ids.push(post.queue(&format!("user{n}@example.com")).await);
    }
    for id in &ids {
        assert_eq!(post.until(*id, is_over).await.state, MailDeliveryState::Sent);
    }
    let mut sent: Vec<_> = post.letters.taken().iter().map(|mail| mail.id.to_string()).collect();
    sent.sort();
    assert_eq!(sent, ids.iter().map(ToString::to_string).collect::<Vec<_>>(), "each once");
});

/// How many rows a query finds.
async fn count(database: &Database, sql: &'static str) -> usize {
    use sqlx::Connection as _;
    if database.url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query(sql).fetch_all(&mut c).await.unwrap().len()
    } else {
        let mut c = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::query(sql).fetch_all(&mut c).await.unwrap().len()
    }
}
