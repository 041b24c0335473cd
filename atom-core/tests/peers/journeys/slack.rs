//! The Slack of `emulate`.
//!
//! | where it does less than Slack | what is done |
//! | --- | --- |
//! | most methods are taken as POST only | the script makes a POST of a GET |
//! | a client's secret is not decoded (RFC 6749 §2.3.1) | the script decodes it |
//! | the times of `conversations.history` are not looked at | messages are listed without them |
//! | a thread is one page | it is read whole |
//! | `search.messages` and `auth.revoke` are not there | neither is tested |
//! | tokens do not expire, and there are no refresh tokens | refreshing is tested elsewhere |

use super::*;
use crate::peers::skipped;
use serde_json::{Value, json};

on_both!(messages_are_sent_listed_answered_changed_and_deleted, |database| async move {
    let Some(place) = Place::start("slack", "slack.mjs", "12345.67890") else { return skipped() };
    let (_atom, scope) = place.scope(&database).await;
    let connection = place.consent(&scope, "ada@example.com").await;
    let account = connection.account().await.unwrap();
    assert_eq!((account.label.as_deref(), account.facts["team_url"].as_str()), (Some("Engines"), "https://engines.slack.com/"));
    let chat = connection.chat();
    let call = async |operation: &str, input: Value| connection.call(operation.into(), Json(input)).await.map(|answer| answer.0);

    let channels = pages(async |cursor| {
        let page = chat.list_channels(ListChannels { page_size: Some(2), cursor, ..Default::default() }).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert_eq!(sizes(&channels), [2, 2, 1]);
    let channel = channels.into_iter().flatten().find(|channel| channel.name.as_deref() == Some("looms")).unwrap();
    assert_eq!((channel.kind, channel.topic.as_deref()), (Some(ChannelKind::Channel), Some("All about looms")));
    assert_eq!(chat.get_channel(channel.id.clone()).await.unwrap(), channel);
    call("slack.join_channel", json!({ "id": channel.id })).await.unwrap();
    let count = |channel: &ChatChannel| channel.member_count.unwrap();
    assert_eq!(count(&chat.get_channel(channel.id.clone()).await.unwrap()), count(&channel) + 1);

    let mut sent = Vec::new();
    for text in ["a < b & c > d", "naïve – 数 :gear:", "the third"] {
        let message = NewChatMessage { channel_id: channel.id.clone(), text: text.into(), thread_id: None };
        let message = chat.send_message(message).await.unwrap();
        assert_eq!((message.text.as_deref(), message.channel_id.as_deref()), (Some(text), Some(channel.id.as_str())));
        assert!(message.sent_at.is_some() && message.author.as_ref().is_some_and(|author| author.id.is_some()), "{message:?}");
        sent.push(message);
    }
    let texts = async || {
        let listed = pages(async |cursor| {
            let filter = ListChatMessages { channel_id: channel.id.clone(), page_size: Some(2), cursor, ..Default::default() };
            let page = chat.list_messages(filter).await.unwrap();
            (page.items, page.next_cursor)
        })
        .await;
        assert!(listed.iter().all(|page| page.len() <= 2), "{listed:?}");
        let mut listed: Vec<_> = listed.into_iter().flatten().collect();
        listed.sort_by(|a, b| a.id.cmp(&b.id));
        listed.into_iter().map(|message| (message.id, message.text.unwrap_or_default())).collect::<Vec<_>>()
    };
    let known: Vec<_> = sent.iter().map(|message| (message.id.clone(), message.text.clone().unwrap())).collect();
    assert_eq!(texts().await, known);

    let answer = NewChatMessage { channel_id: channel.id.clone(), text: "an answer".into(), thread_id: Some(sent[0].id.clone()) };
    let answer = chat.send_message(answer).await.unwrap();
    assert_eq!(answer.thread_id.as_ref(), Some(&sent[0].id));
    let thread = ListChatMessages { channel_id: channel.id.clone(), thread_id: Some(sent[0].id.clone()), ..Default::default() };
    let thread = chat.list_messages(thread).await.unwrap().items;
    assert_eq!(thread.iter().map(|message| &message.id).collect::<Vec<_>>(), [&sent[0].id, &answer.id]);

    let changed = chat.update_message(channel.id.clone(), sent[1].id.clone(), "<changed>".into()).await.unwrap();
    assert_eq!((&changed.id, changed.text.as_deref()), (&sent[1].id, Some("<changed>")));
    call("slack.add_reaction", json!({ "channel_id": channel.id, "id": sent[1].id, "name": "gear" })).await.unwrap();
    let again = call("slack.add_reaction", json!({ "channel_id": channel.id, "id": sent[1].id, "name": "gear" })).await;
    assert_eq!(again.err().unwrap().kind(), ErrorKind::Conflict);
    chat.delete_message(channel.id.clone(), sent[2].id.clone()).await.unwrap();
    assert_eq!(texts().await, [known[0].clone(), (sent[1].id.clone(), "<changed>".into())]);

    let blocks = json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "*bold*" } }]);
    let posted = json!({ "channel_id": channel.id, "markdown": "*bold*", "blocks": blocks, "thread_id": sent[0].id });
    assert_eq!(call("slack.post_message", posted).await.unwrap()["raw"]["message"]["blocks"], blocks);
    let later = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    let later = json!({ "channel_id": channel.id, "text": "later", "send_at": later.to_rfc3339() });
    assert!(call("slack.schedule_message", later).await.unwrap()["raw"]["scheduled_message_id"].is_string());

    for (wrong, id) in [("C404", sent[0].id.as_str()), (channel.id.as_str(), "1.1")] {
        let missing = chat.update_message(wrong.into(), id.into(), "x".into()).await.err().unwrap();
        assert_eq!((missing.kind(), missing.status()), (ErrorKind::NotFound, Some(200)), "{missing}");
    }
    was_whole("slack::messages_are_sent_listed_answered_changed_and_deleted", &connection).await;
});

