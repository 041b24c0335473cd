//! What became of mails, as the operator sees it, and what services report later.

use super::*;

on_both!(mails_are_listed_by_state_kind_user_and_time_a_page_at_a_time, |database| async move {
    let post = Post::open(&database, [Answer::Take, Answer::Refuse, Answer::Take]).await;
    let first = post.test(MailKind::SignInCode).await;
    let second = post.test(MailKind::MagicLink).await;
    post.clock.advance(TimeDelta::hours(1));
    let third = post.queue("grace@example.com").await;
    let third = post.until(third, is_over).await;
    let mail = post.atom.mail();
    let list = async |filter: MailDeliveryFilter| {
        let items = mail.list(filter).await.unwrap().items;
        items.iter().map(|mail| mail.id).collect::<Vec<_>>()
    };
    let all = MailDeliveryFilter::default;
    assert_eq!(list(all()).await, [third.id, second.id, first.id]);
    assert_eq!(list(MailDeliveryFilter { state: Some(MailDeliveryState::Failed), ..all() }).await, [second.id]);
    assert_eq!(list(MailDeliveryFilter { kind: Some(MailKind::SignInCode), ..all() }).await, [first.id]);
    assert_eq!(list(MailDeliveryFilter { user_id: Some(post.session.user.id), ..all() }).await, [third.id]);
    assert_eq!(list(MailDeliveryFilter { since: Some(third.created_at), ..all() }).await, [third.id]);
    assert_eq!(list(MailDeliveryFilter { until: Some(third.created_at), ..all() }).await, [second.id, first.id]);
    let page = mail.list(MailDeliveryFilter { page_size: Some(2), ..all() }).await.unwrap();
    assert_eq!(page.items.len(), 2);
    let rest = mail.list(MailDeliveryFilter { page_size: Some(2), cursor: page.next_cursor, ..all() }).await.unwrap();
    assert_eq!((rest.items.len(), rest.items[0].id, rest.next_cursor), (1, first.id, None));
    for filter in [MailDeliveryFilter { page_size: Some(0), ..all() }, MailDeliveryFilter { cursor: Some("x".into()), ..all() }] {
        assert_eq!(mail.list(filter).await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(mail.get(MailId::generate()).await.unwrap_err().kind(), ErrorKind::NotFound);
});

on_both!(a_bounce_or_a_complaint_is_noted_once_by_either_name, |database| async move {
    let post = Post::open(&database, [Answer::Take]).await;
    let mail = post.atom.mail();
    for (is_complaint, state) in [(None, MailDeliveryState::Bounced), (Some(true), MailDeliveryState::Complained)] {
        let id = post.queue("grace@example.com").await;
        let sent = post.until(id, is_over).await;
        let message_id = post.letters.taken().last().unwrap().headers["Message-ID"].clone();
        let reason = Some("5.1.1".to_owned());
        let by_message = MailReport { message_id: Some(message_id), is_complaint, reason, ..Default::default() };
        let reported = mail.report(by_message.clone()).await.unwrap();
        assert_eq!((reported.id, reported.state, reported.reason.as_deref()), (id, state, Some("5.1.1")));
        assert!(reported.failed_at.is_some() && reported.sent_at == sent.sent_at);
        assert_eq!(mail.report(by_message).await.unwrap(), reported, "twice is once");
        let by_receipt = MailReport { receipt_id: sent.receipt_id, ..Default::default() };
        assert_eq!(mail.report(by_receipt).await.unwrap(), reported);
    }
    let events = post.events().await;
    let told: Vec<_> = events.iter().map(|event| (event.name.as_str(), event.data.0["state"].as_str().unwrap())).collect();
    assert_eq!(told, [("mail.bounced", "bounced"), ("mail.bounced", "complained")]);
});

on_both!(a_report_about_nothing_of_ours_is_refused, |database| async move {
    let post = Post::open(&database, [Answer::Take]).await;
    let report = async |message_id: Option<&str>, receipt_id: Option<&str>, reason: Option<&str>| {
        let [message_id, receipt_id, reason] = [message_id, receipt_id, reason].map(|text| text.map(str::to_owned));
        let report = MailReport { message_id, receipt_id, reason, is_complaint: None };
        post.atom.mail().report(report).await.unwrap_err().reason().to_owned()
    };
    assert_eq!(report(Some("<somebody@else.example>"), None, None).await, "not_found");
    assert_eq!(report(Some(&format!("<{}@acme.example>", MailId::generate())), None, None).await, "not_found");
    assert_eq!(report(None, Some("unknown"), None).await, "not_found");
    assert_eq!(report(None, None, None).await, "malformed_mail_report");
    assert_eq!(report(Some("a"), Some("b"), None).await, "malformed_mail_report");
    for reason in ["", "mailbox grace@example.com is full", &"x".repeat(65)] {
        assert_eq!(report(None, Some("unknown"), Some(reason)).await, "malformed_mail_report");
    }
});

on_both!(a_report_that_comes_before_the_end_of_the_attempt_stays, |database| async move {
    let post = Post::open(&database, [Answer::Dawdle(Duration::from_secs(1))]).await;
    let id = post.queue("grace@example.com").await;
    post.until(id, |mail| mail.attempts == 1).await;
    let message_id = Some(format!("{}@acme.example", id.to_string().replace('-', "")));
    let reported = post.atom.mail().report(MailReport { message_id, ..Default::default() }).await.unwrap();
    assert_eq!(reported.state, MailDeliveryState::Bounced);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(post.atom.mail().get(id).await.unwrap(), reported);
});

on_both!(what_became_of_a_mail_is_forgotten_in_time, |database| async move {
    let post = Post::open(&database, [Answer::Take]).await;
    let old = post.test(MailKind::NewDevice).await;
    post.clock.advance(TimeDelta::days(29));
    let young = post.test(MailKind::NewDevice).await;
    worker(&post.atom).await;
    post.clock.advance(TimeDelta::days(2));
    let began = Instant::now();
    while post.atom.mail().get(old.id).await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(post.atom.mail().get(young.id).await.is_ok());
    post.atom.shut_down().await.unwrap();
    post.clock.advance(TimeDelta::days(30));
    let again = post.letters.on(database.builder()).clock(post.clock.clone()).open().await.unwrap();
    assert!(again.mail().list(MailDeliveryFilter::default()).await.unwrap().items.is_empty(), "opening forgets, too");
});
