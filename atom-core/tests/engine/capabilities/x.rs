//! X: <https://docs.x.com/x-api/posts/manage-tweets>. What is missing comes back with a 200 and no `data`.

use super::*;

pub(super) const MANIFEST: &str = include_str!("x.toml");

fn post(id: &str) -> Value {
    json!({
        "id": id, "text": "It weaves.", "author_id": "2244994945", "created_at": "2026-11-01T08:00:00.000Z", "conversation_id": "1", "lang": "en",
        "edit_history_tweet_ids": [id], "referenced_tweets": [{"type": "quoted", "id": "7"}, {"type": "replied_to", "id": "1"}],
        "attachments": {"media_keys": ["3_9"]},
        "public_metrics": {"retweet_count": 156, "reply_count": 23, "like_count": 459, "quote_count": 12, "bookmark_count": 5, "impression_count": 8000}
    })
}

on_both!(posts_of_x_are_listed_by_tokens_counted_and_published, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/2/users/ada/tweets") if asked.query("pagination_token").is_some() => {
            reply(json!({"data": [post("3")], "meta": {"result_count": 1}}))
        }
        ("GET", "/2/users/ada/tweets" | "/2/users/9/tweets" | "/2/tweets/search/recent") => {
            reply(json!({"data": [post("1"), post("2")], "meta": {"result_count": 2, "newest_id": "1", "oldest_id": "2", "next_token": "7140w"}}))
        }
        ("GET", "/2/tweets/404") => {
            let problem = "https://api.x.com/2/problems/resource-not-found";
            reply(json!({"errors": [{"detail": "no post of @ada", "title": "Not Found Error", "resource_type": "tweet", "resource_id": "404", "type": problem}]}))
        }
        ("GET", "/2/tweets/403") => {
            let problem = "https://api.x.com/2/problems/not-authorized-for-resource";
            reply(json!({"title": "Forbidden", "detail": "no", "type": problem, "status": 403})).status(403)
        }
        ("GET", _) => reply(json!({"data": post("1")})),
        ("DELETE", _) => reply(json!({"data": {"deleted": true}})),
        _ => reply(json!({"data": {"id": "10", "text": "Hello", "edit_history_tweet_ids": ["10"]}})).status(201),
    })
    .await;
    let social = stage.connection.social();
    let sent = || stage.server.asked().pop().unwrap();
    let first = social.list_posts(ListPosts::default()).await.unwrap();
    let one = &first.items[0];
    assert_eq!(
        (one.quoted_id.as_deref(), one.reply_to_id.as_deref(), one.media_ids.as_slice()),
        (Some("7"), Some("1"), ["3_9".to_owned()].as_slice())
    );
    assert_eq!(one.metrics.as_ref().and_then(|metrics| metrics.impressions), Some(8000));
    let rest = ListPosts { cursor: first.next_cursor, ..Default::default() };
    let last = social.list_posts(rest).await.unwrap();
    assert_eq!((last.items[0].id.as_str(), last.next_cursor), ("3", None));
    assert_eq!(sent().query("pagination_token"), Some("7140w"));
    let found = ListPosts { search: Some("engine".into()), author_id: Some("9".into()), ..Default::default() };
    social.list_posts(found.clone()).await.unwrap();
    assert_eq!((sent().path.as_str(), sent().query("query")), ("/2/tweets/search/recent", Some("engine from:9")));
    social.list_posts(ListPosts { search: None, ..found }).await.unwrap();
    assert_eq!(sent().path, "/2/users/9/tweets");
    assert_eq!(social.get_post("1".into()).await.unwrap().language.as_deref(), Some("en"));
    let metrics = social.metrics("1".into()).await.unwrap();
    assert_eq!((metrics.likes, metrics.shares, metrics.clicks), (Some(459), Some(156), None));
    let missing = social.get_post("404".into()).await.unwrap_err();
    assert_eq!((missing.reason(), missing.to_string().contains('@')), ("not_found_at_provider", false));
    assert_eq!(social.get_post("403".into()).await.unwrap_err().reason(), "forbidden_at_provider");

    let new = NewSocialPost {
        text: "Hello".into(),
        quoted_id: Some("7".into()),
        media_ids: Some(vec!["9".into()]),
        ..Default::default()
    };
    assert_eq!(social.create_post(new.clone()).await.unwrap().id, "10");
    assert_eq!(sent().json(), json!({"text": "Hello", "quote_tweet_id": "7", "media": {"media_ids": ["9"]}}));
    let hidden = NewSocialPost { visibility: Some(PostVisibility::Private), ..new };
    assert_eq!(social.create_post(hidden).await.unwrap_err().reason(), "unsupported_input");
    social.delete_post("10".into()).await.unwrap();
    assert_eq!((sent().method.as_str(), sent().path.as_str()), ("DELETE", "/2/tweets/10"));
});

