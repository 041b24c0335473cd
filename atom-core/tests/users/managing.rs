//! Listing users, and changing what is known of them.

use super::*;
use chrono::{DateTime, TimeDelta, Utc};

async fn import(atom: &Atom, email: &str, name: &str, created_at: DateTime<Utc>) -> User {
    let user =
        ImportedUser { email: email.into(), display_name: Some(name.into()), created_at: Some(created_at), ..Default::default() };
    atom.users().import_user(user).await.unwrap()
}

fn emails(page: &UserPage) -> Vec<&str> {
    page.items.iter().map(|account| account.user.email.as_str()).collect()
}

on_both!(an_operator_finds_users_by_address_name_state_and_age, |database| async move {
    let atom = database.open().await;
    let then = DateTime::from_timestamp(1_500_000_000, 0).unwrap();
    let day = |days| then + TimeDelta::days(days);
    let ada = import(&atom, "Ada@example.com", "Ada Lovelace", day(1)).await;
    let bob = import(&atom, "bob_1@example.com", "Robert 100%", day(2)).await;
    import(&atom, "bobx1@example.com", "Bea", day(3)).await;
    import(&atom, "cleo@example.com", "Lady Ada's friend", day(4)).await;
    let list = async |filter: UserFilter| atom.users().list(filter).await.unwrap();
    let search = |text: &str| UserFilter { search: Some(text.into()), ..Default::default() };

    let all = ["cleo@example.com", "bobx1@example.com", "bob_1@example.com", "Ada@example.com"];
    assert_eq!(emails(&list(UserFilter::default()).await), all, "newest first");
    assert_eq!(emails(&list(search(" ADA@Exa ")).await), ["Ada@example.com"], "by the begin of the address");
    assert_eq!(emails(&list(search("ada")).await), ["cleo@example.com", "Ada@example.com"], "or anywhere in the name");
    assert_eq!(
        emails(&list(search("bob_")).await),
        ["bob_1@example.com"],
        "what means something to the database is just a character"
    );
    assert_eq!(emails(&list(search("100%")).await), ["bob_1@example.com"]);
    assert_eq!(list(search("%")).await.items.len(), 1);
    assert!(list(search("nobody\0")).await.items.is_empty());
    let after = UserFilter { created_after: Some(day(2)), ..Default::default() };
    assert_eq!(emails(&list(after).await), ["cleo@example.com", "bobx1@example.com"]);

    atom.users().disable(bob.id, None).await.unwrap();
    let stand = |state| UserFilter { state: Some(state), ..Default::default() };
    assert_eq!(emails(&list(stand(UserState::Disabled)).await), ["bob_1@example.com"]);
    assert_eq!(list(stand(UserState::Active)).await.items.len(), 3);

    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = list(UserFilter { page_size: Some(1), cursor: cursor.take(), ..Default::default() }).await;
        seen.extend(emails(&page).into_iter().map(str::to_owned));
        if seen.len() == 2 {
            // Who comes while somebody pages is before what they see.
            import(&atom, "dan@example.com", "Dan", Utc::now()).await;
        }
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, all);
    for page_size in [0, 1001] {
        let wrong = UserFilter { page_size: Some(page_size), ..Default::default() };
        assert_eq!(reason(atom.users().list(wrong).await), "malformed_page_size");
    }
    let wrong = UserFilter { cursor: Some("first".into()), ..Default::default() };
    assert_eq!(reason(atom.users().list(wrong).await), "malformed_cursor");

    assert_eq!(atom.users().get(ada.id).await.unwrap().user, ada);
    assert_eq!(atom.users().get_by_email(" ADA@example.COM".into()).await.unwrap().user.id, ada.id);
    assert_eq!(reason(atom.users().get(UserId::generate()).await), "not_found");
    assert_eq!(reason(atom.users().get_by_email(ada.id.to_string()).await), "not_found");
});

