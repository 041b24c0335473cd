//! LinkedIn: <https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api>.

use super::*;

pub(super) const MANIFEST: &str = include_str!("linkedin.toml");

on_both!(a_post_of_linkedin_is_named_by_a_header_and_found_in_pages_of_links, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| {
        let post = |id: &str| json!({
            "id": id, "author": "urn:li:organization:5515715", "commentary": "News", "visibility": "PUBLIC", "lifecycleState": "PUBLISHED",
            "publishedAt": 1_762_000_000_000_i64, "lastModifiedAt": 1_762_000_100_000_i64, "createdAt": 1_762_000_000_000_i64,
            "content": {"media": {"id": "urn:li:image:C5F10A", "altText": "A loom"}}, "lifecycleStateInfo": {"isEditedByAuthor": false},
            "distribution": {"feedDistribution": "MAIN_FEED", "thirdPartyDistributionChannels": []}
        });
        match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", "/rest/posts") => status(201).with("x-restli-id", "urn:li:share:6844785523593134080").empty(),
            ("GET", "/rest/posts") if asked.query("start").is_none() => {
                let href = "/rest/posts?author=urn%3Ali%3Aorganization%3A5515715&q=author&count=1&start=1";
                reply(json!({"elements": [post("urn:li:share:1")], "paging": {"start": 0, "count": 1, "links": [{"rel": "next", "type": "application/json", "href": href}]}}))
            }
            ("GET", "/rest/posts") => reply(json!({"elements": [post("urn:li:share:2")], "paging": {"start": 1, "count": 1, "links": []}})),
            ("GET", path) if path.starts_with("/rest/socialActions") => {
                reply(json!({"target": "urn:li:share:1", "likesSummary": {"aggregatedTotalLikes": 3, "totalLikes": 2}, "commentsSummary": {"totalFirstLevelComments": 1, "aggregatedTotalComments": 4}}))
            }
            ("GET", _) => reply(post("urn:li:share:1")),
            _ => status(204).empty(),
        }
    })
    .await;
    let social = stage.connection.social();
    let sent = || stage.server.asked().pop().unwrap();
    let new = NewSocialPost { text: "News".into(), link_url: Some("https://engine.example".into()), ..Default::default() };
    let created = social.create_post(new.clone()).await.unwrap();
    assert_eq!(created.id, "urn:li:share:6844785523593134080");
    assert_eq!(created.web_url.as_deref(), Some("https://www.linkedin.com/feed/update/urn:li:share:6844785523593134080"));
    let asked = sent();
    assert_eq!(
        (asked.headers["linkedin-version"].as_str(), asked.headers["x-restli-protocol-version"].as_str()),
        ("202601", "2.0.0")
    );
    let said = json!({
        "author": "urn:li:person:ada", "commentary": "News", "visibility": "PUBLIC", "content": {"article": {"source": "https://engine.example"}},
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED", "isReshareDisabledByAuthor": false
    });
    assert_eq!(asked.json(), said);
    let organization = "urn:li:organization:5515715";
    let theirs = NewSocialPost { author_id: Some(organization.into()), visibility: Some(PostVisibility::Followers), ..new };
    social.create_post(theirs).await.unwrap();
    assert_eq!((&sent().json()["author"], &sent().json()["visibility"]), (&json!(organization), &json!("CONNECTIONS")));

    let filter = ListPosts { author_id: Some(organization.into()), page_size: Some(1), ..Default::default() };
    let first = social.list_posts(filter.clone()).await.unwrap();
    assert_eq!(
        (first.items[0].media[0].alt_text.as_deref(), sent().headers["x-restli-method"].as_str()),
        (Some("A loom"), "FINDER")
    );
    let last = social.list_posts(ListPosts { cursor: first.next_cursor, ..filter }).await.unwrap();
    assert_eq!((last.items[0].id.as_str(), last.next_cursor), ("urn:li:share:2", None));
    assert_eq!(sent().headers["x-restli-protocol-version"], "2.0.0");
    let post = social.get_post("urn:li:share:1".into()).await.unwrap();
    assert!(matches!(post.visibility, Some(PostVisibility::Public)) && post.updated_at > post.created_at);
    let metrics = social.metrics("urn:li:share:1".into()).await.unwrap();
    assert_eq!((metrics.likes, metrics.comments, metrics.impressions), (Some(3), Some(4), None));
    social.delete_post("urn:li:share:1".into()).await.unwrap();
    assert_eq!((sent().method.as_str(), sent().path.as_str()), ("DELETE", "/rest/posts/urn%3Ali%3Ashare%3A1"));
});

on_both!(profiles_and_comments_of_linkedin_are_read_and_written, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| {
        let comment = json!({
            "id": "6636062862760562688", "actor": "urn:li:person:ada", "object": "urn:li:share:1", "message": {"attributes": [], "text": "Indeed"},
            "created": {"actor": "urn:li:person:ada", "time": 1_762_000_000_000_i64}, "lastModified": {"actor": "urn:li:person:ada", "time": 1_762_000_000_000_i64}
        });
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/v2/userinfo") => reply(json!({"sub": "782bbtaQ", "name": "Ada Lovelace", "picture": "https://media.example/a.jpg", "locale": "en-US"})),
            ("GET", "/rest/organizations/5515715") => reply(json!({"id": 5_515_715, "localizedName": "Engines", "vanityName": "engines", "primaryOrganizationType": "NONE"})),
            ("GET", "/rest/organizations/1") => reply(json!({"status": 404, "serviceErrorCode": 100, "code": "RESOURCE_NOT_FOUND", "message": "no"})).status(404),
            ("GET", _) => reply(json!({"elements": [comment], "paging": {"start": 0, "count": 50, "total": 1, "links": []}})),
            ("POST", _) => reply(comment).status(201),
            _ => status(204).empty(),
        }
    })
    .await;
    let social = stage.connection.social();
    let sent = || stage.server.asked().pop().unwrap();
    assert_eq!(social.me().await.unwrap().id, "urn:li:person:782bbtaQ");
    let engines = social.get_profile("5515715".into()).await.unwrap();
    assert_eq!((engines.id.as_str(), engines.handle.as_deref()), ("urn:li:organization:5515715", Some("engines")));
    assert_eq!(social.get_profile("1".into()).await.unwrap_err().reason(), "not_found_at_provider");
    let comments =
        social.list_comments(ListSocialComments { post_id: "urn:li:share:1".into(), ..Default::default() }).await.unwrap();
    assert_eq!((comments.items[0].text.as_deref(), comments.next_cursor), (Some("Indeed"), None));
    let new = NewSocialComment {
        post_id: "urn:li:share:1".into(),
        text: "Indeed".into(),
        parent_id: Some("urn:li:comment:(urn:li:activity:1,2)".into()),
    };
    social.create_comment(new).await.unwrap();
    assert_eq!(
        sent().json(),
        json!({"actor": "urn:li:person:ada", "object": "urn:li:share:1", "message": {"text": "Indeed"}, "parentComment": "urn:li:comment:(urn:li:activity:1,2)"})
    );
    social.delete_comment("6636062862760562688".into(), Some("urn:li:share:1".into())).await.unwrap();
    assert_eq!(sent().path, "/rest/socialActions/urn%3Ali%3Ashare%3A1/comments/6636062862760562688");
    assert_eq!(social.delete_comment("6636062862760562688".into(), None).await.unwrap_err().reason(), "missing_input");
});