on_both!(people_are_listed_found_and_written_to, |database| async move {
    let Some(place) = Place::start("slack", "slack.mjs", "12345.67890") else { return skipped() };
    let (_atom, scope) = place.scope(&database).await;
    let connection = place.consent(&scope, "ada@example.com").await;
    let chat = connection.chat();
    let users = pages(async |cursor| {
        let page = chat.list_users(Paging { page_size: Some(2), cursor }).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert!(users.len() > 2, "{users:?}");
    let mary = users.into_iter().flatten().find(|user| user.handle.as_deref() == Some("mary")).unwrap();
    assert_eq!((mary.name.as_deref(), mary.email.as_deref(), mary.is_bot), (Some("The mary"), Some("mary@example.com"), false));
    assert_eq!(chat.get_user(mary.id.clone()).await.unwrap(), mary);
    let found = connection.call("slack.find_user".into(), Json(json!({ "email": "mary@example.com" }))).await.unwrap();
    assert_eq!(found.0["id"], mary.id.as_str());

    let opened = connection.call("slack.open_conversation".into(), Json(json!({ "user_ids": mary.id }))).await.unwrap();
    let direct = opened.0["id"].as_str().unwrap().to_owned();
    assert_eq!(chat.get_channel(direct.clone()).await.unwrap().kind, Some(ChannelKind::Direct));
    let message = NewChatMessage { channel_id: direct.clone(), text: "Dear Mary".into(), thread_id: None };
    let sent = chat.send_message(message).await.unwrap();
    let listed = ListChatMessages { channel_id: direct, ..Default::default() };
    assert_eq!(chat.list_messages(listed).await.unwrap().items[0].id, sent.id);
    let unknown = chat.get_user("U404".into()).await.err().unwrap();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    was_whole("slack::people_are_listed_found_and_written_to", &connection).await;
});