on_both!(metadata_is_the_users_or_the_operators, |database| async move {
    let atom = database.open().await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let (id, profile) = (session.user.id, scope.profile());
    let empty = profile.get().await.unwrap();
    assert_eq!((empty.user.id, &empty.user_metadata.0, &empty.app_metadata.0), (id, &json!({}), &json!({})));

    let patch = ProfilePatch {
        display_name: Some(" Ada ".into()),
        locale: Some("de-AT".into()),
        user_metadata: metadata(json!({ "theme": "dark", "tour": { "seen": true, "step": 3 } })),
    };
    let changed = profile.update(patch).await.unwrap();
    assert_eq!((changed.user.display_name.as_deref(), changed.user.locale.as_deref()), (Some("Ada"), Some("de-AT")));
    let patch = ProfilePatch { user_metadata: metadata(json!({ "tour": { "step": null, "done": 1 } })), ..Default::default() };
    let changed = profile.update(patch).await.unwrap();
    assert_eq!(changed.user_metadata.0, json!({ "theme": "dark", "tour": { "seen": true, "done": 1 } }), "merged");
    assert_eq!(changed.user.display_name.as_deref(), Some("Ada"), "what is left out stays");

    let patch = UserPatch {
        locale: Some(String::new()),
        user_metadata: metadata(json!({ "theme": null })),
        app_metadata: metadata(json!({ "plan": "pro" })),
        ..Default::default()
    };
    let account = atom.users().update(id, patch).await.unwrap();
    assert_eq!((account.user.locale.as_ref(), &account.app_metadata.0), (None, &json!({ "plan": "pro" })));
    assert_eq!(account.user_metadata.0, json!({ "tour": { "seen": true, "done": 1 } }));
    assert_eq!(profile.get().await.unwrap().app_metadata.0, json!({ "plan": "pro" }), "the user reads it");
    assert_eq!(atom.users().get(id).await.unwrap(), account);

    let metadata_of = |value| ProfilePatch { user_metadata: metadata(value), ..Default::default() };
    for (patch, why) in [
        (metadata_of(json!([1])), "malformed_metadata"),
        (metadata_of(json!({ "a": "\0" })), "malformed_metadata"),
        (metadata_of(json!({ "a": "x".repeat(16 * 1024) })), "metadata_too_large"),
        (ProfilePatch { display_name: Some("two\nlines".into()), ..Default::default() }, "malformed_display_name"),
        (ProfilePatch { display_name: Some("x".repeat(101)), ..Default::default() }, "malformed_display_name"),
        (ProfilePatch { locale: Some("deutsch!".into()), ..Default::default() }, "malformed_locale"),
    ] {
        assert_eq!(reason(profile.update(patch).await), why);
    }
    assert_eq!(reason(atom.users().update(UserId::generate(), UserPatch::default()).await), "not_found");
    assert_eq!(atom.users().get(id).await.unwrap(), account, "what was refused changed nothing");

    let before = scope.events().head().await.unwrap();
    profile.update(metadata_of(json!({ "tour": { "done": 1 } }))).await.unwrap();
    assert_eq!(scope.events().head().await.unwrap(), before, "what changes nothing is not told");
    let filter = AuditFilter { action: Some(AuditAction::UserUpdated), ..Default::default() };
    let entries = scope.audit().list(filter).await.unwrap().items;
    let changed: Vec<_> = entries.iter().map(|entry| entry.details["changed"].as_str()).collect();
    assert_eq!(changed, ["locale,user_metadata,app_metadata", "user_metadata", "display_name,locale,user_metadata"]);
    assert_eq!((entries[0].user_id, entries[1].user_id, entries[1].session_id), (None, Some(id), Some(session.id)));
    assert_eq!(told_of(&scope).await, ["user.signed_up", "user.updated", "user.updated", "user.updated"]);
});

on_both!(twenty_patches_at_once_are_all_merged, |database| async move {
    let (atom, other) = (database.open().await, database.open().await);
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    let id = session.user.id;
    let tries = (0..20).map(|i| {
        let atom = if i % 2 == 0 { atom.clone() } else { other.clone() };
        tokio::spawn(async move {
            let patch = UserPatch { app_metadata: metadata(json!({ format!("k{i}"): i })), ..Default::default() };
            atom.users().update(id, patch).await.map(drop)
        })
    });
    for result in tries.collect::<Vec<_>>() {
        result.await.unwrap().unwrap();
    }
    let merged = atom.users().get(id).await.unwrap().app_metadata.0;
    assert_eq!(merged.as_object().unwrap().len(), 20, "{merged}");
});

on_both!(a_profile_needs_a_session_that_stands_and_no_purpose, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let bound = scope.for_purpose(Purpose { purpose: "sync".into(), tool: None }).await.unwrap();
    assert_eq!(reason(bound.profile().get().await), "purpose_fixed");
    assert_eq!(reason(bound.profile().delete_account().await), "purpose_fixed");
    scope.sessions().revoke_all().await.unwrap();
    let profile = scope.profile();
    assert_eq!(reason(profile.get().await), "session_revoked");
    assert_eq!(reason(profile.update(ProfilePatch::default()).await), "session_revoked");
    assert_eq!(reason(profile.export_data().await), "session_revoked");
    assert_eq!(reason(profile.delete_account().await), "session_revoked");
});
