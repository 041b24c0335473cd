//! Attempts after the first: when there are more, who makes them, and when there are none.

use super::*;

on_both!(a_mail_that_was_deferred_is_sent_by_a_worker_as_the_same_mail, |database| async move {
    let post = Post::open(&database, [Answer::Defer, Answer::Panic, Answer::Take]).await;
    let id = post.queue("grace@example.com").await;
    let mail = post.until(id, |mail| mail.reason.is_some()).await;
    assert_eq!((mail.state, mail.reason.as_deref(), mail.attempts), (MailDeliveryState::Queued, Some("post_office_closed"), 1));
    assert_eq!(mail.explanation.as_deref(), Some("the post office is closed"));
    worker(&post.atom).await;
    let mail = post.in_time(id, is_over).await;
    assert_eq!((mail.state, mail.attempts, mail.reason, mail.explanation), (MailDeliveryState::Sent, 3, None, None));
    let sent = post.letters.taken();
    assert_eq!(sent.len(), 3);
    for again in &sent[1..] {
        assert!(again.headers == sent[0].headers && again.text == sent[0].text && again.html == sent[0].html);
        assert!(again.to == sent[0].to && again.subject == sent[0].subject && again.id == id);
    }
    assert!(post.events().await.is_empty(), "nobody was told of what was mended");
});

on_both!(a_mail_that_is_refused_for_good_is_given_up_and_its_workspace_is_told, |database| async move {
    let post = Post::open(&database, [Answer::Refuse]).await;
    worker(&post.atom).await;
    let id = post.queue("grace@example.com").await;
    let mail = post.until(id, is_over).await;
    assert_eq!((mail.state, mail.reason.as_deref(), mail.attempts), (MailDeliveryState::Failed, Some("mailbox_unknown"), 1));
    assert!(mail.failed_at.is_some() && mail.sent_at.is_none());
    let [event] = post.events().await.try_into().ok().unwrap();
    assert_eq!((event.name.as_str(), event.subject), ("mail.failed", Some(id.to_string())));
    assert_eq!(event.data.0["reason"], "mailbox_unknown");
    assert_eq!(event.data.0["kind"], "invite");
    post.clock.advance(TimeDelta::hours(2));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(post.letters.taken().len(), 1, "no other attempt");
});

on_both!(the_attempts_end_some_time, |database| async move {
    let post = Post::open(&database, [Answer::Defer]).await;
    worker(&post.atom).await;
    let id = post.queue("grace@example.com").await;
    let mail = post.in_time(id, is_over).await;
    assert_eq!((mail.state, mail.attempts), (MailDeliveryState::Failed, 11));
    assert_eq!(mail.reason.as_deref(), Some("post_office_closed"));
});

on_both!(a_code_that_is_no_longer_valid_is_not_sent, |database| async move {
    let post = Post::open(&database, [Answer::Defer, Answer::Take]).await;
    let id = post.queue("grace@example.com").await;
    post.until(id, |mail| mail.reason.is_some()).await;
    post.clock.advance(TimeDelta::days(8));
    worker(&post.atom).await;
    let mail = post.until(id, is_over).await;
    assert_eq!((mail.state, mail.reason.as_deref()), (MailDeliveryState::Failed, Some("mail_expired")));
    assert_eq!(post.letters.taken().len(), 1);
    assert_eq!(post.events().await.len(), 1);
});

on_both!(a_mail_is_not_sent_by_two_processes_at_once, |database| async move {
    // Long enough for workers to look after all mails once more.
    let post = Post::open(&database, [Answer::Dawdle(Duration::from_secs(6))]).await;
    let elsewhere = post.letters.on(database.builder()).clock(post.clock.clone()).open().await.unwrap();
    worker(&elsewhere).await;
    worker(&post.atom).await;
    let id = post.queue("grace@example.com").await;
    post.until(id, is_over).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(post.letters.taken().len(), 1);
});

on_both!(a_process_without_a_sender_leaves_mail_to_those_that_have_one, |database| async move {
    let post = Post::open(&database, [Answer::Defer, Answer::Take]).await;
    let other = database.builder().clock(post.clock.clone()).open().await.unwrap();
    worker(&other).await;
    let id = post.queue("grace@example.com").await;
    post.until(id, |mail| mail.reason.is_some()).await;
    post.clock.advance(TimeDelta::minutes(2));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(post.atom.mail().get(id).await.unwrap().attempts, 1);
    worker(&post.atom).await;
    assert_eq!(post.until(id, is_over).await.state, MailDeliveryState::Sent);
});