on_both!(profiles_comments_and_pictures_of_x_have_their_own_calls, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/2/tweets/search/recent") => reply(json!({"data": [post("2")], "meta": {"result_count": 1}})),
        ("GET", _) => reply(json!({"data": {"id": "2244994945", "name": "X Developers", "username": "XDevelopers", "verified": true,
            "created_at": "2013-12-14T04:35:55.000Z", "public_metrics": {"followers_count": 583_423, "following_count": 2048, "tweet_count": 14_052, "listed_count": 1672}}})),
        ("POST", "/2/media/upload") => {
            reply(json!({"data": {"id": "1880028106020515840", "media_key": "3_1880028106020515840", "expires_after_secs": 86_400, "size": 5}}))
        }
        ("POST", "/2/media/metadata") => reply(json!({"data": {"id": "1880028106020515840"}})),
        _ => reply(json!({"data": {"id": "11", "text": "Indeed"}})),
    })
    .await;
    let social = stage.connection.social();
    let sent = || stage.server.asked().pop().unwrap();
    let me = social.me().await.unwrap();
    assert_eq!((me.handle.as_deref(), me.followers, me.posts), (Some("XDevelopers"), Some(583_423), Some(14_052)));
    assert_eq!(social.get_profile("2244994945".into()).await.unwrap().web_url.as_deref(), Some("https://x.com/XDevelopers"));

    let comments = social.list_comments(ListSocialComments { post_id: "1".into(), ..Default::default() }).await.unwrap();
    let comment = &comments.items[0];
    assert_eq!(
        (comment.parent_id.as_deref(), comment.author.as_ref().and_then(|author| author.id.as_deref())),
        (Some("1"), Some("2244994945"))
    );
    assert_eq!(sent().query("query"), Some("conversation_id:1 is:reply"));
    let answer = NewSocialComment { post_id: "1".into(), text: "Indeed".into(), parent_id: None };
    social.create_comment(answer.clone()).await.unwrap();
    assert_eq!(sent().json(), json!({"text": "Indeed", "reply": {"in_reply_to_tweet_id": "1"}}));
    social.create_comment(NewSocialComment { parent_id: Some("2".into()), ..answer }).await.unwrap();
    assert_eq!(sent().json()["reply"], json!({"in_reply_to_tweet_id": "2"}));
    social.delete_comment("11".into(), Some("1".into())).await.unwrap();

    let picture = NewSocialMedia {
        content: Bytes::from("hello".as_bytes()),
        mime_type: "image/png".into(),
        alt_text: Some("A loom".into()),
    };
    let uploaded = social.upload_media(picture.clone()).await.unwrap();
    assert!(uploaded.is_ready == Some(true) && uploaded.expires_at > Some(chrono::Utc::now() + chrono::TimeDelta::hours(23)));
    let asked = stage.server.asked();
    let [.., upload, describe] = asked.as_slice() else { panic!("two requests") };
    assert_eq!(upload.json(), json!({"media": "aGVsbG8=", "media_category": "tweet_image", "media_type": "image/png"}));
    assert_eq!(describe.json(), json!({"id": "1880028106020515840", "metadata": {"alt_text": {"text": "A loom"}}}));
    let film = NewSocialMedia { mime_type: "video/mp4".into(), ..picture };
    assert_eq!(social.upload_media(film).await.unwrap_err().reason(), "malformed_input");
});
